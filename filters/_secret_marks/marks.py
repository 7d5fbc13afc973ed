"""Marks in a text, by their place and form. A level in a sentence is a mention; a marking stands alone on its line or
in its cell, in brackets behind a number or before a subject, or behind the label "Độ mật:"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Literal

from filters._secret_marks.levels import LONGEST_CELL, Level, Written, bare_letters, level, may_be_stamp, stamp
from gateway.reading import Text, Zone
from gateway.text.coding import bytes_of
from gateway.text.folding import plain, toned
from gateway.text.phrases import Phrases
from gateway.text.squeezing import squeezed

Form = Literal["stamp", "bracket", "label", "prefix", "property", "file-name"]

NEAR = 8
"""Lines between a document's number or letterhead and its stamp (decree 30/2020/NĐ-CP annex I: below the number)."""

MAX_PLACES = 5_000
"""Places of one text where the syllable stands that are looked at. Ordinary prose has one in 500 words."""

UNDONE = 20_000
"""Characters of a text in which spaced-out writing is looked for within lines too, beside lines of a few letters."""

LONGEST_LABELLED = 2_000
"""Characters of a line in which a label is looked for."""

_SYLLABLES = Phrases(((word, None) for word in ("mật", "mat", "mât")), toned)
_WORDS = [(word, None) for word in ("mật", "tối mật", "tuyệt mật", "toimat", "tuyetmat")]
_BARE, _SQUEEZED = Phrases(_WORDS, plain), Phrases(_WORDS, squeezed)
_FEW_LETTERS = re.compile(r"[^\w\n]*(?:\w[^\w\n]*){3,12}")
_MOST = 12
_IN_FEW = re.compile(r"mat")
_WORD = re.compile(r"[^\W_]+")
_CELL_ENDS = re.compile(r"[\t\n|¦│║┃]|[ \u00a0]{3,}")
_LAST_CELL_END = re.compile(rf".*(?:{_CELL_ENDS.pattern})", re.DOTALL)
_NUMBER_LINE = re.compile(
    r"(?m)^[ \t>*|]*(?:Số|SỐ|So|SO)[ ]*[:.]?[ ]*[\d.…_ ]{0,8}[/-]|^.{0,90}\d[/-][A-ZĐ]{2,5}[-/][A-ZĐ]{2}"
)
_LETTERHEAD = re.compile(
    r"(?i)c[ộo]ng\s+h(?:òa|oà|oa)\s+x[ãa]\s+h[ộo]i|đ[ảa]ng\s+c[ộo]ng\s+s[ảa]n|[ủu][ỷy]\s+ban\s+nh[âa]n\s+d[âa]n|ubnd"
)
_PIECE = re.compile(r"[^|–—·•;,/-]+")
_MAY_BE_LABEL = re.compile(b"[:=\t|\0%s]|   " % bytes_of("\u00a0"))
_OPENING, _CLOSING = "([{【〔《«“\"'<", ")]}】〕》»”\"'>"
_LABEL = re.compile(
    r"(?<![^\W_])(?:muc do|cap do|do|muc|phan loai|dau) ?(?:bao )?mat(?: \(?[a-z ]{0,20}\)?)?[ ]*[:=\t]+"
    r"(?P<value>[^\n]{1,60})"
)
_ENDS_A_LABEL = re.compile(r"mat(?: \(?[a-z ]{0,20}\)?)?[ ]*[:=\t]")
_CHOICES = re.compile(r"(?P<box>\[[ xXvV]?\]|\([ xXvV]?\)|[☐☑☒□■▢▣✓✔])\s*(?P<word>[^\[\]()☐☑☒□■▢▣✓✔:;,\n]{1,20})")
_TICKED = frozenset("☑☒■▣✓✔xXvV")
_VALUE = re.compile(r"[\s\"“”'‘’\[(<*_]*(?P<level>tuyet ?mat|toi ?mat|mat)(?![^\W_])(?P<rest>.*)", re.DOTALL)
_NOT_A_LEVEL = re.compile(r" +(?:do(?! khan)|khau|ma|thu|vu|danh|ong)\b")
_A_LIST = re.compile(r"\s*[/,;]?\s*(?:hoac|hay|va|,|/)\s*(?:tuyet|toi|mat|thuong|khong)\b")
_SUBJECT_STARTS = re.compile(r"(?i)^(?:\s*(?:re|fw|fwd|tl|trả lời|chuyển tiếp)\s*:)*\s*(?P<rest>.*)", re.DOTALL)
_PREFIX = re.compile(r"^(?P<cell>[^:–—|/\-\[\](){}]{2,24}?)\s*[:–—|/-]")
_BEHIND_NUMBER = re.compile(r"\d[/-][A-Za-zĐđ][\w.&-]*(?:/[\w.&-]+)?\s*$")


@dataclass(frozen=True, slots=True)
class Mark:
    """A marking: its level, its form, and where in the text it stands."""

    level: Level
    form: Form
    at: int


@dataclass(frozen=True, slots=True)
class _Stamp:
    written: Written
    at: int
    anchored: bool


def marks(text: Text) -> Iterator[Mark]:
    """Every marking of the text, in no order."""
    places = _places(text)
    if not places:
        return
    if text.zone is Zone.SUBJECT:
        yield from _subject(text.content)
    stamps: dict[int, _Stamp] = {}
    labelled: set[int] = set()
    read = 0
    for at in places:
        line_start = text.content.rfind("\n", 0, at) + 1
        line_stop = text.content.find("\n", at)
        line_stop = len(text.content) if line_stop < 0 else line_stop
        if line_start >= read:
            read = line_stop
            for found in _labels(text, line_start, min(line_stop, line_start + LONGEST_LABELLED)):
                labelled.add(line_start)
                yield found
        if (bracket := _bracket(text, at)) is not None:
            yield bracket
        if line_start not in labelled and (one := _stamp(text, at)) is not None:
            stamps.setdefault(one.at, one)
    yield from _believed(list(stamps.values()), text.zone)


def _places(text: Text) -> list[int]:
    """Where the syllable stands, in any writing."""
    toned_hits = islice(_SYLLABLES.search(text.toned), MAX_PLACES)
    places = {text.toned.origin[hit.start] for hit in toned_hits}
    for start, stop in _lines_of_few_letters(text):
        line = text.content[start:stop]
        if _FEW_LETTERS.fullmatch(line) and _IN_FEW.search("".join(_WORD.findall(plain(line).text))):
            places.add(start + len(line) - len(line.lstrip()))
    if len(text.content) <= UNDONE:
        places.update(text.plain.origin[hit.start] for hit in _BARE.search(text.plain))
        places.update(text.squeezed.origin[hit.start] for hit in _SQUEEZED.undone(text.squeezed))
    return sorted(places)


def _lines_of_few_letters(text: Text) -> Iterator[tuple[int, int]]:
    """Where lines begin and end that have the syllable's letters and few others, or perhaps so."""
    letters = bare_letters(text.coded)
    numbers: list[int] = []
    number, stop = 0, 0
    at, rare = letters.find(b"mat"), letters.find(0)
    while at >= 0 or rare >= 0:
        place = at if rare < 0 or 0 <= at < rare else rare
        start = letters.rfind(b"\n", 0, place) + 1
        number += letters.count(b"\n", stop, start)
        stop = letters.find(b"\n", place)
        stop = len(letters) if stop < 0 else stop
        if stop - start <= _MOST or letters.find(0, start, stop) >= 0:
            numbers.append(number)
        at = letters.find(b"mat", stop) if 0 <= at < stop else at
        rare = letters.find(0, stop) if 0 <= rare < stop else rare
    if numbers:
        lengths = list(accumulate(map(len, text.coded.split(b"\n"))))
        yield from ((lengths[each - 1] + each if each else 0, lengths[each] + each) for each in numbers)


def _stamp(text: Text, at: int) -> _Stamp | None:
    """The stamp around the place: alone in its cell or on its line, or on two lines."""
    start, stop = _cell(text.content, at)
    line_start, line_stop = _line(text.content, at)
    pieces = [(line_start, line_stop), (start, stop)]
    if text.zone in (Zone.PAGE_HEADER, Zone.PAGE_FOOTER, Zone.PROPERTY):
        pieces += [cut.span() for cut in _PIECE.finditer(text.content, start, stop)]
    for where, end in pieces:
        if end - where > LONGEST_CELL or not may_be_stamp(text.coded[where:end]):
            continue
        written = stamp(text.content[where:end])
        if written is None:
            continue
        if written.level is Level.MAT and (above := _above(text.content, line_start)):
            written = Written(above, written.accented, written.capitals)
        return _Stamp(written, where, _anchored(text.content, line_start, line_stop))
    return None


def _believed(stamps: list[_Stamp], zone: Zone) -> Iterator[Mark]:
    """Stamps by what speaks for them. Where all three levels stand in cells of their own the text is about levels, and
    only what stands by a number or letterhead is a stamp."""
    listed = len({one.written.level for one in stamps}) == len(Level)
    for one in stamps:
        if zone is Zone.PROPERTY:
            yield Mark(one.written.level, "property", one.at)
        elif one.anchored:
            if one.written.capitals or one.written.accented:
                yield Mark(one.written.level, "stamp", one.at)
        elif one.written.strong and not listed:
            yield Mark(one.written.level, "stamp", one.at)


def _bracket(text: Text, at: int) -> Mark | None:
    """A level in brackets: as capitals anywhere, in any writing before or behind a subject or behind a number."""
    content = text.content
    start = at
    while start > 0 and content[start - 1] in " \u00a0*_" and at - start < 3:
        start -= 1
    if start == 0 or content[start - 1] not in _OPENING:
        return None
    stop = next((end for end in range(at, min(at + 24, len(content))) if content[end] in _CLOSING), None)
    written = level(content[at:stop]) if stop is not None else None
    if written is None:
        return None
    if content[start - 1] in "\"'“«" and not _alone(content, start - 1, stop):
        return None  # a word in quotes within a sentence is spoken of
    behind_number = _BEHIND_NUMBER.search(content[max(start - 60, 0) : start - 1]) is not None
    rest = content[stop or 0 :].strip(_CLOSING + " ")
    ends = text.zone in (Zone.SUBJECT, Zone.PROPERTY) and (_opens(content, start - 1) or not rest)
    if behind_number or (ends and (written.accented or written.level is not Level.MAT)):
        return Mark(written.level, "bracket", at)
    return Mark(written.level, "bracket", at) if written.strong else None


def _labels(text: Text, start: int, stop: int) -> Iterator[Mark]:
    """"Độ mật: Tối mật", with boxes to tick or without."""
    cells = _in_cells(text.content[start:stop]) if _MAY_BE_LABEL.search(text.coded, start, stop) else ""
    if not _ENDS_A_LABEL.search(cells):
        return
    for found in _LABEL.finditer(cells):
        value = found["value"]
        choices = list(_CHOICES.finditer(value))
        if choices:
            for choice in choices:
                chosen = _VALUE.match(choice["word"])
                if chosen and _TICKED & set(choice["box"]):
                    yield _labelled(chosen, start)
            continue
        chosen = _VALUE.match(value)
        if chosen and not _NOT_A_LEVEL.match(chosen["rest"]) and not _A_LIST.match(chosen["rest"]):
            yield _labelled(chosen, start)


def _labelled(chosen: re.Match[str], at: int) -> Mark:
    word = chosen["level"].replace(" ", "")
    return Mark({"mat": Level.MAT, "toimat": Level.TOI_MAT}.get(word, Level.TUYET_MAT), "label", at)


def _in_cells(line: str) -> str:
    """The line folded, with its cells (parted by tabs, or by three spaces and more) parted by tabs."""
    return "\t".join(plain(cell).text for cell in _CELL_ENDS.split(line))


def _subject(subject: str) -> Iterator[Mark]:
    """"TỐI MẬT - Kế hoạch ...": a level before a subject without brackets."""
    found = _SUBJECT_STARTS.match(subject)
    rest = found["rest"] if found else subject
    prefix = _PREFIX.match(rest)
    written = level(prefix["cell"]) if prefix else None
    if written is not None and written.strong:
        yield Mark(written.level, "prefix", len(subject) - len(rest))


def _cell(content: str, at: int) -> tuple[int, int]:
    """The cell of a table around the place, or the line."""
    first = max(at - LONGEST_CELL, 0)
    before = _LAST_CELL_END.match(content, first, at)
    end = _CELL_ENDS.search(content, at, at + LONGEST_CELL)
    return before.end() if before else first, end.start() if end else min(at + LONGEST_CELL, len(content))


def _line(content: str, at: int) -> tuple[int, int]:
    stop = content.find("\n", at)
    return content.rfind("\n", 0, at) + 1, len(content) if stop < 0 else stop


def _above(content: str, line_start: int) -> Level | None:
    """The level whose first word stands alone on the line above ("TUYỆT" over "MẬT")."""
    above = content[content.rfind("\n", 0, max(line_start - 1, 0)) + 1 : max(line_start - 1, 0)]
    word = "".join(re.findall(r"[^\W_]+", plain(above[-40:]).text)) if len(above) <= 40 else ""
    return {"tuyet": Level.TUYET_MAT, "toi": Level.TOI_MAT}.get(word) if above.isupper() else None


def _anchored(content: str, line_start: int, line_stop: int) -> bool:
    """True if a document's number or letterhead stands within a few lines."""
    start, stop = line_start, line_stop
    for _ in range(NEAR):
        start = content.rfind("\n", 0, max(start - 1, 0)) + 1
        stop = content.find("\n", min(stop + 1, len(content)))
        stop = len(content) if stop < 0 else stop
    around = content[max(start, line_start - 2_000) : min(stop, line_stop + 2_000)]
    return _NUMBER_LINE.search(around) is not None or _LETTERHEAD.search(around) is not None


def _alone(content: str, start: int, stop: int | None) -> bool:
    line_start, line_stop = _line(content, start)
    return not content[line_start:start].strip() and not content[(stop or start) + 1 : line_stop].strip()


def _opens(subject: str, at: int) -> bool:
    found = _SUBJECT_STARTS.match(subject)
    return at <= (found.start("rest") if found else 0) + 1
