"""Scores and what they rest on: every number down to the findings it came from. Frozen values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from checks.model import Finding
from config.schema import UnitKind


class TargetState(StrEnum):
    """What all findings on one target come to."""

    PASSED = "passed"  # 通过
    FAILED = "failed"  # 不通过
    PENDING = "pending"  # 待确认: fails, but the fault hangs on the network's mood and is not confirmed yet
    UNJUDGED = "unjudged"  # 未能判定: blocked, timed out, not tested, or the check broke


JUDGED = frozenset({TargetState.PASSED, TargetState.FAILED})


@dataclass(frozen=True, slots=True)
class TargetResult:
    """One target of a check in one respect, and the findings that decide its state."""

    check: str
    target: str
    item: str
    state: TargetState
    weight: Decimal
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one unit on one day.

    `value` is the share of the judged weight that passes, None when nothing was judged; `coverage` the share of the
    applicable weight that was judged, None when nothing was applicable. Both lie in [0, 1].
    """

    check: str
    value: Decimal | None
    coverage: Decimal | None
    targets: tuple[TargetResult, ...]

    def count(self, state: TargetState) -> int:
        """Return how many targets are in that state."""
        return sum(target.state is state for target in self.targets)


@dataclass(frozen=True, slots=True)
class BoundCheck:
    """A check as it serves one row: its effective weight there, and the part of its targets that the row takes.

    `items` are prefixes of the targets' items; empty: the row takes all of them.
    """

    check: str
    weight: Decimal
    items: tuple[str, ...] = ()

    def takes(self, target: TargetResult) -> bool:
        """Whether the target belongs to the row's part of the check."""
        return target.check == self.check and (not self.items or target.item.startswith(self.items))


@dataclass(frozen=True, slots=True)
class IndicatorScore:
    """One row of the scoring table (评分指标) for one unit; `value` and `coverage` are the means of its checks'.

    `weights` are its checks with what they weigh and take; a check without a value leaves the mean.
    """

    id: str
    points: Decimal
    value: Decimal | None
    coverage: Decimal | None
    weights: tuple[BoundCheck, ...]


class ScoreState(StrEnum):
    """Whether a day's score can be told."""

    PUBLISHED = "published"  # 已发布
    WITHHELD = "withheld"  # 覆盖率不足，不发布
    NOT_APPLICABLE = "not_applicable"  # 没有适用的检查


class Verdict(StrEnum):
    """单项否决的结论."""

    QUALIFIED = "合格"
    UNQUALIFIED = "不合格"


@dataclass(frozen=True, slots=True)
class VetoHit:
    """One veto (单项否决) that the unit ran into, with the failing targets that make it up."""

    id: str
    title: str
    at_least: int
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SiteVerdict:
    """合格 or 不合格 of one website on one day, with the vetoes that make it 不合格.

    `verdict` is None when nothing was vetoed but too little was seen to say 合格; `coverage` is the share that could be
    judged of what the vetoes look at, in [0, 1], 0 when nothing was looked at.
    """

    site_id: str
    day: date
    verdict: Verdict | None
    vetoes: tuple[VetoHit, ...]
    coverage: Decimal


@dataclass(frozen=True, slots=True)
class UnitScore:
    """The daily score of one unit.

    `score` is 0 to 100 with two places, None unless published; `coverage` lies in [0, 1], unrounded. `verdict` is None
    when nothing was vetoed but too little was seen to call the unit 合格. `pending` lists the faults that wait for
    confirmation (待确认), `reasons` Chinese sentences for the report.
    """

    unit_id: str
    kind: UnitKind
    day: date
    rules_version: str
    state: ScoreState
    score: Decimal | None
    coverage: Decimal
    verdict: Verdict | None
    vetoes: tuple[VetoHit, ...]
    indicators: tuple[IndicatorScore, ...]
    checks: tuple[CheckResult, ...]
    pending: tuple[Finding, ...]
    reasons: tuple[str, ...]

    @property
    def published(self) -> bool:
        """Whether the score stands."""
        return self.state is ScoreState.PUBLISHED
