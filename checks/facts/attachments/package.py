"""Zip packages of XML parts (DOCX, XLSX, OFD): opened only when no bomb."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

from lxml import etree

from checks.facts.attachments.limits import Budget, UnreadableAttachmentError
from checks.facts.model import AttachmentState

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def checked(parts: Iterable[zipfile.ZipInfo], budget: Budget) -> None:
    """Refuse parts that would unpack to too much (zip bombs), are encrypted, or packed in an unusual way."""
    for part in parts:
        budget.spend("entries")
        budget.spend("unpacked", part.file_size)
        if part.flag_bits & 1:
            raise UnreadableAttachmentError(AttachmentState.ENCRYPTED, "文件有密码保护")
        if part.compress_type not in _METHODS:
            raise UnreadableAttachmentError(AttachmentState.UNSUPPORTED, "压缩方法暂不支持")


def open_package(body: bytes, budget: Budget) -> zipfile.ZipFile:
    """Return the package once none of its XML defines entities (XML bombs) or has more tags than can be read."""
    package = zipfile.ZipFile(io.BytesIO(body))
    checked(package.infolist(), budget)
    for part in package.infolist():
        if part.filename.lower().endswith((".xml", ".rels")):
            markup = package.read(part)
            budget.spend("markup", markup.count(b"<"))
            if b"<!DOCTYPE" in markup.replace(b"\0", b""):
                raise UnreadableAttachmentError(
                    AttachmentState.TOO_LARGE, "文件内含实体定义（疑似 XML 炸弹），拒绝读取"
                )
    return package


def read_xml(package: zipfile.ZipFile, name: str) -> etree._Element:
    """Return the root of an XML part; raises KeyError when there is none of the name, LxmlError when it is broken."""
    return etree.fromstring(package.read(name), etree.XMLParser(resolve_entities=False, no_network=True))
