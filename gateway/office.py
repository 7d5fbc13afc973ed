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
from gateway.counted import CountedTrail
from gateway.custody.custody import Custody
from gateway.custody.lessons import Lessons
from gateway.custody.means import Means
from gateway.custody.rescan import rescan
from gateway.custody.telling import may_be_asked
from gateway.endpoint import HostPort, UnixSocket, Upstream, UpstreamKind
from gateway.errors import StoreUnavailable
from gateway.keeping import AuditRecord, AuditTrail
from gateway.mail import Mail
from gateway.notices.applied import Announcer
from gateway.notices.compose import Letterhead
from gateway.notices.digest import Digesting
from gateway.notices.gathering import Gathering
from gateway.notices.guard import Audience, Fate
from gateway.notices.marker import read_key
from gateway.notices.model import Notice
from gateway.notices.notifier import Notifier
from gateway.notices.outbox_folder import FolderOutbox
from gateway.notices.throttle import Limits as NoticeLimits
from gateway.observer import Observer
from gateway.pipeline import Observe, OpenMail
from gateway.policy.logic import HOME_ZONE
from gateway.policy.model import Policy
from gateway.smtp.hop import HopSettings, NextHop
from gateway.smtp.maildir import MaildirHop
from gateway.smtp.release import Route, hand_on
from gateway.smtp.upstream import SmtpHop
from gateway.store.open import Stores, open_store
from gateway.store.pseudonyms import Pseudonyms
from gateway.verdict import Outcome

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Custody at work. `hops` are the next hops by listener, for all that goes on, new or released; `notifier` and
    `digesting` are None where nobody is told anything.

    `trail` is that of `stores`, with what is written to it counted.
    """

    hops: Mapping[str, NextHop]
    custody: Custody
    stores: Stores
    trail: AuditTrail
    announcer: Announcer
    notifier: Notifier | None
    digesting: Digesting | None


@asynccontextmanager
async def open_office(
    settings: Settings, policy: Callable[[], Policy], *, observer: Observer, open_mail: OpenMail
) -> AsyncIterator[Office]:
    """The office over the stores of `settings.state`. Raises StoreUnavailable, OSError."""
    key = settings.pseudonym_key.encode()
    stores = await open_store(settings.state / "store", pseudonyms=Pseudonyms(key) if key else None)
    hops = {each.name: _next_hop(settings, each) for each in settings.listeners if each.upstream is not None}
    routes = {name: Route(hop, answers_each=_lmtp(settings, name)) for name, hop in hops.items()}
    for each in settings.listeners if routes else ():  # mail of a milter is the MTA's own: any way back to it will do
        routes.setdefault(each.name, next(iter(routes.values())))
    outbox = FolderOutbox(settings.state / "outbox") if settings.notices else None
    trail = CountedTrail(stores.trail, observer)
    notifier = _notifier(settings, policy, outbox, hops, trail, observer) if outbox else None
    tell = notifier.tell if notifier else _nobody_is_told
    means = Means(
        mail=stores.mail,
        trail=trail,
        codes=stores.codes,
        hand_on=partial(hand_on, lambda: routes),
        rescan=partial(_rescan, settings, policy, observer.examined, open_mail),
        tell=tell,
        link=lambda code: f"{settings.page.origin}/decide/{code}" if settings.page else "",
        policy=policy,
        clock=_now,
        hostname=settings.hostname,
        lessons=Lessons(policy=policy, open_mail=open_mail, observe=observer.examined),
    )
    custody = Custody(means)
    try:
        yield Office(
            hops=hops,
            custody=custody,
            stores=stores,
            trail=trail,
            announcer=Announcer(tell, stores.mail.get, _now),
            notifier=notifier,
            digesting=_digesting(stores, trail, notifier, policy) if notifier else None,
        )
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
    settings: Settings,
    policy: Callable[[], Policy],
    outbox: FolderOutbox,
    hops: Mapping[str, NextHop],
    trail: AuditTrail,
    observer: Observer,
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
        gathering=Gathering(settings.state / "gathered.sqlite"),
        outbox=outbox,
        hop=hops[settings.notices.listener or next(iter(hops))],
        clock=_now,
        told=partial(_remember, trail),
        noticed=observer.noticed,
    )


def _digesting(stores: Stores, trail: AuditTrail, notifier: Notifier, policy: Callable[[], Policy]) -> Digesting:
    return Digesting(
        period=lambda: policy().organisation.digests,
        store=stores.mail,
        trail=trail,
        tell=notifier.tell,
        clock=_now,
        timezone=HOME_ZONE,
    )


async def _remember(trail: AuditTrail, notice: Notice, fate: Fate) -> None:
    """Who was told of a message is evidence (regulations 1.6). A notice on its way is not taken back for it."""
    if fate is not Fate.QUEUED or not notice.about:
        return
    facts = {"action": notice.kind.value, "recipient": notice.to, "notice": notice.id}
    try:
        await trail.append([AuditRecord(id=notice.about, moment=notice.moment, event="notice", facts=facts)])
    except StoreUnavailable as error:
        log.error("notice not in the audit trail", kind=notice.kind.value, about=notice.about, reason=str(error))


def _now() -> datetime:
    return datetime.now(UTC)


async def _rescan(
    settings: Settings, policy: Callable[[], Policy], observe: Observe, open_mail: OpenMail, mail: Mail
) -> Outcome | None:
    deadline = asyncio.get_running_loop().time() + settings.deadline
    return await rescan(policy(), mail, deadline=deadline, observe=observe, open_mail=open_mail)


async def _nobody_is_told(notice: Notice) -> None:
    """Without the setting `notices` there is nobody to tell; the log has it."""
    log.info("notice not sent", kind=notice.kind.value, about=notice.about, reason="no notices in the settings")
