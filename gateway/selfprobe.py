"""Sends canaries through a listener of our own, as any client does, and looks whether they fare as they should.

The file before is `canary.py` (what is expected) and `seal.py` (how the gateway knows them); what becomes of one inside
is in `handling.py`. Each is one SMTP session from greeting to the answer to the dot: kernel, door, policy, filters and
their engines, the next hop as far as RCPT. What is not on the way: the audit trail, custody, and the end of data of the
next hop, for nobody shall get one.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import structlog

from gateway.canary import Canary, Expectation, Probe
from gateway.config import Listener, ListenerDirection, Settings, probe_listeners
from gateway.endpoint import HostPort, UnixSocket
from gateway.errors import HopError
from gateway.identity import new_id
from gateway.mail import Client, Direction, Envelope, Recipient, Transaction
from gateway.notices.marker import read_key
from gateway.observer import Observer
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.policy.rule import Mode
from gateway.policy.when import directions_of
from gateway.samples import CLEAN, OUTSIDE_DOMAIN, SECRET, SPAM, VIRUS, Sample, role_address
from gateway.seal import Decided, Seals, decided
from gateway.smtp.hop import HopSettings
from gateway.smtp.upstream import SmtpHop
from gateway.verdict import Action

SAMPLES: dict[Canary, Sample] = {
    Canary.CLEAN: CLEAN,
    Canary.EICAR: VIRUS,
    Canary.GTUBE: SPAM,
    Canary.MARKING: SECRET,
}

FILTERS = {Canary.EICAR: "virus", Canary.GTUBE: "spam", Canary.MARKING: "secret_marks"}
"""The filter that knows each."""

CONNECTING = 10.0
"""Seconds until the door has to open: it is our own."""

KEY = "probe.key"
"""The file of the state folder with the key of the seals."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Result:
    """How a canary fared. `outcome` is the action that was decided on, "unsure" if only because somebody could not
    look, "failed" if there was no decision; `detail` says more."""

    canary: Canary
    expected: Expectation
    outcome: str
    good: bool
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Prober:
    """`address` is where the listener of these settings is: host and port, or the path of a unix socket."""

    settings: Settings
    probe: Probe
    policy: Callable[[], Policy]
    seals: Seals
    address: tuple[Any, ...] | str

    async def run(self, observer: Observer) -> None:
        """Round after round, until cancelled. Trouble is logged and counted, and never ends it."""
        bad: set[Canary] = set()
        try:
            while True:
                async for result in self.round():
                    observer.probed(result.canary.value, result.outcome, good=result.good, seconds=result.seconds)
                    _tell(result, bad)
                await asyncio.sleep(self.probe.every)
        finally:
            observer.probes_over()

    async def round(self) -> AsyncIterator[Result]:
        """Each canary of which something is expected, once, one after the other."""
        for canary in Canary:
            wanted = expectation(self.policy(), self.probe, canary, direction(self.listener))
            if wanted is not Expectation.OFF:
                yield await self._sent(canary, wanted)

    @property
    def listener(self) -> Listener:
        """The one they are handed in at."""
        return probe_listeners(self.settings.listeners, self.probe)[0]

    async def _sent(self, canary: Canary, wanted: Expectation) -> Result:
        started = time.perf_counter()
        outcome, good, detail = "failed", False, ""
        try:
            async with asyncio.timeout(2 * self.settings.deadline + CONNECTING):
                outcome, good, detail = await self._handed_in(canary, wanted)
        except HopError as error:
            detail = f"{error.kind}: {error.detail or error.reply}"
        except TimeoutError:
            detail = "no answer in time"
        except Exception as error:
            log.exception("bug in the self-probe", canary=canary.value)
            detail = type(error).__name__
        return Result(canary, wanted, outcome, good, time.perf_counter() - started, detail)

    async def _handed_in(self, canary: Canary, wanted: Expectation) -> tuple[str, bool, str]:
        """Outcome, whether it is as wanted, and details. Raises HopError for a session that breaks."""
        transaction = self._transaction()
        sender, [recipient] = transaction.envelope.sender, transaction.envelope.recipients
        moment = datetime.now(UTC)
        message = f"Date: {format_datetime(moment)}\r\n".encode() + SAMPLES[canary].raw(sender, recipient.address)
        raw = self.seals.put_on(message, self.listener.name, canary, moment.timestamp())
        door = SmtpHop(self._way())
        try:
            delivery = door.begin(transaction)
            [answer] = await delivery.add([recipient])
            if answer.accepted:
                answer = await delivery.send(raw, [raw])
            else:
                await delivery.abandon()
        finally:
            await door.close()
        found = decided(answer)
        if found is None:
            return "failed", False, str(answer)
        outcome = found.action.word if found.sure else "unsure"
        return outcome, _is_as(wanted, found), "" if found.sure else f"{found.action.word}: somebody could not look"

    def _way(self) -> HopSettings:
        """How to come in by our own door."""
        return HopSettings(
            address=self.address if isinstance(self.address, str) else (self.address[0], self.address[1]),
            tls="may",
            helo=self.settings.hostname,
            connections=1,
            connect_timeout=CONNECTING,
            reply_timeout=self.settings.deadline,  # the answer to RCPT is the next hop's
            final_timeout=self.settings.deadline,
        )

    def _transaction(self) -> Transaction:
        inside = role_address(self.policy().organisation.domains, self.settings.hostname)
        outside = f"probe@{OUTSIDE_DOMAIN}"
        inbound = direction(self.listener) is not Direction.OUTBOUND
        sender, recipient = (outside, inside) if inbound else (inside, outside)
        to = Recipient(self.probe.recipient or recipient)
        return Transaction(
            id=new_id(),
            listener=self.listener.name,
            received=datetime.now(UTC),
            client=Client(address="127.0.0.1", name="localhost", helo=self.settings.hostname, protocol="ESMTP"),
            envelope=Envelope(self.probe.sender or sender, (to,), ("BODY=8BITMIME",)),
            inside=not inbound,
        )


def seals_of(state: Path) -> Seals:
    """The seals of the gateways on this state folder; the key is made where there is none yet. Never raises: without a
    key there are no canaries."""
    try:
        return Seals(read_key(state / KEY))
    except (OSError, ValueError) as error:
        log.error("no canaries", reason=str(error))
        return Seals(b"")


def prober_outside(settings: Settings, probe: Probe) -> Prober | None:
    """One for another process than the gateway's; None where there is no listener for it, or no key that it may read.

    Raises ConfigurationError for a policy that cannot be used.
    """
    listeners = probe_listeners(settings.listeners, probe)
    if not listeners or not os.access(settings.state / KEY, os.R_OK):
        return None
    policy = load(settings.policy)
    match listeners[0].address:
        case HostPort(host, port):
            address: tuple[str, int] | str = (host, port)
        case UnixSocket(path):
            address = str(path)
    return Prober(settings, probe, lambda: policy, seals_of(settings.state), address)


def direction(listener: Listener) -> Direction:
    """Which way canaries go there."""
    return Direction.OUTBOUND if listener.direction is ListenerDirection.OUTBOUND else Direction.INBOUND


def expectation(policy: Policy, probe: Probe, canary: Canary, direction: Direction) -> Expectation:
    """What should become of a canary that goes this way, by the settings or else by the rules in force."""
    written = probe.expect.of(canary)
    if written is not Expectation.AUTO:
        return written
    if canary is Canary.CLEAN:
        return Expectation.DELIVER
    for rule in policy.rules:
        stops = rule.mode is Mode.ENFORCE and rule.then >= Action.HOLD and FILTERS[canary] in rule.filters
        if stops and direction in directions_of(rule.when):
            return Expectation.STOP
    return Expectation.OFF


def _is_as(wanted: Expectation, found: Decided) -> bool:
    if not found.sure:
        return False
    match wanted:
        case Expectation.DELIVER:
            return found.action.delivers
        case Expectation.STOP:
            return not found.action.delivers
        case _:
            return found.action.word == wanted.value


def _tell(result: Result, bad: set[Canary]) -> None:
    """Every failure, and that it is over; that all is well says the metric."""
    if not result.good:
        bad.add(result.canary)
        log.error(
            "canary not as expected",
            canary=result.canary.value,
            expected=result.expected.value,
            outcome=result.outcome,
            reason=result.detail,
        )
    elif result.canary in bad:
        bad.discard(result.canary)
        log.info("canary as expected again", canary=result.canary.value, outcome=result.outcome)
