"""Records as they lie in WARC files: a gzip member each, found, inflated and read."""

from __future__ import annotations

import fcntl
import logging
import mmap
import re
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader

from checks.model import EvidenceRef
from storage.errors import DamagedRecord, MissingRecord
from storage.manifest import MANIFEST

Noting = Callable[[Path, int, int], None]  # what is told of a cut: the file, the position, the length in bytes
_MEMBER = b"\x1f\x8b\x08"  # how a gzip member begins
_PIECE = 16_384  # bytes: what a piece has beyond the member is copied for nothing
_HELD = 16_000_000  # bytes of a file that was read, held in memory
_loader = ArcWarcRecordLoader(verify_http=False, arc2warc=False)  # an ArchiveIterator without its search for members
_logger = logging.getLogger(__name__)


class Torn(Exception):
    """No whole gzip member begins here."""


def inflate(data: mmap.mmap, offset: int) -> tuple[bytes, int]:
    """Return the gzip member that begins at an offset, inflated, and the offset after it; raises Torn."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS + 16)
    block = bytearray()
    position = offset
    while not inflater.eof:
        piece = data[position : position + _PIECE]
        if not piece:
            raise Torn
        try:
            block += inflater.decompress(piece)
        except zlib.error as error:
            raise Torn from error
        position += len(piece)
    return bytes(block), position - len(inflater.unused_data)


def whole_records(path: Path, noting: Noting | None = None) -> Iterator[tuple[int, int, bytes]]:
    """Yield (begin, end, inflated bytes) of a file's whole records, then cut what follows the last of them.

    `noting` is told before the cut: one that a kill comes before is told again, none is made untold. A file that
    another process still writes is left uncut, and so is one that is sealed.
    """
    with path.open("r+b") as file:
        ours = _try_lock(file)
        size, whole = path.stat().st_size, 0
        if size > 0:
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
                for begin, end, block in members(data):
                    whole = end
                    yield begin, end, block
        if ours and whole < size and not (path.parent / MANIFEST).exists():
            _cut(path, file, whole, size - whole, noting)


def _cut(path: Path, file: BinaryIO, position: int, length: int, noting: Noting | None) -> None:
    if noting is not None:
        noting(path, position, length)
    _logger.warning("cut %d bytes of a torn record from %s", length, path)
    file.truncate(position)


def _try_lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def members(data: mmap.mmap) -> Iterator[tuple[int, int, bytes]]:
    """Yield (begin, end, inflated bytes) of every whole record; passes over what is damaged between them.

    After damage the next record is looked for byte by byte, and then a body could pose as one. It cannot know the id of
    the file's warcinfo record, which every record of ours names.
    """
    offset, ours, held = 0, b"", 0
    while 0 <= offset < len(data):
        if offset - held >= _HELD:
            held = _let_go(data, held, offset)
        try:
            block, end = inflate(data, offset)
        except Torn:
            block, end = b"", offset
        head = block[: block.find(b"\r\n\r\n")]
        if head.startswith(b"WARC/") and ours in head:
            ours = ours or _warcinfo_id(head)
            yield offset, end, block
            offset = end
        else:
            _logger.debug("no whole record at offset %d", offset)
            offset = data.find(_MEMBER, offset + 1)


def _let_go(data: mmap.mmap, begin: int, end: int) -> int:
    """Have the system take back the memory of what was read, and return where what is held begins then.

    A file may be a whole night's; what is read of it again is only slower.
    """
    whole = (end - begin) // mmap.PAGESIZE * mmap.PAGESIZE
    data.madvise(mmap.MADV_DONTNEED, begin, whole)
    return begin + whole


def _warcinfo_id(head: bytes) -> bytes:
    named = re.search(rb"WARC-Warcinfo-ID: (\S+)", head) or re.search(rb"WARC-Record-ID: (\S+)", head)
    return named.group(1) if named else b""


def record_at(reference: EvidenceRef, data: mmap.mmap, offset: int) -> ArcWarcRecord:
    """Return the record of a reference, which begins at an offset; raises MissingRecord, DamagedRecord."""
    if offset >= len(data):
        raise MissingRecord(f"证据文件 {reference.warc_file} 中没有这条记录：{reference.record_id}。")
    try:
        record = parse(inflate(data, offset)[0])
    except Torn as error:
        raise DamagedRecord(f"证据文件 {reference.warc_file} 已损坏，位置 {reference.offset}。") from error
    if record.rec_headers.get_header("WARC-Record-ID") != reference.record_id:
        raise MissingRecord(f"证据文件 {reference.warc_file} 中没有这条记录：{reference.record_id}。")
    return record


def parse(block: bytes) -> ArcWarcRecord:
    """Return the record that a gzip member holds; raises DamagedRecord."""
    try:
        record: ArcWarcRecord = _loader.parse_record_stream(BytesIO(block), known_format="warc")
    except (ArchiveLoadFailed, EOFError) as error:
        raise DamagedRecord("证据记录的头部无法读取。") from error
    return record
