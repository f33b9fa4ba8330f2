"""按期整改: the share of ordered rectifications that were mended on time. Pure.

An order lasts until the fault is mended, revoked, waived or appealed successfully; every further order before that only
moves its deadline and does not wash off that an earlier one was missed. It belongs to the year in which it was told:
that of the day on which it was first seen to be late, or else of the day on which it was seen mended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from scoring.review import OPENING, Event, Step


@dataclass(frozen=True, slots=True)
class ToldOrder:
    """整改要求: one order that it can be told of whether it was kept."""

    fingerprint: str
    kept: bool


@dataclass(slots=True)
class _Order:
    """How far one order has come; `told_on` is the day on which it was seen to be late, or else mended."""

    fingerprint: str
    told_on: date | None = None
    kept: bool = False
    ended: bool = False
    appealed: bool = False  # undecided: neither kept nor missed
    dropped: bool = False

    def follow(self, event: Event, last_day: date) -> None:
        """Take a step of its fault into account; a waiver after `last_day` speaks of later days only."""
        if event.step in (Step.APPEAL, Step.UPHOLD):
            self.appealed = event.step is Step.APPEAL
        elif event.step is Step.REVOKE or (event.step is Step.WAIVE and event.day <= last_day):
            self.dropped = True
        elif event.step is Step.WAIVE:
            self.ended = True
        elif event.step in (Step.OVERDUE, Step.MENDED) and not self.ended:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        self.ended = event.step is Step.MENDED
        if self.told_on is None:
            self.told_on, self.kept = event.day, event.step is Step.MENDED


def on_time(events: Iterable[Event], first_day: date, last_day: date) -> Decimal | None:
    """Return the share (0–1) of orders mended on time in a period, None where none of them can be told."""
    told = told_orders(events, first_day, last_day)
    return Decimal(sum(order.kept for order in told)) / Decimal(len(told)) if told else None


def told_orders(events: Iterable[Event], first_day: date, last_day: date) -> list[ToldOrder]:
    """Return the orders that were told from `first_day` to `last_day`, in the order in which they were told.

    `events` are all those of a unit's faults in the order they were recorded, also those after `last_day`: an appeal
    and its ruling speak of the order whenever they come. An order is late once the fault was seen unmended after its
    deadline, whether it was mended since or not; on time when it was seen mended without that. Those that were revoked
    or waived, are appealed and undecided, or still run, leave the count.
    """
    running: dict[str, _Order] = {}
    given: list[_Order] = []
    for event in events:
        order = running.get(event.fingerprint)
        if event.step in OPENING:
            running.pop(event.fingerprint, None)
        elif order is not None and not order.dropped:
            order.follow(event, last_day)
        elif event.step is Step.RECTIFY:
            running[event.fingerprint] = order = _Order(event.fingerprint)
            given.append(order)
    told = [
        (order.told_on, order)
        for order in given
        if order.told_on is not None
        and first_day <= order.told_on <= last_day
        and not (order.dropped or order.appealed)
    ]
    return [ToldOrder(order.fingerprint, order.kept) for _, order in sorted(told, key=lambda one: one[0])]
