"""Links as sign-up mail uses them: what a target is for, whether it holds a token, and how it may be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

TARGET_LIMIT = 2000
"""Characters of a target that are looked at."""

_ACTIONS = (
    ("reset", r"reset|passw|forgot|recover|lostpw|pwreset|mat-?khau|dat-?lai|khoi-?phuc|change-?pw|newpw|setpw"),
    (
        "unsubscribe",
        r"unsub|opt-?out|preferences|huy-?dang-?ky|abmeld|email-?settings|notification-?settings",
    ),
    ("invite", r"invit|/join|/accept|loi-?moi|referral"),
    (
        "verify",
        r"verif|confirm|activat|validat|xac-?nhan|xac-?minh|xac-?thuc|kich-?hoat|opt-?in|authorize-?email|"
        r"double-?opt|aktivier|bestaetig|email[-_]?auth|actkey|active-?account|activekey|oobcode",
    ),
    ("register", r"sign-?up|regist|enrol|dang-?ky|onboard|set-?up|getting-?started|create-?account|welcome"),
    ("login", r"log-?in|sign-?in|magic|passwordless|dang-?nhap|/sso|otp|one-?time|auth(?:/|\?|$)|session"),
)
_ACTION = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _ACTIONS))
_HOST = re.compile(r"https?://(?:[^/?#@\s]*@)?([^/?#:@\s]+)(?::\d+)?", re.IGNORECASE)
_NAMED = re.compile(
    r"[?&;#/](?:[a-z_.-]{0,40}(?:token|code|hash|signature|otp)|key|k|t|c|oob|sig|hmac|activation|confirm|verify|auth|"
    r"nonce|ticket|uid|id|h|jwt|secret|data|p|s|e|u)=[^&#]{6,}",
    re.IGNORECASE,
)
_RUN = re.compile(r"[A-Za-z0-9_\-.~%+=]{16,}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """A link's target, taken apart. `action` is verify, register, reset, login, invite, unsubscribe, or "" for none."""

    host: str
    action: str
    token: bool


def target(url: str) -> Target | None:
    """The target of a link on the web; None for others."""
    match = _HOST.match(url[:TARGET_LIMIT])
    if match is None:
        return None
    rest = url[match.end() : TARGET_LIMIT]
    action = _ACTION.search(rest.lower())
    return Target(match[1].lower().rstrip("."), (action.lastgroup or "") if action else "", _has_token(rest))


def masked(url: str) -> str:
    """The link as it may be kept: its host and the words of its path; what could be a token is left out."""
    match = _HOST.match(url[:TARGET_LIMIT])
    if match is None:
        return "link"
    path = url[match.end() : TARGET_LIMIT].partition("?")[0].partition("#")[0]
    words = [
        word if word.isascii() and word.replace("-", "").isalpha() and len(word) < 16 else "…"
        for word in path.split("/")[1:4]
        if word
    ]
    return "/".join([match[1].lower(), *words])


def _has_token(rest: str) -> bool:
    """True if a part of path, query or fragment looks made by a machine to be known by one person only."""
    if _NAMED.search(rest) or _UUID.search(rest):
        return True
    return any(_random(run) for run in _RUN.findall(rest))


def _random(run: str) -> bool:
    """Letters and digits mixed, or capitals in the middle: a title written as a path has neither."""
    digits = sum(map(str.isdigit, run))
    capitals = sum(map(str.isupper, run))
    hyphens = run.count("-") + run.count("_")
    return ((digits >= 3 and digits < len(run)) or capitals >= 4) and hyphens * 5 <= len(run)
