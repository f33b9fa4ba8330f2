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
NOT_CONCERNED = "工作职责未涉及，取已评各单位得分的平均值"


class Status(StrEnum):
    """Whether a year's result can be published."""

    PROVISIONAL = "暂定"
    FINAL = "正式"

    @property
    def draft(self) -> str:
        """What is written on a result that is not published: 送审稿 once nothing is missing."""
        return "暂定" if self is Status.PROVISIONAL else "送审稿"


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
    indicator had one. `published` are those days, `withheld` the days inspected without a score, `uninspected` those on
    which nothing was inspected. `marks` and `deductions` come from people, and so does `not_assessed`: by indicator id
    the reviewers who say that it does not concern the unit. `rectified` is the share (0–1) of rectification notices
    mended on time, None without.
    """

    unit: Unit
    daily: Mapping[str, Mapping[date, Decimal]] = field(default_factory=dict)
    published: tuple[date, ...] = ()
    withheld: tuple[date, ...] = ()
    marks: Mapping[str, tuple[Mark, ...]] = field(default_factory=dict)
    deductions: tuple[Deduction, ...] = ()
    vetoes: tuple[VetoCost, ...] = ()
    rectified: Decimal | None = None
    not_assessed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uninspected: tuple[date, ...] = ()

    @property
    def disputed(self) -> frozenset[str]:
        """The indicators that some reviewers marked and others say do not concern the unit."""
        return frozenset(self.not_assessed) & frozenset(self.marks)


@dataclass(frozen=True, slots=True)
class IndicatorYear:
    """One indicator of one unit for the year.

    `site` is A (0–1), `mark` M (points), `final` the points, all unrounded; None: not to be had. `na`: the duty does
    not concern the unit, and `final` is the mean of the assessed units; `not_assessed` are the reviewers who say so.
    `share` is the part a of the points that the site earned. `missing` says in Chinese what is wanting.
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
    share: Fraction = Fraction(0)
    rectified: Decimal | None = None  # the share mended on time, where it is half of A
    not_assessed: tuple[str, ...] = ()


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
    uninspected: tuple[date, ...] = ()
    stray: tuple[Deduction, ...] = ()  # of rows that the unit's table does not have: they cost nothing yet

    @property
    def missing(self) -> tuple[str, ...]:
        """What is wanting before the result can be published."""
        of_rows = [f"{row.id}：{row.missing}" for row in self.indicators if row.missing]
        return (*of_rows, *(f"{one.indicator_id}：{_astray(one)}" for one in self.stray))


def _astray(deduction: Deduction) -> str:
    return f"本单位的指标表里没有这一行，{deduction.circular}无处扣 {deduction.points} 分，须更正通报扣分表"


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
    of_row = {row.id: [one for rows in assessed for one in rows if one.id == row.id] for row in indicators.indicators}
    results = [
        _unit(one, [_settled(row, of_row[row.id]) for row in rows]) for one, rows in zip(years, assessed, strict=True)
    ]
    return Annual(year or indicators.year, tuple(_ranked(result, results) for result in results))


def reckoned_again(annual: Annual) -> Annual:
    """Return a result made again from what its rows hold: A, marks, deductions and whom they concern, up to the ranks.

    All units of the year must be in it. What made A of the daily values is not in a result.
    """
    settled = [[_valued(row) for row in unit.indicators] for unit in annual.units]
    ids = {row.id for rows in settled for row in rows}
    of_row = {id_: [row for rows in settled for row in rows if row.id == id_] for id_ in ids}
    results = [
        _totalled(unit, [_settled(row, of_row[row.id]) for row in rows])
        for unit, rows in zip(annual.units, settled, strict=True)
    ]
    return replace(annual, units=tuple(_ranked(result, results) for result in results))


def rounded(value: Fraction) -> Decimal:
    """Return a value that is not negative with two places, half up (四舍五入)."""
    return Decimal(int(value * PLACES + Fraction(1, 2))).scaleb(-2)


# ---------------------------------------------------------------- one indicator


def _assessed(row: Indicator, year: UnitYear) -> IndicatorYear:
    """Return the indicator as the unit itself earned it; where its duty does not concern the unit, without points."""
    marks = year.marks.get(row.id, ())
    deductions = tuple(d for d in year.deductions if d.indicator_id == row.id)
    given = IndicatorYear(
        id=row.id,
        points=row.points,
        site=_site_mean(row, year),
        mark=None,
        deducted=Decimal(0),
        na=not row.applies_to(year.unit) or (row.id in year.not_assessed and not marks),
        final=None,
        formula="",
        days=len(year.daily.get(row.id, ())),
        marks=marks,
        deductions=deductions,
        share=_site_share(row, year),
        rectified=year.rectified if row.site_share == 1 else None,
        not_assessed=year.not_assessed.get(row.id, ()),
    )
    return _valued(given)


def _valued(row: IndicatorYear) -> IndicatorYear:
    """Return the row with what its A, marks and deductions come to."""
    given = replace(
        row,
        mark=_mean(Fraction(mark.points) for mark in row.marks),
        deducted=sum((deduction.points for deduction in row.deductions), Decimal(0)),
        final=None,
        formula="",
        missing="",
    )
    contradiction = _contradiction(given)
    if contradiction:
        return replace(given, missing=contradiction)
    return replace(given, site=None, days=0, formula=NOT_CONCERNED) if given.na else _earned(given)


def _contradiction(given: IndicatorYear) -> str:
    """Return what people said that cannot all be true, for a person to put right; "" where there is nothing."""
    marks = "、".join(f"{mark.reviewer} {mark.points} 分" for mark in given.marks)
    if given.na and (marks or given.deductions):
        told = "、".join(filter(None, (marks, *(d.circular for d in given.deductions))))
        return f"这一行的职责未涉及本单位，却有评分或通报扣分（{told}），须核对"
    if given.marks and given.not_assessed:
        return f"各评分人对是否涉及本单位说法不一（未涉及：{'、'.join(given.not_assessed)}；评分：{marks}），须核对"
    if any(mark.points > given.points for mark in given.marks):
        return f"评分高于分值 {given.points} 分（{marks}），须按现行指标表重评"
    return ""


def _earned(given: IndicatorYear) -> IndicatorYear:
    value, formula, missing = _combined(given)
    if value is None:
        return replace(given, formula=formula, missing=missing)
    deducted = Fraction(given.deducted)
    if deducted:
        formula += f"，通报扣 {given.deducted} 分" + ("（扣完为止）" if deducted > value else "")
    return replace(given, final=max(value - deducted, Fraction(0)), formula=formula)


def _combined(given: IndicatorYear) -> tuple[Fraction | None, str, str]:
    """Return the points before deductions, how they came about, and what is missing for them."""
    points, share, site, mark = Fraction(given.points), given.share, given.site, given.mark
    if share == 1 and mark is not None:
        return mark, f"考核组改评 {shown(mark, 4)} 分", ""
    if share and site is None:
        return None, "", "全年没有可用的日常检查结果"
    if share < 1 and mark is None:
        return None, "", "缺考核组评分"
    of_site = points * share * site if site is not None else Fraction(0)
    of_mark = (1 - share) * mark if mark is not None and share < 1 else Fraction(0)
    parts = [f"{given.points} × {shown(share)} × {shown(site, 4)}"] if share and site is not None else []
    parts += [f"{shown(1 - share)} × {shown(mark, 4)}"] if mark is not None and share < 1 else []
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


def _mean(values: Iterable[Fraction]) -> Fraction | None:
    listed = list(values)
    return sum(listed, Fraction(0)) / len(listed) if listed else None


# ---------------------------------------------------------------- 因工作职责未涉及


def _settled(row: IndicatorYear, of_all_units: Iterable[IndicatorYear]) -> IndicatorYear:
    """Give a row that does not concern its unit the mean of the assessed units' points, once all of them are final."""
    if not row.na or row.missing:
        return row
    finals = [other.final for other in of_all_units if not other.na]
    if not finals:
        return replace(row, missing="没有一个单位评了这一行，平均值无从算起")
    if any(final is None for final in finals):
        return replace(row, missing="已评单位的得分还不齐，平均值算不出")
    return replace(row, final=_mean(final for final in finals if final is not None))


# ---------------------------------------------------------------- one unit


def _unit(year: UnitYear, rows: list[IndicatorYear]) -> UnitResult:
    result = UnitResult(
        unit_id=year.unit.id,
        kind=year.unit.kind,
        indicators=(),
        vetoes=year.vetoes,
        published=year.published,
        withheld=year.withheld,
        exact=Fraction(0),
        total=Decimal(0),
        rank=0,
        uninspected=year.uninspected,
        stray=tuple(one for one in year.deductions if one.indicator_id not in {row.id for row in rows}),
    )
    return _totalled(result, rows)


def _totalled(result: UnitResult, rows: list[IndicatorYear]) -> UnitResult:
    """Return the result with these rows, and what they and the vetoes come to."""
    whole = sum((row.final for row in rows if row.final is not None), Fraction(0))
    cost = sum((Fraction(veto.points) for veto in result.vetoes), Fraction(0))
    exact = max(whole - cost, Fraction(0))
    return replace(result, indicators=tuple(rows), exact=exact, total=rounded(exact))


def _ranked(result: UnitResult, results: Sequence[UnitResult]) -> UnitResult:
    """Rank by the total as it is shown: units whose totals read alike share a rank."""
    better = sum(other.kind is result.kind and other.total > result.total for other in results)
    return replace(result, rank=1 + better)


def shown(value: Fraction | None, places: int = 2) -> str:
    """Return a value that is not negative, rounded half up, without needless zeros; a dash for None."""
    if value is None:
        return "—"
    scaled = Decimal(int(value * 10**places + Fraction(1, 2))).scaleb(-places)
    return f"{scaled.normalize():f}"
