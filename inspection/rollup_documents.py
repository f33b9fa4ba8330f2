"""年度汇总 as JSON-like documents: the contract of `inspect rollup --json`; keys may be added, none removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from inspection.explaining import UnitExplanation
from reports.annual import PublishedVersion
from scoring.annual import Annual, IndicatorYear, UnitResult, rounded

Document = dict[str, Any]


def rollup_document(
    result: Annual, names: Mapping[str, str], last_day: date, version: PublishedVersion | None = None
) -> Document:
    """Return `inspect rollup --json`'s document; points with two places, shares of one with four."""
    return {
        "year": result.year,
        "status": result.status,
        "version": version.number if version else None,
        "last_day": last_day,
        "published": version_document(version) if version else None,
        "units": [_unit_document(unit, names) for unit in result.units],
    }


def versions_document(year: int, versions: Sequence[PublishedVersion]) -> Document:
    """Return `inspect rollup --versions --json`'s document, oldest first."""
    return {"year": year, "versions": [version_document(version) for version in versions]}


def version_document(version: PublishedVersion) -> Document:
    """Return who published a version, when and why, and what it changed."""
    return {
        "version": version.number,
        "published_at": version.published_at,
        "by": version.by,
        "why": version.why or None,
        "digest": version.digest,
        "changes": list(version.changes),
    }


def explanation_document(explanation: UnitExplanation, names: Mapping[str, str]) -> Document:
    """Return one unit's rows with everything behind them: marks, circulars, means, faults with all their findings."""
    unit = _unit_document(explanation.unit, names)
    rows = zip(unit["indicators"], explanation.rows, strict=True)
    return unit | {
        "withheld": list(explanation.unit.withheld),
        "uninspected": list(explanation.unit.uninspected),
        "indicators": [
            document
            | {
                "title": told.title,
                "mean_of": [names.get(key, key) for key in told.mean_of],
                "faults": [
                    {
                        "check": fault.check,
                        "target": fault.target,
                        "item": fault.item or None,
                        "reason": fault.reason,
                        "days": fault.days,
                        "findings": list(fault.finding_ids),
                    }
                    for fault in told.faults
                ],
            }
            for document, told in rows
        ],
        "rectifications": [
            {
                "check": order.fault.check,
                "target": order.fault.target,
                "on_time": order.kept,
                "finding": order.fault.finding_id,
                "fingerprint": order.fault.fingerprint,
            }
            for order in explanation.orders
        ],
    }


def _unit_document(unit: UnitResult, names: Mapping[str, str]) -> Document:
    return {
        "unit": names.get(unit.unit_id, unit.unit_id),
        "kind": unit.kind,
        "rank": unit.rank,
        "total": unit.total,
        "days": len(unit.published),
        "days_withheld": len(unit.withheld),
        "days_uninspected": len(unit.uninspected),
        "indicators": [_indicator_document(row) for row in unit.indicators],
        "vetoes": [
            {"id": veto.veto_id, "title": veto.title, "points": veto.points, "days": list(veto.days)}
            for veto in unit.vetoes
        ],
        "missing": list(unit.missing),
    }


def _indicator_document(row: IndicatorYear) -> Document:
    return {
        "id": row.id,
        "points": row.points,
        "share": round(float(row.share), 4),
        "site": None if row.site is None else round(float(row.site), 4),
        "days": row.days,
        "rectified": None if row.rectified is None else round(row.rectified, 4),
        "mark": None if row.mark is None else rounded(row.mark),
        "marks": [{"reviewer": mark.reviewer, "points": mark.points} for mark in row.marks],
        "not_assessed": list(row.not_assessed),
        "deducted": row.deducted,
        "deductions": [{"circular": each.circular, "points": each.points} for each in row.deductions],
        "na": row.na,
        "final": None if row.final is None else rounded(row.final),
        "formula": row.formula or None,
        "missing": row.missing or None,
    }
