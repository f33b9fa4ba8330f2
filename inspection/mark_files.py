"""评分表 and 通报扣分表, filled in, read cell by cell: all that is wrong is told at once, with its place and remedy.

Nothing in a file is taken at its word: year, table, rows, columns and units must be those that the form was made for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from config.loader import Configuration
from config.names import UnknownUnit, find_unit, normalised
from config.schema import Indicator, Inventory, Unit, UnitKind
from inspection.errors import InvalidInput
from inspection.form_digest import form_digest
from inspection.spreadsheets import Cell, Line, Sheet, day_of, is_workbook, merged_ranges, sheets
from reports.daily import KIND_TITLES
from reports.marks_form import (
    CIRCULAR_COLUMNS,
    CIRCULARS,
    CIRCULARS_FORM,
    DIGEST,
    FIRST_COLUMN,
    FIRST_ENTRY,
    FIRST_ROW,
    HIDDEN,
    ID_ROW,
    MARKS_FORM,
    NAME_COLUMN,
    NOT_CONCERNED,
    POINTS_ROW,
    PURPOSE,
    REASON_COLUMNS,
    REASONS,
    REVIEWER,
    ROWS,
    SHEET_OF_KIND,
    UNITS,
    YEAR,
    Key,
    is_optional,
)
from storage.model import Circular, GivenMark

WHAT = "评分表或通报扣分表"
MOST_LINES = 2_000  # of one sheet that may hold something
MOST_NAMES = 200  # of units in one file: looking for what a wrong one may mean takes time
LONGEST_NAME, LONGEST_UNIT, LONGEST_TEXT = 30, 60, 500  # characters of a person's name, a unit's, and of a text
CENT = Decimal("0.01")
TEMPLATE = "用 inspect marks template 重新生成，把分数抄到新表里"
_NUMBER = re.compile(r"(-?)(\d{1,6}(?:\.\d{1,20})?)")
_PADDING = re.compile(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])")
_NOT_IN_A_FILE_NAME = re.compile(r'[\\/:*?"<>|]')


class FormUnknown(InvalidInput):
    """The file is not a form of this year's table: make a new one with `inspect marks template` and fill that in."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What a reviewer's form says; `units` and `indicators` are the ids that it asked about."""

    year: int
    reviewer: str
    marks: tuple[GivenMark, ...]
    units: tuple[str, ...]
    indicators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list of circulars says."""

    year: int
    circulars: tuple[Circular, ...]


def person_name(text: str) -> str:
    """Return a person's name as it is kept, without the spaces that pad Chinese names; raises InvalidInput."""
    name = _PADDING.sub("", " ".join(unicodedata.normalize("NFKC", text).split()))
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or _NOT_IN_A_FILE_NAME.search(name):
        raise InvalidInput(f'“{text[:LONGEST_NAME]}”不能作姓名：要 1 至 {LONGEST_NAME} 个字，不含 \\/:*?"<>|。')
    return name


def read_form(
    content: bytes, name: str, configuration: Configuration, today: date
) -> tuple[Marked | Listed, list[str]]:
    """Return what a filled-in form says, and every mistake in it; with one mistake the former must not be used.

    Raises InvalidInput where no form can be made out at all: damaged, with a password, foreign, of another table.
    """
    if not is_workbook(content, name):
        raise FormUnknown(f"{name} 不是 .xlsx 文件；请交回 inspect marks template 生成的那份表，另存为 .xlsx。")
    tables = {table.title: table for table in _tables(content, name)}
    facts = _facts(tables, name)
    form = _form(facts, name, configuration)
    if facts[PURPOSE] == CIRCULARS_FORM:
        circulars = _CircularReading(form, tables, name, today=today)
        return Listed(form.year, tuple(circulars.read())), circulars.problems
    marks = _MarkReading(form, tables, name)
    given = tuple(marks.read())
    asked = tuple(unit.id for unit in form.units), tuple(row.id for row in form.rows)
    return Marked(form.year, _reviewer(facts, name), given, *asked), marks.problems


# ---------------------------------------------------------------- the file, and what form it is


class _Table(NamedTuple):
    """One sheet: its lines that hold something, whether there were more than may be, and its merged ranges."""

    title: str
    lines: list[Line]
    too_long: bool
    merged: list[str]

    def line(self, number: int) -> Line:
        """Return the line with a number, empty when there is nothing on it."""
        return next((line for line in self.lines if line.number == number), Line(number, (), lettered=True))

    def below(self, number: int) -> Iterator[Line]:
        """Yield the lines from a number on."""
        return (line for line in self.lines if line.number >= number)


def _tables(content: bytes, name: str) -> Iterator[_Table]:
    known = {*SHEET_OF_KIND.values(), REASONS, CIRCULARS, HIDDEN}
    for sheet in sheets(content, name, WHAT):
        if sheet.title in known:
            yield _table(content, name, sheet)


def _table(content: bytes, name: str, sheet: Sheet) -> _Table:
    lines: list[Line] = []
    for line in sheet.lines:
        if line.is_empty:
            continue
        if len(lines) == MOST_LINES:
            return _Table(sheet.title, lines, too_long=True, merged=[])
        lines.append(line)
    return _Table(sheet.title, lines, too_long=False, merged=merged_ranges(content, name, sheet))


def _facts(tables: dict[str, _Table], name: str) -> dict[str, str]:
    """Return what the hidden sheet says; raises FormUnknown without one."""
    lines = tables[HIDDEN].lines if HIDDEN in tables else []
    facts = {line.cell(0).written: line.cell(1).written for line in lines if line.cell(0).written}
    needed = {PURPOSE, YEAR, DIGEST, UNITS, ROWS}
    if not needed <= facts.keys() or facts[PURPOSE] not in (MARKS_FORM, CIRCULARS_FORM):
        raise FormUnknown(f"{name} 不是本程序生成的表（没有隐藏的“{HIDDEN}”表，或被改过）；请{TEMPLATE}。")
    return facts


@dataclass(frozen=True)
class _Form:
    """The form as it was made: its year, rows and units."""

    year: int
    inventory: Inventory
    rows: tuple[Indicator, ...]
    units: tuple[Unit, ...]

    @cached_property
    def unit_ids(self) -> frozenset[str]:
        return frozenset(unit.id for unit in self.units)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(normalised(name) for unit in self.inventory.units for name in (unit.id, *unit.names))

    @cached_property
    def row_of(self) -> dict[str, Indicator]:
        return {row.id: row for row in self.rows}

    @cached_property
    def kinds(self) -> tuple[UnitKind, ...]:
        return tuple(kind for kind in SHEET_OF_KIND if any(unit.kind is kind for unit in self.units) and self.of(kind))

    def of(self, kind: UnitKind) -> tuple[Indicator, ...]:
        return tuple(row for row in self.rows if kind in row.kinds)


def _form(facts: dict[str, str], name: str, configuration: Configuration) -> _Form:
    """Return the form that a file says it is; raises FormUnknown for one of another table."""
    year = int(facts[YEAR]) if re.fullmatch(r"[0-9]{4}", facts[YEAR]) else 0
    table, inventory = configuration.indicators_for(year), configuration.inventory
    if not year or facts[DIGEST] != form_digest(year, table, inventory):
        raise FormUnknown(
            f"{name} 是按另一份指标表做的（{facts[YEAR][:10]} 年；指标、分值或单位职责后来改过）；请{TEMPLATE}。"
        )
    asked_units, asked_rows = facts[UNITS].split(), facts[ROWS].split()
    units = tuple(unit for unit in inventory.units if unit.id in asked_units)
    rows = tuple(row for row in table.indicators if row.id in asked_rows)
    costless = facts[PURPOSE] == CIRCULARS_FORM and any(row.circular_deduction is None for row in rows)
    if not units or len(units) != len(asked_units) or not rows or len(rows) != len(asked_rows) or costless:
        raise FormUnknown(f"{name} 的隐藏表“{HIDDEN}”被改过；请{TEMPLATE}。")
    return _Form(year, inventory, rows, units)


def _reviewer(facts: dict[str, str], name: str) -> str:
    try:
        return person_name(facts.get(REVIEWER, ""))
    except InvalidInput as error:
        raise FormUnknown(f"{name} 的隐藏表“{HIDDEN}”里没有评分人；请{TEMPLATE}。") from error


# ---------------------------------------------------------------- what both kinds of forms share


@dataclass(slots=True)
class _Reading:
    """Reads the sheets of one file, and collects what is wrong with them."""

    form: _Form
    tables: dict[str, _Table]
    name: str
    problems: list[str] = field(default_factory=list)
    _units: dict[str, Unit | UnknownUnit] = field(default_factory=dict)

    def table(self, title: str, head: int) -> _Table | None:
        """Return a sheet that can be read, head included; None when it is missing or endless, which is told."""
        table = self.tables.get(title)
        if table is None:
            self.problems.append(f"{self.name}：缺少工作表“{title}”；请{TEMPLATE}。")
            return None
        if table.too_long:
            told = f"超过 {MOST_LINES} 行，不是程序生成的表；请删去多余的行，或{TEMPLATE}"
            self.problems.append(f"{self.name}〔{title}〕：{told}。")
            return None
        for merged in table.merged:
            if int(re.sub(r"\D", "", merged.rpartition(":")[2]) or 0) >= head:
                self.problems.append(f"{self.name}〔{title}〕{merged}：合并了单元格，请拆开后每格都填。")
        return table

    def say(self, table: _Table, cell: Cell, problem: str) -> None:
        """Note what is wrong with a cell."""
        self.problems.append(f"{self.name}〔{table.title}〕{cell.place}：{problem}。")

    def has_formula(self, table: _Table, cell: Cell) -> bool:
        """Whether a formula stands in a cell, which is told."""
        if cell.is_formula:
            self.say(table, cell, "是公式，请复制后“粘贴为数值”")
        return cell.is_formula

    def unit(self, table: _Table, cell: Cell) -> Unit | None:
        """Return the unit that a cell names; what is wrong with it is told."""
        if self.has_formula(table, cell):
            return None
        if not cell.text:
            self.say(table, cell, "没有写单位")
            return None
        known = normalised(cell.text) in self.form.names
        if not known and cell.text not in self._units and len(self._units) >= MOST_NAMES:
            self.say(table, cell, "前面不认得的单位太多，这里没有再查")
            return None
        if cell.text not in self._units:
            self._units[cell.text] = find_unit(self.form.inventory, cell.text[:LONGEST_UNIT])
        unit = self._units[cell.text]
        if isinstance(unit, UnknownUnit):
            self.say(table, cell, str(unit))
            return None
        if unit.id not in self.form.unit_ids:
            self.say(table, cell, f"{unit.name}不在这份表要填的单位里")
            return None
        return unit

    def row(self, table: _Table, cell: Cell) -> Indicator | None:
        """Return the row of the scoring table that a cell names by its id; what is wrong with it is told."""
        if self.has_formula(table, cell):
            return None
        row = self.form.row_of.get(cell.text.partition(" ")[0])
        if row is None:
            choices = "、".join(self.form.row_of)
            self.say(table, cell, f"{_quoted(cell)}不是这份表里的指标；请从下拉表里选（{choices}）")
        return row

    def text(self, table: _Table, cell: Cell, what: str) -> str:
        """Return what somebody wrote; that it is missing, too long or a formula is told."""
        if self.has_formula(table, cell):
            return ""
        if not cell.text:
            self.say(table, cell, f"没有写{what}")
        elif len(cell.written) > LONGEST_TEXT:
            self.say(table, cell, f"{what}超过 {LONGEST_TEXT} 个字")
        return cell.written

    def points(self, table: _Table, cell: Cell, most: Decimal, or_that: str = "") -> Decimal | None:
        """Return the points in a cell that holds something, None where it is no such number, which is told."""
        if self.has_formula(table, cell):
            return None
        answer = _points(cell, most, or_that)
        if isinstance(answer, str):
            self.say(table, cell, answer)
            return None
        return answer

    def surplus(self, table: _Table, line: Line, width: int) -> None:
        """Tell what stands beside the columns of a sheet."""
        for column in range(width, len(line.values)):
            cell = line.cell(column)
            if cell.written:
                self.say(table, cell, "表外的格里有内容，请清掉")


def _points(cell: Cell, most: Decimal, or_that: str) -> Decimal | str:
    """Return the number in a cell, or what is wrong with it; text that is plainly a number, full width too, is one."""
    value = _number(cell)
    remedy = f"请填 0 到 {most:f} 之间、最多两位小数的数{or_that}"
    if value is None:
        return f"{_quoted(cell)}不是分数；{remedy}"
    if value < 0:
        return f"{value:f} 是负数；{remedy}"
    if value > most:
        return f"{_quoted(cell)}超过满分 {most:f} 分"
    if value % CENT:
        return f"{value:f} 多于两位小数；{remedy}"
    return abs(value).quantize(CENT)  # abs: nobody means a zero below zero


def _number(cell: Cell) -> Decimal | None:
    """Return the number that people see in a cell, None for anything else: a date, yes or no, words, infinity."""
    if isinstance(cell.value, bool):
        return None
    if isinstance(cell.value, float):
        value = Decimal(format(cell.value, ".15g"))
        return value if value.is_finite() else None
    if isinstance(cell.value, int):
        return Decimal(cell.value)
    found = _NUMBER.fullmatch(cell.text) if isinstance(cell.value, str) else None
    return Decimal("".join(found.groups())) if found else None


def _quoted(cell: Cell) -> str:
    return f"“{_on_one_line(cell)}”"


def _on_one_line(cell: Cell) -> str:
    """Return what stands in a cell, or its beginning."""
    text = " ".join(cell.text[: LONGEST_NAME + 1].split())
    return text if len(cell.text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"


# ---------------------------------------------------------------- marks


@dataclass(slots=True)
class _MarkReading(_Reading):
    """Reads a reviewer's form."""

    _points_of: dict[Key, Decimal | None] = field(default_factory=dict)
    _told: set[Key] = field(default_factory=set)  # cells that have something, right or wrong
    _unit_at: dict[str, str] = field(default_factory=dict)

    def read(self) -> list[GivenMark]:
        """Return the marks in the order of the sheets."""
        for kind in self.form.kinds:
            table = self.table(SHEET_OF_KIND[kind], ID_ROW)
            if table is not None:
                self._marks(table, kind)
        reasons = self._reasons()
        return [GivenMark(*key, points, reasons.get(key, "")) for key, points in self._points_of.items()]

    def _marks(self, table: _Table, kind: UnitKind) -> None:
        rows = self._columns(table, self.form.of(kind))
        for line in table.below(FIRST_ROW):
            unit = self.unit(table, line.cell(NAME_COLUMN - 1))
            if unit is not None and unit.kind is not kind:
                self.say(table, line.cell(NAME_COLUMN - 1), f"{unit.name}不是{KIND_TITLES[kind]}，不在这张表里评")
                unit = None
            if unit is not None:
                self._only_once(table, line.cell(NAME_COLUMN - 1), unit)
            self.surplus(table, line, FIRST_COLUMN - 1 + len(self.form.of(kind)))
            for column, row in rows.items():
                self._mark(table, line.cell(column), unit, row)

    def _columns(self, table: _Table, expected: Sequence[Indicator]) -> dict[int, Indicator]:
        """Return the rows of the scoring table by column, where the head says what it must."""
        ids, points = table.line(ID_ROW), table.line(POINTS_ROW)
        self.surplus(table, ids, FIRST_COLUMN - 1 + len(expected))
        right = {}
        for column, row in enumerate(expected, start=FIRST_COLUMN - 1):
            stands, most = ids.cell(column), _number(points.cell(column))
            if stands.text != row.id:
                told = f"表头应是指标 {row.id}，现在是{_quoted(stands)}；不要移动、增删列，请{TEMPLATE}"
                self.say(table, stands, told)
            elif most != row.points:
                self.say(table, points.cell(column), f"表头的满分应是 {row.points:f}；不要移动、增删列，请{TEMPLATE}")
            else:
                right[column] = row
        return right

    def _only_once(self, table: _Table, cell: Cell, unit: Unit) -> None:
        first = self._unit_at.setdefault(unit.id, cell.place)
        if first != cell.place:
            self.say(table, cell, f"{unit.name}与 {first} 重复；一个单位只留一行")

    def _mark(self, table: _Table, cell: Cell, unit: Unit | None, row: Indicator) -> None:
        if not cell.text:
            return
        if unit is not None and not row.applies_to(unit):
            if cell.text != NOT_CONCERNED:
                self.say(table, cell, f"指标 {row.id} 不涉及{unit.name}的职责，灰色格不能填；请改回“{NOT_CONCERNED}”")
            return
        key = (unit.id, row.id) if unit is not None else None
        if key is not None:
            self._told.add(key)
        excused = cell.text == NOT_CONCERNED and not is_optional(row)
        or_that = "，不改评就留空" if is_optional(row) else f"，或者“{NOT_CONCERNED}”"
        points = None if excused else self.points(table, cell, row.points, or_that)
        if key is not None and (excused or points is not None):
            self._points_of[key] = points

    def _reasons(self) -> dict[Key, str]:
        table = self.table(REASONS, FIRST_ENTRY - 1)
        reasons: dict[Key, str] = {}
        for line in table.below(FIRST_ENTRY) if table else ():
            unit, row = self.unit(table, line.cell(0)), self.row(table, line.cell(1))
            reason = self.text(table, line.cell(2), "扣分理由")
            self.surplus(table, line, len(REASON_COLUMNS))
            if unit is None or row is None:
                continue
            if (unit.id, row.id) not in self._told:
                self.say(table, line.cell(2), f"{unit.name}的指标 {row.id} 没有评分，不用写理由")
            if (unit.id, row.id) in reasons:
                self.say(table, line.cell(1), f"{unit.name}的指标 {row.id} 写了两行，请合成一行")
            reasons[unit.id, row.id] = reason
        return reasons


# ---------------------------------------------------------------- circulars


@dataclass(slots=True, kw_only=True)
class _CircularReading(_Reading):
    """Reads a list of circulars."""

    today: date
    _first: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def read(self) -> list[Circular]:
        """Return the circulars in the order of the list."""
        table = self.table(CIRCULARS, FIRST_ENTRY - 1)
        lines = table.below(FIRST_ENTRY) if table else ()
        return [circular for line in lines if (circular := self._circular(table, line)) is not None]

    def _circular(self, table: _Table, line: Line) -> Circular | None:
        before = len(self.problems)
        unit, row = self.unit(table, line.cell(0)), self.row(table, line.cell(1))
        issuer, title = self.text(table, line.cell(2), "通报机关"), self.text(table, line.cell(3), "通报标题、文号")
        day = self._day(table, line.cell(4))
        self.surplus(table, line, len(CIRCULAR_COLUMNS))
        if row is None:
            return None
        points = self._deduction(table, line.cell(5), row)
        if unit is None or day is None or points is None:
            return None
        if not row.applies_to(unit):
            self.say(table, line.cell(1), f"指标 {row.id} 不涉及{unit.name}的职责，没有可扣的分")
        self._only_once(table, line.cell(3), unit, row, title)
        return Circular(unit.id, row.id, points, issuer, title, day) if len(self.problems) == before else None

    def _day(self, table: _Table, cell: Cell) -> date | None:
        if self.has_formula(table, cell):
            return None
        day = day_of(cell.value) if cell.text else None
        if day is None:
            self.say(table, cell, f"{_quoted(cell)}不是日期；写成 {self.form.year}-03-01 这样的形式")
        elif day.year != self.form.year:
            self.say(table, cell, f"通报日期 {day} 不在 {self.form.year} 年；写进那一年的表里")
        elif day > self.today:
            self.say(table, cell, f"通报日期 {day} 还没有到")
        return day

    def _deduction(self, table: _Table, cell: Cell, row: Indicator) -> Decimal | None:
        if not cell.text:
            return row.circular_deduction
        points = self.points(table, cell, row.points)
        if points == 0:
            self.say(table, cell, "扣 0 分的通报不用写；按指标表扣就留空")
        return points

    def _only_once(self, table: _Table, cell: Cell, unit: Unit, row: Indicator, title: str) -> None:
        first = self._first.setdefault((unit.id, row.id, normalised(title)), cell.place)
        if first != cell.place:
            self.say(table, cell, f"{unit.name}的这次通报与 {first} 重复；同一次通报只扣一次")
