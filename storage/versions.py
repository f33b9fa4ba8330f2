"""年度结果的各个版本: what was published of a year, frozen. Versions are added, never changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime

from sqlalchemy import select

from storage.batches import dialect_of, table_of
from storage.database import Database
from storage.errors import VersionTaken
from storage.model import AnnualVersion
from storage.tables import AnnualVersionRow

_TAKEN = "{}年度第 {} 版刚由别人公布；请看过那一版再决定是否更正。"


def _now() -> datetime:
    return datetime.now(UTC)


class VersionStore:
    """Reads and writes published years, each method in one transaction; `clock` gives the time of publishing."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    def add(self, version: AnnualVersion) -> AnnualVersion:
        """Keep a version under its number, and return it with the time of its publishing.

        Raises VersionTaken when the year has a version of that number already: of two at once, one is refused.
        """
        kept = replace(version, published_at=self._clock())
        values = {field.name: getattr(kept, field.name) for field in fields(AnnualVersion)}
        table = table_of(AnnualVersionRow)
        with self._database.writing() as session:
            insert = dialect_of(session).insert(table).values(values).on_conflict_do_nothing().returning(table.c.id)
            if session.connection().execute(insert).first() is None:
                raise VersionTaken(_TAKEN.format(version.year, version.number))
        return kept

    def versions(self, year: int) -> list[AnnualVersion]:
        """Return the published versions of the year, oldest first."""
        of_year = select(AnnualVersionRow).where(AnnualVersionRow.year == year).order_by(AnnualVersionRow.number)
        with self._database.reading() as session:
            return [_version_of(row) for row in session.scalars(of_year)]


def _version_of(row: AnnualVersionRow) -> AnnualVersion:
    return AnnualVersion(**{field.name: getattr(row, field.name) for field in fields(AnnualVersion)})
