"""The brief out of what two nights and the ledger hold."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from checks.model import Finding, Outcome
from config.schema import UnitKind
from inspection.briefing import brief_of
from inspection.place import opened
from inspection.settings import resolve
from scoring.model import ScoreState, UnitScore
from scoring.review import FaultState, Step
from storage.model import PROGRAM, Fault, ReviewEvent, RunKind
from tests.inspection.test_reporting import ROOT

FRIDAY, SATURDAY = date(2026, 11, 20), date(2026, 11, 21)


@pytest.fixture
def place(tmp_path):
    with opened(resolve(ROOT / "config", tmp_path / "data", environment={})) as place:
        yield place


def night(place, day, total, found=(), kind=RunKind.NIGHTLY):
    digests = place.digests_for(day.year)
    run = place.repository.create_run(kind=kind, day=day, seed="s", rules_version="1", digests=digests)
    score = UnitScore(
        "jiaoyuju",
        UnitKind.DEPARTMENT,
        day,
        "1",
        ScoreState.PUBLISHED,
        Decimal(total),
        Decimal(1),
        *(None, (), (), ()),
        (),
        (),
    )
    place.repository.replace_findings(run.id, ["jiaoyuju"], found)
    place.repository.save_scores(run.id, [score])
    if kind is RunKind.NIGHTLY:
        place.repository.publish(run.id, day, [score])
    return run


def fault(name, state=FaultState.CONFIRMED, unit="jiaoyuju", **fields):
    target = f"http://a.example/{name}"
    standing = Fault(name, unit, "open_attribute", target, "", "missing", None, state, "o", FRIDAY, FRIDAY, 1)
    return replace(standing, **fields)


def event(name, step, day, run=None, actor=PROGRAM, state=FaultState.CONFIRMED):
    return ReviewEvent(name, step, state, day, actor, run_id=run and run.id)


def lines(brief, title):
    return [
        (line.unit, line.address.rpartition("/")[2])
        for part in brief.sections
        if part.title == title
        for line in part.lines
    ]


def test_what_became_of_faults_since_the_night_before_is_told_once(place):
    before, run = night(place, FRIDAY, "80"), night(place, SATURDAY, "70")
    place.faults.record(
        [fault("old"), fault("new"), fault("back"), fault("gone", FaultState.MENDED)],
        [
            event("old", Step.FOUND, FRIDAY, before),
            event("back", Step.MENDED, FRIDAY, before),
            event("new", Step.FOUND, SATURDAY, run),
            event("back", Step.RETURNED, SATURDAY, run),
            event("gone", Step.MENDED, SATURDAY, run),
        ],
    )
    brief = brief_of(place, run)
    assert lines(brief, "新发现的问题") == [("区教育局", "new")]
    assert lines(brief, "复发的问题") == [("区教育局", "back")]
    assert lines(brief, "查见已改的问题") == [("区教育局", "gone")]
    assert lines(brief, "得分下降") == [("区教育局", "")]


def test_faults_that_begin_to_count_are_told_with_the_reason(place):
    before, run = night(place, FRIDAY, "80"), night(place, SATURDAY, "70")
    steps = {"seen again": Step.SETTLED, "other now": Step.CHANGED, "over": Step.EXPIRED}
    found = [event(name, Step.FOUND, FRIDAY, before) for name in steps]
    now = [event(name, step, SATURDAY, run) for name, step in steps.items()]
    place.faults.record([fault(name) for name in steps], found + now)
    brief = brief_of(place, run)
    assert [name for _, name in lines(brief, "开始计分的问题")] == list(steps)
    assert [line.detail for part in brief.told for line in part.lines if part.title == "开始计分的问题"] == [
        "待确认的，多次看到，现在计分",
        "豁免或撤销过的，现在看到的情况变了",
        "豁免到期",
    ]


def test_what_waits_for_people_is_told(place):
    run = night(place, SATURDAY, "80")
    place.faults.record(
        [
            fault("late", FaultState.RECTIFYING, deadline=FRIDAY, overdue_since=SATURDAY),
            fault("in time", FaultState.RECTIFYING, deadline=date(2026, 12, 1)),
            fault("ends", FaultState.WAIVED, waived_until=date(2026, 11, 25)),
            fault("lasts", FaultState.WAIVED, waived_until=date(2027, 1, 1)),
            fault("appealed", FaultState.APPEALED),
        ],
        [event("appealed", Step.APPEAL, FRIDAY, actor="张三", state=FaultState.APPEALED)],
    )
    brief = brief_of(place, run)
    assert lines(brief, "逾期未改") == [("区教育局", "late")]
    assert lines(brief, "7 日内到期的豁免") == [("区教育局", "ends")]
    assert lines(brief, "待裁决的申诉") == [("区教育局", "appealed")]


def test_what_people_did_on_the_day_before_is_counted(place):
    night(place, FRIDAY, "80")
    run = night(place, SATURDAY, "80")
    steps = (Step.CONFIRM, Step.CONFIRM, Step.WAIVE)
    place.faults.record([fault("a")], [event("a", step, FRIDAY, actor="张三") for step in steps])
    assert brief_of(place, run).notes[-1] == "上一夜以来办公室办理：确认 2、豁免 1。"


def test_a_fault_of_a_site_is_told_once_for_all_its_units(place):
    run = night(place, SATURDAY, "80")
    both = [fault("a", target="http://a.example/"), fault("b", unit="minzhengju", target="http://a.example/")]
    place.faults.record(both, [event(name, Step.FOUND, SATURDAY, run) for name in ("a", "b")])
    assert lines(brief_of(place, run), "新发现的问题") == [("区教育局等 2 个单位", "")]


def test_faults_that_wait_or_were_revoked_do_not_count_as_causes(place):
    found = [
        Finding("open_attribute", f"http://a.example/{n}", Outcome.FAIL, "missing", unit_id="jiaoyuju") for n in "abc"
    ]
    run = night(place, SATURDAY, "80")
    states = {found[0].fingerprint: "待确认", found[1].fingerprint: "撤销"}
    place.repository.replace_findings(run.id, ["jiaoyuju"], found, states=states)
    assert place.repository.failing(run.id) == {("jiaoyuju", "open_attribute"): 1}


def test_scores_put_right_after_the_night_hide_none_of_its_news(place):
    night(place, FRIDAY, "80")
    run = night(place, SATURDAY, "80")
    place.faults.record([fault("new")], [event("new", Step.FOUND, SATURDAY, run)])
    right = night(place, FRIDAY, "90", kind=RunKind.RESCORE)
    place.repository.publish(right.id, FRIDAY, [row.score for row in place.repository.scores_of_run(right.id)])
    brief = brief_of(place, run)
    assert lines(brief, "新发现的问题") == [("区教育局", "new")]
    assert [line.what for part in brief.sections for line in part.lines if part.title == "得分下降"] == [
        "90.00 → 80.00（−10.00）"
    ]


def test_a_fault_of_no_page_is_told_by_its_column_or_by_its_unit_alone(place):
    run = night(place, SATURDAY, "80")
    of_unit, of_column = fault("a", target="jiaoyuju"), fault("b", target="jiaoyuju/news")
    place.faults.record([of_unit, of_column], [event(name, Step.FOUND, SATURDAY, run) for name in ("a", "b")])
    brief = brief_of(place, run)
    [column] = [c.name for c in place.configuration.inventory.unit("jiaoyuju").columns if c.id == "news"]
    told = [line.address for part in brief.told for line in part.lines if part.title == "新发现的问题"]
    assert told == ["", f"区教育局“{column}”栏目"]
