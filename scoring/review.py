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
    FaultState.MENDED: frozenset({Step.APPEAL}),  # the days that counted it may still be disputed
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


def stepped(standing: Standing, step: Step, until: date | None = None, *, mended: bool = False) -> Standing:
    """Return where a fault stands after a person's step; `until` is the deadline or the waiver's last day.

    An appeal and its dismissal leave the rectification in force, with its deadline; a waiver and a revocation end it.
    `mended` says that it was when the appeal came: dismissed, it is so again. Raises KeyError for a step of the
    program's.
    """
    state = FaultState.MENDED if mended and step is Step.UPHOLD else after(step)
    if step is Step.RECTIFY:
        return Standing(state, standing.observation, deadline=until)
    if step is Step.WAIVE:
        return Standing(state, standing.observation, waived_until=until)
    if step is Step.REVOKE:
        return Standing(state, standing.observation)
    return replace(standing, state=state)


# ---------------------------------------------------------------- what is seen

_DAY = r"\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?"
_MOVING = re.compile(
    "|".join(
        (
            r"\d+\s?天",  # an age: 距检查日 40 天
            rf"检查日 {_DAY}",
            rf"{_DAY} 以来(?:的 \d+ 条)?",  # as far back as was looked
            rf"{_DAY} 夜里",  # the last night that read a list whole
            rf"台账登记日 {_DAY}|台账（{_DAY} 登记）",
            rf"(?:今天|今日|现在|当前日期|当前时间|北京时间)是?[:：]?\s*{_DAY}",  # a clock on the page
            rf"(?:{_DAY}\s*)?(?:星期|周)[一二三四五六日天]",
            r"\d{1,2}:\d{2}(?::\d{2})?",
            r"（\d+ 页中有[^（）]*）|\d+ 篇|\d+ 个(?:二级)?页面",  # how many pages were drawn, and which for example
            r"它出现在 \S+",  # one of the pages that show a dead link
        )
    )
)
_MEASURED_ANEW = frozenset({"availability", "site_search"})  # every night other probes and other questions


def observation(finding: Finding) -> str:
    """Return 16 hex digits for what a finding saw; they differ when something else is seen.

    What the clock or the night's sample alone moves is left out (ages, the run's day, how many pages were drawn): the
    same fault seen tomorrow has the same observation.
    """
    told = () if finding.check in _MEASURED_ANEW else (finding.observed, finding.passage)
    lasting = (_MOVING.sub("…", text) for text in told)
    return hashlib.sha256("\n".join((finding.fingerprint, *lasting)).encode()).hexdigest()[:16]


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

    A revocation or a waiver speaks of what was seen when it was given: the observation stands beside the fingerprint;
    None for a day before the revocation, of whose episode it speaks whatever was seen.
    `waiting` are the faults that waited for confirmation on a night scored before; None: it has yet to be told.
    """

    confirmed: Set[str] = frozenset()
    revoked: Mapping[str, str | None] = field(default_factory=dict)
    waived: Mapping[str, str] = field(default_factory=dict)
    waiting: Set[str] | None = None


NO_RULINGS = Rulings()


def rulings_of(events: Iterable[Event], day: date) -> Rulings:
    """Return what the steps, in the order they were recorded, mean for the score of a day.

    A confirmation and a waiver hold from the day they were given; a revocation holds for the whole episode that it was
    given in, because it says that there never was a fault.
    """
    confirmed: set[str] = set()
    revoked: dict[str, str | None] = {}
    waived: dict[str, str] = {}
    for fingerprint, steps in _by_fault(events).items():
        episode = _episode_on(steps, day)
        until_now = [event for event in episode if event.day <= day]
        revocation = next((event for event in episode if event.step is Step.REVOKE), None)
        if revocation is not None:
            revoked[fingerprint] = revocation.observation if day >= revocation.day else None
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


def revoked_periods(events: Sequence[Event]) -> list[tuple[date, date]]:
    """Return from which day on, and before which day, a fault was none because a person said so.

    Each is an episode with a revocation: from its opening to the next one's. The first has no beginning, because a run
    that came late, or before there was a ledger, may have seen the fault earlier; the last has no end.
    """
    openings = [place for place, event in enumerate(events) if event.step in OPENING]
    ends = [*openings[1:], len(events)]
    return [
        (
            events[first].day if first != openings[0] else date.min,
            events[end].day if end < len(events) else date.max,
        )
        for first, end in zip(openings, ends, strict=True)
        if any(event.step is Step.REVOKE for event in events[first:end])
    ]


def _by_fault(events: Iterable[Event]) -> dict[str, list[Event]]:
    faults: dict[str, list[Event]] = {}
    for event in events:
        faults.setdefault(event.fingerprint, []).append(event)
    return faults


def _episode_on(events: Sequence[Event], day: date) -> Sequence[Event]:
    """Return the steps of the episode that a day lies in, also those after it; the first has no beginning."""
    openings = [place for place, event in enumerate(events) if event.step in OPENING]
    begun = [place for place in openings if events[place].day <= day] or openings[:1]
    if not begun:
        return ()
    end = next((place for place in openings if place > begun[-1]), len(events))
    return events[begun[-1] : end]


def _waives(last: Event, day: date) -> bool:
    return last.state is FaultState.WAIVED and last.until is not None and day <= last.until
