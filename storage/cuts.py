"""截断登记: the ledger of torn records, the last of a killed process, that were cut from the end of their files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from storage.batches import insert_new
from storage.database import Database
from storage.tables import EvidenceCutRow


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut: `length` bytes from `position` on, of a file of the run's folder."""

    file: str
    position: int
    length: int
    at: datetime


class CutLedger:
    """Knows of every cut before it is made, so that none can go unnoticed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, path: Path, position: int, length: int) -> None:
        """Keep that a file of a run is about to be cut; the same cut, begun once more after a kill, is kept once."""
        row = {"run_id": int(path.parent.name), "file": path.name, "position": position}
        with self._database.writing() as session:
            insert_new(session, EvidenceCutRow, [row | {"length": length, "cut_at": datetime.now(UTC)}])

    def of_run(self, run_id: int) -> list[Cut]:
        """Return a run's cuts, by file and place."""
        rows = EvidenceCutRow
        query = select(rows).where(rows.run_id == run_id).order_by(rows.file, rows.position)
        with self._database.reading() as session:
            return [Cut(row.file, row.position, row.length, row.cut_at) for row in session.scalars(query)]
