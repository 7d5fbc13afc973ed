"""What a part holds that is no span of the message: every reading of its content, and the files and messages within.

A caller that opens everything in a mail asks, for every part of `parse(raw).walk()`, leaves and branches:

- `readings(raw, part)`: the content as bytes. One for an ordinary leaf, none for an ordinary branch, several where
  programs disagree (two encodings, an unknown one, a type that is a multipart for some and a text for others).
- `enclosures(raw, part)`: what else a program may show: the text before the first boundary, a multipart under a
  transfer encoding, the whole message as it is for programs that end lines at a lone CR, ...

and of every content it got so, and of every file found elsewhere, as deep as it wants to go,

- `is_message(content, media_type, names)`: whether it is a message of its own, to be parsed; and where it is none,
- `within(content, media_type, names)`: what lies in it: uuencoded files, winmail.dat, S/MIME, a message in a text, ...

All are pure, lazy and bounded; none raises on a stranger's bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.mail import Part, Raw
from gateway.mime.binhex import apple_files, binhexed
from gateway.mime.calendars import inline_files
from gateway.mime.cms import enveloped, is_enveloped
from gateway.mime.decode import decoded
from gateway.mime.enclosure import Enclosure, Means
from gateway.mime.kinds import binary_kind_of, kind_of
from gateway.mime.names import last_extensions
from gateway.mime.parse import MESSAGES
from gateway.mime.pgp import armoured, packets
from gateway.mime.readings import Content, readings
from gateway.mime.rereading import rereadings
from gateway.mime.stray import base64_in, message_in, multipart_in
from gateway.mime.tnef import SIGNATURE, unwrapped
from gateway.mime.uuencode import uuencoded
from gateway.mime.yenc import yencoded
from gateway.reading import Reason

__all__ = ["MESSAGES", "Content", "Enclosure", "Means", "enclosures", "is_message", "readings", "within"]

_LOOKED_AT = 4 * 1024
_TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_CMS_TYPES = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "application/cms"})
_CMS_NAMES = frozenset({"p7m", "p7z", "p7c"})
_PGP_NAMES = frozenset({"pgp", "gpg"})
_MAIL_NAMES = frozenset({"eml", "mht", "mhtml", "nws"})
_IN_TEXT = (message_in, multipart_in, uuencoded, yencoded, binhexed, armoured, inline_files, base64_in)
_ELSEWHERE = {
    "message/partial": (Means.PARTIAL, Reason.FRAGMENT),
    "message/external-body": (Means.EXTERNAL, Reason.ELSEWHERE),
}


def enclosures(raw: Raw, part: Part) -> Iterator[Enclosure]:
    """What a program may show of a part of `parse(raw)` beside its children and the readings of its content."""
    yield from rereadings(raw, part)
    if part.media_type in _ELSEWHERE:
        how, reason = _ELSEWHERE[part.media_type]
        yield Enclosure(
            suffix=how, how=how, content=decoded(raw, part), names=part.names, media_type="message/rfc822", blind=reason
        )
    if part.media_type == "multipart/encrypted":
        yield Enclosure(suffix="encrypted", how=Means.PGP, blind=Reason.ENCRYPTED)


def is_message(content: bytes, media_type: str = "", names: tuple[str, ...] = ()) -> bool:
    """True if a file or a text is a message of its own by its declared type, its names or its bytes."""
    if media_type in MESSAGES or not _MAIL_NAMES.isdisjoint(last_extensions(names)):
        return True
    return not media_type.startswith("text/") and kind_of(content[:_LOOKED_AT]) == "mail"


def within(content: bytes, media_type: str = "", names: tuple[str, ...] = ()) -> Iterator[Enclosure]:
    """What lies within a file or text that is no part of a message: by its bytes, its declared type and its names.

    Nothing where that `is_message`: its parts tell.
    """
    extensions = frozenset(last_extensions(names))
    start = content[:_LOOKED_AT]
    if start.startswith(SIGNATURE) or media_type in _TNEF_TYPES or "winmail.dat" in names:
        yield from unwrapped(content)
    if media_type in _CMS_TYPES or extensions & _CMS_NAMES or is_enveloped(start):
        yield from enveloped(content)
    if extensions & _PGP_NAMES or media_type == "application/pgp-encrypted":
        yield from packets(content)
    yield from apple_files(content, media_type)
    textual = media_type.startswith("text/") or (b"\0" not in start and not binary_kind_of(start))
    if textual and not is_message(content, media_type, names):
        for search in _IN_TEXT:
            yield from search(content)
