"""文明采集: who we say we are, and whom we heed."""

from __future__ import annotations

from importlib.metadata import version
from urllib.parse import quote

ROBOTS_NAME = "xuncha"


class RobotsDisallowed(Exception):
    """robots.txt keeps us out: ask the owner, then set the site's robots_override_reason."""


def user_agent(contact: str) -> str:
    """Return the User-Agent: our name, version, and where a site's owner can reach us."""
    return f"{ROBOTS_NAME}/{version('xuncha')}" + (f" (+{quote(contact, safe=':/@.+-_? =&')})" if contact else "")
