"""线索: what the pages of a site lead to, and what of it the night still has to ask for. No network."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from checks.facts.error_report import is_national_service
from checks.facts.model import PageFacts
from checks.model import Capture, FailureKind
from crawler.guard import Refused, check_url
from crawler.urls import InvalidUrl, host_of, normalise, same_site

_LONGEST = 2_000  # characters of an address
_MOST_LEADS = 100_000  # of a site
_MOST_SPELLINGS = 20  # of one address
_OUTER_LINKS = 1  # asked a night and host that is not the site's
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to get what a link leads to."""

    method: str
    at: str  # ISO time
    status: int | None = None
    size: int = 0
    error: str = ""
    soft_404: bool = False  # the page says itself that it is not there
    no_such_name: bool = False

    @property
    def is_dead(self) -> bool:
        """Whether this answer leaves no doubt."""
        return self.soft_404 or self.no_such_name or self.status in _GONE

    @property
    def is_alive(self) -> bool:
        """Whether something was there."""
        return not self.is_dead and not self.error and self.status is not None and 200 <= self.status < 400

    @property
    def words(self) -> str:
        """What the attempt came to, in Chinese."""
        if self.soft_404:
            return "页面自称不存在"
        if self.no_such_name:
            return "域名不存在"
        return self.error or f"HTTP {self.status}"

    @property
    def plain(self) -> dict[str, object]:
        """The attempt as JSON-like data, as checks/model.py tells."""
        return {
            "method": self.method,
            "at": self.at,
            "status": self.status,
            "bytes": self.size,
            "error": self.error or ("域名不存在" if self.no_such_name else ""),
            "soft_404": self.soft_404,
        }


@dataclass(frozen=True, slots=True)
class Lead:
    """One address that pages lead to: how they write it, and the night's capture of it where that found nothing."""

    url: str
    kind: str  # page, image, attachment
    written: tuple[str, ...]
    captured: Try | None = None


def gather(pages: Iterable[PageFacts]) -> dict[str, Lead]:
    """Return everything that the pages lead to or show, by normalised address."""
    found: dict[str, tuple[str, dict[str, None]]] = {}
    kept = set[str]()
    for page in pages:
        for kind, written in _written(page):
            if written in kept:
                continue
            url = _askable(written)
            if not url or (url not in found and len(found) >= _MOST_LEADS):
                continue
            spellings = found.setdefault(url, (kind, {}))[1]
            if len(spellings) < _MOST_SPELLINGS:
                spellings[written] = None
                kept.add(written)
    return {url: Lead(url, kind, tuple(written)) for url, (kind, written) in found.items()}


def unanswered(
    leads: Mapping[str, Lead], captures: Iterable[Capture], soft_not_found: Collection[str]
) -> tuple[Lead, ...]:
    """Return the leads to which the night's captures are no answer; those found missing once are to be asked again.

    `soft_not_found` are the addresses, as captured, of pages that say they are not there.
    """
    left = dict(leads)
    for capture in captures:
        missing = _missing(capture, capture.url in soft_not_found)
        for url in {capture.url, capture.final_url} if not missing else {capture.url}:
            lead = left.get(_askable(url))
            if lead is None or (lead.kind != "page" and "html" in capture.content_type and missing is None):
                continue  # a page where a file should be may say that there is none
            left.pop(lead.url)
            if missing is not None:
                left[lead.url] = replace(lead, captured=missing)
    return tuple(left.values())


def draw(
    leads: Iterable[Lead], most: int, *, home: str, day: date, seed: str, dead_before: Collection[str] = ()
) -> tuple[Lead, ...]:
    """Return the leads of tonight, at most `most` and of an outer host one: same input, same draw.

    First those that were missing tonight or on the last nights, then the part of the rest whose turn it is: every lead
    has its turn within as many nights as there are parts.
    """
    listed = tuple(leads)
    parts = -(-len(listed) // most) if most else 1

    def rank(lead: Lead) -> tuple[bool, bool, bytes]:
        number = int.from_bytes(hashlib.sha256(lead.url.encode("utf-8", "replace")).digest()[:8])
        lot = hashlib.sha256(f"{seed}\n{lead.url}".encode("utf-8", "replace")).digest()
        suspect = lead.captured is not None or lead.url in dead_before
        return not suspect, (number + day.toordinal()) % parts != 0, lot

    drawn: list[Lead] = []
    outer: dict[str, int] = {}
    for lead in sorted(listed, key=rank):
        host = host_of(lead.url)
        if not same_site(lead.url, home):
            outer[host] = outer.get(host, 0) + 1
            if outer[host] > _OUTER_LINKS:
                continue
        drawn.append(lead)
    return tuple(drawn[:most])


def _written(page: PageFacts) -> Iterator[tuple[str, str]]:
    """Yield what a page leads to; strangers' sites that it hides from visitors are another check's matter."""
    home = page.url or ""
    hidden = {link.url for link in page.hidden_links if not same_site(link.url, home)}
    shown = (link for link in page.links if link.url not in hidden)
    yield from (("attachment" if link.attachment else "page", link.url) for link in shown)
    yield from (("page", entry.url) for entry in page.list.entries)
    yield from (("page", frame) for frame in page.frames)
    yield from (("image", image) for image in page.images)


@lru_cache(maxsize=16_384)  # a site's menus stand on page after page
def _askable(written: str) -> str:
    try:
        check_url(written)
        url = normalise(written)
    except (Refused, InvalidUrl):
        return ""
    return url if len(url) <= _LONGEST and not is_national_service(url) else ""


def _missing(capture: Capture, soft: bool) -> Try | None:
    no_such_name = capture.failure is FailureKind.DNS_NOT_FOUND
    if not (soft or no_such_name or capture.status in _GONE):
        return None
    at = capture.captured_at.isoformat()
    return Try("GET", at, capture.status, capture.length, soft_404=soft, no_such_name=no_such_name)
