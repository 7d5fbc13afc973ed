"""What arrived in the maildir that stands for a mail server: the notices, each with the letter it is about."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

MARK = "X-Mailwarden-Notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice: its title in Vietnamese and English, its text in both, and its file."""

    to: str
    title: str
    text: str
    path: Path

    @property
    def english(self) -> str:
        """The second half of its text."""
        return self.text.partition("\n----")[2].lstrip("-\n") or self.text


class Postbox:
    """The notices that arrive in a maildir from now on."""

    def __init__(self, maildir: Path) -> None:
        self._new = maildir / "new"
        self._seen = set(self._files())
        self.notices: list[Notice] = []

    def about(self, id: str) -> list[Notice]:
        """Those that name the letter of this id, in the order of their arrival."""
        return [notice for notice in self.notices if id in notice.text]

    def wait(self, told: Mapping[str, Mapping[str, int]], seconds: float) -> bool:
        """True as soon as there are so many notices for each address about each letter, by its id."""
        until = time.monotonic() + seconds
        while not all(self._have(id, counts) for id, counts in told.items()):
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
            self._look()
        return True

    def _have(self, id: str, counts: Mapping[str, int]) -> bool:
        have = Counter(notice.to for notice in self.about(id))
        return all(have[to] >= count for to, count in counts.items())

    def _look(self) -> None:
        for path in sorted(set(self._files()) - self._seen, key=lambda path: (path.stat().st_mtime_ns, path.name)):
            self._seen.add(path)
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            assert isinstance(message, EmailMessage)
            body = message.get_body(("plain",))
            if message[MARK] and body is not None:
                title, to = str(message["Subject"]), str(message["To"])
                self.notices.append(Notice(to=to, title=title, text=body.get_content(), path=path))

    def _files(self) -> list[Path]:
        return list(self._new.iterdir()) if self._new.is_dir() else []
