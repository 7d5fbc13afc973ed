"""What the doctor makes of Postfix's settings: those of `deploy/postfix/` are right, and each mistake is found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Settings, load_settings
from gateway.doctor.model import Line, Patient, State
from gateway.doctor.postfix import findings, postfix, read, seconds_of
from gateway.policy.load import load
from gateway.specimen import specimen

SNIPPETS = Path(__file__).parents[2] / "deploy" / "postfix"
MASTER = "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\n"


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Those that go with the snippets."""
    return load_settings(SNIPPETS / "gateway.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Postfix's configuration as the runbook makes it, before the queue."""
    (tmp_path / "main.cf").write_text((SNIPPETS / "main.cf").read_text())
    services = "".join((SNIPPETS / name).read_text() for name in ("before-queue.master.cf", "submission.master.cf"))
    (tmp_path / "master.cf").write_text(MASTER + services)
    return tmp_path


async def told(settings: Settings, folder: Path) -> list[Line]:
    """The doctor's lines on a folder, as `postconf` reads it."""

    async def unread(mail: Any, *, deadline: float, scanned: bool = False) -> Any:
        raise AssertionError("nothing is read here")

    policy = load(settings.policy)
    now = specimen(policy, b"x").received
    patient = Patient(settings=settings, policy=policy, now=now, open_mail=unread, postfix=folder)
    return [line async for line in postfix(patient)]


async def test_what_the_runbook_says_is_right(settings: Settings, folder: Path) -> None:
    [line] = await told(settings, folder)
    assert line.state is State.OK, line
    assert "127.0.0.1:10026/inet" in line.seen


MISTAKES: dict[str, tuple[str, str, str, State]] = {
    "Postfix gives up before we do": (
        "master.cf",
        "smtpd_proxy_timeout=100s",
        "smtpd_proxy_timeout=30s",
        State.FAIL,
    ),
    "smuggled mail may come back": (
        "master.cf",
        "smtpd_forbid_bare_newline_exclusions=",
        "smtpd_forbid_bare_newline_exclusions=$mynetworks",
        State.FAIL,
    ),
    "mail goes in a circle": ("master.cf", "smtpd_proxy_filter=\n", "smtpd_proxy_filter=127.0.0.1:10025\n", State.FAIL),
    "the public port takes more than we do": (
        "master.cf",
        "message_size_limit=49000000",
        "message_size_limit=60000000",
        State.WARN,
    ),
    "the queue takes less than we do": (
        "main.cf",
        "message_size_limit = 51000000",
        "message_size_limit = 20000000",
        State.WARN,
    ),
}


@pytest.mark.parametrize(("name", "right", "wrong", "state"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_is_found(
    settings: Settings, folder: Path, name: str, right: str, wrong: str, state: State
) -> None:
    path = folder / name
    text = path.read_text()
    assert right in text
    path.write_text(re.sub(re.escape(right), wrong.replace("\\", ""), text, count=1))
    lines = await told(settings, folder)
    assert state in {line.state for line in lines}, lines
    assert all(line.advice for line in lines)


async def test_a_postfix_that_has_nothing_to_do_with_us(settings: Settings, folder: Path) -> None:
    (folder / "master.cf").write_text(MASTER + "smtp inet n - n - - smtpd\n")
    [line] = await told(settings, folder)
    assert (line.state, "no service" in line.seen) == (State.OK, True)


async def test_a_configuration_that_cannot_be_read_is_said_so(settings: Settings, tmp_path: Path) -> None:
    [line] = await told(settings, tmp_path / "nowhere")
    assert line.state is State.WARN


def test_after_the_queue(settings: Settings) -> None:
    main = "content_filter = mailwarden:[127.0.0.1]:10025\nmessage_size_limit = 51000000\n"
    master = "127.0.0.1:10026 inet n - n - - smtpd\n"
    right = "127.0.0.1:10026/inet/content_filter =\n127.0.0.1:10026/inet/smtpd_forbid_bare_newline_exclusions =\n"
    assert [line.state for line in findings(read(main, master, right), settings)] == [State.OK]
    states = [line.state for line in findings(read(main, master, ""), settings)]
    assert states == [State.FAIL]  # the content filter of main.cf holds there too


@pytest.mark.parametrize(("text", "seconds"), [("100s", 100), ("2m", 120), ("30", 30), ("$x", None), ("", None)])
def test_times_as_postfix_writes_them(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds
