"""The reading of HTML behind `hypertext.py`: from tags to what is shown and what is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.text.legacy import font_encoding, from_font
from gateway.text.markup import End, Raw, Tag, tokens
from gateway.text.outline import VOID, Outline
from gateway.text.style import NOTHING, TRANSPARENT, UNKNOWN, Colour, Look, Sheet, alike, colour_of, look_of

MOST_FONTS = 100
"""Names of fonts that are kept; a document has a handful."""

DEEPEST_WITHIN = 2
"""Documents in documents (conditional comments, frames) that are read; deeper ones are shown as they are written."""

_LINE, _CELL = "\x1e", "\x1f"
"""Where a line and where a cell ends, while white space is not yet collapsed (ASCII's own separators)."""
_WHITE = re.compile(r"[\t\r\n\f][ \t\r\n\f]*+| [ \t\r\n\f]++")
_LINES = re.compile(f"[ {_CELL}]*+{_LINE}[ {_LINE}{_CELL}]*+")
_CELLS = re.compile(f" *+{_CELL}[ {_CELL}]*+")
_BREAKS = {
    **dict.fromkeys(
        "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption "
        "figure footer form h1 h2 h3 h4 h5 h6 header hr legend li main menu nav ol optgroup option p pre section "
        "select summary table tbody tfoot thead tr ul".split(),
        _LINE,
    ),
    "td": _CELL,
    "th": _CELL,
}
_CLASS_OF_BUTTON = re.compile(r"(?<![a-z])(?:btn|button|cta)(?![a-z])")
_CONDITIONAL = re.compile(r"\s*\[if[^\]]*+\]\s*>(.*)<!\[endif\]\s*\Z", re.DOTALL | re.IGNORECASE)
_CONDITION = re.compile(r"\s*(?:\[if[^\]]*+\]\s*>|<!\[endif\])", re.IGNORECASE)
_SAYS_SOMETHING = re.compile(r">\s*+[^<\s]|\bhref\b", re.IGNORECASE)
_REFRESH = re.compile(r"[\d.\s]*+[;,]\s*+(?:url\s*+=)?\s*+[\"']?([^\"']+)", re.IGNORECASE)
_SOURCES = {
    **dict.fromkeys(("img", "iframe", "frame", "embed", "script", "video", "audio", "source", "input"), "src"),
    "object": "data",
}
_TELLING = frozenset("title alt href xlink:href formaction src data background srcdoc".split())
_FIELDS = frozenset({"input", "textarea", "select", "button"})
_TELLING_NAMES = _FIELDS | {"base", "meta", "form"}
_NEVER_SHOWN = frozenset({"template", "datalist", "xml"})
_GONE = Look(gone=True)
_LINK_COLOUR = (0, 0, 238)
"""What programs give links that have no colour of their own (HTML Standard section 15.3.2)."""


@dataclass(slots=True, eq=False)
class LinkFound:
    """A link as it is read: what is shown of it comes bit by bit. `instead` is shown where a picture is not."""

    target: str
    source: str
    button: bool = False
    shown: list[str] = field(default_factory=list)
    instead: str = ""

    def text(self) -> str:
        """What a person sees of it, in one line."""
        return " ".join("".join(self.shown).split()) or " ".join(self.instead.split())


@dataclass(slots=True)
class FormFound:
    """A form as it is read, and its fields: type, name and what they say."""

    action: str = ""
    method: str = "get"
    fields: list[tuple[str, str, str]] = field(default_factory=list)


class _Own(NamedTuple):
    """What an element has of its own."""

    look: Look = NOTHING
    link: LinkFound | None = None
    is_cell: bool = False


_NOTHING_OWN = _Own()


class _State:
    """What is so for a text by all elements around it. `cell` is the look of the table cell it stands in."""

    __slots__ = ("background", "cell", "colour", "font", "gone", "kept", "link", "seen", "shown", "small", "states")

    def __init__(self) -> None:
        self.shown = True
        self.gone = False
        self.seen = True
        self.small = False
        self.colour: Colour | str = (0, 0, 0)
        self.background: Colour | str = (255, 255, 255)
        self.font = ""
        self.kept = False
        self.link: LinkFound | None = None
        self.cell = NOTHING
        self.states: dict[_Own, _State] = {}

    def within(self, own: _Own) -> _State:
        """What is so within an element; the same for elements that are alike."""
        if own is _NOTHING_OWN:
            return self
        if not (state := self.states.get(own)):
            state = self.states[own] = self._changed(*own)
        return state

    def _changed(self, look: Look, link: LinkFound | None, is_cell: bool) -> _State:
        state = _State()
        state.gone = self.gone or bool(look.gone)
        state.seen = self.seen if look.seen is None else look.seen
        state.small = self.small if look.small is None else look.small
        state.colour = look.colour or (_LINK_COLOUR if link else self.colour)
        state.background = look.background or self.background
        state.shown = state.seen and not (state.gone or state.small or state.colour == TRANSPARENT)
        state.shown = state.shown and not alike(state.colour, state.background)
        state.font = self.font if look.font is None else look.font if font_encoding(look.font) else ""
        state.kept = self.kept if look.kept is None else look.kept
        state.link = link or self.link
        state.cell = look if is_cell else self.cell
        return state


class Reader:
    """Reads one document from its beginning to its end. `depth` is how many it stands in."""

    def __init__(self, depth: int = 0) -> None:
        self.base = ""
        self.links: list[LinkFound] = []
        self.forms: list[FormFound] = []
        self.scripts: list[str] = []
        self.fonts: set[str] = set()
        self._depth = depth
        self._visible: list[str] = []
        self._hidden: list[str] = []
        self._seen_before_hidden = 0
        self._elsewhere: list[str] = []
        self._sheet = Sheet()
        self._known: dict[Tag, tuple[_Own, bool]] = {}
        self._outline: Outline[_Own, _State] = Outline(_State(), _State.within)

    def visible(self) -> str:
        """What is shown, in lines."""
        shown = _words("".join(self._visible))
        if self._elsewhere:
            said = "".join(shown.split())
            shown = "\n".join([shown, *(each for each in self._elsewhere if "".join(each.split()) not in said)])
        return shown.strip("\n")

    def hidden(self) -> str:
        """What is not, in lines."""
        return _words("".join(self._hidden))

    def read(self, source: str) -> None:
        """All of a document."""
        for token in tokens(source):
            if isinstance(token, str):
                self._text(token)
            elif isinstance(token, Tag):
                self._start(token)
            elif isinstance(token, End):
                self._outline.close(token.name)
                if sign := _BREAKS.get(token.name):
                    self._visible.append(sign)
            elif isinstance(token, Raw):
                self._raw(token)
            else:
                self._comment(token.text)

    def _text(self, text: str) -> None:
        state = self._outline.state
        if state.font:
            text = from_font(text, state.font)
        if not state.shown:
            self._hide(text)
            return
        if state.kept:
            text = text.replace("\n", _LINE)
        self._visible.append(text)
        if state.link:
            state.link.shown.append(text)

    def _hide(self, text: str) -> None:
        if text.strip():
            if len(self._visible) != self._seen_before_hidden:
                self._seen_before_hidden = len(self._visible)
                self._hidden.append(_LINE)
            self._hidden.append(text)

    def _aside(self, text: str) -> None:
        """Something that stands in an attribute or a comment."""
        if text.strip():
            self._hidden.append(f"{_LINE}{text}{_LINE}")

    def _raw(self, raw: Raw) -> None:
        if raw.name == "script":
            self.scripts.append(raw.text)
        elif raw.name == "style":
            self._sheet.add(raw.text)
            self._known.clear()
        elif raw.name in ("xmp", "plaintext", "textarea"):
            self._text(raw.text.replace("\n", _LINE))
        else:
            self._aside(raw.text)

    def _comment(self, text: str) -> None:
        if found := _CONDITIONAL.match(text):
            if _SAYS_SOMETHING.search(found[1]):
                self._within(found[1])
        elif not _CONDITION.match(text):
            self._aside(text)

    def _within(self, source: str) -> None:
        """A document in this one, that some programs show."""
        if self._depth == DEEPEST_WITHIN:
            self._aside(source)
            return
        inner = Reader(self._depth + 1)
        inner.read(source)
        self.links += inner.links
        self.forms += inner.forms
        self.scripts += inner.scripts
        self.fonts |= inner.fonts
        self._elsewhere.append(inner.visible())
        self._aside(inner.hidden())

    def _start(self, tag: Tag) -> None:
        name = tag.name
        self._outline.begin(name)
        if sign := _BREAKS.get(name):
            self._visible.append(sign)
        own, tells = self._known.get(tag) or self._learnt(tag)
        if tells and (link := self._told(tag, own.look)):
            own = own._replace(link=link)
        if name not in VOID:
            self._outline.open(name, own)

    def _learnt(self, tag: Tag) -> tuple[_Own, bool]:
        """What a tag has, and whether its attributes tell anything beside its look. Alike for all that are alike."""
        name, said = tag.name, tag.attributes
        look = _said_look(name, said).over(self._sheet.look(name, said))
        if look.font and len(self.fonts) < MOST_FONTS:
            self.fonts.add(look.font)
        if name in _NEVER_SHOWN or (name == "dialog" and "open" not in said):
            look = _GONE
        is_cell = name in ("td", "th")
        own = _Own(look, None, is_cell) if look is not NOTHING or is_cell else _NOTHING_OWN
        tells = bool(tag.events) or name in _TELLING_NAMES or not _TELLING.isdisjoint(said)
        self._known[tag] = own, tells
        return own, tells

    def _told(self, tag: Tag, look: Look) -> LinkFound | None:
        """What the attributes of a tag tell beside its look. Gives the link that opens."""
        name, said = tag.name, tag.attributes
        self.scripts += tag.events
        self._aside(said.get("title", ""))
        if alt := said.get("alt"):
            self._aside(alt)
            if link := self._outline.state.link:
                link.instead += f" {alt}"
        opens = None
        if name == "base":
            self.base = self.base or said.get("href", "")
        elif name == "meta":
            if said.get("http-equiv", "").lower() == "refresh" and (found := _REFRESH.match(said.get("content", ""))):
                self.links.append(LinkFound(found[1], name))
        elif target := said.get("href") or said.get("xlink:href") or said.get("formaction"):
            opens = LinkFound(target, name, self._is_button(name, said, look))
            self.links.append(opens)
        elif target := said.get(_SOURCES.get(name, "background")):
            self.links.append(LinkFound(target, name, instead=alt or ""))
        if name == "form" or name in _FIELDS:
            self._form(name, said)
        if "srcdoc" in said:
            self._within(said["srcdoc"])
        return opens

    def _is_button(self, name: str, said: Mapping[str, str], look: Look) -> bool:
        cell = self._outline.state.cell
        return bool(
            name in ("button", "input", "v:roundrect", "v:rect", "v:shape")
            or said.get("role", "").lower() == "button"
            or _CLASS_OF_BUTTON.search(said.get("class", "").lower())
            or ((look.background or look.bordered) and (look.padded or look.rounded or look.boxed))
            or (cell.background and (cell.rounded or (look.plain and (look.boxed or look.padded))))
        )

    def _form(self, name: str, said: Mapping[str, str]) -> None:
        if name == "form":
            self.forms.append(FormFound(said.get("action", ""), said.get("method", "get").lower()))
            return
        if not self.forms:
            self.forms.append(FormFound())  # fields that a script sends
        kind = said.get("type", "text" if name == "input" else name).lower()
        words = said.get("value") or said.get("placeholder") or (said.get("alt", "") if kind == "image" else "")
        self.forms[-1].fields.append((kind, said.get("name", ""), words))
        if kind == "hidden":
            self._aside(words)
        elif words:
            self._text(f" {words} ")


def _said_look(name: str, said: Mapping[str, str]) -> Look:
    """The look that a tag's own attributes give it (HTML Standard section 15), its style above the others."""
    style = look_of(said["style"]) if "style" in said else NOTHING
    given: dict[str, bool | str | Colour] = {"kept": True} if name in ("pre", "listing") else {}
    if "bgcolor" in said:
        given["background"] = colour_of(said["bgcolor"])
    if "background" in said:
        given["background"] = UNKNOWN
    if name == "font":
        if "color" in said:
            given["colour"] = colour_of(said["color"])
        if "face" in said:
            given["font"] = said["face"].partition(",")[0].strip(" '\"")
    if "hidden" in said:
        given["gone"] = True
    return style.over(Look(**given)) if given else style  # type: ignore[arg-type]


def _words(text: str) -> str:
    """Lines and cells, white space collapsed as it is shown."""
    return _CELLS.sub("\t", _LINES.sub("\n", _WHITE.sub(" ", text))).strip()
