"""Passwords, keys and tokens that a text gives away (control password-dlp)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gateway.reading import Text
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
_CELLS = re.compile(r"[ ]*[\t|;][ ]*|[ ]{3,}")

_KEY_BLOCK = re.compile(
    r"-----BEGIN (?P<what>(?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY|PGP PRIVATE KEY BLOCK)-----|"
    r"(?P<putty>PuTTY-User-Key-File-[123]:)"
)
_TOKENS: tuple[tuple[str, str, str], ...] = (
    # service, what every one of its tokens holds (looked for first), the whole form as the service documents it
    ("aws", "AKIA", r"AKIA[0-9A-Z]{16}"),
    ("aws", "ASIA", r"ASIA[0-9A-Z]{16}"),
    *(("github", f"gh{kind}_", rf"gh{kind}_[A-Za-z0-9]{{36,251}}") for kind in "pousr"),
    ("github", "github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ("gitlab", "glpat-", r"glpat-[\w-]{20,}"),
    ("slack", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    ("google", "AIza", r"AIza[\w-]{35}"),
    ("google", "GOCSPX-", r"GOCSPX-[\w-]{28}"),
    ("stripe", "_live_", r"[rs]k_live_[A-Za-z0-9]{24,99}"),
    ("sendgrid", "SG.", r"SG\.[\w-]{22}\.[\w-]{43}"),
    ("npm", "npm_", r"npm_[A-Za-z0-9]{36}"),
    ("pypi", "pypi-", r"pypi-AgE[\w-]{50,}"),
    ("telegram", ":AA", r"\d{8,10}:AA[\w-]{33}"),
    ("hugging-face", "hf_", r"hf_[A-Za-z0-9]{34}"),
    ("openai", "sk-", r"sk-(?:proj-)?[A-Za-z0-9_-]{40,}"),
    ("digitalocean", "dop_v1_", r"dop_v1_[0-9a-f]{64}"),
    ("azure", "AccountKey=", r"AccountKey=[A-Za-z0-9+/]{86}=="),
    ("jwt", "eyJ", r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    ("database", "://", r"(?:postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqps?|mssql)://[^\s:/@]+:[^\s@/]{3,}@[\w.-]+"),
)
_COMPILED = tuple((name, mark, re.compile(rf"(?<![\w-])(?:{form})(?![\w-])")) for name, mark, form in _TOKENS)


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
    starts = [text.plain.original(hit.start, hit.stop)[0] for hit in _LABELS.search(text.plain)]
    if not starts:
        return
    for start in starts:
        said = _SAID.match(text.content, start)
        if said and _is_password(said["value"]):
            yield Secret("phrase", said.start("value"), said.end("value"))
    yield from _in_tables(text.content, sorted(starts))


def keys(text: str) -> Iterator[Secret]:
    """Private keys, and tokens of known services by their form."""
    if "-----BEGIN " in text or "PuTTY-User-Key-File-" in text:
        for block in _KEY_BLOCK.finditer(text):
            yield Secret("private-key", block.start(), block.end(), "pgp" if "PGP" in block[0] else "")
    for service, mark, form in _COMPILED:
        if mark in text:
            yield from (Secret("token", found.start(), found.end(), service) for found in form.finditer(text))


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
        start = text.rfind("\n", 0, label) + 1
        if start < below:  # within a table that is read already
            continue
        cells = _cells(text, start)
        column = next((index for index, cell in enumerate(cells) if _HEADING.fullmatch(_bare(cell))), None)
        if column is not None and len(cells) > 1:
            rows, below = _column(text, _next_line(text, start), column)
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


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower()[:40])
    return " ".join("".join(one for one in decomposed if not unicodedata.combining(one)).split())
