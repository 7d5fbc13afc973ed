"""`mailwarden learn`: what people call spam or ham, shown to the filter of a policy."""

from __future__ import annotations

import mailbox
from pathlib import Path

import pytest
from click.testing import CliRunner

from filters._spam.learned import load
from gateway.cli import main

POLICY = """version: 1
filters: {spam: {learned: learned.txt}}
rules:
  - id: spam
    when: {found: spam.score, where: {share: ">= 1"}}
    then: tag
    with: {headers: {X-Spam: "yes"}}
"""


def letter(number: int) -> bytes:
    return f"From: a@b.example\r\nSubject: Tin {number}\r\n\r\nBản tin số {number}\r\n".encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    mails = tmp_path / "mails"
    mails.mkdir()
    for number in range(3):
        (mails / f"{number}.eml").write_bytes(letter(number))
    return tmp_path


def learn(folder: Path, kind: str, *paths: Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["learn", "-p", str(folder / "policy.yaml"), kind, *map(str, paths)])
    return result.exit_code, result.output


def test_folder_is_learned_once(folder: Path) -> None:
    told = "spam: 3 learned as spam, 0 changed sides, 0 known already\n"
    assert learn(folder, "spam", folder / "mails") == (0, told)
    assert learn(folder, "spam", folder / "mails")[1] == "spam: 0 learned as spam, 0 changed sides, 3 known already\n"
    assert load(folder / "learned.txt").spam == 3


def test_one_letter_changes_sides(folder: Path) -> None:
    learn(folder, "spam", folder / "mails")
    told = learn(folder, "ham", folder / "mails" / "1.eml")[1]
    assert told == "spam: 0 learned as ham, 1 changed sides, 0 known already\n"
    experience = load(folder / "learned.txt")
    assert (experience.spam, experience.ham) == (2, 1)


def test_mailbox_is_learned(folder: Path) -> None:
    box = mailbox.mbox(folder / "junk.mbox")
    for number in range(5):
        box.add(letter(number))
    box.close()
    assert learn(folder, "spam", folder / "junk.mbox")[1].startswith("spam: 5 learned as spam")


def test_filter_without_a_file_says_so(folder: Path) -> None:
    (folder / "policy.yaml").write_text(POLICY.replace("learned: learned.txt", "embedded: true"))
    code, told = learn(folder, "spam", folder / "mails")
    assert (code, "no option `learned`" in told) == (69, True)


def test_policy_that_asks_no_such_filter_says_so(folder: Path) -> None:
    (folder / "policy.yaml").write_text("version: 1\nrules: [{id: a, when: {direction: inbound}, then: accept}]\n")
    code, told = learn(folder, "spam", folder / "mails")
    assert (code, "no filter that learns" in told) == (2, True)


def test_damaged_file_is_not_written_over(folder: Path) -> None:
    (folder / "learned.txt").write_text("notes\n")
    code, told = learn(folder, "spam", folder / "mails")
    assert (code, "no file of `mailwarden learn`" in told) == (69, True)
    assert (folder / "learned.txt").read_text() == "notes\n"
