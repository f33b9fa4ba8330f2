"""`inspect rollup` over a whole year: published, corrected, shown as it was, explained to its findings, tried anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from checks.model import Finding, Outcome
from inspection.place import Place, opened
from inspection.reviewing import follow_run, take
from inspection.settings import resolve
from scoring.daily import daily_score
from scoring.model import UnitScore
from scoring.review import FaultState, Step
from storage.model import PROGRAM, Circular, CircularSheet, GivenMark, MarkSheet, ReviewEvent, RunKind
from storage.versions import VersionStore
from tests.cli.conftest import Inspect

FIRST = date(2020, 3, 2)
YEAR = ("rollup", "--year", "2020")
PUBLISH = (*YEAR, "--publish", "--by", "张三")
CHECKS = ("open_attribute", "document_metadata", "column_freshness", "home_freshness", "agency_functions")


@pytest.fixture
def place(inspect: Inspect) -> Iterator[Place]:
    with opened(resolve()) as place:
        yield place


def finding(unit_id: str, check: str, outcome: Outcome, page: int = 1) -> Finding:
    target = f"http://www.example.test/{unit_id}/{page}.html"
    return Finding(check, target, outcome, "stale" if check == "home_freshness" else "missing", unit_id=unit_id)


FAULT = finding("jiaoyuju", "open_attribute", Outcome.FAIL)


def night(place: Place, day: date, *faults: Finding) -> None:
    """A published night on which every unit has two targets a check, one of them with each fault given."""
    configuration = place.configuration
    run = place.repository.create_run(
        kind=RunKind.NIGHTLY, day=day, seed="s", rules_version="1", digests=place.digests_for(day.year)
    )
    failing = {(fault.check, fault.target, fault.unit_id) for fault in faults}
    scores: list[UnitScore] = []
    for unit in configuration.inventory.units:
        passing = [finding(unit.id, check, Outcome.PASS, page) for check in CHECKS for page in (1, 2)]
        judged = [p for p in passing if (p.check, p.target, p.unit_id) not in failing]
        judged += [fault for fault in faults if fault.unit_id == unit.id]
        place.repository.replace_findings(run.id, [unit.id], judged)
        table = configuration.indicators_for(day.year)
        scores.append(daily_score(unit, judged, table, configuration.rules, {}, day))
    place.repository.save_scores(run.id, scores)
    place.repository.publish(run.id, day, scores)
    follow_run(place, run)


def marked(place: Place, reviewer: str = "第一组", **given: str | None) -> None:
    """A sheet with eight tenths of the points for everything, but what is `given` for 区教育局 by row ("r8")."""
    rows = place.configuration.indicators_for(2020).indicators
    own = {key[1:].replace("_", "."): value for key, value in given.items()}

    def points(unit_id: str, row_id: str, most: Decimal) -> Decimal | None:
        if unit_id == "jiaoyuju" and row_id in own:
            value = own[row_id]
            return None if value is None else Decimal(value)
        return most * 8 / 10

    marks = tuple(
        GivenMark(unit.id, row.id, points(unit.id, row.id, row.points))
        for unit in place.configuration.inventory.units
        for row in rows
        if row.applies_to(unit) and row.site_share < 1
    )
    place.marks.add(MarkSheet(2020, reviewer, marks, "李四", f"{reviewer}.xlsx", "sha256:00", "x"))


@pytest.fixture
def whole(place: Place) -> Place:
    """Two nights, on both of which 区教育局 has a page without its attribute, and everything marked."""
    for number in range(2):
        night(place, FIRST + timedelta(days=number), FAULT)
    marked(place)
    return place


# ---------------------------------------------------------------- publishing


@pytest.mark.usefixtures("whole")
def test_a_whole_year_is_published_once_and_stays_as_it_was(inspect: Inspect, place: Place) -> None:
    before = inspect(*YEAR, "--json").document
    assert (before["status"], before["version"]) == ("正式", None)
    published = inspect(*PUBLISH, "--json").document
    assert (published["version"], published["by"], published["why"]) == (1, "张三", None)
    marked(place, r8="1")
    frozen = inspect(*YEAR, "--version", "1", "--json").document
    assert (frozen["status"], frozen["version"], frozen["units"]) == ("正式", 1, before["units"])
    assert inspect(*YEAR, "--json").document["units"] != before["units"]
    assert "第 1 版" in inspect(*YEAR, "--version", "1").out


def test_a_year_that_lacks_something_is_not_published(inspect: Inspect, place: Place) -> None:
    night(place, FIRST)
    answer = inspect(*PUBLISH)
    assert answer.code == 2
    assert "8：缺考核组评分（34 个单位：" in answer.err
    assert place.versions.versions(2020) == []


@pytest.mark.usefixtures("whole")
def test_a_correction_says_why_and_what_it_changed(inspect: Inspect, place: Place) -> None:
    assert inspect(*PUBLISH).code == 0
    for arguments, said in (((), "--why"), (("--why", "再来一次"), "没有任何变化")):
        answer = inspect(*PUBLISH, *arguments)
        assert answer.code == 2
        assert said in answer.err
    marked(place, r8="7")
    assert "已公布 2020年度第 2 版" in inspect(*PUBLISH, "--why", "补录评分").out
    listed = inspect(*YEAR, "--versions", "--json").document["versions"]
    assert [(version["version"], version["why"]) for version in listed] == [(1, None), (2, "补录评分")]
    own = next(change for change in listed[1]["changes"] if change.startswith("区教育局"))
    assert "8 行 5.60 → 7.00" in own
    changed = place.versions.versions(2020)[1].changes
    assert {row["id"] for change in changed for row in change["rows"]} == {"8"}
    assert "补录评分" in inspect(*YEAR, "--versions").out


@pytest.mark.usefixtures("whole")
def test_a_correction_keeps_the_last_day_of_the_version_before(inspect: Inspect, place: Place) -> None:
    assert inspect(*PUBLISH, "--until", "2020-03-02").code == 0
    marked(place, r8="7")
    assert inspect(*PUBLISH, "--why", "补录").code == 0
    assert {version.last_day for version in place.versions.versions(2020)} == {FIRST}
    assert inspect(*YEAR, "--version", "2", "--json").document["last_day"] == "2020-03-02"


@pytest.mark.usefixtures("whole")
def test_of_two_who_publish_at_once_one_is_told_to_look_first(
    inspect: Inspect, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert inspect(*PUBLISH).code == 0
    monkeypatch.setattr(VersionStore, "versions", lambda *_: [])  # as the other saw it, a moment before
    answer = inspect(*PUBLISH)
    assert answer.code == 2
    assert "第 1 版刚由别人公布" in answer.err
    monkeypatch.undo()
    assert len(place.versions.versions(2020)) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--year", "9000", "--publish", "--by", "张三"), "还没有到"),
        (("--year", "2020", "--publish"), "--by"),
        (("--year", "2020", "--until", "2021-01-01"), "不在 2020 年"),
        (("--year", "2020", "--until", "三月"), "不是日期"),
        (("--year", "2020", "--version", "1"), "还没有公布过"),
        (("--year", "2020", "--version", "1", "--publish"), "只能用一种"),
        (("--year", "2020", "--version", "1", "--until", "2020-03-02"), "--until"),
        (("--year", "2020", "--publish", "--explain", "区教育局"), "--explain"),
        (("--year", "2020", "--rules", "没有.toml"), "读不到文件"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_remedy(inspect: Inspect, arguments: tuple[str, ...], said: str) -> None:
    answer = inspect("rollup", *arguments)
    assert answer.code == 2
    assert said in answer.err


def test_no_version_is_told_as_none(inspect: Inspect) -> None:
    assert "还没有公布过" in inspect(*YEAR, "--versions").out
    assert inspect(*YEAR, "--versions", "--json").document == {"year": 2020, "versions": []}


@pytest.mark.usefixtures("whole")
def test_a_version_that_was_tampered_with_is_told(inspect: Inspect, place: Place) -> None:
    assert inspect(*PUBLISH).code == 0
    with place.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE annual_version SET result = replace(result, '\"rank\":2', '\"rank\":1')")
    answer = inspect(*YEAR, "--version", "1")
    assert answer.code == 6
    assert "摘要不符" in answer.err


# ---------------------------------------------------------------- inputs


def test_reviewers_who_disagree_whom_a_row_concerns_hold_the_year_up(inspect: Inspect, whole: Place) -> None:
    marked(whole, "第二组", r8=None)
    unit = units(inspect(*YEAR, "--json").document)["区教育局"]
    assert any("说法不一（未涉及：第二组；评分：第一组 5.6" in missing for missing in unit["missing"])
    marked(whole, r8=None)
    row = rows(units(inspect(*YEAR, "--json").document)["区教育局"])["8"]
    assert (row["na"], row["final"], row["not_assessed"]) == (True, 5.6, ["第一组", "第二组"])


def test_circulars_cost_their_points_and_are_told(inspect: Inspect, whole: Place) -> None:
    circular = Circular("jiaoyuju", "8", Decimal(2), "市政府办公室", "关于检查情况的通报", FIRST)
    whole.marks.add_circulars(CircularSheet(2020, (circular, circular), "李四", "通报.xlsx", "sha256:11", "x"))
    row = rows(units(inspect(*YEAR, "--json").document)["区教育局"])["8"]
    assert (row["deducted"], row["final"], len(row["deductions"])) == (4, 1.6, 2)
    assert "市政府办公室《关于检查情况的通报》" in inspect(*YEAR, "--explain", "区教育局").out


def units(document):
    return {unit["unit"]: unit for unit in document["units"]}


def rows(unit):
    return {row["id"]: row for row in unit["indicators"]}


# ---------------------------------------------------------------- explaining


@pytest.mark.usefixtures("whole")
def test_a_unit_is_explained_down_to_the_findings(inspect: Inspect) -> None:
    document = inspect(*YEAR, "--explain", "区教育局", "--json").document
    (unit,) = document["units"]
    row = rows(unit)["1.3"]
    (fault,) = row["faults"]
    assert (fault["check"], fault["days"], len(fault["findings"])) == ("open_attribute", 2, 2)
    assert [mark["reviewer"] for mark in row["marks"]] == ["第一组"]
    assert (row["days"], row["share"]) == (2, 0.5)
    assert rows(unit)["5.2"]["faults"] == []
    assert "区发改局" in rows(unit)["4.1"]["mean_of"]
    told = inspect(*YEAR, "--explain", "区教育局").out
    first, last = fault["findings"]
    for said in (
        f"编号 {first} 至 {last}",
        "公开属性标注，2 天",
        row["formula"],
        "没有巡查 364 天",
        "平均值取自 9 个单位",
    ):
        assert said in told


@pytest.mark.usefixtures("whole")
def test_a_published_version_is_explained_by_what_it_rested_on(inspect: Inspect, place: Place) -> None:
    assert inspect(*PUBLISH).code == 0
    before = rows(inspect(*YEAR, "--explain", "区教育局", "--json").document["units"][0])
    marked(place, r8="1")
    frozen = inspect(*YEAR, "--version", "1", "--explain", "区教育局", "--json").document
    assert frozen["version"] == 1
    assert rows(frozen["units"][0])["8"]["final"] == before["8"]["final"]


@pytest.mark.usefixtures("whole")
def test_a_revoked_fault_is_no_reason_for_points_lost(inspect: Inspect, place: Place, config: Path) -> None:
    for step, by in ((Step.APPEAL, "王五"), (Step.REVOKE, "赵六")):
        (taken,) = take(place, [FAULT.fingerprint], step, by=by, why="页面另有标注")
        assert not taken.refused
    (unit,) = inspect(*YEAR, "--explain", "区教育局", "--json").document["units"]
    row = rows(unit)["1.3"]
    assert (row["faults"], row["site"]) == ([], 1)
    document = inspect(*YEAR, "--rules", str(config / "rules.toml"), "--json").document
    assert {unit["moved"] for unit in document["units"]} == {False}


def test_orders_kept_and_missed_are_half_of_the_daily_work(inspect: Inspect, whole: Place) -> None:
    """Three orders, a fault's two mended in time and one late: A is the mean of the daily values and two thirds."""
    late = whole.faults.faults(["jiaoyuju"])[0]
    kept = replace(late, fingerprint="f" * 32, finding_id=late.finding_id + 1)
    story = [
        (late, Step.RECTIFY, FaultState.RECTIFYING, "张三"),
        (kept, Step.RECTIFY, FaultState.RECTIFYING, "张三"),
        (kept, Step.MENDED, FaultState.MENDED, PROGRAM),
        (kept, Step.RETURNED, FaultState.CONFIRMED, PROGRAM),
        (kept, Step.RECTIFY, FaultState.RECTIFYING, "张三"),
        (kept, Step.MENDED, FaultState.MENDED, PROGRAM),
        (late, Step.OVERDUE, FaultState.RECTIFYING, PROGRAM),
    ]
    events = [ReviewEvent(fault.fingerprint, step, state, FIRST, who) for fault, step, state, who in story]
    before = rows(units(inspect(*YEAR, "--json").document)["区教育局"])["10"]
    whole.faults.record([late, kept], events)
    (unit,) = inspect(*YEAR, "--explain", "区教育局", "--json").document["units"]
    row = rows(unit)["10"]
    assert (row["rectified"], row["site"]) == (0.6667, round((before["site"] + 2 / 3) / 2, 4))
    told = {(order["finding"], order["on_time"]) for order in unit["rectifications"]}
    assert told == {(late.finding_id, False), (kept.finding_id, True)}
    said = inspect(*YEAR, "--explain", "区教育局").out
    assert f"按期整改 2 次：问题编号 {kept.finding_id}（2 次）" in said
    assert f"逾期整改 1 次：问题编号 {late.finding_id}" in said


# ---------------------------------------------------------------- trials


def edited(file: Path, folder: Path, before: str, after: str) -> str:
    text = file.read_text(encoding="utf-8")
    assert before in text
    target = folder / f"试{file.name}"
    target.write_text(text.replace(before, after, 1), encoding="utf-8")
    return str(target)


@pytest.mark.usefixtures("whole")
def test_a_trial_with_the_same_files_moves_nobody(inspect: Inspect, config: Path) -> None:
    files = ("--rules", str(config / "rules.toml"), "--indicators", str(config / "indicators.toml"))
    document = inspect(*YEAR, *files, "--json").document
    assert document["trial"] is True
    assert {unit["moved"] for unit in document["units"]} == {False}


@pytest.mark.usefixtures("whole")
def test_a_trial_shows_who_moves_and_stores_nothing(
    inspect: Inspect, config: Path, place: Place, tmp_path: Path
) -> None:
    before = inspect(*YEAR, "--json").document
    row = "[checks.open_attribute]"
    heavier = edited(config / "rules.toml", tmp_path, row, f"{row}\nweight = 9")
    tried = units(inspect(*YEAR, "--rules", heavier, "--json").document)
    assert [name for name, unit in tried.items() if unit["after"]["total"] != unit["before"]["total"]] == ["区教育局"]
    assert [row["id"] for row in tried["区教育局"]["indicators"]] == ["1.3"]
    told = inspect(*YEAR, "--rules", heavier).out
    assert "试算" in told
    assert "什么也没有保存" in told
    assert inspect(*YEAR, "--json").document == before
    assert place.versions.versions(2020) == []


@pytest.mark.usefixtures("whole")
def test_marks_keep_their_part_of_a_row_whose_points_a_trial_changes(
    inspect: Inspect, config: Path, tmp_path: Path
) -> None:
    text = (config / "indicators.toml").read_text(encoding="utf-8")
    head, row, tail = text.partition('id = "8"')
    changed = head.replace("total = 100", "total = 107") + row + tail.replace("points = 7", "points = 14", 1)
    file = tmp_path / "表.toml"
    file.write_text(changed, encoding="utf-8")
    document = inspect(*YEAR, "--indicators", str(file), "--json").document
    changed_rows = {
        (row["id"], row["before"], row["after"]) for unit in document["units"] for row in unit["indicators"]
    }
    assert changed_rows == {("8", 5.6, 11.2)}
    assert any("折算" in note for note in document["notes"])


@pytest.mark.usefixtures("whole")
def test_rules_that_judge_otherwise_need_the_evidence(inspect: Inspect, config: Path, tmp_path: Path) -> None:
    stricter = edited(config / "rules.toml", tmp_path, "news = 14", "news = 7")
    answer = inspect(*YEAR, "--rules", stricter)
    assert answer.code == 5
    assert "2020-03-02（第 1 次巡查）、2020-03-03（第 2 次巡查）" in answer.err


@pytest.mark.usefixtures("whole")
def test_mistakes_in_the_files_of_a_trial_are_told_all_at_once(inspect: Inspect, tmp_path: Path) -> None:
    wrong = tmp_path / "错.toml"
    wrong.write_text("version = 1\nkeinwort = 2\n", encoding="utf-8")
    answer = inspect(*YEAR, "--rules", str(wrong))
    assert answer.code == 2
    assert "错.toml" in answer.err
    assert "keinwort" in answer.err
