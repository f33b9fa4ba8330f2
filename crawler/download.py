"""下载层: what stands between spider and network: Scrapy's own parts, each made to say what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from playwright.async_api import Error as BrowserError
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
from twisted.internet import defer
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from twisted.web.client import HTTPConnectionPool
from zope.interface import implementer

from crawler.failures import ConnectTimeout, TooLarge, TooManyRedirects
from crawler.guard import AddressRefused, check_url
from crawler.names import NameFailure, NameNotFound, Names
from crawler.politeness import RobotsDisallowed
from crawler.urls import host_of

_RENDERED_AT_ONCE = 2  # pages in the browser of one process: more only make each other late
_CONNECT_SHARE = 0.8  # of the time for the whole fetch; after that no connection is coming


class AddressGuard:
    """Refuses schemes, credentials and private addresses of every request, robots.txt and redirects included.

    It resolves the name beforehand so that NXDOMAIN, a failing DNS and a private address can be told apart; the
    connection is then made to the very addresses that passed.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AddressGuard:
        """Build the guard of a crawl; its spider holds the names."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass or raise SchemeRefused, AddressRefused, NameNotFound or NameFailure."""
        check_url(request.url)
        await asyncio.to_thread(self.crawler.spider.names.addresses, host_of(request.url))


class Robots(RobotsTxtMiddleware):
    """Obeys robots.txt, and says so when it keeps us out."""

    async def process_request(self, request: Request) -> None:
        """Let the request pass or raise RobotsDisallowed."""
        try:
            await super().process_request(request)
        except IgnoreRequest as error:
            raise RobotsDisallowed(f"{host_of(request.url)} 的 robots.txt 不允许采集") from error


class Redirects(RedirectMiddleware):
    """Follows redirects up to the limit, and says so when they do not end."""

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the response, or the request it redirects to; raises TooManyRedirects."""
        try:
            return super().process_response(request, response)
        except IgnoreRequest as error:
            chain = [*request.meta.get("redirect_urls", ()), request.url]
            raise TooManyRedirects(" → ".join(chain)) from error


class Decompression(HttpCompressionMiddleware):
    """Decompresses bodies up to the size limit, and says so when one would burst it."""

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Return the response with its body decoded; raises TooLarge."""
        try:
            return super().process_response(request, response)
        except IgnoreRequest as error:
            raise TooLarge(f"解压后超过 {request.meta.get('download_maxsize')} 字节") from error


class ConnectLimitedPool(HTTPConnectionPool):
    """Keeps connections, and gives up connecting before the whole fetch times out: so one is told from the other."""

    connect_limit = 12.0  # seconds

    def getConnection(self, key: Any, endpoint: Any) -> defer.Deferred[Any]:
        """Return a connection, kept or new; fails with ConnectTimeout."""
        connecting: defer.Deferred[Any] = super().getConnection(key, endpoint)
        return connecting.addTimeout(self.connect_limit, self._reactor, onTimeoutCancel=self._too_late)

    def _too_late(self, _result: object, seconds: float) -> None:
        raise ConnectTimeout(f"{seconds:g} 秒内未能建立连接")


class DownloadHandler(ScrapyPlaywrightDownloadHandler):
    """Fetches over HTTP, or through Chromium where `meta["playwright"]` says so, with a time limit on the whole of it.

    Scrapy makes one handler for http and one for https; the browser is started with the first page that needs it.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._browser_starting = asyncio.Lock()
        self._browser_started = False
        self._places = asyncio.Semaphore(_RENDERED_AT_ONCE)
        kept = self._pool
        self._pool = ConnectLimitedPool(kept._reactor, persistent=True)
        self._pool.connect_limit = crawler.settings.getfloat("DOWNLOAD_TIMEOUT") * _CONNECT_SHARE
        self._pool.maxPersistentPerHost, self._pool._factory = kept.maxPersistentPerHost, kept._factory

    async def _maybe_launch_in_thread(self) -> None:
        """Start nothing yet: most crawls of most nights need no browser."""

    async def download_request(self, request: Request) -> Response:
        """Return the response; a rendered page is closed in every case."""
        if not request.meta.get("playwright"):
            return await super().download_request(request)
        await self._start_browser()
        async with self._places:
            return await self._render(request)

    async def _render(self, request: Request) -> Response:
        limit = request.meta["render_limit"]
        try:
            async with asyncio.timeout(limit):
                return await super().download_request(request)
        except TimeoutError as error:
            raise BrowserError(f"浏览器未在 {limit:g} 秒内完成") from error
        finally:
            await _close_page(request)

    async def _start_browser(self) -> None:
        async with self._browser_starting:
            if not self._browser_started:
                await self._launch()
                self._browser_started = True


async def _close_page(request: Request) -> None:
    page = request.meta.pop("opened_page", None)
    if page is not None and not page.is_closed():
        with contextlib.suppress(BrowserError):  # the browser itself went away: nothing left to close
            await page.close()


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Nothing to cancel: the answer is known already."""


@implementer(IHostnameResolver)
class KnownNames:
    """Twisted's door to `Names`: connects to the addresses that the guard let pass, and to no others."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Tell the receiver the host's addresses, IPv4 first; none when the guard would refuse it."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        for address in self._addresses(hostName):
            kind = IPv6Address if ":" in address else IPv4Address
            if addressTypes is None or kind in addressTypes:
                resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution

    def _addresses(self, host: str) -> Iterable[str]:
        try:
            return self.names.addresses(host)
        except (NameNotFound, NameFailure, AddressRefused):
            return ()
