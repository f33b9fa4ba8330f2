"""让道: a spot check, which somebody waits for, goes before the night on the hosts that it asks.

A file lock a host says so to every process of the machine; the operating system frees it however a process ends.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from crawler.urls import host_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

LOOK_AGAIN_SECONDS = 0.5


def nobody(_host: str) -> bool:
    """Tell that nobody goes first: what a spot check is told."""
    return False


class Turns:
    """Whose turn it is on which host; `folder` holds the locks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def first(self, hosts: Iterable[str], on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Go first on all these hosts for the length of a block; waits for others who do, having called
        `on_wait`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            for host in sorted(set(hosts)):  # in one order, so that two never wait for each other
                lock = stack.enter_context(self._path(host).open("w"))
                told = False
                while not _locked(lock, fcntl.LOCK_EX):  # tried again and again: a signal must be heard
                    if not told:
                        on_wait()
                    told = True
                    time.sleep(LOOK_AGAIN_SECONDS)
            yield

    def is_taken(self, host: str) -> bool:
        """Tell whether somebody else goes first on a host."""
        try:
            with self._path(host).open("r+") as lock:
                return not _locked(lock, fcntl.LOCK_SH)  # closing it gives it back
        except OSError:  # nobody ever did
            return False

    def _path(self, host: str) -> Path:
        return self._folder / f"first-{hashlib.sha256(host.encode()).hexdigest()[:32]}.lock"


def _locked(lock: IO[str], how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class GivesWay:
    """Holds a request back for as long as somebody else goes first on its host; other hosts are not held up."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GivesWay:
        """Build it for a crawl; its spider's place knows whose turn it is."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass once it is its turn."""
        while self.crawler.spider.place.is_taken(host_of(request.url)):
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
