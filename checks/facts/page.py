"""Reading a page: from bytes to everything the checks know of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from checks.facts.attributes import read_attributes
from checks.facts.dates import ReadingDay
from checks.facts.document import read_document
from checks.facts.dom import Dom, parse
from checks.facts.error_report import read_error_reports
from checks.facts.forms import read_forms, read_loose_fields
from checks.facts.hidden import read_hidden_links
from checks.facts.identity import read_identity
from checks.facts.kinds import PROSE_OF_ENTRY, prose, read_kind
from checks.facts.labels import LabelPair, label_pairs
from checks.facts.links import read_frames, read_images, read_links, read_scripts, shows_picture
from checks.facts.lists import read_list
from checks.facts.model import EntryList, PageFacts, PageKind, PublishedDate
from checks.facts.official_form import read_form
from checks.facts.publication import published
from checks.facts.scripts import is_soft_not_found, read_redirect, rendering_needs
from checks.facts.tables import read_tables
from checks.facts.titles import Title, read_title

_LISTING = (PageKind.HOME, PageKind.COLUMN)


class Reading(Protocol):
    """A way to read a page: `read_page`, or one that remembers what it has read."""

    def __call__(
        self, body: bytes, *, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None
    ) -> PageFacts:
        """Return the facts of a page, those that `read_page` returns."""


def read_page(
    body: bytes,
    *,
    url: str | None = None,
    content_type: str | None = None,
    as_of: date,
    kind: PageKind | None = None,
) -> PageFacts:
    """Return the facts of a page. Total: any bytes are read; the same arguments give the same facts.

    `url` is the address the body came from, `content_type` its HTTP header, `as_of` the day it was captured (years left
    out and 3天前 are counted from it). `kind` is what the inventory says of the page; without it the page is asked.
    """
    dom = parse(body, url=url, content_type=content_type)
    pairs = label_pairs(dom)
    today = ReadingDay(as_of)
    kind, title, dates, entries = _kind_and_list(dom, kind, today, pairs)
    if kind in _LISTING and entries.entries:
        pairs = ()  # they are what a list says of its entries
    document = read_document(dom, pairs, as_of)
    identity = read_identity(dom)
    reports = read_error_reports(dom)
    return PageFacts(
        url=url,
        charset=dom.charset,
        kind=kind,
        title=title.text,
        published=dates,
        attributes=read_attributes(dom, pairs),
        document=document,
        form=read_form(dom, pairs, document, title.text),
        identity=identity,
        list=entries,
        links=read_links(dom),
        frames=read_frames(dom),
        images=read_images(dom),
        picture=shows_picture(dom),
        scripts=read_scripts(dom),
        forms=read_forms(dom),
        loose_fields=read_loose_fields(dom),
        hidden_links=read_hidden_links(dom),
        error_reports=reports,
        tables=read_tables(dom),
        meta=dom.meta,
        text=dom.text,
        body_text=dom.body_text,
        redirect=read_redirect(dom),
        rendering_needs=rendering_needs(
            dom,
            kind=kind,
            entries=entries,
            identity=identity,
            published=dates,
            has_error_report=bool(reports),
        ),
        soft_not_found=is_soft_not_found(dom),
        day_dependent=today.mattered,
    )


def _kind_and_list(
    dom: Dom, kind: PageKind | None, today: ReadingDay, pairs: Sequence[LabelPair]
) -> tuple[PageKind, Title, PublishedDate, EntryList]:
    """What the page is, with the facts that say so: an article has no list, a list page no publication date."""
    title = read_title(dom, kind, pairs)
    dates = published(dom, today=today, title=title.span, undated=kind in _LISTING)
    if kind is PageKind.ARTICLE:
        return kind, title, dates, EntryList()
    entries = read_list(dom, today=today, kind=kind)
    if kind is None:
        kind = read_kind(dom, title, entries, dates)
        if (
            kind is PageKind.OTHER
            and entries.total_pages is None
            and prose(dom) >= PROSE_OF_ENTRY * len(entries.entries)
        ):
            entries = EntryList()  # what else there is to read, beside a text
        if kind in _LISTING:
            title, dates = read_title(dom, kind), published(dom, today=today, undated=True)
        if kind is PageKind.HOME:
            entries = read_list(dom, today=today, kind=kind)
    if kind is PageKind.ARTICLE or (kind not in _LISTING and entries.newest is None):
        entries = EntryList()  # the links of a single page are no list of news
    return kind, title, dates, entries
