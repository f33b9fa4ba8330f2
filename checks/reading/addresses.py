"""Addresses: when two spellings are one, and whether an address belongs to the site that links to it."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote, urldefrag, urlsplit

from checks.facts.model import PageFacts

SHARED_SUFFIXES = frozenset(
    {"gov.cn", "org.cn", "com.cn", "edu.cn", "net.cn", "ac.cn", "mil.cn"}
)  # www.gov.cn stands above no other site


# ---------------------------------------------------------------- spellings


def comparable(url: str) -> str:
    """Return the URL in the form in which two spellings of one address are equal: decoded, without fragment."""
    return unquote(urldefrag(url).url) if "%" in url or "#" in url else url


def bare_address(url: str) -> str:
    """Return the address in the form in which those of a folder are equal: /tzgg/index.html is /tzgg/."""
    return re.sub(r"/index\.s?html?$", "", comparable(url)).rstrip("/")


def file_name(url: str) -> str:
    """Return the last part of the URL's path, decoded."""
    return unquote(urldefrag(url).url.partition("?")[0].rpartition("/")[2])


# ---------------------------------------------------------------- inside or outside


@lru_cache(maxsize=1024)  # every check asks where the pages of a unit stand
def host_of(url: str) -> str:
    """Return the URL's host name without a leading www, or an empty string."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # a hostile page may link to http://[
        return ""


def full_host_of(url: str) -> str:
    """Return the URL's host name as it is written, in lower case, or an empty string."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_under(host: str, suffix: str) -> bool:
    """Whether the host name ends in the suffix, and has a name of its own before it."""
    return host.endswith(f".{suffix}")


def registered_domain(host: str, suffix: str = "gov.cn") -> str:
    """Return the part of a host name that its owner registered: one label before the suffix (www.a.gov.cn: a.gov.cn).

    `suffix` is that of the district's own sites; of other names the last two labels, or three below a shared suffix.
    """
    labels = host.split(".")
    shared = next((s for s in (suffix, *SHARED_SUFFIXES) if is_under(host, s)), labels[-1])
    return ".".join(labels[-(shared.count(".") + 2) :])


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
