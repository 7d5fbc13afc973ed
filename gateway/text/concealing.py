"""Subjects as they may be remembered: services write one-time codes into them, and a code is kept nowhere (regulations
2.1). The mail itself has it; lists, trails and notices do not."""

from __future__ import annotations

import re

CONCEALED = "••••"

_NAMED = re.compile(
    r"\bm[ãa] (?:x[áa]c (?:nh[ậa]n|minh|th[ựu]c)|otp|k[íi]ch ho[ạa]t|b[ảa]o m[ậa]t|[đd][ăa]ng nh[ậa]p)"
    r"|\botp\b|\bcodes?\b"
    r"|passcode|one.time|\bpin\b|código|bestätigungscode|sicherheitscode|einmalcode|\bкод\b"
    r"|验证码|驗證碼|校验码|コード|認証番号|인증|코드",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?<![\w/.-])(?:[a-z]{1,2}-)?(?:\d{4,8}|\d{3}[ -]\d{3}|(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{5,10}"
    r"|(?=[a-z\d-]*\d)[a-z\d]{3,5}-[a-z\d]{3,5})(?![\w/]|\.\d)",
    re.IGNORECASE,
)


def without_codes(subject: str) -> str:
    """The subject, its codes concealed where it speaks of one."""
    return _CODE.sub(CONCEALED, subject) if _NAMED.search(subject) else subject
