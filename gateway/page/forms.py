"""What a browser sends when somebody decides, and whether it comes from a form of ours."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from gateway.custody.approvals import Want

BODY_LIMIT = 32 * 1024
"""Bytes of a form: a comment in Vietnamese is up to nine octets a character, and the rest is short."""

COMMENT_LIMIT = 2_000
"""Characters of a comment, as in notices."""

ADDRESS_LIMIT = 254
"""Octets of an address. RFC 5321 section 4.5.3.1.3 with its erratum 1690."""

MOST_FIELDS = 10
"""Fields of a form; ours has four."""

FORM_WITHIN = 12 * 3600
"""Seconds for which a page that was opened can be sent: a working day with its evening."""

MEDIA_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """A decision as it was sent. `token` says that the form was ours, if it is right."""

    want: Want
    comment: str
    to: str
    token: str


def read_form(body: bytes) -> Form | None:
    """The fields of a form; None where it is none of ours, or says more than it may."""
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")
        want = Want(_only(fields, "want"))
    except ValueError:
        return None
    comment = "\n".join(_only(fields, "comment").splitlines()).strip()
    to = _only(fields, "to").strip()
    if len(comment) > COMMENT_LIMIT or len(to) > ADDRESS_LIMIT:
        return None
    return Form(want, comment, to, _only(fields, "token"))


def same_site(headers: Mapping[str, str], origin: str) -> bool:
    """False if the browser says that another site sent the form.

    Our pages send no referrer, and then a browser's Origin is "null" (Fetch section 3.2); Sec-Fetch-Site tells the
    truth all the same, where there is one.
    """
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    return headers.get("origin", "null").lower() in ("null", origin.lower())


def token_for(key: bytes, code: str, now: int) -> str:
    """Proof that a page for this code was made here at that time, in seconds since the epoch."""
    return f"{now}.{_proof(key, code, str(now))}"


def token_holds(token: str, key: bytes, code: str, now: int) -> bool:
    """True if the token is ours, for this code, and not too old."""
    moment, _, proof = token.partition(".")
    genuine = hmac.compare_digest(proof.encode(), _proof(key, code, moment).encode())
    return genuine and 0 <= now - int(moment) <= FORM_WITHIN


def _proof(key: bytes, code: str, moment: str) -> str:
    return hmac.new(key, f"{moment}.{code}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _only(fields: Mapping[str, list[str]], name: str) -> str:
    """The one value of a field, "" where it is missing. Raises ValueError where there are several."""
    values = fields.get(name, [""])
    if len(values) > 1:
        raise ValueError(name)
    return values[0]
