"""年度汇总 of what is stored: a year's daily values, with what people gave, into the year's result."""

from __future__ import annotations

from datetime import date
from typing import Any

from config.schema import Unit
from inspection.documents import unit_names
from inspection.place import Place
from scoring.annual import Annual, IndicatorYear, UnitYear, VetoCost, roll_up, rounded
from storage.model import StoredYear


def annual(place: Place, year: int) -> Annual:
    """Return the result of the calendar year, as far as it has come, by the scoring table and the rules in force."""
    stored = place.repository.year(date(year, 1, 1), date(year, 12, 31))
    units = place.configuration.inventory.units
    years = [_unit_year(place, unit, stored.get(unit.id, StoredYear())) for unit in units]
    return roll_up(place.configuration.indicators_for(year), years, year)


def _unit_year(place: Place, unit: Unit, stored: StoredYear) -> UnitYear:
    return UnitYear(
        unit=unit,
        daily=stored.values,
        published=tuple(stored.published),
        withheld=tuple(stored.withheld),
        vetoes=tuple(_costs(place, stored)),
    )


def _costs(place: Place, stored: StoredYear) -> list[VetoCost]:
    costs = {veto.id: veto.points for veto in place.configuration.rules.vetoes}
    return [
        VetoCost(veto, next(iter(days.values())), costs[veto], tuple(days))
        for veto, days in stored.vetoes.items()
        if veto in costs
    ]


def rollup_document(place: Place, result: Annual) -> dict[str, Any]:
    """Return `inspect rollup --json`'s document; points with two places, shares of one with four."""
    names = unit_names(place)
    return {
        "year": result.year,
        "status": result.status,
        "version": None,
        "units": [
            {
                "unit": names[unit.unit_id],
                "kind": unit.kind,
                "rank": unit.rank,
                "total": unit.total,
                "days": len(unit.published),
                "days_withheld": len(unit.withheld),
                "indicators": [_indicator_document(row) for row in unit.indicators],
                "vetoes": [
                    {"id": veto.veto_id, "title": veto.title, "points": veto.points, "days": list(veto.days)}
                    for veto in unit.vetoes
                ],
                "missing": list(unit.missing),
            }
            for unit in result.units
        ],
    }


def _indicator_document(row: IndicatorYear) -> dict[str, Any]:
    return {
        "id": row.id,
        "points": row.points,
        "site": None if row.site is None else round(float(row.site), 4),
        "mark": None if row.mark is None else rounded(row.mark),
        "na": row.na,
        "final": None if row.final is None else rounded(row.final),
        "formula": row.formula or None,
        "missing": row.missing or None,
    }
