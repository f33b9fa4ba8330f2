"""每台主机的步调: one token bucket a host, shared by whatever asks it: crawl, probes, robots.txt, retries, browser.

What is known of a host lies in a small file, locked for the moment of each request, so that all processes of this
machine share it: the bucket, the rest that the host asked for, how far we slowed down, and the day's count.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

from config.schema import Crawl, Site
from crawler.plan import settings_of
from crawler.politeness import DayBudgetSpent
from crawler.robots import RobotsRules
from crawler.urls import host_of

_SLOWEST = 16.0  # times the set interval: no host is asked more seldom for being slow
_RECOVERY = 0.97  # of the slowness that is left after each good answer: half of it is gone after 23
_UNPACED = 0.001  # seconds between two requests, below which nobody means a pace: they are only counted
_MOST_DEBT = 300.0  # seconds that a browser's requests, which cannot wait, hold the others up at most
_LATE_SECONDS, _LATE_TIMES = 2.0, 3.0  # answers are late past both: so long, and so many times what is usual
_QUICK, _SLOW = 0.3, 0.02  # weights of the newest answer in the time of late and in the usual time
_REFUSED = frozenset({401, 403, 429})
_OVERLOADED = frozenset({429, 503})

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class HostRule:
    """What is configured for a host. Sites that share it: the gentlest of each."""

    settings: tuple[Crawl, ...]
    ignores_delay: bool = False
    overrides: tuple[str, ...] = ()  # which of the owner's rules are not kept, and why, in Chinese

    def rate(self, at: datetime) -> float:
        """Return the requests a second at a time of day."""
        return min(_rate(own, at) for own in self.settings)

    @property
    def at_once(self) -> int:
        """How many requests may follow each other at once."""
        return min(own.concurrency for own in self.settings)

    @property
    def requests_per_day(self) -> int:
        """The most requests of a day."""
        return min(own.requests_per_day for own in self.settings)

    @property
    def bytes_per_day(self) -> int:
        """The most bytes of a day."""
        return min(own.bytes_per_day for own in self.settings)

    @property
    def longest_rest(self) -> float:
        """The longest Retry-After that is heeded, in seconds."""
        return max(own.site_time_limit_seconds for own in self.settings)


def _rate(settings: Crawl, at: datetime) -> float:
    hours = next((hours for hours in settings.pace if hours.holds(at.time())), None)
    return hours.requests_per_second if hours else settings.requests_per_second


def host_rules(sites: Iterable[Site], crawl: Crawl) -> dict[str, HostRule]:
    """Return the rule of each site's host."""
    by_host: dict[str, list[Site]] = {}
    for site in sites:
        by_host.setdefault(host_of(site.home).removeprefix("www."), []).append(site)
    return {host: _rule(shared, crawl) for host, shared in by_host.items()}


def _rule(sites: Iterable[Site], crawl: Crawl) -> HostRule:
    shared = tuple(sites)
    told = [f"{site.name}：不按 robots.txt，因为{why}" for site in shared if (why := site.robots_override_reason)]
    told += [
        f"{site.name}：不按 Crawl-delay，因为{why}" for site in shared if (why := site.crawl_delay_override_reason)
    ]
    return HostRule(
        tuple(settings_of(site, crawl) for site in shared),
        all(site.crawl_delay_override_reason for site in shared),
        tuple(told),
    )


@dataclass(frozen=True, slots=True)
class HostVisits:
    """What one process asked of a host: for whoever runs it. Peaks are of any second and any minute."""

    host: str
    requests: int
    bytes: int
    peak_second: int
    peak_minute: int
    blocks: int  # pages of a firewall instead of the site's
    refusals: int  # 401, 403, 429
    slow_downs: int
    rested_seconds: float  # asked for by Retry-After
    robots_delay: float
    overrides: tuple[str, ...]


@dataclass(slots=True)
class _State:
    """What the file holds; times are of the machine's monotonic clock since `boot`."""

    boot: str = ""
    free_at: float = 0.0  # when the bucket would be full again
    rest_until: float = 0.0
    slowness: float = 1.0
    delay: float = 0.0  # of robots.txt
    day: str = ""
    requests: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Tally:
    """What this process knows of a host, and what is not in the file yet."""

    requests: int = 0
    bytes: int = 0
    peak_second: int = 0
    peak_minute: int = 0
    blocks: int = 0
    refusals: int = 0
    slow_downs: int = 0
    rested: float = 0.0
    delay: float = 0.0
    recent: deque[float] = field(default_factory=deque)
    second: deque[float] = field(default_factory=deque)
    late: float = 0.0  # seconds an answer takes of late, and usually
    usual: float = 0.0
    pending: list[Callable[[_State], None]] = field(default_factory=list)

    def ask(self, at: float) -> None:
        self.requests += 1
        for window, seconds in ((self.second, 1.0), (self.recent, 60.0)):
            window.append(at)
            while window[0] <= at - seconds:
                window.popleft()
        self.peak_second = max(self.peak_second, len(self.second))
        self.peak_minute = max(self.peak_minute, len(self.recent))

    def is_late(self, seconds: float) -> bool:
        """Take note of an answer's time, and tell whether they have become late."""
        self.usual = seconds if not self.usual else self.usual + _SLOW * (seconds - self.usual)
        self.late = seconds if not self.late else self.late + _QUICK * (seconds - self.late)
        late = self.late > _LATE_SECONDS and self.late > _LATE_TIMES * self.usual
        if late:
            self.late = self.usual  # one step at a time
        return late


class Hosts:
    """The bucket, the robots rules and the tally of every host. Safe to call from several threads.

    Without a `folder` nothing is shared with other processes. `zone` is that of the times of day in the settings.
    """

    def __init__(
        self,
        crawl: Crawl,
        rules: Mapping[str, HostRule] | None = None,
        folder: Path | None = None,
        zone: tzinfo = UTC,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rules, self._other = rules or {}, HostRule((crawl,))
        self._folder, self._zone, self._clock, self._now = folder, zone, clock, now
        self._memory: dict[str, _State] = {}
        self._tallies: dict[str, _Tally] = {}
        self._boot = _boot()
        self._lock = threading.RLock()
        self.robots: dict[str, RobotsRules] = {}  # by origin: cached a night
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def rule(self, host: str) -> HostRule:
        """Return what is configured for a host: that of the site it is of, or lies under; else that of strangers."""
        name = host.removeprefix("www.")
        while name:
            if name in self._rules:
                return self._rules[name]
            name = name.partition(".")[2]
        return self._other

    # ------------------------------------------------------------ before a request

    def take(self, host: str) -> float:
        """Take a token and return 0, or return the seconds after which to try again; raises DayBudgetSpent."""
        rule, at, local = self.rule(host), self._clock(), self._now().astimezone(self._zone)

        def turn(state: _State) -> float:
            _begin_day(state, local)
            if state.requests >= rule.requests_per_day or state.bytes >= rule.bytes_per_day:
                raise DayBudgetSpent(
                    f"今天对 {host} 已请求 {state.requests} 次、收到 {state.bytes} 字节，达到一天的上限，余下的没有采集"
                )
            interval, burst = self._interval(rule, state, local)
            ready = state.free_at - (burst - 1) * interval if interval >= _UNPACED else 0.0
            wait = max(state.rest_until, ready) - at
            if wait > 0:
                return wait
            state.free_at = max(at, state.free_at) + interval
            state.requests += 1
            return 0.0

        wait = self._with(host, turn)
        if not wait:
            self._tally(host, lambda tally: tally.ask(at))
        return wait

    def charge(self, host: str) -> None:
        """Count a request that could not wait, one of a browser's for a page: the next ones wait for it."""
        rule, at, local = self.rule(host), self._clock(), self._now().astimezone(self._zone)

        def owe(state: _State) -> None:
            _begin_day(state, local)
            interval, _ = self._interval(rule, state, local)
            state.free_at = min(max(at, state.free_at) + interval, max(at + _MOST_DEBT, state.free_at))
            state.requests += 1

        self._with(host, owe)
        self._tally(host, lambda tally: tally.ask(at))

    @staticmethod
    def _interval(rule: HostRule, state: _State, local: datetime) -> tuple[float, int]:
        """Return the seconds between two requests, and how many may go at once: one where the host is spared."""
        spared = state.slowness > 1 or state.delay > 0
        return max(state.slowness / rule.rate(local), state.delay), 1 if spared else rule.at_once

    # ------------------------------------------------------------ after a request

    def answered(self, host: str, status: int | None, seconds: float, headers: Mapping[str, str] | None = None) -> None:
        """Take note of an answer: slow down where it says so or comes late, recover slowly where it is good."""
        at, rule = self._clock(), self.rule(host)

        def note(tally: _Tally) -> None:
            tally.refusals += status in _REFUSED
            late = status is not None and tally.is_late(seconds)
            if status in _OVERLOADED or late:
                tally.slow_downs += 1
                tally.pending.append(_slow_down)
            elif status is not None:
                tally.pending.append(_recover)
            rest = _retry_after((headers or {}).get("retry-after", ""), self._now()) if status in _OVERLOADED else 0.0
            if rest > 0:
                rest = min(rest, rule.longest_rest)
                tally.rested += rest
                tally.pending.append(lambda state: _rest(state, at + rest))

        self._tally(host, note)

    def received(self, host: str, size: int) -> None:
        """Count bytes that came from a host."""

        def note(tally: _Tally) -> None:
            tally.bytes += size
            tally.pending.append(lambda state: setattr(state, "bytes", state.bytes + size))

        if size:
            self._tally(host, note)

    def blocked(self, host: str) -> None:
        """Count a page of a firewall."""
        self._tally(host, lambda tally: setattr(tally, "blocks", tally.blocks + 1))

    def rest(self, host: str, seconds: float) -> None:
        """Leave a host alone for some seconds from now."""
        until = self._clock() + seconds
        self._with(host, lambda state: _rest(state, until))

    def heed(self, host: str, delay: float) -> None:
        """Keep the Crawl-delay of the host's robots.txt, unless its owner lets us go without."""
        kept = 0.0 if self.rule(host).ignores_delay else delay
        self._with(host, lambda state: setattr(state, "delay", kept))
        self._tally(host, lambda tally: setattr(tally, "delay", kept))

    def visits(self) -> tuple[HostVisits, ...]:
        """Return what this process asked of each host so far."""
        with self._lock:
            return tuple(
                HostVisits(
                    host,
                    tally.requests,
                    tally.bytes,
                    tally.peak_second,
                    tally.peak_minute,
                    tally.blocks,
                    tally.refusals,
                    tally.slow_downs,
                    round(tally.rested, 1),
                    tally.delay,
                    self.rule(host).overrides,
                )
                for host, tally in sorted(self._tallies.items())
                if tally.requests
            )

    def settle(self) -> None:
        """Write what is not in the files yet: before the process ends."""
        for host in [host for host, tally in self._tallies.items() if tally.pending]:
            self._with(host, lambda state: _begin_day(state, self._now().astimezone(self._zone)))

    # ------------------------------------------------------------ where it lies

    def _tally(self, host: str, note: Callable[[_Tally], None]) -> None:
        with self._lock:
            note(self._tallies.setdefault(host, _Tally()))

    def _with(self, host: str, change: Callable[[_State], Result]) -> Result:
        """Change what is known of a host, alone; a disk that cannot be used leaves it to this process's memory."""
        with self._lock:
            if self._folder is None:
                return self._changed(host, self._memory.setdefault(host, _State(self._boot)), change)
            try:
                opened = os.open(self._path(host), os.O_RDWR | os.O_CREAT, 0o644)
            except OSError:
                return self._changed(host, self._memory.setdefault(host, _State(self._boot)), change)
            try:
                fcntl.flock(opened, fcntl.LOCK_EX)  # closing frees it
                state = self._memory[host] = _read(os.pread(opened, 4096, 0), self._boot)
                result = self._changed(host, state, change)
                _write(opened, state)
                return result
            finally:
                os.close(opened)

    def _changed(self, host: str, state: _State, change: Callable[[_State], Result]) -> Result:
        tally = self._tallies.setdefault(host, _Tally())
        _begin_day(state, self._now().astimezone(self._zone))
        for pending in tally.pending:
            pending(state)
        tally.pending.clear()
        return change(state)

    def _path(self, host: str) -> Path:
        assert self._folder is not None
        return self._folder / hashlib.sha256(host.encode("utf-8", "replace")).hexdigest()[:32]


def _read(content: bytes, boot: str) -> _State:
    try:
        kept = json.loads(content)
        state = _State(**{item.name: type(item.default)(kept[item.name]) for item in fields(_State)})
    except (ValueError, KeyError, TypeError):  # new, or torn by a crash
        return _State(boot)
    if state.boot != boot:  # the clock began anew
        state.boot, state.free_at, state.rest_until = boot, 0.0, 0.0
    return state


def _write(opened: int, state: _State) -> None:
    content = json.dumps(asdict(state)).encode()
    try:
        os.pwrite(opened, content, 0)
        os.ftruncate(opened, len(content))
    except OSError:
        return  # the disk is full: what must be kept says so elsewhere


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _begin_day(state: _State, local: datetime) -> None:
    day = local.date().isoformat()
    if state.day != day:
        state.day, state.requests, state.bytes = day, 0, 0


def _slow_down(state: _State) -> None:
    state.slowness = min(state.slowness * 2, _SLOWEST)


def _recover(state: _State) -> None:
    state.slowness = 1 + (state.slowness - 1) * _RECOVERY
    if state.slowness < 1.05:
        state.slowness = 1.0


def _rest(state: _State, until: float) -> None:
    state.rest_until = max(state.rest_until, until)


def _retry_after(value: str, now: datetime) -> float:
    """Return the seconds that a Retry-After header asks for, as a number or a date; 0 when it cannot be read."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())
