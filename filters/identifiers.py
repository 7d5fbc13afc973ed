"""identifiers: find personal data and passwords in every text of a mail, counted, and masked where they are shown.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. Only what is valid
counts: a number must have the right ranges and check digit, and a word beside it where the form alone is weak. No value
is kept: evidence shows where it stands and its first digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from filters._identifiers.credentials import Form, keys, passwords
from filters._identifiers.kinds import OF_A_PERSON, SENSITIVE, Kind
from filters._identifiers.personal import Hit, identifiers
from gateway.mail import Mail, belongs
from gateway.reading import Text, Zone
from gateway.verdict import Evidence, Finding

SHOWN = 5
"""Places that a finding shows of one kind; the count has them all."""

NOT_SEARCHED = frozenset({Zone.FILE_NAME, Zone.SENDER_NAME})



@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData(Finding):
    """Identifiers of one kind: one finding for each kind. `count` is how many different ones the mail holds,
    `sensitive` whether they are sensitive personal data (decree 356/2025/NĐ-CP article 4), `where` the zones they
    stand in."""

    code: ClassVar[str] = "personal_data"
    kind: Kind
    count: int
    sensitive: bool
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Persons(Finding):
    """About how many different persons the identifiers are of: the largest number of one kind that a person has one
    of. `kinds` names the kinds found."""

    code: ClassVar[str] = "persons"
    count: int
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Password(Finding):
    """Passwords told in the mail: one finding for each form. `form` is phrase (told in words) or list (a table of
    accounts), `count` how many, `where` the zones they stand in."""

    code: ClassVar[str] = "password"
    form: Form
    count: int
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Finding):
    """Private keys and access tokens: one finding for each service. `form` is private-key or token, `service` whose
    token it is ("pgp" for a PGP key, "" where nothing tells)."""

    code: ClassVar[str] = "key"
    form: Form
    service: str
    count: int
    where: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """What is known of one kind so far."""

    values: set[str] = field(default_factory=set)
    zones: set[str] = field(default_factory=set)
    evidence: list[Evidence] = field(default_factory=list)

    def add(self, text: Text, start: int, stop: int, value: str) -> None:
        self.zones.add(text.zone.value)
        if value not in self.values and len(self.evidence) < SHOWN:
            self.evidence.append(Evidence(text.place, start, _masked(text.content[start:stop])))
        self.values.add(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifiers:
    """Looks through every text of the mail and of its files for personal data, passwords and keys."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (PersonalData, Persons, Password, Key)
    READS: ClassVar[bool] = True

    own_addresses: bool = False
    """Whether addresses of the organisation itself count as personal data."""

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """One finding for each kind, then the number of persons, then passwords and keys."""
        found: dict[Kind, _Seen] = {}
        secrets: dict[tuple[Form, str], _Seen] = {}
        for text in mail.reading.texts:
            if text.zone in NOT_SEARCHED:
                continue
            for hit in identifiers(text, mail.received.year):
                if self._counts(hit, mail):
                    found.setdefault(hit.kind, _Seen()).add(text, hit.start, hit.stop, hit.value)
            for secret in (*passwords(text), *keys(text.content, text.coded)):
                value = text.content[secret.start : secret.stop]
                secrets.setdefault((secret.form, secret.service), _Seen()).add(text, secret.start, secret.stop, value)
        yield from _personal(found)
        for (form, service), seen in sorted(secrets.items()):
            where, evidence = tuple(sorted(seen.zones)), tuple(seen.evidence)
            count = len(seen.values)
            if form in ("phrase", "list"):
                yield Password(form=form, count=count, where=where, evidence=evidence)
            else:
                yield Key(form=form, service=service, count=count, where=where, evidence=evidence)

    def _counts(self, hit: Hit, mail: Mail) -> bool:
        return hit.kind is not Kind.EMAIL or self.own_addresses or not belongs(hit.value, mail.domains)


def _personal(found: dict[Kind, _Seen]) -> Iterator[Finding]:
    for kind, seen in sorted(found.items()):
        yield PersonalData(
            kind=kind,
            count=len(seen.values),
            sensitive=kind in SENSITIVE,
            where=tuple(sorted(seen.zones)),
            evidence=tuple(seen.evidence),
        )
    persons = max((len(found[kind].values) for kind in OF_A_PERSON if kind in found), default=0)
    if persons:
        yield Persons(count=persons, kinds=tuple(sorted(kind.value for kind in found)))


def _masked(value: str) -> str:
    """The first two characters and the length: enough to find the place, too little to use."""
    return value[:2] + "•" * min(max(len(value) - 2, 0), 20)
