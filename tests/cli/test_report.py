"""`inspect report`: the files that people get, whole, named after what they are, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from openpyxl import load_workbook

from checks.model import Outcome
from inspection.annual_report import annual_report
from inspection.place import Place, opened
from inspection.settings import resolve
from storage.model import RunState
from tests.cli.conftest import Answer, Inspect
from tests.cli.test_year import FIRST, PUBLISH, finding, marked, night

FAULT = finding("jiaoyuju", "open_attribute", Outcome.FAIL)


@pytest.fixture
def place(inspect: Inspect) -> Iterator[Place]:
    with opened(resolve()) as place:
        yield place


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def finished(place: Place) -> None:
    """Let every run have come to its end."""
    for run in place.repository.runs():
        for state in (RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED):
            place.repository.set_run_state(run.id, state)


def written(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# ---------------------------------------------------------------- a day


def test_the_newest_night_is_written_with_its_brief(inspect: Inspect, place: Place, out: Path) -> None:
    night(place, FIRST)
    night(place, FIRST + timedelta(days=1), FAULT)
    finished(place)
    answer = inspect("report", "daily", "--out", str(out))
    assert answer.code == 0, answer.err
    assert written(out) == ["每日巡查-2020-03-03.html", "每日巡查-2020-03-03.xlsx"]
    assert "与2020年3月2日的得分相比。" in answer.out
    assert "得分下降（1）" in answer.out
    assert "公开属性标注的问题 0 → 1 个" in answer.out
    sheet = load_workbook(out / "每日巡查-2020-03-03.xlsx")["简报"]
    assert any("得分下降" in str(row[0]) for row in sheet.iter_rows(values_only=True))


def test_an_earlier_day_or_any_run_can_be_asked_for(inspect: Inspect, place: Place, data: Path) -> None:
    night(place, FIRST)
    night(place, FIRST + timedelta(days=1))
    finished(place)
    assert "这是第一次发布得分的巡查" in inspect("report", "daily", "--date", FIRST.isoformat()).out
    assert inspect("report", "daily", "--run", "2").code == 0
    assert len(written(data / "reports")) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--date", "2020-03-05"), "2020-03-05 没有已完成的每日巡查"), (("--run", "99"), "99"), ((), "inspect run")],
)
@pytest.mark.usefixtures("place")
def test_without_a_night_the_remedy_is_said(inspect: Inspect, arguments: tuple[str, ...], said: str) -> None:
    answer = inspect("report", "daily", *arguments)
    assert answer.code in (2, 5)
    assert said in answer.err


# ---------------------------------------------------------------- a year


@pytest.fixture
def whole(place: Place) -> Place:
    """A year of two nights in which everything is there for a result."""
    for number in range(2):
        night(place, FIRST + timedelta(days=number), FAULT)
    marked(place)
    return place


def annual(inspect: Inspect, folder: Path, *more: str) -> Answer:
    return inspect("report", "annual", "--year", "2020", "--out", str(folder), *more)


def text_of(path: Path) -> str:
    document = Document(BytesIO(path.read_bytes()))
    return "\n".join(paragraph.text for paragraph in document.paragraphs)


@pytest.mark.usefixtures("whole")
def test_a_published_year_is_written_as_it_was_published(inspect: Inspect, place: Place, out: Path) -> None:
    assert inspect(*PUBLISH).code == 0
    marked(place, r8="0")
    answer = annual(inspect, out, "--document-number", "石栾政办函〔2021〕1号")
    assert answer.code == 0, answer.err
    names = written(out)
    assert {"年度汇总.xlsx", "通报.docx", "年度报告.html"} <= set(names)
    sheets = [name for name in names if name.startswith("单位得分单/")]
    assert len(sheets) == 34
    assert "单位得分单/09-区教育局.docx" in sheets
    assert "2020年度第 1 版" in answer.out
    assert answer.out.count("已写出") == 37
    assert "石栾政办函〔2021〕1号" in text_of(out / "通报.docx")
    book = load_workbook(out / "年度汇总.xlsx")
    told = [str(cell) for row in book["版本"].iter_rows(values_only=True) for cell in row]
    assert any("第 1 版（本工作簿）" in text for text in told)
    own = [row for row in book["区教育局"].iter_rows(values_only=True) if row[0] == "8"]
    assert own[0][8] == 5.6


@pytest.mark.usefixtures("whole")
def test_a_draft_beside_a_published_version_says_so(inspect: Inspect, place: Place, out: Path) -> None:
    assert inspect(*PUBLISH).code == 0
    marked(place, r8="0")
    arguments = ("report", "unit", "--year", "2020", "--unit", "区教育局", "--out", str(out))
    assert "第 1 版" in inspect(*arguments).out
    assert "送审稿" in inspect(*arguments, "--draft").out
    assert written(out) == ["2020年度得分单-区教育局.docx", "2020年度得分单-区教育局（送审稿）.docx"]
    assert "送审稿" in text_of(out / "2020年度得分单-区教育局（送审稿）.docx")


@pytest.mark.usefixtures("whole")
def test_days_after_the_one_given_do_not_count(place: Place) -> None:
    report = annual_report(place, 2020, last_day=FIRST)
    assert {len(unit.result.published) for unit in report.units} == {1}
    assert {unit.scores[-1][0] for unit in report.units} == {FIRST}
    assert report.draft == "送审稿"


def test_a_year_without_anything_is_written_as_provisional(inspect: Inspect, out: Path) -> None:
    answer = annual(inspect, out)
    assert answer.code == 0, answer.err
    assert "还缺" in answer.out
    names = written(out)
    assert len(names) == 37
    assert all("（暂定）" in name for name in names)
    assert "暂定" in text_of(out / "通报（暂定）.docx")
    assert "暂定" in (out / "年度报告（暂定）.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("annual", "--year", "2020", "--version", "3"), "没有第 3 版"),
        (("annual", "--year", "2020", "--version", "1", "--draft"), "--draft"),
        (("annual", "--year", "2020", "--until", "2021-01-01"), "不在 2020 年"),
        (("unit", "--year", "2020", "--unit", "区教育厅"), "区教育局"),
        (("unit", "--year", "2020"), "--unit"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    inspect: Inspect, data: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = inspect("report", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert not (data / "reports").exists()


def test_a_folder_that_cannot_be_written_is_named(inspect: Inspect, out: Path) -> None:
    out.write_text("not a folder")
    answer = annual(inspect, out)
    assert answer.code == 5
    assert "换一个文件夹" in answer.err
