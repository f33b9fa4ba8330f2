"""The day is the district's, whatever the machine's clock is set to."""

from __future__ import annotations

from config.schema import District
from inspection.day import day_in


def test_day_is_that_of_the_districts_time_zone() -> None:
    """It is never the same day in zones that are 26 hours apart."""
    first, last = (
        day_in(District(name="某区", division_code="130111", timezone=zone))
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12")
    )
    assert first > last
