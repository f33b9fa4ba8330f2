"""Evidence: what was seen, byte for byte, in WARC 1.1 files (ISO 28500), one set a run.

A file belongs to one child process while it writes: `<folder>/<run>/<name>-00000.warc.gz`. Every record is a gzip
member of its own, handed to the operating system in one piece before the next begins, so a killed process loses at most
the record it was writing. The header WARC-JSON-Metadata of a capture's record holds the whole Capture, so a run can be
taken up again from its WARC files alone.

- An exchange is a `response` record and the `request` after it. The body is kept as decoded: Content-Encoding,
  Transfer-Encoding and a Content-Length that no longer fits stand as X-Archive-Orig-…, so that every WARC tool checks
  and replays the record as it stands; the digest is that of the bytes the checks read.
- A rendered page and a screenshot are `resource` records under urn:rendered:URL and urn:view:URL (the latter is where
  replayers look for screenshots), because the URL itself belongs to what the server sent.
- A capture without bytes is a `metadata` record, and so are probes, one JSON line each.
- A capture that brought the same bytes as an earlier one of its page leads to that record. That it did is said by a
  `revisit` record of a profile of our own, which lists many such captures, one JSON line each: a record for each, in
  gzip of its own, would be larger than a small page. `revisit` makes the records of the standard's profile from them.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import mmap
import os
import re
import string
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid4, uuid5

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from checks.model import Capture, EvidenceRef, FailureKind, Mode, Probe, ProbeKind
from storage.errors import DamagedRecord, EvidenceDiskFull, EvidenceError, EvidenceUnwritable, MissingRecord

MAX_FILE_BYTES = 1_000_000_000
CAPTURE_HEADER = "WARC-JSON-Metadata"
UNCHANGED = "urn:xuncha:profile:unchanged-captures"  # of a revisit record that lists captures
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
_PROBES = "urn:xuncha:probes"
_JSON_LINES = "application/jsonl"
_BULKY = "shingles"  # of a probe's answer: incompressible, and the same as long as the page is
_MEMBER = b"\x1f\x8b\x08"  # how a gzip member begins
_ORIGINAL = "X-Archive-Orig-"
_FRAMING = {"content-encoding", "transfer-encoding", "content-length"}
_TRUNCATED = {
    FailureKind.TOO_LARGE: "length",
    FailureKind.READ_TIMEOUT: "time",
    FailureKind.TRUNCATED: "disconnect",
    FailureKind.CONNECTION_LOST: "disconnect",
}
_CONTENT_TYPE = {Mode.RENDERED: "text/html; charset=utf-8", Mode.SCREENSHOT: "image/png"}
_PREFIX = {Mode.RENDERED: "urn:rendered:", Mode.SCREENSHOT: "urn:view:"}

Headers = Sequence[tuple[str, str]]
Answered = tuple[object, EvidenceRef]  # the bulky part of an answer, and the record that holds it
PayloadLoader = Callable[[], bytes]
_logger = logging.getLogger(__name__)


def of_run(reference: EvidenceRef, run_id: int) -> bool:
    """Tell whether a record was written by that run."""
    return reference.warc_file.startswith(f"{run_id}/")


class EvidenceStore:
    """The evidence folder. References in it are relative to it, so that it can be moved as a whole."""

    def __init__(self, folder: Path, *, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self.folder = folder
        self.max_file_bytes = max_file_bytes

    def writer(self, run_id: int, name: str) -> EvidenceWriter:
        """Return a writer of files of its own for one child process; `name` is plain, such as "batch-0003"."""
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            raise ValueError(f"not a plain file name: {name!r}")
        return EvidenceWriter(self, run_id, name)

    def recover(self, run_id: int) -> Iterator[tuple[Capture, PayloadLoader]]:
        """Yield every capture whole in the run's files, oldest file first, each with a loader of its payload.

        Cuts the torn record that a killed process left at a file's end (never in a file that is still being written);
        passes over damaged records in the middle, with a warning. A URL captured twice comes twice.
        """
        for reference, record in self._records(run_id):
            described = record.rec_headers.get_header(CAPTURE_HEADER)
            if described is not None:
                capture = replace(_capture_of(json.loads(described)), evidence=reference)
                yield capture, partial(self.read_payload, reference)
            elif record.rec_type == "revisit":
                for capture in map(_unchanged_of, record.raw_stream.read().splitlines()):
                    yield capture, partial(self.read_payload, capture.evidence)

    def recover_probes(self, run_id: int) -> Iterator[Probe]:
        """Yield every probe whole in the run's files; cuts and passes over as `recover` does."""
        answers = cache(self._bulky_answers)
        for reference, record in self._records(run_id):
            if record.rec_type == "metadata" and record.rec_headers.get_header(CAPTURE_HEADER) is None:
                for fields in _probe_lines(record.raw_stream.read()):
                    try:
                        probe, _ = _probe_of_line(fields, reference, answers)
                    except EvidenceError as error:
                        _logger.warning("passed over a probe in %s: %s", reference.warc_file, error)
                    else:
                        yield replace(probe, evidence=reference)

    def probes_at(self, reference: EvidenceRef) -> Iterator[tuple[Probe, EvidenceRef]]:
        """Yield the probes that a record lists, each with the record that has all of its answer.

        Raises MissingRecord, or DamagedRecord.
        """
        answers = cache(self._bulky_answers)
        for fields in _probe_lines(self.read_payload(reference)):
            yield _probe_of_line(fields, reference, answers)

    def _bulky_answers(self, reference: EvidenceRef) -> dict[str, object]:
        """Return the bulky parts of the answers that a record holds itself, by digest of what was fetched."""
        observed = [fields["observed"] for fields in _probe_lines(self.read_payload(reference))]
        return {each["digest"]: each[_BULKY] for each in observed if each.get(_BULKY) and "digest" in each}

    def read_payload(self, reference: EvidenceRef) -> bytes:
        """Return the payload that a record keeps, its digest verified; empty for a capture without bytes.

        Raises MissingRecord, or DamagedRecord.
        """
        with self._map(reference) as data:
            payload: bytes = _record_at(reference, data).raw_stream.read()
        if digest(payload) != reference.payload_digest:
            raise DamagedRecord(f"证据文件 {reference.warc_file} 中的记录已被改动：{reference.record_id}。")
        return payload

    def read_members(self, reference: EvidenceRef) -> bytes:
        """Return the record as it lies in the file, compressed, with its request where it has one: a slice of the WARC.

        Raises MissingRecord, or DamagedRecord.
        """
        with self._map(reference) as data:
            _record_at(reference, data)
            end = _inflate(data, reference.offset)[1]
            try:
                block, after = _inflate(data, end)
            except _Torn:
                return data[reference.offset : end]
            concurrent = _parse(block).rec_headers.get_header("WARC-Concurrent-To")
            return data[reference.offset : after if concurrent == reference.record_id else end]

    def revisit(self, capture: Capture) -> bytes:
        """Return a `revisit` record of the standard's profile for a capture whose record is an earlier capture's.

        The record is made for an export, which holds that earlier record too; the same capture gives the same bytes.
        Raises MissingRecord, or DamagedRecord.
        """
        assert capture.evidence is not None
        with self._map(capture.evidence) as data:
            original = _record_at(capture.evidence, data).rec_headers
        return _revisit(capture, original.get_header("WARC-Target-URI"), original.get_header("WARC-Date"))

    def _map(self, reference: EvidenceRef) -> mmap.mmap:
        try:
            with (self.folder / reference.warc_file).open("rb") as file:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
            raise MissingRecord(f"找不到证据文件：{reference.warc_file}。") from error

    def _records(self, run_id: int) -> Iterator[tuple[EvidenceRef, ArcWarcRecord]]:
        for path in sorted((self.folder / str(run_id)).glob("*.warc.gz")):
            relative = path.relative_to(self.folder).as_posix()
            for offset, block in _whole_records(path):
                record = _parse(block)
                if record.rec_type in ("response", "resource", "metadata", "revisit"):
                    headers = record.rec_headers
                    record_id, stated = headers.get_header("WARC-Record-ID"), headers.get_header("WARC-Payload-Digest")
                    yield EvidenceRef(relative, offset, record_id, stated), record


class EvidenceWriter:
    """Writes one child process's evidence; a context manager. Not for use by several threads.

    Every `write_…` returns where the record lies, and raises EvidenceDiskFull or EvidenceUnwritable; after either the
    file is as it was before the record.
    """

    def __init__(self, store: EvidenceStore, run_id: int, name: str) -> None:
        self._store = store
        self._folder = store.folder / str(run_id)
        self._name = name
        self._number = 0
        self._file: _RecordFile | None = None

    def __enter__(self) -> EvidenceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; another record would begin a new one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def write_exchange(
        self,
        capture: Capture,
        request_headers: Headers,
        status_line: str,
        response_headers: Headers,
        payload: bytes,
        ip: str = "",
        *,
        method: str = "GET",
    ) -> EvidenceRef:
        """Keep what a server answered: `status_line` like "HTTP/1.1 200 OK" or "200 OK", `payload` the decoded body."""
        url = capture.final_url or capture.url
        protocol, status = _split_status(status_line)
        answered = StatusAndHeaders(status, _replayable(response_headers, len(payload)), protocol=protocol)
        asked = StatusAndHeaders(
            f"{method} {_request_target(url)} HTTP/1.1", _clean(request_headers), is_http_request=True
        )
        described = {"WARC-IP-Address": ip} if ip else {}
        if capture.failure in _TRUNCATED:
            described["WARC-Truncated"] = _TRUNCATED[capture.failure]
        at = capture.captured_at
        response = _Draft("response", url, at, payload, http=answered, capture=capture, headers=described)
        concurrent = {"WARC-Concurrent-To": response.record_id}
        return self._write(response, _Draft("request", url, at, b"", http=asked, headers=concurrent))

    def write_resource(self, capture: Capture, content_type: str, payload: bytes) -> EvidenceRef:
        """Keep what a browser made of a page: its DOM (Mode.RENDERED) or its picture (Mode.SCREENSHOT)."""
        url = _PREFIX[capture.mode] + (capture.final_url or capture.url)
        content_type = content_type or _CONTENT_TYPE[capture.mode]
        return self._write(_Draft("resource", url, capture.captured_at, payload, content_type, capture=capture))

    def write_failure(self, capture: Capture) -> EvidenceRef:
        """Keep a capture that brought no bytes at all (no such name, refused, timed out)."""
        content_type = "application/warc-fields"
        return self._write(_Draft("metadata", capture.url, capture.captured_at, b"", content_type, capture=capture))

    def write_unchanged(self, captures: Sequence[Capture]) -> None:
        """Keep that captures brought the bytes of the earlier records that their `evidence` leads to."""
        if captures:
            payload = _lines(_unchanged_fields(capture) for capture in captures)
            profile = {"WARC-Profile": UNCHANGED}
            self._write(_Draft("revisit", UNCHANGED, captures[0].captured_at, payload, _JSON_LINES, headers=profile))

    def write_probes(self, probes: Sequence[Probe], earlier: Mapping[str, Answered] | None = None) -> list[Probe]:
        """Keep what was asked and what was answered, and return the probes with the record they lie in.

        `earlier` has, by the digest of what was fetched, answers that other records hold: what is bulky in them is not
        kept again.
        """
        if not probes:
            return []
        payload = _lines(_lean_probe_fields(probe, earlier or {}) for probe in probes)
        reference = self._write(_Draft("metadata", _PROBES, probes[0].captured_at, payload, _JSON_LINES))
        return [replace(probe, evidence=reference) for probe in probes]

    def _write(self, *drafts: _Draft) -> EvidenceRef:
        file = self._current()
        offset = file.append(b"".join(draft.member(file.warcinfo_id) for draft in drafts))
        relative = file.path.relative_to(self._store.folder).as_posix()
        return EvidenceRef(relative, offset, drafts[0].record_id, digest(drafts[0].payload))

    def _current(self) -> _RecordFile:
        if self._file is not None and self._file.size >= self._store.max_file_bytes:
            self.close()
        if self._file is None:
            self._file = self._open_next()
        return self._file

    def _open_next(self) -> _RecordFile:
        """Open a file that did not exist: a resumed process must never append to a torn one."""
        with _translated():
            self._folder.mkdir(parents=True, exist_ok=True)
            while (path := self._folder / f"{self._name}-{self._number:05d}.warc.gz").exists():
                self._number += 1
            return _RecordFile(path)


class _RecordFile:
    """An append-only file whose records are whole or absent. Locked while open, so that `recover` leaves it alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        self.warcinfo_id, warcinfo = _warcinfo(path.name)
        try:
            self.append(warcinfo)
        except EvidenceDiskFull:
            os.close(self._descriptor)
            path.unlink()
            raise

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return os.lseek(self._descriptor, 0, os.SEEK_END)

    def append(self, data: bytes) -> int:
        """Hand the bytes to the operating system; returns the offset they begin at."""
        offset = self.size
        rest = memoryview(data)
        try:
            with _translated():
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        except BaseException:  # an interruption as well: half a record must not stay
            os.ftruncate(self._descriptor, offset)
            raise
        return offset

    def close(self) -> None:
        """Bring the file to the disk and close it."""
        try:
            with _translated():
                os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise EvidenceDiskFull("证据文件夹所在磁盘已满，请清理后用 --resume 继续。") from error
        raise EvidenceUnwritable(f"证据文件夹无法写入：{error.filename or error.strerror}。") from error


# ---------------------------------------------------------------- records


class _Draft:
    """A record about to be written."""

    def __init__(
        self,
        kind: str,
        url: str,
        at: datetime,
        payload: bytes,
        content_type: str = "",
        *,
        http: StatusAndHeaders | None = None,
        capture: Capture | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.kind, self.url, self.payload, self.content_type, self.http = kind, url, payload, content_type, http
        self.record_id = _new_id()
        self._headers = {
            "WARC-Record-ID": self.record_id,
            "WARC-Date": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "WARC-Payload-Digest": digest(payload),
            "WARC-Block-Digest": digest(self._http_bytes() + payload),
        } | (headers or {})
        if capture is not None:
            self._headers[CAPTURE_HEADER] = json.dumps(_capture_fields(capture), separators=(",", ":"))

    def member(self, warcinfo_id: str) -> bytes:
        """Return the record as one gzip member."""
        out = BytesIO()
        writer = WARCWriter(out, gzip=True, warc_version="1.1")
        record = writer.create_warc_record(
            _printable(self.url).replace(" ", "%20"),
            "metadata" if self.payload and self.kind == "revisit" else self.kind,  # its block would not be written
            payload=BytesIO(self.payload),
            length=len(self.payload),
            warc_content_type=_printable(self.content_type),
            warc_headers_dict=self._headers | ({"WARC-Warcinfo-ID": warcinfo_id} if warcinfo_id else {}),
            http_headers=self.http,
        )
        record.rec_headers.replace_header("WARC-Type", self.kind)
        writer.write_record(record)
        return out.getvalue()

    def _http_bytes(self) -> bytes:
        if self.http is None:
            return b""
        self.http.compute_headers_buffer()
        headers: bytes = self.http.headers_buff
        return headers


def _revisit(capture: Capture, original_url: str, original_date: str) -> bytes:
    reference = capture.evidence
    assert reference is not None
    url = capture.final_url or capture.url
    http = None
    if capture.mode is Mode.STATIC:
        http = StatusAndHeaders(
            str(capture.status or ""), _replayable(capture.headers, capture.length), protocol="HTTP/1.1"
        )
    headers = {
        "WARC-Record-ID": f"<{uuid5(NAMESPACE_URL, reference.record_id + capture.captured_at.isoformat()).urn}>",
        "WARC-Profile": IDENTICAL,
        "WARC-Refers-To": reference.record_id,
        "WARC-Refers-To-Target-URI": original_url,
        "WARC-Refers-To-Date": original_date,
        "WARC-Payload-Digest": reference.payload_digest,
    }
    draft = _Draft(
        "revisit",
        _PREFIX.get(capture.mode, "") + url,
        capture.captured_at,
        b"",
        http=http,
        capture=capture,
        headers=headers,
    )
    return draft.member("")


def _warcinfo(filename: str) -> tuple[str, bytes]:
    out = BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="1.1")
    software = f"xuncha/{version('xuncha')} warcio/{version('warcio')}"
    fields = {"software": software, "format": "WARC File Format 1.1", "conformsTo": "ISO 28500:2017"}
    record = writer.create_warcinfo_record(filename, fields)
    writer.write_record(record)
    return record.rec_headers.get_header("WARC-Record-ID"), out.getvalue()


def _new_id() -> str:
    return f"<urn:uuid:{uuid4()}>"


def digest(payload: bytes) -> str:
    """Return the digest of some bytes as records and references have it: "sha256:" and hexadecimal digits."""
    return f"sha256:{hashlib.sha256(payload).hexdigest()}"


def _printable(value: str) -> str:
    """A header's value in one line: what a server or a page says may not begin a header of its own."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", value).encode("utf-8", "replace").decode("utf-8")


def _clean(headers: Headers) -> list[tuple[str, str]]:
    return [(re.sub(r"[^!-9;-~]", "-", name) or "-", _printable(value).strip()) for name, value in headers]


def _replayable(headers: Headers, length: int) -> list[tuple[str, str]]:
    """The headers of the decoded body: those that described its wire form keep their words under another name."""
    kept = []
    for name, value in _clean(headers):
        framing = name.lower() in _FRAMING and (name.lower(), value) != ("content-length", str(length))
        kept.append((_ORIGINAL + name if framing else name, value))
    if not any(name.lower() == "content-length" for name, _ in kept):
        kept.append(("Content-Length", str(length)))
    return kept


def _ascii(value: str) -> str:
    """One line in ASCII, the rest percent-encoded: all that a request or status line may hold."""
    return quote(_printable(value).strip(), safe=" " + string.punctuation)


def _split_status(line: str) -> tuple[str, str]:
    protocol, _, status = _ascii(line).partition(" ")
    return (protocol, status.strip()) if protocol.upper().startswith("HTTP/") else ("HTTP/1.1", _ascii(line))


def _request_target(url: str) -> str:
    """What follows the host in a URL."""
    rest = _ascii(url).replace(" ", "%20").split("#", 1)[0].partition("://")[2]
    path = re.sub(r"^[^/?]*", "", rest)
    return path if path.startswith("/") else "/" + path


# ---------------------------------------------------------------- reading files


class _Torn(Exception):
    """No whole gzip member begins here."""


def _inflate(data: mmap.mmap, offset: int) -> tuple[bytes, int]:
    """Return the gzip member that begins at an offset, inflated, and the offset after it; raises _Torn."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS + 16)
    block = bytearray()
    position = offset
    while not inflater.eof:
        piece = data[position : position + 65536]
        if not piece:
            raise _Torn
        try:
            block += inflater.decompress(piece)
        except zlib.error as error:
            raise _Torn from error
        position += len(piece)
    return bytes(block), position - len(inflater.unused_data)


def _whole_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, inflated bytes) of a file's whole records, then cut what follows the last of them.

    A file that another process still writes is left uncut.
    """
    with path.open("r+b") as file:
        ours = _try_lock(file)
        size, whole = path.stat().st_size, 0
        if size > 0:
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
                for offset, end, block in _members(data):
                    whole = end
                    yield offset, block
        if ours and whole < size:
            _logger.warning("cut %d bytes of a torn record from %s", size - whole, path)
            file.truncate(whole)


def _try_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _members(data: mmap.mmap) -> Iterator[tuple[int, int, bytes]]:
    """Yield (begin, end, inflated bytes) of every whole record; passes over what is damaged between them.

    After damage the next record is looked for byte by byte, and then a body could pose as one. It cannot know the id of
    the file's warcinfo record, which every record of ours names.
    """
    offset, ours = 0, b""
    while 0 <= offset < len(data):
        try:
            block, end = _inflate(data, offset)
        except _Torn:
            block, end = b"", offset
        head = block[: block.find(b"\r\n\r\n")]
        if head.startswith(b"WARC/") and ours in head:
            ours = ours or _warcinfo_id(head)
            yield offset, end, block
            offset = end
        else:
            _logger.debug("no whole record at offset %d", offset)
            offset = data.find(_MEMBER, offset + 1)


def _warcinfo_id(head: bytes) -> bytes:
    named = re.search(rb"WARC-Warcinfo-ID: (\S+)", head) or re.search(rb"WARC-Record-ID: (\S+)", head)
    return named.group(1) if named else b""


def _record_at(reference: EvidenceRef, data: mmap.mmap) -> ArcWarcRecord:
    if reference.offset >= len(data):
        raise MissingRecord(f"证据文件 {reference.warc_file} 中没有这条记录：{reference.record_id}。")
    try:
        record = _parse(_inflate(data, reference.offset)[0])
    except _Torn as error:
        raise DamagedRecord(f"证据文件 {reference.warc_file} 已损坏，位置 {reference.offset}。") from error
    if record.rec_headers.get_header("WARC-Record-ID") != reference.record_id:
        raise MissingRecord(f"证据文件 {reference.warc_file} 中没有这条记录：{reference.record_id}。")
    return record


def _parse(block: bytes) -> ArcWarcRecord:
    try:
        record: ArcWarcRecord = next(iter(ArchiveIterator(BytesIO(block))))
    except (ArchiveLoadFailed, StopIteration) as error:
        raise DamagedRecord("证据记录的头部无法读取。") from error
    return record


# ---------------------------------------------------------------- values as plain data


def _capture_fields(capture: Capture) -> dict[str, Any]:
    return {
        "site_id": capture.site_id,
        "url": capture.url,
        "mode": capture.mode.value,
        "captured_at": capture.captured_at.isoformat(),
        "final_url": capture.final_url,
        "redirects": capture.redirects,
        "status": capture.status,
        "headers": capture.headers,
        "length": capture.length,
        "elapsed": capture.elapsed,
        "address": capture.address,
        "failure": capture.failure.code if capture.failure else None,
        "detail": capture.detail,
    }


def _capture_of(fields: dict[str, Any]) -> Capture:
    return Capture(
        **fields
        | {
            "mode": Mode(fields["mode"]),
            "captured_at": datetime.fromisoformat(fields["captured_at"]),
            "redirects": tuple(fields["redirects"]),
            "headers": tuple((name, value) for name, value in fields["headers"]),
            "failure": FailureKind.of(fields["failure"]) if fields["failure"] else None,
        }
    )


def _probe_fields(probe: Probe) -> dict[str, Any]:
    return {
        "site_id": probe.site_id,
        "kind": probe.kind.value,
        "target": probe.target,
        "family": probe.family,
        "captured_at": probe.captured_at.isoformat(),
        "observed": probe.observed,
        "failure": probe.failure.code if probe.failure else None,
    }


def _probe_of(fields: dict[str, Any]) -> Probe:
    return Probe(
        **fields
        | {
            "kind": ProbeKind(fields["kind"]),
            "captured_at": datetime.fromisoformat(fields["captured_at"]),
            "failure": FailureKind.of(fields["failure"]) if fields["failure"] else None,
        }
    )


def _lines(rows: Iterable[dict[str, Any]]) -> bytes:
    texts = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows]
    return "".join(texts).encode("utf-8", "backslashreplace")


def _probe_lines(payload: bytes) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in payload.splitlines()]
    except ValueError as error:
        raise DamagedRecord("探测记录的内容无法读取，可能由旧版程序写成。") from error


def _probe_of_line(
    fields: dict[str, Any], reference: EvidenceRef, answers: Callable[[EvidenceRef], dict[str, object]]
) -> tuple[Probe, EvidenceRef]:
    rest = fields.pop("rest", None)
    if rest is None:
        return _probe_of(fields), reference
    original, asked = EvidenceRef(*rest), fields["observed"]["digest"]
    try:
        bulky = answers(original)[asked]
    except KeyError as error:
        raise DamagedRecord(
            f"证据文件 {original.warc_file} 中的探测记录与引用它的不符：{original.record_id}。"
        ) from error
    return _probe_of(fields | {"observed": fields["observed"] | {_BULKY: bulky}}), original


def _unchanged_fields(capture: Capture) -> dict[str, Any]:
    assert capture.evidence is not None
    return _capture_fields(capture) | {"original": list(asdict(capture.evidence).values())}


def _unchanged_of(line: bytes) -> Capture:
    fields = json.loads(line)
    original = EvidenceRef(*fields.pop("original"))
    return replace(_capture_of(fields), evidence=original)


def _lean_probe_fields(probe: Probe, earlier: Mapping[str, Answered]) -> dict[str, Any]:
    fields = _probe_fields(probe)
    bulky, reference = earlier.get(str(probe.observed.get("digest")), (None, None))
    if reference is None or not bulky or probe.observed.get(_BULKY) != bulky:
        return fields
    observed = {key: value for key, value in probe.observed.items() if key != _BULKY}
    return fields | {"observed": observed, "rest": list(asdict(reference).values())}
