"""政务新媒体账号台账: the office's CSV or xlsx file, read row by row; with one row wrong nothing is taken."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from itertools import islice
from pathlib import Path

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import from_excel
from openpyxl.utils.exceptions import InvalidFileException

from checks.model import NewMediaAccount
from config.names import UnknownUnit, find_unit, normalised
from config.schema import Inventory, Unit
from inspection.day import day_in
from inspection.errors import InvalidInput
from inspection.place import Place

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
MOST_COLUMNS = 50  # of a sheet that are looked at
MOST_BYTES, MOST_UNPACKED = 50_000_000, 500_000_000
SERIALS = range(36_526, 73_051)  # 2000-01-01 to 2100-01-01 as spreadsheets count days
_DAY = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?日?(?:[\sT]+\d{1,2}:\d{2}(?::\d{2})?)?")
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})")

Value = str | int | float | bool | datetime | date | None


class RegisterInvalid(InvalidInput):
    """The register has mistakes, every one of them told with its place: mend them and import the file again."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        ending = f"台账有 {len(problems)} 处错误，什么也没有导入；改好后重新导入。"
        super().__init__("\n".join((*problems, ending)))


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: where people find it, and what it holds."""

    place: str
    value: Value

    @property
    def written(self) -> str:
        """The value as text, without spaces around it."""
        return "" if self.value is None else str(self.value).strip()

    @property
    def text(self) -> str:
        """The value as text in half width, to be compared."""
        return unicodedata.normalize("NFKC", self.written).strip()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: its number, its values, and whether people count its columns by letters."""

    number: int
    values: Sequence[Value]
    lettered: bool = False

    def cell(self, column: int) -> Cell:
        """Return the cell of a column, the first being 0; a short line's missing cells are empty."""
        place = (
            f"{get_column_letter(column + 1)}{self.number}" if self.lettered else f"第{self.number}行第{column + 1}列"
        )
        return Cell(place, self.values[column] if column < len(self.values) else None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands on the line."""
        return all(value is None or (isinstance(value, str) and not value.strip()) for value in self.values)


Row = dict[str, Cell]


def import_register(place: Place, path: Path, recorded_on: date) -> int:
    """Read a register and keep it as a new version; returns the number of accounts.

    Raises RegisterInvalid with every mistake, InvalidInput for a file that is no register, OSError, StorageError.
    """
    if recorded_on > day_in(place.configuration.inventory.district):
        raise InvalidInput(f"台账登记日 {recorded_on} 还没有到。")
    if path.stat().st_size > MOST_BYTES:
        raise InvalidInput(f"文件 {path.name} 超过 {MOST_BYTES // 1_000_000} MB，不像是账号台账。")
    content = path.read_bytes()
    accounts = read_register(content, path.name, place.configuration.inventory, recorded_on)
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    place.repository.add_register(recorded_on, accounts, source=path.name, digest=digest)
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
            if isinstance(cell.value, str) and cell.text.startswith("="):
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
            day = _day_of(cell.value)
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


def _day_of(value: Value) -> date | None:
    """Return the day that a cell means: a date, a day count of a spreadsheet, or text in a usual form."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = unicodedata.normalize("NFKC", str(value)).strip().removesuffix(".0")
    if text.isdigit() and int(text) in SERIALS:
        counted = from_excel(int(text))
        return counted.date() if isinstance(counted, datetime) else None
    if isinstance(value, float) and int(value) in SERIALS:
        return _day_of(int(value))
    found = _DAY.fullmatch(text) or _COMPACT.fullmatch(text)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


# ---------------------------------------------------------------- files to rows


def _rows(content: bytes, name: str) -> Iterator[Row]:
    """Yield the rows below the head; raises InvalidInput for a file without one."""
    if content.startswith(b"PK"):
        sheets: Iterable[Iterator[Line]] = _sheets(content, name)
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidInput(f"{name} 是旧版 Excel 文件（.xls）；请另存为 .xlsx 或 CSV 再导入。")
    else:
        sheets = [_lines(content, name)]
    for lines in sheets:
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


def _lines(content: bytes, name: str) -> Iterator[Line]:
    """Yield the lines of a CSV file in UTF-8, UTF-16 with its mark, or GB 18030."""
    text = _decoded(content, name)
    first = text.partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        number = 1
        for values in reader:
            yield Line(number, values)
            number = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(f"{name} 第 {reader.line_num} 行不合 CSV 的写法（引号没有成对？）：{error}。") from error


def _decoded(content: bytes, name: str) -> str:
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InvalidInput(f"{name} 不是文本文件，也不是 .xlsx；请另存为 .xlsx 或 CSV 再导入。")


def _sheets(content: bytes, name: str) -> Iterator[Iterator[Line]]:
    """Yield the sheets of an xlsx file; formulas come as they are written, because what they showed may be old."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_UNPACKED:
                raise InvalidInput(f"{name} 解开后太大，不像是账号台账。")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise InvalidInput(
            f"{name} 打不开（{type(error).__name__}），不是完好的 .xlsx 文件；请另存后再导入。"
        ) from error
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # a format on whole columns makes a sheet a million rows long, all of them empty
            rows = enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), 1)
            yield (Line(number, values, lettered=True) for number, values in rows)
    finally:
        book.close()
