"""Identifiers of persons in a text.

A number without a check digit is one only with its word beside it, or in a column of its like: of 10,000 numbers drawn
at random 300 have the form of a citizen's number, of a column of citizens' numbers nearly all.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from string import ascii_uppercase, digits

import re2
from ahocorasick_rs import BytesAhoCorasick

from filters._identifiers import numbers
from filters._identifiers.kinds import AFTER, BEFORE, WORDS, Kind
from gateway.reading import Text
from gateway.text.addresses import mail_addresses
from gateway.text.coding import SLOTS, bytes_of, table
from gateway.text.phrases import Phrases

MAX_CANDIDATES = 20_000
"""Runs of digits of one text that are looked at: a list of 20,000 citizens is one already."""

COLUMN = 3
"""Numbers of one kind that make a list without any word beside them (control pii-dlp)."""

COLUMN_SHARE = 0.6
"""The share of all numbers of that length in the text that must be of the kind: random digits come to 0.03."""

EMAILS = 10_000
"""Addresses of one text that are counted."""

# What must not stand before a number is looked at later.
_DIGITS = re.compile(r"\d(?:\)?[ \u00a0.\-]{0,2}\(?\d){5,18}(?!\d|[\w@]|[/-]\w)")
_AMOUNT = re.compile(r"\d{1,3}(?:\.\d{3})+")
_NOT_DIGIT = re.compile(r"\D")
_LETTERED = re.compile(r"[A-Z](?:\d{7,8}|[A-Z]\d{13})(?!\w)")
_PASSPORTS = frozenset("BCNPEDSK")
_PLATE = re.compile(
    r"[1-9]\d(?:[A-Z]{1,2}\d?|(?:MĐ|LD|NG|NN|QT)\d?)[- ]?\d{3}\.?\d{2}(?![\w.]\d|\w)"
)
_AS_DIALLED = re.compile(r"0\d{2,3}([ .\-])\d{3}\1\d{3,4}|0\d{3}([ .\-])\d{2}\2\d{2}\2\d{2}|\d{4}([ .\-])\d{3}\3\d{3}")
# What may be one, in a text's bytes (`coding.py`; 0 is a character that is not known), found ten times as fast.
_BYTES = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
_MAY_BE_DIGITS = re2.compile(
    rb"[0-9\x00](?:\)?[ \x%02x.\-]{0,2}\(?[0-9\x00]){5,}" % bytes_of("\u00a0")[0], _BYTES
)
_CLASSES = table("9" if each in "\0" + digits else "A" if each in ascii_uppercase else "." for each in SLOTS)
_MAY_BE_OTHERS = BytesAhoCorasick([b"99A", b"A" + 7 * b"9", b"AA" + 13 * b"9"])
_PLATES = 0
_AS_EMBOSSED = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?")


@dataclass(frozen=True, slots=True)
class Hit:
    """One identifier: its kind, where it stands, its digits (or letters) without separators."""

    kind: Kind
    start: int
    stop: int
    value: str


def identifiers(text: Text, year: int) -> Iterator[Hit]:
    """Every identifier in the text. `year` is the current one."""
    near = _Beside(text)
    yield from _numbers(text, near, year)
    others = _MAY_BE_OTHERS.find_matches_as_indexes(text.coded.translate(_CLASSES), overlapping=True)
    yield from _lettered(text.content, [place for form, place, _ in others if form != _PLATES], near)
    yield from _plates(text.content, [place for form, place, _ in others if form == _PLATES], near)
    for address in islice(mail_addresses(text.content), EMAILS):
        written = text.content[address.start : address.stop]
        yield Hit(Kind.EMAIL, address.start, address.stop, written.lower())


def _lettered(content: str, places: list[int], near: _Beside) -> Iterator[Hit]:
    """Passports and health cards, which begin with a letter."""
    for lettered in _at(_LETTERED, content, places):
        kind = Kind.PASSPORT if lettered[0][1].isdigit() else Kind.HEALTH_CARD
        if kind is Kind.PASSPORT and lettered[0][0] not in _PASSPORTS:
            continue
        before = content[lettered.start() - 1 : lettered.start()]
        if not _joined(before) and before != "-" and near.named(kind, *lettered.span()):
            yield Hit(kind, lettered.start(), lettered.end(), lettered[0])


def _plates(content: str, places: list[int], near: _Beside) -> Iterator[Hit]:
    for plate in _at(_PLATE, content, places):
        before = content[plate.start() - 1 : plate.start()]
        if _joined(before) or before == "-" or not _given_out(plate[0]):
            continue
        spelt = "-" in plate[0] or "." in plate[0]
        if spelt or near.named(Kind.PLATE, plate.start(), plate.end()):
            yield Hit(Kind.PLATE, plate.start(), plate.end(), re.sub(r"[ .\-]", "", plate[0]))


def _at(form: re.Pattern[str], content: str, places: list[int]) -> Iterator[re.Match[str]]:
    """What has the form and begins at one of the places, without overlap."""
    behind = 0
    for place in places:
        if place >= behind and (found := form.match(content, place)):
            behind = found.end()
            yield found


def _joined(before: str) -> bool:
    """True if the character before a number makes it part of a word, a path or an address."""
    return before.isalnum() or before in ("_", "/", "@", "#")


def _given_out(plate: str) -> bool:
    """True for a province's number: 11, 12, 14, 15, 19 and 20 to 99."""
    return plate[0] != "1" or plate[1] in "12459"


class _Beside:
    """Where in a text the words of each kind begin; looked up when the first number asks."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._places: Mapping[Kind, Sequence[int]] | None = None

    def named(self, kind: Kind, start: int, stop: int) -> bool:
        """True if a word of the kind stands before the number in its paragraph, or a bank's name after it."""
        if self._places is None:
            self._places = _places(self._text)
        places = self._places.get(kind, ())
        at = bisect_left(places, start - BEFORE)
        if at < len(places) and places[at] < start:
            return "\n\n" not in self._text.content[places[at] : start]
        return kind is Kind.BANK_ACCOUNT and at < len(places) and places[at] < stop + AFTER


def _places(text: Text) -> Mapping[Kind, Sequence[int]]:
    places: dict[Kind, list[int]] = {}
    for hit in _BESIDE.search(text.plain):
        start = text.plain.origin[hit.start]
        for kind in hit.value:
            places.setdefault(kind, []).append(start)
    return {kind: sorted(starts) for kind, starts in places.items()}


_BESIDE: Phrases[tuple[Kind, ...]] = Phrases(
    {word: tuple(kind for kind in WORDS if word in WORDS[kind]) for words in WORDS.values() for word in words}.items()
)


def _runs_of_digits(text: Text) -> Iterator[re.Match[str]]:
    for region in _MAY_BE_DIGITS.finditer(text.coded):
        # What follows is looked at, two characters of it.
        yield from _DIGITS.finditer(text.content, region.start(), region.end() + 2)


def _numbers(text: Text, near: _Beside, year: int) -> Iterator[Hit]:
    lengths: dict[int, int] = {}
    doubtful: dict[tuple[Kind, int], list[Hit]] = {}
    for found in islice(_runs_of_digits(text), MAX_CANDIDATES):
        written = found[0]
        before = text.content[found.start() - 1 : found.start()]
        if _AMOUNT.fullmatch(written) or _joined(before):
            continue
        value = _NOT_DIGIT.sub("", written)
        lengths[len(value)] = lengths.get(len(value), 0) + 1
        start, stop = found.span()
        certain, maybe = _kinds(value, written, before == "+", year)
        if certain is not None:
            yield Hit(certain, start, stop, _canonical(certain, value))
            continue
        named = next((kind for kind in maybe if near.named(kind, start, stop)), None)
        if named is not None:
            yield Hit(named, start, stop, _canonical(named, value))
        elif maybe and maybe[0] in _IN_COLUMNS:
            hit = Hit(maybe[0], start, stop, _canonical(maybe[0], value))
            doubtful.setdefault((maybe[0], len(value)), []).append(hit)
    for (_, length), hits in doubtful.items():
        different = {hit.value for hit in hits}
        if len(different) >= COLUMN and len(hits) >= COLUMN_SHARE * lengths[length]:
            yield from hits


_IN_COLUMNS = frozenset({Kind.CITIZEN_ID, Kind.PHONE, Kind.TAX_CODE, Kind.CARD})


def _kinds(digits: str, written: str, plus: bool, year: int) -> tuple[Kind | None, list[Kind]]:
    """What the digits certainly are, and what they may be, the likeliest first."""
    maybe: list[Kind] = []
    if numbers.domestic_card(digits):
        return Kind.CARD, maybe
    if numbers.card(digits):
        if _AS_EMBOSSED.fullmatch(written):
            return Kind.CARD, maybe
        maybe.append(Kind.CARD)
    dialled = numbers.national(digits, abroad=plus)
    if numbers.mobile(dialled):
        if plus or _AS_DIALLED.fullmatch(written):
            return Kind.PHONE, maybe
        maybe.append(Kind.PHONE)
    if numbers.landline(dialled):
        maybe.append(Kind.LANDLINE)
    if numbers.citizen_id(digits, year):
        maybe.append(Kind.CITIZEN_ID)
    if numbers.tax_code(digits):
        maybe.append(Kind.TAX_CODE)
    if numbers.citizen_id_abroad(digits, year):
        maybe += [Kind.BANK_ACCOUNT, Kind.CITIZEN_ID]  # a bank's account is likelier, its words decide
    if len(digits) == 10:
        maybe.append(Kind.SOCIAL_INSURANCE)
    if len(digits) == 9 and written == digits:
        maybe.append(Kind.OLD_ID)
    if Kind.BANK_ACCOUNT not in maybe:
        maybe.append(Kind.BANK_ACCOUNT)
    return None, maybe


def _canonical(kind: Kind, digits: str) -> str:
    """One writing for each identifier, so that the same is counted once."""
    if kind in (Kind.PHONE, Kind.LANDLINE):
        return numbers.national(digits, abroad=True)
    return digits
