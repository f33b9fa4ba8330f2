"""Text that turns around what a reader sees, in the files that people open."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.official_document import document_text
from reports.plain_text import plain_text
from reports.workbook import cell_text

TURNED = "合格\u202e格合不\u202c\u2066\u200f\x00\x1b\ud800"


@pytest.mark.parametrize("written", [plain_text, cell_text, document_text])
def test_text_reads_as_it_stands(written: Callable[[str], str]) -> None:
    assert written(TURNED) == "合格格合不"


def test_line_ends_and_joined_characters_stay() -> None:
    assert plain_text("甲\n乙\t👨\u200d👩") == "甲\n乙\t👨\u200d👩"
