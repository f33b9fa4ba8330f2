"""文明采集的说明: what a night asked of each host, for its webmaster; what was slow or kept from us."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostStatement:
    """What the run asked of one host. `sites` are the names of those on it; none for a stranger's."""

    host: str
    sites: tuple[str, ...]
    requests: int
    bytes: int
    peak_second: int
    peak_minute: int
    blocks: int
    refusals: int
    slow_downs: int
    rested_seconds: float
    robots_delay: float
    overrides: tuple[str, ...]

    @property
    def name(self) -> str:
        """The sites on it, or that it is no site of ours."""
        return "、".join(self.sites) or "外部主机（只探测链接）"


@dataclass(frozen=True, slots=True)
class Unread:
    """How many pages of a site were not read for one reason, in Chinese."""

    site: str
    reason: str
    pages: int

    @property
    def sentence(self) -> str:
        """The whole of it in one sentence without its full stop."""
        return f"{self.site}：{self.reason} {self.pages} 个页面"


@dataclass(frozen=True, slots=True)
class Slow:
    """Something that was slow to come: a site on average, or one page (`url`)."""

    site: str
    seconds: float
    url: str = ""


@dataclass(frozen=True, slots=True)
class Politeness:
    """How the night went about. `warnings` belong at the top: who blocked us, and how to be let in."""

    statements: tuple[HostStatement, ...] = ()
    unread: tuple[Unread, ...] = ()
    slow_sites: tuple[Slow, ...] = ()
    slow_pages: tuple[Slow, ...] = ()
    warnings: tuple[str, ...] = ()
