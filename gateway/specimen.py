"""A message that came over no wire: from a file, or from a policy's own case. Nothing here has an effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import getaddresses

from gateway.mail import Client, Direction, Envelope, Mail, Part, Recipient
from gateway.mime.parse import parse
from gateway.origin import handed_in_inside
from gateway.policy.model import Policy

SENDER_FIELDS = ("Return-Path", "Sender", "From")
RECIPIENT_FIELDS = ("Delivered-To", "X-Original-To", "To", "Cc", "Bcc")

FIELD_LIMIT = 20_000
"""Characters of an address field that are looked at: the library that reads them is slow on absurd ones."""


def specimen(
    policy: Policy,
    raw: bytes,
    *,
    sender: str | None = None,
    recipients: Sequence[str] = (),
    client: Client | None = None,
    listener: str = "specimen",
    direction: Direction | None = None,
    received: datetime | None = None,
) -> Mail:
    """The mail that these bytes would be. What the envelope does not say is read from the header.

    Where that names no recipient either, the rules are asked for a recipient without an address.
    """
    root = parse(raw)
    client = client or Client()
    sender = header_sender(root) if sender is None else sender
    recipients = recipients or header_recipients(root) or ("",)
    organisation = policy.organisation
    return Mail(
        id="specimen",
        listener=listener,
        received=received or datetime.now(UTC),
        client=client,
        envelope=Envelope(sender, tuple(Recipient(address) for address in recipients)),
        raw=raw,
        root=root,
        inside=handed_in_inside(
            client,
            sender,
            listener_direction=direction,
            domains=organisation.domains,
            networks=organisation.networks,
        ),
        domains=organisation.domains,
        accounts=policy.accounts,
    )


def header_sender(root: Part) -> str:
    """The address that Return-Path, Sender or From names first, "" if none does."""
    return next((address for name in SENDER_FIELDS for address in _addresses(root, name)), "")


def header_recipients(root: Part) -> tuple[str, ...]:
    """Every address of the fields that name recipients, once each."""
    return tuple(dict.fromkeys(address for name in RECIPIENT_FIELDS for address in _addresses(root, name)))


def _addresses(root: Part, name: str) -> list[str]:
    values = [header.value[:FIELD_LIMIT] for header in root.headers if header.name.lower() == name.lower()]
    return [address for _, address in getaddresses(values) if address]
