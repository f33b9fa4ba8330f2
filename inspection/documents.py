"""Stored results as JSON-like documents: the contract that other tools rely on; keys may be added, none removed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from checks.model import CheckMeta
from inspection.place import Place
from scoring.model import SiteVerdict, UnitScore
from scoring.ranking import rank
from storage.model import Sighting, StoredFinding
from storage.rescoring import FirstPublished

_CHINESE = re.compile("[一-鿿]")


def unit_names(place: Place) -> dict[str, str]:
    """Return every unit's name by id."""
    return {unit.id: unit.name for unit in place.configuration.inventory.units}


def location(place: Place, target: str) -> str:
    """Return where a fault is in words that people know: its address, or unit and column where there is none."""
    unit_id, _, column_id = target.partition("/")
    unit = next((unit for unit in place.configuration.inventory.units if unit.id == unit_id), None)
    if unit is None:
        return target
    column = next((column for column in unit.columns if column.id == column_id), None)
    return f"{unit.name}“{column.name}”栏目" if column else f"{unit.name}（整个单位）"


def position(place: Place, target: str, item: str) -> str:
    """Return where a fault is with the part of it that is meant; one that only a code names is left out."""
    return f"{location(place, target)}　{item}" if _CHINESE.search(item) else location(place, target)


def meta_of(check_id: str) -> CheckMeta | None:
    """Return what a check says of itself; None for one that this program no longer has."""
    from checks.registry import CHECKS  # loads every reader of pages, which a roll-up or a list of marks never needs

    return next((check.META for check in CHECKS if check.META.id == check_id), None)


def finding_document(place: Place, stored: StoredFinding) -> dict[str, Any]:
    """Return one finding with the keys of `inspect findings --json`.

    "state" is how the fault stood on that night, "standing" how it stands today.
    """
    finding, fault = stored.finding, stored.fault
    meta = meta_of(finding.check)
    return {
        "id": stored.id,
        "run": stored.run_id,
        "fingerprint": finding.fingerprint,
        "unit": unit_names(place).get(finding.unit_id, finding.unit_id),
        "check": finding.check,
        "outcome": finding.outcome,
        "state": stored.state,
        "standing": fault.state if fault else None,
        "deadline": fault.deadline if fault else None,
        "overdue_since": fault.overdue_since if fault else None,
        "waived_until": fault.waived_until if fault else None,
        "target": finding.target,
        "item": finding.item or None,
        "reason": finding.reason,
        "observed": finding.observed,
        "expected": finding.expected,
        "passage": finding.passage or None,
        "where": finding.where or None,
        "basis": meta.basis if meta else None,
        "first_seen": stored.first_seen,
        "last_seen": stored.last_seen,
        "rules_version": finding.rules_version,
        "evidence": _evidence(stored),
    }


def _evidence(stored: StoredFinding) -> dict[str, Any] | None:
    finding = stored.finding
    if not finding.evidence:
        return None
    first = finding.evidence[0]
    return {
        "warc": first.warc_file,
        "offset": first.offset,
        "record_id": first.record_id,
        "payload_digest": first.payload_digest,
        "screenshot": finding.screenshot.record_id if finding.screenshot else None,
        "all": [{"warc": ref.warc_file, "record_id": ref.record_id} for ref in finding.evidence],
    }


def sighting_document(sighting: Sighting) -> dict[str, Any]:
    """Return one time that a fault was recorded."""
    return {
        "run": sighting.run_id,
        "kind": sighting.kind,
        "day": sighting.day,
        "outcome": sighting.outcome,
        "state": sighting.state,
    }


def site_names(place: Place) -> dict[str, str]:
    """Return every site's name by id."""
    return {site.id: site.name for site in place.configuration.inventory.sites}


def scores_document(
    place: Place,
    day: date,
    listed: Sequence[UnitScore],
    sites: Sequence[SiteVerdict] = (),
    first: Mapping[str, FirstPublished] | None = None,
) -> dict[str, Any]:
    """Return `inspect scores --json`'s document; `first` are by unit id the scores first published that day, where
    others took their place."""
    names, ranks = unit_names(place), rank(listed)
    return {
        "day": day,
        "units": [
            {
                "unit": names.get(score.unit_id, score.unit_id),
                "kind": score.kind,
                "score": score.score,
                "coverage": round(score.coverage, 4),
                "published": score.published,
                "verdict": score.verdict,
                "rank": ranks[score.unit_id],
                "reasons": list(score.reasons),
                "indicators": [{"id": row.id, "points": row.points, "value": row.value} for row in score.indicators],
                "first_published": _first_document((first or {}).get(score.unit_id)),
            }
            for score in listed
        ],
        "sites": [
            {
                "site": site_names(place).get(verdict.site_id, verdict.site_id),
                "verdict": verdict.verdict,
                "vetoes": [
                    {"id": veto.id, "title": veto.title, "at_least": veto.at_least, "targets": list(veto.targets)}
                    for veto in verdict.vetoes
                ],
            }
            for verdict in sites
        ],
    }


def _first_document(first: FirstPublished | None) -> dict[str, Any] | None:
    if first is None:
        return None
    return {
        "run": first.run_id,
        "score": first.score,
        "coverage": round(first.coverage, 4),
        "verdict": first.verdict,
        "replaced": [{"run": run, "why": why} for run, why in first.since],
    }
