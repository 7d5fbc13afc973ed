"""The second half of policies/README.md, from the classes themselves: `python -m gateway.policy.reference` writes it.

What stands above the mark in that page is written by hand, what stands below is made here; a test compares the two.
"""

from __future__ import annotations

import re
from pathlib import Path

from gateway.policy.cases import Attachment, Case, Expected, Given
from gateway.policy.custody import Delegate, Escalation, Expires, Reminder
from gateway.policy.model import Organisation, PolicyFile, WrittenException
from gateway.policy.names import DatedEntry
from gateway.policy.rule import Bilingual, ReplyWanted, With, WrittenRule
from gateway.policy.when import AccountWanted, ClientWanted, Conditions, HeaderWanted, TimeWanted
from gateway.schema.docs import class_doc
from gateway.schema.reference import table

MARK = "<!-- What follows is written by `python -m gateway.policy.reference`. -->"

PAGE = Path("policies/README.md")

SECTIONS: tuple[tuple[str, type], ...] = (
    ("A policy file", PolicyFile),
    ("`organisation`", Organisation),
    ("`delegates`", Delegate),
    ("`lists`: an entry with its approval", DatedEntry),
    ("`rules`: a rule", WrittenRule),
    ("`when` and `unless`: conditions", Conditions),
    ("`client`", ClientWanted),
    ("`account` and `recipient_account`", AccountWanted),
    ("`time`", TimeWanted),
    ("`header`", HeaderWanted),
    ("`with`: how", With),
    ("`reply`", ReplyWanted),
    ("`text` and `banner`", Bilingual),
    ("`expires`", Expires),
    ("`remind`", Reminder),
    ("`escalate`", Escalation),
    ("`exceptions`: an exception", WrittenException),
    ("`tests`: a case", Case),
    ("`given`", Given),
    ("`attachments`", Attachment),
    ("`expect`", Expected),
)


def reference() -> str:
    """Every mapping of the policy language, with its keys, in Markdown."""
    return "\n".join(f"### {title}\n\n{class_doc(cls)}\n\n{_linked(table(cls))}" for title, cls in SECTIONS)


def _linked(rows: str) -> str:
    """The table with the name of each class, in the column of values, turned into a link to its own section."""
    return "\n".join(_with_link(row) for row in rows.split("\n"))


def _with_link(row: str) -> str:
    key, bar, rest = row.partition(" | ")
    value, end, more = rest.partition(" | ")
    for title, cls in SECTIONS:
        anchor = "".join(char for char in title.lower().replace(" ", "-") if char.isalnum() or char in "-_")
        value = re.sub(rf"\b{cls.__name__}\b", f"[mapping](#{anchor})", value)
    return key + bar + value + end + more


def page(written: str) -> str:
    """The page with its second half made anew. `written` is the page as it is; what is above the mark stays."""
    by_hand, _, _ = written.partition(MARK)
    return f"{by_hand.rstrip()}\n\n{MARK}\n\n{reference()}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
