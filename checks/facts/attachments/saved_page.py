"""Word and Excel files that are HTML under another name, as office programs save and web systems export them.

A server may also answer with a page of its own (登录, 页面不存在) where a file was asked for. So only what bears an
office program's marks is a document, and a bare table under a spreadsheet's name: neither scripts, forms nor links.
"""

from __future__ import annotations

import re

from checks.facts.attachments.content import Content
from checks.facts.attachments.limits import Budget, UnreadableAttachmentError
from checks.facts.dom import MAX_CHARACTERS, parse
from checks.facts.model import AttachmentState
from checks.facts.tables import MAX_ROWS, read_tables

DOCUMENTS, SHEETS = frozenset({"doc", "wps"}), frozenset({"xls", "et"})
HEAD = 20_000  # bytes in which an office program leaves its marks

_OFFICE = re.compile(
    rb"urn:schemas-microsoft-com:office:(?:word|excel|office)|content=[\"']?(?:Word\.Document|Excel\.Sheet)"
)
_OF_A_SITE = re.compile(rb"<(?:script|form|a|iframe|frame|input)\b", re.I)


def is_saved_page(body: bytes, extension: str) -> bool:
    """Tell whether HTML under that extension is a document, and not what a server says instead of one."""
    if extension not in DOCUMENTS | SHEETS:
        return False
    if _OFFICE.search(body, 0, HEAD):
        return True
    return extension in SHEETS and b"<table" in body.lower() and _OF_A_SITE.search(body) is None


def read_saved_page(body: bytes, budget: Budget) -> Content:
    """Return the text and tables; raises UnreadableAttachmentError where a part would be left out."""
    budget.spend("markup", body.count(b"<"))
    if len(body) > MAX_CHARACTERS or len(re.findall(rb"<tr\b", body, re.I)) > MAX_ROWS:
        raise UnreadableAttachmentError(
            AttachmentState.TOO_LARGE, f"网页格式的文件过大（表格超过 {MAX_ROWS} 行），未读取"
        )
    dom = parse(body)
    if dom.cut_off:
        raise UnreadableAttachmentError(AttachmentState.TOO_LARGE, "网页格式的文件嵌套过深，没能读完")
    tables = read_tables(dom)
    budget.spend("tables", len(tables))
    budget.spend("cells", sum(len(table.rows) * len(table.rows[0]) for table in tables))
    return Content(dom.text, tables)
