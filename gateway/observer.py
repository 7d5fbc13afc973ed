"""What is worth counting, as the edges and the core say it; `metrics.py` gives the numbers to Prometheus.

Every argument that becomes a label is from a closed set: a listener's name, a word of ours, a rule's id, a code.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from gateway.keeping import Tally
from gateway.mail import Direction
from gateway.verdict import Outcome, Report, Verdict


class Observer(Protocol):
    """The one place where things are counted."""

    def session_opened(self, listener: str) -> None:
        """A client connected."""

    def session_closed(self, listener: str) -> None:
        """A client's session is over."""

    def replied(self, stage: str, code: int) -> None:
        """A reply of this code was sent at this stage (connect, helo, mail, rcpt, data, message, other)."""

    def protocol_error(self, kind: str) -> None:
        """A client broke the protocol.

        How: syntax, long_line, sequence, bare_line_ending, size, timeout, loop, proxy, tls.
        """

    def shed(self, reason: str) -> None:
        """A client was turned away to protect the others: sessions, client_sessions, load, spool, draining."""

    def message_started(self, listener: str) -> None:
        """A message's content begins to arrive."""

    def message_ended(self, listener: str) -> None:
        """It is decided and answered, or the client has gone."""

    def examined(self, report: Report) -> None:
        """A filter has looked, or could not."""

    def judged(
        self, listener: str, direction: Direction, verdict: Verdict, *, size: int, seconds: float, added: float
    ) -> None:
        """A message has been decided and the client has its answer, `seconds` after the end of data.

        `added` of these passed before it went on: what the gateway itself takes.
        """

    def refused(self, outcome: Outcome) -> None:
        """A sender or a recipient was refused by rules before the content was sent."""

    def put_off(self, reason: str) -> None:
        """A message was answered 4xx for a trouble of ours: deadline, store, bug, unknown, next-hop."""

    def hop_answered(self, stage: str, seconds: float) -> None:
        """The next hop answered at this stage (rcpt, data)."""

    def hop_failed(self, stage: str, kind: str) -> None:
        """Trouble with the next hop at this stage."""

    def noticed(self, kind: str, result: str) -> None:
        """What became of a notice: a `Fate` when it was made; sent, refused or given-up when its way was over."""

    def audit_written(self, result: str) -> None:
        """Records were put into the audit trail (ok), or could not be (failed)."""

    def kept(self, tally: Tally, now: datetime) -> None:
        """What kept mail there is now."""

    def decided(self, outcome: str) -> None:
        """Somebody, or time, decided on held mail, or somebody was asked in an approver's place."""

    def released(self, by: str, rules: Sequence[str]) -> None:
        """Kept mail was handed on: by approval, a person who may release it, or the clock; these rules kept it."""

    def exceptions_expiring(self, count: int) -> None:
        """So many of the policy's exceptions end soon."""

    def probed(self, canary: str, outcome: str, *, good: bool, seconds: float) -> None:
        """A canary of ours fared so: an action's word, unsure or failed; `good` if that was expected."""

    def probes_over(self) -> None:
        """No canaries are sent by this process from now on: what was known of them is old."""
