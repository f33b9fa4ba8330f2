"""A small made-up year: it is what it says it is, and both databases make the same result of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from checks.model import Outcome
from checks.registry import CHECKS
from fixtures.year.__main__ import main as command
from fixtures.year.aspects import ASPECTS
from fixtures.year.fill import MadeUpYear, fill
from fixtures.year.office import CLERK, DIRECTOR
from fixtures.year.watches import nights
from inspection.explaining import explained
from inspection.place import Place, opened
from inspection.reviewing import rulings
from inspection.rollup import annual
from inspection.settings import resolve
from scoring.annual import Annual, Status
from scoring.daily import daily_score
from scoring.review import FaultState, Step
from storage.model import PROGRAM, RunState

ROOT = Path(__file__).parents[2]
FIRST, DAYS = date(2026, 3, 1), 16
UNITS = ("luanchengzhen", "jiaoyuju", "caizhengju", "minzhengju", "shichangjianguanju")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Sixteen days of every unit, on SQLite."""
    with opened(resolve(ROOT / "config", tmp_path_factory.mktemp("year"), environment={})) as place:
        fill(place, MadeUpYear(FIRST, DAYS))
        yield place


def test_every_check_is_there_in_words_that_it_knows() -> None:
    reasons = {check.META.id: check.META.reasons for check in CHECKS}
    assert {aspect.check for aspect in ASPECTS} == reasons.keys()
    for aspect in ASPECTS:
        assert {aspect.good, aspect.bad, *filter(None, [aspect.otherwise])} <= reasons[aspect.check].keys()


def test_each_unit_has_a_finding_of_each_check_on_each_night(place: Place) -> None:
    run = place.repository.runs(day=FIRST)[0]
    found = {(stored.finding.unit_id, stored.finding.check) for stored in place.repository.findings(run_id=run.id)}
    assert found == {(unit.id, check.META.id) for unit in place.configuration.inventory.units for check in CHECKS}


def test_some_nights_are_missing_one_failed_and_some_scores_are_withheld(place: Place) -> None:
    runs = place.repository.runs()
    days = {run.day for run in runs}
    assert FIRST + timedelta(days=13) not in days
    assert len(days) == len(runs) == DAYS - 1
    assert Counter(run.state for run in runs) == {RunState.PUBLISHED: DAYS - 2, RunState.FAILED: 1}
    assert all("虚构" in run.note for run in runs if run.state is RunState.PUBLISHED)
    assert any(year.withheld for year in place.repository.year(FIRST, FIRST + timedelta(days=DAYS)).values())


def test_the_scores_are_what_the_findings_come_to(place: Place) -> None:
    rules = place.configuration.rules
    for run in place.repository.runs()[:3]:
        for stored in place.repository.scores_of_run(run.id)[::6]:
            unit = place.configuration.inventory.unit(stored.score.unit_id)
            findings = [kept.finding for kept in place.repository.findings(run_id=run.id, unit_id=unit.id)]
            since = run.day - timedelta(days=rules.confirmation.nights - 1)
            seen = place.repository.seen_days([unit.id], since, run.day)
            ruled = rulings(place, [unit.id], run.day)
            score = daily_score(unit, findings, place.configuration.indicators_for(2026), rules, seen, run.day, ruled)
            assert (score.score, score.coverage, score.vetoes, score.indicators) == (
                stored.score.score,
                stored.score.coverage,
                stored.score.vetoes,
                stored.score.indicators,
            )


def test_faults_stand_in_every_state_and_say_who_did_what(place: Place) -> None:
    faults = place.faults.faults()
    assert {fault.state for fault in faults} == set(FaultState)
    for fault in faults[::10]:
        events = place.faults.events(fault.fingerprint)
        assert events[0].step is Step.FOUND
        assert events[-1].state is fault.state
        stored, sightings = place.repository.finding(fault.finding_id)
        assert (stored.finding.fingerprint, stored.day, stored.finding.outcome) == (
            fault.fingerprint,
            fault.last_seen,
            Outcome.FAIL,
        )
        assert fault.first_seen == sightings[-1].day
    every = place.faults.events_between(FIRST, FIRST + timedelta(days=DAYS))
    assert {event.actor for event in every} == {PROGRAM, CLERK, DIRECTOR}
    assert {event.step for event in every} >= set(Step) - {Step.RETURNED, Step.EXPIRED, Step.CHANGED}


def test_nothing_is_wanting_for_a_year_that_can_be_published(place: Place) -> None:
    result = annual(place, FIRST.year)
    assert result.status is Status.FINAL
    assert any(row.deducted for unit in result.units for row in unit.indicators)


def test_its_command_fills_a_new_folder_and_never_one_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["fixtures.year", str(tmp_path / "data"), "--year", "2025", "--days", "2", "--config", str(ROOT / "config")]
    monkeypatch.delenv("INSPECT_DATABASE_URL", raising=False)
    monkeypatch.setattr("sys.argv", asked)
    assert command() == 0
    assert "inspect rollup --year 2025" in capsys.readouterr().out
    assert command() == 2
    assert "另指定" in capsys.readouterr().err
    with opened(resolve(ROOT / "config", tmp_path / "data", environment={})) as place:
        assert [run.day for run in place.repository.runs()] == [date(2025, 1, 2), date(2025, 1, 1)]


def test_the_first_days_are_the_same_however_long_the_year_is(place: Place) -> None:
    inventory = place.configuration.inventory
    units = inventory.units[:3]
    long, short = (list(nights(inventory, units, FIRST, days, "s", "1")) for days in (40, 5))
    assert long[: len(short)] == short
    assert long[0] != next(nights(inventory, units, FIRST, 1, "another", "1"))


def _small_year(database_url: str | None, folder: Path) -> tuple[Annual, dict[str, set[tuple[str, str]]]]:
    """Return a small year's whole result, and what the findings are about that explain one unit's."""
    with opened(resolve(ROOT / "config", folder, database_url, environment={})) as place:
        fill(place, MadeUpYear(FIRST, 20, UNITS))
        result = annual(place, FIRST.year)
        told = explained(place, result, place.configuration.indicators_for(FIRST.year), UNITS[1], date(2026, 12, 31))
        about: dict[str, set[tuple[str, str]]] = {}
        for row in told.rows:
            for number in (number for fault in row.faults for number in fault.finding_ids):
                stored, _ = place.repository.finding(number)
                assert (stored.finding.unit_id, stored.finding.outcome) == (UNITS[1], Outcome.FAIL)
                about.setdefault(row.row.id, set()).add((stored.finding.fingerprint, str(stored.day)))
        return result, about


def test_both_databases_make_the_same_of_a_year_down_to_the_findings(tmp_path: Path, postgresql_url: str) -> None:
    of_sqlite = _small_year(None, tmp_path / "one")
    assert of_sqlite == _small_year(postgresql_url, tmp_path / "other")
    assert of_sqlite[1]
