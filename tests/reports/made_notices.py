"""Made-up rectification notices: as many items as wanted, with screenshots made here, byte by byte."""

from __future__ import annotations

import struct
import zlib
from datetime import date, timedelta
from io import BytesIO
from zipfile import ZipFile

from lxml import etree

from checks.registry import CHECKS
from reports.rectification import RectificationItem, RectificationNotice
from scoring.review import FaultState

DAY = date(2026, 11, 23)
OFFICE = "石家庄市栾城区人民政府办公室"


def png(width: int = 64, height: int = 40, *, shade: int = 0, colour: int = 2, extra: bytes = b"") -> bytes:
    """Return a PNG of stripes; `extra` are chunks that come before the rows."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    rows = b"".join(b"\0" + bytes([(y // 8 * 40 + shade) % 256]) * (width * channels) for y in range(height))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def whole(content: bytes) -> str:
    """Return all text of a document, tables too."""
    return "".join(etree.fromstring(ZipFile(BytesIO(content)).read("word/document.xml")).itertext())


def made_item(number: int = 1, **fields) -> RectificationItem:
    """Return one fault to be mended."""
    check = CHECKS[number % len(CHECKS)].META
    values = {
        "number": 1000 + number,
        "check": check.title,
        "problem": check.failure_title,
        "target": f"http://www.portal.example/jiaoyuju/col{number}/art_{number}.html",
        "observed": "页面上没有标注公开属性，正文、信息表和文末都没有找到",
        "expected": "印发公文时要明确标注公开属性",
        "passage": "关于开展教育督导工作的通知",
        "where": "正文",
        "basis": check.basis,
        "state": FaultState.RECTIFYING,
        "first_seen": DAY - timedelta(days=20),
        "last_seen": DAY - timedelta(days=1),
        "deadline": DAY + timedelta(days=7),
    }
    return RectificationItem(**values | fields)


def made_notice(*items: RectificationItem, unit: str = "区教育局") -> RectificationNotice:
    """Return a notice of those items, or of one."""
    listed = items or (made_item(),)
    return RectificationNotice(unit, "20261123-jiaoyuju", OFFICE, DAY, listed, software="xuncha 0.1.0")
