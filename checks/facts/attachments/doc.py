"""DOC (Word 97-2003, and the .wps of WPS): the main text by its piece table, and its tables ([MS-DOC])."""

from __future__ import annotations

import io
import re
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import olefile

from checks.facts.attachments.content import (
    Content,
    EdgedRow,
    TableCollector,
    edged_grid,
    refuse_pictures,
    whole_characters,
)
from checks.facts.attachments.limits import Budget, UnreadableAttachmentError
from checks.facts.dom import normalise
from checks.facts.model import AttachmentState
from checks.facts.tables import MAX_CAPTION

# Places in the file information block (FIB).
_IDENT, _VERSION, _FLAGS, _TEXT_LENGTH = 0x00, 0x02, 0x0A, 0x4C
_PARAGRAPHS, _PIECES = 0x0102, 0x01A2  # each an offset into the table stream and a size
_ENCRYPTED, _SECOND_TABLE = 0x0100, 0x0200
_WORD_97 = 0x00C1

_MARKS = re.compile(r"[\x07\x0d\x0c]")  # ends of cells and rows, paragraphs, pages
_INSTRUCTION = re.compile(r"\x13[^\x13-\x15]*\x14")  # of a field: what it does; behind it stands what it shows
_ODD = {
    1: None,
    2: None,
    3: None,
    4: None,
    5: None,
    8: None,
    0x0B: " ",
    0x13: None,
    0x14: None,
    0x15: None,
    0x1E: "-",
    0x1F: None,
}
_PICTURES = ("\x01", "\x08")


def read_doc(body: bytes, budget: Budget) -> Content:
    """Return the main text and its tables; headers, footers, notes and text boxes are left out."""
    with olefile.OleFileIO(io.BytesIO(body)) as compound:
        main: bytes = compound.openstream("WordDocument").read()
        ident, version, flags = (struct.unpack_from("<H", main, place)[0] for place in (_IDENT, _VERSION, _FLAGS))
        if flags & _ENCRYPTED:
            raise UnreadableAttachmentError(AttachmentState.ENCRYPTED, "文件有密码保护")
        if ident != 0xA5EC or version < _WORD_97:
            raise UnreadableAttachmentError(AttachmentState.UNSUPPORTED, "Word 95 或更早的文档暂不能读取")
        table: bytes = compound.openstream("1Table" if flags & _SECOND_TABLE else "0Table").read()
        data: bytes = compound.openstream("Data").read() if compound.exists("Data") else b""
    pieces = _pieces(main, table, budget)
    raw = "".join(piece.text for piece in pieces)
    paragraphs = _paragraphs(raw, pieces, _Properties(main, table, data, budget))
    tables = TableCollector(budget)
    lines = list(_lines(paragraphs, tables))
    text = "\n".join(lines)
    refuse_pictures(text, any(mark in raw for mark in _PICTURES))
    return Content(text, tuple(tables.found))


# ---------------------------------------------------------------- pieces


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of text that lies in one place of the main stream, one or two bytes a character."""

    first: int  # number of its first character in the document
    offset: int
    width: int
    text: str

    def place(self, character: int) -> int:
        """Return where in the main stream a character of the document lies."""
        return self.offset + (character - self.first) * self.width


def _pieces(main: bytes, table: bytes, budget: Budget) -> list[_Piece]:
    left: int = struct.unpack_from("<i", main, _TEXT_LENGTH)[0]
    if left > budget.limits.text:
        budget.spend("text", left)
    plc = _piece_table(_slice(main, table, _PIECES))
    count = (len(plc) - 4) // 12
    ends = struct.unpack_from(f"<{count + 1}i", plc)
    pieces: list[_Piece] = []
    first = 0
    for number in range(count):
        budget.spend("operations")
        last = min(ends[number + 1], left)
        if first >= last:
            continue
        (where,) = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * number + 2)
        narrow = bool(where & 0x4000_0000)
        offset, width = ((where & 0x3FFF_FFFF) // 2, 1) if narrow else (where & 0x3FFF_FFFF, 2)
        data = main[offset : offset + (last - first) * width]
        if len(data) < (last - first) * width:
            raise EOFError("text beyond the end of the file")
        text = (
            data.decode("cp1252", "replace") if narrow else "".join(map(chr, struct.unpack(f"<{last - first}H", data)))
        )
        pieces.append(_Piece(first, offset, width, text))
        first = last
    if first < left:
        raise EOFError("text without a piece")
    return pieces


def _slice(main: bytes, table: bytes, place: int) -> bytes:
    offset, size = struct.unpack_from("<II", main, place)
    return table[offset : offset + size]


def _piece_table(clx: bytes) -> bytes:
    """The PlcPcd within the Clx, behind any number of property lists."""
    at = 0
    while clx[at] == 1:
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if clx[at] != 2:
        raise ValueError("no piece table")
    (size,) = struct.unpack_from("<I", clx, at + 1)
    return clx[at + 5 : at + 5 + size]


# ---------------------------------------------------------------- paragraphs


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A paragraph, cell or row end: its text, the mark that ends it, and what its properties say of tables."""

    text: str
    mark: str
    in_table: bool = False
    ends_row: bool = False
    edges: tuple[int, ...] = ()
    continued: tuple[bool, ...] = ()


def _paragraphs(raw: str, pieces: list[_Piece], properties: _Properties) -> Iterator[_Paragraph]:
    starts = [piece.first for piece in pieces]
    at = 0
    for match in _MARKS.finditer(raw):
        piece = pieces[bisect_right(starts, match.start()) - 1]
        yield properties.of(piece.place(match.start()), raw[at : match.start()], match[0])
        at = match.end()
    if at < len(raw):
        yield _Paragraph(raw[at:], "")


_IN_TABLE, _ROW_END, _ROW_SHAPE, _TABS, _ELSEWHERE = 0x2416, 0x2417, 0xD608, 0xC615, 0x6646
_OPERAND_SIZES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}


class _Properties:
    """The paragraphs' properties, by the place of their text in the main stream (PlcBtePapx, PapxFkp)."""

    def __init__(self, main: bytes, table: bytes, data: bytes, budget: Budget) -> None:
        self._budget = budget
        self._data = data
        plc = _slice(main, table, _PARAGRAPHS)
        count = max(0, (len(plc) - 4) // 8)
        numbers = struct.unpack_from(f"<{count}I", plc, 4 * (count + 1)) if count else ()
        self._runs: list[tuple[int, int, bytes]] = []
        for number in dict.fromkeys(number & 0x003F_FFFF for number in numbers):
            self._runs.extend(self._page(main[512 * number : 512 * (number + 1)]))
        self._runs.sort()
        self._starts = [start for start, _, _ in self._runs]

    def _page(self, page: bytes) -> Iterator[tuple[int, int, bytes]]:
        if len(page) < 512:
            return
        count = min(page[511], 0x1D)
        places = struct.unpack_from(f"<{count + 1}I", page)
        self._budget.spend("operations", 1 + count)
        for number in range(count):
            at = 2 * page[4 * (count + 1) + 13 * number]
            size = 2 * page[at] - 1 if page[at] else 2 * page[at + 1]
            begin = at + 1 if page[at] else at + 2
            yield places[number], places[number + 1], page[begin + 2 : begin + size] if at else b""

    def of(self, place: int, text: str, mark: str) -> _Paragraph:
        """Return the paragraph whose mark lies at that place."""
        at = bisect_right(self._starts, place) - 1
        if at < 0 or place >= self._runs[at][1]:
            return _Paragraph(text, mark)
        values = dict(self._modifiers(self._runs[at][2]))
        if _ELSEWHERE in values:  # properties too long for the page, as of rows with many cells
            (begin,) = struct.unpack("<I", values[_ELSEWHERE])
            (size,) = struct.unpack_from("<H", self._data, begin)
            values.update(self._modifiers(self._data[begin + 2 : begin + 2 + size]))
        edges, continued = _row_shape(values.get(_ROW_SHAPE, b""))
        in_table, ends_row = (values.get(code, b"\0") != b"\0" for code in (_IN_TABLE, _ROW_END))
        return _Paragraph(text, mark, in_table, ends_row, edges, continued)

    def _modifiers(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The property modifiers (Prl): code and operand."""
        at = 0
        while at + 2 < len(data):
            self._budget.spend("operations")
            (code,) = struct.unpack_from("<H", data, at)
            at += 2
            if code == _ROW_SHAPE:
                size = struct.unpack_from("<H", data + b"\0", at)[0] + 1
            elif code == _TABS and data[at] == 255:
                return
            else:
                size = _OPERAND_SIZES.get(code >> 13) or data[at] + 1
            yield code, data[at : at + size]
            at += size


def _row_shape(operand: bytes) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """The edges of a row's cells in twips, and which cells continue the one above (TDefTableOperand)."""
    if len(operand) < 3:
        return (), ()
    count = operand[2]
    if len(operand) < 3 + 2 * (count + 1):
        return (), ()
    edges = struct.unpack_from(f"<{count + 1}h", operand, 3)
    cells = operand[3 + 2 * (count + 1) :]
    flags = (struct.unpack_from("<H", cells, at)[0] for at in range(0, len(cells) - 19, 20))
    return edges, tuple(flag >> 5 & 3 == 1 for flag in flags)


# ---------------------------------------------------------------- text and tables


def _lines(paragraphs: Iterator[_Paragraph], tables: TableCollector) -> Iterator[str]:
    """The paragraphs' texts, the tables among them collected on the way."""
    rows: list[EdgedRow] = []
    cells: list[str] = []
    parts: list[str] = []
    caption = ""
    for paragraph in paragraphs:
        text = _shown(paragraph.text)
        if text:
            yield text
        if paragraph.ends_row:
            rows.append(EdgedRow(cells, paragraph.edges, paragraph.continued))
            cells = []
        elif paragraph.mark == "\x07":
            cells.append(" ".join(filter(None, (*parts, text))))
            parts = []
        elif paragraph.in_table:
            parts.append(text)
        else:
            _close(rows, caption, tables)
            rows, cells, parts = [], [], []
            caption = text
    _close(rows, caption, tables)


def _close(rows: list[EdgedRow], caption: str, tables: TableCollector) -> None:
    if rows:
        tables.add(edged_grid(rows, tables.budget), caption if len(caption) <= MAX_CAPTION else "")


def _shown(raw: str) -> str:
    if "\x13" in raw:
        raw = _INSTRUCTION.sub("", raw)
    return normalise(whole_characters(raw.translate(_ODD)))
