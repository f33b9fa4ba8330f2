"""Everything that is kept in the database, in the words of the model. Each method is one transaction.

Many child processes may write at once: every write is one batch, and writing the same thing twice leaves it once.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from itertools import groupby
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    cast,
    delete,
    exists,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from checks.model import (
    AvailabilityDay,
    Capture,
    EvidenceRef,
    Finding,
    ListHistory,
    Mode,
    NewMediaAccount,
    Outcome,
    Probe,
    ProbeKind,
    Visit,
)
from scoring.model import SiteVerdict, UnitScore
from scoring.review import FaultState
from storage import rows
from storage.batches import chunks, dialect_of, insert_new, insert_rows, key_columns, table_of, upsert_rows
from storage.database import Database
from storage.errors import FindingNotFound, IllegalTransition, RunNotFound
from storage.model import (
    RUN_TRANSITIONS,
    SITE_TRANSITIONS,
    UNFINISHED,
    CountedFault,
    Fault,
    HomeProbe,
    Register,
    Run,
    RunKind,
    RunState,
    SeenFault,
    SeenList,
    Sighting,
    SiteLedgerRow,
    StoredFinding,
    StoredScore,
    StoredYear,
)
from storage.tables import (
    AvailabilityRow,
    CaptureRow,
    FaultRow,
    FindingRow,
    IndicatorScoreRow,
    ListedEntryRow,
    NewMediaAccountRow,
    NewMediaRegisterRow,
    ProbeRow,
    PublishedScoreRow,
    RunRow,
    RunSiteRow,
    SiteVerdictRow,
    UnitScoreRow,
    VisitRow,
    WholeListRow,
)

CONFIRMED = "已确认"
PENDING = "待确认"
READ_AT_ONCE = 1000  # rows that lie in memory
_FEW_AT_ONCE = {"yield_per": READ_AT_ONCE}
EARLIER_RUNS = 500  # more than a year of nights
NOT_COUNTED = (PENDING, FaultState.REVOKED.value, FaultState.WAIVED.value)


def _now() -> datetime:
    return datetime.now(UTC)


class Repository:
    """Reads and writes values; `clock` gives the time that is noted beside them."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        self._database = database
        self._clock = clock

    def at_once(self) -> AbstractContextManager[None]:
        """Wait for no database within a block."""
        return self._database.at_once()

    # ------------------------------------------------------------ runs and their ledger

    def create_run(
        self,
        *,
        kind: RunKind,
        day: date,
        seed: str,
        site_ids: Iterable[str] = (),
        units: Iterable[str] = (),
        rules_version: str,
        digests: Mapping[str, str],
        note: str = "",
        rescores: int | None = None,
    ) -> Run:
        """Enter a planned run with its planned sites.

        `digests` holds those of the "rules", "indicators" and "inventory" in force; `units` empty means all of them;
        `rescores` is the run whose findings are scored again.
        """
        values = {
            "kind": kind,
            "day": day,
            "state": RunState.PLANNED.value,
            "seed": seed,
            "rules_version": rules_version,
            "rules_digest": digests["rules"],
            "indicators_digest": digests["indicators"],
            "inventory_digest": digests["inventory"],
            "units": list(units),
            "software": version("xuncha"),
            "created_at": self._clock(),
            "note": note,
            "rescores": rescores,
        }
        with self._database.writing() as session:
            row = RunRow(**values)
            session.add(row)
            session.flush()
            insert_rows(session, RunSiteRow, [self._planned(row.id, site_id) for site_id in dict.fromkeys(site_ids)])
            return rows.run_of(row)

    def run(self, run_id: int) -> Run:
        """Return a run; raises RunNotFound."""
        with self._database.reading() as session:
            return rows.run_of(_run(session, run_id))

    def runs(self, day: date | None = None, kind: RunKind | None = None) -> list[Run]:
        """Return runs, newest first."""
        query = select(RunRow).order_by(RunRow.id.desc())
        query = query if day is None else query.where(RunRow.day == day)
        query = query if kind is None else query.where(RunRow.kind == kind)
        with self._database.reading() as session:
            return [rows.run_of(row) for row in session.scalars(query)]

    def set_run_state(self, run_id: int, state: RunState, note: str | None = None) -> None:
        """Note how far a run has come; raises RunNotFound, and IllegalTransition when it skips a step."""
        now = self._clock()
        with self._database.writing() as session:
            row = _run(session, run_id)
            _require_step(f"巡查 {run_id}", RunState(row.state), state, RUN_TRANSITIONS)
            row.state = state.value
            if state is RunState.RUNNING:
                row.started_at = row.started_at or now
            begun = row.started_at or row.created_at  # a clock that was put back must not end a run before it began
            row.finished_at = max(now, begun) if state not in UNFINISHED else None
            row.note = row.note if note is None else note

    def site_states(self, run_id: int) -> dict[str, SiteLedgerRow]:
        """Return the run's ledger by site."""
        query = select(RunSiteRow).where(RunSiteRow.run_id == run_id).order_by(RunSiteRow.site_id)
        with self._database.reading() as session:
            return {row.site_id: rows.ledger_row_of(row) for row in session.scalars(query)}

    def set_site_state(self, run_id: int, site_id: str, state: RunState, reason: str = "") -> None:
        """Note how far a site has come; a site not planned before counts as planned.

        Raises RunNotFound, and IllegalTransition when it skips a step.
        """
        self.set_site_states(run_id, [site_id], state, reason)

    def set_site_states(self, run_id: int, site_ids: Iterable[str], state: RunState, reason: str = "") -> None:
        """Note in one transaction how far sites have come, as `set_site_state` does of one."""
        with self._database.writing() as session:
            _run(session, run_id)
            for some in chunks(site_ids):
                query = select(RunSiteRow).where(RunSiteRow.run_id == run_id, RunSiteRow.site_id.in_(some))
                known = {row.site_id: row for row in session.scalars(query)}
                for site_id in some:
                    row = known.get(site_id) or RunSiteRow(**self._planned(run_id, site_id))
                    _require_step(f"站点 {site_id}", RunState(row.state), state, SITE_TRANSITIONS)
                    row.state, row.reason, row.updated_at = state.value, reason, self._clock()
                    row.attempts += state is RunState.RUNNING
                    session.add(row)

    def _planned(self, run_id: int, site_id: str) -> rows.Values:
        return {
            "run_id": run_id,
            "site_id": site_id,
            "state": RunState.PLANNED.value,
            "attempts": 0,
            "reason": "",
            "updated_at": self._clock(),
        }

    # ------------------------------------------------------------ what was captured

    def add_captured(
        self,
        run_id: int,
        captures: Iterable[Capture] = (),
        visits: Iterable[Visit] = (),
        probes: Iterable[Probe] = (),
    ) -> None:
        """Keep a batch in one transaction; what was kept before under the same key is replaced by the newer.

        The key of a capture is (site, URL, mode), of a visit (site, URL, unit, column, role, whether a
        revisit), of a probe its question.
        """
        with self._database.writing() as session:
            upsert_rows(session, CaptureRow, [rows.capture_values(run_id, capture) for capture in captures])
            upsert_rows(session, VisitRow, [rows.visit_values(run_id, visit) for visit in visits])
            upsert_rows(session, ProbeRow, [rows.probe_values(run_id, probe) for probe in probes])

    def captures(self, run_id: int, site_id: str, urls: Iterable[str] | None = None) -> list[Capture]:
        """Return a site's captures, or those of some URLs, by URL and mode, whatever order they were made in."""
        of_site = (CaptureRow.run_id == run_id, CaptureRow.site_id == site_id)
        query = rows.select_fields(Capture, CaptureRow).where(*of_site)
        keys = [] if urls is None else chunks(map(rows.url_key, urls))
        asked = [query] if urls is None else [query.where(CaptureRow.url_key.in_(some)) for some in keys]
        with self._database.reading() as session:
            found = (row for one in asked for row in session.execute(one, execution_options=_FEW_AT_ONCE))
            captures = [rows.capture_of(row) for row in found]
        return sorted(captures, key=lambda capture: (capture.url, capture.mode))

    def visits(self, run_id: int, site_id: str) -> list[Visit]:
        """Return a site's visits by unit, column, role and order, whatever order they were made in."""
        query = rows.select_fields(Visit, VisitRow).where(VisitRow.run_id == run_id, VisitRow.site_id == site_id)
        with self._database.reading() as session:
            visits = [rows.visit_of(row) for row in session.execute(query, execution_options=_FEW_AT_ONCE)]
        return sorted(visits, key=_visit_order)

    def probes(self, run_id: int, site_id: str) -> list[Probe]:
        """Return a site's probes by kind, target, family and time."""
        query = rows.select_fields(Probe, ProbeRow).where(ProbeRow.run_id == run_id, ProbeRow.site_id == site_id)
        with self._database.reading() as session:
            probes = [rows.probe_of(row) for row in session.execute(query)]
        return sorted(probes, key=lambda probe: (probe.kind, probe.target, probe.family, probe.captured_at))

    def earlier_evidence(self, run_id: int, site_id: str, url: str, mode: Mode) -> EvidenceRef | None:
        """Return where the newest capture of a page lies, of this run or an earlier one; None when there is none.

        Failed captures do not count.
        """
        row = CaptureRow
        of_page = (row.run_id.in_(_runs_up_to(run_id)), row.site_id == site_id, row.url_key == rows.url_key(url))
        query = select(row.evidence).where(*of_page, row.mode == mode, row.failure.is_(None), row.evidence.is_not(None))
        with self._database.reading() as session:
            return session.scalar(query.order_by(row.run_id.desc()).limit(1))

    def earlier_evidence_of(self, run_id: int, site_id: str) -> dict[tuple[str, Mode], EvidenceRef]:
        """Return where the captures of a site lie that the newest run before this one has of it, by URL and mode.

        Failed captures do not count.
        """
        row = CaptureRow
        kept = (row.site_id == site_id, row.failure.is_(None), row.evidence.is_not(None))
        newest = select(func.max(row.run_id)).where(row.run_id.in_(_runs_up_to(run_id - 1)), *kept)
        query = select(row.url, row.mode, row.evidence).where(row.run_id == newest.scalar_subquery(), *kept)
        with self._database.reading() as session:
            return {(url, Mode(mode)): evidence for url, mode, evidence in session.execute(query)}

    def earlier_probe_records(self, run_id: int, site_id: str, kind: ProbeKind) -> set[EvidenceRef]:
        """Return the records with a site's probes of a kind, those of the newest run before this one that has any."""
        row = ProbeRow
        of_site = (row.site_id == site_id, row.kind == kind, row.evidence.is_not(None))
        newest = select(func.max(row.run_id)).where(row.run_id.in_(_runs_up_to(run_id - 1)), *of_site)
        query = select(row.evidence).where(row.run_id == newest.scalar_subquery(), *of_site)
        with self._database.reading() as session:
            return {reference for reference in session.scalars(query) if reference}

    def forget_probes(self, run_id: int, site_id: str) -> None:
        """Remove a site's probes of a run, which are going to be made anew."""
        with self._database.writing() as session:
            session.execute(delete(ProbeRow).where(ProbeRow.run_id == run_id, ProbeRow.site_id == site_id))

    def count_captures(self, run_id: int) -> dict[str, int]:
        """Return how many captures of a run are "ok", and how many failed with which code."""
        code = func.coalesce(CaptureRow.failure, "ok")
        query = select(code, func.count()).where(CaptureRow.run_id == run_id).group_by(code).order_by(code)
        with self._database.reading() as session:
            return dict(session.execute(query).all())

    def count_requests(self, run_id: int) -> int:
        """Return how many captures and probes of a run are kept."""
        with self._database.reading() as session:
            of_run = (select(func.count()).where(row.run_id == run_id) for row in (CaptureRow, ProbeRow))
            return sum(session.scalar(query) or 0 for query in of_run)

    def received_bytes(self, run_id: int) -> int:
        """Return how many bytes the bodies of a run's static captures have."""
        query = select(func.sum(cast(CaptureRow.length, BigInteger)))
        with self._database.reading() as session:
            total = session.scalar(query.where(CaptureRow.run_id == run_id, CaptureRow.mode == Mode.STATIC))
            return int(total or 0)

    # ------------------------------------------------------------ beside the runs

    def add_home_probes(self, probes: Iterable[HomeProbe]) -> None:
        """Keep what probes of home pages came to, in one transaction; one of the same site and minute is replaced."""
        days: dict[tuple[str, date], dict[str, str]] = {}
        for probe in probes:
            days.setdefault((probe.site_id, probe.day), {})[probe.minute] = probe.result
        if not days:
            return
        keys = sorted(days)
        with self._database.writing() as session:
            insert_new(session, AvailabilityRow, [{"site_id": s, "day": d, "results": {}} for s, d in keys])
            for site_id, day in keys:
                row = session.get_one(AvailabilityRow, (site_id, day), with_for_update=True)
                row.results = row.results | days[site_id, day]

    def availability(self, site_ids: Iterable[str], since: date, until: date) -> dict[str, list[AvailabilityDay]]:
        """Return by site the days with probes, both ends included, in order; every site asked for is there."""
        found: dict[str, list[AvailabilityDay]] = {site_id: [] for site_id in site_ids}
        wanted = (AvailabilityRow.site_id.in_(found), AvailabilityRow.day.between(since, until))
        with self._database.reading() as session:
            for row in session.scalars(select(AvailabilityRow).where(*wanted).order_by(AvailabilityRow.day)):
                found[row.site_id].append(rows.availability_of(row))
        return found

    def add_lists(self, day: date, lists: Iterable[SeenList]) -> None:
        """Keep what a night saw of columns' lists, in one transaction; an entry keeps the first night that saw it."""
        seen = list(lists)
        entries = [values for listed in seen for values in rows.listed_values(listed, day)]
        whole = [{"target_key": rows.target_key(listed.target), "day": day} for listed in seen if listed.whole]
        with self._database.writing() as session:
            _upsert_earliest(session, ListedEntryRow, {(v["target_key"], v["url_key"]): v for v in entries}.values())
            insert_new(session, WholeListRow, list({values["target_key"]: values for values in whole}.values()))

    def list_histories(self, targets: Iterable[str], before: date) -> dict[str, ListHistory]:
        """Return by target what nights before a day saw of these lists; every target asked for is there."""
        targets = {rows.target_key(target): target for target in targets}
        known: dict[str, dict[str, str]] = {key: {} for key in targets}
        whole_on: dict[str, date] = {}
        with self._database.reading() as session:
            for some in chunks(targets):
                nights = (WholeListRow.target_key.in_(some), WholeListRow.day < before)
                last = select(WholeListRow.target_key, func.max(WholeListRow.day)).where(*nights)
                whole_on |= dict(session.execute(last.group_by(WholeListRow.target_key)).all())
                entries = (ListedEntryRow.target_key.in_(some), ListedEntryRow.first_seen < before)
                of_entries = select(ListedEntryRow.target_key, ListedEntryRow.url, ListedEntryRow.title).where(*entries)
                for key, url, title in session.execute(of_entries):
                    known[key][url] = title
        return {
            target: ListHistory(target, whole_on.get(key), frozenset(known[key]), frozenset(known[key].values()))
            for key, target in targets.items()
        }

    def add_register(
        self, recorded_on: date, accounts: Iterable[NewMediaAccount], *, source: str = "", digest: str = ""
    ) -> int:
        """Keep a version of the register of new-media accounts, and return its number."""
        with self._database.writing() as session:
            row = NewMediaRegisterRow(recorded_on=recorded_on, imported_at=self._clock(), source=source, digest=digest)
            session.add(row)
            session.flush()
            values = [rows.account_values(row.id, order, account) for order, account in enumerate(accounts)]
            insert_rows(session, NewMediaAccountRow, values)
            return row.id

    def register(self, day: date) -> Register | None:
        """Return the newest register as of a day, of several of one day the one imported last; None without any."""
        newest = select(NewMediaRegisterRow).where(NewMediaRegisterRow.recorded_on <= day)
        newest = newest.order_by(NewMediaRegisterRow.recorded_on.desc(), NewMediaRegisterRow.id.desc()).limit(1)
        with self._database.reading() as session:
            row = session.scalar(newest)
            if row is None:
                return None
            accounts = select(NewMediaAccountRow).where(NewMediaAccountRow.register_id == row.id)
            return rows.register_of(row, session.scalars(accounts.order_by(NewMediaAccountRow.order)))

    # ------------------------------------------------------------ findings

    def replace_findings(
        self,
        run_id: int,
        unit_ids: Iterable[str],
        findings: Iterable[Finding],
        *,
        states: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what judging these units found, in place of what judging them found before; screenshots stay.

        `states` gives the state by fingerprint; any other FAIL is CONFIRMED (已确认), and what is no fault has none.
        Raises RunNotFound, and ValueError for a finding of another unit.
        """
        units, new = set(unit_ids), list(findings)
        strangers = {finding.unit_id for finding in new} - units
        if strangers:
            raise ValueError(f"findings of units that are not replaced: {sorted(strangers)}")
        with self._database.writing() as session:
            run = _run(session, run_id)
            of_units = (FindingRow.run_id == run_id, FindingRow.unit_id.in_(units))
            screenshots = _screenshots(session, of_units)
            session.execute(delete(FindingRow).where(*of_units))
            kept = [rows.finding_values(finding) | {"run_id": run_id, "day": run.day} for finding in new]
            for values in kept:
                values["state"] = (states or {}).get(values["fingerprint"], _first_state(values))
                values["screenshot"] = values["screenshot"] or screenshots.get(values["fingerprint"])
            insert_rows(session, FindingRow, kept)

    def attach_screenshot(self, run_id: int, fingerprints: Iterable[str], screenshot: EvidenceRef) -> None:
        """Note the picture that shows the faults with these fingerprints."""
        with self._database.writing() as session:
            for some in chunks(fingerprints):
                of_run = (FindingRow.run_id == run_id, FindingRow.fingerprint.in_(some))
                session.execute(update(FindingRow).where(*of_run).values(screenshot=screenshot))

    def findings(
        self,
        run_id: int | None = None,
        unit_id: str | None = None,
        check: str | None = None,
        outcome: Outcome | None = None,
        state: str | None = None,
        limit: int | None = None,
        outcomes: Collection[Outcome] | None = None,
    ) -> list[StoredFinding]:
        """Return findings that meet every condition given, newest run first, else in the order they were kept.

        `state` is where the fault stands today, or the night's own state of what is in no ledger.
        """
        wanted: list[tuple[Any, Any]] = [
            (FindingRow.run_id, run_id),
            (FindingRow.unit_id, unit_id),
            (FindingRow.check, check),
            (FindingRow.outcome, outcome),
            (func.coalesce(FaultRow.state, FindingRow.state), state),
        ]
        query = select(FindingRow).outerjoin(FaultRow, FaultRow.fingerprint == FindingRow.fingerprint)
        query = query.where(*(column == value for column, value in wanted if value is not None))
        query = query if outcomes is None else query.where(FindingRow.outcome.in_(outcomes))
        query = query.order_by(FindingRow.run_id.desc(), FindingRow.id).limit(limit)
        with self._database.reading() as session:
            return _with_days(session, session.scalars(query).all())

    def finding_records(self, run_id: int, unit_id: str) -> Iterator[rows.Values]:
        """Yield what a run found of a unit as plain data, in the order it was kept, however much it is.

        A record has the fields of the Finding, and its `id`, `run`, `day`, first `state` and `fingerprint`.
        """
        query = rows.select_finding_records().where(FindingRow.run_id == run_id, FindingRow.unit_id == unit_id)
        with self._database.reading() as session:
            found = session.execute(query.order_by(FindingRow.id), execution_options=_FEW_AT_ONCE)
            yield from map(rows.finding_record, found)

    def finding(self, finding_id: int) -> tuple[StoredFinding, tuple[Sighting, ...]]:
        """Return a finding with every time its fingerprint was recorded, newest first; raises FindingNotFound."""
        with self._database.reading() as session:
            row = session.get(FindingRow, finding_id)
            if row is None:
                raise FindingNotFound(f"没有编号为 {finding_id} 的问题，可用 inspect findings 查看。")
            query = (
                select(FindingRow, RunRow.kind)
                .join(RunRow, RunRow.id == FindingRow.run_id)
                .where(FindingRow.fingerprint == row.fingerprint)
                .order_by(FindingRow.day.desc(), FindingRow.id.desc())
            )
            history = tuple(
                Sighting(seen.id, seen.run_id, RunKind(kind), seen.day, Outcome(seen.outcome), seen.state)
                for seen, kind in session.execute(query)
            )
            return _with_days(session, [row])[0], history

    def passing(self, run_id: int, unit_id: str) -> set[tuple[str, str, str]]:
        """Return the (check, target, item) of a unit that a run saw to be good, with nothing about them left untold.

        A target as a whole (item "") is good as well where its parts alone were judged, all of them: what was missing
        altogether has parts to look at now.
        """
        told = select(FindingRow.check, FindingRow.target, FindingRow.item, FindingRow.outcome).distinct()
        query = told.where(FindingRow.run_id == run_id, FindingRow.unit_id == unit_id)
        by_outcome: defaultdict[str, set[tuple[str, str, str]]] = defaultdict(set)
        with self._database.reading() as session:
            for check, target, item, outcome in session.execute(query):
                by_outcome[outcome].add((check, target, item))
        good, faulty = by_outcome[Outcome.PASS], by_outcome[Outcome.FAIL]
        untold = by_outcome[Outcome.INCONCLUSIVE] | by_outcome[Outcome.NOT_TESTED] | by_outcome[Outcome.ERROR]
        parted = {(check, target, "") for check, target, item in good | faulty if item}
        doubtful = {(check, target, "") for check, target, _ in untold}
        return (good - untold) | (parted - faulty - doubtful)

    def fingerprints(self, finding_ids: Iterable[int]) -> dict[int, str]:
        """Return the fingerprint of each of the findings that there is."""
        found: dict[int, str] = {}
        with self._database.reading() as session:
            for some in chunks(finding_ids):
                query = select(FindingRow.id, FindingRow.fingerprint).where(FindingRow.id.in_(some))
                found |= dict(session.execute(query).all())
        return found

    def findings_numbered(self, finding_ids: Iterable[int]) -> list[Finding]:
        """Return those of the findings that there are, by number, without their history."""
        with self._database.reading() as session:
            return [
                rows.finding_of(row)
                for some in chunks(finding_ids)
                for row in session.scalars(select(FindingRow).where(FindingRow.id.in_(some)).order_by(FindingRow.id))
            ]

    def count_findings(self, run_id: int) -> dict[str, int]:
        """Return how many findings of a run have which outcome."""
        query = select(FindingRow.outcome, func.count()).where(FindingRow.run_id == run_id)
        with self._database.reading() as session:
            return dict(session.execute(query.group_by(FindingRow.outcome)).all())

    def count_outcomes(self, run_id: int) -> dict[str, dict[Outcome, int]]:
        """Return how many findings of a run have which outcome, by unit."""
        by_outcome = FindingRow.unit_id, FindingRow.outcome
        query = select(*by_outcome, func.count()).where(FindingRow.run_id == run_id).group_by(*by_outcome)
        counts: defaultdict[str, dict[Outcome, int]] = defaultdict(dict)
        with self._database.reading() as session:
            for unit_id, outcome, count in session.execute(query):
                counts[unit_id][Outcome(outcome)] = count
        return counts

    def failing(self, run_id: int) -> dict[tuple[str, str], int]:
        """Return how many faults of a run count, by unit and check id: none that wait, were revoked or are waived, and
        none of pages only looked at again."""
        query = select(FindingRow.unit_id, FindingRow.check, func.count()).where(
            FindingRow.run_id == run_id,
            FindingRow.outcome == Outcome.FAIL,
            FindingRow.state.not_in(NOT_COUNTED),
            FindingRow.weight != Decimal(0),
        )
        with self._database.reading() as session:
            counted = session.execute(query.group_by(FindingRow.unit_id, FindingRow.check))
            return {(unit, check): count for unit, check, count in counted}

    def seen_days(self, unit_ids: Iterable[str], since: date, until: date) -> dict[str, set[date]]:
        """Return by fingerprint on which days, both ends included, a nightly run saw each fault (FAIL) of the units."""
        query = (
            select(FindingRow.fingerprint, FindingRow.day)
            .distinct()
            .join(RunRow, RunRow.id == FindingRow.run_id)
            .where(
                FindingRow.unit_id.in_(set(unit_ids)),
                FindingRow.day.between(since, until),
                FindingRow.outcome == Outcome.FAIL,
                RunRow.kind == RunKind.NIGHTLY,
            )
        )
        seen: dict[str, set[date]] = {}
        with self._database.reading() as session:
            for fingerprint, day in session.execute(query):
                seen.setdefault(fingerprint, set()).add(day)
        return seen

    # ------------------------------------------------------------ scores

    def save_scores(self, run_id: int, scores: Iterable[UnitScore]) -> None:
        """Keep the scores of a run, in place of those its units had before; publishes nothing."""
        new = list(scores)
        units = {score.unit_id for score in new}
        with self._database.writing() as session:
            _run(session, run_id)
            upsert_rows(session, UnitScoreRow, [rows.unit_score_values(run_id, score) for score in new])
            of_units = (IndicatorScoreRow.run_id == run_id, IndicatorScoreRow.unit_id.in_(units))
            session.execute(delete(IndicatorScoreRow).where(*of_units))
            insert_rows(session, IndicatorScoreRow, [v for score in new for v in rows.indicator_values(run_id, score)])

    def save_site_verdicts(self, run_id: int, verdicts: Iterable[SiteVerdict]) -> None:
        """Keep the verdicts on the sites of a run, in place of those it had before."""
        with self._database.writing() as session:
            _run(session, run_id)
            upsert_rows(session, SiteVerdictRow, [rows.site_verdict_values(run_id, verdict) for verdict in verdicts])

    def site_verdicts(self, run_id: int) -> list[SiteVerdict]:
        """Return the verdicts on the sites of a run, by site id; raises RunNotFound."""
        of_run = select(SiteVerdictRow).where(SiteVerdictRow.run_id == run_id).order_by(SiteVerdictRow.site_id)
        with self._database.reading() as session:
            run = _run(session, run_id)
            return [rows.site_verdict_of(run, row) for row in session.scalars(of_run)]

    def publish(self, run_id: int, day: date, scores: Iterable[UnitScore]) -> None:
        """Make a run's saved scores those that count for the day.

        A withheld score never displaces a published one, nor does an older run, resumed late, displace a newer one.
        """
        now = self._clock()
        published = [
            {"day": day, "unit_id": score.unit_id, "run_id": run_id, "published_at": now}
            for score in scores
            if score.published
        ]
        newer = (PublishedScoreRow.day == day, PublishedScoreRow.run_id > run_id)
        with self._database.writing() as session:
            taken = set(session.scalars(select(PublishedScoreRow.unit_id).where(*newer)))
            upsert_rows(session, PublishedScoreRow, [values for values in published if values["unit_id"] not in taken])

    def scores_of_run(self, run_id: int) -> list[StoredScore]:
        """Return the scores of a run by unit."""
        with self._database.reading() as session:
            return _scores(session, _scores_query().where(UnitScoreRow.run_id == run_id))

    def scores_of_unit(self, unit_id: str, run_ids: Collection[int]) -> dict[int, StoredScore]:
        """Return a unit's scores by run."""
        query = _scores_query().where(UnitScoreRow.unit_id == unit_id, UnitScoreRow.run_id.in_(run_ids))
        with self._database.reading() as session:
            return {stored.run_id: stored for stored in _scores(session, query)}

    def scores(self, day: date | None = None) -> list[StoredScore]:
        """Return one score a unit for a day (default: the last with any): the published one, else the newest withheld.

        Scores of spot checks and re-scoring runs count only where they were published.
        """
        counting = _published() | ((RunRow.kind == RunKind.NIGHTLY) & UnitScoreRow.score.is_(None))
        with self._database.reading() as session:
            scored = select(func.max(RunRow.day)).join(UnitScoreRow, UnitScoreRow.run_id == RunRow.id)
            day = day or session.scalar(scored.where(counting))
            found = _scores(session, _scores_query().where(RunRow.day == day, counting))
        by_unit = groupby(found, key=lambda stored: stored.score.unit_id)
        return [max(group, key=lambda stored: (stored.published, stored.run_id)) for _, group in by_unit]

    def last_published_day(self, before: date) -> date | None:
        """Return the last day before a day on which any score was published; None when there is none."""
        with self._database.reading() as session:
            return session.scalar(select(func.max(PublishedScoreRow.day)).where(PublishedScoreRow.day < before))

    def year(self, first: date, last: date) -> dict[str, StoredYear]:
        """Return by unit id what the days from `first` to `last` left for the roll-up, days in order."""
        found: defaultdict[str, StoredYear] = defaultdict(StoredYear)
        in_period = PublishedScoreRow.day.between(first, last)
        days = _of_published(UnitScoreRow, UnitScoreRow.run_id, type_coerce(UnitScoreRow.vetoes, Text))
        day_of: dict[int, date] = {}
        number, vetoes_of = cache(Decimal), cache(json.loads)  # many of a year's 200 000 values are alike
        with self._database.reading() as session:
            for day, unit, run, vetoes in session.execute(days.where(in_period)):
                day_of[run] = day
                found[unit].published.append(day)
                for veto in vetoes_of(vetoes):
                    found[unit].vetoes.setdefault(veto["id"], {})[day] = veto["title"]
            for unit, run, indicator, value in session.connection().execute(_values_of_published().where(in_period)):
                found[unit].values.setdefault(indicator, {})[day_of[run]] = number(value)
            for day, unit in session.execute(_withheld(first, last)):
                if day not in found[unit].published:
                    found[unit].withheld.append(day)
        return dict(found)

    def daily_scores(self, first: date, last: date) -> dict[str, list[tuple[date, Decimal]]]:
        """Return by unit id the published scores of the days from `first` to `last`, in order."""
        found: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
        query = _of_published(UnitScoreRow, UnitScoreRow.score).where(PublishedScoreRow.day.between(first, last))
        with self._database.reading() as session:
            for day, unit, score in session.execute(query):
                found[unit].append((day, score))
        return dict(found)

    def counted_faults(self, unit_id: str, first: date, last: date) -> list[CountedFault]:
        """Return the faults that counted in the unit's published scores of a period, by check, target and item.

        None that waited for confirmation, was revoked or waived is among them, nor what was only looked at again.
        """
        told = (FindingRow.fingerprint, FindingRow.check, FindingRow.target, FindingRow.item, FindingRow.reason)
        query = (
            select(*told, func.count(FindingRow.day.distinct()), func.aggregate_strings(cast(FindingRow.id, Text), ","))
            .join(PublishedScoreRow, PublishedScoreRow.run_id == FindingRow.run_id)
            .where(
                PublishedScoreRow.unit_id == unit_id,
                PublishedScoreRow.day.between(first, last),
                FindingRow.unit_id == unit_id,
                FindingRow.outcome == Outcome.FAIL,
                FindingRow.state.not_in(NOT_COUNTED),
                FindingRow.weight != Decimal(0),
            )
            .group_by(*told)
        )
        with self._database.reading() as session:
            found = [
                CountedFault(*identity, days, tuple(sorted(map(int, numbers.split(",")))))
                for *identity, days, numbers in session.execute(query)
            ]
        return sorted(found, key=lambda fault: (fault.check, fault.target, fault.item, fault.reason))

    def seen_faults(self, first: date, last: date) -> list[SeenFault]:
        """Return the faults of the ledger that nights from `first` to `last` saw, by unit, the longest standing first.

        Each tells its newest finding of those days. A fault that only a spot check saw is none of them.
        """
        nights = (
            FindingRow.outcome == Outcome.FAIL,
            FindingRow.day.between(first, last),
            RunRow.kind == RunKind.NIGHTLY,
        )
        seen = (
            select(
                FaultRow.fingerprint,
                FaultRow.state,
                func.max(FindingRow.id).label("finding_id"),
                func.count(FindingRow.day.distinct()).label("days"),
                func.min(FindingRow.day).label("first_seen"),
                func.max(FindingRow.day).label("last_seen"),
            )
            .join(FindingRow, FindingRow.fingerprint == FaultRow.fingerprint)
            .join(RunRow, RunRow.id == FindingRow.run_id)
            .where(*nights)
            .group_by(FaultRow.fingerprint, FaultRow.state)
            .subquery()
        )
        told = select(FindingRow, seen.c.state, seen.c.days, seen.c.first_seen, seen.c.last_seen)
        told = told.join(seen, seen.c.finding_id == FindingRow.id)
        told = told.order_by(FindingRow.unit_id, seen.c.days.desc(), FindingRow.id)
        with self._database.reading() as session:
            return [
                SeenFault(row.id, rows.finding_of(row), FaultState(state), days, first_seen, last_seen)
                for row, state, days, first_seen, last_seen in session.execute(told)
            ]


# ---------------------------------------------------------------- runs


def _runs_up_to(run_id: int) -> Select[int]:
    """The newest runs: naming them lets the key of the rows, which begins with the run, be used."""
    return select(RunRow.id).where(RunRow.id <= run_id).order_by(RunRow.id.desc()).limit(EARLIER_RUNS)


def _run(session: Session, run_id: int) -> RunRow:
    row = session.get(RunRow, run_id)
    if row is None:
        raise RunNotFound(f"没有编号为 {run_id} 的巡查。")
    return row


def _require_step(
    name: str, now: RunState, then: RunState, transitions: Mapping[RunState, frozenset[RunState]]
) -> None:
    if now not in transitions[then]:
        raise IllegalTransition(f"{name}不能从状态 {now.value} 变为 {then.value}。")


# ---------------------------------------------------------------- writing


def _upsert_earliest(session: Session, row: type[ListedEntryRow], values: Iterable[rows.Values]) -> None:
    """Insert what is not there; a row whose key is taken keeps what it says, and the earlier `first_seen`."""
    table = table_of(row)
    statement = dialect_of(session).insert(table)
    earlier = statement.excluded.first_seen < table.c.first_seen
    statement = statement.on_conflict_do_update(
        index_elements=[table.c[key] for key in key_columns(table)],
        set_={"first_seen": statement.excluded.first_seen},
        where=earlier,
    )
    if new := list(values):
        session.connection().execute(statement, new)


# ---------------------------------------------------------------- reading


def _visit_order(visit: Visit) -> tuple[str, str, str, int, str, bool]:
    return visit.unit_id or "", visit.column_id or "", visit.role, visit.order, visit.url, visit.revisit


def _screenshots(session: Session, conditions: tuple[ColumnElement[bool], ...]) -> dict[str, EvidenceRef]:
    query = select(FindingRow.fingerprint, FindingRow.screenshot).where(*conditions, FindingRow.screenshot.is_not(None))
    return {fingerprint: screenshot for fingerprint, screenshot in session.execute(query) if screenshot}


def _first_state(values: rows.Values) -> str:
    return CONFIRMED if values["outcome"] == Outcome.FAIL else ""


def _with_days(session: Session, found: Sequence[FindingRow]) -> list[StoredFinding]:
    days: dict[str, tuple[date, date]] = {}
    faults: dict[str, Fault] = {}
    for some in chunks(row.fingerprint for row in found):
        query = (
            select(FindingRow.fingerprint, func.min(FindingRow.day), func.max(FindingRow.day))
            .where(FindingRow.fingerprint.in_(some))
            .group_by(FindingRow.fingerprint)
        )
        days |= {fingerprint: (first, last) for fingerprint, first, last in session.execute(query)}
        listed = session.scalars(select(FaultRow).where(FaultRow.fingerprint.in_(some)))
        faults |= {row.fingerprint: rows.fault_of(row) for row in listed}
    return [
        StoredFinding(
            id=row.id,
            run_id=row.run_id,
            day=row.day,
            finding=rows.finding_of(row),
            state=row.state,
            first_seen=days[row.fingerprint][0],
            last_seen=days[row.fingerprint][1],
            fault=faults.get(row.fingerprint),
        )
        for row in found
    ]


def _of_published(row: type[UnitScoreRow] | type[IndicatorScoreRow], *columns: Any) -> Select[Any]:
    """Day, unit and more columns of the rows that belong to published scores, days in order."""
    same = (row.run_id == PublishedScoreRow.run_id) & (row.unit_id == PublishedScoreRow.unit_id)
    chosen = select(PublishedScoreRow.day, PublishedScoreRow.unit_id, *columns)
    return chosen.join(row, same).order_by(PublishedScoreRow.day)


def _values_of_published() -> Select[Any]:
    """Unit, run, indicator and value, as the text that they are kept as, of all published scores that have one."""
    row = IndicatorScoreRow
    same = (row.run_id == PublishedScoreRow.run_id) & (row.unit_id == PublishedScoreRow.unit_id)
    unit, indicator, value = (type_coerce(column, Text) for column in (row.unit_id, row.indicator_id, row.value))
    chosen = select(unit, row.run_id, indicator, value).join(PublishedScoreRow, same)
    return chosen.where(row.value.is_not(None)).order_by(PublishedScoreRow.day)


def _withheld(first: date, last: date) -> Select[date, str]:
    """The days and units that a night inspected and could not score."""
    return (
        select(RunRow.day, UnitScoreRow.unit_id)
        .join(UnitScoreRow, UnitScoreRow.run_id == RunRow.id)
        .where(RunRow.kind == RunKind.NIGHTLY, UnitScoreRow.score.is_(None), RunRow.day.between(first, last))
        .distinct()
        .order_by(RunRow.day)
    )


def _published() -> ColumnElement[bool]:
    return exists().where(
        PublishedScoreRow.unit_id == UnitScoreRow.unit_id,
        PublishedScoreRow.run_id == UnitScoreRow.run_id,
    )


def _scores_query() -> Select[RunRow, UnitScoreRow, bool]:
    return (
        select(RunRow, UnitScoreRow, _published().label("counts"))
        .join(UnitScoreRow, UnitScoreRow.run_id == RunRow.id)
        .order_by(UnitScoreRow.unit_id, UnitScoreRow.run_id)
    )


def _scores(session: Session, query: Select[RunRow, UnitScoreRow, bool]) -> list[StoredScore]:
    found = session.execute(query).all()
    runs, units = {unit.run_id for _, unit, _ in found}, {unit.unit_id for _, unit, _ in found}
    indicators: dict[tuple[int, str], list[IndicatorScoreRow]] = {}
    of_units = (IndicatorScoreRow.run_id.in_(runs), IndicatorScoreRow.unit_id.in_(units))
    for indicator in session.scalars(select(IndicatorScoreRow).where(*of_units).order_by(IndicatorScoreRow.order)):
        indicators.setdefault((indicator.run_id, indicator.unit_id), []).append(indicator)
    return [
        StoredScore(
            run_id=run.id,
            score=rows.unit_score_of(run, unit, indicators.get((run.id, unit.unit_id), [])),
            published=counts,
            counts={row.indicator_id: rows.counts_of(row) for row in indicators.get((run.id, unit.unit_id), [])},
        )
        for run, unit, counts in found
    ]
