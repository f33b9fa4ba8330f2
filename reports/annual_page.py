"""年度网页: the annual report as one HTML file: ranks, units × indicators, trends, each unit's points and faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import islice

from config.schema import Indicator
from reports.annual import AnnualReport, UnitAnnual, YearFault
from reports.annual_sentences import held_against
from reports.daily import KIND_TITLES
from reports.pages import page
from reports.trend import Scores, field_of, mean_of
from scoring.annual import IndicatorYear, rounded

MOST_FAULTS = 40  # of a unit told one by one; the workbook has them all
_MOST_WANTS = 12  # kinds of missing things told at the head of the page

# shares of a row's points, from which on a cell has which colour; the colours' lightness falls evenly with the share,
# so that they can be told apart without colour, and every cell says its number
SHADES = (
    ("full", Decimal("0.9"), "90% 以上"),
    ("high", Decimal("0.8"), "80–90%"),
    ("good", Decimal("0.7"), "70–80%"),
    ("fair", Decimal("0.6"), "60–70%"),
    ("low", Decimal("0.4"), "40–60%"),
    ("least", Decimal(0), "不到 40%"),
)


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that is missing before the year can be published: in how many rows, of which units."""

    what: str
    rows: int
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """The faults of one check, with the clause it rests on."""

    check: str
    basis: str
    faults: tuple[YearFault, ...]


def annual_page(report: AnnualReport) -> bytes:
    """Return the report as an HTML document in UTF-8; what UTF-8 cannot write becomes a question mark."""
    field = field_of(report.year, (score for unit in report.units for _, score in unit.scores))
    wants = _wants(report)
    values = {
        "report": report,
        "kinds": KIND_TITLES,
        "field": field,
        "mean_line": field.line(mean_of(unit.scores for unit in report.units)),
        "means": {row.id: _mean(row, report.units) for row in report.table.indicators},
        "titles": {row.id: row.title for row in report.table.indicators},
        "shades": SHADES,
        "wants": wants[:_MOST_WANTS],
        "wants_left": len(wants) - _MOST_WANTS,
        "most_faults": MOST_FAULTS,
    }
    filters = {
        "points": _points,
        "shade": shade,
        "held_against": held_against,
        "line": field.line,
        "by_id": _by_id,
        "fault_groups": _fault_groups,
        "range": _range,
        "average": _average,
    }
    return page("annual.html", values, filters)


def shade(reached: Fraction | None, points: Decimal) -> str:
    """Return the name of the colour for so many points of a row's points; "missing" where there are none to be had."""
    if reached is None:
        return "missing"
    return next(name for name, share, _ in SHADES if reached >= Fraction(points) * Fraction(share))


def _points(value: Fraction | Decimal | None) -> str:
    """Return points with two places, a dash for none; whole marks keep their places too, so that columns line up."""
    return "—" if value is None else f"{rounded(Fraction(value)):.2f}"


def _by_id(rows: Iterable[IndicatorYear]) -> Mapping[str, IndicatorYear]:
    return {row.id: row for row in rows}


def _mean(row: Indicator, units: Iterable[UnitAnnual]) -> Fraction | None:
    """Return the mean of the points that the units have in a row."""
    found = [
        one.final for unit in units for one in unit.result.indicators if one.id == row.id and one.final is not None
    ]
    return sum(found, Fraction(0)) / len(found) if found else None


def _average(units: Sequence[UnitAnnual]) -> Fraction:
    return sum((Fraction(unit.result.total) for unit in units), Fraction(0)) / len(units)


def _range(scores: Scores) -> str:
    """Say how high and how low the daily scores went."""
    if not scores:
        return "全年没有发布过日常得分"
    values = [score for _, score in scores]
    return f"日常得分最低 {min(values):.2f} 分，最高 {max(values):.2f} 分"


def _wants(report: AnnualReport) -> Sequence[Want]:
    """Return what is missing, what concerns most rows first."""
    found: dict[str, list[str]] = {}
    for unit in report.units:
        for row in unit.result.indicators:
            if row.missing:
                found.setdefault(row.missing, []).append(unit.name)
    wants = [Want(what, len(names), tuple(dict.fromkeys(names))) for what, names in found.items()]
    return sorted(wants, key=lambda want: -want.rows)


def _fault_groups(faults: Sequence[YearFault]) -> Sequence[FaultGroup]:
    """Return the faults that are told one by one, those of a check together, in the order the first of each stands."""
    groups: dict[tuple[str, str], list[YearFault]] = {}
    for fault in islice(faults, MOST_FAULTS):
        groups.setdefault((fault.check, fault.basis), []).append(fault)
    return [FaultGroup(*key, tuple(found)) for key, found in groups.items()]
