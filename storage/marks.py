"""评分与通报: what the reviewers of the annual assessment gave, and the circulars against units, every version kept.

Nothing is overwritten: a reviewer's newest version counts, and so does the newest list of a year's circulars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.batches import insert_rows
from storage.database import Database
from storage.model import Circular, CircularSheet, GivenMark, MarkSheet
from storage.tables import CircularRow, CircularSheetRow, MarkRow, MarkSheetRow

_FIGURES = str.maketrans("一二三四五六七八九十", "123456789:")  # a colon sorts after the nine


def _in_order(name: str) -> tuple[str, str]:
    """Return what names sort by: 第一组, 第二组, 第三组, as one counts and not as their code points stand."""
    return name.translate(_FIGURES), name


def _now() -> datetime:
    return datetime.now(UTC)


class MarkStore:
    """Reads and writes marks and circulars, each method in one transaction; `clock` gives the time beside them."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    def add(self, sheet: MarkSheet) -> int:
        """Keep a version of a reviewer's marks, and return its number."""
        return self.add_together([sheet])[0]

    def add_circulars(self, sheet: CircularSheet) -> int:
        """Keep a version of a year's list of circulars, and return its number."""
        return self.add_together([sheet])[0]

    def add_together(self, sheets: Iterable[MarkSheet | CircularSheet]) -> list[int]:
        """Keep all of these versions or, when the database fails, none; returns their numbers in the same order.

        Marks and lists of circulars are numbered apart.
        """
        with self._database.writing() as session:
            return [
                self._add_marks(session, sheet) if isinstance(sheet, MarkSheet) else self._add_circulars(session, sheet)
                for sheet in sheets
            ]

    def in_force(self, year: int) -> list[MarkSheet]:
        """Return the newest marks of each reviewer of the year, in the order of their names."""
        newest = {sheet.reviewer: sheet for sheet in self.versions(year)}
        return [newest[name] for name in sorted(newest, key=_in_order)]

    def versions(self, year: int) -> list[MarkSheet]:
        """Return every version of every reviewer's marks of the year, oldest first."""
        of_year = select(MarkSheetRow).where(MarkSheetRow.year == year).order_by(MarkSheetRow.id)
        marks = select(MarkRow).join(MarkSheetRow).where(MarkSheetRow.year == year)
        with self._database.reading() as session:
            by_sheet: dict[int, list[GivenMark]] = defaultdict(list)
            for row in session.scalars(marks):
                by_sheet[row.sheet_id].append(GivenMark(row.unit_id, row.indicator_id, row.points, row.note))
            return [_mark_sheet(row, by_sheet[row.id]) for row in session.scalars(of_year)]

    def circulars(self, year: int) -> CircularSheet | None:
        """Return the newest list of the year's circulars; None while nobody has handed one in."""
        versions = self.circular_versions(year)
        return versions[-1] if versions else None

    def circular_versions(self, year: int) -> list[CircularSheet]:
        """Return every version of the list of the year's circulars, oldest first."""
        of_year = select(CircularSheetRow).where(CircularSheetRow.year == year).order_by(CircularSheetRow.id)
        listed = select(CircularRow).join(CircularSheetRow).where(CircularSheetRow.year == year)
        with self._database.reading() as session:
            by_sheet: dict[int, list[Circular]] = defaultdict(list)
            for row in session.scalars(listed.order_by(CircularRow.sheet_id, CircularRow.order)):
                by_sheet[row.sheet_id].append(
                    Circular(row.unit_id, row.indicator_id, row.points, row.issuer, row.title, row.day)
                )
            return [_circular_sheet(row, by_sheet[row.id]) for row in session.scalars(of_year)]

    def _add_marks(self, session: Session, sheet: MarkSheet) -> int:
        asked = {"units": list(sheet.units), "indicators": list(sheet.indicators)}
        row = MarkSheetRow(reviewer=sheet.reviewer, **asked, **self._origin(sheet))
        session.add(row)
        session.flush()
        marks = [
            {
                "sheet_id": row.id,
                "unit_id": mark.unit_id,
                "indicator_id": mark.indicator_id,
                "points": mark.points,
                "note": mark.note,
            }
            for mark in sheet.marks
        ]
        insert_rows(session, MarkRow, marks)
        return row.id

    def _add_circulars(self, session: Session, sheet: CircularSheet) -> int:
        row = CircularSheetRow(**self._origin(sheet))
        session.add(row)
        session.flush()
        circulars = [
            {
                "sheet_id": row.id,
                "order": order,
                "unit_id": circular.unit_id,
                "indicator_id": circular.indicator_id,
                "points": circular.points,
                "issuer": circular.issuer,
                "title": circular.title,
                "day": circular.day,
            }
            for order, circular in enumerate(sheet.circulars)
        ]
        insert_rows(session, CircularRow, circulars)
        return row.id

    def _origin(self, sheet: MarkSheet | CircularSheet) -> dict[str, Any]:
        """Return where a sheet came from: the columns that both kinds share."""
        return {
            "year": sheet.year,
            "imported_at": self._clock(),
            "actor": sheet.actor,
            "account": sheet.account,
            "source": sheet.source,
            "digest": sheet.digest,
            "indicators_digest": sheet.indicators_digest,
        }


def _mark_sheet(row: MarkSheetRow, marks: list[GivenMark]) -> MarkSheet:
    """Return the version that a row keeps, its marks by unit and indicator: no two databases sort text alike."""
    return MarkSheet(
        year=row.year,
        reviewer=row.reviewer,
        marks=tuple(sorted(marks, key=lambda mark: (mark.unit_id, mark.indicator_id))),
        actor=row.actor,
        source=row.source,
        digest=row.digest,
        indicators_digest=row.indicators_digest,
        units=tuple(row.units),
        indicators=tuple(row.indicators),
        account=row.account,
        imported_at=row.imported_at,
        id=row.id,
    )


def _circular_sheet(row: CircularSheetRow, circulars: list[Circular]) -> CircularSheet:
    return CircularSheet(
        year=row.year,
        circulars=tuple(circulars),
        actor=row.actor,
        source=row.source,
        digest=row.digest,
        indicators_digest=row.indicators_digest,
        account=row.account,
        imported_at=row.imported_at,
        id=row.id,
    )
