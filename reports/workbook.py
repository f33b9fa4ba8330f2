"""How the workbooks look and what their cells may hold, whichever report they are of.

Text of inspected pages is hostile: no cell is ever a formula, whatever it begins with.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO
from math import ceil
from unicodedata import east_asian_width

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from reports.daily import web_link
from reports.package_times import with_times_of
from reports.plain_text import plain_text

Value = str | int | Decimal | date | None
Row = Sequence[Value]
Columns = Sequence[tuple[str, int]]  # heading, width in characters

LONGEST_CELL = 32_000  # characters; the format holds 32 767
LONGEST_NAME = 31  # characters of a sheet's name
MOST_LINKS = 60_000  # on one sheet; the format holds 65 530
HEAD_ROW = 4  # title, what it is about, an empty row, head
_LINE_HEIGHT, _HIGHEST = 14.5, 400.0  # in points; the format allows 409
POINTS, SHARE = "0.00", "0.00%"  # number formats

_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\ud800-\udfff\ufffe\uffff\[\]:*?/\\]")
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")

_FONT = "微软雅黑"
INK, FAINT, ACCENT, FAULT, LINK = "FF1F2933", "FF6B7680", "FF1F3A5F", "FF9B1C1C", "FF1D4E89"
_LINE = Border(bottom=Side("thin", color="FFD5DAE1"))
_WRAPPED = Alignment(wrap_text=True, vertical="top")
CENTRED = Alignment(horizontal="center", vertical="top", wrap_text=True)
ON_ONE_LINE = Alignment(wrap_text=False)


def new_book(title: str, creator: str) -> Workbook:
    """Return a workbook without sheets that says what it is and what made it."""
    book = Workbook()
    book.remove(book.active)
    book.properties.title, book.properties.creator = cell_text(title), creator
    return book


def saved(book: Workbook, day: date) -> bytes:
    """Return the workbook as an .xlsx file of that day; the same workbook gives the same bytes."""
    content = BytesIO()
    book.save(content)
    return with_times_of(content.getvalue(), day)


def sheet_name(wanted: str, taken: Collection[str]) -> str:
    """Return a name that a sheet may bear and that no other sheet bears, as near to the wanted one as can be."""
    name = _NOT_IN_NAMES.sub("_", wanted).strip("'")[:LONGEST_NAME] or "未命名"
    others, number, free = {other.casefold() for other in taken}, 1, name
    while free.casefold() in others:
        number += 1
        free = f"{name[: LONGEST_NAME - len(str(number)) - 2]}({number})"
    return free


# ---------------------------------------------------------------- a sheet


def begin(sheet: Worksheet, title: str, about: str, columns: Columns, *, head_height: int = 32) -> None:
    """Write title, what it is about and head, and set the sheet up for the screen and for A4 in landscape."""
    begin_tables(sheet, title, about, [width for _, width in columns])
    blank(sheet)
    write_head(sheet, [text for text, _ in columns])
    sheet.row_dimensions[HEAD_ROW].height = head_height
    sheet.freeze_panes = f"{'C' if len(columns) > 2 else 'A'}{HEAD_ROW + 1}"
    sheet.print_title_rows = f"{HEAD_ROW}:{HEAD_ROW}"


def begin_tables(sheet: Worksheet, title: str, about: str, widths: Sequence[int]) -> None:
    """Set a sheet up as `begin` does, for several tables below each other; each comes with its own head."""
    heading(sheet.cell(1, 1), title, font(ACCENT, bold=True, size=16))
    heading(sheet.cell(2, 1), about, font(FAINT))
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.row_dimensions[1].height = 28
    sheet.freeze_panes = f"A{HEAD_ROW - 1}"
    sheet.sheet_view.showGridLines = False
    _set_up_printing(sheet)


def table(
    sheet: Worksheet, title: str, headings: Sequence[str], rows: Iterable[Row], *, wrapped: bool = True
) -> list[tuple[Cell, ...]]:
    """Write a table below what is there, with a title and a head of its own, and return its rows of cells."""
    blank(sheet)
    section(sheet, title, len(headings))
    write_head(sheet, headings)
    written = [append(sheet, row, wrapped=wrapped) for row in rows]
    return written or [append(sheet, ("没有记录。", *[None] * (len(headings) - 1)), wrapped=False)]


def write_head(sheet: Worksheet, headings: Sequence[str]) -> tuple[Cell, ...]:
    """Write the headings of columns below what is there, and return their cells."""
    cells = append(sheet, headings, wrapped=False)
    for cell in cells:
        cell.font, cell.fill = font("FFFFFFFF", bold=True), PatternFill("solid", fgColor=ACCENT)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    return cells


def _set_up_printing(sheet: Worksheet) -> None:
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.oddFooter.center.text = "&A　第 &P 页，共 &N 页"


def end(sheet: Worksheet, columns: Columns, filtered: bool = False) -> None:
    """Say so where there is no row, and let people filter where there are many."""
    if sheet.max_row == HEAD_ROW:
        append(sheet, ("没有记录。",), wrapped=False)
    elif filtered:
        sheet.auto_filter.ref = f"A{HEAD_ROW}:{get_column_letter(len(columns))}{sheet.max_row}"


def section(sheet: Worksheet, title: str, width: int) -> None:
    """Write a row that heads those below it."""
    cells = append(sheet, (title, *[None] * (width - 1)), wrapped=False)
    for cell in cells:
        cell.fill = PatternFill("solid", fgColor="FFEEF2F6")
    cells[0].font = font(ACCENT, bold=True)


def blank(sheet: Worksheet) -> None:
    """Leave a row empty."""
    sheet.append((None,))


def append(sheet: Worksheet, values: Row, *, wrapped: bool = True) -> tuple[Cell, ...]:
    """Write a row below the others, as high as its wrapped text needs, and return its cells."""
    cells = tuple(Cell(sheet) for _ in values)
    sheet.append(cells)
    for cell, value in zip(cells, values, strict=True):
        write(cell, value)
        cell.font, cell.alignment, cell.border = font(), _WRAPPED if wrapped else ON_ONE_LINE, _LINE
    if wrapped:
        _set_height(sheet, cells[0].row, max(_lines(sheet, cell) for cell in cells))
    return cells


def note(sheet: Worksheet, text: str, columns: int) -> None:
    """Write a sentence below what is there, over so many columns, as high as it needs to be."""
    spread(sheet, append(sheet, (text,))[0], columns)


def spread(sheet: Worksheet, cell: Cell, columns: int) -> None:
    """Let a cell of text take so many columns, and its row the height that this cell needs."""
    last = cell.column + columns - 1
    sheet.merge_cells(start_row=cell.row, end_row=cell.row, start_column=cell.column, end_column=last)
    room = sum(_width(sheet, number) for number in range(cell.column, last + 1))
    _set_height(sheet, cell.row, _lines_of(str(cell.value), room))


def _set_height(sheet: Worksheet, row: int, lines: int) -> None:
    """Set a height, because not every program that opens a workbook finds it by itself."""
    sheet.row_dimensions[row].height = None if lines <= 1 else min(lines * _LINE_HEIGHT, _HIGHEST)


def _lines(sheet: Worksheet, cell: Cell) -> int:
    return _lines_of(cell.value, _width(sheet, cell.column)) if isinstance(cell.value, str) else 1


def _width(sheet: Worksheet, column: int) -> float:
    return float(sheet.column_dimensions[get_column_letter(column)].width)


def _lines_of(text: str, room: float) -> int:
    """Return how many lines the text takes; a Chinese character is as wide as two figures."""
    room = max(room - 1, 1)
    widths = (sum(2 if east_asian_width(character) in "WFA" else 1 for character in line) for line in text.split("\n"))
    return sum(max(ceil(width / room), 1) for width in widths)


# ---------------------------------------------------------------- a cell


def heading(cell: Cell, text: str, style: Font) -> None:
    """Write text in a font of its own."""
    write(cell, text)
    cell.font = style


def write(cell: Cell, value: Value) -> None:
    """Write a value; text is text, even if it looks like a formula and even after somebody edits the cell."""
    if not isinstance(value, str):
        cell.value = value
        return
    text = cell_text(value)
    cell.value = text
    if text:
        cell.data_type = "s"
    cell.quotePrefix = text.startswith(_FORMULA_SIGNS)


def cell_text(text: str) -> str:
    """Return the text as a cell can hold it: without what it may not show, and not too long."""
    legal = plain_text(text)
    return legal if len(legal) <= LONGEST_CELL else legal[:LONGEST_CELL] + "……（过长，已截断）"


def named(texts: Sequence[str], most: int) -> str:
    """Return the texts a line each, those beyond the most only counted."""
    more = [f"等 {len(texts)} 个"] if len(texts) > most else []
    return "\n".join([*texts[:most], *more])


def link(cell: Cell, target: str) -> None:
    """Make an address that people may follow a link."""
    address = web_link(target)
    if address and cell.row < MOST_LINKS:
        cell.hyperlink = address
        cell.font = font(LINK, underline="single")


@cache
def font(color: str = INK, *, bold: bool = False, size: int = 10, underline: str | None = None) -> Font:
    """Return the workbooks' font."""
    return Font(name=_FONT, size=size, bold=bold, color=color, underline=underline)
