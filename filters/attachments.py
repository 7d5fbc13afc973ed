"""attachments: find files that run, hide what they are, are not what they say, or cannot be looked into, at any depth.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`, which judges what is
found. A sender chooses a file's name and declared type, and programs open it by either or by its bytes (RFC 2183
section 2.3: the name is a suggestion), so all three count. Files inside archives, documents and messages are files too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from gateway.mail import Mail
from gateway.mime import extensions
from gateway.mime.claims import contradicted
from gateway.mime.kinds import ARCHIVE_KINDS, EXECUTABLE_KINDS, SCRIPT_KINDS, encrypted
from gateway.mime.names import Trick, last_extensions, shown, tricks
from gateway.mime.names import extensions as all_extensions
from gateway.mime.parse import MESSAGES
from gateway.reading import File, Reason
from gateway.traits import Mark
from gateway.verdict import Evidence, Finding

By = Literal["bytes", "extension", "inner-extension"]

STANDARD_FORMATS = frozenset(
    "txt rtf docx pdf doc odt csv xlsx xls ods htm html pptx ppt odp jpg jpeg gif tif tiff png mpg mpeg mp4 mp3 aac asf"
    " wma wmv ra rm ram rmm avi mov qt zip gz p7s p7m asc sig eml ics vcf xml".split()
)
"""Circular 39/2017/TT-BTTTT, items 3.4 to 3.15 and 4.1 (S/MIME, OpenPGP), and what mail programs make (eml,
ics, vcf). Flash is left out although the circular recommends it: nothing runs it any more but malware."""

_MESSAGES = frozenset({"mail"})
_HOLDERS = ARCHIVE_KINDS | _MESSAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(Finding):
    """A file is attached: one finding for each. `name` is what a person sees, `extension` its last one, `media_type`
    what the sender declares, `kind` what the bytes are, `size` in bytes after decoding, `digest` the SHA-256 in hex,
    `part` the label of the part it came in, `place` where it is in it ("2/bao-cao.zip/a.docx"), `depth` how many files
    it is inside of (0: attached itself)."""

    code: ClassVar[str] = "attachment"
    name: str
    extension: str
    media_type: str
    kind: str
    size: int
    digest: str
    part: str
    place: str
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Executable(Attachment):
    """A program, or a file that starts one. `by` tells what shows it: bytes, extension, or inner-extension (one that
    is not the last; Windows does not run it, other systems and careless programs may)."""

    code: ClassVar[str] = "executable"
    by: By


@dataclass(frozen=True, slots=True, kw_only=True)
class Script(Attachment):
    """A text that an interpreter runs. `by` as for executable."""

    code: ClassVar[str] = "script"
    by: By


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleExtension(Attachment):
    """A name such as report.pdf.exe: `before` is the misleading extension, `extension` the one that counts."""

    code: ClassVar[str] = "double_extension"
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenName(Attachment):
    """A name that hides something. `trick`: bidi, control, zero-width, spaces, dots (look-alikes), stream (NTFS)."""

    code: ClassVar[str] = "hidden_name"
    trick: Trick


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeMismatch(Attachment):
    """The bytes are not what is said of them. `claim` is the extension or media type they contradict."""

    code: ClassVar[str] = "type_mismatch"
    claim: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive(Attachment):
    """A file that holds files: an archive or a disk image, by name or by bytes."""

    code: ClassVar[str] = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encrypted(Attachment):
    """A file that needs a password, or holds one that does."""

    code: ClassVar[str] = "encrypted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Active(Attachment):
    """A file with something in it that acts, or that its kind does not tell: one finding for each. `mark`: macro,
    auto-macro, xlm-macro, dde, remote-template, ole-object, javascript, launch, html-smuggling, shortcut, appended, ...
    (the list with its meanings is in `gateway/traits.py`)."""

    code: ClassVar[str] = "active"
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class NonstandardFormat(Attachment):
    """A file whose extension is not one of the State's formats (circular 39/2017/TT-BTTTT; the option `formats`)."""

    code: ClassVar[str] = "nonstandard_format"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uninspectable(Finding):
    """Something could not be looked at, which is never the same as having found nothing. `reason`: encrypted, too-big,
    too-deep, too-many, bomb, unsupported, corrupt, timed-out, crashed, fragment (message/partial), elsewhere
    (message/external-body); `part` and `place` as for attachment, `kind` the kind of the file, "" where it has none."""

    code: ClassVar[str] = "uninspectable"
    reason: Reason
    kind: str
    part: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(Finding):
    """All attached files together: how many (`count`), their bytes after decoding (`size`) and as they travel
    (`encoded`), and the files inside them (`inside`)."""

    code: ClassVar[str] = "total"
    count: int
    size: int
    encoded: int
    inside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed(Finding):
    """The message's form is odd, so that readers may disagree on what is in it. The words of `defect` are those of
    `gateway/mime/defects.py`; the `limit-...` ones mean that a part of the message was not looked at."""

    code: ClassVar[str] = "malformed"
    defect: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """Looks at every file of the mail and at every file inside one: names, declared type, bytes, and what is in it."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (
        *(Attachment, Executable, Script, DoubleExtension, HiddenName, TypeMismatch, Archive, Encrypted),
        *(Active, NonstandardFormat, Uninspectable, Total, Malformed),
    )
    READS: ClassVar[bool] = True

    extra_executable: frozenset[str] = frozenset()
    """Extensions, lower case without the dot, that count as executable beside those built in."""

    harmless: frozenset[str] = frozenset()
    """Extensions that are neither executable nor script here, whatever the built-in lists say."""

    formats: frozenset[str] = STANDARD_FORMATS
    """Extensions that are formats of the State's standards."""

    usual_defects: frozenset[str] = frozenset({"preamble", "epilogue"})
    """Defects that are not reported: older programs and mailing lists make them every day."""

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """Findings on the form, then file by file, then what could not be looked at, the total last."""
        for part in mail.root.walk():
            for defect in part.defects:
                if defect not in self.usual_defects:
                    yield Malformed(defect=defect, part=part.label)
        reading = mail.reading
        kinds = {file.place: file.kind for file in reading.files}
        bodies = {part.label: len(part.body) for part in mail.root.walk()}
        count = size = encoded = 0
        for message in _enclosed_messages(mail):
            yield from self._judged(message, kinds)
        for file in reading.files:
            if not _shown(file, kinds):
                continue
            yield from self._judged(file, kinds)
            if file.depth == 0:
                count, size = count + 1, size + file.size
                encoded += bodies.get(_part_of(file.place), file.size)
        for blind in reading.blind:
            yield Uninspectable(
                reason=blind.reason,
                kind=kinds.get(blind.place, ""),
                part=_part_of(blind.place),
                place=blind.place,
                detail=blind.detail,
                evidence=(Evidence(_part_of(blind.place), 0, blind.reason.value),),
            )
        locked = {blind.place for blind in reading.blind if blind.reason is Reason.ENCRYPTED}
        for file in reading.files:
            if file.place in locked or encrypted(file.start, file.kind):
                yield Encrypted(**_facts(file))
        if count:
            yield Total(count=count, size=size, encoded=encoded, inside=len(reading.files) - count)

    def _judged(self, file: File, kinds: Mapping[str, str]) -> Iterator[Finding]:
        last = last_extensions(file.names)
        inner = frozenset(one for name in file.names for one in all_extensions(name)).difference(last)
        by_name: dict[str, Any] = _facts(file)
        by_bytes = by_name | {"evidence": (_evidence(file, file.start),)}
        yield Attachment(**by_name)
        executable = (extensions.EXECUTABLE | self.extra_executable) - self.harmless
        script = extensions.SCRIPT - self.harmless
        for finding, risky, risky_kinds in (
            (Executable, executable, EXECUTABLE_KINDS),
            (Script, script, SCRIPT_KINDS),
        ):
            if file.kind in risky_kinds:
                yield finding(**by_bytes, by="bytes")
            for extension in sorted(risky.intersection(last)):
                yield finding(**by_name | {"extension": extension, "by": "extension"})
            for extension in sorted(risky & inner):
                yield finding(**by_name | {"extension": extension, "by": "inner-extension"})
        if risky_last := sorted((executable | script).intersection(last)):
            for before in sorted(extensions.INNER & inner):
                yield DoubleExtension(**by_name | {"extension": risky_last[0], "before": before})
        for trick in sorted({trick for name in file.names for trick in tricks(name)}):
            yield HiddenName(**by_name, trick=trick)
        if file.kind in ARCHIVE_KINDS or extensions.ARCHIVE.intersection(last):
            yield Archive(**by_bytes)
        for trait in file.traits:
            yield Active(**by_name | {"detail": trait.detail}, mark=Mark(trait.word))
        if _in_sight(file, kinds):
            for claim in contradicted(file.kind, [*last, *([file.media_type] if file.media_type else [])]):
                yield TypeMismatch(**by_bytes, claim=claim)
            if last and not self.formats.intersection(last):
                yield NonstandardFormat(**by_name)


def _enclosed_messages(mail: Mail) -> Iterator[File]:
    """Messages that are attached as files; the parts of each are listed by themselves, and counted there."""
    for part in mail.root.walk():
        if part.children and part.media_type in MESSAGES and (part.names or part.disposition == "attachment"):
            yield File(
                place=part.label, names=part.names, kind="mail", media_type=part.media_type, size=len(part.body)
            )


def _shown(file: File, kinds: Mapping[str, str]) -> bool:
    """False for what nobody sees as a file, unless there is something about it: the parts of an Office file, and texts
    without a name (a long letter, the lines before the first boundary)."""
    if file.kind in EXECUTABLE_KINDS | SCRIPT_KINDS | ARCHIVE_KINDS or file.traits:
        return True
    return _in_sight(file, kinds) and (bool(file.names) or file.kind not in ("text", "html", "empty"))


def _in_sight(file: File, kinds: Mapping[str, str]) -> bool:
    """True for what a person sees as a file: attached, or in an archive or message; not a part of a document."""
    if file.depth == 0:
        return True
    holder = file.place
    while "/" in holder:
        holder = holder.rpartition("/")[0]
        if holder in kinds:
            return kinds[holder] in _HOLDERS
    return True


def _facts(file: File) -> dict[str, Any]:
    name = shown(file.names[0]) if file.names else ""
    last = last_extensions(file.names)
    return {
        "name": name,
        "extension": last[0] if last else "",
        "media_type": file.media_type,
        "kind": file.kind,
        "size": file.size,
        "digest": file.digest,
        "part": _part_of(file.place),
        "place": file.place,
        "depth": file.depth,
        "evidence": (_evidence(file, "".join(file.names[:1])),),
    }


def _part_of(place: str) -> str:
    return place.partition("/")[0]


def _evidence(file: File, seen: str | bytes) -> Evidence:
    return Evidence(_part_of(file.place), 0, ascii(seen[:80]))
