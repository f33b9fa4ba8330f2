"""政务新媒体账号台账: the office's CSV or xlsx file, read row by row; with one row wrong nothing is taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path

from checks.model import NewMediaAccount
from config.names import UnknownUnit, find_unit, normalised
from config.schema import Inventory, Unit
from inspection.day import day_in
from inspection.errors import InvalidInput
from inspection.place import Place
from inspection.spreadsheets import Cell, Line, content_of, csv_lines, day_of, is_workbook, sheets
from storage.attachments import digest_of

WHAT = "账号台账"
UNIT, PLATFORM, NAME, LAST_POST, INTERACTION, NOTE = "单位", "平台", "账号名称", "最近发布日期", "互动功能", "备注"
HEADS = {
    UNIT: ("单位", "单位名称", "主办单位"),
    PLATFORM: ("平台", "平台名称", "账号类型"),
    NAME: ("账号名称", "账号", "名称", "新媒体名称"),
    LAST_POST: ("最近发布日期", "最近更新日期", "最后更新日期", "最后发布日期", "最近发布时间", "最后更新时间"),
    INTERACTION: ("互动功能", "互动", "有无互动功能", "是否提供互动功能"),
    NOTE: ("备注", "说明"),
}
REQUIRED = (UNIT, PLATFORM, NAME, LAST_POST)
NEVER = ("无", "从未发布", "从未", "未发布过")
YES, NO = ("是", "有", "√", "y", "yes", "true"), ("否", "无", "没有", "×", "n", "no", "false")
HEAD_WITHIN = 10  # rows above the head may hold a title
HEAD_AT_LEAST = 3  # known columns that make a line the head
LONGEST = 200  # characters of a name


class RegisterInvalid(InvalidInput):
    """The register has mistakes, every one of them told with its place: mend them and import the file again."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        ending = f"台账有 {len(problems)} 处错误，什么也没有导入；改好后重新导入。"
        super().__init__("\n".join((*problems, ending)))


Row = dict[str, Cell]


def import_register(place: Place, path: Path, recorded_on: date) -> int:
    """Read a register and keep it as a new version; returns the number of accounts.

    Raises RegisterInvalid with every mistake, InvalidInput for a file that is no register, OSError, StorageError.
    """
    if recorded_on > day_in(place.configuration.inventory.district):
        raise InvalidInput(f"台账登记日 {recorded_on} 还没有到。")
    content = content_of(path, WHAT)
    accounts = read_register(content, path.name, place.configuration.inventory, recorded_on)
    place.repository.add_register(recorded_on, accounts, source=path.name, digest=digest_of(content))
    return len(accounts)


def read_register(content: bytes, name: str, inventory: Inventory, recorded_on: date) -> tuple[NewMediaAccount, ...]:
    """Return the accounts of a register in the order of its rows; raises RegisterInvalid, InvalidInput."""
    reading = _Reading(cache(lambda text: find_unit(inventory, text)), recorded_on)
    accounts = tuple(account for row in _rows(content, name) if (account := reading.account(row)) is not None)
    if reading.problems:
        raise RegisterInvalid(reading.problems)
    if not accounts:
        raise InvalidInput(f"{name} 里一个账号也没有；表头下面每行写一个账号。")
    return accounts


# ---------------------------------------------------------------- rows to accounts


@dataclass(slots=True)
class _Reading:
    """Turns rows into accounts, and collects what is wrong with them."""

    find: Callable[[str], Unit | UnknownUnit]
    recorded_on: date
    problems: list[str] = field(default_factory=list)
    _seen: dict[tuple[str, str], str] = field(default_factory=dict)

    def account(self, row: Row) -> NewMediaAccount | None:
        """Return the row's account, or None when something is wrong with it."""
        before = len(self.problems)
        for cell in row.values():
            if cell.is_formula:
                self._say(cell, "是公式，请复制后“粘贴为数值”")
        if len(self.problems) > before:
            return None
        unit = self._unit(row[UNIT])
        platform, name = self._name(row[PLATFORM], PLATFORM), self._name(row[NAME], NAME)
        last_post, interaction = self._last_post(row[LAST_POST]), self._interaction(row.get(INTERACTION))
        self._only_once(row[NAME], platform, name)
        if len(self.problems) > before or unit is None:
            return None
        note = row[NOTE].written[:LONGEST] if NOTE in row else ""
        return NewMediaAccount(unit.id, platform, name, last_post, interaction, self.recorded_on, note)

    def _say(self, cell: Cell, problem: str) -> None:
        self.problems.append(f"{cell.place}：{problem}。")

    def _unit(self, cell: Cell) -> Unit | None:
        if not cell.text:
            self._say(cell, "没有填单位（合并的单元格请拆开，每行都填）")
            return None
        unit = self.find(cell.text)
        if isinstance(unit, UnknownUnit):
            self._say(cell, str(unit))
            return None
        return unit

    def _name(self, cell: Cell, what: str) -> str:
        if not cell.text:
            self._say(cell, f"没有填{what}")
        elif len(cell.text) > LONGEST:
            self._say(cell, f"{what}超过 {LONGEST} 个字")
        return cell.written

    def _last_post(self, cell: Cell) -> date | None:
        if not cell.text:
            self._say(cell, "没有填最近发布日期；从未发布过的写“无”")
        elif cell.text not in NEVER:
            day = day_of(cell.value)
            if day is None:
                self._say(cell, f"“{cell.text[:30]}”不是日期；写成 2026-11-03 这样的形式，从未发布过的写“无”")
            elif day > self.recorded_on:
                self._say(cell, f"最近发布日期 {day} 晚于台账登记日 {self.recorded_on}")
            return day
        return None

    def _interaction(self, cell: Cell | None) -> bool | None:
        if cell is None or not cell.text:
            return None
        if cell.text.lower() not in (*YES, *NO):
            self._say(cell, f"“{cell.text[:30]}”看不懂；有互动功能写“是”，没有写“否”，不清楚的留空")
        return cell.text.lower() in YES

    def _only_once(self, cell: Cell, platform: str, name: str) -> None:
        if not platform or not name:
            return
        first = self._seen.setdefault((normalised(platform), normalised(name)), cell.place)
        if first != cell.place:
            self._say(cell, f"{platform}“{name}”与 {first} 重复")


# ---------------------------------------------------------------- files to rows


def _rows(content: bytes, name: str) -> Iterator[Row]:
    """Yield the rows below the head; raises InvalidInput for a file without one."""
    if is_workbook(content, name):
        tables = (sheet.lines for sheet in sheets(content, name, WHAT))
    else:
        tables = (lines for lines in [csv_lines(content, name)])
    for lines in tables:
        head = next((head for line in islice(lines, HEAD_WITHIN) if (head := _head(line))), None)
        if head is not None:
            filled = (line for line in lines if not line.is_empty)
            yield from ({name: line.cell(column) for name, column in head.items()} for line in filled)
            return
    raise InvalidInput(f"{name} 里没有找到表头；前 {HEAD_WITHIN} 行里要有一行写着：{'、'.join(HEADS)}。")


def _head(line: Line) -> dict[str, int] | None:
    """Return where each known column stands, None when the line is no head; raises InvalidInput for a faulty one."""
    known = {spelling: head for head, spellings in HEADS.items() for spelling in spellings}
    places: dict[str, int] = {}
    for column in range(len(line.values)):
        cell = line.cell(column)
        head = known.get(re.sub(r"\([^()]{0,40}\)|\s", "", cell.text))
        if head in places:
            raise InvalidInput(f"{cell.place}：表头里有两列都是“{head}”；请删去一列。")
        if head is not None:
            places[head] = column
    if len(places) < HEAD_AT_LEAST:
        return None
    missing = [head for head in REQUIRED if head not in places]
    if missing:
        raise InvalidInput(f"第{line.number}行的表头缺少：{'、'.join(missing)}。")
    return places
