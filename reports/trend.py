"""走势: a year of daily scores as lines for a drawing. A day without a published score is a gap, never bridged.

All lines of a report share one field: its width is the days of the year, its height the points from `floor` to 100,
with 100 at the top. One unit of the field is one day and one point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from scoring.annual import rounded

FULL = 100
_TEN = 10
_MOST_STEPS = 6  # lines across the field; beyond that they are twice as far apart
_DAY = timedelta(days=1)

Scores = Sequence[tuple[date, Decimal]]


@dataclass(frozen=True, slots=True)
class Field:
    """The field that the lines are drawn in: the days of the year, and the points from `floor` to 100."""

    year: int
    floor: int

    @property
    def days(self) -> int:
        """The width: 365 or 366."""
        return (date(self.year + 1, 1, 1) - self.first).days

    @property
    def first(self) -> date:
        """The day at the left."""
        return date(self.year, 1, 1)

    @property
    def height(self) -> int:
        """The points from the bottom to the top."""
        return FULL - self.floor

    @property
    def levels(self) -> tuple[int, ...]:
        """The points at which a line goes across, from the top."""
        step = _TEN if self.height <= _TEN * _MOST_STEPS else 2 * _TEN
        return tuple(range(FULL, self.floor - 1, -step))

    @property
    def months(self) -> tuple[tuple[int, int], ...]:
        """The months with how many days from the left they begin."""
        return tuple((month, (date(self.year, month, 1) - self.first).days) for month in range(1, 13))

    def line(self, scores: Scores) -> str:
        """Return the path of the scores: one piece for each run of days that follow each other, a dot for a day alone.

        Days that lie outside the year are left out.
        """
        inside = sorted((day, score) for day, score in scores if day.year == self.year)
        return "".join(map(self._piece, _runs(inside)))

    def _piece(self, run: Scores) -> str:
        points = "L".join(f"{(day - self.first).days + 0.5:g} {FULL - score:f}" for day, score in run)
        return f"M{points}" if len(run) > 1 else f"M{points}h0"


def field_of(year: int, scores: Iterable[Decimal]) -> Field:
    """Return the field that holds all these scores: from the full ten below the lowest, ten points high at least."""
    lowest = min(scores, default=Decimal(0))
    return Field(year, min(int(lowest) // _TEN * _TEN, FULL - _TEN))


def mean_of(lines: Iterable[Scores]) -> tuple[tuple[date, Decimal], ...]:
    """Return for each day the mean of the scores published on it, rounded half up to two places."""
    of_day: dict[date, list[Decimal]] = {}
    for scores in lines:
        for day, score in scores:
            of_day.setdefault(day, []).append(score)
    return tuple((day, rounded(Fraction(sum(found, Decimal(0))) / len(found))) for day, found in sorted(of_day.items()))


def _runs(scores: Scores) -> Iterator[list[tuple[date, Decimal]]]:
    run: list[tuple[date, Decimal]] = []
    for day, score in scores:
        if run and day - run[-1][0] != _DAY:
            yield run
            run = []
        run.append((day, score))
    if run:
        yield run
