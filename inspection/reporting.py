"""Where storage and reports meet: what a run stored, as the files people read in the morning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from checks.model import FailureKind, Outcome
from checks.registry import CHECKS
from config.loader import RULES, SITES, WORDS
from config.schema import Unit
from inspection.briefing import brief_of
from inspection.errors import NotInspected
from inspection.place import Place
from inspection.politeness import politeness_of
from inspection.writing import ReportUnwritable, write_whole
from reports.daily import LISTED, DailyReport, ListedFinding, RunFacts, SiteDay, UnitDay
from reports.daily_page import daily_page
from reports.daily_workbook import daily_workbook
from scoring.model import UnitScore
from scoring.ranking import rank
from storage.errors import StorageError
from storage.model import Run, RunKind, RunState, StoredFinding
from storage.repository import PENDING

KIND_TITLES = {RunKind.NIGHTLY: "每日巡查", RunKind.SPOT: "抽查", RunKind.RESCORE: "重新判定"}


def write_daily_reports(place: Place, run: Run, folder: Path) -> list[Path]:
    """Write the run's workbook and page into the folder and return their paths, each whole or as it was before.

    A later run of the same kind and day takes their place. Raises ReportUnwritable, StorageError.
    """
    return write_daily(daily_report(place, place.repository.run(run.id)), folder)


def leave_daily_reports(place: Place, run: Run, say: Callable[[str], None]) -> list[Path]:
    """Write the reports of a night of every unit into the data folder, and return their paths; none for another run.

    The night is over and its scores are published: that its report cannot be written is said, and spoils nothing.
    """
    if run.units or place.repository.run(run.id).state is not RunState.PUBLISHED:
        return []
    try:
        return write_daily_reports(place, run, place.settings.reports)
    except (ReportUnwritable, StorageError) as error:
        say(f"巡查已经完成，只是报告没有写出：{error}之后可用 inspect report daily --run {run.id} 补写。")
        return []


def write_daily(report: DailyReport, folder: Path) -> list[Path]:
    """Write a report's workbook and page as `write_daily_reports` does; raises ReportUnwritable."""
    name = f"{report.run.kind}-{report.run.day.isoformat()}"
    return [
        write_whole(folder / f"{name}.xlsx", daily_workbook(report)),
        write_whole(folder / f"{name}.html", daily_page(report)),
    ]


def run_to_report(place: Place, *, day: date | None = None, number: int | None = None) -> Run:
    """Return the run of that number, else the newest finished night of the day, or of all days.

    A night of every unit goes before one of some. Raises NotInspected without one, RunNotFound for a wrong number.
    """
    if number is not None:
        return place.repository.run(number)
    nights = [run for run in place.repository.runs(day, RunKind.NIGHTLY) if run.state is RunState.PUBLISHED]
    if not nights:
        when = f"{day} 没有" if day else "还没有"
        raise NotInspected(f"{when}已完成的每日巡查；先运行 inspect run，或用 --date、--run 换一次。")
    return max(nights, key=lambda run: (run.day, not run.units, run.id))


def daily_report(place: Place, run: Run) -> DailyReport:
    """Return everything that the report of a run says; raises StorageError."""
    units = [unit for unit in place.configuration.inventory.units if not run.units or unit.id in run.units]
    findings: dict[str, list[StoredFinding]] = defaultdict(list)
    for stored in place.repository.findings(run_id=run.id, outcomes=LISTED):
        findings[stored.finding.unit_id].append(stored)
    counts = place.repository.count_outcomes(run.id)
    scores = {stored.score.unit_id: stored.score for stored in place.repository.scores_of_run(run.id)}
    ranks = rank(scores.values())
    verdicts = {verdict.site_id: verdict for verdict in place.repository.site_verdicts(run.id)}
    return DailyReport(
        district=place.configuration.inventory.district.name,
        run=_run_facts(place, run),
        checks=tuple(check.META for check in CHECKS),
        units=tuple(_unit_day(unit, scores, ranks, findings[unit.id], counts.get(unit.id, {})) for unit in units),
        sites=tuple(
            SiteDay(site.name, verdicts[site.id]) for site in place.configuration.inventory.sites if site.id in verdicts
        ),
        brief=brief_of(place, run) if run.kind is RunKind.NIGHTLY else None,
        politeness=politeness_of(place, run),
    )


def _unit_day(
    unit: Unit,
    scores: Mapping[str, UnitScore],
    ranks: Mapping[str, int | None],
    findings: list[StoredFinding],
    counts: Mapping[Outcome, int],
) -> UnitDay:
    listed = tuple(_listed(stored) for stored in findings)
    unlisted = {outcome: count for outcome, count in counts.items() if outcome not in LISTED}
    return UnitDay(unit.id, unit.name, unit.kind, scores.get(unit.id), ranks.get(unit.id), listed, unlisted)


def _listed(stored: StoredFinding) -> ListedFinding:
    pending = stored.state == PENDING
    state = stored.state if stored.finding.weight else f"{stored.state}（复查，不计分）"
    return ListedFinding(stored.id, stored.finding, state, stored.first_seen, pending)


def _run_facts(place: Place, run: Run) -> RunFacts:
    zone = ZoneInfo(place.configuration.inventory.district.timezone)

    def local(moment: datetime | None) -> datetime | None:
        return moment.astimezone(zone) if moment else None

    return RunFacts(
        number=run.id,
        kind=KIND_TITLES[run.kind],
        day=run.day,
        seed=run.seed,
        rules_version=run.rules_version,
        digests=(
            (SITES, run.inventory_digest),
            (f"{RULES} + {WORDS}", run.rules_digest),
            (_table_of(place, run), run.indicators_digest),
        ),
        software=f"xuncha {run.software}",
        captures=_captures(place.repository.count_captures(run.id)),
        started_at=local(run.started_at),
        finished_at=local(run.finished_at),
    )


def _table_of(place: Place, run: Run) -> str:
    """Return the name of the scoring table that the run went by; of one edited since, that of its year today."""
    of_year = place.configuration.table_for(run.day.year)
    names = (name for name in place.configuration.tables if place.digests[name] == run.indicators_digest)
    return next(names, of_year)


def _captures(counts: Mapping[str, int]) -> dict[str, int]:
    failed = {f"未成功：{FailureKind.of(code).title}": count for code, count in counts.items() if code != "ok"}
    return {"成功": counts.get("ok", 0), **failed}
