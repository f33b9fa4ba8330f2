"""Tables that people hand in, xlsx and CSV, read sheet by sheet and line by line in bounded memory. Files are hostile.

A formula comes as it is written, because what it showed may be old; a number has the fifteen digits that people saw.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import openpyxl
from lxml import etree
from olefile import OleFileIO
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import from_excel
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from inspection.errors import InvalidInput

MOST_COLUMNS = 50  # of a sheet that are looked at
MOST_ROWS = 1_048_576  # that the format holds: a row may claim any number, and those before it would all be made
MOST_BYTES = 50_000_000
MOST_UNPACKED, MOST_BESIDE_SHEETS = 64_000_000, 30_000_000  # all parts; those that are no sheets and are read whole
SERIALS = range(36_526, 73_051)  # 2000-01-01 to 2100-01-01 as spreadsheets count days
MOST_MARKUP, MOST_MARKUP_BESIDE = 2_000_000, 300_000  # tags and attributes of cells; of styles and the like
_CELLS = ("xl/worksheets/", "xl/sharedStrings")
_PACKAGE, _COMPOUND = b"PK", b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage"  # the stream that holds an xlsx file with a password
_DAY = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?日?(?:[\sT]+\d{1,2}:\d{2}(?::\d{2})?)?")
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})")
# What the readers of zip and XML raise on a damaged file; they have no common class of their own.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    SyntaxError,  # of XML, in both parsers
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    OSError,
    EOFError,
    RuntimeError,  # a part with a password, or packed in an unknown way
)

Value = str | int | float | bool | datetime | date | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: where people find it, and what it holds."""

    place: str
    value: Value

    @property
    def written(self) -> str:
        """The value as text, without spaces around it."""
        return "" if self.value is None else str(self.value).strip()

    @property
    def text(self) -> str:
        """The value as text in half width, to be compared."""
        return unicodedata.normalize("NFKC", self.written).strip()

    @property
    def is_formula(self) -> bool:
        """Whether a formula stands here, or text that looks like one; array formulas come as objects of their own."""
        written = isinstance(self.value, str) and self.text.startswith("=")
        return written or isinstance(self.value, ArrayFormula | DataTableFormula)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: its number, its values, and whether people count its columns by letters."""

    number: int
    values: Sequence[Value]
    lettered: bool = False

    def cell(self, column: int) -> Cell:
        """Return the cell of a column, the first being 0; a short line's missing cells are empty."""
        place = (
            f"{get_column_letter(column + 1)}{self.number}" if self.lettered else f"第{self.number}行第{column + 1}列"
        )
        return Cell(place, self.values[column] if column < len(self.values) else None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands on the line."""
        return all(value is None or (isinstance(value, str) and not value.strip()) for value in self.values)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of an xlsx file, to be read while the file is open; `part` is the sheet's name in the package."""

    title: str
    lines: Iterator[Line]
    part: str


def content_of(path: Path, what: str) -> bytes:
    """Return a file's bytes; raises InvalidInput for one that is no file or too large to be `what`, OSError."""
    if path.exists() and not path.is_file():  # a pipe or a device would be read for ever
        raise InvalidInput(f"{path.name} 不是文件；请写明{what}的文件名。")
    if path.stat().st_size > MOST_BYTES:
        raise InvalidInput(f"文件 {path.name} 超过 {MOST_BYTES // 1_000_000} MB，不像是{what}。")
    return path.read_bytes()


def is_workbook(content: bytes, name: str) -> bool:
    """Whether the file is an xlsx by its content; raises InvalidInput for an old .xls or one with a password."""
    if not content.startswith(_COMPOUND):
        return content.startswith(_PACKAGE)
    if _is_encrypted(content):
        raise InvalidInput(f"{name} 加了打开密码；请在 Excel 里去掉密码，另存后再导入。")
    raise InvalidInput(f"{name} 是旧版 Excel 文件（.xls）；请另存为 .xlsx 再导入。")


def _is_encrypted(content: bytes) -> bool:
    try:
        with OleFileIO(io.BytesIO(content)) as compound:
            return bool(compound.exists(_ENCRYPTED))
    except (OSError, ValueError, LookupError):
        return False


def sheets(content: bytes, name: str, what: str) -> Iterator[Sheet]:
    """Yield the sheets of an xlsx file; raises InvalidInput when it is damaged or unpacks into too much for `what`."""
    _refuse_bombs(content, name, what)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    except _DAMAGE as error:
        raise _damaged(name, error) from error
    try:
        for sheet in book.worksheets:
            yield Sheet(sheet.title, _lines_of(sheet, name), sheet._worksheet_path)
    finally:
        book.close()


def merged_ranges(content: bytes, name: str, sheet: Sheet) -> list[str]:
    """Return the merged ranges of a sheet ("B2:B5"), which a reader of lines can't see; raises InvalidInput."""
    ranges = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts, parts.open(sheet.part) as part:
            for _, element in etree.iterparse(part, tag=("{*}row", "{*}mergeCell"), resolve_entities=False):
                if element.get("ref"):
                    ranges.append(str(element.get("ref")))
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except _DAMAGE as error:
        raise _damaged(name, error) from error
    return ranges


def csv_lines(content: bytes, name: str) -> Iterator[Line]:
    """Yield the lines of a CSV file in UTF-8, UTF-16 with its mark, or GB 18030; raises InvalidInput."""
    text = _decoded(content, name)
    first = text.partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        number = 1
        for values in reader:
            yield Line(number, values)
            number = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(f"{name} 第 {reader.line_num} 行不合 CSV 的写法（引号没有成对？）：{error}。") from error


def day_of(value: Value) -> date | None:
    """Return the day that a cell means: a date, a day count of a spreadsheet, or text in a usual form."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = unicodedata.normalize("NFKC", str(value)).strip().removesuffix(".0")
    if text.isdigit() and int(text) in SERIALS:
        counted = from_excel(int(text))
        return counted.date() if isinstance(counted, datetime) else None
    if isinstance(value, float) and int(value) in SERIALS:
        return day_of(int(value))
    found = _DAY.fullmatch(text) or _COMPACT.fullmatch(text)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _refuse_bombs(content: bytes, name: str, what: str) -> None:
    """Raise InvalidInput for a file whose reader would need more memory than `what` can want, or that is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            small = _is_small(parts.infolist()) and _is_simple(parts)
    except _DAMAGE as error:
        raise _damaged(name, error) from error
    if not small:
        raise InvalidInput(f"{name} 解开后太大，不像是{what}。")


def _is_small(parts: Sequence[zipfile.ZipInfo]) -> bool:
    beside = sum(part.file_size for part in parts if not part.filename.startswith("xl/worksheets/"))
    return beside <= MOST_BESIDE_SHEETS and sum(part.file_size for part in parts) <= MOST_UNPACKED


def _is_simple(parts: zipfile.ZipFile) -> bool:
    """Whether there is no more markup than can be held: a row is read as one tree, however many cells it has."""
    cells = beside = 0
    for part in parts.infolist():
        content = parts.read(part)
        markup = content.count(b"<") + content.count(b"=")
        if part.filename.startswith(_CELLS):
            cells += markup
        elif part.filename.endswith((".xml", ".rels")):
            beside += markup
    return cells <= MOST_MARKUP and beside <= MOST_MARKUP_BESIDE


def _lines_of(sheet: openpyxl.worksheet._read_only.ReadOnlyWorksheet, name: str) -> Iterator[Line]:
    try:
        sheet.reset_dimensions()  # a format on whole columns makes a sheet a million rows long, all of them empty
        rows = sheet.iter_rows(max_row=MOST_ROWS, max_col=MOST_COLUMNS, values_only=True)
        for number, values in enumerate(rows, 1):
            yield Line(number, values, lettered=True)
    except _DAMAGE as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> InvalidInput:
    return InvalidInput(f"{name} 打不开（{type(error).__name__}），不是完好的 .xlsx 文件；请另存后再导入。")


def _decoded(content: bytes, name: str) -> str:
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InvalidInput(f"{name} 不是文本文件，也不是 .xlsx；请另存为 .xlsx 或 CSV 再导入。")
