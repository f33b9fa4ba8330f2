"""复核: the states of a fault, the steps between them, and what people ruled. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Protocol

from checks.model import Finding


class FaultState(StrEnum):
    """Where a fault stands."""

    PENDING = "待确认"  # hangs on the network's mood and was not seen often enough: does not count
    CONFIRMED = "已确认"
    RECTIFYING = "整改中"
    MENDED = "已整改"
    APPEALED = "申诉中"
    UPHELD = "维持"
    REVOKED = "撤销"  # it was no fault: its target counts as good
    WAIVED = "豁免"  # until a day, or until what is seen changes: its target leaves the count


class Step(StrEnum):
    """What happened to a fault; the first group are a person's steps, the second the program's."""

    CONFIRM = "确认"
    RECTIFY = "责令整改"
    APPEAL = "申诉"
    UPHOLD = "维持"
    REVOKE = "撤销"
    WAIVE = "豁免"

    FOUND = "发现"
    SETTLED = "多次看到"  # 待确认 no more: seen on enough nights
    OVERDUE = "逾期未改"  # still seen after the deadline
    MENDED = "查见已改"
    RETURNED = "复发"
    CHANGED = "情况有变"  # what a waiver or a revocation spoke of is not what is seen now
    EXPIRED = "豁免到期"


PERSONAL = frozenset({Step.CONFIRM, Step.RECTIFY, Step.APPEAL, Step.UPHOLD, Step.REVOKE, Step.WAIVE})
OPENING = frozenset({Step.FOUND, Step.RETURNED, Step.CHANGED})  # with each of them an episode of the fault begins
_CONFIRMING = frozenset({Step.CONFIRM, Step.RECTIFY, Step.UPHOLD})
_INVOLVING = frozenset({Step.CONFIRM, Step.RECTIFY, Step.APPEAL})

_ALLOWED = {
    FaultState.PENDING: frozenset({Step.CONFIRM, Step.APPEAL, Step.WAIVE}),
    FaultState.CONFIRMED: frozenset({Step.RECTIFY, Step.APPEAL, Step.WAIVE}),
    FaultState.RECTIFYING: frozenset({Step.RECTIFY, Step.APPEAL, Step.WAIVE}),
    FaultState.MENDED: frozenset[Step](),
    FaultState.APPEALED: frozenset({Step.UPHOLD, Step.REVOKE}),
    FaultState.UPHELD: frozenset({Step.RECTIFY, Step.APPEAL, Step.WAIVE}),
    FaultState.REVOKED: frozenset[Step](),
    FaultState.WAIVED: frozenset({Step.WAIVE}),
}
_AFTER = {
    Step.CONFIRM: FaultState.CONFIRMED,
    Step.RECTIFY: FaultState.RECTIFYING,
    Step.APPEAL: FaultState.APPEALED,
    Step.UPHOLD: FaultState.UPHELD,
    Step.REVOKE: FaultState.REVOKED,
    Step.WAIVE: FaultState.WAIVED,
}
_MENDABLE = frozenset(FaultState) - {FaultState.MENDED, FaultState.APPEALED, FaultState.REVOKED}
_UNDER_ORDER = frozenset({FaultState.RECTIFYING, FaultState.UPHELD})
_SPOKEN_OF = frozenset({FaultState.WAIVED, FaultState.REVOKED})  # rulings on what was seen, and on nothing else


def allowed(state: FaultState) -> frozenset[Step]:
    """Return the steps that a person may take from a state."""
    return _ALLOWED[state]


def after(step: Step) -> FaultState:
    """Return the state that a person's step leads to; raises KeyError for a step of the program's."""
    return _AFTER[step]


# ---------------------------------------------------------------- what is seen

# These count over the days before the run, so that the clock alone moves every number they tell.
_COUNTED_ANEW = frozenset({"availability"})
_AGE = re.compile(r"\d+\s?天")


def observation(finding: Finding, day: date) -> str:
    """Return 16 hex digits for what a finding of a run of `day` saw; they differ when something else is seen.

    Ages ("114 天") and the run's own day are left out: the same fault seen tomorrow has the same observation.
    """
    seen = (finding.observed, finding.passage) if finding.check not in _COUNTED_ANEW else ()
    timeless = (_without_clock(text, day) for text in seen)
    return hashlib.sha256("\n".join((finding.fingerprint, *timeless)).encode()).hexdigest()[:16]


def _without_clock(text: str, day: date) -> str:
    return _AGE.sub("…天", text.replace(day.isoformat(), "检查日"))


# ---------------------------------------------------------------- what a run does to a fault


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a fault stands, as far as a run can move it; the fields are those of a Fault."""

    state: FaultState
    observation: str
    deadline: date | None = None
    waived_until: date | None = None
    overdue_since: date | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a run saw of a fault that fails: `waits` says whether it waits for confirmation by that night."""

    day: date
    observation: str
    waits: bool

    @property
    def opened(self) -> FaultState:
        """The state in which a fault begins that is seen so."""
        return FaultState.PENDING if self.waits else FaultState.CONFIRMED


Move = tuple[Step, Standing]  # a step, and where the fault stands after it


def found(sight: Sight) -> Move:
    """Return where a fault begins that was never seen before."""
    return Step.FOUND, Standing(sight.opened, sight.observation)


def seen(standing: Standing, sight: Sight) -> tuple[Standing, tuple[Move, ...]]:
    """Return where a fault stands that a run saw failing again, and the steps that led there, at most one.

    Seeing the same twice is seeing it once: a second call with what the first returned moves nothing.
    """
    step = _step_on_seeing(standing, sight)
    if step is None:
        return _still(standing, sight), ()
    now = _after_seeing(standing, sight, step)
    return now, ((step, now),)


def seen_mended(standing: Standing) -> tuple[Standing, tuple[Move, ...]]:
    """Return where a fault stands whose target a run saw passing: mended, unless an appeal or a ruling is on it."""
    if standing.state not in _MENDABLE:
        return standing, ()
    now = Standing(FaultState.MENDED, standing.observation)
    return now, ((Step.MENDED, now),)


def _step_on_seeing(standing: Standing, sight: Sight) -> Step | None:
    state = standing.state
    if state is FaultState.MENDED:
        return Step.RETURNED
    if state is FaultState.PENDING and not sight.waits:
        return Step.SETTLED
    if state in _SPOKEN_OF and sight.observation != standing.observation:
        return Step.CHANGED
    if state is FaultState.WAIVED and standing.waived_until is not None and sight.day > standing.waived_until:
        return Step.EXPIRED
    return Step.OVERDUE if _is_overdue(standing, sight.day) else None


def _is_overdue(standing: Standing, day: date) -> bool:
    ordered = standing.state in _UNDER_ORDER and standing.deadline is not None and day > standing.deadline
    return ordered and standing.overdue_since is None


def _still(standing: Standing, sight: Sight) -> Standing:
    return replace(standing, observation=sight.observation)


def _after_seeing(standing: Standing, sight: Sight, step: Step) -> Standing:
    if step is Step.OVERDUE:
        return replace(_still(standing, sight), overdue_since=sight.day)
    return Standing(sight.opened, sight.observation)


# ---------------------------------------------------------------- what people did, and what it means for a day's score


class Event(Protocol):
    """A step as it was recorded; storage.model.ReviewEvent is one."""

    @property
    def fingerprint(self) -> str: ...  # noqa: D102
    @property
    def step(self) -> Step: ...  # noqa: D102
    @property
    def state(self) -> FaultState: ...  # noqa: D102
    @property
    def day(self) -> date: ...  # noqa: D102
    @property
    def actor(self) -> str: ...  # noqa: D102
    @property
    def until(self) -> date | None: ...  # noqa: D102
    @property
    def observation(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Rulings:
    """What people ruled on faults, by fingerprint, as of the day that is scored.

    A revocation or a waiver speaks of what was seen when it was given: the observation stands beside the fingerprint.
    """

    confirmed: Set[str] = frozenset()
    revoked: Mapping[str, str] = field(default_factory=dict)
    waived: Mapping[str, str] = field(default_factory=dict)


def rulings_of(events: Iterable[Event], day: date) -> Rulings:
    """Return what the steps, in the order they were recorded, mean for the score of a day.

    A confirmation and a waiver hold from the day they were given; a revocation holds for the whole episode that it was
    given in, because it says that there never was a fault.
    """
    confirmed: set[str] = set()
    revoked: dict[str, str] = {}
    waived: dict[str, str] = {}
    for fingerprint, steps in _by_fault(events).items():
        episode = _episode_on(steps, day)
        until_now = [event for event in episode if event.day <= day]
        revocation = next((event for event in episode if event.step is Step.REVOKE), None)
        if revocation is not None:
            revoked[fingerprint] = revocation.observation
        if any(event.step in _CONFIRMING for event in until_now):
            confirmed.add(fingerprint)
        if until_now and _waives(until_now[-1], day):
            waived[fingerprint] = until_now[-1].observation
    return Rulings(frozenset(confirmed), revoked, waived)


def episode(events: Sequence[Event]) -> Sequence[Event]:
    """Return the steps of one fault since it was opened last, the opening among them."""
    openings = [place for place, event in enumerate(events) if event.step in OPENING]
    return events[openings[-1] :] if openings else events


def involved(events: Sequence[Event]) -> frozenset[str]:
    """Return who confirmed a fault, ordered its rectification or entered its appeal since it was opened last.

    None of them may decide the appeal (由另一人裁定).
    """
    return frozenset(event.actor for event in episode(events) if event.step in _INVOLVING)


def _by_fault(events: Iterable[Event]) -> dict[str, list[Event]]:
    faults: dict[str, list[Event]] = {}
    for event in events:
        faults.setdefault(event.fingerprint, []).append(event)
    return faults


def _episode_on(events: Sequence[Event], day: date) -> Sequence[Event]:
    """Return the steps of the episode that a day lies in, those after the day among them."""
    openings = [place for place, event in enumerate(events) if event.step in OPENING]
    begun = [place for place in openings if events[place].day <= day]
    if not begun:
        return ()
    end = next((place for place in openings if place > begun[-1]), len(events))
    return events[begun[-1] : end]


def _waives(last: Event, day: date) -> bool:
    return last.state is FaultState.WAIVED and last.until is not None and day <= last.until
