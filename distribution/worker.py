"""工作机: takes jobs from the queue and crawls each in a child process, as the main machine would by itself.

Its data folder is its own (logs, the pace of hosts, what was read); in it, `evidence` is the main machine's folder,
mounted. The configuration of a run lies there too, beside the run's evidence.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job

from distribution import queue
from distribution.errors import EvidenceNotShared, NotCoordinated
from distribution.queue import TASK, Queue
from distribution.shared_folder import require_offered, require_same
from inspection.batch_job import BatchJob
from inspection.children import ORPHANED, Children, Event
from inspection.crawling import CAPTURED
from inspection.place import OUTAGE_SECONDS
from inspection.sealing import CONFIGURATION
from inspection.settings import Settings
from storage.database import open_database
from storage.errors import StorageError
from storage.repository import Repository

AGAIN_SECONDS = 30.0  # before a job that failed is tried again, twice as long each time
PAUSE_SECONDS = 30.0  # before a worker that cannot take part looks whether it can again, twice as long each time
LONGEST_PAUSE_SECONDS = 300.0
AWAY_SECONDS = 5.0  # before a queue that was away is tried again
OWNED_SECONDS = 5.0  # after which a worker looks again whether its job is still its own


class SitesLeft(Exception):
    """Sites of the job are still to be captured: it is tried again, unless this was the last attempt."""

    def __init__(self, sites: list[str], attempts_left: int) -> None:
        super().__init__(f"没有采完：{'、'.join(sites)}")
        self.attempts_left = attempts_left


class PutBack(Exception):
    """The job was not begun, as this machine may not take part: any other may take it at once."""


class _Again(BaseRetryStrategy):
    """When a job is tried again."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when, None for never."""
        later = RetryDecision(retry_in={"seconds": int(AGAIN_SECONDS * 2 ** min(job.attempts, 5))})
        if isinstance(exception, SitesLeft):
            return later if exception.attempts_left else None
        if isinstance(exception, (PutBack, asyncio.CancelledError)):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, (StorageError, OSError)):  # the database or the share is away: no fault of the sites
            return later
        return None


def work(settings: Settings, concurrency: int, say: Callable[[str], None]) -> None:
    """Take jobs until SIGTERM or Ctrl+C, then put what is under way back.

    Raises NeedsPostgresql, NotCoordinated, EvidenceNotShared and DatabaseUnreachable before it takes any.
    """
    tasks = Queue(settings.database_url)
    require_same(settings.evidence, tasks.token())
    with ThreadPoolExecutor(concurrency) as threads:
        asyncio.run(_Worker(settings, tasks, concurrency, threads, say).serve())


@dataclass(slots=True)
class _Storage:
    """What a child reports of the storage."""

    failure: str | None = None

    def hear(self, event: Event) -> None:
        if event.get("event") == "storage_failed":
            self.failure = event["message"]


@dataclass(frozen=True, slots=True)
class _Worker:
    settings: Settings
    tasks: Queue
    concurrency: int
    threads: ThreadPoolExecutor
    say: Callable[[str], None]
    unfit: asyncio.Event = field(default_factory=asyncio.Event)  # set by a job that this machine may not do now

    async def serve(self) -> None:
        """Work until a signal says to stop."""
        serving = asyncio.create_task(self._serve_through_outages())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        with suppress(asyncio.CancelledError):
            await serving

    async def _serve_through_outages(self) -> None:
        while True:
            with suppress(psycopg.OperationalError, ConnectorException):
                await self._take_jobs()
                await self._become_fit()
                continue
            self.say("任务队列（数据库）中断，稍后再连。")
            await asyncio.sleep(AWAY_SECONDS)

    async def _take_jobs(self) -> None:
        """Take jobs until one shows that this machine may not take part."""
        async with self._app().open_async() as app:
            self.say(f"工作机已就绪，同时采集 {self.concurrency} 个网站；按 Ctrl+C 停止，没做完的退回给别的机器。")
            taking = asyncio.create_task(
                app.run_worker_async(
                    concurrency=self.concurrency,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=0,
                    update_heartbeat_interval=queue.HEARTBEAT_SECONDS,
                    stalled_worker_timeout=queue.STALLED_SECONDS,
                )
            )
            unfit = asyncio.create_task(self.unfit.wait())
            try:
                await asyncio.wait({taking, unfit}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                unfit.cancel()
                taking.cancel()  # puts back what is under way
                with suppress(asyncio.CancelledError):
                    await taking

    async def _become_fit(self) -> None:
        """Wait until this machine may take part, and leave the jobs to others meanwhile."""
        pause = PAUSE_SECONDS
        while self.unfit.is_set():
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            with suppress(EvidenceNotShared, NotCoordinated, StorageError):
                await asyncio.get_running_loop().run_in_executor(self.threads, self._require_fit)
                self.unfit.clear()

    def _app(self) -> App:
        app = self.tasks.app(connections=self.concurrency + 3)
        app.task(name=TASK, pass_context=True, retry=_Again())(self._capture)
        return app

    async def _capture(self, context: JobContext, batch: dict[str, Any], time_limit: float, last_attempt: int) -> None:
        """Do one job; cancelled, it ends the child."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self.threads, self._require_fit)
        except (EvidenceNotShared, NotCoordinated) as error:
            if not self.unfit.is_set():
                self.say(f"{error}改好之前不再领任务。")
            self.unfit.set()
            raise PutBack(str(error)) from error
        config = self.settings.evidence / str(batch["run_id"]) / CONFIGURATION
        job = BatchJob.of(batch | {"config": str(config), "data": str(self.settings.data)})
        children = Children(self.settings.environment())
        crawling = loop.run_in_executor(self.threads, self._crawl, job, children, time_limit, last_attempt)
        try:
            while not crawling.done():
                await asyncio.wait({crawling}, timeout=OWNED_SECONDS)
                await self._require_own(context)
            crawling.result()
        finally:
            children.stop()
            await asyncio.wait({crawling})

    async def _require_own(self, context: JobContext) -> None:
        """End this process, and so its children, when it was taken for dead and others have its job: what it did later
        with the job would be done to theirs."""
        with suppress(psycopg.OperationalError, ConnectorException):
            found = await context.app.job_manager.list_jobs_async(id=context.job.id)
            if any(job.status == "doing" and job.worker_id == context.job.worker_id for job in found):
                return
            self.say("本机太久没有回应，任务已交给别的机器；程序退出，请重新启动（服务会自动重启）。")
            os._exit(ORPHANED)

    def _require_fit(self) -> None:
        """Raise NotCoordinated or EvidenceNotShared unless this machine may take part: either may have changed since
        it began."""
        require_offered(self.settings.evidence, self.tasks.token())

    def _crawl(self, job: BatchJob, children: Children, time_limit: float, last_attempt: int) -> None:
        """Crawl what the ledger does not have as captured; raises SitesLeft."""
        database = open_database(self.settings.database_url, OUTAGE_SECONDS)
        try:
            repository, storage = Repository(database), _Storage()
            if not _left(repository, job):
                return
            self.say(f"第 {job.run_id} 次巡查：采集 {'、'.join(job.site_ids)}")
            log = self.settings.data / "logs" / f"run-{job.run_id}-{job.name}.log"
            children.run("inspection.batch", job.plain(), log=log, on_event=storage.hear, time_limit=time_limit)
            left = {} if children.stopped else _left(repository, job)
            if left and storage.failure is not None:
                self.say(storage.failure)
                self.tasks.note_storage_failure(job.run_id, storage.failure)
            if left:
                raise SitesLeft(list(left), max(0, last_attempt - max(left.values())))
        finally:
            database.close()


def _left(repository: Repository, job: BatchJob) -> dict[str, int]:
    """Return the job's sites that are still to be captured, with the attempts that each has had."""
    ledger = repository.site_states(job.run_id)
    return {site_id: ledger[site_id].attempts for site_id in job.site_ids if ledger[site_id].state not in CAPTURED}
