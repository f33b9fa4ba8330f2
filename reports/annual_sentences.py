"""What the 通报 says in words: every sentence made of the report's values, true for none, one or many of a thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from checks.registry import CHECKS
from config.schema import Indicator, UnitKind
from reports.annual import AnnualReport, UnitAnnual, YearFault
from reports.daily import KIND_TITLES
from reports.official_document import chinese_date
from scoring.annual import IndicatorYear, rounded
from scoring.review import FaultState

SCORES, PENALTIES, MISSING = "各单位各项得分表", "单项否决和通报扣分情况", "尚缺的内容"  # the enclosures
UNSETTLED = (FaultState.PENDING, FaultState.REVOKED, FaultState.WAIVED)  # held against nobody
_NAMED = 3  # rows and faults named as the most or the least
_FULL = 100  # percent


@dataclass(frozen=True, slots=True)
class FaultCount:
    """How often faults of one check were found in the year, and at how many units."""

    check: str  # Chinese title
    faults: int
    units: int

    @property
    def text(self) -> str:
        """The count in words."""
        return f"{self.check}问题{self.faults}个，涉及{self.units}个单位"


# ---------------------------------------------------------------- 导语


def introduction(report: AnnualReport) -> list[str]:
    """Return the paragraphs before the first heading; the last of them leads over."""
    texts = [opening(report) + basis(report), *draft_note(report), *correction(report)]
    return [*texts[:-1], f"{texts[-1]}现将考核结果通报如下："]


def opening(report: AnnualReport) -> str:
    """Say by which table who was assessed."""
    kinds = [(title, len(report.league(kind))) for kind, title in KIND_TITLES.items()]
    assessed = "、".join(f"{count}个{title}" for title, count in kinds if count)
    table = f"《{report.table.title}》（{report.table.document_number}）"
    return f"按照{table}，{report.office}对{assessed}{report.year}年度政务公开工作进行了考核。"


def basis(report: AnnualReport) -> str:
    """Say how the result came about: the days inspected, and the marks."""
    return f"考核采取日常检查和年度考核相结合的办法。{_daily(report)}{_marked(report)}各项得分和合计保留两位小数。"


def _daily(report: AnnualReport) -> str:
    published = {day for unit in report.units for day in unit.result.published}
    days = published | {day for unit in report.units for day in unit.result.withheld}
    if not days:
        return f"日常检查截至{chinese_date(report.last_day)}没有巡查结果。"
    spoken = f"日常检查为网站巡查，{period(min(days), report.last_day)}共有{len(days)}天进行了巡查"
    return f"{spoken}，其中{len(published)}天有单位得出日常检查分；没有看清的页面不计入得分。"


def _marked(report: AnnualReport) -> str:
    marks = [mark for unit in report.units for row in unit.result.indicators for mark in row.marks]
    if not marks:
        return "年度考核尚未收到评分。"
    reviewers = len({mark.reviewer for mark in marks})
    mean = "，同一项有几份评分的取平均值" if reviewers > 1 else ""
    return f"年度考核收到{reviewers}份评分表{mean}。"


def period(first: date, last: date) -> str:
    """Return the days from one to another in words; one day alone as itself."""
    return chinese_date(first) if first >= last else f"{chinese_date(first)}至{chinese_date(last)}"


def correction(report: AnnualReport) -> Sequence[str]:
    """Say what a later version corrects and why; nothing for the first or for what is not published."""
    version = report.version
    if version is None or version.number == 1:
        return ()
    before = next((one for one in reversed(report.versions) if one.number < version.number), None)
    replaced = f"替代{chinese_date(before.published_at.date())}发布的第{before.number}版" if before else "替代以前各版"
    why = f"更正原因：{_ended(version.why)}" if version.why else ""
    told = "；".join(change.rstrip("。；") for change in version.changes)
    changes = f"更正内容：{told}。" if told else ""
    return (f"本通报是第{version.number}版，{replaced}，以本版为准。{why}{changes}",)


def draft_note(report: AnnualReport) -> Sequence[str]:
    """Say that a result is not published, and why it cannot be yet."""
    if not report.draft:
        return ()
    wanting = sum(len(rows) for _, rows in report.missing)
    if not wanting:
        return ("本件为送审稿，考核结果尚未发布。",)
    concerned = f"{len(report.missing)}个单位共{wanting}项得分的依据还不齐全"
    return (f"本结果是暂定结果，尚未发布：{concerned}，合计只加已有的分，名次不是最终名次。详见附件《{MISSING}》。",)


# ---------------------------------------------------------------- 一、考核结果


def ranking(report: AnnualReport) -> str:
    """Say what the most is, and who is ranked with whom."""
    kinds = [title for kind, title in KIND_TITLES.items() if report.league(kind)]
    apart = f"{'、'.join(kinds)}分别排名" if len(kinds) > 1 else "按得分排名"
    return f"考核满分{report.table.total}分，{apart}，名次和得分如下。"


def not_concerned(report: AnnualReport, kind: UnitKind) -> str:
    """Say where a row took the mean because the duty does not concern the unit; "" for nowhere."""
    rows = [(unit, row) for unit in report.league(kind) for row in unit.result.indicators if row.na]
    if not rows:
        return ""
    units, ids = {unit.name for unit, _ in rows}, {row.id for _, row in rows}
    return (
        f"因工作职责未涉及而取该项已评各单位得分算术平均值的，涉及{len(units)}个单位、{len(ids)}项指标，"
        f"在《{SCORES}》中以*标明。"
    )


def league_note(report: AnnualReport, kind: UnitKind) -> str:
    """Return what stands below the ranking: ties, and rows that took the mean."""
    ranks = Counter(unit.result.rank for unit in report.league(kind))
    shared = [count for count in ranks.values() if count > 1]
    ties = "得分相同的名次相同，其后名次顺延。" if shared else ""
    note = ties + not_concerned(report, kind)
    return f"注：{note}" if note else ""


# ---------------------------------------------------------------- 二、总体情况


def of_kind(report: AnnualReport, kind: UnitKind) -> str:
    """Say the mean, the highest and the lowest of a kind of units; "" without any."""
    league, title = report.league(kind), KIND_TITLES[kind]
    if not league:
        return ""
    totals = [unit.result.total for unit in league]
    if len(league) == 1:
        return f"参加考核的{title}为{league[0].name}，得分{totals[0]:.2f}分。"
    mean = rounded(sum((unit.result.exact for unit in league), Fraction(0)) / len(league))
    if max(totals) == min(totals):
        return f"{len(league)}个{title}得分相同，均为{totals[0]:.2f}分。"
    best, worst = (_named(league, total) for total in (max(totals), min(totals)))
    return (
        f"{len(league)}个{title}平均得分{mean:.2f}分，最高{max(totals):.2f}分（{best}），"
        f"最低{min(totals):.2f}分（{worst}）。"
    )


def _named(league: Iterable[UnitAnnual], total: object) -> str:
    return "、".join(unit.name for unit in league if unit.result.total == total)


def rates(report: AnnualReport) -> list[tuple[Indicator, Fraction]]:
    """Return the rows that somebody was assessed by, with the mean share of their points, the highest first."""
    found = []
    for row in report.table.indicators:
        finals = [of.final for of in _rows(report, row.id) if of.final is not None and not of.na]
        if finals:
            found.append((row, sum(finals, Fraction(0)) / len(finals) / Fraction(row.points)))
    return sorted(found, key=lambda pair: -pair[1])


def _rows(report: AnnualReport, indicator_id: str) -> Iterable[IndicatorYear]:
    return (row for unit in report.units for row in unit.result.indicators if row.id == indicator_id)


def highest_and_lowest(report: AnnualReport) -> str:
    """Say which rows were earned best and worst; "" when all alike or none."""
    found = rates(report)
    count = min(_NAMED, len(found) // 2)
    if not count or found[0][1] == found[-1][1]:
        return ""
    best, worst = _rated(found[:count]), _rated(found[-count:][::-1])
    return f"各项指标按平均得分率（得分占分值的比例，不含取平均值的单位）看，较高的是{best}；较低的是{worst}。"


def _rated(found: Iterable[tuple[Indicator, Fraction]]) -> str:
    return "、".join(f"“{_inside_quotes(row.title)}”（{rounded(rate * _FULL):.2f}%）" for row, rate in found)


def _inside_quotes(title: str) -> str:
    """Return a title as it stands inside quotation marks: its own become single ones (GB/T 15834)."""
    return title.replace("“", "‘").replace("”", "’")


def fault_totals(report: AnnualReport) -> str:
    """Say how many faults the daily inspection found, where they stand, and which were the most."""
    faults = [(unit.name, fault) for unit in report.units for fault in held_against(unit)]
    if not faults:
        return "日常检查没有计入得分的问题。"
    states = Counter(fault.state for _, fault in faults)
    stand = "、".join(f"{state}{states[state]}个" for state in FaultState if states[state])
    units = len({name for name, _ in faults})
    most = "；".join(count.text for count in fault_counts(report)[:_NAMED])
    return f"日常检查发现并计入得分的问题共{len(faults)}个，涉及{units}个单位，目前{stand}。数量较多的是：{most}。"


def held_against(unit: UnitAnnual) -> tuple[YearFault, ...]:
    """Return the unit's faults that count: not those that wait for confirmation, were revoked, or are waived."""
    return tuple(fault for fault in unit.faults if fault.state not in UNSETTLED)


def fault_counts(report: AnnualReport) -> list[FaultCount]:
    """Return how often each check's faults were found, the most frequent first."""
    faults = [(fault.check, unit.name) for unit in report.units for fault in held_against(unit)]
    totals = Counter(check for check, _ in faults)
    units = {check: len({name for one, name in faults if one == check}) for check in totals}
    counts = (FaultCount(check, totals[check], units[check]) for check in totals)
    return sorted(counts, key=lambda count: (-count.faults, -count.units, count.check))


# ---------------------------------------------------------------- 三、存在的问题


def problems(report: AnnualReport) -> list[tuple[str, str]]:
    """Return the faults by the rows that they cost points in: title and sentence; a check of several rows once."""
    titles = {check.META.id: check.META.title for check in CHECKS}
    left = {count.check: count for count in fault_counts(report)}
    found = []
    for row in report.table.indicators:
        of_row = [left.pop(title) for title in (titles.get(b.check, b.check) for b in row.checks) if title in left]
        if of_row:
            of_row.sort(key=lambda count: -count.faults)
            found.append((row.title, "；".join(count.text for count in of_row) + "。"))
    if left:
        found.append(("其他", "；".join(count.text for count in left.values()) + "。"))
    return found


def penalties(report: AnnualReport) -> str:
    """Say how many circulars and vetoes there were; "" for none of either."""
    circulars = sum(len(row.deductions) for unit in report.units for row in unit.result.indicators)
    vetoes = sum(len(unit.result.vetoes) for unit in report.units)
    told = [f"被通报扣分{circulars}次"] if circulars else []
    told += [f"出现单项否决情形{vetoes}项"] if vetoes else []
    return f"各单位{'，'.join(told)}，见附件《{PENALTIES}》。" if told else ""


# ---------------------------------------------------------------- 四、工作要求


def demands(report: AnnualReport) -> list[str]:
    """Return what is asked of the units, as far as there is something to do."""
    counting = [fault for unit in report.units for fault in held_against(unit)]
    open_faults = sum(fault.state != FaultState.MENDED for fault in counting)
    first = "各单位要对照本通报和本单位得分单，逐项查找原因，做好政务公开工作。"
    if open_faults:
        first += f"对尚未整改到位的{open_faults}个问题，要明确责任、按期整改；已下达整改通知单的，以通知单的期限为准。"
    return [first, "对得分或者问题有异议的，可以按得分单所列办法提出申诉。"]


def _ended(sentence: str) -> str:
    return sentence.rstrip("。；") + "。"
