"""A crawl that only downloads and follows links, by Scrapy alone: what the pipeline's speed is held against.

`python -m benchmarks.bare_crawl HOME [links]` prints how many pages it fetched. URLs that were seen are dropped before
they become a request; with "links" they are found by Scrapy's LinkExtractor, and its own filter drops them.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urljoin

from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess
from scrapy.exceptions import CloseSpider
from scrapy.http import HtmlResponse
from scrapy.linkextractors import LinkExtractor

SETTINGS: dict[str, Any] = {
    "LOG_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
    "TELNETCONSOLE_ENABLED": False,
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "DOWNLOAD_DELAY": 0,
}


class BareSpider(Spider):
    """Follows every link once."""

    name = "bare"

    def __init__(self, home: str, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.home, self.most, self.pages = home, most, 0
        self.seen = {home}

    async def start(self) -> AsyncIterator[Request]:
        """Yield the home page."""
        yield Request(self.home, dont_filter=True)

    def parse(self, response: HtmlResponse) -> Iterator[Request]:
        """Yield the pages that a page leads to, those not seen yet."""
        self.pages += 1
        for url in self.links(response):
            if url not in self.seen and len(self.seen) < self.most:
                self.seen.add(url)
                yield Request(url, dont_filter=True)

    def links(self, response: HtmlResponse) -> Iterator[str]:
        """Yield the addresses that a page leads to; each spelling is joined to the page's own once."""
        for reference in response.xpath("//a/@href").getall():
            if reference not in self.seen:
                self.seen.add(reference)
                self.most += 1
                yield urljoin(response.url, reference)


class ExtractingSpider(BareSpider):
    """Finds links as Scrapy's own extractor does."""

    name = "extracting"
    extractor = LinkExtractor()

    def parse(self, response: HtmlResponse) -> Iterator[Request]:
        """Yield a request for every link; those seen are left to Scrapy's filter."""
        self.pages += 1
        if self.pages < self.most:
            yield from (Request(link.url) for link in self.extractor.extract_links(response))
        else:
            raise CloseSpider("enough")


def main(home: str, kind: str, most: int) -> int:
    """Crawl a site, `most` pages of it, and return how many pages were fetched."""
    process = CrawlerProcess(SETTINGS)
    crawler = process.create_crawler(ExtractingSpider if kind == "links" else BareSpider)
    process.crawl(crawler, home=home, most=most)
    process.start()
    return int(crawler.spider.pages)  # type: ignore[union-attr]


if __name__ == "__main__":
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
