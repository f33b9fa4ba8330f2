"""When the night is run: what the ledger says is missing, and the job that the database keeps."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.util import obj_to_ref, ref_to_obj
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

import scheduler
from cli.main import main
from fixtures.district.world import CONFIG_FOLDER
from inspection.place import Place, opened
from inspection.settings import Settings, resolve
from scheduler import CatchUp, Night, build, catch_up, due_now, last_due
from storage.errors import EvidenceDiskFull
from storage.model import RunKind, RunState

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHTLY = time(1, 30)
DAY = date(2026, 11, 23)
YESTERDAY = DAY - timedelta(days=1)
PATIENCE = 60


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(DAY.year, DAY.month, DAY.day, hour, minute, second, tzinfo=SHANGHAI)


# ---------------------------------------------------------------- what is due


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (at(0), YESTERDAY),
        (at(1, 29, 59), YESTERDAY),
        (at(1, 30), DAY),
        (at(1, 30, 1), DAY),
        (at(23, 59, 59), DAY),
        (datetime(2026, 11, 22, 17, 29, tzinfo=ZoneInfo("UTC")).astimezone(SHANGHAI), YESTERDAY),
        (datetime(2026, 11, 22, 17, 30, tzinfo=ZoneInfo("UTC")).astimezone(SHANGHAI), DAY),
    ],
)
def test_last_due_night(now: datetime, due: date) -> None:
    assert last_due(now, NIGHTLY) == due


@pytest.mark.parametrize(
    ("now", "nights", "wanted"),
    [
        (at(9), [], CatchUp.RUN),
        (at(1, 30), [], CatchUp.RUN),
        (at(1, 29), [], CatchUp.NOTHING),  # yesterday's pages can't be seen today
        (at(9), [Night(DAY, finished=True)], CatchUp.NOTHING),
        (at(9), [Night(DAY, finished=False)], CatchUp.RESUME),
        (at(9), [Night(DAY, finished=False), Night(DAY, finished=True)], CatchUp.NOTHING),
        (at(9), [Night(YESTERDAY, finished=True)], CatchUp.RUN),
        (at(9), [Night(YESTERDAY, finished=False)], CatchUp.RUN),
        (at(1), [Night(YESTERDAY, finished=False)], CatchUp.RESUME),
        (at(1), [Night(YESTERDAY, finished=True)], CatchUp.NOTHING),
        (at(1), [Night(DAY, finished=False)], CatchUp.NOTHING),
    ],
)
def test_what_is_caught_up(now: datetime, nights: list[Night], wanted: CatchUp) -> None:
    assert catch_up(now, NIGHTLY, nights) is wanted


@given(
    now=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(SHANGHAI)),
    nightly=st.times(),
)
def test_due_night_has_begun_and_the_next_has_not(now: datetime, nightly: time) -> None:
    begun = datetime.combine(last_due(now, nightly), nightly, SHANGHAI)
    assert begun <= now < begun + timedelta(days=1)


# ---------------------------------------------------------------- the job in the database


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The project's configuration with a night that begins at midnight, so that today's is always due."""
    folder = Path(shutil.copytree(CONFIG_FOLDER, tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__*")))
    sites = folder / "sites.toml"
    changed, count = re.subn(r"(?m)^nightly = .*$", "nightly = 00:00:00", sites.read_text("utf-8"))
    assert count == 1
    sites.write_text(changed, "utf-8")
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(scheduler, "_settings", None)
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else None
    return resolve(config, tmp_path / "data", url, environment={})


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    with opened(settings) as place:
        yield place


def _started(settings: Settings) -> BackgroundScheduler:
    built = build(settings)
    built.start(paused=True)
    return built


def test_job_is_kept_in_the_database_with_its_manners(settings: Settings, place: Place) -> None:
    built = _started(settings)
    built.shutdown()
    again = _started(settings)  # another process, another day
    job = again.get_job(scheduler.NIGHTLY_JOB)
    again.shutdown()
    schedule = place.configuration.inventory.schedule
    assert job.coalesce is True
    assert job.max_instances == 1
    assert job.misfire_grace_time == schedule.misfire_grace_seconds > 60
    assert job.trigger.timezone == SHANGHAI
    assert (job.next_run_time.hour, job.next_run_time.minute) == (schedule.nightly.hour, schedule.nightly.minute)
    assert job.next_run_time.utcoffset() == timedelta(hours=8)
    assert _rows(settings) == 2


def test_home_pages_are_looked_at_often_enough(settings: Settings, place: Place) -> None:
    built = _started(settings)
    job = built.get_job(scheduler.PROBE_JOB)
    built.shutdown()
    interval = job.trigger.interval
    assert timedelta(days=1) / interval >= place.configuration.rules.checks.availability.probes_a_day
    assert 0 < job.trigger.jitter < interval.total_seconds() / 2
    assert job.misfire_grace_time < interval.total_seconds(), "a missed look is not made up beside the next"
    assert (job.coalesce, job.max_instances) == (True, 1)


def _rows(settings: Settings) -> int:
    engine = create_engine(settings.database_url)
    with engine.connect() as connection:
        count = connection.execute(text("SELECT count(*) FROM apscheduler_jobs")).scalar_one()
    engine.dispose()
    return int(count)


def test_job_is_found_by_its_name_alone(settings: Settings, place: Place) -> None:
    built = _started(settings)
    jobs = built.get_jobs()
    built.shutdown()
    assert {job.func_ref for job in jobs} == {"scheduler:run_night", "scheduler:probe_homes"}
    for job in jobs:
        assert job.func_ref == obj_to_ref(ref_to_obj(job.func_ref))
        assert (job.args, dict(job.kwargs)) == ((), {})  # no address of a database, which may hold a password


def test_job_store_leaves_our_tables_alone(settings: Settings, place: Place) -> None:
    _started(settings).shutdown()
    with opened(settings) as again:  # refuses tables that are not those of this version
        assert again.repository.runs() == []


def _begin(place: Place, day: date, *states: RunState) -> None:
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    run = place.repository.create_run(
        kind=RunKind.NIGHTLY, day=day, seed="s", rules_version="1", digests=digests, units=(), site_ids=[]
    )
    for state in states:
        place.repository.set_run_state(run.id, state)


def test_ledger_tells_what_is_missing(place: Place) -> None:
    assert due_now(place, at(9)) is CatchUp.RUN
    _begin(place, YESTERDAY, RunState.RUNNING)
    assert due_now(place, at(9)) is CatchUp.RUN
    _begin(place, DAY, RunState.RUNNING)
    assert due_now(place, at(9)) is CatchUp.RESUME
    _begin(place, DAY, RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED)
    assert due_now(place, at(9)) is CatchUp.NOTHING


def test_night_that_captured_nothing_has_yet_to_be_made(place: Place) -> None:
    _begin(place, DAY, RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.FAILED)
    assert due_now(place, at(9)) is CatchUp.RUN


def test_spot_check_is_no_night(place: Place) -> None:
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    place.repository.create_run(
        kind=RunKind.SPOT, day=DAY, seed="s", rules_version="1", digests=digests, units=("jiaoyuju",), site_ids=[]
    )
    assert due_now(place, at(9)) is CatchUp.RUN


def test_run_of_some_units_is_no_night(place: Place) -> None:
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    run = place.repository.create_run(
        kind=RunKind.NIGHTLY, day=DAY, seed="s", rules_version="1", digests=digests, units=("jiaoyuju",), site_ids=[]
    )
    assert due_now(place, at(9)) is CatchUp.RUN
    for state in (RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED):
        place.repository.set_run_state(run.id, state)
    assert due_now(place, at(9)) is CatchUp.RUN


# ---------------------------------------------------------------- serving


class _Serving:
    """`serve` that does not wait, and a night that only says that it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.nights: Queue[bool] = Queue()
        self.ended: Queue[str] = Queue()
        self.said: list[str] = []
        self.built: list[BackgroundScheduler] = []
        original = build
        monkeypatch.setattr(scheduler, "build", lambda settings: self._keep(original(settings)))
        monkeypatch.setattr(scheduler, "wait", lambda: None)
        monkeypatch.setattr("inspection.run.finish_or_start_night", lambda place, *, resume: self.nights.put(resume))

    def _keep(self, built: BackgroundScheduler) -> BackgroundScheduler:
        self.built.append(built)
        built.add_listener(lambda event: self.ended.put(event.job_id), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        return built

    def night(self) -> bool:
        """Whether the night that was begun is to be resumed; returns when its job has ended, for it may ring again."""
        resume = self.nights.get(timeout=PATIENCE)
        self.ended.get(timeout=PATIENCE)
        return resume

    def serve(self, settings: Settings) -> None:
        scheduler.serve(settings, self.said.append)


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Serving]:
    serving = _Serving(monkeypatch)
    yield serving
    for built in serving.built:
        built.shutdown()


def _today() -> date:
    return datetime.now(SHANGHAI).date()


def test_unfinished_night_is_taken_up_at_the_start(settings: Settings, place: Place, serving: _Serving) -> None:
    _begin(place, _today(), RunState.RUNNING)
    serving.serve(settings)
    assert serving.night() is True
    assert "继续" in serving.said[0]


def test_missed_night_is_made_up_at_the_start(settings: Settings, place: Place, serving: _Serving) -> None:
    serving.serve(settings)
    assert serving.night() is False
    assert "补做" in serving.said[0]


def test_finished_night_is_not_repeated(settings: Settings, place: Place, serving: _Serving) -> None:
    _begin(place, _today(), RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED)
    serving.serve(settings)
    assert {job.id for job in serving.built[0].get_jobs()} == {scheduler.NIGHTLY_JOB, scheduler.PROBE_JOB}
    assert len(serving.said) == 1


def _waiting(settings: Settings) -> BackgroundScheduler:
    """A scheduler that rings nothing, so that nights are begun by hand."""
    built = scheduler.build(settings)
    built.start(paused=True)
    return built


def _again(built: BackgroundScheduler) -> list[dict[str, object]]:
    return [dict(job.kwargs) for job in built.get_jobs(scheduler.MEMORY)]


def test_night_that_saw_nothing_is_tried_again_until_it_is_done(
    settings: Settings, place: Place, serving: _Serving
) -> None:
    built = _waiting(settings)
    scheduler.run_night(attempt=scheduler.ATTEMPTS)
    assert _again(built) == [], "that was the last time"
    scheduler.run_night()
    assert _again(built) == [{"resume": True, "attempt": 2}]
    assert [serving.nights.get(timeout=PATIENCE) for _ in range(2)] == [False, False]
    _begin(place, _today(), RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED)
    scheduler.run_night(resume=True, attempt=2)
    assert serving.nights.empty(), "somebody did it meanwhile"


def test_night_that_storage_stopped_is_tried_again(
    settings: Settings, place: Place, serving: _Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(place: Place, *, resume: bool) -> None:
        raise EvidenceDiskFull("磁盘已满")

    built = _waiting(settings)
    monkeypatch.setattr("inspection.run.finish_or_start_night", full)
    with pytest.raises(EvidenceDiskFull):
        scheduler.run_night()
    assert _again(built) == [{"resume": True, "attempt": 2}]


# ---------------------------------------------------------------- stopping


def _be_told_to_stop() -> None:
    """Send ourselves what systemd sends, and never come back."""
    os.kill(os.getpid(), signal.SIGTERM)
    Event().wait()


def _while_it_waits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("inspection.run.finish_or_start_night", lambda place, *, resume: None)
    patch.setattr(scheduler, "wait", _be_told_to_stop)


def _in_a_night(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("inspection.run.finish_or_start_night", lambda place, *, resume: _be_told_to_stop())


def _in_a_night_that_writes(patch: pytest.MonkeyPatch) -> None:
    def write(place: Place, *, resume: bool) -> None:
        with place.database.writing() as session:
            session.execute(text("DELETE FROM run"))
            _be_told_to_stop()

    patch.setattr("inspection.run.finish_or_start_night", write)


def _while_it_arranges_another_try(patch: pytest.MonkeyPatch) -> None:
    """With the lock held that an orderly shutdown would wait for."""

    def full(place: Place, *, resume: bool) -> None:
        raise EvidenceDiskFull("磁盘已满")

    add = BackgroundScheduler.add_job

    def add_job(built: BackgroundScheduler, *arguments: Any, **named: Any) -> Any:
        if named.get("jobstore") == scheduler.MEMORY:
            with built._jobstores_lock:
                _be_told_to_stop()
        return add(built, *arguments, **named)

    patch.setattr("inspection.run.finish_or_start_night", full)
    patch.setattr(BackgroundScheduler, "add_job", add_job)


@pytest.mark.parametrize(
    "state", [_while_it_waits, _in_a_night, _in_a_night_that_writes, _while_it_arranges_another_try]
)
def test_schedule_ends_at_once_whatever_it_does(
    config: Path, tmp_path: Path, state: Callable[[pytest.MonkeyPatch], None]
) -> None:
    def serve() -> None:
        with pytest.MonkeyPatch.context() as patch:
            state(patch)
            os._exit(main(["schedule", "--config", str(config), "--data", str(tmp_path / "data")]))

    with opened(resolve(config, tmp_path / "data", environment={})) as place:
        _begin(place, _today(), RunState.RUNNING)
    process = multiprocessing.get_context("fork").Process(target=serve)
    process.start()
    process.join(PATIENCE)
    process.kill()
    assert process.exitcode == 130
    with opened(resolve(config, tmp_path / "data", environment={})) as place:
        assert [run.state for run in place.repository.runs()] == [RunState.RUNNING]
