"""Addresses that a document gives as its agency's own: on contact lines, not among addressees or cited parties."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from filters._composed import composed
from gateway.text.addresses import mail_addresses

PRIVATE_PROVIDERS = frozenset(
    (
        "gmail.com googlemail.com yahoo.com yahoo.com.vn yahoo.co.uk yahoo.fr ymail.com rocketmail.com myyahoo.com "
        "hotmail.com hotmail.com.vn hotmail.fr hotmail.co.uk outlook.com outlook.com.vn outlook.fr live.com "
        "live.com.vn msn.com passport.com icloud.com me.com mac.com aol.com aim.com gmx.com gmx.net gmx.de web.de "
        "mail.com email.com proton.me protonmail.com pm.me tutanota.com tuta.io zoho.com zohomail.com yandex.com "
        "yandex.ru ya.ru mail.ru inbox.ru list.ru bk.ru rambler.ru qq.com foxmail.com 163.com 126.com yeah.net "
        "sina.com sohu.com naver.com hanmail.net daum.net fastmail.com hushmail.com mailbox.org posteo.de "
        "laposte.net orange.fr free.fr t-online.de zing.vn vnn.vn hcm.vnn.vn hn.vnn.vn dng.vnn.vn fpt.vn "
        "saigonnet.vn walla.com rediffmail.com comcast.net att.net verizon.net duck.com hey.com skiff.com"
    ).split()
)
"""Providers where anybody opens a mailbox of his own (binhphuoc-2006/11.2 names yahoo and hotmail, khanhhoa-2021/8.3a
gmail; the rest by the same measure). The old vnn.vn mailboxes were sold to private persons and offices alike."""

MAX_ADDRESSES = 1_000
"""Addresses of one document that are looked at."""

_OWN = re.compile(
    r"e-?mail|thư[ ]điện[ ]tử|hộp[ ]thư|liên[ ]hệ|địa[ ]chỉ[ ]thư|"
    r"(?:gửi|phản[ ]hồi|xác[ ]nhận|đăng[ ]ký|góp[ ]ý|nộp)[^\n]{0,60}(?:về|qua|tới|đến)|"
    r"\bĐT\b|điện[ ]thoại|tel|website|fax|contact",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"kính[ ]gửi|nơi[ ]nhận|nhà[ ]thầu|công[ ]ty|doanh[ ]nghiệp|liên[ ]danh|đơn[ ]vị[ ]dự[ ]thầu|ông[ ]|bà[ ]|"
    r"công[ ]dân|thí[ ]sinh|học[ ]viên|đại[ ]biểu|người[ ]nộp|khách[ ]mời",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Contact:
    """An address given as the document's own contact, its domain in lower case, and where it stands."""

    address: str
    domain: str
    at: int


def own_contacts(text: str) -> Iterator[Contact]:
    """The addresses on lines that say how to reach the writer (khanhhoa-2021/2.2b). Tables have many cells in a line:
    a line that names another party is not the writer's."""
    for found in islice(mail_addresses(text), MAX_ADDRESSES):
        start = text.rfind("\n", 0, found.start) + 1
        line = composed(text[max(start, found.start - 200) : found.start])
        before = composed(text[text.rfind("\n", 0, max(start - 1, 0)) + 1 : start][-200:])
        if _OWN.search(line) and not _OTHERS.search(line) and not re.search(r"nơi[ ]nhận", before, re.IGNORECASE):
            yield Contact(text[found.start : found.stop], text[found.domain : found.stop].lower(), found.start)
