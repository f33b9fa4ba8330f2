"""Which day it is: the district's, wherever the machine stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from config.schema import District


def day_in(district: District) -> date:
    """Return the day it is in the district."""
    return datetime.now(ZoneInfo(district.timezone)).date()


def local(moment: datetime, district: District) -> datetime:
    """Return an instant as the district's clocks show it."""
    return moment.astimezone(ZoneInfo(district.timezone))


def spans(days: Iterable[date]) -> list[tuple[date, date]]:
    """Return days that follow one another as pairs of the first and the last."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
