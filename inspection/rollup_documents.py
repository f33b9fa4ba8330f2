"""年度汇总 as JSON-like documents: the contract of `inspect rollup --json`; keys may be added, none removed."""

from __future__ import annotations

from typing import Any

from inspection.documents import unit_names
from inspection.place import Place
from scoring.annual import Annual, IndicatorYear, rounded


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
