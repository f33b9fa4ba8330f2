"""A made-up year of 34 units for the annual reports: the real scoring table, and values drawn with a fixed seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from checks.registry import CHECKS
from config.loader import load
from config.schema import UnitKind
from fixtures.district.world import CONFIG_FOLDER
from reports.annual import AnnualReport, InputSource, PublishedVersion, UnitAnnual, YearFault
from scoring.annual import Deduction, Mark, UnitYear, VetoCost, roll_up
from scoring.review import FaultState

YEAR = 2026
MADE_ON = date(2027, 1, 15)
LAST_DAY = date(2026, 12, 31)
DAYS = tuple(date(2026, 3, 1) + timedelta(days=n) for n in range(0, 306, 3))
FIRST = PublishedVersion(1, datetime(2027, 1, 15, 9, 0), "王科长", "", "sha256:" + "1" * 64)
CORRECTED = PublishedVersion(
    2,
    datetime(2027, 2, 3, 9, 0),
    "王科长",
    "区教育局申诉成立，撤销问题2个",
    "sha256:" + "2" * 64,
    ("区教育局由85.10分改为85.90分，由第9名改为第7名", "区民政局由第7名改为第8名"),
)
CONFIGURATION = load(CONFIG_FOLDER)


def made_report(*, complete: bool = True, faults: int = 8, units: int | None = None) -> AnnualReport:
    """Return the year's report of all units or the first so many; without `complete` some marks are missing."""
    random, table = Random(YEAR), CONFIGURATION.indicators_for(YEAR)
    chosen = CONFIGURATION.inventory.units[:units]
    years = [_year(random, unit, table, complete=complete or number % 5 != 3) for number, unit in enumerate(chosen)]
    years = _with_a_tie(years, table)
    results = roll_up(table, years, YEAR).units
    listed = tuple(
        UnitAnnual(year.unit.name, result, _scores(random), _faults(random, faults))
        for year, result in zip(years, results, strict=True)
    )
    status = roll_up(table, years, YEAR).status
    return AnnualReport(
        district=CONFIGURATION.inventory.district.name,
        office=CONFIGURATION.inventory.district.office,
        year=YEAR,
        status=status,
        last_day=LAST_DAY,
        made_on=MADE_ON,
        table=table,
        units=listed,
        sources=(InputSource("评分表（第一考核组）", "评分表.xlsx", "sha256:" + "a" * 64),),
        method=("得分 = 分值 ×（a × A +（1 − a）× M ÷ 分值）。",),
        software="xuncha 0.1.0",
    )


def published(report: AnnualReport, version: PublishedVersion = FIRST) -> AnnualReport:
    """Return the report as that of a published version."""
    versions = tuple(one for one in (FIRST, CORRECTED) if one.number <= version.number)
    return replace(report, version=version, versions=versions)


def _year(random, unit, table, *, complete):
    rows = [row for row in table.indicators if unit.kind in row.kinds]
    daily = {
        row.id: {day: Decimal(random.randint(600, 1000)) / 1000 for day in DAYS[:-2]}
        for row in rows
        if row.checks and row.applies_to(unit)
    }
    marks = {
        row.id: tuple(
            Mark(reviewer, row.points * random.randint(14, 20) / 20) for reviewer in ("第一考核组", "第二考核组")
        )
        for row in rows
        if row.site_share < 1 and row.applies_to(unit) and (complete or row.id not in ("7", "8"))
    }
    spoilt = unit.id in ("jiaoyuju", "caizhengju")
    circular = "《关于2026年第三季度政府网站与政务新媒体检查情况的通报》"
    return UnitYear(
        unit=unit,
        daily=daily,
        published=DAYS[:-2],
        withheld=DAYS[-2:],
        marks=marks,
        deductions=(Deduction("5.3", Decimal(1), circular),) if spoilt else (),
        vetoes=(VetoCost("home_not_updated", "首页不更新", Decimal(0), DAYS[4:7]),) if unit.id == "caizhengju" else (),
        rectified=Decimal("0.9"),
    )


def _with_a_tie(years, table):
    """Let two units with the same rows have had the same year, so that they share a rank."""
    first_with: dict[tuple[str, ...], int] = {}
    for number, year in enumerate(years):
        rows = tuple(row.id for row in table.indicators if row.applies_to(year.unit))
        first = first_with.setdefault(rows, number)
        if first != number and year.unit.kind is UnitKind.DEPARTMENT:
            return [*years[:number], replace(years[first], unit=year.unit), *years[number + 1 :]]
    return years


def _scores(random):
    return tuple((day, Decimal(random.randint(7000, 9900)) / 100) for day in DAYS[:-2])


def _faults(random, most):
    return tuple(_fault(random, number) for number in range(1, random.randint(0, most) + 1))


def _fault(random, number):
    check = random.choice(CHECKS).META
    first = random.choice(DAYS)
    return YearFault(
        number=number * 37,
        check=check.title,
        target=f"http://www.portal.example/col{number}/art/2026/art_{'0123456789abcdef' * 2}{number}.html",
        observed="页面上没有标注公开属性，正文、信息表和文末都没有找到",
        basis=check.basis,
        state=random.choice(list(FaultState)),
        first_seen=first,
        last_seen=min(first + timedelta(days=9), LAST_DAY),
        days=random.randint(1, 40),
    )
