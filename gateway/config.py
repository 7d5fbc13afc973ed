"""gateway.yaml to settings: what the service listens on, where mail goes on to, and its limits.

The file before is the operator's, the file after `gateway/app.py`, which builds the service from these values. Every
key is documented below its field; the reference page and the editors' schema are made from here.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from gateway.canary import Probe
from gateway.endpoint import HostPort, UnixSocket, Upstream, is_host_name
from gateway.errors import ConfigurationError, Problem
from gateway.limits import FileReading, Limits
from gateway.schema.nodes import TEXT_LIMIT, compose, decode
from gateway.schema.reader import Invalid, Misfit, Reader
from gateway.schema.scalars import Duration, Network
from gateway.schema.secrets import with_secrets

DEADLINE_LIMIT = Duration(90)
"""Seconds. Postfix waits 100 s for the answer of a before-queue filter (smtpd_proxy_timeout)."""

HELP_URL_LIMIT = 200
"""Characters; half of a reply line (see `gateway/reply.py`)."""

SECRET_LIMIT = 65_536
"""Octets of a file named by `${file:PATH}`."""

PSEUDONYM_KEY = 32
"""Octets of a key at least: the length of the digest that it is for (RFC 2104 section 3)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")  # it becomes a metric label and part of log lines
_MODE = re.compile("0?[0-7]{3}")
_OWNER = re.compile("([A-Za-z0-9_.-]+)?(:[A-Za-z0-9_.-]+)?")
_HELP_URL = re.compile(r"https?://[!-~]+")


class ListenerDirection(StrEnum):
    """What a listener knows of the direction of its mail before anything is looked at."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    BY_ORGANISATION = "by-organisation"


class AccountSource(StrEnum):
    """Where the authenticated account of a message is taken from."""

    NONE = "none"
    XCLIENT = "xclient"
    RECEIVED = "received"


class LineEndings(StrEnum):
    """What is done with a bare CR or LF in a message."""

    REFUSE = "refuse"
    NORMALISE = "normalise"


class Audit(StrEnum):
    """What is done where the audit trail cannot be written."""

    DEFER = "defer"
    ALLOW = "allow"
    OFF = "off"


class TlsLevel(StrEnum):
    """Whether the way to the next hop is encrypted."""

    OFF = "off"
    MAY = "may"
    REQUIRE = "require"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """STARTTLS for the clients of a listener."""

    certificate: Path
    """The certificate with its chain, PEM."""

    key: Path
    """Its private key, PEM, readable by the service only."""

    required: bool = False
    """Whether mail is refused before STARTTLS (530 5.7.0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One way in: an SMTP proxy with its next hop, or a milter for Postfix."""

    name: str
    """Lower-case letters, digits and hyphens; names the listener in logs, metrics and the audit trail."""

    smtp: HostPort | UnixSocket | None = None
    """Where SMTP is spoken: `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`. A listener has either this or `milter`."""

    milter: HostPort | UnixSocket | None = None
    """Where the milter protocol is spoken: `inet:HOST:PORT` or `unix:PATH`."""

    upstream: Upstream | None = None
    """The next hop of an SMTP listener: `smtp://HOST:PORT`, `lmtp://HOST:PORT`, `lmtp+unix:///PATH`, `maildir:PATH`.
    Of a milter: where mail that was kept goes when it is released, a port without this milter; none: that of the first
    listener which has one."""

    upstream_tls: TlsLevel = TlsLevel.OFF
    """STARTTLS with the next hop: off, may (where it is offered, whatever its certificate), require (and verify)."""

    upstream_ca: Path | None = None
    """The authorities that the next hop's certificate must come from, a PEM file or folder; none: the system's."""

    direction: ListenerDirection = ListenerDirection.BY_ORGANISATION
    """Which way mail goes here; by-organisation: the policy's domains and networks tell for each message."""

    account: AccountSource = AccountSource.XCLIENT
    """Where a trusted peer names the authenticated account: none, xclient (its LOGIN), received (the topmost
    Received line, with Postfix's smtpd_sasl_authenticated_header). A milter takes it from the macro {auth_authen},
    unless none."""

    login: str = ""
    """An account that all mail of this listener belongs to unless its client names another one."""

    trusted: tuple[Network, ...] = ()
    """The peers that are believed about other clients: XFORWARD, XCLIENT, PROXY and the topmost Received line. Nobody
    unless listed, not even this machine; before Postfix: `[127.0.0.0/8]`."""

    proxy_protocol: bool = False
    """Whether each connection begins with a PROXY header (versions 1 and 2), from trusted peers only."""

    tls: Tls | None = None
    """STARTTLS for clients; none: not offered."""

    line_endings: LineEndings = LineEndings.REFUSE
    """A bare CR or LF in a message: refuse (550 5.5.2) or normalise to CRLF, which breaks its signatures."""

    socket_mode: str = "0660"
    """Who may connect to a unix socket: its mode, in octal."""

    socket_owner: str = ""
    """Whose a unix socket is: `USER`, `USER:GROUP` or `:GROUP` (`:postfix`); none: the service's own."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Misfit("name", "must be of lower-case letters, digits and hyphens, 32 at most")
        if (self.smtp is None) == (self.milter is None):
            raise ValueError('exactly one of "smtp" and "milter" is needed')
        if not _MODE.fullmatch(self.socket_mode):
            raise Misfit("socket_mode", 'must be an octal number such as "0660"')
        if not _OWNER.fullmatch(self.socket_owner):
            raise Misfit("socket_owner", 'must be "USER", "USER:GROUP" or ":GROUP"')
        if self.milter:
            self._check_milter()
        elif self.upstream is None:
            raise ValueError('an smtp listener needs the key "upstream"')
        encrypted = self.upstream_tls is not TlsLevel.OFF
        if encrypted and not (self.upstream and isinstance(self.upstream.address, HostPort)):
            raise Misfit("upstream_tls", "is for an upstream with a host and a port")
        if self.upstream_ca and self.upstream_tls is not TlsLevel.REQUIRE:
            raise Misfit("upstream_ca", 'has no effect without "upstream_tls: require"')

    def _check_milter(self) -> None:
        if self.tls:
            raise Misfit("tls", "is for smtp listeners")
        if self.proxy_protocol:
            raise Misfit("proxy_protocol", "is for smtp listeners")
        if self.trusted:
            raise Misfit("trusted", "is for smtp listeners")
        if self.account is AccountSource.RECEIVED:
            raise Misfit("account", "of a milter is xclient (its macro {auth_authen}) or none")

    @property
    def address(self) -> HostPort | UnixSocket:
        """Where it listens, whatever it speaks."""
        address = self.smtp or self.milter
        assert address is not None
        return address

    @property
    def tls_required(self) -> bool:
        """True if mail is refused before STARTTLS."""
        return self.tls is not None and self.tls.required


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The service's log, written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are written."""

    format: Literal["json", "console"] = "json"
    """One JSON object a line, or coloured text for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """What people are told by mail: that their message is kept, that they are asked to decide, what was decided."""

    mailbox: str
    """The address that notices come from; one of the organisation's."""

    contact: str = ""
    """The address that answers questions; `mailbox` where it is left out."""

    listener: str = ""
    """The listener whose next hop carries them; the first SMTP listener where it is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page on which an approver decides on one message."""

    address: HostPort
    """Where it is served: `HOST:PORT`; behind a reverse proxy with TLS."""

    origin: str
    """How people reach it: scheme and host of their links, such as `https://mail.example.gov.vn`."""

    proxies: tuple[str, ...] = ()
    """The addresses of reverse proxies, whose X-Forwarded-For is believed."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", self.origin):
            raise ValueError("origin must be scheme and host, such as https://mail.example.gov.vn")


def _own_name() -> str:
    """The machine's full name, or one that can stand in a greeting where it has none (a container's may not)."""
    name = socket.getfqdn()
    return name if is_host_name(name) else "localhost.localdomain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The service settings, gateway.yaml. Paths are relative to the folder of the file.

    `${env:NAME}` or `${file:PATH}` as a whole value stands for an environment variable or the content of a file.
    """

    listeners: tuple[Listener, ...]
    """The ways in, at least one."""

    policy: Path
    """The policy file; it is read again when it changes."""

    state: Path
    """The folder of the spool, the store and the audit trail; made where it is missing."""

    metrics: HostPort | None = None
    """Where /metrics, /healthz and /readyz are served: `HOST:PORT`; none: nowhere."""

    hostname: str = field(default_factory=_own_name, metadata={"default": "the machine's full name"})
    """Our name in greetings, EHLO, Received lines and Authentication-Results."""

    help_url: str = ""
    """A page for people whose mail is refused; it is put in the refusal."""

    notices: Notices | None = None
    """Notices to recipients, senders, officers and approvers; none: nobody is told, and approvers use the commands."""

    page: Page | None = None
    """The approvers' page; none: they use the commands."""

    audit: Audit = Audit.DEFER
    """What happens to mail that the audit trail cannot take: defer, allow; or off: mail leaves no record there."""

    pseudonym_key: str = field(default="", repr=False)
    """A secret of 32 characters or more, best `${file:PATH}` or `${env:NAME}`: addresses and subjects then stand in the
    audit trail as pseudonyms, by which only its owner can look for them; none: as they are."""

    log: Log = Log()
    """How much is logged, and in which form."""

    limits: Limits = field(default_factory=Limits)
    """What the service takes; several workers share it."""

    reading: FileReading = field(default_factory=FileReading)
    """How far attached files are opened."""

    probe: Probe | None = None
    """Canaries that the gateway sends to itself; none: it sends none by itself, and `mailwarden probe` can."""

    deadline: Duration = Duration(60)
    """From the end of a message to the answer; 90s at most, since Postfix waits 100s (smtpd_proxy_timeout)."""

    drain: Duration = Duration(30)
    """How long open sessions may go on at a stop or restart."""

    def __post_init__(self) -> None:
        self._check_listeners()
        if not is_host_name(self.hostname):
            raise Misfit("hostname", "must be a host name of letters, digits, hyphens and dots")
        if self.help_url and not (_HELP_URL.fullmatch(self.help_url) and len(self.help_url) <= HELP_URL_LIMIT):
            raise Misfit("help_url", f"must be an http or https address of {HELP_URL_LIMIT} characters at most")
        if not 0 < self.deadline <= DEADLINE_LIMIT:
            raise Misfit("deadline", "must be more than 0 and at most 90s (Postfix waits 100s)")
        if max(self.limits.upstream_reply, self.limits.upstream_connect) >= self.deadline:
            raise Misfit("deadline", "must be longer than limits.upstream_reply and limits.upstream_connect")

        if self.pseudonym_key and len(self.pseudonym_key.encode()) < PSEUDONYM_KEY:
            raise Misfit("pseudonym_key", f"must be of {PSEUDONYM_KEY} characters at least")
        if self.probe and not probe_listeners(self.listeners, self.probe):
            raise Misfit("probe", "needs an smtp listener without proxy_protocol to send canaries to")
        if self.page and not self.notices:
            raise ValueError('"page" has no use without "notices": its links are sent by them')
        carriers = [listener.name for listener in self.listeners if listener.upstream]
        if self.notices and (self.notices.listener or (carriers or [""])[0]) not in carriers:
            raise ValueError("notices.listener must be a listener with an upstream")

    def _check_listeners(self) -> None:
        if not self.listeners:
            raise Misfit("listeners", "must name one listener at least")
        names = [listener.name for listener in self.listeners]
        if doubled := _first_doubled(names):
            raise Misfit("listeners", f'must have different names, not "{doubled}" twice')
        addresses = [listener.address for listener in self.listeners] + ([self.metrics] if self.metrics else [])
        fixed = [str(address) for address in addresses if isinstance(address, UnixSocket) or address.port]
        if doubled := _first_doubled(fixed):
            raise Misfit("listeners", f'and metrics must have different addresses, not "{doubled}" twice')


def probe_listeners(listeners: Sequence[Listener], probe: Probe) -> tuple[Listener, ...]:
    """The listeners that canaries can be handed in at; the first is taken."""
    speaking = tuple(each for each in listeners if each.smtp and not each.proxy_protocol)
    return tuple(each for each in speaking if probe.listener in ("", each.name))


def _first_doubled(texts: list[str]) -> str:
    return next((text for index, text in enumerate(texts) if text in texts[:index]), "")


def read_settings(
    text: str, path: str, environment: Mapping[str, str], read_file: Callable[[Path], str]
) -> Settings:
    """Settings from the text of a file named `path`; secrets come from `environment` and by `read_file`.

    Raises ConfigurationError with every problem.
    """
    document = with_secrets(compose(text, path), environment, read_file)
    reader = Reader(document)
    settings = reader.read(document.root, Settings)
    reader.finish()
    assert not isinstance(settings, Invalid)
    return settings


def load_settings(path: Path) -> Settings:
    """Settings from a file, with secrets from this process's environment and files. Raises ConfigurationError."""
    try:
        with path.open("rb") as file:
            content = file.read(TEXT_LIMIT + 1)
    except OSError as error:
        raise ConfigurationError((Problem(str(path), 1, 1, f"cannot be read: {error.strerror or error}"),)) from None
    return read_settings(decode(content, str(path)), str(path), os.environ, _read_secret)


def _read_secret(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(SECRET_LIMIT + 1)
    if len(content) > SECRET_LIMIT:
        raise ValueError(f"the file is bigger than {SECRET_LIMIT} octets")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8") from None
