"""考核评分表与通报扣分表: the workbooks that reviewers and the office fill in, and where in them everything stands.

Every cell but those to be filled is locked, without a password. What a mark may be is offered cell by cell as a
drop-down list that holds all of it, so that the office program itself refuses the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.protection import WorkbookProtection
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from config.schema import Indicator, Indicators, Unit, UnitKind
from reports.daily import KIND_TITLES
from reports.workbook import (
    ACCENT,
    CENTRED,
    FAINT,
    HEAD_ROW,
    append,
    begin,
    font,
    heading,
    new_book,
    saved,
    write,
    write_head,
)

# ---------------------------------------------------------------- where everything stands

NOT_CONCERNED = "未涉及"
MARKS_FORM, CIRCULARS_FORM = "考核评分表", "通报扣分表"
REASONS, CIRCULARS, EXPLANATION, HIDDEN = "扣分理由", "通报", "填写说明", "程序用表"
ID_ROW, TITLE_ROW, POINTS_ROW, FIRST_ROW = 3, 4, 5, 6  # of a sheet of marks
NAME_COLUMN, FIRST_COLUMN = 2, 3
FIRST_ENTRY = HEAD_ROW + 1  # of the sheets that are lists
PURPOSE, YEAR, REVIEWER, DIGEST, UNITS, ROWS = "用途", "年度", "评分人", "指标表摘要", "单位", "指标"
SHEET_OF_KIND = {UnitKind.DEPARTMENT: "部门", UnitKind.TOWNSHIP: "乡镇"}
REASON_COLUMNS = (("单位", 24), ("指标", 46), ("扣分理由", 80))
CIRCULAR_COLUMNS = (("单位", 24), ("指标", 34), ("通报机关", 26), ("通报标题、文号", 50), ("通报日期", 13), ("扣分", 8))

Key = tuple[str, str]  # unit, indicator


@dataclass(frozen=True, slots=True)
class MarksForm:
    """What one reviewer is asked: `rows` of the year's `table` for `units`, and what he gave and wrote before.

    `given` holds points by unit and indicator, None for 未涉及; `digest` names the table and who is concerned by it.
    """

    year: int
    reviewer: str
    table: Indicators
    rows: tuple[Indicator, ...]
    units: tuple[Unit, ...]
    digest: str
    day: date
    given: Mapping[Key, Decimal | None] = field(default_factory=dict)
    reasons: Mapping[Key, str] = field(default_factory=dict)

    def rows_of(self, kind: UnitKind) -> tuple[Indicator, ...]:
        """Return the rows that are written for units of a kind."""
        return tuple(row for row in self.rows if kind in row.kinds)

    def units_of(self, kind: UnitKind) -> tuple[Unit, ...]:
        """Return the units of a kind that this form asks about."""
        return tuple(unit for unit in self.units if unit.kind is kind)

    @property
    def kinds(self) -> tuple[UnitKind, ...]:
        """The kinds of units that have a sheet in this form."""
        return tuple(kind for kind in SHEET_OF_KIND if self.units_of(kind) and self.rows_of(kind))


@dataclass(frozen=True, slots=True)
class CircularLine:
    """One circular that stands in the form already."""

    unit: str
    indicator_id: str
    issuer: str
    title: str
    day: date
    points: Decimal


@dataclass(frozen=True, slots=True)
class CircularsForm:
    """The year's list of circulars, to be completed; `rows` are those of which a circular takes points."""

    year: int
    table: Indicators
    rows: tuple[Indicator, ...]
    units: tuple[Unit, ...]
    digest: str
    day: date
    listed: tuple[CircularLine, ...] = ()


def is_optional(row: Indicator) -> bool:
    """Whether the daily checks alone give the row its points, and a mark only overrules them."""
    return row.site_share == 1


def name_of(row: Indicator) -> str:
    """Return how a row is named in drop-down lists; its id is the first word."""
    return f"{row.id} {row.title}"


# ---------------------------------------------------------------- the workbooks

_MORE_REASONS, _MORE_CIRCULARS = 300, 200  # empty lines below those that are filled
_NARROW, _NAME, _NUMBER = 7.3, 23, 5  # widths in characters
_LOCKED, _OPEN = Protection(locked=True), Protection(locked=False)
_SHADE, _HEAD, _INPUT, _CHOICE = (
    PatternFill("solid", fgColor=color) for color in ("FFD9DCE0", "FFE8EDF3", "FFFFFFFF", "FFFFF7E0")
)
_GRID = Border(*[Side("thin", color="FF9AA5B1")] * 4)
_MIDDLE = Alignment(horizontal="center", vertical="center", wrap_text=True)
_ACROSS = Alignment(horizontal="centerContinuous", vertical="center")
_LEFT = Alignment(vertical="center", wrap_text=True, indent=1)


def marks_form(form: MarksForm) -> bytes:
    """Return the reviewer's form as an .xlsx file: a sheet of marks a kind of units, 扣分理由, 填写说明."""
    title = f"{form.year}年度政务公开工作考核评分表"
    book = new_book(f"{title}（{form.reviewer}）", "xuncha")
    sheets = {kind: book.create_sheet(SHEET_OF_KIND[kind]) for kind in form.kinds}
    reasons, explanation, hidden = (book.create_sheet(name) for name in (REASONS, EXPLANATION, HIDDEN))
    lists = _Lists(hidden)
    for kind, sheet in sheets.items():
        _marks_sheet(form, kind, sheet, f"{title}（{KIND_TITLES[kind]}）", lists)
    _reasons_sheet(form, reasons, lists)
    _explanation_sheet(explanation, f"{title}填写说明", form.table, form.rows, _advice(form))
    _hide(hidden, {**_facts(MARKS_FORM, form.year, form.digest, form.units, form.rows), REVIEWER: form.reviewer})
    return _locked(book, form.day)


def circulars_form(form: CircularsForm) -> bytes:
    """Return the list of the year's circulars as an .xlsx file: 通报, 填写说明."""
    title = f"{form.year}年度政务公开工作通报扣分表"
    book = new_book(title, "xuncha")
    sheet, explanation, hidden = (book.create_sheet(name) for name in (CIRCULARS, EXPLANATION, HIDDEN))
    lists = _Lists(hidden)
    _circulars_sheet(form, sheet, title, lists)
    _explanation_sheet(explanation, f"{title}填写说明", form.table, form.rows, _circular_advice(form))
    _hide(hidden, _facts(CIRCULARS_FORM, form.year, form.digest, form.units, form.rows))
    return _locked(book, form.day)


def _locked(book: Workbook, day: date) -> bytes:
    for sheet in book.worksheets:
        sheet.protection.sheet = True
        sheet.protection.formatColumns = sheet.protection.formatRows = False  # people may widen them
    book.security = WorkbookProtection(lockStructure=True)
    return saved(book, day)


# ---------------------------------------------------------------- a sheet of marks


def _marks_sheet(form: MarksForm, kind: UnitKind, sheet: Worksheet, title: str, lists: _Lists) -> None:
    rows, units = form.rows_of(kind), form.units_of(kind)
    _marks_head(form, sheet, title, rows)
    for number, unit in enumerate(units, start=1):
        line = FIRST_ROW + number - 1
        _ruled(sheet.cell(line, 1), number, _HEAD, _MIDDLE)
        _ruled(sheet.cell(line, NAME_COLUMN), unit.name, _HEAD, _LEFT)
        sheet.row_dimensions[line].height = 21
        for column, row in enumerate(rows, start=FIRST_COLUMN):
            _mark_cell(form, sheet.cell(line, column), unit, row)
    for column, row in enumerate(rows, start=FIRST_COLUMN):
        letter = get_column_letter(column)
        _offer_marks(sheet, f"{letter}{FIRST_ROW}:{letter}{FIRST_ROW + len(units) - 1}", row, lists)
    sheet.freeze_panes = sheet.cell(FIRST_ROW, FIRST_COLUMN)
    _print_on_a4(sheet, ID_ROW, POINTS_ROW)


def _marks_head(form: MarksForm, sheet: Worksheet, title: str, rows: Sequence[Indicator]) -> None:
    last = FIRST_COLUMN + len(rows) - 1
    heading(sheet.cell(1, 1), title, font(ACCENT, bold=True, size=16))
    for column in range(1, last + 1):
        sheet.cell(1, column).alignment = _ACROSS
    hint = "白色格填分（最多两位小数，可从下拉表选），黄色格选填，灰色格不填；详见“填写说明”"
    heading(sheet.cell(2, 1), f"评分人：{form.reviewer}　　签名：　　　　　　日期：　　　　　　　{hint}", font(FAINT))
    for line, text in ((ID_ROW, "指标"), (TITLE_ROW, "二级指标"), (POINTS_ROW, "满分")):
        _ruled(sheet.cell(line, 1), "序号" if line == ID_ROW else None, _HEAD, _MIDDLE, bold=True)
        _ruled(sheet.cell(line, NAME_COLUMN), text, _HEAD, _MIDDLE, bold=True)
    for column, row in enumerate(rows, start=FIRST_COLUMN):
        _ruled(sheet.cell(ID_ROW, column), row.id, _HEAD, _MIDDLE, bold=True)
        _ruled(sheet.cell(TITLE_ROW, column), row.title + ("（选填）" if is_optional(row) else ""), _HEAD, _MIDDLE)
        _ruled(sheet.cell(POINTS_ROW, column), row.points, _HEAD, _MIDDLE, bold=True)
        sheet.column_dimensions[get_column_letter(column)].width = _NARROW
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = _NUMBER, _NAME
    longest = max(len(row.title) for row in rows)
    for line, height in ((1, 30), (2, 20), (ID_ROW, 20), (TITLE_ROW, 16 + 15 * (longest // 4 + 1)), (POINTS_ROW, 20)):
        sheet.row_dimensions[line].height = height


def _mark_cell(form: MarksForm, cell: Cell, unit: Unit, row: Indicator) -> None:
    if not row.applies_to(unit):
        _ruled(cell, NOT_CONCERNED, _SHADE, _MIDDLE)
        cell.font = font(FAINT, size=9)
        return
    key = unit.id, row.id
    given = NOT_CONCERNED if key in form.given and form.given[key] is None else form.given.get(key)
    _ruled(cell, given, _CHOICE if is_optional(row) else _INPUT, _MIDDLE)
    cell.protection = _OPEN


def _offer_marks(sheet: Worksheet, cells: str, row: Indicator, lists: _Lists) -> None:
    offered = DataValidation("list", lists.of_marks(row.points, not is_optional(row)), allow_blank=True)
    or_that = "" if is_optional(row) else f"，或者“{NOT_CONCERNED}”"
    offered.promptTitle, offered.prompt = f"指标 {row.id}", f"{row.title}：0 到 {row.points:f} 分{or_that}"
    offered.errorTitle = "不能这样填"
    offered.error = f"请填 0 到 {row.points:f} 之间、最多两位小数的数{or_that}。"
    offered.showInputMessage = offered.showErrorMessage = True
    offered.add(cells)
    sheet.add_data_validation(offered)


def _ruled(
    cell: Cell, value: str | int | Decimal | None, fill: PatternFill, place: Alignment, bold: bool = False
) -> None:
    write(cell, value)
    cell.font, cell.fill, cell.alignment, cell.border, cell.protection = font(bold=bold), fill, place, _GRID, _LOCKED


def _print_on_a4(sheet: Worksheet, head_begins: int, head_ends: int) -> None:
    """Set the sheet up for A4 in landscape, its head repeated on every page."""
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{head_begins}:{head_ends}"
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left = sheet.page_margins.right = sheet.page_margins.top = 0.4
    sheet.page_margins.bottom = 0.8
    sheet.oddFooter.center.text = "&A　第 &P 页，共 &N 页"


# ---------------------------------------------------------------- the sheets that are lists


def _reasons_sheet(form: MarksForm, sheet: Worksheet, lists: _Lists) -> None:
    about = "可以不写。写了就随评分一起存档，各单位来问时有据可查；一格评分写一行。"
    begin(sheet, "扣分理由", about, REASON_COLUMNS)
    units, rows = {unit.id: unit.name for unit in form.units}, {row.id: name_of(row) for row in form.rows}
    for (unit, row), reason in form.reasons.items():
        append(sheet, (units[unit], rows[row], reason))
    last = _open_lines(sheet, len(REASON_COLUMNS), _MORE_REASONS)
    _offer(sheet, f"A{FIRST_ENTRY}:A{last}", lists.of("单位", units.values()), "请从下拉表里选单位。")
    _offer(sheet, f"B{FIRST_ENTRY}:B{last}", lists.of("指标", rows.values()), "请从下拉表里选指标。")


def _circulars_sheet(form: CircularsForm, sheet: Worksheet, title: str, lists: _Lists) -> None:
    costs = "、".join(f"{row.id} 每次 {row.circular_deduction:f} 分" for row in form.rows)
    about = (
        f"一次通报一个单位写一行；扣分一格不填，就按指标表扣（{costs}）。这里是全年的全部通报，新导入的一份代替以前的。"
    )
    begin(sheet, title, about, CIRCULAR_COLUMNS)
    rows = {row.id: name_of(row) for row in form.rows}
    for line in form.listed:
        append(sheet, (line.unit, rows[line.indicator_id], line.issuer, line.title, line.day, line.points))
    last = _open_lines(sheet, len(CIRCULAR_COLUMNS), _MORE_CIRCULARS)
    names = [unit.name for unit in form.units]
    _offer(sheet, f"A{FIRST_ENTRY}:A{last}", lists.of("单位", names), "请从下拉表里选单位。")
    _offer(sheet, f"B{FIRST_ENTRY}:B{last}", lists.of("指标", rows.values()), "请从下拉表里选指标。")
    days = DataValidation("date", "between", f"DATE({form.year},1,1)", f"DATE({form.year},12,31)", allow_blank=True)
    days.error = f"请填 {form.year} 年里的日期，形如 {form.year}-03-01。"
    most = max(row.points for row in form.rows)
    points = DataValidation("decimal", "between", "0.01", f"{most:f}", allow_blank=True)
    points.error = f"请填大于 0、不超过 {most:f} 的数；不填就按指标表扣。"
    for limited, column in ((days, "E"), (points, "F")):
        limited.showErrorMessage = True
        limited.add(f"{column}{FIRST_ENTRY}:{column}{last}")
        sheet.add_data_validation(limited)
    for line in range(FIRST_ENTRY, last + 1):
        sheet.cell(line, 5).number_format = "yyyy-mm-dd"
        sheet.cell(line, 5).alignment = sheet.cell(line, 6).alignment = _MIDDLE


def _open_lines(sheet: Worksheet, width: int, more: int) -> int:
    """Open the lines below the head, those that are filled and as many more, for people to write; returns the last."""
    last = sheet.max_row + more
    for line in range(FIRST_ENTRY, last + 1):
        for column in range(1, width + 1):
            cell = sheet.cell(line, column)
            cell.protection, cell.border, cell.alignment, cell.font = _OPEN, _GRID, _LEFT, font()
    return last


def _offer(sheet: Worksheet, cells: str, values: str, error: str) -> None:
    offered = DataValidation("list", values, allow_blank=True, showErrorMessage=True, error=error)
    offered.add(cells)
    sheet.add_data_validation(offered)


# ---------------------------------------------------------------- 填写说明

_EXPLAINED = (
    ("指标", 7),
    ("二级指标", 22),
    ("满分", 7),
    ("年度得分怎样合成", 26),
    ("评分内容", 66),
    ("评分方式及标准", 40),
    ("被评定单位", 26),
)


def _explanation_sheet(
    sheet: Worksheet, title: str, table: Indicators, rows: Sequence[Indicator], advice: Iterable[str]
) -> None:
    heading(sheet.cell(1, 1), title, font(ACCENT, bold=True, size=16))
    sheet.row_dimensions[1].height = 30
    for line, sentence in enumerate(advice, start=2):
        heading(sheet.cell(line, 1), f"{line - 1}．{sentence}", font())
        sheet.row_dimensions[line].height = 18
    heading(sheet.cell(sheet.max_row + 2, 1), f"{table.title}（{table.document_number}）", font(FAINT))
    head = write_head(sheet, [text for text, _ in _EXPLAINED])[0].row
    for row in rows:
        told = row.id, row.title, row.points, _made_of(row), row.content, row.method, row.evaluated
        cells = append(sheet, told)
        cells[0].font, cells[2].alignment = font(bold=True), CENTRED
        texts = zip(_EXPLAINED, map(str, told), strict=True)
        sheet.row_dimensions[cells[0].row].height = 6 + 15 * max(
            -(-2 * len(text) // width) for (_, width), text in texts
        )
    for number, (_, width) in enumerate(_EXPLAINED, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width + 1
    _print_on_a4(sheet, head, head)


def _made_of(row: Indicator) -> str:
    if is_optional(row):
        return "取自日常检查和按时整改；考核组填了分，就改用这个分"
    if not row.site_share:
        return "全部取自考核组评分"
    return f"网站日常检查占 {row.site_share * 100:.0f}%，考核组评分占 {(1 - row.site_share) * 100:.0f}%"


def _advice(form: MarksForm) -> list[str]:
    deducting = [row.id for row in form.rows if row.circular_deduction is not None]
    optional = [row.id for row in form.rows if is_optional(row)]
    return [
        "白色格填分：0 到满分之间的数，最多两位小数，可以打字，也可以从下拉表里选。没有评的留空，导入后列为“还缺”。",
        "每一行都按它的满分评，不要自己折算：网站日常检查和考核组评分各占多少，由程序合成。",
        f"单位的工作职责不涉及这一行的，选“{NOT_CONCERNED}”：这一行取已评各单位得分的平均值。0 分和未涉及是两回事。",
        f"灰色格已按职责登记写好“{NOT_CONCERNED}”，不用填，也改不动；登记有误的，请办公室改正后重新发表。",
        *[f"指标 {row} 选填：不填就用日常检查的结果，填了就改用填的分；不能填“{NOT_CONCERNED}”。" for row in optional],
        *[f"指标 {row} 的通报扣分不要在这里扣：由办公室登记通报，程序另行扣除。" for row in deducting],
        f"扣分的理由写在“{REASONS}”表里，单位和指标从下拉表里选；可以不写。",
        "不要增删、移动、合并单元格，也不要写公式。要改已经交的分，改好整份表再交一次，新的代替旧的。",
    ]


def _circular_advice(form: CircularsForm) -> list[str]:
    return [
        "单位、指标从下拉表里选；通报机关、标题和文号照通报原文写；日期是通报印发的日子。",
        "扣分一格不填，就按指标表扣；扣完这一行的满分为止。",
        "一次通报点了几个单位的名，就写几行。同一次通报对同一个单位只写一行。",
        f"这张表是 {form.year} 年的全部通报，已经登记过的在上面；新导入的一份代替以前的，删掉一行就是撤回这次扣分。",
        f"职责不涉及这一行的单位（{NOT_CONCERNED}）没有可扣的分，不能写在这里。",
    ]


# ---------------------------------------------------------------- the sheet that only the program reads


class _Lists:
    """The drop-down lists, each a column of the hidden sheet; the same list is kept once."""

    def __init__(self, sheet: Worksheet) -> None:
        self._sheet = sheet
        self._columns: dict[str, str] = {}

    def of_marks(self, points: Decimal, may_be_excused: bool) -> str:
        """Return the list of all marks from 0 to `points`, halves first because people look for them first."""
        cents = [Decimal(cent).scaleb(-2) for cent in range(int(points * 100), -1, -1)]
        halves = [points, *(mark for mark in cents if mark % Decimal("0.5") == 0 and mark != points)]
        rest = [mark for mark in cents if mark not in set(halves)]
        excused = [NOT_CONCERNED] if may_be_excused else []
        return self.of(f"{points:f} 分{'或未涉及' if may_be_excused else ''}", [*excused, *halves, *rest])

    def of(self, name: str, values: Iterable[str | Decimal]) -> str:
        """Return the formula of a list with that name, writing it where it is new."""
        if name not in self._columns:
            self._columns[name] = self._written(name, list(values))
        return self._columns[name]

    def _written(self, name: str, values: Sequence[str | Decimal]) -> str:
        column = 4 + len(self._columns)
        for line, value in enumerate([name, *values], start=1):
            write(self._sheet.cell(line, column), value)
        letter = get_column_letter(column)
        return f"{quote_sheetname(self._sheet.title)}!${letter}$2:${letter}${1 + len(values)}"


def _facts(purpose: str, year: int, digest: str, units: Iterable[Unit], rows: Iterable[Indicator]) -> dict[str, str]:
    return {
        PURPOSE: purpose,
        YEAR: str(year),
        DIGEST: digest,
        UNITS: " ".join(unit.id for unit in units),
        ROWS: " ".join(row.id for row in rows),
    }


def _hide(sheet: Worksheet, facts: Mapping[str, str]) -> None:
    for line, (name, value) in enumerate(facts.items(), start=1):
        write(sheet.cell(line, 1), name)
        write(sheet.cell(line, 2), value)
    sheet.sheet_state = "hidden"
