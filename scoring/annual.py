"""年度汇总: the 100 points of each unit out of a year's daily values, reviewers' marks, deductions and vetoes. Pure.

For an indicator of P points with site share a: final = P × (a × A + (1 − a) × M ÷ P), where A is the mean of the year's
published daily values and M the mean of the reviewers' marks. Exact inside, rounded half up to two places at the end.
Basis: 石栾政办函〔2020〕118号, 三 (日常检查和年度考核相结合) and 四 (评分标准, 因工作职责未涉及的取平均值).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction

from config.schema import Indicator, Indicators, Unit, UnitKind

PLACES = 100  # two places
EXACT = 64  # digits: a year of daily values of 28 digits adds up without loss


class Status(StrEnum):
    """Whether a year's result can be published."""

    PROVISIONAL = "暂定"
    FINAL = "正式"


@dataclass(frozen=True, slots=True)
class Mark:
    """评分: what one reviewer gave one unit for one indicator, in points."""

    reviewer: str
    points: Decimal


@dataclass(frozen=True, slots=True)
class Deduction:
    """通报扣分: one circular against the unit that costs points of one indicator."""

    indicator_id: str
    points: Decimal
    circular: str


@dataclass(frozen=True, slots=True)
class VetoCost:
    """单项否决扣分: a veto that stood in the year, on which days, and what it costs in points, once."""

    veto_id: str
    title: str
    points: Decimal
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class UnitYear:
    """What the year brought for one unit.

    `daily` holds, by indicator id, its value (0–1) on each day on which the unit's score was published and the
    indicator had one. `published` are those days, `withheld` the days inspected without a score. `marks` and
    `deductions` come from people. `rectified` is the share (0–1) of rectification notices mended on time, None without.
    """

    unit: Unit
    daily: Mapping[str, Mapping[date, Decimal]] = field(default_factory=dict)
    published: tuple[date, ...] = ()
    withheld: tuple[date, ...] = ()
    marks: Mapping[str, tuple[Mark, ...]] = field(default_factory=dict)
    deductions: tuple[Deduction, ...] = ()
    vetoes: tuple[VetoCost, ...] = ()
    rectified: Decimal | None = None
    not_assessed: frozenset[str] = frozenset()  # indicators a person excused the unit from, beside those by duty


@dataclass(frozen=True, slots=True)
class IndicatorYear:
    """One indicator of one unit for the year.

    `site` is A (0–1), `mark` M (points), `final` the points, all unrounded; None: not to be had. `na`: the duty does
    not concern the unit, and `final` is the mean of the assessed units. `missing` says in Chinese what is wanting.
    """

    id: str
    points: Decimal
    site: Fraction | None
    mark: Fraction | None
    deducted: Decimal
    na: bool
    final: Fraction | None
    formula: str
    missing: str = ""
    days: int = 0  # on how many days the site gave a value
    marks: tuple[Mark, ...] = ()
    deductions: tuple[Deduction, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitResult:
    """One unit's year. `exact` is the sum of the finals less the vetoes' cost, `total` the same rounded."""

    unit_id: str
    kind: UnitKind
    indicators: tuple[IndicatorYear, ...]
    vetoes: tuple[VetoCost, ...]
    published: tuple[date, ...]
    withheld: tuple[date, ...]
    exact: Fraction
    total: Decimal
    rank: int

    @property
    def missing(self) -> tuple[str, ...]:
        """What is wanting before the result can be published."""
        return tuple(f"{row.id}：{row.missing}" for row in self.indicators if row.missing)


@dataclass(frozen=True, slots=True)
class Annual:
    """The whole year; 正式 is possible only when nothing is missing."""

    year: int
    units: tuple[UnitResult, ...]

    @property
    def status(self) -> Status:
        """暂定 while anything is missing."""
        return Status.PROVISIONAL if any(unit.missing for unit in self.units) else Status.FINAL

    def of(self, unit_ids: Collection[str]) -> Annual:
        """Return the same result with those units alone; their ranks stay."""
        return replace(self, units=tuple(unit for unit in self.units if unit.unit_id in unit_ids))


def roll_up(indicators: Indicators, years: Sequence[UnitYear], year: int | None = None) -> Annual:
    """Return the result of all units, in the order given; ranks by kind, ties sharing one (1, 1, 3).

    A row that is written for the other kind of units is no part of a unit's table; one whose duty it does not bear is.
    `year` is the year of the results where the scoring table in force is that of an earlier one.
    """
    assessed = [[_assessed(row, one) for row in indicators.indicators if one.unit.kind in row.kinds] for one in years]
    means = {row.id: _mean_of_final(row.id, assessed) for row in indicators.indicators}
    results = [
        _unit(one, [_settled(row, means[row.id]) for row in rows]) for one, rows in zip(years, assessed, strict=True)
    ]
    return Annual(year or indicators.year, tuple(_ranked(result, results) for result in results))


def rounded(value: Fraction) -> Decimal:
    """Return a value that is not negative with two places, half up (四舍五入)."""
    return Decimal(int(value * PLACES + Fraction(1, 2))).scaleb(-2)


# ---------------------------------------------------------------- one indicator


def _assessed(row: Indicator, year: UnitYear) -> IndicatorYear:
    """Return the indicator as the unit itself earned it; where its duty does not concern the unit, without points."""
    if not row.applies_to(year.unit) or row.id in year.not_assessed:
        formula = "工作职责未涉及，取已评各单位得分的平均值"
        return IndicatorYear(row.id, row.points, None, None, Decimal(0), na=True, final=None, formula=formula)
    site, mark = _site_mean(row, year), _mark(row, year)
    share = _site_share(row, year)
    deducted = sum((d.points for d in year.deductions if d.indicator_id == row.id), Decimal(0))
    value, formula, missing = _combined(row, share, site, mark)
    final = None if value is None else max(value - Fraction(deducted), Fraction(0))
    if deducted:
        formula += f"，通报扣 {deducted} 分"
    return IndicatorYear(row.id, row.points, site, mark, deducted, False, final, formula, missing)


def _combined(
    row: Indicator, share: Fraction, site: Fraction | None, mark: Fraction | None
) -> tuple[Fraction | None, str, str]:
    """Return the points before deductions, how they came about, and what is missing for them."""
    points = Fraction(row.points)
    if share == 1 and mark is not None:
        return mark, f"考核组改评 {_shown(mark)} 分", ""
    if share and site is None:
        return None, "", "全年没有可用的日常检查结果"
    if share < 1 and mark is None:
        return None, "", "缺考核组评分"
    of_site = points * share * site if site is not None else Fraction(0)
    of_mark = (1 - share) * mark if mark is not None and share < 1 else Fraction(0)
    parts = [f"{row.points} × {_shown(share)} × {_shown(site, 4)}"] if share and site is not None else []
    parts += [f"{_shown(1 - share)} × {_shown(mark)}"] if mark is not None and share < 1 else []
    return of_site + of_mark, " + ".join(parts), ""


def _site_share(row: Indicator, year: UnitYear) -> Fraction:
    """Return a; nothing where the year was inspected and the site never had anything of the indicator to show."""
    never = bool(year.published) and not year.daily.get(row.id)
    return Fraction(0) if never and row.site_share < 1 else Fraction(row.site_share)


def _site_mean(row: Indicator, year: UnitYear) -> Fraction | None:
    """Return A; 日常工作 (a = 1) takes half of it from rectification on time, where there was anything to mend."""
    values = year.daily.get(row.id)
    if not values:
        return None
    with localcontext(prec=EXACT):
        mean = Fraction(sum(values.values(), Decimal(0))) / len(values)
    if row.site_share == 1 and year.rectified is not None:
        return (mean + Fraction(year.rectified)) / 2
    return mean


def _mark(row: Indicator, year: UnitYear) -> Fraction | None:
    given = year.marks.get(row.id, ())
    return sum((Fraction(mark.points) for mark in given), Fraction(0)) / len(given) if given else None


# ---------------------------------------------------------------- 因工作职责未涉及


def _mean_of_final(indicator_id: str, units: Iterable[Iterable[IndicatorYear]]) -> Fraction | None:
    """Return the mean of the assessed units' points; None while one of them is missing, or when there is none."""
    assessed = [row for rows in units for row in rows if row.id == indicator_id and not row.na]
    finals = [row.final for row in assessed if row.final is not None]
    return sum(finals, Fraction(0)) / len(finals) if finals and len(finals) == len(assessed) else None


def _settled(row: IndicatorYear, mean: Fraction | None) -> IndicatorYear:
    if not row.na:
        return row
    missing = "" if mean is not None else "已评单位的得分还不齐，平均值算不出"
    return IndicatorYear(row.id, row.points, None, None, row.deducted, True, mean, row.formula, missing)


# ---------------------------------------------------------------- one unit


def _unit(year: UnitYear, rows: list[IndicatorYear]) -> UnitResult:
    whole = sum((row.final for row in rows if row.final is not None), Fraction(0))
    cost = sum((Fraction(veto.points) for veto in year.vetoes), Fraction(0))
    exact = max(whole - cost, Fraction(0))
    days = year.published, year.withheld
    return UnitResult(year.unit.id, year.unit.kind, tuple(rows), year.vetoes, *days, exact, rounded(exact), rank=0)


def _ranked(result: UnitResult, results: Sequence[UnitResult]) -> UnitResult:
    """Rank by the total as it is shown: units whose totals read alike share a rank."""
    better = sum(other.kind is result.kind and other.total > result.total for other in results)
    return replace(result, rank=1 + better)


def _shown(value: Fraction | None, places: int = 2) -> str:
    if value is None:
        return "—"
    scaled = Decimal(int(value * 10**places + Fraction(1, 2))).scaleb(-places)
    return f"{scaled.normalize():f}"
