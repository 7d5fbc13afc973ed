"""Two dashboards about the mail itself: the overview, and why mail is refused."""

from __future__ import annotations

from boards import Board
from parts import (
    BAD_IF_ANY,
    GOOD_IF_ONE,
    HERE,
    Look,
    a_minute,
    busiest,
    counted,
    figure,
    heat,
    lines,
    quantile,
    ranking,
    row,
    share,
    total,
)

SHARE = "percentunit"
KEPT = "({} > 0)".format(counted("rule_matches_total", "rule", 'mode="enforce", action="quarantine"'))
ANSWERED = 'stage=~"mail|rcpt|message"'

OVERVIEW = Board(
    name="overview",
    title="Mailwarden: overview",
    text="Does mail flow, how fast, and what becomes of it?",
    panels=(
        figure(
            "Ready",
            "Gateways that can take mail, as /readyz says. 0: see MailwardenNotReady.",
            f"min(mailwarden_ready{{{HERE}}})",
            Look(width=3, levels=GOOD_IF_ONE, words={"0": "no", "1": "yes"}),
        ),
        figure(
            "Alerts",
            "Alerts of ours that fire now.",
            'count(ALERTS{alertname=~"Mailwarden.*", alertstate="firing"}) or vector(0)',
            Look(width=3, levels=BAD_IF_ANY),
        ),
        figure("Messages a minute", "Messages decided and answered.", a_minute("messages_total"), Look(width=3)),
        figure(
            "Refused",
            "Share of answers to senders, recipients and messages that were 5xx.",
            share("replies_total", 'code=~"5.."', ANSWERED),
            Look(width=3, unit=SHARE),
        ),
        figure(
            "Budget burn",
            "How many times too fast the error budget of thirty days burns, within the last hour. Above 1 is too fast.",
            "max(mailwarden:slo_burn:1h)",
            Look(width=3, levels=((None, "green"), (1, "orange"), (6, "red"))),
        ),
        figure(
            "Held up (p95)",
            "From the end of a message until it goes on, is kept or is refused: what the gateway adds.",
            quantile(0.95, "added_seconds"),
            Look(width=3, unit="s", levels=((None, "green"), (1, "orange"), (10, "red"))),
        ),
        figure(
            "Suspended",
            "Rules and filters that somebody has suspended for a while (mailwarden bypass).",
            f"max(mailwarden_bypasses{{{HERE}}})",
            Look(width=3, levels=BAD_IF_ANY),
        ),
        figure(
            "Policy",
            "The digest of the policy in force, as it is in headers and audit records.",
            f"mailwarden_policy_info{{{HERE}}}",
            Look(width=3, kind="name"),
            legend="{{digest}}",
        ),
        lines(
            "What becomes of messages",
            "Messages a minute by the strongest action for any recipient.",
            {"{{action}}": a_minute("messages_total", "action")},
            Look(width=12, stacked=True),
        ),
        lines(
            "Where messages go",
            "Messages a minute by direction.",
            {"{{direction}}": a_minute("messages_total", "direction")},
            Look(width=12, stacked=True),
        ),
        lines(
            "From the last octet to the answer",
            "With the next hop's part. The gateway answers within 60 s at the latest.",
            {f"p{round(part * 100)}": quantile(part, "message_seconds") for part in (0.5, 0.95, 0.99)},
            Look(unit="s"),
        ),
        lines(
            "What the gateway adds",
            "Until the message goes on, is kept or is refused. The objective: 99 % within a second.",
            {f"p{round(part * 100)}": quantile(part, "added_seconds") for part in (0.5, 0.95, 0.99)},
            Look(unit="s", levels=((None, "transparent"), (1, "red"))),
        ),
        lines(
            "Error budgets",
            "Burn of the last hour and the last six: 1 uses a budget up in thirty days. A page comes at 14.4 and 6.",
            {"{{slo}} 1h": "mailwarden:slo_burn:1h", "{{slo}} 6h": "mailwarden:slo_burn:6h"},
            Look(levels=((None, "transparent"), (1, "orange"), (14.4, "red"))),
        ),
        lines(
            "Put off for a trouble",
            "Messages a minute answered 4xx because something could not be done: they come again.",
            {"{{reason}}": a_minute("put_off_total", "reason")},
            Look(stacked=True),
        ),
        heat("Sizes", "How large messages are.", "message_bytes", look=Look(unit="bytes", width=8)),
        lines(
            "Sessions and messages under way",
            "Clients that are connected, and messages being received or decided.",
            {"sessions": total("sessions"), "messages": total("messages_in_flight")},
        ),
    ),
)

REFUSED = Board(
    name="refused",
    title="Mailwarden: why refused",
    text="Which rules stop mail, which would, and what else was turned away?",
    panels=(
        lines(
            "Refusals by stage",
            "Answers 5xx a minute, by where in the dialogue they were given.",
            {"{{stage}}": a_minute("replies_total", "stage", 'code=~"5.."')},
            Look(stacked=True),
        ),
        lines(
            "Answers that are not 2xx",
            "A minute, by code. 4xx: it comes again.",
            {"{{code}}": a_minute("replies_total", "code", 'code=~"[45].."')},
            Look(stacked=True),
        ),
        lines(
            "What rules in force do",
            "Matches a minute of rules that act, by what they ask for.",
            {"{{action}}": a_minute("rule_matches_total", "action", 'mode="enforce"')},
            Look(stacked=True),
        ),
        row("Rules"),
        ranking(
            "Rules in force",
            "Matches within the time shown. A rule that was unknown and asks for something then counts too.",
            counted("rule_matches_total", "rule, action", 'mode="enforce"') + " > 0",
            ("rule", "action"),
        ),
        ranking(
            "Rules in shadow: what they would have done",
            "Look here before a rule is put in force.",
            counted("rule_matches_total", "rule, action", 'mode="shadow"') + " > 0",
            ("rule", "action"),
        ),
        lines(
            "The ten busiest rules in force",
            "Matches a minute. A jump after a change of the policy (purple mark) is that change.",
            {"{{rule}}": busiest(a_minute("rule_matches_total", "rule", 'mode="enforce"'))},
            Look(width=12),
        ),
        lines(
            "The ten busiest rules in shadow",
            "Matches a minute.",
            {"{{rule}}": busiest(a_minute("rule_matches_total", "rule", 'mode="shadow"'))},
            Look(width=12),
        ),
        ranking(
            "False alarms",
            "Of what a rule quarantined within the time shown, the share that somebody released again.",
            f"{counted('rule_releases_total', 'rule')} / {KEPT}",
            ("rule",),
            Look(width=12, unit=SHARE),
        ),
        lines(
            "Suspended",
            "Rules and filters that somebody has suspended, and for how long they still are.",
            {"{{kind}} {{name}}": f"max by (kind, name) (mailwarden_bypass_left_seconds{{{HERE}}})"},
            Look(width=12, unit="s"),
        ),
        row("What was found, and who misbehaved"),
        lines(
            "The ten commonest findings",
            "What filters saw, a minute; a finding alone does nothing.",
            {"{{code}}": busiest(a_minute("findings_total", "code"))},
        ),
        lines(
            "Broken protocol",
            "Clients that broke SMTP, a minute, and how. bare_line_ending is what smuggling looks like.",
            {"{{kind}}": a_minute("protocol_errors_total", "kind")},
            Look(stacked=True),
        ),
        lines(
            "Turned away",
            "Clients that were turned away to protect the others, a minute.",
            {"{{reason}}": a_minute("shed_total", "reason")},
            Look(stacked=True),
        ),
    ),
)
