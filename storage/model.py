"""Values that only the database knows: runs, their ledger, and stored findings and scores with their numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from checks.facts.model import ListEntry
from checks.model import Capture, Finding, NewMediaAccount, Outcome, Visit
from scoring.model import TargetState, UnitScore
from scoring.review import FaultState, Step


class RunKind(StrEnum):
    """Why a run was made."""

    NIGHTLY = "nightly"  # 每日巡查
    SPOT = "spot"  # 抽查
    RESCORE = "rescore"  # 用已存证据重新判定


class RunState(StrEnum):
    """How far a run, or a site within it, has come."""

    PLANNED = "planned"
    RUNNING = "running"
    CAPTURED = "captured"
    JUDGED = "judged"
    PUBLISHED = "published"
    FAILED = "failed"


UNFINISHED = (RunState.PLANNED, RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED)

_P, _R, _C, _J, _F = RunState.PLANNED, RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.FAILED
# What a state may be entered from. A state that may follow itself is one that a resumed run enters again.
SITE_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.PLANNED: frozenset(),
    RunState.RUNNING: frozenset({_P, _R, _F}),
    RunState.CAPTURED: frozenset({_R}),
    RunState.JUDGED: frozenset({_C, _J}),
    RunState.PUBLISHED: frozenset({_J, RunState.PUBLISHED}),
    RunState.FAILED: frozenset({_P, _R, _C, _J, _F}),
}
# A resumed run goes back to running from wherever it stood, because some of its sites may still have to be captured.
RUN_TRANSITIONS = SITE_TRANSITIONS | {RunState.RUNNING: frozenset({_P, _R, _C, _J, _F})}


@dataclass(frozen=True, slots=True)
class Run:
    """One inspection: what it was asked to do, with which configuration, and how far it came. Times are aware UTC."""

    id: int
    kind: RunKind
    day: date
    state: RunState
    seed: str
    rules_version: str
    rules_digest: str
    indicators_digest: str
    inventory_digest: str
    units: tuple[str, ...]  # ids of the units asked for; empty: all
    software: str  # version of the program
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    note: str = ""
    rescores: int | None = None  # the run whose findings were scored again

    @property
    def looked(self) -> bool:
        """Whether it looked at pages; one that only scores again what another found did not."""
        return self.kind is not RunKind.RESCORE

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do: published, or given up."""
        return self.state not in UNFINISHED


@dataclass(frozen=True, slots=True)
class SiteLedgerRow:
    """Where one site of a run stands; `attempts` counts how often its capture was begun."""

    site_id: str
    state: RunState
    attempts: int
    reason: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What one run kept of one page of a site: every visit to it, and its captures."""

    run_id: int
    visits: tuple[Visit, ...]
    captures: tuple[Capture, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """问题: one fault over time, by its fingerprint, and where it stands today.

    `observation` tells whether what is seen is still the same; `last_seen` is the last day on which a run saw it fail,
    `finding_id` that run's finding. `deadline` is that of the rectification in force, `overdue_since` the first day on
    which it was seen unmended after that deadline; `waived_until` is the waiver's last day. `judged_day` and
    `judged_run` name the newest run that told whether it is there: an older one, resumed late, moves nothing.
    """

    fingerprint: str
    unit_id: str
    check: str
    target: str
    item: str
    reason: str
    column_id: str | None
    state: FaultState
    observation: str
    first_seen: date
    last_seen: date
    finding_id: int
    deadline: date | None = None
    waived_until: date | None = None
    overdue_since: date | None = None
    judged_day: date | None = None
    judged_run: int | None = None


@dataclass(frozen=True, slots=True)
class SeenFault:
    """A fault as the nights of a period saw it: its newest finding then, on how many days, and where it stands now."""

    finding_id: int
    finding: Finding
    state: FaultState
    days: int
    first_seen: date
    last_seen: date


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """A finding as kept: `state` is the fault's on that night (待确认, 已确认…), `fault` where it stands today.

    `first_seen` and `last_seen` are the first and the last day that any run recorded its fingerprint.
    """

    id: int
    run_id: int
    day: date
    finding: Finding
    state: str
    first_seen: date
    last_seen: date
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One time that a fingerprint was recorded."""

    finding_id: int
    run_id: int
    kind: RunKind
    day: date
    outcome: Outcome
    state: str


@dataclass(frozen=True, slots=True)
class StoredScore:
    """A unit's score as kept, without what its findings tell again: `score.checks` and `score.pending` are empty.

    `published` says whether it is the one that counts for its day; `counts` how many targets of an indicator are in
    which state.
    """

    run_id: int
    score: UnitScore
    published: bool
    counts: dict[str, dict[TargetState, int]]

    @property
    def day(self) -> date:
        """The day that the score speaks of."""
        return self.score.day


@dataclass(slots=True)
class StoredYear:
    """What the nights of a period left of one unit.

    `published` are the days with a score that counts, `withheld` those that were inspected and got none. `values` holds
    the value (0–1) of each indicator, and `vetoes` the title of each veto, by the published day.
    """

    published: list[date] = field(default_factory=list)
    withheld: list[date] = field(default_factory=list)
    values: dict[str, dict[date, Decimal]] = field(default_factory=dict)
    vetoes: dict[str, dict[date, str]] = field(default_factory=dict)


# ---------------------------------------------------------------- beside the runs

ANSWERED, OURS, UNSURE = "ok", "ours", "unsure"  # what a probe came to, beside the codes of FailureKind


@dataclass(frozen=True, slots=True)
class HomeProbe:
    """One look at whether a site's home page opens. `day` and `minute` ("09:15") are the district's.

    `result` is ANSWERED, OURS (spoilt by our own outage), UNSURE (refused to us, perhaps to nobody else), or the code
    of the FailureKind that a visitor met.
    """

    site_id: str
    day: date
    minute: str
    result: str


@dataclass(frozen=True, slots=True)
class SeenList:
    """What a night saw of one column's list: its entries, and whether it was read to its end."""

    target: str  # ColumnVisit.target
    whole: bool
    entries: tuple[ListEntry, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """One version of the register of new-media accounts; `digest` is the SHA-256 of the file it was read from."""

    id: int
    recorded_on: date
    imported_at: datetime
    source: str
    digest: str
    accounts: tuple[NewMediaAccount, ...]


# ---------------------------------------------------------------- review


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that somebody put beside a step: its name, the SHA-256 of its content ("sha256:<hex>") and its bytes."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class CountedFault:
    """A fault as it counted in the published scores of a period: on how many days, and by which findings, in order."""

    fingerprint: str
    check: str
    target: str
    item: str
    reason: str
    days: int
    finding_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """One step in the life of a fault: who, when, why. `state` is what the step led to.

    `actor` is a person's name, or PROGRAM; `account` the account of the machine that typed it. `day` is the district's
    day (for the program's steps: the run's). `until` is a deadline or a waiver's last day.
    """

    fingerprint: str
    step: Step
    state: FaultState
    day: date
    actor: str
    why: str = ""
    until: date | None = None
    observation: str = ""
    finding_id: int | None = None
    run_id: int | None = None
    attachments: tuple[Attachment, ...] = ()
    account: str = ""
    recorded_at: datetime | None = None  # None until it is stored
    id: int = 0


PROGRAM = "程序"


# ---------------------------------------------------------------- the annual assessment


@dataclass(frozen=True, slots=True)
class GivenMark:
    """评分: what one reviewer gave one unit for one row; `points` None: 未涉及, the row does not concern the unit."""

    unit_id: str
    indicator_id: str
    points: Decimal | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class MarkSheet:
    """One version of one reviewer's marks of a year; `digest` is the SHA-256 of the file it was read from.

    `units` and `indicators` are the ids of what the form asked about: what has no mark there is still wanting.
    """

    year: int
    reviewer: str
    marks: tuple[GivenMark, ...]
    actor: str
    source: str
    digest: str
    indicators_digest: str
    units: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    account: str = ""
    imported_at: datetime | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Circular:
    """通报: one circular of a higher authority against a unit, and what it costs in points of one row."""

    unit_id: str
    indicator_id: str
    points: Decimal
    issuer: str
    title: str
    day: date


@dataclass(frozen=True, slots=True)
class CircularSheet:
    """One version of the whole list of a year's circulars; `digest` is the SHA-256 of the file it was read from."""

    year: int
    circulars: tuple[Circular, ...]
    actor: str
    source: str
    digest: str
    indicators_digest: str
    account: str = ""
    imported_at: datetime | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class AnnualVersion:
    """A published result of a year, frozen. `number` counts from 1; every one after the first is a correction.

    `inputs`, `result` and `changes` are JSON-like; `digest` is the SHA-256 of inputs and result. `last_day` is the last
    day whose daily checks count.
    """

    year: int
    number: int
    actor: str
    why: str
    last_day: date
    inputs: dict[str, Any]
    result: dict[str, Any]
    changes: list[dict[str, Any]]
    digest: str
    account: str = ""
    published_at: datetime | None = None
