"""What every test may ask for: a PostgreSQL database of its own, and a place in the summary at the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url
from xdist.scheduler import LoadScopeScheduling

from tests.postgresql import postgresql_server

SUMMARY = "summary"  # the property of a test whose value is shown when all tests are done
_numbers = count(1)


class _OneWorkerForTheNights(LoadScopeScheduling):
    """Gives the tests of whole nights to one process, so that they share their nights, and deals out the others."""

    def _split_scope(self, nodeid: str) -> str:
        return "end_to_end" if nodeid.startswith("tests/end_to_end/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Deal out the tests."""
    return _OneWorkerForTheNights(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests recorded for the summary; reports bring it from other processes too."""
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties if report.when == "call" else ():
            if name == SUMMARY:
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(str(value))


@pytest.fixture(scope="session", name="postgresql_server")
def _postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server, gone at the end of the session."""
    with postgresql_server() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database, dropped after the test."""
    url = make_url(postgresql_server)
    name = f"test_{next(_numbers)}"
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield url.set(database=name).render_as_string(hide_password=False)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two sealed nights with a package made of them, for tests that change neither (tests.inspection.packages)."""
    from tests.inspection.packages import made_package

    return made_package(tmp_path_factory)
