"""下载层: what stands between spider and network: Scrapy's own parts, each made to say what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urljoin

from playwright.async_api import Error as BrowserError
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import _LenientHTTP11ClientProtocol
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
from twisted.python.failure import Failure
from twisted.web._newclient import BODY
from twisted.web.client import HTTPConnectionPool, _HTTP11ClientFactory
from zope.interface import implementer

from crawler import capturing
from crawler.decompression import TooLarge
from crawler.failures import ConnectTimeout, HeadersTooLarge, TooManyRedirects
from crawler.guard import AddressRefused, check_url
from crawler.hosts import Hosts
from crawler.names import Names
from crawler.politeness import HostResting, RobotsDisallowed, RobotsUnreadable
from crawler.rendering import keep_to_pages
from crawler.robots import TOO_LARGE, RobotsRules, rules_of
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
        host, names = host_of(request.url), self.crawler.spider.names
        if names.known(host) is None:  # a thread for each request would cost more than all else that is done here
            await asyncio.to_thread(names.addresses, host)


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
            rules = RobotsRules(unreadable=TOO_LARGE, asked=asked)
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


class HeaderLimitedConnection(_LenientHTTP11ClientProtocol):
    """A connection that is given up when the headers of a response do not end within `most_bytes`."""

    most_bytes = 65_536
    _received = 0

    def request(self, request: Any) -> defer.Deferred[Any]:
        """Send a request; fails with HeadersTooLarge as a reason."""
        self._received = 0
        answer: defer.Deferred[Any] = super().request(request)
        self._parser.MAX_LENGTH, self._parser.lineLengthExceeded = self.most_bytes, self._refuse
        return answer

    def dataReceived(self, data: bytes) -> None:
        """Take what came, as long as it is a body or no more of a header than allowed."""
        super().dataReceived(data)
        if self._parser is not None and self._parser.state != BODY:
            self._received += len(data)
            if self._received > self.most_bytes:
                self._refuse()

    def _refuse(self, _line: bytes = b"") -> None:
        self._giveUp(Failure(HeadersTooLarge(f"响应头超过 {self.most_bytes} 字节")))


class _Connections(_HTTP11ClientFactory):
    """Makes such connections for a pool."""

    def __init__(self, most_bytes: int, quiescent: Any, metadata: Any) -> None:
        super().__init__(quiescent, metadata)
        self.most_bytes = most_bytes

    def buildProtocol(self, addr: Any) -> HeaderLimitedConnection:
        """Return a connection."""
        connection = HeaderLimitedConnection(self._quiescentCallback)
        connection.most_bytes = self.most_bytes
        return connection


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
        self._pool.maxPersistentPerHost = kept.maxPersistentPerHost
        self._most_header_bytes = crawler.settings.getint("DOWNLOAD_MAX_HEADER_BYTES")
        self._pool._factory = partial(_Connections, self._most_header_bytes)
        self._most_headers = crawler.settings.getint("DOWNLOAD_MAX_HEADERS")
        self._browser_changing = asyncio.Lock()
        self._pages_left = self._pages_of_a_browser = crawler.settings.getint("PAGES_PER_BROWSER")

    async def _maybe_launch_in_thread(self) -> None:
        """Start nothing yet: most crawls of most nights need no browser."""

    async def download_request(self, request: Request) -> Response:
        """Return the response; a rendered page is closed in every case."""
        if not request.meta.get("playwright"):
            return self._with_few_headers(await super().download_request(request))
        await self._start_browser()
        await self._take_place()
        try:
            return await self._render(request)
        finally:
            self._places.release()

    def _with_few_headers(self, response: Response) -> Response:
        lines = [name + value for name in response.headers for value in response.headers.getlist(name)]
        if len(lines) > self._most_headers:
            raise HeadersTooLarge(f"响应头有 {len(lines)} 个，超过 {self._most_headers} 个")
        if sum(map(len, lines)) > self._most_header_bytes:  # they came in one piece with what follows
            raise HeadersTooLarge(f"响应头超过 {self._most_header_bytes} 字节")
        return response

    async def _take_place(self) -> None:
        """Wait for a place in the browser; one that has shown its share of pages makes way for a new one first."""
        async with self._browser_changing:
            if not self._pages_left:
                await self._change_browser()
            await self._places.acquire()
            self._pages_left -= 1

    async def _change_browser(self) -> None:
        for _ in range(_RENDERED_AT_ONCE):  # until nobody is in it any more
            await self._places.acquire()
        browser = self._forget_browser()
        if browser is not None:
            with contextlib.suppress(BrowserError):  # it ended by itself meanwhile
                await browser.close()
        self._pages_left = self._pages_of_a_browser
        for _ in range(_RENDERED_AT_ONCE):
            self._places.release()

    def _forget_browser(self) -> Any:
        """Return the browser, if any, and have the next page start another."""
        self.context_wrappers.clear()
        return self.__dict__.pop("browser", None)

    async def _create_browser_context(self, *arguments: Any, **named: Any) -> Any:
        created = await super()._create_browser_context(*arguments, **named)
        await keep_to_pages(created.context)
        return created

    async def _create_page(self, request: Request, spider: Any) -> Any:
        """Open a page, in a new browser if the last was killed; raises TooLarge when it was closed for its size."""
        request.meta["rendering"].require_within_limit()
        if "browser" in self.__dict__ and not self.browser.is_connected():
            self._forget_browser()
        return await super()._create_page(request, spider)

    async def _browser_disconnected_callback(self) -> None:
        """Leave it to the next page: by the time this is called another browser may be there."""

    async def _render(self, request: Request) -> Response:
        limit = request.meta["render_limit"]
        try:
            async with asyncio.timeout(limit):
                return await super().download_request(request)
        except BrowserError as error:
            request.meta["rendering"].require_within_limit()
            refusal = request.meta["rendering"].refusal
            if refusal:
                raise AddressRefused(refusal) from error
            raise
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


def _spelt(host: str) -> str:
    """Return a host as addresses spell it; Twisted has made Chinese of what was Punycode."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


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
        """Tell the receiver the host's addresses, IPv4 first; none when the guard did not let it pass."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        for address in self.names.checked(_spelt(hostName)):
            kind = IPv6Address if ":" in address else IPv4Address
            if addressTypes is None or kind in addressTypes:
                resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution
