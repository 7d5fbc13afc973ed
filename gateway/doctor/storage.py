"""The state folder: room, permissions, and whether the store in it is sound and can be written."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from gateway.config import Settings
from gateway.doctor.model import Line, Patient, fail, ok, warn
from gateway.errors import StoreUnavailable
from gateway.schema.scalars import Size
from gateway.store.health import databases, revisions, soundness, tail_problems, writable

SOUNDNESS_SECONDS = 10.0
"""For all of a database; a bigger one is looked at in part, and `audit verify` looks at all of the trail."""

TAIL = 1_000
"""Records of the audit chain that are looked at: the last ones, which a crash or a disk would have harmed."""

SLOW = 0.1
"""Seconds for one fsync beyond which each message waits noticeably for its record."""

SPARE = 0.1
"""Part of the disk that should be free: file systems and SQLite's log slow down or stop near the end."""

MENDING = {
    "trail": "stop the service, keep a copy, restore it from backup",
    "mail": "stop the service and remove the file: it is made anew from the files of the mail",
}
"""What to do with a database that is not sound."""

OTHERS = stat.S_IRWXG | stat.S_IRWXO


async def storage(patient: Patient) -> AsyncIterator[Line]:
    """The folder, then the store in it."""
    state = patient.settings.state
    if not state.is_dir():
        yield warn("state folder", f"{state} is not there", "it is made at the first start")
        return
    for line in (*await asyncio.to_thread(_folder, patient.settings), *_permissions(patient.settings)):
        yield line
    for line in await asyncio.to_thread(lambda: [*_store(state / "store")]):
        yield line


def _folder(settings: Settings) -> list[Line]:
    """Room and speed."""
    state, limits = settings.state, settings.limits
    try:
        with tempfile.NamedTemporaryFile(dir=state, prefix=".doctor-") as file:
            started = time.perf_counter()
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
            seconds = time.perf_counter() - started
    except OSError as error:
        return [fail("state folder", f"cannot be written: {error.strerror or error}", f"see to {state} and its disk")]
    lines = [ok("state folder", f"written and synced in {seconds * 1000:.1f} ms")]
    if seconds > SLOW:
        advice = "each message waits for this: put the state folder on a faster disk"
        lines = [warn("state folder", f"a write took {seconds * 1000:.0f} ms to be safe", advice)]
    usage, files = shutil.disk_usage(state), os.statvfs(state)
    seen = f"{usage.free / 1e9:,.1f} GB of {usage.total / 1e9:,.1f} GB free"
    if usage.free < limits.message_size:
        lines.append(fail("disk", seen, "not even one message of the greatest size fits: make room"))
    elif usage.free < max(limits.spool, Size(int(usage.total * SPARE))):
        lines.append(warn("disk", seen, "less than the spool may need (limits.spool), or than a tenth: make room soon"))
    else:
        lines.append(ok("disk", seen))
    if files.f_files and files.f_favail < files.f_files * SPARE:
        lines.append(warn("disk", f"{files.f_favail:,} more files possible", "kept mail is two files each: make room"))
    return lines


def _permissions(settings: Settings) -> Iterator[Line]:
    """Who else may read what."""
    secret = [settings.state, *(listener.tls.key for listener in settings.listeners if listener.tls)]
    closed = True
    for path in filter(Path.exists, secret):
        found = path.stat()
        if found.st_mode & OTHERS:
            closed = False
            advice = f"chmod go= {path}: it holds other people's mail or a key"
            yield warn("permissions", f"{path} is open to others ({stat.filemode(found.st_mode)})", advice)
        if found.st_uid != os.geteuid():
            closed = False
            advice = "run this as the service's user: what one makes, the other may not be able to use"
            yield warn("permissions", f"{path} belongs to user {found.st_uid}, this is user {os.geteuid()}", advice)
    if closed:
        yield ok("permissions", "state folder and keys are closed to others")


def _store(folder: Path) -> Iterator[Line]:
    found = databases(folder)
    if not found:
        yield warn("store", "there is none yet", "it is made at the first start")
        return
    for family, path in found:
        about = f"store {path.name}"
        if reason := writable(path):
            yield fail(about, f"cannot be written: {reason}", "see what holds it (fuser), and its permissions")
        own, newest = revisions(path, family)
        if own != newest:
            advice = "start the service once: it brings it up to date" if own < newest else "install that version"
            yield warn(about, f"has schema {own or 'unknown'}, this version has {newest}", advice)
        sound = soundness(path, SOUNDNESS_SECONDS)
        if sound.problems:
            yield fail(about, "; ".join(sound.problems), MENDING[family])
        elif not reason:
            seen = "sound" if sound.whole else f"no fault seen in {SOUNDNESS_SECONDS:g} s; too big to look at all of it"
            yield ok(about, f"{seen}, writable, schema {own}")
    yield _tail(folder)


def _tail(folder: Path) -> Line:
    try:
        problems = tail_problems(folder, TAIL)
    except StoreUnavailable as error:
        return fail("audit chain", str(error), "see why it cannot be read, or restore it from backup")
    if problems:
        advice = "run `mailwarden audit verify`, and ask who can write there"
        return fail("audit chain", "; ".join(problems[:3]), advice)
    return ok("audit chain", f"its last {TAIL:,} records fit")
