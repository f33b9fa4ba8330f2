"""Filled-in forms: what plainly is a mark is one, every mistake is told with its place, and no file is trusted."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from inspection.errors import InvalidInput
from inspection.mark_files import Listed, Marked, read_form
from inspection.spreadsheets import content_of
from tests.filled_forms import (
    CONFIGURATION,
    NEEDED,
    UNITS,
    WARNED,
    YEAR,
    Change,
    cell_of,
    changed,
    circular,
    empty_form,
    empty_list,
    full_form,
    mark,
    put,
    reason,
    repacked,
    with_lines,
)

NAME, TODAY = "评分表.xlsx", date(2026, 11, 23)
DEPARTMENTS = [unit.name for unit in UNITS if unit.kind == "department"]


def read(content: bytes, today: date = TODAY) -> tuple[Marked | Listed, list[str]]:
    return read_form(content, NAME, CONFIGURATION, today)


def problems(content: bytes) -> list[str]:
    found = read(content)[1]
    assert all(problem.startswith(NAME) and problem.endswith("。") for problem in found)
    return found


def places(told: list[str]) -> list[str]:
    return [problem.partition("〕")[2].partition("：")[0] for problem in told]


# ---------------------------------------------------------------- marks

TAKEN = [
    (0, "0.00"),
    (3, "3.00"),
    (2.35, "2.35"),
    (2.3000000000000003, "2.30"),
    ("2.5", "2.50"),
    ("２．５", "2.50"),
    (" 2.50 ", "2.50"),
    ("2.500", "2.50"),
    ("-0", "0.00"),
    (Decimal("1.25"), "1.25"),
    ("未涉及 ", None),
]


def test_what_plainly_is_a_mark_is_taken() -> None:
    given = dict(zip(DEPARTMENTS, TAKEN, strict=False))
    form, told = read(changed(empty_form(), *(mark(unit, "1.1", value) for unit, (value, _) in given.items())))
    assert told == []
    assert isinstance(form, Marked)
    assert [None if one.points is None else str(one.points) for one in form.marks] == [text for _, text in TAKEN]


def test_a_whole_form_is_read() -> None:
    form, told = read(changed(full_form(), reason(5, "教育局", "1.1 加强权力配置信息公开", "目录缺一项")))
    assert told == []
    assert isinstance(form, Marked)
    assert (form.year, form.reviewer, len(form.marks), len(form.units)) == (YEAR, "张三", NEEDED, len(UNITS))
    assert {(one.unit_id, one.note) for one in form.marks if one.note} == {("jiaoyuju", "目录缺一项")}


WRONG: list[tuple[Any, str]] = [
    ("优秀", "“优秀”不是分数；请填 0 到 3 之间"),
    ("2分", "不是分数"),
    (3.01, "超过满分 3 分"),
    (1e300, "超过满分 3 分"),
    (-1, "是负数"),
    ("-0.5", "是负数"),
    (2.555, "多于两位小数"),
    ("2.5555", "多于两位小数"),
    ("=1+1", "是公式"),
    ("＝1+1", "是公式"),
    (ArrayFormula("C15", "=SUM(A1:A2)"), "是公式"),
    (True, "不是分数"),
    (datetime(2025, 1, 2), "不是分数"),
    (timedelta(hours=2), "不是分数"),
    ("NaN", "不是分数"),
    ("inf", "不是分数"),
    ("1e5", "不是分数"),
    ("#N/A", "不是分数"),
    ("@SUM(1)", "不是分数"),
    ("9" * 40, "不是分数"),
    ("不涉及", "“未涉及”"),
    ("一\n假行：\x85坏", "“一 假行: 坏”不是分数"),
]


def test_every_wrong_mark_is_told_at_once_with_its_place_and_remedy() -> None:
    given = dict(zip(DEPARTMENTS, WRONG, strict=False))
    assert len(given) == len(WRONG)
    told = problems(changed(full_form(), *(mark(unit, "1.1", value) for unit, (value, _) in given.items())))
    assert [problem.partition("：")[0] for problem in told] == [
        f"{NAME}〔部门〕{cell_of(unit, '1.1')[1]}" for unit in given
    ]
    for problem, (_, words) in zip(told, WRONG, strict=True):
        assert words in problem
        assert "\n" not in problem


def test_a_unit_without_the_duty_has_no_mark_and_an_optional_row_excuses_nobody() -> None:
    told = problems(changed(full_form(), mark("区教育局", "2.1", 1), mark("区教育局", "10", "未涉及")))
    assert places(told) == [cell_of("区教育局", "2.1")[1], cell_of("区教育局", "10")[1]]
    assert "不涉及区教育局的职责" in told[0]
    assert "不改评就留空" in told[1]


def swap_columns(book: Workbook) -> None:
    sheet = book["部门"]
    sheet["C3"], sheet["D3"] = sheet["D3"].value, sheet["C3"].value


def delete_column(book: Workbook) -> None:
    book["乡镇"].delete_cols(3)


def merge(book: Workbook) -> None:
    book["部门"].merge_cells("C8:C10")
    book["扣分理由"].merge_cells("A6:C6")


def remove(sheet: str) -> Change:
    def removing(book: Workbook) -> None:
        book.remove(book[sheet])

    return removing


UNSHAPED = [
    ("an unknown unit", put("部门", "B7", "教育"), ["〔部门〕B7：没有叫“教育”的单位；您要找的是不是：区教育局"]),
    ("a unit without a name", put("部门", "B7", None), ["〔部门〕B7：没有写单位"]),
    ("a duplicate row", put("部门", "B7", "区发改局"), ["〔部门〕B7：区发改局与 B6 重复"]),
    ("a unit of the other sheet", put("部门", "B7", "栾城镇"), ["〔部门〕B7：栾城镇不是部门"]),
    ("a unit that is a formula", put("部门", "B7", "=B6"), ["〔部门〕B7：是公式"]),
    ("moved columns", swap_columns, ["〔部门〕C3：表头应是指标 1.1，现在是“1.2”", "〔部门〕D3：表头应是指标 1.2"]),
    ("an unknown column", put("部门", "C3", "9.9"), ["〔部门〕C3：表头应是指标 1.1，现在是“9.9”"]),
    ("a column more", put("部门", "Y3", "11"), ["〔部门〕Y3：表外的格里有内容"]),
    ("a mark beside the table", put("部门", "Z9", 3), ["〔部门〕Z9：表外的格里有内容"]),
    ("another maximum", put("部门", "C5", 30), ["〔部门〕C5：表头的满分应是 3"]),
    ("a deleted column", delete_column, ["〔乡镇〕C3：表头应是指标 1.1，现在是“1.2”"]),
    ("merged cells", merge, ["〔部门〕C8:C10：合并了单元格", "〔扣分理由〕A6:C6：合并了单元格"]),
    ("a missing sheet", remove("乡镇"), ["缺少工作表“乡镇”"]),
    ("half a reason", reason(5, "", "", "缺"), ["〔扣分理由〕A5：没有写单位", "〔扣分理由〕B5：“”不是这份表里的指标"]),
]


@pytest.mark.parametrize(("fault", "told"), [case[1:] for case in UNSHAPED], ids=[case[0] for case in UNSHAPED])
def test_a_form_out_of_shape_is_told(fault: Change, told: list[str]) -> None:
    found = problems(changed(full_form(), fault))
    assert all(any(words in problem for problem in found) for words in told), found


def test_a_reason_needs_its_mark_and_only_one_line() -> None:
    reasons = [
        ("区教育局", "1.2", "无分"),
        ("区教育局", "1.1", "甲"),
        ("区教育局", "1.1", "乙"),
        ("栾城镇", "9.1", "长" * 501),
    ]
    lines = [reason(5 + number, *line) for number, line in enumerate(reasons)]
    told = problems(changed(empty_form(), mark("区教育局", "1.1", 1), *lines))
    assert places(told) == ["C5", "B7", "C8", "C8"]


# ---------------------------------------------------------------- circulars


def test_a_list_of_circulars_is_read() -> None:
    second = ("栾城镇", "5.3", "省政府办公厅", "冀政办函〔2025〕2号", "2025年11月3日", 2.5)
    form, told = read(changed(empty_list(), circular(5, *WARNED), circular(7, *second)))
    assert told == []
    assert isinstance(form, Listed)
    assert [(one.unit_id, one.points, one.day) for one in form.circulars] == [
        ("jiaoyuju", 1, date(YEAR, 3, 1)),
        ("luanchengzhen", Decimal("2.5"), date(YEAR, 11, 3)),
    ]


def test_what_is_wrong_with_a_list_of_circulars_is_told_all_at_once() -> None:
    lines = [
        WARNED,
        (*WARNED[:3], "石政办函〔2025〕8 号", *WARNED[4:]),
        ("教育", "5.1", None, "题", "三月", "一分"),
        (*WARNED[:3], "乙", date(2024, 12, 31), 0),
        (*WARNED[:3], "丙", date(YEAR, 5, 1), 9),
        (*WARNED[:3], "=1+1", "=TODAY()", -1),
        (*WARNED[:3], "丁", date(YEAR, 12, 30), 0.005, "旁注"),
        (None, None, "机关"),
    ]
    content = changed(empty_list(), *(circular(number, *line) for number, line in enumerate(lines, start=5)))
    told = read(content, today=date(YEAR, 12, 29))[1]
    places_told = ["D6", "A7", "B7", "C7", "E7", "E8", "F8", "F9", "D10", "E10", "F10", "E11", "G11", "F11"]
    assert places(told) == [*places_told, "A12", "B12", "D12", "E12"]


# ---------------------------------------------------------------- files that are no such form


def test_what_would_be_read_for_ever_is_not_begun(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "form.xlsx")
    for path in (tmp_path, tmp_path / "form.xlsx", Path("/dev/zero")):
        with pytest.raises(InvalidInput, match="不是文件"):
            content_of(path, "评分表")


def foreign() -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active.append(("单位", "得分"))
    book.save(content)
    return content.getvalue()


def of_the_nineties() -> bytes:
    book, content = xlwt.Workbook(), io.BytesIO()
    book.add_sheet("sheet").write(0, 0, "1")
    book.save(content)
    return content.getvalue()


def with_part(name: str, change: Callable[[bytes], bytes]) -> bytes:
    return repacked(full_form(), lambda part, content: change(content) if part == name else content)


def with_row(cells: bytes) -> bytes:
    row = b"<row>" + cells + b"</row></sheetData>"
    return with_part("xl/worksheets/sheet1.xml", lambda part: part.replace(b"</sheetData>", row))


def with_entities(part: bytes) -> bytes:
    """Return a sheet whose first text would be two hundred billion characters long."""
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<!DOCTYPE worksheet [<!ENTITY e0 "ha">{bomb}]>'.encode()
    return head + part.replace(b"<t>", b"<t>&e11;", 1)


FILES: list[tuple[str, Callable[[], bytes], str]] = [
    ("of another year", lambda: changed(full_form(), put("程序用表", "B2", str(YEAR - 1))), "另一份指标表"),
    ("of another table", lambda: changed(full_form(), put("程序用表", "B3", "0" * 64)), "另一份指标表"),
    ("of no year", lambda: changed(full_form(), put("程序用表", "B2", "２０２５")), "另一份指标表"),
    ("of unknown units", lambda: changed(full_form(), put("程序用表", "B4", "jiaoyuju mouju")), "被改过"),
    ("of circulars that cost nothing", lambda: changed(empty_list(), put("程序用表", "B5", "1.1")), "被改过"),
    ("of nobody", lambda: changed(full_form(), put("程序用表", "B6", None)), "没有评分人"),
    ("without its hidden sheet", lambda: changed(full_form(), remove("程序用表")), "不是本程序生成的表"),
    ("foreign", foreign, "不是本程序生成的表"),
    ("cut short", lambda: full_form()[:20_000], "打不开"),
    ("empty", lambda: b"", "不是 .xlsx 文件"),
    ("csv renamed", lambda: "单位,1.1\n区教育局,3\n".encode("gbk"), "不是 .xlsx 文件"),
    ("xls renamed", of_the_nineties, "旧版 Excel"),
    (
        "a number that is none",
        lambda: with_part("xl/worksheets/sheet1.xml", lambda part: part.replace(b"<v>2.75</v>", b"<v>NaN</v>")),
        "打不开",
    ),
    ("broken XML", lambda: with_part("xl/worksheets/sheet2.xml", lambda part: part[: len(part) // 2]), "打不开"),
    ("a bomb", lambda: with_part("xl/styles.xml", lambda part: part + b" " * 60_000_000), "解开后太大"),
    ("a row of millions of cells", lambda: with_row(b"<c/>" * 3_000_000), "解开后太大"),
    ("a row of millions of attributes", lambda: with_row(b"<c%s/>" % (b' a=""' * 3_000_000)), "解开后太大"),
    ("a million styles", lambda: with_part("xl/styles.xml", lambda part: part + b"<xf/>" * 1_000_000), "解开后太大"),
    ("a bomb of entities", lambda: with_part("xl/worksheets/sheet1.xml", with_entities), "打不开"),
]


@pytest.mark.parametrize(("made", "words"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_a_file_that_is_no_such_form_is_refused_in_a_sentence(made: Callable[[], bytes], words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        read(made())
    assert str(caught.value).startswith(NAME)


def test_a_password_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    container = of_the_nineties().replace("Workbook".encode("utf-16-le"), "Encrypte".encode("utf-16-le"))
    monkeypatch.setattr("inspection.spreadsheets._ENCRYPTED", "Encrypte")
    with pytest.raises(InvalidInput, match="打开密码"):
        read(container)


def test_a_hundred_thousand_lines_are_refused_in_a_sentence() -> None:
    told = problems(with_lines(changed(full_form(), mark("栾城镇", "1.1", 99)), "sheet1.xml", 100_000))
    assert len(told) == 2
    assert "〔部门〕：超过 2000 行" in told[0]
    assert "〔乡镇〕C6：“99”超过满分" in told[1]


def test_a_row_may_not_claim_to_be_further_down_than_there_are_rows() -> None:
    row = b'<row r="99999999999"><c r="B99999999999"><v>1</v></c></row></sheetData>'
    content = with_part("xl/worksheets/sheet1.xml", lambda part: part.replace(b"</sheetData>", row))
    assert problems(content) == []
