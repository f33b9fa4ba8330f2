"""主机: the crawl of a run handed out as jobs, one a host, and waited for.

The ledger of the run says what is captured, not the queue: a job that was done twice changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status

from crawler.plan import SitePlan, by_host
from crawler.urls import host_of
from distribution import queue
from distribution.queue import TASK, Queue, queue_of, reached
from distribution.shared_folder import offered
from inspection.batch_job import BatchJob
from inspection.crawling import CAPTURED, PROBING_SECONDS, STARTUP_SECONDS, Crawling
from inspection.errors import ConfigurationChanged
from inspection.progress import Progress
from inspection.sealing import CONFIGURATION, folder_of, keep_configuration
from storage.errors import StorageError
from storage.model import RunState

ATTEMPTS = 3  # of a site in one go, a worker that died counting as one
LOOK_SECONDS = 1.0
ALONE_SECONDS = 300.0  # after which it is said again that no worker is there
IDLE_SECONDS = 3 * 3600.0  # without anybody at work, after which the sites that wait are given up
LETTING_GO_SECONDS = 5.0  # granted to workers whose jobs are cancelled
FORGET_HOURS = 24 * 14
_ALIVE = """SELECT count(*) AS workers FROM procrastinate_workers
WHERE last_heartbeat > now() - make_interval(secs => %(seconds)s)"""
ALONE = (
    "现在没有能干活的工作机，{left} 个站点在等。在每台工作机上运行 inspect worker（本机也可以另开窗口运行）即可开始；"
    "已经启动的，看它屏幕或日志上说的原因。"
)
GIVEN_UP = "等了 {hours:g} 小时，没有一台工作机能采集：都没有启动，或够不到数据库、证据文件夹，详见各工作机的日志"
FAILED = f"工作机采集 {ATTEMPTS} 次都没有完成，详见各工作机的日志"


@dataclass(slots=True)
class _Idleness:
    """For how long nobody has been at work on what is left."""

    known: object = None  # what the ledger last said of the sites
    seconds: float = 0.0
    looked: float = field(default_factory=time.monotonic)

    def look(self, ledger: object, doing: int) -> float:
        """Take note of what is to be seen now, and return the seconds."""
        now = time.monotonic()
        if ledger != self.known:
            self.known, self.seconds = ledger, 0.0
        elif not doing:
            self.seconds += now - self.looked
        self.looked = now
        return self.seconds


@dataclass(frozen=True, slots=True)
class DistributedCrawling(Crawling):
    """The crawl of a run by workers; needs PostgreSQL and the evidence folder shared."""

    def capture(self, plans: Sequence[SitePlan], progress: Progress) -> None:
        """Have every site captured that the ledger does not have as captured; what fails each time, and what nobody
        could take for hours, is marked failed.

        Raises NeedsPostgresql, ConfigurationChanged, RunInProgress, and StorageError when what was captured could not
        be kept. Ended by an exception, it takes its jobs back.
        """
        left = self._uncaptured(plans)
        tasks = Queue(self.place.settings.database_url)
        token = tasks.prepare()
        self._require_configuration()
        tasks.forget_storage_failures(self.run_id)
        with offered(self.place.evidence.folder, token), reached():
            try:
                reason = asyncio.run(self._by_workers(tasks, left, progress))
            except BaseException:  # Ctrl+C too: what nobody waits for must not be asked of anybody's server
                with suppress(psycopg.OperationalError, ConnectorException, TimeoutError):
                    asyncio.run(asyncio.wait_for(self._taken_back(tasks), LETTING_GO_SECONDS + 2))
                raise
        lost = self._uncaptured(left)
        if lost and (failure := tasks.storage_failure(self.run_id)) is not None:
            raise StorageError(failure)
        for plan in lost:
            self.place.repository.set_site_state(self.run_id, plan.site.id, RunState.FAILED, reason=reason)

    def _require_configuration(self) -> None:
        """See to it that the run's configuration lies in the evidence folder, where the workers read it."""
        keep_configuration(self.place, self.place.repository.run(self.run_id))
        if not (folder_of(self.place, self.run_id) / CONFIGURATION).is_dir():
            raise ConfigurationChanged("本次巡查开始时的配置已不在，不能交给工作机；请去掉 --resume 重新开始。")

    async def _by_workers(self, tasks: Queue, left: Sequence[SitePlan], progress: Progress) -> str:
        """Wait until no job is open, or nobody has worked for too long; return why what is left then has failed."""
        async with tasks.app(connections=2).open_async() as app:
            await self._cancel(app)  # what an attempt that was killed left behind
            await app.job_manager.delete_old_jobs(FORGET_HOURS, None, True, True, True)
            if left:
                await app.job_manager.batch_defer_jobs_async(self._jobs(left))
            said, idleness = -ALONE_SECONDS, _Idleness()
            while any(counts := await self._open_jobs(app)):
                await self._put_back_stalled(app)
                ledger = self.place.repository.site_states(self.run_id)
                if idleness.look(ledger, doing=counts[1]) > IDLE_SECONDS:
                    await self._let_go(app)
                    return GIVEN_UP.format(hours=round(IDLE_SECONDS / 3600, 1))
                waiting = sum(ledger[plan.site.id].state not in CAPTURED for plan in left)
                progress.advance("采集", len(left) - waiting, len(left))
                if time.monotonic() - said >= ALONE_SECONDS and not await _workers(app):
                    progress.say(ALONE.format(left=waiting))
                    said = time.monotonic()
                await asyncio.sleep(LOOK_SECONDS)
        return FAILED

    def _jobs(self, plans: Sequence[SitePlan]) -> list[Job]:
        """Return a job for each host; the lock keeps two of one host from being done at the same time."""
        ledger = self.place.repository.site_states(self.run_id)
        return [self._job(group, max(ledger[plan.site.id].attempts for plan in group)) for group in by_host(plans)]

    def _job(self, group: Sequence[SitePlan], attempts: int) -> Job:
        job = BatchJob(
            run_id=self.run_id,
            name=f"sites-{group[0].site.id}",
            site_ids=tuple(plan.site.id for plan in group),
            unit_ids=self.unit_ids,
            day=self.day,
            seed=self.seed,
            config="",  # each worker has its own
            data="",
        )
        seconds = STARTUP_SECONDS + sum(plan.settings.site_time_limit_seconds + PROBING_SECONDS for plan in group)
        told = {
            "batch": job.plain() | {"site_ids": list(job.site_ids), "unit_ids": job.unit_ids and list(job.unit_ids)},
            "time_limit": seconds,
            "last_attempt": ATTEMPTS + attempts,
        }
        lock = host_of(group[0].site.home).removeprefix("www.")
        return Job(queue=queue_of(self.run_id), lock=lock, queueing_lock=None, task_name=TASK, task_kwargs=told)

    async def _open_jobs(self, app: App) -> tuple[int, int]:
        """Return how many jobs are to be done, and how many are being done."""
        queues = await app.job_manager.list_queues_async(queue=queue_of(self.run_id))
        return sum(counts["todo"] for counts in queues), sum(counts["doing"] for counts in queues)

    async def _put_back_stalled(self, app: App) -> None:
        """Let others take up the jobs of dead workers; one that has cost too many workers is given up."""
        stalled = await app.job_manager.get_stalled_jobs(
            queue=queue_of(self.run_id), seconds_since_heartbeat=queue.STALLED_SECONDS
        )
        for job in stalled:
            assert job.id is not None
            ledger, told = self.place.repository.site_states(self.run_id), job.task_kwargs
            if max(ledger[site_id].attempts for site_id in told["batch"]["site_ids"]) >= told["last_attempt"]:
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
            else:
                await app.job_manager.retry_job(job, retry_at=datetime.now(UTC))

    async def _taken_back(self, tasks: Queue) -> None:
        async with tasks.app(connections=1).open_async() as app:
            await self._let_go(app)

    async def _let_go(self, app: App) -> None:
        """Cancel the jobs, and wait a moment for the workers to let go of theirs."""
        await self._cancel(app)
        until = time.monotonic() + LETTING_GO_SECONDS
        while any(await self._open_jobs(app)) and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS / 4)

    async def _cancel(self, app: App) -> None:
        for status in (Status.TODO, Status.DOING):
            for job in await app.job_manager.list_jobs_async(queue=queue_of(self.run_id), status=status.value):
                assert job.id is not None
                await app.job_manager.cancel_job_by_id_async(job.id, abort=True)


async def _workers(app: App) -> int:
    """Return how many workers are alive."""
    found = await app.connector.execute_query_one_async(_ALIVE, seconds=queue.STALLED_SECONDS)
    return int(found["workers"])
