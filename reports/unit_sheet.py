"""得分单: one unit's year with every point explained, a .docx that the office hands to the unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from config.schema import Indicator
from reports.annual import AnnualReport, UnitAnnual, YearFault
from reports.daily import KIND_TITLES
from reports.official_document import TEXT_WIDTH, Column, OfficialDocument, Size, chinese_date
from scoring.annual import IndicatorYear, rounded
from scoring.review import FaultState

MOST_FAULTS = 500  # listed one by one; the workbook has them all
_LONGEST_CELL = 300  # characters of what was seen
_POINTS: tuple[Column, ...] = (
    Column("指标", 42),
    Column("分值", 11, centred=True),
    Column("网站采样平均", 17, centred=True),
    Column("天数", 11, centred=True),
    Column("评分", 13, centred=True),
    Column("扣分", 11, centred=True),
    Column("得分", 13, centred=True),
    Column("算式", TEXT_WIDTH - 118),
)
_FAULTS: tuple[Column, ...] = (
    Column("编号", 15, centred=True),
    Column("检查", 24),
    Column("所见和位置", TEXT_WIDTH - 89),
    Column("状态", 15, centred=True),
    Column("首次／最近发现", 24, centred=True),
    Column("天数", 11, centred=True),
)


def unit_sheet(report: AnnualReport, unit: UnitAnnual) -> bytes:
    """Return the unit's sheet as .docx; one of a result that is not published says so in its title."""
    subject = f"{report.year}年度政务公开考核得分单"
    mark = f"{report.draft}，未发布" if report.draft else ""
    document = OfficialDocument(f"{unit.name}{subject}", report.office, report.made_on, mark)
    document.title(report.district, subject, remark=f"（{mark}）" if mark else "")
    document.recipients(unit.name)
    document.text(_summary(report, unit))
    first = (_missing,) if unit.result.missing else ()
    parts = (*first, _points, _deductions, _faults, _appeal)
    for number, part in enumerate(parts, start=1):
        part(document, report, unit, number)
    document.signature(report.office, report.made_on)
    return document.content()


def _summary(report: AnnualReport, unit: UnitAnnual) -> str:
    result, title = unit.result, KIND_TITLES[unit.result.kind]
    league = report.league(result.kind)
    shared = [other.name for other in league if other.result.rank == result.rank and other is not unit]
    tie = f"，与{'、'.join(shared)}名次相同" if shared else ""
    total = f"{result.total:.2f}分" if not result.missing else f"暂计{result.total:.2f}分（只加已有的分）"
    days = f"日常检查截至{chinese_date(report.last_day)}，{len(result.published)}天得出日常检查分"
    withheld = f"，{len(result.withheld)}天因能看清的内容不足没有得分，不计入平均" if result.withheld else ""
    return (
        f"你单位{report.year}年度政务公开考核得分为{total}，在{len(league)}个{title}中列第{result.rank}名{tie}。"
        f"{days}{withheld}。各项得分按《{report.table.title}》（{report.table.document_number}）计算。"
    )


def _missing(document: OfficialDocument, report: AnnualReport, unit: UnitAnnual, number: int) -> None:
    document.heading(number, "尚缺的内容")
    document.text("下列内容齐全之前，得分和名次都是暂定的：")
    for text in unit.result.missing:
        document.text(f"{text}。")


# ---------------------------------------------------------------- points


def _points(document: OfficialDocument, report: AnnualReport, unit: UnitAnnual, number: int) -> None:
    document.heading(number, "各项得分")
    rows = {row.id: row for row in report.table.indicators}
    listed = [_row(rows.get(of.id), of) for of in unit.result.indicators]
    cost = sum((veto.points for veto in unit.result.vetoes), Decimal(0))
    points = sum((of.points for of in unit.result.indicators), Decimal(0))
    if cost:
        listed.append(("单项否决扣分", "", "", "", "", f"{cost:f}", "", ""))
    listed.append(("合计", f"{points:f}", "", "", "", "", f"{unit.result.total:.2f}", ""))
    document.table(_POINTS, listed, Size.SMALL_FIVE)
    document.note(
        "注：网站采样平均是全年各日该项检查结果（0至1）的平均，天数是有结果的天数；有整改要求的，日常工作一项再与按期整改率取平均；评分是各份评分表的平均；"
        "“—”表示没有，或者该项得分不取自它。计算过程不舍入，得分和合计最后四舍五入，保留两位小数，各项相加与合计可能相差0.01。"
    )


def _row(row: Indicator | None, of: IndicatorYear) -> Sequence[str]:
    site = (_shown(of.site, 4), str(of.days)) if of.site is not None and of.share else ("—", "—")
    title = f"{of.id} {row.title}" if row else of.id
    told = "；".join(text for text in (of.formula, of.missing) if text)
    deducted = f"{of.deducted:f}" if of.deducted else "—"
    return title, f"{of.points:f}", *site, _shown(of.mark, 2), deducted, _shown(of.final, 2), told


def _shown(value: Fraction | None, places: int) -> str:
    if value is None:
        return "—"
    return f"{rounded(value * 10 ** (places - 2)).scaleb(2 - places):.{places}f}"


def _deductions(document: OfficialDocument, report: AnnualReport, unit: UnitAnnual, number: int) -> None:
    document.heading(number, "通报扣分和单项否决")
    told = [*_circulars(unit), *_vetoes(unit)]
    for text in told or ["没有通报扣分，也没有单项否决。"]:
        document.text(text)


def _circulars(unit: UnitAnnual) -> Iterable[str]:
    for row in unit.result.indicators:
        for deduction in row.deductions:
            yield f"通报扣分：{deduction.circular.rstrip('。')}，{row.id}项扣{deduction.points:f}分。"


def _vetoes(unit: UnitAnnual) -> Iterable[str]:
    for veto in unit.result.vetoes:
        days = f"，首日{chinese_date(min(veto.days))}，末日{chinese_date(max(veto.days))}" if veto.days else ""
        cost = f"扣{veto.points:f}分" if veto.points else "按现行规则不扣分"
        yield f"单项否决：{veto.title}，共{len(veto.days)}天{days}，{cost}。"


# ---------------------------------------------------------------- faults


def _faults(document: OfficialDocument, report: AnnualReport, unit: UnitAnnual, number: int) -> None:
    document.heading(number, "本年度发现的问题")
    if not unit.faults:
        document.text("日常检查没有发现问题。")
        return
    listed = unit.faults[:MOST_FAULTS]
    rest = len(unit.faults) - len(listed)
    more = f"下表列出前{len(listed)}个，其余{rest}个见年度工作簿。" if rest else ""
    document.text(f"日常检查共记录{len(unit.faults)}个问题。{_uncounted(unit)}{more}")
    document.table(_FAULTS, [_fault(fault) for fault in listed], Size.SMALL_FIVE)
    document.note("注：编号是该问题最近一次发现的编号；天数是看到该问题的天数。")


def _uncounted(unit: UnitAnnual) -> str:
    """Say how many of the faults do not count, by their states; "" when all do."""
    counts = {state: sum(fault.state == state for fault in unit.faults) for state in _NOT_COUNTED}
    told = "、".join(f"“{state}”{count}个" for state, count in counts.items() if count)
    return f"其中{told}，不作为扣分依据。" if told else ""


_NOT_COUNTED = (FaultState.PENDING, FaultState.REVOKED, FaultState.WAIVED)


def _fault(fault: YearFault) -> Sequence[str]:
    seen = f"{fault.observed[:_LONGEST_CELL]}　{fault.target[:_LONGEST_CELL]}"
    days = f"{fault.first_seen.isoformat()} {fault.last_seen.isoformat()}"
    return str(fault.number), fault.check, seen, fault.state, days, str(fault.days)


def _appeal(document: OfficialDocument, report: AnnualReport, unit: UnitAnnual, number: int) -> None:
    document.heading(number, "异议和申诉")
    document.text(
        f"对所列问题有异议的，可以向{report.office}提出申诉，写明问题编号和理由，附证明材料。受理后该问题的状态为"
        f"“{FaultState.APPEALED}”，由另一人复核，结论为“{FaultState.UPHELD}”或者“{FaultState.REVOKED}”；"
        f"结论为“{FaultState.REVOKED}”的，按没有该问题重新计分。对评分有异议的，写明指标和理由，一并提出。"
    )
