"""The catalogue of outside services: whose a domain is, what the commands show of it, what the trail suggests."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.keeping import AuditRecord
from gateway.metrics import CATEGORIES
from gateway.reports.strangers import strangers
from gateway.services import SHIPPED, Category, guessed_category, read_catalogue

CATALOGUE = read_catalogue((SHIPPED,))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

KNOWN = {
    "a domain that is written there": ("facebookmail.com", "facebook"),
    "one below it": ("x.mail.instagram.com", "instagram"),
    "the longest name counts": ("e.linkedin.com", "linkedin"),
    "a site of a service": ("shopee.vn", "shopee"),
    "a pattern of a brand": ("8xbet77.xyz", "gambling-rotating"),
    "a provider's own domain is a person's": ("gmail.com", None),
    "a name that has a brand's behind it": ("notfacebookmail.com", None),
    "a brand in another's domain": ("facebookmail.com.evil.example", None),
    "a country is no bet": ("kuwait.example", None),
}


@pytest.mark.parametrize(("domain", "name"), KNOWN.values(), ids=KNOWN)
def test_whose_a_domain_is(domain: str, name: str | None) -> None:
    known = CATALOGUE.known(domain)
    assert (known.id if known else None) == name


def test_official_is_what_is_under_gov_vn_and_nothing_that_looks_like_it() -> None:
    assert [each for each in ("a.gov.vn", "gov.vn", "chinhphu.vn") if not CATALOGUE.is_official(each)] == []
    assert [each for each in ("gov.vn.example", "gov-vn.com", "gov.vnn.vn") if CATALOGUE.is_official(each)] == []


def test_every_category_is_a_label_of_the_metrics_and_some_service_or_guess_has_it() -> None:
    assert set(get_args(Category)) == set(CATEGORIES)
    used = {service.category for service in CATALOGUE.services.values()}
    assert set(get_args(Category)) - used == {"unknown"}


GUESSES = {
    "a forum": (("Diễn đàn Xe Cổ", "xeco.vn"), "forum"),
    "a shop": (("Mẹ Và Bé", "mevabeshop24h.com"), "commerce"),
    "bets before all else": (("Casino Shop", "x.vn"), "gambling"),
    "nothing said": (("Ốc Đảo", "ocdao.vn"), "unknown"),
}


@pytest.mark.parametrize(("names", "category"), GUESSES.values(), ids=GUESSES)
def test_guessed_category(names: tuple[str, ...], category: str) -> None:
    assert guessed_category(*names) == category


def record(number: int, *findings: dict[str, Any], recipient: str = "an@example.gov.vn") -> AuditRecord:
    facts = {"recipient": recipient, "findings": list(findings)}
    return AuditRecord(id=f"id{number}", moment=NOON + timedelta(minutes=number), event="message", facts=facts)


def finding(code: str, service: str, *, known: bool = False, category: str = "unknown") -> dict[str, Any]:
    return {"code": f"signup.{code}", "fields": {"service": service, "known": known, "category": category}}


def test_what_the_trail_suggests_is_what_nobody_knows_most_mail_first() -> None:
    found = strangers(
        [
            record(1, finding("verification", "quan.example", category="forum")),
            record(2, finding("newsletter", "tin.example"), finding("verification", "shopee", known=True)),
            record(3, finding("account_activity", "quan.example"), recipient="binh@example.gov.vn"),
            record(4, {"code": "attachments.archive", "fields": {"name": "a.zip"}}),
            record(5, {"code": "signup.subscription_request", "fields": {"service": "list.example"}}),
        ]
    )
    assert [(each.domain, each.messages, len(each.recipients), each.mail) for each in found] == [
        ("quan.example", 2, 2, "any"),
        ("tin.example", 1, 1, "promo"),
    ]


def test_what_is_suggested_can_be_put_into_a_file(tmp_path: Path) -> None:
    [each] = strangers([record(1, finding("verification", "quan.example", category="forum"))])
    file = tmp_path / "ours.yaml"
    file.write_text(f"version: 1\nservices:\n{each.entry()}\n")
    known = read_catalogue((file,)).known("mail.quan.example")
    assert known is not None
    assert (known.service.category, known.origin.mail) == ("forum", "account")


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["services", *words])
    return result.exit_code, result.output


def test_list_has_the_category_asked_for_only() -> None:
    code, told = run("list", "--category", "gambling", "--json")
    services = [json.loads(line) for line in told.splitlines()]
    assert code == 0
    assert {each["category"] for each in services} == {"gambling"}
    assert "bet365" in {each["id"] for each in services}


def test_show_tells_where_a_service_sends_from() -> None:
    code, told = run("show", "facebook")
    assert code == 0
    assert "sends from facebookmail.com: account, confidence high" in told


def test_show_of_nobody_is_a_mistake() -> None:
    assert run("show", "nobody")[0] == 2


CHECKS = {
    "a service": ("a@mail.shopee.vn", 0, "Shopee"),
    "an official body": ("a@stc.gialai.gov.vn", 0, "official"),
    "a person": ("a@gmail.com", 1, "person"),
    "nobody": ("a@quan.example", 1, "not in the catalogue"),
}


@pytest.mark.parametrize(("address", "status", "words"), CHECKS.values(), ids=CHECKS)
def test_check(address: str, status: int, words: str) -> None:
    code, told = run("check", address)
    assert code == status
    assert words in told


def test_suggest_reads_the_trail(tmp_path: Path) -> None:
    settings = tmp_path / "gateway.yaml"
    settings.write_text(
        "listeners: [{name: in, smtp: '127.0.0.1:0', upstream: 'smtp://127.0.0.1:9'}]\n"
        f"policy: {Path(__file__).parents[1] / 'policies' / 'packs' / 'acceptable-use.yaml'}\nstate: {tmp_path}\n"
    )
    code, told = run("suggest", "-c", str(settings))
    assert code in (0, 69), told
