"""Files for the tests of attachments that no library writes: compound files (OLE), Word 97 documents, OFD."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence

# ---------------------------------------------------------------- compound files

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(**streams: bytes) -> bytes:
    """A compound file of version 3 with each stream at its root; `_` in a name is a space."""
    padded = {name.replace("_", " "): data.ljust(4096, b"\0") for name, data in streams.items()}
    chunks = [data + b"\0" * (-len(data) % 512) for data in padded.values()]
    entries = [_entry("Root Entry", 5, 1 if padded else _FREE, _END, 0)]
    first = -(-(len(padded) + 1) // 4)  # the directory fills the first sectors
    chain = _chain(0, first)
    for number, (name, chunk) in enumerate(zip(padded, chunks, strict=True), 1):
        sibling = number + 1 if number < len(padded) else _FREE
        entries.append(_entry(name, 2, _FREE, len(chain), len(padded[name]), sibling))
        chain += _chain(len(chain), len(chunk) // 512)
    directory = b"".join(entries).ljust(first * 512, b"\0")
    tables = len(chain) // 127 + 1
    chain += [_FAT] * tables
    fat = struct.pack(f"<{128 * tables}I", *chain, *[_FREE] * (128 * tables - len(chain)))
    header = struct.pack(
        "<8s16x5H6x9I",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        62,
        3,
        0xFFFE,
        9,
        6,
        0,
        tables,
        0,
        0,
        4096,
        _END,
        0,
        _END,
        0,
    )
    places = [len(chain) - tables + number for number in range(tables)]
    header += struct.pack("<109I", *places, *[_FREE] * (109 - tables))
    return header + directory + b"".join(chunks) + fat


def _chain(start: int, length: int) -> list[int]:
    return [*range(start + 1, start + length), _END]


def _entry(name: str, kind: int, child: int, start: int, size: int, right: int = _FREE) -> bytes:
    written = name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII36xIII", written, len(written), kind, 1, _FREE, right, child, start if size else _END, size, 0
    )


# ---------------------------------------------------------------- Word 97

RUNS = 4  # paragraphs whose properties share a page, so that they fit
Row = tuple[Sequence[str], Sequence[int], Sequence[int]]  # texts, edges in twips, numbers of cells merged into above


def word97(*paragraphs: str | Row, flags: int = 0, version: int = 0xC1, narrow: bool = False) -> bytes:
    """A Word 97 document of paragraphs and table rows; `narrow` writes a byte a character."""
    width = 1 if narrow else 2
    text, runs, data = "", [], b""
    for paragraph in paragraphs:
        for piece, properties in [(paragraph + "\r", b"")] if isinstance(paragraph, str) else _row(*paragraph):
            if len(properties) > 100:  # what is long lies elsewhere
                data, properties = (
                    data + struct.pack("<H", len(properties)) + properties,
                    struct.pack("<HI", 0x6646, len(data)),
                )
            runs.append((_units(piece), properties))
            text += piece
    main = _main_stream(text, runs, width)
    struct.pack_into("<3H", main, 0, 0xA5EC, version, 0)
    struct.pack_into("<H", main, 0x0A, flags)
    pieces = struct.pack("<IIHIH", 0, _units(text), 0, 2048 * 2 | 0x40000000 if narrow else 2048, 0)
    clx = b"\x01\x02\x00ab" + b"\x02" + struct.pack("<I", len(pieces)) + pieces
    pages = -(-len(runs) // RUNS)
    first_page = (2048 + _units(text) * width + 511) // 512
    paragraphs_at = struct.pack(f"<{2 * pages + 1}I", *[0] * (pages + 1), *[first_page + page for page in range(pages)])
    struct.pack_into("<II", main, 0x01A2, 0, len(clx))
    struct.pack_into("<II", main, 0x0102, len(clx), len(paragraphs_at))
    struct.pack_into("<I", main, 0x4C, _units(text))
    table = {"1Table" if flags & 0x0200 else "0Table": clx + paragraphs_at}
    return compound(WordDocument=bytes(main), Data=data, **table)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _row(texts: Sequence[str], edges: Sequence[int], merged: Sequence[int]) -> list[tuple[str, bytes]]:
    inside = struct.pack("<HB", 0x2416, 1)
    cells = b"".join(struct.pack("<H18x", 1 << 5 if number in merged else 0) for number in range(len(texts)))
    shape = struct.pack(f"<B{len(edges)}h", len(texts), *edges) + cells
    ends = inside + struct.pack("<HB", 0x2417, 1)
    if edges:
        ends += struct.pack("<HH", 0xD608, len(shape) + 1) + shape
    pieces = [(part + "\r", inside) for text in texts for part in text.split("\n")]
    at = -1
    for text in texts:
        at += len(text.split("\n"))
        pieces[at] = (pieces[at][0][:-1] + "\x07", inside)
    return [*pieces, ("\x07", ends)]


def _main_stream(text: str, runs: list[tuple[int, bytes]], width: int) -> bytearray:
    data = text.encode("cp1252") if width == 1 else text.encode("utf-16-le")
    main = bytearray(bytes(2048) + data)
    main += bytes(-len(main) % 512)
    place = 2048
    for start in range(0, len(runs), RUNS):
        some = runs[start : start + RUNS]
        page, at = bytearray(512), 510
        places = [place]
        for number, (length, properties) in enumerate(some):
            place += length * width
            places.append(place)
            held = b"\0\0" + properties + b"\0" * (len(properties) % 2)
            at -= len(held) + 2
            assert at > 4 * (len(some) + 1) + 13 * len(some), "too many properties for a page"
            page[at : at + 2 + len(held)] = bytes([0, len(held) // 2]) + held
            page[4 * (len(some) + 1) + 13 * number] = at // 2
        struct.pack_into(f"<{len(places)}I", page, 0, *places)
        page[511] = len(some)
        main += page
    return main


# ---------------------------------------------------------------- OFD

Drawn = tuple[float, str]  # how far below the page's top, in millimetres, and the text
OFD = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def ofd(*pages: Sequence[Drawn] | None, root: str = "Doc_0/Document.xml") -> bytes:
    """An OFD file with the pieces of text of each page; None is a page that is but a picture."""
    listed = "".join(f'<ofd:Page ID="{n}" BaseLoc="Pages/Page_{n}/Content.xml"/>' for n in range(len(pages)))
    parts = {
        "OFD.xml": f"<ofd:OFD {OFD}><ofd:DocBody><ofd:DocRoot>{root}</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {OFD}><ofd:Pages>{listed}</ofd:Pages></ofd:Document>",
    }
    for number, page in enumerate(pages):
        inner = '<ofd:ImageObject ID="9" ResourceID="8"/>' if page is None else "".join(map(_text_object, page))
        parts[f"Doc_0/Pages/Page_{number}/Content.xml"] = (
            f"<ofd:Page {OFD}><ofd:Content><ofd:Layer>{inner}</ofd:Layer></ofd:Content></ofd:Page>"
        )
    return zipped(parts)


def _text_object(drawn: Drawn) -> str:
    top, text = drawn
    return f'<ofd:TextObject Boundary="20 {top} 100 6"><ofd:TextCode X="0" Y="5">{text}</ofd:TextCode></ofd:TextObject>'


def zipped(parts: dict[str, str] | dict[str, bytes] | dict[str, str | bytes]) -> bytes:
    """A zip file with the parts of those names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return buffer.getvalue()
