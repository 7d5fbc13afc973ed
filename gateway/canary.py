"""The canaries that a gateway sends to itself, and what is expected of them: the part `probe` of the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.schema.reader import Misfit
from gateway.schema.scalars import Duration

SHORTEST = Duration(10)
"""Between two rounds: a round with a busy engine takes about as long."""


class Canary(StrEnum):
    """One of the messages; it names the canary in settings, metrics and the log."""

    CLEAN = "clean"
    EICAR = "eicar"
    GTUBE = "gtube"
    MARKING = "marking"


class Expectation(StrEnum):
    """What should become of a canary.

    `auto`: stopped where a rule in force asks the filter that knows it, else it is not sent; `off`: it is not sent;
    `deliver`: it would go on, with or without marks; `stop`: a rule that is sure keeps it from its recipient; or the
    very action.
    """

    AUTO = "auto"
    OFF = "off"
    DELIVER = "deliver"
    STOP = "stop"
    ACCEPT = "accept"
    TAG = "tag"
    HOLD = "hold"
    QUARANTINE = "quarantine"
    DISCARD = "discard"
    DEFER = "defer"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What should become of each canary: `deliver`, `stop`, an action such as `reject`, `off`, or `auto`: stopped where
    a rule in force asks the filter that knows it, else not sent."""

    clean: Expectation = Expectation.DELIVER
    """An ordinary letter."""

    eicar: Expectation = Expectation.AUTO
    """The test file of virus scanners, known to `virus`."""

    gtube: Expectation = Expectation.AUTO
    """The test line of spam filters, known to `spam`."""

    marking: Expectation = Expectation.AUTO
    """A document with the mark of a State secret and no content, known to `secret_marks`."""

    def of(self, canary: Canary) -> Expectation:
        """What is written for this one."""
        found: Expectation = getattr(self, canary.value)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Canaries that the gateway sends to itself, through a listener of its own as any client does. They are decided as
    mail is, asked of the next hop as far as RCPT, and then given up: nobody gets one."""

    every: Duration = Duration(300)
    """Time between two rounds."""

    listener: str = ""
    """The SMTP listener they are handed in at; the first one without `proxy_protocol` where it is left out."""

    sender: str = ""
    """Who they are from; nobody's address outside, or postmaster of the first domain at an outbound listener, where it
    is left out."""

    recipient: str = ""
    """Whom they are for, an address that the next hop takes; the other one of these two where it is left out."""

    expect: Expected = field(default_factory=Expected)
    """What should become of each."""

    def __post_init__(self) -> None:
        if self.every < SHORTEST:
            raise Misfit("every", "must be 10s at least")
        for name in ("sender", "recipient"):
            address = getattr(self, name)
            if address and ("@" not in address or not address.isascii() or not address.isprintable() or " " in address):
                raise Misfit(name, "must be a mail address in ASCII")
