"""Is this a Vietnamese syllable? The writing is so regular that a page of rules tells text read aright from garbled.

A syllable is an onset, a rime and at most one tone, which stands on one vowel only; a rime that ends in a stop has the
tone `á` or `ạ`. All of the about 4,000 toneless forms are made from two lists.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from unicodedata import normalize

LONGEST_SYLLABLE = 7
"""Letters of "nghiêng"."""

_ONSETS = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph r s t th tr v x".split()
_RIMES = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây "
    "e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu "
    "i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu "
    "o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong "
    "op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt "
    "u ua uân uâng uât uây uc uê uêch uênh ui um un ung uôc uôi uôm uôn uông uôt up ut uơ uy uya uych uyên uyêt uyn "
    "uynh uyp uyt uyu ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y"
).split()
_AFTER_QU = (
    "a ac ach ai an ang anh ao at au ay ăc ăm ăn ăng ăp ăt ân âng ât ây e en eo et ê ên êt êch ênh i it ich y yên "
    "yêt ynh yt ych yp ôc ơ ơi ơn"
).split()
_ALONE = "y yêm yên yêng yêt yêu".split()
_FRONT = frozenset("eêiy")
_ONLY_BEFORE_FRONT = frozenset({"k", "gh", "ngh"})
_NEVER_BEFORE_FRONT = frozenset({"c", "ng"})
_TONE = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_STOP = re.compile(r"(?:c|ch|p|t)\Z")
_ACUTE, _DOT = "\u0301", "\u0323"


def is_syllable(word: str) -> bool:
    """True if the word, in lower case, could be a Vietnamese syllable, its tone in its place."""
    return len(word) <= LONGEST_SYLLABLE and _is_syllable(word)


@lru_cache(maxsize=8192)
def _is_syllable(word: str) -> bool:
    apart = normalize("NFD", word)
    tones = _TONE.findall(apart)
    bare = normalize("NFC", _TONE.sub("", apart))
    if len(tones) > 1 or bare not in _syllables():
        return False
    if _STOP.search(bare):
        return bool(tones) and tones[0] in (_ACUTE, _DOT) and _in_place(word, bare)
    return not tones or _in_place(word, bare)


@cache
def _syllables() -> dict[str, tuple[int, ...]]:
    """Each toneless syllable, and where in it the tone may stand."""
    found = {rime: _tone_places(rime) for rime in (*_RIMES, *_ALONE) if rime != "y"}
    for onset in _ONSETS:
        for rime in _RIMES:
            front = rime[0] in _FRONT
            if (front and onset in _NEVER_BEFORE_FRONT) or (not front and onset in _ONLY_BEFORE_FRONT):
                continue
            found[onset + rime] = tuple(len(onset) + place for place in _tone_places(rime))
    for rime in _AFTER_QU:
        found[f"qu{rime}"] = tuple(2 + place for place in _tone_places(rime))
    found |= {"y": (0,), "gi": (1,)}
    for rime in ("êc", "êm", "ên", "êng", "êp", "êt", "êu"):  # "giếng": one of the two i is not written
        found[f"gi{rime}"] = (2,)
    return found


def _tone_places(rime: str) -> tuple[int, ...]:
    special = [at for at, letter in enumerate(rime) if letter in "ăâêôơư"]
    if special:
        return (special[-1],) if rime != "ưa" else (0,)
    vowels = len(rime.rstrip("bcghkmnpt"))
    if vowels == 1:
        return (0,)
    if vowels < len(rime):
        return (vowels - 1,)
    if rime in ("oa", "oe", "uy"):
        return (0, 1)
    return (1,) if vowels == 3 else (0,)


def _in_place(word: str, bare: str) -> bool:
    if len(word) != len(bare):  # not composed
        return False
    changed = [at for at, (one, other) in enumerate(zip(word, bare, strict=True)) if one != other]
    return len(changed) == 1 and changed[0] in _syllables()[bare]
