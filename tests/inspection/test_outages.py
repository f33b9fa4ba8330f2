"""Clocks that jump, a database that is away for a while, and whose turn it is: the parts, without a night."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families
from scrapy import Request

from checks.model import REFUSALS, Capture, FailureKind, Mode
from config.schema import Crawl, Site
from crawler.names import Names
from crawler.plan import plan_run
from crawler.probes.manners import Manners
from crawler.turns import GivesWay, Turns
from crawler.urls import normalise
from inspection import recording as module
from inspection.clock import require_true_day, true_day
from inspection.errors import ClockWrong
from inspection.metrics import metrics_file, registry_of, serve_metrics
from inspection.place import Place, opened
from inspection.progress import Progress
from inspection.recording import recording
from inspection.run import _through_outages
from inspection.settings import resolve
from storage import database as storage_database
from storage.errors import DatabaseLocked, DatabaseUnreachable
from storage.model import Run, RunKind, RunState
from storage.repository import Repository
from tests.made_district import write_made_config

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
DAY = date(2026, 11, 23)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(storage_database, "SQLITE_WAIT_SECONDS", 0.05)  # for a lock that a test holds
    write_made_config(DAY, tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        yield place


def begin(repository: Repository, day: date = DAY) -> Run:
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    return repository.create_run(
        kind=RunKind.NIGHTLY, day=day, seed="s", rules_version="1", digests=digests, site_ids=["jyj"]
    )


# ---------------------------------------------------------------- the clock


@pytest.mark.parametrize(
    ("hours_ahead", "expected"),
    [
        ([0, 0], None),
        ([0, 0, 0], DAY),
        ([11, 11, 11], DAY),
        ([24, 24, 24], DAY + timedelta(days=1)),
        ([-24 * 365] * 5, date(2025, 11, 23)),
        ([0, 0, 0, 24, -5000], DAY),  # two sites are wrong
    ],
)
def test_day_is_that_of_most_sites(hours_ahead: list[int], expected: date | None) -> None:
    assert true_day(NOON, SHANGHAI, [timedelta(hours=hours) for hours in hours_ahead]) == expected


@pytest.mark.parametrize("days_ahead", [0, 1, -30])
def test_run_of_a_wrong_day_is_not_judged(place: Place, days_ahead: int) -> None:
    repository = Repository(place.database, clock=lambda: NOON)
    run = begin(repository)
    plans = plan_run(place.configuration.inventory, DAY, "s", None)[:4]
    said = format_datetime(NOON + timedelta(days=days_ahead), usegmt=True)
    homes = [
        Capture(p.site.id, normalise(p.site.home), Mode.STATIC, NOON, status=200, headers=(("date", said),))
        for p in plans
    ]
    repository.add_captured(run.id, homes)
    if days_ahead:
        with pytest.raises(ClockWrong, match="校准本机时钟"):
            require_true_day(place, run, plans)
    else:
        require_true_day(place, run, plans)
    named = replace(run, day=DAY - timedelta(days=9))  # by --date: nobody's clock said so
    require_true_day(place, named, plans)


def test_clock_put_back_ends_no_run_before_it_began(place: Place) -> None:
    moments = iter([NOON, NOON, *[NOON - timedelta(hours=5)] * 9])
    repository = Repository(place.database, clock=lambda: next(moments))
    run = begin(repository)
    for state in (RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED):
        repository.set_run_state(run.id, state)
    ended = repository.run(run.id)
    assert ended.started_at is not None
    assert ended.finished_at is not None
    assert ended.finished_at >= ended.started_at
    assert ended.day == DAY


# ---------------------------------------------------------------- the database


@contextmanager
def locked(place: Place) -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(
        place.settings.data / "xuncha.sqlite3", isolation_level=None, check_same_thread=False
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_patience_outlasts_a_lock(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_database, "LOCK_WAIT_SECONDS", 0.0)
    waits = threading.Event()
    monkeypatch.setattr(storage_database.time, "sleep", lambda _: waits.set() or other.execute("ROLLBACK"))
    with locked(place) as other:
        with pytest.raises(DatabaseLocked):
            begin(place.repository)
        place.database.patience = 600.0
        assert begin(place.repository).id
    assert waits.is_set()


def test_crawl_goes_on_while_the_rows_wait(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    run = begin(place.repository)
    captures = [Capture("jyj", f"http://a.example/{n}", Mode.STATIC, NOON, status=404) for n in range(5)]
    with recording(place.repository, place.evidence, run.id, "sites") as recorder:
        with locked(place) as other:
            for capture in captures:
                assert recorder.store(capture, None).evidence is not None
            other.execute("ROLLBACK")
        assert len(list(place.evidence.recover(run.id))) == 5
        assert place.repository.captures(run.id, "jyj") == []
    assert len(place.repository.captures(run.id, "jyj")) == 5


def test_transaction_that_was_lost_is_a_resumed_run() -> None:
    attempts: list[int] = []

    def inspected(fails: int) -> Callable[[], str]:
        def attempt() -> str:
            attempts.append(len(attempts))
            if len(attempts) <= fails:
                raise DatabaseUnreachable("连不上")
            return "done"

        return attempt

    assert _through_outages(inspected(2), Progress()) == "done"  # type: ignore[arg-type, comparison-overlap]
    attempts.clear()
    with pytest.raises(DatabaseUnreachable):
        _through_outages(inspected(9), Progress())  # type: ignore[arg-type]
    assert len(attempts) == 3


# ---------------------------------------------------------------- whose turn it is


def test_night_waits_where_a_spot_check_goes_first(tmp_path: Path) -> None:
    turns, pauses = Turns(tmp_path / "locks"), list[float]()
    site = Site(id="jyj", name="区教育局", home="http://jyj.example/")
    with turns.first(["jyj.example"]) as _:
        assert turns.is_taken("jyj.example")
        assert not turns.is_taken("other.example")
        taken = iter([True, True, False])
        manners = Manners(
            site, Crawl(contact="x"), Names(), lambda: NOON, pauses.append, is_taken=lambda _: next(taken)
        )
        manners.keep_pace("jyj.example")
        assert len(pauses) == 2
    assert not turns.is_taken("jyj.example")


def test_request_is_held_back_until_it_is_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.turns.LOOK_AGAIN_SECONDS", 0.0)
    asked: list[str] = []

    def is_taken(host: str) -> bool:
        asked.append(host)
        return len(asked) < 4

    crawler = SimpleNamespace(spider=SimpleNamespace(place=SimpleNamespace(is_taken=is_taken)))
    asyncio.run(GivesWay(crawler).process_request(Request("http://jyj.example/a.html")))  # type: ignore[arg-type]
    assert asked == ["jyj.example"] * 4


def test_spot_checks_of_one_site_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.turns.LOOK_AGAIN_SECONDS", 0.01)
    turns, waiting, done = Turns(tmp_path), threading.Event(), threading.Event()

    def second() -> None:
        with turns.first(["a", "b"], waiting.set):
            done.set()

    with turns.first(["b", "c"]):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(60)
        assert not done.is_set()
    assert done.wait(60)
    thread.join()


# ---------------------------------------------------------------- metrics over HTTP


def test_metrics_are_served_on_loopback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stop = serve_metrics(tmp_path, port)
    try:
        assert _metrics(port) == {}
        metrics_file(tmp_path).parent.mkdir()
        metrics_file(tmp_path).write_text('# TYPE xuncha_units gauge\nxuncha_units{state="published"} 34.0\n')
        assert _metrics(port) == {("xuncha_units", "published"): 34.0}
    finally:
        stop()


def test_metrics_count_whatever_sites_kept_from_us(place: Place) -> None:
    run = begin(place.repository)
    failed = [Capture("jyj", f"http://a/{kind.code}", Mode.STATIC, NOON, failure=kind) for kind in FailureKind]
    place.repository.add_captured(run.id, failed)
    registry = registry_of(place, run, {})
    assert {registry.get_sample_value("xuncha_captures", {"outcome": kind.code}) for kind in FailureKind} == {1}
    assert registry.get_sample_value("xuncha_captures_refused") == 5
    for kind in ("blocked", "forbidden", "rate_limited", "robots_disallowed", "robots_unreadable"):
        assert FailureKind.of(kind) in REFUSALS


def _metrics(port: int) -> dict[tuple[str, ...], float]:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}
