"""deploy/README.md against what there is: its links, its commands, its files."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from gateway.cli import main

RUNBOOK = Path(__file__).parents[2] / "deploy" / "README.md"
TEXT = RUNBOOK.read_text()
LINKS = sorted(set(re.findall(r"\]\(([^)\s]+)\)", TEXT)))
EXAMPLES = "\n".join(re.findall(r"`[^`]+`|^    .+$", TEXT, re.MULTILINE))
COMMANDS = sorted(set(re.findall(r"\bmailwarden ([a-z]+)(?: ([a-z]+)\b)?", EXAMPLES)))


def anchors() -> set[str]:
    """The names of headings, as a browser of the repository makes them."""
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    return {"#" + re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_somewhere(link: str) -> None:
    if link.startswith("#"):
        assert link in anchors()
    elif not link.startswith("http"):
        assert (RUNBOOK.parent / link.partition("#")[0]).exists()


@pytest.mark.parametrize(("name", "below"), COMMANDS, ids=" ".join)
def test_a_command_is_one(name: str, below: str) -> None:
    command = main.commands[name]
    if isinstance(command, click.Group) and below:
        assert below in command.commands


def test_every_file_of_deploy_is_told_of() -> None:
    """What an operator takes from here is named in the runbook or beside what is."""
    folders = {path.name for path in RUNBOOK.parent.iterdir() if path.is_dir()} - {"__pycache__", "model", "trial"}
    assert {folder for folder in folders if f"({folder}" not in TEXT and f"{folder}/" not in TEXT} == set()
