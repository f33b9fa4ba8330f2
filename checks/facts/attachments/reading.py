"""Reading an attachment: the reader of its format, and what is said when there is none or it fails."""

from __future__ import annotations

import csv
import struct
import zipfile
import zlib
from collections.abc import Callable
from xml.etree.ElementTree import ParseError

import xlrd
from lxml import etree
from openpyxl.utils.exceptions import InvalidFileException
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError
from xlrd.compdoc import CompDocError

from checks.facts.attachments.archive import members
from checks.facts.attachments.content import Content
from checks.facts.attachments.doc import read_doc
from checks.facts.attachments.docx import read_docx
from checks.facts.attachments.formats import format_of
from checks.facts.attachments.limits import LIMITS, AttachmentLimits, Budget, UnreadableAttachmentError
from checks.facts.attachments.ofd import read_ofd
from checks.facts.attachments.pdf import read_pdf
from checks.facts.attachments.plain import read_csv, read_text
from checks.facts.attachments.rtf import read_rtf
from checks.facts.attachments.saved_page import read_saved_page
from checks.facts.attachments.xls import read_xls
from checks.facts.attachments.xlsx import read_xlsx
from checks.facts.attributes import attributes_in_text
from checks.facts.model import AttachmentFacts, AttachmentState, AttributePlace

READERS: dict[str, Callable[[bytes, Budget], Content]] = {
    "pdf": read_pdf,
    "docx": read_docx,
    "doc": read_doc,
    "wps": read_doc,
    "xlsx": read_xlsx,
    "xls": read_xls,
    "et": read_xls,
    "ofd": read_ofd,
    "rtf": read_rtf,
    "saved_page": read_saved_page,
    "csv": read_csv,
    "txt": read_text,
}

UNSUPPORTED_DETAILS = {
    "xlsb": "Excel 二进制工作簿（.xlsb）暂不能读取",
    "ppt": "PowerPoint 97-2003 演示文稿（.ppt）暂不能读取",
    "pptx": "演示文稿（.pptx）暂不能读取",
    "ole": "旧版 Office 复合文档暂不能读取",
    "odt": "OpenDocument 文档暂不能读取",
    "rar": "RAR 压缩包暂不能读取",
    "7z": "7-Zip 压缩包暂不能读取",
    "zip": "压缩包内的压缩包不再展开",
    "gzip": "GZIP 压缩包暂不能读取",
    "image": "附件是图片，文字暂不能读取",
    "html": "附件地址返回的是网页，不是文件",
    "unknown": "无法识别的文件格式",
}

# What the parsers raise on broken bytes: none of them promises an exception class of its own for every kind of damage.
PARSER_ERRORS = (
    PyPdfError,
    DependencyError,
    xlrd.XLRDError,
    CompDocError,
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
        content = _read(body, format_name, Budget(limits))
    except UnreadableAttachmentError as unreadable:
        return AttachmentFacts(name, format_name, unreadable.state, detail=unreadable.detail)
    attributes = attributes_in_text(content.text, AttributePlace.ATTACHMENT)
    return AttachmentFacts(name, format_name, AttachmentState.READ, content.text, content.tables, attributes)


def _read(body: bytes, format_name: str, budget: Budget, *, within: bool = False) -> Content:
    """Return the content of a body of that format, maybe `within` an archive; raises UnreadableAttachmentError."""
    if not body.strip():
        raise UnreadableAttachmentError(AttachmentState.BROKEN, "文件是空的")
    if len(body) > budget.limits.body:
        megabytes = budget.limits.body // 1_000_000
        raise UnreadableAttachmentError(AttachmentState.TOO_LARGE, f"文件超过 {megabytes} MB，未读取")
    try:
        if format_name == "zip" and not within:
            return _read_archive(body, budget)
        return _read_file(body, format_name, budget)
    except LimitReachedError as reached:
        raise UnreadableAttachmentError(AttachmentState.TOO_LARGE, "解压后的内容超过大小上限") from reached
    except PARSER_ERRORS as error:
        raise UnreadableAttachmentError(AttachmentState.BROKEN, f"文件已损坏，无法按 {format_name} 读取") from error


def _read_file(body: bytes, format_name: str, budget: Budget) -> Content:
    if format_name == "encrypted":
        raise UnreadableAttachmentError(AttachmentState.ENCRYPTED, "文件有密码保护")
    if format_name.startswith("broken "):
        raise UnreadableAttachmentError(AttachmentState.BROKEN, f"扩展名是 .{format_name[7:]}，内容却不是，或已损坏")
    if format_name not in READERS:
        raise UnreadableAttachmentError(AttachmentState.UNSUPPORTED, UNSUPPORTED_DETAILS[format_name])
    content = READERS[format_name](body, budget)
    budget.spend("text", len(content.text))
    return content


def _read_archive(body: bytes, budget: Budget) -> Content:
    """The contents of all files in an archive; one that cannot be read leaves open what the archive says."""
    contents: list[Content] = []
    for name, member in members(body, budget):
        format_name = format_of(member, name)
        try:
            contents.append(_read(member, format_name, budget, within=True))
        except UnreadableAttachmentError as unreadable:
            raise UnreadableAttachmentError(
                unreadable.state, f"压缩包内的「{name[-80:]}」：{unreadable.detail}"
            ) from unreadable
    if not contents:
        raise UnreadableAttachmentError(AttachmentState.BROKEN, "压缩包是空的")
    tables = tuple(table for content in contents for table in content.tables)
    return Content("\n".join(content.text for content in contents), tables)
