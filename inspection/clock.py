"""本机时钟: whether the day that a run goes by is the day by the clocks of the sites that it asked.

Freshness and deadlines are counted from the run's day: a machine that has the wrong one would blame units for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median
from zoneinfo import ZoneInfo

from checks.model import Capture, Mode
from crawler.plan import SitePlan
from crawler.urls import normalise
from inspection.errors import ClockWrong
from inspection.place import Place
from storage.model import Run

FEWEST_SITES = 3  # clocks of single sites are wrong too


def require_true_day(place: Place, run: Run, plans: Sequence[SitePlan]) -> None:
    """Raise ClockWrong when a run was given the machine's day, and most of the sites say that it began on another.

    Asks the `Date` of the home pages. A day that somebody named is not doubted, nor is any by fewer than three sites.
    """
    zone = ZoneInfo(place.configuration.inventory.district.timezone)
    begun = run.created_at
    if run.day != begun.astimezone(zone).date():
        return
    told = true_day(begun, zone, [offset for plan in plans for offset in _offsets(place, run, plan)])
    if told is not None and told != run.day:
        raise ClockWrong(
            f"本机时钟的日期是 {run.day}，而多数网站的时钟是 {told}：本次巡查不作判定。"
            "请校准本机时钟（NTP），再重新巡查。"
        )


def true_day(begun: datetime, zone: ZoneInfo, offsets: Sequence[timedelta]) -> date | None:
    """Return the day on which it was `begun` by clocks that are so much ahead of ours; None when too few tell."""
    if len(offsets) < FEWEST_SITES:
        return None
    ahead = median(offset.total_seconds() for offset in offsets)
    return (begun + timedelta(seconds=ahead)).astimezone(zone).date()


def _offsets(place: Place, run: Run, plan: SitePlan) -> list[timedelta]:
    found = place.repository.captures(run.id, plan.site.id, [normalise(plan.site.home)])
    return [offset for capture in found if (offset := _offset(capture)) is not None][:1]


def _offset(capture: Capture) -> timedelta | None:
    """Return by how much the site's clock was ahead of ours; None when it does not say."""
    said = dict(capture.headers).get("date")
    if not said or capture.mode is not Mode.STATIC:
        return None
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - capture.captured_at
