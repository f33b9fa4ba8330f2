"""The bucket of each host: never more than its rate and burst, slower when told to, and a budget for the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Crawl, PaceHours, Site
from crawler.hosts import Hosts, host_rules
from crawler.politeness import DayBudgetSpent

HOST = "www.a.test"


class Clocks:
    """A monotonic clock and a wall clock that go together."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)) -> None:
        self.seconds, self.start = 1000.0, start

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds - 1000)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def hosts(clocks: Clocks, settings: Crawl | None = None, folder: Path | None = None, *sites: Site) -> Hosts:
    crawl = settings or Crawl()
    rules = host_rules(sites, crawl)
    return Hosts(crawl, rules, folder, ZoneInfo("Asia/Shanghai"), clocks.monotonic, clocks.wall)


def site(name: str = "portal", **more: object) -> Site:
    return Site.model_validate({"id": name, "name": name, "home": f"http://{HOST}/"} | more)


def granted(book: Hosts, clocks: Clocks, seconds: float, host: str = HOST) -> list[float]:
    """Ask as often as allowed for so long; return when it was."""
    end, times = clocks.seconds + seconds, []
    while clocks.seconds < end:
        wait = book.take(host)
        if wait:
            clocks.seconds += wait
        else:
            times.append(clocks.seconds)
    return times


@given(
    steps=st.lists(st.floats(0, 3), max_size=60),
    rate=st.sampled_from([0.2, 1.0, 5.0]),
    burst=st.integers(1, 4),
    window=st.floats(0.1, 20),
)
def test_never_more_than_rate_and_burst_in_any_window(
    steps: list[float], rate: float, burst: int, window: float
) -> None:
    clocks = Clocks()
    book = hosts(clocks, Crawl(requests_per_second=rate, concurrency=burst))
    times = []
    for step in steps:
        clocks.seconds += step
        if not book.take(HOST):
            times.append(clocks.seconds)
    for start in times:
        inside = [at for at in times if start <= at < start + window]
        assert len(inside) <= window * rate + burst + 1e-6


def test_two_at_once_then_one_a_second(clocks: Clocks) -> None:
    book = hosts(clocks)
    assert [round(at - 1000) for at in granted(book, clocks, 3.5)] == [0, 0, 1, 2, 3]
    assert book.take("other.test") == 0, "hosts do not wait for each other"


def test_processes_share_one_bucket(clocks: Clocks, tmp_path: Path) -> None:
    one, other = hosts(clocks, None, tmp_path), hosts(clocks, None, tmp_path)
    assert (one.take(HOST), other.take(HOST)) == (0, 0)
    assert (one.take(HOST), other.take(HOST)) == (1, 1)
    clocks.seconds += 1
    assert (other.take(HOST), one.take(HOST)) == (0, 1)


def test_sites_that_share_a_host_share_the_gentler_pace(clocks: Clocks) -> None:
    book = hosts(clocks, None, None, site(concurrency=1), site("other", requests_per_second=0.1))
    assert [round(at - 1000) for at in granted(book, clocks, 21)] == [0, 10, 20]


def test_the_pace_of_the_hour_across_midnight(clocks: Clocks) -> None:
    day = PaceHours(begin=time(8), end=time(18), requests_per_second=0.1)
    night = PaceHours(begin=time(22), end=time(6), requests_per_second=10)
    rule = hosts(clocks, Crawl(pace=(day, night))).rule(HOST)
    hours = {hour: rule.rate(datetime(2026, 11, 20, hour, 0)) for hour in (5, 6, 8, 17, 18, 22, 0)}
    assert hours == {5: 10, 6: 1, 8: 0.1, 17: 0.1, 18: 1, 22: 10, 0: 10}
    book = hosts(clocks, Crawl(concurrency=1, pace=(day,)))  # 01:30 UTC is 09:30 in the district
    assert len(granted(book, clocks, 25)) == 3


def test_a_sites_own_pace_takes_the_hours_of_the_others_away() -> None:
    hours = PaceHours(begin=time(8), end=time(18), requests_per_second=0.1)
    rule = host_rules([site(requests_per_second=5)], Crawl(pace=(hours,)))["a.test"]
    assert rule.rate(datetime(2026, 11, 20, 9, 0)) == 5


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        ("30", 30),
        ("Fri, 20 Nov 2026 01:31:00 GMT", 60),
        ("999999", 3600),
        ("Fri, 20 Nov 2020 01:31:00 GMT", 0),
        ("soon", 0),
        ("-5", 0),
    ],
)
def test_retry_after_is_heeded_up_to_the_sites_time_limit(clocks: Clocks, header: str, rest: float) -> None:
    book = hosts(clocks, Crawl(concurrency=1))
    book.take(HOST)
    book.answered(HOST, 503, 0.1, {"retry-after": header})
    clocks.seconds += 10
    assert book.take(HOST) == max(0, rest - 10)


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_has_enough_is_asked_more_seldom_and_recovers_slowly(clocks: Clocks, status: int) -> None:
    book = hosts(clocks)
    book.take(HOST)
    for _ in range(3):
        book.answered(HOST, status, 0.1)  # without Retry-After
    clocks.seconds += 100
    assert [round(at - 1100) for at in granted(book, clocks, 17)] == [0, 8, 16]
    for _ in range(20):
        book.answered(HOST, 200, 0.1)
    clocks.seconds += 100
    assert book.take(HOST) == 0
    assert 1 < book.take(HOST) < 8
    for _ in range(200):
        book.answered(HOST, 200, 0.1)
    clocks.seconds += 100
    assert [book.take(HOST), book.take(HOST)] == [0, 0]
    assert book.visits()[0].slow_downs == 3


def test_answers_that_come_later_and_later_slow_us_down(clocks: Clocks) -> None:
    book = hosts(clocks)
    for _ in range(50):
        book.answered(HOST, 200, 0.2)
    for _ in range(5):
        book.answered(HOST, 200, 6.0)
    book.take(HOST)
    assert book.take(HOST) > 1.5
    assert book.visits()[0].slow_downs
    steady = hosts(Clocks())
    for _ in range(50):
        steady.answered(HOST, 200, 6.0)  # always slow: nothing has changed
    assert [steady.take(HOST), steady.take(HOST)] == [0, 0]


def test_a_days_budget_counts_every_process_and_ends_with_the_districts_day(clocks: Clocks, tmp_path: Path) -> None:
    settings = Crawl(requests_per_day=3, requests_per_second=100)
    book = hosts(clocks, settings, tmp_path)
    for asking in (book, hosts(clocks, settings, tmp_path), book):
        assert asking.take(HOST) == 0
        clocks.seconds += 1
    with pytest.raises(DayBudgetSpent, match="上限"):
        hosts(clocks, settings, tmp_path).take(HOST)
    clocks.seconds += 15 * 3600  # tomorrow, there
    assert book.take(HOST) == 0


def test_bytes_are_counted_too(clocks: Clocks, tmp_path: Path) -> None:
    book = hosts(clocks, Crawl(bytes_per_day=1000), tmp_path)
    book.take(HOST)
    book.received(HOST, 1500)
    book.settle()
    with pytest.raises(DayBudgetSpent):
        hosts(clocks, Crawl(bytes_per_day=1000), tmp_path).take(HOST)


def test_a_crawl_delay_is_kept_unless_the_owner_lets_us(clocks: Clocks) -> None:
    book = hosts(clocks)
    book.heed(HOST, 10)
    assert [round(at - 1000) for at in granted(book, clocks, 21)] == [0, 10, 20]
    book.heed(HOST, 0.1)  # ours is the larger now
    clocks.seconds += 60
    assert len(granted(book, clocks, 9.5)) == 10
    free = hosts(Clocks(), None, None, site(crawl_delay_override_reason="网站管理员电话同意"))
    free.heed(HOST, 10)
    assert [free.take(HOST), free.take(HOST)] == [0, 0]
    (asked,) = free.visits()
    assert asked.overrides == ("portal：不按 Crawl-delay，因为网站管理员电话同意",)


def test_what_a_browser_asks_at_once_is_waited_for_afterwards(clocks: Clocks) -> None:
    book = hosts(clocks, Crawl(concurrency=1))
    book.take(HOST)
    for _ in range(9):
        book.charge(HOST)
    assert book.take(HOST) == 10
    (asked,) = book.visits()
    assert (asked.requests, asked.peak_second, asked.peak_minute) == (10, 10, 10)


def test_peaks_are_of_any_second_and_minute(clocks: Clocks) -> None:
    book = hosts(clocks)
    granted(book, clocks, 100)
    (asked,) = book.visits()
    assert (asked.peak_second, asked.peak_minute) == (2, 61)


@pytest.fixture(params=["torn", "of another boot"])
def left_over(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    clocks = Clocks()
    book = hosts(clocks, None, tmp_path)
    book.take(HOST)
    book.rest(HOST, 3000)
    (kept,) = tmp_path.iterdir()
    text = kept.read_text()
    boot = text.partition('"boot": "')[2].partition('"')[0]
    kept.write_text(text[:40] if request.param == "torn" else text.replace(f'"{boot}"', '"another"', 1))
    yield tmp_path


def test_a_file_that_a_crash_or_another_boot_left_holds_nothing_up(left_over: Path, clocks: Clocks) -> None:
    assert hosts(clocks, None, left_over).take(HOST) == 0


def test_a_folder_that_cannot_be_used_leaves_the_pace_kept(clocks: Clocks, tmp_path: Path) -> None:
    book = hosts(clocks, None, tmp_path / "hosts")
    (tmp_path / "hosts").rmdir()
    assert [book.take(HOST), book.take(HOST), book.take(HOST)] == [0, 0, 1]
