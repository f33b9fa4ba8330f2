"""Screenshots are checked to the last row before an office program opens them."""

from __future__ import annotations

import struct
import zlib

import pytest

from reports import pictures
from reports.pictures import sound_picture
from tests.reports.made_notices import chunk, png

HEAD = b"\x89PNG\r\n\x1a\n"


def bare(width=4, height=4, depth=8, colour=2, interlaced=0, rows=None, palette=b""):
    """Return a PNG as described, whether that is possible or not."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    data = zlib.compress(rows if rows is not None else (b"\0" + bytes(width * 3)) * height)
    return HEAD + header + palette + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("colour", [0, 2, 6])
def test_a_sound_picture_keeps_its_size_and_rows(colour):
    picture = sound_picture(png(30, 20, colour=colour), tallest=5)
    assert (picture.width, picture.height, picture.cut) == (30, 20, False)
    assert picture.png == png(30, 20, colour=colour)


def test_a_tall_picture_keeps_its_upper_part():
    picture = sound_picture(png(100, 400), tallest=0.8)
    assert (picture.width, picture.height, picture.cut) == (100, 80, True)
    assert sound_picture(picture.png, tallest=5).height == 80


def test_what_is_hidden_in_a_picture_does_not_come_along():
    secret = chunk(b"tEXt", b"Comment\0secret") + chunk(b"iCCP", b"x\0\0" + zlib.compress(b"profile"))
    assert sound_picture(png(extra=secret), tallest=5).png == png()
    assert sound_picture(png() + b"<script>", tallest=5).png == png()


def test_a_palette_is_kept():
    rows = b"".join(b"\0" + bytes([n % 2] * 4) for n in range(4))
    made = bare(colour=3, rows=rows, palette=chunk(b"PLTE", b"\xff\x00\x00\x00\x00\xff"))
    assert sound_picture(made, tallest=5).png == made


UNSOUND = {
    "empty": b"",
    "page": b"<html><script>alert(1)</script></html>",
    "jpeg": b"\xff\xd8\xff\xe0" + bytes(100),
    "signature alone": HEAD,
    "torn": png()[:-20],
    "altered": png().replace(b"IDAT", b"IDAU"),
    "no rows": HEAD + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)) + chunk(b"IEND", b""),
    "too few rows": bare(rows=b"\0" + bytes(12)),
    "rows that are no rows": bare(rows=b"\x09" * 13 * 4),
    "no header": HEAD + chunk(b"IDAT", zlib.compress(bytes(52))) + chunk(b"IEND", b""),
    "short header": HEAD + chunk(b"IHDR", b"\0\0") + chunk(b"IEND", b""),
    "length beyond the end": HEAD + b"\xff\xff\xff\xffIHDR" + bytes(20),
    "not deflated": HEAD + png()[8:33] + chunk(b"IDAT", b"not deflated") + chunk(b"IEND", b""),
    "no width": bare(width=0),
    "too wide": bare(width=pictures.MOST_WIDTH + 1),
    "too high": bare(height=pictures.MOST_HEIGHT + 1),
    "odd depth": bare(depth=3),
    "odd colour": bare(colour=5),
    "interlaced": bare(interlaced=1),
    "palette missing": bare(colour=3, rows=(b"\0" + bytes(4)) * 4),
    "palette too long": bare(colour=3, rows=(b"\0" + bytes(4)) * 4, palette=chunk(b"PLTE", bytes(3 * 257))),
}


@pytest.mark.parametrize("content", UNSOUND.values(), ids=UNSOUND)
def test_what_is_no_sound_picture_is_left_out(content):
    assert sound_picture(content, tallest=5) is None


def test_a_picture_that_unpacks_to_more_than_its_size_is_not_unpacked_further():
    bomb = bare(width=4, height=4, rows=(b"\0" + bytes(12)) * 4 + bytes(50_000_000))
    assert len(bomb) < 100_000
    assert sound_picture(bomb, tallest=5).png == bare()


def test_a_picture_of_too_many_bytes_is_left_out(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_BYTES", len(png()) - 1)
    assert sound_picture(png(), tallest=5) is None


def test_a_picture_of_too_many_points_is_left_out(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_ROW_BYTES", 1000)
    assert sound_picture(png(64, 40), tallest=5) is None
