"""The terms under which a message is kept: who decides, by when, what then becomes of it, and how it goes on.

They are fixed when the message comes and written into its entry, so that a later policy does not change what was
promised to people who were already asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from gateway.keeping import KeptMail, Kind
from gateway.mail import Recipient
from gateway.policy.rule import Bilingual
from gateway.verdict import AddHeader, Banner, Edit, RemoveHeader, ReplaceHeader, StripPart, TagSubject

End = Literal["reject", "release", "delete"]
"""What becomes of a message that nobody decided on in time."""

EDITS: Mapping[str, type[Edit]] = {
    kind.__name__: kind for kind in (AddHeader, RemoveHeader, ReplaceHeader, TagSubject, Banner, StripPart)
}
"""The edits by the names under which they are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Those of whom one rule wants a decision: `quorum` of `approvers`, which are addresses in small letters.

    At `remind_at` those in `remind` (or who has not answered) hear of it again; from `escalate_at` on those in
    `escalate` may decide in the place of who has not.
    """

    rule: str
    approvers: tuple[str, ...]
    quorum: int = 1
    remind_at: datetime | None = None
    remind: tuple[str, ...] = ()
    escalate_at: datetime | None = None
    escalate: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Each panel must approve; `end` is what happens when the message expires.

    When released it goes to `recipients`, changed by `edits`; `text` is what the rule says to people.
    """

    panels: tuple[Panel, ...] = ()
    end: End = "delete"
    recipients: tuple[Recipient, ...] = ()
    edits: tuple[Edit, ...] = ()
    text: Bilingual | None = None


def written(terms: Terms) -> str:
    """The terms as a text for the entry."""
    fields = asdict(terms)
    fields["panels"] = [_panel_written(panel) for panel in terms.panels]
    fields["edits"] = [{"edit": type(edit).__name__, **asdict(edit)} for edit in terms.edits]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def terms_of(kept: KeptMail) -> Terms:
    """The terms in an entry; one without any goes on as it came, if those whom it names approve.

    Raises KeyError, TypeError or ValueError for a text that is none of ours.
    """
    if not kept.terms:
        panel = Panel(rule=next(iter(kept.rules), ""), approvers=kept.approvers, quorum=kept.quorum)
        return Terms(
            panels=(panel,) if kept.approvers else (),
            end="reject" if kept.kind is Kind.HELD else "delete",
            recipients=kept.envelope.recipients,
        )
    fields: dict[str, Any] = json.loads(kept.terms)
    text = fields["text"]
    return Terms(
        panels=tuple(map(_panel, fields["panels"])),
        end=fields["end"],
        recipients=tuple(Recipient(each["address"], tuple(each["parameters"])) for each in fields["recipients"]),
        edits=tuple(_edit(dict(each)) for each in fields["edits"]),
        text=Bilingual(vi=text["vi"], en=text["en"]) if text else None,
    )


def _panel_written(panel: Panel) -> dict[str, Any]:
    moments = {"remind_at": panel.remind_at, "escalate_at": panel.escalate_at}
    return asdict(panel) | {name: moment.isoformat() if moment else None for name, moment in moments.items()}


def _panel(fields: dict[str, Any]) -> Panel:
    for name in ("remind_at", "escalate_at"):
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    for name in ("approvers", "remind", "escalate"):
        fields[name] = tuple(fields[name])
    return Panel(**fields)


def _edit(fields: dict[str, Any]) -> Edit:
    return EDITS[fields.pop("edit")](**fields)
