"""The ledger of faults as JSON-like documents: the contract of `inspect review`; keys may be added, none removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from inspection.documents import unit_names
from inspection.place import Place
from inspection.reviewing import Taken
from scoring.review import FaultState, Step
from storage.model import PROGRAM, Fault, ReviewEvent

CLOSED = frozenset({FaultState.WAIVED, FaultState.MENDED, FaultState.REVOKED})


def open_first(place: Place, faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults that somebody has to do with before the others, each group by deadline, then by unit."""
    order = {unit.id: place for place, unit in enumerate(place.configuration.inventory.units)}

    def key(fault: Fault) -> tuple[object, ...]:
        unit = order.get(fault.unit_id, len(order))
        return fault.state in CLOSED, fault.deadline or date.max, unit, fault.check, fault.target, fault.finding_id

    return sorted(faults, key=key)


def last_steps(place: Place, faults: Sequence[Fault]) -> dict[str, ReviewEvent]:
    """Return the last step of those of the faults that people had to do with, by fingerprint."""
    units = sorted({fault.unit_id for fault in faults})
    return {event.fingerprint: event for event in place.faults.reviewed(units)} if units else {}


def list_document(place: Place, faults: Sequence[Fault], day: date) -> dict[str, Any]:
    """Return `inspect review list --json`'s document; `day` is today."""
    last = last_steps(place, faults)
    listed = [
        fault_document(place, fault, day) | {"last": _last_document(last.get(fault.fingerprint))} for fault in faults
    ]
    return {"day": day, "faults": listed}


def fault_document(place: Place, fault: Fault, day: date) -> dict[str, Any]:
    """Return one fault as it stands; `days_left` is negative after the deadline."""
    return {
        "id": fault.finding_id,
        "fingerprint": fault.fingerprint,
        "unit": unit_names(place).get(fault.unit_id, fault.unit_id),
        "check": fault.check,
        "target": fault.target,
        "item": fault.item or None,
        "reason": fault.reason,
        "first_seen": fault.first_seen,
        "last_seen": fault.last_seen,
    } | standing_document(fault, day)


def standing_document(fault: Fault, day: date) -> dict[str, Any]:
    """Return where a fault stands today."""
    return {
        "state": fault.state,
        "deadline": fault.deadline,
        "days_left": (fault.deadline - day).days if fault.deadline else None,
        "overdue_since": fault.overdue_since,
        "waived_until": fault.waived_until,
    }


def event_document(event: ReviewEvent) -> dict[str, Any]:
    """Return one step in the life of a fault."""
    return {
        "step": event.step,
        "state": event.state,
        "day": event.day,
        "recorded_at": event.recorded_at,
        "by": event.actor,
        "account": event.account or None,
        "why": event.why or None,
        "until": event.until,
        "finding": event.finding_id,
        "run": event.run_id,
        "attachments": [
            {"name": attachment.name, "digest": attachment.digest, "bytes": attachment.size}
            for attachment in event.attachments
        ],
    }


def _last_document(event: ReviewEvent | None) -> dict[str, Any]:
    """Return who acted last; a fault that no person had to do with was moved by the program alone."""
    if event is None:
        return {"by": PROGRAM, "step": None, "day": None}
    return {"by": event.actor, "step": event.step, "day": event.day}


def step_document(place: Place, step: Step, taken: Sequence[Taken], day: date, *, preview: bool) -> dict[str, Any]:
    """Return what a step came to: what it changed (or would change) and what it left as it was, with the reason."""
    return {
        "step": step,
        "preview": preview,
        "changed": [_changed_document(place, one, day) for one in taken if not one.refused],
        "skipped": [_skipped_document(place, one, day) for one in taken if one.refused],
        "rescored": [
            {"unit": unit_names(place).get(unit_id, unit_id), "days": days}
            for unit_id, days in rescored_days(taken).items()
        ],
    }


def _changed_document(place: Place, one: Taken, day: date) -> dict[str, Any]:
    assert one.before is not None
    assert one.fault is not None
    return fault_document(place, one.fault, day) | {"before": one.before.state}


def _skipped_document(place: Place, one: Taken, day: date) -> dict[str, Any]:
    known = fault_document(place, one.before, day) if one.before else {"id": one.reference}
    return known | {"why": one.refused}


def rescored_days(taken: Iterable[Taken]) -> Mapping[str, list[date]]:
    """Return by unit the published days whose score was put right."""
    days: dict[str, set[date]] = {}
    for one in taken:
        if one.fault is not None and one.corrected:
            days.setdefault(one.fault.unit_id, set()).update(one.corrected)
    return {unit_id: sorted(found) for unit_id, found in days.items()}
