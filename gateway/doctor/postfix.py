"""Postfix's settings, where it runs on this machine: those that lose mail or let mail pass if they are wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

from gateway.config import Settings
from gateway.doctor.model import Line, Patient, fail, ok, warn
from gateway.doctor.programs import NotThere, output_of
from gateway.endpoint import HostPort

ASKED = ("smtpd_proxy_timeout", "message_size_limit", "smtpd_forbid_bare_newline_exclusions", "content_filter")
"""The parameters of main.cf that are read."""

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

_PORT = re.compile(r":(\d+)\]?$")


@dataclass(frozen=True, slots=True)
class Postfix:
    """Its settings: those of main.cf, and what each service of master.cf overrides, by `name/type`."""

    main: Mapping[str, str]
    services: Mapping[str, Mapping[str, str]]

    def of(self, service: str, name: str) -> str:
        """A parameter as a service has it."""
        return self.services.get(service, {}).get(name, self.main.get(name, ""))


async def postfix(patient: Patient) -> AsyncIterator[Line]:
    """Nothing where there is no Postfix, or it has nothing to do with this gateway."""
    where = ["-c", str(patient.postfix)] if patient.postfix else []
    try:
        main = await output_of("postconf", *where, *ASKED)
        master = await output_of("postconf", *where, "-M")
        overridden = await output_of("postconf", *where, "-P")
    except NotThere as error:
        if patient.postfix or "No such file" not in str(error):
            yield warn("Postfix", str(error), "ask it as a user that may read its configuration")
        return
    for line in findings(read(main, master, overridden), patient.settings):
        yield line


def read(main: str, master: str, overridden: str) -> Postfix:
    """What `postconf`, `postconf -M` and `postconf -P` print."""
    services: dict[str, dict[str, str]] = {}
    for line in master.splitlines():
        words = line.split()
        if len(words) >= 8 and words[7] == "smtpd":
            services[f"{words[0]}/{words[1]}"] = {}
    for name, value in map(_assignment, overridden.splitlines()):
        service, _, parameter = name.rpartition("/")
        services.setdefault(service, {})[parameter] = value
    return Postfix(dict(map(_assignment, main.splitlines())), services)


def _assignment(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip(), value.strip()


def findings(postfix: Postfix, settings: Settings) -> Iterator[Line]:
    """What is wrong with the services that hand mail to us, and with those that get it back."""
    ours = {each.address.port for each in settings.listeners if isinstance(each.address, HostPort)}
    back = {
        each.upstream.address.port
        for each in settings.listeners
        if each.upstream is not None and isinstance(each.upstream.address, HostPort)
    }
    asking = [name for name in postfix.services if _port(postfix.of(name, "smtpd_proxy_filter")) in ours]
    returned = [name for name in postfix.services if _port(name.rpartition("/")[0], bare=True) in back]
    after = _port(postfix.main.get("content_filter", "")) in ours
    if not (asking or after):
        yield ok("Postfix", "is here, and no service of its hands mail to this gateway")
        return
    lines = [
        *(line for name in asking for line in _before(postfix, name, settings)),
        *(line for name in returned for line in _again(postfix, name, ours)),
        *_queue(postfix, settings),
    ]
    yield from lines or [ok("Postfix", f"{', '.join(sorted({*asking, *returned}))}: as they should be")]


def _before(postfix: Postfix, service: str, settings: Settings) -> Iterator[Line]:
    """A service that asks us before it answers."""
    about, patience = f"Postfix {service}", seconds_of(postfix.of(service, "smtpd_proxy_timeout"))
    if patience is not None and patience <= settings.deadline:
        seen = f"smtpd_proxy_timeout is {patience:g} s, our deadline {settings.deadline:g} s"
        yield fail(about, seen, "set smtpd_proxy_timeout=100s: else it gives up on mail that we then hand on")
    limit = _number(postfix.of(service, "message_size_limit"))
    if limit > settings.limits.message_size or limit == 0:
        seen = f"message_size_limit is {limit:,}, limits.message_size {settings.limits.message_size:,}"
        yield warn(about, seen, "set it a little below ours: the client then hears of it before it sends")


def _again(postfix: Postfix, service: str, ours: set[int]) -> Iterator[Line]:
    """A service that gets back what we let pass."""
    about = f"Postfix {service}"
    if excluded := postfix.of(service, "smtpd_forbid_bare_newline_exclusions"):
        seen = f"smtpd_forbid_bare_newline_exclusions is {excluded}"
        advice = "-o smtpd_forbid_bare_newline_exclusions= in master.cf: else smuggled mail passes there"
        yield fail(about, seen, advice)
    for name in ("smtpd_proxy_filter", "content_filter"):
        if _port(postfix.of(service, name)) in ours:
            yield fail(about, f"{name} hands mail to us again", f"-o {name}= in master.cf: else mail goes in a circle")


def _queue(postfix: Postfix, settings: Settings) -> Iterator[Line]:
    limit = _number(postfix.main.get("message_size_limit", ""))
    if 0 < limit <= settings.limits.message_size:
        seen = f"message_size_limit of the queue is {limit:,}, limits.message_size {settings.limits.message_size:,}"
        yield warn("Postfix", seen, "set it above ours in main.cf: header fields are added on the way")


def seconds_of(text: str) -> float | None:
    """A time as Postfix writes it, in seconds; None for what is none (a parameter's name)."""
    found = re.fullmatch(r"(\d+)([smhdw]?)", text)
    return int(found[1]) * SECONDS[found[2] or "s"] if found else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else -1


def _port(text: str, *, bare: bool = False) -> int:
    """The port in `inet:127.0.0.1:10025`, `mailwarden:[127.0.0.1]:10025` or, for a service, `10026`; -1 if none."""
    if bare and text.isdigit():
        return int(text)
    found = _PORT.search(text)
    return int(found[1]) if found else -1
