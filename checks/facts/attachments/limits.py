"""How much of an attachment is read: sizes, and work in operations instead of seconds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from checks.facts.model import AttachmentState


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """How much of an attachment is read; whatever is larger is TOO_LARGE.

    Sizes are in bytes, `text` in characters. All but `body`, `columns` and `parts` hold for an archive's members
    together.
    """

    body: int = 30_000_000
    unpacked: int = 64_000_000  # of a zip package, all parts together
    entries: int = 5_000  # files in a zip package
    members: int = 50  # files in an archive
    markup: int = 3_000_000  # tags of XML
    pages: int = 200
    contents: int = 20_000_000  # of a PDF's pages, unpacked
    cells: int = 200_000
    columns: int = 200
    tables: int = 5_000
    text: int = 3_000_000
    operations: int = 10_000_000  # steps through records, rows, merged cells and font maps, about a microsecond each


LIMITS = AttachmentLimits()

Measure = Literal[
    "unpacked", "entries", "members", "markup", "pages", "contents", "cells", "tables", "text", "operations"
]
_DETAILS: dict[Measure, str] = {
    "unpacked": "解压后超过 {} 字节，未读取",
    "entries": "压缩包内超过 {} 个文件，未读取",
    "members": "压缩包内超过 {} 个文件，未读取",
    "markup": "内容过于复杂（超过 {} 个标记），未读取",
    "pages": "超过 {} 页，未读取",
    "contents": "页面内容超过 {} 字节，未读取",
    "cells": "表格超过 {} 个单元格，未读取",
    "tables": "超过 {} 个表格，未读取",
    "text": "文字超过 {} 字，未读取",
    "operations": "内容过于复杂（超过 {} 步），未读取",
}


class UnreadableAttachmentError(Exception):
    """The attachment has no readable content; `state` and `detail` say why, for the report to show."""

    def __init__(self, state: AttachmentState, detail: str) -> None:
        super().__init__(detail)
        self.state = state
        self.detail = detail


@dataclass(slots=True)
class Budget:
    """What reading one attachment may still cost, an archive's members together."""

    limits: AttachmentLimits = LIMITS
    spent: Counter[Measure] = field(default_factory=Counter)

    def spend(self, measure: Measure, amount: int = 1) -> None:
        """Count a cost; raises UnreadableAttachmentError once more than the limit is spent."""
        self.spent[measure] += amount
        limit: int = getattr(self.limits, measure)
        if self.spent[measure] > limit:
            raise UnreadableAttachmentError(AttachmentState.TOO_LARGE, _DETAILS[measure].format(limit))
