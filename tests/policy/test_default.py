"""The policy that `make run` starts with does what its own cases say, and each of its rules is shown at work."""

from __future__ import annotations

import base64
import io
import zipfile
from datetime import date
from pathlib import Path

from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.policy.load import load
from gateway.policy.rule import Mode
from gateway.trial import run_cases
from tests.conftest import Start
from tests.engines.daemons import EICAR
from tests.faults import FakeHop
from tests.test_app import send

DEFAULT = Path(__file__).parents[2] / "policies" / "default.yaml"


async def test_it_does_what_its_cases_say() -> None:
    policy = load(DEFAULT)
    async with Opener(FileReading()) as opener:
        results = await run_cases(policy, open_mail=opener.open)
    assert [f"{result.where}: {result.name}: {result.failures}" for result in results if result.failures] == []


def test_every_rule_in_force_has_a_case_it_is_for_and_there_are_as_many_it_is_not_for() -> None:
    policy = load(DEFAULT)
    shown = [rule.text for case in policy.cases for rule in case.expect.rules or ()]
    assert [rule.id.text for rule in policy.rules if rule.mode is Mode.ENFORCE and rule.id.text not in shown] == []
    passing = [case for case in policy.cases if case.expect.rules == ()]
    assert len(passing) >= sum(rule.mode is Mode.ENFORCE for rule in policy.rules) - 1


def test_every_rule_says_what_it_rests_on_and_what_it_is_for() -> None:
    assert all(rule.cite and rule.title for rule in load(DEFAULT).rules)


def test_it_brings_no_warnings_before_its_dates() -> None:
    assert load(DEFAULT, today=date(2026, 12, 1)).warnings == ()


ATTACHED = """From: ketoan@example.org
To: an@example.gov.vn
Subject: Bao cao
MIME-Version: 1.0
Content-Type: application/octet-stream; name=baocao.txt
Content-Disposition: attachment; filename=baocao.txt
Content-Transfer-Encoding: base64

{content}
"""


async def test_known_malware_is_refused_without_any_daemon(start: Start) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("baocao.txt", EICAR)
    policy = f"version: 1\nextends: [{DEFAULT}]\n"
    async with FakeHop() as hop, start(hop.address, policy=policy) as gateway:
        for content, code in ((EICAR, "554"), (zipped.getvalue(), "554"), (b"Bien ban hop", "250")):
            text = ATTACHED.format(content=base64.b64encode(content).decode())
            assert (await send(gateway, text, "an@example.gov.vn", sender="ketoan@example.org"))[:3] == code
    assert len(hop.taken) == 1
