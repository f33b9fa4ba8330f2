"""DOCX: the text in reading order, text boxes and content controls too, and the outermost tables."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator

from lxml import etree

from checks.facts.attachments.content import Content, TableCollector, refuse_pictures
from checks.facts.attachments.limits import Budget
from checks.facts.attachments.package import open_package, read_xml
from checks.facts.dom import normalise
from checks.facts.tables import MAX_CAPTION

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PARAGRAPH, _TEXT, _TABLE, _ROW, _CELL = f"{_W}p", f"{_W}t", f"{_W}tbl", f"{_W}tr", f"{_W}tc"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_GAPS = {f"{_W}tab": " ", f"{_W}br": " ", f"{_W}cr": " "}
_PICTURES = (f"{_W}drawing", f"{_W}pict", f"{_W}object")


def read_docx(body: bytes, budget: Budget) -> Content:
    """Return the main document's text and tables; headers, footers and notes are left out."""
    with open_package(body, budget) as package:
        root = read_xml(package, _main_part(package)).find(f"{_W}body")
    if root is None:
        raise KeyError("body")
    tables = TableCollector(budget)
    for table in root.iter(_TABLE):
        if next(table.iterancestors(_TABLE), None) is None:
            before = table.getprevious()
            caption = " ".join(_paragraphs(before)) if before is not None and before.tag == _PARAGRAPH else ""
            tables.add(_rows(table, budget.limits.columns), caption if len(caption) <= MAX_CAPTION else "")
    text = "\n".join(_paragraphs(root))
    refuse_pictures(text, next(root.iter(*_PICTURES), None) is not None)
    return Content(text, tuple(tables.found))


def _main_part(package: zipfile.ZipFile) -> str:
    """The path of the main document: the package's relationships name it."""
    for relationship in read_xml(package, "_rels/.rels"):
        if relationship.get("Type", "").endswith("/officeDocument"):
            return posixpath.normpath(relationship.get("Target", "")).lstrip("/")
    return "word/document.xml"


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


def _rows(table: etree._Element, most: int) -> Iterator[list[str]]:
    """The texts of each row, a cell's text in every place that it is merged over."""
    above: list[str] = []
    for row in _own(table, _ROW, _TABLE):
        line: list[str] = []
        for cell in _own(row, _CELL, _ROW):
            columns, continues = _merging(cell)
            at = len(line)
            text = (above[at] if at < len(above) else "") if continues else " ".join(_paragraphs(cell))
            line.extend([text] * min(columns, most - at))
        above = line
        yield line


def _own(element: etree._Element, tag: str, owner: str) -> Iterator[etree._Element]:
    """The descendants of that tag that belong to the element itself, not to an owner nested in it."""
    return (found for found in element.iter(tag) if next(found.iterancestors(owner), None) is element)


def _merging(cell: etree._Element) -> tuple[int, bool]:
    """How many columns a cell covers, and whether it continues the cell above it."""
    span = cell.find(f"{_W}tcPr/{_W}gridSpan")
    merge = cell.find(f"{_W}tcPr/{_W}vMerge")
    columns = int(span.get(f"{_W}val") or 1) if span is not None else 1
    return max(1, columns), merge is not None and merge.get(f"{_W}val", "continue") == "continue"
