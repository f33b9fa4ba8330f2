"""What a year's scores were made from, on both databases: nights for a trial, faults for an explanation."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from checks.model import Finding, Outcome
from config.schema import UnitKind
from scoring.model import IndicatorScore, ScoreState, UnitScore, Verdict
from storage.database import Database
from storage.model import CountedFault, Run, RunKind, StoredYear
from storage.repository import PENDING, Repository
from storage.scored import ScoredNight, ScoredNights

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 9)
FAULT = Finding(
    "open_attribute", "http://www.example.test/1.html", Outcome.FAIL, "missing", "没有公开属性", unit_id="jiaoyuju"
)
OTHER = replace(FAULT, target="http://www.example.test/2.html", item="标签", weight=Decimal("0.5"), column_id="policy")
SCORE = UnitScore(
    unit_id="jiaoyuju",
    kind=UnitKind.DEPARTMENT,
    day=FIRST,
    rules_version="1",
    state=ScoreState.PUBLISHED,
    score=Decimal("80.00"),
    coverage=Decimal(1),
    verdict=Verdict.QUALIFIED,
    vetoes=(),
    indicators=(IndicatorScore("1.3", Decimal(3), Decimal(1) / Decimal(3), Decimal(1), ()),),
    checks=(),
    pending=(),
    reasons=(),
)


def night(
    repository: Repository,
    day: date,
    *findings: Finding,
    kind: RunKind = RunKind.NIGHTLY,
    rescores: int | None = None,
    withheld: bool = False,
    states: dict[str, str] | None = None,
) -> Run:
    """A run of 区教育局 whose score counts for the day unless it is withheld."""
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    run = repository.create_run(kind=kind, day=day, seed="s", rules_version="1", digests=digests, rescores=rescores)
    repository.replace_findings(run.id, ["jiaoyuju"], findings, states=states)
    score = replace(SCORE, day=day, state=ScoreState.WITHHELD, score=None) if withheld else replace(SCORE, day=day)
    repository.save_scores(run.id, [score])
    repository.publish(run.id, day, [score])
    return run


@pytest.fixture
def scored(database: Database) -> ScoredNights:
    return ScoredNights(database)


def test_nights_are_those_that_count_and_else_the_last_without_a_score(
    repository: Repository, scored: ScoredNights
) -> None:
    first = night(repository, FIRST, FAULT)
    right = night(repository, FIRST, FAULT, kind=RunKind.RESCORE, rescores=first.id)
    newest = night(repository, FIRST, FAULT, kind=RunKind.RESCORE, rescores=right.id)
    night(repository, FIRST + timedelta(days=1), withheld=True)
    withheld = night(repository, FIRST + timedelta(days=1), withheld=True)
    night(repository, LAST + timedelta(days=1), FAULT)
    assert scored.between(FIRST, LAST) == [
        ScoredNight(FIRST, first.id, ("jiaoyuju",), newest.id),
        ScoredNight(FIRST + timedelta(days=1), withheld.id, ("jiaoyuju",)),
    ]
    assert scored.between(LAST, LAST) == []


def test_findings_come_as_a_score_needs_them(repository: Repository, scored: ScoredNights) -> None:
    run = night(repository, FIRST, FAULT, OTHER)
    assert scored.findings(run.id) == {"jiaoyuju": [FAULT, OTHER]}
    assert scored.findings(run.id + 1) == {}
    assert scored.evidence_files(run.id) == set()


def test_faults_are_told_with_the_days_and_findings_on_which_they_counted(repository: Repository) -> None:
    again = replace(FAULT, target="http://www.example.test/3.html", weight=Decimal(0))
    first = night(repository, FIRST, FAULT, OTHER, replace(FAULT, outcome=Outcome.PASS, target="x"), again)
    night(repository, FIRST, FAULT, kind=RunKind.RESCORE, rescores=first.id)
    night(repository, FIRST + timedelta(days=1), FAULT, OTHER, states={OTHER.fingerprint: PENDING})
    night(repository, LAST + timedelta(days=1), FAULT)
    (fault,) = repository.counted_faults("jiaoyuju", FIRST, LAST)
    days, numbers = fault.days, fault.finding_ids
    assert fault == CountedFault(FAULT.fingerprint, "open_attribute", FAULT.target, "", "missing", days, numbers)
    assert days == 2
    assert [repository.finding(number)[0].day for number in numbers] == [FIRST, FIRST + timedelta(days=1)]
    assert repository.counted_faults("gonganju", FIRST, LAST) == []


def test_a_year_is_its_published_values_to_the_last_digit_and_the_days_without_any(repository: Repository) -> None:
    night(repository, FIRST)
    night(repository, FIRST + timedelta(days=1), withheld=True)
    night(repository, LAST + timedelta(days=1))
    assert repository.year(FIRST, LAST) == {
        "jiaoyuju": StoredYear(
            published=[FIRST],
            withheld=[FIRST + timedelta(days=1)],
            values={"1.3": {FIRST: Decimal(1) / Decimal(3)}},
        )
    }
