"""One page or one host, looked at outside any run; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from checks.model import Bundle, Capture, Finding, Mode, Probe, Visit
from checks.registry import judge
from config.loader import Configuration
from config.schema import Inventory, Site
from crawler.crawl import crawl
from crawler.plan import SitePlan
from crawler.probes import probe_site
from crawler.rendering import find_browser
from crawler.sink import Exchange
from inspection.day import day_in
from inspection.errors import InvalidInput, NothingCaptured


@dataclass(frozen=True, slots=True)
class SinglePage:
    """A page's bytes and what is known of where they came from."""

    body: bytes
    url: str | None
    content_type: str | None


@dataclass(slots=True)
class _Memory:
    """A sink that keeps everything at hand."""

    kept: list[tuple[Capture, bytes]] = field(default_factory=list)

    def store(self, capture: Capture, exchange: Exchange | None) -> Capture:
        self.kept.append((capture, exchange.payload if exchange else b""))
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
        return SinglePage(Path(source).read_bytes(), url, None)
    except OSError as error:
        raise InvalidInput(
            f"读不到文件 {source}（{error.strerror}）；请给出存在的文件，或 http/https 网址。"
        ) from error


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
    probes = tuple(
        probe_site(
            site,
            None,
            [],
            settings=settings,
            rule=configuration.rules.checks.ipv6,
            seed="",
            clock=lambda: datetime.now(UTC),
        )
    )
    bundle = Bundle(day=day_in(configuration.inventory.district), site=site, probes=probes)
    findings = judge(bundle, configuration.rules)
    return probes, tuple(finding for finding in findings if finding.check == "ipv6")
