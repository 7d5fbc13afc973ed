"""Marks in a text, by their place and form. A level in a sentence is a mention; a marking stands alone on its line or
in its cell, in brackets behind a number or before a subject, or behind the label "Độ mật:"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from filters._secret_marks.levels import LONGEST_CELL, Level, Written, level, stamp
from gateway.reading import Text, Zone
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

_SYLLABLES = Phrases(((word, None) for word in ("mật", "mat", "mât")), toned)
_SQUEEZED = Phrases(((word, None) for word in ("mật", "tối mật", "tuyệt mật", "toimat", "tuyetmat")), squeezed)
_WRITTEN = re.compile(r"(?<![^\W_])[Mm](?:[ẬậÂâAa]|[Ââ]\u0323|[Aa]\u0323\u0302)[Tt](?![^\W_])")
_FEW_LETTERS = re.compile(r"^[^\w\n]*(?:\w[^\w\n]*){3,12}$", re.MULTILINE)
_IN_FEW = re.compile(r"mat")
_WORD = re.compile(r"[^\W_]+")
_CELL_ENDS = re.compile(r"[\t\n|¦│║┃]|[ \u00a0]{3,}")
_NUMBER_LINE = re.compile(
    r"(?m)^[ \t>*|]*(?:Số|SỐ|So|SO)[ ]*[:.]?[ ]*[\d.…_ ]{0,8}[/-]|^.{0,90}\d[/-][A-ZĐ]{2,5}[-/][A-ZĐ]{2}"
)
_LETTERHEAD = re.compile(
    r"(?i)c[ộo]ng\s+h(?:òa|oà|oa)\s+x[ãa]\s+h[ộo]i|đ[ảa]ng\s+c[ộo]ng\s+s[ảa]n|[ủu][ỷy]\s+ban\s+nh[âa]n\s+d[âa]n|ubnd"
)
_OPENING, _CLOSING = "([{【〔《«“\"'<", ")]}】〕》»”\"'>"
_LABEL = re.compile(
    r"(?<![^\W_])(?:muc do|cap do|do|muc|phan loai|dau) ?(?:bao )?mat(?: \(?[a-z ]{0,20}\)?)?[ ]*[:=\t]+"
    r"(?P<value>[^\n]{1,60})"
)
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
    for at in places:
        line_start = text.content.rfind("\n", 0, at) + 1
        line_stop = text.content.find("\n", at)
        line_stop = len(text.content) if line_stop < 0 else line_stop
        if line_start not in labelled:
            for found in _labels(text.content, line_start, min(line_stop, line_start + 2_000)):
                labelled.add(line_start)
                yield found
        if (bracket := _bracket(text, at)) is not None:
            yield bracket
        if line_start not in labelled and (one := _stamp(text, at)) is not None:
            stamps.setdefault(one.at, one)
    yield from _believed(list(stamps.values()), text.zone)


def _places(text: Text) -> list[int]:
    """Where the syllable stands, in any writing."""
    places = set(islice(_syllables(text), MAX_PLACES))
    for line in _FEW_LETTERS.finditer(text.content):
        if _IN_FEW.search("".join(_WORD.findall(plain(line[0]).text))):
            places.add(line.start() + len(line[0]) - len(line[0].lstrip()))
    if len(text.content) <= UNDONE:
        places.update(text.squeezed.original(hit.start, hit.stop)[0] for hit in _SQUEEZED.search(text.squeezed))
    return sorted(places)


def _syllables(text: Text) -> Iterator[int]:
    """Where it stands as a word by itself. The way back from the folded text costs as much as folding, so it is taken
    only where a plain search does not find all of them."""
    hits = list(_SYLLABLES.search(text.toned))
    written = [found.start() for found in _WRITTEN.finditer(text.content)] if hits else []
    if len(written) == len(hits):
        return iter(written)
    return (text.toned.original(hit.start, hit.stop)[0] for hit in hits)


def _stamp(text: Text, at: int) -> _Stamp | None:
    """The stamp around the place: alone in its cell or on its line, or on two lines."""
    start, stop = _cell(text.content, at)
    line_start, line_stop = _line(text.content, at)
    pieces = [(line_start, text.content[line_start:line_stop])] if line_stop - line_start <= LONGEST_CELL else []
    pieces.append((start, text.content[start:stop]))
    if text.zone in (Zone.PAGE_HEADER, Zone.PAGE_FOOTER, Zone.PROPERTY):
        pieces += [(start + cut.start(), cut[0]) for cut in re.finditer(r"[^|–—·•;,/-]+", text.content[start:stop])]
    for where, cell in pieces:
        written = stamp(cell)
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


def _labels(content: str, start: int, stop: int) -> Iterator[Mark]:
    """"Độ mật: Tối mật", with boxes to tick or without."""
    for found in _LABEL.finditer(_in_cells(content[start:stop])):
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
    start = max((found.end() for found in _CELL_ENDS.finditer(content, max(at - LONGEST_CELL, 0), at)), default=None)
    if start is None:
        start = max(at - LONGEST_CELL, 0)
    end = _CELL_ENDS.search(content, at, at + LONGEST_CELL)
    return start, end.start() if end else min(at + LONGEST_CELL, len(content))


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
