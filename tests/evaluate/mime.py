"""Every attachment and every text that two other parsers find in a mail, ours finds too."""

from __future__ import annotations

import email
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import fast_mail_parser
from scoring import Score

from gateway.mime.enclosed import MESSAGES, Enclosure, enclosures, is_message, readings, within
from gateway.mime.parse import parse
from gateway.text.charsets import text_of

_COLUMNS = ("contents", "contents missing", "texts", "other charset", "texts missing")
DEPTH = 6
LISTED = 20


@dataclass(slots=True)
class Found:
    """What a parser finds: contents with their line endings made equal, texts with their white space made equal."""

    contents: set[bytes] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)


def score(corpus: Path) -> Score:
    """Compares on every .eml of the corpus."""
    counts, missing = Counter[tuple[str, str]](), list[str]()
    mails = sorted(corpus.rglob("*.eml"))
    for path in mails:
        raw = path.read_bytes()
        ours = _ours(raw)
        all_text = "\0".join(ours.texts)
        in_ascii = _ascii(all_text)
        for parser, theirs in (("email", _by_email(raw)), ("fast-mail-parser", _by_fast_mail_parser(raw))):
            for kind, there, lost in (
                ("contents", theirs.contents, [one for one in theirs.contents if not _held(one, ours.contents)]),
                ("texts", theirs.texts, [one for one in theirs.texts if _ascii(one) not in in_ascii]),
            ):
                counts[parser, kind] += len(there)
                counts[parser, f"{kind} missing"] += len(lost)
                if kind == "texts":
                    counts[parser, "other charset"] += sum(one not in all_text for one in there) - len(lost)
                missing += [f"{path.relative_to(corpus)}: {parser}: {one[:70]!r}" for one in lost]
    for line in missing[:LISTED]:
        print(line, file=sys.stderr)
    return Score(
        title=f"Reading {len(mails)} mails beside two other parsers",
        columns=("parser", "its contents", "not found by us", "its texts", "in another charset", "not found by us"),
        rows=tuple(
            (parser, *(counts[parser, column] for column in _COLUMNS))
            for parser in ("email", "fast-mail-parser")
        ),
        note="Contents are compared but for line endings, texts but for white space. In another charset: the same but "
        "for the characters outside ASCII, which the other parser decodes in another way.",
        holds=not missing,
    )


def _held(content: bytes, ours: set[bytes]) -> bool:
    return content in ours or any(content in one for one in ours)


def _ours(raw: bytes) -> Found:
    found = Found()
    _read_message(raw, found, 0)
    return found


def _read_message(raw: bytes, found: Found, depth: int) -> None:
    if depth > DEPTH:
        return
    for part in parse(raw).walk():
        if part.media_type in MESSAGES:  # some parsers give an enclosed message as one piece
            found.contents.add(_one_ending(raw[part.body.start : part.body.stop]))
        for reading in readings(raw, part):
            _add(found, reading.content, *reading.charsets)
            for media_type in reading.media_types:
                _read_content(reading.content, media_type, part.names, found, depth)
        for enclosure in enclosures(raw, part):
            _read_enclosure(enclosure, found, depth + 1)


def _read_enclosure(enclosure: Enclosure, found: Found, depth: int) -> None:
    _add(found, enclosure.content, enclosure.charset)
    _read_content(enclosure.content, enclosure.media_type, enclosure.names, found, depth)


def _read_content(content: bytes, media_type: str, names: tuple[str, ...], found: Found, depth: int) -> None:
    if depth > DEPTH:
        return
    if is_message(content, media_type, names):
        _read_message(content, found, depth + 1)
    for inner in within(content, media_type, names):
        _read_enclosure(inner, found, depth + 1)


def _by_email(raw: bytes) -> Found:
    found = Found()
    for part in email.message_from_bytes(raw).walk():
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or part.get_content_maintype() == "multipart":
            continue  # one that it cannot split is no content: what is in it we give in parts
        if part.get_content_maintype() == "text":
            found.texts.add(_plain(text_of(content, part.get_content_charset() or "")))
        else:
            found.contents.add(_one_ending(content))
    return Found(found.contents - {b""}, found.texts - {""})


def _by_fast_mail_parser(raw: bytes) -> Found:
    try:
        mail = fast_mail_parser.parse_email(raw)
    except fast_mail_parser.ParseError:
        return Found()
    return Found(
        {_one_ending(bytes(one.content)) for one in mail.attachments} - {b""},
        {_plain(text) for text in (*mail.text_plain, *mail.text_html)} - {""},
    )


def _add(found: Found, content: bytes, *charsets: str) -> None:
    found.contents.add(_one_ending(content))
    found.texts |= {_plain(text_of(content, charset)) for charset in ("", *charsets)}


def _one_ending(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").strip()


def _ascii(text: str) -> str:
    return "".join(text.encode("ascii", "ignore").decode().split())


def _plain(text: str) -> str:
    return " ".join(text.split())
