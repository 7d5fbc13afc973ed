"""Codes for deciding once: what stands in a notice or a link is a secret, what is remembered is its hash."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from gateway.keeping import Code

SECRET_BYTES = 20
"""160 bits: more than anybody can guess, in 32 letters and digits of base32 without padding."""

LENGTH_LIMIT = 100
"""Characters of what is offered as a code: 32, and the hyphens and blanks that people put in."""


class Fault(StrEnum):
    """Why a code is worth nothing."""

    UNKNOWN = "unknown-code"
    USED = "used-code"
    EXPIRED = "expired-code"
    OTHER_ACT = "code-for-something-else"
    OTHER_MESSAGE = "code-for-another-message"
    OTHER_PERSON = "code-of-somebody-else"


def issue(message: str, acts: Iterable[str], person: str, expires: datetime) -> tuple[str, Code]:
    """A new secret, for one person to do one of these acts with one message, and what is to be remembered of it."""
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")
    code = Code(
        digest=digest(secret), message=message, acts=tuple(acts), person=person.strip().lower(), expires=expires
    )
    return secret, code


def digest(secret: str) -> str:
    """The digest of a secret as somebody typed or clicked it.

    A plain SHA-256: a secret of 160 random bits has no dictionary that a slow hash would have to slow down.
    """
    plain = "".join(secret[:LENGTH_LIMIT].split()).replace("-", "").upper()
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def fault(
    code: Code | None, *, now: datetime, act: str = "", message: str = "", person: str = ""
) -> Fault | None:
    """Why a code is worth nothing now, or not for this act, message or person where one is given; None where it is."""
    if code is None:
        return Fault.UNKNOWN
    if code.used is not None:
        return Fault.USED
    if now >= code.expires:
        return Fault.EXPIRED
    if act and act not in code.acts:
        return Fault.OTHER_ACT
    if message and message != code.message:
        return Fault.OTHER_MESSAGE
    if person and person.strip().lower() != code.person:
        return Fault.OTHER_PERSON
    return None
