"""rspamd: one POST to /checkv2 with everything known of the envelope, one JSON answer (rspamd's protocol.html)."""

from __future__ import annotations

import json
import math
from typing import Any

from filters._spam.answers import Opinion, Symbol
from filters._spam.http import Server
from gateway.engines.spread import EngineFailure
from gateway.mail import Mail

MARKS = ("add header", "rewrite subject", "reject")
"""Actions of rspamd by which it marks mail as spam, the mildest first: the first with a threshold is where spam
begins."""

RECIPIENTS = 200
"""Recipients that are named; rules of rspamd look at a few."""

SYMBOLS = 200
"""Symbols that are kept."""

OPTIONS = 5
"""Options of a symbol that are kept, and in all of them together TOLD characters."""

TOLD = 200


def envelope_fields(mail: Mail) -> list[tuple[str, str]]:
    """The fields by which rspamd hears of the envelope."""
    client = mail.client
    named = [
        ("IP", client.address),
        ("Helo", client.helo),
        ("Hostname", client.name),
        ("From", f"<{mail.envelope.sender}>"),
        *(("Rcpt", f"<{recipient.address}>") for recipient in mail.envelope.recipients[:RECIPIENTS]),
        ("User", client.login),
        ("Queue-Id", mail.id),
    ]
    return [(name, value) for name, value in named if value]


async def asked(server: Server, mail: Mail, required: float) -> Opinion:
    """rspamd's opinion of the mail; see `opinion`. Raises EngineFailure, OSError."""
    return opinion(await server.ask("POST", "/checkv2", envelope_fields(mail), mail.raw[:]), required)


def opinion(answer: bytes, required: float) -> Opinion:
    """What the JSON says; `required` is where spam begins for an rspamd that does not tell its thresholds.

    Raises EngineFailure where it is not what the manual promises: no score is no 0.
    """
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise EngineFailure("answered no JSON") from error
    if not isinstance(said, dict) or "error" in said:
        raise EngineFailure(f"answered {str(said)[:100]}")
    action = said.get("action")
    if not isinstance(action, str):
        raise EngineFailure("answered without an action")
    if said.get("is_skipped") is True and action == "no action":  # skipped with a verdict is the test line's way
        raise EngineFailure("skipped the message: its settings exempt this client or sender")
    return Opinion(_number(said, "score"), _required(said, required), action[:40], _symbols(said.get("symbols")))


def _required(said: dict[str, Any], otherwise: float) -> float:
    thresholds = said.get("thresholds")
    if isinstance(thresholds, dict):
        for name in MARKS:
            if name in thresholds:
                return _number(thresholds, name)
    return otherwise


def _symbols(said: Any) -> tuple[Symbol, ...]:
    if not isinstance(said, dict):
        raise EngineFailure("answered without symbols")
    found = []
    for name, each in said.items():
        if not isinstance(each, dict):
            raise EngineFailure("answered with symbols that are none")
        options = each.get("options")
        told = ", ".join(map(str, options[:OPTIONS])) if isinstance(options, list) else ""
        found.append(Symbol(name[:80], _number(each, "score"), told[:TOLD]))
    found.sort(key=lambda symbol: -abs(symbol.score))
    return tuple(found[:SYMBOLS])


def _number(said: dict[str, Any], name: str) -> float:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise EngineFailure(f"answered without {name}")
    return float(value)
