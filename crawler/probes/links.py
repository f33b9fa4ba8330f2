"""错链探测: whether what the links of a site's pages lead to can be had.

A link is dead only when it was plainly not there twice, at two times, the second time by GET. Whatever may be our own
doing (time-outs, refusals, errors of the server, a resolver that says nothing) leaves it unsure. A host that answers
200 for what cannot exist is asked once for such an address, and its answers are held against that one.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from checks.facts.model import PageFacts
from checks.facts.page import read_page
from checks.model import Probe, ProbeKind
from crawler.blocks import recognise
from crawler.probes.http import Got, Question
from crawler.probes.leads import Lead, Try
from crawler.probes.manners import Manners
from crawler.urls import host_of, same_site

_SECONDS = 900.0  # for all links of a site; the rest have their turn another night
_MOST_BYTES = 262_144  # of one answer: enough to tell a page that says it is not there
_REFUSALS = 5  # in a row, after which a host is left alone


def probe_links(manners: Manners, leads: Sequence[Lead], home: PageFacts | None, *, seed: str) -> Iterator[Probe]:
    """Yield a LINK probe for each lead that robots.txt lets us ask for; what was missing is asked for again at the end.

    Raises nothing for what servers answer. Leads left over when the time is up, or whose host refuses us, give none.
    """
    asking = _Asking(manners, _bare(home) if home else "", seed, time.monotonic() + _SECONDS)
    again: list[tuple[Lead, tuple[Try, ...]]] = []
    for lead in leads:
        tries = (lead.captured,) if lead.captured else asking.first(lead)
        if tries and tries[-1].is_dead:
            again.append((lead, tries))
        elif tries:
            yield _probe(manners, lead, tries)
    for lead, tries in again:
        repeated = asking.once(lead, "GET")
        if repeated is not None:
            yield _probe(manners, lead, (*tries, repeated))


def _probe(manners: Manners, lead: Lead, tries: tuple[Try, ...]) -> Probe:
    last = tries[-1]
    dead = len(tries) > 1 and last.is_dead and tries[-2].is_dead
    state = "dead" if dead else "alive" if last.is_alive else "unsure"
    observed: dict[str, object] = {
        "kind": lead.kind,
        "written": list(lead.written),
        "tries": [attempt.plain for attempt in tries],
        "state": state,
        "why": "" if state == "alive" else last.words,
    }
    return manners.probe(ProbeKind.LINK, lead.url, observed)


@dataclass(slots=True)
class _Asking:
    """Asks for the leads of one site; remembers what is known of each host."""

    manners: Manners
    home: str  # the text of the home page, bare
    seed: str
    deadline: float
    _refusals: dict[str, int] = field(default_factory=dict)
    _soft: dict[str, str | None] = field(default_factory=dict)  # by origin: what it says of the impossible, bare

    def first(self, lead: Lead) -> tuple[Try, ...]:
        """Return the attempts of the first time: HEAD, and GET where that tells nothing; none when we may not ask."""
        head = None if self._is_lenient(lead) else self.once(lead, "HEAD")
        if head is not None and (head.is_dead or head.is_alive):
            return (head,)
        got = self.once(lead, "GET")
        return tuple(attempt for attempt in (head, got) if attempt is not None)

    def once(self, lead: Lead, method: str) -> Try | None:
        """Return one attempt, or None when the time is up, the host has had enough, or robots.txt keeps us out."""
        host = host_of(lead.url)
        if time.monotonic() > self.deadline or self._refusals.get(host, 0) >= _REFUSALS:
            return None
        if not self.manners.allows(lead.url):
            return None
        attempt = self._attempt(lead.url, method)
        if attempt.is_alive or attempt.is_dead:
            self._refusals[host] = 0
        elif method == "GET":  # many refuse HEAD alone
            self._refusals[host] = self._refusals.get(host, 0) + 1
        return attempt

    def _attempt(self, url: str, method: str) -> Try:
        at = self.manners.clock().isoformat()
        got = self.manners.ask(Question(url, method, most_bytes=_MOST_BYTES))
        if got.name_not_found:
            answer = self.manners.names.ask(host_of(url), "A")
            known = answer.rcode == "NXDOMAIN"
            return Try(method, at, error="" if known else got.error, no_such_name=known)
        block = recognise(got.status, got.headers, got.body) if got.status and method == "GET" else None
        if block is not None:
            return Try(method, at, got.status, len(got.body), error=block.evidence)
        soft = method == "GET" and self._says_not_found(url, got)
        return Try(method, at, got.status, len(got.body), got.error, soft_404=soft)

    def _says_not_found(self, url: str, got: Got) -> bool:
        page = self._page(got)
        if page is None:
            return False
        said = self._soft.get(_origin(url))
        dated = page.published.date is not None or page.list.entries  # news of missing pages is no missing page
        return (page.soft_not_found and not dated) or (bool(said) and said == _bare(page))

    def _is_lenient(self, lead: Lead) -> bool:
        """Whether the site's host answers 200 for what cannot exist, so that its 200 alone proves nothing."""
        if not same_site(lead.url, self.manners.home):
            return False
        origin = _origin(lead.url)
        if origin not in self._soft:
            self._soft[origin] = self._calibrated(origin)
        return self._soft[origin] is not None

    def _calibrated(self, origin: str) -> str | None:
        """Ask for an address that cannot exist; return what the page said, None when the host is honest about it.

        An empty text: its pages have to say themselves that they are not there, for the answer to the impossible is the
        home page, another address, or the shell of scripts that stands for every page.
        """
        token = hashlib.sha256(f"{self.seed}/{origin}".encode()).hexdigest()[:20]
        address = urljoin(origin, f"/{token}/{token}.html")
        if not self.manners.allows(address):
            return None
        got = self.manners.ask(Question(address, most_bytes=_MOST_BYTES))
        page = self._page(got)
        if page is None:
            return None
        text = _bare(page)
        telling = got.url == address and not page.rendering_needs and text != self.home
        return text if page.soft_not_found or telling else ""

    def _page(self, got: Got) -> PageFacts | None:
        """Return the page that an answer is, None unless it came as one."""
        if got.status is None or not 200 <= got.status < 300 or got.error or "html" not in got.content_type.lower():
            return None
        return read_page(got.body, url=got.url, content_type=got.content_type, as_of=self.manners.clock().date())


def _bare(page: PageFacts) -> str:
    """Return the page's text without spaces and digits: counters and clocks differ from one answer to the next."""
    return "".join(c for c in page.text if not c.isspace() and not c.isdigit())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"
