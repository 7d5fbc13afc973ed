"""The form of an official document by decree 30/2020/NĐ-CP: what its parts look like, and what each says for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from filters._composed import composed
from gateway.text.folding import plain

TYPES = {
    "NQ": "nghị quyết",
    "QĐ": "quyết định",
    "CT": "chỉ thị",
    "QC": "quy chế",
    "QyĐ": "quy định",
    "TC": "thông cáo",
    "TB": "thông báo",
    "HD": "hướng dẫn",
    "CTr": "chương trình",
    "KH": "kế hoạch",
    "PA": "phương án",
    "ĐA": "đề án",
    "DA": "dự án",
    "BC": "báo cáo",
    "BB": "biên bản",
    "TTr": "tờ trình",
    "HĐ": "hợp đồng",
    "CĐ": "công điện",
    "BGN": "bản ghi nhớ",
    "BTT": "bản thỏa thuận",
    "GUQ": "giấy ủy quyền",
    "GM": "giấy mời",
    "GGT": "giấy giới thiệu",
    "GNP": "giấy nghỉ phép",
    "PG": "phiếu gửi",
    "PC": "phiếu chuyển",
    "PB": "phiếu báo",
    "SY": "bản sao y",
    "TrS": "bản trích sao",
    "SL": "bản sao lục",
}
"""Abbreviations of the named types (decree 30/2020/NĐ-CP annex III)."""

LETTER = "công văn"
"""The type of a document whose symbol names no type: an official letter (annex I, II.3)."""

MAX_TEXT = 200_000
"""Characters of one document that are read: its form shows on the first page and at the signature."""

_AGENCY = r"[A-ZĐ][A-Za-zĐđ0-9]*(?:[-.&][A-ZĐ][A-Za-zĐđ0-9]*)*"
_NAMED = re.compile(
    rf"(?<![\w/-])(?P<number>\d{{1,5}})(?:/(?:19|20)\d\d)?/(?P<type>{'|'.join(sorted(TYPES, key=len, reverse=True))})"
    rf"-(?P<agency>{_AGENCY})(?![\w/])"
)
_UNNUMBERED = re.compile(rf"[ .…_]*/(?P<type>{'|'.join(TYPES)})-(?P<agency>{_AGENCY})")
_LETTERED = re.compile(
    r"(?<![\w/-])(?P<number>\d{1,5})/(?P<agency>[A-ZĐ][A-Za-zĐđ]{1,11}(?:\.[A-ZĐ0-9]+)?)-"
    r"(?P<unit>[A-ZĐ][A-Za-zĐđ0-9&.]{1,15})(?![\w/])"
)
_PARTY = re.compile(
    r"(?<![\w/-])(?P<number>\d{1,4})-(?P<type>NQ|QĐ|CT|TB|BC|KL|HD|QĐi|CV|KH|CTr|TTr|ĐA|QC)/"
    r"(?P<agency>TW|TU|HU|ĐU|VPTW|VPTU|BTCTW|UBKTTW|BTGTU|[A-ZĐ]{2,10})(?![\w/])"
)
_LEGAL = frozenset({"NĐ", "TT", "TTLT", "NQLT", "VBHN", "PL", "L"})
"""Types of legal documents (law 64/2025/QH15): cited everywhere, sent by nobody as his own."""

# Patterns begin with a line's end, which is searched for fast: a text is given a first line's end.
_NUMBER_LINE = re.compile(r"\n[ \t]*(?:Số|SỐ|So)[ ]*[:.]?[ \t]*(?P<symbol>[^\n]{0,60})")
_LETTERHEAD = re.compile(
    r"c[ộo]ng\s+h(?:òa|oà|oa)\s+x[ãa]\s+h[ộo]i\s+ch[ủu]\s+ngh[ĩi]a\s+vi[ệe]t\s+nam|"
    r"đ[ảa]ng\s+c[ộo]ng\s+s[ảa]n\s+vi[ệe]t\s+nam\s*\n",
    re.IGNORECASE,
)
_MOTTO = re.compile(r"đ[ộo]c\s+l[ậa]p\s*[-–]\s*t[ựu]\s+do\s*[-–]\s*h[ạa]nh\s+ph[úu]c", re.IGNORECASE)
_DATE_LINE = re.compile(
    r"\n[^\n]{0,60},[ ]*(?i:ngày[ ]*[\d.… ]{0,6}[ ]*tháng[ ]*[\d.… ]{0,6}[ ]*năm)[ ]*(?:19|20)\d\d"
)
_TITLES = "|".join(sorted({name.upper() for name in TYPES.values()}, key=len, reverse=True))
_TITLE_LINE = re.compile(rf"\n[ \t*]*(?P<title>{_TITLES})[ \t*]*$", re.MULTILINE)
_SUBJECT_LINE = re.compile(r"\n[ \t(]*[vV]/[vV][: ]")
_ADDRESSEE = re.compile(r"\n[ \t]*Kính[ ]gửi[ ]*:")
_COPIES = re.compile(r"\n[ \t]*(?i:Nơi[ ]nhận)[ ]*:")
_SIGNER = re.compile(
    r"\n[ \t]*(?:(?:TM\.|KT\.|TL\.|TUQ\.|Q\.)[ ]*[A-ZÀ-Ỹ][A-ZÀ-ỸĐ ]{3,}|"
    r"(?:CHỦ TỊCH|PHÓ CHỦ TỊCH|GIÁM ĐỐC|PHÓ GIÁM ĐỐC|CHÁNH VĂN PHÒNG|TRƯỞNG BAN|TRƯỞNG PHÒNG|HIỆU TRƯỞNG|"
    r"BỘ TRƯỞNG|THỨ TRƯỞNG|BÍ THƯ|PHÓ BÍ THƯ)[ \t]*$)",
    re.MULTILINE,
)
_GROUNDS = re.compile(r"\n[ \t]*Căn cứ[ ]")
_IN_NAME = re.compile(
    rf"(?<![A-Za-z0-9])(?P<number>\d{{1,5}})[-_. ]{{1,2}}(?P<type>{'|'.join(TYPES)}|CV|QD|DA|CD|HD|GM|QyD)[-_. ]"
    r"(?P<agency>[A-ZĐ]{2}[A-Za-zĐđ]{0,12})(?![A-Za-z])"
)
_URGENT = re.compile(
    r"\n[ \t\[(|*]*(HO[ẢA][ ]?TỐC|HỎA[ ]TỐC|THƯỢNG[ ]KHẨN|KHẨN)(?:[ ]HẸN[ ]GIỜ)?[ \t\])|*:!-]*(?:$|Giấy|V/v)",
    re.MULTILINE,
)
_CIRCULATION = re.compile(r"\n[ \t\[(|*]*(LƯU[ ]HÀNH[ ]NỘI[ ]BỘ|XEM[ ]XONG[ ]TRẢ[ ]LẠI)")
_PERIOD = re.compile(
    r"báo[ ]cáo.{0,100}?\b(?P<period>tuần|tháng|quý|6[ ]tháng|sáu[ ]tháng|9[ ]tháng|năm)\b", re.IGNORECASE | re.DOTALL
)

@dataclass(frozen=True, slots=True)
class Part:
    """A part of a document: what it says for the text's being one, its form, and words of which one must stand in the
    text in its plain form, which costs little to know."""

    name: str
    weight: int
    form: re.Pattern[str]
    words: tuple[bytes, ...] = (b"",)


PARTS = (
    Part("letterhead", 2, _LETTERHEAD, (b"cong hoa xa hoi chu nghia viet nam", b"dang cong san viet nam")),
    Part("motto", 1, _MOTTO, (b"doc lap",)),
    Part("date", 1, _DATE_LINE, (b",ngay", b", ngay")),
    Part("title", 1, _TITLE_LINE),
    Part("subject", 1, _SUBJECT_LINE, (b"v/v",)),
    Part("addressee", 1, _ADDRESSEE, (b"kinh gui",)),
    Part("copies", 1, _COPIES, (b"noi nhan",)),
    Part("signer", 1, _SIGNER),
    Part("grounds", 1, _GROUNDS, (b"can cu",)),
)
"""The parts of a document (decree 30/2020/NĐ-CP article 8)."""

ENOUGH = 4
"""The sum from which a text is a document: letterhead with number, or number, date, signer and copies."""

NUMBER_LINE_WEIGHT = 2


@dataclass(frozen=True, slots=True)
class Document:
    """A text that has the form of an official document. `symbol` is its number and symbol as printed, `kind` its type,
    `agency` who issued it; `at` is where in the text the symbol stands, `parts` what made it one."""

    symbol: str
    number: str
    kind: str
    agency: str
    at: int
    parts: tuple[str, ...]
    urgency: str = ""
    circulation: str = ""
    period: str = ""
    party: bool = False


@dataclass(frozen=True, slots=True)
class _Symbol:
    written: str
    number: str
    kind: str
    agency: str
    at: int
    party: bool = False


def document(text: str, bare: bytes | None = None) -> Document | None:
    """The official document that a text is, or None for a text that merely speaks of some. `bare` is the text in plain
    form (`Folded.coded`), where the caller has it."""
    bare = plain(text).coded if bare is None else bare
    text = f"\n{composed(text[:MAX_TEXT])}"
    parts = [part for part in PARTS if any(word in bare for word in part.words) and part.form.search(text)]
    symbol = next(_number_lines(text), None)
    weight = sum(part.weight for part in parts) + (NUMBER_LINE_WEIGHT if symbol else 0)
    if weight < ENOUGH:
        return None
    title = _TITLE_LINE.search(text)
    kind = symbol.kind if symbol else ""
    if title and kind in ("", LETTER):
        kind = title["title"].lower()
    urgent, circulation = _URGENT.search(text), _CIRCULATION.search(text)
    period = _PERIOD.search(text) if kind == TYPES["BC"] else None
    return Document(
        symbol=symbol.written if symbol else "",
        number=symbol.number if symbol else "",
        kind=kind or LETTER,
        agency=symbol.agency if symbol else "",
        at=symbol.at if symbol else 0,
        parts=tuple(part.name for part in parts) + (("number",) if symbol else ()),
        urgency=" ".join(urgent[1].lower().split()) if urgent else "",
        circulation=" ".join(circulation[1].lower().split()) if circulation else "",
        period=period["period"].lower() if period else "",
        party=symbol.party if symbol else False,
    )


def named_as_document(name: str) -> Document | None:
    """The document whose number and symbol a file's name gives ("12-BC-STC.docx"), or None."""
    name = composed(name)
    found = _IN_NAME.search(name)
    if not found:
        return None
    code = {"QD": "QĐ", "CD": "CĐ", "QyD": "QyĐ"}.get(found["type"], found["type"])
    written = f"{found['number']}/{code}-{found['agency']}"
    return Document(written, found["number"], TYPES.get(code, LETTER), found["agency"], found.start(), ("file-name",))


def _number_lines(text: str) -> Iterator[_Symbol]:
    """The symbols on lines that begin with "Số": where a document has its number, and a citation has not."""
    for line in _NUMBER_LINE.finditer(text):
        written, at = line["symbol"], line.start("symbol") - 1  # the text's first line's end
        if found := _NAMED.match(written):
            yield _Symbol(found[0], found["number"], TYPES[found["type"]], found["agency"], at)
        elif found := _PARTY.match(written):
            yield _Symbol(found[0], found["number"], TYPES.get(found["type"], LETTER), found["agency"], at, party=True)
        elif (found := _LETTERED.match(written)) and found["agency"] not in _LEGAL:
            yield _Symbol(found[0], found["number"], LETTER, found["agency"], at)
        elif blank := _UNNUMBERED.match(written):  # a draft
            yield _Symbol(blank[0].strip(" ._…"), "", TYPES[blank["type"]], blank["agency"], at)
