"""rate: count messages and recipients by account, client and sender's domain, and see sudden changes and mass mail.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. Only mail that was
taken (answered with 2xx) is counted, once, whatever became of it then; a mail that is looked at counts itself in. So
`explain`, `test` and `replay` count nothing, nor does a client that comes again with what was deferred. Messages on
their way at the same moment do not see each other: a limit may be passed by as many as one client may send at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from filters._rate.counting import HOUR, Pace, counted, with_more
from filters._rate.sameness import digest_of
from filters._remembered import Remembered, key_of
from gateway.mail import Direction, Mail, domain_of
from gateway.origin import network_of
from gateway.reply import Reply
from gateway.schema.scalars import Duration
from gateway.verdict import Finding

Of = Literal["account", "client", "domain"]
Counted = Literal["messages", "recipients", "outside"]

TABLES = ("account", "client", "domain", "message", "pace")
"""One for each: strangers who make up domains push out strangers' counts, never an account's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How much may come in a window of time. At least one of the three numbers is written."""

    of: Of
    """Who: `account` (the login, or the sender of mail that is handed in inside without one), `client` (the address,
    of IPv6 the /64), `domain` (of the sender)."""
    per: Duration
    """The window; it slides."""
    messages: int | None = None
    """So many messages."""
    recipients: int | None = None
    """So many recipients of all messages together; one that is written to twice counts twice."""
    outside: int | None = None
    """So many recipients outside the organisation."""
    name: str = ""
    """A word for policies, to tell one step from another."""

    def __post_init__(self) -> None:
        numbers = self.numbers
        if not numbers:
            raise ValueError('a limit needs "messages", "recipients" or "outside"')
        if min(numbers.values()) < 1:
            raise ValueError("a limit must be at least 1")
        if self.per < 1:
            raise ValueError("the window must be at least 1s")

    @property
    def numbers(self) -> dict[Counted, int]:
        """What is limited, and to how many."""
        written: dict[Counted, int | None] = {
            "messages": self.messages,
            "recipients": self.recipients,
            "outside": self.outside,
        }
        return {what: number for what, number in written.items() if number is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceeded(Finding):
    """With this mail there are more than a limit allows. `of` is account, client or domain, `counted` what was counted
    (messages, recipients, outside), `count` how many with this mail, `limit` how many are allowed, `per` the window in
    seconds, `name` the limit's own."""

    code: ClassVar[str] = "exceeded"
    of: Of
    counted: Counted
    count: int
    limit: int
    per: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge(Finding):
    """An account sends far more this hour than it does in its usual hours with mail. `count` is the number of
    recipients this hour, `ratio` how many times the usual number that is."""

    code: ClassVar[str] = "surge"
    count: int
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated(Finding):
    """The same content came before: from this account, or to us from anybody outside. `messages`, `recipients` and
    `outside` (recipients outside the organisation) say how many there are with this mail in the window."""

    code: ClassVar[str] = "repeated"
    messages: int
    recipients: int
    outside: int


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is remembered, by table; shared by the filters of one policy and the next."""

    tables: dict[str, Remembered] = field(default_factory=lambda: {name: Remembered() for name in TABLES})

    def __getitem__(self, name: str) -> Remembered:
        return self.tables[name]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Counts, compares and reports; what is too much is for the policy to say."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Exceeded, Surge, Repeated)

    limits: tuple[Limit, ...] = ()
    """The limits: `[{of: account, outside: 100, per: 10m}, {of: client, messages: 500, per: 1h}]`."""

    surge_ratio: float = 10.0
    """From how many times the usual number of recipients in an hour a surge is reported. What is usual is known after
    five hours with mail."""

    surge_least: int = 50
    """Recipients in an hour below which nothing is a surge."""

    repeated_from: int = 20
    """From how many recipients the same content is reported."""

    repeated_per: Duration = Duration(HOUR)
    """The window in which the same content is counted; it slides."""

    _memory: _Memory = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.surge_ratio <= 1:
            raise ValueError("surge_ratio must be more than 1")
        if self.repeated_per < 1:
            raise ValueError("repeated_per must be at least 1s")
        object.__setattr__(self, "_memory", _Memory())

    async def inspect(self, mail: Mail) -> AsyncIterator[Finding]:
        """What this mail brings beyond limits and habits."""
        amounts, now = _amounts(mail), mail.received.timestamp()
        for limit, what, who in self._watched(mail):
            row = self._memory[limit.of].get(_key(what, limit.per, who))
            count = int(counted(row, limit.per, now) + amounts[what])
            if count > limit.numbers[what]:
                yield Exceeded(
                    of=limit.of, counted=what, count=count, limit=limit.numbers[what], per=limit.per, name=limit.name
                )
        if account := _account(mail):
            pace = Pace.at(self._memory["pace"].get(key_of(account)), now)
            count, ratio = int(pace.here) + amounts["recipients"], pace.ratio(amounts["recipients"])
            if count >= self.surge_least and ratio >= self.surge_ratio:
                yield Surge(count=count, ratio=round(ratio, 1))
        if content := digest_of(mail):
            messages, recipients, outside = (
                int(counted(self._same(mail, content, what), self.repeated_per, now) + amount)
                for what, amount in amounts.items()
            )
            if recipients >= self.repeated_from:
                yield Repeated(messages=messages, recipients=recipients, outside=outside)

    async def answered(self, mail: Mail, reply: Reply, found: Iterable[Finding]) -> list[Any] | None:
        """Count the mail if it was taken."""
        if not reply.accepted:
            return None
        amounts = _amounts(mail)
        counts: list[tuple[str, str, float, int]] = [
            (of, _key(what, per, who).hex(), per, amounts[what])
            for of, per, what, who in {(limit.of, limit.per, what, who) for limit, what, who in self._watched(mail)}
        ]
        if content := digest_of(mail):
            counts += [
                ("message", self._content_key(mail, content, what).hex(), self.repeated_per, amount)
                for what, amount in amounts.items()
            ]
        account = _account(mail)
        lesson = [mail.received.timestamp(), counts, key_of(account).hex() if account else "", amounts["recipients"]]
        self.heed(lesson)
        return lesson

    def heed(self, lesson: list[Any]) -> None:
        """The moment; what is counted by table, key, window and amount; whose pace it is, and how many recipients."""
        now, counts, account, recipients = lesson
        for name, digest, per, amount in counts:
            table, key = self._memory[name], bytes.fromhex(digest)
            table.put(key, with_more(table.get(key), per, now, amount))
        if account:
            key = bytes.fromhex(account)
            pace = Pace.at(self._memory["pace"].get(key), now)
            self._memory["pace"].put(key, pace.with_more(recipients))

    def inherit(self, earlier: Rate) -> None:
        """Go on with the counts: a limit that is changed does not begin anew, a window that is changed does."""
        object.__setattr__(self, "_memory", earlier._memory)

    def keep_in(self, folder: Path) -> None:
        """Keep the counts in a file for each table."""
        for name, table in self._memory.tables.items():
            table.keep_in(folder / f"{name}.sqlite")

    async def save(self) -> None:
        """Write down what has changed."""
        for table in self._memory.tables.values():
            await table.save()

    def close(self) -> None:
        """Write down the rest."""
        for table in self._memory.tables.values():
            table.save_now()

    def _watched(self, mail: Mail) -> Iterator[tuple[Limit, Counted, str]]:
        """Each number that is limited, and of whom; nothing where nobody is known."""
        named: dict[Of, str] = {
            "account": _account(mail),
            "client": network_of(mail.client.address, 32, 64),
            "domain": domain_of(mail.envelope.sender),
        }
        for limit in self.limits:
            if named[limit.of]:
                for what in limit.numbers:
                    yield limit, what, named[limit.of]

    def _content_key(self, mail: Mail, content: str, what: Counted) -> bytes:
        return _key(what, self.repeated_per, f"{_account(mail)}\0{content}")

    def _same(self, mail: Mail, content: str, what: Counted) -> tuple[float, ...] | None:
        return self._memory["message"].get(self._content_key(mail, content, what))


def _key(what: Counted, per: float, who: str) -> bytes:
    return key_of(what, f"{per:g}", who)


def _account(mail: Mail) -> str:
    """The mailbox whose mail this is: who logged in, or whom mail from inside names; "" for mail from outside."""
    return (mail.client.login or (mail.envelope.sender if mail.inside else "")).lower()


def _amounts(mail: Mail) -> dict[Counted, int]:
    recipients = mail.envelope.recipients
    outside = sum(mail.direction(each) is Direction.OUTBOUND for each in recipients)
    return {"messages": 1, "recipients": len(recipients), "outside": outside}
