"""Published scores put right after a revocation: which days it touches, and new scores beside the old ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from sqlalchemy import Column, ColumnElement, Insert, Select, case, func, insert, literal, select
from sqlalchemy.orm import Session

from checks.model import Finding, Outcome
from scoring.model import SiteVerdict, UnitScore, Verdict
from scoring.review import FaultState
from storage import rows
from storage.batches import chunks, insert_rows, table_of, upsert_rows
from storage.database import Database
from storage.model import RunKind, RunState
from storage.repository import CONFIRMED
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


@dataclass(frozen=True, slots=True)
class Rejudged:
    """A night judged again, to become that of the day: `run_id` is the run entered for it, of RunKind.RESCORE.

    `standing` names by unit the run whose score each takes the place of, None for a unit that had none; `states` gives
    the state of a fault by fingerprint, 已确认 for any other; `verdicts` are those on sites that stand on the night.
    """

    run_id: int
    day: date
    standing: Mapping[str, int | None]
    findings: tuple[Finding, ...]
    states: Mapping[str, str]
    scores: tuple[UnitScore, ...]
    verdicts: tuple[SiteVerdict, ...]


@dataclass(frozen=True, slots=True)
class FirstPublished:
    """原公布: the score of a unit and day before others took its place; why each of them did, the first one first.

    `score` is None where the night could not be scored.
    """

    run_id: int
    score: Decimal | None
    coverage: Decimal
    verdict: Verdict | None
    since: tuple[tuple[int, str], ...]  # the runs that took its place in turn, with what was noted beside each


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

    def publish_again(self, again: Rejudged) -> bool:
        """Keep what a night judged again found, and make its scores those of the day, all in one transaction.

        Returns False, with nothing changed, when the score of any unit is no longer the one that it was to replace.
        """
        now = self._clock()
        with self._database.writing() as session:
            for unit, expected in again.standing.items():
                row = session.get(PublishedScoreRow, (again.day, unit), with_for_update=True)
                if (row.run_id if row else None) != expected:
                    return False
            insert_rows(session, FindingRow, [_found(again, finding) for finding in again.findings])
            upsert_rows(session, UnitScoreRow, [rows.unit_score_values(again.run_id, one) for one in again.scores])
            indicators = [values for one in again.scores for values in rows.indicator_values(again.run_id, one)]
            insert_rows(session, IndicatorScoreRow, indicators)
            self._copy_verdicts(session, again.run_id, again.day, again.verdicts)
            published = {"day": again.day, "run_id": again.run_id, "published_at": now}
            upsert_rows(session, PublishedScoreRow, [published | {"unit_id": one.unit_id} for one in again.scores])
            run = session.get_one(RunRow, again.run_id)
            run.state, run.started_at, run.finished_at = RunState.PUBLISHED.value, now, now
            return True

    def first_published(self, day: date) -> dict[str, FirstPublished]:
        """Return by unit the score first published for a day, where the score of a later run took its place."""
        found: dict[str, FirstPublished] = {}
        with self._database.reading() as session:
            of_day = select(PublishedScoreRow.unit_id, PublishedScoreRow.run_id).where(PublishedScoreRow.day == day)
            for unit, run_id in session.execute(of_day.order_by(PublishedScoreRow.unit_id)).all():
                run, since = session.get_one(RunRow, run_id), list[tuple[int, str]]()
                while run.rescores is not None:
                    since.append((run.id, run.note))
                    run = session.get_one(RunRow, run.rescores)
                first = session.get(UnitScoreRow, (run.id, unit))
                if since and first is not None:
                    verdict = Verdict(first.verdict) if first.verdict else None
                    replaced = tuple(reversed(since))
                    found[unit] = FirstPublished(run.id, first.score, first.coverage, verdict, replaced)
        return found

    def _publish_one(self, session: Session, correction: Correction, note: str) -> int:
        now, score = self._clock(), correction.score
        run = self._run(session.get_one(RunRow, correction.stands_on), score.unit_id, note, now)
        session.add(run)
        session.flush()
        session.connection().execute(_copying(FindingRow, _findings_of(correction, run.id)))
        upsert_rows(session, UnitScoreRow, [rows.unit_score_values(run.id, score)])
        insert_rows(session, IndicatorScoreRow, rows.indicator_values(run.id, score))
        self._copy_verdicts(session, run.id, score.day, correction.verdicts)
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

    def _copy_verdicts(self, session: Session, run_id: int, day: date, verdicts: Iterable[SiteVerdict]) -> None:
        newest = session.scalar(select(func.max(PublishedScoreRow.run_id)).where(PublishedScoreRow.day == day))
        copied = _columns(SiteVerdictRow, run_id=literal(run_id)).where(SiteVerdictRow.run_id == newest)
        session.connection().execute(_copying(SiteVerdictRow, copied))
        changed = [rows.site_verdict_values(run_id, verdict) for verdict in verdicts]
        upsert_rows(session, SiteVerdictRow, changed)


def _found(again: Rejudged, finding: Finding) -> rows.Values:
    """Return the columns of a finding of a night judged again."""
    first = CONFIRMED if finding.outcome is Outcome.FAIL else ""
    state = again.states.get(finding.fingerprint, first)
    return rows.finding_values(finding) | {"run_id": again.run_id, "day": again.day, "state": state}


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
