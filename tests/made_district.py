"""The made-up district as a configuration, for tests that serve nothing of it."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from fixtures.district.inventory import write_config
from fixtures.district.model import World
from fixtures.district.world import build


@cache
def made_district(day: date) -> World:
    """Return the district of a day, on ports where nobody listens."""
    return build(day, 8000, 8001)


def write_made_config(day: date, folder: Path) -> None:
    """Write the configuration of the district of a day."""
    write_config(made_district(day), 53, folder)
