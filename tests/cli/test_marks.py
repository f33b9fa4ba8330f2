"""`inspect marks`: forms go out, filled-in forms come in whole or not at all, and what is wanting is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from inspection.place import opened
from inspection.rollup import gather
from inspection.settings import resolve
from tests.cli.conftest import Answer, Inspect
from tests.filled_forms import (
    NEEDED,
    WARNED,
    YEAR,
    Change,
    changed,
    circular,
    empty_form,
    empty_list,
    full_form,
    mark,
    put,
    reason,
    with_lines,
)


@pytest.fixture
def zhang(tmp_path: Path) -> Path:
    """张三's form, filled in."""
    path = tmp_path / f"评分表-{YEAR}-张三.xlsx"
    path.write_bytes(full_form())
    return path


@pytest.fixture
def li(tmp_path: Path) -> Path:
    """李四's form, still empty."""
    path = tmp_path / f"评分表-{YEAR}-李四.xlsx"
    path.write_bytes(empty_form("李四"))
    return path


@pytest.fixture
def circulars(tmp_path: Path) -> Path:
    """The list of circulars, still empty."""
    path = tmp_path / f"通报扣分表-{YEAR}.xlsx"
    path.write_bytes(empty_list())
    return path


def change(path: Path, *changes: Change) -> None:
    path.write_bytes(changed(path.read_bytes(), *changes))


def template(inspect: Inspect, folder: Path, *arguments: str) -> Answer:
    return inspect("marks", "template", "--year", str(YEAR), *arguments, "--out", str(folder))


def take(inspect: Inspect, *paths: Path, more: tuple[str, ...] = ("--by", "王干事")) -> Answer:
    return inspect("marks", "import", *map(str, paths), *more)


def shown(inspect: Inspect, *arguments: str) -> str:
    return inspect("marks", "list", "--year", str(YEAR), *arguments).out


def listed(inspect: Inspect, *arguments: str) -> Any:
    return inspect("marks", "list", "--year", str(YEAR), "--json", *arguments).document


def refused(answer: Answer) -> list[str]:
    """The mistakes that an import told, without the sentence at the end."""
    assert answer.code == 2, answer.err
    assert answer.out == ""
    *problems, ending = answer.err.splitlines()
    assert ending.startswith("共 ")
    assert ending.endswith("处错误，什么也没有导入；改好后把这些文件一起重新导入。")
    return problems


# ---------------------------------------------------------------- forms out


def test_each_reviewer_gets_a_form_and_the_same_form_is_the_same_file(inspect: Inspect, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    answer = template(inspect, folder, "--reviewer", "张三", "--reviewer", "李 四")
    assert answer.code == 0, answer.err
    assert template(inspect, folder, "--circulars").code == 0
    names = [f"评分表-{YEAR}-张三.xlsx", f"评分表-{YEAR}-李四.xlsx", f"通报扣分表-{YEAR}.xlsx"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / names[0]).read_bytes() == empty_form()
    assert (folder / names[2]).read_bytes() == empty_list()


def test_a_form_may_ask_for_some_units_and_rows_alone(inspect: Inspect, tmp_path: Path) -> None:
    template(inspect, tmp_path, "--reviewer", "王五", "--unit", "教育局", "--indicator", "2.2", "--indicator", "5.1")
    path = tmp_path / f"评分表-{YEAR}-王五.xlsx"
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["部门", "扣分理由", "填写说明", "程序用表"]
    assert [cell.value for cell in book["部门"][3]] == ["序号", "指标", "2.2", "5.1"]
    change(path, put("部门", "C6", 2))
    (imported,) = take(inspect, path, more=("--by", "王干事", "--json")).document["imported"]
    assert (imported["kind"], imported["reviewer"], imported["marks"], imported["replaces"]) == (
        "marks",
        "王五",
        1,
        None,
    )
    assert imported["missing"] == [{"unit": "区教育局", "indicator": "5.1"}]


def test_a_form_that_is_there_is_never_overwritten(inspect: Inspect, zhang: Path) -> None:
    answer = template(inspect, zhang.parent, "--reviewer", "王五", "--reviewer", "张三")
    assert answer.code == 2
    assert "不覆盖" in answer.err
    assert zhang.read_bytes() == full_form()
    assert not zhang.with_name(f"评分表-{YEAR}-王五.xlsx").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--reviewer"),
        (("--reviewer", "张三", "--circulars"), "--circulars"),
        (("--circulars", "--unit", "区教育局"), "--circulars"),
        (("--reviewer", "../张三"), "不能作姓名"),
        (("--reviewer", " "), "不能作姓名"),
        (("--reviewer", "张三", "--indicator", "99"), "没有指标 99"),
        (("--reviewer", "张三", "--unit", "教育"), "区教育局"),
        (("--reviewer", "张三", "--unit", "区公安局", "--indicator", "2.1"), "没有可评的格"),
    ],
)
def test_a_form_that_cannot_be_is_refused(
    inspect: Inspect, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    answer = template(inspect, tmp_path / "out", *arguments)
    assert answer.code == 2
    assert words in answer.err
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- marks come in


def test_marks_come_in_and_are_listed(inspect: Inspect, zhang: Path, data: Path) -> None:
    reasoned = reason(5, "区教育局", "5.1 政府信息公开平台改版升级", "目录缺一项")
    excused, overruled = mark("区教育局", "1.1", "未涉及"), mark("区教育局", "10", 9.5)
    change(zhang, excused, overruled, mark("栾城镇", "8", None), reasoned)
    answer = take(inspect, zhang, more=("--by", "王 干事"))
    assert answer.code == 0, answer.err
    assert f"评分 {NEEDED - 1} 格，未涉及 1 格" in answer.out
    assert "还缺 1 格：栾城镇 8" in answer.out
    (one,) = listed(inspect)["reviewers"]
    assert (one["reviewer"], one["by"], one["source"]) == ("张三", "王干事", zhang.name)
    given = {(row["unit"], row["indicator"]): (row["points"], row["na"], row["note"]) for row in one["marks"]}
    assert len(given) == NEEDED
    assert given["区教育局", "5.1"] == (7.75, False, "目录缺一项")
    assert given["区教育局", "1.1"] == (None, True, None)
    assert given["区教育局", "10"] == (9.5, False, None)
    assert one["missing"] == listed(inspect)["missing"] == [{"unit": "栾城镇", "indicator": "8"}]
    kept = data / "attachments" / one["digest"][7:9] / one["digest"][7:]
    assert kept.read_bytes() == zhang.read_bytes()
    told = shown(inspect, "--unit", "区教育局")
    assert all(words in told for words in ("张三", "目录缺一项", "未涉及", "王干事", "还没有导入全年的通报扣分表"))
    assert "冶河镇" not in told


def test_a_new_file_takes_the_place_of_the_former_and_the_former_is_kept(inspect: Inspect, li: Path) -> None:
    change(li, mark("区教育局", "1.1", 1))
    take(inspect, li)
    change(li, mark("区教育局", "1.1", 2), mark("区教育局", "1.2", 2))
    assert "代替第 1 份" in take(inspect, li, more=("--by", "赵干事")).out
    (one,) = listed(inspect)["reviewers"]
    assert [row["points"] for row in one["marks"]] == [2, 2]
    versions = [(version["version"], version["by"], version["marks"]) for version in one["versions"]]
    assert versions == [(1, "王干事", 1), (2, "赵干事", 2)]
    assert "李四历次所交" in shown(inspect, "--reviewer", "李四")


def test_a_form_made_again_holds_what_its_reviewer_gave(inspect: Inspect, zhang: Path, tmp_path: Path) -> None:
    change(zhang, mark("区教育局", "1.1", 1.5), mark("栾城镇", "6", "未涉及"), reason(5, "区教育局", "1.1", "-缺一项"))
    take(inspect, zhang)
    before = listed(inspect)["reviewers"][0]["marks"]
    template(inspect, tmp_path / "again", "--reviewer", "张三")
    assert take(inspect, tmp_path / "again" / zhang.name).code == 0
    (one,) = listed(inspect)["reviewers"]
    assert len(one["versions"]) == 2
    assert one["marks"] == before
    assert "-缺一项" in {row["note"] for row in before}


def test_an_empty_form_takes_nothing_back_unless_told_to(inspect: Inspect, zhang: Path) -> None:
    take(inspect, zhang)
    zhang.write_bytes(empty_form())
    assert "--withdraw" in refused(take(inspect, zhang))[0]
    assert len(listed(inspect)["reviewers"][0]["marks"]) == NEEDED
    assert take(inspect, zhang, more=("--by", "王干事", "--withdraw")).code == 0
    assert listed(inspect)["reviewers"][0]["marks"] == []


def test_reviewers_who_disagree_whether_a_row_concerns_a_unit_are_told(inspect: Inspect, zhang: Path, li: Path) -> None:
    change(zhang, mark("区教育局", "6", "未涉及"), mark("区教育局", "7", "未涉及"))
    change(li, mark("区教育局", "6", 3), mark("区教育局", "7", "未涉及"))
    assert take(inspect, zhang, li).code == 0
    assert listed(inspect)["disputed"] == [{"unit": "区教育局", "indicator": "6"}]
    assert "须核对：1 格。区教育局 6" in shown(inspect)


def test_what_nobody_has_given_is_told_and_an_unknown_reviewer_too(inspect: Inspect) -> None:
    assert len(listed(inspect)["missing"]) == NEEDED
    assert "还没有人交评分" in shown(inspect)
    assert f"还没有任何人评：{NEEDED} 格" in shown(inspect)
    assert "没有“张三”的评分" in inspect("marks", "list", "--year", str(YEAR), "--reviewer", "张三").err


# ---------------------------------------------------------------- circulars


def test_circulars_come_in_and_a_list_made_again_holds_them(inspect: Inspect, circulars: Path, tmp_path: Path) -> None:
    second = ("栾城镇", "5.3", "省政府办公厅", "冀政办函〔2025〕2号", "2025年11月3日", 2.5)
    change(circulars, circular(5, *WARNED), circular(7, *second))
    answer = take(inspect, circulars)
    assert answer.code == 0, answer.err
    assert "通报 2 条" in answer.out
    rows = [(row["unit"], row["points"], row["day"]) for row in listed(inspect)["circulars"]["circulars"]]
    assert rows == [("区教育局", 1, "2025-03-01"), ("栾城镇", 2.5, "2025-11-03")]
    assert "石政办函〔2025〕8号" in shown(inspect)
    template(inspect, tmp_path / "again", "--circulars")
    again = tmp_path / "again" / circulars.name
    change(again, circular(9, *WARNED[:3], "石政办函〔2025〕9号", date(YEAR, 4, 1)))
    assert "（上一份 2 条）" in take(inspect, again).out
    assert len(listed(inspect)["circulars"]["circulars"]) == 3


def test_an_empty_list_says_that_there_was_no_circular_but_takes_none_back(inspect: Inspect, circulars: Path) -> None:
    assert take(inspect, circulars).code == 0
    assert "没有通报" in shown(inspect)
    change(circulars, circular(5, *WARNED))
    take(inspect, circulars)
    circulars.write_bytes(empty_list())
    assert "--withdraw" in refused(take(inspect, circulars))[0]
    assert len(listed(inspect)["circulars"]["circulars"]) == 1


# ---------------------------------------------------------------- all or nothing


def test_every_mistake_of_every_file_is_told_at_once_and_nothing_is_changed(
    inspect: Inspect, zhang: Path, li: Path, circulars: Path, data: Path
) -> None:
    assert take(inspect, zhang).code == 0
    before, kept = listed(inspect), sorted(path.name for path in (data / "attachments").rglob("*"))
    change(zhang, mark("区教育局", "1.2", 1))
    wrong = (mark("区教育局", "1.1", 99), mark("栾城镇", "1.1", "好"), put("部门", "B9", "某[red]局"))
    change(li, *wrong, lambda book: book["部门"].merge_cells("C8:C10"))
    change(circulars, circular(5, "某局", *WARNED[1:]))
    picture = zhang.with_name("照片.xlsx")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    files = (zhang, li, circulars, picture, zhang.with_name("没有.xlsx"))
    told = refused(take(inspect, *files, more=("--by", "王干事", "--json")))
    assert [problem.partition("：")[0].partition(" ")[0] for problem in told] == [
        f"{li.name}〔部门〕C8:C10",
        f"{li.name}〔部门〕C7",
        f"{li.name}〔部门〕B9",
        f"{li.name}〔乡镇〕C6",
        f"{circulars.name}〔通报〕A5",
        "照片.xlsx",
        "没有.xlsx",
    ]
    assert "某[red]局" in told[2]
    assert listed(inspect) == before
    assert sorted(path.name for path in (data / "attachments").rglob("*")) == kept


def test_two_files_of_one_reviewer_are_refused(inspect: Inspect, zhang: Path, circulars: Path, tmp_path: Path) -> None:
    copies = [tmp_path / f"副本{path.name}" for path in (zhang, circulars)]
    for path, copy in zip((zhang, circulars), copies, strict=True):
        copy.write_bytes(path.read_bytes())
    marks, lists = refused(take(inspect, zhang, circulars, *copies))
    assert f"都是 {YEAR} 年张三的评分" in marks
    assert f"都是 {YEAR} 年通报" in lists


def test_mistakes_of_which_there_are_too_many_to_tell_are_counted(inspect: Inspect, zhang: Path) -> None:
    zhang.write_bytes(with_lines(full_form(), "sheet1.xml", 300))
    answer = take(inspect, zhang)
    lines = refused(answer)
    assert len(lines) == 201
    assert lines[-1] == "……还有 100 处没有列出。"
    assert "共 300 处错误" in answer.err


def test_who_imports_must_be_said(inspect: Inspect, zhang: Path) -> None:
    assert "--by" in take(inspect, zhang, more=()).err
    assert "不能作姓名" in take(inspect, zhang, more=("--by", " ")).err


# ---------------------------------------------------------------- another table


def test_a_form_made_before_the_duties_were_changed_is_refused(inspect: Inspect, zhang: Path, config: Path) -> None:
    table = config / "indicators.toml"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("weight = 2", "weight = 3"), encoding="utf-8")
    assert take(inspect, zhang).code == 0, "what the form does not ask may change"
    table.write_text(text.replace('duty = "livelihood"', 'duty = ""'), encoding="utf-8")
    assert "单位职责后来改过" in refused(take(inspect, zhang))[0]
    assert "指标表后来改过" in shown(inspect)


def test_the_year_says_which_marks_were_given_by_another_table(inspect: Inspect, zhang: Path, config: Path) -> None:
    assert take(inspect, zhang).code == 0
    assert "另一版指标表" not in sources_of_the_year()
    table = config / "indicators.toml"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace('duty = "livelihood"', 'duty = ""'), encoding="utf-8")
    assert "另一版指标表" in sources_of_the_year()


def sources_of_the_year() -> str:
    with opened(resolve()) as place:
        return "\n".join(source.detail for source in gather(place, YEAR).sources)
