"""Where crawler and storage meet: captures go to the evidence at once, to the database in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from checks.model import Capture, EvidenceRef, Mode, Probe, Visit
from crawler.sink import Exchange
from storage.evidence import EvidenceStore, EvidenceWriter
from storage.repository import Repository

BATCH = 200  # rows: large enough that commits cost little, small enough that a killed night re-reads little


class Recorder:
    """The crawler's sink. The evidence is the record of what was seen; the database rows can be made again from it."""

    def __init__(self, repository: Repository, writer: EvidenceWriter, run_id: int) -> None:
        self._repository = repository
        self._writer = writer
        self._run_id = run_id
        self._captures: list[Capture] = []
        self._visits: list[Visit] = []
        self._probes: list[Probe] = []

    def store(self, capture: Capture, exchange: Exchange | None) -> Capture:
        """Write the bytes, and return the capture with the place they lie at."""
        kept = replace(capture, evidence=self._write(capture, exchange))
        self._captures.append(kept)
        self._flush_if_full()
        return kept

    def visit(self, visit: Visit) -> None:
        """Keep a visit."""
        self._visits.append(visit)
        self._flush_if_full()

    def probe(self, probe: Probe) -> None:
        """Write a probe's answer to the evidence and keep it."""
        self._probes.append(replace(probe, evidence=self._writer.write_metadata(probe)))
        self._flush_if_full()

    def keep_again(self, captures: Iterable[Capture] = (), probes: Iterable[Probe] = ()) -> None:
        """Put what an interrupted run left in the evidence into the database; rows may be missing there."""
        self._captures.extend(captures)
        self._probes.extend(probes)
        self._flush_if_full()

    def flush(self) -> None:
        """Write everything pending to the database in one transaction."""
        self._repository.add_captured(self._run_id, self._captures, self._visits, self._probes)
        self._captures, self._visits, self._probes = [], [], []

    def _flush_if_full(self) -> None:
        if len(self._captures) + len(self._visits) + len(self._probes) >= BATCH:
            self.flush()

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
    """What an interrupted run already has, found again in its evidence files."""

    def __init__(self, evidence: EvidenceStore, run_id: int, site_ids: Iterable[str]) -> None:
        wanted = set(site_ids)
        self._evidence = evidence
        self._found = {
            (capture.site_id, capture.url, capture.mode): capture
            for capture, _ in evidence.recover(run_id)
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
        recorder = Recorder(repository, writer, run_id)
        try:
            yield recorder
        finally:
            recorder.flush()
