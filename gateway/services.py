"""The catalogue of outside services: whose mail a domain sends, what kind of mail it is, and what kind of service.

The files are YAML (policies/lists/services.yaml says how to write them); later files add to earlier ones, and an entry
of the same name takes the earlier one's place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from gateway.dns.names import organisation, within
from gateway.errors import ConfigurationError
from gateway.schema.pattern import Pattern
from gateway.schema.reader import load

Category = Literal[
    "adult", "ai", "bank", "classifieds", "commerce", "dating", "delivery", "developer", "education", "forum",
    "gambling", "game", "health", "investment", "jobs", "loyalty", "messenger", "newsletter", "promo", "saas", "social",
    "storage", "streaming", "survey", "telecom", "travel", "vpn", "wallet", "unknown",
]  # fmt: skip
"""What kind of service it is. A closed set: policies test it, metrics count by it."""

Traffic = Literal["account", "notify", "promo", "any", "corporate"]
"""What a domain sends: mail about accounts, notices of what happened, advertising, all of it, or its staff's mail."""

Confidence = Literal["high", "medium", "low"]

SHIPPED = Path(__file__).parent.parent / "policies" / "lists" / "services.yaml"
"""The catalogue that comes with the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A domain a service sends from, subdomains included. `confidence` tells how sure that is: high where mail from it
    has been seen or the service documents it, low where it is only the brand's own."""

    domain: str
    mail: Traffic = "any"
    confidence: Confidence = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: its sites (`web`: links lead there) and the domains it sends from."""

    name: str
    category: Category
    country: str = ""
    web: tuple[str, ...] = ()
    register: Literal["email", "phone", "both", "sso", "branch", "none"] = "email"
    sends_from: tuple[Origin, ...] = field(default=(), metadata={"key": "from"})
    note: str = ""

    @property
    def domains(self) -> tuple[str, ...]:
        """Its sites, then what else it sends from."""
        return tuple(dict.fromkeys((*self.web, *(origin.domain for origin in self.sends_from))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """Names that change their domain weekly: a pattern for the label that was registered."""

    category: Category
    pattern: Pattern
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file of the catalogue."""

    version: Literal["1"]
    services: Mapping[str, Service] = field(default_factory=dict)
    brands: Mapping[str, Brand] = field(default_factory=dict)
    platforms: frozenset[str] = frozenset()
    official: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue says of a domain: the service, by what name, and what this domain sends."""

    id: str
    service: Service
    origin: Origin


class Catalogue:
    """All files together, by domain."""

    def __init__(self, files: Iterable[Written]) -> None:
        self.services: dict[str, Service] = {}
        brands: dict[str, Brand] = {}
        platforms: set[str] = set()
        official: set[str] = set()
        personal: set[str] = set()
        for file in files:
            self.services |= file.services
            brands |= file.brands
            platforms |= file.platforms
            official |= file.official
            personal |= file.personal
        self.official, self.personal, self.platforms = frozenset(official), frozenset(personal), frozenset(platforms)
        self._brands = brands
        self._known: dict[str, Known] = {}
        for name, service in self.services.items():
            for origin in (*service.sends_from, *(Origin(domain=web, confidence="low") for web in service.web)):
                self._known.setdefault(origin.domain.lower(), Known(name, service, origin))

    def is_official(self, domain: str, also: frozenset[str] = frozenset()) -> bool:
        """True for a body of the State or of the Party, and for the domains in `also`."""
        return within(domain, self.official | also)

    def known(self, domain: str) -> Known | None:
        """Whose domain this is; a provider's own domain in an address is that of a person."""
        if domain in self.personal:
            return None
        name = domain
        while name:
            if name in self._known:
                return self._known[name]
            name = name.partition(".")[2]
        label = organisation(domain).partition(".")[0]
        for name, brand in self._brands.items():
            if label and brand.pattern.search(label):
                service = Service(name=name, category=brand.category)
                return Known(name, service, Origin(domain=domain, confidence="medium"))
        return None


def read_catalogue(paths: Iterable[Path]) -> Catalogue:
    """The catalogue of these files. Raises ValueError with the first problems of a file that is none."""
    return Catalogue([_read(path, _stamp(path)) for path in paths])


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=16)
def _read(path: Path, stamp: tuple[int, int]) -> Written:
    """A file; read anew when its stamp has changed."""
    try:
        return load(path.read_text(encoding="utf-8"), str(path), Written)
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None
    except ConfigurationError as error:
        raise ValueError("; ".join(map(str, error.problems[:3]))) from None


_WORDS: tuple[tuple[Category, str], ...] = (
    ("gambling", r"casino|c[aá] c[uư][oợ]c|nh[aà] c[aá]i|betting|poker|slot|x[oổ] s[oố]|jackpot|bet\d|\dbet|win\d\d"),
    ("adult", r"porn|xxx|sex|18\+|escort|onlyfans"),
    ("dating", r"dating|h[eẹ]n h[oò]|singles|tinder|matchmak|k[eế]t b[aạ]n b[oố]n ph[uư][oơ]ng"),
    ("forum", r"forum|di[eễ]n [dđ][aà]n|c[oộ]ng [dđ][oồ]ng|community|board|hội quán|thảo luận"),
    ("game", r"game|gaming|gamer|tr[oò] ch[oơ]i|esport|mmorpg"),
    ("jobs", r"vi[eệ]c l[aà]m|tuy[eể]n d[uụ]ng|\bjobs?\b|career|recruit|hiring"),
    ("commerce", r"shop|store|mart|market|cart|si[eê]u th[iị]|ch[oợ] |mua s[aắ]m|c[uử]a h[aà]ng|outlet|boutique"),
    ("streaming", r"stream|movie|phim|music|nh[aạ]c|radio|video|tv\b"),
    ("travel", r"travel|tour|hotel|booking|flight|du l[iị]ch|kh[aá]ch s[aạ]n|ph[uư][oợ]t|v[eé] m[aá]y bay"),
    ("education", r"learn|course|academy|h[oọ]c |kh[oó]a h[oọ]c|english|ti[eế]ng anh|ngo[aạ]i ng[uữ]|edu\b"),
    ("investment", r"crypto|bitcoin|coin|forex|invest|[dđ][aầ]u t[uư]|ch[uứ]ng kho[aá]n|trading"),
    ("newsletter", r"blog|newsletter|b[aả]n tin|magazine|t[aạ]p ch[ií]"),
    ("ai", r"\bai\b|chatbot|gpt"),
    ("developer", r"\bdev\b|code|git|devops|\bapi\b|sdk|hosting"),
    ("saas", r"crm|saas|workspace|project|cloud|task"),
)  # fmt: skip
_GUESS = re.compile("|".join(f"(?P<{category}>{words})" for category, words in _WORDS), re.IGNORECASE)


def guessed_category(*names: str) -> Category:
    """What kind of service it seems to be by its own names (sender's name, domain); "unknown" where they do not say.

    The words are tried by how much depends on them, not by their place in the name.
    """
    found = {match.lastgroup for name in names for match in _GUESS.finditer(name[:200])}
    return next((category for category, _ in _WORDS if category in found), "unknown")
