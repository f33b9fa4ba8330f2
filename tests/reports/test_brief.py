"""简报: what moved the scores since the night before, what became of faults, and what to say when there is nothing."""

from datetime import date
from decimal import Decimal

import pytest

from config.schema import UnitKind
from reports.brief import BriefFault, FaultNews, NightScores, Titles, causes, make_brief, waiver_ends_soon
from scoring.model import BoundCheck, IndicatorScore, ScoreState, UnitScore

FRIDAY, SATURDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 23)
TITLES = Titles(
    {"jiaoyuju": "区教育局", "minzhengju": "区民政局"},
    {"1.3": "加强政府信息规范管理", "5.2": "加强平台管理"},
    {"open_attribute": "公开属性标注", "column_freshness": "栏目更新"},
)


def row(id, points, value, check):
    return IndicatorScore(id, Decimal(points), None if value is None else Decimal(value), Decimal(1), (bound(check),))


def bound(check):
    return BoundCheck(check, Decimal(1))


def score(total, *rows, unit="jiaoyuju", day=FRIDAY, version="1", reasons=()):
    return UnitScore(
        unit_id=unit,
        kind=UnitKind.DEPARTMENT,
        day=day,
        rules_version=version,
        state=ScoreState.PUBLISHED if total else ScoreState.WITHHELD,
        score=Decimal(total) if total else None,
        coverage=Decimal(1),
        verdict=None,
        vetoes=(),
        indicators=rows,
        checks=(),
        pending=(),
        reasons=reasons,
    )


def night(day, *scores, **failing):
    counted = {("jiaoyuju", check): count for check, count in failing.items()}
    return NightScores(day, {one.unit_id: one for one in scores}, counted)


def section(brief, title):
    return next(part for part in brief.sections if part.title == title)


BEFORE = score("80.00", row("1.3", 3, "0.8", "open_attribute"), row("5.2", 7, "0.8", "column_freshness"))
AFTER = score("76.00", row("1.3", 3, "0.9", "open_attribute"), row("5.2", 7, "0.7", "column_freshness"))


def test_a_score_that_fell_is_told_with_the_rows_and_checks_that_moved_it():
    before, after = (
        night(FRIDAY, BEFORE, open_attribute=8),
        night(SATURDAY, AFTER, open_attribute=4, column_freshness=2),
    )
    [line] = section(make_brief(after, before, FaultNews(), TITLES), "得分下降").lines
    assert (line.unit, line.what) == ("区教育局", "80.00 → 76.00（−4.00）")
    assert line.detail.split("；") == [
        "5.2 加强平台管理 −7.00（栏目更新的问题 0 → 2 个）",
        "1.3 加强政府信息规范管理 +3.00（公开属性标注的问题 8 → 4 个）",
    ]


def test_the_changes_of_the_rows_add_up_to_that_of_the_score():
    told = causes(BEFORE, AFTER, TITLES, lambda check: (0, 0))
    assert [part.split()[2][:5] for part in told] == ["−7.00", "+3.00"]
    assert all("计入的对象变了" in part for part in told)


def test_a_row_that_had_nothing_to_judge_before_is_named_as_such():
    before = score("80.00", row("1.3", 3, "0.8", "open_attribute"), row("5.2", 7, None, "column_freshness"))
    told = causes(before, AFTER, TITLES, lambda check: (0, 0))
    assert told[0] == "5.2 加强平台管理 −7.00（上一夜没有可判的内容）"


def test_of_many_rows_the_strongest_three_are_told():
    before = score("50.00", *(row(str(number), 1, "0.1", "x") for number in range(6)))
    after = score("60.00", *(row(str(number), 1, f"0.{number + 2}", "x") for number in range(6)))
    told = causes(before, after, TITLES, lambda check: (0, 0))
    assert [part.split()[0] for part in told] == ["5", "4", "3", "另有"]
    assert told[-1] == "另有 3 行有变化"


def test_a_rank_that_changed_is_told():
    other = score("78.00", unit="minzhengju")
    brief = make_brief(night(SATURDAY, AFTER, other), night(FRIDAY, BEFORE, other), FaultNews(), TITLES)
    assert section(brief, "得分下降").lines[0].detail.endswith("名次 1 → 2")
    assert [line.unit for line in section(brief, "得分下降").lines] == ["区教育局"]
    assert section(brief, "得分上升").lines == ()


def test_nothing_changed_is_said_plainly():
    brief = make_brief(night(SATURDAY, BEFORE), night(FRIDAY, BEFORE), FaultNews(), TITLES)
    assert brief.told == ()
    assert brief.summary == "没有变化，没有待办。"
    assert "没有单位得分下降" in brief.silent
    assert "没有待裁决的申诉" in brief.silent


def test_the_first_night_has_nothing_to_be_compared_with():
    brief = make_brief(night(FRIDAY, BEFORE), None, FaultNews(), TITLES)
    assert "没有上一夜可比" in brief.notes[0]
    assert "得分下降" not in [part.title for part in brief.sections]


def test_missed_nights_and_changed_rules_are_said():
    before = night(FRIDAY, score("80.00", version="1"))
    brief = make_brief(night(MONDAY, score("70.00", version="2")), before, FaultNews(), TITLES, ["补记"])
    assert brief.notes[0] == "与2026年11月20日的得分相比。中间 2 天没有发布过得分。"
    assert "规则版本由 1 改为 2" in brief.notes[1]
    assert brief.notes[2] == "补记"


def test_a_unit_without_a_score_is_told_with_the_reason_and_compared_with_nothing():
    withheld = score("", reasons=("覆盖率 12% 低于下限 80%",))
    brief = make_brief(night(SATURDAY, withheld), night(FRIDAY, BEFORE), FaultNews(), TITLES)
    [line] = section(brief, "没有得分的单位").lines
    assert (line.unit, line.what, line.detail) == ("区教育局", "未发布", "覆盖率 12% 低于下限 80%")
    assert section(brief, "得分下降").lines == ()


def fault(*units, day=None):
    return BriefFault(units or ("区教育局",), "公开属性标注", "没有标注", "http://a.example/1.html", (7,), day)


def test_faults_are_told_with_their_page_and_what_is_due():
    news = FaultNews(
        found=(fault("区教育局", "区民政局"),),
        overdue=(fault(day=date(2026, 11, 15)),),
        waivers_ending=(fault(day=date(2026, 11, 24)),),
        appeals=(fault(day=date(2026, 11, 18)),),
    )
    brief = make_brief(night(MONDAY, BEFORE), night(FRIDAY, BEFORE), news, TITLES)
    [found] = section(brief, "新发现的问题").lines
    assert (found.unit, found.what) == ("区教育局等 2 个单位", "公开属性标注：没有标注")
    assert (found.address, found.numbers) == ("http://a.example/1.html", (7,))
    assert section(brief, "逾期未改").lines[0].detail == "限 11月15日 改好，已逾期 8 天"
    assert section(brief, "7 日内到期的豁免").lines[0].detail == "豁免到 11月24日"
    assert section(brief, "待裁决的申诉").lines[0].detail == "11月18日 提出"
    assert brief.summary == "新发现的问题 1，逾期未改 1，7 日内到期的豁免 1，待裁决的申诉 1。"


@pytest.mark.parametrize(("until", "soon"), [(None, False), (22, False), (23, True), (30, True)])
def test_a_waiver_ends_soon_within_a_week_and_no_longer_when_it_is_over(until, soon):
    assert waiver_ends_soon(until and date(2026, 11, until), MONDAY) is soon


def test_a_waiver_of_more_than_a_week_does_not_end_soon():
    assert not waiver_ends_soon(date(2026, 12, 1), MONDAY)
