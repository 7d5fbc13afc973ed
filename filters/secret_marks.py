"""secret_marks: find the markings of State secrets (MẬT, TỐI MẬT, TUYỆT MẬT) in every text and name of a mail.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. A marked document must
not be sent, nor kept on any machine of the network (law 117/2025/QH15 article 5): policies refuse such mail and store
nothing of it (`no_store`). Hence evidence shows the mark itself and not a word beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from filters._secret_marks.levels import Level
from filters._secret_marks.marks import Form, marks
from filters._secret_marks.names import marks_in_name
from filters._secret_marks.stamps import AuxiliaryKind, auxiliary_stamps, declassified
from gateway.mail import Mail
from gateway.reading import Zone
from gateway.verdict import Evidence, Finding

NOT_READ = frozenset({Zone.SENDER_NAME})
"""People are called Mật."""

LevelWord = Literal["mật", "tối mật", "tuyệt mật"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking(Finding):
    """A marking of secrecy. `level` is mật, tối mật or tuyệt mật; `form` how it stands there: stamp (alone on its line
    or in its cell), bracket ("[MẬT]", "05-BC/TU (MẬT)"), label ("Độ mật: Mật"), prefix (before a subject), property
    (of a document), file-name; `zone` where (subject, body, attachment, page-header, file-name, ...)."""

    code: ClassVar[str] = "marking"
    level: LevelWord
    form: Form
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Auxiliary(Finding):
    """Another stamp of secret papers (circular 24/2020/TT-BCA), which alone does not say how secret. `kind`:
    addressee-only, copy, recall, raised, lowered, extended."""

    code: ClassVar[str] = "auxiliary"
    kind: AuxiliaryKind
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declassified(Finding):
    """The stamp "GIẢI MẬT": was secret, is marked as no longer so. For a person to look at."""

    code: ClassVar[str] = "declassified"
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretMarks:
    """Looks at every text, file name and document property for markings of State secrets."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Marking, Auxiliary, Declassified)
    READS: ClassVar[bool] = True

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """One finding for each level, form and zone; each place once."""
        seen: set[tuple[object, ...]] = set()
        for finding in self._all(mail):
            key = (type(finding), *finding.facts().values(), *(one.part for one in finding.evidence))
            if key not in seen:
                seen.add(key)
                yield finding

    @staticmethod
    def _all(mail: Mail) -> Iterator[Finding]:
        for text in mail.reading.texts:
            if text.zone in NOT_READ:
                continue
            if text.zone is Zone.FILE_NAME:
                yield from _named(text.content, text.place)
                continue
            for mark in marks(text):
                yield _marking(mark.level, mark.form, text.zone, text.place, mark.at)
            for kind, at in auxiliary_stamps(text):
                yield Auxiliary(kind=kind, zone=text.zone.value, evidence=(Evidence(text.place, at, kind),))
            for at in declassified(text):
                yield Declassified(zone=text.zone.value, evidence=(Evidence(text.place, at, "GIẢI MẬT"),))
        for file in mail.reading.files:
            for name in file.names:
                yield from _named(name, file.place)


def _named(name: str, place: str) -> Iterator[Finding]:
    for level, at in marks_in_name(name):
        yield _marking(level, "file-name", Zone.FILE_NAME, place, at)


def _marking(level: Level, form: Form, zone: Zone, place: str, at: int) -> Finding:
    # A place holds file names, and of a marked document even the name may say too much.
    where = Evidence(place.partition("/")[0], at, level.value.upper())
    return Marking(level=level.value, form=form, zone=zone.value, evidence=(where,))
