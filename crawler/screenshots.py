"""网页截图: what a visitor sees of the pages that findings point at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from checks.model import Mode
from config.schema import Crawl, Site
from crawler import capturing
from crawler.capturing import Fetched, Target
from crawler.crawl import run_spider, slots, workplace
from crawler.hosts import Hosts, host_rules
from crawler.politeness import user_agent
from crawler.rendering import Rendering, render_meta
from crawler.sink import CaptureSink, NothingCaptured
from crawler.spiders.base import DistrictSpider, guarded
from crawler.task import CrawlSummary, Workplace
from crawler.turns import nobody


class ScreenshotSpider(DistrictSpider):
    """Photographs pages; every one of them has been captured before, so robots.txt has been heard."""

    name = "screenshots"

    def __init__(self, pages: tuple[tuple[str, str], ...], workplace: Workplace, **kwargs: Any) -> None:
        super().__init__(workplace, **kwargs)
        self.pages = pages

    async def begin(self) -> AsyncIterator[Request]:
        """Yield a request for every picture."""
        for site_id, url in self.pages:
            rendering, agent = (
                Rendering(refusals=self.place.gateway.refusals if self.place.gateway else {}),
                user_agent(self.place.settings.contact),
            )
            meta = render_meta(site_id, agent, self.place.settings, rendering, picture=True)
            yield Request(
                url,
                callback=self.receive,
                errback=self.receive_failure,
                cb_kwargs={"site_id": site_id, "url": url, "rendering": rendering},
                dont_filter=True,
                meta=meta | {"dont_obey_robotstxt": True},
            )

    @guarded
    def receive(self, response: Response, site_id: str, url: str, rendering: Rendering) -> Iterator[Request]:
        """Take a picture."""
        target = Target(site_id, url, Mode.SCREENSHOT, self.place.clock())
        assert response.request is not None
        limit = self.place.settings.max_attachment_bytes
        yield from self._kept(capturing.of_rendering(target, rendering, response.request, limit))

    @guarded
    def receive_failure(self, failure: Failure) -> Iterator[Request]:
        """Take note of a picture that could not be taken."""
        known = failure.request.cb_kwargs
        target = Target(known["site_id"], known["url"], Mode.SCREENSHOT, self.place.clock())
        yield from self._kept(capturing.of_exception(target, failure.value, failure.request))

    def _kept(self, fetched: Fetched) -> Iterator[Request]:
        self.keep(fetched)
        self.place.on_progress(self.place.summary.captured, len(self.pages))
        yield from ()


def take_screenshots(
    urls: Mapping[str, Sequence[str]],
    *,
    settings: Crawl,
    sink: CaptureSink,
    browser: Path,
    sites: Iterable[Site] = (),
    on_progress: Callable[[int, int], None] = lambda done, known: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    is_taken: Callable[[str], bool] = nobody,
    hosts: Hosts | None = None,
) -> CrawlSummary:
    """Store a SCREENSHOT capture (PNG, the whole page up to a bounded height) of every URL, by site id; failures too.

    `sites` tells the paces of their own that sites have; `on_progress` takes the pictures done and wanted; a host that
    `is_taken` waits until it is free again. Runs the reactor, so it works once a process, like `crawler.crawl.crawl`.
    """
    shared = tuple(sites)
    book = hosts or Hosts(settings, host_rules(shared, settings))
    place = workplace(settings, sink, NothingCaptured(), browser, clock, on_progress, hosts=book)
    place = replace(place, is_taken=is_taken)
    pages = tuple((site_id, url) for site_id, wanted in urls.items() for url in dict.fromkeys(wanted))
    run_spider(ScreenshotSpider, place, {"DOWNLOAD_SLOTS": slots(shared, book)}, pages=pages)
    return place.summary
