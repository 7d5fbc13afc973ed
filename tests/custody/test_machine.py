"""The state machine of kept mail, walked at random with the real stores: no way delivers twice, none leaves an end."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from gateway.custody.approvals import Want
from gateway.custody.steps import Act, Answer
from gateway.errors import HopError
from gateway.keeping import State
from gateway.notices.model import ApprovalRequest
from gateway.reply import HOP_LOST, TAKEN, Reply
from tests.custody.conftest import START, Clock, Hop, House, inside, open_house

PEOPLE = st.sampled_from(["a", "b", "c", "boss", "an", "officer", "x"]).map(inside)
ANSWERS = {
    "takes it": TAKEN,
    "not now": Reply(451, "3.0", "later"),
    "never": Reply(554, "7.1", "never"),
    "takes it and says nothing": HopError(HOP_LOST, kind="closed"),
}


class KeptMailMachine(RuleBasedStateMachine):
    """Two processes' custody over one folder, a next hop of moods, people who try everything."""

    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock, self.hop, self.stack = Clock(), Hop(), AsyncExitStack()
        self.ends: dict[str, State] = {}
        self.opened: set[str] = set()
        self.houses: list[House] = [
            self.loop.run_until_complete(
                self.stack.enter_async_context(open_house(Path(self.folder.name), self.hop, clock=self.clock))
            )
            for _ in range(2)
        ]

    def teardown(self) -> None:
        self.loop.run_until_complete(self.stack.aclose())
        self.loop.close()
        self.folder.cleanup()

    @initialize(target=messages)
    def keep_one_of_each(self) -> object:
        return multiple(self.keep(False), self.keep(True))

    @rule(target=messages, quarantined=st.booleans())
    def keep(self, quarantined: bool) -> str:
        inbound = {"inside": False, "sender": "x@example.org", "to": [inside("b")]}
        id = self.loop.run_until_complete(self.houses[0].keep(**(inbound if quarantined else {})))
        self.opened.add(id)
        return id

    @rule(message=messages, who=PEOPLE, which=st.integers(0, 1))
    def approve(self, message: str, who: str, which: int) -> None:
        self._act(message, self.houses[which].custody.approve(message, who))

    @rule(message=messages, who=PEOPLE, which=st.integers(0, 1))
    def reject(self, message: str, who: str, which: int) -> None:
        self._act(message, self.houses[which].custody.reject(message, who, "no"))

    @rule(message=messages, who=PEOPLE, to=PEOPLE)
    def forward(self, message: str, who: str, to: str) -> None:
        self._act(message, self.houses[0].custody.forward(message, who, to))

    @rule(message=messages, who=PEOPLE, which=st.integers(0, 1))
    def release(self, message: str, who: str, which: int) -> None:
        self._act(message, self.houses[which].custody.release(message, who))

    @rule(message=messages, who=PEOPLE)
    def delete(self, message: str, who: str) -> None:
        self._act(message, self.houses[0].custody.delete(message, who))

    @rule(message=messages)
    def all_at_once(self, message: str) -> None:
        async def both() -> Answer:
            one, other = (house.custody for house in self.houses)
            await asyncio.gather(
                one.approve(message, inside("a")),
                other.approve(message, inside("b")),
                one.release(message, inside("officer")),
                other.release(message, inside("officer")),
                other.sweep(),
            )
            return Answer(None)

        self._act(message, both())

    @rule(number=st.integers(0, 30), want=st.sampled_from(Want))
    def use_a_code(self, number: int, want: Want) -> None:
        codes = [each.code for house in self.houses for each in house.told if isinstance(each, ApprovalRequest)]
        if number < len(codes):
            done = self.houses[0].custody.by_code(codes[number], want, comment="so", to=inside("d"))
            answer = self.loop.run_until_complete(done)
            again = self.loop.run_until_complete(self.houses[1].custody.by_code(codes[number], want))
            assert again.act is None or answer.act is None

    @rule(message=messages)
    def look_at_the_hop(self, message: str) -> None:
        """A person looks whether the hop has it, and tells the truth."""
        custody = self.houses[0].custody
        there = any(transaction.id == message for transaction, _ in self.hop.taken)
        self._act(message, (custody.confirm if there else custody.reopen)(message, inside("officer")))

    @rule(mood=st.sampled_from(sorted(ANSWERS)))
    def change_the_hop(self, mood: str) -> None:
        self.hop.answers[:] = [ANSWERS[mood]] * 3

    @rule(by=st.sampled_from([timedelta(minutes=15), timedelta(hours=3), timedelta(days=1)]), which=st.integers(0, 1))
    def time_goes_by(self, by: timedelta, which: int) -> None:
        self.clock.now = min(self.clock.now + by, START + timedelta(days=30))
        self.loop.run_until_complete(self.houses[which].custody.sweep())

    @invariant()
    def nothing_is_delivered_twice_and_ends_are_ends(self) -> None:
        sent = [transaction.id for transaction, _ in self.hop.taken]
        assert len(sent) == len(set(sent))
        for id in self.opened:
            state = self.loop.run_until_complete(self.houses[0].state(id))
            assert self.ends.get(id, state) is state
            if state.final:
                self.ends[id] = state
            assert (state is State.RELEASED) <= (id in sent)
            assert (state is not State.RELEASING) <= ((id in sent) is (state is State.RELEASED))

    def _act(self, message: str, doing: object) -> None:
        answer = self.loop.run_until_complete(doing)
        if answer.act in (Act.APPROVED, Act.FORWARDED):
            steps = self.loop.run_until_complete(self.houses[0].stores.mail.steps(message))
            assert inside("an") not in [each.actor for each in steps if each.act == "approved"]


KeptMailMachine.TestCase.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestKeptMail = KeptMailMachine.TestCase
