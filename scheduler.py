"""When: the nightly run and the looks at home pages by APScheduler, its jobs kept in the database; a missed night is
caught up from the run ledger, a missed look is not.

`python scheduler.py` is `inspect schedule`. What is done and what is not stands in the ledger alone; the job store only
knows when to ring.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from threading import Event
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

    from inspection.place import Place
    from inspection.settings import Settings

NIGHTLY_JOB = "nightly"
PROBE_JOB = "probe"
CATCH_UP_JOB = "catch-up"
AGAIN_JOB = "again"
MEMORY = "memory"
AGAIN_MINUTES = 15
ATTEMPTS = 8  # of one night, in two hours

log = logging.getLogger(__name__)

_settings: Settings | None = None  # the job store keeps no settings: a database address may hold a password
_scheduler: BackgroundScheduler | None = None


class CatchUp(Enum):
    """What the ledger says must be done at start."""

    NOTHING = "nothing"
    RESUME = "resume"  # the last due night was begun and not finished
    RUN = "run"  # the last due night was never begun, and its day is not over


@dataclass(frozen=True, slots=True)
class Night:
    """One nightly run as the ledger has it."""

    day: date
    finished: bool


def last_due(now: datetime, nightly: time) -> date:
    """Return the day of the newest night that should have begun by `now` (local time)."""
    return now.date() if now.time() >= nightly else now.date() - timedelta(days=1)


def catch_up(now: datetime, nightly: time, nights: Sequence[Night]) -> CatchUp:
    """Tell what is to be done about the last due night.

    A night that was never begun is caught up only on its own day: pages of yesterday can't be seen today.
    """
    due = last_due(now, nightly)
    of_the_day = [night for night in nights if night.day == due]
    if any(night.finished for night in of_the_day):
        return CatchUp.NOTHING
    if of_the_day:
        return CatchUp.RESUME
    return CatchUp.RUN if due == now.date() else CatchUp.NOTHING


def run_night(resume: bool = False, attempt: int = 1) -> None:
    """Run today's nightly inspection, or go on with an unfinished one; called by the job store's entry.

    A night that storage stopped, or that saw nothing, is tried again after a while; the ledger has what is left to do,
    also for the next start and for `inspect run --resume`.
    """
    from inspection.place import OUTAGE_SECONDS, opened
    from inspection.run import finish_or_start_night
    from storage.errors import StorageError

    assert _settings is not None, "the scheduler sets its settings before it starts"
    try:
        with opened(_settings, OUTAGE_SECONDS) as place:
            missing = due_now(place, _now(place))
            if attempt > 1 and missing is CatchUp.NOTHING:
                return
            finish_or_start_night(place, resume=resume or missing is CatchUp.RESUME)
            if due_now(place, _now(place)) is not CatchUp.NOTHING:
                _ring_again(attempt)
    except StorageError:
        _ring_again(attempt)
        raise


def _now(place: Place) -> datetime:
    return datetime.now(ZoneInfo(place.configuration.inventory.district.timezone))


def _ring_again(attempt: int) -> None:
    """Try the night again later; kept in memory, since it may be the database that is away."""
    if _scheduler is None or not _scheduler.running or attempt >= ATTEMPTS:
        return
    later = datetime.now(UTC) + timedelta(minutes=AGAIN_MINUTES)
    again = {"resume": True, "attempt": attempt + 1}
    _scheduler.add_job(
        run_night, "date", run_date=later, kwargs=again, id=AGAIN_JOB, jobstore=MEMORY, replace_existing=True
    )
    log.warning("每日巡查没有完成，%d 分钟后再试（第 %d 次）。", AGAIN_MINUTES, attempt + 1)


def probe_homes() -> None:
    """Look once at every site's home page; called by the job store's entry."""
    from inspection.availability import probe_homes as probe
    from inspection.place import opened

    assert _settings is not None, "the scheduler sets its settings before it starts"
    with opened(_settings) as place:
        probe(place)


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Catch up what the ledger says is missing, then ring every night until interrupted."""
    from inspection.place import opened

    scheduler = build(settings)
    with opened(settings) as place:
        zone = ZoneInfo(place.configuration.inventory.district.timezone)
        missing = due_now(place, datetime.now(zone))
    if missing is not CatchUp.NOTHING:
        say("上一夜的巡查没有完成，现在继续。" if missing is CatchUp.RESUME else "今天的巡查还没有做，现在补做。")
        scheduler.add_job(
            run_night, kwargs={"resume": missing is CatchUp.RESUME}, id=CATCH_UP_JOB, replace_existing=True
        )
    schedule = place.configuration.inventory.schedule
    say(
        f"每夜 {schedule.nightly:%H:%M} 自动巡查，每 {schedule.probe_minutes} 分钟看一次各站点首页能不能打开；"
        "按 Ctrl+C 停止。"
    )
    scheduler.start()
    wait()


def wait() -> None:
    """Wait for a signal, here and not in the scheduler's own loop, which swallows what is raised while it rings."""
    Event().wait()


def build(settings: Settings) -> BackgroundScheduler:
    """Return a scheduler with the nightly job and the probes in the database's job store; not started.

    One instance at a time; several missed rings become one; a ring is honoured up to `misfire_grace_seconds` late.
    """
    from apscheduler.jobstores.memory import MemoryJobStore
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.cron import CronTrigger
    from apscheduler.triggers.interval import IntervalTrigger

    from config.loader import load

    global _settings, _scheduler
    _settings = settings
    inventory = load(settings.config).inventory
    schedule, zone = inventory.schedule, ZoneInfo(inventory.district.timezone)
    scheduler = BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=settings.database_url), MEMORY: MemoryJobStore()},
        job_defaults={
            "coalesce": True,
            "max_instances": 1,
            "misfire_grace_time": schedule.misfire_grace_seconds,
        },
        timezone=zone,
    )
    _scheduler = scheduler
    scheduler.add_job(
        run_night,
        CronTrigger(hour=schedule.nightly.hour, minute=schedule.nightly.minute, timezone=zone),
        id=NIGHTLY_JOB,
        name="每夜巡查",
        replace_existing=True,
    )
    scheduler.add_job(
        probe_homes,
        IntervalTrigger(minutes=schedule.probe_minutes, jitter=schedule.probe_jitter_seconds, timezone=zone),
        id=PROBE_JOB,
        name="站点可用性探测",
        misfire_grace_time=schedule.probe_minutes * 30,  # half way to the next
        replace_existing=True,
    )
    return scheduler


def due_now(place: Place, now: datetime) -> CatchUp:
    """Ask the ledger what is to be done about the last due night."""
    from storage.model import UNFINISHED, RunKind, RunState

    nightly = place.configuration.inventory.schedule.nightly
    runs = place.repository.runs(day=last_due(now, nightly), kind=RunKind.NIGHTLY)
    # A run of some units is nobody's night, and one that captured nothing has yet to be made.
    nights = [run for run in runs if not run.units and run.state is not RunState.FAILED]
    return catch_up(now, nightly, [Night(run.day, run.state not in UNFINISHED) for run in nights])


def main() -> int:
    """Run `inspect schedule`."""
    import sys

    from cli.main import main as command

    return command(["schedule", *sys.argv[1:]])


if __name__ == "__main__":
    raise SystemExit(main())
