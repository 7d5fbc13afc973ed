"""The kinds of identifiers, and the words that stand beside them.

Sources: decree 137/2015/NĐ-CP (personal numbers), circular 86/2024/TT-BTC article 5 (tax codes), decree 356/2025/NĐ-CP
articles 3 and 4 (basic and sensitive personal data).
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an identifier is."""

    CITIZEN_ID = "citizen-id"
    OLD_ID = "old-id"
    TAX_CODE = "tax-code"
    SOCIAL_INSURANCE = "social-insurance"
    HEALTH_CARD = "health-card"
    PHONE = "phone"
    LANDLINE = "landline"
    BANK_ACCOUNT = "bank-account"
    CARD = "card"
    PASSPORT = "passport"
    PLATE = "plate"
    EMAIL = "email"


SENSITIVE = frozenset({Kind.BANK_ACCOUNT, Kind.CARD, Kind.HEALTH_CARD})
"""Decree 356/2025/NĐ-CP article 4: banking and health data; the rest is basic (article 3) or identifies otherwise."""

OF_A_PERSON = frozenset(
    {Kind.CITIZEN_ID, Kind.OLD_ID, Kind.SOCIAL_INSURANCE, Kind.HEALTH_CARD, Kind.PASSPORT, Kind.PHONE, Kind.CARD}
)
"""Kinds of which a person has one, more or less: their number tells how many persons a list holds."""


WORDS: dict[Kind, tuple[str, ...]] = {
    Kind.CITIZEN_ID: (
        *("cccd", "can cuoc", "can cuoc cong dan", "so dinh danh", "dinh danh ca nhan", "so ddcn", "ma dinh danh"),
        *("cmnd", "cmtnd", "cmt", "chung minh nhan dan", "chung minh thu", "giay to tuy than", "citizen id"),
        *("personal id", "identity card", "id card", "national id"),
    ),
    Kind.OLD_ID: (
        *("cmnd", "cmtnd", "cmt", "chung minh nhan dan", "chung minh thu", "cccd", "identity card", "id card"),
        "national id",
    ),
    Kind.TAX_CODE: (
        *("mst", "ma so thue", "ma so dn", "ma so doanh nghiep", "tax code", "tax id", "tax number", "vat no"),
        *("vat number", "vat code"),
    ),
    Kind.SOCIAL_INSURANCE: ("bhxh", "bao hiem xa hoi", "social insurance"),
    Kind.HEALTH_CARD: ("bhyt", "bao hiem y te", "the bh", "health insurance"),
    Kind.PHONE: (
        *("sdt", "so dt", "dt", "dtdd", "dien thoai", "di dong", "mobile", "tel", "phone", "cell", "hotline", "zalo"),
        *("viber", "whatsapp", "lien he", "goi", "alo", "sms", "nhan tin", "fax", "contact", "call"),
    ),
    Kind.BANK_ACCOUNT: (
        *("stk", "so tai khoan", "so tk", "tk so", "tai khoan so", "tai khoan ngan hang", "tai khoan thanh toan"),
        *("tai khoan thu huong", "tai khoan", "account no", "account number", "a/c", "iban", "vietcombank", "vcb"),
        *("vietinbank", "bidv", "agribank", "techcombank", "tcb", "mb bank", "mbbank", "vpbank", "acb", "tpbank"),
        *("vib", "sacombank", "hdbank", "shb", "eximbank", "msb", "ocb", "seabank", "lpbank", "lienvietpostbank"),
        *("pvcombank", "nam a bank", "abbank", "bac a bank", "kienlongbank", "bvbank", "saigonbank", "scb", "vietbank"),
        *("kho bac", "kbnn", "ngan hang"),
    ),
    Kind.CARD: (
        *("so the", "the atm", "the tin dung", "the ghi no", "the ngan hang", "the thanh toan", "the napas", "visa"),
        *("mastercard", "master card", "napas", "jcb", "amex", "american express", "card no", "card number"),
        *("credit card", "debit card", "cvv", "cvv2", "cvc"),
    ),
    Kind.PASSPORT: ("ho chieu", "passport", "so hc"),
    Kind.PLATE: (
        *("bien so", "bien kiem soat", "bien ks", "bks", "bsx", "bien so xe", "bien xe", "xe o to", "xe may", "xe con"),
        *("xe tai", "o to", "license plate", "phuong tien"),
    ),
}
"""The words that stand beside an identifier of each kind, without diacritics."""

WORDS[Kind.LANDLINE] = WORDS[Kind.PHONE]

BEFORE = 60
"""Characters before a number in which its word is looked for: "Số căn cước công dân (bản sao kèm theo): ..."."""

AFTER = 40
"""Characters after it, for the name of a bank ("0123456789 tại Vietcombank Gia Lai")."""
