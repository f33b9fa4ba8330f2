"""撤销追溯: what a person found to be no fault leaves the published scores of the days that counted it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from checks.model import Finding, Outcome, Scope
from checks.registry import CHECKS
from config.schema import Unit
from inspection.place import Place
from inspection.progress import Progress
from scoring.daily import scored_again
from scoring.model import SiteVerdict
from scoring.review import FaultState, Rulings, observation, revoked_periods
from scoring.sites import about_site, site_verdict
from storage.repository import PENDING
from storage.rescoring import Correction, Counted, NightFinding

BATCH = 25  # days of one transaction: other writers wait that long
STAGE = "更正得分"
_OF_SITES = frozenset(check.META.id for check in CHECKS if check.META.scope is Scope.SITE)


def rescore_revoked(
    place: Place, unit_id: str, fingerprints: Collection[str], progress: Progress
) -> dict[str, tuple[date, ...]]:
    """Put right the published scores of a unit that count faults which were revoked; returns the days by fingerprint.

    A revocation speaks of the whole episode in which it was given: from the day the fault was opened to the day, if
    any, on which something else was seen. Each day gets a run of its own (RunKind.RESCORE) beside the old one, which
    stays as it was. What was put right before is left alone, so that an interrupted call can be made again.
    Raises StorageError.
    """
    unit = next((unit for unit in place.configuration.inventory.units if unit.id == unit_id), None)
    counted = _counted(place, unit_id, fingerprints) if unit else []
    by_run: dict[tuple[date, int], set[str]] = defaultdict(set)
    for one in counted:
        by_run[one.day, one.run_id].add(one.fingerprint)
    pending = iter(sorted(by_run.items()))
    done, overtaken = 0, False
    while unit and (some := [_Day(day, run_id, revoked) for (day, run_id), revoked in islice(pending, BATCH)]):
        entered = place.rescores.publish(list(_corrections(place, unit, some)), note="撤销问题后更正得分")
        overtaken = overtaken or len(entered) < len(some)
        done += len(some)
        progress.advance(STAGE, done, len(by_run))
    if overtaken:  # by another revocation, whose scores count these faults still
        rescore_revoked(place, unit_id, fingerprints, progress)
    return {key: tuple(one.day for one in counted if one.fingerprint == key) for key in fingerprints}


def put_right(place: Place, progress: Progress) -> None:
    """Put right what revocations have left: scores published since, or a correction that was interrupted."""
    by_unit: dict[str, list[str]] = defaultdict(list)
    for fault in place.faults.faults(states=[FaultState.REVOKED]):
        by_unit[fault.unit_id].append(fault.fingerprint)
    for unit_id, fingerprints in by_unit.items():
        rescore_revoked(place, unit_id, fingerprints, progress)


@dataclass(frozen=True, slots=True)
class _Day:
    """A published score to put right: its day, the run that it is of, and the fingerprints that are revoked."""

    day: date
    run_id: int
    revoked: set[str]


def _counted(place: Place, unit_id: str, fingerprints: Collection[str]) -> list[Counted]:
    events = place.faults.events_of(fingerprints)
    periods = {fingerprint: revoked_periods(steps) for fingerprint, steps in events.items()}
    return [
        one
        for one in place.rescores.counted(unit_id, fingerprints)
        if any(first <= one.day < end for first, end in periods.get(one.fingerprint, ()))
    ]


def _corrections(place: Place, unit: Unit, days: Sequence[_Day]) -> Iterator[Correction]:
    rules, run_ids = place.configuration.rules, [day.run_id for day in days]
    scores = place.repository.scores_of_unit(unit.id, run_ids)
    found = place.rescores.findings(unit.id, run_ids)
    for day in days:
        seen = _with_revoked(found[day.run_id], day.revoked)
        again = scored_again(
            scores[day.run_id].score, unit, [one.finding for one in seen], rules, rulings_of_night(seen)
        )
        verdicts = tuple(_verdicts(place, unit, day, seen))
        yield Correction(day.run_id, again, frozenset(day.revoked), verdicts)


def _with_revoked(found: Iterable[NightFinding], revoked: Collection[str]) -> list[NightFinding]:
    return [
        NightFinding(one.finding, FaultState.REVOKED)
        if one.finding.outcome is Outcome.FAIL and one.finding.fingerprint in revoked
        else one
        for one in found
    ]


def rulings_of_night(found: Iterable[NightFinding]) -> Rulings:
    """Return the rulings by which each finding counts as its state says: exactly as it did on its night."""
    failing = [one for one in found if one.finding.outcome is Outcome.FAIL]

    def spoken_of(state: FaultState) -> dict[str, str]:
        return {one.finding.fingerprint: observation(one.finding) for one in failing if one.state == state}

    return Rulings(
        revoked=spoken_of(FaultState.REVOKED),
        waived=spoken_of(FaultState.WAIVED),
        waiting=frozenset(one.finding.fingerprint for one in failing if one.state == PENDING),
    )


# ---------------------------------------------------------------- verdicts on sites


def _verdicts(place: Place, unit: Unit, day: _Day, seen: Sequence[NightFinding]) -> Iterator[SiteVerdict]:
    """Yield the verdicts on sites whose vetoes name what was revoked, made anew over all units of the site."""
    vetoed = {veto.check for veto in place.configuration.rules.vetoes}
    revoked = {one.finding.target for one in seen if one.finding.check in vetoed and one.state == FaultState.REVOKED}
    if not revoked:
        return
    published = place.rescores.published(day.day)
    sites = {column.site for column in unit.columns}
    for verdict in place.repository.site_verdicts(max(published.values())):
        if verdict.site_id in sites and any(revoked & set(veto.targets) for veto in verdict.vetoes):
            yield _verdict(place, verdict.site_id, day, published, {unit.id: seen})


def _verdict(
    place: Place,
    site_id: str,
    day: _Day,
    published: Mapping[str, int],
    known: Mapping[str, Sequence[NightFinding]],
) -> SiteVerdict:
    units = place.configuration.inventory.units_of(site_id)
    night = _night(place, day.run_id)
    found = {
        unit.id: known.get(unit.id) or place.rescores.findings_of(unit.id, published.get(unit.id, night))
        for unit in units
    }
    by_unit: dict[str, list[Finding]] = {key: [one.finding for one in listed] for key, listed in found.items()}
    of_site = [finding for listed in by_unit.values() for finding in listed if finding.check in _OF_SITES]
    return site_verdict(
        site_id,
        units,
        about_site(site_id, of_site, units, by_unit),
        place.configuration.rules,
        {},
        day.day,
        complete=not place.repository.run(night).units,
        rulings=rulings_of_night(one for listed in found.values() for one in listed),
    )


def _night(place: Place, run_id: int) -> int:
    """Return the run of the night that a corrected score goes back to."""
    run = place.repository.run(run_id)
    return run.id if run.rescores is None else _night(place, run.rescores)
