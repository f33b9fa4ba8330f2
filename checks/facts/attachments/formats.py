"""Which format a file is of, told by its bytes; its name and media type help only where the bytes leave it open."""

from __future__ import annotations

import io
import re
import zipfile

import olefile

from checks.facts.attachments.plain import decoded
from checks.facts.attachments.saved_page import is_saved_page

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
_ZIP, _EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
_PACKAGE_PARTS = (  # a part that only this format has
    ("word/document.xml", "docx"),
    ("xl/workbook.xml", "xlsx"),
    ("xl/workbook.bin", "xlsb"),
    ("ppt/presentation.xml", "pptx"),
    ("OFD.xml", "ofd"),
    ("META-INF/manifest.xml", "odt"),
)
_OLE_STREAMS = (
    ("EncryptedPackage", "encrypted"),
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
)
_OLD_WPS = {("doc", "wps"): "wps", ("xls", "et"): "et"}
_BINARY_EXTENSIONS = frozenset(
    {"pdf", "docx", "xlsx", "pptx", "doc", "xls", "ppt", "wps", "et", "ofd", "rar", "7z", "zip", "rtf"}
)
_HTML = re.compile(rb"\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)


def format_of(body: bytes, name: str, content_type: str = "") -> str:
    """Return the format by content: pdf, docx, doc, xlsx …, csv, txt, encrypted, unknown.

    "saved_page" is a Word or Excel file written as HTML; "html" a page that came in a file's stead.

    "broken pdf" and the like say that the extension promises a format that the bytes are not.
    """
    extension = name.rpartition(".")[2].strip().lower()
    known = _binary_format(body, extension)
    if known:
        return known
    if _HTML.match(body):
        return "saved_page" if is_saved_page(body, extension) else "html"
    if extension in _BINARY_EXTENSIONS:
        return f"broken {extension}"
    if decoded(body) is None:
        return "unknown"
    return "csv" if extension == "csv" or "csv" in content_type.lower() else "txt"


def _binary_format(body: bytes, extension: str) -> str | None:
    if b"%PDF-" in body[:1024]:
        return "pdf"
    if body.startswith((_ZIP, _EMPTY_ZIP)):
        return _package_format(body, extension)
    if body.startswith(olefile.MAGIC):
        found = _compound_format(body)
        return _OLD_WPS.get((found, extension), found)
    return next((name for magic, name in _MAGIC if body.startswith(magic)), None)


def _package_format(body: bytes, extension: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            names = {name.lstrip("/") for name in package.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, LookupError):
        return f"broken {extension or 'zip'}"
    return next((name for part, name in _PACKAGE_PARTS if part in names), "zip")


def _compound_format(body: bytes) -> str:
    """The format of a compound file (OLE) by the streams at its root: what is embedded in it stands deeper."""
    try:
        with olefile.OleFileIO(io.BytesIO(body)) as compound:
            names = {entry.name for entry in compound.root.kids}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        names = {name for name, _ in _OLE_STREAMS if name.encode("utf-16-le") in body}
    return next((name for stream, name in _OLE_STREAMS if stream in names), "ole")
