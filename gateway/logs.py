"""How log lines look: one JSON object a line on standard error, or coloured text for a person.

Foreign text is escaped by the JSON encoder, and bidi and other format characters by us, so that no subject, name or
reply of a stranger can draw on an operator's screen or break a line.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
import unicodedata
from collections.abc import Mapping
from typing import Any, TextIO, cast

import structlog

TEXT_LIMIT = 500
"""Characters of one foreign value: a line stays under 8 kB."""

SHORT_LINE = 2_000
"""Characters of a line whose values are not looked at one by one."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, default=repr)
_SUSPECT = re.compile(r"[^\x20-\x7e]")


def configure(level: str, style: str) -> None:
    """Set logging up for this process: `level` debug to error, `style` json or console."""
    render: list[Any] = [_json] if style == "json" else [_harmless, structlog.dev.ConsoleRenderer()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _StandardError())),
    )
    # aiosmtpd and asyncio log for their own developers; what an operator must know, we log ourselves.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def settle() -> None:
    """Loggers stay as they are set up from now on, which saves time on each line: for the process that serves."""
    structlog.configure(cache_logger_on_first_use=True)


class _StandardError:
    """Standard error as long as it can be written: a log on a full disk stops no mail."""

    def write(self, text: str) -> None:
        """Write it, or lose it."""
        with contextlib.suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Send it off, or lose it."""
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def _harmless(_logger: object, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _clean(value, 4 * TEXT_LIMIT if key == "exception" else TEXT_LIMIT) for key, value in event.items()}


def _clean(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        plain = len(value) <= limit and value.isascii() and value.isprintable()
        return value if plain else _SUSPECT.sub(_escaped, value[:limit])
    if isinstance(value, (list, tuple)):
        return [_clean(each, limit) for each in value]
    return value


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    if char == "\n" or unicodedata.category(char)[0] == "C" or unicodedata.category(char) in ("Zl", "Zp"):
        return f"\\u{ord(char):04x}"
    return char


def _json(_logger: object, _method: str, event: Mapping[str, Any]) -> str:
    line = _ENCODER.encode(event)
    if len(line) <= SHORT_LINE and line.isascii() and line.isprintable():  # nearly all are
        return line
    return _ENCODER.encode(_harmless(_logger, _method, event))
