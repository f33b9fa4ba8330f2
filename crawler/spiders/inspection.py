"""巡查爬虫: home page, columns, list pages, articles and attachments of several sites, each at its own pace."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from checks.facts.model import PageFacts
from checks.model import Capture, FailureKind, Mode, PageRole
from crawler import capturing
from crawler.capturing import Fetched, Target
from crawler.carrying import Asking, EarlierPage, validators
from crawler.failures import LATER, RETRIED, SILENT, of_exception
from crawler.guard import Refused, check_url
from crawler.markup import is_markup
from crawler.plan import SitePlan
from crawler.politeness import user_agent
from crawler.read_ahead import ASKED_AS
from crawler.rendering import Rendering, needs_rendering, render_meta
from crawler.site_crawl import LAST_ROUND, Outline, SiteCrawl, WantedPage
from crawler.spiders.base import DistrictSpider, guarded
from crawler.task import Workplace
from crawler.urls import InvalidUrl, host_of, is_http, normalise

log = logging.getLogger(__name__)

_NOT_MODIFIED = 304
_LARGE_FILES = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".wps", ".et", ".ofd", ".zip", ".rar", ".ppt", ".pptx")


@dataclass(slots=True)
class _SiteState:
    plan: SitePlan
    crawl: SiteCrawl
    deadline: float  # by the monotonic clock: one that is put right in the night gives no time and takes none
    cookies: list[dict[str, Any]] = field(default_factory=list)  # what let the browser past the site's challenge
    refused: dict[str, Fetched] = field(default_factory=dict)  # by URL, what stood before pages that are put off
    reported: bool = False
    told: tuple[int, int] = (0, 0)  # pages done and known, as they are in the sums of all sites


class InspectionSpider(DistrictSpider):
    """Walks the plans of several sites at once; what happens on one never holds up another."""

    name = "inspection"

    def __init__(self, plans: tuple[SitePlan, ...], day: date, workplace: Workplace, **kwargs: Any) -> None:
        super().__init__(workplace, **kwargs)
        self.plans, self.day = plans, day
        self._begun = 0  # sites
        self._busy: set[str] = set()  # sites that are neither through nor waiting
        self._waiting: dict[str, _SiteState] = {}  # for their last round
        self._done = self._known = 0  # pages of all sites

    async def begin(self) -> AsyncIterator[Request]:
        """Yield the first requests of every site."""
        for plan in self.plans:
            deadline = time.monotonic() + plan.settings.site_time_limit_seconds
            crawl = SiteCrawl(plan, self.place.sink.visit, self.place.earlier)
            site = _SiteState(plan, crawl, deadline)
            self._begun += 1
            self._tell_progress(site)
            for request in self._advance(site):
                yield request
        for request in self._wake():
            yield request

    # ------------------------------------------------------------ pace and limits

    def _advance(self, site: _SiteState) -> Iterator[Request]:
        """Yield as many requests as the site bears at once, and report the site when nothing is left."""
        crawl, site_id = site.crawl, site.plan.site.id
        self._busy.add(site_id)
        while crawl.in_flight < site.plan.settings.concurrency and (page := self._next(site)):
            request = self._ask(site, page)
            if request is not None:
                crawl.in_flight += 1
                yield request
        if crawl.is_done and not site.reported:
            self._keep_refused(site)
            site.reported = True
            self.place.summary.finished.append(site_id)
            self.place.on_site_done(site_id)
        if crawl.is_done or crawl.is_waiting:
            self._busy.discard(site_id)
        if crawl.is_waiting:
            self._waiting[site_id] = site

    def _next(self, site: _SiteState) -> WantedPage | None:
        if time.monotonic() > site.deadline or site.crawl.fetched >= site.plan.settings.max_pages_per_site:
            self._keep_refused(site)
            site.crawl.abandon(FailureKind.BUDGET_EXHAUSTED)
        return site.crawl.take(last=self._is_last(site))

    def _is_last(self, site: _SiteState) -> bool:
        """Whether all other sites are through, or wait for their last round too."""
        return self._begun == len(self.plans) and self._busy <= {site.plan.site.id}

    def _wake(self) -> Iterator[Request]:
        """Yield the requests of the last round of sites that waited for the others."""
        while self._waiting and not self._busy and self._begun == len(self.plans):
            yield from self._advance(self._waiting.pop(next(iter(self._waiting))))

    def _keep_refused(self, site: _SiteState) -> None:
        """Keep what stood before pages that are not asked for again."""
        for fetched in site.refused.values():
            self.keep(fetched)
        site.refused.clear()

    def _landed(self, site: _SiteState, request: Request | None) -> Iterator[Request]:
        """Go on after a response: with the page's next step if it has one, else with the site's next page."""
        if request is not None:
            yield request
            return
        site.crawl.in_flight -= 1
        yield from self._advance(site)
        yield from self._wake()

    def _finish(self, site: _SiteState, page: WantedPage, kind: FailureKind | None) -> None:
        crawl, host = site.crawl, host_of(page.url)
        if kind in (FailureKind.ROBOTS_DISALLOWED, FailureKind.ROBOTS_UNREADABLE):
            page.failure = kind
        crawl.finish(page, kind if kind in SILENT else None)
        if kind is FailureKind.BUDGET_EXHAUSTED or (kind in LATER and crawl.is_kept_out(host)):
            self._keep_refused(site)
            crawl.abandon(kind, host)
        self._tell_progress(site)

    def _tell_progress(self, site: _SiteState) -> None:
        """Tell how far all sites are, after something happened on this one."""
        (done, known), site.told = site.told, (site.crawl.done, site.crawl.known)
        self._done += site.crawl.done - done
        self._known += site.crawl.known - known
        self.place.on_progress(self._done, self._known)

    # ------------------------------------------------------------ static pages

    def _ask(self, site: _SiteState, page: WantedPage) -> Request | None:
        """Return the request for a page, or None when it is settled without one: carried, replayed, or refused."""
        how = site.crawl.asking(page)
        if how is Asking.NOT_TONIGHT and self._carry(site, page):
            return None
        found = self.place.replay.find(site.plan.site.id, page.url, Mode.STATIC)
        if found:
            return self._read(site, page, self.replayed(*found), replayed=True)
        try:
            check_url(page.url)
        except Refused as error:
            target = Target(site.plan.site.id, page.url, Mode.STATIC, self.place.clock())
            return self._read(site, page, target.failed(*of_exception(error)))
        known = page.earlier.of_mode(Mode.STATIC) if page.earlier and how is Asking.IF_CHANGED else None
        return self._static_request(site, page, page.url, known=known)

    def _carry(self, site: _SiteState, page: WantedPage) -> bool:
        """Settle a page by what an earlier night captured, unless that does not tell where to go on from it."""
        earlier, outline = page.earlier, None
        assert earlier is not None
        if earlier.files is None and page.role is PageRole.ARTICLE:
            outline = self._outline_of(site, page, earlier)
            if outline is None:
                return False
        for capture in earlier.captures:
            if capture.mode is not Mode.SCREENSHOT:
                self.keep(Fetched(capture))
        site.crawl.carry(page, outline)
        self._tell_progress(site)
        return True

    def _outline_of(self, site: _SiteState, page: WantedPage, earlier: EarlierPage) -> Outline | None:
        """Read an earlier capture; None where it can be read no more, or was not made in the way wanted today."""
        static, rendered = earlier.of_mode(Mode.STATIC), earlier.of_mode(Mode.RENDERED)
        best = rendered or static
        body = self.place.earlier.payload(best) if best else None
        if best is None or body is None:
            return None
        fetched = self.replayed(best, body)
        facts = self._facts(page, fetched)
        if facts is None or (rendered is None and self._wants_browser(site, page, fetched, facts)):
            return None
        return Outline.of(facts, page.role)

    def _static_request(
        self,
        site: _SiteState,
        page: WantedPage,
        url: str,
        chain: tuple[str, ...] = (),
        tries: int = 0,
        known: Capture | None = None,
    ) -> Request:
        """Return the request for a page; one that need not come again if it is as in the capture `known`."""
        settings = site.plan.settings
        large = page.role is PageRole.ATTACHMENT or page.url.lower().endswith(_LARGE_FILES)
        about = {"site": site, "page": page, "chain": chain, "tries": tries, "passed": bool(site.cookies)}
        ahead = {} if large else {ASKED_AS: page.kind}
        return Request(
            url,
            callback=self.receive,
            errback=self.receive_failure,
            cb_kwargs=about | {"known": known},
            headers=validators(known),
            dont_filter=True,
            cookies=site.cookies,
            meta=ahead
            | {
                "cookiejar": site.plan.site.id,
                "deadline": site.deadline,
                "round": site.crawl.round,
                "download_timeout": settings.timeout_seconds,
                "download_maxsize": settings.max_attachment_bytes if large else settings.max_body_bytes,
                "dont_obey_robotstxt": bool(site.plan.site.robots_override_reason),
            },
        )

    @guarded
    def receive(
        self,
        response: Response,
        site: _SiteState,
        page: WantedPage,
        chain: tuple[str, ...],
        tries: int,
        passed: bool,
        known: Capture | None,
    ) -> Iterator[Request]:
        """Take a static response of any status; a 304 that tells nothing of the page is asked again without terms."""
        target = Target(site.plan.site.id, page.url, Mode.STATIC, self.place.clock(), chain)
        if response.status != _NOT_MODIFIED or known is None:
            yield from self._received(site, page, capturing.of_response(target, response), tries, passed)
            return
        payload = self.place.earlier.payload(known) if response.url == page.url else None
        if payload is None:
            yield self._static_request(site, page, page.url, tries=tries)
        else:
            fetched = capturing.of_not_modified(target, response, known, payload)
            yield from self._received(site, page, fetched, tries, passed)

    @guarded
    def receive_failure(self, failure: Failure) -> Iterator[Request]:
        """Take a static request that failed."""
        known = failure.request.cb_kwargs
        site, page = known["site"], known["page"]
        target = Target(site.plan.site.id, page.url, Mode.STATIC, self.place.clock(), known["chain"])
        fetched = capturing.of_exception(target, failure.value, failure.request)
        yield from self._received(site, page, fetched, known["tries"], known["passed"])

    def _received(
        self, site: _SiteState, page: WantedPage, fetched: Fetched, tries: int, passed: bool
    ) -> Iterator[Request]:
        """Ask again where that may help: after a moment's fault, or with the pass that the browser got meanwhile."""
        if fetched.block is not None and fetched.block.script and site.cookies and not passed:
            yield self._static_request(site, page, page.url, tries=tries)
        elif fetched.capture.failure in RETRIED and tries < site.plan.settings.retries:
            yield self._static_request(site, page, page.url, tries=tries + 1)
        else:
            yield from self._landed(site, self._read(site, page, fetched))

    def _read(self, site: _SiteState, page: WantedPage, fetched: Fetched, *, replayed: bool = False) -> Request | None:
        """Read a static page; return the request of its next step (redirect, rendering), or None when settled."""
        facts = self._facts(page, fetched)
        if facts and facts.redirect and not replayed:
            target = _redirect_target(facts.redirect)
            chain = (*fetched.capture.redirects, fetched.capture.final_url)
            if target and len(chain) <= site.plan.settings.max_redirects:
                return self._static_request(site, page, target, chain)
            if target:
                looped = replace(
                    fetched.capture, failure=FailureKind.REDIRECT_LOOP, detail=" → ".join((*chain, target))
                )
                fetched, facts = replace(fetched, capture=looped), None
        if fetched.capture.failure is FailureKind.BUDGET_EXHAUSTED:  # what stood before it tells more
            fetched = site.refused.pop(page.url, fetched)
        if not replayed:
            self._count(fetched)
            if self._is_put_off(site, page, fetched):
                return None
            site.refused.pop(page.url, None)
            self.keep(fetched)
        if facts:
            page.outline = Outline.of(facts, page.role)
        if self._wants_browser(site, page, fetched, facts):
            return self._render(site, page)
        self._finish(site, page, fetched.capture.failure)
        return None

    def _is_put_off(self, site: _SiteState, page: WantedPage, fetched: Fetched) -> bool:
        """Put off what another time may bring; a puzzle is for the browser, and needs no other time."""
        kind = fetched.capture.failure
        if kind not in LATER:
            page.refused = None
            return False
        if self._wants_browser(site, page, fetched, None) or not site.crawl.postpone(page, kind):
            return False
        site.refused[page.url] = fetched
        self.place.hosts.rest(host_of(page.url), site.plan.settings.block_rest_seconds)
        return True

    def _count(self, fetched: Fetched) -> None:
        if fetched.block is not None:
            self.place.hosts.blocked(host_of(fetched.capture.final_url or fetched.capture.url))

    def _facts(self, page: WantedPage, fetched: Fetched) -> PageFacts | None:
        capture = fetched.capture
        if capture.failure or page.role is PageRole.ATTACHMENT or not is_markup(capture, fetched.body):
            return None
        url, kind = capture.final_url or capture.url, page.kind
        try:
            return self.place.read(fetched.body, url=url, content_type=capture.content_type, as_of=self.day, kind=kind)
        except Exception:
            log.exception("page could not be read: %s", url)
            return None

    # ------------------------------------------------------------ rendered pages

    def _wants_browser(self, site: _SiteState, page: WantedPage, fetched: Fetched, facts: PageFacts | None) -> bool:
        if fetched.block is not None:
            kept_out = site.crawl.round == LAST_ROUND and self._may_render(site)
            return (fetched.block.script or kept_out) and page.role is not PageRole.ATTACHMENT
        return facts is not None and needs_rendering(page.role, facts)

    def _may_render(self, site: _SiteState) -> bool:
        return self.place.gateway is not None and site.plan.settings.render != "never"

    def _render(self, site: _SiteState, page: WantedPage, tries: int = 0) -> Request | None:
        """Return the request that renders a page, or None when that is settled without one."""
        page.rendering_wanted = True
        target = Target(site.plan.site.id, page.url, Mode.RENDERED, self.place.clock())
        found = self.place.replay.find(target.site_id, target.url, target.mode)
        if found:
            return self._rendered(site, page, self.replayed(*found), replayed=True)
        if not self._may_render(site):
            missing = target.failed(FailureKind.RENDER_UNAVAILABLE, "没有可用的浏览器，或设置为不渲染")
            return self._rendered(site, page, missing)
        rendering = Rendering(refusals=self.place.refusals)
        agent = user_agent(self.place.settings.contact)
        meta = render_meta(target.site_id, agent, site.plan.settings, rendering)
        meta |= {
            "dont_obey_robotstxt": bool(site.plan.site.robots_override_reason),
            "deadline": site.deadline,
            "round": site.crawl.round,
        }
        known = {"site": site, "page": page, "rendering": rendering, "tries": tries}
        return Request(
            page.url,
            callback=self.receive_rendering,
            errback=self.receive_rendering_failure,
            cb_kwargs=known,
            dont_filter=True,
            meta=meta,
        )

    @guarded
    def receive_rendering(
        self, response: Response, site: _SiteState, page: WantedPage, rendering: Rendering, tries: int
    ) -> Iterator[Request]:
        """Take a rendered page."""
        target = Target(site.plan.site.id, page.url, Mode.RENDERED, self.place.clock())
        fetched = capturing.of_rendering(target, rendering, response.request, site.plan.settings.max_body_bytes)
        if fetched.capture.failure is None:
            site.cookies = rendering.cookies or site.cookies
        facts = self._facts(page, fetched)
        if facts and rendering.lack and needs_rendering(page.role, facts):  # what is missing may have been on its way
            kind = FailureKind.ADDRESS_REFUSED if rendering.refusal else FailureKind.RENDER_FAILED
            failed = replace(fetched.capture, failure=kind, detail=rendering.refusal or rendering.lack)
            fetched = replace(fetched, capture=failed)
        yield from self._landed(site, self._rendered(site, page, fetched))

    @guarded
    def receive_rendering_failure(self, failure: Failure) -> Iterator[Request]:
        """Take a page that the browser could not render; once more if a retry may help."""
        known = failure.request.cb_kwargs
        site, page, tries = known["site"], known["page"], known["tries"]
        target = Target(site.plan.site.id, page.url, Mode.RENDERED, self.place.clock())
        fetched = capturing.of_exception(target, failure.value, failure.request)
        if fetched.capture.failure is FailureKind.RENDER_FAILED and tries < site.plan.settings.retries:
            yield from self._landed(site, self._render(site, page, tries + 1))
        else:
            yield from self._landed(site, self._rendered(site, page, fetched))

    def _rendered(
        self, site: _SiteState, page: WantedPage, fetched: Fetched, *, replayed: bool = False
    ) -> Request | None:
        """Go on with what the browser saw, where it saw the page; with the static page otherwise."""
        facts = self._facts(page, fetched)
        if not replayed:
            self._count(fetched)
            self.keep(fetched)
        if facts:
            page.outline = Outline.of(facts, page.role)
            page.refused = None
        self._finish(site, page, None)
        return None


def _redirect_target(url: str) -> str | None:
    try:
        return normalise(url) if is_http(url) else None
    except InvalidUrl:
        return None
