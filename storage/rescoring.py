"""Published scores put right after a revocation: which days it touches, and new scores beside the old ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from sqlalchemy import Column, ColumnElement, Insert, Select, case, func, insert, literal, select
from sqlalchemy.orm import Session

from checks.model import Finding, Outcome
from scoring.model import SiteVerdict, UnitScore
from scoring.review import FaultState
from storage import rows
from storage.batches import chunks, insert_rows, table_of, upsert_rows
from storage.database import Database
from storage.model import RunKind, RunState
from storage.tables import (
    Base,
    FindingRow,
    IndicatorScoreRow,
    PublishedScoreRow,
    RunRow,
    SiteVerdictRow,
    UnitScoreRow,
)

_SCORED = ("check", "target", "outcome", "reason", "observed", "passage", "item", "weight", "unit_id", "column_id")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Counted:
    """A fault that a day's published score counts: the day, the run whose score it is, and the fingerprint."""

    day: date
    run_id: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class NightFinding:
    """A finding with what a score takes of it (no evidence), and the state it had on its night."""

    finding: Finding
    state: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A published score put right: `stands_on` is the run whose score it was, `revoked` are fingerprints.

    `verdicts` are those on sites that come out differently; of the day's others the newest are copied.
    """

    stands_on: int
    score: UnitScore
    revoked: frozenset[str]
    verdicts: tuple[SiteVerdict, ...] = ()


class RescoreStore:
    """Reads what published scores rest on and puts others in their place; `clock` gives the time noted beside them."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    def counted(self, unit_id: str, fingerprints: Collection[str]) -> list[Counted]:
        """Return where a unit's published scores count these faults, by day; pages only looked at again never count."""
        of_score = (FindingRow.run_id == PublishedScoreRow.run_id) & (FindingRow.unit_id == PublishedScoreRow.unit_id)
        query = (
            select(PublishedScoreRow.day, PublishedScoreRow.run_id, FindingRow.fingerprint)
            .distinct()
            .join(FindingRow, of_score)
            .where(
                PublishedScoreRow.unit_id == unit_id,
                FindingRow.outcome == Outcome.FAIL,
                FindingRow.state != FaultState.REVOKED,
                FindingRow.weight != Decimal(0),
            )
        )
        with self._database.reading() as session:
            found = [
                Counted(*row)
                for some in chunks(fingerprints)
                for row in session.execute(query.where(FindingRow.fingerprint.in_(some)))
            ]
        return sorted(found, key=lambda one: (one.day, one.fingerprint))

    def findings(self, unit_id: str, run_ids: Iterable[int]) -> dict[int, list[NightFinding]]:
        """Return by run what it found of a unit, in the order it was kept."""
        columns = [getattr(FindingRow, name) for name in _SCORED]
        found: dict[int, list[NightFinding]] = {}
        with self._database.reading() as session:
            for some in chunks(run_ids):
                query = select(FindingRow.run_id, FindingRow.state, *columns).order_by(FindingRow.id)
                query = query.where(FindingRow.run_id.in_(some), FindingRow.unit_id == unit_id)
                for run_id, state, *values in session.execute(query):
                    fields = dict(zip(_SCORED, values, strict=True))
                    finding = Finding(**fields | {"outcome": Outcome(fields["outcome"])})
                    found.setdefault(run_id, []).append(NightFinding(finding, state))
        return found

    def findings_of(self, unit_id: str, run_id: int) -> list[NightFinding]:
        """Return what one run found of a unit, in the order it was kept."""
        return self.findings(unit_id, [run_id]).get(run_id, [])

    def published(self, day: date) -> dict[str, int]:
        """Return by unit which run's score counts for a day."""
        query = select(PublishedScoreRow.unit_id, PublishedScoreRow.run_id).where(PublishedScoreRow.day == day)
        with self._database.reading() as session:
            return dict(session.execute(query).all())

    def publish(self, corrections: Sequence[Correction], note: str) -> list[int]:
        """Enter a run (RunKind.RESCORE) for each, with copies of the findings, and make its score that of the day.

        All in one transaction; the scores and findings that were published before stay as they are. One whose score no
        longer counts, because somebody else put it right meanwhile, is left out. Returns the numbers of the runs.
        """
        with self._database.writing() as session:
            standing = (correction for correction in corrections if _still_counts(session, correction))
            return [self._publish_one(session, correction, note) for correction in standing]

    def _publish_one(self, session: Session, correction: Correction, note: str) -> int:
        now, score = self._clock(), correction.score
        run = self._run(session.get_one(RunRow, correction.stands_on), score.unit_id, note, now)
        session.add(run)
        session.flush()
        session.connection().execute(_copying(FindingRow, _findings_of(correction, run.id)))
        upsert_rows(session, UnitScoreRow, [rows.unit_score_values(run.id, score)])
        insert_rows(session, IndicatorScoreRow, rows.indicator_values(run.id, score))
        self._copy_verdicts(session, run.id, correction)
        published = {"day": score.day, "unit_id": score.unit_id, "run_id": run.id, "published_at": now}
        upsert_rows(session, PublishedScoreRow, [published])
        return run.id

    def _run(self, old: RunRow, unit_id: str, note: str, now: datetime) -> RunRow:
        same = ("day", "seed", "rules_version", "rules_digest", "indicators_digest", "inventory_digest")
        return RunRow(
            **{name: getattr(old, name) for name in same},
            kind=RunKind.RESCORE.value,
            state=RunState.PUBLISHED.value,
            units=[unit_id],
            software=version("xuncha"),
            created_at=now,
            started_at=now,
            finished_at=now,
            note=note,
            rescores=old.id,
        )

    def _copy_verdicts(self, session: Session, run_id: int, correction: Correction) -> None:
        day = correction.score.day
        newest = session.scalar(select(func.max(PublishedScoreRow.run_id)).where(PublishedScoreRow.day == day))
        copied = _columns(SiteVerdictRow, run_id=literal(run_id)).where(SiteVerdictRow.run_id == newest)
        session.connection().execute(_copying(SiteVerdictRow, copied))
        changed = [rows.site_verdict_values(run_id, verdict) for verdict in correction.verdicts]
        upsert_rows(session, SiteVerdictRow, changed)


def _still_counts(session: Session, correction: Correction) -> bool:
    """Whether a correction puts right the score that counts; nobody else can change that before the end."""
    key = (correction.score.day, correction.score.unit_id)
    return session.get_one(PublishedScoreRow, key, with_for_update=True).run_id == correction.stands_on


# ---------------------------------------------------------------- rows copied within the database


def _findings_of(correction: Correction, run_id: int) -> Select[Any]:
    """The findings of the unit as they come into the new run: only the state of what was revoked is another."""
    revoked = FindingRow.fingerprint.in_(correction.revoked) & (FindingRow.outcome == Outcome.FAIL)
    state = case((revoked, FaultState.REVOKED.value), else_=FindingRow.state)
    of_unit = (FindingRow.run_id == correction.stands_on, FindingRow.unit_id == correction.score.unit_id)
    return _columns(FindingRow, run_id=literal(run_id), state=state).where(*of_unit).order_by(FindingRow.id)


def _columns(row: type[Base], **instead: ColumnElement[Any]) -> Select[Any]:
    """Select the columns of a table without its own number, some with another value."""
    return select(*(instead.get(column.key, column) for column in _copied(row)))


def _copying(row: type[Base], chosen: Select[Any]) -> Insert:
    return insert(table_of(row)).from_select(_copied(row), chosen)


def _copied(row: type[Base]) -> list[Column[Any]]:
    return [column for column in table_of(row).columns if column.key != "id"]
