"""The crawl of a run, spread over child processes; the ledger is kept per site: a dead child costs its open sites."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Lock

from config.loader import files
from crawler.plan import SitePlan, batches, by_host
from inspection.batch_job import BatchJob
from inspection.children import Children, Event
from inspection.errors import ConfigurationChanged
from inspection.place import Place, digests_of
from inspection.progress import Progress
from storage.errors import StorageError
from storage.model import RunState

STARTUP_SECONDS = 120.0  # granted to a child on top of its sites' time limits
PROBING_SECONDS = 3600.0  # and for the probes of each site, which follow the crawl, at their slowest
CAPTURED = {RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED}


@dataclass(slots=True)
class _Tally:
    """Adds up what the children report."""

    progress: Progress
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    storage_failure: str | None = None  # why a child could keep nothing more
    lock: Lock = field(default_factory=Lock)

    def take(self, name: str, event: Event) -> None:
        if event.get("event") == "storage_failed":
            self.storage_failure = event["message"]
        if event.get("event") != "progress":
            return
        with self.lock:
            self.counts[name] = (event["done"], event["known"])
            done, known = (sum(column) for column in zip(*self.counts.values(), strict=True))
            self.progress.advance("采集", done, known)


@dataclass(frozen=True, slots=True)
class Crawling:
    """What all children of a run share."""

    place: Place
    run_id: int
    day: date
    seed: str
    unit_ids: tuple[str, ...] | None

    def capture(self, plans: Sequence[SitePlan], progress: Progress) -> None:
        """Capture every site that the ledger does not have as captured; what fails twice is marked failed.

        Raises ConfigurationChanged, and StorageError when what was captured could not be kept.
        """
        crawl = self.place.configuration.inventory.crawl
        tally = _Tally(progress)
        self._pin_configuration()
        left = self._uncaptured(plans)
        self._run(list(batches(left, _batch_size(len(left), crawl.batch_sites, crawl.processes))), tally)
        again = self._uncaptured(left)  # a child died: each host with open sites gets a process of its own
        tally.storage_failure = None
        self._run(by_host(again), tally)
        lost = self._uncaptured(again)
        if lost and tally.storage_failure is not None:  # nothing can be kept now: stop, so that the run can be resumed
            raise StorageError(tally.storage_failure)
        for plan in lost:
            self.place.repository.set_site_state(
                self.run_id, plan.site.id, RunState.FAILED, reason="采集进程两次异常退出，详见日志"
            )

    @property
    def _configuration(self) -> Path:
        return self.place.settings.data / "configurations" / str(self.run_id)

    def _pin_configuration(self) -> None:
        """Keep a copy of the configuration for the children: one edited in the night must not reach half of them."""
        if self._configuration.exists():  # of an interrupted attempt: a table that was taken away must not stay
            shutil.rmtree(self._configuration)
        self._configuration.mkdir(parents=True)
        for name in files(self.place.settings.config):
            shutil.copyfile(self.place.settings.config / name, self._configuration / name)
        if digests_of(self._configuration) != self.place.digests:
            raise ConfigurationChanged("配置在巡查开始的同时被改动；请改好后重新开始。")

    def _uncaptured(self, plans: Iterable[SitePlan]) -> list[SitePlan]:
        ledger = self.place.repository.site_states(self.run_id)
        return [plan for plan in plans if ledger[plan.site.id].state not in CAPTURED]

    def _run(self, groups: Sequence[Sequence[SitePlan]], tally: _Tally) -> None:
        children = Children(self.place.settings.environment())
        with ThreadPoolExecutor(max_workers=self.place.configuration.inventory.crawl.processes) as pool:
            futures = [pool.submit(self._run_one, children, group, tally) for group in groups]
            try:
                for future in futures:
                    future.result()
            except BaseException:  # Ctrl+C too: the pool's end waits for its threads, and they for the children
                children.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _run_one(self, children: Children, group: Sequence[SitePlan], tally: _Tally) -> None:
        name = f"sites-{group[0].site.id}"
        settings = self.place.settings
        job = BatchJob(
            run_id=self.run_id,
            name=name,
            site_ids=tuple(plan.site.id for plan in group),
            unit_ids=self.unit_ids,
            day=self.day,
            seed=self.seed,
            config=str(self._configuration),
            data=str(settings.data),
        )
        children.run(
            "inspection.batch",
            job.plain(),
            log=self.place.logs / f"run-{self.run_id}-{name}.log",
            on_event=lambda event: tally.take(name, event),
            time_limit=STARTUP_SECONDS + sum(plan.settings.site_time_limit_seconds + PROBING_SECONDS for plan in group),
        )


def _batch_size(sites: int, configured: int, processes: int) -> int:
    """Sites a child: as configured, but never so many that a process stands idle."""
    return max(1, min(configured, -(-sites // processes)))
