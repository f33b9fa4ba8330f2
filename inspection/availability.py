"""站点可用性: one round of looks at every site's home page, kept for the nights that judge a week of them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from crawler.probes.availability import Look, Opening, look_around
from inspection.place import Place
from inspection.politeness import hosts_of
from storage.model import ANSWERED, OURS, UNSURE, HomeProbe

RESULTS = {Opening.OPEN: ANSWERED, Opening.OURS: OURS, Opening.UNSURE: UNSURE}


def probe_homes(place: Place) -> tuple[Look, ...]:
    """Look once at the home page of every site of the inventory and keep what came of it; raises StorageError."""
    inventory = place.configuration.inventory
    now = datetime.now(ZoneInfo(inventory.district.timezone))
    looks = look_around(
        inventory.sites,
        inventory.schedule.controls,
        settings=inventory.crawl,
        seconds=float(place.configuration.rules.checks.availability.seconds),
        hosts=hosts_of(place),
    )
    place.repository.add_home_probes(
        HomeProbe(look.site_id, now.date(), f"{now:%H:%M}", _result(look)) for look in looks
    )
    return looks


def _result(look: Look) -> str:
    return look.failure.code if look.failure else RESULTS[look.opening]
