"""下载层: what stands between spider and network: Scrapy's own parts, each made to say what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urljoin

from playwright.async_api import Error as BrowserError
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
from twisted.internet import defer
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from twisted.web.client import HTTPConnectionPool
from zope.interface import implementer

from crawler import capturing
from crawler.failures import ConnectTimeout, TooLarge, TooManyRedirects
from crawler.guard import AddressRefused, check_url
from crawler.hosts import Hosts
from crawler.names import NameFailure, NameNotFound, Names
from crawler.politeness import HostResting, RobotsDisallowed, RobotsUnreadable
from crawler.robots import RobotsRules, rules_of
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


class Robots:
    """Obeys robots.txt as RFC 9309 has it, and says so when it keeps us out or cannot be read.

    A host that does not answer at all is told by what went wrong; a robots.txt that could not be read is asked for
    again only with a request of a later round.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._asking: dict[str, asyncio.Task[RobotsRules]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Robots:
        """Build it for a crawl; its spider's place holds what is known of each host."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass or raise RobotsDisallowed, RobotsUnreadable, or whatever became of asking."""
        if request.meta.get("dont_obey_robotstxt"):
            return
        root = urljoin(request.url, "/robots.txt")
        rules = self.crawler.spider.place.hosts.robots.get(root)
        if rules is None or (rules.unreadable and rules.asked < request.meta.get("round", 0)):
            rules = await self._asked_once(root, request)
        if rules.unreadable:
            raise RobotsUnreadable(f"{host_of(root)} 的 {rules.unreadable}")
        if not rules.allows(request.url):
            raise RobotsDisallowed(f"{host_of(root)} 的 robots.txt 不允许采集")

    async def _asked_once(self, root: str, request: Request) -> RobotsRules:
        """Ask for it, or wait for the answer that another request is waiting for."""
        if root not in self._asking:
            self._asking[root] = asyncio.ensure_future(self._ask(root, request))
            self._asking[root].add_done_callback(lambda _: self._asking.pop(root))
        return await asyncio.shield(self._asking[root])

    async def _ask(self, root: str, request: Request) -> RobotsRules:
        meta = {"dont_obey_robotstxt": True} | {
            key: request.meta[key] for key in ("deadline", "download_timeout") if key in request.meta
        }
        asking = Request(root, priority=1000, callback=NO_CALLBACK, dont_filter=True, meta=meta)
        asked, hosts = request.meta.get("round", 0), self.crawler.spider.place.hosts
        try:
            response = await self.crawler.engine.download_async(asking)
            pairs = capturing.pairs(response.headers)
            rules = rules_of(response.status, pairs, response.body, asked)
        except TooManyRedirects:
            rules = RobotsRules()
        except (TooLarge, DownloadCancelledError):
            rules = RobotsRules(unreadable="robots.txt 太大，没有读，暂不采集", asked=asked)
        hosts.robots[root] = rules
        if not rules.unreadable:
            hosts.heed(host_of(root), rules.delay)
        return rules


class Pace:
    """Holds each request back until its host may be asked, and takes note of how the host bears it.

    It stands nearest to the network, so that robots.txt, redirects and retries wait as well.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Pace:
        """Build it for a crawl; its spider's place holds what is known of each host."""
        return cls(crawler)

    @property
    def _hosts(self) -> Hosts:
        hosts: Hosts = self.crawler.spider.place.hosts
        return hosts

    async def process_request(self, request: Request) -> None:
        """Wait for the host's turn; raises HostSpared when that does not come in time or today."""
        host, deadline = host_of(request.url), request.meta.get("deadline")
        while wait := self._hosts.take(host):
            if deadline is not None and time.monotonic() + wait > deadline:
                raise HostResting(f"到本站时限之前轮不到再请求 {host}，没有采集")
            await asyncio.sleep(wait)
        request.meta["charge"] = self._hosts.charge  # a browser asks for more than the page

    def process_response(self, request: Request, response: Response) -> Response:
        """Return the response."""
        host, after = host_of(request.url), response.headers.get("Retry-After", b"")
        headers = {"retry-after": after.decode("latin-1")} if after else {}
        latency = 0.0 if request.meta.get("playwright") else float(request.meta.get("download_latency", 0.0))
        self._hosts.answered(host, response.status, latency, headers)
        if not request.meta.get("playwright"):  # the browser's way out counts its bytes
            self._hosts.received(host, len(response.body))
        return response


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
