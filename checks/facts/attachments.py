"""What an attached document says (附件): text and tables of PDF, DOCX, XLSX, CSV and plain text.

The format is told by the bytes, never by the name alone, and hostile files (bombs, giant sheets, endless pages) are
refused before a parser sees them. What cannot be read says so in `state` and, in Chinese, in `detail`: an attachment
that we failed to read is never an attachment without content.
"""

from __future__ import annotations

import csv
import io
import logging
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

import docx
import openpyxl
import pypdf
from docx.exceptions import PythonDocxError
from docx.opc.exceptions import OpcError
from lxml import etree
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from checks.facts.attributes import attributes_in_text
from checks.facts.dom import normalise
from checks.facts.model import AttachmentFacts, AttachmentState, AttributePlace, Table
from checks.facts.tables import MAX_CAPTION


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """How much of an attachment is read; whatever is larger is TOO_LARGE. Sizes are in bytes, `text` in characters."""

    body: int = 30_000_000
    unpacked: int = 64_000_000  # of a zip package, all parts together
    entries: int = 5_000  # files in a zip package
    pages: int = 200
    contents: int = 20_000_000  # of a PDF's pages, unpacked
    cells: int = 200_000
    columns: int = 200
    text: int = 3_000_000


LIMITS = AttachmentLimits()


logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a file stands in `detail`


class UnreadableAttachmentError(Exception):
    """The attachment has no readable content; `state` and `detail` say why, for the report to show."""

    def __init__(self, state: AttachmentState, detail: str) -> None:
        super().__init__(detail)
        self.state = state
        self.detail = detail


# What the parsers raise on broken bytes: none of them promises an exception class of its own for every kind of damage.
PARSER_ERRORS = (
    PyPdfError,
    DependencyError,
    PythonDocxError,
    OpcError,
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    etree.LxmlError,
    ParseError,
    csv.Error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,  # with NotImplementedError and RecursionError
    TypeError,
    ValueError,
)

UNSUPPORTED_DETAILS = {
    "doc": "Word 97-2003 文档（.doc）暂不能读取",
    "xls": "Excel 97-2003 工作簿（.xls）暂不能读取",
    "ppt": "PowerPoint 97-2003 演示文稿（.ppt）暂不能读取",
    "pptx": "演示文稿（.pptx）暂不能读取",
    "wps": "WPS 文字文档（.wps）暂不能读取",
    "et": "WPS 表格（.et）暂不能读取",
    "ole": "旧版 Office 复合文档暂不能读取",
    "ofd": "OFD 版式文件暂不能读取",
    "odt": "OpenDocument 文档暂不能读取",
    "rar": "RAR 压缩包暂不能读取",
    "7z": "7-Zip 压缩包暂不能读取",
    "zip": "ZIP 压缩包暂不能读取",
    "gzip": "GZIP 压缩包暂不能读取",
    "rtf": "RTF 文档暂不能读取",
    "image": "附件是图片，文字暂不能读取",
    "html": "附件地址返回的是网页，不是文件",
    "unknown": "无法识别的文件格式",
}


def read_attachment(
    body: bytes, *, name: str, content_type: str = "", limits: AttachmentLimits = LIMITS
) -> AttachmentFacts:
    """Read an attachment's text, tables and open attribute.

    `name` (with its extension) and `content_type` only help where the bytes leave it open (CSV or plain text, WPS or
    Word). Never raises for what the bytes hold: a file that cannot be read comes back with its state and a detail in
    Chinese.
    """
    format_name = format_of(body, name, content_type)
    try:
        content = _read(body, format_name, limits)
    except UnreadableAttachmentError as unreadable:
        return AttachmentFacts(name, format_name, unreadable.state, detail=unreadable.detail)
    except LimitReachedError:
        return AttachmentFacts(name, format_name, AttachmentState.TOO_LARGE, detail="解压后的内容超过大小上限")
    except PARSER_ERRORS:
        return AttachmentFacts(
            name, format_name, AttachmentState.BROKEN, detail=f"文件已损坏，无法按 {format_name} 读取"
        )
    attributes = attributes_in_text(content.text, AttributePlace.ATTACHMENT)
    return AttachmentFacts(
        name, format_name, AttachmentState.READ, content.text, content.tables, attributes, content.detail
    )


@dataclass(frozen=True, slots=True)
class _Content:
    text: str
    tables: tuple[Table, ...] = ()
    detail: str = ""


def _read(body: bytes, format_name: str, limits: AttachmentLimits) -> _Content:
    """Return the content of a body of that format; raises UnreadableAttachmentError and PARSER_ERRORS."""
    if not body.strip():
        raise UnreadableAttachmentError(AttachmentState.BROKEN, "文件是空的")
    if len(body) > limits.body:
        raise UnreadableAttachmentError(AttachmentState.TOO_LARGE, f"文件超过 {limits.body // 1_000_000} MB，未读取")
    if format_name == "encrypted":
        raise UnreadableAttachmentError(AttachmentState.ENCRYPTED, "文件有密码保护")
    if format_name.startswith("broken "):
        raise UnreadableAttachmentError(AttachmentState.BROKEN, f"扩展名是 .{format_name[7:]}，内容却不是，或已损坏")
    reader = {"pdf": _pdf, "docx": _docx, "xlsx": _xlsx, "csv": _csv, "txt": _plain}.get(format_name)
    if reader is None:
        raise UnreadableAttachmentError(AttachmentState.UNSUPPORTED, UNSUPPORTED_DETAILS[format_name])
    content = reader(body, limits)
    if len(content.text) > limits.text:
        raise UnreadableAttachmentError(AttachmentState.TOO_LARGE, f"文字超过 {limits.text // 10_000} 万字，未读取")
    return content


# ---------------------------------------------------------------- formats

_MAGIC = (
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"{\\rtf", "rtf"),
    (b"\xff\xd8\xff", "image"),
    (b"\x89PNG\r\n", "image"),
    (b"GIF8", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
)
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PACKAGE_PARTS = (  # a part that only this format has
    ("word/document.xml", "docx"),
    ("xl/workbook.xml", "xlsx"),
    ("ppt/presentation.xml", "pptx"),
    ("OFD.xml", "ofd"),
    ("META-INF/manifest.xml", "odt"),
)
_OLE_STREAMS = (  # names of streams, as the directory of a compound file writes them
    ("EncryptedPackage", "encrypted"),
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("PowerPoint Document", "ppt"),
)
_OLD_WPS = {("doc", "wps"): "wps", ("xls", "et"): "et"}
_BINARY_EXTENSIONS = frozenset(
    {"pdf", "docx", "xlsx", "pptx", "doc", "xls", "ppt", "wps", "et", "ofd", "rar", "7z", "zip"}
)
_HTML = re.compile(rb"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)


def format_of(body: bytes, name: str, content_type: str = "") -> str:
    """Return the format by content: pdf, docx, xlsx, csv, txt, encrypted, or a key of UNSUPPORTED_DETAILS.

    "broken pdf" and the like say that the extension promises a format that the bytes are not.
    """
    extension = name.rpartition(".")[2].strip().lower()
    known = _binary_format(body, extension)
    if known:
        return known
    if extension in _BINARY_EXTENSIONS and not _HTML.match(body):
        return f"broken {extension}"
    if _HTML.match(body):
        return "html"
    if _decoded(body) is None:
        return "unknown"
    return "csv" if extension == "csv" or "csv" in content_type.lower() else "txt"


def _binary_format(body: bytes, extension: str) -> str | None:
    if b"%PDF-" in body[:1024]:
        return "pdf"
    if body.startswith(_ZIP):
        return _package_format(body, extension)
    if body.startswith(_OLE):
        found = next((name for stream, name in _OLE_STREAMS if stream.encode("utf-16-le") in body), "ole")
        return _OLD_WPS.get((found, extension), found)
    return next((name for magic, name in _MAGIC if body.startswith(magic)), None)


def _package_format(body: bytes, extension: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            names = set(package.namelist())
    except PARSER_ERRORS:
        return extension if extension in ("docx", "xlsx") else f"broken {extension or 'zip'}"
    return next((name for part, name in _PACKAGE_PARTS if part in names), "zip")


def _decoded(body: bytes) -> str | None:
    """The text of a body in UTF-8, UTF-16 (with its mark) or GB 18030; None when it is no text."""
    encodings = ("utf-16",) if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if _CONTROL.search(text) else text
    return None


_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

# ---------------------------------------------------------------- plain text


def _plain(body: bytes, limits: AttachmentLimits) -> _Content:
    return _Content(_decoded(body) or "")


def _csv(body: bytes, limits: AttachmentLimits) -> _Content:
    text = _decoded(body) or ""
    tables = _Tables(limits)
    tables.add([normalise(value) for value in row] for row in csv.reader(io.StringIO(text, newline="")))
    return _Content(text, tuple(tables.found))


@dataclass(slots=True)
class _Tables:
    """The tables of one attachment, all together within the limits."""

    limits: AttachmentLimits
    found: list[Table] = field(default_factory=list)
    cells: int = 0

    def add(self, rows: Iterable[list[str]], caption: str = "", merged: Iterable[Area] = ()) -> None:
        """Add a table, blank rows at its end left out; raises UnreadableAttachmentError when it is too large."""
        grid: list[list[str]] = []
        blank = 0
        for row in rows:
            if any(row):
                self._count(blank + len(row))
                grid.extend([] for _ in range(blank))
                grid.append(row[: self.limits.columns])
                blank = 0
            else:
                blank += 1
        width = max(map(len, grid), default=0)
        self._count(width * len(grid))
        for row in grid:
            row.extend([""] * (width - len(row)))
        for area in merged:
            self._fill(grid, area)
        if grid:
            self.found.append(Table(tuple(tuple(row) for row in grid), caption))

    def _fill(self, grid: list[list[str]], area: Area) -> None:
        """Write the text of a merged area's first cell into all of it, as far as the grid reaches."""
        left, top, right, bottom = area
        right, bottom = min(right, len(grid[0]) if grid else 0), min(bottom, len(grid))
        if left > right or top > bottom:
            return
        self._count((right - left + 1) * (bottom - top + 1))
        for row in grid[top - 1 : bottom]:
            row[left - 1 : right] = [grid[top - 1][left - 1]] * (right - left + 1)

    def _count(self, cells: int) -> None:
        self.cells += cells
        if self.cells > 3 * self.limits.cells:  # each is counted as read, as laid out and, at most, as merged
            raise UnreadableAttachmentError(AttachmentState.TOO_LARGE, f"表格超过 {self.limits.cells} 个单元格，未读取")


# ---------------------------------------------------------------- PDF


def _pdf(body: bytes, limits: AttachmentLimits) -> _Content:
    """The text of a PDF, page by page. Scanned if a page is a picture: what it says, the other pages cannot tell."""
    reader = pypdf.PdfReader(io.BytesIO(body))
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableAttachmentError(AttachmentState.ENCRYPTED, "PDF 有密码保护")
    count = len(reader.pages)
    if count > limits.pages:
        raise UnreadableAttachmentError(AttachmentState.TOO_LARGE, f"共 {count} 页，超过 {limits.pages} 页，未读取")
    texts: list[str] = []
    scanned: list[int] = []
    size = 0
    for number, page in enumerate(reader.pages, 1):
        contents = page.get_contents()
        size += len(contents.get_data()) if contents is not None else 0
        if size > limits.contents:
            raise UnreadableAttachmentError(AttachmentState.TOO_LARGE, "页面内容过大，未读取")
        text = page.extract_text()
        texts.append(text)
        if _is_scanned(page, text):
            scanned.append(number)
    if scanned or not any(text.strip() for text in texts):
        raise UnreadableAttachmentError(AttachmentState.SCANNED, _scanned_detail(scanned, count))
    return _Content("\n".join(texts))


def _scanned_detail(scanned: list[int], count: int) -> str:
    if not scanned or len(scanned) == count:
        return "扫描件或图片，没有可读的文字"
    pages = "、".join(str(number) for number in scanned[:10])
    return f"共 {count} 页，第 {pages} 页{'等' if len(scanned) > 10 else ''}是图片或没有可读的文字"


_LETTER = re.compile("[\u4e00-\u9fffA-Za-z]")
_LEGIBLE = re.compile(r"[\u2000-\u206f\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\x20-\x7e\s·■□√☑○●①-⑳]")


def _is_scanned(page: pypdf.PageObject, text: str) -> bool:
    """A picture with hardly a word but a page number, or text in a font that hides which letters it shows."""
    if len(_LEGIBLE.findall(text)) < 0.5 * len(text):
        return True
    return len(_LETTER.findall(text)) < 4 and _has_picture(page)


def _has_picture(page: pypdf.PageObject) -> bool:
    resources = page.get("/Resources")
    pictures = resources.get_object().get("/XObject") if resources is not None else None
    return pictures is not None and bool(pictures.get_object())


# ---------------------------------------------------------------- packages (DOCX, XLSX)


def _check_package(body: bytes, limits: AttachmentLimits) -> None:
    """Refuse what would unpack to too much (zip bombs), is encrypted, or defines entities (XML bombs)."""
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        parts = package.infolist()
        if len(parts) > limits.entries or sum(part.file_size for part in parts) > limits.unpacked:
            raise UnreadableAttachmentError(
                AttachmentState.TOO_LARGE, f"解压后超过 {limits.unpacked // 1_000_000} MB，未读取"
            )
        if any(part.flag_bits & 1 for part in parts):
            raise UnreadableAttachmentError(AttachmentState.ENCRYPTED, "文件有密码保护")
        for part in parts:
            if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in package.read(part).replace(b"\0", b""):
                raise UnreadableAttachmentError(
                    AttachmentState.TOO_LARGE, "文件内含实体定义（疑似 XML 炸弹），拒绝读取"
                )


_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PARAGRAPH, _TEXT, _TABLE, _ROW, _CELL = f"{_W}p", f"{_W}t", f"{_W}tbl", f"{_W}tr", f"{_W}tc"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_GAPS = {f"{_W}tab": " ", f"{_W}br": " ", f"{_W}cr": " "}


def _docx(body: bytes, limits: AttachmentLimits) -> _Content:
    """The text of a DOCX in reading order, text boxes and content controls too, and its outermost tables."""
    _check_package(body, limits)
    root = docx.Document(io.BytesIO(body)).element.body
    tables = _Tables(limits)
    for table in root.iter(_TABLE):
        if next(table.iterancestors(_TABLE), None) is None:
            before = table.getprevious()
            caption = " ".join(_paragraphs(before)) if before is not None and before.tag == _PARAGRAPH else ""
            tables.add(_docx_rows(table, limits), caption if len(caption) <= MAX_CAPTION else "")
    return _Content("\n".join(_paragraphs(root)), tuple(tables.found))


def _paragraphs(root: etree._Element) -> Iterator[str]:
    """The text of each paragraph; alternative copies of text boxes are left out."""
    open_paragraphs: list[list[str]] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if element.tag == _PARAGRAPH:
            if event == "start":
                open_paragraphs.append([])
            elif line := normalise("".join(open_paragraphs.pop())):
                yield line
        elif event == "start" and element.tag == _FALLBACK:
            walk.skip_subtree()
        elif event == "start" and open_paragraphs:
            open_paragraphs[-1].append(element.text or "" if element.tag == _TEXT else _GAPS.get(element.tag, ""))


def _docx_rows(table: etree._Element, limits: AttachmentLimits) -> Iterator[list[str]]:
    """The texts of each row, a cell's text in every place that it is merged over."""
    above: list[str] = []
    for row in _own(table, _ROW, _TABLE):
        line: list[str] = []
        for cell in _own(row, _CELL, _ROW):
            columns, continues = _merging(cell)
            at = len(line)
            text = (above[at] if at < len(above) else "") if continues else " ".join(_paragraphs(cell))
            line.extend([text] * min(columns, limits.columns - at))
        above = line
        yield line


def _own(element: etree._Element, tag: str, owner: str) -> Iterator[etree._Element]:
    """The descendants of that tag that belong to the element itself, not to an owner nested in it."""
    return (found for found in element.iter(tag) if next(found.iterancestors(owner), None) is element)


def _merging(cell: etree._Element) -> tuple[int, bool]:
    """How many columns a DOCX cell covers, and whether it continues the cell above it."""
    span = cell.find(f"{_W}tcPr/{_W}gridSpan")
    merge = cell.find(f"{_W}tcPr/{_W}vMerge")
    columns = int(span.get(f"{_W}val") or 1) if span is not None else 1
    return max(1, columns), merge is not None and merge.get(f"{_W}val", "continue") == "continue"


Area = tuple[int, int, int, int]  # of merged cells: first column, first row, last column, last row, from 1
_MERGED = re.compile(rb'<(?:\w{1,20}:)?mergeCell\s[^>]{0,200}?ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')


def _xlsx(body: bytes, limits: AttachmentLimits) -> _Content:
    """The rows of every sheet that is not hidden, a table each, merged cells filled in."""
    _check_package(body, limits)
    workbook = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
    tables = _Tables(limits)
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        for sheet in workbook.worksheets:
            if sheet.sheet_state == "visible":
                sheet.reset_dimensions()  # what the file says of its size may be wrong, or a trap
                rows = ([_cell_text(value) for value in row] for row in sheet.iter_rows(values_only=True))
                tables.add(rows, sheet.title, _merged_areas(package.read(sheet._worksheet_path)))
    lines = ("\t".join(row) for table in tables.found for row in table.rows)
    return _Content("\n".join(line for line in lines if line.strip()), tuple(tables.found))


def _merged_areas(sheet: bytes) -> Iterator[Area]:
    """The merged cells of a sheet's XML: openpyxl tells them only of workbooks it holds in memory as a whole."""
    for match in _MERGED.finditer(sheet):
        yield range_boundaries(match[1].decode())


def _cell_text(value: Any) -> str:
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normalise(str(value)) if value is not None else ""
