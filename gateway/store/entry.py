"""A kept message's entry as JSON and back: what stands in the file beside the bytes, and in the index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from gateway.keeping import KeptMail, Kind, State, Step
from gateway.mail import Client, Envelope, Recipient


class BrokenEntry(Exception):
    """The bytes are not an entry as it was written."""


def kept_json(kept: KeptMail) -> str:
    """The entry as one line of ASCII, whatever a stranger wrote in it."""
    return _dumped(asdict(kept) | {"received": _written(kept.received), "expires": _written(kept.expires)})


def kept_of(text: str, state: str) -> KeptMail:
    """The entry in that state. Raises KeyError, TypeError or ValueError for what is not one."""
    return _kept(json.loads(text), state)


def step_json(step: Step) -> str:
    """The step as one line of ASCII."""
    return _dumped(asdict(step) | {"moment": _written(step.moment)})


def step_of(text: str) -> Step:
    """The step. Raises KeyError, TypeError or ValueError for what is not one."""
    return _step(json.loads(text))


def file_bytes(kept: KeptMail, steps: Sequence[Step]) -> bytes:
    """The file beside the message: entry, state and steps, and a digest that shows a flipped byte."""
    body = {"entry": json.loads(kept_json(kept)), "steps": [json.loads(step_json(step)) for step in steps]}
    return _dumped({"body": body, "sha256": _digest(body)}).encode() + b"\n"


def file_content(content: bytes) -> tuple[KeptMail, tuple[Step, ...]]:
    """What `file_bytes` wrote. Raises BrokenEntry."""
    try:
        document = json.loads(content)
        body = document["body"]
        if _digest(body) != document["sha256"]:
            raise BrokenEntry("the entry is not what was written")
        return _kept(body["entry"], body["entry"]["state"]), tuple(map(_step, body["steps"]))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BrokenEntry(f"the file is not an entry: {error}") from error


def _kept(fields: dict[str, Any], state: str) -> KeptMail:
    envelope = fields["envelope"]
    fields["client"] = Client(**fields["client"])
    fields["envelope"] = Envelope(
        envelope["sender"],
        tuple(Recipient(each["address"], tuple(each["parameters"])) for each in envelope["recipients"]),
        tuple(envelope["parameters"]),
    )
    for name in ("rules", "clauses", "approvers"):
        fields[name] = tuple(fields[name])
    fields["kind"], fields["state"] = Kind(fields["kind"]), State(state)
    fields["received"] = datetime.fromisoformat(fields["received"])
    fields["expires"] = datetime.fromisoformat(fields["expires"])
    return KeptMail(**fields)


def _step(fields: dict[str, Any]) -> Step:
    return Step(**fields | {"moment": datetime.fromisoformat(fields["moment"])})


def _dumped(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _digest(body: object) -> str:
    return hashlib.sha256(_dumped(body).encode()).hexdigest()


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
