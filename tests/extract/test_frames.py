"""Frames: what is told comes out as it went in, in pieces of any size; what is no frame is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.extract.frames import Broken, Decoder, Done, Marked, Told, assembled, encoded
from gateway.reading import Blind, File, Link, Reason, Text, Trait, Zone

words = st.text(st.characters(), max_size=20)
counts = st.integers(0, 1 << 40)
files = st.builds(
    File,
    place=words,
    names=st.lists(words, max_size=3).map(tuple),
    kind=words,
    media_type=words,
    size=counts,
    depth=st.integers(0, 9),
    start=st.binary(max_size=30),
    digest=words,
    content=st.none() | st.binary(max_size=30),
)
facts: st.SearchStrategy[Told] = st.one_of(
    st.builds(Text, place=words, zone=st.sampled_from(Zone), content=words, kind=words, charset=words),
    st.builds(Link, place=words, target=words, text=words, source=words, button=st.booleans()),
    st.builds(Blind, place=words, reason=st.sampled_from(Reason), detail=words),
    st.builds(Marked, counts, st.builds(Trait, word=words, detail=words)),
    files,
)


@settings(deadline=None)
@given(st.lists(facts, max_size=8), st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_what_is_told_comes_out_as_it_went_in(told: list[Told], cuts: list[int]) -> None:
    stream = b"".join(map(encoded, [*told, Done(1, 2)]))
    decoder, heard, at, number = Decoder(len(stream)), [], 0, 0
    while at < len(stream):
        step = cuts[number % len(cuts)]
        heard += decoder.feed(stream[at : at + step])
        at, number = at + step, number + 1
    assert heard == [*told, Done(1, 2)]
    assert [one.content for one in heard if isinstance(one, File)] == [
        one.content for one in told if isinstance(one, File)
    ]
    assert decoder.done


@settings(deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_anything_else_is_refused_and_nothing_else_raised(noise: bytes, framed: bool) -> None:
    data = len(noise).to_bytes(4, "big") + noise if framed else noise
    with contextlib.suppress(Broken):
        list(Decoder(1000).feed(data))


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


WRONG = {
    "no JSON": frame(b"hello"),
    "not UTF-8": frame(b'["text","\xff"'),
    "nothing": frame(b""),
    "JSON that is no frame": frame(b"{}"),
    "an unknown fact": frame(b'["code","import os"]'),
    "a fact too short": frame(b'["text","a"]'),
    "a fact of wrong types": frame(b'["text",1,2,3,4,5]'),
    "an unknown zone": frame(b'["text","","nowhere","x","text",""]'),
    "an unknown reason": frame(b'["blind","","because","x"]'),
    "a file whose names are none": frame(b'["file","",[1],"pdf","",1,0,"","",null]'),
    "a file whose bytes are no base64": frame(b'["file","",[],"pdf","",1,0,"???","",null]'),
    "a file that is cut": frame(b'["file","",[],"pdf","",1,0]'),
    "JSON that is very deep": frame(b"[" * 100_000),
    "a frame that is too long": b"\xff\xff\xff\xff",
    "more than may be told": bytes(2_000_000),
    "something after the end": encoded(Done()) + encoded(Done()),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(Broken):
        list(Decoder(1_000_000).feed(data))


def test_traits_come_to_the_file_they_are_of() -> None:
    told: list[Told] = [
        File(place="a"),
        File(place="a/b"),
        Marked(1, Trait(word="macro")),
        Marked(0, Trait(word="dde")),
    ]
    reading = assembled(told)
    assert [[trait.word for trait in file.traits] for file in reading.files] == [["dde"], ["macro"]]


def test_a_trait_of_no_file_is_refused() -> None:
    with pytest.raises(Broken):
        assembled([Marked(0, Trait(word="macro"))])
