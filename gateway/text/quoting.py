"""A body in passages: what its sender wrote, and what he quotes, forwards or signs with. And text in `format=flowed`.

Programs mark these by habit only; the habits known here are those of the common programs, in Vietnamese and English
and, for the line that introduces a reply, a few languages more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter

LONGEST_SIGNATURE = 15
"""Lines of a signature; what is longer is text."""

LONGEST_INTRODUCTION = 400
"""Characters of the line, or two, that introduce a reply."""

FEWEST_FIELDS = 3
"""Lines such as "From: ..." in a row that make a header pasted by a program."""


class Role(StrEnum):
    """What a passage is to the message."""

    OWN = "own"
    QUOTED = "quoted"
    FORWARDED = "forwarded"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Passage:
    """The characters `start` to `stop` (not included) of a body, whole lines."""

    role: Role
    start: int
    stop: int


_QUOTED = re.compile(r"[ \t]{0,3}(?:>|\|[ \t]*>)")
_INTRODUCES = re.compile(
    r"(?:(?:vào|on|le|am|el|il|em|op|w dniu|den|lúc)\b.*(?:đã viết|viết|wrote|writes|a écrit|schrieb|escribió|"
    r"ha scritto|escreveu|schreef|napisał\S*|skrev)|"
    r".{1,120}<[^<>]{3,120}>\s*(?:đã viết|viết|wrote|a écrit|schrieb))\s?:\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_MAY_INTRODUCE = re.compile(r"(?:vào|on|le|am|el|il|em|op|w dniu|den|lúc)\b|.*[<>]", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"\W{0,3}-{2,}\W{0,3}(?:original (?:message|appointment)|thư gốc|tin nhắn gốc|message d'origine|"
    r"ursprüngliche nachricht|mensaje original)\W{0,3}-{2,}\W{0,3}\Z",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"\W{0,3}-{2,}\W{0,3}(?:forwarded message|forwarded by\b.{0,200}|thư (?:đã |được )?chuyển tiếp|"
    r"tin nhắn đã chuyển tiếp|message transféré|weitergeleitete nachricht)\W{0,3}-{0,40}\W{0,3}\Z|"
    r"begin forwarded message:\Z|"
    r"bắt đầu (?:thư|tin nhắn) (?:được |đã )?chuyển tiếp:\Z",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"[*_ \t]{0,3}(?:from|sent|date|to|cc|subject|importance|reply-to|từ|người gửi|đã gửi|gửi|ngày|thời gian|đến|tới|"
    r"người nhận|chủ đề|tiêu đề|đồng gửi)[*_ \t]{0,3}:",
    re.IGNORECASE,
)
_CUT = re.compile(r"--[ \u00a0]?\Z|__{9,}\Z")
_CLOSING = re.compile(
    r"(?:trân trọng(?: (?:cảm ơn|cám ơn|kính chào|kính báo))?|kính thư|kính báo|thân ái|thân mến|"
    r"(?:best |kind |warm )?regards|sincerely(?: yours)?|yours (?:sincerely|faithfully|truly))[\s,.!/-]*\Z|"
    r"(?:sent from my|gửi từ|đã gửi từ) (?:iphone|ipad|android|samsung|outlook|điện thoại|thư|yahoo|mail)\b.{0,80}\Z",
    re.IGNORECASE,
)


def passages(body: str) -> tuple[Passage, ...]:
    """The passages of a body, in order, which are all of it. Linear; never raises."""
    lines = body.split("\n")
    found: list[Passage] = []
    at = 0
    with_roles = zip(_roles([line.strip() for line in lines]), lines, strict=True)
    for role, group in groupby(with_roles, key=itemgetter(0)):
        length = sum(len(line) + 1 for _, line in group)
        if at < len(body) or not found:  # behind the last line break there is nothing
            found.append(Passage(role, at, min(at + length, len(body))))
        at += length
    return tuple(found)


def own_words(body: str) -> str:
    """What the sender wrote himself, without quotations and signature."""
    return "".join(body[each.start : each.stop] for each in passages(body) if each.role is Role.OWN)


def unflowed(text: str, *, delete_space: bool = False) -> str:
    """Text in `format=flowed` with each paragraph in one line (RFC 3676 section 4.2); `delete_space` is its parameter
    `delsp=yes`. Quotation marks stay where a paragraph begins."""
    paragraphs: list[list[str]] = []
    depth_before, flows = -1, False
    for line in text.split("\n"):
        words = line.lstrip(">")
        depth, words = len(line) - len(words), words.removeprefix(" ")
        if flows and depth == depth_before and words != "-- ":
            paragraphs[-1].append(words)
        else:
            paragraphs.append([f"{'>' * depth} {words}" if depth else words])
        flows, depth_before = words.endswith(" ") and words != "-- ", depth
        if flows and delete_space:
            paragraphs[-1][-1] = paragraphs[-1][-1][:-1]
    return "\n".join("".join(pieces) for pieces in paragraphs)


def _roles(lines: list[str]) -> list[Role]:
    """The role of each line. The lines are without white space around."""
    roles: list[Role] = []
    while len(roles) < len(lines):
        at = len(roles)
        line = lines[at]
        if _QUOTED.match(line):
            roles.append(Role.QUOTED)
        elif rest := _rest(lines, at):
            roles += [rest] * (len(lines) - at)
        elif introduction := _introduction(lines, at):
            following = next((each for each in lines[at + introduction :][:3] if each), "")
            length = introduction if _QUOTED.match(following) else len(lines) - at
            roles += [Role.QUOTED] * length
        else:
            roles.append(Role.OWN)
    return _signed(lines, roles)


def _rest(lines: list[str], at: int) -> Role | None:
    """What all that follows is, if a program's mark says so here."""
    line = lines[at]
    if not line or len(line) > LONGEST_INTRODUCTION or (line[0] not in "-*_" and not line[0].isalpha()):
        return None
    if _FORWARDED.match(line):
        return Role.FORWARDED
    pasted = at + (line.startswith("_____"))
    if _ORIGINAL.match(line) or all(map(_FIELD.match, lines[pasted : pasted + FEWEST_FIELDS] or [""])):
        return Role.QUOTED if len(lines) - pasted >= FEWEST_FIELDS else None
    return None


def _introduction(lines: list[str], at: int) -> int:
    """How many lines from here introduce a reply: one, or two where a program broke it; or none."""
    if not _MAY_INTRODUCE.match(lines[at][:LONGEST_INTRODUCTION]):
        return 0
    for count in (1, 2):
        joined = " ".join(lines[at : at + count])
        if len(joined) <= LONGEST_INTRODUCTION and _INTRODUCES.match(joined):
            return count
    return 0


def _signed(lines: list[str], roles: list[Role]) -> list[Role]:
    """The roles, with the ends of what is the sender's own that are a signature."""
    stop = len(roles)
    while stop:
        role = roles[stop - 1]
        start = stop
        while start and roles[start - 1] is role:
            start -= 1
        if role is Role.OWN:
            first = _signature(lines, start, stop)
            roles[first:stop] = [Role.SIGNATURE] * (stop - first)
        stop = start
    return roles


def _signature(lines: list[str], start: int, stop: int) -> int:
    """Where the signature begins among these lines, or their end."""
    left, found = LONGEST_SIGNATURE, stop
    for at in range(stop - 1, start - 1, -1):
        if _CUT.match(lines[at]):
            return at
        if _CLOSING.match(lines[at]):
            found = at
        left -= bool(lines[at])
        if not left:
            break
    return found
