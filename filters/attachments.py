"""attachments: find attached files that run, hide what they are, or are not what they say.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`, which judges what is
found. A sender chooses a file's name and declared type, and programs open it by either or by its bytes (RFC 2183
section 2.3: the name is a suggestion), so all three count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from gateway.mail import Mail
from gateway.mime import extensions
from gateway.mime.claims import contradicted
from gateway.mime.files import File, files
from gateway.mime.kinds import ARCHIVE_KINDS, EXECUTABLE_KINDS, SCRIPT_KINDS, encrypted
from gateway.mime.names import Trick, tricks
from gateway.verdict import Evidence, Finding

By = Literal["bytes", "extension", "inner-extension"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(Finding):
    """A file is attached: one finding for each. `name` is what a person sees, `extension` its last one, `media_type`
    what the sender declares, `kind` what the bytes are, `size` in bytes after decoding."""

    code: ClassVar[str] = "attachment"
    name: str
    extension: str
    media_type: str
    kind: str
    size: int
    part: str


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
    """A file that needs a password, as far as its first bytes tell."""

    code: ClassVar[str] = "encrypted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Total(Finding):
    """All attached files together: how many (`count`), and their bytes after decoding (`size`)."""

    code: ClassVar[str] = "total"
    count: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed(Finding):
    """The message's form is odd, so that readers may disagree on what is in it. The words of `defect` are those of
    `gateway/mime/defects.py`; the `limit-...` ones mean that a part of the message was not looked at."""

    code: ClassVar[str] = "malformed"
    defect: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """Looks at every attached file: its names, its declared type and its first 64 kB."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (
        *(Attachment, Executable, Script, DoubleExtension, HiddenName),
        *(TypeMismatch, Archive, Encrypted, Total, Malformed),
    )

    extra_executable: frozenset[str] = frozenset()
    """Extensions, lower case without the dot, that count as executable beside those built in."""

    harmless: frozenset[str] = frozenset()
    """Extensions that are neither executable nor script here, whatever the built-in lists say."""

    usual_defects: frozenset[str] = frozenset({"preamble", "epilogue"})
    """Defects that are not reported: older programs and mailing lists make them every day."""

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """Findings on the form, then file by file, the total last. Raises Unavailable where libmagic fails."""
        parts = mail.root.walk()
        for part in parts:
            for defect in part.defects:
                if defect not in self.usual_defects:
                    yield Malformed(defect=defect, part=part.label)
        count = size = 0
        for file in files(mail.raw, parts):
            yield from self._judged(file)
            if file.whole:
                count, size = count + 1, size + file.part.size
        if count:
            yield Total(count=count, size=size)

    def _judged(self, file: File) -> Iterator[Finding]:
        names, last = file.part.names, set(file.last)
        by_name: dict[str, Any] = {**file.facts(), "evidence": (_evidence(file, "".join(names[:1])),)}
        by_bytes = by_name | {"evidence": (_evidence(file, file.start),)}
        yield Attachment(**by_name)
        executable = (extensions.EXECUTABLE | self.extra_executable) - self.harmless
        script = extensions.SCRIPT - self.harmless
        for finding, risky, kinds in ((Executable, executable, EXECUTABLE_KINDS), (Script, script, SCRIPT_KINDS)):
            if file.kind in kinds:
                yield finding(**by_bytes, by="bytes")
            for extension in sorted(risky & last):
                yield finding(**by_name | {"extension": extension, "by": "extension"})
            for extension in sorted(risky & file.inner):
                yield finding(**by_name | {"extension": extension, "by": "inner-extension"})
        if risky_last := sorted((executable | script) & last):
            for before in sorted(extensions.INNER & file.inner):
                yield DoubleExtension(**by_name | {"extension": risky_last[0], "before": before})
        for trick in sorted({trick for name in names for trick in tricks(name)}):
            yield HiddenName(**by_name, trick=trick)
        if file.kind in ARCHIVE_KINDS or extensions.ARCHIVE & last:
            yield Archive(**by_bytes)
        if encrypted(file.start, file.kind):
            yield Encrypted(**by_bytes)
        for claim in contradicted(file.kind, file.claims()) if file.whole else []:
            yield TypeMismatch(**by_bytes, claim=claim)


def _evidence(file: File, seen: str | bytes) -> Evidence:
    return Evidence(file.part.label, 0, ascii(seen[:80]))
