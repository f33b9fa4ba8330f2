"""Reading a 基层政务公开标准目录: which tables are catalogues, where their columns stand, which rows speak of what.

The tables come from HTML, xlsx, docx and pdf alike: heads of one or two rows, sections across the whole width, one
catalogue cut into several tables, ticks written as ■ √ ☑ ✓ ● against □ ☐ ○ or an OCR-like 口.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from checks.facts.labels import compact
from checks.facts.model import Link, Table

Spellings = Mapping[str, tuple[str, ...]]

TEXT_COLUMNS = ("公开事项", "公开内容", "公开依据", "公开时限", "公开主体")  # beginnings of the head names
TICKED_COLUMNS = ("公开渠道", "公开对象", "公开方式", "公开层级")
NUMBER = "序号"
SUBHEADS = {
    "一级事项": "公开事项",
    "二级事项": "公开事项",
    "全社会": "公开对象",
    "特定群体": "公开对象",
    "特定群众": "公开对象",
    "特定对象": "公开对象",
    "主动": "公开方式",
    "主动公开": "公开方式",
    "依申请": "公开方式",
    "依申请公开": "公开方式",
    "国家级": "公开层级",
    "省级": "公开层级",
    "市级": "公开层级",
    "县级": "公开层级",
    "区级": "公开层级",
    "县区级": "公开层级",
    "乡级": "公开层级",
    "镇级": "公开层级",
    "乡镇级": "公开层级",
    "村级": "公开层级",
}
ROWS_ABOVE_HEAD = 6
HEAD_MATCHES = 3  # so many head names in one row make it a head
NOTE = re.compile(r"^(?:注|备注|说明|填表说明|填报说明)[:： ]")

TICK = re.compile(r"[■√☑☒✓✔●◉█þü]|R(?=[\u4e00-\u9fff])")  # R, þ and ü are ticks of Wingdings read as letters
EMPTY_BOX = re.compile(r"[□☐○◯×✗¨£]|(?:^|[\s、，；;□☐])口")  # 口 inside a word (窗口) is no box
NOTHING = frozenset({"", "-", "—", "——", "/"})


class Mark(Enum):
    """What a group of tick cells says."""

    TICKED = "ticked"
    UNTICKED = "unticked"  # boxes, and none of them ticked
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One row: its place in the table (1 is the first row), its section, and its cells by head name."""

    number: int
    section: str
    cells: Mapping[str, tuple[str, ...]]

    def value(self, beginning: str) -> str | None:
        """Return the text under the head that begins so, or None when the table has no such head."""
        for name, cells in self.cells.items():
            if name.startswith(beginning):
                return " ".join(cell for cell in dict.fromkeys(cells) if cell not in NOTHING)
        return None

    @property
    def label(self) -> str:
        """Return what people call the row."""
        matter = self.value("公开事项")
        return f"第{self.number}行" + (f"（{matter[:20]}）" if matter else "")

    def shows(self, text: str) -> bool:
        """Whether a cell of the row holds the text."""
        return bool(text) and any(text in cell for cells in self.cells.values() for cell in cells)

    @property
    def is_filled(self) -> bool:
        """Whether anything but the number and empty boxes stands in the row."""
        return any(self.value(beginning) for beginning in TEXT_COLUMNS)


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """A catalogue: the names it goes by, the nearest first; its head names; its rows; the head name of each column; the
    links in its cells."""

    names: tuple[str, ...]
    head: frozenset[str]
    rows: tuple[CatalogRow, ...]
    columns: tuple[str | None, ...]
    links: tuple[Link, ...] = ()


# ---------------------------------------------------------------- tables


def read_catalogs(tables: Iterable[Table], names: tuple[str, ...], head: Spellings) -> tuple[CatalogTable, ...]:
    """Return the catalogues among the tables of one source, which people call by `names`.

    A table without a head that is as wide as the catalogue before it continues that catalogue.
    """
    found: list[CatalogTable] = []
    for table in tables:
        catalog = _read_table(table, names, head)
        if catalog is not None:
            found.append(catalog)
        elif found and table.rows and len(table.rows[0]) == len(found[-1].columns):
            rows = tuple(_data_rows(table.rows, 0, found[-1].columns, head))
            found[-1] = replace(
                found[-1], rows=found[-1].rows + _continued(found[-1].rows, rows), links=found[-1].links + table.links
            )
    return tuple(found)


def _read_table(table: Table, names: tuple[str, ...], head: Spellings) -> CatalogTable | None:
    for index, row in enumerate(table.rows[:ROWS_ABOVE_HEAD]):
        if not _is_head(row, head):
            continue
        columns, start = _columns(table.rows, index, head)
        above = " ".join(dict.fromkeys(cell for earlier in table.rows[:index] for cell in earlier if cell))
        return CatalogTable(
            names=(f"{table.caption} {above}".strip(), *names),
            head=frozenset(column for column in columns if column),
            rows=tuple(_data_rows(table.rows, start, columns, head)),
            columns=columns,
            links=table.links,
        )
    return None


def _continued(before: tuple[CatalogRow, ...], rows: tuple[CatalogRow, ...]) -> tuple[CatalogRow, ...]:
    """Return the rows of a continuing table; its first one may belong to a cell merged across the page break."""
    if not before or not rows or rows[0].value(NUMBER) or rows[0].value("公开事项"):
        return rows
    last = before[-1]
    cells = {
        name: values if any(value not in NOTHING for value in values) else last.cells.get(name, values)
        for name, values in rows[0].cells.items()
    }
    return (replace(rows[0], cells=cells), *rows[1:])


# ---------------------------------------------------------------- heads


def _plain(text: str) -> str:
    return compact(unicodedata.normalize("NFKC", text))


def head_name(cell: str, head: Spellings) -> str | None:
    """Return the standard name of the head that the cell is, or None.

    Long spellings may be followed by an explanation in the cell; short ones (依据) must stand alone.
    """
    plain = _plain(cell)
    for name, spellings in head.items():
        for spelling in map(_plain, spellings):
            if plain == spelling or (len(spelling) >= 4 and plain.startswith(spelling) and len(plain) <= 80):
                return name
    beginning = SUBHEADS.get(re.sub(r"\(.*$", "", plain))
    return next((name for name in head if beginning and name.startswith(beginning)), None)


def _names_of(row: tuple[str, ...], head: Spellings) -> tuple[str | None, ...]:
    return tuple(head_name(cell, head) for cell in row)


def _is_head(row: tuple[str, ...], head: Spellings) -> bool:
    names = {name for name in _names_of(row, head) if name}
    return len(names) >= HEAD_MATCHES and any(name.startswith(("公开事项", "公开内容")) for name in names)


def _is_second_head(row: tuple[str, ...], first: tuple[str, ...], head: Spellings) -> bool:
    """Whether the row below a head still belongs to it: its number and text columns say nothing of their own."""
    ticked = {name for name in head if name.startswith(TICKED_COLUMNS)}
    own = []
    above = None
    for cell, upper in zip(row, first, strict=False):
        above = head_name(upper, head) if upper.strip() else above
        if cell.strip() and cell != upper and head_name(cell, head) is None and above not in ticked:
            own.append(cell)
    return (
        any(cell.strip() for cell in row)
        and not own
        and not any(EMPTY_BOX.search(cell) or TICK.search(cell) for cell in row)
    )


def _columns(rows: tuple[tuple[str, ...], ...], index: int, head: Spellings) -> tuple[tuple[str | None, ...], int]:
    """Return the head name of each column, and the index of the first row below the head."""
    first = rows[index]
    if index + 1 >= len(rows) or not _is_second_head(rows[index + 1], first, head):
        return _names_of(first, head), index + 1
    names: list[str | None] = []
    for upper, lower in zip(first, rows[index + 1], strict=False):
        left = names[-1] if names and not upper.strip() else None
        names.append(head_name(upper, head) or head_name(lower, head) or left)
    return tuple(names), index + 2


# ---------------------------------------------------------------- rows


def _data_rows(
    rows: tuple[tuple[str, ...], ...], start: int, columns: tuple[str | None, ...], head: Spellings
) -> Iterator[CatalogRow]:
    section = ""
    for index, row in enumerate(rows[start:], start):
        shown = [cell.strip() for cell in row if cell.strip()]
        if not shown or NOTE.match(shown[0]) or _is_head(row, head):
            continue
        if _is_section(row, shown):
            section = shown[0]
            continue
        cells: dict[str, tuple[str, ...]] = {}
        for name, cell in zip(columns, row, strict=False):
            if name:
                cells[name] = (*cells.get(name, ()), cell.strip())
        yield CatalogRow(index + 1, section, cells)


def _is_section(row: tuple[str, ...], shown: list[str]) -> bool:
    """Whether the row is a heading across the table: one text in every cell, or in the first alone."""
    if len(row) < 3 or len(set(shown)) > 1 or shown[0].isdigit():
        return False
    return len(shown) == len(row) or row[0].strip() == shown[0]


def mark_of(row: CatalogRow, beginning: str) -> Mark | None:
    """Return what the tick cells under the head that begins so say, or None when the table has no such head."""
    for name, cells in row.cells.items():
        if name.startswith(beginning):
            return _mark(cells)
    return None


def _mark(cells: tuple[str, ...]) -> Mark:
    """Text without an empty box names its choice in words (政府网站), and is as good as a tick."""
    shown = [cell for cell in cells if cell not in NOTHING]
    if any(TICK.search(cell) or not EMPTY_BOX.search(cell) for cell in shown):
        return Mark.TICKED
    return Mark.UNTICKED if shown else Mark.BLANK


# ---------------------------------------------------------------- pilot fields


def fields_named(text: str, fields: Spellings) -> frozenset[str]:
    """Return the pilot fields (试点领域) that the text names."""
    plain = _plain(text)
    return frozenset(field for field, words in fields.items() if any(_plain(word) in plain for word in words))


def rows_by_field(table: CatalogTable, fields: Spellings) -> dict[str, tuple[CatalogRow, ...]]:
    """Return the rows of each pilot field that the table covers; empty when nothing in it names a field.

    The nearest name that names a field decides. A name of several fields, or of none, leaves it to the sections and
    matters (公开事项) of the rows.
    """
    named = next((found for name in table.names if (found := fields_named(name, fields))), frozenset())
    if len(named) == 1:
        return {next(iter(named)): table.rows}
    rows: dict[str, tuple[CatalogRow, ...]] = dict.fromkeys(sorted(named), ())
    for row in table.rows:
        spoken = fields_named(row.section, fields) or fields_named(row.value("公开事项") or "", fields)
        for field in sorted((spoken & named or named) if named else spoken):
            rows[field] = (*rows.get(field, ()), row)
    return rows
