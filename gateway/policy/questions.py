"""What is written under `when` and `unless`, turned into the conditions that are asked.

The file before is `when.py`, which says how they are written; the file after is `conditions.py`, one class a question.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.policy import conditions as ask
from gateway.policy.fields import read_field
from gateway.policy.found import Found, FoundForRecipient
from gateway.policy.logic import ALWAYS, All, Condition, Not, Some
from gateway.policy.matchers import Contains, Matcher, Matching
from gateway.policy.names import PolicyReader
from gateway.policy.when import AccountWanted, ClientWanted, Conditions, HeaderWanted, TimeWanted, When
from gateway.schema.reader import INVALID, Invalid
from gateway.schema.shapes import Position
from gateway.verdict import RecipientFinding


def condition_of(written: When, reader: PolicyReader) -> Condition | Invalid:
    """The condition that is written, with every problem of its findings' fields noted."""
    if not isinstance(written, Conditions):
        return ALWAYS
    parts = list(_parts(written, reader))
    if not parts:
        return reader.problem_at(
            written.position, 'no condition is written here; a rule for all mail says "when: always"'
        )
    good = [part for part in parts if not isinstance(part, Invalid)]
    if len(good) < len(parts):
        return INVALID
    return good[0] if len(good) == 1 else All(tuple(good))


def _parts(written: Conditions, reader: PolicyReader) -> Iterator[Condition | Invalid]:
    """The conditions of one mapping, the cheap ones first."""
    for name in ("direction", "listener", "found", "all", "any"):
        if getattr(written, name) in ((), frozenset()):
            yield reader.problem_at(written.position, f'"{name}" is an empty list: it would never hold')
    if written.direction:
        yield ask.DirectionIs(written.direction)
    if written.listener:
        yield ask.ListenerIs(written.listener)
    if written.client is not None:
        yield from _client(written.client, written.position, reader)
    if written.sender is not None:
        yield ask.SenderIs(written.sender.matcher)
    if written.account is not None:
        yield _account(written.account, ask.AccountIs, written.position, reader)
    if written.recipient is not None:
        yield ask.RecipientIs(written.recipient.matcher)
    if written.recipient_account is not None:
        yield _account(written.recipient_account, ask.RecipientAccountIs, written.position, reader)
    if written.size is not None:
        yield ask.SizeIs(written.size.matcher)
    if written.recipients is not None:
        yield ask.RecipientsAre(written.recipients.matcher)
    if written.time is not None:
        yield _time(written.time, written.position, reader)
    if written.header is not None:
        yield _header(written.header)
    yield from _found(written, reader)
    for kind, several in ((All, written.all), (Some, written.any)):
        if several:
            inner = [condition_of(part, reader) for part in several]
            good = tuple(part for part in inner if not isinstance(part, Invalid))
            yield kind(good) if len(good) == len(inner) else INVALID
    if written.not_ is not None:
        denied = condition_of(written.not_, reader)
        yield INVALID if isinstance(denied, Invalid) else Not(denied)


def _client(written: ClientWanted, position: Position, reader: PolicyReader) -> Iterator[Condition | Invalid]:
    if written == ClientWanted():
        yield reader.problem_at(position, '"client" is empty: it asks nothing')
    for fact in ask.ClientFact:
        if (wanted := getattr(written, fact.value)) is not None:
            yield ask.ClientIs(fact, wanted.matcher)
    if written.logged_in is not None:
        yield ask.ClientLoggedIn(written.logged_in)
    if written.tls is not None:
        yield ask.ClientUsedTls(written.tls)


def _account(
    written: AccountWanted,
    kind: type[ask.AccountIs] | type[ask.RecipientAccountIs],
    position: Position,
    reader: PolicyReader,
) -> Condition | Invalid:
    if written == AccountWanted():
        return reader.problem_at(position, "an account condition is empty: it asks nothing")
    return kind(ask.AccountFacts(frozenset(written.state), written.kind, written.unit))


def _time(written: TimeWanted, position: Position, reader: PolicyReader) -> Condition | Invalid:
    if not written.days:
        return reader.problem_at(position, '"days" is an empty list: it would never hold')
    days = frozenset(ask.DAYS.index(day) for day in written.days)
    return ask.TimeIs(days, written.start, written.end, written.zone.info)


def _header(written: HeaderWanted) -> Condition:
    if written.matches is not None:
        return ask.HeaderIs(written.name.text, Matching(written.matches))
    if written.contains is not None:
        return ask.HeaderIs(written.name.text, Contains(written.contains))
    present = written.exists if written.exists is not None else not written.missing
    return ask.HeaderIs(written.name.text, present=present)


def _found(written: Conditions, reader: PolicyReader) -> Iterator[Condition | Invalid]:
    if not written.found:
        for name in ("where", "min_count"):
            if getattr(written, name) is not None:
                yield reader.problem_at(written.position, f'"{name}" needs "found" beside it')
        return
    count = 1 if written.min_count is None else written.min_count
    if count < 1:
        yield reader.problem_at(written.position, '"min_count" must be 1 or more')
    where: dict[str, Matcher] = {}
    for key, node in written.where.entries if written.where is not None else ():
        matcher = read_field(key, node, written.found, reader)
        if isinstance(matcher, Invalid):
            yield INVALID
        else:
            where[key.text] = matcher
    kind = FoundForRecipient if any(issubclass(name.cls, RecipientFinding) for name in written.found) else Found
    yield kind(tuple((name.filter, name.code) for name in written.found), where, count)
