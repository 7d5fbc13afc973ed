"""What the service takes before it says "later" or "no": the parts `limits` and `reading` of the settings."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from gateway.schema.reader import Misfit
from gateway.schema.scalars import Duration, Size

MESSAGE_SIZE_FLOOR = Size(64_000)
"""Octets. RFC 5321 section 4.5.3.1.7: a server takes messages of 64K octets at least."""

RECIPIENTS_FLOOR = 100
"""RFC 5321 section 4.5.3.1.8: a server takes 100 recipients at least."""

HOPS_FLOOR = 10
"""Fewer Received lines than this, and mail that only passed a provider and a list would be called a loop."""


MOST_MEMBER = Size(32 << 20)
"""Octets of one unpacked file: it is held in memory whole, once for each level."""

MOST_DEPTH = 16
"""Files within files; each level keeps what it has unpacked until all below it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the service takes before it says "later" or "no". Of several workers each has an equal share of sessions, of
    the spool and of the connections to next hops."""

    sessions: int = 2000
    """Sessions open at once, over all listeners; more get 421."""

    sessions_per_client: int = 200
    """Sessions open at once for an IPv4 address or an IPv6 /64; trusted peers of the listener and this machine are not
    counted."""

    recipients: int = 1000
    """Recipients of one message; more get 452 4.5.3."""

    message_size: Size = Size(50_000_000)
    """Octets of one message, announced by SIZE; more get 552 5.3.4."""

    errors: int = 20
    """Refused commands of a session before it is closed with 421."""

    messages_per_session: int = 100_000
    """Messages taken in one session."""

    command_timeout: Duration = Duration(300)
    """Wait for the next command (RFC 5321 section 4.5.3.2.7: five minutes)."""

    transfer_rate: Size = Size(500)
    """Octets a second that a client must send on the average while it sends a message."""

    transfer_grace: Duration = Duration(30)
    """How long a message may take before its rate is looked at."""

    session_timeout: Duration = Duration(3600)
    """Length of a session; one that is receiving or deciding a message ends after it."""

    tls_handshake: Duration = Duration(10)
    """Wait for the end of a TLS handshake."""

    proxy_header: Duration = Duration(5)
    """Wait for the PROXY header."""

    spool: Size = Size(4 << 30)
    """Octets on disk for messages that are being received; more get 452 4.3.1."""

    spool_memory: Size = Size(64 << 20)
    """Octets in memory for messages that are being received; beyond it they go to disk at once."""

    hops: int = 50
    """Received lines at which a message is called a loop (554 5.4.6)."""

    upstream_connections: int = 50
    """Connections to one next hop at once; a message waits for a free one."""

    upstream_idle: Duration = Duration(60)
    """How long an unused connection to a next hop is kept; less than the hop's own patience."""

    upstream_connect: Duration = Duration(10)
    """Wait for a connection to the next hop, with its greeting and TLS."""

    upstream_reply: Duration = Duration(30)
    """Wait for one reply of the next hop; shorter than `deadline`."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) <= 0:
                raise Misfit(each.name, "must be more than 0")
        if self.message_size < MESSAGE_SIZE_FLOOR:
            raise Misfit("message_size", "must be 64kB at least (RFC 5321 section 4.5.3.1.7)")
        if self.recipients < RECIPIENTS_FLOOR:
            raise Misfit("recipients", f"must be {RECIPIENTS_FLOOR} at least (RFC 5321 section 4.5.3.1.8)")
        if self.hops < HOPS_FLOOR:
            raise Misfit("hops", f"must be {HOPS_FLOOR} at least")
        if self.spool < self.message_size:
            raise Misfit("spool", "must have room for one message of message_size")
        if self.session_timeout < self.command_timeout:
            raise Misfit("session_timeout", "must not be shorter than command_timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """How far attached files are opened. What is beyond it is never passed over in silence: it is `uninspectable`."""

    processes: int = 2
    """Files that are read at once, each in a process of its own; one for each core."""

    seconds: Duration = Duration(10)
    """For all files of a message together, with the wait for a free process; what is left is part of `deadline`."""

    memory: Size = Size(512 << 20)
    """Octets for one file's process."""

    unfolded: Size = Size(100 << 20)
    """Octets of all files of a message, unpacked."""

    member: Size = Size(32 << 20)
    """Octets of one unpacked file inside another; a bigger one is listed and not read. 32MiB at most."""

    files: int = 2000
    """Files of a message, those inside others included."""

    depth: int = 8
    """Files within files."""

    cache: Size = Size(32 << 20)
    """Octets of what was read of files, kept by digest: one file to many people is read once."""

    system_call_filter: Literal["if-possible", "required"] = "if-possible"
    """Whether files are opened on a machine whose kernel cannot filter system calls (seccomp): if-possible, with a
    warning; required: filters that read could not look there."""

    ocr: bool = False
    """Whether text in pictures is recognised, by the program tesseract with its Vietnamese and English data."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value <= 0:
                raise Misfit(each.name, "must be more than 0")
        if self.depth > MOST_DEPTH:
            raise Misfit("depth", f"must be {MOST_DEPTH} at most")
        if self.member > MOST_MEMBER:
            raise Misfit("member", "must be 32MiB at most")
