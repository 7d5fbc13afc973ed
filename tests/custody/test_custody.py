"""Mail that the gateway answers for, with the real stores: kept, decided on, released, ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway import decide
from gateway.custody.approvals import Want
from gateway.custody.steps import Act, Answer
from gateway.errors import HopError, StoreUnavailable
from gateway.keeping import Kind, Query, State
from gateway.mail import Envelope, Mail, Raw, Recipient
from gateway.notices.model import DecidedSender
from gateway.reply import HOP_LOST, OK, REFUSED, TROUBLE, Reply
from gateway.verdict import Action, Outcome
from tests.custody.conftest import (
    HOLD,
    LETTER,
    START,
    Clock,
    Hop,
    House,
    inside,
    letter,
    open_house,
    over_smtp,
    owned,
    step,
)
from tests.faults import FakeHop

LATER, NEVER = Reply(451, "3.0", "later"), Reply(554, "7.1", "never")
RELEASED = ["asked", "approved", "approved", "releasing", "released"]


async def approved(house: House, id: str) -> Answer:
    """Two of three approve it."""
    await house.custody.approve(id, inside("a"))
    return await house.custody.approve(id, inside("b"), "fine")


async def test_held_mail_is_owned_and_its_approvers_are_asked(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        mail = letter()
        answer = await house.custody.own(house.policy, mail, owned(house.policy, mail))
        assert str(answer) == "250 2.6.0 Held for approval"
        assert house.told == []
        await house.custody.ask(mail.id)
        await house.custody.ask(mail.id)
        asked = [("approval-request", name) for name in "abc"]
        assert house.kinds() == [*asked, ("held-sender", "an")]
        assert await house.acts(mail.id) == ["asked"]
        assert await house.remembered(mail.id) == ["kept"]
        assert bytes(await house.stores.mail.raw(mail.id)) == LETTER


async def test_of_a_quarantine_the_client_and_its_sender_hear_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        mail = letter(inside=False, to=[inside("b")], sender="x@example.org")
        answer = await house.custody.own(house.policy, mail, owned(house.policy, mail))
        assert str(answer) == "250 2.6.0 Taken"
        await house.custody.ask(mail.id)
        assert house.told == []


async def test_what_cannot_be_kept_is_answered_for_now_and_not_owned(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        (tmp_path / "state" / "mail").chmod(0o500)
        (tmp_path / "state" / "mail").rename(tmp_path / "gone")
        mail = letter()
        assert await house.custody.own(house.policy, mail, owned(house.policy, mail)) == TROUBLE
        assert await house.remembered(mail.id) == ["kept", "withdrawn"]
        assert await house.stores.mail.find(Query()) == []


async def test_approved_mail_goes_on_as_it_came(tmp_path: Path) -> None:
    envelope = Envelope(
        "an@example.gov.vn",
        (
            Recipient("x@example.org", ("NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;X@example.org")),
            Recipient("y@example.org"),
        ),
        ("BODY=8BITMIME", "RET=HDRS", "ENVID=QQ314159"),
    )
    raw = LETTER.replace(b"Text.", ".\r\n..\r\n\xc3\xa1 ".encode("latin-1") + b"x" * 2_000)
    async with FakeHop() as fake, open_house(tmp_path, over_smtp(fake.address)) as house:
        id = await house.keep(envelope=envelope, raw=raw)
        house.told.clear()
        assert await house.custody.approve(id, inside("a")) == Answer(Act.APPROVED, "more-approvals-needed")
        assert fake.taken == []
        assert (await house.custody.approve(id, inside("b"), "fine")).act is Act.RELEASED
        [taken] = fake.taken
        assert taken.mail == b"MAIL FROM:<an@example.gov.vn> BODY=8BITMIME RET=HDRS ENVID=QQ314159"
        assert taken.rcpts == [
            b"RCPT TO:<x@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;X@example.org",
            b"RCPT TO:<y@example.org>",
        ]
        head, whole, rest = taken.content.partition(raw)
        assert whole == raw
        assert rest == b""
        assert head.startswith(b"Received: from pc (pc.example.gov.vn [10.0.0.5])")
        assert f"X-Mailwarden-Release: {id}; Tue, 24 Nov 2026 02:00:00 +0000\r\n".encode() in head
        assert b"X-Mailwarden: action=hold;" in head
        assert await house.acts(id) == RELEASED
        assert await house.remembered(id) == ["kept", "approved", "approved", "releasing", "released"]
        assert await house.state(id) is State.RELEASED
        [notice] = house.told
        assert isinstance(notice, DecidedSender)
        assert (notice.decision, notice.actor, notice.comment) == ("approved", inside("b"), "fine")
        with pytest.raises(StoreUnavailable):
            await house.stores.mail.raw(id)


async def test_what_rules_put_on_it_is_put_on_when_it_is_released(tmp_path: Path) -> None:
    text = HOLD + (
        "  - {id: mark, when: {direction: inbound}, then: tag, "
        "with: {subject: '[x] ', bcc: [archive@example.gov.vn]}}\n"
    )
    hop = Hop()
    async with open_house(tmp_path, hop, text=text) as house:
        id = await house.keep(inside=False, to=[inside("b")], sender="x@example.org")
        assert (await house.custody.release(id, inside("officer"))).act is Act.RELEASED
        [(transaction, content)] = hop.taken
        assert b"Subject: [x] Hello" in content
        assert [each.address for each in transaction.envelope.recipients] == [inside("b"), inside("archive")]
        assert house.kinds() == [("released-recipient", "b")]


async def test_a_rejection_is_told_and_destroys_the_content(tmp_path: Path) -> None:
    hop = Hop()
    async with open_house(tmp_path, hop) as house:
        id = await house.keep()
        house.told.clear()
        assert await house.custody.reject(id, inside("a"), "") == Answer(None, "a-reason-is-needed")
        assert await house.custody.reject(id, inside("a"), "not yet") == Answer(Act.REJECTED)
        assert await house.custody.approve(id, inside("b")) == Answer(None, "already-decided")
        assert await house.state(id) is State.REJECTED
        [notice] = house.told
        assert isinstance(notice, DecidedSender)
        assert (notice.to, notice.decision, notice.comment) == (inside("an"), "returned", "not yet")
        with pytest.raises(StoreUnavailable):
            await house.stores.mail.raw(id)
        assert await house.remembered(id) == ["kept", "turned-down", "rejected", "turned-down"]
        assert hop.taken == []


async def test_he_to_whom_it_was_handed_on_decides(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop(), text=HOLD.replace("quorum: 2", "quorum: 1")) as house:
        id = await house.keep()
        house.told.clear()
        assert await house.custody.forward(id, inside("a"), "E@example.gov.vn") == Answer(Act.FORWARDED)
        assert house.kinds() == [("approval-request", "e")]
        assert (await house.custody.approve(id, inside("e"))).act is Act.RELEASED
        [vote] = [each for each in await house.stores.mail.steps(id) if each.act == "approved"]
        assert (vote.actor, vote.whom) == (inside("e"), inside("a"))


ANSWERS: dict[str, tuple[dict[str, str], Act, State]] = {
    "nobody there": ({"greeting": "close"}, Act.DEFERRED, State.WAITING),
    "refuses the sender for now": ({"mail": "4xx"}, Act.DEFERRED, State.WAITING),
    "refuses the sender": ({"mail": "5xx"}, Act.REFUSED, State.WAITING),
    "refuses a recipient": ({"rcpt": "5xx"}, Act.REFUSED, State.WAITING),
    "goes away at a recipient": ({"rcpt": "close"}, Act.DEFERRED, State.WAITING),
    "refuses to begin": ({"data": "4xx"}, Act.DEFERRED, State.WAITING),
    "refuses the content for now": ({"eod": "4xx"}, Act.DEFERRED, State.WAITING),
    "refuses the content": ({"eod": "5xx"}, Act.REFUSED, State.WAITING),
    "takes it, and goes away before it says so": ({"eod": "taken-then-close"}, Act.UNKNOWN, State.RELEASING),
    "goes away after the dot": ({"eod": "close"}, Act.UNKNOWN, State.RELEASING),
    "says nonsense after the dot": ({"eod": "garbage"}, Act.UNKNOWN, State.RELEASING),
}


@pytest.mark.parametrize(("faults", "act", "state"), ANSWERS.values(), ids=ANSWERS)
async def test_the_next_hop(faults: dict[str, str], act: Act, state: State, tmp_path: Path) -> None:
    async with FakeHop(faults) as fake, open_house(tmp_path, over_smtp(fake.address)) as house:
        id = await house.keep()
        assert (await approved(house, id)).act is act
        assert await house.state(id) is state
        assert (await house.acts(id))[-1] == act.value
        # Nobody sends again what may be there, whoever wants it.
        if state is State.RELEASING:
            taken = len(fake.taken)
            await house.custody.sweep()
            assert await house.custody.release(id, inside("officer")) == Answer(None, "being-released")
            assert await house.custody.approve(id, inside("c")) == Answer(None, "being-released")
            assert await house.custody.delete(id, inside("officer")) == Answer(None, "being-released")
            assert len(fake.taken) == taken
            assert ("officer-alert", "officer") in house.kinds()


async def test_a_hop_that_answers_for_each_may_have_it_for_some(tmp_path: Path) -> None:
    finals = (b"250 2.6.0 taken\r\n", b"451 4.2.1 not now\r\n")
    async with (
        FakeHop(lmtp=True, finals=finals) as fake,
        open_house(tmp_path, over_smtp(fake.address, protocol="lmtp")) as house,
    ):
        id = await house.keep(to=["x@example.org", "y@example.org"])
        assert (await approved(house, id)).act is Act.UNKNOWN
        assert await house.state(id) is State.RELEASING


async def test_a_listener_that_is_no_more_has_no_next_hop(tmp_path: Path) -> None:
    async with FakeHop() as fake, open_house(tmp_path, over_smtp(fake.address)) as house:
        id = await house.keep(listener="former")
        assert (await approved(house, id)).act is Act.DEFERRED


async def test_who_finds_that_the_hop_has_it_says_so(tmp_path: Path) -> None:
    hop = Hop([HopError(HOP_LOST, kind="closed")])
    async with open_house(tmp_path, hop) as house:
        id = await house.keep()
        await approved(house, id)
        house.told.clear()
        assert await house.custody.confirm(id, inside("an")) == Answer(None, "own-mail")
        assert await house.custody.confirm(id, inside("officer"), "it is there") == Answer(Act.CONFIRMED)
        assert await house.state(id) is State.RELEASED
        assert house.kinds() == [("decided-sender", "an")]
        assert await house.custody.reopen(id, inside("officer")) == Answer(None, "not-in-doubt")
        assert len(hop.taken) == 1


async def test_who_finds_that_it_has_not_opens_it_again(tmp_path: Path) -> None:
    hop = Hop([HopError(HOP_LOST, kind="closed")])
    async with open_house(tmp_path, hop) as house:
        id = await house.keep()
        await approved(house, id)
        hop.taken.clear()  # it had not taken it
        assert await house.custody.reopen(id, inside("officer"), "not there") == Answer(Act.REOPENED)
        assert (await house.custody.release(id, inside("officer"))).act is Act.RELEASED
        assert len(hop.taken) == 1


async def test_a_claim_that_is_worked_on_is_nobody_elses_to_settle(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        id = await house.keep()
        assert await house.custody.confirm(id, inside("officer")) == Answer(None, "not-in-doubt")
        assert await house.custody.reopen("NONE", inside("officer")) == Answer(None, "no-such-message")


async def test_held_mail_is_not_released_without_its_approvals(tmp_path: Path) -> None:
    hop = Hop([NEVER])
    async with open_house(tmp_path, hop) as house:
        id = await house.keep()
        assert await house.custody.release(id, inside("officer")) == Answer(None, "not-approved")
        assert (await approved(house, id)).act is Act.REFUSED
        assert ("officer-alert", "officer") in house.kinds()
        assert (await house.custody.release(id, inside("officer"))).act is Act.RELEASED


async def test_held_mail_about_which_there_is_nobody_to_ask_is_released_by_hand(tmp_path: Path) -> None:
    text = "version: 1\norganisation: {domains: [example.gov.vn]}\nrules: [{id: a, when: always, then: hold}]\n"
    async with open_house(tmp_path, Hop(), text=text) as house:
        id = await house.keep()
        assert house.told == []
        assert await house.custody.release(id, inside("an")) == Answer(None, "own-mail")
        assert (await house.custody.release(id, inside("officer"))).act is Act.RELEASED


async def test_deleting_held_mail_is_told_and_final(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        id = await house.keep()
        house.told.clear()
        assert await house.custody.delete(id, inside("officer"), "twice sent") == Answer(Act.DELETED)
        assert house.kinds() == [("decided-sender", "an")]
        assert await house.custody.delete(id, inside("officer")) == Answer(None, "already-decided")
        assert await house.custody.approve(id, inside("a")) == Answer(None, "already-decided")


async def test_a_message_whose_client_sends_it_again_is_given_up(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        mail = letter()
        await house.custody.own(house.policy, mail, owned(house.policy, mail))
        await house.custody.withdraw(mail.id)
        await house.custody.ask(mail.id)
        await house.custody.withdraw("NONE")
        assert await house.state(mail.id) is State.DELETED
        assert house.told == []


async def test_that_somebody_looked_is_remembered(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        id = await house.keep()
        seen = await house.custody.view(id, inside("a"))
        assert seen is not None
        assert bytes(seen[1]) == LETTER
        assert await house.acts(id) == ["asked", "viewed"]
        assert await house.custody.view("NONE", inside("a")) is None


async def test_bytes_that_are_not_what_was_kept_are_not_sent(tmp_path: Path) -> None:
    hop = Hop()
    async with open_house(tmp_path, hop) as house:
        id = await house.keep()
        [file] = (tmp_path / "state" / "mail").glob("*/*.eml")
        file.write_bytes(LETTER.replace(b"Text", b"Test"))
        with pytest.raises(StoreUnavailable):
            await approved(house, id)
        assert await house.state(id) is State.WAITING
        assert hop.taken == []


def objecting(action: Action) -> Any:
    """A filter that has learnt something since."""

    async def look(mail: Mail) -> Outcome | None:
        assert mail.root.header("Subject") == "Hello"
        return Outcome(recipient=mail.envelope.recipients[0], action=action, reply=REFUSED)

    return look


@pytest.mark.parametrize(("action", "act"), [(Action.REJECT, Act.STOPPED), (Action.DEFER, Act.DEFERRED)])
async def test_what_looks_again_may_stop_a_release(action: Action, act: Act, tmp_path: Path) -> None:
    hop = Hop()
    async with open_house(tmp_path, hop, rescan=objecting(action)) as house:
        id = await house.keep()
        assert (await approved(house, id)).act is act
        assert await house.state(id) is State.WAITING
        assert hop.taken == []


async def test_a_code_decides_once_for_its_person(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        id = await house.keep()
        secret = house.code_of("a")
        found = await house.custody.look(secret)
        assert isinstance(found, tuple)
        assert (found[0].id, found[1]) == (id, inside("a"))
        assert await house.custody.by_code(secret, Want.APPROVE, person=inside("b")) == Answer(
            None, "code-of-somebody-else"
        )
        assert await house.custody.by_code(secret, Want.REJECT) == Answer(None, "a-reason-is-needed")
        assert (await house.custody.by_code(secret, Want.APPROVE)).act is Act.APPROVED
        assert await house.custody.by_code(secret, Want.APPROVE) == Answer(None, "used-code")
        assert await house.custody.look(secret) == "used-code"
        assert await house.custody.by_code("ABCD", Want.APPROVE) == Answer(None, "unknown-code")
        house.clock.forward(days=3)
        assert await house.custody.by_code(house.code_of("b"), Want.APPROVE) == Answer(None, "expired-code")
        [vote] = [each for each in await house.stores.mail.steps(id) if each.act == "approved"]
        assert vote.actor == inside("a")


async def test_mail_of_which_nothing_may_be_stored_leaves_no_word(tmp_path: Path) -> None:
    text = (
        "version: 1\norganisation: {domains: [example.gov.vn]}\n"
        "rules: [{id: secret, cite: gialai-2022/3.2, when: {header: {name: Subject, contains: mật}}, "
        "then: reject, with: {store: never}}]\n"
    )
    async with open_house(tmp_path, Hop(), text=text) as house:
        raw = "Subject: Công văn mật số 5\r\n\r\nNội dung.\r\n".encode()
        mail = letter(raw=raw)
        disposal = decide.fold(house.policy, decide.decide(house.policy, mail, ()))
        await house.custody.unstored(house.policy, mail, disposal.unstored)
        [record] = [each async for each in house.stores.trail.search(id=mail.id)]
        assert record.facts["rules"] == ["secret"]
        assert record.facts["sender"] == "an@example.gov.vn"
        assert len(record.facts["digest"]) == 64
    written = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    for word in ("Công văn", "mật", "Nội dung"):
        assert word.encode() not in written
        assert word.encode("unicode_escape") not in written


async def test_an_act_that_cannot_be_remembered_is_not_done(tmp_path: Path) -> None:
    hop = Hop()
    async with open_house(tmp_path, hop) as house:
        id = await house.keep()
        await house.custody.approve(id, inside("a"))
        for path in (tmp_path / "state").glob("trail.db*"):
            path.write_bytes(b"x" * 8192)
        with pytest.raises(StoreUnavailable):
            await house.custody.approve(id, inside("b"))
        assert await house.acts(id) == ["asked", "approved"]
        assert hop.taken == []


async def test_the_sweep_reminds_escalates_and_ends(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        id = await house.keep()
        house.told.clear()
        await house.custody.sweep()
        assert house.kinds() == []
        await house.custody.approve(id, inside("b"))
        house.clock.forward(hours=2)
        await house.custody.sweep()
        assert house.kinds() == [("approval-reminder", "a"), ("approval-reminder", "c")]
        house.clock.forward(hours=2)
        await house.custody.sweep()
        await house.custody.sweep()
        assert house.kinds() == [("approval-escalation", "boss")]
        house.clock.forward(days=3)
        await house.custody.sweep()
        [notice] = house.told
        assert isinstance(notice, DecidedSender)
        assert (notice.decision, notice.actor) == ("expired", "")
        assert await house.state(id) is State.EXPIRED
        assert await house.acts(id) == ["asked", "approved", "reminded", "escalated", "expired"]
        with pytest.raises(StoreUnavailable):
            await house.stores.mail.raw(id)


async def test_he_above_decides_with_the_code_he_was_sent(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        id = await house.keep()
        await house.custody.approve(id, inside("b"))
        house.clock.forward(hours=4)
        await house.custody.sweep()
        assert (await house.custody.by_code(house.code_of("boss"), Want.APPROVE)).act is Act.RELEASED
        assert await house.state(id) is State.RELEASED


async def test_the_sweep_asks_where_a_crash_kept_the_edge_from_it(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        mail = letter()
        await house.custody.own(house.policy, mail, owned(house.policy, mail))
        await house.custody.sweep()
        assert house.told == []
        house.clock.forward(minutes=3)
        await house.custody.sweep()
        await house.custody.sweep()
        assert len(house.kinds()) == 4


async def test_the_sweep_tries_approved_mail_again_and_once_it_is_taken_no_more(tmp_path: Path) -> None:
    hop = Hop([LATER, LATER, OK])
    async with open_house(tmp_path, hop) as house:
        id = await house.keep()
        assert (await approved(house, id)).act is Act.DEFERRED
        for minutes, taken in ((1, 0), (15, 0), (1, 0), (15, 1), (60, 1)):
            house.clock.forward(minutes=minutes)
            await house.custody.sweep()
            assert len(hop.taken) == taken
        assert await house.state(id) is State.RELEASED


async def test_the_sweep_releases_what_a_policy_wants_released_at_its_end(tmp_path: Path) -> None:
    hop = Hop()
    async with open_house(tmp_path, hop, text=HOLD.replace("then: reject", "then: release")) as house:
        id = await house.keep()
        house.clock.forward(days=3)
        await house.custody.sweep()
        assert await house.state(id) is State.RELEASED
        notice = house.told[-1]
        assert isinstance(notice, DecidedSender)
        assert (notice.decision, notice.actor) == ("approved", "")


async def test_the_sweep_ends_a_quarantine_and_tells_nobody(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        id = await house.keep(inside=False, to=[inside("b")], sender="x@example.org")
        await house.custody.sweep()
        house.clock.forward(days=10)
        await house.custody.sweep()
        assert await house.state(id) is State.EXPIRED
        assert house.told == []


async def test_the_sweep_forgets_what_has_been_over_for_as_long_as_it_is_kept(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop()) as house:
        waits = await house.keep(inside=False, to=[inside("b")], sender="x@example.org")
        released, deleted = await house.keep(), await house.keep()
        house.clock.forward(days=2)
        await approved(house, released)
        house.clock.forward(days=6)  # the class "hold" is kept for seven days: from its end, not from when it came
        await house.custody.delete(deleted, inside("officer"))
        await house.custody.sweep()
        assert await house.state(released) is State.RELEASED
        house.clock.forward(days=1)
        await house.custody.sweep()
        assert await house.stores.mail.get(released) is None
        assert (await house.remembered(released))[-1] == "released"
        assert await house.state(deleted) is State.DELETED
        assert await house.state(waits) is State.WAITING
        house.clock.forward(days=29)
        await house.custody.sweep()
        assert await house.stores.mail.get(deleted) is None
        assert await house.state(waits) is State.EXPIRED
        house.clock.forward(days=30)
        await house.custody.sweep()
        assert await house.stores.mail.find(Query()) == []


async def test_what_a_crash_left_is_found(tmp_path: Path) -> None:
    clock = Clock()
    async with open_house(tmp_path, Hop([LATER]), clock=clock) as house:
        claimed, ended = await house.keep(), await house.keep()
        await approved(house, claimed)
        kept = await house.stores.mail.get(claimed)
        assert kept is not None
        move = house.stores.mail.move
        assert await move(claimed, before=State.WAITING, after=State.RELEASING, step=step("releasing", "b"))
        assert await move(ended, before=State.WAITING, after=State.DELETED, step=step("deleted", "officer"))
    hop = Hop()
    async with open_house(tmp_path, hop, clock=clock) as house:
        await house.custody.sweep()
        with pytest.raises(StoreUnavailable):
            await house.stores.mail.raw(ended)
        assert await house.custody.confirm(claimed, inside("officer")) == Answer(None, "not-in-doubt")
        clock.forward(minutes=20)
        await house.custody.sweep()
        await house.custody.sweep()
        assert house.kinds() == [("officer-alert", "officer")]
        assert (await house.acts(claimed))[-1] == "unknown"
        assert await house.custody.confirm(claimed, inside("officer")) == Answer(Act.CONFIRMED)
        assert hop.taken == []


async def test_a_large_message_is_kept_and_released_whole(tmp_path: Path) -> None:
    hop = Hop()
    raw: Raw = LETTER + b"x" * 76 * 20_000 + b"\r\n"
    async with open_house(tmp_path, hop) as house:
        id = await house.keep(raw=raw)
        assert (await approved(house, id)).act is Act.RELEASED
        assert hop.taken[0][1].endswith(raw)
        kept = await house.stores.mail.get(id)
        assert kept is not None
        assert (kept.kind, kept.received) == (Kind.HELD, START)
