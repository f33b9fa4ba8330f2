"""沿用: which pages a night asks for, and which it takes as an earlier one saw them. Pure: same day, same choice.

Lists are asked for every night. An article or a file that the sample draws, that its lists tell of as they did, and of
which nothing open was said, is what it was: it is asked for again when its turn comes, once in `recheck_days`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from typing import Protocol

from checks.model import Capture, Mode, PageRole, Visit
from checks.reading.masking import masked

DETAILS = frozenset({PageRole.ARTICLE, PageRole.ATTACHMENT})
_NOTE = "（沿用 "


class Asking(Enum):
    """How a page is asked for."""

    ANEW = auto()
    IF_CHANGED = auto()  # 条件请求: its bytes need not come again where they are what they were
    NOT_TONIGHT = auto()  # 沿用: what an earlier night captured stands for tonight


@dataclass(frozen=True, slots=True)
class EarlierPage:
    """What the newest look at a page left that an earlier run by the same rules had.

    `captured_on` is the district's day of the oldest of `captures`, `files` the visits to files that it led to, None
    where tonight's plan may want others; `is_open` tells that something said of it waits for another look.
    """

    visits: tuple[Visit, ...]
    captures: tuple[Capture, ...]
    captured_on: date
    files: tuple[Visit, ...] | None = ()
    is_open: bool = False

    def of_mode(self, mode: Mode) -> Capture | None:
        """Return the page's good capture of a mode."""
        return next((capture for capture in self.captures if capture.mode is mode and capture.failure is None), None)

    @property
    def rendering_wanted(self) -> bool:
        """Whether a browser was asked for the page."""
        return any(visit.rendering_wanted for visit in self.visits)

    @property
    def is_good(self) -> bool:
        """Whether the page was there, and captured in every way that was wanted."""
        static = self.of_mode(Mode.STATIC)
        if static is None or static.status != 200 or any(visit.failure for visit in self.visits):
            return False
        return not self.rendering_wanted or self.of_mode(Mode.RENDERED) is not None

    def was_listed_as(self, visit: Visit) -> bool:
        """Whether the same column listed the page under the same title and date; titles are kept masked."""
        return any(
            (visit.unit_id, visit.column_id, visit.listed_date) == (kept.unit_id, kept.column_id, kept.listed_date)
            and kept.title in (visit.title, masked(visit.title))
            for kept in self.visits
        )


class Earlier(Protocol):
    """What earlier runs know of pages."""

    def pages(self, site_id: str, urls: Collection[str]) -> Mapping[str, EarlierPage]:
        """Return by URL what is known of some pages of a site, those alone whose evidence is whole."""

    def payload(self, capture: Capture) -> bytes | None:
        """Return the bytes of such a capture; None where they can be read no more."""


class NothingEarlier:
    """The past of a run that asks for everything anew: a spot check, for somebody wants to know what is there now."""

    def pages(self, site_id: str, urls: Collection[str]) -> Mapping[str, EarlierPage]:
        """Return nothing."""
        return {}

    def payload(self, capture: Capture) -> bytes | None:
        """Return None."""
        return None


def asking(
    earlier: EarlierPage | None, url: str, role: PageRole, visits: Sequence[Visit], day: date, recheck_days: int
) -> Asking:
    """Return how a page is asked for on a day, for these visits.

    Once in `recheck_days` every page is asked for anew, whatever a server says of its having changed.
    """
    if earlier is None or not earlier.is_good or is_due(url, earlier.captured_on, day, recheck_days):
        return Asking.ANEW
    if role not in DETAILS:
        return Asking.IF_CHANGED
    if not all(earlier.was_listed_as(visit) for visit in visits):
        return Asking.ANEW
    looked_at_again = any(visit.revisit for visit in visits)
    return Asking.IF_CHANGED if earlier.is_open or looked_at_again else Asking.NOT_TONIGHT


def is_due(url: str, captured_on: date, day: date, recheck_days: int) -> bool:
    """Whether it is a page's turn: by its address, the same part of all pages each night, or for it is overdue."""
    if recheck_days == 0 or (day - captured_on).days >= recheck_days:
        return True
    lot = int.from_bytes(hashlib.sha256(url.encode("utf-8", "replace")).digest()[:8])
    return (lot + day.toordinal()) % recheck_days == 0


def noted(reason: str, captured_on: date) -> str:
    """Return why a page was looked at, with the day of the capture that stands for tonight."""
    return f"{reason}{_NOTE}{captured_on} 的采集）"


def without_note(reason: str) -> str:
    """Return why a page was looked at, whichever night it was."""
    return reason.partition(_NOTE)[0]


def validators(capture: Capture | None) -> dict[str, str]:
    """Return the headers of a request that wants a page's bytes only where they changed since a capture.

    None where the server named nothing to tell by, or another address answered.
    """
    if capture is None or capture.redirects or capture.final_url not in ("", capture.url):
        return {}
    said = dict(capture.headers)
    known = {"If-None-Match": said.get("etag"), "If-Modified-Since": said.get("last-modified")}
    return {name: value for name, value in known.items() if value}
