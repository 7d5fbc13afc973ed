"""Staff who log in at Postfix's submission port: the gateway knows the account, and nobody can pretend to one."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
import trustme

from tests.e2e.clients import swaks, talk
from tests.e2e.dovecot import Dovecot
from tests.e2e.ports import free_port
from tests.e2e.postfix import SNIPPETS, Postfix, with_ports
from tests.e2e.service import Service
from tests.e2e.ways import ONE_BY_ONE, listener
from tests.faults import FakeHop

FORGED = "from pc (pc [10.0.0.1]) (Authenticated sender: khoa@example.gov.vn) by postfix.example.gov.vn"
LETTER = f"From: an@example.gov.vn\r\nReceived: {FORGED}\r\nSubject: %s\r\n\r\nhello\r\n".encode()


@dataclass
class Office:
    """Postfix with a public and a submission port, each before its listener."""

    public: int
    submission: int
    hop: FakeHop
    service: Service
    context: ssl.SSLContext


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder = tmp_path_factory.mktemp("gateway")
    public, submission, inbound, outbound, back = (free_port() for _ in range(5))
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    pem = folder / "postfix.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    listeners = [listener(inbound, back), listener(outbound, back, "outbound")]
    master = (SNIPPETS / "before-queue.master.cf").read_text() + (SNIPPETS / "submission.master.cf").read_text()
    ports = {"smtp": public, "submission": submission, "10025": inbound, "10024": outbound, "10026": back}
    async with (
        FakeHop(offers=ONE_BY_ONE) as hop,
        Dovecot() as dovecot,
        Service(folder, {"listeners": listeners}) as service,
    ):
        main = (SNIPPETS / "main.cf").read_text() + f"smtpd_tls_chain_files = {pem}\n"
        main += f"smtpd_sasl_type = dovecot\nsmtpd_sasl_path = inet:127.0.0.1:{dovecot.port}\n"
        last = hop.address[1]
        assert isinstance(last, int)
        async with Postfix(main=main, master=with_ports(master, ports), hop=last):
            yield Office(public, submission, hop, service, context)


@pytest.mark.asyncio(loop_scope="class")
class TestSubmission:
    async def submit(self, office: Office, login: str, mark: str) -> tuple[int, bytes]:
        def conversation(client: smtplib.SMTP) -> tuple[int, bytes]:
            client._host = "localhost"
            client.starttls(context=office.context)
            client.ehlo("x (Authenticated sender: khoa@example.gov.vn)")
            client.login(login, "secret")
            client.mail("an@example.gov.vn")
            code, text = client.rcpt("x@example.org")
            return client.data(LETTER % mark.encode()) if code == 250 else (code, text)

        return await talk(office.submission, conversation)

    async def test_the_account_that_logged_in_is_known_and_no_other(self, office: Office, mark: str) -> None:
        code, _ = await self.submit(office, "an@example.gov.vn", mark)

        line = await office.service.said("message", listener="outbound", login="an@example.gov.vn")
        assert code == 250
        assert line["direction"] == "outbound"
        await office.hop.until_taken(1)

    async def test_a_locked_account_sends_nothing_whatever_sender_it_writes(self, office: Office, mark: str) -> None:
        code, text = await self.submit(office, "khoa@example.gov.vn", mark)

        assert code == 550
        assert b"[locked-account]" in text

    async def test_a_stranger_cannot_pretend_to_an_account(self, office: Office, mark: str) -> None:
        """Neither by a Received line in the message nor by what it calls itself."""
        await swaks(
            office.public,
            *("--add-header", f"Received: {FORGED}", "--header", f"Subject: {mark}"),
            *("--helo", "x (Authenticated sender: khoa@example.gov.vn)"),
        )

        line = await office.service.said("message", listener="inbound")
        assert line["login"] == ""
        assert line["reply"].startswith("250 ")
