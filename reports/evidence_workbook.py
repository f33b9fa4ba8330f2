"""得分.xlsx: the daily scores of a unit with the arithmetic in live formulas, so that anybody can reckon them again.

Three sheets lead to each other: the scores take the rows, the rows take the checks. No text of a page stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from reports.evidence_page import FormulaRow, UnitDay
from reports.workbook import POINTS, append, begin, end, new_book, saved

CHECKS, ROWS, SCORES = "检查", "各行", "得分"
_SCORES = (("单位", 18), ("日期", 12), ("巡查", 8), ("类别", 12), ("得分（算式）", 14), ("存档的得分", 14), ("一致", 8))
_ROWS = (("单位", 18), ("日期", 12), ("巡查", 8), ("行", 8), ("名称", 44), ("分值", 10), ("值", 12), ("计入的分值", 12))
_CHECKS = (
    ("单位", 18),
    ("日期", 12),
    ("巡查", 8),
    ("行", 8),
    ("检查", 32),
    ("权重", 10),
    ("通过的分量", 12),
    ("判定的分量", 12),
    ("值", 12),
    ("计入的权重", 12),
)
_SHARE = "0.000000"


def evidence_workbook(title: str, days: Sequence[UnitDay]) -> bytes:
    """Return the workbook of a unit's days; the same days give the same bytes."""
    book = new_book(title, "xuncha")
    scores, rows, checks = (book.create_sheet(name) for name in (SCORES, ROWS, CHECKS))
    begin(scores, title, "得分＝各行的值按计入的分值平均 × 100，四舍五入到两位。", _SCORES)
    begin(rows, "各行的值", "值＝各检查的值按计入的权重平均；一项也没能判定的行不计入。", _ROWS)
    begin(checks, "各检查的值", "值＝通过的分量 ÷ 能判定的分量；没能判定的检查不计入。", _CHECKS)
    for day in days:
        first, last = _write_rows(rows, checks, day)
        _write_score(scores, day, first, last)
    end(scores, _SCORES, filtered=True)
    end(rows, _ROWS, filtered=True)
    end(checks, _CHECKS, filtered=True)
    return saved(book, max((day.day for day in days), default=date(2000, 1, 1)))


def _write_score(sheet: Worksheet, day: UnitDay, first: int, last: int) -> None:
    cells = append(sheet, (day.unit, day.day, day.run, day.kind, None, day.score, None), wrapped=False)
    number = cells[0].row
    if last >= first:
        points, values = (f"{ROWS}!{column}{first}:{column}{last}" for column in "HG")
        _formula(cells[4], f'=IF(SUM({points})=0,"",ROUND(100*SUMPRODUCT({values},{points})/SUM({points}),2))', POINTS)
    cells[5].number_format = POINTS
    _formula(cells[6], f'=IF(F{number}="","—",IF(E{number}=F{number},"是","否"))')


def _write_rows(rows: Worksheet, checks: Worksheet, day: UnitDay) -> tuple[int, int]:
    """Write a day's rows with their checks; returns the first and the last line that the rows take."""
    first = rows.max_row + 1
    for row in day.rows:
        listed = list(_write_checks(checks, day, row))
        cells = append(rows, (*_of(day), row.id, row.title, row.points, 0, 0), wrapped=False)
        if listed:
            weights, values = (f"{CHECKS}!{column}{listed[0]}:{column}{listed[-1]}" for column in "JI")
            mean = f"SUMPRODUCT({values},{weights})/SUM({weights})"
            _formula(cells[6], f"=IF(SUM({weights})=0,0,{mean})", _SHARE)
            _formula(cells[7], f"=IF(SUM({weights})=0,0,F{cells[0].row})")
    return first, first + len(day.rows) - 1


def _write_checks(sheet: Worksheet, day: UnitDay, row: FormulaRow) -> Iterator[int]:
    for part in row.parts:
        values = (*_of(day), row.id, part.check, part.weight, part.passed, part.judged, None, None)
        cells = append(sheet, values, wrapped=False)
        number = cells[0].row
        _formula(cells[8], f"=IF(H{number}=0,0,G{number}/H{number})", _SHARE)
        _formula(cells[9], f"=IF(H{number}=0,0,F{number})")
        yield number


def _of(day: UnitDay) -> tuple[str, date, int]:
    return day.unit, day.day, day.run


def _formula(cell: Cell, formula: str, number_format: str = "General") -> None:
    """Write a formula of ours: nothing in it comes from elsewhere."""
    cell.value = formula
    cell.number_format = number_format
