"""考核结果通报: the year's result as the office publishes it, a .docx in official form (GB/T 9704-2012)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import count

from config.schema import Indicator, UnitKind
from reports import annual_sentences as say
from reports.annual import AnnualReport, UnitAnnual
from reports.daily import KIND_TITLES
from reports.official_document import TEXT_WIDTH, WIDE_TEXT_WIDTH, Column, OfficialDocument, Size, chinese_date
from scoring.annual import Deduction, IndicatorYear, rounded

_MOST_ROWS = 22  # of the scoring table beside each other on a page in landscape
_RANK, _NAME, _TOTAL, _WIDER = 8.0, 28.0, 11.0, 1.2  # widths in mm, and what a wider column is of the others
_LEAGUE = (Column("名次", 24, centred=True), Column("单位", 88), Column("得分", 44, centred=True))


def annual_circular(report: AnnualReport) -> bytes:
    """Return the circular as .docx; one of a result that is not published says so in its title."""
    subject = (f"关于{report.year}年度政务公开工作", "考核结果的通报")
    document = OfficialDocument(report.office + "".join(subject), report.office, report.made_on, _mark(report))
    document.document_number(report.document_number)
    document.title(report.office, *subject, remark=_remark(report))
    document.recipients(report.recipients)
    for text in say.introduction(report):
        document.text(text)
    for number, part in enumerate((_results, _overall, _problems, _demands), start=1):
        part(document, report, number)
    enclosures = _enclosures(report)
    document.enclosures(enclosures)
    document.signature(report.office, report.made_on)
    for number, name in enumerate(enclosures, start=1):
        _ENCLOSURES[name](document, report, number if len(enclosures) > 1 else None)
    return document.content()


def _mark(report: AnnualReport) -> str:
    return f"{report.draft}，未发布" if report.draft else ""


def _remark(report: AnnualReport) -> str:
    if report.draft:
        return f"（{_mark(report)}）"
    return f"（第{report.version.number}版，更正）" if report.version and report.version.number > 1 else ""


# ---------------------------------------------------------------- text


def _results(document: OfficialDocument, report: AnnualReport, number: int) -> None:
    document.heading(number, "考核结果")
    document.text(say.ranking(report))
    for place, (kind, title) in enumerate(_kinds(report), start=1):
        league = report.league(kind)
        document.subheading(place, f"{title}（{len(league)}个）")
        document.table(_LEAGUE, [(str(u.result.rank), u.name, f"{u.result.total:.2f}") for u in league])
        document.note(say.league_note(report, kind))


def _overall(document: OfficialDocument, report: AnnualReport, number: int) -> None:
    document.heading(number, "总体情况")
    kinds = "".join(say.of_kind(report, kind) for kind, _ in _kinds(report))
    for text in (kinds, say.highest_and_lowest(report), say.fault_totals(report)):
        if text:
            document.text(text)


def _problems(document: OfficialDocument, report: AnnualReport, number: int) -> None:
    document.heading(number, "存在的问题")
    found = say.problems(report)
    if found:
        document.text(
            "日常检查发现并计入得分的问题，按评分指标归类如下；同一类问题关系到几项指标的，只在前一项中列出。"
        )
    else:
        document.text("日常检查没有计入得分的问题。")
    for place, (title, text) in enumerate(found, start=1):
        document.point(place, title, text)
    if say.penalties(report):
        document.text(say.penalties(report))


def _demands(document: OfficialDocument, report: AnnualReport, number: int) -> None:
    document.heading(number, "工作要求")
    for text in say.demands(report):
        document.text(text)


# ---------------------------------------------------------------- enclosures


def _enclosures(report: AnnualReport) -> Sequence[str]:
    names = [say.SCORES]
    if any(unit.result.vetoes or _deducted(unit) for unit in report.units):
        names.append(say.PENALTIES)
    if report.draft and report.missing:
        names.append(say.MISSING)
    return names


def _score_sheets(document: OfficialDocument, report: AnnualReport, number: int | None) -> None:
    """Write units × rows for each kind, in as many tables as the rows of the scoring table take."""
    document.enclosure(f"{report.year}年度政务公开考核{say.SCORES}", number, wide=True)
    caption = count(1)
    for kind, title in _kinds(report):
        rows = [row for row in report.table.indicators if kind in row.kinds]
        for some in (rows[at : at + _MOST_ROWS] for at in range(0, len(rows), _MOST_ROWS)):
            document.caption(f"表{next(caption)}　{title}（单位：分）")
            _score_table(document, report.league(kind), some)
    legend = "；".join(f"{row.id} {row.title}（{row.points}分）" for row in report.table.indicators)
    document.note(f"注：1．指标：{legend}。")
    signs = "*表示因工作职责未涉及，取已评各单位得分的算术平均值；—表示依据不齐，没有得分"
    document.note(f"2．{signs}；合计为各项得分之和减去单项否决扣分。")


def _score_table(document: OfficialDocument, league: Sequence[UnitAnnual], rows: Sequence[Indicator]) -> None:
    """Write one table; a row of ten points and more takes a figure more, and so more of the width."""
    shares = [_WIDER if row.points >= 10 else 1 for row in rows]
    width = (WIDE_TEXT_WIDTH - _RANK - _NAME - _TOTAL) / max(sum(shares), _MOST_ROWS)
    columns = (
        Column("名次", _RANK, centred=True),
        Column("单位", _NAME),
        *(Column(row.id, width * share, centred=True) for row, share in zip(rows, shares, strict=True)),
        Column("合计", _TOTAL, centred=True),
    )
    listed = [
        (str(unit.result.rank), unit.name, *(_points(unit, row.id) for row in rows), f"{unit.result.total:.2f}")
        for unit in league
    ]
    document.table(columns, listed, Size.SIX)


def _points(unit: UnitAnnual, indicator_id: str) -> str:
    row = next((row for row in unit.result.indicators if row.id == indicator_id), None)
    if row is None or row.final is None:
        return "—"
    return f"{rounded(row.final):.2f}{'*' if row.na else ''}"


def _penalty_sheet(document: OfficialDocument, report: AnnualReport, number: int | None) -> None:
    document.enclosure(say.PENALTIES, number)
    columns = (
        Column("单位", 36),
        Column("情形", 24, centred=True),
        Column("内容", TEXT_WIDTH - 76),
        Column("扣分", 16, centred=True),
    )
    document.table(columns, [row for unit in report.units for row in _penalties(unit)])


def _penalties(unit: UnitAnnual) -> Iterable[tuple[str, str, str, str]]:
    for veto in unit.result.vetoes:
        told = f"{veto.title}：共{len(veto.days)}天"
        if veto.days:
            told += f"，首日{chinese_date(min(veto.days))}，末日{chinese_date(max(veto.days))}"
        yield unit.name, "单项否决", told, _cost(veto.points)
    for row, deduction in _deducted(unit):
        yield unit.name, "通报", f"{deduction.circular}（{row.id}）", _cost(deduction.points)


def _deducted(unit: UnitAnnual) -> list[tuple[IndicatorYear, Deduction]]:
    return [(row, deduction) for row in unit.result.indicators for deduction in row.deductions]


def _cost(points: Decimal) -> str:
    return f"{points:f}"


def _missing_sheet(document: OfficialDocument, report: AnnualReport, number: int | None) -> None:
    document.enclosure(say.MISSING, number)
    wanting: dict[str, list[str]] = {}
    for name, rows in report.missing:
        for row in rows:
            wanting.setdefault(row, []).append(name)
    columns = (Column("指标和缺什么", 62), Column("单位数", 18, centred=True), Column("单位", TEXT_WIDTH - 80))
    order = {row.id: place for place, row in enumerate(report.table.indicators)}
    listed = sorted(wanting.items(), key=lambda pair: order.get(pair[0].partition("：")[0], len(order)))
    document.table(columns, [(what, str(len(names)), _among(report, names)) for what, names in listed])


def _among(report: AnnualReport, names: Sequence[str]) -> str:
    """Return the names, or those that they are all of."""
    groups = {"全部单位": report.units} | {f"全部{title}": report.league(kind) for kind, title in _kinds(report)}
    whole = (title for title, units in groups.items() if {unit.name for unit in units} == set(names))
    return next(whole, "、".join(names))


_ENCLOSURES = {say.SCORES: _score_sheets, say.PENALTIES: _penalty_sheet, say.MISSING: _missing_sheet}


def _kinds(report: AnnualReport) -> list[tuple[UnitKind, str]]:
    return [(kind, title) for kind, title in KIND_TITLES.items() if report.league(kind)]
