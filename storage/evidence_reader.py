"""Reading evidence: out of the evidence folder, or out of a package made of it."""

from __future__ import annotations

import json
import logging
import mmap
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import cache, partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Protocol

from warcio.recordloader import ArcWarcRecord

from checks.model import Capture, EvidenceRef, Probe
from storage.errors import DamagedRecord, EvidenceError, MissingRecord
from storage.record_fields import BULKY, capture_of, probe_lines, probe_of_line, unchanged_of
from storage.record_making import CAPTURE_HEADER, digest, revisit
from storage.record_members import Noting, Torn, inflate, parse, record_at, whole_records

PayloadLoader = Callable[[], bytes]
_logger = logging.getLogger(__name__)


class EvidenceSource(Protocol):
    """Where records lie: the evidence folder, or a package. Files are named as references name them: relative to the
    evidence folder."""

    def records(self, run_id: int) -> Iterator[tuple[str, int, bytes]]:
        """Yield a run's whole records, oldest file first: file, offset in it, inflated bytes."""
        ...

    def at(self, reference: EvidenceRef) -> AbstractContextManager[tuple[mmap.mmap, int]]:
        """Open the bytes that a record lies in, and tell the offset it begins at; raises MissingRecord."""
        ...


class EvidenceFolder:
    """The source of evidence where it was written."""

    def __init__(self, folder: Path, noting: Noting | None = None) -> None:
        self._folder = folder
        self._noting = noting

    def records(self, run_id: int) -> Iterator[tuple[str, int, bytes]]:
        """Yield a run's whole records; cuts the torn one at a file's end, except of a file that is being written."""
        for path in sorted((self._folder / str(run_id)).glob("*.warc.gz")):
            relative = path.relative_to(self._folder).as_posix()
            for offset, _, block in whole_records(path, self._noting):
                yield relative, offset, block

    @contextmanager
    def at(self, reference: EvidenceRef) -> Iterator[tuple[mmap.mmap, int]]:
        """Map the file that the reference names."""
        try:
            with (self._folder / reference.warc_file).open("rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
            raise MissingRecord(f"找不到证据文件：{reference.warc_file}。") from error
        with data:
            yield data, reference.offset


class EvidenceReader:
    """Captures, probes and payloads out of records, wherever these lie."""

    def __init__(self, source: EvidenceSource) -> None:
        self._source = source

    def recover(self, run_id: int) -> Iterator[tuple[Capture, PayloadLoader]]:
        """Yield every capture whole in the run's files, oldest file first, each with a loader of its payload.

        Cuts the torn record that a killed process left at a file's end (never in a file that is still being written);
        passes over damaged records in the middle, with a warning. A URL captured twice comes twice.
        """
        for reference, record in self._records(run_id):
            described = record.rec_headers.get_header(CAPTURE_HEADER)
            if described is not None:
                capture = replace(capture_of(json.loads(described)), evidence=reference)
                yield capture, partial(self.read_payload, reference)
            elif record.rec_type == "revisit":
                for capture in map(unchanged_of, record.raw_stream.read().splitlines()):
                    yield capture, partial(self.read_payload, capture.evidence)

    def recover_probes(self, run_id: int) -> Iterator[Probe]:
        """Yield every probe whole in the run's files; cuts and passes over as `recover` does."""
        answers = cache(self._bulky_answers)
        for reference, record in self._records(run_id):
            if record.rec_type == "metadata" and record.rec_headers.get_header(CAPTURE_HEADER) is None:
                for fields in probe_lines(record.raw_stream.read()):
                    try:
                        probe, _ = probe_of_line(fields, reference, answers)
                    except EvidenceError as error:
                        _logger.warning("passed over a probe in %s: %s", reference.warc_file, error)
                    else:
                        yield replace(probe, evidence=reference)

    def probes_at(self, reference: EvidenceRef) -> Iterator[tuple[Probe, EvidenceRef]]:
        """Yield the probes that a record lists, each with the record that has all of its answer.

        Raises MissingRecord, or DamagedRecord.
        """
        answers = cache(self._bulky_answers)
        for fields in probe_lines(self.read_payload(reference)):
            yield probe_of_line(fields, reference, answers)

    def _bulky_answers(self, reference: EvidenceRef) -> dict[str, object]:
        """Return the bulky parts of the answers that a record holds itself, by digest of what was fetched."""
        observed = [fields["observed"] for fields in probe_lines(self.read_payload(reference))]
        return {each["digest"]: each[BULKY] for each in observed if each.get(BULKY) and "digest" in each}

    def read_payload(self, reference: EvidenceRef) -> bytes:
        """Return the payload that a record keeps, its digest verified; empty for a capture without bytes.

        Raises MissingRecord, or DamagedRecord.
        """
        with self._source.at(reference) as (data, offset):
            payload: bytes = record_at(reference, data, offset).raw_stream.read()
        if digest(payload) != reference.payload_digest:
            raise DamagedRecord(f"证据文件 {reference.warc_file} 中的记录已被改动：{reference.record_id}。")
        return payload

    def whole(self, references: Iterable[EvidenceRef]) -> set[EvidenceRef]:
        """Return those references that lead to a record, whole, with the payload digest that they name.

        The checksum of its gzip member is verified; the digest itself only by `read_payload`, at thrice the cost.
        """
        found = set[EvidenceRef]()
        for _, of_file in groupby(sorted(references, key=_place), attrgetter("warc_file")):
            first, *others = of_file
            with suppress(MissingRecord), self._source.at(first) as (data, offset):
                begin = offset - first.offset  # of the file, in what was opened
                found |= {each for each in (first, *others) if _is_whole(each, data, begin + each.offset)}
        return found

    def read_members(self, reference: EvidenceRef) -> bytes:
        """Return the record as it lies in the file, compressed, with its request where it has one: a slice of the WARC.

        Raises MissingRecord, or DamagedRecord.
        """
        with self._source.at(reference) as (data, offset):
            record_at(reference, data, offset)
            end = inflate(data, offset)[1]
            try:
                block, after = inflate(data, end)
            except Torn:
                return data[offset:end]
            concurrent = parse(block).rec_headers.get_header("WARC-Concurrent-To")
            return data[offset : after if concurrent == reference.record_id else end]

    def revisit(self, capture: Capture) -> bytes:
        """Return a `revisit` record of the standard's profile for a capture whose record is an earlier capture's.

        The record is made for an export, which holds that earlier record too; the same capture gives the same bytes.
        Raises MissingRecord, or DamagedRecord.
        """
        assert capture.evidence is not None
        with self._source.at(capture.evidence) as (data, offset):
            original = record_at(capture.evidence, data, offset).rec_headers
        return revisit(capture, original.get_header("WARC-Target-URI"), original.get_header("WARC-Date"))

    def _records(self, run_id: int) -> Iterator[tuple[EvidenceRef, ArcWarcRecord]]:
        for file, offset, block in self._source.records(run_id):
            record = parse(block)
            if record.rec_type in ("response", "resource", "metadata", "revisit"):
                headers = record.rec_headers
                record_id, stated = headers.get_header("WARC-Record-ID"), headers.get_header("WARC-Payload-Digest")
                yield EvidenceRef(file, offset, record_id, stated), record


_place = attrgetter("warc_file", "offset")


def _is_whole(reference: EvidenceRef, data: mmap.mmap, offset: int) -> bool:
    try:
        block = inflate(data, offset)[0]
    except Torn:
        return False
    head = block[: block.find(b"\r\n\r\n")]
    return reference.record_id.encode() in head and reference.payload_digest.encode() in head
