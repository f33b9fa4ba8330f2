"""Where storage and the brief meet: a night beside the published night before, and what the ledger says in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from checks.registry import CHECKS
from inspection.documents import location, meta_of, unit_names
from inspection.place import Place
from reports.brief import Brief, BriefFault, FaultNews, NightScores, Titles, make_brief, waiver_ends_soon
from scoring.review import FaultState, Step
from storage.model import PROGRAM, Fault, ReviewEvent, Run, RunKind, StoredScore

_COUNTED = {
    Step.SETTLED: "待确认的，多次看到，现在计分",
    Step.CHANGED: "豁免或撤销过的，现在看到的情况变了",
    Step.EXPIRED: "豁免到期",
}
_NEWS = {Step.FOUND, Step.RETURNED, Step.MENDED, *_COUNTED}
_Dated = tuple[Fault, date | None]


def brief_of(place: Place, run: Run) -> Brief:
    """Return what changed between the last night with published scores before the run's day and the run.

    What waits for people is told as it stands now. Raises StorageError.
    """
    scores = {stored.score.unit_id: stored.score for stored in place.repository.scores_of_run(run.id)}
    night = NightScores(run.day, scores, place.repository.failing(run.id))
    stored = _night_before(place, run.day)
    before = _as_night(place, stored) if stored else None
    since = before.day if before else run.day
    events = place.faults.events_between(since, run.day)
    seen_before = _last_night(place, before.day) if before else 0
    seen = [event for event in events if event.run_id is not None and seen_before < event.run_id <= run.id]
    notes = (*_partly(run), *_taken(events, run.day))
    return make_brief(night, before, _news(place, run, seen), _titles(place, run.day.year), notes)


def _night_before(place: Place, day: date) -> list[StoredScore]:
    last = place.repository.last_published_day(day)
    return [row for row in place.repository.scores(last) if row.published] if last else []


def _last_night(place: Place, day: date) -> int:
    """Return the number of the day's last night; its scores may be those of a later run that put them right."""
    return max((run.id for run in place.repository.runs(day, RunKind.NIGHTLY)), default=0)


def _as_night(place: Place, stored: Sequence[StoredScore]) -> NightScores:
    run_of = {row.score.unit_id: row.run_id for row in stored}
    failing = {
        key: count
        for run_id in sorted(set(run_of.values()))
        for key, count in place.repository.failing(run_id).items()
        if run_of.get(key[0]) == run_id
    }
    return NightScores(stored[0].day, {row.score.unit_id: row.score for row in stored}, failing)


def _titles(place: Place, year: int) -> Titles:
    return Titles(
        units=unit_names(place),
        indicators={row.id: row.title for row in place.configuration.indicators_for(year).indicators},
        checks={check.META.id: check.META.title for check in CHECKS},
    )


def _partly(run: Run) -> Iterator[str]:
    if run.units:
        yield f"这次只巡查了 {len(run.units)} 个单位。"


def _taken(events: Iterable[ReviewEvent], day: date) -> Iterator[str]:
    """Say what people did since the night before; their day begins after the night."""
    steps = [event.step for event in events if event.actor != PROGRAM and event.day < day]
    if steps:
        yield f"上一夜以来办公室办理：{'、'.join(f'{step} {steps.count(step)}' for step in Step if step in steps)}。"


# ---------------------------------------------------------------- faults


def _news(place: Place, run: Run, events: Iterable[ReviewEvent]) -> FaultNews:
    names = {key: name for key, name in unit_names(place).items() if not run.units or key in run.units}
    last = {event.fingerprint: event.step for event in events if event.step in _NEWS}
    faults = place.faults.known(last)

    def told(faults: Iterable[_Dated]) -> tuple[BriefFault, ...]:
        return _grouped(place, [(fault, day) for fault, day in faults if fault.unit_id in names], names)

    def became(step: Step) -> tuple[BriefFault, ...]:
        return told((faults[key], None) for key, taken in last.items() if taken is step and key in faults)

    counted = (replace(fault, why=why) for step, why in _COUNTED.items() for fault in became(step))

    waived = place.faults.faults(states={FaultState.WAIVED})
    return FaultNews(
        found=became(Step.FOUND),
        returned=became(Step.RETURNED),
        counted=tuple(counted),
        mended=became(Step.MENDED),
        overdue=told((fault, fault.deadline) for fault in place.faults.faults(overdue_on=run.day)),
        waivers_ending=told((f, f.waived_until) for f in waived if waiver_ends_soon(f.waived_until, run.day)),
        appeals=told(
            (fault, _appealed_on(place, fault)) for fault in place.faults.faults(states={FaultState.APPEALED})
        ),
    )


def _appealed_on(place: Place, fault: Fault) -> date | None:
    days = [event.day for event in place.faults.events(fault.fingerprint) if event.step is Step.APPEAL]
    return days[-1] if days else None


def _grouped(place: Place, faults: Iterable[_Dated], names: dict[str, str]) -> tuple[BriefFault, ...]:
    """Tell a fault of a site once, however many units it counts for; by check and page, in inventory order of units."""
    order = list(names)
    groups: dict[tuple[str, ...], list[_Dated]] = {}
    for fault, day in sorted(faults, key=lambda dated: order.index(dated[0].unit_id)):
        key = (fault.check, fault.reason, fault.target, fault.item, str(day))
        groups.setdefault(key, []).append((fault, day))
    return tuple(_told(place, group, names) for group in groups.values())


def _told(place: Place, group: Sequence[_Dated], names: dict[str, str]) -> BriefFault:
    first, day = group[0]
    meta = meta_of(first.check)
    return BriefFault(
        units=tuple(dict.fromkeys(names[fault.unit_id] for fault, _ in group)),
        check=meta.title if meta else first.check,
        reason=meta.reason_title(first.reason) if meta else first.reason,
        target="" if first.target == first.unit_id else location(place, first.target),
        numbers=tuple(fault.finding_id for fault, _ in group),
        day=day,
    )
