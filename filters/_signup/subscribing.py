"""Requests to mailing lists outside: by the address they go to, by the command they hold, by the token they confirm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gateway.mail import Direction, Mail, domain_of
from gateway.reading import Zone

FIRST = 2000
"""Characters in which a command stands: list programs read the first lines (majordomo, listserv, sympa)."""

_PROGRAMS = re.compile(r"^(?:majordomo|listserv|sympa|listproc|mailman|ecartis|ezmlm|minimalist|mlmmj)(?:\+[^@]*)?$")
_JOINING = re.compile(r"(?:^|.[-+.])(?:subscribe|join|sub)$|^(?:subscribe|join)[-+].|[-+](?:subscribe|join)[-+=].")
_REQUESTS = re.compile(r".-(?:request|requests)$")
_CONFIRMING = re.compile(r"(?:^|[-+])(?:confirm|confirmation|sc|verify|vf)[-+.=][0-9a-z.]{6,}")
_COMMAND = re.compile(r"(?im)^\s*(?:quiet\s+)?(?:subscribe|sub|join|subscribe[-_]\w+)\b(?!r)")
_CONFIRM = re.compile(r"(?im)^\s*(?:re:\s*)?(?:confirm|ok|auth|accept)\s+[0-9a-z:.-]{6,}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: where it goes, and what shows it."""

    address: str
    domain: str
    by: Literal["address", "command", "confirmation"]


def asked_list(mail: Mail) -> Iterator[Asked]:
    """The lists outside that this mail asks to be put on, in the order of its recipients."""
    texts = [text.content[:FIRST] for text in mail.reading.of(Zone.SUBJECT, Zone.BODY)]
    commanded = any(_COMMAND.search(text) for text in texts)
    confirmed = any(_CONFIRM.search(text) for text in texts)
    for recipient in mail.envelope.recipients:
        if mail.direction(recipient) is not Direction.OUTBOUND:
            continue
        local = recipient.address.rpartition("@")[0].lower()
        domain = domain_of(recipient.address)
        to_program = bool(_PROGRAMS.match(local) or _REQUESTS.search(local))
        if "unsubscribe" in local or "leave" in local:
            continue
        if _CONFIRMING.search(local) or (to_program and confirmed):
            yield Asked(recipient.address, domain, "confirmation")
        elif to_program and commanded:
            yield Asked(recipient.address, domain, "command")
        elif _JOINING.search(local):
            yield Asked(recipient.address, domain, "address")
