"""文明探测: every probe of a site goes through here, at one polite pace a host, where robots.txt lets us in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urljoin

from checks.model import FailureKind, Probe, ProbeKind
from config.schema import Crawl, Site
from crawler.blocks import recognise
from crawler.hosts import Hosts, host_rules
from crawler.names import Names
from crawler.politeness import HostResting
from crawler.probes.http import Got, Question, exchange
from crawler.robots import TOO_LARGE, RobotsRules, rules_of
from crawler.turns import LOOK_AGAIN_SECONDS, nobody
from crawler.urls import host_of, normalise, same_site

_PATIENCE = 300.0  # seconds that a probe waits for its turn at most

Pause = Callable[[float], None]
Clock = Callable[[], datetime]


@dataclass(slots=True)
class Manners:
    """Who is probed and how: the site, its pace and limits, and what its hosts' robots.txt say."""

    site: Site
    settings: Crawl
    names: Names
    clock: Clock
    pause: Pause = time.sleep
    home: str = ""
    is_taken: Callable[[str], bool] = nobody  # whether somebody else goes first on a host
    hosts: Hosts = None  # type: ignore[assignment]  # a book of its own unless it shares one
    _mute: dict[str, RobotsRules] = field(default_factory=dict)  # origins that did not answer

    def __post_init__(self) -> None:
        """Spell the home page's address as everywhere else."""
        self.home = normalise(self.site.home)
        if self.hosts is None:
            self.hosts = Hosts(self.settings, host_rules([self.site], self.settings))

    @property
    def host(self) -> str:
        """The site's host."""
        return host_of(self.home)

    def keep_pace(self, host: str) -> None:
        """Wait until the host may be asked again; raises HostSpared when that is not today."""
        while self.is_taken(host):
            self.pause(LOOK_AGAIN_SECONDS)
        waited = 0.0
        while wait := self.hosts.take(host):
            waited += wait
            if waited > _PATIENCE:
                raise HostResting(f"{host} 要求稍后再来，本次不再等待")
            self.pause(wait)

    def ask(self, question: Question) -> Got:
        """Put a question in its turn, and each redirect that follows in its own."""
        got = exchange(question, self.names, self.settings, self.keep_pace)
        host, headers = host_of(got.url or question.url), dict(got.headers)
        if got.failure in (None, FailureKind.TOO_LARGE):
            self.hosts.answered(host, got.status, got.seconds, headers)
            self.hosts.received(host, len(got.body))
        refused = got.status is not None and got.status >= HTTPStatus.BAD_REQUEST
        if refused and recognise(got.status or 0, got.headers, got.body):
            self.hosts.blocked(host)
        return got

    def allows(self, url: str) -> bool:
        """Tell whether robots.txt of the URL's host lets us in, or the owner of the probed site does."""
        return self._is_overridden(url) or self._robots(url).allows(url)

    def forbids(self, url: str) -> bool:
        """Tell whether robots.txt says that we may not; one that cannot be read says nothing."""
        return not self._is_overridden(url) and self._robots(url).forbids(url)

    def _is_overridden(self, url: str) -> bool:
        return bool(self.site.robots_override_reason) and same_site(url, self.home)

    def _robots(self, url: str) -> RobotsRules:
        root = urljoin(url, "/robots.txt")
        known = self.hosts.robots.get(root) or self._mute.get(root)
        if known is not None:
            return known
        found = [self.ask(Question(root, family=4))]
        if found[0].status is None:
            found.append(self.ask(Question(root, family=6)))
        got = next((got for got in found if got.status is not None), None)
        if got is None or got.status is None:
            asked = any(not one.name_not_found and one.failure is None for one in found)
            self._mute[root] = RobotsRules(unreadable="robots.txt 读不到，暂不采集" if asked else "")
            return self._mute[root]
        rules = rules_of(got.status, got.headers, got.body)
        if got.failure is FailureKind.TOO_LARGE:
            rules = RobotsRules(unreadable=TOO_LARGE)
        self.hosts.robots[root] = rules
        self.hosts.heed(host_of(root), rules.delay)
        return rules

    def probe(
        self,
        kind: ProbeKind,
        target: str,
        observed: dict[str, object],
        *,
        family: int = 0,
        failure: FailureKind | None = None,
    ) -> Probe:
        """Return what was observed as a probe of the site, made now."""
        return Probe(self.site.id, kind, target, family, self.clock(), observed, failure)
