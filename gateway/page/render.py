"""How the page looks: templates without a script, an image or a style of their own, everything in them escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.custody.approvals import votes_of
from gateway.custody.steps import Act
from gateway.custody.terms import terms_of
from gateway.keeping import KeptMail, Step
from gateway.notices.wording import VIETNAM, Language
from gateway.page.forms import ADDRESS_LIMIT, COMMENT_LIMIT
from gateway.page.preview import Preview
from gateway.page.visible import visible, visible_line
from gateway.page.words import Words

VALUE_LIMIT = 500
"""Characters of a value of one line: a long subject, or an address of the greatest length."""

REASON_LIMIT = 2_000
"""Characters of why a message was kept, as in its entry."""

MOST_ADDRESSES = 50
"""Recipients that are named; of the others the page gives the number."""

_TEMPLATES = Path(__file__).parent / "templates"

STYLE = (_TEMPLATES / "page.css").read_bytes()
"""The one style sheet."""

_environment = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.filters["line"] = lambda value, limit=VALUE_LIMIT: visible_line(str(value), limit)
_environment.filters["lines"] = lambda value, limit: visible(str(value)[:limit])


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the page tells of its house: who answers questions, and the clock on its wall."""

    contact: str
    timezone: tzinfo = VIETNAM


def message_page(
    facts: Facts, kept: KeptMail, steps: Sequence[Step], person: str, content: Preview, token: str
) -> str:
    """One held message, for this person, with the votes so far and the form that decides on it."""
    panels = terms_of(kept).panels
    return _environment.get_template("message.html").render(
        facts=facts,
        kept=kept,
        person=person,
        votes=[step for step in steps if step.act == Act.APPROVED],
        panels=[(panel, len(votes_of(panel, steps))) for panel in panels],
        others=[name for name in kept.approvers if name != person],
        content=content,
        token=token,
        vi=Language("vi", facts.timezone),
        en=Language("en", facts.timezone),
        comment_limit=COMMENT_LIMIT,
        address_limit=ADDRESS_LIMIT,
        reason_limit=REASON_LIMIT,
        most_addresses=MOST_ADDRESSES,
    )


def notice_page(facts: Facts, said: Words, *, again: bool) -> str:
    """One sentence, and with `again` a way back to the message."""
    return _environment.get_template("notice.html").render(facts=facts, said=said, again=again)
