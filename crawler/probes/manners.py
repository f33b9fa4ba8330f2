"""文明探测: every probe of a site goes through here, at one polite pace a host, where robots.txt lets us in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urljoin

from protego import Protego

from checks.model import FailureKind, Probe, ProbeKind
from config.schema import Crawl, Site
from crawler.names import Names
from crawler.politeness import ROBOTS_NAME
from crawler.probes.http import Got, Question, exchange
from crawler.urls import host_of, normalise, same_site

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
    _asked: dict[str, float] = field(default_factory=dict)  # when each host was last asked
    _robots: dict[str, Protego] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Spell the home page's address as everywhere else."""
        self.home = normalise(self.site.home)

    @property
    def host(self) -> str:
        """The site's host."""
        return host_of(self.home)

    def keep_pace(self, host: str) -> None:
        """Wait until the host may be asked again."""
        asked = self._asked.get(host)
        if asked is not None:
            wait = asked + 1 / self.settings.requests_per_second - time.monotonic()
            if wait > 0:
                self.pause(wait)
        self._asked[host] = time.monotonic()

    def ask(self, question: Question) -> Got:
        """Put a question in its turn."""
        self.keep_pace(host_of(question.url))
        return exchange(question, self.names, self.settings)

    def allows(self, url: str) -> bool:
        """Tell whether robots.txt of the URL's host lets us in, or the owner of the probed site does."""
        if self.site.robots_override_reason and same_site(url, self.home):
            return True
        root = urljoin(url, "/robots.txt")
        if root not in self._robots:
            found = (self.ask(Question(root, family=family)) for family in (4, 6))
            got = next((got for got in found if got.status is not None), Got())
            self._robots[root] = Protego.parse(got.body.decode("utf-8", "replace") if got.status == 200 else "")
        return bool(self._robots[root].can_fetch(url, ROBOTS_NAME))

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
