"""年度汇总工作簿: the year's result as an Excel workbook (.xlsx), every point with what it rests on.

Totals are values, with the way they come about told in words: a cell that somebody changes must not change others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial

from openpyxl.cell import Cell
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from checks.registry import CHECKS
from config.schema import Indicator
from reports.annual import AnnualReport, PublishedVersion, UnitAnnual, YearFault
from reports.daily import KIND_TITLES
from reports.workbook import (
    ACCENT,
    CENTRED,
    FAINT,
    FAULT,
    HEAD_ROW,
    POINTS,
    SHARE,
    Columns,
    Row,
    Value,
    append,
    begin,
    begin_tables,
    blank,
    end,
    font,
    link,
    new_book,
    note,
    saved,
    section,
    sheet_name,
    spread,
    table,
)
from scoring.annual import IndicatorYear, rounded

SUMMARY, INPUTS, METHOD, VERSIONS = "汇总", "输入", "方法", "版本"
TOTAL_IN_WORDS = "总分 = 各行得分之和 − 单项否决扣分，最低为 0；全程用分数计算，最后四舍五入到两位小数。"
_BORROWED = '0.00"*"'  # a number still, with a star: the mean of the others
_ROW_WIDTH = 6
_MOST_FAULTS = 500  # listed on a unit's sheet; the rest is counted

_UNIT_WIDTHS = (8, 33, 9, 11, 11, 9, 9, 9, 9, 62)
_UNIT_HEADS = (
    "行",
    "指标",
    "分值",
    "网站日均值",
    "有值天数",
    "网站份额",
    "评分",
    "通报扣分",
    "得分",
    "怎么得来",
)
_MONTH_HEADS = ("月份", "", "有分天数", "平均", "最低", "最高")
_FAULT_HEADS = ("编号", "检查", "状态", "首次看到", "最近看到", "天数", "位置和所见", "", "", "")
_NAME_WIDTH = 22
_METHOD: Columns = (
    ("行", 7),
    ("指标", 22),
    ("分值", 7),
    ("网站份额", 9),
    ("评分内容", 66),
    ("评分方式及标准", 44),
    ("被评定单位", 26),
    ("检查", 24),
)
_VERSION_WIDTHS = (24, 18, 14, 60, 60, 74)


def annual_workbook(report: AnnualReport) -> bytes:
    """Return the report as an .xlsx file: 汇总, one sheet a unit in inventory order, 输入, 方法, 版本."""
    book = new_book(_title(report), report.software)
    _summary(report, book.create_sheet(SUMMARY))
    for unit in report.units:
        name = sheet_name(unit.name, (*book.sheetnames, INPUTS, METHOD, VERSIONS))
        _unit(report, unit, book.create_sheet(name))
    _inputs(report, book.create_sheet(INPUTS))
    _method(report, book.create_sheet(METHOD))
    _versions(report, book.create_sheet(VERSIONS))
    for sheet in book.worksheets if report.draft else ():
        sheet.oddHeader.right.text = report.draft
    return saved(book, report.made_on)


def _title(report: AnnualReport) -> str:
    draft = f"（{report.draft}）" if report.draft else ""
    return f"{report.district}{report.year}年度政务公开考核汇总{draft}"


def _about(report: AnnualReport) -> str:
    version = report.version
    standing = f"第 {version.number} 版，{version.published_at:%Y-%m-%d} 公布" if version else report.draft
    return f"日常检查截至 {report.last_day}　{standing}　制表 {report.made_on}"


# ---------------------------------------------------------------- 汇总


def _summary(report: AnnualReport, sheet: Worksheet) -> None:
    rows = report.table.indicators
    columns = (
        ("名次", 6),
        ("单位", _NAME_WIDTH),
        ("总分", 8),
        *((f"{row.id}\n{row.title}\n{row.points:f}分", _ROW_WIDTH) for row in rows),
        *((text, _ROW_WIDTH) for text in ("单项否决扣分", "有分天数", "未发布天数", "未巡查天数", "缺项")),
    )
    begin(sheet, _title(report), _about(report), columns, head_height=118)
    for cell in sheet[HEAD_ROW]:
        cell.font = font("FFFFFFFF", bold=True, size=8)
    sheet.freeze_panes = f"D{HEAD_ROW + 1}"
    for kind, title in KIND_TITLES.items():
        league = report.league(kind)
        if league:
            section(sheet, f"{title}（{len(league)} 个）", len(columns))
        for unit in league:
            _summary_row(unit, rows, append(sheet, _summary_values(unit, rows)))
    _summary_notes(report, sheet, len(columns))


def _summary_values(unit: UnitAnnual, rows: Sequence[Indicator]) -> Row:
    result = unit.result
    of_row = {row.id: row for row in result.indicators}
    days = len(result.published), len(result.withheld), len(result.uninspected)
    points = (_points(of_row.get(row.id)) for row in rows)
    return (result.rank, unit.name, result.total, *points, _vetoed(unit), *days, len(result.missing))


def _summary_row(unit: UnitAnnual, rows: Sequence[Indicator], cells: Sequence[Cell]) -> None:
    of_row = {row.id: row for row in unit.result.indicators}
    for cell in (cells[0], *cells[2:]):
        cell.alignment = CENTRED
    cells[1].font = cells[2].font = font(bold=True)
    cells[2].number_format = cells[3 + len(rows)].number_format = POINTS
    for row, cell in zip(rows, cells[3:], strict=False):
        _format_points(cell, of_row.get(row.id))
    for cell in (cells[3 + len(rows)], cells[-1]):
        if cell.value:
            cell.font = font(FAULT, bold=True)


def _points(row: IndicatorYear | None) -> Decimal | str:
    if row is None:
        return "—"
    return "缺" if row.final is None else rounded(row.final)


def _format_points(cell: Cell, row: IndicatorYear | None) -> None:
    """Show a mean of the others with a star, and what is missing in the colour of faults."""
    if row is None or row.final is None:
        cell.font = font(FAULT if row else FAINT)
        return
    cell.number_format = _BORROWED if row.na else POINTS


def _vetoed(unit: UnitAnnual) -> Decimal:
    return sum((veto.points for veto in unit.result.vetoes), Decimal(0))


def _summary_notes(report: AnnualReport, sheet: Worksheet, width: int) -> None:
    notes = [
        TOTAL_IN_WORDS,
        "带 * 的是因工作职责未涉及、取已评各单位该行得分的平均值；“—”是不针对这类单位的行；“缺”是依据还不齐。",
        "乡镇、部门分开排名，同分同名次。有分天数是发布过日常得分的天数；未发布是巡查过、覆盖率不够；未巡查是当天没有巡查。",
    ]
    if report.missing:
        units, rows = len(report.missing), sum(len(missing) for _, missing in report.missing)
        notes.append(f"还缺：{units} 个单位共 {rows} 项，总分只加了已有的分，名次不是最终名次；缺什么见各单位的表。")
    blank(sheet)
    for sentence in notes:
        note(sheet, sentence, width)


# ---------------------------------------------------------------- one unit


def _unit(report: AnnualReport, unit: UnitAnnual, sheet: Worksheet) -> None:
    result, draft = unit.result, f"（{report.draft}）" if report.draft else ""
    begin_tables(sheet, f"{unit.name}{report.year}年度政务公开考核{draft}", _about(report), _UNIT_WIDTHS)
    total = f"总分 {result.total:.2f}　{KIND_TITLES[result.kind]}第 {result.rank} 名"
    section(sheet, total, len(_UNIT_HEADS))
    titles = {row.id: row.title for row in report.table.indicators}
    written = table(sheet, "各行得分", _UNIT_HEADS, [_unit_row(row, titles) for row in result.indicators])
    for cells, row in zip(written, result.indicators, strict=True):
        _format_unit_row(cells, row)
    _total_rows(sheet, unit)
    note(sheet, TOTAL_IN_WORDS, len(_UNIT_HEADS))
    _months(sheet, unit)
    _faults(sheet, unit)


def _unit_row(row: IndicatorYear, titles: dict[str, str]) -> Row:
    return (
        row.id,
        titles.get(row.id, ""),
        row.points,
        None if row.site is None else _exact(row.site),
        row.days,
        None if row.na else _exact(row.share),
        None if row.mark is None else rounded(row.mark),
        row.deducted or None,
        _points(row),
        "；".join(filter(None, (row.formula, *_rectified(row), row.missing))),
    )


def _rectified(row: IndicatorYear) -> Iterator[str]:
    if row.rectified is not None and row.site is not None:
        yield f"网站日均值里一半是按期整改的份额 {row.rectified * 100:.2f}%"


def _exact(value: Fraction) -> Decimal:
    """Return a share as a number with the digits that a workbook keeps."""
    return (Decimal(value.numerator) / value.denominator).quantize(Decimal("0.00000001"))


def _format_unit_row(cells: Sequence[Cell], row: IndicatorYear) -> None:
    for cell, form in zip(cells[2:9], (POINTS, "0.0000", "0", SHARE, POINTS, POINTS, POINTS), strict=True):
        cell.number_format, cell.alignment = form, CENTRED
    cells[8].font = font(bold=True)
    _format_points(cells[8], row)
    if row.missing:
        cells[9].font = font(FAULT)


def _total_rows(sheet: Worksheet, unit: UnitAnnual) -> None:
    for veto in unit.result.vetoes:
        days = f"{len(veto.days)} 天：{_listed([f'{day:%m-%d}' for day in veto.days], 12)}"
        _ending(sheet, f"单项否决：{veto.title}", -veto.points, days)
    _ending(sheet, "总分", unit.result.total, "")[8].font = font(ACCENT, bold=True, size=12)


def _ending(sheet: Worksheet, title: str, points: Decimal, told: str) -> Sequence[Cell]:
    cells = append(sheet, (None, title, *[None] * 6, points, told))
    cells[1].font = font(bold=True)
    cells[8].number_format, cells[8].alignment = POINTS, CENTRED
    return cells


def _months(sheet: Worksheet, unit: UnitAnnual) -> None:
    result = unit.result
    days = f"有分 {len(result.published)} 天，未发布 {len(result.withheld)} 天，未巡查 {len(result.uninspected)} 天"
    months: defaultdict[int, list[Decimal]] = defaultdict(list)
    for day, score in unit.scores:
        months[day.month].append(score)
    rows = [
        (f"{month}月", None, len(scores), rounded(Fraction(sum(scores)) / len(scores)), min(scores), max(scores))
        for month, scores in sorted(months.items())
    ]
    for cells in table(sheet, f"日常检查得分（{days}）", _MONTH_HEADS, rows):
        for cell in cells[2:]:
            cell.alignment, cell.number_format = CENTRED, POINTS if cell.column > 3 else "0"


def _faults(sheet: Worksheet, unit: UnitAnnual) -> None:
    listed = unit.faults[:_MOST_FAULTS]
    if listed:
        sheet.row_breaks.append(Break(sheet.max_row))
    written = table(
        sheet, f"全年的问题（{len(unit.faults)} 个）", _FAULT_HEADS, [_fault_row(fault) for fault in listed]
    )
    for cells, fault in zip(written, listed, strict=False):
        link(cells[1], fault.target)
        spread(sheet, cells[6], len(_FAULT_HEADS) - 6)
        for cell in (cells[0], *cells[2:6]):
            cell.alignment = CENTRED
    if len(unit.faults) > len(listed):
        note(sheet, f"另有 {len(unit.faults) - len(listed)} 个看到的天数更少，没有列出。", len(_FAULT_HEADS))


def _fault_row(fault: YearFault) -> Row:
    told = "\n".join(filter(None, (fault.target, fault.observed)))
    days = fault.first_seen, fault.last_seen, fault.days
    return (fault.number, fault.check, fault.state, *days, told, None, None, None)


# ---------------------------------------------------------------- 输入


def _inputs(report: AnnualReport, sheet: Worksheet) -> None:
    ids = [row.id for row in report.table.indicators]
    begin_tables(sheet, f"{report.year}年度得分的依据", _about(report), (_NAME_WIDTH, *[_ROW_WIDTH] * (len(ids) + 3)))
    reviewers = sorted({name for unit in report.units for row in unit.result.indicators for name in _reviewers(row)})
    for reviewer in reviewers or ("没有收到评分表",):
        marks = [(unit.name, *_by_row(unit, ids, partial(_given, reviewer))) for unit in report.units if reviewers]
        _centred(table(sheet, f"考核组评分　{reviewer}", ("单位", *ids), marks), POINTS)
    note(sheet, "“／”是评分人认为工作职责未涉及的；空白是没有评的。", len(ids) + 1)
    days = [(unit.name, *_by_row(unit, ids, _days), *_unit_days(unit)) for unit in report.units]
    heads = ("单位", *ids, "有分", "未发布", "未巡查")
    _centred(table(sheet, "日常检查有值的天数", heads, days), "0")
    told = (
        "一行的天数少于有分的天数，是因为那些日子里网站上没有这一行可判的内容，或者没有能够判定；缺的日子不计入平均值。"
    )
    note(sheet, told, len(ids) + 4)
    _deductions(report, sheet)


def _reviewers(row: IndicatorYear) -> Iterator[str]:
    yield from (mark.reviewer for mark in row.marks)
    yield from row.not_assessed


def _by_row(unit: UnitAnnual, ids: Iterable[str], value: Callable[[IndicatorYear], Value]) -> Iterator[Value]:
    rows = {row.id: row for row in unit.result.indicators}
    return (value(rows[key]) if key in rows else "—" for key in ids)


def _given(reviewer: str, row: IndicatorYear) -> Value:
    if reviewer in row.not_assessed:
        return "／"
    return next((mark.points for mark in row.marks if mark.reviewer == reviewer), None)


def _days(row: IndicatorYear) -> Value:
    return row.days or None


def _unit_days(unit: UnitAnnual) -> Row:
    return len(unit.result.published), len(unit.result.withheld), len(unit.result.uninspected)


def _centred(written: Iterable[Sequence[Cell]], form: str) -> None:
    for cells in written:
        for cell in cells[1:]:
            cell.alignment, cell.number_format = CENTRED, form


def _deductions(report: AnnualReport, sheet: Worksheet) -> None:
    rows = [(unit.name, row) for unit in report.units for row in unit.result.indicators]
    circulars = [(name, row.id, cut.points, cut.circular) for name, row in rows for cut in row.deductions]
    table(sheet, "通报扣分", ("单位", "行", "扣分", "通报"), circulars, wrapped=False)
    mended = [(name, row.id, row.rectified) for name, row in rows if row.rectified is not None]
    for cells in table(sheet, "整改按期完成的份额", ("单位", "行", "份额"), mended):
        cells[-1].number_format = SHARE


# ---------------------------------------------------------------- 方法


def _method(report: AnnualReport, sheet: Worksheet) -> None:
    about = (
        f"{report.table.title}（{report.table.document_number}，{report.table.issued}），共 {report.table.total:f} 分"
    )
    begin(sheet, f"{report.year}年度得分怎么算", about, _METHOD)
    titles = {check.META.id: check.META.title for check in CHECKS}
    for row in report.table.indicators:
        checks = "、".join(titles.get(bound.check, bound.check) for bound in row.checks)
        cells = append(
            sheet,
            (
                row.id,
                row.title,
                row.points,
                row.site_share,
                row.content,
                row.method,
                row.evaluated,
                checks or row.pending,
            ),
        )
        cells[2].number_format, cells[3].number_format = POINTS, SHARE
        cells[2].alignment = cells[3].alignment = CENTRED
    blank(sheet)
    for number, sentence in enumerate(report.method, start=1):
        note(sheet, f"{number}．{sentence}", len(_METHOD))
    end(sheet, _METHOD)


# ---------------------------------------------------------------- 版本


def _versions(report: AnnualReport, sheet: Worksheet) -> None:
    begin_tables(sheet, f"{report.year}年度结果的版本和依据", _about(report), _VERSION_WIDTHS)
    if report.draft:
        note(sheet, f"本工作簿是{report.draft}，不是公布的结果。", len(_VERSION_WIDTHS))
    heads = ("版本", "公布时间", "公布人", "原因", "与上一版相比", "摘要（SHA-256）")
    table(sheet, "公布过的版本", heads, [_version_row(report, version) for version in report.versions])
    sources = [
        (
            source.title,
            f"{source.at:%Y-%m-%d %H:%M}" if source.at else None,
            source.by,
            source.detail,
            None,
            source.digest,
        )
        for source in report.sources
    ]
    table(sheet, "得分所依据的数据", ("来源", "导入时间", "导入人", "内容", "", "摘要（SHA-256）"), sources)


def _version_row(report: AnnualReport, version: PublishedVersion) -> Row:
    this = "（本工作簿）" if report.version and report.version.number == version.number else ""
    changes = "\n".join(version.changes) or "首次公布"
    return (
        f"第 {version.number} 版{this}",
        f"{version.published_at:%Y-%m-%d %H:%M}",
        version.by,
        version.why,
        changes,
        version.digest,
    )


def _listed(texts: Sequence[str], most: int) -> str:
    more = "……" if len(texts) > most else ""
    return "、".join(texts[:most]) + more
