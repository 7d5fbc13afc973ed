"""Domains as registries give them out: which one belongs to whom."""

from __future__ import annotations

SECOND_LEVEL = frozenset(
    "ac art biz co com edu firm gen go gob gouv gov gub health id info int ltd mil mod my name ne net nhs nom or org "
    "plc pro rec sch store tm web".split()
)
"""Labels under a country's domain in which names are registered one level further down (com.vn, co.uk, go.jp)."""

PROVINCES = frozenset(
    "hanoi hcm tphcm danang haiphong cantho angiang bacninh binhdinh daklak dongnai gialai hue khanhhoa lamdong "
    "nghean quangnam quangninh thanhhoa".split()
)
"""Under vn, geographic names (decree 72/2013/ND-CP article 12) in which others register too."""


def organisation(domain: str) -> str:
    """The part of a domain that was registered: `mail.shopee.vn` is of `shopee.vn`, `a.b.com.vn` of `b.com.vn`.

    Lists of every registry change monthly and cost a megabyte; the rule here holds for all but a few, and where it
    does not, two names under one odd suffix count as one.
    """
    labels = domain.lower().rstrip(".").split(".")
    if len(labels) <= 2:
        return ".".join(labels)
    deeper = len(labels[-1]) == 2 and (labels[-2] in SECOND_LEVEL or (labels[-1] == "vn" and labels[-2] in PROVINCES))
    return ".".join(labels[-3:] if deeper else labels[-2:])


def within(domain: str, names: frozenset[str]) -> str:
    """Which of the names the domain is, or is under: the longest; "" for none."""
    domain = domain.lower().rstrip(".")
    while domain:
        if domain in names:
            return domain
        domain = domain.partition(".")[2]
    return ""
