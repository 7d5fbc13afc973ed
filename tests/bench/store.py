"""`python tests/bench/store.py`: how fast the embedded store keeps, lists, remembers, finds and proves.

Everything goes through the real stores in a fresh folder on the disk of TMPDIR. A million records take some minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gateway.identity import new_id
from gateway.keeping import AuditRecord, KeptMail, Kind, Query, State, Step
from gateway.mail import Client, Envelope, Recipient
from gateway.store.open import Stores, open_store

LIST_LIMIT, FIND_LIMIT, APPENDS_FLOOR = 0.3, 1.0, 1_000
"""Seconds to list 10,000 kept messages and to find in a million records, records appended a second: the promises."""

START = datetime(2026, 1, 1, tzinfo=UTC)
REPEATS = 5
TOGETHER = 64
"""Callers that append or keep mail at the same time."""

out = Console()


@click.command()
@click.option("--mails", default=10_000, show_default=True, help="Messages to keep.")
@click.option("--records", default=1_000_000, show_default=True, help="Records to append.")
@click.option("--json", "path", default="build/bench-store.json", show_default=True, type=click.Path(path_type=Path))
def main(mails: int, records: int, path: Path) -> None:
    """Measure, print a table, write the figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), mails, records))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1))
    table = Table("what", "figure", title="Embedded store")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4f}" if isinstance(value, float) else f"{value:,}")
    out.print(table)
    missed = [name for name, value in figures.items() if name.startswith(f"list {mails:,} by") and value > LIST_LIMIT]
    missed += [name for name, value in figures.items() if name.startswith("find ") and value > FIND_LIMIT]
    missed += ["appends a second"] if figures["appends a second"] < APPENDS_FLOOR else []
    raise SystemExit(f"missed: {', '.join(missed)}" if missed else 0)


async def measure(folder: Path, mails: int, records: int) -> dict[str, Any]:
    """All figures: seconds unless the name says otherwise."""
    stores = await open_store(folder / "store")
    figures = await keep(stores, mails)
    await stores.close()
    figures |= {f"{name}, as a command": command(folder, *words) for name, words in commands(mails).items()}
    stores = await open_store(folder / "store")
    figures |= await remember(stores, records)
    await stores.close()
    started = time.perf_counter()
    stores = await open_store(folder / "store")
    figures["open again"] = time.perf_counter() - started
    await stores.close()
    figures["bytes of the index"] = sum(each.stat().st_size for each in (folder / "store").glob("index-*"))
    figures["bytes of the trail"] = (folder / "store" / "trail.db").stat().st_size
    for index in (folder / "store").glob("index-*"):
        index.unlink()
    started = time.perf_counter()
    stores = await open_store(folder / "store")
    figures["open with a lost index"] = time.perf_counter() - started
    await stores.close()
    return figures


def commands(mails: int) -> dict[str, tuple[str, ...]]:
    """The commands that show what is kept."""
    return {
        "list 100": ("held", "list"),
        f"list {mails:,}": ("held", "list", "--all", f"--limit={mails}"),
        f"list {mails:,} as JSON": ("held", "list", "--all", f"--limit={mails}", "--json"),
        "start and do nothing": ("held", "list", "--limit=0"),
    }


def command(folder: Path, *words: str) -> float:
    """Seconds of a `mailwarden` command on that store."""
    (folder / "policy.yaml").write_text("version: 1\norganisation: {domains: [example.gov.vn]}\nrules: []\n")
    settings = {
        "listeners": [{"name": "inbound", "smtp": "127.0.0.1:0", "upstream": "smtp://127.0.0.1:9"}],
        "policy": "policy.yaml",
        "state": str(folder),
    }
    (folder / "gateway.yaml").write_text(json.dumps(settings))  # JSON is YAML
    line = [sys.executable, "-m", "gateway", *words, "-c", str(folder / "gateway.yaml")]
    started = time.perf_counter()
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


async def keep(stores: Stores, mails: int) -> dict[str, Any]:
    """Keeping mail, and listing it by every kind of query."""
    content = os.urandom(20_000)
    digest = hashlib.sha256(content).hexdigest()
    kept = [a_mail(number, len(content), digest) for number in range(mails)]
    alone = await seconds(kept[:50], lambda each: stores.mail.own(each, content), together=1)
    crowd = await seconds(kept[50:], lambda each: stores.mail.own(each, content), together=TOGETHER)
    step = Step(moment=START, actor="officer@example.gov.vn", act="release")
    some = [each.id for each in kept[:500]]
    moving = await seconds(
        some,
        lambda id: stores.mail.move(id, before=State.WAITING, after=State.RELEASING, step=step),
        together=TOGETHER,
    )
    queries = {
        "newest 100": Query(),
        "last page": Query(offset=mails - 100),
        "kind": Query(kind=Kind.HELD),
        "state": Query(states=(State.WAITING,)),
        "sender": Query(sender=kept[7].envelope.sender),
        "recipient of all": Query(recipient="everyone@example.gov.vn"),
        "recipient of one": Query(recipient=kept[9].envelope.recipients[0].address),
        "rule": Query(rule="no-signup"),
        "text that many have": Query(text="thư số"),
        "text that one has": Query(text=f"thư số {mails // 2} "),
        "text that nobody has": Query(text="không ai có"),
        "day": Query(since=START + timedelta(days=1), until=START + timedelta(days=2)),
        "several": Query(kind=Kind.HELD, states=(State.WAITING,), rule="no-signup", text="số 9"),
    }
    whole = await middle(lambda: stores.mail.find(Query(limit=mails)))
    lists: dict[str, float] = {f"list {mails:,} by all at once": whole}
    for name, query in queries.items():
        lists[f"list {mails:,} by {name}"] = await middle(lambda query=query: stores.mail.find(query))
    return {
        "own, one after the other, a second": 50 / alone,
        f"own, {TOGETHER} together, a second": (mails - 50) / crowd,
        f"move, {TOGETHER} together, a second": len(some) / moving,
        **lists,
    }


async def remember(stores: Stores, records: int) -> dict[str, Any]:
    """Appending records, finding them, proving the chain."""
    first = [a_record(number) for number in range(min(2_000, records))]
    alone = await seconds(first[:200], lambda each: stores.trail.append([each]), together=1)
    crowd = await seconds(first[200:], lambda each: stores.trail.append([each]), together=TOGETHER)
    pages = [range(at, min(at + 10, records)) for at in range(len(first), records, 10)]
    rest = await seconds(pages, lambda page: stores.trail.append([*map(a_record, page)]), together=TOGETHER)
    day = START + timedelta(seconds=15 * records)
    searches: dict[str, dict[str, Any]] = {
        "id": {"id": f"M{records // 2:017d}"},
        "sender": {"sender": f"person{records // 3 % 50_000}@example.com"},
        "sender and day": {"sender": "person7@example.com", "since": day, "until": day + timedelta(days=1)},
        "sender, direction and action": {"sender": "person7@example.com", "direction": "inbound", "action": "accept"},
        "recipient": {"recipient": "official77@example.gov.vn"},
        "rule that is rare": {"rule": "state-secret"},
        "action that is rare and day": {"action": "hold", "since": day, "until": day + timedelta(hours=2)},
        "hour": {"since": day, "until": day + timedelta(hours=1)},
        "another fact and day": {"note": "n7", "since": day, "until": day + timedelta(days=1)},
        "nobody": {"sender": "nobody@example.com"},
    }
    finds: dict[str, float] = {}
    for name, search in searches.items():
        number = await count(stores, search)
        finds[f"find in {records:,} by {name} ({number:,} found)"] = await middle(
            lambda search=search: count(stores, search)
        )
    broad = stores.trail.search(direction="inbound")
    started = time.perf_counter()
    await anext(broad)
    finds[f"find in {records:,} by direction, the first"] = time.perf_counter() - started
    await broad.aclose()
    started = time.perf_counter()
    problems = await stores.trail.verify()
    verified = time.perf_counter() - started
    assert not problems, problems
    return {
        "appends one after the other, a second": len(first[:200]) / alone,
        f"appends, {TOGETHER} together, a second": len(first[200:]) / crowd,
        "appends a second": (records - len(first)) / rest,
        **finds,
        "verify": verified,
    }


async def count(stores: Stores, search: dict[str, Any]) -> int:
    """How many records a search finds."""
    return len([record async for record in stores.trail.search(**search)])


async def seconds(items: Any, work: Callable[[Any], Awaitable[Any]], together: int) -> float:
    """To do the work for each item, so many at the same time."""
    waiting = iter(items)

    async def one() -> None:
        for item in waiting:
            await work(item)

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(together)))
    return time.perf_counter() - started


async def middle(work: Callable[[], Awaitable[Any]]) -> float:
    """The median of some runs, in seconds."""
    found = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        await work()
        found.append(time.perf_counter() - started)
    return median(found)


def a_mail(number: int, size: int, digest: str) -> KeptMail:
    """One of many kept messages."""
    received = START + timedelta(minutes=number)
    recipients = (Recipient(f"official{number % 500}@example.gov.vn"), Recipient("everyone@example.gov.vn"))
    return KeptMail(
        id=new_id(),
        kind=Kind.HELD if number % 3 else Kind.QUARANTINED,
        state=State.WAITING,
        received=received,
        expires=received + timedelta(days=30),
        retention="decision",
        listener="inbound",
        direction="inbound",
        client=Client(address="192.0.2.7", name="mail.example.com"),
        envelope=Envelope(f"person{number % 1000}@example.com", recipients),
        header_from=f"person{number % 1000}@example.com",
        subject=f"Thư số {number} về việc đăng ký dịch vụ",
        message_id=f"<{number}@example.com>",
        size=size,
        digest=digest,
        rules=("no-signup",) if number % 2 else ("archive-locked", "spam"),
        clauses=("gialai-2022/11.5",),
        because="the message confirms an account with a service",
        policy="0" * 64,
    )


def a_record(number: int) -> AuditRecord:
    """One of many records: about 600 bytes, two a minute and recipient."""
    facts = {
        "sender": f"person{number % 50_000}@example.com",
        "recipient": f"official{number % 3_000}@example.gov.vn",
        "direction": ("inbound", "outbound", "internal")[number % 3],
        "action": "accept" if number % 50 else "hold",
        "account": f"official{number % 3_000}@example.gov.vn" if number % 3 else "",
        "subject": f"Thư số {number}",
        "rules": [{"id": "spam", "result": "no-match"}] if number % 5_000 else [{"id": "state-secret"}],
        "client": "192.0.2.7",
        "note": f"n{number % 1000}",
        "policy": "0" * 64,
        "digest": "1" * 64,
        "size": 20_000,
    }
    moment = START + timedelta(seconds=30 * number)
    return AuditRecord(id=f"M{number:017d}", moment=moment, event="message", facts=facts)


if __name__ == "__main__":
    main()
