"""What a bypass is, and its text in the file: read strictly, since what is read here opens the gate."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from gateway.keeping import AuditRecord

LONGEST = timedelta(hours=24)
"""How long one may count: a night and the day after, in which a policy can be changed as it should be."""

SHORTEST = timedelta(minutes=1)
"""Less would be over before anybody has sent his mail again."""

MOST = 20
"""Bypasses at once: who needs more wants another policy."""

REASON_LIMIT = 300
"""Characters of a reason: a sentence or two, and it fits a log line."""

NAME_LIMIT = 200
"""Characters of a name: ids of rules are far shorter, and a header line holds it (RFC 5322 section 2.1.1)."""

PERSON_LIMIT = 64
"""Characters of a user's name: Linux has 32."""

TEXT_LIMIT = 64 * 1024
"""Octets of the file: `MOST` of them, with every limit reached, take less than half of it."""

VERSION = 1

_NAME = re.compile(r"[a-z][a-z0-9_]*(-[a-z0-9_]+)*")  # a rule's id or a filter's name
_ID = re.compile(r"[0-9A-Z]{18}")  # as `identity.py` makes them


class Kind(StrEnum):
    """What is suspended."""

    RULE = "rule"
    FILTER = "filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who does it, by the system's word: the user, his number, and who had logged in before he became that user (sudo),
    "" where the system does not know. Raises ValueError for what cannot be."""

    actor: str
    uid: int
    session: str

    def __post_init__(self) -> None:
        if self.uid < 0:
            raise ValueError("uid is none")
        _check_line("actor", self.actor, PERSON_LIMIT)
        _check_line("session", self.session or "-", PERSON_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bypass:
    """One rule or filter that is suspended from `begins` to before `ends`. Raises ValueError for what cannot be."""

    id: str
    kind: Kind
    name: str
    begins: datetime
    ends: datetime
    by: Person
    reason: str

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError("id is none")
        if len(self.name) > NAME_LIMIT or not _NAME.fullmatch(self.name):
            raise ValueError("name is none of a rule or a filter")
        if not SHORTEST <= self.ends - self.begins <= LONGEST:
            raise ValueError(f"it must count for {_words(SHORTEST)} at least and {_words(LONGEST)} at most")
        _check_line("reason", self.reason, REASON_LIMIT)

    @property
    def label(self) -> str:
        """As logs, records and the header field have it: "rule NAME" or "filter NAME"."""
        return f"{self.kind} {self.name}"

    def counts(self, now: datetime) -> bool:
        """True while it is in force. One that begins later than now, by a clock that was set back, is not."""
        return self.begins <= now < self.ends

    def record(self, action: str, now: datetime, *, by: Person, comment: str) -> AuditRecord:
        """What the audit trail remembers of its begin or its end: who did it and why."""
        return AuditRecord(
            id=self.id,
            moment=now,
            event="bypass",
            retention="evidence",
            facts={
                "action": action,
                **asdict(by),
                "kind": self.kind.value,
                "name": self.name,
                "rules": [self.name] if self.kind is Kind.RULE else [],
                "begins": self.begins.isoformat(),
                "ends": self.ends.isoformat(),
                "comment": comment,
            },
        )


def as_text(bypasses: Sequence[Bypass]) -> str:
    """The file's text."""
    entries = [asdict(each) | {"begins": each.begins.isoformat(), "ends": each.ends.isoformat()} for each in bypasses]
    return json.dumps({"version": VERSION, "bypasses": entries}, indent=2) + "\n"


def from_text(text: bytes) -> tuple[Bypass, ...]:
    """The bypasses of a file's text. Raises ValueError for whatever `as_text` has not written: all count, or none."""
    if len(text) > TEXT_LIMIT:
        raise ValueError(f"it is bigger than {TEXT_LIMIT} octets")
    try:
        document = json.loads(text.decode("ascii"), object_pairs_hook=_once)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    entries = _mapping(document, {"version", "bypasses"})["bypasses"]
    if document["version"] != VERSION or isinstance(document["version"], bool):
        raise ValueError(f"its version is not {VERSION}")
    if not isinstance(entries, list) or len(entries) > MOST:
        raise ValueError(f"bypasses must be a list of {MOST} at most")
    found = tuple(_bypass(entry) for entry in entries)
    if len({each.label for each in found}) < len(found):
        raise ValueError("something is suspended twice")
    return found


def _bypass(entry: object) -> Bypass:
    values = _mapping(entry, {each.name for each in fields(Bypass)})
    person = _mapping(values["by"], {each.name for each in fields(Person)})
    if not isinstance(person["uid"], int) or isinstance(person["uid"], bool):
        raise ValueError("uid must be a number")
    texts = {**values, **person}
    for name in texts.keys() - {"uid", "by"}:
        if not isinstance(texts[name], str):
            raise ValueError(f"{name} must be a text")
    moments = {name: _moment(name, values[name]) for name in ("begins", "ends")}
    return Bypass(**values | moments | {"kind": Kind(values["kind"]), "by": Person(**person)})


def _moment(name: str, text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() != timedelta(0):
        raise ValueError(f"{name} must be a moment in UTC")
    return moment.astimezone(UTC)


def _check_line(name: str, text: str, limit: int) -> None:
    if not text.strip() or len(text) > limit or not text.isprintable():
        raise ValueError(f"{name} must be one line of 1 to {limit} characters")


def _mapping(value: object, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != keys:
        raise ValueError(f"there must be a mapping with {', '.join(sorted(keys))}, and nothing else")
    return value


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping whose keys are there once: of two equal keys nobody knows which one is meant."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {key!r} is there twice")
        found[key] = value
    return found


def _words(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours} h" if hours else f"{minutes} min"
