"""证据导出: captured records, the pages they show and the findings on them in one WACZ 1.1.1 file for auditors.

A WACZ is a ZIP of WARC files, their index, a list of pages and a manifest with the digest of every file in it. It opens
in ReplayWeb.page and passes `wacz validate`. Records are copied as they lie in the evidence, byte for byte, so that the
digests written the night they were captured still stand.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wacz.util import now
from wacz.waczindexer import WACZIndexer
from warcio.warcwriter import WARCWriter

EXTRA_FOLDER = "inspection"  # what we add to the archive; the format's own folders are archive, indexes and pages
_WARC = "archive/data.warc.gz"


class WaczUnwritable(Exception):
    """The file cannot be written where it was asked for: choose another place, or free space."""


@dataclass(frozen=True, slots=True)
class ArchivedPage:
    """A page that a reader of the archive is offered; `url` and `captured_at` are those of its record."""

    url: str
    captured_at: datetime
    title: str = ""


def export_wacz(
    out: Path,
    records: Iterable[bytes],
    pages: Iterable[ArchivedPage],
    *,
    title: str,
    description: str = "",
    extra: Mapping[str, bytes] | None = None,
) -> int:
    """Write the WACZ and return how many different records it holds; `out` is whole or untouched.

    `records` are slices of WARC files, each one or more whole gzip members; the same slice given twice is written once.
    `extra` holds further files by plain name, such as "findings.json". Raises WaczUnwritable.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".wacz-") as folder:
            warc, whole = Path(folder, "data.warc.gz"), Path(folder, "whole.wacz")
            count = _write_warc(warc, records, title)
            with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
                indexer = _write_index(archive, warc)
                archive.write(warc, _WARC)
                _write(archive, "pages/pages.jsonl", _page_lines(pages, title))
                for name, content in (extra or {}).items():
                    _write(archive, f"{EXTRA_FOLDER}/{name}", content)
                _write_manifest(archive, indexer, title, description)
            whole.replace(out)
    except OSError as error:
        raise WaczUnwritable(f"无法写出 {out}：{error.strerror}。") from error
    return count


def _write_warc(path: Path, records: Iterable[bytes], title: str) -> int:
    seen: set[bytes] = set()
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True, warc_version="1.1")
        software = f"xuncha/{version('xuncha')} warcio/{version('warcio')}"
        fields = {"software": software, "format": "WARC File Format 1.1", "description": " ".join(title.split())}
        writer.write_record(writer.create_warcinfo_record(path.name, fields))
        for record in records:
            digest = sha256(record).digest()
            if digest not in seen:
                seen.add(digest)
                file.write(record)
    return len(seen)


def _write_index(archive: zipfile.ZipFile, warc: Path) -> Any:
    """Write the compressed CDXJ index and the index of its blocks; returns the indexer: it makes the manifest."""
    blocks = io.BytesIO()
    with archive.open(zipfile.ZipInfo("indexes/index.cdx.gz", now()), "w") as lines:
        indexer = WACZIndexer(
            io.TextIOWrapper(blocks, "utf-8", write_through=True),
            [str(warc)],
            sort=True,
            post_append=True,
            compress=lines,
            digest_records=True,
            fields="referrer",
            data_out_name="index.cdx.gz",
            hash_type="sha256",
        )
        indexer.process_all()
    _write(archive, "indexes/index.idx", blocks.getvalue())
    return indexer


def _page_lines(pages: Iterable[ArchivedPage], title: str) -> bytes:
    head = {"format": "json-pages-1.0", "id": "pages", "title": title}
    lines = [head, *(_page(page) for page in dict.fromkeys(pages))]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _page(page: ArchivedPage) -> dict[str, str]:
    at = page.captured_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    number = sha256(f"{at} {page.url}".encode("utf-8", "backslashreplace")).hexdigest()[:20]
    return {"id": number, "url": page.url, "ts": at, "title": page.title or page.url}


def _write_manifest(archive: zipfile.ZipFile, indexer: Any, title: str, description: str) -> None:
    manifest = indexer.generate_datapackage(Namespace(title=title, desc=description, date=None), archive).encode()
    _write(archive, "datapackage.json", manifest)
    _write(archive, "datapackage-digest.json", indexer.generate_datapackage_digest(manifest).encode())


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    with archive.open(zipfile.ZipInfo(name, now()), "w") as file:
        shutil.copyfileobj(io.BytesIO(content), file)
