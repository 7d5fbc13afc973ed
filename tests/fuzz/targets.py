"""What is fuzzed: each target takes any bytes, raises nothing, and keeps its promises about what it gives back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "mime")]

import files  # noqa: E402
import senders  # noqa: E402

from gateway.errors import Refused  # noqa: E402
from gateway.mail import Part, Span  # noqa: E402
from gateway.milter.commands import Command  # noqa: E402
from gateway.milter.wire import PACKET_LIMIT, Decoder, MilterError  # noqa: E402
from gateway.mime import banner, binhex, calendars, cms, edit, pgp, rtf, stray, tnef, uuencode, yenc  # noqa: E402
from gateway.mime.declared import declared  # noqa: E402
from gateway.mime.decode import ENCODINGS, VARIANTS, decoded_as, measured  # noqa: E402
from gateway.mime.enclosed import enclosures, is_message, readings, within  # noqa: E402
from gateway.mime.enclosure import ENCLOSURE_LIMIT, Enclosure  # noqa: E402
from gateway.mime.header import fields, unfolded  # noqa: E402
from gateway.mime.names import extensions, last_extensions, shown, tricks  # noqa: E402
from gateway.mime.parameters import structured  # noqa: E402
from gateway.mime.parse import MAX_PARTS, parse  # noqa: E402
from gateway.mime.words import decode_words, encode_words  # noqa: E402
from gateway.smtp import syntax  # noqa: E402
from gateway.text.folding import plain, toned  # noqa: E402
from gateway.text.hypertext import read_html  # noqa: E402
from gateway.text.readings import read_text  # noqa: E402
from gateway.text.squeezing import squeezed  # noqa: E402
from gateway.verdict import AddHeader, Banner, Edit, RemoveHeader, ReplaceHeader, StripPart, TagSubject  # noqa: E402

DEPTH = 3
"""How deep enclosures are followed: what lies deeper is the same code again."""

MOST = 200
"""Things looked at of one input: bounds the time of inputs that hold the same in many ways."""

LABELS = ("", "utf-8", "us-ascii", "windows-1258", "iso-2022-jp", "utf-16", "tcvn3", "gb18030")

EDITS: tuple[Edit, ...] = (
    AddHeader("X-Note", "đã xem"),
    RemoveHeader("X-Spam"),
    ReplaceHeader("Subject", "x"),
    TagSubject("[Ngoài]"),
    Banner("Thư từ bên ngoài."),
    StripPart("1", "removed"),
)


def mime(data: bytes) -> None:
    """The tree, every reading of every part, and what lies within, some levels deep."""
    _message(data, 0, iter(range(MOST)))


def header(data: bytes) -> None:
    """Fields, encoded words, parameters, file names."""
    found = list(fields(data, 0))
    assert b"".join(data[one.start : one.stop] for one in found) == data
    for one in found[:50]:
        assert isinstance(one.value, str)
    text = unfolded(data)
    words = decode_words(text)
    written = words[:200].encode("utf-8", "replace").decode()
    assert decode_words(b" ".join(encode_words(written, 40)).decode()) == written
    assert len(structured(text).tokens) <= 4
    said = declared(b"Content-Type: " + data + b"\r\nContent-Disposition: " + data + b"\r\n")
    for name in (*said.names, text):
        assert len(shown(name)) <= 255
        tricks(name), extensions(name), last_extensions((name,))


def codecs(data: bytes) -> None:
    """Transfer encodings, and each way to unwrap a file."""
    for encoding in (*ENCODINGS, *VARIANTS["base64"], *VARIANTS["quoted-printable"]):
        content = decoded_as(encoding, data, Span(0, len(data)))
        assert len(content) <= 2 * len(data)
        if encoding in ENCODINGS:
            assert measured(data, Span(0, len(data)), encoding)[0] == len(content)
    found: list[Iterable[Enclosure]] = [cms.enveloped(data), pgp.packets(data), pgp.armoured(data)]
    found += [tnef.unwrapped(data), uuencode.uuencoded(data)]
    found += [yenc.yencoded(data), binhex.binhexed(data), calendars.inline_files(data)]
    found += [binhex.apple_files(data, "application/macbinary"), stray.base64_in(data), stray.message_in(data)]
    found += [stray.multipart_in(data), tnef.unwrapped(tnef.SIGNATURE + data)]
    for enclosures_found in found:
        _bounded(enclosures_found)
    assert len(rtf.uncompressed(data, 10_000)[0]) <= 10_000
    assert len(rtf.uncompressed(data[:8] + b"LZFu" + data[8:], 10_000)[0]) <= 10_000


def editing(data: bytes) -> None:
    """No edit changes no byte; an edit changes what it names and gives a message that is read again."""
    root = parse(data)
    assert edit.joined(data, edit.edited(data, root, ())) == data
    added = edit.joined(data, edit.edited(data, root, EDITS[:1]))
    assert added.endswith(data[root.body.start :])
    everything = edit.joined(data, edit.edited(data, root, EDITS))
    parse(everything)
    for part in banner.bannered(root):
        assert not part.children


def text(data: bytes) -> None:
    """Charsets, HTML, folding."""
    label = LABELS[data[0] % len(LABELS)] if data else ""
    for reading in read_text(data[1:], label):
        page = read_html(reading.text)
        assert isinstance(page.visible, str)
        for folded in (toned(reading.text), plain(reading.text), squeezed(reading.text)):
            assert isinstance(folded.text, str)


def smtp(data: bytes) -> None:
    """Commands and their arguments: facts, or a refusal."""
    line = data.decode("utf-8", "replace")
    with suppress(Refused):
        syntax.command(data)
    with suppress(Refused):
        syntax.helo_name(line)
    for utf8 in (False, True):
        with suppress(Refused):
            _harmless(syntax.rcpt_to(line, utf8=utf8).address)
    with suppress(Refused):
        envelope = syntax.mail_from(line)
        _harmless(envelope.sender)
        syntax.declared_size(envelope.parameters)
    with suppress(Refused):
        for value in syntax.attributes(line, syntax.XCLIENT_ATTRIBUTES).values():
            _harmless(value)


def milter(data: bytes) -> None:
    """Packets of an MTA, whole and in pieces of three: the same commands, or the codec's own error."""
    found: list[list[Command]] = []
    for size in (len(data) or 1, 3):
        decoder, commands = Decoder(), list[Command]()
        with suppress(MilterError):
            for at in range(0, len(data), size):
                for command in decoder.feed(data[at : at + size]):
                    commands.append(command)
                assert decoder.waiting <= min(at + size, PACKET_LIMIT + 4)
        found.append(commands)
    assert found[0] == found[1]


TARGETS: dict[str, Callable[[bytes], None]] = {
    "mime": mime,
    "header": header,
    "codecs": codecs,
    "edit": editing,
    "text": text,
    "smtp": smtp,
    "milter": milter,
    "archives": files.archives,
    "frames": files.frames,
    "senders": senders.senders,
}


def _message(raw: bytes, depth: int, room: Iterator[int]) -> None:
    root = parse(raw)
    parts = root.walk()
    assert len(parts) <= MAX_PARTS
    assert root.body.stop == len(raw)
    assert len({part.label for part in parts}) == len(parts)
    for part in parts:
        _nested(part)
        for number, reading in enumerate(readings(raw, part)):
            if number == 0 and not part.children:
                assert len(reading.content) == part.size
            for media_type in reading.media_types:
                _content(reading.content, media_type, part.names, depth, room)
        for one in _bounded(enclosures(raw, part)):
            _content(one.content, one.media_type, one.names, depth, room)
        if next(room, None) is None:
            return


def _content(content: bytes, media_type: str, names: tuple[str, ...], depth: int, room: Iterator[int]) -> None:
    if depth == DEPTH or next(room, None) is None:
        return
    if is_message(content, media_type, names):
        _message(content, depth + 1, room)
    for one in _bounded(within(content, media_type, names)):
        _content(one.content, one.media_type, one.names, depth + 1, room)


def _bounded(found: Iterable[Enclosure]) -> list[Enclosure]:
    listed = list(found)
    assert len(listed) < 2_000
    for one in listed:
        assert len(one.content) <= ENCLOSURE_LIMIT
        assert one.suffix
        assert "/" not in one.suffix
    return listed


def _nested(part: Part) -> None:
    assert 0 <= part.head.start <= part.head.stop <= part.body.start <= part.body.stop
    end = part.body.start
    for child in part.children:
        assert end <= child.head.start
        assert child.body.stop <= part.body.stop
        end = child.body.stop
    at = part.head.start
    for one in part.headers:
        assert at <= one.span.start < one.span.stop <= part.head.stop
        at = one.span.stop


def _harmless(text_of_a_stranger: str) -> None:
    assert not any(ord(character) < 32 or ord(character) == 127 for character in text_of_a_stranger)
