"""Data tables (数据表格) as grids: merged cells filled in, every row kept, layout tables left out, size bounded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from lxml.html import HtmlElement

from checks.facts.dom import Dom, text_of, visible_text
from checks.facts.links import is_attachment, target_of
from checks.facts.model import Link, Table

MAX_ROWS = 5_000  # of one table
MAX_COLUMNS = 100
MAX_CELLS = 100_000  # of a page, merged cells counted as often as they are filled in
MAX_CAPTION = 80  # characters
MAX_TABLE_LINKS = 500  # of one table
HEAD_CELLS = 4  # so many texts in one row are a head, whatever stands below it


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell before merging is undone: its text and how many rows and columns it covers (at least one)."""

    text: str
    rows: int = 1
    columns: int = 1


def filled_grid(
    rows: Iterable[Iterable[Cell]],
    *,
    max_rows: int = MAX_ROWS,
    max_columns: int = MAX_COLUMNS,
    max_cells: int = MAX_CELLS,
) -> tuple[tuple[str, ...], ...]:
    """Return the rows as a rectangle of texts, a merged cell's text standing in every place that it covers.

    Rows and columns beyond the limits, and spans that reach out of them, are cut off; no more than `max_cells` places
    are filled.
    """
    grid: list[list[str]] = []
    width = 0
    pending: dict[int, tuple[str, int]] = {}  # column -> text and rows still to be covered from above
    for row in rows:
        if len(grid) >= max_rows or (len(grid) + 1) * max(width, 1) > max_cells:
            break
        line = _filled_row(row, pending, max_columns)
        width = max(width, len(line))
        grid.append(line)
    return tuple(tuple(line + [""] * (width - len(line))) for line in grid[: max_cells // max(width, 1)])


def _filled_row(row: Iterable[Cell], pending: dict[int, tuple[str, int]], max_columns: int) -> list[str]:
    """Lay one row's cells into the places that cells from above leave free; `pending` is brought up to date."""
    line: list[str] = []

    def take_from_above() -> None:
        while (covered := pending.get(len(line))) is not None:
            text, left = covered
            if left > 1:
                pending[len(line)] = (text, left - 1)
            else:
                del pending[len(line)]
            line.append(text)

    below: dict[int, tuple[str, int]] = {}
    for cell in row:
        take_from_above()
        for _ in range(min(cell.columns, max_columns - len(line))):
            if cell.rows > 1:
                below[len(line)] = (cell.text, cell.rows - 1)
            line.append(cell.text)
    take_from_above()
    while len(line) < max_columns and any(column >= len(line) for column in pending):
        line.append("")
        take_from_above()
    pending.update(below)
    return line


# ---------------------------------------------------------------- of a page


@dataclass(frozen=True, slots=True)
class CellText:
    """The visible text of a table cell, its lines joined by a space, and the index of its first line in Dom.blocks."""

    text: str
    position: int


def cells_of(dom: Dom) -> dict[HtmlElement, CellText]:
    """Return every table cell that has visible text; a nested table's text belongs to its own cells alone."""
    inside: set[HtmlElement] = set()
    for box in dom.root.iter("td", "th"):
        if box not in inside:
            inside.update(box.iter())
    lines: dict[HtmlElement, list[int]] = {}
    for index, block in enumerate(dom.blocks if inside else ()):
        if block.element in inside and (cell := enclosing_cell(block.element)) is not None:
            lines.setdefault(cell, []).append(index)
    return {
        cell: CellText(" ".join(dom.blocks[index].text for index in indexes), indexes[0])
        for cell, indexes in lines.items()
    }


def enclosing_cell(element: HtmlElement) -> HtmlElement | None:
    """Return the innermost td or th around (or at) the element."""
    if element.tag in ("td", "th"):
        return element
    return next(element.iterancestors("td", "th"), None)


def table_rows(table: HtmlElement) -> Iterator[list[HtmlElement]]:
    """Yield the cells of each row of the table itself, not of tables nested in it."""
    pending = list(reversed(table))
    while pending:
        element = pending.pop()
        if element.tag == "tr":
            yield [cell for cell in element if cell.tag in ("td", "th")]
        elif element.tag not in ("table", "td", "th"):
            pending.extend(reversed(element))


def read_tables(dom: Dom) -> tuple[Table, ...]:
    """Return the page's data tables in order: two rows that hold text in two columns at least, or a head alone.

    A table that holds another table, or that is but a frame for text, is layout and left out.
    """
    tables = [table for table in dom.root.iter("table") if table.find(".//table") is None]
    if not tables:
        return ()
    texts = cells_of(dom)
    found: list[Table] = []
    cells = 0
    for table in tables:
        rows = ([_cell(cell, texts) for cell in row] for row in table_rows(table) if row)
        grid = filled_grid(rows, max_cells=MAX_CELLS - cells)
        if _is_data(grid):
            cells += len(grid) * len(grid[0])
            found.append(Table(grid, _caption(dom, table, texts), tuple(_links(dom, table))))
    return tuple(found)


def _links(dom: Dom, table: HtmlElement) -> Iterator[Link]:
    """The links in the table's cells, with the text of each."""
    for anchor in islice(table.iter("a"), MAX_TABLE_LINKS):
        if url := target_of(dom, anchor):
            yield Link(url, text := text_of(anchor), is_attachment(url, text))


def _cell(cell: HtmlElement, texts: Mapping[HtmlElement, CellText]) -> Cell:
    text = texts[cell].text if cell in texts else ""
    return Cell(text, _span(cell.get("rowspan")), _span(cell.get("colspan")))


def _span(value: str | None) -> int:
    """A span as written; 1 where it is no sensible number."""
    match = re.match(r"\s*(\d{1,6})", value or "")
    return max(1, int(match[1])) if match else 1


def _is_data(grid: tuple[tuple[str, ...], ...]) -> bool:
    filled = [sum(1 for text in row if text) for row in grid]
    return sum(count >= 2 for count in filled) >= 2 or max(filled, default=0) >= HEAD_CELLS


def _caption(dom: Dom, table: HtmlElement, texts: Mapping[HtmlElement, CellText]) -> str:
    """The caption element's text, else the short line just above the table."""
    caption = table.find("caption")
    if caption is not None and (text := visible_text(caption)):
        return text[:MAX_CAPTION]
    first = next(texts[cell].position for cell in table.iter("td", "th") if cell in texts)
    line = dom.blocks[first - 1].text if first else ""
    return line if len(line) <= MAX_CAPTION else ""
