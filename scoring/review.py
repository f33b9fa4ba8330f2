"""复核: the states of a fault, the steps between them, and what people ruled. Pure."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Rulings:
    """What people ruled on faults, by fingerprint, as of the day that is scored."""

    confirmed: Set[str] = frozenset()
    revoked: Set[str] = frozenset()
    waived: Set[str] = frozenset()
