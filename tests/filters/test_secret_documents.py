"""Two thousand documents with and without a marking, in real files and twelve writings: none missed, none false."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

from filters.secret_marks import Marking, SecretMarks
from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.mail import Client, Envelope, Mail
from gateway.mime.parse import parse
from tests.filters import writings
from tests.filters.carriers import CARRIERS, letter

LEVELS = {"MẬT": "mật", "TỐI MẬT": "tối mật", "TUYỆT MẬT": "tuyệt mật"}

LETTERHEAD = (
    "UBND TỈNH X\tCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nSỞ NỘI VỤ\tĐộc lập - Tự do - Hạnh phúc\nSố: {number}/BC-SNV"
)

FORMS: dict[str, Callable[[str, int], str]] = {
    "stamp": lambda mark, n: f"{LETTERHEAD.format(number=n)}\n{mark}\nBÁO CÁO\n",
    "stamp above the number": lambda mark, n: f"UBND TỈNH X\n{mark}\nSố: {n}/BC-UBND\nBÁO CÁO\n",
    "boxed": lambda mark, n: f"{LETTERHEAD.format(number=n)}\n[ {mark} ]\nBÁO CÁO\n",
    "behind the number": lambda mark, n: f"{LETTERHEAD.format(number=n)} ({mark})\nBÁO CÁO\n",
    "label": lambda mark, n: f"{LETTERHEAD.format(number=n)}\nĐộ mật: {mark}\nBÁO CÁO\n",
    "with urgency": lambda mark, n: f"{LETTERHEAD.format(number=n)}\n{mark} - KHẨN\nBÁO CÁO\n",
}

BODIES = (
    "Thực hiện kế hoạch công tác năm, Sở báo cáo kết quả sáu tháng đầu năm như sau.\nNơi nhận: như trên",
    "Đề nghị các đơn vị rà soát mật khẩu, chính sách bảo mật và danh sách cán bộ.\nCHÁNH VĂN PHÒNG",
    "Mật độ dân số của xã tăng; mô hình nuôi ong lấy mật cho thu nhập khá.\nGIÁM ĐỐC",
    "Tổ chức tập huấn Luật Bảo vệ bí mật nhà nước: ba độ mật là Tuyệt mật, Tối mật và Mật.\nTM. ỦY BAN",
)

AS_TEXT: dict[str, Callable[[str], str]] = {
    "composed": str,
    "decomposed": writings.decomposed,
    "zero-width": writings.zero_width,
    "look-alikes": writings.look_alikes,
    "without diacritics": writings.bare,
}

AS_BYTES: dict[str, tuple[Callable[[str], bytes], str]] = {
    "TCVN3": (writings.in_bytes("tcvn3"), "x-viet-tcvn3"),
    "VNI": (writings.in_bytes("vni"), "iso-8859-1"),
    "VISCII": (writings.in_bytes("viscii"), "viscii"),
    "VPS": (writings.in_bytes("vps"), "x-viet-vps"),
    "Windows-1258": (writings.cp1258, "windows-1258"),
    "VIQR": (lambda text: writings.viqr(text).encode(), "viqr"),
    "unlabelled UTF-16": (lambda text: text.encode("utf-16"), "us-ascii"),
}


def documents() -> Iterator[tuple[str, bytes, str | None]]:
    """Each document in a mail: what it is, its bytes, and the level it bears."""
    number = 0
    for (carrier, (make, media_type, name)), (writing, write) in product(CARRIERS.items(), AS_TEXT.items()):
        for (mark, level), (form, put) in product(LEVELS.items(), FORMS.items()):
            for body in BODIES[:3]:
                number += 1
                text = write(put(mark, number) + body)
                yield f"{level}: {form}, {writing}, {carrier}", letter(make(text), media_type, name), level
        for form, put in FORMS.items():
            for body in BODIES:
                number += 1
                text = write(put("", number).replace("()", "").replace("[  ]", "").replace(" - KHẨN", "KHẨN") + body)
                yield f"unmarked: {form}, {writing}, {carrier}", letter(make(text), media_type, name), None
    for (writing, (encode, charset)), (mark, level) in product(AS_BYTES.items(), LEVELS.items()):
        for (form, put), body in product(FORMS.items(), BODIES[:2]):
            number += 1
            kind = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit"
            head = f"Subject: x\r\n{kind}\r\n\r\n"
            yield f"{level}: {form}, {writing}", head.encode() + encode(put(mark, number) + body), level


async def judged(raw: bytes, opener: Opener) -> set[str]:
    mail = Mail(
        id="1",
        listener="x",
        received=datetime(2026, 3, 1, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("a@x.gov.vn"),
        inside=True,
        raw=raw,
        root=parse(raw),
    )
    opened = await opener.open(mail, deadline=asyncio.get_running_loop().time() + 60)
    return {one.level for one in SecretMarks().inspect(replace(mail, opened=opened)) if isinstance(one, Marking)}


async def test_every_marked_document_is_found_and_no_other() -> None:
    missed, false, marked, unmarked = [], [], 0, 0
    async with Opener(FileReading()) as opener:
        for what, raw, level in documents():
            found = await judged(raw, opener)
            if level is None:
                unmarked += 1
                false += [what] * bool(found)
            else:
                marked += 1
                missed += [what] * (level not in found)
    assert marked + unmarked >= 2_000
    assert false == []
    assert len(missed) <= marked // 100, missed
