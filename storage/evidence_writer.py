"""Writing evidence: each record whole or absent, whatever ends the process."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from warcio.statusandheaders import StatusAndHeaders

from checks.model import Capture, EvidenceRef, FailureKind, Mode, Probe
from storage.errors import EvidenceDiskFull, EvidenceUnwritable
from storage.record_fields import Answered, lean_probe_fields, lines, unchanged_fields
from storage.record_making import (
    PREFIX,
    UNCHANGED,
    Draft,
    Headers,
    clean,
    digest,
    replayable,
    request_target,
    split_status,
    warcinfo,
)

MAX_FILE_BYTES = 1_000_000_000
_PROBES = "urn:xuncha:probes"
_JSON_LINES = "application/jsonl"
_TRUNCATED = {
    FailureKind.TOO_LARGE: "length",
    FailureKind.READ_TIMEOUT: "time",
    FailureKind.TRUNCATED: "disconnect",
    FailureKind.CONNECTION_LOST: "disconnect",
}
_CONTENT_TYPE = {Mode.RENDERED: "text/html; charset=utf-8", Mode.SCREENSHOT: "image/png"}


class EvidenceWriter:
    """Writes one child process's evidence; a context manager. Not for use by several threads.

    Every `write_…` returns where the record lies, and raises EvidenceDiskFull or EvidenceUnwritable; after either the
    file is as it was before the record.
    """

    def __init__(self, evidence: Path, run_id: int, name: str, max_file_bytes: int) -> None:
        self._evidence = evidence
        self._folder = evidence / str(run_id)
        self._name = name
        self._max_file_bytes = max_file_bytes
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
        protocol, status = split_status(status_line)
        answered = StatusAndHeaders(status, replayable(response_headers, len(payload)), protocol=protocol)
        asked = StatusAndHeaders(
            f"{method} {request_target(url)} HTTP/1.1", clean(request_headers), is_http_request=True
        )
        described = {"WARC-IP-Address": ip} if ip else {}
        if capture.failure in _TRUNCATED:
            described["WARC-Truncated"] = _TRUNCATED[capture.failure]
        at = capture.captured_at
        response = Draft("response", url, at, payload, http=answered, capture=capture, headers=described)
        concurrent = {"WARC-Concurrent-To": response.record_id}
        return self._write(response, Draft("request", url, at, b"", http=asked, headers=concurrent))

    def write_resource(self, capture: Capture, content_type: str, payload: bytes) -> EvidenceRef:
        """Keep what a browser made of a page: its DOM (Mode.RENDERED) or its picture (Mode.SCREENSHOT)."""
        url = PREFIX[capture.mode] + (capture.final_url or capture.url)
        content_type = content_type or _CONTENT_TYPE[capture.mode]
        return self._write(Draft("resource", url, capture.captured_at, payload, content_type, capture=capture))

    def write_failure(self, capture: Capture) -> EvidenceRef:
        """Keep a capture that brought no bytes at all (no such name, refused, timed out)."""
        content_type = "application/warc-fields"
        return self._write(Draft("metadata", capture.url, capture.captured_at, b"", content_type, capture=capture))

    def write_unchanged(self, captures: Sequence[Capture]) -> None:
        """Keep that captures brought the bytes of the earlier records that their `evidence` leads to."""
        if captures:
            payload = lines(unchanged_fields(capture) for capture in captures)
            profile = {"WARC-Profile": UNCHANGED}
            self._write(Draft("revisit", UNCHANGED, captures[0].captured_at, payload, _JSON_LINES, headers=profile))

    def write_probes(self, probes: Sequence[Probe], earlier: Mapping[str, Answered] | None = None) -> list[Probe]:
        """Keep what was asked and what was answered, and return the probes with the record they lie in.

        `earlier` has, by the digest of what was fetched, answers that other records hold: what is bulky in them is not
        kept again.
        """
        if not probes:
            return []
        payload = lines(lean_probe_fields(probe, earlier or {}) for probe in probes)
        reference = self._write(Draft("metadata", _PROBES, probes[0].captured_at, payload, _JSON_LINES))
        return [replace(probe, evidence=reference) for probe in probes]

    def _write(self, *drafts: Draft) -> EvidenceRef:
        file = self._current()
        offset = file.append(b"".join(draft.member(file.warcinfo_id) for draft in drafts))
        relative = file.path.relative_to(self._evidence).as_posix()
        return EvidenceRef(relative, offset, drafts[0].record_id, digest(drafts[0].payload))

    def _current(self) -> _RecordFile:
        if self._file is not None and self._file.size >= self._max_file_bytes:
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
        self.warcinfo_id, first = warcinfo(path.name)
        try:
            self.append(first)
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
