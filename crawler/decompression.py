"""内容解压: compressed bodies undone piece by piece, so that none grows beyond what we are ready to hold.

A few kilobytes may stand for gigabytes. Whatever a body is compressed with, and however often, no step of it makes more
than the limit, nor more than a piece at a time.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE = 65_536  # bytes that one step makes at most
_MOST_CODINGS = 4  # one upon the other; honest servers use one
_MOST_ZSTD_WINDOW = {zstd.DecompressionParameter.window_log_max: 23}  # 8 MiB, as RFC 9659 has it for the web

Pieces = Iterable[bytes]


class TooLarge(Exception):
    """The body exceeds crawl.max_body_bytes or max_attachment_bytes: raise the limit if the file is wanted."""


class Undecodable(Exception):
    """The body is not compressed as its headers say: the server, or what stands before it, mixes them up."""


def decompressed(pieces: Pieces, codings: str, most_bytes: int) -> Iterator[bytes]:
    """Yield a body as it was before `codings`, the value of its Content-Encoding; a coding unknown to us is left alone.

    Raises TooLarge as soon as it, compressed or at any step, exceeds `most_bytes`, and Undecodable. What is cut short
    yields what there is of it.
    """
    applied = [coding.strip().lower() for coding in codings.split(",") if coding.strip()]
    if len(applied) > _MOST_CODINGS:
        raise Undecodable(f"内容压缩了 {len(applied)} 层")
    body = _within(pieces, most_bytes)
    for coding in reversed(applied):
        if coding in _UNDOING:
            body = _within(_UNDOING[coding](body), most_bytes)
    return body


def _within(pieces: Pieces, most_bytes: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > most_bytes:
            raise TooLarge(f"超过 {most_bytes} 字节")
        yield piece


def _gunzipped(pieces: Pieces) -> Iterator[bytes]:
    return _inflated(pieces, zlib.decompressobj(zlib.MAX_WBITS | 16))


def _undeflated(pieces: Pieces) -> Iterator[bytes]:
    """Undo "deflate": with zlib's header as the standard has it, or bare as some servers send it."""
    source = iter(pieces)
    begin = b""
    while len(begin) < 2 and (piece := next(source, b"")):
        begin += piece
    has_header = len(begin) > 1 and begin[0] & 0x0F == 8 and int.from_bytes(begin[:2], "big") % 31 == 0
    yield from _inflated(_led(begin, source), zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS))


def _led(begin: bytes, rest: Pieces) -> Iterator[bytes]:
    yield begin
    yield from rest


def _inflated(pieces: Pieces, inflater: zlib._Decompress) -> Iterator[bytes]:
    try:
        for piece in pieces:
            made = inflater.decompress(piece, _PIECE)
            yield made
            while not inflater.eof and (inflater.unconsumed_tail or len(made) == _PIECE):
                made = inflater.decompress(inflater.unconsumed_tail, _PIECE)
                yield made
    except zlib.error as error:
        raise Undecodable("gzip 或 deflate 内容已损坏") from error


def _unbrotlied(pieces: Pieces) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    try:
        for piece in pieces:
            if decoder.is_finished():
                return
            made = decoder.process(piece, output_buffer_limit=_PIECE)
            yield made
            while made or not decoder.can_accept_more_data():
                made = decoder.process(b"", output_buffer_limit=_PIECE)
                yield made
    except brotli.error as error:
        raise Undecodable("brotli 内容已损坏") from error


def _unzstandarded(pieces: Pieces) -> Iterator[bytes]:
    decoder = zstd.ZstdDecompressor(options=_MOST_ZSTD_WINDOW)
    try:
        for piece in pieces:
            left = piece
            while left:
                if decoder.eof:  # a frame is through, and another begins
                    decoder = zstd.ZstdDecompressor(options=_MOST_ZSTD_WINDOW)
                yield decoder.decompress(left, _PIECE)
                while not (decoder.eof or decoder.needs_input):
                    yield decoder.decompress(b"", _PIECE)
                left = decoder.unused_data
    except zstd.ZstdError as error:
        raise Undecodable("zstd 内容已损坏") from error


_UNDOING: dict[str, Callable[[Pieces], Iterator[bytes]]] = {
    "gzip": _gunzipped,
    "x-gzip": _gunzipped,
    "deflate": _undeflated,
    "br": _unbrotlied,
    "zstd": _unzstandarded,
}
