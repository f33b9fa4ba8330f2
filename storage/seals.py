"""封存登记: which runs were sealed, and with which manifest, noted apart from the folders that the manifests lie in."""

from __future__ import annotations

from sqlalchemy import select, update

from storage.database import Database
from storage.tables import RunRow


class SealLedger:
    """Knows every manifest by its SHA-256, so that none can be taken away or replaced unseen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, run_id: int, sha256: str) -> None:
        """Keep the digest of a run's manifest, in hex; the first one that is noted stays."""
        unnoted = update(RunRow).where(RunRow.id == run_id, RunRow.sealed.is_(None))
        with self._database.writing() as session:
            session.execute(unnoted.values(sealed=sha256))

    def noted(self) -> dict[int, str]:
        """Return the digests of the manifests by run."""
        query = select(RunRow.id, RunRow.sealed).where(RunRow.sealed.is_not(None))
        with self._database.reading() as session:
            return {run_id: sealed for run_id, sealed in session.execute(query) if sealed is not None}
