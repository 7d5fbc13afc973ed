"""One question to one nameserver by dnspython, over UDP and, where the answer was cut, over TCP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway.dns.answers import Answer, Kind
from gateway.endpoint import HostPort

if TYPE_CHECKING:
    import dns.message
    import dns.rrset

PAYLOAD = 1232
"""Octets of an answer over UDP that no network cuts in pieces (DNS flag day 2020)."""

MOST_RECORDS = 200
"""Records of one answer that are kept."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a nameserver said: an answer with its TTL in seconds, or why there is none."""

    answer: Answer | None
    ttl: float = 0.0
    trouble: str = ""


@lru_cache(maxsize=1)
def load_library() -> None:
    """Loads dnspython, which takes a fifth of a second; once."""
    import dns.asyncbackend
    import dns.asyncquery
    import dns.message

    dns.asyncbackend.get_backend("asyncio")


async def ask(server: HostPort, name: str, kind: Kind, patience: float, *, dnssec: bool) -> Reply:
    """What the nameserver says of a name that `is_name`. `dnssec` asks it to say whether signatures were checked.

    Raises OSError where it cannot be reached, TimeoutError where nothing that answers the question came in time.
    """
    import dns.asyncbackend
    import dns.asyncquery
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.rdataclass
    import dns.rdatatype

    labels = [label.encode("latin-1", "replace") for label in name.split(".")] if name else []
    question = dns.message.make_query(
        dns.name.Name([*labels, b""]),
        dns.rdatatype.from_text(kind),
        dns.rdataclass.IN,
        use_edns=0,
        payload=PAYLOAD,
        flags=dns.flags.RD | (dns.flags.AD if dnssec else 0),  # RFC 6840 section 5.7
    )
    try:
        said, _ = await dns.asyncquery.udp_with_fallback(
            question,
            server.host,
            timeout=patience,
            port=server.port,
            ignore_unexpected=True,
            ignore_errors=True,  # what does not answer the question may be a forgery: the answer may still come
            backend=dns.asyncbackend.get_backend("asyncio"),
        )
    except dns.exception.Timeout:
        raise TimeoutError from None
    except (dns.exception.DNSException, EOFError) as error:
        return Reply(None, trouble=f"nonsense: {type(error).__name__}")
    return _reply(said, kind, dnssec=dnssec)


async def is_alive(server: HostPort, patience: float) -> bool:
    """True if it answers anything to a question that needs no other nameserver."""
    try:
        async with asyncio.timeout(patience):
            await ask(server, "", Kind.NS, patience, dnssec=False)
    except OSError:  # TimeoutError is one
        return False
    return True


def _reply(said: dns.message.Message, kind: Kind, *, dnssec: bool) -> Reply:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.rcode

    code = said.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Reply(None, trouble=dns.rcode.to_text(code))
    try:
        assert isinstance(said, dns.message.QueryMessage)
        chain = said.resolve_chaining()
    except (dns.exception.DNSException, AssertionError) as error:
        return Reply(None, trouble=f"nonsense: {type(error).__name__}")
    records = _records(chain.answer, kind) if chain.answer is not None else ()
    secure = dnssec and bool(said.flags & dns.flags.AD)
    return Reply(Answer(records, exists=code == dns.rcode.NOERROR, secure=secure), float(chain.minimum_ttl))


def _records(found: dns.rrset.RRset, kind: Kind) -> tuple[str, ...]:
    datas: list[Any] = list(found)[:MOST_RECORDS]
    match kind:
        case Kind.TXT:
            return tuple(b"".join(data.strings).decode("latin-1") for data in datas)
        case Kind.MX:
            return tuple(_host(data.exchange) for data in sorted(datas, key=lambda data: int(data.preference)))
        case Kind.PTR | Kind.NS:
            return tuple(_host(data.target) for data in datas)
        case _:
            return tuple(str(data.address) for data in datas)


def _host(name: Any) -> str:
    return b".".join(name.labels).decode("latin-1").rstrip(".").lower()
