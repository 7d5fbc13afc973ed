"""The steps make the tables that the queries know, and are part of the package."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine

from gateway.store.schema import upgrade
from gateway.store.tables import MAIL, TRAIL


@pytest.mark.parametrize(("family", "tables"), [("mail", MAIL), ("trail", TRAIL)])
def test_steps_and_tables_agree(family: Literal["mail", "trail"], tables: MetaData) -> None:
    with create_engine("sqlite://").connect() as connection, connection.begin():
        upgrade(connection, family)
        upgrade(connection, family)
        assert compare_metadata(MigrationContext.configure(connection), tables) == []


def test_steps_are_shipped_in_the_package() -> None:
    steps = files("gateway.store") / "migrations"
    assert (steps / "env.py").is_file()
    assert [each for each in (steps / "trail").iterdir() if each.name.startswith("v0001")]
