"""复核: how runs move the ledger of faults, and how people do."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from checks.model import Finding, Outcome
from inspection.account import machine_account
from inspection.day import day_in
from inspection.errors import InvalidInput
from inspection.place import Place
from inspection.progress import Progress
from inspection.rescoring import rescore_revoked
from inspection.sealing import try_to_seal
from scoring.confirm import History
from scoring.review import (
    FaultState,
    Move,
    Rulings,
    Sight,
    Standing,
    Step,
    allowed,
    found,
    involved,
    observation,
    rulings_of,
    seen,
    seen_mended,
    stepped,
)
from storage.model import PROGRAM, Attachment, Fault, ReviewEvent, Run, RunKind, StoredFinding
from storage.repository import PENDING

SILENT = Progress()
LONGEST_NAME, LONGEST_WHY = 50, 2000  # characters
WHY_WANTED = frozenset({Step.APPEAL, Step.UPHOLD, Step.REVOKE, Step.WAIVE})
UNTIL_WANTED = {Step.RECTIFY: "整改期限", Step.WAIVE: "豁免的最后一天"}
FINGERPRINT = 32  # hex digits
ENDED = "问题已经撤销，不再计入；所见有变时重新登记。"
DECIDING = frozenset({Step.UPHOLD, Step.REVOKE})
ORDERED = (FaultState.RECTIFYING, FaultState.APPEALED, FaultState.UPHELD)  # what a night's finding says beside 已确认


class StepInvalid(InvalidInput):
    """A step lacks what every such step needs: the message says what to give."""


def rulings(place: Place, unit_ids: Iterable[str], day: date) -> Rulings:
    """Return what people ruled on the faults of the units, as of a day; raises StorageError."""
    return rulings_of(place.faults.reviewed(list(unit_ids)), day)


# ---------------------------------------------------------------- runs


def standings(
    place: Place, run: Run, findings: Iterable[Finding], pending: Iterable[Finding], ruled: Rulings
) -> dict[str, str]:
    """Return how each fault of a run stood on its night, by fingerprint; what is left out is 已确认."""
    history, waiting = History(run.day, {}, ruled), {finding.fingerprint for finding in pending}
    failing = {finding.fingerprint: finding for finding in findings if finding.outcome is Outcome.FAIL}
    known = place.faults.known(failing)
    told: dict[str, str] = {}
    for fingerprint, finding in failing.items():
        if history.revoked(finding):
            told[fingerprint] = FaultState.REVOKED
        elif history.waived(finding):
            told[fingerprint] = FaultState.WAIVED
        elif fingerprint in waiting:
            told[fingerprint] = PENDING
        elif fingerprint in known and known[fingerprint].state in ORDERED:
            told[fingerprint] = known[fingerprint].state
    return told


def follow_run(place: Place, run: Run) -> None:
    """Move the ledger by what a nightly run or a spot check saw; a run followed twice is followed once.

    A fault is new, seen again or seen mended. One whose target was not reached, or could not be judged, stays as it is.
    Of two runs the one of the later day, on one day the one begun later, has the last word. Raises StorageError.
    """
    if run.kind is RunKind.RESCORE:
        return
    for unit in place.configuration.inventory.units:
        if not run.units or unit.id in run.units:
            _follow(place, run, unit.id)


def _follow(place: Place, run: Run, unit_id: str) -> None:
    failing = {
        stored.finding.fingerprint: stored
        for stored in place.repository.findings(run_id=run.id, unit_id=unit_id, outcome=Outcome.FAIL)
    }
    passing = place.repository.passing(run.id, unit_id)
    with place.faults.changing() as ledger:
        known = ledger.of_units([unit_id])
        changes = [_seen(run, stored, known.get(fingerprint)) for fingerprint, stored in failing.items()]
        changes += [
            _mended(run, fault)
            for fault in known.values()
            if fault.fingerprint not in failing and (fault.check, fault.target, fault.item) in passing
        ]
        moved = [fault for fault, _ in changes if fault != known.get(fault.fingerprint)]
        ledger.record(moved, [event for _, events in changes for event in events])


def _seen(run: Run, stored: StoredFinding, fault: Fault | None) -> tuple[Fault, list[ReviewEvent]]:
    sight = Sight(run.day, observation(stored.finding), waits=stored.state == PENDING)
    if fault is None:
        step, standing = found(sight)
        fault = _new_fault(run, stored, standing)
        return fault, _events(run, fault, [(step, standing)])
    if _is_older(run, fault):
        return replace(fault, first_seen=min(fault.first_seen, run.day)), []
    standing, moves = seen(_standing(fault), sight)
    fault = replace(_put(fault, standing), last_seen=run.day, finding_id=stored.id)
    return _judged(fault, run), _events(run, fault, moves)


def _mended(run: Run, fault: Fault) -> tuple[Fault, list[ReviewEvent]]:
    if _is_older(run, fault):
        return fault, []
    standing, moves = seen_mended(_standing(fault))
    return _judged(_put(fault, standing), run), _events(run, fault, moves)


def _is_older(run: Run, fault: Fault) -> bool:
    return (run.day, run.id) < (fault.judged_day or date.min, fault.judged_run or 0)


def _new_fault(run: Run, stored: StoredFinding, standing: Standing) -> Fault:
    finding = stored.finding
    return Fault(
        fingerprint=finding.fingerprint,
        unit_id=finding.unit_id,
        check=finding.check,
        target=finding.target,
        item=finding.item,
        reason=finding.reason,
        column_id=finding.column_id,
        state=standing.state,
        observation=standing.observation,
        first_seen=min(stored.first_seen, run.day),
        last_seen=run.day,
        finding_id=stored.id,
        judged_day=run.day,
        judged_run=run.id,
    )


def _judged(fault: Fault, run: Run) -> Fault:
    return replace(fault, judged_day=run.day, judged_run=run.id)


def _standing(fault: Fault) -> Standing:
    return Standing(**{field.name: getattr(fault, field.name) for field in fields(Standing)})


def _put(fault: Fault, standing: Standing) -> Fault:
    return replace(fault, **{field.name: getattr(standing, field.name) for field in fields(Standing)})


def _events(run: Run, fault: Fault, moves: Sequence[Move]) -> list[ReviewEvent]:
    return [
        ReviewEvent(
            fingerprint=fault.fingerprint,
            step=step,
            state=standing.state,
            day=run.day,
            actor=PROGRAM,
            observation=standing.observation,
            finding_id=fault.finding_id,
            run_id=run.id,
        )
        for step, standing in moves
    ]


# ---------------------------------------------------------------- people


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one step on one fault.

    `reference` is what was asked for, `before` and `fault` where the fault stood and stands; `refused` says in Chinese
    why nothing was done. `corrected` are the days whose published score was put right.
    """

    reference: str | int
    before: Fault | None
    fault: Fault | None
    refused: str = ""
    corrected: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class _Request:
    """A step as it is to be recorded, for however many faults."""

    step: Step
    by: str
    why: str
    until: date | None
    day: date
    attachments: tuple[Attachment, ...]


def take(
    place: Place,
    references: Iterable[str | int],
    step: Step,
    *,
    by: str,
    why: str = "",
    until: date | None = None,
    attachments: Sequence[Attachment] = (),
    preview: bool = False,
    together: bool = False,
    progress: Progress = SILENT,
) -> tuple[Taken, ...]:
    """Take a person's step on faults, named by fingerprint or by the number of any of their findings.

    `until` is the deadline of a rectification or the last day of a waiver. A fault on which the step is not allowed is
    told with the reason, and the others take it, all in one transaction; a preview records nothing, nor do faults that
    take a step `together` when one of them is refused it. After a revocation
    the published scores that counted the fault are put right. Raises StepInvalid, StorageError.
    """
    day = day_in(place.configuration.inventory.district)
    request = _checked(_Request(step, _name(by), why.strip(), until, day, tuple(attachments)))
    asked = _fingerprints(place, references)
    with place.faults.changing() as ledger:
        known, history = ledger.known(asked.values()), ledger.events(asked.values())
        taken = [_taken(one, request, known.get(key), history.get(key, [])) for key, one in _once(asked)]
        preview = preview or (together and any(one.refused for one in taken))
        if not preview:
            moved = [one.fault for one in taken if one.fault is not None and not one.refused]
            ledger.record(moved, [_event(request, fault) for fault in moved])
    return tuple(taken if preview else _corrected(place, taken, progress))


def _name(by: str) -> str:
    return unicodedata.normalize("NFKC", by).strip()


def _checked(request: _Request) -> _Request:
    """Return the request; raises StepInvalid for one that no fault could take."""
    step, until = request.step, request.until
    wanted = UNTIL_WANTED.get(step)
    problems = (
        (not request.by, "没有写明经办人"),
        (request.by == PROGRAM, f"经办人不能叫“{PROGRAM}”"),
        (
            len(request.by) > LONGEST_NAME or not request.by.isprintable(),
            f"经办人的姓名超过 {LONGEST_NAME} 个字或有控制字符",
        ),
        (step in WHY_WANTED and not request.why, f"“{step}”要写明理由"),
        (len(request.why) > LONGEST_WHY, f"理由超过 {LONGEST_WHY} 个字，请改用附件"),
        (wanted and until is None, f"“{step}”要写明{wanted}"),
        (not wanted and until is not None, f"“{step}”不带日期"),
        (until is not None and until < request.day, f"{wanted} {until} 已经过了，应不早于今天（{request.day}）"),
    )
    told = "；".join(problem for wrong, problem in problems if wrong)
    if told:
        raise StepInvalid(f"{told}。")
    return request


def _fingerprints(place: Place, references: Iterable[str | int]) -> dict[str | int, str]:
    """Return by what was asked the fingerprint that it means; "" for the number of no finding."""
    asked = dict.fromkeys(references)
    numbers = {one: int(one) for one in asked if isinstance(one, int) or (one.isdecimal() and len(one) < FINGERPRINT)}
    by_number = place.repository.fingerprints(numbers.values())
    return {one: by_number.get(numbers[one], "") if one in numbers else str(one) for one in asked}


def _once(asked: Mapping[str | int, str]) -> Iterator[tuple[str, str | int]]:
    """Yield each fault once, with the first reference to it; what means no finding, as often as it was asked for."""
    told: set[str] = set()
    for reference, fingerprint in asked.items():
        if fingerprint not in told:
            yield fingerprint, reference
        told |= {fingerprint} - {""}


def _taken(reference: str | int, request: _Request, fault: Fault | None, history: Sequence[ReviewEvent]) -> Taken:
    if fault is None:
        return Taken(reference, None, None, f"台账里没有“{reference}”；可用 inspect findings 查看编号。")
    refused = _refusal(request, fault, history)
    if refused:
        return Taken(reference, fault, fault, refused)
    mended = [event.state for event in history[-2:-1]] == [FaultState.MENDED]  # nothing moves between appeal and ruling
    return Taken(reference, fault, _put(fault, stepped(_standing(fault), request.step, request.until, mended=mended)))


def _refusal(request: _Request, fault: Fault, history: Sequence[ReviewEvent]) -> str:
    """Return why a fault cannot take the step, "" when it can."""
    possible = allowed(fault.state)
    if request.step not in possible:
        steps = "、".join(step for step in Step if step in possible)
        return f"问题现在是“{fault.state}”，只能：{steps}。" if steps else ENDED
    if request.step in DECIDING and request.by in involved(history):
        return f"申诉要由另一人裁定：{request.by} 确认过、责令过整改或提出了申诉。"
    return ""


def _event(request: _Request, fault: Fault) -> ReviewEvent:
    return ReviewEvent(
        fingerprint=fault.fingerprint,
        step=request.step,
        state=fault.state,
        day=request.day,
        actor=request.by,
        why=request.why,
        until=request.until,
        observation=fault.observation,
        finding_id=fault.finding_id,
        attachments=request.attachments,
        account=machine_account(),
    )


def _corrected(place: Place, taken: Iterable[Taken], progress: Progress) -> Iterator[Taken]:
    """Yield what came of each step; after revocations with the days whose score was put right."""
    listed = list(taken)
    revoked = [one.fault for one in listed if not one.refused and one.fault and one.fault.state is FaultState.REVOKED]
    by_unit: dict[str, list[str]] = defaultdict(list)
    for fault in revoked:
        by_unit[fault.unit_id].append(fault.fingerprint)
    corrected: dict[str, tuple[date, ...]] = {}
    for unit_id, fingerprints in by_unit.items():
        corrected |= rescore_revoked(place, unit_id, fingerprints, progress)
    if any(corrected.values()) and (failure := try_to_seal(place)):
        progress.say(f"得分已经更正，但还没有封存：{failure}")
    for one in listed:
        yield replace(one, corrected=corrected.get(one.fault.fingerprint, ()) if one.fault else ())
