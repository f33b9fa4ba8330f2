"""Rows written in batches, and values asked for in batches, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table, UniqueConstraint, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from storage.rows import Values
from storage.tables import Base

Value = TypeVar("Value", str, int)
_CHUNK = 500  # values in one IN (…): SQLite of old allows 999 variables


def insert_rows(session: Session, row: type[Base], values: Sequence[Values]) -> None:
    """Insert the rows in one statement."""
    if values:
        session.connection().execute(insert(table_of(row)), values)


def upsert_rows(session: Session, row: type[Base], values: Sequence[Values]) -> None:
    """Insert, or where the table's key is taken replace everything but the key and the number."""
    if not values:
        return
    connection, table = session.connection(), table_of(row)
    statement = dialect_of(session).insert(table)
    key = key_columns(table)
    changed = {column.key: statement.excluded[column.key] for column in table.columns if column.key in values[0]}
    for column in key:
        changed.pop(column)
    connection.execute(statement.on_conflict_do_update(index_elements=[table.c[k] for k in key], set_=changed), values)


def insert_new(session: Session, row: type[Base], values: Sequence[Values]) -> None:
    """Insert what is not there; a row whose key is taken stays as it is."""
    if values:
        statement = dialect_of(session).insert(table_of(row)).on_conflict_do_nothing()
        session.connection().execute(statement, values)


def dialect_of(session: Session) -> Any:
    """Return the constructs of the database in use."""
    return postgresql if session.connection().dialect.name == "postgresql" else sqlite


def table_of(row: type[Base]) -> Table:
    """Return the table of a mapped class."""
    table = row.__table__
    assert isinstance(table, Table)
    return table


def key_columns(table: Table) -> list[str]:
    """Return the keys of the columns that tell one row from another."""
    unique = [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    return [column.key for column in (unique[0] if unique else table.primary_key).columns]


def chunks(values: Iterable[Value]) -> Iterable[list[Value]]:
    """Return the distinct values in sorted chunks that fit one IN (…)."""
    distinct = sorted(set(values))
    return (distinct[start : start + _CHUNK] for start in range(0, len(distinct), _CHUNK))
