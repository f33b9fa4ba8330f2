"""One page or one host, looked at outside any run; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path

from checks.facts.model import PageFacts, PageKind
from checks.facts.page import read_page
from checks.model import Bundle, Capture, FailureKind, Finding, Mode, Page, PageRole, Probe, Visit
from checks.registry import judge
from config.loader import Configuration
from config.schema import Inventory, Site
from crawler.blocks import recognise
from crawler.crawl import crawl
from crawler.names import Names
from crawler.plan import SitePlan
from crawler.probes.http import Question
from crawler.probes.ipv6 import probe_ipv6
from crawler.probes.manners import Manners
from crawler.rendering import find_browser
from crawler.sink import Exchange
from crawler.urls import normalise, same_site
from inspection.day import day_in
from inspection.errors import InvalidInput, NothingCaptured

_INNER_PAGES = 3


@dataclass(frozen=True, slots=True)
class SinglePage:
    """A page's bytes and what is known of where they came from."""

    body: bytes
    url: str | None
    content_type: str | None
    failure: FailureKind | None = None  # set when the bytes are those of a firewall that stood before the page


@dataclass(slots=True)
class _Memory:
    """A sink that keeps everything at hand."""

    kept: list[tuple[Capture, bytes]] = field(default_factory=list)

    def store(self, capture: Capture, exchange: Exchange | None) -> Capture:
        self.kept.append((capture, exchange.payload if exchange else b""))
        return capture

    def store_unchanged(self, capture: Capture) -> Capture:
        """Return it: nothing earlier is known here."""
        return capture

    def visit(self, visit: Visit) -> None:
        """Nothing to keep: there is one page."""

    def probe(self, probe: Probe) -> None:
        """Nothing to keep: nothing is probed."""


def fetch_or_open(source: str, url: str | None, inventory: Inventory) -> SinglePage:
    """Return the page in a file, or at an http(s) address under the same manners and limits as a night's crawl.

    Works once a process for an address. Raises InvalidInput for an unreadable file, NothingCaptured for an address.
    """
    if source.startswith(("http://", "https://")):
        return _fetch(source, inventory)
    try:
        body = Path(source).read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"读不到文件 {source}（{error.strerror}）；请给出存在的文件，或 http/https 网址。"
        ) from error
    return SinglePage(body, url, None, FailureKind.BLOCKED if recognise(200, (), body) else None)


def _fetch(url: str, inventory: Inventory) -> SinglePage:
    memory = _Memory()
    one_page = inventory.crawl.model_copy(update={"max_pages_per_site": 1})
    site = Site(id="single", name="单个页面", home=url)
    day = day_in(inventory.district)
    plan = SitePlan(site, (), (), day, "", one_page)
    crawl((plan,), settings=one_page, day=day, sink=memory, browser=find_browser())
    readable = {capture.mode: (capture, body) for capture, body in memory.kept if capture.failure is None}
    best = readable.get(Mode.RENDERED) or readable.get(Mode.STATIC)
    if best is None:
        reasons = "；".join(f"{c.failure.title}（{c.detail}）" for c, _ in memory.kept if c.failure)
        raise NothingCaptured(f"没有读到 {url}：{reasons or '没有得到任何响应'}。请检查网址和本机网络。")
    capture, body = best
    return SinglePage(body, capture.final_url or url, capture.content_type or None)


def probe_host(
    host: str, resolver: str | None, configuration: Configuration
) -> tuple[tuple[Probe, ...], tuple[Finding, ...]]:
    """Put the IPv6 questions about one host ("name", "name:port" or a URL) and judge the answers."""
    home = host if host.startswith(("http://", "https://")) else f"http://{host}/"
    site = Site(id="single", name=host, home=home)
    settings = configuration.inventory.crawl
    if resolver:
        settings = settings.model_copy(update={"resolver": resolver})
    manners = Manners(
        site, settings, Names(settings.resolver, settings.allow_private_addresses), lambda: datetime.now(UTC)
    )
    day = day_in(configuration.inventory.district)
    page = _look(manners, manners.home, day, PageKind.HOME)
    inner = [_look(manners, url, day) for url in _inner_addresses(page, manners)]
    second = [facts for facts in inner if facts is not None]
    probes = tuple(probe_ipv6(manners, page, second, rule=configuration.rules.checks.ipv6))
    bundle = Bundle(
        day=day,
        site=site,
        probes=probes,
        home=_as_page(manners.home, page, PageRole.HOME),
        second_level=tuple(_as_page(facts.url or "", facts, PageRole.SECOND_LEVEL) for facts in second),
    )
    findings = judge(bundle, configuration.rules)
    return probes, tuple(finding for finding in findings if finding.check == "ipv6")


def _look(manners: Manners, url: str, day: date, kind: PageKind | None = None) -> PageFacts | None:
    """Return a page as its server sends it, for the links on it; None when it cannot be had or may not be asked for."""
    if not manners.allows(url):
        return None
    got = manners.ask(Question(url))
    if got.status != HTTPStatus.OK or got.error:
        return None
    return read_page(got.body, url=got.url, content_type=got.content_type, as_of=day, kind=kind)


def _inner_addresses(home: PageFacts | None, manners: Manners) -> list[str]:
    """Return the inner pages whose links stand for the third level."""
    inner = dict.fromkeys(link.url for link in home.links if same_site(link.url, manners.home)) if home else {}
    return [url for url in inner if normalise(url) != manners.home][:_INNER_PAGES]


def _as_page(url: str, facts: PageFacts | None, role: PageRole) -> Page:
    return Page(Visit("single", url, role), facts=facts)
