"""Any order of commands, right or wrong, in one segment or in many: the hop's view equals that of a model of SMTP.

MAILWARDEN_EXAMPLES=3000 for more than the few conversations of every run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Start
from tests.faults import FakeHop
from tests.reliability.client import Talk

EXAMPLES = int(os.environ.get("MAILWARDEN_EXAMPLES", "60"))
ERRORS = 8
"""The limit `errors`, low enough to be reached."""

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - {id: subject, cite: test/1, when: {header: {name: Subject, contains: forbidden}}, then: reject}
  - {id: recipient, cite: test/2, when: {recipient: closed@example.gov.vn}, then: reject}
  - {id: sender, cite: test/3, when: {sender: bad@example.org}, then: reject}
"""
HOP = {"gone@": b"550 5.1.1 gone\r\n", "full@": b"452 4.2.2 full\r\n"}

WRONG = {
    "EHLO": 501,
    "HELO two words": 501,
    "MAIL": 501,
    "MAIL FROM:an@example.org": 501,
    "MAIL FROM:<an@example.org> SIZE=x": 501,
    "MAIL FROM:<an@example.org> WHAT=x": 555,
    "MAIL FROM:<an\x01@example.org>": 500,
    "RCPT FROM:<an@example.org>": 501,
    "RCPT TO:<two words@example.gov.vn>": 553,
    "DATA now": 501,
    "RSET now": 501,
    "VRFY": 501,
    "EXPN list": 502,
    "AUTH PLAIN AGEAYg==": 502,
    "STARTTLS": 454,
    "WHATEVER": 500,
    "": 500,
    "BDAT 5 LAST": 500,
    "x" * 5000: 500,
}
"""What is refused in every state in which nothing is refused before it."""

RIGHT = {"NOOP": 250, "NOOP x": 250, "HELP": 214, "VRFY an": 252, "noop": 250}

CONTENTS = {
    b"Subject: plain\r\n\r\nbody\r\n": 250,
    b"\r\n": 250,
    b"Subject: dots\r\n\r\n..\r\n..dot\r\nQUIT\r\nRSET\r\n": 250,
    b"Subject: forbidden\r\n\r\nMAIL FROM:<evil@example.org>\r\n": 550,
    b"Subject: bare\r\n\r\nline\n.\nRSET\r\n": 550,
}


@dataclass
class Model:
    """A session as RFC 5321 has it. `answer` gives the code of the reply; 0: the connection is closed."""

    greeted: bool = False
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    errors: int = 0
    over: bool = False

    def answer(self, line: str) -> int:
        if self.over:
            return 0
        code = self._answer(line)
        self.errors += 500 <= code <= 504 or code == 555
        return code

    def _answer(self, line: str) -> int:
        verb = line[:4].upper()
        if line in RIGHT:
            return RIGHT[line]
        if line == "QUIT":
            self.over = True
            return 221
        in_order = {"MAIL": self.greeted and self.sender is None, "RCPT": self.sender is not None}
        in_order["DATA"] = self.sender is not None
        if line == "STARTTLS" and self.sender is not None:
            return 503
        if line in WRONG:
            lexical = WRONG[line] == 500 or line == "DATA now"
            return WRONG[line] if lexical or in_order.get(verb, True) else 503
        if not in_order.get(verb, True):
            return 503
        if verb in ("EHLO", "HELO", "RSET"):
            self.greeted = self.greeted or verb != "RSET"
            self.reset()
            return 250
        address = line.partition("<")[2].rstrip(">")
        if verb == "MAIL":
            if address == "bad@example.org":
                return 550
            self.sender = address
            return 250
        if verb == "RCPT":
            code = {"closed": 550, "gone": 550, "full": 452}.get(address.partition("@")[0], 250)
            if code == 250:
                self.recipients.append(address)
            return code
        return 354 if self.recipients else 554

    def content(self, content: bytes) -> int:
        """The answer to the dot."""
        code = CONTENTS[content]
        if code == 250:
            assert self.sender is not None
            self.taken.append((self.sender, self.recipients, content.replace(b"\r\n..", b"\r\n.")))
        self.reset()
        return code

    def reset(self) -> None:
        self.sender, self.recipients = None, []


MAILS = ["MAIL FROM:<an@example.org>", "MAIL FROM:<>", "mail from:<chi@example.org>", "MAIL FROM:<bad@example.org>"]
RCPTS = [f"RCPT TO:<{name}@example.gov.vn>" for name in ("binh", "dung", "binh", "closed", "gone", "full")]

TRANSACTIONS = st.builds(
    lambda mail, rcpts: [mail, *rcpts, "DATA"],
    st.sampled_from(MAILS),
    st.lists(st.sampled_from(RCPTS), max_size=4),
)
SINGLE = st.sampled_from(["EHLO a.example.org", "HELO a.example.org", "RSET", "DATA", *MAILS, *RCPTS, *RIGHT])
DISTURBED = st.builds(
    lambda lines, at, line: [*lines[: at % len(lines)], line, *lines[at % len(lines) :]],
    TRANSACTIONS,
    st.integers(0, 9),
    st.sampled_from([*WRONG, *RIGHT, "RSET", "EHLO a.example.org", "QUIT", *MAILS]),
)
PHRASES = st.lists(st.one_of(TRANSACTIONS, DISTURBED, SINGLE.map(lambda line: [line])), min_size=1, max_size=8)
LINES = PHRASES.map(lambda phrases: [line for phrase in phrases for line in phrase])


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(LINES, st.data())
async def test_the_hop_sees_what_the_model_sees(start: Start, lines: list[str], data: st.DataObject) -> None:
    model = Model()
    async with (
        FakeHop(answers=HOP) as hop,
        start(hop.address, policy=POLICY, limits={"errors": ERRORS}) as gateway,
        Talk(gateway.addresses["inbound"]) as talk,
    ):
        group: list[str] = []
        for line in ["EHLO a.example.org", *lines]:
            group.append(line)
            if line != "DATA" and data.draw(st.booleans(), "in one segment with the next"):
                continue
            await said(talk, model, group, data.draw(st.sampled_from([*CONTENTS]), "content"))
            group = []
            if model.over:
                break
    seen = [
        (
            taken.mail.decode().partition("<")[2].rpartition(">")[0],
            [line.decode().partition("<")[2].rpartition(">")[0] for line in taken.rcpts],
            taken.content.partition(b"X-Mailwarden")[2].partition(b"\r\n")[2],
        )
        for taken in hop.taken
    ]
    assert seen == model.taken


async def said(talk: Talk, model: Model, lines: list[str], content: bytes) -> None:
    """Say some commands in one segment, and the content where DATA is granted; each answer is the model's."""
    talk.say("".join(f"{line}\r\n" for line in lines).encode())
    for line in lines:
        expected = model.answer(line)
        assert (await talk.heard()).code == expected, line[:80]
        if expected == 354:
            talk.say(content + b".\r\n")
            assert (await talk.heard()).code == model.content(content)
        if model.errors > ERRORS and not model.over:
            assert (await talk.heard()).code == 421
            model.over = True
