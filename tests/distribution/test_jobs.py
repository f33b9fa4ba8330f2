"""What becomes of jobs whose crawl fails, is stopped, or goes to another worker; the child processes are made up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from procrastinate.jobs import Job

from crawler.plan import SitePlan, plan_run
from distribution import crawling, queue, worker
from distribution.crawling import ATTEMPTS, DistributedCrawling
from distribution.queue import Queue
from distribution.shared_folder import offered, require_offered
from distribution.worker import _Worker
from inspection.children import ORPHANED, Children, Event
from inspection.errors import RunInProgress
from inspection.place import Place, opened
from inspection.progress import Progress
from inspection.run import Request, _new_run
from inspection.settings import Settings, resolve
from storage.errors import DatabaseUnreachable, StorageError
from storage.model import Run, RunKind, RunState
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)
UNITS = ("jiaoyuju",)
Crawl = Callable[[Place, Children, dict[str, Any], Callable[[Event], None]], None]


@pytest.fixture
def place(tmp_path: Path, postgresql_url: str) -> Iterator[Place]:
    write_made_config(DAY, tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", postgresql_url, environment={})) as place:
        yield place


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(worker, "OWNED_SECONDS", 0.05)
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(crawling, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(queue, "HEARTBEAT_SECONDS", 1.0)


@pytest.fixture
def crawls_like(place: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[[Crawl], None]:
    def behave(crawl: Crawl) -> None:
        def run(children: Children, _module: str, job: dict[str, Any], *, on_event: Any, **_: Any) -> int:
            for site_id in job["site_ids"]:
                place.repository.set_site_state(job["run_id"], site_id, RunState.RUNNING)
            crawl(place, children, job, on_event)
            return 0

        monkeypatch.setattr(Children, "run", run)

    return behave


def captured(place: Place, _children: Children, job: dict[str, Any], _on_event: object) -> None:
    for site_id in job["site_ids"]:
        place.repository.set_site_state(job["run_id"], site_id, RunState.CAPTURED)


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


@contextmanager
def working(place: Place, said: list[str], settings: Settings | None = None) -> Iterator[Callable[[], None]]:
    """A worker in a thread; yields what stops it."""
    tasks = Queue(place.settings.database_url)
    with ThreadPoolExecutor(1) as threads:
        tasks.prepare()
        one = _Worker(settings or place.settings, tasks, 1, threads, said.append)
        loop = asyncio.new_event_loop()
        serving = loop.create_task(one._serve_through_outages())

        def serve() -> None:
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(serving)

        thread = threading.Thread(target=serve)
        thread.start()

        def stop() -> None:
            loop.call_soon_threadsafe(serving.cancel)
            thread.join()

        try:
            yield stop
        finally:
            if thread.is_alive():
                stop()
            loop.close()


def begun(place: Place) -> tuple[Run, tuple[SitePlan, ...]]:
    run = _new_run(place, Request(RunKind.NIGHTLY, DAY, UNITS))
    return run, plan_run(place.configuration.inventory, DAY, run.seed, UNITS)


def capture(place: Place, run: Run, plans: tuple[SitePlan, ...]) -> None:
    DistributedCrawling(place, run.id, DAY, run.seed, UNITS).capture(plans, Progress())


def states(place: Place, run: Run, plans: tuple[SitePlan, ...]) -> set[tuple[RunState, int]]:
    ledger = place.repository.site_states(run.id)
    return {(ledger[plan.site.id].state, ledger[plan.site.id].attempts) for plan in plans}


def jobs(place: Place) -> list[tuple[Any, ...]]:
    with psycopg.connect(Queue(place.settings.database_url).conninfo) as connection:
        return connection.execute("SELECT status::text, attempts FROM procrastinate_jobs ORDER BY id").fetchall()


def test_site_whose_crawl_dies_each_time_has_failed(place: Place, crawls_like: Callable[[Crawl], None]) -> None:
    crawls_like(lambda *_: None)
    run, plans = begun(place)
    with working(place, []):
        capture(place, run, plans)
    assert states(place, run, plans) == {(RunState.FAILED, ATTEMPTS)}
    assert {status for status, _ in jobs(place)} == {"failed"}
    assert {row.reason[:6] for row in place.repository.site_states(run.id).values() if row.attempts} == {"工作机采集 "}


def test_run_whose_evidence_cannot_be_kept_stops_and_goes_on(
    place: Place, crawls_like: Callable[[Crawl], None]
) -> None:
    crawls_like(lambda _p, _c, _j, on_event: on_event({"event": "storage_failed", "message": "磁盘已满"}))
    run, plans = begun(place)
    said: list[str] = []
    with working(place, said):
        with pytest.raises(StorageError, match="磁盘已满"):
            capture(place, run, plans)
        assert states(place, run, plans) == {(RunState.RUNNING, ATTEMPTS)}
        assert "磁盘已满" in said
        crawls_like(captured)
        capture(place, run, plans)
    assert states(place, run, plans) == {(RunState.CAPTURED, ATTEMPTS + 1)}


def test_stopped_worker_puts_its_job_back(place: Place, crawls_like: Callable[[Crawl], None]) -> None:
    begins = threading.Event()

    def crawl(_place: Place, children: Children, _job: object, _on_event: object) -> None:
        begins.set()
        while not children.stopped:
            threading.Event().wait(0.01)

    crawls_like(crawl)
    run, plans = begun(place)
    with ThreadPoolExecutor(1) as threads:
        with working(place, []) as stop:
            waiting = threads.submit(capture, place, run, plans)
            assert begins.wait(60)
            stop()
        assert [status for status, _ in jobs(place)] == ["todo"]
        crawls_like(captured)
        with working(place, []):
            waiting.result()
    assert states(place, run, plans) == {(RunState.CAPTURED, 2)}


def test_worker_that_was_taken_for_dead_ends(
    place: Place, crawls_like: Callable[[Crawl], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, gone = list[int](), threading.Event()

    def end(code: int) -> None:
        ended.append(code)
        gone.set()
        raise SystemExit  # a process would be gone here

    def crawl(place: Place, children: Children, job: dict[str, Any], on_event: object) -> None:
        if not ended:
            with psycopg.connect(Queue(place.settings.database_url).conninfo) as connection:
                connection.execute("UPDATE procrastinate_jobs SET worker_id = NULL")  # as one does who clears up
        while not children.stopped:
            threading.Event().wait(0.01)

    monkeypatch.setattr("distribution.worker.os._exit", end)
    crawls_like(crawl)
    run, plans = begun(place)
    tasks = Queue(place.settings.database_url)
    said: list[str] = []
    with offered(place.evidence.folder, tasks.prepare()):
        told = DistributedCrawling(place, run.id, DAY, run.seed, UNITS)._jobs(plans)
        with tasks.app(connections=1).open() as app:
            app.job_manager.batch_defer_jobs(told)
        with working(place, said):
            assert gone.wait(60)
    assert ended[:1] == [ORPHANED]
    assert any("重新启动" in sentence for sentence in said)


def test_jobs_that_nobody_waits_for_any_more_end_at_once(place: Place, crawls_like: Callable[[Crawl], None]) -> None:
    begins, ends = threading.Event(), threading.Event()

    def crawl(_place: Place, children: Children, _job: object, _on_event: object) -> None:
        begins.set()
        while not children.stopped:
            threading.Event().wait(0.01)
        ends.set()

    crawls_like(crawl)
    run, plans = begun(place)
    tasks = Queue(place.settings.database_url)
    crawling = DistributedCrawling(place, run.id, DAY, run.seed, UNITS)
    with working(place, []), ThreadPoolExecutor(1) as threads:
        threads.submit(crawling.capture, plans, Progress())
        assert begins.wait(60)
        asyncio.run(crawling._taken_back(tasks))
        assert ends.wait(60)
    assert {status for status, _ in jobs(place)} <= {"failed", "aborted", "cancelled"}


def test_machine_that_may_not_take_part_leaves_the_jobs_to_others(
    place: Place, crawls_like: Callable[[Crawl], None], tmp_path: Path
) -> None:
    crawls_like(captured)
    run, plans = begun(place)
    broken = replace(place.settings, data=tmp_path / "without the share")
    said: list[str] = []
    with ThreadPoolExecutor(1) as threads, working(place, said, broken):
        waiting = threads.submit(capture, place, run, plans)
        assert wait_for(lambda: "之前不再领任务" in "".join(said))
        with working(place, []):
            waiting.result()
    assert states(place, run, plans) == {(RunState.CAPTURED, 1)}
    assert len(said) == 2, "ready, and why not: once"


def test_machine_that_got_the_share_back_takes_jobs_again(
    place: Place, crawls_like: Callable[[Crawl], None], tmp_path: Path
) -> None:
    crawls_like(captured)
    run, plans = begun(place)
    without = tmp_path / "without the share"
    said: list[str] = []
    with ThreadPoolExecutor(1) as threads, working(place, said, replace(place.settings, data=without)):
        waiting = threads.submit(capture, place, run, plans)
        assert wait_for(lambda: "之前不再领任务" in "".join(said))
        without.mkdir()
        (without / "evidence").symlink_to(place.evidence.folder)
        waiting.result()
    assert states(place, run, plans) == {(RunState.CAPTURED, 1)}


def test_sites_that_nobody_can_take_are_given_up(
    place: Place, crawls_like: Callable[[Crawl], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crawling, "IDLE_SECONDS", 0.5)
    crawls_like(captured)
    run, plans = begun(place)
    with working(place, [], replace(place.settings, data=tmp_path / "without the share")):
        capture(place, run, plans)
    assert states(place, run, plans) == {(RunState.FAILED, 0)}
    assert all("够不到" in place.repository.site_states(run.id)[plan.site.id].reason for plan in plans)
    assert {status for status, _ in jobs(place)} == {"cancelled"}


def test_job_whose_database_or_share_is_away_waits_ever_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "AGAIN_SECONDS", 30.0)

    def wait(exception: BaseException, attempts: int) -> float | None:
        job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="t", attempts=attempts)
        decision = worker._Again().get_retry_decision(exception=exception, job=job)
        at = decision and decision.retry_at
        return None if at is None else round((at - datetime.now(UTC)).total_seconds(), -1)

    away = [wait(DatabaseUnreachable("不在"), attempts) for attempts in range(8)]
    assert away == [30, 60, 120, 240, 480, 960, 960, 960]
    assert wait(OSError("不在"), 2) == wait(worker.SitesLeft(["a"], 1), 2) == 120
    assert wait(worker.PutBack("不在"), 9) == wait(asyncio.CancelledError(), 9) == 0
    assert wait(worker.SitesLeft(["a"], 0), 2) is None


def test_one_folder_is_offered_once_and_only_while_somebody_waits(tmp_path: Path) -> None:
    with offered(tmp_path, "t"):
        require_offered(tmp_path, "t")
        with pytest.raises(RunInProgress), offered(tmp_path, "t"):
            pass
    with pytest.raises(worker.EvidenceNotShared, match="锁"):
        require_offered(tmp_path, "t")
