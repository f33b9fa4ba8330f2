"""Every test of the database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.database import Database, open_database, upgrade
from storage.repository import Repository

NOW = datetime(2026, 11, 23, 17, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'xuncha.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def empty_database(database_url: str) -> Iterator[Database]:
    """A database without tables."""
    database = open_database(database_url)
    yield database
    database.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """A database with the tables of today."""
    upgrade(empty_database)
    return empty_database


@pytest.fixture
def repository(database: Database) -> Repository:
    """A repository whose clock stands still."""
    return Repository(database, clock=lambda: NOW)
