"""记录索引: the sealed list of a run's records, by which a single record is proven without the file that it lies in.

`<evidence>/<run>/index.cdxj` is CDXJ as replay tools read it: a line a record, sorted by its key, and every line
ASCII, whatever a page's address holds. Beside what those tools want it has the record's id and type, the sites that it
tells of, and the SHA-256 of its gzip member; a request stands on the line of its response, which it follows in the
file. The run's manifest names the index by its digests, so that whoever has both can tell whether a record is the one
that was captured, and whether any is missing.
"""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt, ValidationError
from surt import surt
from warcio.recordloader import ArcWarcRecord
from warcio.timeutils import iso_date_to_timestamp

from storage.errors import DamagedRecord, IndexUnreadable
from storage.manifest import Digesting, Digests, write_pieces
from storage.record_members import Noting, parse, whole_records
from storage.record_telling import told_of

INDEX = "index.cdxj"
_LISTED = frozenset({"response", "resource", "metadata", "revisit"})
_ASCII = string.ascii_letters + string.digits + string.punctuation


@dataclass(frozen=True, slots=True)
class IndexedRecord:
    """A record as it was sealed: `file` is relative to the evidence folder ("7/sites-portal-00000.warc.gz").

    `length` is that of the record and, where it has one, the request after it; `members` has (length, SHA-256 in hex)
    of each of the two. `timestamp` is of fourteen digits, UTC; `digest` that of the payload. `sites` are those whose
    captures or probes the record tells of; none where that cannot be read.
    """

    file: str
    offset: int
    length: int
    id: str
    type: str
    url: str
    timestamp: str
    digest: str
    members: tuple[tuple[int, str], ...]
    sites: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """The offset after it."""
        return self.offset + self.length


# ---------------------------------------------------------------- writing


def write_index(folder: Path, noting: Noting | None = None) -> dict[str, Digests]:
    """Write the index of a run's folder; returns the digests of the WARC files, each of which was read once for both.

    Cuts the torn record that a killed process left at a file's end, after telling `noting` of it. Raises
    EvidenceDiskFull, EvidenceUnwritable, and what `noting` raises.
    """
    lines: list[bytes] = []
    digests: dict[str, Digests] = {}
    for path in sorted(folder.glob("*.warc.gz")):
        digesting = Digesting()
        lines += (_line(path.name, listed) for listed in _listed(path, digesting, noting))
        digests[path.name] = digesting.finish()
    write_pieces(folder / INDEX, sorted(lines))
    return digests


@dataclass(slots=True)
class _Listed:
    """A record as it is read: its header is kept, not its content."""

    record: ArcWarcRecord
    offset: int
    length: int
    sha256: str
    request: tuple[int, str] | None = None

    @property
    def id(self) -> str:
        return str(self.record.rec_headers.get_header("WARC-Record-ID"))


def _listed(path: Path, digesting: Digesting, noting: Noting | None) -> Iterator[_Listed]:
    """Yield a file's records with their requests, and digest all of the file meanwhile."""
    last: _Listed | None = None
    with path.open("rb", buffering=0) as file:  # a buffer would still hold what is cut
        for offset, end, block in whole_records(path, noting):
            digesting.update(file.read(offset - file.tell()) or b"")  # damage between records
            member = file.read(end - offset) or b""
            digesting.update(member)
            record, sha256 = parse(block), hashlib.sha256(member).hexdigest()
            if record.rec_type == "request":
                if last is not None and record.rec_headers.get_header("WARC-Concurrent-To") == last.id:
                    last.request = len(member), sha256
                continue
            if last is not None:
                yield last
            last = _Listed(record, offset, len(member), sha256) if record.rec_type in _LISTED else None
        digesting.update(file.read() or b"")
    if last is not None:
        yield last


def _line(file: str, listed: _Listed) -> bytes:
    record, headers = listed.record, listed.record.rec_headers
    url = headers.get_header("WARC-Target-URI") or ""
    fields: dict[str, Any] = {"url": url, "mime": _mime(record)}
    if record.rec_type == "response" and record.http_headers is not None:
        fields["status"] = record.http_headers.get_statuscode()
    fields |= {
        "digest": headers.get_header("WARC-Payload-Digest"),
        "length": str(listed.length),
        "offset": str(listed.offset),
        "filename": file,
        "id": listed.id,
        "type": record.rec_type,
        "sha256": listed.sha256,
        "sites": _sites(record),
    }
    if listed.request is not None:
        length, sha256 = listed.request
        fields["request"] = {"length": str(length), "sha256": sha256}
    at = iso_date_to_timestamp(headers.get_header("WARC-Date"))
    return f"{_key(url)} {at} {json.dumps(fields)}\n".encode("ascii")


def _sites(record: ArcWarcRecord) -> list[str]:
    try:
        return sorted(told_of(record).sites)
    except DamagedRecord:  # of an earlier version: it is sealed as it is
        return []


def _key(url: str) -> str:
    """Return the key that replay tools look an address up by: one word of ASCII."""
    try:
        key = surt(url)
    except ValueError:  # no address at all: a port that is no number, half a bracket
        key = url
    return quote(key, safe=_ASCII, errors="replace") or "-"


def _mime(record: ArcWarcRecord) -> str:
    if record.rec_type == "revisit":
        return "warc/revisit"
    headers = record.http_headers if record.rec_type == "response" else record.rec_headers
    stated = headers.get_header("Content-Type") if headers is not None else None
    return (stated or "").partition(";")[0].strip() or "unk"


# ---------------------------------------------------------------- reading


_Hex = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Member(BaseModel):
    length: PositiveInt
    sha256: _Hex


class _Fields(_Member):
    url: str
    digest: str
    offset: NonNegativeInt
    filename: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    id: str
    type: Literal["response", "resource", "metadata", "revisit"]
    request: _Member | None = None
    sites: tuple[str, ...] = ()


def read_index(content: bytes, run_id: int) -> list[IndexedRecord]:
    """Return the records that a run's index lists, by file and offset; raises IndexUnreadable."""
    records = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            records.append(_record_of(line, run_id))
        except (ValueError, RecursionError, ValidationError) as error:
            raise IndexUnreadable(
                f"第 {run_id} 次巡查的记录索引第 {number} 行无法读取；从备份恢复 {INDEX}。"
            ) from error
    return sorted(records, key=lambda record: (record.file, record.offset))


def _record_of(line: bytes, run_id: int) -> IndexedRecord:
    _, timestamp, document = line.decode("ascii").split(" ", 2)
    fields = _Fields.model_validate(json.loads(document))
    members = tuple((each.length, each.sha256) for each in (fields, fields.request) if each is not None)
    return IndexedRecord(
        file=f"{run_id}/{fields.filename}",
        offset=fields.offset,
        length=sum(length for length, _ in members),
        id=fields.id,
        type=fields.type,
        url=fields.url,
        timestamp=timestamp,
        digest=fields.digest,
        members=members,
        sites=fields.sites,
    )


def broken_members(path: Path, records: Iterable[IndexedRecord]) -> Iterator[tuple[int, int, IndexedRecord]]:
    """Yield (begin, end, record) of every gzip member of a file that is not as sealed, in order of their places.

    `records` are the file's own. A member that is cut off counts. Raises OSError.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        for record in sorted(records, key=lambda record: record.offset):
            begin = record.offset
            for length, sha256 in record.members:
                if not _is_whole(file, begin, length, sha256, size):
                    yield begin, begin + length, record
                begin += length


def _is_whole(file: Any, begin: int, length: int, sha256: str, size: int) -> bool:
    if begin + length > size:
        return False
    file.seek(begin)
    return hashlib.sha256(file.read(length)).hexdigest() == sha256
