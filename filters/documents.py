"""documents: find official documents (decree 30/2020/NĐ-CP) in a mail, and private mailboxes on their way.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. A text that cites a
document is none: the parts of its form count together (number line, letterhead, date, signer, copies).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from filters._documents.contacts import PRIVATE_PROVIDERS, own_contacts
from filters._documents.forms import Document, document, named_as_document
from filters._mailboxes import mailboxes_of
from gateway.mail import Mail, belongs, domain_of
from gateway.reading import Text, Zone
from gateway.verdict import Evidence, Finding

RUNNING = frozenset({Zone.BODY, Zone.ATTACHMENT, Zone.IMAGE})
"""Zones that hold a document's running text; headers and text boxes are read with them."""

BESIDE = frozenset({Zone.PAGE_HEADER, Zone.PAGE_FOOTER, Zone.TEXT_BOX})

MAX_DOCUMENTS = 50
"""Documents reported of one mail."""

FORWARDED = ("X-Forwarded-To", "Resent-To", "X-Forwarded-For")

Role = Literal["sender", "recipient", "reply-to", "forwarded-to"]
GOVERNMENT = "gov.vn"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialDocument(Finding):
    """The mail is, or carries, an official document: one finding for each. `kind` is its type in Vietnamese ("quyết
    định", "công văn"), `number`, `symbol` and `agency` as printed, `urgency` ("khẩn", "thượng khẩn", "hỏa tốc") and
    `circulation` ("lưu hành nội bộ", "xem xong trả lại") its marks, `period` of a report ("tuần", "tháng", "quý",
    "năm"), `attached` tells whether it is a file."""

    code: ClassVar[str] = "official_document"
    kind: str
    number: str
    symbol: str
    agency: str
    urgency: str
    circulation: str
    period: str
    attached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialDocumentViaPrivateMailbox(Finding):
    """An official document goes to, comes from, or is to be answered to a private mailbox. `role` is whose mailbox it
    is (sender, recipient, reply-to, forwarded-to), `provider` its domain; `reply` tells that the mail answers one from
    there, as an office answers a citizen."""

    code: ClassVar[str] = "official_document_via_private_mailbox"
    role: Role
    provider: str
    kind: str
    symbol: str
    reply: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateContact(Finding):
    """An official document gives an address outside the State's domains as its agency's own contact. `domain` is the
    address's, `private` whether that is a private provider, `symbol` the document's."""

    code: ClassVar[str] = "private_contact"
    domain: str
    private: bool
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateReplyTo(Finding):
    """Mail from an official address asks for answers to a private mailbox. `provider` is its domain."""

    code: ClassVar[str] = "private_reply_to"
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Recognises official documents in the body and in every file, and the private mailboxes they pass through."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (
        *(OfficialDocument, OfficialDocumentViaPrivateMailbox, PrivateContact, PrivateReplyTo),
    )
    READS: ClassVar[bool] = True

    private_providers: frozenset[str] = PRIVATE_PROVIDERS
    """Domains where anybody may open a mailbox."""

    official_domains: frozenset[str] = frozenset({GOVERNMENT})
    """Domains whose addresses are official, beside the organisation's own."""

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """The documents, then for each what private mailbox it meets, then its contacts."""
        found = list(_documents(mail))[:MAX_DOCUMENTS]
        for place, one in found:
            yield OfficialDocument(
                kind=one.kind,
                number=one.number,
                symbol=one.symbol,
                agency=one.agency,
                urgency=one.urgency,
                circulation=one.circulation,
                period=one.period,
                attached=_attached(mail, place),
                evidence=(Evidence(place, one.at, one.symbol or ", ".join(one.parts)),),
            )
        private = list(self._private_mailboxes(mail))
        if found:
            place, first = found[0]
            for role, provider in private:
                yield OfficialDocumentViaPrivateMailbox(
                    role=role,
                    provider=provider,
                    kind=first.kind,
                    symbol=first.symbol,
                    reply=bool(mail.root.header("In-Reply-To") or mail.root.header("References")),
                    evidence=(Evidence(place, first.at, first.symbol),),
                )
            yield from self._contacts(mail, dict(found))
        written_by = mail.envelope.sender or next(reversed(_addresses(mail, "From")), "")
        if self._is_official(written_by, mail):
            for provider in sorted({provider for role, provider in private if role == "reply-to"}):
                yield PrivateReplyTo(provider=provider)

    def _private_mailboxes(self, mail: Mail) -> Iterator[tuple[Role, str]]:
        roles: list[tuple[Role, list[str]]] = [
            ("sender", [mail.envelope.sender, *_addresses(mail, "From")]),
            ("recipient", [recipient.address for recipient in mail.envelope.recipients]),
            ("reply-to", _addresses(mail, "Reply-To")),
            ("forwarded-to", [address for name in FORWARDED for address in _addresses(mail, name)]),
        ]
        for role, addresses in roles:
            for domain in sorted({domain_of(address) for address in addresses} & self.private_providers):
                yield role, domain

    def _contacts(self, mail: Mail, documents: dict[str, Document]) -> Iterator[Finding]:
        for text in mail.reading.of(*RUNNING, *BESIDE):
            if text.place not in documents:
                continue
            for contact in own_contacts(text.content):
                if not self._is_official(contact.address, mail):
                    yield PrivateContact(
                        domain=contact.domain,
                        private=contact.domain in self.private_providers,
                        symbol=documents[text.place].symbol,
                        evidence=(Evidence(text.place, contact.at, f"•••@{contact.domain}"),),
                    )

    def _is_official(self, address: str, mail: Mail) -> bool:
        return belongs(address, self.official_domains | mail.domains)


def _documents(mail: Mail) -> Iterator[tuple[str, Document]]:
    """Each place's document; the same one in two forms of the body, or as docx and pdf, is one for each file."""
    known: set[tuple[str, bool]] = set()
    for place, texts in _by_place(mail.reading.texts).items():
        bare = b" ".join(text.plain.coded.strip(b" ") for text in texts)
        one = document("\n".join(text.content for text in texts), bare)
        attached = _attached(mail, place)
        if one and ((one.symbol, attached) not in known or not one.symbol):
            known.add((one.symbol, attached))
            yield place, one
    for file in mail.reading.files:
        named = next((one for name in file.names if (one := named_as_document(name))), None)
        if named and (named.symbol, True) not in known:
            known.add((named.symbol, True))
            yield file.place, named


def _by_place(texts: tuple[Text, ...]) -> dict[str, list[Text]]:
    """The running text of each file, page headers before it and footers after it, as a person reads a page."""
    pieces: dict[str, list[Text]] = {}
    for text in texts:
        if text.zone in (Zone.PAGE_HEADER, Zone.TEXT_BOX):
            pieces.setdefault(text.place, []).insert(0, text)
        elif text.zone in RUNNING or text.zone is Zone.PAGE_FOOTER:
            pieces.setdefault(text.place, []).append(text)
    return pieces


def _attached(mail: Mail, place: str) -> bool:
    return any(file.place == place for file in mail.reading.files)


def _addresses(mail: Mail, name: str) -> list[str]:
    return [mailbox.address for mailbox in mailboxes_of(mail.root, name) if mailbox.address]
