"""Published scores put right: the new beside the old, and nothing of the old touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from checks.model import Outcome
from scoring.model import SiteVerdict, Verdict, VetoHit
from storage.database import Database
from storage.model import RunKind
from storage.repository import Repository
from storage.rescoring import Correction, Counted, RescoreStore
from tests.storage.conftest import NOW
from tests.storage.test_repository import DAY, SOMEWHERE, begin, finding, score

FAIL = finding(outcome=Outcome.FAIL, screenshot=SOMEWHERE)
PASSING = finding("http://portal.test/b", outcome=Outcome.PASS)
SCORE = score(FAIL.unit_id, day=DAY)
VETOED = VetoHit("empty", "空白栏目", 5, ("http://portal.test/a",))
VERDICT = SiteVerdict("portal", DAY, Verdict.UNQUALIFIED, (VETOED,), Decimal("0.9"))
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def rescores(database: Database) -> RescoreStore:
    return RescoreStore(database, clock=lambda: NOW)


def night(repository: Repository, day=DAY):  # type: ignore[no-untyped-def]
    run = begin(repository, day)
    score = replace(SCORE, day=day)
    repository.replace_findings(run.id, [FAIL.unit_id], [FAIL, PASSING])
    repository.save_scores(run.id, [score])
    repository.save_site_verdicts(run.id, [VERDICT])
    repository.publish(run.id, day, [score])
    return run


def correction(run_id: int, **more: object) -> Correction:
    better = replace(SCORE, score=Decimal("99.50"))
    return replace(Correction(run_id, better, frozenset({FAIL.fingerprint})), **more)  # type: ignore[arg-type]


def test_days_that_count_a_fault_are_told(repository: Repository, rescores: RescoreStore) -> None:
    first, second = night(repository), night(repository, NEXT)
    assert rescores.counted(FAIL.unit_id, [FAIL.fingerprint, PASSING.fingerprint]) == [
        Counted(DAY, first.id, FAIL.fingerprint),
        Counted(NEXT, second.id, FAIL.fingerprint),
    ]
    assert rescores.counted("another", [FAIL.fingerprint]) == []
    assert rescores.counted(FAIL.unit_id, []) == []


def test_a_correction_stands_beside_what_it_corrects(repository: Repository, rescores: RescoreStore) -> None:
    old = night(repository)
    (number,) = rescores.publish([correction(old.id)], "更正")
    new = repository.run(number)
    assert (new.kind, new.rescores, new.units, new.day, new.note) == (
        RunKind.RESCORE,
        old.id,
        (FAIL.unit_id,),
        DAY,
        "更正",
    )
    assert new.finished
    assert (new.rules_digest, new.indicators_digest) == (old.rules_digest, old.indicators_digest)
    (counting,) = repository.scores(DAY)
    assert (counting.run_id, counting.score.score, counting.published) == (number, Decimal("99.50"), True)
    (before,) = repository.scores_of_run(old.id)
    assert (before.score.score, before.published) == (SCORE.score, False)
    assert repository.site_verdicts(number) == repository.site_verdicts(old.id)
    assert rescores.counted(FAIL.unit_id, [FAIL.fingerprint]) == []


def test_of_two_corrections_at_once_the_second_is_left_to_be_made_anew(
    repository: Repository, rescores: RescoreStore
) -> None:
    old = night(repository)
    (first,) = rescores.publish([correction(old.id)], "更正")
    assert rescores.publish([correction(old.id, revoked=frozenset())], "更正") == []
    assert [stored.run_id for stored in repository.scores(DAY)] == [first]
    assert len(repository.runs()) == 2


def test_its_findings_are_those_of_the_night_but_for_the_state(repository: Repository, rescores: RescoreStore) -> None:
    old = night(repository)
    (number,) = rescores.publish([correction(old.id)], "")
    kept = {run: repository.findings(run_id=run) for run in (old.id, number)}
    assert [stored.finding for stored in kept[number]] == [stored.finding for stored in kept[old.id]]
    states = {run: {stored.finding.outcome: stored.state for stored in findings} for run, findings in kept.items()}
    assert states[old.id][Outcome.FAIL] == "已确认"
    assert states[number] == states[old.id] | {Outcome.FAIL: "撤销"}


def test_a_verdict_that_comes_out_differently_takes_the_place_of_the_copy(
    repository: Repository, rescores: RescoreStore
) -> None:
    old = night(repository)
    changed = replace(VERDICT, verdict=None, vetoes=())
    (number,) = rescores.publish([correction(old.id, verdicts=(changed,))], "")
    assert repository.site_verdicts(number) == [changed]
    assert repository.site_verdicts(old.id) == [VERDICT]


def test_corrections_come_in_together_or_not_at_all(repository: Repository, rescores: RescoreStore) -> None:
    old = night(repository)

    def broken():  # type: ignore[no-untyped-def]
        yield correction(old.id)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        rescores.publish(broken(), "")
    assert [run.id for run in repository.runs()] == [old.id]
    assert repository.scores(DAY)[0].run_id == old.id
