"""Orders mended on time: which count, and what makes one late."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from scoring.rectification import on_time
from scoring.review import FaultState, Step
from tests.scoring.test_review import Happened

DAY = date(2026, 3, 1)
R, LATE, M, A, U, V, W, B = (
    Step.RECTIFY,
    Step.OVERDUE,
    Step.MENDED,
    Step.APPEAL,
    Step.UPHOLD,
    Step.REVOKE,
    Step.WAIVE,
    Step.RETURNED,
)


def share(*lives: tuple[Step, ...], first_day: date = DAY, last_day: date = date.max) -> Decimal | None:
    """The share of some faults' orders, a day for each step; the lives are told interleaved."""
    events = [
        Happened(step, FaultState.CONFIRMED, DAY + timedelta(days=number), fingerprint=str(fault))
        for fault, life in enumerate(lives)
        for number, step in enumerate(life)
    ]
    return on_time(sorted(events, key=lambda event: event.day), first_day, last_day)


@pytest.mark.parametrize(
    ("life", "expected"),
    [
        ((), None),
        ((M,), None),  # mended without an order
        ((R,), None),  # still running
        ((R, M), 1),
        ((R, LATE, M), 0),
        ((R, LATE), 0),  # not mended yet: waiting longer may not save it
        ((R, R, M), 1),  # given more time before it was late
        ((R, LATE, R, M), 0),  # given more time when it was late
        ((R, A), None),
        ((R, LATE, A), None),
        ((R, A, V), None),
        ((R, LATE, A, V), None),
        ((R, LATE, W), None),
        ((R, A, U, M), 1),
        ((R, A, U, LATE, M), 0),
        ((R, LATE, A, U, M), 0),
        ((R, LATE, A, U), 0),
        ((R, M, B, R, LATE), Decimal("0.5")),  # an order of another episode is another order
        ((A, U, R, M), 1),
        ((R, M, A), None),  # disputed after it was mended
        ((R, LATE, M, A, V), None),
        ((R, LATE, M, A, U), 0),
        ((R, M, A, U, B, R, LATE), Decimal("0.5")),
        ((R, W, R, M), 1),  # a waiver ends an order; what follows is another
    ],
)
def test_what_one_fault_comes_to(life: tuple[Step, ...], expected: Decimal | None) -> None:
    assert share(life) == expected


def test_the_share_is_over_all_orders_of_the_unit() -> None:
    assert share((R, M), (R, LATE, M), (R, R, M), (R,), (R, A)) == Decimal(2) / Decimal(3)


def test_what_happens_after_the_last_day_is_not_known_yet() -> None:
    assert share((R, LATE, M), (R, M), last_day=DAY) is None
    assert share((R, LATE, M), (R, M), last_day=DAY + timedelta(days=1)) == Decimal("0.5")


NEXT_YEAR = DAY + timedelta(days=2)


@pytest.mark.parametrize(
    ("life", "this_year", "next_year"),
    [
        ((R, R, M), None, 1),  # ordered in December, mended in January
        ((R, LATE, M), 0, None),  # late in December, mended in January
        ((R, R, LATE, M), None, 0),
        ((R, M, A, V), None, None),  # revoked in January: it was no fault in December either
        ((R, LATE, A, U), 0, None),
        ((R, LATE, W), 0, None),  # a waiver speaks of the days from it on
        ((R, M, B, R, M), 1, 1),
    ],
)
def test_an_order_counts_in_one_year_that_in_which_it_was_told(
    life: tuple[Step, ...], this_year: int | None, next_year: int | None
) -> None:
    assert share(life, last_day=NEXT_YEAR - timedelta(days=1)) == this_year
    assert share(life, first_day=NEXT_YEAR) == next_year
