"""Characters that look like another, or like nothing: one at a time to what a person reads.

Compatibility forms (fullwidth, mathematical, circled, ligatures) are Unicode's own NFKD; the letters of other scripts
that look Latin are a table, chosen from Unicode's confusables.txt (UTS 39) by what is used to disguise Latin words.
"""

from __future__ import annotations

import re
import unicodedata

_LATIN = {
    "a": "аαɑᴀ⍺ꭺᎪⲀⲁ",
    "b": "вьβƅʙɓᏏᏴВЬΒⲂ",
    "c": "сϲᴄƈᏟⲤⲥ¢",
    "d": "ԁɗɖᴅᎠᏧ",
    "e": "еєεɛᴇ℮ҽᎬⲈ",
    "f": "ƒꜰϝꬵ",
    "g": "ɡɢɠցԍᏀ",
    "h": "нһʜհħᎻᏂНΗⲎ",
    "i": "іιıɩɪӏᎥӀⲒ",
    "j": "јϳᴊʝᎫ",
    "k": "кκᴋƙқҝᏦКⲔ",
    "l": "ʟłɫɭᏞ",
    "m": "мᴍɱᎷМΜⲘ",
    "n": "ոռɴпηղΝⲚ",
    "o": "оοσөᴏօჿⲞⲟ",
    "p": "рρᴘƿᏢⲢ",
    "q": "ԛɋգզ",
    "r": "гʀɾᴦᏒ",
    "s": "ѕꜱʂƽᏚᏕ",
    "t": "тτᴛƭŧᎢТⲦ",
    "u": "υᴜսʋμՍ",
    "v": "νѵᴠᏙ",
    "w": "ѡωᴡԝաᎳᏔ",
    "x": "хχᕁҳᕽⲬ",
    "y": "уγʏүყᎩΥⲨ",
    "z": "ᴢƶȥᏃΖ",
    "đ": "ðÐƉ",
    "'": "‘’‚‛′`´ʹʻʼʽˊˋ",
    '"': "“”„‟″«»",
    "-": "‐‑‒–—―−⁃﹘",
    ".": "․·…‧∙",
    "*": "•∗★☆●",
    "/": "⁄∕",
    ":": "։׃∶",
    " ": "\u2800",
}
_LETTER_RANGES = (0x1F110, 0x1F130, 0x1F150, 0x1F170, 0x1F1E6, 0x249C)
"""Where the alphabet stands in parentheses, in squares and circles, black and white, and as regional indicators."""

ALIKE = {
    **{alike: letter for letter, all_alike in _LATIN.items() for alike in all_alike},
    **{chr(first + at): chr(ord("a") + at) for first in _LETTER_RANGES for at in range(26)},
}
"""A character to the one that a person takes it for."""

UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What takes no room, as a class for `re`: zero-width, soft hyphen, bidirectional controls, variation selectors, tags,
fillers (Unicode's Default_Ignorable_Code_Point)."""

MARKS = (
    "\u0300-\u034e\u0350-\u036f\u0483-\u0489\u1161-\u11ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a"
    "\ufe20-\ufe2f"
)
"""What joins the character before it, as a class for `re`: combining marks, the inner letters of Korean syllables."""

_UNSEEN = re.compile(f"[{UNSEEN}]")
_STRAY = re.compile("[\u0300-\u034e\u0350-\u036f\u0488\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")


def seen(cluster: str, *, marks: bool) -> str:
    """One character, with the marks that follow it, as a person reads it: lower case, Latin where it looks Latin,
    composed; "" for what is not seen. Without `marks` no diacritics are left, and `đ` is `d`."""
    letters = "".join(map(_letter, unicodedata.normalize("NFKD", ALIKE.get(cluster[:1], cluster[:1]) + cluster[1:])))
    if marks:
        return _STRAY.sub("", unicodedata.normalize("NFC", letters))
    kept = "".join(each for each in letters if not unicodedata.category(each).startswith("M")).replace("đ", "d")
    return unicodedata.normalize("NFC", kept)


def _letter(character: str) -> str:
    if character.isspace():
        return " "
    if _UNSEEN.match(character) or unicodedata.category(character) in ("Cc", "Cf"):
        return ""
    if alike := ALIKE.get(character):
        return alike
    lower = character.lower()
    return ALIKE.get(lower, lower.replace("\u0307", "") if character == "İ" else lower)
