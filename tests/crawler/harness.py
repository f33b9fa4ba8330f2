"""Runs a crawl in a child process (the reactor runs once a process) and brings back what it stored."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from checks.model import Capture, EvidenceRef, Mode, PageRole, Probe, Revisit, Visit
from config.schema import Column, ColumnType, Crawl, Sampling, Site, Unit, UnitKind
from crawler import names
from crawler.crawl import crawl
from crawler.plan import SitePlan
from crawler.screenshots import take_screenshots
from crawler.sink import Exchange
from crawler.task import CrawlSummary
from crawler.turns import Turns, nobody

CHILDREN = multiprocessing.get_context("forkserver")
# Imports cost more than most crawls.
CHILDREN.set_forkserver_preload(["tests.crawler.harness", "crawler.download", "tests.crawler.test_hostile_pages"])
DAY = date(2026, 11, 20)
MANNERS = Crawl(
    contact="mailto:inspection@example.test",
    requests_per_second=200,
    timeout_seconds=5,
    retries=0,
    block_rest_seconds=0,
    max_redirects=3,
    allow_private_addresses=True,
    sampling=Sampling(newest=2, older=1, list_pages=3, attachments=2),
)


@dataclass
class MemorySink:
    """Keeps everything in memory, and finds it again as an interrupted run's store would."""

    captures: list[Capture] = field(default_factory=list)
    exchanges: dict[tuple[str, str, Mode], Exchange | None] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    summary: CrawlSummary = field(default_factory=CrawlSummary)
    done: list[str] = field(default_factory=list)

    def store(self, capture: Capture, exchange: Exchange | None) -> Capture:
        kept = replace(capture, evidence=EvidenceRef("memory", len(self.captures), "", ""))
        self.captures.append(kept)
        self.exchanges[capture.site_id, capture.url, capture.mode] = exchange
        return kept

    def store_unchanged(self, capture: Capture) -> Capture:
        self.captures.append(capture)
        return capture

    def visit(self, visit: Visit) -> None:
        self.visits.append(visit)

    def probe(self, probe: Probe) -> None:
        raise AssertionError("a crawl makes no probes")

    def find(self, site_id: str, url: str, mode: Mode) -> tuple[Capture, bytes] | None:
        for capture in self.captures:
            if (capture.site_id, capture.url, capture.mode) == (site_id, url, mode):
                exchange = self.exchanges[site_id, url, mode]
                return capture, exchange.payload if exchange else b""
        return None

    def capture(self, url: str, mode: Mode = Mode.STATIC) -> Capture:
        (found,) = [capture for capture in self.captures if (capture.url, capture.mode) == (url, mode)]
        return found

    def of_role(self, role: PageRole) -> list[Visit]:
        return [visit for visit in self.visits if visit.role is role]


class BrokenSink(MemorySink):
    """A store whose disk is full."""

    def store(self, capture: Capture, exchange: Exchange | None) -> Capture:
        raise OSError("no space left")


def plan(
    home: str,
    columns: dict[str, str | None] | None = None,
    settings: Crawl = MANNERS,
    site_id: str = "portal",
    again: dict[str, str] | None = None,
) -> SitePlan:
    """Plan a site with one unit that owns the columns (id -> URL); `again` are pages to revisit (URL -> column)."""
    owned = tuple(
        Column(id=column, type=ColumnType.NOTICE, name=column, site=site_id, url=url)
        for column, url in (columns or {}).items()
    )
    unit = Unit(id="education", name="区教育局", kind=UnitKind.DEPARTMENT, column=owned)
    site = Site(id=site_id, name="门户", home=home)
    revisits = tuple(
        Revisit(url, unit.id, column, "open_attribute", "", number)
        for number, (url, column) in enumerate((again or {}).items(), start=1)
    )
    return SitePlan(site, (unit,), tuple((unit, column) for column in owned), DAY, "s1", settings, revisits)


def run(
    *plans: SitePlan,
    settings: Crawl = MANNERS,
    replay: MemorySink | None = None,
    browser: Path | None = None,
    sink: MemorySink | None = None,
    name_seconds: float = names.LIFETIME,
) -> MemorySink:
    """Crawl in a child process and return what was stored; a silent name server is waited for `name_seconds`."""
    with ProcessPoolExecutor(1, mp_context=CHILDREN, initializer=_wait_for_names, initargs=(name_seconds,)) as pool:
        return pool.submit(_crawl, plans, settings, replay, browser, sink or MemorySink()).result()


def _wait_for_names(seconds: float) -> None:
    names.LIFETIME = seconds


def _crawl(
    plans: tuple[SitePlan, ...], settings: Crawl, replay: MemorySink | None, browser: Path | None, sink: MemorySink
) -> MemorySink:
    sink.summary = crawl(
        plans,
        settings=settings,
        day=DAY,
        sink=sink,
        replay=replay,
        browser=browser,
        on_site_done=sink.done.append,
        clock=lambda: datetime.now(UTC),
    )
    return sink


def shoot(urls: dict[str, tuple[str, ...]], browser: Path | None, turns: Turns | None = None) -> MemorySink:
    """Take screenshots in a child process and return what was stored; `turns` say who goes first."""
    assert browser is not None
    with ProcessPoolExecutor(1, mp_context=CHILDREN) as pool:
        return pool.submit(_shoot, urls, browser, turns).result()


def _shoot(urls: dict[str, tuple[str, ...]], browser: Path, turns: Turns | None) -> MemorySink:
    sink = MemorySink()
    is_taken = turns.is_taken if turns else nobody
    take_screenshots(urls, settings=MANNERS, sink=sink, browser=browser, is_taken=is_taken)
    return sink
