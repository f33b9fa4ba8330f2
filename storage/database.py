"""The database: opening it, bringing its tables up to date, and saying in words what it refuses."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session

from storage import errors

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
)  # of the packaged migrations, oldest first; a test holds them against the files
LOCK_WAIT_SECONDS = 30.0
SQLITE_WAIT_SECONDS = 3.0  # of one try: inside it no signal is heard
RETRY_SECONDS = 0.5
ADDRESSES = "sqlite:/// 或 postgresql+psycopg:// 开头的地址"
_UPGRADE_LOCK = 0x78756E63  # any constant of our own: upgrades of one PostgreSQL database wait for each other

_at_once: ContextVar[bool] = ContextVar("at_once", default=False)
log = logging.getLogger(__name__)


class Database:
    """An open database. Every error that it raises is a StorageError.

    `patience` is for how many seconds a transaction that is to begin waits for a server that does not answer; for a
    lock it waits LOCK_WAIT_SECONDS at least. What goes away in the middle of a transaction is not waited for.
    """

    def __init__(self, engine: Engine, patience: float = 0.0) -> None:
        self.engine = engine
        self.patience = patience

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session in one transaction that only reads."""
        with self.transaction(writes=False) as connection, Session(connection) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session in one transaction, committed at the end, undone by an exception."""
        with self.transaction(writes=True) as connection, Session(connection) as session:
            yield session
            session.flush()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Have no patience within a block, whose caller has better things to do than to wait."""
        before = _at_once.set(True)
        try:
            yield
        finally:
            _at_once.reset(before)

    @contextmanager
    def transaction(self, *, writes: bool) -> Iterator[Connection]:
        """Give a connection with a transaction, committed at the end, undone by an exception."""
        with self._begun(writes=writes) as connection, connection.get_transaction():
            yield connection

    def _begun(self, *, writes: bool) -> Connection:
        """Return a connection on which a transaction has begun."""
        begun, told = time.monotonic(), False
        while True:
            try:
                return _begin(self.engine, writes=writes)
            except (errors.DatabaseUnreachable, errors.DatabaseLocked) as error:
                if time.monotonic() - begun >= self._patience_with(error):
                    raise
                if not told:
                    log.warning("等待数据库，最多 %.0f 秒：%s", self._patience_with(error), error)
                told = True
            time.sleep(RETRY_SECONDS)

    def _patience_with(self, error: errors.StorageError) -> float:
        if _at_once.get():
            return 0.0
        return max(self.patience, LOCK_WAIT_SECONDS if isinstance(error, errors.DatabaseLocked) else 0.0)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(url: str, patience: float = 0.0) -> Database:
    """Open the database at a SQLAlchemy URL: sqlite:///… (the file is made where missing) or postgresql+psycopg://….

    Connects at the first use. Raises DatabaseUrlInvalid; DatabaseUnreachable for a SQLite folder that cannot be made.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(parsed)
    else:
        engine = create_engine(
            parsed.update_query_dict({"connect_timeout": "10"} | dict(parsed.query)), pool_pre_ping=True
        )
        event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "handle_error", _translate, retval=True)
    return Database(engine, patience)


def upgrade(database: Database) -> None:
    """Bring the tables up to this version of the program; safe to call at any time and from several processes at once.

    Raises SchemaTooNew when a newer program made them.
    """
    from alembic import command  # takes half a second to load, and a command looks only which revision stands there

    with database.transaction(writes=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        _refuse_newer(_revision(connection))
        command.upgrade(migration_config(connection), "head")


def is_empty(database: Database) -> bool:
    """Whether the database has never had our tables."""
    with database.transaction(writes=False) as connection:
        return _revision(connection) is None


def is_current(database: Database) -> bool:
    """Whether the tables are those of this version of the program."""
    with database.transaction(writes=False) as connection:
        return _revision(connection) == REVISIONS[-1]


def require_current(database: Database) -> None:
    """Raise SchemaTooOld or SchemaTooNew unless the tables are those of this version of the program."""
    with database.transaction(writes=False) as connection:
        revision = _revision(connection)
    _refuse_newer(revision)
    if revision != REVISIONS[-1]:
        raise errors.SchemaTooOld("数据库表结构比程序旧，请先运行 inspect db upgrade。")


def migration_config(connection: Connection) -> Config:
    """Return Alembic's configuration for the packaged migrations on an open connection; needs no alembic.ini."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    """Return the revision that Alembic noted, None where it never was."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision not in REVISIONS:
        raise errors.SchemaTooNew("数据库表结构比程序新，请升级程序后再用。")


def _begin(engine: Engine, *, writes: bool) -> Connection:
    connection = engine.connect().execution_options(writes=writes)
    try:
        connection.begin()
    except BaseException:
        connection.close()
        raise
    return connection


# ---------------------------------------------------------------- opening


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise errors.DatabaseUrlInvalid(f"数据库地址无法识别：{shown(url)}；请用 {ADDRESSES}。") from error
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise errors.DatabaseUrlInvalid(f"不支持 {parsed.drivername} 数据库；请用 {ADDRESSES}。")
    return parsed


def shown(url: str) -> str:
    """Return a database address as people may see it: without password and options, which may hold one."""
    try:
        return make_url(url).set(query={}).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return f"{url.partition('://')[0]}://…" if "://" in url else "…"


def _sqlite(url: URL) -> Engine:
    if url.database:
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise errors.DatabaseUnreachable(f"无法建立数据库文件夹：{Path(url.database).parent}。") from error
    engine = create_engine(url, connect_args={"timeout": SQLITE_WAIT_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = (
        None  # the driver's own BEGIN comes too late for DDL and for readers; see _begin_sqlite
    )
    # 16 MB of cache instead of 2: findings are indexed by fingerprint, and every night adds to all of that index. With
    # 64 a year is written hardly faster (python -m benchmarks year), and each process may take as much.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-16384"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock at once: one that read first would fail, not wait, when another wrote meanwhile."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_WAIT_SECONDS:.0f}s'")
    connection.commit()


# ---------------------------------------------------------------- errors

_LOCKED = (errors.DatabaseLocked, "数据库被另一个程序占用，请稍后再试，或改用 PostgreSQL。")
_FULL = (errors.DatabaseDiskFull, "数据库所在磁盘已满，请清理后用 --resume 继续。")
_UNREACHABLE = (errors.DatabaseUnreachable, "数据库无法打开或连接，请检查地址、权限和数据库服务。")
_DAMAGED = (errors.DatabaseDamaged, "数据库文件已损坏或不是数据库，请用备份恢复。")
_TOO_OLD = (errors.SchemaTooOld, "数据库缺少程序需要的表，请先运行 inspect db upgrade。")
_OTHER = (errors.DatabaseError, "数据库拒绝了操作")

Verdict = tuple[type[errors.StorageError], str]
# SQLite's primary result codes: BUSY and LOCKED; FULL; IOERR, READONLY, CANTOPEN, PERM, AUTH; CORRUPT and NOTADB.
_SQLITE: dict[int, Verdict] = {
    5: _LOCKED,
    6: _LOCKED,
    13: _FULL,
    3: _UNREACHABLE,
    8: _UNREACHABLE,
    10: _UNREACHABLE,
    14: _UNREACHABLE,
    23: _UNREACHABLE,
    11: _DAMAGED,
    26: _DAMAGED,
}
# PostgreSQL's SQLSTATE: whole codes first, then classes.
_POSTGRESQL: dict[str, Verdict] = {
    "53100": _FULL,
    "55P03": _LOCKED,
    "40P01": _LOCKED,
    "42P01": _TOO_OLD,
    "42703": _TOO_OLD,
    "08": _UNREACHABLE,
    "28": _UNREACHABLE,
    "3D": _UNREACHABLE,
    "53": _UNREACHABLE,
    "57": _UNREACHABLE,
}


def _translate(context: ExceptionContext) -> errors.StorageError | None:
    original = context.original_exception
    if context.is_pre_ping or not isinstance(original, context.dialect.loaded_dbapi.Error):
        return None  # a stale connection that the pool replaces; a fault of ours, or an interruption
    kind, message = _verdict(original, context.is_disconnect or context.connection is None)
    first_line = str(original).strip().split("\n")[0]
    return kind(f"{message}（{first_line}）")


def _verdict(error: BaseException, connecting: bool) -> Verdict:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        absent = "no such table" in str(error) or "no such column" in str(error) or "has no column" in str(error)
        return _TOO_OLD if absent else _SQLITE.get(code & 0xFF, _OTHER)
    state = getattr(error, "sqlstate", None) or ""
    found = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    return found or (_UNREACHABLE if connecting else _OTHER)
