"""每日巡查工作簿: the daily report as an Excel workbook (.xlsx)."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from checks.model import Finding, Outcome
from reports.brief import Brief
from reports.daily import (
    KIND_TITLES,
    OUTCOME_TITLES,
    UNJUDGED,
    DailyReport,
    ListedFinding,
    UnitDay,
)
from reports.workbook import (
    CENTRED,
    FAULT,
    POINTS,
    SHARE,
    Columns,
    Row,
    append,
    begin,
    end,
    font,
    link,
    named,
    new_book,
    note,
    saved,
    section,
)

_BRIEF: Columns = (("单位", 22), ("内容", 44), ("说明", 70), ("位置", 50), ("编号", 16))
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
_HOSTS: Columns = (
    ("主机", 36),
    ("站点", 30),
    ("请求", 9),
    ("字节", 14),
    ("最多一秒", 9),
    ("最多一分钟", 9),
    ("拦截", 8),
    ("拒绝", 8),
    ("放慢", 8),
    ("应要求停歇（秒）", 12),
    ("robots 间隔（秒）", 12),
    ("未照办的要求及理由", 60),
)
_FACTS: Columns = (("项目", 22), ("内容", 90))
_NAMED = 10  # targets told one by one before the rest is only counted


def daily_workbook(report: DailyReport) -> bytes:
    """Return the report as an .xlsx file: 简报 (of a night), 得分, 站点, 问题, 提示, 未能判定, 采集, 说明."""
    book = new_book(report.title, report.run.software)
    if report.brief:
        _brief(report, report.brief, book.create_sheet("简报"))
    _scores(report, book.create_sheet("得分"))
    _sites(report, book.create_sheet("站点"))
    _findings(report, book.create_sheet("问题"), Outcome.FAIL)
    _findings(report, book.create_sheet("提示"), Outcome.NOTICE)
    _causes(report, book.create_sheet("未能判定"))
    _politeness(report, book.create_sheet("采集"))
    _facts(report, book.create_sheet("说明"))
    return saved(book, report.run.day)


# ---------------------------------------------------------------- sheets


def _brief(report: DailyReport, brief: Brief, sheet: Worksheet) -> None:
    _begin(report, sheet, _BRIEF)
    for sentence in report.politeness.warnings:
        note(sheet, sentence, len(_BRIEF))
    for sentence in (*brief.notes, brief.summary):
        note(sheet, sentence, len(_BRIEF))
    for part in brief.told:
        section(sheet, f"{part.title}（{len(part.lines)}）", len(_BRIEF))
        for line in part.lines:
            numbers = named([str(number) for number in line.numbers], _NAMED)
            row = append(sheet, (line.unit, line.what, line.detail, line.address, numbers))
            row[0].font = font(bold=True)
            link(row[3], line.address)
    if brief.silent:
        note(sheet, f"{brief.silent}。", len(_BRIEF))
    end(sheet, _BRIEF)


def _scores(report: DailyReport, sheet: Worksheet) -> None:
    _begin(report, sheet, _SCORES)
    for kind, title in KIND_TITLES.items():
        units = report.league(kind)
        if units:
            section(sheet, f"{title}（{len(units)} 个）", len(_SCORES))
        for unit in units:
            row = append(sheet, _score_row(unit))
            row[2].number_format, row[3].number_format = POINTS, SHARE
            for cell in row[:1] + row[2:-1]:
                cell.alignment = CENTRED
            row[1].font = font(bold=True)
            if unit.score and unit.score.vetoes:
                row[4].font = font(FAULT, bold=True)
    end(sheet, _SCORES)


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
        row = append(
            sheet, (site.name, site.verdict_text, site.verdict.coverage, site.vetoes_text, named(targets, _NAMED))
        )
        row[0].font, row[2].number_format = font(bold=True), SHARE
        row[1].alignment = row[2].alignment = CENTRED
        if site.verdict.vetoes:
            row[1].font = font(FAULT, bold=True)
    end(sheet, _SITES)


def _findings(report: DailyReport, sheet: Worksheet, outcome: Outcome) -> None:
    _begin(report, sheet, _PROBLEMS)
    listed = [(unit, row) for unit in report.units for row in unit.of(outcome)]
    for unit, row in listed:
        cells = append(sheet, _finding_row(report, unit, row))
        link(cells[8], row.finding.target)
        if row.finding.outcome is Outcome.FAIL and not row.pending:
            cells[3].font = font(FAULT, bold=True)
    end(sheet, _PROBLEMS, filtered=bool(listed))


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
            named(cause.targets, _NAMED),
        )
        for unit in report.units
        for cause in unit.causes
    ]
    for row in rows:
        append(sheet, row)
    end(sheet, _CAUSES, filtered=bool(rows))


def _politeness(report: DailyReport, sheet: Worksheet) -> None:
    told = report.politeness
    _begin(report, sheet, _HOSTS)
    for sentence in told.warnings:
        note(sheet, sentence, len(_HOSTS))
    for asked in told.statements:
        row = (
            asked.host,
            asked.name,
            asked.requests,
            asked.bytes,
            asked.peak_second,
            asked.peak_minute,
            asked.blocks,
            asked.refusals,
            asked.slow_downs,
            asked.rested_seconds,
            asked.robots_delay,
            "；".join(asked.overrides),
        )
        append(sheet, row)[0].font = font(bold=True)
    section(sheet, "没有读到的页面", len(_HOSTS))
    for unread in told.unread:
        append(sheet, ("", unread.site, unread.pages, unread.reason))
    section(sheet, "最慢的站点和页面（秒）", len(_HOSTS))
    for slow in (*told.slow_sites, *told.slow_pages):
        link(append(sheet, (slow.url or "平均", slow.site, round(slow.seconds, 2)))[0], slow.url)
    end(sheet, _HOSTS)


def _facts(report: DailyReport, sheet: Worksheet) -> None:
    _begin(report, sheet, _FACTS)
    for title, rows in report.about:
        section(sheet, title, len(_FACTS))
        for row in rows:
            append(sheet, row)[0].font = font(bold=True)
    end(sheet, _FACTS)


def _begin(report: DailyReport, sheet: Worksheet, columns: Columns) -> None:
    about = f"{report.run.day:%Y年%m月%d日}　第 {report.run.number} 次巡查　规则版本 {report.run.rules_version}"
    begin(sheet, f"{report.title}　{sheet.title}", about, columns)
