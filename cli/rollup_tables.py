"""Tables of the year: the league, one unit explained, versions, and trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from cli.output import console, print_table, printable
from cli.tables import KIND_TITLES, check_title
from inspection.day import spans
from inspection.publishing import missing_lines
from scoring.annual import rounded, shown

if TYPE_CHECKING:
    from inspection.explaining import RowExplanation, UnitExplanation
    from inspection.trial import Trial
    from reports.annual import PublishedVersion
    from scoring.annual import Annual, IndicatorYear, UnitResult
    from storage.model import CountedFault

FAULTS_SHOWN = 10  # of one row; all of them stand in --json
Names = Mapping[str, str]


def print_ranking(result: Annual, names: Names, last_day: date, version: PublishedVersion | None) -> None:
    """Print the league of each kind, and what is missing."""
    for kind, title in KIND_TITLES.items():
        of_kind = sorted((unit for unit in result.units if unit.kind is kind), key=lambda unit: unit.rank)
        rows = (
            (unit.rank, names[unit.unit_id], f"{unit.total:.2f}", len(unit.published), len(unit.missing))
            for unit in of_kind
        )
        heads = ("名次", "单位", "得分", "有分的天数", "缺少的项")
        print_table(f"{result.year}年度汇总（{_standing(result, version)}，截至 {last_day}）　{title}", heads, rows)
    lines = list(missing_lines(result, names))
    if lines:
        missing = sum(len(unit.missing) for unit in result.units)
        _say(f"还缺 {missing} 项，结果是暂定的，只加了已有的分：")
        for line in lines:
            _say(f"  {line}")


def _standing(result: Annual, version: PublishedVersion | None) -> str:
    if version:
        return f"{result.status}，第 {version.number} 版，{version.published_at:%Y-%m-%d} 公布"
    return result.status.draft


def _say(sentence: str) -> None:
    console.print(printable(sentence))


# ---------------------------------------------------------------- one unit


def print_explanation(
    explanation: UnitExplanation, result: Annual, names: Names, version: PublishedVersion | None
) -> None:
    """Print how a unit's result came about: rows, inputs, faults with finding ids, sum and rank."""
    unit = explanation.unit
    name = names[unit.unit_id]
    rows = [(told.row.id, told.title, told.row.points, _final(told.row), _told(told.row)) for told in explanation.rows]
    heads = ("行", "指标", "分值", "得分", "算式")
    print_table(f"{name} {result.year}年度（{_standing(result, version)}）", heads, rows)
    for told in explanation.rows:
        details = list(_details(told, names, explanation))
        if details:
            _say(f"{told.row.id} {told.title}")
        for line in details:
            _say(f"    {line}")
    for line in _sum(unit):
        _say(line)


def _told(row: IndicatorYear) -> str:
    return "；".join(filter(None, (row.formula, row.missing)))


def _final(row: IndicatorYear) -> str:
    return "—" if row.final is None else f"{rounded(row.final):.2f}"


def _details(told: RowExplanation, names: Names, explanation: UnitExplanation) -> Iterator[str]:
    row = told.row
    if row.not_assessed:
        yield f"未涉及：{'、'.join(row.not_assessed)} 认定"
    if told.mean_of:
        yield f"平均值取自 {len(told.mean_of)} 个单位：{'、'.join(names.get(key, key) for key in told.mean_of)}"
    if row.site is not None:
        yield f"网站采样：份额 a = {shown(row.share)}，A = {shown(row.site, 4)}，有值的 {row.days} 天"
    if row.rectified is not None and row.site is not None:
        kept = Fraction(row.rectified)
        yield f"A =（日常平均值 {shown(2 * row.site - kept, 4)} + 按期整改率 {shown(kept, 4)}）÷ 2"
    if row.mark is not None:
        marks = "，".join(f"{mark.reviewer} {mark.points} 分" for mark in row.marks)
        yield f"评分：{marks}；平均 M = {shown(row.mark, 4)}"
    for deduction in row.deductions:
        yield f"通报：扣 {deduction.points} 分，{deduction.circular}"
    if row.rectified is not None:
        yield from _orders(explanation)
    yield from _faults(told.faults, names)


def _orders(explanation: UnitExplanation) -> Iterator[str]:
    for kept, title in ((True, "按期整改"), (False, "逾期整改")):
        times = Counter(order.fault.finding_id for order in explanation.orders if order.kept is kept)
        numbers = [f"{number}（{count} 次）" if count > 1 else str(number) for number, count in times.items()]
        if numbers:
            yield f"{title} {times.total()} 次：问题编号 {'、'.join(numbers)}"


def _faults(faults: Sequence[CountedFault], names: Names) -> Iterator[str]:
    if faults:
        yield f"拉低 A 的问题 {len(faults)} 个："
    for fault in faults[:FAULTS_SHOWN]:
        first, last = fault.finding_ids[0], fault.finding_ids[-1]
        numbers = f"编号 {first}" if first == last else f"编号 {first} 至 {last}"
        yield f"  {check_title(fault.check)}，{fault.days} 天，{numbers}：{names.get(fault.target, fault.target)}"
    if len(faults) > FAULTS_SHOWN:
        yield f"  另有 {len(faults) - FAULTS_SHOWN} 个，加 --json 可看到全部及其编号"


def _sum(unit: UnitResult) -> Iterator[str]:
    finals = [row.final for row in unit.indicators if row.final is not None]
    for veto in unit.vetoes:
        yield f"单项否决：{veto.title}，{len(veto.days)} 天，扣 {veto.points} 分。"
    yield (
        f"有分 {len(unit.published)} 天；覆盖率不足、没有分 {len(unit.withheld)} 天{_listed(unit.withheld)}；"
        f"没有巡查 {len(unit.uninspected)} 天{_listed(unit.uninspected)}。"
    )
    parts = " + ".join(f"{rounded(final):.2f}" for final in finals) or "0"
    costs = "".join(f" − {veto.points}" for veto in unit.vetoes if veto.points)
    yield f"合计 {parts}{costs} = {unit.total:.2f} 分（各行不取整相加，最后四舍五入），同类第 {unit.rank} 名。"


def _listed(days: Sequence[date]) -> str:
    told = [str(first) if first == last else f"{first} 至 {last}" for first, last in spans(days)]
    return f"（{'、'.join(told)}）" if told else ""


# ---------------------------------------------------------------- versions


def print_published(year: int, last_day: date, version: PublishedVersion) -> None:
    """Print that a version was published, and what it changed."""
    _say(f"已公布 {year}年度第 {version.number} 版（日常检查截至 {last_day}），内容从此不变。摘要：{version.digest}")
    for change in version.changes:
        _say(f"  {change}")


def print_versions(year: int, versions: Sequence[PublishedVersion]) -> None:
    """Print who published which version when and why, and what each correction changed."""
    rows = ((v.number, f"{v.published_at:%Y-%m-%d %H:%M}", v.by, v.why or "首次公布", v.digest) for v in versions)
    heads = ("版", "公布时间", "公布人", "原因", "摘要")
    print_table(f"{year}年度已公布的各版", heads, rows, empty=f"{year}年度还没有公布过。")
    for version in versions:
        for change in version.changes:
            _say(f"第 {version.number} 版　{change}")


# ---------------------------------------------------------------- trials


def print_trial(tried: Trial, names: Names) -> None:
    """Print who moves: rank and total before and after, those that move most first."""
    for kind, title in KIND_TITLES.items():
        moves = [move for move in tried.moves if move.after.kind is kind]
        rows = [
            (
                names[move.after.unit_id],
                f"{move.before.rank} → {move.after.rank}",
                f"{move.before.total:.2f} → {move.after.total:.2f}",
                f"{move.after.total - move.before.total:+.2f}",
            )
            for move in sorted(moves, key=lambda move: move.after.rank)
        ]
        heads = ("单位", "名次", "得分", "增减")
        print_table(f"{tried.after.year}年度试算（截至 {tried.last_day}，什么也没有保存）　{title}", heads, rows)
    moved = sum(move.moved for move in tried.moves)
    _say(f"试算：{moved} 个单位的得分或名次有变化，{len(tried.moves) - moved} 个没有。")
    for note in tried.notes:
        _say(note)
