"""封存清单: what a finished run's folder holds, file by file, so that nothing in it can change unseen.

`<evidence>/<run>/manifest.json` is canonical JSON. It names every other file of the folder with its length, its SHA-256
and its SM3 (GB/T 32905-2016), and the manifest of the night before: whoever holds one night's manifest can tell whether
any night before it was changed. Beside it may lie its signature and its time stamp, which cannot be named in it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.hashes import SM3, Hash
from pydantic import AwareDatetime, BaseModel, NonNegativeInt, ValidationError

from storage.errors import EvidenceDiskFull, EvidenceUnwritable, ManifestUnreadable

FORMAT, VERSION = "xuncha-manifest", 1
MANIFEST, SIGNATURE, STAMP = "manifest.json", "manifest.sig", "manifest.tsr"
MAX_MANIFEST_BYTES = 50_000_000
_APART = frozenset({MANIFEST, SIGNATURE, STAMP})
_PIECE = 1_048_576

Document = dict[str, Any]


def canonical(document: object) -> bytes:
    """Return the one way to write a document as JSON: sorted keys, UTF-8, no space between.

    Numbers of scores are text, as exact decimals without idle zeros; times are ISO 8601.
    """
    return _encoder.encode(document).encode("utf-8", "backslashreplace")  # half a surrogate pair: JSON's own escape


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=_plain)


# ---------------------------------------------------------------- digests


@dataclass(frozen=True, slots=True)
class Digests:
    """How long some bytes are, and their two digests in hex."""

    bytes: int
    sha256: str
    sm3: str

    @property
    def document(self) -> Document:
        """The digests as a manifest writes them."""
        return {"bytes": self.bytes, "sha256": self.sha256, "sm3": self.sm3}


class Digesting:
    """Takes bytes piece by piece."""

    def __init__(self) -> None:
        self._sha256, self._sm3, self._bytes = hashlib.sha256(), Hash(SM3()), 0

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        self._sha256.update(piece)
        self._sm3.update(piece)
        self._bytes += len(piece)

    def finish(self) -> Digests:
        """Return the digests; takes nothing after that."""
        return Digests(self._bytes, self._sha256.hexdigest(), self._sm3.finalize().hex())


def digests_of(pieces: Iterable[bytes]) -> Digests:
    """Return the digests of bytes that come in pieces."""
    digesting = Digesting()
    for piece in pieces:
        digesting.update(piece)
    return digesting.finish()


def digests_of_file(path: Path, begin: int = 0) -> Digests:
    """Return the digests of a file of any size from an offset on, in little memory; raises OSError."""
    with path.open("rb") as file:
        file.seek(begin)
        return digests_of(iter(lambda: file.read(_PIECE), b""))


# ---------------------------------------------------------------- folders


def files_of(folder: Path) -> list[str]:
    """Return every file below a run's folder that a manifest names, relative to it, in order."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return sorted(name for name in found if name not in _APART)


def digests_of_folder(folder: Path) -> dict[str, Document]:
    """Return a manifest's "files": the digests of every file below a run's folder."""
    return {name: digests_of_file(folder / name).document for name in files_of(folder)}


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not as its manifest says; `what` is Chinese."""

    file: str
    what: str
    gone: bool = False


def differences(folder: Path, named: Mapping[str, Document]) -> Iterator[Difference]:
    """Yield, in order of names, what of a run's folder is not as "files" of its manifest says."""
    there = set(files_of(folder))
    for name in sorted(there | set(named)):
        if name not in there:
            yield Difference(name, "文件不见了", gone=True)
        elif name not in named:
            yield Difference(name, "封存之后多出的文件")
        elif what := _difference(folder / name, named[name]):
            yield Difference(name, what)


def _difference(path: Path, named: Document) -> str:
    length = path.stat().st_size
    if length != named["bytes"]:
        return f"应有 {named['bytes']} 字节，现有 {length} 字节"
    digests = digests_of_file(path)
    if digests.sha256 != named["sha256"]:
        return "内容被改动（SHA-256 不符）"
    return "内容被改动（SM3 不符）" if digests.sm3 != named["sm3"] else ""


# ---------------------------------------------------------------- reading


def read_manifest(folder: Path) -> tuple[Document, Digests] | None:
    """Return a run's manifest with the digests of its bytes; None where there is none. Raises ManifestUnreadable."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ManifestUnreadable(f"封存清单大得不合情理：{path}；从备份恢复它。")
        return manifest_of(path.read_bytes(), str(path))
    except OSError as error:
        raise ManifestUnreadable(f"封存清单无法读取：{path}；从备份恢复它。") from error


def manifest_of(content: bytes, where: str) -> tuple[Document, Digests]:
    """Return the manifest that a file holds, with its digests; raises ManifestUnreadable, which names `where`."""
    try:
        document = json.loads(content)
        _Manifest.model_validate(document)
    except ValidationError as error:
        raise ManifestUnreadable(f"不是本程序认得的封存清单：{where}；从备份恢复它，或换用新版程序。") from error
    except (ValueError, RecursionError) as error:
        raise ManifestUnreadable(f"封存清单无法读取：{where}；从备份恢复它。") from error
    return document, digests_of([content])


class _Named(BaseModel):
    bytes: NonNegativeInt
    sha256: str
    sm3: str


class _Link(_Named):
    run: int


class _Sealed(BaseModel):
    at: AwareDatetime
    signer: str | None


class _Parted(_Named):
    """Of scores `sites` too; a manifest of before has neither."""

    units: dict[str, _Named] = {}
    sites: dict[str, _Named] = {}


class _Cut(BaseModel):
    file: str
    position: NonNegativeInt
    length: NonNegativeInt
    at: AwareDatetime


class _Manifest(BaseModel):
    """What must stand in a manifest before anybody reads on in it."""

    format: Literal["xuncha-manifest"]
    version: Literal[1]
    run: dict[str, Any]
    files: dict[str, _Named]
    cuts: list[_Cut] = []
    findings: _Parted
    scores: _Parted
    sealed: _Sealed
    previous: _Link | None
    stands_on: _Link | None


# ---------------------------------------------------------------- writing


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, on the disk, or not at all.

    Raises EvidenceDiskFull, EvidenceUnwritable.
    """
    write_pieces(path, [content])


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file from pieces, as `write_whole` does."""
    new = path.with_name(f".{path.name}.new")
    with _translated():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with new.open("wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        _bring_to_disk(path.parent)


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces as gzip that says neither when nor under what name it was made."""
    stream = zlib.compressobj(level=6, wbits=zlib.MAX_WBITS + 16)
    yield from map(stream.compress, pieces)
    yield stream.flush()


def clear_leftovers(folder: Path) -> None:
    """Remove what a killed process had not finished writing whole."""
    for path in folder.rglob(".*.new"):
        path.unlink()


def _bring_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise EvidenceDiskFull("证据文件夹所在磁盘已满，封存没有完成；清理后，下次巡查开始时自动补上。") from error
        raise EvidenceUnwritable(f"证据文件夹无法写入：{error.filename or error.strerror}。") from error
