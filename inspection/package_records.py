"""审计包里的记录: every record of data.warc.gz held against the sealed index of its run, in its place."""

from __future__ import annotations

import hashlib
import json
import mmap
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from checks.model import EvidenceRef
from inspection.package import RECORDS, WARC, Contents, PackagedRun, RecordPlace
from inspection.package_container import Container, Member, Unreadable, path_in
from inspection.verification import Step
from storage.errors import EvidenceError, IndexUnreadable, MissingRecord
from storage.evidence_reader import EvidenceReader
from storage.record_index import INDEX, IndexedRecord, read_index
from storage.record_members import Torn, inflate, parse
from storage.record_telling import told_of

MOST_INFLATED = 1_000_000_000  # bytes of one record
MOST_INDEX = 2_000_000_000
_PIECE = 1 << 16

Key = tuple[str, int]  # a run's file, and the offset in it


@dataclass(slots=True)
class PackageSource:
    """The source of evidence in a package: the records that are proven to be what was sealed, where they lie now."""

    data: mmap.mmap
    places: dict[Key, int] = field(default_factory=dict)
    withheld: frozenset[Key] = frozenset()
    listed: frozenset[Key] = frozenset()  # those that should lie here, whether they hold or not

    def records(self, run_id: int) -> Iterator[tuple[str, int, bytes]]:
        """Yield a run's records that are inside."""
        of_run = sorted(key for key in self.places if key[0].startswith(f"{run_id}/"))
        for file, offset in of_run:
            yield file, offset, inflate(self.data, self.places[file, offset])[0]

    @contextmanager
    def at(self, reference: EvidenceRef) -> Iterator[tuple[mmap.mmap, int]]:
        """Tell where a record lies in the package; raises MissingRecord."""
        place = self.places.get((reference.warc_file, reference.offset))
        if place is None:
            raise MissingRecord(f"包里没有这条记录：{reference.record_id}。")
        yield self.data, place


def index_of(container: Container, run: int) -> list[IndexedRecord]:
    """Return what a run's sealed index lists; raises Unreadable."""
    try:
        return read_index(container.read(path_in("runs", run, INDEX), MOST_INDEX), run)
    except IndexUnreadable as error:
        raise Unreadable(f"第 {run} 次巡查的记录索引无法读取") from error


def check_records(container: Container, contents: Contents, step: Step) -> PackageSource:
    """Tell `step` of every record that is not as sealed, missing, added or moved; returns those that hold."""
    withheld = frozenset((place.file, place.offset) for place in contents.withheld)
    source = PackageSource(container.data, withheld=withheld)
    try:
        warc = container.members.get(WARC)
        if warc is None:
            raise Unreadable(f"包里没有 {WARC}")
        places = _places(container)
    except Unreadable as error:
        step.differs(WARC, str(error))
        return source
    source.listed = frozenset((place.file, place.offset) for place in places)
    expected = _expected(container, [*places, *contents.withheld], step)
    for key in withheld - expected.keys():
        step.differs(path_in("contents.json"), f"未随附的记录不在记录索引里：{_key(key)}")
    _Walk(container, warc, [expected[key] for place in places if (key := place[:2]) in expected], source, step).go()
    step.told = f"{len(source.places)} 条记录"
    if withheld:
        step.note(f"{len(withheld)} 条含个人信息的记录未随附，由记录索引证明其存在")
    return source


def _places(container: Container) -> list[RecordPlace]:
    """Return what records.jsonl lists; raises Unreadable."""
    name = path_in(RECORDS)
    places, seen = [], set[Key]()
    for number, line in enumerate(container.read(name, MOST_INDEX).splitlines(), start=1):
        try:
            file, offset, length = json.loads(line)
        except (ValueError, TypeError, RecursionError) as error:
            raise Unreadable(f"{name} 第 {number} 行无法读取") from error
        if not isinstance(file, str) or type(offset) is not int or type(length) is not int or (file, offset) in seen:
            raise Unreadable(f"{name} 第 {number} 行不合规定")
        seen.add((file, offset))
        places.append(RecordPlace(file, offset, length))
    return places


def _expected(container: Container, places: Sequence[RecordPlace], step: Step) -> dict[Key, IndexedRecord]:
    """Return the sealed records of these places; one index is read after the other."""
    wanted: defaultdict[int, set[Key]] = defaultdict(set)
    for place in places:
        run = place.file.partition("/")[0]
        if run.isascii() and run.isdigit() and len(run) < 10:
            wanted[int(run)].add(place[:2])
    found: dict[Key, IndexedRecord] = {}
    for run, keys in sorted(wanted.items()):
        try:
            index = index_of(container, run)
        except Unreadable as error:
            step.differs(path_in("runs", run, INDEX), str(error))
            continue
        found |= {(each.file, each.offset): each for each in index if (each.file, each.offset) in keys}
    for place in places:
        record = found.get(place[:2])
        if record is None or record.length != place.length:
            step.differs(path_in(RECORDS), f"列出的记录不在封存的记录索引里：{_key(place[:2])}")
    return found


def _key(key: Key) -> str:
    return f"{key[0]} 第 {key[1]} 字节"


def told(record: IndexedRecord) -> str:
    """Return a record as an auditor can look it up."""
    run = record.file.partition("/")[0]
    return f"记录 {record.id}（{record.url}，第 {run} 次巡查 {record.file} 第 {record.offset} 字节）"


# ---------------------------------------------------------------- one record after the other


class _Walk:
    """Goes through data.warc.gz; where it is not as expected, finds the next record that is."""

    def __init__(
        self, container: Container, warc: Member, expected: Sequence[IndexedRecord], source: PackageSource, step: Step
    ) -> None:
        self._data, self._warc, self._expected, self._source, self._step = (
            container.data,
            warc,
            expected,
            source,
            step,
        )
        self._at = warc.begin
        self._known: dict[str, int] | None = None  # number of each record by the digest of its first member

    def go(self) -> None:
        self._first()
        number = 0
        while number < len(self._expected):
            record = self._expected[number]
            if self._take(record):
                number += 1
            elif (later := self._number_here()) is not None:
                number = self._jump(number, later)
            elif self._fits(number):
                self._tell(record, "内容被改动")
                self._at += record.length
                number += 1
            elif (end := self._member_end()) is not None and end < self._warc.end:
                self._step.differs(self._range(self._at, end), f"多出的或改动过的记录；这里应是{told(record)}")
                self._at = end
            else:
                self._tell(record, "内容被改动，或从这里起不可读")
                self._at += record.length
                number += 1

    @property
    def tail(self) -> int:
        """Where the sealed records end."""
        return self._at

    def _first(self) -> None:
        end = self._member_end()
        try:
            kind = "" if end is None else parse(inflate(self._data, self._at)[0]).rec_type
        except EvidenceError:
            kind = ""
        if end is None or kind != "warcinfo":
            self._step.differs(self._range(self._at, end or self._at), "应是 warcinfo 记录")
        if end is not None and (kind == "warcinfo" or self._number_here() is None):
            self._at = end

    def _take(self, record: IndexedRecord) -> bool:
        """Take the record if it lies here as it was sealed; tell of the first member that is not, where one is."""
        begin = self._at
        for length, sha256 in record.members:
            if begin + length > self._warc.end or self._sha256(begin, begin + length) != sha256:
                return False
            if not _is_bounded(self._data, begin, begin + length):
                return False
            begin += length
        self._source.places[record.file, record.offset] = self._at
        self._at = begin
        return True

    def _tell(self, record: IndexedRecord, what: str) -> None:
        begin = self._at
        for length, sha256 in record.members:
            end = min(begin + length, self._warc.end)
            if end - begin < length or self._sha256(begin, end) != sha256:
                self._step.differs(self._range(begin, end), f"{told(record)} {what}")
                return
            begin = end
        self._step.differs(self._range(self._at, begin), f"{told(record)} 展开后大得不合情理")

    def _jump(self, number: int, later: int) -> int:
        """Go on with the record that lies here."""
        if later < number:
            record = self._expected[later]
            self._step.differs(self._range(self._at, self._at + record.length), f"{told(record)} 重复或顺序被改动")
            self._at += record.length
            return number
        for missing in self._expected[number:later]:
            self._step.differs(self._range(self._at, self._at), f"{told(missing)} 不见了，或不在应在的位置")
        return later

    def _number_here(self) -> int | None:
        if self._known is None:
            self._known = {record.members[0][1]: number for number, record in enumerate(self._expected)}
        end = self._member_end()
        return None if end is None else self._known.get(self._sha256(self._at, end))

    def _fits(self, number: int) -> bool:
        """Whether the next record lies where it should if this one were whole."""
        begin = self._at + self._expected[number].length
        if number + 1 == len(self._expected):
            return begin == self._warc.end or self._data[begin : begin + 2] == b"\x1f\x8b"
        length, sha256 = self._expected[number + 1].members[0]
        return begin + length <= self._warc.end and self._sha256(begin, begin + length) == sha256

    def _member_end(self) -> int | None:
        """Return where the gzip member that begins here ends; None where none does."""
        return _inflated_end(self._data, self._at, self._warc.end)

    def _sha256(self, begin: int, end: int) -> str:
        return hashlib.sha256(self._data[begin:end]).hexdigest()

    def _range(self, begin: int, end: int) -> str:
        offset = self._warc.begin
        return f"{WARC} 第 {begin - offset}–{end - offset} 字节"


def _is_bounded(data: mmap.mmap, begin: int, end: int) -> bool:
    return _inflated_end(data, begin, end) == end


def _inflated_end(data: mmap.mmap, begin: int, most: int) -> int | None:
    """Return where a gzip member ends that begins here, ends by `most` and is of bearable size; else None."""
    inflater, position, size = zlib.decompressobj(zlib.MAX_WBITS + 16), begin, 0
    try:
        while not inflater.eof:
            piece = data[position : min(position + _PIECE, most)]
            if not piece or size > MOST_INFLATED:
                return None
            size += len(inflater.decompress(piece, _PIECE * 16))
            while inflater.unconsumed_tail and size <= MOST_INFLATED:
                size += len(inflater.decompress(inflater.unconsumed_tail, _PIECE * 16))
            position += len(piece)
    except zlib.error:
        return None
    return position - len(inflater.unused_data)


# ---------------------------------------------------------------- what is not inside


def check_whole(container: Container, contents: Contents, source: PackageSource, step: Step) -> None:
    """Tell `step` of every record of the judged sites, and every earlier one that these lead to, that is neither inside
    nor withheld."""
    for run in (run for run in contents.runs if run.sites):
        try:
            left = _left(container, run, source)
            led = sorted(_led(source, run))
        except Unreadable as error:
            step.differs(path_in("runs", run.run, INDEX), str(error))
            continue
        for record in left:
            step.differs(told(record), "不在包里，也没有列为未随附")
        for key in led:
            step.differs(_key(key), f"第 {run.run} 次巡查没有变化的内容在这条记录里，它不在包里，也没有列为未随附")


def _left(container: Container, run: PackagedRun, source: PackageSource) -> list[IndexedRecord]:
    known, sites = source.listed | source.withheld, frozenset(run.sites)
    return [
        record
        for record in index_of(container, run.run)
        if (record.file, record.offset) not in known and not sites.isdisjoint(record.sites)
    ]


def _led(source: PackageSource, run: PackagedRun) -> set[Key]:
    """Return the places of earlier records that are wanted and nowhere; raises Unreadable."""
    found = set[Key]()
    for file, offset, block in source.records(run.run):
        try:
            earlier = told_of(parse(block)).earlier
        except EvidenceError as error:
            raise Unreadable(f"{_key((file, offset))}：{error}") from error
        found |= {(each.warc_file, each.offset) for site, each in earlier if site in run.sites}
    return found - source.listed - source.withheld


# ---------------------------------------------------------------- what follows the sealed records


def check_tail(container: Container, source: PackageSource, allowed: Mapping[str, bytes], step: Step) -> None:
    """Tell `step` of every record behind the sealed ones that is no `revisit` record of a sealed capture.

    `allowed` has by id the digest of each that may be there.
    """
    warc = container.members.get(WARC)
    if warc is None or step.count:
        return
    position, seen = _after_sealed(source, warc), set[str]()
    while position < warc.end:
        end = _inflated_end(container.data, position, warc.end)
        where = f"{WARC} 第 {position - warc.begin}–{(end or warc.end) - warc.begin} 字节"
        if end is None:
            step.differs(where, "不是可读的记录")
            return
        record_id, digest = revisit_digest(container.data[position:end])
        if allowed.get(record_id) != digest:
            step.differs(where, f"多出的记录：{record_id or '无法读取'}")
        seen.add(record_id)
        position = end
    if seen:
        step.note(f"另有 {len(seen)} 条 revisit 记录，供回放用，由封存的记录推出")


def _after_sealed(source: PackageSource, warc: Member) -> int:
    if not source.places:
        return _inflated_end(source.data, warc.begin, warc.end) or warc.end
    position = inflate(source.data, max(source.places.values()))[1]
    try:
        block, end = inflate(source.data, position)
        return end if parse(block).rec_type == "request" else position
    except (Torn, EvidenceError):
        return position


def revisit_digest(member: bytes) -> tuple[str, bytes]:
    """Return a record's id and the digest of what it says, however it is compressed; "" where it is none."""
    try:
        block = zlib.decompress(member, zlib.MAX_WBITS + 16)
        record_id = parse(block).rec_headers.get_header("WARC-Record-ID")
    except (zlib.error, EvidenceError):
        return "", b""
    return str(record_id), hashlib.sha256(block).digest()


def revisits_of(reader: EvidenceReader, run: int, sites: Iterable[str]) -> dict[str, bytes]:
    """Return by id the digests of the `revisit` records that an export may make of a run's captures."""
    wanted, made = frozenset(sites), {}
    for capture, _ in reader.recover(run):
        if capture.site_id in wanted and capture.evidence and not capture.evidence.warc_file.startswith(f"{run}/"):
            try:
                record_id, digest = revisit_digest(reader.revisit(capture))
            except EvidenceError:  # withheld: no such record is made
                continue
            made[record_id] = digest
    return made
