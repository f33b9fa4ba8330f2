"""The ledger of faults over nights and people's steps, through the flow of an inspection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import update

from checks.model import Finding, Outcome
from inspection import rescoring
from inspection.place import Place, opened
from inspection.reviewing import StepInvalid, follow_run, rulings
from inspection.settings import resolve
from scoring.review import FaultState, Step
from storage.model import PROGRAM, RunKind
from storage.tables import FindingRow
from tests.inspection.nights import ALIVE, DEAD, FAULTY, FINE, PAGE, UNIT, UNREAD, Nights
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)
WHOLE = Finding("agency_functions", f"{PAGE}?column", Outcome.FAIL, "unpublished", unit_id=UNIT)
PART = replace(WHOLE, outcome=Outcome.PASS, reason="stated", item="职能")
CHANGED = replace(FAULTY, observed="标注的是“內部公开”。")


def after(days: int) -> date:
    return DAY + timedelta(days=days)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    write_made_config(DAY, tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        yield place


@pytest.fixture
def nights(place: Place, monkeypatch: pytest.MonkeyPatch) -> Nights:
    return Nights(place, monkeypatch)


# ---------------------------------------------------------------- runs


def test_a_fault_enters_the_ledger_when_it_is_first_seen_and_is_mended_when_its_target_passes(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    assert nights.state() is FaultState.CONFIRMED
    nights.night(after(1), FAULTY)
    seen = nights.fault()
    assert (seen.first_seen, seen.last_seen) == (DAY, after(1))
    assert seen.finding_id == nights.kept(nights.newest()).id
    nights.night(after(2), FINE)
    assert nights.state() is FaultState.MENDED
    nights.night(after(3), FAULTY)
    assert nights.steps() == [Step.FOUND, Step.MENDED, Step.RETURNED]
    assert {event.actor for event in nights.place.faults.events(FAULTY.fingerprint)} == {PROGRAM}


@pytest.mark.parametrize("seen", [(), (UNREAD,), (FINE, UNREAD)])
def test_what_was_not_read_is_neither_mended_nor_overdue(nights: Nights, seen: tuple[Finding, ...]) -> None:
    nights.night(DAY, FAULTY)
    nights.take(DAY, Step.RECTIFY, FAULTY, until=after(1))
    nights.night(after(5), *seen)
    assert nights.state() is FaultState.RECTIFYING
    assert nights.steps() == [Step.FOUND, Step.RECTIFY]
    assert nights.fault().last_seen == DAY


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ((PART,), FaultState.MENDED),
        ((replace(PART, outcome=Outcome.FAIL),), FaultState.MENDED),
        ((PART, replace(PART, item="电话", outcome=Outcome.INCONCLUSIVE)), FaultState.CONFIRMED),
        ((PART, WHOLE), FaultState.CONFIRMED),
    ],
)
def test_what_was_missing_altogether_is_mended_once_its_parts_are_judged(
    nights: Nights, seen: tuple[Finding, ...], state: FaultState
) -> None:
    nights.night(DAY, WHOLE)
    nights.night(after(1), *seen)
    assert nights.state(WHOLE) is state


def test_a_fault_of_the_networks_mood_waits_until_it_was_seen_often_enough(nights: Nights) -> None:
    assert nights.night(DAY, DEAD).pending == (DEAD,)
    assert nights.state(DEAD) is FaultState.PENDING
    assert nights.night(after(1), DEAD).pending == ()
    assert nights.state(DEAD) is FaultState.CONFIRMED
    nights.night(after(2), ALIVE)
    nights.night(after(9), DEAD)
    assert nights.state(DEAD) is FaultState.PENDING
    assert nights.steps(DEAD) == [Step.FOUND, Step.SETTLED, Step.MENDED, Step.RETURNED]


def test_what_a_person_confirmed_counts_from_the_next_night_on(nights: Nights) -> None:
    nights.night(DAY, DEAD)
    nights.take(after(5), Step.CONFIRM, DEAD)
    assert nights.night(after(6), DEAD).pending == ()
    assert nights.kept(nights.newest(), DEAD).state == "已确认"


def test_a_spot_check_moves_the_ledger_too(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    nights.night(DAY, FINE, kind=RunKind.SPOT)
    assert nights.state() is FaultState.MENDED


def test_a_run_followed_twice_is_followed_once(nights: Nights) -> None:
    nights.night(DAY, FAULTY, DEAD)
    nights.take(DAY, Step.RECTIFY, FAULTY, until=DAY)
    nights.night(after(1), FAULTY, DEAD)
    before = (nights.fault(), nights.fault(DEAD), nights.steps(), nights.steps(DEAD))
    for _ in range(2):
        follow_run(nights.place, nights.newest())
    assert (nights.fault(), nights.fault(DEAD), nights.steps(), nights.steps(DEAD)) == before


def test_a_run_judged_anew_before_it_ended_leads_to_its_new_findings(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    run, steps = nights.newest(), nights.steps()
    before = nights.fault().finding_id
    nights.place.repository.replace_findings(run.id, [UNIT], [FAULTY])
    follow_run(nights.place, run)
    assert nights.steps() == steps
    assert nights.fault().finding_id == nights.kept(run).id != before


@pytest.mark.parametrize("late", [FAULTY, FINE, CHANGED])
def test_an_older_run_that_comes_late_moves_nothing(nights: Nights, late: Finding) -> None:
    nights.night(after(-9), FAULTY)
    nights.night(DAY, FINE)
    nights.night(after(1), FAULTY)
    before = nights.fault(), nights.steps()
    nights.night(after(-1), late)
    assert (nights.fault(), nights.steps()) == before


def test_an_older_run_that_comes_late_still_tells_since_when(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    nights.night(after(-3), FAULTY)
    assert (nights.fault().first_seen, nights.fault().last_seen) == (after(-3), DAY)


def test_an_order_is_overdue_once_when_the_fault_is_seen_after_its_deadline(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    nights.take(DAY, Step.RECTIFY, FAULTY, until=after(2))
    for days in (1, 2, 3, 4):
        nights.night(after(days), FAULTY)
    assert nights.steps() == [Step.FOUND, Step.RECTIFY, Step.OVERDUE]
    assert nights.fault().overdue_since == after(3)
    assert nights.state() is FaultState.RECTIFYING
    assert [fault.fingerprint for fault in nights.place.faults.faults(overdue_on=after(3))] == [FAULTY.fingerprint]
    nights.take(after(4), Step.RECTIFY, FAULTY, until=after(9))
    assert nights.place.faults.faults(overdue_on=after(9)) == []


# ---------------------------------------------------------------- rulings in the score


def test_a_waived_fault_leaves_the_count_until_the_waiver_ends(nights: Nights) -> None:
    with_fault = nights.night(DAY, FAULTY).score
    nights.take(DAY, Step.WAIVE, FAULTY, until=after(2))
    without = nights.night(after(1)).score
    assert nights.night(after(2), FAULTY).score == without != with_fault
    assert nights.kept(nights.newest()).state == "豁免"
    assert nights.night(after(3), FAULTY).score == with_fault
    assert nights.kept(nights.newest()).state == "已确认"
    assert nights.steps() == [Step.FOUND, Step.WAIVE, Step.EXPIRED]


def test_a_waiver_speaks_of_what_was_seen_when_it_was_given(nights: Nights) -> None:
    with_fault = nights.night(DAY, FAULTY).score
    nights.take(DAY, Step.WAIVE, FAULTY, until=after(100))
    assert nights.night(after(1), CHANGED).score == with_fault
    assert nights.steps() == [Step.FOUND, Step.WAIVE, Step.CHANGED]
    assert nights.state() is FaultState.CONFIRMED


def test_what_an_appeal_upheld_is_called_so_on_its_nights(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    nights.take(DAY, Step.APPEAL, FAULTY, by="教育局")
    nights.night(after(1), FINE)
    assert nights.state() is FaultState.APPEALED, "an appeal is decided by a person"
    nights.night(after(2), FAULTY)
    assert nights.kept(nights.newest()).state == "申诉中"
    nights.take(after(2), Step.UPHOLD, FAULTY, by="李四")
    nights.night(after(3), FAULTY)
    assert nights.kept(nights.newest()).state == "维持"


def test_a_revoked_fault_counts_as_good_until_something_else_is_seen(nights: Nights) -> None:
    with_fault = nights.night(DAY, FAULTY).score
    good = nights.night(after(1), FINE).score
    nights.night(after(2), FAULTY)
    nights.take(after(2), Step.APPEAL, FAULTY, by="教育局")
    nights.take(after(2), Step.REVOKE, FAULTY, by="李四")
    assert nights.night(after(3), FAULTY).score == good != with_fault
    assert nights.kept(nights.newest()).state == "撤销"
    assert nights.night(after(4), CHANGED).score == with_fault
    assert nights.state() is FaultState.CONFIRMED


def test_a_veto_does_not_count_what_was_waived(nights: Nights) -> None:
    home = Finding("home_freshness", "http://jyj.luancheng.test:8000/", Outcome.FAIL, "stale", unit_id=UNIT)
    assert nights.night(DAY, home).verdict == "不合格"
    nights.take(DAY, Step.WAIVE, home, until=after(9))
    assert nights.night(after(1), home).verdict == "合格"


# ---------------------------------------------------------------- revocations of days past


def revoke(nights: Nights, day: date, *findings: Finding) -> tuple[date, ...]:
    nights.take(day, Step.APPEAL, *findings, by="教育局")
    return nights.take(day, Step.REVOKE, *findings, by="李四")[0].corrected


def published(nights: Nights, day: date) -> tuple[Decimal | None, int]:
    stored = nights.place.repository.scores(day)[0]
    return stored.score.score, stored.run_id


def test_a_revocation_puts_right_every_published_day_of_its_episode(nights: Nights) -> None:
    nights.night(after(-9), FAULTY)
    good = nights.night(after(-8), FINE).score
    for days in (0, 1, 2):
        nights.night(after(days), FAULTY)
    earlier, bad = published(nights, after(-9)), published(nights, DAY)
    assert revoke(nights, after(2), FAULTY) == (DAY, after(1), after(2))
    for days in (0, 1, 2):
        score, run_id = published(nights, after(days))
        run = nights.place.repository.run(run_id)
        assert (score, run.kind, run.day, run.units) == (good, RunKind.RESCORE, after(days), (UNIT,))
        assert nights.kept(run).state == "撤销"
        assert nights.kept(run).finding.outcome is Outcome.FAIL
        assert run.rescores is not None
        before = nights.place.repository.scores_of_run(run.rescores)[0]
        assert (before.score.score, before.published) == (bad[0], False)
        assert nights.kept(run.rescores).state == "已确认", "what the night said stays"
    assert published(nights, after(-9)) == earlier, "an episode that ended before is another matter"


def test_a_fault_of_one_night_may_be_disputed_although_it_is_gone(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    good = nights.night(after(1), FINE).score
    assert revoke(nights, after(2), FAULTY) == (DAY,)
    assert published(nights, DAY)[0] == good
    nights.night(after(3), FAULTY)
    assert nights.state() is FaultState.REVOKED


def test_what_was_mended_is_mended_again_when_its_appeal_is_dismissed(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    nights.night(after(1), FINE)
    nights.take(after(2), Step.APPEAL, FAULTY)
    nights.take(after(2), Step.UPHOLD, FAULTY, by="李四")
    assert nights.state() is nights.place.faults.events(FAULTY.fingerprint)[-1].state is FaultState.MENDED
    nights.night(after(3), FAULTY)
    assert nights.steps()[-1] is Step.RETURNED


def test_a_revocation_reaches_a_day_whose_run_came_late(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    nights.night(after(-2), FAULTY)
    assert revoke(nights, DAY, FAULTY) == (after(-2), DAY)


def test_a_second_revocation_stands_on_the_first(nights: Nights) -> None:
    good = nights.night(after(-1), FINE, ALIVE).score
    another = replace(FAULTY, item="another")
    nights.night(DAY, FAULTY, another)
    revoke(nights, DAY, FAULTY)
    between = published(nights, DAY)
    revoke(nights, DAY, another)
    score, run_id = published(nights, DAY)
    assert nights.place.repository.run(run_id).rescores == between[1]
    assert nights.kept(run_id).state == nights.kept(run_id, another).state == "撤销"
    assert score != between[0]
    assert score == good


def test_of_two_revocations_at_once_neither_is_lost(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    good = nights.night(after(-1), FINE).score
    another = replace(FAULTY, item="another")
    nights.night(DAY, FAULTY, another)
    corrections, quicker = rescoring._corrections, iter([another])

    def overtaken(*given):  # type: ignore[no-untyped-def]
        made = list(corrections(*given))
        for fault in quicker:
            revoke(nights, DAY, fault)
        return made

    monkeypatch.setattr(rescoring, "_corrections", overtaken)
    assert revoke(nights, DAY, FAULTY) == (DAY,)
    assert published(nights, DAY)[0] == good


def test_what_waited_on_its_night_still_waits_when_the_night_is_scored_again(nights: Nights) -> None:
    nights.night(DAY, FAULTY, DEAD)
    nights.night(after(1), FAULTY)
    nights.take(after(1), Step.CONFIRM, DEAD)
    revoke(nights, after(1), FAULTY)
    stored = nights.place.repository.scores(DAY)[0]
    assert any("1 个问题待确认" in reason for reason in stored.score.reasons)


def test_what_waited_still_waits_where_rules_and_checks_have_changed_since(nights: Nights) -> None:
    good = nights.night(after(-1), FINE).score
    gone = replace(FAULTY, target=f"{PAGE}?gone")
    alive = tuple(replace(ALIVE, target=f"{PAGE}?{number}") for number in range(9))  # coverage enough for a score
    nights.night(DAY, FAULTY, DEAD, gone, *alive)
    with nights.place.database.writing() as session:  # as a program left it that had one more check
        of_check = update(FindingRow).where(FindingRow.fingerprint == gone.fingerprint)
        session.execute(of_check.values(check="a_check_of_old"))
    configuration = nights.place.configuration
    checks = configuration.rules.checks
    at_once = checks.dead_links.model_copy(update={"confirm_reasons": ()})
    rules = configuration.rules.model_copy(update={"checks": checks.model_copy(update={"dead_links": at_once})})
    nights.place = replace(nights.place, configuration=configuration.model_copy(update={"rules": rules}))
    revoke(nights, DAY, FAULTY)
    assert published(nights, DAY)[0] == good


def test_a_corrected_day_keeps_the_weights_and_the_floor_that_it_was_scored_by(nights: Nights) -> None:
    good = nights.night(after(-1), FINE).score
    nights.night(DAY, FAULTY, replace(UNREAD, target=f"{PAGE}?unread"))
    before = nights.place.repository.scores(DAY)[0].score
    configuration = nights.place.configuration
    checks = configuration.rules.checks
    heavier = checks.open_attribute.model_copy(update={"weight": Decimal(9)})
    checks = checks.model_copy(update={"open_attribute": heavier})
    changes = {"version": "9", "coverage_floor": Decimal(1), "checks": checks}
    rules = configuration.rules.model_copy(update=changes)
    nights.place = replace(nights.place, configuration=configuration.model_copy(update={"rules": rules}))
    revoke(nights, DAY, FAULTY)
    again = nights.place.repository.scores(DAY)[0].score
    assert again.score == good
    assert again.rules_version == before.rules_version
    assert [(row.id, row.weights) for row in again.indicators] == [(row.id, row.weights) for row in before.indicators]


def test_a_corrected_day_loses_the_veto_that_stood_on_the_fault_and_so_does_its_site(nights: Nights) -> None:
    home = Finding("home_freshness", "http://jyj.luancheng.test:8000/", Outcome.FAIL, "stale", unit_id=UNIT)
    nights.night(DAY, of_site=(home,))
    repository = nights.place.repository
    bad = repository.scores(DAY)[0]
    assert [verdict.verdict for verdict in repository.site_verdicts(bad.run_id)] == ["不合格"]
    assert [veto.id for veto in bad.score.vetoes] == ["home_not_updated"]
    revoke(nights, DAY, home)
    corrected = repository.scores(DAY)[0]
    assert (corrected.score.verdict, corrected.score.vetoes) == ("合格", ())
    assert [verdict.vetoes for verdict in repository.site_verdicts(corrected.run_id)] == [()]
    assert [verdict.verdict for verdict in repository.site_verdicts(bad.run_id)] == ["不合格"], "the night's own stays"


def test_a_correction_that_was_interrupted_is_made_up_for(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    nights.night(DAY, FAULTY)
    bad = published(nights, DAY)[0]
    with monkeypatch.context() as broken:
        broken.setattr("inspection.reviewing.rescore_revoked", lambda *_: {})
        revoke(nights, DAY, FAULTY)
    assert published(nights, DAY)[0] == bad
    nights.night(after(1), FINE)
    assert published(nights, DAY)[0] != bad


def test_a_corrected_day_is_no_inspection(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    revoke(nights, DAY, FAULTY)
    before = nights.fault()
    follow_run(nights.place, nights.newest())
    assert nights.fault() == before
    assert not nights.newest().looked


# ---------------------------------------------------------------- people


def test_an_appeal_is_decided_by_somebody_who_had_no_part_in_it(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    nights.take(DAY, Step.RECTIFY, FAULTY, by="张三", until=after(5))
    nights.take(DAY, Step.APPEAL, FAULTY, by="王五")
    for by in ("张三", "王五", " 张三 "):
        (taken,) = nights.take(DAY, Step.REVOKE, FAULTY, by=by)
        assert "另一人" in taken.refused
    (taken,) = nights.take(DAY, Step.UPHOLD, FAULTY, by="李四")
    assert not taken.refused
    assert (nights.state(), nights.fault().deadline) == (FaultState.UPHELD, after(5))


def test_a_step_says_who_when_and_why(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    nights.take(after(1), Step.WAIVE, FAULTY, by="张三", why="栏目正在改版", until=after(9))
    event = nights.place.faults.events(FAULTY.fingerprint)[-1]
    assert (event.actor, event.day, event.why, event.until) == ("张三", after(1), "栏目正在改版", after(9))
    assert event.account
    assert event.recorded_at
    assert event.observation == nights.fault().observation
    assert event.finding_id == nights.fault().finding_id


def test_a_refusal_says_what_is_possible_and_changes_nothing(nights: Nights) -> None:
    nights.night(DAY, FAULTY, DEAD)
    before = nights.steps()
    confirmed, pending = nights.take(DAY, Step.CONFIRM, FAULTY, DEAD)
    assert confirmed.refused == "问题现在是“已确认”，只能：责令整改、申诉、豁免。"
    assert pending.refused == ""
    assert nights.steps() == before
    assert nights.state(DEAD) is FaultState.CONFIRMED


def test_a_preview_records_nothing(nights: Nights) -> None:
    nights.night(DAY, FAULTY)
    (taken,) = nights.take(DAY, Step.RECTIFY, FAULTY, until=after(1), preview=True)
    assert taken.fault is not None
    assert taken.fault.state is FaultState.RECTIFYING
    assert nights.state() is FaultState.CONFIRMED
    assert nights.steps() == [Step.FOUND]


def test_a_fault_is_named_by_any_of_its_findings(nights: Nights) -> None:
    from inspection.reviewing import take

    nights.night(DAY, FAULTY)
    number = nights.fault().finding_id
    nights.night(after(1), FAULTY)
    told = take(nights.place, [number, str(number), 10**6, "无此编号"], Step.APPEAL, by="张三", why="不是公文")
    assert [bool(one.refused) for one in told] == [False, True, True]
    assert nights.state() is FaultState.APPEALED


@pytest.mark.parametrize(
    ("step", "more", "said"),
    [
        (Step.APPEAL, {"why": " "}, "理由"),
        (Step.WAIVE, {"until": None}, "豁免的最后一天"),
        (Step.WAIVE, {"until": after(-1)}, "已经过了"),
        (Step.RECTIFY, {}, "整改期限"),
        (Step.APPEAL, {"until": after(1)}, "不带日期"),
        (Step.CONFIRM, {"by": "　"}, "经办人"),
        (Step.CONFIRM, {"by": PROGRAM}, "经办人"),
        (Step.CONFIRM, {"by": "张\n三"}, "控制字符"),
        (Step.CONFIRM, {"why": "长" * 2001}, "附件"),
    ],
)
def test_a_step_without_what_it_needs_is_refused_whole(
    nights: Nights, step: Step, more: dict[str, object], said: str
) -> None:
    nights.night(DAY, FAULTY)
    with pytest.raises(StepInvalid, match=said):
        nights.take(DAY, step, FAULTY, **more)  # type: ignore[arg-type]
    assert nights.steps() == [Step.FOUND]


def test_what_is_in_no_ledger_has_no_rulings(place: Place) -> None:
    ruled = rulings(place, [UNIT], DAY)
    assert (ruled.confirmed, ruled.revoked, ruled.waived) == (frozenset(), {}, {})
