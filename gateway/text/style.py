"""What CSS does to the sight of a text, as far as mail uses it: hidden or shown, colours, font, a button or not.

Selectors of one name, class or id are understood, and declarations in `style`; rules for certain media are not applied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache

LONGEST_REMEMBERED = 1024
"""Characters of a style that is remembered: mail made by programs has the same few over and over."""

MOST_RULES = 2000
"""Rules of style sheets that are applied: the sheets that mail programs write have a few hundred."""

ALIKE = 16
"""Difference of two colours in each of red, green and blue (of 255) up to which nobody sees it."""

SMALLEST = 1.0
"""Pixels, or points, of letters that nobody sees."""

FAR_AWAY = 900.0
"""Pixels beyond which something is put off the screen."""

TINIEST = 1.0
"""Pixels of height or width in which nothing is seen if what sticks out is cut off."""

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What one element says of its own look. None is nothing said; of colours, `UNKNOWN` is said but not known.

    Looks are compared by identity: equal ones are the same, as far as they are remembered.
    """

    gone: bool | None = None
    """With all that is in it."""
    seen: bool | None = None
    """What is in it may be seen again."""
    small: bool | None = None
    colour: Colour | str | None = None
    background: Colour | str | None = None
    font: str | None = None
    kept: bool | None = None
    """Spaces and lines stand as they are written."""
    bordered: bool | None = None
    padded: bool | None = None
    rounded: bool | None = None
    boxed: bool | None = None
    plain: bool | None = None
    """A link without underline."""

    def over(self, lower: Look) -> Look:
        """This, and where it says nothing, what the other says."""
        if lower is NOTHING or self is NOTHING:
            return self if lower is NOTHING else lower
        return _over(self, lower)


@lru_cache(maxsize=1024)
def _over(upper: Look, lower: Look) -> Look:
    said = {each.name: value for each in fields(upper) if (value := getattr(upper, each.name)) is not None}
    return replace(lower, **said)


NOTHING = Look()
UNKNOWN = "unknown"
TRANSPARENT = "transparent"
"""Beside colours as numbers: one that is not known, and none at all."""

_NAMED: dict[str, Colour] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "navy": (0, 0, 128),
    "orange": (255, 165, 0),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245),
    "ghostwhite": (248, 248, 255),
    "floralwhite": (255, 250, 240),
    "mintcream": (245, 255, 250),
    "azure": (240, 255, 255),
    "aliceblue": (240, 248, 255),
}
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6})\s?|\\(.)", re.DOTALL)
_NESTED = re.compile(
    r"@(?:media|supports|container|layer|document)[^{}]*+\{(?:[^{}]*+\{[^{}]*+\})*+[^{}]*+\}?", re.IGNORECASE
)
_SIMPLE = re.compile(r"(?:[a-z][a-z0-9]*|\*)|(?:[a-z][a-z0-9]*)?([.#][a-z_-][\w-]*)")
_LENGTH = re.compile(r"([+-]?\d*\.?\d+)\s*(px|pt|em|rem|ex|%|in|cm|mm|vw|vh)?")
_HEX = re.compile(r"#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*[,\s]\s*(\d{1,3})\s*[,\s]\s*(\d{1,3})\s*(?:[,/]\s*([\d.]+%?)\s*)?\)")
_PIXELS = {"pt": 1.0, "em": 14.0, "rem": 14.0, "ex": 7.0, "in": 96.0, "cm": 38.0, "mm": 3.8, "vw": 6.0, "vh": 6.0}


class Sheet:
    """The rules of a document's style sheets, by their simple selectors."""

    def __init__(self) -> None:
        self._rules: dict[str, Look] = {}

    def add(self, css: str) -> None:
        """Rules of one more sheet; the later ones win."""
        for rule in _NESTED.sub("", _COMMENT.sub(" ", css)).split("}"):
            selectors, _, declarations = rule.partition("{")
            look = look_of(declarations)
            if look is NOTHING:
                continue
            for selector in selectors.lower().replace("<!--", "").split(","):
                if len(self._rules) < MOST_RULES:
                    self._add(selector.strip(), look)

    def _add(self, selector: str, look: Look) -> None:
        if not (found := _SIMPLE.fullmatch(selector)):
            # It applies in some places only: there the colours are not known, and nothing is hidden for certain.
            found = _SIMPLE.fullmatch(re.split(r"[\s>+~]", selector)[-1].partition(":")[0])
            colour, background = look.colour and UNKNOWN, look.background and UNKNOWN
            look = Look(colour=colour, background=background) if colour or background else NOTHING
        if found and look is not NOTHING:
            key = found[1] or found[0]
            self._rules[key] = look.over(self._rules.get(key, NOTHING))

    def look(self, name: str, attributes: Mapping[str, str]) -> Look:
        """What the sheets say of an element."""
        rules = self._rules
        if not rules:
            return NOTHING
        keys = [name, *(f".{each}" for each in attributes.get("class", "").lower().split()[:10])]
        keys.append(f"#{attributes.get('id', '').lower()}")
        look = rules.get("*", NOTHING)
        for key in keys:
            if key in rules:
                look = rules[key].over(look)
        return look


def look_of(style: str) -> Look:
    """What declarations ("color: #fff; display: none") say. Linear; never raises."""
    return _look_of(style) if len(style) <= LONGEST_REMEMBERED else _read(style)


def colour_of(text: str) -> Colour | str:
    """A colour as HTML or CSS writes it; `UNKNOWN` where it is none we know, or transparent."""
    text = text.strip().lower()
    if named := _NAMED.get(text):
        return named
    if found := _HEX.fullmatch(text):
        digits = found[1] if len(found[1]) > 4 else "".join(each * 2 for each in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    if found := _RGB.fullmatch(text):
        return min(int(found[1]), 255), min(int(found[2]), 255), min(int(found[3]), 255)
    return UNKNOWN


def alike(one: Colour | str, other: Colour | str) -> bool:
    """True if two known colours cannot be told apart."""
    if isinstance(one, str) or isinstance(other, str):
        return False
    return all(abs(a - b) <= ALIKE for a, b in zip(one, other, strict=True))


def _read(style: str) -> Look:
    if "\\" in style:
        style = _ESCAPE.sub(lambda found: chr(min(int(found[1], 16), 0x10FFFF)) if found[1] else found[2], style)
    said: dict[str, str] = {}
    for declaration in _COMMENT.sub(" ", style).lower().split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            said[name.strip()] = value.replace("!important", "").strip()
    if not said:
        return NOTHING
    look = Look(
        gone=_gone(said),
        seen=said["visibility"] not in ("hidden", "collapse") if "visibility" in said else None,
        small=_pixels(size) <= SMALLEST if (size := said.get("font-size") or said.get("font")) else None,
        colour=_text_colour(said),
        background=_background(said),
        font=said["font-family"].partition(",")[0].strip(" '\"") if "font-family" in said else None,
        kept=said["white-space"].startswith(("pre", "break")) if "white-space" in said else None,
        bordered=True if not said.get("border", "0").startswith(("0", "none")) else None,
        padded=True if any(each.startswith("padding") for each in said) else None,
        rounded=True if "border-radius" in said else None,
        boxed=said["display"] in ("block", "inline-block", "flex", "inline-flex") if "display" in said else None,
        plain=said["text-decoration"].startswith("none") if "text-decoration" in said else None,
    )
    return look if any(getattr(look, each.name) is not None for each in fields(look)) else NOTHING


_look_of = lru_cache(maxsize=2048)(_read)


def _gone(said: Mapping[str, str]) -> bool | None:
    display = said.get("display")
    if display == "none" or ("opacity" in said and _number(said["opacity"]) < 0.05):
        return True
    cut = any(said.get(each, "").startswith(("hidden", "clip")) for each in ("overflow", "overflow-y", "overflow-x"))
    if cut and any(_is_tiny(said.get(each)) for each in ("height", "max-height", "width", "max-width")):
        return True
    away = said.get("position") in ("absolute", "fixed")
    if away and any(_is_far(said.get(each)) for each in ("left", "top", "right", "bottom")):
        return True
    if away and said.get("clip", "").replace(" ", "").startswith(("rect(0", "rect(1px,1px,1px")):
        return True
    if _is_far(said.get("text-indent")) or any(_is_far(said.get(f"margin-{side}")) for side in ("left", "top")):
        return True
    if said.get("transform", "").replace(" ", "").startswith(("scale(0)", "scale(0,")):
        return True
    if said.get("clip-path", "").replace(" ", "").startswith(("inset(50%", "inset(100%", "circle(0)")):
        return True
    return False if display else None


def _is_tiny(length: str | None) -> bool:
    return length is not None and 0 <= _pixels(length) <= TINIEST


def _is_far(length: str | None) -> bool:
    return length is not None and abs(_pixels(length)) >= FAR_AWAY and length.startswith("-")


def _pixels(length: str) -> float:
    """A length in about pixels; one that is not understood counts as one that is seen."""
    found = _LENGTH.match(length)
    if not found:
        return 14.0
    if found[2] == "%":
        return float(found[1][:12]) * 0.14
    return float(found[1][:12]) * _PIXELS.get(found[2] or "px", 1.0)


def _number(text: str) -> float:
    found = _LENGTH.match(text)
    return float(found[1][:12]) / (100 if found[2] == "%" else 1) if found else 1.0


def _text_colour(said: Mapping[str, str]) -> Colour | str | None:
    colour = said.get("-webkit-text-fill-color") or said.get("color")
    if not colour or colour in ("inherit", "currentcolor"):
        return None
    found = _RGB.fullmatch(colour)
    if colour == "transparent" or (found and found[4] and _number(found[4]) < 0.05):
        return TRANSPARENT
    return colour_of(colour)


def _background(said: Mapping[str, str]) -> Colour | str | None:
    value = said.get("background-color") or said.get("background")
    if "background-image" in said and said["background-image"] != "none":
        return UNKNOWN
    if not value or value in ("transparent", "none", "inherit", "initial"):
        return None
    if "url(" in value or "gradient" in value:
        return UNKNOWN
    return next((colour for word in value.split() if (colour := colour_of(word)) != UNKNOWN), UNKNOWN)
