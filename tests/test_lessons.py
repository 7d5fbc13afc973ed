"""The spam filter learns from what people do with what it kept, whoever does it where, and from nobody else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from filters._spam.learned import KINDS, Lesson, load
from filters._spam.school import School
from gateway.custody.steps import Act
from gateway.errors import StoreUnavailable
from gateway.keeping import Query, State
from gateway.reply import Reply
from tests.conftest import Start
from tests.custody.conftest import Hop, House, inside, open_house
from tests.faults import FakeHop
from tests.page.conftest import open_desk
from tests.test_app import send
from tests.test_commands import run

POLICY = """version: 1
organisation: {domains: [example.gov.vn], officers: [officer@example.gov.vn]}
filters: {spam: {learned: learned.txt, OPTIONS}}
rules:
  - id: spam
    cite: test/1
    when: {found: spam.score, where: {score: "> -100"}}
    then: quarantine
    on_unknown: quarantine
    with: {expires: {after: 1h, then: END}}
  - id: bulk
    cite: test/2
    when: {found: spam.bulk, direction: internal}
    then: quarantine
    on_unknown: quarantine
  - id: secret
    cite: test/3
    mode: shadow
    when: {found: secret_marks.marking}
    then: reject
    with: {store: never}
"""
LETTER = b"From: a@example.org\r\nSubject: Bao gia\r\n\r\nGui quy co quan bao gia thiet bi van phong.\r\n"
MARKED = (
    "From: a@example.org\r\nSubject: Ke hoach\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    "ỦY BAN NHÂN DÂN TỈNH\r\nTỐI MẬT\r\nSố: 17/KH-UBND\r\n\r\nKẾ HOẠCH\r\nDiễn tập năm 2027\r\n"
).encode()
INBOUND = {"inside": False, "sender": "a@example.org", "to": [inside("b")]}
INTERNAL = {"inside": True, "sender": inside("an"), "to": [inside("b")]}


def policy(options: str = "embedded: true", end: str = "delete") -> str:
    return POLICY.replace("OPTIONS", options).replace("END", end)


def learned(folder: Path) -> tuple[int, int]:
    """Mails that the filter of this folder has learned: (spam, ham)."""
    experience = load(folder / "learned.txt")
    return experience.spam, experience.ham


async def released(house: House, id: str) -> None:
    assert (await house.custody.release(id, inside("officer"))).act is Act.RELEASED


async def deleted(house: House, id: str) -> None:
    assert (await house.custody.delete(id, inside("officer"))).act is Act.DELETED


async def time_goes_by(house: House, id: str) -> None:
    house.clock.forward(hours=2)
    await house.custody.sweep()
    assert await house.state(id) in (State.RELEASED, State.EXPIRED)


async def withdrawn(house: House, id: str) -> None:
    await house.custody.withdraw(id)
    assert await house.state(id) is State.DELETED


DEEDS = {
    "released: it was none": (released, policy(), LETTER, (0, 1)),
    "deleted: that may have many reasons": (deleted, policy(), LETTER, (0, 0)),
    "deleted, where people delete spam only": (deleted, policy("learn_deleted: true"), LETTER, (1, 0)),
    "released, and learning is off": (released, policy("learn_released: false"), LETTER, (0, 0)),
    "released by time": (time_goes_by, policy(end="release"), LETTER, (0, 0)),
    "deleted by time": (time_goes_by, policy("learn_deleted: true"), LETTER, (0, 0)),
    "its client sends it again": (withdrawn, policy("learn_deleted: true"), LETTER, (0, 0)),
    "released, and a rule in shadow wants nothing of it kept": (released, policy(), MARKED, (0, 0)),
    "deleted, and a rule in shadow wants nothing of it kept": (deleted, policy("learn_deleted: true"), MARKED, (0, 0)),
    "released, and a rule that may be about secrets holds": (
        released,
        policy().replace("then: reject\n    with: {store: never}", 'then: tag\n    with: {subject: "x "}'),
        MARKED,
        (0, 0),
    ),
    "released, and no filter looks for marks": (
        released,
        policy().partition("  - id: secret")[0],
        MARKED,
        (0, 1),
    ),
    "released, and there is no file": (released, policy().replace("learned: learned.txt, ", ""), LETTER, (0, 0)),
    "released, and it was kept by another rule": (
        released,
        policy().replace("{found: spam.score, where", "{found: spam.score, direction: outbound, where"),
        LETTER,
        (0, 0),
    ),
}


@pytest.mark.parametrize(("deed", "text", "raw", "expected"), DEEDS.values(), ids=DEEDS)
async def test_what_is_learned(deed: object, text: str, raw: bytes, expected: tuple[int, int], tmp_path: Path) -> None:
    assert callable(deed)
    how = INTERNAL if "direction: outbound" in text else INBOUND
    async with open_house(tmp_path, Hop(), text=text) as house:
        await deed(house, await house.keep(**how, raw=raw))
        assert learned(tmp_path) == expected


async def test_a_release_that_the_next_hop_does_not_take_teaches_nothing(tmp_path: Path) -> None:
    hop = Hop([Reply(451, "3.0", "later")])
    async with open_house(tmp_path, hop, text=policy()) as house:
        id = await house.keep(**INBOUND, raw=LETTER)
        assert (await house.custody.release(id, inside("officer"))).act is Act.DEFERRED
        assert learned(tmp_path) == (0, 0)
        await released(house, id)
        assert learned(tmp_path) == (0, 1)


async def test_who_finds_that_he_was_wrong_is_heard(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop(), text=policy("learn_deleted: true")) as house:
        await deleted(house, await house.keep(**INBOUND, raw=LETTER))
        assert learned(tmp_path) == (1, 0)
        await released(house, await house.keep(**INBOUND, raw=LETTER))
        assert learned(tmp_path) == (0, 1)


async def test_a_file_that_is_damaged_stops_no_release(tmp_path: Path) -> None:
    (tmp_path / "learned.txt").write_text("notes\n")
    async with open_house(tmp_path, Hop(), text=policy()) as house:
        id = await house.keep(**INBOUND, raw=LETTER)
        await released(house, id)
        assert await house.acts(id) == ["releasing", "released"]
    assert (tmp_path / "learned.txt").read_text() == "notes\n"


async def test_the_content_is_destroyed_all_the_same(tmp_path: Path) -> None:
    async with open_house(tmp_path, Hop(), text=policy("learn_deleted: true")) as house:
        for deed in (released, deleted):
            id = await house.keep(**INBOUND, raw=LETTER)
            await deed(house, id)
            with pytest.raises(StoreUnavailable):
                await house.stores.mail.raw(id)


HELD = policy().replace("quarantine", "hold").replace("END", "reject").replace("1h, then: delete", "1d, then: reject")


async def test_approved_on_the_page_by_code_it_was_none(tmp_path: Path) -> None:
    text = HELD.replace("with: {expires", "with: {approvers: [a@example.gov.vn], expires", 1)
    async with open_desk(tmp_path, text=text, raw=LETTER) as desk:
        answer = await desk.send("approve", token=await desk.token())
        assert answer.status_code == 200
        assert await desk.house.state(desk.id) is State.RELEASED
        assert learned(tmp_path) == (0, 1)


async def test_sent_back_by_an_approver_it_may_have_been_anything(tmp_path: Path) -> None:
    text = HELD.replace("with: {expires", "with: {approvers: [a@example.gov.vn], expires", 1)
    async with open_desk(tmp_path, text=text.replace("embedded: true", "learn_deleted: true"), raw=LETTER) as desk:
        await desk.send("reject", token=await desk.token(), comment="no")
        assert await desk.house.state(desk.id) is State.REJECTED
        assert learned(tmp_path) == (0, 0)


async def test_a_running_gateway_knows_what_a_command_has_learned(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=policy()) as gateway:
        for number in range(3):
            assert (await send(gateway, f"{LETTER.decode()}So {number}.\n".replace("\r", ""))).startswith("250")
        ids = [each.id for each in await gateway.office.stores.mail.find(Query())]
        memory = gateway.policy.filters["spam"]._memory
        told = await run(tmp_path, "quarantine", "release", *ids, "--as", inside("officer"))
        assert told.code == 0, told.errors
        assert learned(tmp_path) == (0, 3)
        assert memory.stale
        assert (await send(gateway, "Subject: x\n\nhi\n")).startswith("250")
        assert memory.experience.ham == 3
        [last] = [each.id for each in await gateway.office.stores.mail.find(Query(states=(State.WAITING,)))]
        await gateway.office.custody.release(last, inside("officer"))  # in the service itself
        assert learned(tmp_path) == (0, 4)


async def test_many_at_once_are_written_together(tmp_path: Path) -> None:
    school = School(tmp_path / "learned.txt")
    lessons = [Lesson(f"{number:064x}", frozenset({f"w{number % 3}"})) for number in range(60)]
    await asyncio.gather(*(school.take(lesson, KINDS[number % 2]) for number, lesson in enumerate(lessons)))
    assert learned(tmp_path) == (30, 30)
    assert sum(map(sum, load(tmp_path / "learned.txt").words.values())) == 60
