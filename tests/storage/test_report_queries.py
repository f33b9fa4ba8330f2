"""What the reports ask of the database: scores and faults of a period, counts of a night."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from checks.model import Finding, Outcome
from config.schema import UnitKind
from scoring.model import ScoreState, UnitScore
from scoring.review import FaultState
from storage.database import Database
from storage.faults import FaultLedger
from storage.model import Fault, RunKind
from storage.repository import Repository

DAY = date(2026, 11, 20)
DIGESTS = {"rules": "r", "indicators": "i", "inventory": "v"}


def finding(name: str, outcome: Outcome = Outcome.FAIL, unit: str = "a") -> Finding:
    return Finding("open_attribute", f"http://a.example/{name}", outcome, "missing", unit_id=unit, observed=name)


def score(day: date, total: str, unit: str = "a") -> UnitScore:
    return UnitScore(
        unit_id=unit,
        kind=UnitKind.DEPARTMENT,
        day=day,
        rules_version="1",
        state=ScoreState.PUBLISHED if total else ScoreState.WITHHELD,
        score=Decimal(total) if total else None,
        coverage=Decimal(1),
        verdict=None,
        vetoes=(),
        indicators=(),
        checks=(),
        pending=(),
        reasons=(),
    )


@pytest.fixture
def ledger(database: Database) -> FaultLedger:
    return FaultLedger(database)


def night(repository: Repository, day: date, *findings: Finding, kind: RunKind = RunKind.NIGHTLY, total: str = "80"):
    run = repository.create_run(kind=kind, day=day, seed="s", rules_version="1", digests=DIGESTS)
    repository.replace_findings(run.id, {"a", "b"}, findings)
    repository.save_scores(run.id, [score(day, total)])
    if kind is RunKind.NIGHTLY:
        repository.publish(run.id, day, [score(day, total)])
    return run


def enter(ledger: FaultLedger, *findings: Finding, state: FaultState = FaultState.CONFIRMED) -> None:
    faults = [
        Fault(f.fingerprint, f.unit_id, f.check, f.target, f.item, f.reason, None, state, "o", DAY, DAY, 1)
        for f in findings
    ]
    ledger.record(faults, [])


def test_published_scores_of_a_period_come_by_unit_in_order(repository: Repository) -> None:
    for number, total in ((2, "82"), (0, "80"), (1, ""), (3, "83")):
        night(repository, DAY + timedelta(days=number), total=total)
    assert repository.daily_scores(DAY, DAY + timedelta(days=2)) == {
        "a": [(DAY, Decimal(80)), (DAY + timedelta(days=2), Decimal(82))]
    }
    assert repository.daily_scores(date(2025, 1, 1), date(2025, 12, 31)) == {}


def test_a_fault_is_told_once_with_the_days_on_which_nights_saw_it(repository: Repository, ledger: FaultLedger) -> None:
    often, once, other = finding("often"), finding("once"), finding("other", unit="b")
    for number in range(3):
        night(repository, DAY + timedelta(days=number), often, other)
    night(repository, DAY + timedelta(days=2), often, once)
    night(repository, DAY + timedelta(days=9), often)
    night(repository, DAY + timedelta(days=1), once, kind=RunKind.SPOT)
    night(repository, DAY + timedelta(days=1), finding("once", Outcome.PASS))
    enter(ledger, often, other)
    enter(ledger, once, state=FaultState.WAIVED)
    seen = repository.seen_faults(DAY, DAY + timedelta(days=5))
    assert [(one.finding.observed, one.days) for one in seen] == [("often", 3), ("once", 1), ("other", 3)]
    first = seen[0]
    assert (first.first_seen, first.last_seen) == (DAY, DAY + timedelta(days=2))
    assert first.finding_id == repository.findings(run_id=4)[0].id
    assert [one.state for one in seen] == [FaultState.CONFIRMED, FaultState.WAIVED, FaultState.CONFIRMED]


def test_a_fault_that_only_a_spot_check_saw_is_none_of_the_period(repository: Repository, ledger: FaultLedger) -> None:
    night(repository, DAY, finding("spot"), kind=RunKind.SPOT)
    enter(ledger, finding("spot"))
    assert repository.seen_faults(DAY, DAY) == []


def test_faults_that_count_are_counted_by_unit_and_check(repository: Repository) -> None:
    run = repository.create_run(kind=RunKind.NIGHTLY, day=DAY, seed="s", rules_version="1", digests=DIGESTS)
    found = [finding(name) for name in "abcd"] + [finding("e", Outcome.PASS), finding("f", unit="b")]
    states = dict(zip((one.fingerprint for one in found), ("待确认", "撤销", "豁免"), strict=False))
    repository.replace_findings(run.id, {"a", "b"}, found, states=states)
    assert repository.failing(run.id) == {("a", "open_attribute"): 1, ("b", "open_attribute"): 1}


def test_the_last_published_day_before_a_day(repository: Repository) -> None:
    assert repository.last_published_day(DAY) is None
    night(repository, DAY)
    night(repository, DAY + timedelta(days=1), total="")
    assert repository.last_published_day(DAY) is None
    assert repository.last_published_day(DAY + timedelta(days=2)) == DAY
