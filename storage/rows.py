"""Rows to values and back, losslessly."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from sys import intern
from typing import Any

from sqlalchemy import Row, Select, select

from checks.model import (
    AvailabilityDay,
    Capture,
    EvidenceRef,
    FailureKind,
    Finding,
    Mode,
    NewMediaAccount,
    Outcome,
    PageRole,
    Probe,
    ProbeKind,
    Visit,
    fingerprint_of,
)
from checks.reading.masking import masked
from config.schema import UnitKind
from scoring.model import (
    BoundCheck,
    IndicatorScore,
    ScoreState,
    SiteVerdict,
    TargetResult,
    TargetState,
    UnitScore,
    Verdict,
    VetoHit,
)
from scoring.review import FaultState, Step
from storage.model import (
    ANSWERED,
    OURS,
    UNSURE,
    Attachment,
    Fault,
    Register,
    ReviewEvent,
    Run,
    RunKind,
    RunState,
    SeenList,
    SiteLedgerRow,
)
from storage.tables import (
    AvailabilityRow,
    Base,
    FaultRow,
    FindingRow,
    IndicatorScoreRow,
    NewMediaAccountRow,
    NewMediaRegisterRow,
    ReviewEventRow,
    RunRow,
    RunSiteRow,
    SiteVerdictRow,
    UnitScoreRow,
    evidence_fields,
)

Values = dict[str, Any]


def _key(*parts: object) -> str:
    """A short stand-in for something too long to index."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@cache
def _names(value: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(value))


def _fields_of(row: Any, value: type[Any]) -> Values:
    return {name: getattr(row, name) for name in _names(value)}


def _selected(row: Row[Any], value: type[Any]) -> Values:
    """Return the fields that `select_fields` asked for."""
    return dict(zip(_names(value), row, strict=True))


def select_fields(value: type[Any], row: type[Base]) -> Select[Any]:
    """Return a query for a value's fields alone, as the functions below take them: rows that nobody changes need no
    object of the session, which takes thrice as long."""
    return select(*(getattr(row, name) for name in _names(value)))


def _plain(value: Any, *, without: Iterable[str] = ()) -> Values:
    left_out = set(without)
    return {name: getattr(value, name) for name in _names(type(value)) if name not in left_out}


def _code(failure: FailureKind | None) -> str | None:
    return failure.code if failure else None


def _failure(code: str | None) -> FailureKind | None:
    return FailureKind.of(code) if code else None


# ---------------------------------------------------------------- runs


def run_of(row: RunRow) -> Run:
    """Return the run that a row keeps."""
    values = _fields_of(row, Run)
    return Run(**values | {"kind": RunKind(row.kind), "state": RunState(row.state), "units": tuple(row.units)})


def ledger_row_of(row: RunSiteRow) -> SiteLedgerRow:
    """Return the ledger's line that a row keeps."""
    return SiteLedgerRow(row.site_id, RunState(row.state), row.attempts, row.reason, row.updated_at)


# ---------------------------------------------------------------- captures, visits, probes


def url_key(url: str) -> str:
    """Return what stands for a URL in keys."""
    return _key(url)


def capture_values(run_id: int, capture: Capture) -> Values:
    """Return a capture's columns."""
    return _plain(capture) | {
        "run_id": run_id,
        "url_key": _key(capture.url),
        "mode": capture.mode.value,
        "failure": _code(capture.failure),
    }


def capture_of(row: Row[Any]) -> Capture:
    """Return the capture that a row of `select_fields` keeps."""
    values = _selected(row, Capture)
    return Capture(
        **values
        | {
            "mode": Mode(values["mode"]),
            "redirects": tuple(values["redirects"]),
            "headers": tuple((name, value) for name, value in values["headers"]),
            "failure": _failure(values["failure"]),
        }
    )


def visit_values(run_id: int, visit: Visit) -> Values:
    """Return a visit's columns; a title that gives somebody away is kept masked."""
    return _plain(visit) | {
        "title": masked(visit.title),
        "run_id": run_id,
        "url_key": _key(visit.url),
        "role": visit.role.value,
        "unit_id": visit.unit_id or "",
        "column_id": visit.column_id or "",
        "failure": _code(visit.failure),
    }


def visit_of(row: Row[Any]) -> Visit:
    """Return the visit that a row of `select_fields` keeps; visits share what they have alike, as a night holds all
    of its visits at once."""
    values = _selected(row, Visit)
    return Visit(
        **values
        | {name: intern(values[name]) for name in ("site_id", "reason")}
        | {
            "role": PageRole(values["role"]),
            "unit_id": intern(values["unit_id"]) or None,
            "column_id": intern(values["column_id"]) or None,
            "failure": _failure(values["failure"]),
        }
    )


def probe_values(run_id: int, probe: Probe) -> Values:
    """Return a probe's columns."""
    asked = [probe.observed.get(part) for part in ("address", "port", "try")]
    return _plain(probe) | {
        "run_id": run_id,
        "question_key": _key(probe.kind.value, probe.target, probe.family, asked),
        "kind": probe.kind.value,
        "failure": _code(probe.failure),
    }


def probe_of(row: Row[Any]) -> Probe:
    """Return the probe that a row of `select_fields` keeps."""
    values = _selected(row, Probe)
    return Probe(**values | {"kind": ProbeKind(values["kind"]), "failure": _failure(values["failure"])})


# ---------------------------------------------------------------- beside the runs

EXAMPLES = 10  # failures of a day that are told one by one


def availability_of(row: AvailabilityRow) -> AvailabilityDay:
    """Return the counts that a row's probes come to."""
    results: dict[str, str] = dict(sorted(row.results.items()))
    failed = [(minute, result) for minute, result in results.items() if result not in (ANSWERED, OURS, UNSURE)]
    return AvailabilityDay(
        site_id=row.site_id,
        day=row.day,
        answered=sum(result == ANSWERED for result in results.values()),
        failed=len(failed),
        ours=sum(result == OURS for result in results.values()),
        failures=tuple(f"{minute} {FailureKind.of(result).title}" for minute, result in failed[:EXAMPLES]),
    )


def target_key(target: str) -> str:
    """Return what stands for a column's target."""
    return _key(target)


def listed_values(seen: SeenList, day: date) -> list[Values]:
    """Return the columns of each entry of a list, an address that stands there twice once."""
    target = target_key(seen.target)
    values = {
        _key(entry.url): {
            "target_key": target,
            "url_key": _key(entry.url),
            "url": entry.url,
            "title": masked(entry.title),
            "claimed": entry.date,
            "first_seen": day,
        }
        for entry in reversed(seen.entries)
    }
    return list(values.values())


def account_values(register_id: int, order: int, account: NewMediaAccount) -> Values:
    """Return an account's columns."""
    return _plain(account, without=("recorded_on",)) | {"register_id": register_id, "order": order}


def register_of(row: NewMediaRegisterRow, accounts: Iterable[NewMediaAccountRow]) -> Register:
    """Return the register that rows keep."""
    return Register(
        id=row.id,
        recorded_on=row.recorded_on,
        imported_at=row.imported_at,
        source=row.source,
        digest=row.digest,
        accounts=tuple(
            NewMediaAccount(
                unit_id=account.unit_id,
                platform=account.platform,
                name=account.name,
                last_post=account.last_post,
                interaction=account.interaction,
                recorded_on=row.recorded_on,
                note=account.note,
            )
            for account in accounts
        ),
    )


# ---------------------------------------------------------------- findings


def finding_values(finding: Finding) -> Values:
    """Return a finding's columns, without those of its run."""
    return _plain(finding) | {
        "fingerprint": finding.fingerprint,
        "outcome": finding.outcome.value,
        "evidence": [evidence_fields(reference) for reference in finding.evidence],
    }


def finding_of(row: FindingRow) -> Finding:
    """Return the finding that a row keeps."""
    values = _fields_of(row, Finding)
    evidence = tuple(EvidenceRef(**reference) for reference in row.evidence)
    return Finding(**values | {"outcome": Outcome(row.outcome), "evidence": evidence})


_RECORDED = {"id": "id", "run": "run_id", "day": "day", "state": "state"} | {name: name for name in _names(Finding)}


def select_finding_records() -> Select[Any]:
    """Return a query for what `finding_record` takes."""
    return select(*(getattr(FindingRow, column) for column in _RECORDED.values()))


def finding_record(row: Row[Any]) -> Values:
    """Return a finding as plain data, with those columns of its row that nothing changes after its night."""
    record: Values = dict(zip(_RECORDED, row, strict=True))
    parts = (record[name] for name in ("check", "unit_id", "target", "item", "reason"))
    screenshot = record["screenshot"]
    record["screenshot"] = evidence_fields(screenshot) if screenshot else None
    record["fingerprint"] = fingerprint_of(*parts)
    return record


# ---------------------------------------------------------------- review


def fault_of(row: FaultRow) -> Fault:
    """Return the fault that a row keeps."""
    values = _fields_of(row, Fault)
    return Fault(**values | {"state": FaultState(row.state)})


def fault_values(fault: Fault) -> Values:
    """Return a fault's columns."""
    return {field.name: getattr(fault, field.name) for field in fields(Fault)} | {"state": fault.state.value}


def event_of(row: ReviewEventRow) -> ReviewEvent:
    """Return the step that a row keeps."""
    values = _fields_of(row, ReviewEvent)
    attachments = tuple(Attachment(**attachment) for attachment in row.attachments)
    return ReviewEvent(**values | {"step": Step(row.step), "state": FaultState(row.state), "attachments": attachments})


def event_values(event: ReviewEvent, now: datetime) -> Values:
    """Return a step's columns; `now` is when it is recorded, unless it says so itself."""
    values = {field.name: getattr(event, field.name) for field in fields(ReviewEvent) if field.name != "id"}
    return values | {
        "step": event.step.value,
        "state": event.state.value,
        "recorded_at": event.recorded_at or now,
        "attachments": [_attachment_values(attachment) for attachment in event.attachments],
    }


def _attachment_values(attachment: Attachment) -> Values:
    return {"name": attachment.name, "digest": attachment.digest, "size": attachment.size}


# ---------------------------------------------------------------- scores


def unit_score_values(run_id: int, score: UnitScore) -> Values:
    """Return a unit score's columns, without its indicators."""
    return _plain(score, without=("day", "indicators", "checks", "pending")) | {
        "run_id": run_id,
        "kind": score.kind.value,
        "state": score.state.value,
        "verdict": score.verdict.value if score.verdict else None,
        "vetoes": [_plain(veto) for veto in score.vetoes],
    }


def site_verdict_values(run_id: int, verdict: SiteVerdict) -> Values:
    """Return a site verdict's columns."""
    return {
        "run_id": run_id,
        "site_id": verdict.site_id,
        "verdict": verdict.verdict.value if verdict.verdict else None,
        "vetoes": [_plain(veto) for veto in verdict.vetoes],
        "coverage": verdict.coverage,
    }


def site_verdict_of(run: RunRow, row: SiteVerdictRow) -> SiteVerdict:
    """Return the verdict that a row keeps."""
    verdict = Verdict(row.verdict) if row.verdict else None
    return SiteVerdict(row.site_id, run.day, verdict, _vetoes(row.vetoes), row.coverage)


def _vetoes(kept: Iterable[Values]) -> tuple[VetoHit, ...]:
    return tuple(VetoHit(**veto | {"targets": tuple(veto["targets"])}) for veto in kept)


def indicator_values(run_id: int, score: UnitScore) -> list[Values]:
    """Return the columns of a unit's indicators, in their order."""
    targets = {result.check: result.targets for result in score.checks}
    return [
        {
            "run_id": run_id,
            "unit_id": score.unit_id,
            "indicator_id": indicator.id,
            "order": order,
            "points": indicator.points,
            "value": indicator.value,
            "coverage": indicator.coverage,
            "weights": [[bound.check, str(bound.weight), *bound.items] for bound in indicator.weights],
            "counts": _counts(targets, indicator),
        }
        for order, indicator in enumerate(score.indicators)
    ]


def _counts(targets: Mapping[str, Iterable[TargetResult]], indicator: IndicatorScore) -> dict[str, int]:
    """Count by state the targets, given by check, that an indicator takes; no two of its bound checks take the same."""
    taken = Counter(
        target.state for bound in indicator.weights for target in targets.get(bound.check, ()) if bound.takes(target)
    )
    return {state.value: taken[state] for state in TargetState}


def counts_of(row: IndicatorScoreRow) -> dict[TargetState, int]:
    """Return how many targets of an indicator are in which state."""
    return {TargetState(state): count for state, count in row.counts.items()}


def unit_score_of(run: RunRow, row: UnitScoreRow, indicators: Iterable[IndicatorScoreRow]) -> UnitScore:
    """Return the score that rows keep; its checks and pending findings are not kept and stay empty."""
    return UnitScore(
        unit_id=row.unit_id,
        kind=UnitKind(row.kind),
        day=run.day,
        rules_version=row.rules_version,
        state=ScoreState(row.state),
        score=row.score,
        coverage=row.coverage,
        verdict=Verdict(row.verdict) if row.verdict else None,
        vetoes=_vetoes(row.vetoes),
        indicators=tuple(_indicator_of(indicator) for indicator in indicators),
        checks=(),
        pending=(),
        reasons=tuple(row.reasons),
    )


def _indicator_of(row: IndicatorScoreRow) -> IndicatorScore:
    weights = tuple(BoundCheck(check, Decimal(weight), tuple(items)) for check, weight, *items in row.weights)
    return IndicatorScore(row.indicator_id, row.points, row.value, row.coverage, weights)
