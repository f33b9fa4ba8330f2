"""OFD (版式文件, GB/T 33190): the text that each page draws, in the order in which it is drawn."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator

from lxml import etree

from checks.facts.attachments.content import Content, hardly_a_word
from checks.facts.attachments.limits import Budget, UnreadableAttachmentError
from checks.facts.attachments.package import open_package, read_xml
from checks.facts.dom import normalise
from checks.facts.model import AttachmentState

LINE_TOLERANCE = 1.0  # millimetres: text whose base lines are this close stands on one line


def read_ofd(body: bytes, budget: Budget) -> Content:
    """Return the pages' text; raises SCANNED if a page is but a picture, ENCRYPTED if the pages are enciphered."""
    with open_package(body, budget) as package:
        parts = _Parts(package)
        if parts.named("Encryptions.xml"):
            raise UnreadableAttachmentError(AttachmentState.ENCRYPTED, "OFD 文件已加密")
        pages = [page for root in parts.paths("OFD.xml", "DocRoot") for page in _pages(parts, root)]
        budget.spend("pages", len(pages))
        texts = [_page_text(parts.read(page)) for page in pages]
    if not any(texts):
        raise UnreadableAttachmentError(AttachmentState.SCANNED, "扫描件或图片，没有可读的文字")
    return Content("\n".join(filter(None, texts)))


class _Parts:
    """The XML parts of a package under their paths, which writers begin with a slash or not."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self._names = {name.lstrip("/").lower(): name for name in package.namelist()}

    def named(self, name: str) -> bool:
        """Tell whether a part at any depth has the name."""
        return any(posixpath.basename(path) == name.lower() for path in self._names)

    def read(self, path: str) -> etree._Element:
        """Return the root of a part; raises KeyError when it is missing."""
        return read_xml(self._package, self._names[path.lower()])

    def paths(self, path: str, element: str) -> Iterator[str]:
        """The paths that a part's elements of that name hold, from the package's root."""
        for found in self.read(path).iter(f"{{*}}{element}"):
            yield _resolved(path, found.text or "")


def _resolved(holder: str, location: str) -> str:
    """A location (ST_Loc) from the package's root: one that begins with a slash is, another is the holder's sibling."""
    location = location.strip().replace("\\", "/")
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(holder), location)).lstrip("/")


def _pages(parts: _Parts, document: str) -> Iterator[str]:
    for pages in parts.read(document).iterchildren("{*}Pages"):
        for page in pages.iterchildren("{*}Page"):
            yield _resolved(document, page.get("BaseLoc", ""))


def _page_text(page: etree._Element) -> str:
    lines: list[str] = []
    base = None
    for text, here in _drawn(page):
        if base is not None and abs(here - base) <= LINE_TOLERANCE:
            lines[-1] += text
        else:
            lines.append(text)
        base = here
    text = "\n".join(line for line in map(normalise, lines) if line)
    if hardly_a_word(text) and next(page.iter("{*}ImageObject"), None) is not None:
        raise UnreadableAttachmentError(AttachmentState.SCANNED, "有页面是图片，没有可读的文字")
    return text


def _drawn(page: etree._Element) -> Iterator[tuple[str, float]]:
    """Each piece of text and how far below the page's top it stands."""
    for drawn in page.iter("{*}TextObject"):
        box = (drawn.get("Boundary") or "").split()
        top = _number(box[1]) if len(box) > 1 else 0.0
        within = 0.0
        for code in drawn.iterchildren("{*}TextCode"):
            within = _number(code.get("Y"), within)
            yield code.text or "", top + within


def _number(written: str | None, otherwise: float = 0.0) -> float:
    try:
        return float(written or "")
    except ValueError:
        return otherwise
