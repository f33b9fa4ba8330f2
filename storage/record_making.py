"""Records as they are made: what a server said, in headers and a body that every WARC tool checks and replays."""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid4, uuid5

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from checks.model import Capture, Mode
from storage.record_fields import capture_fields

CAPTURE_HEADER = "WARC-JSON-Metadata"
UNCHANGED = "urn:xuncha:profile:unchanged-captures"  # of a revisit record that lists captures
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
PREFIX = {Mode.RENDERED: "urn:rendered:", Mode.SCREENSHOT: "urn:view:"}
_ORIGINAL = "X-Archive-Orig-"
_FRAMING = {"content-encoding", "transfer-encoding", "content-length"}

Headers = Sequence[tuple[str, str]]


class Draft:
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
            self._headers[CAPTURE_HEADER] = json.dumps(capture_fields(capture), separators=(",", ":"))

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


def revisit(capture: Capture, original_url: str, original_date: str) -> bytes:
    """Return a revisit record of the standard's profile, for a capture whose evidence is another capture's record."""
    reference = capture.evidence
    assert reference is not None
    url = capture.final_url or capture.url
    http = None
    if capture.mode is Mode.STATIC:
        http = StatusAndHeaders(
            str(capture.status or ""), replayable(capture.headers, capture.length), protocol="HTTP/1.1"
        )
    headers = {
        "WARC-Record-ID": f"<{uuid5(NAMESPACE_URL, reference.record_id + capture.captured_at.isoformat()).urn}>",
        "WARC-Profile": IDENTICAL,
        "WARC-Refers-To": reference.record_id,
        "WARC-Refers-To-Target-URI": original_url,
        "WARC-Refers-To-Date": original_date,
        "WARC-Payload-Digest": reference.payload_digest,
    }
    draft = Draft(
        "revisit",
        PREFIX.get(capture.mode, "") + url,
        capture.captured_at,
        b"",
        http=http,
        capture=capture,
        headers=headers,
    )
    return draft.member("")


def warcinfo(filename: str) -> tuple[str, bytes]:
    """Return a file's first record: its id, and its gzip member."""
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


def clean(headers: Headers) -> list[tuple[str, str]]:
    """Return headers that a record can hold, whatever they were."""
    return [(re.sub(r"[^!-9;-~]", "-", name) or "-", _printable(value).strip()) for name, value in headers]


def replayable(headers: Headers, length: int) -> list[tuple[str, str]]:
    """The headers of the decoded body: those that described its wire form keep their words under another name."""
    kept = []
    for name, value in clean(headers):
        framing = name.lower() in _FRAMING and (name.lower(), value) != ("content-length", str(length))
        kept.append((_ORIGINAL + name if framing else name, value))
    if not any(name.lower() == "content-length" for name, _ in kept):
        kept.append(("Content-Length", str(length)))
    return kept


def _ascii(value: str) -> str:
    """One line in ASCII, the rest percent-encoded: all that a request or status line may hold."""
    return quote(_printable(value).strip(), safe=" " + string.punctuation)


def split_status(line: str) -> tuple[str, str]:
    """Return the protocol and the rest of a status line."""
    protocol, _, status = _ascii(line).partition(" ")
    return (protocol, status.strip()) if protocol.upper().startswith("HTTP/") else ("HTTP/1.1", _ascii(line))


def request_target(url: str) -> str:
    """What follows the host in a URL."""
    rest = _ascii(url).replace(" ", "%20").split("#", 1)[0].partition("://")[2]
    path = re.sub(r"^[^/?]*", "", rest)
    return path if path.startswith("/") else "/" + path
