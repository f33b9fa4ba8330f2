"""A child process that crawls a batch of sites, then probes them: `python -m inspection.batch`, a job on its input."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from crawler.crawl import crawl
from crawler.plan import SitePlan, plan_run
from crawler.rendering import find_browser
from crawler.turns import nobody
from inspection.children import emit, receive_job
from inspection.logs import keep_logs
from inspection.place import OUTAGE_SECONDS, Place, opened
from inspection.politeness import VisitLog, hosts_of
from inspection.probing import probe_site
from inspection.read_pages import pages_read
from inspection.recording import EvidenceReplay, Recorder, recording
from inspection.settings import resolve
from storage.errors import StorageError
from storage.model import RunKind, RunState


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchJob:
    """What a child is told: which sites of which run, on which day, with which seed."""

    run_id: int
    name: str  # of the evidence file
    site_ids: tuple[str, ...]
    unit_ids: tuple[str, ...] | None
    day: date
    seed: str
    config: str
    data: str

    def plain(self) -> dict[str, Any]:
        """Return the job as JSON-like data."""
        return {name: getattr(self, name) for name in self.__slots__} | {"day": self.day.isoformat()}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> BatchJob:
        """Return the job that `plain` made data of."""
        units = plain["unit_ids"]
        return cls(
            **plain
            | {
                "day": date.fromisoformat(plain["day"]),
                "site_ids": tuple(plain["site_ids"]),
                "unit_ids": None if units is None else tuple(units),
            }
        )


def main() -> int:
    """Crawl the batch that the parent process describes."""
    job = BatchJob.of(receive_job())
    keep_logs(Path(job.data) / "logs", run=job.run_id, child=True)
    try:
        with opened(resolve(Path(job.config), Path(job.data)), OUTAGE_SECONDS) as place:
            run_batch(place, job)
    except StorageError as error:
        emit({"event": "storage_failed", "message": str(error)})
        raise
    return 0


def run_batch(place: Place, job: BatchJob) -> None:
    """Crawl and probe the job's sites; what an interrupted attempt has captured already is not asked for again."""
    plans = _plans(place, job)
    is_taken = nobody if place.repository.run(job.run_id).kind is RunKind.SPOT else place.turns.is_taken
    hosts = hosts_of(place)
    visits = VisitLog(place, job.run_id, job.name, hosts)
    for plan in plans:
        place.repository.set_site_state(job.run_id, plan.site.id, RunState.RUNNING)
    with _recording(place, job) as (recorder, replay), pages_read(place.settings.data, job.run_id) as pages:
        crawl(
            plans,
            settings=place.configuration.inventory.crawl,
            day=job.day,
            sink=recorder,
            replay=replay,
            browser=find_browser(),
            on_progress=lambda done, known: emit({"event": "progress", "done": done, "known": known}),
            clock=_now,
            read=pages.read,
            is_taken=is_taken,
            hosts=hosts,
        )
        visits.keep()
        for plan in plans:
            recorder.flush()
            probe_site(place, job.run_id, plan, recorder, replay.probes, is_taken, hosts, pages.known)
            recorder.flush()
            visits.keep()
            place.repository.set_site_state(job.run_id, plan.site.id, RunState.CAPTURED)
            emit({"event": "captured", "site": plan.site.id})
            log.info("采集完成", extra={"site": plan.site.id})


def _plans(place: Place, job: BatchJob) -> tuple[SitePlan, ...]:
    revisits = place.revisits.of_run(job.run_id)
    plans = plan_run(place.configuration.inventory, job.day, job.seed, job.unit_ids, revisits)
    return tuple(plan for plan in plans if plan.site.id in job.site_ids)


@contextmanager
def _recording(place: Place, job: BatchJob) -> Iterator[tuple[Recorder, EvidenceReplay]]:
    replay = EvidenceReplay(place.evidence, job.run_id, job.site_ids)
    with recording(place.repository, place.evidence, job.run_id, job.name) as recorder:
        recorder.keep_again(captures=replay.captures)
        yield recorder, replay


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
