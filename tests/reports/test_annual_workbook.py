"""The year's workbook: every sheet reads back, numbers are numbers, totals are values, hostile text stays text."""

import shutil
import subprocess
from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from config.schema import UnitKind
from reports.annual_workbook import annual_workbook
from reports.workbook import LONGEST_CELL, sheet_name
from scoring.annual import rounded
from tests.reports.made_year import CORRECTED, made_report, published


@pytest.fixture(scope="module")
def report():
    return made_report(complete=False)


@pytest.fixture(scope="module")
def book(report):
    return opened(report)


def opened(report):
    return load_workbook(BytesIO(annual_workbook(report)))


def body(sheet, title):
    """Return the rows of a table below its title and head, up to the next empty row."""
    rows = list(sheet.iter_rows(values_only=True))
    start = next(number for number, row in enumerate(rows) if title in str(row[0])) + 2
    taken = []
    for row in rows[start:]:
        if all(value is None for value in row):
            break
        taken.append(row)
    return taken


def texts(book):
    return [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_there_is_a_sheet_of_all_one_a_unit_and_what_it_rests_on(report, book):
    assert book.sheetnames == ["汇总", *(unit.name for unit in report.units), "输入", "方法", "版本"]


def test_the_summary_ranks_both_groups_with_every_rows_points(report, book):
    sheet = book["汇总"]
    head = [cell.value for cell in sheet[4]]
    rows = {row[1].value: row for row in sheet.iter_rows(min_row=5) if isinstance(row[0].value, int)}
    assert len(rows) == 34
    for unit in report.units:
        cells = rows[unit.name]
        assert (cells[0].value, cells[2].value) == (unit.result.rank, float(unit.result.total))
        for row in unit.result.indicators:
            [column] = [number for number, text in enumerate(head) if text.startswith(f"{row.id}\n")]
            wanted = "缺" if row.final is None else float(rounded(row.final))
            assert cells[column].value == wanted
    assert [row[1].value for row in sheet.iter_rows(min_row=6, max_row=12)] == [
        unit.name for unit in report.league(UnitKind.TOWNSHIP)
    ]


def test_points_are_numbers_with_two_places_and_borrowed_ones_wear_a_star(book):
    formats = {
        cell.number_format for row in book["汇总"].iter_rows(min_row=5) for cell in row if type(cell.value) is float
    }
    assert formats == {"0.00", '0.00"*"'}


def test_nothing_is_a_formula(book):
    assert "f" not in {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}


def test_a_units_rows_add_up_to_its_total_and_say_how_they_come_about(report, book):
    unit = next(unit for unit in report.units if unit.result.vetoes)
    rows = body(book[unit.name], "各行得分")
    assert rows[-2][8] == float(unit.result.total)
    assert "总分 = 各行得分之和" in rows[-1][0]
    assert any(row[1] and row[1].startswith("单项否决：首页不更新") for row in rows)
    told = {row[0]: row[9] for row in rows}
    assert "通报扣 1 分" in told["5.3"]
    assert f"{len(unit.faults)} 个" in " ".join(texts(book))


def test_the_inputs_show_marks_by_reviewer_and_days_by_row(report, book):
    sheet, unit = book["输入"], report.units[0]
    first = {row[0]: row for row in body(sheet, "考核组评分　第一考核组")}
    of_row = {row.id: row for row in unit.result.indicators}
    assert first[unit.name][1] == float(of_row["1.1"].marks[0].points)
    days = {row[0]: row for row in body(sheet, "日常检查有值的天数")}
    assert days[unit.name][1] == of_row["1.1"].days
    assert days[unit.name][-3:] == (len(unit.result.published), len(unit.result.withheld), len(unit.result.uninspected))
    assert {"区教育局", "区财政局"} <= {row[0] for row in body(sheet, "通报扣分")}


def test_the_method_holds_every_row_of_the_table_with_its_clause(report, book):
    rows = {row[0]: row for row in book["方法"].iter_rows(min_row=5, values_only=True)}
    assert all(rows[row.id][4] == row.content and rows[row.id][5] == row.method for row in report.table.indicators)


def test_a_draft_says_so_on_every_sheet_and_page(book):
    assert all(sheet.oddHeader.right.text == "暂定" for sheet in book)
    assert "（暂定）" in book["汇总"]["A1"].value
    assert "不是公布的结果" in " ".join(texts(book))


def test_a_published_version_lists_what_it_corrected(report):
    book = opened(published(made_report(units=3), CORRECTED))
    assert not any(sheet.oddHeader.right.text for sheet in book)
    assert "暂定" not in book["汇总"]["A1"].value
    rows = body(book["版本"], "公布过的版本")
    assert [row[0] for row in rows] == ["第 1 版", "第 2 版（本工作簿）"]
    assert "区民政局由第7名改为第8名" in rows[1][4]
    assert rows[1][5] == CORRECTED.digest


def test_every_sheet_is_set_up_for_paper(book):
    for sheet in book:
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (
            "9",
            "landscape",
        ) or sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "第 &P 页" in sheet.oddFooter.center.text
        assert sheet.freeze_panes
    assert book["汇总"].print_title_rows == "$4:$4"


HOSTILE = ['=cmd|"/c calc"!A1', "<script>alert(1)</script>", "a\x00b\x1fc\ud800d", "长" * 40_000, "+1", "@SUM(A1)"]


def test_hostile_text_stays_text_and_bearable(report):
    unit = next(unit for unit in report.units if unit.faults)
    faults = tuple(replace(unit.faults[0], target=text, observed=text, check=text) for text in HOSTILE)
    named = replace(unit, name="[a]:*?/\\'=1" + "名" * 50, faults=faults)
    twin = replace(named, faults=())
    book = opened(replace(report, district='=HYPERLINK("x")', units=(named, twin)))
    assert "f" not in {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert all(len(text) <= LONGEST_CELL + 20 and "\x00" not in text for text in texts(book))
    names = book.sheetnames
    assert len(set(names)) == len(names) == 6
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


@pytest.mark.parametrize(
    ("wanted", "taken", "named"),
    [
        ("区教育局", [], "区教育局"),
        ("输入", ["输入"], "输入(2)"),
        ("A", ["a", "a(2)"], "A(3)"),
        ("x" * 40, ["x" * 31], "x" * 28 + "(2)"),
        ("", [], "未命名"),
        ("'局'", [], "局"),
    ],
)
def test_a_sheets_name_is_legal_and_its_own(wanted, taken, named):
    assert sheet_name(wanted, taken) == named


def test_a_year_without_units_days_and_versions_is_written(report):
    empty = replace(report, units=(), sources=(), method=(), versions=())
    assert opened(empty).sheetnames == ["汇总", "输入", "方法", "版本"]


def test_the_same_year_gives_the_same_bytes(report):
    few = replace(report, units=report.units[:2])
    assert annual_workbook(few) == annual_workbook(few)


def test_more_faults_than_a_sheet_should_hold_are_counted(report):
    unit = next(unit for unit in report.units if unit.faults)
    many = replace(report, units=(replace(unit, faults=unit.faults[:1] * 600),))
    assert "另有 100 个看到的天数更少，没有列出。" in texts(opened(many))


def test_rows_are_as_high_as_their_text(book):
    heights = [dimension.height for dimension in book["方法"].row_dimensions.values() if dimension.height]
    assert max(heights) > Decimal(40)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_an_office_program_opens_it_and_every_page_is_marked(report, tmp_path):
    (tmp_path / "year.xlsx").write_bytes(annual_workbook(replace(report, units=report.units[:3])))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", tmp_path, tmp_path / "year.xlsx"]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    texts = [page.extract_text() for page in PdfReader(tmp_path / "year.pdf").pages]
    assert 8 <= len(texts) <= 20
    assert all("暂定" in text for text in texts)
    assert "第 1 页" in texts[0]
