"""The parts of a mail to its reading."""

from __future__ import annotations

from gateway.mail import Mail, Part
from gateway.mime.charsets import text_of
from gateway.mime.decode import decoded
from gateway.reading import Reading, Text, Zone

TEXT_LIMIT = 1024 * 1024
"""Bytes of one inline text that are read in place; a longer one is no letter."""


async def open_mail(mail: Mail) -> Reading:
    """What the mail holds."""
    return Reading(texts=(*_subject(mail), *(text for part in mail.root.walk() for text in _texts(mail, part))))


def _subject(mail: Mail) -> tuple[Text, ...]:
    subject = mail.root.header("Subject")
    return (Text(place="", zone=Zone.SUBJECT, content=subject),) if subject else ()


def _texts(mail: Mail, part: Part) -> tuple[Text, ...]:
    if part.children or not part.media_type.startswith("text/"):
        return ()
    charset = part.parameters.get("charset", "")
    content = text_of(decoded(mail.raw, part, TEXT_LIMIT), charset)
    return (Text(place=part.label, zone=Zone.BODY, content=content, kind=part.media_type[5:], charset=charset),)
