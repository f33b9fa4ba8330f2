"""截断登记: the ledger of torn records, the last of a killed process, that were cut from the end of their files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from storage.batches import insert_new
from storage.database import Database
from storage.manifest import digests_of_file
from storage.tables import EvidenceCutRow


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut: `length` bytes from `position` on, of a file of the run's folder; `sha256` is theirs, in hex."""

    file: str
    position: int
    length: int
    sha256: str
    at: datetime


class CutLedger:
    """Knows of every cut before it is made, so that none can go unnoticed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, path: Path, position: int, length: int) -> None:
        """Keep that a file of a run is about to be cut; the same cut, begun once more after a kill, is kept once.

        Raises OSError, StorageError; then nothing may be cut.
        """
        row = {"run_id": int(path.parent.name), "file": path.name, "position": position, "length": length}
        row |= {"sha256": digests_of_file(path, position).sha256, "cut_at": datetime.now(UTC)}
        with self._database.writing() as session:
            insert_new(session, EvidenceCutRow, [row])

    def of_run(self, run_id: int) -> list[Cut]:
        """Return a run's cuts, by file and place."""
        rows = EvidenceCutRow
        query = select(rows).where(rows.run_id == run_id).order_by(rows.file, rows.position, rows.cut_at)
        with self._database.reading() as session:
            return [Cut(row.file, row.position, row.length, row.sha256, row.cut_at) for row in session.scalars(query)]
