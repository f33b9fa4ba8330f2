"""Opening a database, its migrations, and what it says when it cannot."""

from __future__ import annotations

import sqlite3
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.dialects import sqlite

from storage import errors
from storage.database import (
    REVISIONS,
    Database,
    is_current,
    is_empty,
    migration_config,
    open_database,
    require_current,
    upgrade,
)
from storage.tables import Base, ExactDecimal, SafeText


def test_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_difference_between_tables_and_migrations_is_noticed(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE run ADD COLUMN forgotten TEXT"))
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata)


def test_migrations_go_back_to_nothing(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            command.downgrade(migration_config(connection), "base")
    assert is_empty(database)
    upgrade(database)
    assert is_current(database)


def test_a_new_database_is_empty_until_upgraded(empty_database: Database) -> None:
    assert is_empty(empty_database)
    assert not is_current(empty_database)
    with pytest.raises(errors.SchemaTooOld, match="inspect db upgrade"):
        require_current(empty_database)
    upgrade(empty_database)
    assert not is_empty(empty_database)
    require_current(empty_database)
    upgrade(empty_database)
    assert is_current(empty_database)


def test_tables_of_a_newer_program_are_left_alone(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not is_current(database)
    for refused in (require_current, upgrade):
        with pytest.raises(errors.SchemaTooNew):
            refused(database)


def test_the_revisions_known_are_those_of_the_migrations(database: Database) -> None:
    with database.engine.connect() as connection:
        scripts = ScriptDirectory.from_config(migration_config(connection))
    assert [script.revision for script in scripts.walk_revisions()] == [*reversed(REVISIONS)]


def test_several_may_upgrade_at_once(database_url: str) -> None:
    failures: list[Exception] = []

    def work() -> None:
        database = open_database(database_url)
        try:
            upgrade(database)
        except errors.StorageError as error:
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert is_current(open_database(database_url))


def test_migrations_need_nothing_of_the_current_folder(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    database = open_database(database_url)
    upgrade(database)
    assert is_current(database)
    database.close()


def test_sqlite_is_set_up_for_several_writers(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'new folder' / 'x.db'}")
    with database.engine.connect() as connection:
        pragmas = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 1, 3_000]
    database.close()


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://root@localhost/x", "postgresql://u@localhost/x", "oracle:///x"]
)
def test_an_address_that_cannot_be_used_is_said(url: str) -> None:
    with pytest.raises(errors.DatabaseUrlInvalid):
        open_database(url)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense://user:secret@host/x",
        "nonsense://host/x?password=secret",
        "postgresql+psycopg://user:secret@host:port/x",
        "nonsense:user:secret",
        "nonsense://u:a?secret@host/x",
    ],
)
def test_no_password_is_shown(url: str) -> None:
    with pytest.raises(errors.DatabaseUrlInvalid) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_said() -> None:
    database = open_database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(errors.DatabaseUnreachable):
        is_current(database)


def test_a_connection_that_the_server_dropped_is_replaced(postgresql_url: str) -> None:
    database, other = open_database(postgresql_url), open_database(postgresql_url)
    upgrade(database)
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    with other.reading() as session:
        assert session.scalar(text(f"SELECT count(pg_terminate_backend(pid)) {others}")) == 1
    assert is_current(database)
    database.close()
    other.close()


def test_a_missing_database_is_said(postgresql_url: str) -> None:
    with pytest.raises(errors.DatabaseUnreachable):
        is_current(open_database(postgresql_url.replace("/test_", "/missing_")))


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(errors.DatabaseDamaged):
        is_current(open_database(f"sqlite:///{tmp_path / 'x.db'}"))


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.db").mkdir()
    with pytest.raises(errors.DatabaseUnreachable):
        is_current(open_database(f"sqlite:///{tmp_path / 'x.db'}"))
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.DatabaseUnreachable):
        open_database(f"sqlite:///{tmp_path / 'file' / 'x.db'}")


def test_missing_tables_are_said(empty_database: Database) -> None:
    with pytest.raises(errors.SchemaTooOld, match="inspect db upgrade"), empty_database.reading() as session:
        session.execute(text("SELECT * FROM run"))


def test_a_held_lock_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database = open_database(f"sqlite:///{path}")
    upgrade(database)
    event.listen(database.engine, "checkout", lambda connection, *_: connection.execute("PRAGMA busy_timeout=1"))
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.DatabaseLocked), database.at_once(), database.writing():
            pass
        other.execute("ROLLBACK")
    with database.writing():
        pass
    database.close()


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    upgrade(database)
    event.listen(database.engine, "checkout", lambda connection, *_: connection.execute("PRAGMA max_page_count=1"))
    with pytest.raises(errors.DatabaseDiskFull), database.writing() as session:
        session.execute(text("CREATE TABLE big AS SELECT randomblob(1000000) AS noise"))
    assert is_current(database)
    database.close()


def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    with pytest.raises(KeyError), database.writing() as session:
        session.execute(text("CREATE TABLE half (x INTEGER)"))
        raise KeyError
    with pytest.raises(errors.SchemaTooOld), database.reading() as session:
        session.execute(text("SELECT * FROM half"))


def test_every_error_class_names_its_fix() -> None:
    classes = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    assert len(classes) > 10
    for kind in classes:
        assert issubclass(kind, errors.StorageError)
        assert kind.__doc__ and len(kind.__doc__) > 30


# ---------------------------------------------------------------- what columns keep


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_are_kept_digit_for_digit(number: Decimal) -> None:
    kind, dialect = ExactDecimal(), sqlite.dialect()
    back = kind.process_result_value(kind.process_bind_param(number, dialect), dialect)
    assert back is not None
    assert back.as_tuple() == number.as_tuple()


@given(st.text(st.characters(codec=None)))
def test_any_text_of_a_page_becomes_text_a_database_takes(page: str) -> None:
    kept = SafeText().process_bind_param(page, sqlite.dialect())
    assert kept is not None
    assert b"\x00" not in kept.encode()
    if "\x00" not in page and not any("\ud800" <= character <= "\udfff" for character in page):
        assert kept == page
