"""Inside or outside: whether an address belongs to the site that links to it."""

from __future__ import annotations

from urllib.parse import urlsplit

from checks.facts.model import PageFacts

SHARED_SUFFIXES = frozenset({"gov.cn", "org.cn", "com.cn", "edu.cn"})  # www.gov.cn stands above no other site


def host_of(url: str) -> str:
    """Return the URL's host name without a leading www, or an empty string."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # a hostile page may link to http://[
        return ""


def is_outside(url: str, home: str) -> bool:
    """Whether the URL leads to a host that is neither that of `home` nor above or below it."""
    host, own = host_of(url), host_of(home)
    return bool(host and own) and host != own and not _is_below(host, own) and not _is_below(own, host)


def _is_below(host: str, above: str) -> bool:
    return above not in SHARED_SUFFIXES and host.endswith(f".{above}")


def leads_outside_only(facts: PageFacts, home: str) -> bool:
    """Whether the page lists entries, or frames another page, and every one of them stands on another site."""
    leads = [entry.url for entry in facts.list.entries] or list(facts.frames)
    return bool(leads) and all(is_outside(url, home) for url in leads)
