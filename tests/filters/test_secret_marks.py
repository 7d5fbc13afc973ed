"""The filter `secret_marks`: what is a marking, and the many words that merely look like one."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._secret_marks.marks import marks
from filters._secret_marks.names import marks_in_name
from filters.secret_marks import Auxiliary, Declassified, Marking, SecretMarks
from gateway.mail import Client, Envelope, Mail
from gateway.mime.parse import parse
from gateway.reading import File, Reading, Text, Zone


def found(*texts: Text, files: tuple[File, ...] = ()) -> list[object]:
    raw = b"Subject: x\r\n\r\nx\r\n"
    mail = Mail(
        id="1",
        listener="x",
        received=datetime(2026, 3, 1, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("a@x.gov.vn"),
        inside=True,
        raw=raw,
        root=parse(raw),
        opened=Reading(texts=texts, files=files),
    )
    return list(SecretMarks().inspect(mail))


def levels(content: str, zone: Zone = Zone.BODY) -> set[str]:
    return {mark.level.value for mark in marks(Text(place="1", zone=zone, content=content))}


HEAD = "UBND TỈNH X\tCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nSỞ NỘI VỤ\tĐộc lập - Tự do - Hạnh phúc\n\nSố: 12/BC-SNV\n"

MARKED = [
    ("alone below the number", f"{HEAD}\nMẬT\n\nBÁO CÁO\n", "mật"),
    ("alone at the top", "TUYỆT MẬT\nĐảng bộ tỉnh", "tuyệt mật"),
    ("before the number", "UBND TỈNH X\nMẬT\nSố: 12/BC-UBND", "mật"),
    ("in a box of brackets", f"{HEAD}[ TỐI MẬT ]\nBÁO CÁO", "tối mật"),
    ("in a drawn box", f"{HEAD}│  MẬT  │\nBÁO CÁO", "mật"),
    ("in stars", "**MẬT**", "mật"),
    ("between bars", "| TUYỆT MẬT |", "tuyệt mật"),
    ("in a cell of the letterhead's table", "ỦY BAN NHÂN DÂN\tCỘNG HÒA XÃ HỘI CHỦ NGHĨA\nTỐI MẬT\tĐộc lập", "tối mật"),
    ("wide spaces within", "TUYỆT   MẬT", "tuyệt mật"),
    ("letters spaced out", f"{HEAD}\nM Ậ T\n", "mật"),
    ("letters of two words spaced out", f"{HEAD}\nT Ố I   M Ậ T\n", "tối mật"),
    ("letters parted by dots", f"{HEAD}\nT.U.Y.Ệ.T M.Ậ.T\n", "tuyệt mật"),
    ("two lines", f"{HEAD}\nTUYỆT\nMẬT\n", "tuyệt mật"),
    ("quoted in an answer", f"> {HEAD}>\n> TỐI MẬT\n>", "tối mật"),
    ("with its urgency", f"{HEAD}MẬT - HỎA TỐC\n", "mật"),
    ("with the number of the copy", f"{HEAD}TUYỆT MẬT - Bản số: 03\n".replace("Bản số", "BẢN SỐ"), "tuyệt mật"),
    ("with the recall note", f"{HEAD}TỐI MẬT\nTÀI LIỆU THU HỒI\n", "tối mật"),
    ("without diacritics, two words", "TUYET MAT\nKe hoach", "tuyệt mật"),
    ("without diacritics by a number", f"{HEAD}\nMAT\n\nBAO CAO", "mật"),
    ("behind the number", "Số: 285/BC-SNV (Mật)", "mật"),
    ("behind a Party number", "Số 05-BC/TU (MẬT)", "mật"),
    ("behind the number without diacritics", "So: 12/BC-UBND (TOI MAT)", "tối mật"),
    ("in brackets", "Kế hoạch (TỐI MẬT)", "tối mật"),
    ("a label", "Độ mật: Mật", "mật"),
    ("a label beside another", "Mức độ mật: TỐI MẬT; Mức độ khẩn: KHẨN", "tối mật"),
    ("a label with another cell behind", "Độ mật: Mật          Độ khẩn: Thường", "mật"),
    ("a label with another behind", "Độ mật: Mật Độ khẩn: Khẩn", "mật"),
    ("a label in capitals and quotes", 'ĐỘ MẬT: "Tuyệt mật"', "tuyệt mật"),
    ("a label in a table", "Số ký hiệu\t12/BC\nĐộ mật\tTối mật\n", "tối mật"),
    ("a label without diacritics", "Do mat: Toi mat", "tối mật"),
    ("a label with a box that is ticked", "Độ mật: ☐ Thường ☑ Mật ☐ Tối mật", "mật"),
    ("beside the motto, as columns are printed", "TỐI MẬT Độc lập - Tự do - Hạnh phúc", "tối mật"),
    ("decomposed letters", unicodedata.normalize("NFD", f"{HEAD}\nMẬT\n"), "mật"),
    ("zero-width characters within", f"{HEAD}\nM\u200bẬ\u200cT\n", "mật"),
    ("Cyrillic look-alikes", f"{HEAD}\nТỐI МẬТ\n", "tối mật"),
    ("full-width letters", f"{HEAD}\nＴＯＩ ＭＡＴ\n", "tối mật"),
    ("sentence case below the number", f"{HEAD}\nTối mật\n", "tối mật"),
]


@pytest.mark.parametrize(("content", "level"), [case[1:] for case in MARKED], ids=[case[0] for case in MARKED])
def test_marking_is_found(content: str, level: str) -> None:
    assert levels(content) == {level}


SUBJECTS = [
    ("[MẬT] Báo cáo tháng 5", "mật"),
    ("Re: Fwd: [Tối mật] Kế hoạch diễn tập", "tối mật"),
    ("TUYỆT MẬT - Phương án", "tuyệt mật"),
    ("MẬT: V/v nhân sự", "mật"),
    ("Báo cáo chuyên đề (TUYỆT MẬT)", "tuyệt mật"),
]


@pytest.mark.parametrize(("subject", "level"), SUBJECTS)
def test_marked_subject(subject: str, level: str) -> None:
    assert levels(subject, Zone.SUBJECT) == {level}


UNMARKED = [
    "Đề nghị đổi mật khẩu trước ngày 30",
    "MẬT KHẨU WIFI PHÒNG HỌP",
    "Mật ong rừng Gia Lai",
    "MẬT ONG HOA CÀ PHÊ",
    "MẬT ONG RỪNG",
    "thỏa thuận bảo vệ bí mật kinh doanh",
    "BÍ MẬT KINH DOANH",
    "siêu âm túi mật, nước mật",
    "TÚI MẬT",
    "Người ký: NGUYỄN VĂN MẬT",
    "NGUYỄN VĂN MẬT",
    "Trần Thị Mật",
    "Mật",
    "mật",
    "mật độ xây dựng 60%",
    "MẬT ĐỘ DÂN SỐ THEO XÃ",
    "Ban Cơ yếu: sản phẩm mật mã dân sự",
    "chính sách bảo mật thông tin",
    "BẢO MẬT",
    "CƠ MẬT",
    "Tập huấn Luật Bảo vệ bí mật nhà nước: ba độ mật gồm Tuyệt mật, Tối mật và Mật",
    "CHUYÊN ĐỀ: BẢO VỆ BÍ MẬT NHÀ NƯỚC",
    "Độ mật: Thường",
    "Độ mật: Không",
    "Độ mật: Mật độ",
    "Độ mật: Thường / Mật / Tối mật / Tuyệt mật",
    "Độ mật: ☑ Thường ☐ Mật ☐ Tối mật",
    "tuần trăng mật",
    "mật thư trò chơi lớn, giải mật thư",
    "hội nghị mật thiết, quan hệ mật thiết",
    "mật danh, mật vụ trong phim",
    "phim Điệp vụ tuyệt mật chiếu lúc 20h",
    "duong mat, rau cau mat tra",
    "THANH TRA TỈNH\nBẢO MẬT\nSố 5",
    "Tài liệu đóng dấu “MẬT” phải để trong tủ có khóa.",
    "con dấu \"TỐI MẬT\" theo mẫu số 02 của Thông tư",
    f"{HEAD}\nMẶT\n\nTRẬN",
    f"{HEAD}\nMẤT\n",
    "MAT",
    "MAT 101: Toán cao cấp",
    "Các mẫu dấu:\n\nTUYỆT MẬT\n\nTỐI MẬT\n\nMẬT\n\nGiải thích mẫu dấu",
    f"{HEAD}\nVề việc bảo vệ bí mật nhà nước\nVăn bản không thuộc phạm vi bí mật nhà nước",
    "[mật khẩu]",
    "(Mật ong)",
    "(bảo mật)",
    "Họ tên: Lê Văn Mật\nChức vụ: chuyên viên",
]


@pytest.mark.parametrize("content", UNMARKED)
def test_mention_is_no_marking(content: str) -> None:
    assert levels(content) == set()
    assert levels(content, Zone.SUBJECT) == set()


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("BC_TUYET_MAT_2025.docx", "tuyệt mật"),
        ("ke-hoach-toi-mat.pdf", "tối mật"),
        ("KH_TOI_MAT_2026.docx", "tối mật"),
        ("Kế hoạch tuyệt mật.docx", "tuyệt mật"),
        ("BC_MAT_92765.txt", "mật"),
        ("12-BC-MAT.pdf", "mật"),
        ("MAT_BC_12.docx", "mật"),
        ("Báo cáo (MẬT).docx", "mật"),
        ("[Mật] danh sách.xlsx", "mật"),
        ("Kế hoạch_MẬT.docx", "mật"),
        ("MẬT.pdf", "mật"),
    ],
)
def test_marked_name(name: str, level: str) -> None:
    assert [one.value for one, _ in marks_in_name(name)] == [level]


@pytest.mark.parametrize(
    "name",
    [
        *("chinh-sach-bao-mat.pdf", "chinh_sach_bao_mat_v2.pdf", "tomat.docx", "toimatkhau.txt", "mat-khau-wifi.txt"),
        *("MAT_BANG_TANG_1.pdf", "mat_tien.jpg", "MAT101.pdf", "MAT_101_de_thi.pdf", "Bao_mat_thong_tin.pptx"),
        *("NGUYEN_VAN_MAT.pdf", "Nguyễn Văn Mật.docx", "mat-ong-gia-lai.xlsx", "anh-mat-tien.png", "BAO MAT.docx"),
        *("ho so mat do dan so.xlsx", "BC_MAT_DO_DAN_SO.xlsx", "BC_mặt_trận.docx", "KH_MAT_TRAN_TO_QUOC.docx"),
    ],
)
def test_name_without_a_mark(name: str) -> None:
    assert list(marks_in_name(name)) == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("BẢN SAO BÍ MẬT NHÀ NƯỚC", "copy"),
        ("CHỈ NGƯỜI CÓ TÊN MỚI ĐƯỢC BÓC BÌ", "addressee-only"),
        ("TÀI LIỆU THU HỒI", "recall"),
        ("TĂNG MẬT", "raised"),
        ("[ GIẢM MẬT ]", "lowered"),
    ],
)
def test_auxiliary_stamp(content: str, kind: str) -> None:
    [one] = found(Text(place="1", zone=Zone.BODY, content=f"x\n{content}\ny"))
    assert isinstance(one, Auxiliary)
    assert one.kind == kind


@pytest.mark.parametrize(
    "content",
    ["thu hồi tài liệu đã gửi", "giảm mật độ xây dựng", "sao y bản chính", "GIẢI PHÁP BẢO MẬT", "giải mật thư"],
)
def test_no_auxiliary_stamp(content: str) -> None:
    assert found(Text(place="1", zone=Zone.BODY, content=content)) == []


def test_declassified_is_told_apart() -> None:
    [one] = found(Text(place="1", zone=Zone.BODY, content="GIẢI MẬT\nTừ: 01/01/2026"))
    assert isinstance(one, Declassified)


@pytest.mark.parametrize(
    ("zone", "content"),
    [
        (Zone.PAGE_HEADER, "TỐI MẬT - Trang 1"),
        (Zone.PAGE_FOOTER, "Sở Nội vụ | MẬT | 3"),
        (Zone.PROPERTY, "Tuyệt mật"),
        (Zone.TEXT_BOX, "MẬT"),
        (Zone.HIDDEN, "TUYỆT MẬT"),
        (Zone.IMAGE, "TOI MAT"),
    ],
)
def test_every_zone_is_read(zone: Zone, content: str) -> None:
    assert levels(content, zone)


def test_people_called_so_are_not_marked() -> None:
    assert found(Text(place="", zone=Zone.SENDER_NAME, content="MẬT")) == []


def test_finding_says_where_and_shows_the_mark_only() -> None:
    text = Text(place="2/van-ban.docx", zone=Zone.ATTACHMENT, content=f"{HEAD}\nMẬT\n\nvề việc điều động lực lượng")
    [one] = found(text)
    assert isinstance(one, Marking)
    assert one.code == "marking"
    assert one.facts() == {"level": "mật", "form": "stamp", "zone": "attachment"}
    assert "lực lượng" not in repr(one)
    assert "van-ban" not in repr(one)


def test_file_names_at_every_depth() -> None:
    files = (File(place="2/a.zip/b", names=("KH_TOI_MAT.docx",)),)
    [one] = found(files=files)
    assert isinstance(one, Marking)
    assert one.facts() == {"level": "tối mật", "form": "file-name", "zone": "file-name"}


@given(st.text(alphabet=st.sampled_from("MẬTTỐIUYỆmậttoi \n\t|[]():.-_độĐ/12BC\u200b"), max_size=200))
def test_nothing_raises(content: str) -> None:
    for zone in (Zone.BODY, Zone.SUBJECT, Zone.PROPERTY, Zone.PAGE_HEADER):
        for mark in marks(Text(place="1", zone=zone, content=content)):
            assert 0 <= mark.at <= len(content)
    list(marks_in_name(content))


def test_place_is_in_the_text_as_written() -> None:
    """Though what stands before it is decomposed."""
    before = unicodedata.normalize("NFD", "Độ khẩn: hoả tốc\n")
    text = Text(place="1", zone=Zone.BODY, content=f"{before}TÀI LIỆU THU HỒI\n")
    assert [one.evidence[0].offset for one in found(text) if isinstance(one, Auxiliary)] == [len(before)]


HOSTILE = ("mật ", "MẬT\n", "độ mật: ", "( mật ) ", "tăng mật ", "m\u200bậ\u200bt\n", "M Ậ T ")


@pytest.mark.parametrize("unit", HOSTILE)
def test_repeated_without_end(unit: str) -> None:
    text = Text(place="1", zone=Zone.BODY, content=unit * (50_000 // len(unit)))
    assert len(list(marks(text))) <= len(text.content)
