"""Brings a database to the newest schema, in-process: Alembic without a configuration file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from gateway.errors import StoreUnavailable

STEPS = Path(__file__).parent / "migrations"

_one_at_a_time = threading.Lock()  # Alembic's `context` is one for the whole process.


def upgrade(connection: Connection, family: Literal["mail", "trail"]) -> None:
    """Run the missing steps inside the connection's open transaction. Raises StoreUnavailable for a newer schema."""
    config = Config()
    config.set_main_option("script_location", _option(STEPS))
    config.set_main_option("version_locations", _option(STEPS / family))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    with _one_at_a_time:
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreUnavailable(f"the {family} database was made by a newer version: {error}") from error


def _option(path: Path) -> str:
    return str(path).replace("%", "%%")  # the options are read with %-interpolation
