"""The ledger of faults: steps are added and never changed, and two writers never come between each other."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from checks.model import Outcome
from scoring.review import FaultState, Step
from storage.database import Database
from storage.faults import FaultLedger
from storage.model import PROGRAM, Attachment, Fault, ReviewEvent
from storage.repository import Repository
from tests.storage.conftest import NOW
from tests.storage.test_repository import begin, finding

DAY = date(2026, 11, 24)
PATIENCE = 60
FAULT = Fault(
    fingerprint="f1",
    unit_id="jiaoyuju",
    check="open_attribute",
    target="http://portal.test/" + "词" * 5000,
    item="",
    reason="missing",
    column_id="policies",
    state=FaultState.RECTIFYING,
    observation="0123456789abcdef",
    first_seen=DAY,
    last_seen=DAY,
    finding_id=7,
    deadline=DAY,
    overdue_since=DAY + timedelta(days=1),
    judged_day=DAY,
    judged_run=3,
)
OTHERS = (
    replace(FAULT, fingerprint="f2", check="dead_links", state=FaultState.PENDING, deadline=None, overdue_since=None),
    replace(FAULT, fingerprint="f3", unit_id="caizhengju", overdue_since=DAY + timedelta(days=9), column_id=None),
)
STEP = ReviewEvent(
    fingerprint="f1",
    step=Step.RECTIFY,
    state=FaultState.RECTIFYING,
    day=DAY,
    actor="张三",
    why="请整改\x00\ud800",
    until=DAY,
    observation="0123456789abcdef",
    finding_id=7,
    attachments=(Attachment("整改通知单.docx", "sha256:00", 12), Attachment("照片.jpg", "sha256:01", 2**40)),
    account="office",
)
FOUND = ReviewEvent("f1", Step.FOUND, FaultState.CONFIRMED, DAY - timedelta(days=1), PROGRAM, run_id=3)


@pytest.fixture
def ledger(database: Database) -> FaultLedger:
    return FaultLedger(database, clock=lambda: NOW)


def test_faults_and_steps_come_back_as_they_went_in(ledger: FaultLedger) -> None:
    ledger.record([FAULT], [FOUND, STEP])
    assert ledger.fault("f1") == FAULT
    found, step = ledger.events("f1")
    assert found == replace(FOUND, recorded_at=NOW, id=1)
    assert step == replace(STEP, why="请整改\ufffd\ufffd", recorded_at=NOW, id=2)
    assert ledger.fault("f0") is None
    assert ledger.events("f0") == []


def test_a_fault_moves_and_its_steps_stay(ledger: FaultLedger) -> None:
    ledger.record([FAULT], [FOUND])
    mended = replace(FAULT, state=FaultState.MENDED, deadline=None, overdue_since=None)
    ledger.record([mended], [STEP])
    assert ledger.fault("f1") == mended
    assert [event.step for event in ledger.events("f1")] == [Step.FOUND, Step.RECTIFY]


def test_a_step_recorded_before_keeps_its_time(ledger: FaultLedger) -> None:
    earlier = datetime(2026, 1, 1, tzinfo=UTC)
    ledger.record([FAULT], [replace(FOUND, recorded_at=earlier)])
    assert ledger.events("f1")[0].recorded_at == earlier


def test_faults_are_found_by_what_is_asked(ledger: FaultLedger) -> None:
    ledger.record([FAULT, *OTHERS], [])

    def asked(**conditions: object) -> list[str]:
        return [fault.fingerprint for fault in ledger.faults(**conditions)]  # type: ignore[arg-type]

    assert asked() == ["f3", "f2", "f1"], "by unit and check"
    assert asked(unit_ids=["jiaoyuju"]) == ["f2", "f1"]
    assert asked(unit_ids=[]) == []
    assert asked(check="open_attribute") == ["f3", "f1"]
    assert asked(states={FaultState.PENDING}) == ["f2"]
    assert asked(overdue_on=DAY + timedelta(days=1)) == ["f1"]
    assert asked(overdue_on=DAY) == []
    assert sorted(ledger.known(["f1", "f3", "f4"])) == ["f1", "f3"]


def test_steps_are_found_by_day_and_by_persons_part(ledger: FaultLedger) -> None:
    untouched = replace(FOUND, fingerprint="f2")
    ledger.record([FAULT, *OTHERS], [FOUND, untouched, STEP])
    assert [event.step for event in ledger.events_between(DAY, DAY)] == [Step.RECTIFY]
    assert len(ledger.events_between(DAY - timedelta(days=1), DAY)) == 3
    assert [(event.fingerprint, event.step) for event in ledger.reviewed(["jiaoyuju"])] == [
        ("f1", Step.FOUND),
        ("f1", Step.RECTIFY),
    ]
    assert ledger.reviewed(["caizhengju"]) == []


def test_thousands_are_read_and_written_at_once(ledger: FaultLedger) -> None:
    many = [replace(FAULT, fingerprint=f"{number:032x}") for number in range(1200)]
    ledger.record(many, [replace(FOUND, fingerprint=fault.fingerprint) for fault in many])
    keys = [fault.fingerprint for fault in many]
    assert len(ledger.known(keys)) == len(ledger.events_of(keys)) == 1200


def test_a_change_that_fails_leaves_nothing(ledger: FaultLedger) -> None:
    with pytest.raises(RuntimeError), ledger.changing() as change:
        change.record([FAULT], [FOUND])
        raise RuntimeError
    assert ledger.fault("f1") is None
    assert ledger.events("f1") == []


def test_what_one_writer_read_no_other_changes_before_it_wrote(ledger: FaultLedger) -> None:
    ledger.record([FAULT], [])
    reading, seen = threading.Event(), []

    def second() -> None:
        reading.wait(PATIENCE)
        with ledger.changing() as change:
            seen.append(change.known(["f1"])["f1"].state)

    other = threading.Thread(target=second)
    other.start()
    with ledger.changing() as change:
        fault = change.known(["f1"])["f1"]
        reading.set()
        other.join(0.3)
        change.record([replace(fault, state=FaultState.MENDED)], [])
    other.join(PATIENCE)
    assert seen == [FaultState.MENDED]


# ---------------------------------------------------------------- findings and the faults they show


def test_findings_are_picked_by_where_their_fault_stands_today(repository: Repository, ledger: FaultLedger) -> None:
    run = begin(repository)
    first, second = finding(), finding("http://portal.test/b")
    repository.replace_findings(run.id, [first.unit_id], [first, second])
    fault = replace(FAULT, fingerprint=first.fingerprint, state=FaultState.WAIVED, overdue_since=None)
    ledger.record([fault], [])
    (waived,) = repository.findings(state="豁免")
    assert (waived.finding, waived.state, waived.fault) == (first, "已确认", fault)
    (confirmed,) = repository.findings(state="已确认")
    assert (confirmed.finding, confirmed.fault) == (second, None)
    assert repository.finding(waived.id)[0] == waived
    assert repository.fingerprints([waived.id, confirmed.id, 10**6]) == {
        waived.id: first.fingerprint,
        confirmed.id: second.fingerprint,
    }


def test_a_target_passes_only_when_nothing_about_it_was_left_untold(repository: Repository) -> None:
    run = begin(repository)
    seen = [
        finding("a", outcome=Outcome.PASS),
        finding("b", outcome=Outcome.PASS),
        finding("b", outcome=Outcome.INCONCLUSIVE, reason="not_read"),
        finding("c", outcome=Outcome.NOT_TESTED),
        finding("d", outcome=Outcome.PASS),
        finding("d", outcome=Outcome.FAIL, reason="contradictory"),
        finding("e", outcome=Outcome.NOT_APPLICABLE),
    ]
    repository.replace_findings(run.id, ["jiaoyuju"], seen)
    assert repository.passing(run.id, "jiaoyuju") == {("open_attribute", "a", ""), ("open_attribute", "d", "")}
    assert repository.passing(run.id, "caizhengju") == set()
