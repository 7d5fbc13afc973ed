"""Text of WordprocessingML, DrawingML, PresentationML, VML, document properties and Word 2003 XML: all by one walk, as
their elements stand in each other in one file (a text box in a header, a drawing in a note, everything in flat OPC).

Text is what stands in `t`, `delText`, `text` and the like; the element around it says which zone it is of.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping

from gateway.extract.documents.fields import Fields, formula_facts
from gateway.extract.documents.markup import value
from gateway.extract.documents.relations import Relation, external_facts, relation
from gateway.extract.documents.story import Story
from gateway.extract.formats import Fact, Member
from gateway.reading import Link, Trait, Zone
from gateway.traits import Mark

Attributes = Mapping[str, str]

ZONES = {
    **dict.fromkeys(("document", "body", "sld", "wordDocument", "Worksheet"), Zone.ATTACHMENT),
    **dict.fromkeys(("hdr", "sldMaster", "sldLayout", "notesMaster", "handoutMaster"), Zone.PAGE_HEADER),
    "ftr": Zone.PAGE_FOOTER,
    **dict.fromkeys(("footnotes", "endnotes", "footnote", "endnote", "notes"), Zone.NOTE),
    **dict.fromkeys(("comments", "cmLst", "ThreadedComments", "Comment"), Zone.COMMENT),
    **dict.fromkeys(("txbxContent", "textbox", "wsDr", "dsp", "userShapes"), Zone.TEXT_BOX),
    **dict.fromkeys(("coreProperties", "Properties", "DocumentProperties", "docVars"), Zone.PROPERTY),
    **dict.fromkeys(("CustomDocumentProperties", "tagLst", "sheets"), Zone.PROPERTY),
}
_TEXT = frozenset({"t", "delText", "text", "v", "Data", "lpstr", "lpwstr", "Path"})
_PROPERTIES = frozenset(
    {"title", "subject", "creator", "keywords", "description", "lastModifiedBy", "category", "contentStatus", "Title"}
    | {"Subject", "Author", "LastAuthor", "Keywords", "Description", "Manager", "Company", "Category", "HyperlinkBase"}
)
_LINES = frozenset({"p", "si", "comment", "text", "Comment", *_PROPERTIES, "lpstr", "lpwstr", "pt", "Path"})
_BREAKS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_OFF = frozenset({"0", "false", "off"})


class OfficeText:
    """A handler for `markup.parse`. `facts` are what is found beside the text, `fonts` the names of fonts in use.

    `relations` are those of this part by their id; `used` gathers the ids that the part's text refers to.
    """

    def __init__(self, place: str, kind: str, relations: Mapping[str, Relation], zone: Zone = Zone.ATTACHMENT) -> None:
        self.story = Story(kind, zone)
        self.facts: list[Fact] = []
        self.fonts: set[str] = set()
        self.used: set[str] = set()
        self._place = place
        self._relations = relations
        self._fields = Fields()
        self._taking = ""  # the element whose characters are text just now
        self._blob: list[str] | None = None
        self._blob_name = ""
        self._in_run = self._hidden = False
        self._links: list[tuple[str, list[str]]] = []
        self._run_link: tuple[str, list[str]] | None = None

    def start(self, name: str, attributes: Attributes) -> None:
        """See `markup.Handler`."""
        zone = ZONES.get(name)
        if zone is not None:
            self.story.open(zone)
        if name in _TEXT:
            self._taking = name
        elif name in _PROPERTIES and self.story.zone is Zone.PROPERTY:
            self._taking = "t"
        elif name == "instrText" or name == "delInstrText":
            self._taking = "instrText"
        elif name in _BREAKS:
            self.data_of("t", _BREAKS[name])
        action = _STARTS.get(name)
        if action is not None:
            action(self, attributes)

    def end(self, name: str) -> None:
        """See `markup.Handler`."""
        if name == self._taking or name in ("instrText", "delInstrText") or name in _PROPERTIES:
            self._taking = ""
        if name == "r":
            self._end_run()
        elif name in ("tc", "Cell"):
            self.story.cell()
        elif name in ("tr", "Row"):
            self.story.row()
        elif name in _LINES:
            self.story.line()
        elif name == "hyperlink" and self._links:
            target, seen = self._links.pop()
            self.facts.append(Link(place=self._place, target=target, text="".join(seen)))
        elif name == "fldSimple":
            self.facts += self._fields.end(self._place)
        elif name == "binData":
            self._end_blob()
        if name in ZONES:
            self.story.close()

    def data(self, text: str) -> None:
        """See `markup.Handler`."""
        if self._taking:
            self.data_of(self._taking, text)
        elif self._blob is not None:
            self._blob.append(text)

    def data_of(self, element: str, text: str) -> None:
        """Characters of an element that has text."""
        if element == "instrText":
            self._fields.code(text)
            return
        if element == "Path" and "|" in text:
            self.facts.append(Trait(word=Mark.DDE, detail=text[:300]))
        self._fields.result(text)
        if self._links:
            self._links[-1][1].append(text)
        if self._run_link is not None:
            self._run_link[1].append(text)
        self.story.write(text, Zone.HIDDEN if self._hidden else None)

    def finish(self) -> list[Fact]:
        """All that was found, when the part has been read."""
        self.facts += self._fields.rest(self._place)
        return [*self.story.texts(self._place), *self.facts]

    def _target(self, identity: str) -> str:
        self.used.add(identity)
        found = self._relations.get(identity)
        return found.target if found and found.external else ""

    def _end_run(self) -> None:
        self._in_run = self._hidden = False
        if self._run_link is not None:
            target, seen = self._run_link
            self.facts.append(Link(place=self._place, target=target, text="".join(seen)))
            self._run_link = None

    def _end_blob(self) -> None:
        blob, self._blob = "".join(self._blob or ()), None
        try:
            content = base64.b64decode("".join(blob.split()) + "==")
        except (binascii.Error, ValueError):
            content = b""
        if content:
            self.facts.append(Member(names=(self._blob_name,), content=content))

    def start_run(self, _: Attributes) -> None:
        """`r`"""
        self._in_run, self._hidden = True, False

    def vanish(self, attributes: Attributes) -> None:
        """`vanish`: hidden text; the one of a paragraph's mark hides nothing else."""
        if self._in_run and value(attributes, "val") not in _OFF:
            self._hidden = True
            self.story.line(Zone.HIDDEN)

    def symbol(self, attributes: Attributes) -> None:
        """`sym`: a character by number; those of symbol fonts stand at U+F000."""
        try:
            number = int(value(attributes, "char"), 16)
        except ValueError:
            return
        number = number - 0xF000 if 0xF000 <= number < 0xF100 else number & 0xFFFF
        self.data_of("t", chr(number) if not 0xD800 <= number < 0xE000 else "\ufffd")

    def field(self, attributes: Attributes) -> None:
        """`fldChar`"""
        match value(attributes, "fldCharType"):
            case "begin":
                self._fields.begin()
            case "separate":
                self._fields.separate()
            case "end":
                self.facts += self._fields.end(self._place)

    def simple_field(self, attributes: Attributes) -> None:
        """`fldSimple`"""
        self._fields.begin()
        self._fields.code(value(attributes, "instr"))
        self._fields.separate()

    def hyperlink(self, attributes: Attributes) -> None:
        """`hyperlink` of Word and of sheets; the 2003 one has `dest`."""
        target = self._target(value(attributes, "id")) or value(attributes, "dest")
        self._links.append((target or "#" + value(attributes, "anchor") + value(attributes, "location"), []))

    def click(self, attributes: Attributes) -> None:
        """`hlinkClick`, `hlinkHover`: where a shape or a run leads, or what it runs."""
        action = attributes.get("action", "")
        if action.startswith(("ppaction://program", "ppaction://ole", "ppaction://macro")):
            self.facts.append(Trait(word=Mark.LAUNCH, detail=action[:300]))
        if (target := self._target(value(attributes, "id"))) and self._run_link is None:
            if self._in_run:
                self._run_link = (target, [])
            else:
                self.facts.append(Link(place=self._place, target=target, source="shape"))

    def shape_link(self, attributes: Attributes) -> None:
        """VML shapes have an address of their own, and WordArt its text in an attribute (a watermark, mostly)."""
        if target := attributes.get("href", ""):
            self.facts.append(Link(place=self._place, target=target, source="shape"))
        if text := attributes.get("string", ""):
            self.story.line(Zone.TEXT_BOX)
            self.story.write(text + "\n", Zone.TEXT_BOX)

    def alternative(self, attributes: Attributes) -> None:
        """`docPr`, `cNvPr`: what is said in place of a picture."""
        for name in ("descr", "title"):
            if text := attributes.get(name, ""):
                self.story.write(text + "\n", Zone.PROPERTY)

    def named(self, attributes: Attributes) -> None:
        """Elements with their text in `val`, `name` or `displayText`: variables, tags, choices, properties, sheets."""
        said = [value(attributes, name) for name in ("name", "Name", "displayText", "val")]
        self.story.write("\t".join(filter(None, said)) + "\n", Zone.PROPERTY)

    def font(self, attributes: Attributes) -> None:
        """`rFonts`, `latin`, `font`: names of fonts."""
        self.fonts.update(attributes.values())

    def ole(self, attributes: Attributes) -> None:
        """An object of another program."""
        detail = " ".join(filter(None, (value(attributes, key) for key in ("ProgID", "progId", "Type"))))
        self.facts.append(Trait(word=Mark.OLE_OBJECT, detail=detail[:300]))
        if "equation.3" in detail.lower() or "equation.2" in detail.lower():
            self.facts.append(Trait(word=Mark.EQUATION, detail=detail[:300]))

    def control(self, attributes: Attributes) -> None:
        """A control: `ocx` in a part of its own, `control` where it is used."""
        detail = value(attributes, "classid") or value(attributes, "name")
        self.facts.append(Trait(word=Mark.ACTIVEX, detail=detail[:300]))

    def blob(self, attributes: Attributes) -> None:
        """`binData`: a file in base64."""
        self._blob = []
        self._blob_name = value(attributes, "name").rpartition("/")[2]

    def related(self, attributes: Attributes) -> None:
        """`Relationship` in flat OPC, where all parts are in one file."""
        words = (value(attributes, key) for key in ("Id", "Type", "Target", "TargetMode"))
        each = relation("", *words)
        self.facts += external_facts(each, self._place)
        if each.external and each.kind == "hyperlink":
            self.facts.append(Link(place=self._place, target=each.target))

    def legacy_document(self, attributes: Attributes) -> None:
        """`wordDocument`: Word 2003 says in attributes what it has."""
        flags = {"macrosPresent": Mark.MACRO, "embeddedObjPresent": Mark.OLE_OBJECT, "ocxPresent": Mark.ACTIVEX}
        for name, mark in flags.items():
            if value(attributes, name) == "yes":
                self.facts.append(Trait(word=mark, detail=name))

    def legacy_template(self, attributes: Attributes) -> None:
        """`attachedTemplate` of Word 2003; that of later files is a relation."""
        each = Relation("", "attachedTemplate", value(attributes, "val"), external=True)
        self.facts += external_facts(each, self._place)

    def cell(self, attributes: Attributes) -> None:
        """A cell of a 2003 spreadsheet: its formula and its address."""
        if formula := value(attributes, "Formula"):
            self.facts += formula_facts(formula.lstrip("="), self._place)
        if target := value(attributes, "HRef"):
            self.facts.append(Link(place=self._place, target=target))


_STARTS: dict[str, Callable[[OfficeText, Attributes], None]] = {
    "r": OfficeText.start_run,
    **dict.fromkeys(("vanish", "webHidden"), OfficeText.vanish),
    "sym": OfficeText.symbol,
    "fldChar": OfficeText.field,
    "fldSimple": OfficeText.simple_field,
    **dict.fromkeys(("hyperlink", "hlink"), OfficeText.hyperlink),
    **dict.fromkeys(("hlinkClick", "hlinkHover", "hlinkMouseOver"), OfficeText.click),
    **dict.fromkeys(("shape", "textpath", "rect", "image"), OfficeText.shape_link),
    **dict.fromkeys(("docPr", "cNvPr"), OfficeText.alternative),
    **dict.fromkeys(("docVar", "tag", "listItem", "property", "Worksheet"), OfficeText.named),
    **dict.fromkeys(("rFonts", "latin", "rFont"), OfficeText.font),
    **dict.fromkeys(("OLEObject", "oleObject", "oleObj"), OfficeText.ole),
    **dict.fromkeys(("ocx", "control"), OfficeText.control),
    "binData": OfficeText.blob,
    "Relationship": OfficeText.related,
    "wordDocument": OfficeText.legacy_document,
    "attachedTemplate": OfficeText.legacy_template,
    "Cell": OfficeText.cell,
}
