"""文明采集: who we say we are, and whom we heed."""

from __future__ import annotations

from importlib.metadata import version
from urllib.parse import quote

ROBOTS_NAME = "xuncha"


class HostSpared(Exception):
    """The host was not asked, for its own sake; what is left is for another night."""


class DayBudgetSpent(HostSpared):
    """We have asked the host as much as a day allows: raise requests_per_day or bytes_per_day, or wait a day."""


class HostResting(HostSpared):
    """The host asked for a longer rest than there is time left: raise site_time_limit_seconds, or wait a night."""


class RobotsUnreadable(Exception):
    """robots.txt cannot be read, which forbids everything: ask the owner to mend it, or wait until it is."""


class RobotsDisallowed(Exception):
    """robots.txt keeps us out: ask the owner, then set the site's robots_override_reason."""


def user_agent(contact: str) -> str:
    """Return the User-Agent: our name, version, and where a site's owner can reach us."""
    return f"{ROBOTS_NAME}/{version('xuncha')}" + (f" (+{quote(contact, safe=':/@.+-_? =&')})" if contact else "")
