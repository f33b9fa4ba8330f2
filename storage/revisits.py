"""复查: the pages that a run was begun with for the sake of faults that should be mended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from sqlalchemy import select

from checks.model import Revisit
from storage.batches import insert_rows
from storage.database import Database
from storage.tables import RevisitRow


class RevisitStore:
    """Keeps with each run what it looks at again, in its order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pin(self, run_id: int, revisits: Iterable[Revisit]) -> None:
        """Keep a new run's revisits, once."""
        values = [
            {"run_id": run_id, "order": order} | {field.name: getattr(revisit, field.name) for field in fields(Revisit)}
            for order, revisit in enumerate(revisits)
        ]
        with self._database.writing() as session:
            insert_rows(session, RevisitRow, values)

    def of_run(self, run_id: int) -> tuple[Revisit, ...]:
        """Return the run's revisits in their order."""
        query = select(RevisitRow).where(RevisitRow.run_id == run_id).order_by(RevisitRow.order)
        with self._database.reading() as session:
            kept = session.scalars(query)
            return tuple(Revisit(**{field.name: getattr(row, field.name) for field in fields(Revisit)}) for row in kept)
