"""浏览器渲染: Chromium through scrapy-playwright, for pages whose scripts decide what a visitor sees."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.async_api import BrowserContext, Page, Response, Route
from playwright.async_api import Error as BrowserError
from playwright.async_api import Request as BrowserRequest
from playwright.async_api import TimeoutError as BrowserTimeout
from scrapy import Request
from scrapy_playwright.page import PageMethod

from checks.facts.error_report import is_national_service
from checks.facts.model import PageFacts
from checks.model import PageRole
from config.schema import Crawl
from crawler.browser_traffic import BrowserTraffic
from crawler.decompression import TooLarge
from crawler.guard import AddressRefused, Refused, SchemeRefused, check_url
from crawler.urls import host_of, is_http

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OWN_BROWSERS = ("chromium-*/chrome-linux*/chrome", "chromium_headless_shell-*/chrome-*/*headless*shell")
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
_HEAVY = frozenset({"image", "media", "font"})
_FILLING = frozenset({"script", "xhr", "fetch", "eventsource"})  # what a page's lists and footers may be written from
_COUNTERS = re.compile(
    r"baidu|cnzz|51\.la|51yes|google|tongji|counter|/stat\b|share|jiucuo|//zfwzgl\.", re.I
)  # write neither
_CHALLENGES = frozenset({412, 521, 503, 403})
_CONTEXT = {"service_workers": "block", "accept_downloads": False}
_NAVIGATION_SECONDS = 30.0  # our own machine may be busy, so a browser gets more time than a plain fetch
_SETTLE_SECONDS = 5.0  # for scripts to fill the page once it has loaded
_CHALLENGE_SECONDS = 8.0  # for a challenge to let the browser through
_POLL_SECONDS = 0.1
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_WIDTH, _MOST_HEIGHT = 1280, 6000  # of a screenshot, in pixels
_MOST_PICTURES = 6  # of one page

# What a page of a role is read for decides which of its needs are worth a browser: the footer is judged on the home
# page, a list on a column's; frames are fetched as pages of their own and do not show in the rendered DOM.
_WORTH = {
    PageRole.HOME: frozenset({"empty_list", "script_footer", "challenge", "script_content", "cut_off"}),
    PageRole.SECOND_LEVEL: frozenset({"empty_list", "challenge", "script_content", "cut_off"}),
    PageRole.COLUMN: frozenset({"empty_list", "challenge", "script_content", "cut_off"}),
    PageRole.ARTICLE: frozenset({"challenge", "script_content", "cut_off"}),
    PageRole.ATTACHMENT: frozenset(),
}


def needs_rendering(role: PageRole, facts: PageFacts) -> bool:
    """Tell whether the static page lacks what pages of this role are read for."""
    return bool(facts.rendering_needs & _WORTH[role])


def find_browser() -> Path | None:
    """Return the Chromium to use: INSPECT_BROWSER, one on the machine, or Playwright's own; None when there is none."""
    named = os.environ.get("INSPECT_BROWSER")
    if named:
        return Path(named) if Path(named).is_file() else None
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return Path(found) if found else next(_own_browsers(), None)


def _own_browsers() -> Iterator[Path]:
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    for pattern in _OWN_BROWSERS:
        yield from sorted(folder.glob(pattern), reverse=True)


def browser_settings(browser: Path, proxy: str, settings: Crawl) -> dict[str, Any]:
    """Return the Scrapy settings that run this browser behind the proxy, sandboxed unless we are root."""
    arguments = [*_ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else list(_ARGUMENTS)
    return {
        "PLAYWRIGHT_LAUNCH_OPTIONS": {
            "executable_path": str(browser),
            "args": arguments,
            "proxy": {"server": proxy, "bypass": "<-loopback>"},
            "handle_sigint": False,
        },
        "PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT": _navigation_seconds(settings) * 1000,
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": settings.concurrency,
    }


def _navigation_seconds(settings: Crawl) -> float:
    return max(_NAVIGATION_SECONDS, 2 * settings.timeout_seconds)


async def keep_to_pages(context: BrowserContext) -> None:
    """Let nothing but our own pages ask for anything: no window that they open, no worker that belongs to none."""
    await context.route("**", _abort)  # our own pages have a route of their own, which goes first
    await context.add_init_script("delete self.SharedWorker")


async def _abort(route: Route) -> None:
    await route.abort()


def without_heavy_parts(request: BrowserRequest) -> bool:
    """Tell scrapy-playwright to drop images, media and fonts: nothing that is judged stands in them.

    The script of the national service for reporting errors is dropped as well: its tag says all that is judged.
    """
    return request.resource_type in _HEAVY or is_national_service(request.url)


@dataclass(slots=True)
class Rendering:
    """What a browser made of one page: the DOM, the last answer to a navigation of the page itself, and its cookies.

    `broken` lists what scripts asked for in vain; `restless` tells that they were still waiting for something.
    """

    html: str = ""
    url: str = ""
    status: int | None = None
    address: str = ""
    picture: bytes = b""
    chain: list[str] = field(default_factory=list)
    cookies: list[dict[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    restless: bool = False
    refusals: Mapping[tuple[str, int], str] = field(default_factory=dict)  # what the gateway would not let pass
    refusal: str = ""  # why the page itself, or what its scripts asked for, was refused
    led_astray: str = ""  # why the address that the page itself was sent to is none we take pages from
    received: int = 0  # bytes of all that the page, its frames and scripts asked for, decompressed
    most_bytes: int = 0

    @property
    def lack(self) -> str:
        """Why something may be missing in the DOM that a visitor sees, in Chinese; empty when nothing speaks for it."""
        if self.broken:
            return f"页面脚本要取的内容没有取到：{'、'.join(self.broken[:3])}"[:300]
        return "页面脚本一直在等待内容，到时限也没有等到" if self.restless else ""

    def require_within_limit(self) -> None:
        """Raise TooLarge if the page was given up for all that it asked for."""
        if self.received > self.most_bytes:
            raise TooLarge(f"渲染时收到的内容超过 {self.most_bytes} 字节")

    def miss(self, request: BrowserRequest) -> None:
        """Remember a request in vain when what it asks for may be written into the page."""
        if request.resource_type in _FILLING and not _COUNTERS.search(request.url):
            self.broken.append(request.url)

    def lose(self, request: BrowserRequest) -> None:
        """Remember a request that failed, and the guard's reason if that is why."""
        self.miss(request)
        if request.is_navigation_request() or request.resource_type in _FILLING:
            self._refuse(request.url)

    def lose_socket(self, url: str) -> None:
        """Remember a WebSocket that failed: what it was to bring may be written into the page."""
        self.broken.append(url)
        self._refuse(url)

    def begin(self) -> None:
        """Forget what a browser that was killed had seen."""
        self.status, self.restless, self.refusal, self.led_astray = None, False, "", ""
        self.chain.clear()
        self.broken.clear()

    def _lead(self, url: str) -> None:
        """Take note when the page is sent to an address that bears credentials, or is none of the web."""
        try:
            check_url(url)
        except Refused as refused:
            self.led_astray = self.led_astray or str(refused)

    def _refuse(self, url: str) -> None:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        self.refusal = self.refusal or self.refusals.get((parts.hostname or "", port), "")

    def notice(self, page: Page, response: Response) -> None:
        """Remember a response when it answers a navigation of the page, not of a frame in it."""
        if response.request.is_navigation_request() and response.frame == page.main_frame:
            self.status = response.status
            self.chain.append(response.url)
            self.broken.clear()
            if 300 <= response.status < 400 and (target := response.headers.get("location")):
                self._lead(urljoin(response.url, target))
        elif response.status >= 400:
            self.miss(response.request)


def render_meta(
    site_id: str, agent: str, settings: Crawl, rendering: Rendering, *, picture: bool = False
) -> dict[str, Any]:
    """Return the request meta that has a page rendered into `rendering`, with a screenshot if asked for."""

    async def opened(page: Page, request: Request) -> None:
        request.meta["opened_page"] = page
        rendering.begin()
        page.on("request", lambda asked: _charge(request, asked))
        page.on("response", lambda response: rendering.notice(page, response))
        page.on("requestfailed", lambda lost: rendering.lose(lost))
        page.on("websocket", lambda socket: socket.on("socketerror", lambda _: rendering.lose_socket(socket.url)))
        page.on("popup", _close)
        await _limit(page, rendering)

    rendering.most_bytes = settings.max_rendered_bytes
    methods = [PageMethod(_settle, rendering)]
    if picture:
        methods.append(PageMethod(_photograph, rendering))
    return {
        "playwright": True,
        "first_of_page": True,
        "playwright_context": site_id,
        "playwright_context_kwargs": {"user_agent": agent, "ignore_https_errors": True, "locale": "zh-CN"} | _CONTEXT,
        "playwright_page_init_callback": opened,
        "playwright_page_methods": methods,
        "rendering": rendering,
        "render_limit": 2 * (_navigation_seconds(settings) + _SETTLE_SECONDS) + _CHALLENGE_SECONDS,
        "dont_redirect": True,
        "handle_httpstatus_all": True,
    }


def _charge(request: Request, asked: BrowserRequest) -> None:
    """Count what the browser asks for beside the page itself, which has waited for its turn."""
    if without_heavy_parts(asked) or not is_http(asked.url):
        return
    if request.meta.pop("first_of_page", False):
        return
    request.meta["charge"](host_of(asked.url))


async def _limit(page: Page, rendering: Rendering) -> None:
    """Close the page as soon as it has received more than it may."""

    def count(size: int) -> None:
        within = rendering.received <= rendering.most_bytes
        rendering.received += size
        if within and rendering.received > rendering.most_bytes:
            closing.append(asyncio.ensure_future(_close(page)))

    closing: list[asyncio.Future[None]] = []  # held, or it might be collected before it is done
    await BrowserTraffic.follow(page, count)


async def _close(popup: Page) -> None:
    with contextlib.suppress(BrowserError):
        await popup.close()


async def _settle(page: Page, rendering: Rendering) -> None:
    rendering.restless = not await _quiet(page)
    for _ in range(int(_CHALLENGE_SECONDS / _POLL_SECONDS)):
        if rendering.status not in _CHALLENGES:
            break
        await asyncio.sleep(_POLL_SECONDS)
    if len(rendering.chain) > 1:
        rendering.restless = not await _quiet(page)
    rendering.html, rendering.url = await _content(page), page.url
    if rendering.led_astray:
        raise SchemeRefused(rendering.led_astray)
    if rendering.refusal and not is_http(rendering.url):  # where the page took us
        raise AddressRefused(rendering.refusal)
    rendering.cookies = [dict(cookie) for cookie in await page.context.cookies(page.url)]


async def _quiet(page: Page) -> bool:
    with contextlib.suppress(BrowserTimeout):  # a page that never falls silent is taken as it is after the time
        await page.wait_for_load_state("networkidle", timeout=_SETTLE_SECONDS * 1000)
        return True
    return False


async def _content(page: Page) -> str:
    try:
        return await page.content()
    except BrowserError:  # it was navigating just then
        await page.wait_for_load_state("load")
        return await page.content()


async def _photograph(page: Page, rendering: Rendering) -> None:
    await page.set_viewport_size({"width": _WIDTH, "height": 900})
    height = int(await page.evaluate("Math.max(document.documentElement.scrollHeight, 600)"))
    clip = {"x": 0, "y": 0, "width": _WIDTH, "height": min(height, _MOST_HEIGHT)}
    for _ in range(_MOST_PICTURES):  # the browser may still be drawing: a picture counts when the next is the same
        before = rendering.picture
        rendering.picture = await page.screenshot(full_page=True, clip=clip, animations="disabled")
        if rendering.picture == before:
            break
        await asyncio.sleep(_POLL_SECONDS)
