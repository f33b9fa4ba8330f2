"""What the spiders share: keeping captures, and ending the crawl with the error that made it impossible to go on."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import Any, Concatenate

from scrapy import Request, Spider
from scrapy.exceptions import CloseSpider

from checks.model import Capture
from crawler.blocks import recognise
from crawler.capturing import Fetched
from crawler.sink import Exchange
from crawler.task import Workplace

log = logging.getLogger(__name__)
Callback = Callable[Concatenate[Any, ...], Iterator[Request]]


def guarded(callback: Callback) -> Callback:
    """Make a callback end the crawl with whatever it raises: the store is full, a fault of ours.

    Nothing more can be kept safely then, and the caller must get the error instead of Scrapy logging it and losing the
    page.
    """

    @wraps(callback)
    def steps(spider: DistrictSpider, *args: Any, **kwargs: Any) -> Iterator[Request]:
        try:
            yield from callback(spider, *args, **kwargs)
        except Exception as error:
            spider.error = error
            raise CloseSpider("error") from error

    return steps


class DistrictSpider(Spider):
    """A spider at its workplace. `error` is what ended it early, for the caller to raise."""

    def __init__(self, workplace: Workplace, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.place = workplace
        self.names = workplace.names  # the address guard asks for them
        self.error: Exception | None = None

    async def start(self) -> AsyncIterator[Request]:
        """Open the browser's way out, then yield the first requests."""
        if self.place.gateway is not None:
            await self.place.gateway.start()
        try:
            async for request in self.begin():
                yield request
        except Exception as error:
            self.error = error
            raise CloseSpider("error") from error

    def begin(self) -> AsyncIterator[Request]:
        """Yield the first requests."""
        raise NotImplementedError

    def keep(self, fetched: Fetched) -> Capture:
        """Store a capture, count it, and return it with its evidence; one that has some already is unchanged."""
        sink, capture = self.place.sink, fetched.capture
        capture = sink.store_unchanged(capture) if capture.evidence else sink.store(capture, fetched.exchange)
        self.place.summary.captured += 1
        if capture.failure:
            self.place.summary.failures[capture.failure] += 1
            about = {"site": capture.site_id, "url": capture.url}
            log.info("%s %s", capture.failure.code, capture.detail, extra=about)
        return capture

    @staticmethod
    def replayed(capture: Capture, body: bytes) -> Fetched:
        """Return what an interrupted run has stored, as if it had just come in."""
        exchange = Exchange("GET", (), "", capture.headers, body)
        block = recognise(capture.status, capture.headers, body) if capture.status else None
        return Fetched(capture, exchange, block)
