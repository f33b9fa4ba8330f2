"""Plain text and CSV, in UTF-8, UTF-16 with its mark, or GB 18030."""

from __future__ import annotations

import csv
import io
import re

from checks.facts.attachments.content import Content, TableCollector
from checks.facts.attachments.limits import Budget
from checks.facts.dom import normalise

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def decoded(body: bytes) -> str | None:
    """Return the text of a body, or None when it is no text."""
    encodings = ("utf-16",) if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if _CONTROL.search(text) else text
    return None


def read_text(body: bytes, budget: Budget) -> Content:
    """Return the text as it is."""
    return Content(decoded(body) or "")


def read_csv(body: bytes, budget: Budget) -> Content:
    """Return the text and, as a table, its rows."""
    text = decoded(body) or ""
    tables = TableCollector(budget)
    tables.add([normalise(value) for value in row] for row in csv.reader(io.StringIO(text, newline="")))
    return Content(text, tuple(tables.found))
