"""XLS (Excel 97-2003, and the .et of WPS): the rows of every sheet that is not hidden, merged cells filled in."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import olefile
import xlrd
from xlrd.biffh import error_text_from_code

from checks.facts.attachments.content import Area, Content, TableCollector
from checks.facts.attachments.limits import Budget, UnreadableAttachmentError
from checks.facts.attachments.xlsx import cell_text, rows_text
from checks.facts.model import AttachmentState

_BOF, _EOF, _SHEET, _STRINGS, _PASSWORD, _MERGED = 0x0809, 0x000A, 0x0085, 0x00FC, 0x002F, 0x00E5  # [MS-XLS] 2.3


def read_xls(body: bytes, budget: Budget) -> Content:
    """Return the sheets' cells as shown."""
    stream = _workbook_stream(body)
    sheets = _sheets(stream, budget)
    merged = [list(_merged(stream, place, budget)) if shown else [] for place, shown in sheets]
    tables = TableCollector(budget)
    workbook = xlrd.open_workbook(
        file_contents=stream, on_demand=True, ragged_rows=True, logfile=io.StringIO(), verbosity=-1
    )
    for number, (_, shown) in enumerate(sheets):
        if shown:
            sheet = workbook.sheet_by_index(number)
            tables.add(_rows(sheet, workbook.datemode), sheet.name, merged[number])
            workbook.unload_sheet(number)
    return Content(rows_text(tables.found), tuple(tables.found))


def _workbook_stream(body: bytes) -> bytes:
    with olefile.OleFileIO(io.BytesIO(body)) as compound:
        name = "Workbook" if compound.exists("Workbook") else "Book"
        data: bytes = compound.openstream(name).read()
        return data


def _records(stream: bytes, at: int, budget: Budget) -> Iterator[tuple[int, bytes]]:
    """The records from a place up to the end of the part that begins there; raises struct.error past the end."""
    depth = 0
    if struct.unpack_from("<H", stream, at)[0] != _BOF:
        raise ValueError("no beginning of records")
    while True:
        code, length = struct.unpack_from("<HH", stream, at)
        budget.spend("operations")
        depth += (code == _BOF) - (code == _EOF)
        if depth <= 0:
            return
        yield code, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _sheets(stream: bytes, budget: Budget) -> list[tuple[int, bool]]:
    """The place of each worksheet in the stream, and whether it is shown."""
    sheets: list[tuple[int, bool]] = []
    for code, data in _records(stream, 0, budget):
        if code == _PASSWORD:
            raise UnreadableAttachmentError(AttachmentState.ENCRYPTED, "文件有密码保护")
        if code == _STRINGS:
            budget.spend("operations", struct.unpack_from("<I", data, 4)[0])
        if code == _SHEET:
            place, hidden, kind = struct.unpack_from("<IBB", data)
            if kind == 0:
                sheets.append((place, hidden & 3 == 0))
    return sheets


def _merged(stream: bytes, place: int, budget: Budget) -> Iterator[Area]:
    """The merged cells of the sheet; walking over it spends what reading it will cost."""
    for code, data in _records(stream, place, budget):
        budget.spend("operations", len(data) // 6)  # as many cells may share a record
        if code == _MERGED:
            for top, bottom, left, right in struct.iter_unpack("<4H", data[2 : 2 + len(data[2:]) // 8 * 8]):
                yield left + 1, top + 1, right + 1, bottom + 1


def _rows(sheet: xlrd.sheet.Sheet, datemode: int) -> Iterator[list[str]]:
    for row in range(sheet.nrows):
        yield [
            _text(kind, value, datemode)
            for kind, value in zip(sheet.row_types(row), sheet.row_values(row), strict=True)
        ]


def _text(kind: int, value: object, datemode: int) -> str:
    if kind == xlrd.XL_CELL_DATE:
        try:
            return cell_text(xlrd.xldate_as_datetime(value, datemode))
        except (xlrd.xldate.XLDateError, ValueError, OverflowError):
            return cell_text(value)
    if kind == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if value else "FALSE"
    if kind == xlrd.XL_CELL_ERROR:
        return str(error_text_from_code.get(value, "#N/A"))
    return cell_text(value)
