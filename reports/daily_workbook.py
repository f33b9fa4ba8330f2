"""每日巡查工作簿: the daily report as an Excel workbook (.xlsx).

Text of inspected pages is hostile: no cell is ever a formula, whatever it begins with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from checks.model import Finding, Outcome
from reports.daily import (
    KIND_TITLES,
    OUTCOME_TITLES,
    UNJUDGED,
    DailyReport,
    ListedFinding,
    UnitDay,
    web_link,
)

Value = str | int | Decimal | date | None
Row = Sequence[Value]
Columns = Sequence[tuple[str, int]]  # heading, width in characters

LONGEST_CELL = 32_000  # characters; the format holds 32 767
MOST_LINKS = 60_000  # on one sheet; the format holds 65 530
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_HEAD_ROW = 4  # title, run, an empty row, head

_FONT = "微软雅黑"
_INK, _FAINT, _ACCENT, _FAULT, _LINK = "FF1F2933", "FF6B7680", "FF1F3A5F", "FF9B1C1C", "FF1D4E89"
_LINE = Border(bottom=Side("thin", color="FFD5DAE1"))
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_CENTRED = Alignment(horizontal="center", vertical="top", wrap_text=True)

_SCORES: Columns = (
    ("名次", 7),
    ("单位", 20),
    ("得分", 9),
    ("覆盖率", 9),
    ("单项否决", 10),
    ("通过", 8),
    ("不通过", 8),
    ("其中待确认", 8),
    ("提示", 8),
    ("不适用", 8),
    ("未检测", 8),
    ("无法判定", 8),
    ("检查出错", 8),
    ("说明", 70),
)
_SITES: Columns = (("站点", 30), ("单项否决", 12), ("覆盖率", 10), ("否决项", 50), ("对象", 80))
_PROBLEMS: Columns = (
    ("编号", 8),
    ("单位", 18),
    ("检查", 16),
    ("问题", 18),
    ("状态", 9),
    ("所见", 44),
    ("应有", 40),
    ("依据", 40),
    ("位置", 44),
    ("原文", 36),
    ("所在处", 14),
    ("首次发现", 12),
    ("证据", 40),
)
_CAUSES: Columns = (("单位", 18), ("检查", 20), ("结果", 10), ("原因", 60), ("次数", 8), ("对象", 70))
_FACTS: Columns = (("项目", 22), ("内容", 90))
_NAMED = 10  # targets told one by one before the rest is only counted


def daily_workbook(report: DailyReport) -> bytes:
    """Return the report as an .xlsx file: 得分, 站点, 问题, 提示, 未能判定, 说明."""
    book = Workbook()
    book.remove(book.active)
    book.properties.title, book.properties.creator = report.title, report.run.software
    _scores(report, book.create_sheet("得分"))
    _sites(report, book.create_sheet("站点"))
    _findings(report, book.create_sheet("问题"), Outcome.FAIL)
    _findings(report, book.create_sheet("提示"), Outcome.NOTICE)
    _causes(report, book.create_sheet("未能判定"))
    _facts(report, book.create_sheet("说明"))
    content = BytesIO()
    book.save(content)
    return content.getvalue()


# ---------------------------------------------------------------- sheets


def _scores(report: DailyReport, sheet: Worksheet) -> None:
    _begin(report, sheet, _SCORES)
    for kind, title in KIND_TITLES.items():
        units = report.league(kind)
        if units:
            _section(sheet, f"{title}（{len(units)} 个）", len(_SCORES))
        for unit in units:
            row = _append(sheet, _score_row(unit))
            row[2].number_format, row[3].number_format = "0.00", "0.00%"
            for cell in row[:1] + row[2:-1]:
                cell.alignment = _CENTRED
            row[1].font = _font(bold=True)
            if unit.score and unit.score.vetoes:
                row[4].font = _font(_FAULT, bold=True)
    _end(sheet, _SCORES)


def _score_row(unit: UnitDay) -> Row:
    score = unit.score
    counts = [unit.counts[outcome] for outcome in (Outcome.NOTICE, Outcome.NOT_APPLICABLE, *UNJUDGED)]
    return (
        unit.rank or "—",
        unit.name,
        score.score if score and score.score is not None else unit.score_text,
        score.coverage if score else "—",
        unit.verdict_text,
        unit.counts[Outcome.PASS],
        unit.counts[Outcome.FAIL],
        unit.pending,
        *counts,
        "；".join(score.reasons) if score else "巡查没有进行到评分",
    )


def _sites(report: DailyReport, sheet: Worksheet) -> None:
    _begin(report, sheet, _SITES)
    for site in report.sites:
        targets = [target for veto in site.verdict.vetoes for target in veto.targets]
        row = _append(sheet, (site.name, site.verdict_text, site.verdict.coverage, site.vetoes_text, _named(targets)))
        row[0].font, row[2].number_format = _font(bold=True), "0.00%"
        row[1].alignment = row[2].alignment = _CENTRED
        if site.verdict.vetoes:
            row[1].font = _font(_FAULT, bold=True)
    _end(sheet, _SITES)


def _findings(report: DailyReport, sheet: Worksheet, outcome: Outcome) -> None:
    _begin(report, sheet, _PROBLEMS)
    listed = [(unit, row) for unit in report.units for row in unit.of(outcome)]
    for unit, row in listed:
        cells = _append(sheet, _finding_row(report, unit, row))
        _link(cells[8], row.finding.target)
        if row.finding.outcome is Outcome.FAIL and not row.pending:
            cells[3].font = _font(_FAULT, bold=True)
    _end(sheet, _PROBLEMS, filtered=bool(listed))


def _finding_row(report: DailyReport, unit: UnitDay, row: ListedFinding) -> Row:
    finding = row.finding
    return (
        row.number,
        unit.name,
        report.check_title(finding.check),
        report.reason_title(finding),
        row.state if finding.outcome is Outcome.FAIL else OUTCOME_TITLES[finding.outcome],
        finding.observed,
        finding.expected,
        report.basis(finding.check),
        finding.target,
        finding.passage,
        finding.where,
        row.first_seen,
        _evidence(finding),
    )


def _evidence(finding: Finding) -> str:
    return "\n".join(f"{ref.warc_file} {ref.record_id}" for ref in finding.evidence)


def _causes(report: DailyReport, sheet: Worksheet) -> None:
    _begin(report, sheet, _CAUSES)
    rows = [
        (
            unit.name,
            report.check_title(cause.check),
            OUTCOME_TITLES[cause.outcome],
            cause.observed,
            cause.count,
            _named(cause.targets),
        )
        for unit in report.units
        for cause in unit.causes
    ]
    for row in rows:
        _append(sheet, row)
    _end(sheet, _CAUSES, filtered=bool(rows))


def _named(targets: Sequence[str]) -> str:
    more = [f"等 {len(targets)} 个"] if len(targets) > _NAMED else []
    return "\n".join([*targets[:_NAMED], *more])


def _facts(report: DailyReport, sheet: Worksheet) -> None:
    _begin(report, sheet, _FACTS)
    for title, rows in report.about:
        _section(sheet, title, len(_FACTS))
        for row in rows:
            _append(sheet, row)[0].font = _font(bold=True)
    _end(sheet, _FACTS)


# ---------------------------------------------------------------- layout


def _begin(report: DailyReport, sheet: Worksheet, columns: Columns) -> None:
    """Write title, run and head, and set the sheet up for the screen and for A4 in landscape."""
    about = f"{report.run.day:%Y年%m月%d日}　第 {report.run.number} 次巡查　规则版本 {report.run.rules_version}"
    _heading(sheet.cell(1, 1), f"{report.title}　{sheet.title}", _font(_ACCENT, bold=True, size=16))
    _heading(sheet.cell(2, 1), about, _font(_FAINT))
    for number, (heading, width) in enumerate(columns, start=1):
        cell = sheet.cell(_HEAD_ROW, number, heading)
        cell.font, cell.fill = _font("FFFFFFFF", bold=True), PatternFill("solid", fgColor=_ACCENT)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.row_dimensions[1].height, sheet.row_dimensions[_HEAD_ROW].height = 28, 32
    sheet.freeze_panes = f"{'C' if len(columns) > len(_FACTS) else 'A'}{_HEAD_ROW + 1}"
    sheet.sheet_view.showGridLines = False
    _set_up_printing(sheet)


def _set_up_printing(sheet: Worksheet) -> None:
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{_HEAD_ROW}:{_HEAD_ROW}"
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.oddFooter.center.text = "&A　第 &P 页，共 &N 页"


def _end(sheet: Worksheet, columns: Columns, filtered: bool = False) -> None:
    if sheet.max_row == _HEAD_ROW:
        _append(sheet, ("没有记录。",))[0].alignment = Alignment(wrap_text=False)
    if filtered:
        sheet.auto_filter.ref = f"A{_HEAD_ROW}:{get_column_letter(len(columns))}{sheet.max_row}"


def _section(sheet: Worksheet, title: str, width: int) -> None:
    cells = _append(sheet, (title, *[None] * (width - 1)))
    for cell in cells:
        cell.fill = PatternFill("solid", fgColor="FFEEF2F6")
    cells[0].font, cells[0].alignment = _font(_ACCENT, bold=True), Alignment(wrap_text=False)


def _append(sheet: Worksheet, values: Row) -> tuple[Cell, ...]:
    """Write a row below the others and return its cells."""
    number = sheet.max_row + 1
    cells = tuple(sheet.cell(number, column) for column in range(1, len(values) + 1))
    for cell, value in zip(cells, values, strict=True):
        _write(cell, value)
        cell.font, cell.alignment, cell.border = _font(), _WRAPPED, _LINE
    return cells


def _heading(cell: Cell, text: str, font: Font) -> None:
    _write(cell, text)
    cell.font = font


def _write(cell: Cell, value: Value) -> None:
    """Write a value; text is text, even if it looks like a formula and even after somebody edits the cell."""
    if not isinstance(value, str):
        cell.value = value
        return
    text = sheet_text(value)
    cell.value = text
    if text:
        cell.data_type = "s"
    cell.quotePrefix = text.startswith(_FORMULA_SIGNS)


def sheet_text(text: str) -> str:
    """Return the text as a cell can hold it: without characters that the format forbids, and not too long."""
    legal = _ILLEGAL.sub("", text)
    return legal if len(legal) <= LONGEST_CELL else legal[:LONGEST_CELL] + "……（过长，已截断）"


def _link(cell: Cell, target: str) -> None:
    link = web_link(target)
    if link and cell.row < MOST_LINKS:
        cell.hyperlink = link
        cell.font = _font(_LINK, underline="single")


@cache
def _font(color: str = _INK, *, bold: bool = False, size: int = 10, underline: str | None = None) -> Font:
    return Font(name=_FONT, size=size, bold=bold, color=color, underline=underline)
