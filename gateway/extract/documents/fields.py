"""What a Word field or a spreadsheet formula does when the document is opened. Fields are the same in doc, docx and rtf
([MS-DOC] 2.9.90, ECMA-376 part 1, 17.16)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.reading import Link, Trait
from gateway.traits import Mark

FIELD = 64 * 1024
"""Characters of one field code that are kept; Word takes far fewer."""

DEPTH = 64
"""Fields within fields; Word takes 20."""

_DETAIL = 300
_DDE = re.compile(r"\bDDE(?:AUTO)?\b", re.IGNORECASE)
_LINKED = re.compile(r"(?is)\s*(?:INCLUDETEXT|INCLUDEPICTURE|INCLUDE|IMPORT|LINK|DATABASE|RD)\b(.*)")
_HYPERLINK = re.compile(r"\s*HYPERLINK\b(.*)", re.IGNORECASE | re.DOTALL)
_QUOTE = re.compile(r"\s*QUOTE\b(.*)", re.IGNORECASE | re.DOTALL)
_ARGUMENT = re.compile(r'"([^"]*)"|(\S+)')
_REMOTE = re.compile(
    r"\s*(?:(?:https?|ftps?|sftp|ms-[a-z-]+|mhtml|webdav|smb|search-ms|javascript|vbscript|script):|[\\/]{2}(?![.?][\\/])"
    r"|file:(?:[\\/]{2}(?![\\/]|localhost)|[\\/]{4,5}))",
    re.IGNORECASE,
)
# Excel starts the program before the bar; commands hide behind other calls: =1+cmd|'/C ...'!A0, @SUM(cmd|...).
_SERVICE = re.compile(r"[A-Za-z\\][\w.\\:-]{0,60}'?\Z")
_FORMULA = re.compile(r"(?:\A|[\t,;\n\r\"'])\s{0,9}[=+\-@]")
_TOPIC = re.compile(r"\s{0,3}(?:'[^'\n]{0,400}'|[^!\n'\"]{0,400})![$'\w]")
_BEFORE, _BARS = 200, 2_000
_XLM_CALL = re.compile(
    r"\b(?:EXEC|REGISTER|CALL|FOPEN|FWRITELN|URLMON|FORMULA\.FILL|SET\.VALUE|ALERT|HALT|RUN)\s*\(", re.IGNORECASE
)
_FETCHING = re.compile(r"\b(?:WEBSERVICE|RTD|IMPORTDATA|IMPORTXML|IMPORTHTML|IMPORTFEED)\s*\(", re.IGNORECASE)
_HYPERLINK_CALL = re.compile(r'\bHYPERLINK\s*\(\s*"([^"]{1,2000})"', re.IGNORECASE)


def remote(target: str) -> bool:
    """True for what is fetched from another machine: false for files of the reader's own, by letter or relative."""
    return _REMOTE.match(target) is not None


def field_facts(code: str, place: str, shown: str = "") -> Iterator[Trait | Link]:
    """What a field with this code is: the code with the codes of the fields inside it put in their places."""
    if _DDE.search(code):
        yield Trait(word=Mark.DDE, detail=_short(code))
    if found := _HYPERLINK.match(code):
        if target := _first_argument(found[1]):
            yield Link(place=place, target=target, text=shown)
    elif found := _LINKED.match(code):
        for argument in _arguments(found[1]):
            if remote(argument):
                yield Trait(word=Mark.EXTERNAL_LINK, detail=_short(code))
                yield Link(place=place, target=argument.replace("\\\\", "\\"), source="field")
                break


def formula_facts(formula: str, place: str) -> Iterator[Trait | Link]:
    """What a spreadsheet's formula does beside counting; `formula` with or without its "="."""
    if dde := dde_formula(f"={formula}"):
        yield Trait(word=Mark.DDE, detail=dde)
    if "(" not in formula:
        return
    if _XLM_CALL.search(formula):
        yield Trait(word=Mark.XLM_MACRO, detail=_short(formula))
    if _FETCHING.search(formula):
        yield Trait(word=Mark.EXTERNAL_LINK, detail=_short(formula))
    for found in _HYPERLINK_CALL.finditer(formula):
        yield Link(place=place, target=found[1])


def dde_formula(text: str) -> str:
    """The first formula in a text of cells (one cell, or csv, tsv) that a spreadsheet program would take for DDE."""
    bar = text.find("|")
    for _ in range(_BARS):
        if bar < 0:
            break
        before = text[max(0, bar - _BEFORE) : bar].rpartition("\n")[2]
        if _TOPIC.match(text, bar + 1) and _SERVICE.search(before) and _FORMULA.search(before):
            return _short(before[-60:] + text[bar : bar + _DETAIL])
        bar = text.find("|", bar + 1)
    return ""


def quoted(code: str) -> str:
    """What a QUOTE field gives: its numbers are characters, a way to write DDE without the letters. "" for others."""
    found = _QUOTE.match(code)
    if not found:
        return ""
    said = [_character(argument) for argument in _arguments(found[1])]
    return "".join(said)


class Fields:
    """The fields of a running text, which may stand in each other: `begin`, `code`, `separate`, `end`."""

    __slots__ = ("_open", "_too_deep")

    def __init__(self) -> None:
        self._open: list[_Field] = []
        self._too_deep = 0

    @property
    def in_code(self) -> bool:
        """True where characters belong to a field's code and not to the text."""
        return bool(self._open) and not self._open[-1].separated

    def begin(self) -> None:
        """A field begins."""
        if len(self._open) >= DEPTH:
            self._too_deep += 1
        else:
            self._open.append(_Field())

    def code(self, text: str) -> None:
        """Characters of a code."""
        if self._open:
            self._open[-1].add(text)

    def result(self, text: str) -> None:
        """Characters that are seen; the result of a field inside another one's code belongs to that code."""
        if not self._open:
            return
        self._open[-1].see(text)
        for field in reversed(self._open):
            if not field.separated:
                field.add(text)
                return

    def separate(self) -> None:
        """The code is over, the result follows."""
        if self._open and not self._too_deep:
            self._open[-1].separated = True

    def end(self, place: str) -> Iterator[Trait | Link]:
        """A field ends: what it does."""
        if self._too_deep:
            self._too_deep -= 1
            return
        if not self._open:
            return
        field = self._open.pop()
        code = "".join(field.parts)
        yield from field_facts(code, place, "".join(field.seen))
        if self.in_code:
            self._open[-1].add(quoted(code) or ("" if field.separated else code))

    def rest(self, place: str) -> Iterator[Trait | Link]:
        """What is still open at the end of the text."""
        while self._open:
            yield from self.end(place)


class _Field:
    __slots__ = ("length", "parts", "seen", "separated")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.seen: list[str] = []
        self.length = 0
        self.separated = False

    def add(self, text: str) -> None:
        if self.length < FIELD:
            self.parts.append(text)
            self.length += len(text)

    def see(self, text: str) -> None:
        if self.length < FIELD:
            self.seen.append(text)
            self.length += len(text)


def _arguments(text: str) -> Iterator[str]:
    return (found[1] or found[2] or "" for found in _ARGUMENT.finditer(text))


def _first_argument(text: str) -> str:
    """The target of a HYPERLINK field: the first argument that is no switch."""
    return next((each for each in _arguments(text) if not re.fullmatch(r"\\[a-zA-Z*@#]", each)), "")


def _character(argument: str) -> str:
    digits = argument.removeprefix("0x").removeprefix("0X")
    try:
        number = int(digits, 16 if digits is not argument else 10)
        return chr(number) if number < 0xD800 else ""
    except ValueError:
        return argument


def _short(text: str) -> str:
    return " ".join(text[:_DETAIL].split())
