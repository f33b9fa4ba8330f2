"""Forms of the annual assessment as reviewers and the office fill them in, well and badly."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.workbook.workbook import Workbook

from config.loader import load
from fixtures.district.world import CONFIG_FOLDER
from inspection.day import day_in
from inspection.form_digest import form_digest
from reports.marks_form import CircularsForm, MarksForm, circulars_form, marks_form

YEAR = 2025  # a year that is over, so that all its days have been
CONFIGURATION = load(CONFIG_FOLDER)
TABLE = CONFIGURATION.indicators_for(YEAR)
ROWS, UNITS = TABLE.indicators, CONFIGURATION.inventory.units
NEEDED = sum(row.applies_to(unit) for unit in UNITS for row in ROWS if row.site_share < 1)
WARNED = ("区教育局", "5.3 政务新媒体健康有序发展", "市政府办公室", "石政办函〔2025〕8号", date(YEAR, 3, 1), None)

Change = Callable[[Workbook], None]


@cache
def empty_form(reviewer: str = "张三") -> bytes:
    """A reviewer's form about all units and rows, as it goes out today."""
    digest = form_digest(YEAR, TABLE, CONFIGURATION.inventory)
    day = day_in(CONFIGURATION.inventory.district)
    return marks_form(MarksForm(YEAR, reviewer, TABLE, ROWS, UNITS, digest, day))


@cache
def empty_list() -> bytes:
    """The list of circulars, as it goes out today while there is none."""
    digest = form_digest(YEAR, TABLE, CONFIGURATION.inventory)
    rows = tuple(row for row in ROWS if row.circular_deduction is not None)
    return circulars_form(CircularsForm(YEAR, TABLE, rows, UNITS, digest, day_in(CONFIGURATION.inventory.district)))


@cache
def full_form(reviewer: str = "张三") -> bytes:
    """A form in which every unit has everything but a quarter of a point."""
    return changed(empty_form(reviewer), fill)


def changed(content: bytes, *changes: Change) -> bytes:
    """Return a form after somebody worked on it."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for change in changes:
        change(book)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def fill(book: Workbook) -> None:
    """Fill in every mark that is wanted."""
    for name in ("部门", "乡镇"):
        sheet = book[name]
        for line in range(6, sheet.max_row + 1):
            for column in range(3, sheet.max_column):
                if sheet.cell(line, column).value is None:
                    sheet.cell(line, column).value = sheet.cell(5, column).value - 0.25


def put(sheet: str, cell: str, value: Any) -> Change:
    """Put a value into a cell."""

    def putting(book: Workbook) -> None:
        book[sheet][cell] = value

    return putting


def cell_of(unit: str, row: str) -> tuple[str, str]:
    """Where a unit's mark stands: sheet and cell, by the order of the inventory and of the table."""
    kind = next(one.kind for one in UNITS if one.name == unit)
    names = [one.name for one in UNITS if one.kind is kind]
    ids = [one.id for one in ROWS if kind in one.kinds]
    sheet = {"department": "部门", "township": "乡镇"}[kind]
    return sheet, f"{get_column_letter(3 + ids.index(row))}{6 + names.index(unit)}"


def mark(unit: str, row: str, value: Any) -> Change:
    """Give a unit a mark."""
    return put(*cell_of(unit, row), value)


def reason(line: int, *values: str) -> Change:
    """Write a line of the reasons."""
    return _line("扣分理由", line, values)


def circular(line: int, *values: Any) -> Change:
    """Write a line of the list of circulars."""
    return _line("通报", line, values)


def _line(sheet: str, line: int, values: tuple[Any, ...]) -> Change:
    def writing(book: Workbook) -> None:
        for column, value in enumerate(values, start=1):
            book[sheet].cell(line, column).value = value

    return writing


def repacked(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return a package with its parts changed, which no office program would do."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return packed.getvalue()


def with_lines(content: bytes, part: str, count: int) -> bytes:
    """Return a form with so many lines of unknown units more on a sheet."""
    lines = "".join(
        f'<row r="{n}"><c r="B{n}" t="inlineStr"><is><t>甲{n}</t></is></c></row>' for n in range(60, 60 + count)
    )
    ending = f"{lines}</sheetData>".encode()
    return repacked(content, lambda name, old: old.replace(b"</sheetData>", ending) if name.endswith(part) else old)
