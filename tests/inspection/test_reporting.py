"""What a run stored, as the files people read in the morning."""

from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from checks.model import Capture, FailureKind, Finding, Mode, Outcome
from inspection.errors import NotInspected
from inspection.place import opened
from inspection.reporting import daily_report, leave_daily_reports, run_to_report, write_daily_reports
from inspection.settings import resolve
from inspection.writing import ReportUnwritable
from scoring.daily import daily_score
from scoring.model import SiteVerdict, Verdict, VetoHit
from storage.errors import RunNotFound
from storage.model import RunKind, RunState
from storage.repository import PENDING

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 23)
URL = "http://www.luancheng.test/1.html"


@pytest.fixture
def place(tmp_path):
    with opened(resolve(ROOT / "config", tmp_path / "data", environment={})) as place:
        yield place


def finding(outcome, reason, check="open_attribute", unit="jiaoyuju", **fields):
    return Finding(check, URL, Outcome(outcome), reason, unit_id=unit, **fields)


@pytest.fixture
def run(place):
    """A night on which one unit was judged and the others were not."""
    repository = place.repository
    run = repository.create_run(
        kind=RunKind.NIGHTLY,
        day=DAY,
        seed="130111-2026-11-23",
        rules_version="2026.1",
        digests=place.digests_for(DAY.year),
    )
    found = [
        finding("PASS", "labelled", item="a"),
        finding("FAIL", "missing", item="b", observed="没有公开属性"),
        finding("FAIL", "unreachable_v6", check="ipv6", item="reach", observed="经IPv6打不开"),
        finding("INCONCLUSIVE", "unread", check="column_freshness", observed="被拦截"),
    ]
    unit = place.configuration.inventory.unit("jiaoyuju")
    score = daily_score(unit, found, place.configuration.indicators_for(DAY.year), place.configuration.rules, {}, DAY)
    states = {waiting.fingerprint: PENDING for waiting in score.pending}
    repository.replace_findings(run.id, ["jiaoyuju"], found, states=states)
    repository.save_scores(run.id, [score])
    at = run.created_at
    repository.add_captured(
        run.id,
        [
            Capture("luancheng", URL, Mode.STATIC, at),
            Capture("luancheng", URL + "?2", Mode.STATIC, at, failure=FailureKind.READ_TIMEOUT),
        ],
    )
    return repository.run(run.id)


def test_a_report_says_what_was_stored(place, run):
    report = daily_report(place, run)
    judged = next(unit for unit in report.units if unit.id == "jiaoyuju")
    assert [(listed.state, listed.pending) for listed in judged.problems] == [("已确认", False), ("待确认", True)]
    assert [cause.observed for cause in judged.causes] == ["被拦截"]
    assert judged.score.unit_id == "jiaoyuju"
    assert report.run.captures == {"成功": 1, "未成功：响应超时": 1}
    assert dict(report.run.digests)["rules.toml + words.toml"] == place.digests["rules"]


def test_the_verdict_on_each_site_stands_in_the_report(place, run):
    vetoed = VetoHit("columns_empty", "空白栏目", 5, ("http://portal.example/a/",))
    place.repository.save_site_verdicts(
        run.id, [SiteVerdict("luancheng", DAY, Verdict.UNQUALIFIED, (vetoed,), Decimal("0.5"))]
    )
    [site] = daily_report(place, place.repository.run(run.id)).sites
    assert (site.name, site.verdict_text) == (place.configuration.inventory.site("luancheng").name, "不合格")


def test_units_that_were_not_judged_stand_in_the_report_without_a_score(place, run):
    report = daily_report(place, run)
    assert len(report.units) == len(place.configuration.inventory.units)
    assert {unit.score_text for unit in report.units if unit.id != "jiaoyuju"} == {"未评分"}
    assert report.scored <= 1


def test_a_spot_check_is_reported_for_its_units_under_its_own_name(place, tmp_path):
    spot = place.repository.create_run(
        kind=RunKind.SPOT,
        day=DAY,
        seed="s",
        rules_version="2026.1",
        digests=place.digests_for(DAY.year),
        units=["jiaoyuju"],
    )
    assert [unit.id for unit in daily_report(place, spot).units] == ["jiaoyuju"]
    assert [path.name for path in write_daily_reports(place, spot, tmp_path)] == [
        "抽查-2026-11-23.xlsx",
        "抽查-2026-11-23.html",
    ]


def test_two_whole_files_are_written_and_nothing_else(place, run, tmp_path):
    files = write_daily_reports(place, run, tmp_path / "reports")
    assert [path.name for path in files] == ["每日巡查-2026-11-23.xlsx", "每日巡查-2026-11-23.html"]
    assert sorted((tmp_path / "reports").iterdir()) == sorted(files)
    assert load_workbook(BytesIO(files[0].read_bytes())).sheetnames == [
        "简报",
        "得分",
        "站点",
        "问题",
        "提示",
        "未能判定",
        "采集",
        "说明",
    ]
    assert "区教育局" in files[1].read_text(encoding="utf-8")


def test_the_same_run_is_written_again_in_place_of_the_first(place, run, tmp_path):
    assert write_daily_reports(place, run, tmp_path) == write_daily_reports(place, run, tmp_path)


def test_a_folder_that_cannot_be_written_is_named_with_the_fix(place, run, tmp_path):
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(ReportUnwritable, match="换一个文件夹"):
        write_daily_reports(place, run, tmp_path / "taken")


# ---------------------------------------------------------------- what a night leaves


def finish(place, run):
    for state in (RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED):
        place.repository.set_run_state(run.id, state)
    return place.repository.run(run.id)


def test_a_night_leaves_its_reports_in_the_data_folder(place, run):
    said = []
    files = leave_daily_reports(place, finish(place, run), said.append)
    assert sorted(place.settings.reports.iterdir()) == sorted(files)
    assert (len(files), said) == (2, [])


def test_a_report_that_cannot_be_written_is_said_and_spoils_nothing(place, run):
    place.settings.reports.write_text("a file stands where the folder should")
    said = []
    assert leave_daily_reports(place, finish(place, run), said.append) == []
    assert f"inspect report daily --run {run.id}" in said[0]


def test_neither_an_unfinished_run_nor_one_of_some_units_takes_the_place_of_the_night(place, run):
    some = place.repository.create_run(
        kind=RunKind.NIGHTLY, day=DAY, seed="s", rules_version="1", digests=place.digests_for(2026), units=["jiaoyuju"]
    )
    assert leave_daily_reports(place, run, print) == []
    assert leave_daily_reports(place, finish(place, some), print) == []


def test_the_newest_finished_night_of_every_unit_is_the_one_to_report(place, run):
    def night(day, **fields):
        values = {"kind": RunKind.NIGHTLY, "day": day, "seed": "s", "rules_version": "1"} | fields
        return place.repository.create_run(digests=place.digests_for(2026), **values)

    with pytest.raises(NotInspected, match="inspect run"):
        run_to_report(place)
    finish(place, run)
    finish(place, night(DAY, units=["jiaoyuju"]))
    night(DAY)
    older = finish(place, night(date(2026, 11, 20)))
    spot = night(DAY, kind=RunKind.SPOT)
    assert run_to_report(place).id == run.id
    assert run_to_report(place, day=date(2026, 11, 20)) == older
    assert run_to_report(place, number=spot.id) == spot
    with pytest.raises(NotInspected, match="2026-11-19"):
        run_to_report(place, day=date(2026, 11, 19))
    with pytest.raises(RunNotFound):
        run_to_report(place, number=99)
