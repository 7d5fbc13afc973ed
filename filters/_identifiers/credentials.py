"""Passwords, keys and tokens that a text gives away (control password-dlp)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ahocorasick_rs import BytesAhoCorasick

from gateway.reading import Text
from gateway.text.coding import coded
from gateway.text.phrases import Phrases

LIST_ROWS = 3
"""Rows of a table of accounts with passwords that make a list of credentials (control password-dlp)."""

MAX_ROWS = 5_000
"""Rows of tables that are looked at in one text."""

MAX_ROW = 2_000
"""Characters of a line that is read as a row of a table."""

_LABEL = (
    r"m[aậ]t[ \u00a0]*kh[aẩ]u|password|passwd|passphrase|pwd|pass(?=[ :=])|mk(?=[ :=])|mã[ ]pin|ma[ ]pin|pin[ ]code|"
    r"passcode"
)
_QUALIFIER = (
    r"(?:[ ]+(?:mới|tạm|tạm[ ]thời|mặc[ ]định|ban[ ]đầu|truy[ ]cập|đăng[ ]nhập|quản[ ]trị|wifi|wi-fi|e?-?mail|"
    r"hộp[ ]thư|hệ[ ]thống|tài[ ]khoản|giải[ ]nén|mở[ ]tệp|mở[ ]file|file|moi|tam|mac[ ]dinh|truy[ ]cap|dang[ ]nhap|"
    r"he[ ]thong|giai[ ]nen|của[ ]\w+|cua[ ]\w+|hiện[ ]tại|cũ|for[ ]\w+|to[ ]\w+|"
    r"chung|dùng[ ]chung|ban|phòng|sở|xã|đơn[ ]vị|cơ[ ]quan))*"
)
_SAID = re.compile(
    rf"(?:{_LABEL}){_QUALIFIER}[ ]*(?:(?:được[ ]đặt[ ])?là|la|is|was|[:：=]|->|→)+[ \t]*\n?[ \t]*"
    r"[\"“'‘`(\[]?(?P<value>(?!https?:)[^\s\"”'’`,;<>]{6,64})",
    re.IGNORECASE,
)
_LABELS = Phrases(
    (label, None)
    for label in (
        *("mật khẩu", "password", "passwd", "passphrase", "pwd", "pass", "mk", "mã pin", "pin code", "passcode"),
    )
)
_PLACEHOLDER = re.compile(
    r"[*•.xX#_\-?]{4,}|[{<\[%$].*[}>\]%]|.*\{\{.*|\$\w+|(?:https?|ftp)://.*|www\..*|.*@[\w-]+(?:\.[\w-]+)+", re.DOTALL
)
_HEADING = re.compile(r"(?:mat khau|password|pass|mk|pwd|passwd)(?: .{0,20})?")
_FIRST = ("M", "m", "P", "p")  # of a heading
_CELLS = re.compile(r"[ ]*[\t|;][ ]*|[ ]{3,}")

_KEY_BLOCK = re.compile(
    r"-----BEGIN (?P<what>(?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY|PGP PRIVATE KEY BLOCK)-----|"
    r"(?P<putty>PuTTY-User-Key-File-[123]:)"
)
@dataclass(frozen=True, slots=True)
class _Token:
    """A service's token: what every one of them holds (looked for first), what stands before that and how many
    characters it has at most, and the whole form as the service documents it."""

    service: str
    mark: bytes
    longest: int
    before: re.Pattern[str]
    form: re.Pattern[str]


_SCHEMES = r"(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqps?|mssql)"
_TOKENS = tuple(
    _Token(
        service,
        mark.encode(),
        longest,
        re.compile(rf"(?<![\w-]){before}\Z"),
        re.compile(rf"(?<![\w-]){before}{re.escape(mark)}{behind}(?![\w-])"),
    )
    for service, longest, before, mark, behind in (
        ("aws", 0, "", "AKIA", r"[0-9A-Z]{16}"),
        ("aws", 0, "", "ASIA", r"[0-9A-Z]{16}"),
        *(("github", 0, "", f"gh{kind}_", r"[A-Za-z0-9]{36,251}") for kind in "pousr"),
        ("github", 0, "", "github_pat_", r"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
        ("gitlab", 0, "", "glpat-", r"[\w-]{20,}"),
        ("slack", 0, "", "xox", r"[abeoprs]-[A-Za-z0-9-]{10,250}"),
        ("google", 0, "", "AIza", r"[\w-]{35}"),
        ("google", 0, "", "GOCSPX-", r"[\w-]{28}"),
        ("stripe", 2, "[rs]k", "_live_", r"[A-Za-z0-9]{24,99}"),
        ("sendgrid", 0, "", "SG.", r"[\w-]{22}\.[\w-]{43}"),
        ("npm", 0, "", "npm_", r"[A-Za-z0-9]{36}"),
        ("pypi", 0, "", "pypi-", r"AgE[\w-]{50,}"),
        ("telegram", 10, r"\d{8,10}", ":AA", r"[\w-]{33}"),
        ("hugging-face", 0, "", "hf_", r"[A-Za-z0-9]{34}"),
        ("openai", 0, "", "sk-", r"(?:proj-)?[A-Za-z0-9_-]{40,}"),
        ("digitalocean", 0, "", "dop_v1_", r"[0-9a-f]{64}"),
        ("azure", 0, "", "AccountKey=", r"[A-Za-z0-9+/]{86}=="),
        ("jwt", 0, "", "eyJ", r"[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
        ("database", len("mongodb+srv"), _SCHEMES, "://", r"[^\s:/@]+:[^\s@/]{3,}@[\w.-]+"),
    )
)
_MARKS = BytesAhoCorasick([token.mark for token in _TOKENS])


Form = Literal["phrase", "list", "private-key", "token"]
"""How it is given away: told in words, in a table, as a key, as a service's token."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that opens a door, and for a token whose it is."""

    form: Form
    start: int
    stop: int
    service: str = ""


def passwords(text: Text) -> Iterator[Secret]:
    """Passwords told in words ("Mật khẩu: ...") or in the columns of a table."""
    starts = [text.plain.origin[hit.start] for hit in _LABELS.search(text.plain)]
    if not starts:
        return
    for start in starts:
        said = _SAID.match(text.content, start)
        if said and _is_password(said["value"]):
            yield Secret("phrase", said.start("value"), said.end("value"))
    yield from _in_tables(text.content, sorted(starts))


def keys(text: str, data: bytes | None = None) -> Iterator[Secret]:
    """Private keys, and tokens of known services by their form. `data` is `coding.coded(text)`, where the caller has
    it."""
    data = coded(text) if data is None else data
    if b"-----BEGIN " in data or b"PuTTY-User-Key-File-" in data:
        for block in _KEY_BLOCK.finditer(text):
            yield Secret("private-key", block.start(), block.end(), "pgp" if "PGP" in block[0] else "")
    read = [0] * len(_TOKENS)  # up to where each kind was looked for
    for number, mark, stop in _MARKS.find_matches_as_indexes(data, overlapping=True):
        token = _TOKENS[number]
        before = token.before.search(text, max(mark - token.longest, read[number]), mark)
        if before and (found := token.form.match(text, before.start())):
            yield Secret("token", found.start(), found.end(), token.service)
            stop = found.end()
        read[number] = max(read[number], stop)


def _is_password(value: str) -> bool:
    """Three classes of characters, or eight characters with a digit: no word, no place-holder, no address, no date."""
    value = value.rstrip(".,;:!?)]”’")
    if len(value) < 6 or _PLACEHOLDER.fullmatch(value):
        return False
    classes = (
        any(character.islower() for character in value),
        any(character.isupper() for character in value),
        any(character.isdigit() for character in value),
        any(not character.isalnum() for character in value.strip("-./")),
    )
    if not classes[2] and not classes[3]:
        return False
    return sum(classes) >= 3 or (len(value) >= 8 and classes[2] and (classes[0] or classes[1])) or (
        len(value) >= 6 and value.isdigit()
    )


def _in_tables(text: str, labels: list[int]) -> Iterator[Secret]:
    """Rows under a heading cell "mật khẩu": the cells of that column. `labels` are where the word stands."""
    found: list[Secret] = []
    below = 0
    for label in labels:
        if label < below:  # on a line, or within a table, that is read already
            continue
        start = text.rfind("\n", 0, label) + 1
        below = _next_line(text, label)
        cells = _cells(text, start)
        headings = (index for index, cell in enumerate(cells) if _is_heading(cell))
        column = next(headings, None) if len(cells) > 1 else None
        if column is not None:
            rows, below = _column(text, below, column)
            found += rows
    if len(found) >= LIST_ROWS:
        yield from found
    else:
        yield from (Secret("phrase", one.start, one.stop) for one in found)


def _column(text: str, at: int, column: int) -> tuple[list[Secret], int]:
    """The passwords of a column from a row on, and where its table ends."""
    found: list[Secret] = []
    for _ in range(MAX_ROWS):
        cells = _cells(text, at)
        if at >= len(text) or (len(cells) <= column and cells != [""]):
            break
        value = cells[column].strip() if len(cells) > column else ""
        if " " not in value and _is_password(value):
            start = text.find(value, at)
            found.append(Secret("list", start, start + len(value)))
        at = _next_line(text, at)
    return found, at


def _cells(text: str, start: int) -> list[str]:
    stop = text.find("\n", start)
    line = text[start : len(text) if stop < 0 else stop]
    return _CELLS.split(line.strip("\r |")) if len(line) < MAX_ROW else []


def _next_line(text: str, at: int) -> int:
    stop = text.find("\n", at)
    return len(text) if stop < 0 else stop + 1


def _is_heading(cell: str) -> bool:
    return cell.lstrip()[:1] in _FIRST and _HEADING.fullmatch(_bare(cell)) is not None


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower()[:40])
    return " ".join("".join(one for one in decomposed if not unicodedata.combining(one)).split())
