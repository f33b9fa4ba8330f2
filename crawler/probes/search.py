"""站内搜索探测: whether the search of a site finds titles that we know are there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from checks.facts.model import PageFacts
from checks.facts.page import read_page
from checks.model import FailureKind, Probe, ProbeKind
from checks.reading.search_forms import SearchForm, search_form
from config.rules import SiteSearchRule
from crawler.blocks import recognise
from crawler.probes.http import Got, Question
from crawler.probes.manners import Manners
from crawler.urls import InvalidUrl, normalise

_WORDS = re.compile(r"[0-9A-Za-z㐀-䶿一-鿿]+")
_LONGEST = 14  # characters asked for: many engines take no more
_SHORTEST = 6
_MOST_BYTES = 1_000_000  # of a page of results
_REST = 3  # further characters of the title, which only somebody who found it can show
_UNREAD = frozenset({"empty_list", "script_content", "challenge", "frames_unread", "cut_off"})


@dataclass(frozen=True, slots=True)
class Title:
    """A page that we know is there: its title as lists give it, its address, and when it was published."""

    title: str
    url: str
    published: date

    @property
    def query(self) -> str:
        """What is asked for: a part of the title without punctuation, as the title's own words begin; may be empty."""
        return self._words[:-_REST][:_LONGEST]

    @property
    def proof(self) -> str:
        """The query and the characters that follow it in the title: a page that only echoes cannot show them."""
        return self._words[: len(self.query) + _REST]

    @property
    def _words(self) -> str:
        own = self.title.partition("关于")[2] or self.title
        return max(_WORDS.findall(own), key=len, default="")


def choose(titles: Iterable[Title], *, day: date, rule: SiteSearchRule, seed: str) -> tuple[Title, ...]:
    """Return the titles to ask for, drawn by seed: none newer than what any index has taken in by now, none twice."""
    settled = day - timedelta(days=rule.settled_days)
    listed = sorted(titles, key=lambda title: title.url)
    fit = {t.query: t for t in listed if t.published <= settled and len(t.query) >= _SHORTEST}
    lots = sorted(fit.values(), key=lambda t: hashlib.sha256(f"{seed}\n{t.url}".encode("utf-8", "replace")).digest())
    return tuple(lots[: rule.titles])


def probe_search(manners: Manners, home: PageFacts | None, titles: Sequence[Title]) -> Iterator[Probe]:
    """Yield a SEARCH probe for each title, up to the first that is found; none when the home page has no search form.

    `found` is None when nothing can be told: the server refused, or results are written by scripts.
    """
    searching = search_form(home) if home else None
    if home is None or searching is None:
        return
    if not manners.allows(searching.form.action):
        observed: dict[str, object] = {"query": "", "found": None, "error": ""}
        failure = FailureKind.ROBOTS_DISALLOWED
        yield manners.probe(ProbeKind.SEARCH, searching.form.action, observed, failure=failure)
        return
    for number, title in enumerate(titles, start=1):
        probe = _search(manners, home, searching, title, number)
        yield probe
        if probe.observed["found"]:
            return


def _search(manners: Manners, home: PageFacts, searching: SearchForm, title: Title, number: int) -> Probe:
    url, form = searching.request(title.query, home.charset)
    got = manners.ask(Question(url, searching.form.method, form=form, most_bytes=_MOST_BYTES))
    found, error = _found(got, title, manners)
    observed: dict[str, object] = {
        "try": number,
        "query": title.query,
        "title": title.title,
        "url": title.url,
        "published": title.published.isoformat(),
        "method": searching.form.method,
        "status": got.status,
        "bytes": len(got.body),
        "found": found,
        "error": error,
    }
    return manners.probe(ProbeKind.SEARCH, searching.form.action, observed, failure=got.failure)


def _found(got: Got, title: Title, manners: Manners) -> tuple[bool | None, str]:
    """Return whether the answer shows the title, and why that cannot be told."""
    if got.error or got.status != 200:
        return None, got.error or f"HTTP {got.status}"
    block = recognise(got.status, got.headers, got.body)
    if block is not None:
        return None, block.evidence
    page = read_page(got.body, url=got.url, content_type=got.content_type, as_of=manners.clock().date())
    if _shows(page, title):
        return True, ""
    if page.rendering_needs & _UNREAD:
        return None, "结果由脚本生成"
    return False, ""


def _shows(page: PageFacts, title: Title) -> bool:
    leads = [*(link.url for link in page.links), *(entry.url for entry in page.list.entries)]
    return title.proof in "".join(page.text.split()) or _spelt(title.url) in map(_spelt, leads)


def _spelt(url: str) -> str:
    try:
        return normalise(url)
    except InvalidUrl:
        return url
