"""Puts custody together from the settings: the stores, the ways to next hops, the notices. For the service and for the
commands, which may both be at work on the same folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from gateway.config import Listener, Settings
from gateway.custody.custody import Custody
from gateway.custody.means import Means
from gateway.custody.rescan import rescan
from gateway.custody.telling import may_be_asked
from gateway.endpoint import HostPort, UnixSocket, Upstream, UpstreamKind
from gateway.mail import Mail
from gateway.notices.compose import Letterhead
from gateway.notices.guard import Audience
from gateway.notices.marker import read_key
from gateway.notices.model import Notice
from gateway.notices.notifier import Notifier
from gateway.notices.outbox_folder import FolderOutbox
from gateway.notices.throttle import Limits as NoticeLimits
from gateway.pipeline import Observe
from gateway.policy.model import Policy
from gateway.smtp.hop import HopSettings, NextHop
from gateway.smtp.maildir import MaildirHop
from gateway.smtp.release import Route, hand_on
from gateway.smtp.upstream import SmtpHop
from gateway.store.open import Stores, open_store
from gateway.verdict import Outcome

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Custody at work. `hops` are the next hops by listener, for all that goes on, new or released; `notifier` is None
    where nobody is told anything."""

    hops: Mapping[str, NextHop]
    custody: Custody
    stores: Stores
    notifier: Notifier | None


@asynccontextmanager
async def open_office(settings: Settings, policy: Callable[[], Policy], *, observe: Observe) -> AsyncIterator[Office]:
    """The office over the stores of `settings.state`. Raises StoreUnavailable, OSError."""
    stores = await open_store(settings.state / "store")
    hops = {each.name: _next_hop(settings, each) for each in settings.listeners if each.upstream is not None}
    routes = {name: Route(hop, answers_each=_lmtp(settings, name)) for name, hop in hops.items()}
    outbox = FolderOutbox(settings.state / "outbox") if settings.notices else None
    notifier = _notifier(settings, policy, outbox, hops) if outbox else None
    means = Means(
        mail=stores.mail,
        trail=stores.trail,
        codes=stores.codes,
        hand_on=partial(hand_on, lambda: routes),
        rescan=partial(_rescan, settings, policy, observe),
        tell=notifier.tell if notifier else _nobody_is_told,
        link=lambda code: f"{settings.page.origin}/decide/{code}" if settings.page else "",
        policy=policy,
        clock=lambda: datetime.now(UTC),
        hostname=settings.hostname,
    )
    custody = Custody(means)
    try:
        yield Office(hops=hops, custody=custody, stores=stores, notifier=notifier)
    finally:
        await custody.close()
        if outbox:
            await outbox.close()
        for hop in hops.values():
            await hop.close()
        await stores.close()


def _next_hop(settings: Settings, listener: Listener) -> NextHop:
    """Where a listener's mail goes on. Raises ValueError for one without an upstream, OSError for an unreadable CA."""
    limits = settings.limits
    match listener.upstream:
        case Upstream(path=Path() as folder):
            return MaildirHop(folder)
        case Upstream(address=HostPort(host, port)):
            address: tuple[str, int] | str = (host, port)
        case Upstream(address=UnixSocket(path)):
            address = str(path)
        case _:
            raise ValueError(f"listener {listener.name} has no next hop")
    return SmtpHop(
        HopSettings(
            address=address,
            protocol="lmtp" if listener.upstream.kind is UpstreamKind.LMTP else "smtp",
            tls=listener.upstream_tls.value,
            ca=str(listener.upstream_ca or ""),
            helo=settings.hostname,
            connections=limits.upstream_connections,
            idle_seconds=limits.upstream_idle,
            connect_timeout=limits.upstream_connect,
            reply_timeout=limits.upstream_reply,
            final_timeout=settings.deadline,
        )
    )


def _lmtp(settings: Settings, name: str) -> bool:
    upstream = next(each.upstream for each in settings.listeners if each.name == name)
    return upstream is not None and upstream.kind is UpstreamKind.LMTP


def _notifier(
    settings: Settings, policy: Callable[[], Policy], outbox: FolderOutbox, hops: Mapping[str, NextHop]
) -> Notifier:
    assert settings.notices is not None
    key = read_key(settings.state / "notice.key")
    return Notifier(
        letterhead=Letterhead(
            mailbox=settings.notices.mailbox,
            hostname=settings.hostname,
            key=key,
            contact=settings.notices.contact,
        ),
        audience=lambda: Audience.of(policy(), key, may_be_asked(policy())),
        limits=NoticeLimits(),
        outbox=outbox,
        hop=hops[settings.notices.listener or next(iter(hops))],
        clock=lambda: datetime.now(UTC),
    )


async def _rescan(settings: Settings, policy: Callable[[], Policy], observe: Observe, mail: Mail) -> Outcome | None:
    deadline = asyncio.get_running_loop().time() + settings.deadline
    return await rescan(policy(), mail, deadline=deadline, observe=observe)


async def _nobody_is_told(notice: Notice) -> None:
    """Without the setting `notices` there is nobody to tell; the log has it."""
    log.info("notice not sent", kind=notice.kind.value, about=notice.about, reason="no notices in the settings")
