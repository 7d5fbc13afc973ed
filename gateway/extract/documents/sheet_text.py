"""SpreadsheetML (ECMA-376 part 1, 18): shared strings, sheets row by row, what a workbook says of sheets and links."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gateway.extract.documents.fields import dde_formula, formula_facts
from gateway.extract.documents.markup import value
from gateway.extract.documents.relations import Relation
from gateway.extract.documents.story import Story
from gateway.extract.formats import Fact
from gateway.reading import Link, Trait, Zone
from gateway.traits import Mark

Attributes = Mapping[str, str]

_HEADER = re.compile(r"&(?:[LCR]|\"[^\"]*\"|K[0-9A-Fa-f]{6}|\d{1,3}|[BIUEXYSPNDTAFGZ]|K\d\d[+-]\d{3})")
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_DATE_CODE = re.compile(r"[dmyhs]", re.IGNORECASE)
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_RUNS_BY_ITSELF = re.compile(r"(?:_xlnm\.|_xlws\.)?auto_?(?:open|close|activate|deactivate)", re.IGNORECASE)


class Strings:
    """`sst`: the strings that cells point to. Phonetic guides are left out."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._parts: list[str] = []
        self._taking = self._phonetic = False

    def start(self, name: str, _: Attributes) -> None:
        """See `markup.Handler`."""
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._taking = not self._phonetic

    def end(self, name: str) -> None:
        """See `markup.Handler`."""
        if name == "t":
            self._taking = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            self.strings.append("".join(self._parts))

    def data(self, text: str) -> None:
        """See `markup.Handler`."""
        if self._taking:
            self._parts.append(text)


class Styles:
    """`styleSheet`: which cell formats are dates (`dates`), and the names of fonts."""

    def __init__(self) -> None:
        self.dates: set[int] = set()
        self.fonts: set[str] = set()
        self._formats: set[int] = set()
        self._in_cells = False
        self._index = 0

    def start(self, name: str, attributes: Attributes) -> None:
        """See `markup.Handler`."""
        if name == "numFmt":
            if _DATE_CODE.search(_LITERAL.sub("", value(attributes, "formatCode"))):
                self._formats.add(_number(value(attributes, "numFmtId")))
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            number = _number(value(attributes, "numFmtId"))
            if number in _DATE_FORMATS or number in self._formats:
                self.dates.add(self._index)
            self._index += 1
        elif name == "name":
            self.fonts.add(value(attributes, "val"))

    def end(self, name: str) -> None:
        """See `markup.Handler`."""
        if name == "cellXfs":
            self._in_cells = False

    def data(self, text: str) -> None:
        """See `markup.Handler`."""


class Sheet:
    """`worksheet`, `macrosheet`, `dialogsheet`, `chartsheet`, and what a workbook says of its sheets, names and links.

    `pointed` gathers the numbers of the shared strings that cells point to.
    """

    def __init__(
        self, place: str, strings: Sequence[str], dates: frozenset[int], relations: Mapping[str, Relation]
    ) -> None:
        self.story = Story("xlsx")
        self.facts: list[Fact] = []
        self.pointed: set[int] = set()
        self.used: set[str] = set()
        self._place = place
        self._strings = strings
        self._dates = dates
        self._relations = relations
        self._type = ""
        self._date = False
        self._taking: list[str] | None = None
        self._shown: list[str] = []
        self._phonetic = False

    def start(self, name: str, attributes: Attributes) -> None:
        """See `markup.Handler`."""
        if name == "c":
            self._type = attributes.get("t", "n")
            self._date = self._type == "n" and bool(self._dates) and _number(attributes.get("s", "")) in self._dates
            self._shown = []
        elif name in ("v", "t", "f") or name in _OTHERS:
            self._taking = None if self._phonetic else []
        elif name == "rPh":
            self._phonetic = True
        if name in _NOTICED:
            self._notice(name, attributes)

    def end(self, name: str) -> None:
        """See `markup.Handler`."""
        if name == "c":
            shown = "".join(self._shown)
            if shown[:1] in "=+-@" and (found := dde_formula(shown)):
                self.facts.append(Trait(word=Mark.DDE, detail=found))
            self.story.write(shown)
            self.story.cell()
        elif name == "row":
            self.story.row()
        elif name == "rPh":
            self._phonetic = False
        elif self._taking is not None and (name in ("v", "t", "f") or name in _OTHERS):
            text, self._taking = "".join(self._taking), None
            self._take(name, text)

    def data(self, text: str) -> None:
        """See `markup.Handler`."""
        if self._taking is not None:
            self._taking.append(text)

    def finish(self) -> list[Fact]:
        """All that was found, when the part has been read."""
        return [*self.story.texts(self._place), *self.facts]

    def _take(self, name: str, text: str) -> None:
        if name == "v":
            self._shown.append(self._value(text))
        elif name == "t":
            self._shown.append(text)
        elif name == "f":
            self.facts += formula_facts(text, self._place)
        elif name.endswith(("Header", "Footer")):
            zone = Zone.PAGE_HEADER if name.endswith("Header") else Zone.PAGE_FOOTER
            self.story.write(_HEADER.sub(" ", text) + "\n", zone)
        else:
            self.facts += formula_facts(text, self._place)
            if name == "definedName":
                self.story.write(text + "\n", Zone.PROPERTY)

    def _value(self, text: str) -> str:
        if self._type == "s":
            index = _number(text)
            self.pointed.add(index)
            return self._strings[index] if 0 <= index < len(self._strings) else ""
        if self._type == "n" and self._date:
            return day(text)
        return text

    def _notice(self, name: str, attributes: Attributes) -> None:
        if name == "macrosheet":
            self.facts.append(Trait(word=Mark.XLM_MACRO, detail="macro sheet"))
        elif name == "sheet":
            title = value(attributes, "name")
            self.story.write(title + "\n", Zone.PROPERTY)
            if value(attributes, "state").lower() == "veryhidden":
                self.facts.append(Trait(word=Mark.HIDDEN_SHEET, detail=title[:100]))
        elif name == "definedName":
            title = value(attributes, "name")
            if _RUNS_BY_ITSELF.match(title):
                self.facts.append(Trait(word=Mark.XLM_MACRO, detail=title[:100]))
                self.facts.append(Trait(word=Mark.AUTO_MACRO, detail=title[:100]))
        elif name in ("ddeLink", "dde"):
            detail = f"{value(attributes, 'ddeService')} {value(attributes, 'ddeTopic')}"
            self.facts.append(Trait(word=Mark.DDE, detail=detail[:300]))
        elif name == "hyperlink":
            identity = value(attributes, "id")
            self.used.add(identity)
            target = self._relations.get(identity)
            if target and target.external:
                self.facts.append(Link(place=self._place, target=target.target, text=value(attributes, "display")))
        elif name in ("oleObject", "control"):
            detail = value(attributes, "progId") or value(attributes, "name")
            mark = Mark.OLE_OBJECT if name == "oleObject" else Mark.ACTIVEX
            self.facts.append(Trait(word=mark, detail=detail[:300]))
        elif name == "dataValidation":
            said = [value(attributes, each) for each in ("promptTitle", "prompt", "errorTitle", "error")]
            self.story.write("\t".join(filter(None, said)) + "\n", Zone.PROPERTY)
        elif name in ("webPr", "dbPr", "textPr"):
            detail = value(attributes, "url") or value(attributes, "connection") or value(attributes, "sourceFile")
            self.facts.append(Trait(word=Mark.EXTERNAL_LINK, detail=f"connection: {detail[:300]}"))


_OTHERS = frozenset(
    {f"{which}{where}" for which in ("odd", "even", "first") for where in ("Header", "Footer")}
    | {"definedName", "formula", "formula1", "formula2", "calculatedColumnFormula"}
)
_NOTICED = frozenset(
    {"macrosheet", "sheet", "definedName", "ddeLink", "hyperlink", "oleObject", "control", "dataValidation"}
    | {"webPr", "dbPr", "textPr"}
)


def day(text: str) -> str:
    """A date as Excel numbers them (18.17.4.1, the 1900 system) as a person reads it: 31/12/2026, with the time."""
    try:
        moment = datetime(1899, 12, 30) + timedelta(days=float(text))
    except (ValueError, OverflowError):
        return text
    return moment.strftime("%d/%m/%Y" if moment.time() == datetime.min.time() else "%d/%m/%Y %H:%M")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else -1
