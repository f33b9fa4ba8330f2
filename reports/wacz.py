"""证据导出: captured records, the pages they show and what was found on them in one WACZ 1.1.1 file for auditors.

A WACZ is a ZIP of WARC files, their index, a list of pages and a manifest with the digest of every file in it. It opens
in ReplayWeb.page and passes `wacz validate`. Records are copied as they lie in the evidence, byte for byte, so that the
digests written the night they were captured still stand. However much it holds, it is written in little memory.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import tempfile
import zipfile
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wacz.util import now
from wacz.waczindexer import WACZIndexer
from warcio.warcwriter import WARCWriter

from reports.entry_names import entry_of

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

    @property
    def timestamp(self) -> str:
        """When it was captured as replayers write it: fourteen digits, UTC."""
        return self.captured_at.astimezone(UTC).strftime("%Y%m%d%H%M%S")


class WaczFile:
    """A WACZ that is being written; made by `writing`. A name that was written is not written again."""

    def __init__(self, folder: Path, archive: zipfile.ZipFile, title: str) -> None:
        self._archive = archive
        self._title = " ".join(title.split())
        self._warc = folder / "data.warc.gz"
        self._records = self._warc.open("wb")
        self._pages = (folder / "pages.jsonl").open("w+b")
        self._written: set[str] = set()
        self._listed: set[str] = set()
        self._begin()

    def add_record(self, members: bytes) -> None:
        """Append a slice of a WARC file, one or more whole gzip members, to the archive's own."""
        self._records.write(members)

    def add_page(self, page: ArchivedPage) -> bool:
        """Offer a page to readers, the same page once; tells whether it is a new one."""
        line = _page(page)
        new = line["id"] not in self._listed
        if new:
            self._listed.add(line["id"])
            self._pages.write(_json_line(line))
        return new

    def add_file(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file of our own, such as "runs/7/manifest.json", from pieces."""
        if name not in self._written:
            self._written.add(name)
            self._write(entry_of(f"{EXTRA_FOLDER}/{name}"), pieces)

    def holds(self, name: str) -> bool:
        """Whether a file of our own of that name was written."""
        return name in self._written

    def close(self) -> None:
        """Close the files beside the archive."""
        self._records.close()
        self._pages.close()

    def finish(self) -> None:
        """Write the index, the list of pages and the manifest; nothing can be added after that."""
        self._records.close()
        indexer = self._write_index()
        self._archive.write(self._warc, _WARC)
        self._pages.seek(0)
        self._write("pages/pages.jsonl", iter(lambda: self._pages.read(1_048_576), b""))
        described = Namespace(title=self._title, desc="", date=None)
        manifest = _with_names(indexer.generate_datapackage(described, self._archive))
        self._write("datapackage.json", [manifest])
        self._write("datapackage-digest.json", [indexer.generate_datapackage_digest(manifest).encode()])

    def _begin(self) -> None:
        writer = WARCWriter(self._records, gzip=True, warc_version="1.1")
        software = f"xuncha/{version('xuncha')} warcio/{version('warcio')}"
        fields = {"software": software, "format": "WARC File Format 1.1", "description": self._title}
        writer.write_record(writer.create_warcinfo_record(self._warc.name, fields))
        self._pages.write(_json_line({"format": "json-pages-1.0", "id": "pages", "title": self._title}))

    def _write_index(self) -> Any:
        """Write the compressed CDXJ index and the index of its blocks; returns the indexer: it makes the manifest."""
        blocks = io.BytesIO()
        with self._archive.open(_entry("indexes/index.cdx.gz"), "w", force_zip64=True) as lines:
            indexer = WACZIndexer(
                io.TextIOWrapper(blocks, "utf-8", write_through=True),
                [str(self._warc)],
                sort=True,
                post_append=True,
                compress=lines,
                digest_records=True,
                fields="referrer",
                data_out_name="index.cdx.gz",
                hash_type="sha256",
            )
            indexer.process_all()
        self._write("indexes/index.idx", [blocks.getvalue()])
        return indexer

    def _write(self, name: str, pieces: Iterable[bytes]) -> None:
        with self._archive.open(_entry(name), "w", force_zip64=True) as file:
            for piece in pieces:
                file.write(piece)


@contextmanager
def writing(out: Path, title: str) -> Iterator[WaczFile]:
    """Yield a WACZ to fill; at the end of the block `out` is whole, after any error in it untouched.

    Beside `out` there must be room for the records twice over. Raises WaczUnwritable.
    """
    with _translated(out), _beside(out) as folder:
        whole = folder / "whole.wacz"
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
            wacz = WaczFile(folder, archive, title)
            try:
                yield wacz
                wacz.finish()
            finally:
                wacz.close()
        whole.replace(out)


@contextmanager
def _translated(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WaczUnwritable(f"无法写出 {out}：{error.strerror or error}；换一个位置，或先腾出空间。") from error


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.is_dir():
        raise IsADirectoryError(21, "这是一个文件夹")
    folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=".wacz-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, now())


def _page(page: ArchivedPage) -> dict[str, str]:
    at = page.captured_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    number = sha256(f"{at} {page.url}".encode("utf-8", "backslashreplace")).hexdigest()[:20]
    return {"id": number, "url": page.url, "ts": at, "title": page.title or page.url}


def _with_names(manifest: str) -> bytes:
    """Give every resource a name of its own, as the format of the manifest wants it; files in folders share theirs."""
    document = json.loads(manifest)
    for number, resource in enumerate(document["resources"]):
        resource["type"] = "file"  # not a table to be checked, whatever its name ends in
        resource["name"] = re.sub(r"[^a-z0-9._-]+", "-", f"{number}-{resource['name']}")
    return json.dumps(document, indent=2).encode()


def _json_line(document: object) -> bytes:
    return (json.dumps(document) + "\n").encode()
