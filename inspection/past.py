"""以前的采集: what earlier nights know of the pages that tonight is about to ask for."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property

from checks.model import Capture, EvidenceRef, Mode, Visit
from crawler.carrying import EarlierPage
from crawler.plan import SitePlan
from inspection.day import local
from inspection.place import Place
from storage.errors import DatabaseLocked, DatabaseUnreachable, EvidenceError
from storage.looks import LookStore
from storage.model import Look, Run

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Open:
    """What a run found open: the targets of findings, and the ids of the records that they cite."""

    targets: frozenset[str]
    records: frozenset[str]

    def concerns(self, look: Look) -> bool:
        cited = {capture.evidence.record_id for capture in look.captures if capture.evidence}
        return look.visits[0].url in self.targets or not cited.isdisjoint(self.records)


class Past:
    """The past of one run, for the sites of some plans; it answers `crawler.carrying.Earlier`.

    Only runs that were judged by the same rules and the same program count: after a change of either every page is
    asked for anew. A database that is away knows nothing, so that the page is asked for.
    """

    def __init__(self, place: Place, run: Run, plans: Iterable[SitePlan]) -> None:
        self._place, self._run = place, run
        self._units = {plan.site.id: tuple(unit.id for unit in plan.units) for plan in plans}
        self._looks = LookStore(place.database)
        self._files = cache(self._looks.files)
        self._open = cache(self._open_in)

    def pages(self, site_id: str, urls: Collection[str]) -> dict[str, EarlierPage]:
        """Return by URL what the newest earlier look at each page left, where all of its evidence is whole."""
        try:
            with self._place.repository.at_once():
                looks = self._looks.newest(list(self._runs), site_id, urls)
                whole = self._place.evidence.whole(
                    capture.evidence for look in looks.values() for capture in _kept(look) if capture.evidence
                )
                return {url: self._page(site_id, look) for url, look in looks.items() if _is_whole(look, whole)}
        except (DatabaseUnreachable, DatabaseLocked) as error:
            _logger.warning("the database is away, pages are asked for anew: %s", error)
            return {}

    def payload(self, capture: Capture) -> bytes | None:
        """Return the bytes of an earlier capture; None where they can be read no more."""
        try:
            return self._place.evidence.read_payload(capture.evidence) if capture.evidence else None
        except EvidenceError as error:
            _logger.warning("%s is asked for anew: %s", capture.url, error)
            return None

    @cached_property
    def _runs(self) -> dict[int, Run]:
        days = self._place.configuration.inventory.crawl.sampling.recheck_days
        since = self._run.day - timedelta(days=days)
        return {run.id: run for run in self._looks.runs_before(self._run, since)} if days else {}

    def _page(self, site_id: str, look: Look) -> EarlierPage:
        captures = _kept(look)
        district = self._place.configuration.inventory.district
        return EarlierPage(
            visits=look.visits,
            captures=captures,
            captured_on=min(local(capture.captured_at, district).date() for capture in captures),
            files=self._files_of(site_id, look),
            is_open=self._open(look.run_id, self._units[site_id]).concerns(look),
        )

    def _files_of(self, site_id: str, look: Look) -> tuple[Visit, ...] | None:
        if self._runs[look.run_id].inventory_digest != self._run.inventory_digest:
            return None
        return self._files(look.run_id, site_id).get(look.visits[0].url, ())

    def _open_in(self, run_id: int, units: Sequence[str]) -> _Open:
        targets, records = self._looks.open_records(run_id, units)
        return _Open(frozenset(targets), frozenset(records))


def _kept(look: Look) -> tuple[Capture, ...]:
    """Return what a page is read from: a picture of it is taken for a finding, and again for the next."""
    return tuple(capture for capture in look.captures if capture.mode is not Mode.SCREENSHOT)


def _is_whole(look: Look, whole: Set[EvidenceRef]) -> bool:
    kept = _kept(look)
    return bool(kept) and all(capture.evidence in whole for capture in kept)
