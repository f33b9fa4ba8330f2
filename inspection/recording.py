"""Where crawler and storage meet: captures go to the evidence at once, to the database in batches."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from checks.model import Capture, EvidenceRef, Mode, Probe, ProbeKind, Visit
from crawler.sink import Exchange
from storage.errors import DatabaseLocked, DatabaseUnreachable, EvidenceError
from storage.evidence import Answered, EvidenceStore, EvidenceWriter, digest
from storage.repository import Repository

_logger = logging.getLogger(__name__)
BATCH = 200  # rows: large enough that commits cost little, small enough that a killed night re-reads little
AWAY_SECONDS = 30.0  # after which a database that was away is tried again
AWAY = (DatabaseUnreachable, DatabaseLocked)


class Earlier:
    """What earlier runs keep of the pages and the questions of this one."""

    def __init__(self, repository: Repository, evidence: EvidenceStore, run_id: int) -> None:
        self._repository = repository
        self._evidence = evidence
        self._run_id = run_id
        self._of_site: dict[str, dict[tuple[str, Mode], EvidenceRef]] = {}

    def same(self, capture: Capture, payload: bytes) -> EvidenceRef | None:
        """Return the record of the newest earlier capture of that page, if it holds these very bytes and is whole."""
        if capture.failure is not None:
            return None
        reference = self._reference(capture)
        if reference is None or reference.payload_digest != digest(payload):
            return None
        try:
            return reference if self._evidence.read_payload(reference) == payload else None
        except EvidenceError as error:
            _logger.warning("%s is kept anew: %s", capture.url, error)
            return None

    def _reference(self, capture: Capture) -> EvidenceRef | None:
        """Return the newest earlier record of a page: asked for at once for all pages of a site, as most had one last
        night; of a site that was never seen there is none."""
        site_id = capture.site_id
        if site_id not in self._of_site:
            self._of_site[site_id] = self._repository.earlier_evidence_of(self._run_id, site_id)
        known = self._of_site[site_id]
        if not known:
            return None
        found = known.get((capture.url, capture.mode))
        return found or self._repository.earlier_evidence(self._run_id, site_id, capture.url, capture.mode)

    def fetches(self, site_id: str) -> dict[str, Answered]:
        """Return the answers to a site's fetches that records of the newest earlier run hold, by digest of the body."""
        found: dict[str, Answered] = {}
        for reference in self._repository.earlier_probe_records(self._run_id, site_id, ProbeKind.FETCH):
            try:
                for probe, full in self._evidence.probes_at(reference):
                    found[str(probe.observed.get("digest"))] = probe.observed.get("shingles"), full
            except EvidenceError as error:
                _logger.warning("probes of %s are kept anew: %s", site_id, error)
        return found


class Recorder:
    """The crawler's sink. The evidence is the record of what was seen; the database rows can be made again from it.

    What brought bytes goes to the evidence at once. What was as before, and the probes, go there in batches, before the
    rows that tell of them go to the database. While the database is away the rows wait: a crawl that stood still would
    let answers under way run out of time, and blame the site.
    """

    def __init__(self, repository: Repository, writer: EvidenceWriter, run_id: int, earlier: Earlier) -> None:
        self._repository = repository
        self._writer = writer
        self._run_id = run_id
        self._earlier = earlier
        self._captures: list[Capture] = []
        self._unchanged: list[Capture] = []
        self._visits: list[Visit] = []
        self._probes: list[Probe] = []
        self._answers: list[Probe] = []  # not in the evidence yet
        self._fetches: dict[str, dict[str, Answered]] = {}
        self._away_until = 0.0  # by the monotonic clock

    def store(self, capture: Capture, exchange: Exchange | None) -> Capture:
        """Keep the bytes, unless an earlier record has them, and return the capture with the place they lie at."""
        original = None if exchange is None else self._same(capture, exchange.payload)
        if original is None:
            kept = replace(capture, evidence=self._write(capture, exchange))
            self._captures.append(kept)
        else:
            return self.store_unchanged(replace(capture, evidence=original))
        self._flush_if_full()
        return kept

    def store_unchanged(self, capture: Capture) -> Capture:
        """Keep a capture whose bytes lie in the earlier record that its `evidence` leads to."""
        self._unchanged.append(capture)
        self._flush_if_full()
        return capture

    def visit(self, visit: Visit) -> None:
        """Keep a visit."""
        self._visits.append(visit)
        self._flush_if_full()

    def probe(self, probe: Probe) -> None:
        """Keep a probe's answer."""
        self._answers.append(probe)
        self._flush_if_full()

    def keep_again(self, captures: Iterable[Capture] = (), probes: Iterable[Probe] = ()) -> None:
        """Put what an interrupted run left in the evidence into the database; rows may be missing there."""
        self._captures.extend(captures)
        self._probes.extend(probes)
        self._flush_if_full()

    def flush(self) -> None:
        """Write everything pending: first to the evidence, then to the database in one transaction, which is waited for
        as long as the database's patience lasts."""
        self._write_pending()
        self._repository.add_captured(self._run_id, self._captures, self._visits, self._probes)
        self._captures, self._visits, self._probes = [], [], []

    def _write_pending(self) -> None:
        """Write what waits for the evidence; what is written waits for the database alone."""
        self._writer.write_unchanged(self._unchanged)
        self._captures += self._unchanged
        self._unchanged = []
        earlier: dict[str, Answered] = {}
        for site_id in {probe.site_id for probe in self._answers}:
            earlier |= self._earlier_fetches(site_id)
        self._probes += self._writer.write_probes(self._answers, earlier)
        self._answers = []

    def _earlier_fetches(self, site_id: str) -> dict[str, Answered]:
        if site_id not in self._fetches:
            self._fetches[site_id] = self._earlier.fetches(site_id)
        return self._fetches[site_id]

    def _flush_if_full(self) -> None:
        pending = (self._captures, self._unchanged, self._visits, self._probes, self._answers)
        if sum(map(len, pending)) >= BATCH and not self._is_away():
            with self._at_once():
                self.flush()

    def _same(self, capture: Capture, payload: bytes) -> EvidenceRef | None:
        """Return the record of the same page with the same bytes; without a database the page is kept anew."""
        if not self._is_away():
            with self._at_once():
                return self._earlier.same(capture, payload)
        return None

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """Wait for no database within a block; what it could not do there stays to be done."""
        try:
            with self._repository.at_once():
                yield
        except AWAY as error:
            _logger.warning("the database is away, rows wait: %s", error)
            self._away_until = time.monotonic() + AWAY_SECONDS

    def _write(self, capture: Capture, exchange: Exchange | None) -> EvidenceRef:
        if exchange is None:
            return self._writer.write_failure(capture)
        if capture.mode is Mode.STATIC:
            return self._writer.write_exchange(
                capture,
                exchange.request_headers,
                exchange.status_line,
                exchange.response_headers,
                exchange.payload,
                capture.address,
                method=exchange.method,
            )
        return self._writer.write_resource(capture, capture.content_type, exchange.payload)


class EvidenceReplay:
    """What an interrupted run already has of sites, found again in its evidence files; without sites none is read."""

    def __init__(self, evidence: EvidenceStore, run_id: int, site_ids: Iterable[str]) -> None:
        wanted = set(site_ids)
        self._evidence = evidence
        self._found = {
            (capture.site_id, capture.url, capture.mode): capture
            for capture, _ in (evidence.recover(run_id) if wanted else ())
            if capture.site_id in wanted
        }
        recovered = evidence.recover_probes(run_id) if self._found else ()
        self.probes = tuple(probe for probe in recovered if probe.site_id in wanted)

    @property
    def captures(self) -> Iterator[Capture]:
        """Everything found, each once."""
        return iter(self._found.values())

    def find(self, site_id: str, url: str, mode: Mode) -> tuple[Capture, bytes] | None:
        """Return the capture of that page in that mode with its payload, or None."""
        capture = self._found.get((site_id, url, mode))
        if capture is None or capture.evidence is None:
            return None
        return capture, self._evidence.read_payload(capture.evidence)


@contextmanager
def recording(repository: Repository, evidence: EvidenceStore, run_id: int, name: str) -> Iterator[Recorder]:
    """Open the evidence file of one crawling process; everything pending is written when it closes."""
    with evidence.writer(run_id, name) as writer:
        recorder = Recorder(repository, writer, run_id, Earlier(repository, evidence, run_id))
        try:
            yield recorder
        finally:
            recorder.flush()
