"""采集: runs the spiders over a batch of sites, in a child process: Twisted's reactor runs once a process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from scrapy.crawler import CrawlerRunner
from scrapy.settings.default_settings import EXTENSIONS_BASE, SPIDER_MIDDLEWARES_BASE
from scrapy.utils.reactor import install_reactor

from checks.facts.page import Reading, read_page
from config.schema import Crawl, Site
from crawler.carrying import Earlier, NothingEarlier
from crawler.download import KnownNames
from crawler.gateway import Gateway
from crawler.hosts import Hosts, host_rules
from crawler.names import Names
from crawler.plan import SitePlan
from crawler.politeness import ROBOTS_NAME, user_agent
from crawler.read_ahead import ReadingAhead
from crawler.rendering import browser_settings, without_heavy_parts
from crawler.sink import CaptureSink, NothingCaptured, Replay
from crawler.spiders.base import DistrictSpider
from crawler.spiders.inspection import InspectionSpider
from crawler.task import CrawlSummary, Workplace
from crawler.turns import nobody
from crawler.urls import host_of

_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
_OURS, _SCRAPY = "crawler.download.", "scrapy.downloadermiddlewares."


class CrawlIncomplete(Exception):
    """The crawl ended before all its sites were through, a fault of ours: resume the run, and report the log."""


def crawl(
    plans: tuple[SitePlan, ...],
    *,
    settings: Crawl,
    day: date,
    sink: CaptureSink,
    replay: Replay | None = None,
    browser: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda done, known: None,
    on_site_done: Callable[[str], None] = lambda site_id: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    is_taken: Callable[[str], bool] = nobody,
    hosts: Hosts | None = None,
    read: Reading = read_page,
    ahead: ReadingAhead | None = None,
    earlier: Earlier | None = None,
) -> CrawlSummary:
    """Capture the planned pages of all sites into `sink` and return what came of it; blocks until all is in.

    `on_progress` takes the pages done and the pages known so far, `on_site_done` a finished site's id;
    a host that `is_taken` is not asked until it is free again. `hosts` keep each host's pace, `earlier` is what
    earlier runs know of pages: without it every page is asked for anew.
    A site's failures are captures; only what makes it impossible to go on (the sink's errors) is raised. Runs the
    reactor, so it works once a process.
    """
    book = hosts or Hosts(settings, host_rules((plan.site for plan in plans), settings))
    known = replay or NothingCaptured()
    place = workplace(settings, sink, known, browser, clock, on_progress, on_site_done, hosts=book)
    place = replace(place, is_taken=is_taken, read=read, ahead=ahead, earlier=earlier or NothingEarlier())
    more: dict[str, Any] = {"DOWNLOAD_SLOTS": slots((plan.site for plan in plans), book)}
    if place.gateway is not None:
        more["PLAYWRIGHT_ABORT_REQUEST"] = without_heavy_parts
    run_spider(InspectionSpider, place, more, plans=plans, day=day)
    lost = {plan.site.id for plan in plans} - set(place.summary.finished)
    if lost:
        raise CrawlIncomplete(f"采集中途停止，这些站点没有采完：{'、'.join(sorted(lost))}")
    return place.summary


def slots(sites: Iterable[Site], hosts: Hosts) -> dict[str, dict[str, float]]:
    """Return how many requests each site's host is sent at once, as Scrapy's downloader wants it."""
    return {
        (host := host_of(site.home)): {"concurrency": hosts.rule(host).at_once, "delay": 0.0, "jitter": 0.0}
        for site in sites
    }


def workplace(
    settings: Crawl,
    sink: CaptureSink,
    replay: Replay,
    browser: Path | None,
    clock: Callable[[], datetime],
    on_progress: Callable[[int, int], None] = lambda done, known: None,
    on_site_done: Callable[[str], None] = lambda site_id: None,
    *,
    hosts: Hosts,
) -> Workplace:
    """Return what a spider works with; with a browser, its way out is bound to a port already."""
    names = Names(settings.resolver, settings.allow_private_addresses, remembered=settings.names_remembered_seconds)
    renders = browser is not None and settings.render != "never"
    gateway = Gateway(names, settings.timeout_seconds, hosts.received) if renders else None
    summary = CrawlSummary()
    return Workplace(
        settings, sink, replay, names, gateway, browser, clock, on_progress, on_site_done, summary, hosts=hosts
    )


def run_spider(spider: type[DistrictSpider], place: Workplace, more: dict[str, Any], **kwargs: Any) -> None:
    """Run one spider in the reactor until it is through; raises the error that ended it early."""
    for name in ("scrapy", "scrapy-playwright", "twisted"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # every outcome is a capture already
    install_reactor(_REACTOR)
    from twisted.internet import reactor

    reactor.installNameResolver(KnownNames(place.names))
    crawler = CrawlerRunner(scrapy_settings(place) | more).create_crawler(spider)
    ended: list[Any] = []
    reactor.callWhenRunning(lambda: crawler.crawl(workplace=place, **kwargs).addBoth(ended.append).addBoth(_stop))
    reactor.run(installSignalHandlers=False)
    if place.gateway is not None:
        place.gateway.close()
    if crawler.spider is not None and crawler.spider.error is not None:
        raise crawler.spider.error
    if ended and ended[0] is not None:
        ended[0].raiseException()


def _stop(_: object) -> None:
    from twisted.internet import reactor

    reactor.stop()


def scrapy_settings(place: Workplace) -> dict[str, Any]:
    """Return Scrapy's settings for our manners and limits."""
    crawl, browser = place.settings, place.browser
    handler = dict.fromkeys(("http", "https"), _OURS + "DownloadHandler")
    renders = browser_settings(browser, place.gateway.url, crawl) if browser and place.gateway else {}
    return renders | {
        "USER_AGENT": user_agent(crawl.contact),
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": ROBOTS_NAME,
        "DOWNLOAD_HANDLERS": handler | {"data": None, "file": None, "ftp": None, "s3": None},
        "DOWNLOADER_MIDDLEWARES": {
            "crawler.turns.GivesWay": 40,
            "crawler.read_ahead.ReadAhead": 40,
            _OURS + "AddressGuard": 50,
            _SCRAPY + "robotstxt.RobotsTxtMiddleware": None,
            _OURS + "Robots": 100,
            _SCRAPY + "redirect.RedirectMiddleware": None,
            _OURS + "Redirects": 600,
            _SCRAPY + "httpcompression.HttpCompressionMiddleware": None,
            _OURS + "Decompression": 590,
            _OURS + "Pace": 900,
        },
        "EXTENSIONS": dict.fromkeys(EXTENSIONS_BASE),  # the spider keeps the limits, the order and the counts itself
        "SPIDER_MIDDLEWARES": dict.fromkeys(SPIDER_MIDDLEWARES_BASE),
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "zh-CN,zh;q=0.9",
        },
        "DOWNLOAD_DELAY": 0.0,  # `Pace` keeps it
        "DOWNLOAD_DELAY_JITTER": 0.0,
        "CONCURRENT_REQUESTS": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": crawl.concurrency,
        "DOWNLOAD_TIMEOUT": crawl.timeout_seconds,
        "DOWNLOAD_MAXSIZE": crawl.max_body_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_FAIL_ON_DATALOSS": False,
        "DOWNLOADER_CLIENT_TLS_CIPHERS": "DEFAULT:@SECLEVEL=0",  # old servers are judged by what they say, not refused
        "DOWNLOAD_MAX_HEADER_BYTES": crawl.max_header_bytes,
        "DOWNLOAD_MAX_HEADERS": crawl.max_headers,
        "PAGES_PER_BROWSER": crawl.pages_per_browser,
        "REDIRECT_MAX_TIMES": crawl.max_redirects,
        "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
        "CONCURRENT_ITEMS": 1,  # Scrapy makes so many tasks for each response, whatever its callback yields
        **dict.fromkeys(
            (
                "RETRY_ENABLED",
                "METAREFRESH_ENABLED",
                "HTTPPROXY_ENABLED",
                "STATS_DUMP",
                "DOWNLOADER_STATS",
                "WARN_ON_GENERATOR_RETURN_VALUE",  # parses our own code again with each response
                "LOG_ENABLED",
            ),
            False,
        ),
    }
