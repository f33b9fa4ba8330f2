"""What one child process is asked to do, and what it says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from checks.facts.page import Reading, read_page
from checks.model import FailureKind
from config.schema import Crawl
from crawler.carrying import Earlier, NothingEarlier
from crawler.gateway import Gateway
from crawler.hosts import Hosts
from crawler.names import Names
from crawler.read_ahead import ReadingAhead
from crawler.sink import CaptureSink, Replay
from crawler.turns import nobody


@dataclass(slots=True)
class CrawlSummary:
    """What a crawl brought home. `failures` counts captures by kind; `finished` names the sites that are through."""

    captured: int = 0
    failures: Counter[FailureKind] = field(default_factory=Counter)
    finished: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Workplace:
    """What every spider of a child process works with.

    `gateway` is None where there is no browser. `on_progress` takes the pages done and the pages known so far,
    `is_taken` a host on which somebody else may go first.
    """

    settings: Crawl
    sink: CaptureSink
    replay: Replay
    names: Names
    gateway: Gateway | None
    browser: Path | None
    clock: Callable[[], datetime]
    on_progress: Callable[[int, int], None]
    on_site_done: Callable[[str], None]
    summary: CrawlSummary
    hosts: Hosts
    is_taken: Callable[[str], bool] = nobody
    read: Reading = read_page
    ahead: ReadingAhead | None = None
    earlier: Earlier = field(default_factory=NothingEarlier)

    @property
    def refusals(self) -> Mapping[tuple[str, int], str]:
        """Why the browser was last kept from a host and port."""
        return self.gateway.refusals if self.gateway else {}
