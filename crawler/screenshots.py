"""网页截图: what a visitor sees of the pages that findings point at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
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
from crawler.politeness import user_agent
from crawler.rendering import Rendering, render_meta
from crawler.sink import CaptureSink, NothingCaptured, Replay
from crawler.spiders.base import DistrictSpider
from crawler.task import CrawlSummary, Workplace


class ScreenshotSpider(DistrictSpider):
    """Photographs the pages of several sites."""

    name = "screenshots"

    def __init__(self, pages: tuple[tuple[Site, str], ...], workplace: Workplace, **kwargs: Any) -> None:
        super().__init__(workplace, **kwargs)
        self.pages = pages

    async def begin(self) -> AsyncIterator[Request]:
        """Yield a request for every picture that an interrupted run has not taken yet."""
        for site, url in self.pages:
            if self.place.replay.find(site.id, url, Mode.SCREENSHOT) is None:
                yield self._request(site, url)

    def _request(self, site: Site, url: str) -> Request:
        rendering, settings = Rendering(), self.place.settings
        meta = render_meta(site.id, user_agent(settings.contact), settings, rendering, picture=True)
        return Request(
            url,
            callback=self.receive,
            errback=self.receive_failure,
            cb_kwargs={"site_id": site.id, "url": url, "rendering": rendering},
            dont_filter=True,
            meta=meta | {"dont_obey_robotstxt": bool(site.robots_override_reason)},
        )

    def receive(self, response: Response, site_id: str, url: str, rendering: Rendering) -> Iterator[Request]:
        """Take a picture."""
        target = Target(site_id, url, Mode.SCREENSHOT, self.place.clock())
        assert response.request is not None
        return self.guarded(self._kept(capturing.of_rendering(target, rendering, response.request)))

    def receive_failure(self, failure: Failure) -> Iterator[Request]:
        """Take note of a picture that could not be taken."""
        known = failure.request.cb_kwargs
        target = Target(known["site_id"], known["url"], Mode.SCREENSHOT, self.place.clock())
        return self.guarded(self._kept(capturing.of_exception(target, failure.value, failure.request)))

    def _kept(self, fetched: Fetched) -> Iterator[Request]:
        self.keep(fetched)
        return iter(())


def take_screenshots(
    urls: Mapping[Site, Sequence[str]],
    *,
    settings: Crawl,
    day: date,
    sink: CaptureSink,
    browser: Path,
    replay: Replay | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> CrawlSummary:
    """Store a SCREENSHOT capture (PNG, the whole page up to a bounded height) of every URL, by site; failures too.

    Runs the reactor, so it works once a process, like `crawler.crawl.crawl`.
    """
    place = workplace(settings, day, sink, replay or NothingCaptured(), browser, clock)
    pages = tuple((site, url) for site, wanted in urls.items() for url in dict.fromkeys(wanted))
    run_spider(ScreenshotSpider, place, {"DOWNLOAD_SLOTS": slots(urls, settings)}, pages=pages)
    return place.summary
