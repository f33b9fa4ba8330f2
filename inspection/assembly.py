"""From what a run stored to what the checks see: captures and visits of a site become pages, columns and bundles.

Each page is read once, however many columns list it. The same code serves a live night, a resumed one and stored runs.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import Protocol

from checks.facts.model import AttachmentFacts, PageFacts, PageKind
from checks.facts.page import read_page
from checks.model import (
    AvailabilityDay,
    Bundle,
    Capture,
    ColumnVisit,
    EvidenceRef,
    FailureKind,
    ListHistory,
    Mode,
    NewMediaAccount,
    Page,
    PageRole,
    Probe,
    ProbeKind,
    Visit,
)
from config.schema import Column, District, Site, Unit
from crawler.markup import is_markup
from crawler.site_crawl import known_kind
from inspection.errors import InspectionError
from storage.errors import DamagedRecord, MissingRecord, StorageError

log = logging.getLogger(__name__)
_HELD = 500  # pages read anew that are held: a page of several columns is mostly met again soon

Payload = Callable[[EvidenceRef], bytes]
Captures = Callable[[Collection[str]], Iterable[Capture]]  # those of some URLs of a site, as asked for


class Known(Protocol):
    """What has been read of a page already; None where it has yet to be read."""

    def __call__(
        self, digest: str, *, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None
    ) -> PageFacts | None:
        """Return the facts of the page whose bytes have that digest."""


def nothing_known(digest: str, **_: object) -> None:
    """Return None: every page is read from its bytes."""


@dataclass(frozen=True, slots=True)
class SiteMaterial:
    """What a run saw of one site, as far as it is about the site as a whole: of its columns the lists alone."""

    site: Site
    home: Page | None
    second_level: tuple[Page, ...]
    columns: tuple[ColumnVisit, ...]
    probes: tuple[Probe, ...]


@dataclass(frozen=True, slots=True)
class UnitMaterial:
    """What of one site concerns one unit: its columns there, the site's home page, the probes of links, and the pages
    that were only looked at again."""

    columns: tuple[ColumnVisit, ...]
    home: Page | None
    links: tuple[Probe, ...]
    revisited: tuple[ColumnVisit, ...]


class PageReader:
    """Reads the pages of one site, each capture once; not again those that are `known`.

    It holds the captures of the pages that were last looked up, so that a site of any size takes as much room.
    """

    def __init__(self, captures: Captures, payload: Payload, day: date, known: Known = nothing_known) -> None:
        self._look_up = captures
        self._captures: dict[str, list[Capture]] = {}
        self._payload = payload
        self._day = day
        self._known = known
        self._facts: dict[tuple[str, Mode, PageKind | None], PageFacts | None] = {}

    def look_up(self, visits: Iterable[Visit]) -> None:
        """Look up the captures of the pages that come next, all at once."""
        self._captures = {visit.url: [] for visit in visits}
        for capture in self._look_up(self._captures.keys()):
            self._captures[capture.url].append(capture)

    def page(self, visit: Visit, column: Column | None) -> Page:
        """Return the visit as a page: read from the rendered capture where there is one, else from the static one."""
        if visit.url not in self._captures:
            self.look_up([visit])
        captures = tuple(self._captures[visit.url])
        best = _best(captures)
        if best is None:
            return Page(visit, captures, capture=captures[-1] if captures else None)
        try:
            return self._read_page(visit, column, captures, best)
        except (MissingRecord, DamagedRecord) as error:  # ours alone: neither a fault of the page nor a missing one
            log.error("evidence of %s could not be read: %s", visit.url, error)
            return Page(replace(visit, failure=FailureKind.EVIDENCE_DAMAGED), captures, capture=best)
        except (StorageError, InspectionError):
            raise
        except (
            Exception
        ):  # a page that breaks our reader is a page we could not read, and costs no other page its verdict
            log.exception("page could not be read: %s", visit.url)
            return Page(replace(visit, failure=FailureKind.UNREADABLE), captures, capture=best)

    def _read_page(self, visit: Visit, column: Column | None, captures: tuple[Capture, ...], best: Capture) -> Page:
        if visit.role is PageRole.ATTACHMENT:
            return Page(visit, captures, attachment=self._attachment(visit, best), capture=best)
        facts = self._read(best, known_kind(visit.role, column))
        if facts is None:  # a file or an error message where a page should be: says nothing of the page
            return Page(replace(visit, failure=FailureKind.UNREADABLE), captures, capture=best)
        complete = best.mode is Mode.RENDERED or not facts.rendering_needs
        return Page(visit, captures, facts=facts, capture=best, complete=complete)

    def _read(self, capture: Capture, kind: PageKind | None) -> PageFacts | None:
        """Read a page once; what is known is not held here, and of what is not the last few, so that many pages take
        no room."""
        assert capture.evidence is not None
        url, told = capture.final_url or capture.url, capture.content_type
        known = self._known(capture.evidence.payload_digest, url=url, content_type=told, as_of=self._day, kind=kind)
        if known is not None:
            return known
        key = (capture.url, capture.mode, kind)
        if key not in self._facts:
            while len(self._facts) >= _HELD:
                del self._facts[next(iter(self._facts))]
            self._facts[key] = self._read_anew(capture, kind)
        return self._facts[key]

    def _read_anew(self, capture: Capture, kind: PageKind | None) -> PageFacts | None:
        assert capture.evidence is not None
        body = self._payload(capture.evidence)
        if not is_markup(capture, body):
            return None
        url = capture.final_url or capture.url
        return read_page(body, url=url, content_type=capture.content_type, as_of=self._day, kind=kind)

    def _attachment(self, visit: Visit, capture: Capture) -> AttachmentFacts:
        from checks.facts.attachments import read_attachment  # whose parsers take long to load, for few pages

        assert capture.evidence is not None
        name = (visit.title if visit.parent else "") or visit.url  # a list's entry bears a title, no file name
        return read_attachment(self._payload(capture.evidence), name=name, content_type=capture.content_type)


def at_hand(captures: Iterable[Capture]) -> Captures:
    """Return how captures are looked up that lie in memory."""
    by_url: defaultdict[str, list[Capture]] = defaultdict(list)
    for capture in captures:
        by_url[capture.url].append(capture)
    return lambda urls: [capture for url in urls for capture in by_url.get(url, ())]


def _best(captures: Sequence[Capture]) -> Capture | None:
    readable = {c.mode: c for c in captures if c.failure is None and c.evidence is not None}
    return readable.get(Mode.RENDERED) or readable.get(Mode.STATIC)


class SitePages:
    """The pages of one site in their places, read unit by unit: nobody needs those of all its units at once."""

    def __init__(
        self,
        site: Site,
        units: Sequence[Unit],
        visits: Sequence[Visit],
        probes: Sequence[Probe],
        reader: PageReader,
    ) -> None:
        self._site, self._units, self._reader = site, units, reader
        self._visits: dict[tuple[str, str], list[Visit]] = defaultdict(list)
        for visit in visits:
            if visit.unit_id is not None and visit.column_id is not None:
                self._visits[visit.unit_id, visit.column_id].append(visit)
        self._probes = tuple(probes)
        self._links = tuple(probe for probe in probes if probe.kind is ProbeKind.LINK)
        self._home = next((reader.page(visit, None) for visit in visits if visit.role is PageRole.HOME), None)
        second = (visit for visit in visits if visit.role is PageRole.SECOND_LEVEL)
        self._second_level = tuple(reader.page(visit, None) for visit in second)

    def of_unit(self, unit: Unit) -> UnitMaterial:
        """Read what concerns one unit."""
        columns = tuple(self._columns(unit, revisit=False))
        return UnitMaterial(columns, self._home, self._links, tuple(self._columns(unit, revisit=True)))

    def of_site(self) -> SiteMaterial:
        """Read what is about the site as a whole: of all its units' columns the lists."""
        lists = (visit for unit in self._units for visit in self._columns(unit, revisit=False, whole=False))
        return SiteMaterial(self._site, self._home, self._second_level, tuple(map(_only_lists, lists)), self._probes)

    def _columns(self, unit: Unit, *, revisit: bool, whole: bool = True) -> Iterator[ColumnVisit]:
        asked = [(column, self._asked(unit, column, revisit)) for column in unit.columns]
        wanted = [[visit for visit in visits if whole or visit.role is PageRole.COLUMN] for _, visits in asked]
        self._reader.look_up(chain.from_iterable(wanted))
        for (column, visits), some in zip(asked, wanted, strict=True):
            if visits:
                yield _column(unit, column, some, self._reader)

    def _asked(self, unit: Unit, column: Column, revisit: bool) -> list[Visit]:
        return [visit for visit in self._visits.get((unit.id, column.id), ()) if visit.revisit == revisit]


def _only_lists(visit: ColumnVisit) -> ColumnVisit:
    """Leave out what was read of a column, but whether its lists could be read: all that a site is asked about them."""
    pages = tuple(replace(page, facts=page.facts and _bare(page.facts)) for page in visit.pages)
    return replace(visit, pages=pages, articles=(), attachments=())


def _bare(facts: PageFacts) -> PageFacts:
    return PageFacts(facts.url, facts.charset, facts.kind, facts.title)


def _column(unit: Unit, column: Column, visits: list[Visit], reader: PageReader) -> ColumnVisit:
    never_asked = [visit.failure for visit in visits if visit.role is PageRole.COLUMN and not column.url]
    if never_asked:
        return ColumnVisit(column, unit, failure=never_asked[0])

    def pages(role: PageRole) -> tuple[Page, ...]:
        wanted = sorted((visit for visit in visits if visit.role is role), key=lambda visit: (visit.order, visit.url))
        return tuple(reader.page(visit, column) for visit in wanted)

    return ColumnVisit(
        column,
        unit,
        pages=pages(PageRole.COLUMN),
        articles=pages(PageRole.ARTICLE),
        attachments=pages(PageRole.ATTACHMENT),
    )


def site_bundle(
    material: SiteMaterial, district: District, day: date, availability: Sequence[AvailabilityDay] = ()
) -> Bundle:
    """Return what the site-scope checks see; `availability` is that of the seven days before."""
    return Bundle(
        day=day,
        site=material.site,
        division_code=district.division_code,
        domain_suffix=district.domain_suffix,
        home=material.home,
        second_level=material.second_level,
        columns=material.columns,
        probes=material.probes,
        availability=tuple(availability),
    )


def unit_bundle(
    unit: Unit,
    parts: Sequence[UnitMaterial],
    district: District,
    day: date,
    histories: Sequence[ListHistory] = (),
    new_media: tuple[NewMediaAccount, ...] | None = None,
) -> Bundle:
    """Return what the page-, column- and unit-scope checks see: the unit's columns on all sites, in inventory order.

    `histories` are what earlier nights saw of its lists, `new_media` the register of all units' accounts, if any.
    """
    place = {column.id: index for index, column in enumerate(unit.columns)}
    columns = (visit for part in parts for visit in part.columns)
    return Bundle(
        day=day,
        unit=unit,
        division_code=district.division_code,
        domain_suffix=district.domain_suffix,
        columns=tuple(sorted(columns, key=lambda visit: place[visit.column.id])),
        homes=tuple(part.home for part in parts if part.home is not None),
        probes=tuple(probe for part in parts for probe in part.links),
        histories=tuple(histories),
        new_media=None if new_media is None else tuple(a for a in new_media if a.unit_id == unit.id),
    )
