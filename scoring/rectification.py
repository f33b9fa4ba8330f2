"""按期整改: the share of ordered rectifications that were mended on time. Pure.

An order lasts until the fault is mended, revoked, waived or appealed successfully; every further order before that only
moves its deadline and does not wash off that an earlier one was missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from scoring.review import Event, Step


class _Order(Enum):
    """How far one order has come."""

    RUNNING = 1
    LATE = 2
    APPEALED = 3  # undecided: neither kept nor missed
    APPEALED_LATE = 4


_ENDING = frozenset({Step.MENDED, Step.REVOKE, Step.WAIVE})
_NEXT = {
    (None, Step.RECTIFY): _Order.RUNNING,
    (_Order.RUNNING, Step.OVERDUE): _Order.LATE,
    (_Order.RUNNING, Step.APPEAL): _Order.APPEALED,
    (_Order.LATE, Step.APPEAL): _Order.APPEALED_LATE,
    (_Order.APPEALED, Step.UPHOLD): _Order.RUNNING,
    (_Order.APPEALED_LATE, Step.UPHOLD): _Order.LATE,
}


@dataclass(frozen=True, slots=True)
class ToldOrder:
    """整改要求: one order that it can be told of whether it was kept."""

    fingerprint: str
    kept: bool


def on_time(events: Iterable[Event], last_day: date) -> Decimal | None:
    """Return the share (0–1) of orders mended on time by `last_day`, None where none of them can be told."""
    told = told_orders(events, last_day)
    return Decimal(sum(order.kept for order in told)) / Decimal(len(told)) if told else None


def told_orders(events: Iterable[Event], last_day: date) -> list[ToldOrder]:
    """Return the orders that can be told of by `last_day`, in the order they ended, those still late last.

    `events` are those of one unit in the order they were recorded. An order is late once the fault was seen unmended
    after its deadline, whether it was mended since or not; on time when it was seen mended without that. Those that
    were revoked or waived, are appealed and undecided, or still run, leave the count.
    """
    running: dict[str, _Order] = {}
    told: list[ToldOrder] = []
    for event in events:
        if event.day > last_day:
            continue
        order = running.get(event.fingerprint)
        if order is not None and event.step in _ENDING:
            del running[event.fingerprint]
            if event.step is Step.MENDED and order in (_Order.RUNNING, _Order.LATE):
                told.append(ToldOrder(event.fingerprint, kept=order is _Order.RUNNING))
        elif (following := _NEXT.get((order, event.step))) is not None:
            running[event.fingerprint] = following
    return told + [ToldOrder(key, kept=False) for key, order in running.items() if order is _Order.LATE]
