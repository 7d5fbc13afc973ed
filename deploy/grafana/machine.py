"""Two dashboards about the machinery: filters with their engines, and the flow through this machine."""

from __future__ import annotations

from boards import Board
from parts import GOOD_IF_ONE, HERE, PROCESS, Look, a_minute, figure, heat, lines, quantile, rate, row, states, total

FAILED = 'outcome!~"clean|found"'

FILTERS = Board(
    name="filters",
    title="Mailwarden: filters and engines",
    text="Do the filters look, how long do they take, and what can they not look into?",
    panels=(
        states(
            "Engines",
            "Scanners and other servers that filters ask, by filter and number. Red: left alone after failures.",
            f"min by (engine) (mailwarden_engine_up{{{HERE}}})",
            "{{engine}}",
            Look(width=12, levels=GOOD_IF_ONE, words={"0": "down", "1": "up"}),
        ),
        states(
            "Breakers",
            "Open: the engine is not asked. Half open: it is tried again.",
            f"max by (engine) (mailwarden_breaker_state{{{HERE}}})",
            "{{engine}}",
            Look(
                width=12,
                levels=((None, "green"), (1, "orange"), (2, "red")),
                words={"0": "closed", "1": "half open", "2": "open"},
            ),
        ),
        lines(
            "Last answer of each engine",
            "How long it took.",
            {"{{engine}}": f"max by (engine) (mailwarden_engine_seconds{{{HERE}}})"},
            Look(unit="s"),
        ),
        lines(
            "Filters that could not look",
            "A minute, by filter and reason. What becomes of the mail is the rule's on_unknown.",
            {"{{filter}}: {{reason}}": a_minute("filter_failures_total", "filter, reason")},
            Look(stacked=True),
        ),
        lines(
            "Share that could not be looked at",
            "By filter. An alert comes at 5 %.",
            {"{{filter}}": "max by (filter) (mailwarden:filter_failures:ratio5m)"},
            Look(unit="percentunit", levels=((None, "transparent"), (0.05, "red"))),
        ),
        lines(
            "Time of each filter (p95)",
            "The slowest decides: they run side by side.",
            {"{{filter}}": quantile(0.95, "filter_seconds", "filter")},
            Look(width=12, unit="s"),
        ),
        heat("Time of all filters", "How often a filter took how long.", "filter_seconds"),
        lines(
            "Looks a minute",
            "By filter. Only those run that a rule needs for the message.",
            {"{{filter}}": a_minute("filter_seconds_count", "filter")},
        ),
        lines(
            "What could not be looked into",
            "A minute, by reason: encrypted, too deep, damaged and the like.",
            {"{{reason}}": a_minute("uninspectable_total", "reason")},
            Look(stacked=True),
        ),
        lines(
            "Attached files",
            "Opened, known already, or why the reader came to no good end; a minute.",
            {"{{outcome}}": a_minute("files_read_total", "outcome")},
            Look(stacked=True),
        ),
    ),
)

FLOW = Board(
    name="flow",
    title="Mailwarden: flow health",
    text="Does this machine keep up, and does the next hop?",
    panels=(
        figure(
            "Disk free",
            "Where mail and audit trail are kept. An alert comes at 10 %.",
            f"min(mailwarden_state_free_bytes{{{HERE}}} / mailwarden_state_size_bytes{{{HERE}}})",
            Look(width=4, unit="percentunit", levels=((None, "red"), (0.1, "orange"), (0.2, "green"))),
        ),
        figure(
            "Spool taken",
            "Of what limits.spool allows to messages being received.",
            f"max(mailwarden_spool_bytes{{{HERE}}} / mailwarden_spool_limit_bytes{{{HERE}}})",
            Look(width=4, unit="percentunit", levels=((None, "green"), (0.5, "orange"), (0.8, "red"))),
        ),
        figure(
            "Loop late (p99)",
            "How late the event loop is; beyond 0.25 s the machine is too small or something blocks.",
            quantile(0.99, "event_loop_lag_seconds"),
            Look(width=4, unit="s", levels=((None, "green"), (0.05, "orange"), (0.25, "red"))),
        ),
        figure(
            "Running since",
            "The last start of the one that was started last.",
            f"max(process_start_time_seconds{{{PROCESS}}}) * 1000",
            Look(width=4, unit="dateTimeFromNow"),
        ),
        figure(
            "Version",
            "What runs.",
            f"mailwarden_build_info{{{HERE}}}",
            Look(width=4, kind="name"),
            legend="{{version}}",
        ),
        figure(
            "Audit writes that failed",
            "A minute. While it is not 0, mail is put off or goes unrecorded.",
            a_minute("audit_writes_total", "", 'result="failed"'),
            Look(width=4, levels=((None, "green"), (0.001, "red"))),
        ),
        row("The next hop"),
        lines(
            "Time of the next hop (p95)",
            "By stage: rcpt is the answer to a recipient, data the answer to the message.",
            {"{{stage}}": quantile(0.95, "upstream_seconds", "stage")},
            Look(unit="s"),
        ),
        lines(
            "Trouble with the next hop",
            "A minute, by stage and kind.",
            {"{{stage}}: {{class}}": a_minute("upstream_errors_total", "stage, class")},
            Look(stacked=True),
        ),
        lines(
            "Answers at the end of messages",
            "A minute, by code.",
            {"{{code}}": a_minute("replies_total", "code", 'stage="message"')},
            Look(stacked=True),
        ),
        row("Canaries"),
        states(
            "Canaries",
            "Messages that the gateway sends to itself: a clean one must pass, the others must be stopped.",
            f"min by (canary) (mailwarden_probe_up{{{HERE}}})",
            "{{canary}}",
            Look(width=12, levels=GOOD_IF_ONE, words={"0": "wrong", "1": "right"}),
        ),
        lines(
            "Time of canaries",
            "From the connection to the answer.",
            {"{{canary}}": f"max by (canary) (mailwarden_probe_seconds{{{HERE}}})"},
            Look(width=12, unit="s"),
        ),
        row("This machine"),
        lines("Sessions", "Clients that are connected, by listener.", {"{{listener}}": total("sessions", "listener")}),
        lines(
            "Messages under way",
            "Being received or decided, by listener.",
            {"{{listener}}": total("messages_in_flight", "listener")},
        ),
        lines(
            "Spool",
            "Bytes of messages being received.",
            {"{{instance}}": total("spool_bytes", "instance")},
            Look(unit="bytes"),
        ),
        heat("Event loop", "How late it was.", "event_loop_lag_seconds", look=Look(unit="s", width=8)),
        lines(
            "Memory",
            "Resident.",
            {"{{instance}}": f"process_resident_memory_bytes{{{PROCESS}}}"},
            Look(unit="bytes"),
        ),
        lines(
            "Processor",
            "Cores in use.",
            {"{{instance}}": f"rate(process_cpu_seconds_total{{{PROCESS}}}[$__rate_interval])"},
        ),
        lines(
            "Open descriptors",
            "Of those the process may have.",
            {"{{instance}}": f"process_open_fds{{{PROCESS}}} / process_max_fds{{{PROCESS}}}"},
            Look(unit="percentunit", levels=((None, "transparent"), (0.8, "red"))),
        ),
        lines(
            "Audit trail",
            "Writes a minute.",
            {"{{result}}": a_minute("audit_writes_total", "result")},
        ),
        lines(
            "Bytes a second",
            "Of messages, by direction.",
            {"{{direction}}": rate("message_bytes_sum", "direction")},
            Look(unit="Bps", stacked=True),
        ),
    ),
)
