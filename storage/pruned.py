"""清理: evidence files that somebody cleared away when their time was over, and what must not be cleared yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Text, select, type_coerce

from checks.model import EvidenceRef, Outcome, PageRole, ProbeKind
from scoring.review import FaultState
from storage.batches import chunks, insert_new
from storage.database import Database
from storage.tables import (
    AnnualVersionRow,
    CaptureRow,
    FaultRow,
    FindingRow,
    ProbeRow,
    PrunedFileRow,
    PublishedScoreRow,
    RunRow,
    VisitRow,
)

OPEN = frozenset(FaultState) - {FaultState.MENDED, FaultState.REVOKED}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class PrunedFile:
    """A cleared file, relative to the folder of its run; bytes and SHA-256 as the manifest has them; who, and why."""

    run_id: int
    file: str
    length: int
    sha256: str
    actor: str
    why: str
    account: str = ""
    pruned_at: datetime | None = None  # None until it is stored

    @property
    def path(self) -> str:
        """The file as references name it: relative to the evidence folder."""
        return f"{self.run_id}/{self.file}"


class PrunedStore:
    """Reads and writes what was cleared, and reads what leads where; `clock` gives the time that is noted."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    def enter(self, files: Iterable[PrunedFile]) -> None:
        """Note files that are about to be removed, in one transaction; one noted before keeps what was noted."""
        now = self._clock()
        with self._database.writing() as session:
            insert_new(session, PrunedFileRow, [_values(file, now) for file in files])

    def files(self, run_ids: Collection[int] | None = None) -> list[PrunedFile]:
        """Return what was cleared, of every run or of some, by run and file."""
        query = select(PrunedFileRow).order_by(PrunedFileRow.run_id, PrunedFileRow.file)
        with self._database.reading() as session:
            if run_ids is None:
                return [_file_of(row) for row in session.scalars(query)]
            return [
                _file_of(row)
                for some in chunks(run_ids)
                for row in session.scalars(query.where(PrunedFileRow.run_id.in_(some)))
            ]

    # ------------------------------------------------------------ what leads where

    def of_open_faults(self) -> dict[str, str]:
        """Return the files that findings of open faults cite, pictures included, with the state of such a fault."""
        query = (
            select(FindingRow.evidence, FindingRow.screenshot, FaultRow.state)
            .join(FaultRow, FaultRow.fingerprint == FindingRow.fingerprint)
            .where(FaultRow.state.in_([state.value for state in OPEN]))
        )
        with self._database.reading() as session:
            return {
                file: state
                for evidence, screenshot, state in session.execute(query)
                for file in _cited(evidence, screenshot)
            }

    def led_to(self, run_id: int) -> set[str]:
        """Return the files of other runs that a run's captures and probes lie in."""
        found: set[str] = set()
        with self._database.reading() as session:
            for row in (CaptureRow, ProbeRow):
                place = type_coerce(row.evidence, Text)
                query = select(row.evidence).where(row.run_id == run_id, row.evidence.is_not(None))
                elsewhere = place.not_like(f'{{"warc_file": "{run_id}/%')
                found |= {reference.warc_file for reference in session.scalars(query.where(elsewhere)) if reference}
        return found

    def records_of_fetches(self, run_id: int) -> set[EvidenceRef]:
        """Return the records that a run's fetches stand in: they may name earlier records for what was the same."""
        query = select(ProbeRow.evidence).where(
            ProbeRow.run_id == run_id, ProbeRow.kind == ProbeKind.FETCH, ProbeRow.evidence.is_not(None)
        )
        with self._database.reading() as session:
            return {reference for reference in session.scalars(query) if reference}

    def of_lost_points(self, first: date, last: date) -> set[str]:
        """Return the files that the FAIL findings of a period's published scores cite, with their pictures, and those
        that hold the pages they speak of and the files attached to these."""
        scored = (FindingRow.run_id == PublishedScoreRow.run_id) & (FindingRow.unit_id == PublishedScoreRow.unit_id)
        query = (
            select(FindingRow.run_id, FindingRow.target, FindingRow.item, FindingRow.evidence, FindingRow.screenshot)
            .join(PublishedScoreRow, scored)
            .where(PublishedScoreRow.day.between(first, last), FindingRow.outcome == Outcome.FAIL)
        )
        found: set[str] = set()
        pages: defaultdict[int, set[str]] = defaultdict(set)
        with self._database.reading() as session:
            for run_id, target, item, evidence, screenshot in session.execute(query):
                found |= _cited(evidence, screenshot)
                pages[run_id] |= {target, item}
        looked = self._looked(first, last)
        for run_id, urls in pages.items():
            found |= self._of_pages(looked.get(run_id, run_id), urls)
        return found

    def _looked(self, first: date, last: date) -> dict[int, int]:
        """Return the runs of a period that only scored again, each with the run that looked at the pages."""
        query = select(RunRow.id, RunRow.rescores).where(RunRow.rescores.is_not(None), RunRow.day.between(first, last))
        with self._database.reading() as session:
            looked: dict[int, int] = {}
            for run_id, other in session.execute(query.order_by(RunRow.id)):
                looked[run_id] = looked.get(other, other)
            return looked

    def _of_pages(self, run_id: int, urls: Collection[str]) -> set[str]:
        attached = select(VisitRow.url, VisitRow.parent).where(
            VisitRow.run_id == run_id, VisitRow.role == PageRole.ATTACHMENT
        )
        captured = select(CaptureRow.url, CaptureRow.evidence).where(
            CaptureRow.run_id == run_id, CaptureRow.evidence.is_not(None)
        )
        with self._database.reading() as session:
            wanted = {*urls, *(url for url, parent in session.execute(attached) if parent in urls)}
            return {evidence.warc_file for url, evidence in session.execute(captured) if url in wanted and evidence}

    def published_years(self) -> dict[int, date]:
        """Return the years with a published version, each with the last day that counts in the newest."""
        query = select(AnnualVersionRow.year, AnnualVersionRow.last_day).order_by(AnnualVersionRow.number)
        with self._database.reading() as session:
            return dict(session.execute(query).all())


def _cited(evidence: Iterable[dict[str, str]], screenshot: EvidenceRef | None) -> set[str]:
    return {reference["warc_file"] for reference in evidence} | ({screenshot.warc_file} if screenshot else set())


def _values(file: PrunedFile, now: datetime) -> dict[str, object]:
    return {
        "run_id": file.run_id,
        "file": file.file,
        "length": file.length,
        "sha256": file.sha256,
        "pruned_at": file.pruned_at or now,
        "actor": file.actor,
        "account": file.account,
        "why": file.why,
    }


def _file_of(row: PrunedFileRow) -> PrunedFile:
    return PrunedFile(
        run_id=row.run_id,
        file=row.file,
        length=row.length,
        sha256=row.sha256,
        actor=row.actor,
        why=row.why,
        account=row.account,
        pruned_at=row.pruned_at,
    )
