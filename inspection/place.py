"""The workplace of an inspection: configuration, database and evidence, opened together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.loader import SITES, Configuration, digests, load, rules_digest, table_files
from crawler.turns import Turns
from inspection.settings import Settings
from storage.attachments import AttachmentStore
from storage.cuts import CutLedger
from storage.database import Database, is_empty, open_database, require_current, upgrade
from storage.evidence import EvidenceStore
from storage.faults import FaultLedger
from storage.marks import MarkStore
from storage.pruned import PrunedStore
from storage.repository import Repository
from storage.rescoring import RescoreStore
from storage.revisits import RevisitStore
from storage.seals import SealLedger
from storage.versions import VersionStore

OUTAGE_SECONDS = 600.0  # a database that is away for longer stops a run, which can be resumed


@dataclass(frozen=True, slots=True)
class Place:
    """Everything a command needs to work; made by `opened`.

    `digests` are those of the "inventory", the "rules" (words among them), and each scoring table by its file name.
    """

    settings: Settings
    configuration: Configuration
    digests: dict[str, str]
    database: Database
    repository: Repository
    evidence: EvidenceStore
    cuts: CutLedger
    seals: SealLedger
    attachments: AttachmentStore
    faults: FaultLedger
    rescores: RescoreStore
    revisits: RevisitStore
    marks: MarkStore
    versions: VersionStore
    pruned: PrunedStore

    def digests_for(self, year: int) -> dict[str, str]:
        """Return the digests of what a run of that year goes by: the "inventory", "rules" and "indicators"."""
        indicators = self.digests[self.configuration.table_for(year)]
        return {"inventory": self.digests["inventory"], "rules": self.digests["rules"], "indicators": indicators}

    @property
    def turns(self) -> Turns:
        """Whose turn it is on which host."""
        return Turns(self.settings.data / "locks")

    @property
    def logs(self) -> Path:
        """The folder of the crawling processes' logs."""
        return self.settings.data / "logs"


@contextmanager
def opened(settings: Settings, patience: float = 0.0) -> Iterator[Place]:
    """Open the workplace; a new database gets its tables, an older one is refused with the command that upgrades it.

    `patience` is for how many seconds a database that is away is waited for. Raises ConfigurationError with every error
    of the configuration, StorageError when the database can't be used.
    """
    configuration = load(settings.config)
    settings.data.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database_url, patience)
    try:
        if is_empty(database):
            upgrade(database)
        require_current(database)
        cuts = CutLedger(database)
        yield Place(
            settings=settings,
            configuration=configuration,
            digests=digests_of(settings.config),
            database=database,
            repository=Repository(database),
            evidence=EvidenceStore(settings.evidence, noting=cuts.note),
            cuts=cuts,
            seals=SealLedger(database),
            attachments=AttachmentStore(settings.attachments),
            faults=FaultLedger(database),
            rescores=RescoreStore(database),
            revisits=RevisitStore(database),
            marks=MarkStore(database),
            versions=VersionStore(database),
            pruned=PrunedStore(database),
        )
    finally:
        database.close()


def digests_of(folder: Path) -> dict[str, str]:
    """Return the digests of a folder, as a place keeps them; raises OSError."""
    by_file = digests(folder)
    tables = {name: by_file[name] for name in table_files(folder)}
    return {"inventory": by_file[SITES], "rules": rules_digest(folder), **tables}
