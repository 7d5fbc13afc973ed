"""A newcomer's first filter: one file in `filters/` and one stanza in a policy, and it finds, decides and explains."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import filters
from gateway.cli import main

THE_FILE = '''"""links: find mail with more links than a person writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from gateway.mail import Mail
from gateway.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyLinks(Finding):
    """The message has more links than `most`."""

    code: ClassVar[str] = "many_links"
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Counts links."""

    FINDINGS: ClassVar = (ManyLinks,)

    most: int = 10
    """Links up to which nothing is found."""

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """Count them in the raw message."""
        if (count := mail.raw[:].count(b"https://")) > self.most:
            yield ManyLinks(count=count)
'''

THE_STANZA = """
version: 1
organisation: {domains: [example.gov.vn]}
filters: {links: {most: 2}}
rules:
  - id: too-many-links
    cite: test/1
    when: {found: links.many_links, where: {count: "> 3"}}
    then: reject
"""


@pytest.fixture
def dropped_in(tmp_path: Path) -> Iterator[Path]:
    """The file lies in the package's folder, or in one that counts as it."""
    (tmp_path / "links.py").write_text(THE_FILE)
    filters.__path__.append(str(tmp_path))
    yield tmp_path
    filters.__path__.remove(str(tmp_path))
    sys.modules.pop("filters.links", None)


def run(*arguments: object, stdin: bytes = b"") -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    return result.output


@pytest.mark.parametrize(("links", "action"), [(2, "accept"), (3, "accept"), (4, "reject")])
def test_it_finds_and_the_policy_decides(dropped_in: Path, links: int, action: str) -> None:
    policy = dropped_in / "policy.yaml"
    policy.write_text(THE_STANZA)
    mail = b"From: a@example.org\r\nTo: b@example.gov.vn\r\n\r\n" + b"https://example.org\r\n" * links
    told = json.loads(run("explain", "-p", policy, "--json", "-", stdin=mail))
    assert told["action"] == action
    assert [finding["count"] for finding in told["findings"]] == [links] * (links > 2)


def test_its_manual_and_its_errors_come_by_themselves(dropped_in: Path) -> None:
    assert "links.many_links" in run("filters", "links")
    policy = dropped_in / "policy.yaml"
    policy.write_text(THE_STANZA.replace("most: 2", "mots: 2").replace("count:", "cuont:"))
    problems = run("check", policy)
    assert 'unknown key "mots"' in problems
    assert '(did you mean "most"?)' in problems
    assert '"cuont"' in problems


def test_the_file_is_about_thirty_lines() -> None:
    assert len([line for line in THE_FILE.splitlines() if line.strip()]) <= 30
