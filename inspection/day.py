"""Which day it is: the district's, wherever the machine stands."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from config.schema import District


def day_in(district: District) -> date:
    """Return the day it is in the district."""
    return datetime.now(ZoneInfo(district.timezone)).date()
