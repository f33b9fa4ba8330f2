"""Every test of the database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

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


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the tables of today, to be copied: to migrate takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "xuncha.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_name(postgresql_server: str) -> str:
    """The name of a PostgreSQL database with the tables of today, to be copied."""
    url = make_url(postgresql_server)
    _on_server(url, "CREATE DATABASE migrated")
    _migrate(url.set(database="migrated").render_as_string(hide_password=False))
    return "migrated"


@pytest.fixture
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """A database with the tables of today."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_file"), str(url.database))
    else:
        template = request.getfixturevalue("migrated_name")
        _on_server(url, f"DROP DATABASE {url.database}", f"CREATE DATABASE {url.database} TEMPLATE {template}")
    database = open_database(database_url)
    yield database
    database.close()


def _migrate(url: str) -> None:
    database = open_database(url)
    upgrade(database)
    database.close()


def _on_server(url: URL, *statements: str) -> None:
    administration = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(administration, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


@pytest.fixture
def repository(database: Database) -> Repository:
    """A repository whose clock stands still."""
    return Repository(database, clock=lambda: NOW)
