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

import re
from pathlib import Path

from checks.model import EvidenceRef
from storage.evidence_reader import EvidenceFolder, EvidenceReader
from storage.evidence_writer import MAX_FILE_BYTES, EvidenceWriter
from storage.record_fields import Answered
from storage.record_making import IDENTICAL, digest
from storage.record_members import Noting

__all__ = ["IDENTICAL", "Answered", "EvidenceStore", "EvidenceWriter", "digest", "of_run"]


def of_run(reference: EvidenceRef, run_id: int) -> bool:
    """Tell whether a record was written by that run."""
    return reference.warc_file.startswith(f"{run_id}/")


class EvidenceStore(EvidenceReader):
    """The evidence folder. References in it are relative to it, so that it can be moved as a whole.

    `noting` is told of every torn record before it is cut.
    """

    def __init__(self, folder: Path, *, max_file_bytes: int = MAX_FILE_BYTES, noting: Noting | None = None) -> None:
        super().__init__(EvidenceFolder(folder, noting))
        self.folder = folder
        self.max_file_bytes = max_file_bytes

    def writer(self, run_id: int, name: str) -> EvidenceWriter:
        """Return a writer of files of its own for one child process; `name` is plain, such as "batch-0003"."""
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            raise ValueError(f"not a plain file name: {name!r}")
        return EvidenceWriter(self.folder, run_id, name, self.max_file_bytes)
