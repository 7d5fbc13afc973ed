"""What the tests of custody share: a clock that stands, kept mail, custody with real stores, a list of notices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from gateway import decide
from gateway.custody.custody import Custody
from gateway.custody.lessons import Lessons
from gateway.custody.means import HandOn, Means
from gateway.extract.message import contents
from gateway.identity import new_id
from gateway.keeping import KeptMail, Kind, State, Step
from gateway.mail import Client, Envelope, Mail, Raw, Recipient, Span, Transaction
from gateway.notices.model import ApprovalRequest, Notice
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.reading import Reading, Text
from gateway.reply import TAKEN, Reply
from gateway.smtp.dots import slices
from gateway.smtp.hop import HopSettings
from gateway.smtp.release import Route, hand_on
from gateway.smtp.upstream import SmtpHop
from gateway.store.open import Stores, open_store
from gateway.verdict import Outcome
from tests.policy.conftest import make_mail

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # a Tuesday, 09:00 in Vietnam

LETTER = b"From: an@example.gov.vn\r\nSubject: Hello\r\nMessage-ID: <1@example.gov.vn>\r\n\r\nText.\r\n"

HOLD = """version: 1
organisation: {domains: [example.gov.vn], officers: [officer@example.gov.vn]}
rules:
  - id: many
    cite: gialai-2022/11.6
    when: {direction: outbound}
    then: hold
    with:
      approvers: [a@example.gov.vn, b@example.gov.vn, c@example.gov.vn]
      quorum: 2
      remind: {after: 2h}
      escalate: {after: 4h, to: [boss@example.gov.vn]}
      expires: {after: 3d, then: reject}
      text: {vi: Chờ duyệt, en: Waits}
  - id: odd
    when: {direction: inbound}
    then: quarantine
    with: {expires: {after: 10d, then: delete}}
"""


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Move it on."""
        self.now += timedelta(**by)


def waiting(**changes: Any) -> KeptMail:
    """Held mail of an@example.gov.vn that waits for one of two approvers, with changes."""
    values: dict[str, Any] = {
        "id": new_id(),
        "kind": Kind.HELD,
        "state": State.WAITING,
        "received": START,
        "expires": START + timedelta(days=3),
        "retention": "hold",
        "listener": "inbound",
        "direction": "outbound",
        "client": Client(address="10.0.0.5", login="an"),
        "envelope": Envelope("an@example.gov.vn", (Recipient("x@example.org"),)),
        "header_from": "an@example.gov.vn",
        "subject": "Hello",
        "message_id": "<1@example.gov.vn>",
        "size": 1,
        "digest": "00",
        "rules": ("many",),
        "clauses": (),
        "because": "so",
        "policy": "x",
        "approvers": ("a@example.gov.vn", "b@example.gov.vn"),
    }
    return KeptMail(**values | changes)


def step(act: str, actor: str, whom: str = "", *, at: datetime = START) -> Step:
    """A step of a kept message; names without a domain are of the organisation."""
    return Step(moment=at, actor=inside(actor), act=act, whom=inside(whom))


def inside(name: str) -> str:
    """The address of somebody of the organisation."""
    return f"{name}@example.gov.vn" if name and "@" not in name else name


def policy_of(folder: Path, text: str = HOLD) -> Policy:
    """The policy of this text."""
    path = folder / "policy.yaml"
    path.write_text(text)
    return load(path, places=("tests.policy.filters", "filters"))


def letter(**changes: Any) -> Mail:
    """A letter from inside to somebody outside, with changes."""
    values: dict[str, Any] = {
        "id": new_id(),
        "sender": "an@example.gov.vn",
        "to": ["x@example.org"],
        "inside": True,
        "received": START,
        "client": Client(address="10.0.0.5", name="pc.example.gov.vn", helo="pc", login="an@example.gov.vn"),
        "raw": LETTER,
    }
    return make_mail(**values | changes)


def owned(policy: Policy, mail: Mail) -> tuple[Outcome, ...]:
    """What the policy wants kept of it."""
    return decide.fold(policy, decide.decide(policy, mail, ())).own


@dataclass
class Hop:
    """A next hop of this process that counts truthfully what it took; `answers` are given in order, then TAKEN.

    An answer may be an exception: it is raised when the message has been taken.
    """

    answers: list[Reply | Exception] = field(default_factory=list)
    taken: list[tuple[Transaction, bytes]] = field(default_factory=list)

    async def __call__(self, transaction: Transaction, raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        answer = self.answers.pop(0) if self.answers else TAKEN
        if isinstance(answer, Exception) or answer.accepted:
            self.taken.append((transaction, b"".join(slices(raw, pieces))))
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class House:
    """Custody with its stores, its clock, and what people were told."""

    stores: Stores
    custody: Custody
    clock: Clock
    told: list[Notice]
    policy: Policy

    async def keep(self, **changes: Any) -> str:
        """Own a letter and ask for it, as the edge does; its id."""
        mail = letter(received=self.clock.now, **changes)
        answer = await self.custody.own(self.policy, mail, owned(self.policy, mail))
        assert answer.accepted, answer
        await self.custody.ask(mail.id)
        return mail.id

    async def state(self, id: str) -> State:
        """Where a message is on its way."""
        kept = await self.stores.mail.get(id)
        assert kept is not None
        return kept.state

    async def acts(self, id: str) -> list[str]:
        """What happened to it."""
        return [each.act for each in await self.stores.mail.steps(id)]

    async def remembered(self, id: str) -> list[str]:
        """What the audit trail says happened to it."""
        return [record.facts["action"] async for record in self.stores.trail.search(id=id)]

    def code_of(self, name: str) -> str:
        """The code that a person was sent last."""
        sent = [each for each in self.told if isinstance(each, ApprovalRequest) and each.to == inside(name)]
        return sent[-1].code

    def kinds(self) -> list[tuple[str, str]]:
        """The kinds of notices and to whom they went; they count as read then."""
        kinds = [(each.kind.value, each.to.removesuffix("@example.gov.vn")) for each in self.told]
        self.told.clear()
        return kinds


async def nothing_found(_mail: Mail) -> Outcome | None:
    """Nothing speaks against it."""
    return None


async def opened(mail: Mail, *, deadline: float, scanned: bool = False) -> Reading:
    """What its texts say; files are not opened here."""
    return Reading(texts=tuple(each for each in contents(mail.raw, mail.root) if isinstance(each, Text)))


@asynccontextmanager
async def open_house(
    folder: Path,
    hop: HandOn,
    *,
    text: str = HOLD,
    clock: Clock | None = None,
    rescan: Callable[[Mail], Awaitable[Outcome | None]] = nothing_found,
) -> AsyncIterator[House]:
    """Custody over the embedded stores in a folder."""
    policy = policy_of(folder, text)
    stores = await open_store(folder / "state")
    told: list[Notice] = []
    standing = clock or Clock()

    async def tell(notice: Notice) -> None:
        told.append(notice)

    means = Means(
        mail=stores.mail,
        trail=stores.trail,
        codes=stores.codes,
        hand_on=hop,
        rescan=rescan,
        tell=tell,
        link=lambda secret: f"https://mx.example.gov.vn/decide/{secret}",
        policy=lambda: policy,
        clock=standing,
        hostname="mx.example.gov.vn",
        lessons=Lessons(policy=lambda: policy, open_mail=opened, observe=lambda _report: None),
    )
    custody = Custody(means)
    try:
        yield House(stores, custody, standing, told, policy)
    finally:
        await custody.close()
        await stores.close()


def over_smtp(address: tuple[str, int] | str, **settings: Any) -> HandOn:
    """Hands messages on to a next hop by SMTP or LMTP."""
    hop = SmtpHop(HopSettings(address=address, **settings))
    route = Route(hop, answers_each=settings.get("protocol") == "lmtp")
    return partial(hand_on, lambda: {"inbound": route})
