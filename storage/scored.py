"""What scored nights were scored from, read for a trial: the nights, their findings, their evidence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from sqlalchemy import Select, Text, func, select, type_coerce

from checks.model import Finding, Outcome
from storage.database import Database
from storage.model import RunKind
from storage.tables import CaptureRow, FindingRow, PublishedScoreRow, RunRow, UnitScoreRow


@dataclass(frozen=True, slots=True)
class ScoredNight:
    """A run whose findings are what units were scored from, or could not be scored from, on a day."""

    day: date
    run_id: int  # the run that looked at the pages, whatever run put the score right since
    unit_ids: tuple[str, ...]
    judged: int | None = None  # the run that counts where it is another: its findings are those that were scored


class ScoredNights:
    """Reads what a period's daily values were made from; each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, first: date, last: date) -> list[ScoredNight]:
        """Return the nights of a period by day: of each unit the run that counts, else the last that gave no score."""
        with self._database.reading() as session:
            withheld = {(day, unit): run for day, unit, run in session.execute(_withheld(first, last))}
            counting = {(day, unit): run for day, unit, run in session.execute(_published(first, last))}
            stands_on = dict(session.execute(_rescores(first, last)).all())
        units: defaultdict[tuple[date, int, int], list[str]] = defaultdict(list)
        for (day, unit), counts in (withheld | counting).items():
            looked = counts
            while looked in stands_on:
                looked = stands_on[looked]
            units[day, looked, counts].append(unit)
        return [
            ScoredNight(day, looked, tuple(sorted(units[day, looked, counts])), counts if counts != looked else None)
            for day, looked, counts in sorted(units)
        ]

    def findings(self, run_id: int) -> dict[str, list[Finding]]:
        """Return by unit a run's findings as scoring needs them: what was seen, without evidence."""
        row = FindingRow
        columns = (row.unit_id, row.check, row.target, row.outcome, row.reason, row.observed, row.passage, row.item)
        weight_text = type_coerce(row.weight, Text)
        query = select(*columns, row.column_id, weight_text).where(row.run_id == run_id).order_by(row.id)
        outcome_of, number = cache(Outcome), cache(Decimal)
        found: defaultdict[str, list[Finding]] = defaultdict(list)
        with self._database.reading() as session:
            for unit, check, target, outcome, reason, observed, passage, item, column, weight in session.execute(query):
                found[unit].append(
                    Finding(
                        check=check,
                        target=target,
                        outcome=outcome_of(outcome),
                        reason=reason,
                        observed=observed,
                        passage=passage,
                        item=item,
                        weight=number(weight),
                        unit_id=unit,
                        column_id=column,
                    )
                )
        return found

    def evidence_files(self, run_id: int) -> set[str]:
        """Return the evidence files that a run's captures lie in; empty for a run without any."""
        query = select(CaptureRow.evidence).where(CaptureRow.run_id == run_id, CaptureRow.evidence.is_not(None))
        with self._database.reading() as session:
            return {evidence.warc_file for evidence in session.scalars(query) if evidence}


def _published(first: date, last: date) -> Select[date, str, int]:
    chosen = select(PublishedScoreRow.day, PublishedScoreRow.unit_id, PublishedScoreRow.run_id)
    return chosen.where(PublishedScoreRow.day.between(first, last))


def _rescores(first: date, last: date) -> Select[int, int]:
    """The runs that put a score right, or judged again, with the run that they stand on."""
    return select(RunRow.id, RunRow.rescores).where(RunRow.rescores.is_not(None), RunRow.day.between(first, last))


def _withheld(first: date, last: date) -> Select[date, str, int]:
    chosen = select(RunRow.day, UnitScoreRow.unit_id, func.max(RunRow.id))
    of_nights = chosen.join(RunRow, RunRow.id == UnitScoreRow.run_id).where(
        RunRow.kind == RunKind.NIGHTLY, UnitScoreRow.score.is_(None), RunRow.day.between(first, last)
    )
    return of_nights.group_by(RunRow.day, UnitScoreRow.unit_id)
