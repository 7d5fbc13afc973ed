"""Numbers that are valid as what they look like: by their ranges and check digits, whatever stands beside them."""

from __future__ import annotations

PROVINCES = frozenset(
    (
        "001 002 004 006 008 010 011 012 014 015 017 019 020 022 024 025 026 027 030 031 033 034 035 036 037 038 040 "
        "042 044 045 046 048 049 051 052 054 056 058 060 062 064 066 067 068 070 072 074 075 077 079 080 082 083 084 "
        "086 087 089 091 092 093 094 095 096"
    ).split()
)
"""Codes of the 63 provinces as numbers carry them; the merger of 2025 changed no number already given."""

OLDEST = 120
"""Years of the oldest holder of a number that is believed."""

_TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)

NAPAS = frozenset(
    (
        "970436 970415 970418 970405 970407 970422 970432 970416 970423 970441 970403 970437 970443 970431 970426 "
        "970448 970440 970449 970412 970428 970425 970409 970452 970454 970400 970429 970433 970427 970414 970438 "
        "970424 970419"
    ).split()
)
"""Issuers of domestic cards in Viet Nam, by the first six digits."""

_SCHEMES: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((4,), (13, 16, 19)),
    (tuple(range(51, 56)), (16,)),
    (tuple(range(2221, 2721)), (16,)),
    ((34, 37), (15,)),
    (tuple(range(3528, 3590)), (16,)),
    ((6011, 65, *range(644, 650)), (16,)),
    ((62,), (16, 17, 18, 19)),
    ((36, 38, 39, *range(300, 306)), (14,)),
)
"""Prefixes and lengths of the international card schemes (ISO/IEC 7812 ranges as the schemes publish them)."""

_ISSUERS = frozenset(
    (length, str(prefix)) for prefixes, lengths in _SCHEMES for prefix in prefixes for length in lengths
)


def citizen_id(digits: str, year: int) -> bool:
    """A personal identification number: 12 digits, province of birth, century and sex, year of birth (decree
    137/2015/NĐ-CP article 13). `year` is the current one: nobody is born later. Country codes (100 to 399) are not
    taken without a word beside them: see `citizen_id_abroad`."""
    return len(digits) == 12 and digits[:3] in PROVINCES and _born(digits, year)


def citizen_id_abroad(digits: str, year: int) -> bool:
    """The same for a person born abroad: a country's code in the place of the province's."""
    return len(digits) == 12 and "100" <= digits[:3] <= "399" and _born(digits, year)


def _born(digits: str, year: int) -> bool:
    born = 1900 + int(digits[3]) // 2 * 100 + int(digits[4:6])
    return year - OLDEST <= born <= year


def tax_code(digits: str) -> bool:
    """A tax code of 10 digits with its check digit, or 13 with a branch's three (circular 86/2024/TT-BTC article 5)."""
    if len(digits) not in (10, 13) or digits[2:9] == "0000000" or digits[10:] == "000":
        return False
    check = 10 - sum(weight * int(digit) for weight, digit in zip(_TAX_WEIGHTS, digits, strict=False)) % 11
    return check == int(digits[9])


def luhn(digits: str) -> bool:
    """The check digit of cards (ISO/IEC 7812-1 annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def domestic_card(digits: str) -> bool:
    """A card of a bank in Viet Nam."""
    return len(digits) in (16, 19) and digits[:6] in NAPAS and luhn(digits)


def card(digits: str) -> bool:
    """A card of an international scheme; not one of the same digit over and over."""
    fits = any((len(digits), digits[:size]) in _ISSUERS for size in (1, 2, 3, 4))
    return fits and len(set(digits)) > 1 and luhn(digits)


_MOBILE = frozenset("32 33 34 35 36 37 38 39 52 55 56 58 59 70 76 77 78 79 81 82 83 84 85 86 87 88 89".split())


def national(digits: str, *, abroad: bool) -> str:
    """A phone number as it is dialled in Viet Nam, "" if it is none of ours; `abroad` tells that a + stood before."""
    if digits.startswith("84") and (abroad or len(digits) == 11):
        digits = "0" + digits[2:]
    return digits if digits.startswith("0") and not digits.startswith("00") else ""


def mobile(digits: str) -> bool:
    """A mobile number in national form: 10 digits with a prefix that is given out."""
    return len(digits) == 10 and digits[0] == "0" and (digits[1] == "9" or digits[1:3] in _MOBILE)


def landline(digits: str) -> bool:
    """A landline in national form: area 24 or 28 with 8 digits, other areas (three digits) with 7 or 8."""
    if digits[:3] in ("024", "028"):
        return len(digits) == 11
    return digits[:2] == "02" and len(digits) in (11, 12) and digits[2] not in "48"
