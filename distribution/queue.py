"""任务队列: procrastinate in a PostgreSQL schema of its own, beside the inspection's tables.

What it holds is worth nothing once a run is done: the ledger of the run says what was captured. So its tables are not
migrated: another version of it, or of this program, gets new ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import make_url

from distribution.errors import EngineMissing, NeedsPostgresql, NotCoordinated
from storage.database import shown
from storage.errors import DatabaseUnreachable

try:
    from procrastinate import App, PsycopgConnector
    from procrastinate.exceptions import ConnectorException
    from procrastinate.schema import SchemaManager
except ImportError as error:
    raise EngineMissing(
        "多台机器一起巡查需要任务队列组件，请在程序的文件夹里安装：.venv/bin/pip install -e '.[distributed]'。"
    ) from error

SCHEMA = "distribution"
TASK = "capture_sites"
HEARTBEAT_SECONDS = 10.0
STALLED_SECONDS = 60.0  # without a heartbeat, after which a worker counts as dead
_PREPARING = 0x78756E64  # any constant of our own: two that begin at once wait for each other
_OWN_TABLES = f"""
CREATE TABLE {SCHEMA}.coordination (token text NOT NULL, version text NOT NULL);
CREATE TABLE {SCHEMA}.storage_failures (run_id integer NOT NULL, message text NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of one database; `database_url` as SQLAlchemy has it. Raises NeedsPostgresql, DatabaseUnreachable."""

    database_url: str

    @property
    def conninfo(self) -> str:
        """The address as libpq has it, with the schema to look into."""
        url = make_url(self.database_url)
        if url.get_backend_name() != "postgresql":
            raise NeedsPostgresql(
                f"多台机器不能共用 {shown(self.database_url)}；请用 PostgreSQL："
                "把 INSPECT_DATABASE_URL 设为 postgresql+psycopg:// 开头的地址。"
            )
        _, parameters = url.get_dialect()().create_connect_args(url)
        plain = make_conninfo("", **{"connect_timeout": 10} | parameters)
        options = conninfo_to_dict(plain).get("options") or ""
        return make_conninfo(plain, options=f"{options} -c search_path={SCHEMA}".strip())

    def app(self, connections: int) -> App:
        """Return the engine, closed; of use once."""
        return App(connector=PsycopgConnector(conninfo=self.conninfo, min_size=1, max_size=connections))

    def prepare(self) -> str:
        """Make the tables where they are missing or another version's, and return the token of this database."""
        with self._connected() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_PREPARING,))
            known = _coordination(connection)
            if known is not None and known[1] == _versions():
                return known[0]
            token = secrets.token_hex(16) if known is None else known[0]
            connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
            connection.execute(SchemaManager.get_schema())
            connection.execute(_OWN_TABLES)
            connection.execute("INSERT INTO coordination VALUES (%s, %s)", (token, _versions()))
            return token

    def token(self) -> str:
        """Return the token of this database; raises NotCoordinated."""
        with self._connected() as connection:
            known = _coordination(connection)
        if known is None:
            raise NotCoordinated("这个数据库还没有多机巡查；请先在主机上运行 inspect run --distributed，再启动工作机。")
        if known[1] != _versions():
            raise NotCoordinated(f"主机的程序是 {known[1]}，本机是 {_versions()}；请在各台机器上安装同一版本。")
        return known[0]

    def note_storage_failure(self, run_id: int, message: str) -> None:
        """Note why a worker could keep nothing more."""
        with self._connected() as connection:
            connection.execute("INSERT INTO storage_failures VALUES (%s, %s)", (run_id, message))

    def storage_failure(self, run_id: int) -> str | None:
        """Return why a worker could keep nothing more, None where none said so."""
        with self._connected() as connection:
            row = connection.execute("SELECT message FROM storage_failures WHERE run_id = %s", (run_id,)).fetchone()
        return None if row is None else row[0]

    def forget_storage_failures(self, run_id: int) -> None:
        """Forget why an earlier attempt stopped."""
        with self._connected() as connection:
            connection.execute("DELETE FROM storage_failures WHERE run_id = %s", (run_id,))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[tuple[str, ...]]]:
        with reached(), psycopg.connect(self.conninfo) as connection:
            yield connection


@contextmanager
def reached() -> Iterator[None]:
    """Say of a queue that does not answer what is said of the database, which it is."""
    try:
        yield
    except (psycopg.OperationalError, ConnectorException) as error:
        said = str(error.__cause__ or error).strip().split("\n")[0]
        raise DatabaseUnreachable(f"数据库里的任务队列无法连接，请检查地址、权限和数据库服务。（{said}）") from error


def queue_of(run_id: int) -> str:
    """Return the name of a run's queue."""
    return f"run-{run_id}"


def _coordination(connection: psycopg.Connection[tuple[str, ...]]) -> tuple[str, ...] | None:
    known = connection.execute("SELECT to_regclass(%s)::text", (f"{SCHEMA}.coordination",)).fetchone()
    if known is None or known[0] is None:
        return None
    return connection.execute("SELECT token, version FROM coordination").fetchone()


def _versions() -> str:
    """Return the versions that the machines have to share."""
    return "、".join(f"{name} {_version(name)}" for name in ("xuncha", "procrastinate"))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a folder of sources
        return "0"
