"""Every service of the shipped catalogue is known by what it sends from, with the category it has there."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from filters.signup import Signup
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reading import Link, Reading, Text, Zone
from gateway.services import Catalogue, read_catalogue

LISTS = Path(__file__).parents[2] / "policies" / "lists" / "services.yaml"

TITLE = "Xác minh địa chỉ email của bạn"


def registration(name: str, domain: str) -> Mail:
    """What a service asks who has registered there."""
    body = f"Xin chào,\nCảm ơn bạn đã đăng ký tài khoản {name}. Vui lòng nhấn nút dưới đây để xác minh email.\nXác minh"
    raw = f"From: {name} <no-reply@{domain}>\r\nSubject: x\r\n\r\n{body}".encode()
    link = Link(place="1", target=f"https://{domain}/verify?token=a8f7d6e5c4b3a2918273", text="Xác minh", button=True)
    return Mail(
        id="1",
        listener="x",
        received=datetime(2026, 3, 2, tzinfo=UTC),
        client=Client(),
        envelope=Envelope(f"no-reply@{domain}", (Recipient("a@x.gov.vn"),)),
        inside=False,
        domains=frozenset({"x.gov.vn"}),
        raw=raw,
        root=parse(raw),
        opened=Reading(
            texts=(Text(place="", zone=Zone.SUBJECT, content=TITLE), Text(place="1", zone=Zone.BODY, content=body)),
            links=(link,),
        ),
    )


def own_domains(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Service and domain, without domains that services share and those where anybody has a mailbox."""
    owners = Counter(domain for service in catalogue.services.values() for domain in {*service.domains})
    return [
        (name, origin.domain)
        for name, service in catalogue.services.items()
        for origin in service.sends_from
        if owners[origin.domain] == 1 and origin.domain not in catalogue.personal
    ]


def test_each_service_is_known_by_its_own_domains() -> None:
    catalogue, judge = read_catalogue([LISTS]), Signup()
    wrong = []
    pairs = own_domains(catalogue)
    for name, domain in pairs:
        service = catalogue.services[name]
        found = [finding.facts() for finding in judge.inspect(registration(service.name, domain))]
        if not any((each["service"], each["category"]) == (name, service.category) for each in found):
            wrong.append((name, domain, [(each["service"], each["category"]) for each in found]))
    assert len(pairs) > 300
    assert wrong == []
