"""What every reader returns: text and tables, the tables bounded and merged cells filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from checks.facts.attachments.limits import Budget, UnreadableAttachmentError
from checks.facts.model import AttachmentState, Table

Area = tuple[int, int, int, int]  # of merged cells: first column, first row, last column, last row, from 1


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says."""

    text: str
    tables: tuple[Table, ...] = ()


@dataclass(slots=True)
class TableCollector:
    """The tables of one file."""

    budget: Budget
    found: list[Table] = field(default_factory=list)

    def add(self, rows: Iterable[list[str]], caption: str = "", merged: Iterable[Area] = ()) -> None:
        """Add a table, blank rows at its end left out; raises UnreadableAttachmentError when it is too large."""
        self.budget.spend("tables")
        grid: list[list[str]] = []
        blank = 0
        for row in rows:
            self.budget.spend("operations", 1 + len(row))
            if any(row):
                grid.extend([] for _ in range(blank))
                grid.append(row[: self.budget.limits.columns])
                blank = 0
            else:
                blank += 1
        width = max(map(len, grid), default=0)
        self.budget.spend("cells", width * len(grid))
        for row in grid:
            row.extend([""] * (width - len(row)))
        for area in merged:
            self._fill(grid, area)
        if grid:
            self.found.append(Table(tuple(map(tuple, grid)), caption))

    def _fill(self, grid: list[list[str]], area: Area) -> None:
        """Write the text of a merged area's first cell into all of it, as far as the grid reaches."""
        left, top, right, bottom = area
        right, bottom = min(right, len(grid[0]) if grid else 0), min(bottom, len(grid))
        self.budget.spend("operations", 1 + max(0, right - left + 1) * max(0, bottom - top + 1))
        if 1 <= left <= right and 1 <= top <= bottom:
            for row in grid[top - 1 : bottom]:
                row[left - 1 : right] = [grid[top - 1][left - 1]] * (right - left + 1)


@dataclass(frozen=True, slots=True)
class EdgedRow:
    """A table row of a format that places cells by their edges: one more edge than cells, in the format's unit.

    `continued` tells of each cell whether it is merged into the one above it.
    """

    texts: Sequence[str]
    edges: Sequence[int]
    continued: Sequence[bool]


EDGE_TOLERANCE = 40  # twips, 0.7 mm: editors are not exact when they draw one line


def edged_grid(rows: Sequence[EdgedRow], budget: Budget) -> list[list[str]]:
    """Return the rows as columns, a column for each edge in any row.

    Where the edges of a row are not known, a cell is a column if all rows have as many; else the columns cannot be told
    and there is no grid.
    """
    if any(len(row.edges) != len(row.texts) + 1 for row in rows):
        rows = [EdgedRow(row.texts, range(0, 1_000 * len(row.texts) + 1, 1_000), row.continued) for row in rows]
        if len({len(row.texts) for row in rows}) > 1:
            return []
    columns = _columns(rows)
    most = budget.limits.columns
    above: list[str] = []
    grid: list[list[str]] = []
    for row in rows:
        line: list[str] = []
        for number, text in enumerate(row.texts):
            first, last = (min(columns[edge], most) for edge in row.edges[number : number + 2])
            line.extend([""] * (first - len(line)))
            if number < len(row.continued) and row.continued[number] and first < len(above):
                text = above[first]
            line.extend([text] * (last - len(line)))
        budget.spend("operations", 1 + len(line))
        grid.append(line)
        above = line
    return grid


def _columns(rows: Sequence[EdgedRow]) -> dict[int, int]:
    """The number of the column that begins at each edge; edges close together are one."""
    columns: dict[int, int] = {}
    number, start = -1, None
    for edge in sorted({edge for row in rows for edge in row.edges}):
        if start is None or edge - start > EDGE_TOLERANCE:
            number, start = number + 1, edge
        columns[edge] = number
    return columns


def whole_characters(units: str) -> str:
    """Return the text with its UTF-16 surrogates joined in pairs, lone ones replaced."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


_LETTER = re.compile("[\u4e00-\u9fffA-Za-z]")


def hardly_a_word(text: str) -> bool:
    """Tell whether a text is nothing but a page number or the like: beside a picture, the picture is what it says."""
    return len(_LETTER.findall(text)) < 4


def refuse_pictures(text: str, pictures: bool) -> None:
    """Raise UnreadableAttachmentError (SCANNED) for a file that is but pictures."""
    if pictures and hardly_a_word(text):
        raise UnreadableAttachmentError(AttachmentState.SCANNED, "扫描件或图片，没有可读的文字")
