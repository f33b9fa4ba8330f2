"""以前的采集: what earlier runs saw of the pages that one is about to ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from checks.model import Capture, Outcome, PageRole, Visit
from storage import rows
from storage.batches import chunks
from storage.database import Database
from storage.model import Look, Run, RunKind, RunState
from storage.tables import CaptureRow, FindingRow, RunRow, VisitRow

OPEN = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR)  # what another look may change
_JUDGED = (RunState.JUDGED, RunState.PUBLISHED)


class LookStore:
    """Reads what runs kept of single pages, some pages at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def runs_before(self, run: Run, since: date) -> list[Run]:
        """Return the runs, newest first, that looked at pages before this one, and judged them by the same rules and
        the same program, of the days from `since` to this run's."""
        query = select(RunRow).where(
            RunRow.id < run.id,
            RunRow.day.between(since, run.day),
            RunRow.kind != RunKind.RESCORE,
            RunRow.state.in_(_JUDGED),
            RunRow.rules_digest == run.rules_digest,
            RunRow.software == run.software,
        )
        with self._database.reading() as session:
            return [rows.run_of(row) for row in session.scalars(query.order_by(RunRow.id.desc()))]

    def newest(self, run_ids: Sequence[int], site_id: str, urls: Iterable[str]) -> dict[str, Look]:
        """Return by URL the newest look that any of the runs had at a page of the site; none for pages never looked at.

        The runs should be few, and the pages a few hundred.
        """
        keys = [rows.url_key(url) for url in urls]
        if not run_ids or not keys:
            return {}
        of_site = (VisitRow.site_id == site_id, VisitRow.url_key.in_(keys))
        newest = select(VisitRow.url_key, func.max(VisitRow.run_id)).where(VisitRow.run_id.in_(run_ids), *of_site)
        by_run: defaultdict[int, list[str]] = defaultdict(list)
        with self._database.reading() as session:
            for key, run_id in session.execute(newest.group_by(VisitRow.url_key)):
                by_run[run_id].append(key)
            looks = [look for run_id, some in by_run.items() for look in _looks(session, run_id, site_id, some)]
        return {look.visits[0].url: look for look in looks}

    def files(self, run_id: int, site_id: str) -> dict[str, tuple[Visit, ...]]:
        """Return a run's visits to files that articles of the site led to, by the article's URL, in their order."""
        below: defaultdict[str, dict[str, Visit]] = defaultdict(dict)
        of_site = (VisitRow.run_id == run_id, VisitRow.site_id == site_id, VisitRow.role == PageRole.ATTACHMENT)
        query = (
            rows.select_fields(Visit, VisitRow).where(*of_site, VisitRow.parent.is_not(None)).order_by(VisitRow.order)
        )
        with self._database.reading() as session:
            for visit in map(rows.visit_of, session.execute(query)):
                below[str(visit.parent)].setdefault(visit.url, visit)
        return {parent: tuple(visits.values()) for parent, visits in below.items()}

    def open_records(self, run_id: int, unit_ids: Collection[str]) -> tuple[set[str], set[str]]:
        """Return the targets, and the ids of the records cited, of what a run found open (OPEN) of some units."""
        targets, records = set[str](), set[str]()
        with self._database.reading() as session:
            for some in chunks(unit_ids):
                of_units = (FindingRow.run_id == run_id, FindingRow.unit_id.in_(some), FindingRow.outcome.in_(OPEN))
                for target, evidence in session.execute(
                    select(FindingRow.target, FindingRow.evidence).where(*of_units)
                ):
                    targets.add(target)
                    records |= {reference["record_id"] for reference in evidence}
        return targets, records


def _looks(session: Session, run_id: int, site_id: str, keys: Sequence[str]) -> Iterable[Look]:
    visits, captures = defaultdict[str, list[Visit]](list), defaultdict[str, list[Capture]](list)
    of_visits = rows.select_fields(Visit, VisitRow).where(*_of(VisitRow, run_id, site_id, keys))
    for visit in map(rows.visit_of, session.execute(of_visits)):
        visits[visit.url].append(visit)
    of_captures = rows.select_fields(Capture, CaptureRow).where(*_of(CaptureRow, run_id, site_id, keys))
    for capture in map(rows.capture_of, session.execute(of_captures)):
        captures[capture.url].append(capture)
    return [Look(run_id, tuple(visits[url]), tuple(captures[url])) for url in visits]


def _of(row: Any, run_id: int, site_id: str, keys: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    return row.run_id == run_id, row.site_id == site_id, row.url_key.in_(keys)
