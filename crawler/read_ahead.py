"""先读: has pages read by another process while this one goes on downloading.

It is for speed alone: the spider asks for the facts of a page as ever, and finds them read already. What was not read
ahead, for whatever reason, it reads itself.
"""

from __future__ import annotations

from datetime import date
from typing import Protocol

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from checks.facts.model import PageKind

ASKED_AS = "read_ahead"  # of a request's meta: the kind of page that the spider will ask for


class ReadingAhead(Protocol):
    """Who reads pages ahead."""

    async def __call__(
        self, body: bytes, *, url: str | None, content_type: str | None, as_of: date, kind: PageKind | None
    ) -> None:
        """Return once the page is read, or will not be read ahead; raises nothing."""


class ReadAhead:
    """The downloader's last step: a page goes on to the spider when it is read."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ReadAhead:
        """Build the step of a crawl; its spider knows who reads ahead, and the day."""
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        """Return the response once its page is read."""
        spider = self.crawler.spider
        ahead = spider.place.ahead
        if ahead is None or ASKED_AS not in request.meta or response.status != 200:
            return response
        told = (response.headers.getlist("Content-Type") or [b""])[-1].decode("latin-1")
        if "html" in told.lower():
            kind = request.meta[ASKED_AS]
            await ahead(response.body, url=response.url, content_type=told, as_of=spider.day, kind=kind)
        return response
