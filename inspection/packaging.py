"""证据打包: sealed records and files of runs, copied byte for byte into a package."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from checks import personal_information
from checks.model import Capture, Outcome
from inspection.errors import EvidenceUnavailable
from inspection.inputs import FILE as INPUTS
from inspection.package import RECORDS, PackagedRun, RecordPlace
from inspection.place import Place
from inspection.sealing import (
    CONFIGURATION,
    folder_of,
    site_verdict_record,
    unit_finding_lines,
    unit_scores_record,
)
from reports.wacz import WaczFile
from storage.errors import DamagedRecord
from storage.manifest import MANIFEST, SIGNATURE, STAMP
from storage.record_index import INDEX, IndexedRecord, read_index
from storage.record_members import parse
from storage.record_telling import Told, told_of

SEALS = (MANIFEST, SIGNATURE, STAMP)
_PIECE = 1_048_576


@dataclass(frozen=True, slots=True)
class Personal:
    """个人信息: the addresses, and the digests of the payloads, of pages that give people away."""

    urls: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()

    def is_in(self, capture: Capture, digest: str) -> bool:
        """Tell whether a capture shows such a page."""
        return digest in self.digests or not self.urls.isdisjoint({capture.url, capture.final_url})


def personal_pages(place: Place) -> Personal:
    """Return the pages on which any run ever found personal information."""
    urls, digests = set[str](), set[str]()
    for run in place.repository.runs():
        found = place.repository.findings(run_id=run.id, outcome=Outcome.FAIL, check=personal_information.META.id)
        for finding in (stored.finding for stored in found):
            urls.add(finding.target)
            digests |= {reference.payload_digest for reference in finding.evidence}
    return Personal(frozenset(urls), frozenset(digests))


class RecordPacking:
    """Copies records into a package, one after the other, and keeps account of them.

    An unchanged capture's record is that of an earlier run: it is copied once, after those of the runs asked for. What
    is kept in memory is the list of such records alone.
    """

    def __init__(self, place: Place, wacz: WaczFile, runs: Iterable[PackagedRun], personal: Personal) -> None:
        self._place, self._wacz, self._personal = place, wacz, personal
        self._sites = {run.run: frozenset(run.sites) for run in runs}
        self._earlier: defaultdict[int, set[tuple[str, int]]] = defaultdict(set)
        self._revisited: set[bytes] = set()
        self._lines = tempfile.TemporaryFile()  # noqa: SIM115 closed on leaving the block
        self._revisits = tempfile.TemporaryFile()  # noqa: SIM115
        self.withheld: list[RecordPlace] = []
        self.count = 0

    def __enter__(self) -> RecordPacking:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._revisits.close()

    def add_run(self, run: PackagedRun) -> None:
        """Copy the records of a run that tell of its sites; raises EvidenceUnavailable, DamagedRecord."""
        listed = [each for each in index_of(self._place, run.run) if tells_of(each, run.sites)]
        for record, member in _members(self._place, listed):
            told = _told_of(record, member)
            if not told.sites.isdisjoint(run.sites):
                self._add(record, member, told)
                self._note(told, run)

    def finish(self) -> tuple[int, ...]:
        """Copy the earlier records, then the `revisit` records for replayers, and write the account of it all.

        Returns the numbers of the earlier runs.
        """
        for run_id, places in sorted(self._earlier.items()):
            listed = [each for each in index_of(self._place, run_id) if (each.file, each.offset) in places]
            for record, member in _members(self._place, listed):
                self._add(record, member, _told_of(record, member))
        self._revisits.seek(0)
        for piece in iter(lambda: self._revisits.read(_PIECE), b""):
            self._wacz.add_record(piece)
        self._lines.seek(0)
        self._wacz.add_file(RECORDS, iter(lambda: self._lines.read(_PIECE), b""))
        return tuple(sorted(self._earlier))

    def _add(self, record: IndexedRecord, member: bytes, told: Told) -> None:
        where = RecordPlace(record.file, record.offset, record.length)
        if told.capture is not None and self._personal.is_in(told.capture, record.digest):
            self.withheld.append(where)
            return
        self._wacz.add_record(member)
        self._lines.write((json.dumps(where, ensure_ascii=False) + "\n").encode())
        self.count += 1

    def _note(self, told: Told, run: PackagedRun) -> None:
        """Take note of the earlier records that a record leads to, and make the `revisit` records for replayers."""
        for site, reference in told.earlier:
            number = int(reference.warc_file.partition("/")[0])
            if site in run.sites and site not in self._sites.get(number, ()):
                self._earlier[number].add((reference.warc_file, reference.offset))
        for capture in told.unchanged:
            assert capture.evidence is not None
            if capture.site_id in run.sites and not self._personal.is_in(capture, capture.evidence.payload_digest):
                self._revisit(self._place.evidence.revisit(capture))

    def _revisit(self, record: bytes) -> None:
        """Keep a record for replayers; what one run captured twice and found unchanged gives the same one twice."""
        digest = hashlib.sha256(record).digest()
        if digest not in self._revisited:
            self._revisited.add(digest)
            self._revisits.write(record)


def _members(place: Place, records: Iterable[IndexedRecord]) -> Iterator[tuple[IndexedRecord, bytes]]:
    """Yield sealed records in their order, with their bytes, as the index proves them."""
    for file, listed in groupby(records, lambda record: record.file):
        with _opened(place.evidence.folder / file) as opened:
            for record in listed:
                yield record, _proven(opened, record)


def _told_of(indexed: IndexedRecord, content: bytes) -> Told:
    return told_of(parse(zlib.decompress(content[: indexed.members[0][0]], zlib.MAX_WBITS + 16)))


def tells_of(record: IndexedRecord, sites: Collection[str]) -> bool:
    """Tell whether a record may tell of one of the sites: where it has none, only the record itself can say."""
    return not record.sites or not set(sites).isdisjoint(record.sites)


def index_of(place: Place, run_id: int) -> list[IndexedRecord]:
    """Return the records of a run by its sealed index; raises EvidenceUnavailable, IndexUnreadable."""
    path = folder_of(place, run_id) / INDEX
    try:
        return read_index(path.read_bytes(), run_id)
    except FileNotFoundError as error:
        raise EvidenceUnavailable(
            f"第 {run_id} 次巡查没有记录索引 {path}：它由旧版程序封存，或文件不见了；请从备份恢复，否则不能导出。"
        ) from error


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise EvidenceUnavailable(f"证据文件 {path} 已被清理或不见了；请从备份恢复后再导出。") from error


def _proven(file: BinaryIO, record: IndexedRecord) -> bytes:
    """Return the bytes of a record and its request; raises DamagedRecord where they are not those sealed."""
    file.seek(record.offset)
    content, begin = file.read(record.length), 0
    for length, sha256 in record.members:
        if hashlib.sha256(content[begin : begin + length]).hexdigest() != sha256:
            raise DamagedRecord(
                f"证据文件 {record.file} 第 {record.offset + begin} 字节起的记录不是封存时的内容；请从备份恢复它。"
            )
        begin += length
    return content


# ---------------------------------------------------------------- sealed files


def add_judged(place: Place, wacz: WaczFile, run: PackagedRun) -> None:
    """Write all that a run is judged again by, and what was said of its units and sites."""
    add_seals(place, wacz, run.run, with_index=bool(run.sites))
    kept, folder = place.repository.run(run.run), folder_of(place, run.run)
    names = [INPUTS] if run.sites else []
    names += sorted(path.relative_to(folder).as_posix() for path in (folder / CONFIGURATION).glob("*"))
    for name in names:
        _copy(wacz, run.run, folder, name)
    for unit in run.units:
        wacz.add_file(f"runs/{run.run}/findings/{unit}.jsonl", unit_finding_lines(place, kept, unit))
        wacz.add_file(f"runs/{run.run}/scores/{unit}.json", [unit_scores_record(place, kept, unit)])
    judged = {verdict.site_id for verdict in place.repository.site_verdicts(run.run)}
    for site in (site for site in run.sites if site in judged):
        wacz.add_file(f"runs/{run.run}/sites/{site}.json", [site_verdict_record(place, kept, site)])


def add_seals(place: Place, wacz: WaczFile, run_id: int, *, with_index: bool = False) -> None:
    """Write a run's manifest with its signature and time stamp, and the index of its records."""
    folder = folder_of(place, run_id)
    for name in (*SEALS, INDEX) if with_index else SEALS:
        if (folder / name).is_file():
            _copy(wacz, run_id, folder, name)


def _copy(wacz: WaczFile, run_id: int, folder: Path, name: str) -> None:
    wacz.add_file(f"runs/{run_id}/{name}", _pieces(folder / name))


def _pieces(path: Path) -> Iterator[bytes]:
    with _opened(path) as file:
        yield from iter(lambda: file.read(_PIECE), b"")
