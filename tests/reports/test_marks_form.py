"""The reviewers' form: it offers what may be given and locks the rest, prints as a form, and opens in LibreOffice."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.workbook.workbook import Workbook

from tests.filled_forms import ROWS, UNITS, WARNED, YEAR, cell_of, changed, circular, empty_form, empty_list, full_form


@pytest.fixture(scope="module")
def book() -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(empty_form()))


def test_a_cell_that_concerns_its_unit_is_open_and_every_other_is_locked(book: Workbook) -> None:
    for unit in UNITS:
        for row in (row for row in ROWS if unit.kind in row.kinds):
            sheet, place = cell_of(unit.name, row.id)
            cell = book[sheet][place]
            assert cell.value == (None if row.applies_to(unit) else "未涉及")
            assert cell.protection.locked is not row.applies_to(unit)
    open_cells = sum(not cell.protection.locked for name in ("部门", "乡镇") for line in book[name] for cell in line)
    assert open_cells == sum(row.applies_to(unit) for unit in UNITS for row in ROWS)


def test_the_form_is_protected_without_a_password_and_keeps_its_sheets(book: Workbook) -> None:
    assert all(sheet.protection.sheet and not sheet.protection.password for sheet in book)
    assert book.security.lockStructure
    assert [sheet.title for sheet in book if sheet.sheet_state == "hidden"] == ["程序用表"]


def offered(book: Workbook, sheet: str, place: str) -> list[Any]:
    """The values of the drop-down list of a cell."""
    (rule,) = [rule for rule in book[sheet].data_validations.dataValidation if place in rule.cells]
    assert rule.type == "list"
    assert rule.showErrorMessage
    name, _, cells = rule.formula1.replace("'", "").replace("$", "").rpartition("!")
    return [cell.value for (cell,) in book[name][cells]]


def test_a_drop_down_list_holds_every_mark_that_there_can_be_and_no_other(book: Workbook) -> None:
    for row in ROWS:
        unit = next(unit for unit in UNITS if row.applies_to(unit))
        marks = offered(book, *cell_of(unit.name, row.id))
        assert len(marks) == len(set(marks))
        assert set(marks) - {"未涉及"} == {cent / 100 for cent in range(int(row.points * 100) + 1)}
        assert ("未涉及" in marks) is (row.site_share < 1)


def test_units_and_rows_of_the_lists_are_offered(book: Workbook) -> None:
    assert offered(book, "扣分理由", "A5") == [unit.name for unit in UNITS]
    assert [text.split()[0] for text in offered(book, "扣分理由", "B5")] == [row.id for row in ROWS]
    circulars = openpyxl.load_workbook(io.BytesIO(empty_list()))
    assert offered(circulars, "通报", "B5") == ["5.3 政务新媒体健康有序发展"]


def test_the_form_prints_on_a4_and_explains_every_row(book: Workbook) -> None:
    sheet = book["部门"]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.freeze_panes) == ("landscape", 9, "C6")
    assert (sheet.page_setup.fitToWidth, sheet.print_title_rows) == (1, "$3:$5")
    told = {cell.value for line in book["填写说明"] for cell in line}
    assert all({row.content, row.method} <= told for row in ROWS)
    assert not any(sheet.merged_cells.ranges for sheet in book)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_libreoffice_opens_the_forms(tmp_path: Path) -> None:
    forms = {"评分表": full_form(), "通报扣分表": changed(empty_list(), circular(5, *WARNED))}
    for name, content in forms.items():
        (tmp_path / f"{name}.xlsx").write_bytes(content)
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    csv_in_utf_8 = "csv:Text - txt - csv (StarCalc):44,34,76"
    command = ["soffice", "--headless", profile, "--convert-to", csv_in_utf_8, "--outdir", str(tmp_path)]
    subprocess.run([*command, *map(str, tmp_path.glob("*.xlsx"))], check=True, capture_output=True, timeout=240)
    assert f"{YEAR}年度政务公开工作考核评分表（部门）" in (tmp_path / "评分表.csv").read_text(encoding="utf-8")
    assert "石政办函〔2025〕8号" in (tmp_path / "通报扣分表.csv").read_text(encoding="utf-8")
