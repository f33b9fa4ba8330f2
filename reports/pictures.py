"""Screenshots for documents: PNG bytes that were checked to the last row before an office program opens them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MOST_BYTES = 30_000_000
MOST_WIDTH, MOST_HEIGHT = 4_000, 20_000  # pixels
MOST_ROW_BYTES = 100_000_000  # of all rows together, unpacked
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_INDEXED = 3  # the colour type of pixels that point into a palette
_MOST_COLOURS = 256
_FILTERS = 5  # kinds of them, the first byte of a row


@dataclass(frozen=True, slots=True)
class Picture:
    """A sound PNG; `cut` says whether only the upper part of what was given is left. Sizes in pixels."""

    png: bytes
    width: int
    height: int
    cut: bool = False
    description: str = "网页截图"


class _Unsound(Exception):
    """The bytes are no PNG that can be trusted: leave the picture out."""


def sound_picture(png: bytes, tallest: float) -> Picture | None:
    """Return the picture written anew, cut at the bottom to `tallest` times its width; None unless it is a sound PNG.

    Only what makes the picture is taken over: size, palette and rows; nothing hidden comes along.
    """
    try:
        return _rewritten(png, tallest)
    except (_Unsound, zlib.error, struct.error):
        return None


def _rewritten(png: bytes, tallest: float) -> Picture:
    chunks = list(_chunks(png))
    if not chunks or chunks[0][0] != b"IHDR":
        raise _Unsound
    width, height, depth, colour, *methods = struct.unpack(">IIBBBBB", chunks[0][1])
    if not (0 < width <= MOST_WIDTH and 0 < height <= MOST_HEIGHT) or any(methods):
        raise _Unsound  # any(methods): an interlaced one cannot be cut, and no browser makes one
    if depth not in _DEPTHS.get(colour, ()):
        raise _Unsound
    kept = min(height, max(1, int(width * tallest)))
    rows = _rows(chunks, 1 + (width * depth * _CHANNELS[colour] + 7) // 8, kept)
    content = (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, kept, depth, colour, 0, 0, 0)),
        *_palette(chunks, colour),
        _chunk(b"IDAT", zlib.compress(rows, 6)),
        _chunk(b"IEND", b""),
    )
    return Picture(_SIGNATURE + b"".join(content), width, kept, cut=kept < height)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of every chunk up to the end; raises _Unsound where one is torn or altered."""
    if len(png) > MOST_BYTES or not png.startswith(_SIGNATURE):
        raise _Unsound
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", png, at)
        content = png[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", png, at + 8 + length)
        if zlib.crc32(kind + content) != checksum:
            raise _Unsound
        yield kind, content
        at += 12 + length


def _rows(chunks: list[tuple[bytes, bytes]], row_bytes: int, count: int) -> bytes:
    """Return the first rows unpacked, never more than asked for; raises _Unsound when there are fewer."""
    wanted = row_bytes * count
    if wanted > MOST_ROW_BYTES:
        raise _Unsound
    rows = zlib.decompressobj().decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"), wanted)
    if len(rows) != wanted or max(rows[::row_bytes]) >= _FILTERS:
        raise _Unsound
    return rows


def _palette(chunks: list[tuple[bytes, bytes]], colour: int) -> list[bytes]:
    if colour != _INDEXED:
        return []
    palettes = [content for kind, content in chunks if kind == b"PLTE"]
    if len(palettes) != 1 or len(palettes[0]) % 3 or not 0 < len(palettes[0]) <= 3 * _MOST_COLOURS:
        raise _Unsound
    return [_chunk(b"PLTE", palettes[0])]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
