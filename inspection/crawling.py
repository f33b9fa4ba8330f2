"""The crawl of a run, spread over child processes; the ledger is kept per site: a dead child costs its open sites."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from threading import Lock

from crawler.plan import SitePlan, batches
from inspection.batch import BatchJob
from inspection.children import Children, Event
from inspection.place import Place
from inspection.progress import Progress
from storage.model import RunState

STARTUP_SECONDS = 120.0  # granted to a child on top of its sites' time limits
CAPTURED = {RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED}


@dataclass(slots=True)
class _Tally:
    """Adds up what the children report."""

    progress: Progress
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def take(self, name: str, event: Event) -> None:
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
        """Capture every site that the ledger does not have as captured; what fails twice is marked failed."""
        crawl = self.place.configuration.inventory.crawl
        tally = _Tally(progress)
        left = self._uncaptured(plans)
        self._run(list(batches(left, _batch_size(len(left), crawl.batch_sites, crawl.processes))), tally)
        again = self._uncaptured(left)  # a child died: each of its open sites gets a process of its own
        self._run([(plan,) for plan in again], tally)
        for plan in self._uncaptured(again):
            self.place.repository.set_site_state(
                self.run_id, plan.site.id, RunState.FAILED, reason="采集进程两次异常退出，详见日志"
            )

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
            config=str(settings.config),
            data=str(settings.data),
        )
        children.run(
            "inspection.batch",
            job.plain(),
            log=self.place.logs / f"run-{self.run_id}-{name}.log",
            on_event=lambda event: tally.take(name, event),
            time_limit=STARTUP_SECONDS + sum(plan.settings.site_time_limit_seconds for plan in group),
        )


def _batch_size(sites: int, configured: int, processes: int) -> int:
    """Sites a child: as configured, but never so many that a process stands idle."""
    return max(1, min(configured, -(-sites // processes)))
