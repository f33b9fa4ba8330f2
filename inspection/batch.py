"""A child process that crawls a batch of sites, then probes them: `python -m inspection.batch`, a job on its input."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from crawler.crawl import crawl
from crawler.plan import SitePlan, plan_run
from crawler.rendering import find_browser
from crawler.turns import nobody
from inspection.batch_job import BatchJob
from inspection.children import emit, receive_job
from inspection.garbage import collect_rarely
from inspection.logs import keep_logs
from inspection.past import Past
from inspection.place import OUTAGE_SECONDS, Place, opened
from inspection.politeness import VisitLog, hosts_of
from inspection.probing import Probing
from inspection.read_pages import pages_read
from inspection.reading import Reader
from inspection.recording import EvidenceReplay, Recorder, recording
from inspection.settings import resolve
from storage.errors import StorageError
from storage.model import RunKind, RunState

PROGRESS_SECONDS = 0.2
log = logging.getLogger(__name__)


def main() -> int:
    """Crawl the batch that the parent process describes."""
    collect_rarely()
    job = BatchJob.of(receive_job())
    keep_logs(Path(job.data) / "logs", run=job.run_id, child=True)
    try:
        with opened(resolve(Path(job.config), Path(job.data)), OUTAGE_SECONDS) as place:
            run_batch(place, job)
    except StorageError as error:
        emit({"event": "storage_failed", "message": str(error)})
        raise
    return 0


class _Progress:
    """Tells the parent how far the crawl is, a few times a second at most."""

    def __init__(self, visits: VisitLog) -> None:
        self._visits, self._told = visits, 0.0

    def tell(self, done: int, known: int) -> None:
        """Tell it, unless that was just told; that all is done is always told."""
        if done == known or time.monotonic() - self._told > PROGRESS_SECONDS:
            self._told = time.monotonic()
            emit({"event": "progress", "done": done, "known": known})
            self._visits.keep_along()


def run_batch(place: Place, job: BatchJob) -> None:
    """Crawl and probe the job's sites; what an interrupted attempt has captured already is not asked for again."""
    plans = _plans(place, job)
    run = place.repository.run(job.run_id)
    is_spot_check = run.kind is RunKind.SPOT
    is_taken = nobody if is_spot_check else place.turns.is_taken
    sites, ledger = [plan.site.id for plan in plans], place.repository.site_states(job.run_id)
    begun = [site for site in sites if site in ledger and ledger[site].attempts]
    place.repository.set_site_states(job.run_id, sites, RunState.RUNNING)
    hosts = hosts_of(place)
    visits = VisitLog(place, job.run_id, job.name, hosts)
    with _recording(place, job, begun) as (recorder, replay), pages_read(place.settings.data, job.day) as pages:
        with closing(Reader(pages)) as reader:  # which has nothing to do any more when links are tried
            crawl(
                plans,
                settings=place.configuration.inventory.crawl,
                day=job.day,
                sink=recorder,
                replay=replay,
                browser=find_browser(),
                on_progress=_Progress(visits).tell,
                clock=_now,
                is_taken=is_taken,
                hosts=hosts,
                read=pages.read,
                ahead=reader,
                earlier=None if is_spot_check else Past(place, run, plans),
            )
        visits.keep()
        recorder.flush()
        probing = Probing(place, job.run_id, hosts, is_taken, pages.known)
        for site_id in probing.probe(plans, recorder, replay.probes):
            visits.keep_along()
            place.repository.set_site_state(job.run_id, site_id, RunState.CAPTURED)
            emit({"event": "captured", "site": site_id})
            log.info("采集完成", extra={"site": site_id})
        visits.keep()


def _plans(place: Place, job: BatchJob) -> tuple[SitePlan, ...]:
    revisits = place.revisits.of_run(job.run_id)
    plans = plan_run(place.configuration.inventory, job.day, job.seed, job.unit_ids, revisits)
    sites = frozenset(job.site_ids)
    return tuple(plan for plan in plans if plan.site.id in sites)


@contextmanager
def _recording(place: Place, job: BatchJob, begun: Sequence[str]) -> Iterator[tuple[Recorder, EvidenceReplay]]:
    replay = EvidenceReplay(place.evidence, job.run_id, begun)
    with recording(place.repository, place.evidence, job.run_id, job.name) as recorder:
        recorder.keep_again(captures=replay.captures)
        yield recorder, replay


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
