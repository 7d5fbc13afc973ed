"""The milter codec: each command and each answer byte by byte, and whatever a stranger may send."""

from __future__ import annotations

import itertools
import struct
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.milter.answers import (
    Accept,
    AddHeader,
    AddRecipient,
    Answer,
    ChangeHeader,
    ChangeSender,
    ConnectionFailed,
    Continue,
    DeleteRecipient,
    Discard,
    InsertHeader,
    Negotiated,
    Progress,
    Quarantine,
    Reject,
    ReplaceBody,
    Said,
    SetMacros,
    Shutdown,
    Skip,
    TempFail,
)
from gateway.milter.commands import (
    BODY_LIMIT,
    LINE_LIMIT,
    STRINGS_LIMIT,
    Abort,
    Body,
    Command,
    Connect,
    Data,
    EndOfBody,
    EndOfHeaders,
    HeaderField,
    Helo,
    Macros,
    MailFrom,
    Negotiate,
    Quit,
    QuitNewConnection,
    RcptTo,
    Unknown,
    negotiation,
)
from gateway.milter.flags import Actions, Stage, Steps
from gateway.milter.wire import PACKET_LIMIT, Decoder, MilterError, packet
from gateway.reply import Reply
from tests.milter.client import strings, wire

COMMANDS: dict[str, tuple[bytes, bytes, Command]] = {
    "abort": (b"A", b"", Abort()),
    "body": (b"B", b"a\0b\r\n", Body(b"a\0b\r\n")),
    "connect by IPv4": (
        b"C",
        b"host\x004\x10\xe1198.51.100.7\0",
        Connect(b"host", b"4", 4321, b"198.51.100.7"),
    ),
    "connect by IPv6": (b"C", b"host\x006\0\x19IPv6:2001:db8::1\0", Connect(b"host", b"6", 25, b"IPv6:2001:db8::1")),
    "connect by a local socket": (b"C", b"localhost\0L\0\0/run/x\0", Connect(b"localhost", b"L", 0, b"/run/x")),
    "connect by nobody knows what": (b"C", b"localhost\0U", Connect(b"localhost", b"U")),
    "macros": (b"D", b"Mi\x004XyZ\0{auth_authen}\0an\0", Macros(b"M", ((b"i", b"4XyZ"), (b"auth_authen", b"an")))),
    "no macros": (b"D", b"T", Macros(b"T", ())),
    "end of body": (b"E", b"", EndOfBody()),
    "end of body with bytes": (b"E", b"x", EndOfBody(b"x")),
    "helo": (b"H", b"client\0", Helo(b"client")),
    "quit, new connection": (b"K", b"", QuitNewConnection()),
    "header": (b"L", b"Subject\0 a\n\tb\0", HeaderField(b"Subject", b" a\n\tb")),
    "header without a value": (b"L", b"X-Empty\0\0", HeaderField(b"X-Empty", b"")),
    "mail": (b"M", b"<a@b>\0SIZE=5\0BODY=8BITMIME\0", MailFrom(b"<a@b>", (b"SIZE=5", b"BODY=8BITMIME"))),
    "mail of nobody": (b"M", b"<>\0", MailFrom(b"<>")),
    "end of headers": (b"N", b"", EndOfHeaders()),
    "negotiation": (b"O", struct.pack("!III", 6, 0x1F, 0x7F), Negotiate(6, Actions(0x1F), Steps(0x7F))),
    "bits that nobody knows": (b"O", struct.pack("!III", 6, 2**31, 2**31), Negotiate(6, Actions(0), Steps(0))),
    "quit": (b"Q", b"", Quit()),
    "rcpt": (b"R", b"<binh@example.gov.vn>\0NOTIFY=NEVER\0", RcptTo(b"<binh@example.gov.vn>", (b"NOTIFY=NEVER",))),
    "data": (b"T", b"", Data()),
    "unknown": (b"U", b"ETRN\0", Unknown(b"ETRN")),
}  # fmt: skip

MALFORMED = {
    "a negotiation that is too short": (b"O", b"\0\0\0\6"),
    "macros of nothing": (b"D", b""),
    "a macro without a value": (b"D", b"Mi\0"),
    "a macro without an end": (b"D", b"Mi\0x"),
    "a client without a family": (b"C", b"host\0"),
    "a client of a strange family": (b"C", b"host\x009"),
    "a client without a port": (b"C", b"host\x004\0"),
    "a client without an address": (b"C", b"host\x004\0\x19"),
    "a name without an end": (b"H", b"client"),
    "two names": (b"H", b"a\0b\0"),
    "a field without a value": (b"L", b"Subject\0"),
    "a field without a name": (b"L", b"\0x\0"),
    "a field with NUL": (b"L", b"a\0b\0c\0"),
    "a sender without an end": (b"M", b"<>"),
    "an unknown command": (b"?", b""),
    "a line that is too long": (b"H", b"h" * LINE_LIMIT + b"\0"),
    "a recipient that is too long": (b"R", b"r" * LINE_LIMIT + b"\0"),
    "too many parameters": (b"M", b"X\0" * (STRINGS_LIMIT + 1)),
    "too many macros": (b"D", b"M" + b"i\0\0" * STRINGS_LIMIT),
}

ANSWERS: dict[str, tuple[Said, bytes, bytes]] = {
    "continue": (Continue(), b"c", b""),
    "accept": (Accept(), b"a", b""),
    "reject": (Reject(), b"r", b""),
    "temporary failure": (TempFail(), b"t", b""),
    "discard": (Discard(), b"d", b""),
    "shutdown": (Shutdown(), b"4", b""),
    "connection failed": (ConnectionFailed(), b"f", b""),
    "skip": (Skip(), b"s", b""),
    "progress": (Progress(), b"p", b""),
    "reply": (Answer(Reply(550, "7.1", "No")), b"y", b"550 5.7.1 No\0"),
    "reply with a per cent sign": (Answer(Reply(451, "7.1", "100% busy")), b"y", b"451 4.7.1 100%% busy\0"),
    "reply of two lines": (Answer(Reply(550, "7.1", "No\nNever")), b"y", b"550-5.7.1 No\r\n550 5.7.1 Never\0"),
    "add recipient": (AddRecipient(b"<a@b>"), b"+", b"<a@b>\0"),
    "add recipient with parameters": (AddRecipient(b"<a@b>", b"NOTIFY=NEVER"), b"2", b"<a@b>\0NOTIFY=NEVER\0"),
    "delete recipient": (DeleteRecipient(b"<a@b>"), b"-", b"<a@b>\0"),
    "change sender": (ChangeSender(b"<a@b>"), b"e", b"<a@b>\0"),
    "change sender with parameters": (ChangeSender(b"<>", b"RET=HDRS"), b"e", b"<>\0RET=HDRS\0"),
    "add header": (AddHeader(b"X", b" y"), b"h", b"X\0 y\0"),
    "insert header": (InsertHeader(3, b"X", b" y"), b"i", b"\0\0\0\3X\0 y\0"),
    "change header": (ChangeHeader(1, b"X", b" y"), b"m", b"\0\0\0\1X\0 y\0"),
    "delete header": (ChangeHeader(2, b"X", b""), b"m", b"\0\0\0\2X\0\0"),
    "replace body": (ReplaceBody(b"\0\r\n"), b"b", b"\0\r\n"),
    "quarantine": (Quarantine(b"why" * 50), b"q", (b"why" * 50)[:100] + b"\0"),
    "set macros": (SetMacros(Stage.RCPT, "i {rcpt_addr}"), b"l", b"\0\0\0\3i {rcpt_addr}\0"),
}


@pytest.mark.parametrize(("code", "data", "command"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_is_read_whole_and_byte_by_byte(code: bytes, data: bytes, command: Command) -> None:
    sent = wire(code, data)
    decoder = Decoder()
    assert list(decoder.feed(sent)) == [command]
    pieces = [found for at in range(len(sent)) for found in decoder.feed(sent[at : at + 1])]
    assert pieces == [command]
    assert decoder.waiting == 0


@pytest.mark.parametrize(("code", "data"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_an_error_of_the_protocol(code: bytes, data: bytes) -> None:
    with pytest.raises(MilterError):
        list(Decoder().feed(wire(code, data)))


@pytest.mark.parametrize(("said", "code", "data"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_as_it_goes_on_the_wire(said: Said, code: bytes, data: bytes) -> None:
    assert packet(said) == wire(code, data)


IMPOSSIBLE = {
    "a reply that refuses nothing": Answer(Reply(250, "0.0", "OK")),
    "a piece of body that is too long": ReplaceBody(bytes(BODY_LIMIT + 1)),
    "NUL in a header": AddHeader(b"X", b"a\0b"),
    "NUL in a recipient": DeleteRecipient(b"<a\0@b>"),
}


@pytest.mark.parametrize("said", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_no_packet_can_say(said: Said) -> None:
    with pytest.raises(ValueError, match=r".+"):
        packet(said)


def test_a_negotiation_with_lists_of_macros_goes_round() -> None:
    macros = {Stage.CONNECT: "{client_addr}", Stage.END: "i"}
    said = Negotiated(6, Actions(0x1FF), Steps(0x1FFFFF), macros)
    version, actions, steps, lists = negotiation(packet(said)[5:])
    assert (version, actions, steps) == (6, Actions(0x1FF), Steps(0x1FFFFF))
    assert {stage: names.decode() for stage, names in lists.items()} == macros


LENGTHS = {"nothing": (0, False), "one": (1, True), "the most": (PACKET_LIMIT, True), "more": (PACKET_LIMIT + 1, False)}


@pytest.mark.parametrize(("length", "taken"), LENGTHS.values(), ids=LENGTHS)
def test_the_length_of_a_packet(length: int, taken: bool) -> None:
    decoder = Decoder()
    if taken:
        assert list(decoder.feed(struct.pack("!I", length) + b"B" + bytes(length - 1))) == [Body(bytes(length - 1))]
    else:
        with pytest.raises(MilterError):
            list(decoder.feed(struct.pack("!I", length)))


@given(st.lists(st.sampled_from([wire(code, data) for code, data, _ in COMMANDS.values()]), max_size=12), st.data())
def test_the_same_bytes_in_any_pieces_give_the_same_commands(packets: list[bytes], data: st.DataObject) -> None:
    sent = b"".join(packets)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=20)))
    decoder = Decoder()
    edges = [0, *cuts, len(sent)]
    found = [each for at, to in itertools.pairwise(edges) for each in decoder.feed(sent[at:to])]
    assert found == list(Decoder().feed(sent))
    assert len(found) == len(packets)


def _with_code(data: bytes) -> bytes:
    return wire(data[:1] or b"A", data[1:])


@given(st.lists(st.binary(max_size=200) | st.binary(max_size=60).map(_with_code), max_size=10))
def test_strangers_bytes_raise_nothing_else_and_are_not_hoarded(pieces: list[bytes]) -> None:
    decoder = Decoder()
    try:
        for piece in pieces:
            list(decoder.feed(piece))
            assert decoder.waiting <= PACKET_LIMIT + 4
    except MilterError:
        pass


HOARDS = {
    "a packet that never ends, octet by octet": (struct.pack("!I", PACKET_LIMIT) + b"B", b"x", 100_000),
    "the greatest packets, one behind the other": (b"", wire(b"B", bytes(PACKET_LIMIT - 1)), 20),
    "as many parameters as fit": (b"", wire(b"M", bytes(PACKET_LIMIT - 1)), 5),
    "as many macros as fit": (b"", wire(b"D", b"M" + bytes(PACKET_LIMIT - 2)), 5),
    "small packets without an end": (b"", wire(b"A") * 50_000, 2),
}


@pytest.mark.parametrize(("first", "then", "times"), HOARDS.values(), ids=HOARDS)
def test_memory_is_that_of_a_few_packets(first: bytes, then: bytes, times: int) -> None:
    decoder = Decoder()
    tracemalloc.start()
    try:
        with suppress(MilterError):
            for piece in itertools.chain([first], itertools.repeat(then, times)):
                for _ in decoder.feed(piece):
                    pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 4 * PACKET_LIMIT


def test_a_packet_is_not_waited_for_beyond_the_limit() -> None:
    decoder = Decoder()
    for piece in (struct.pack("!I", PACKET_LIMIT) + b"B", *[bytes(65_536)] * 15):
        assert list(decoder.feed(piece)) == []
        assert decoder.waiting <= PACKET_LIMIT + 4
    [body] = decoder.feed(bytes(65_535))
    assert body == Body(bytes(PACKET_LIMIT - 1))
    assert decoder.waiting == 0


@given(st.lists(st.binary(min_size=1).filter(lambda word: b"\0" not in word), min_size=1))
def test_strings_go_round(words: list[bytes]) -> None:
    [found] = Decoder().feed(wire(b"M", strings(*words)))
    assert found == MailFrom(words[0], tuple(words[1:]))
