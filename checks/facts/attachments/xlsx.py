"""XLSX: the rows of every sheet that is not hidden, a table each, merged cells filled in."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

import openpyxl
from openpyxl.utils.cell import range_boundaries

from checks.facts.attachments.content import Area, Content, TableCollector
from checks.facts.attachments.limits import Budget
from checks.facts.attachments.package import open_package
from checks.facts.dom import normalise
from checks.facts.model import Table

_MERGED = re.compile(rb'<(?:\w{1,20}:)?mergeCell\s[^>]{0,200}?ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')


def read_xlsx(body: bytes, budget: Budget) -> Content:
    """Return the sheets' cells as shown: of formulas the values last calculated."""
    tables = TableCollector(budget)
    with open_package(body, budget) as package:
        workbook = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
        for sheet in workbook.worksheets:
            if sheet.sheet_state == "visible":
                sheet.reset_dimensions()  # what the file says of its size may be wrong, or a trap
                rows = ([cell_text(value) for value in row] for row in sheet.iter_rows(values_only=True))
                tables.add(rows, sheet.title, _merged_areas(package.read(sheet._worksheet_path)))
    return Content(rows_text(tables.found), tuple(tables.found))


def _merged_areas(sheet: bytes) -> Iterator[Area]:
    """The merged cells of a sheet's XML: openpyxl tells them only of workbooks it holds in memory as a whole."""
    for match in _MERGED.finditer(sheet):
        yield range_boundaries(match[1].decode())


def cell_text(value: Any) -> str:
    """Return a cell's value as a reader sees it: whole numbers without a point, dates without midnight."""
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normalise(str(value))


def rows_text(tables: list[Table]) -> str:
    """Return the tables' rows as lines, blank ones left out."""
    lines = ("\t".join(row) for table in tables for row in table.rows)
    return "\n".join(line for line in lines if line.strip())
