"""The families of stores that the contract holds for, and sample mail and records."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from gateway.identity import new_id
from gateway.keeping import AuditRecord, KeptMail, Kind, State, Step
from gateway.mail import Client, Envelope, Recipient
from gateway.store.open import Stores, open_store

FAMILIES = ("embedded",)
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
PATIENCE = 0.2
"""Seconds a test waits for a lock that nobody lets go of."""


def start(target: Callable[..., None], *args: object) -> tuple[BaseProcess, Connection]:
    """A process of its own that runs `target(*args, pipe)`, and our end of the pipe."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "gateway.store.open"])  # each process then begins in milliseconds
    here, there = context.Pipe()
    process = context.Process(target=target, args=(*args, there), daemon=True)
    process.start()
    there.close()
    return process, here


async def open_family(name: str, place: Path) -> Stores:
    """The stores of a family at a place of its own; a second time at the same place: the same stores."""
    match name:
        case "embedded":
            return await open_store(place / "state", patience=5.0)
    raise ValueError(name)


def content(size: int = 3000, seed: str = "") -> bytes:
    """The bytes of a message."""
    block = hashlib.sha256(seed.encode()).hexdigest().encode() + b"\r\n"
    return (b"Subject: x\r\n\r\n" + block * (size // len(block) + 1))[:size]


def kept(raw: bytes, **changes: Any) -> KeptMail:
    """A kept message with these bytes."""
    fields: dict[str, Any] = {
        "id": new_id(),
        "kind": Kind.HELD,
        "state": State.WAITING,
        "received": START,
        "expires": START + timedelta(days=30),
        "retention": "decision",
        "listener": "inbound",
        "direction": "inbound",
        "client": Client(address="192.0.2.1", port=4711, name="mx.example.com", helo="mx", protocol="ESMTPS", tls=True),
        "envelope": Envelope(
            "Sender@example.com",
            (
                Recipient("mot@example.gov.vn", ("NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Mot@x")),
                Recipient("hai@example.gov.vn"),
            ),
            ("BODY=8BITMIME", "RET=HDRS", "ENVID=QQ314159"),
        ),
        "header_from": "sender@example.com",
        "subject": "Thư mời họp",
        "message_id": "<1@example.com>",
        "size": len(raw),
        "digest": hashlib.sha256(raw).hexdigest(),
        "rules": ("no-signup", "archive-locked"),
        "clauses": ("gialai-2022/11.5",),
        "because": "mã hóa",
        "policy": "ab" * 32,
        "approvers": ("truongphong@example.gov.vn",),
        "quorum": 2,
    }
    return KeptMail(**fields | changes)


def step(act: str = "release", **changes: Any) -> Step:
    """Something that an officer did."""
    fields: dict[str, Any] = {"moment": START, "actor": "officer@example.gov.vn", "act": act, "comment": "đồng ý"}
    return Step(**fields | changes)


def record(**changes: Any) -> AuditRecord:
    """A record of one message for one recipient; what is no field of it is a fact."""
    facts = {
        "sender": "sender@example.com",
        "recipient": "mot@example.gov.vn",
        "direction": "inbound",
        "action": "hold",
        "account": "mot@example.gov.vn",
        "subject": "Thư mời họp",
        "rules": [{"id": "no-signup", "result": "match"}, {"id": "spam", "result": "no-match"}],
        "size": 3000,
    }
    fields: dict[str, Any] = {"id": new_id(), "moment": START, "event": "message"}
    for name, value in changes.items():
        (fields if name in ("id", "moment", "event", "retention") else facts)[name] = value
    return AuditRecord(**fields, facts=facts)
