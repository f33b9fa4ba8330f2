"""robots.txt as RFC 9309 has it: what an answer to it means, for the crawl and the probes alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from protego import Protego

from crawler.blocks import recognise
from crawler.politeness import ROBOTS_NAME

MOST_BYTES = 512_000  # that are read of one: 500 KiB
TOO_LARGE = "robots.txt 太大，没有读，暂不采集"  # why it is unreadable
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """What a host's robots.txt lets us do. `unreadable` says in Chinese why nobody knows; then it forbids everything.

    `asked` is how often it had been asked for when it could not be read.
    """

    rules: Protego | None = None
    unreadable: str = ""
    asked: int = 0

    def allows(self, url: str) -> bool:
        """Tell whether we may fetch a URL."""
        return not self.unreadable and not self.forbids(url)

    def forbids(self, url: str) -> bool:
        """Tell whether it says that we may not fetch a URL."""
        return self.rules is not None and not self.rules.can_fetch(url, ROBOTS_NAME)

    @property
    def delay(self) -> float:
        """The Crawl-delay in seconds; 0 without one."""
        return max(0.0, float((self.rules.crawl_delay(ROBOTS_NAME) if self.rules else None) or 0.0))


def rules_of(status: int, headers: Iterable[tuple[str, str]], body: bytes, asked: int = 0) -> RobotsRules:
    """Return what an answer to a request for robots.txt means.

    A server error, or one that has had too many requests, forbids everything until it can be read (2.3.1.4); any other
    refusal, and redirects without end, forbid nothing (2.3.1.3). So does a script's puzzle, which every visitor is
    given whatever the owner wrote.
    """
    if 200 <= status < 300:
        return RobotsRules(Protego.parse(body[:MOST_BYTES].decode("utf-8", "replace")))
    if status < 500 and status != _TOO_MANY_REQUESTS:
        return RobotsRules()
    block = recognise(status, headers, body)
    if block is not None and block.script:
        return RobotsRules()
    return RobotsRules(unreadable=f"robots.txt 读不到（状态码 {status}），暂不采集", asked=asked)
