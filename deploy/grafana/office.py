"""Two dashboards for those who answer for the rules: kept mail, and what the regulations ask about."""

from __future__ import annotations

from boards import Board
from parts import BAD_IF_ANY, COUNT, HERE, Look, an_hour, busiest, counted, figure, lines, ranking, row, total

DAY = 86_400

WAITING = 'state="waiting"'
FIGURE = Look(width=4, unit=COUNT)
EARLY = 'stage=~"mail|rcpt", code=~"[45].."'

KEPT = Board(
    name="kept",
    title="Mailwarden: approvals and quarantine",
    text="What is kept, how long it waits, who decides?",
    panels=(
        figure("Waiting for approval", "Held mail that nobody has decided on.", total("held", "", WAITING), FIGURE),
        figure(
            "Oldest",
            "How long the message waits that has waited longest.",
            f"max(mailwarden_held_oldest_seconds{{{HERE}}})",
            Look(width=4, unit="s", levels=((None, "green"), (DAY / 6, "orange"), (DAY, "red"))),
        ),
        figure(
            "Being released",
            "For long: nobody knows whether the next hop took it; see MailwardenReleaseStuck.",
            total("held", "", 'state="releasing"'),
            Look(width=4, levels=BAD_IF_ANY),
        ),
        figure("In quarantine", "Mail that waits there.", total("quarantined"), FIGURE),
        figure("Decisions", "On held mail, within the time shown.", counted("approvals_total", ""), FIGURE),
        figure("Released", "Kept mail handed on, within the time shown.", counted("released_total", ""), FIGURE),
        lines("Held", "By state.", {"{{state}}": total("held", "state")}, Look(stacked=True)),
        lines(
            "Age of the oldest",
            "Of held mail that waits.",
            {"{{instance}}": f"mailwarden_held_oldest_seconds{{{HERE}}}"},
            Look(unit="s", levels=((None, "transparent"), (DAY, "red"))),
        ),
        lines("Quarantine", "By class of retention.", {"{{class}}": total("quarantined", "class")}, Look(stacked=True)),
        lines(
            "Decisions on held mail",
            "An hour, by outcome. expired: nobody decided in time.",
            {"{{outcome}}": an_hour("approvals_total", "outcome")},
            Look(stacked=True),
        ),
        lines(
            "Handed on",
            "An hour, by whom: an approval, a person who may release, or the clock.",
            {"{{by}}": an_hour("released_total", "by")},
            Look(stacked=True),
        ),
        lines(
            "Notices",
            "An hour, by what became of them.",
            {"{{result}}": an_hour("notices_total", "result")},
            Look(stacked=True),
        ),
        ranking(
            "Notices by kind",
            "Within the time shown.",
            counted("notices_total", "kind, result") + " > 0",
            ("kind", "result"),
        ),
        ranking(
            "Rules that keep mail",
            "Matches within the time shown of rules in force that hold or quarantine.",
            counted("rule_matches_total", "rule, action", 'mode="enforce", action=~"hold|quarantine"') + " > 0",
            ("rule", "action"),
        ),
    ),
)

GOVERNMENT = Board(
    name="government",
    title="Mailwarden: government policy",
    text="What the regulations ask about: sign-ups, secret marks, accounts, and every clause with its matches.",
    panels=(
        figure(
            "Mail marked secret",
            "Messages within the time shown with one of the State's three levels. Each is an incident to look into.",
            counted("secret_marks_total", "", 'level=~"tuyet-mat|toi-mat|mat"'),
            Look(width=4, unit=COUNT, levels=((None, "green"), (0.5, "red"))),
        ),
        figure("Sign-ups", "Mail of services within the time shown.", counted("signup_total", ""), FIGURE),
        figure("Locked accounts", "Of the directory.", f'max(mailwarden_accounts{{{HERE}, state="locked"}})', FIGURE),
        figure("Revoked accounts", "Of the directory.", f'max(mailwarden_accounts{{{HERE}, state="revoked"}})', FIGURE),
        figure(
            "Exceptions that end soon",
            "Within fourteen days.",
            f"max(mailwarden_policy_expiring_exceptions{{{HERE}}})",
            Look(width=4, levels=((None, "green"), (1, "orange"))),
        ),
        figure(
            "Policy taken",
            "When the policy in force was loaded.",
            f"max(mailwarden_policy_last_reload_timestamp_seconds{{{HERE}}}) * 1000",
            Look(width=4, unit="dateTimeFromNow"),
        ),
        ranking(
            "Clauses in force",
            "Matches within the time shown of rules in force, by the clause of a regulation that they cite.",
            counted("clause_matches_total", "clause", 'mode="enforce"') + " > 0",
            ("clause",),
        ),
        ranking(
            "Clauses looked on (shadow)",
            "The same for rules that do not act yet.",
            counted("clause_matches_total", "clause", 'mode="shadow"') + " > 0",
            ("clause",),
        ),
        lines(
            "Clauses",
            "The ten busiest, matches an hour, in force or in shadow.",
            {"{{clause}} ({{mode}})": busiest(an_hour("clause_matches_total", "clause, mode"))},
            Look(width=24),
        ),
        row("Sign-ups with official addresses"),
        lines(
            "Sign-ups by kind of service",
            "Mail an hour by which services confirm a registration, a login or a password.",
            {"{{category}}": an_hour("signup_total", "category")},
            Look(stacked=True, width=12),
        ),
        lines(
            "What becomes of them",
            "Mail an hour by action.",
            {"{{action}}": an_hour("signup_total", "action")},
            Look(stacked=True, width=12),
        ),
        row("State secrets"),
        lines(
            "Secrecy markings",
            "Mail an hour by level: mật, tối mật, tuyệt mật.",
            {"{{level}}": an_hour("secret_marks_total", "level")},
            Look(stacked=True, width=12),
        ),
        lines(
            "What becomes of marked mail",
            "Mail an hour by action.",
            {"{{action}}": an_hour("secret_marks_total", "action")},
            Look(stacked=True, width=12),
        ),
        row("Accounts and exceptions"),
        lines(
            "Accounts",
            "Of the directory, by state.",
            {"{{state}}": f"max by (state) (mailwarden_accounts{{{HERE}}})"},
        ),
        lines(
            "Refused before the content",
            "Senders and recipients an hour: locked accounts, mailboxes no longer used, strangers to relay for.",
            {"{{stage}} {{code}}": an_hour("replies_total", "stage, code", EARLY)},
            Look(stacked=True),
        ),
        lines(
            "Changes of the policy",
            "An hour. invalid: it had problems; failed: its own tests failed; neither was taken.",
            {"{{result}}": an_hour("policy_reloads_total", "result")},
            Look(stacked=True),
        ),
    ),
)
