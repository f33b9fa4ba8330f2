"""要素: what a page states under its labels, however it is marked up.

Guides, functions and channels are published as tables (th or td, merged cells), definition lists, pairs of boxes,
`标签：值` lines, or headings with text below. All of these come down to two readings: the grid of a table, and the
lines of the text in their order. A label without a value is kept with an empty one: it stands there and says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from checks.facts.labels import compact, label_of
from checks.facts.model import AttachmentFacts, Link, PageFacts, Table

MAX_LABEL = 16  # characters, without spaces
MAX_LINES = 3_000  # of one page or file
MAX_LINE = 2_000  # characters of a line that are looked at
MAX_VALUE = 200
MAX_CELL = 60  # characters of a cell that may be a label
MAX_ROWS, MAX_COLUMNS = 400, 20  # of a table that are looked at
MAX_MERGED = 50  # rows that a label's cell may cover
TABS = 3
ANY, MAX_ENDED = "…", 8  # …条件 is any label of so many characters that ends so: 报名条件, 符合下列条件
CONTAINED = 4  # characters from which a spelling is also known inside a longer label: 所需办理材料清单


@dataclass(frozen=True, slots=True)
class Statement:
    """One label of the page, as the page words it, with its value ("" when blank)."""

    label: str
    value: str
    where: str  # 表格, 正文

    @property
    def is_blank(self) -> bool:
        """Whether the label says nothing: no value, or one that only holds its place (暂无, —)."""
        return not self.value

    @property
    def passage(self) -> str:
        """The statement as a line."""
        return f"{self.label}：{self.value}"


def stated(source: PageFacts | AttachmentFacts, elements: Mapping[str, Sequence[str]]) -> dict[str, Statement]:
    """Return what the page or file says of each element; an element without any label on it is left out.

    `elements` gives each element's accepted spellings; one that begins with … stands for any short label that ends so.
    Of several labels of one element, the first with a value wins.
    """
    return stated_in((source,), elements)


def stated_in(
    sources: Iterable[PageFacts | AttachmentFacts | None], elements: Mapping[str, Sequence[str]]
) -> dict[str, Statement]:
    """Return what the pages and files, those that were read, say of each element, the first with a value of all."""
    index = _index(tuple((name, tuple(spellings)) for name, spellings in elements.items()))
    found: dict[str, Statement] = {}
    read = (source for source in sources if source is not None)
    for names, statement in (told for source in read for told in _statements(source, index)):
        for element in names:
            if element not in found or (found[element].is_blank and not statement.is_blank):
                found[element] = statement
    return found


def leading_to(links: Iterable[Link], elements: Mapping[str, Sequence[str]]) -> Link | None:
    """Return the first link whose text is a label of one of the elements: it may stand where it leads."""
    index = _index(tuple((name, tuple(spellings)) for name, spellings in elements.items()))
    return next((link for link in links if _named(link.text, index)), None)


# ---------------------------------------------------------------- labels

_Names = tuple[str, ...]  # the elements that one label names: 办理时间及地点 names two
_Index = dict[str, _Names]  # by spelling, without spaces
_NUMBERING = re.compile(
    r"^(?:第[一二三四五六七八九十]{1,3}[条章部分]{1,2}|[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．]{1,2}|[●■◆★▲※·•*]+)"
)
_REMARK = re.compile(r"[（(][^（）()]{0,30}[）)]$")
_PLACEHOLDER = re.compile(r"[-—－–_/\\.…*×xX?？:：]+|暂无|暂缺|待定|待补充|待完善|null|none|undefined", re.I)
_JOINTS = re.compile("[、/及和与（）()]")
_SENTENCE = re.compile("[，。；！？]")
_COLON = re.compile("[:：∶﹕]")
_VALUE_BEGINS = re.compile(r"[\d:：∶﹕（(\-—]|[为是在]")
_OTHER_LABEL = re.compile(
    r".{0,6}(?:名称|类型|依据|条件|材料|地点|地址|时间|时限|期限|电话|传真|邮箱|邮编|网址|流程|程序|标准|收费|对象|部门|机构|方式|结果)[:：]?"
)


@lru_cache(maxsize=64)
def _index(elements: tuple[tuple[str, tuple[str, ...]], ...]) -> _Index:
    index: _Index = {}
    for name, spellings in elements:
        for spelling in map(compact, spellings):
            index[spelling] = (*index.get(spelling, ()), name)
    return index


def _plain(text: str) -> str:
    """The text with full-width letters and digits made narrow and the numbering before it taken off."""
    return _NUMBERING.sub("", unicodedata.normalize("NFKC", text).strip()).lstrip()


def _named(text: str, index: _Index) -> _Names:
    """The elements that a label names: by its exact spelling, else by the longest spelling inside it."""
    label = label_of(_plain(text[: 3 * MAX_LABEL]))
    if not 2 <= len(label) <= MAX_LABEL + 30:
        return ()
    if label in index:
        return index[label]
    if len(label) <= MAX_LABEL and (joined := _joined(label, index)):
        return joined
    label = _REMARK.sub("", label)
    if label in index:
        return index[label]
    if len(label) > MAX_LABEL or _SENTENCE.search(label):
        return ()
    inside = (spelling for spelling in index if len(spelling) >= CONTAINED and spelling in label)
    best = max(inside, key=len, default=None)
    if best is None and len(label) <= MAX_ENDED:
        best = next((ending for length in (4, 3, 2) if (ending := ANY + label[-length:]) in index), None)
    return index[best] if best else ()


def _joined(label: str, index: _Index) -> _Names:
    """The elements of a label that joins several: 办公地点及联系电话, 联系电话（传真）."""
    return tuple(dict.fromkeys(name for part in _JOINTS.split(label) for name in index.get(part, ())))


def _value(text: str) -> str:
    """A value as it counts: "" for what only holds its place."""
    written = text.strip(" 　:：∶﹕;；|").strip()
    return "" if _PLACEHOLDER.fullmatch(compact(written)) else written[:MAX_VALUE]


# ---------------------------------------------------------------- readings


def _statements(source: PageFacts | AttachmentFacts, index: _Index) -> Iterator[tuple[_Names, Statement]]:
    if isinstance(source, PageFacts):
        text, labels = source.body_text, source.document.labels
        read = {label_of(link.text) for link in source.links}  # what a link says is written where it leads
    else:
        text, labels, read = source.text, (), set()
    for table in source.tables:
        for names, statement in _in_table(table, index):
            read.add(statement.label)
            yield names, statement
    for label, value in labels:
        yield index.get(label, ()), Statement(label, _value(value), "正文")
    yield from _in_lines(text.splitlines()[:MAX_LINES], index, read)


def _in_table(table: Table, index: _Index) -> Iterator[tuple[_Names, Statement]]:
    """Labels in cells: the value stands to the right, or below where the label to the right is one too."""
    rows = tuple(row[:MAX_COLUMNS] for row in table.rows[:MAX_ROWS])
    known = [[_named(cell, index) if 2 <= len(cell) <= MAX_CELL else () for cell in row] for row in rows]
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if not known[r][c] or (c and row[c - 1] == cell):
                continue
            beside = next((n for n in range(c + 1, len(row)) if row[n] != cell), None)
            below = next((n for n in range(r + 1, min(len(rows), r + MAX_MERGED)) if rows[n][c] != cell), None)
            value = ""
            if beside is not None and not known[r][beside]:
                value = row[beside]
            elif below is not None and not known[below][c]:
                value = rows[below][c]
            yield known[r][c], Statement(label_of(cell), _value(value), "表格")


def _in_lines(lines: Sequence[str], index: _Index, read: set[str]) -> Iterator[tuple[_Names, Statement]]:
    """Labels in lines: with the value behind them, or by themselves with the value in the next line.

    Labels by themselves in `read` stand in a cell, which was read with its table, or are the text of a link.
    """
    heads = [_named(line, index) for line in lines]
    for number, line in enumerate(lines):
        found = list(_labelled(line[:MAX_LINE], index))
        if not found and heads[number] and label_of(line) not in read:
            found.append((heads[number], label_of(_plain(line)), ""))
        for place, (names, label, value) in enumerate(found, 1):
            if not value and place == len(found):
                value = _below(lines, heads, number, names, index) or _in_tabs(lines, heads, number)
            yield names, Statement(label, value, "正文")


def _below(lines: Sequence[str], heads: Sequence[_Names], number: int, names: _Names, index: _Index) -> str:
    """The line below a label by itself; "" when that is a label too, of another element or of something else."""
    if number + 1 >= len(lines):
        return ""
    line = lines[number + 1][:MAX_LINE]
    others = heads[number + 1] or next((other for other, _, _ in _labelled(line, index)), names)
    return _value(line) if set(others) & set(names) and not _OTHER_LABEL.fullmatch(compact(_plain(line))) else ""


def _in_tabs(lines: Sequence[str], heads: Sequence[_Names], number: int) -> str:
    """The line below a row of labels by themselves, which are the heads of tabs; "" for fewer than TABS of them."""

    def is_head(at: int) -> bool:
        return bool(heads[at]) and not _COLON.search(lines[at][:MAX_LINE])

    first, last = number, number
    while first and number - first < MAX_LABEL and is_head(first - 1):
        first -= 1
    while last < len(lines) and last - number < MAX_LABEL and is_head(last):
        last += 1
    return _value(lines[last][:MAX_LINE]) if last > number and last - first >= TABS and last < len(lines) else ""


# ---------------------------------------------------------------- within a line


def _labelled(line: str, index: _Index) -> Iterator[tuple[_Names, str, str]]:
    """Yield (elements, label, value) of each label in the line that a colon follows, or that begins the line."""
    labels: list[tuple[int, int, _Names, str]] = []  # where the label begins, where its value does, elements, label
    for colon in _COLON.finditer(line):
        begin = labels[-1][1] if labels else 0
        if (match := _ending(line[begin : colon.start()], index)) is not None:
            start, names, label = match
            labels.append((begin + start, colon.end(), names, label))
    if not labels:
        yield from _leading(line, index)
        return
    ends = (*(start for start, *_ in labels[1:]), len(line))
    for (_, begins, names, label), end in zip(labels, ends, strict=True):
        yield names, label, _value(line[begins:end])


def _ending(before: str, index: _Index) -> tuple[int, _Names, str] | None:
    """The label that ends the text before a colon: where it begins, its elements, and its wording.

    What begins the text or follows a gap or a mark is tried whole, the longest first (联 系 电 话 before 电 话), then
    whether a spelling stands inside the last word of it.
    """
    bare = _REMARK.sub("", before.rstrip()).rstrip()
    floor = max(0, len(bare) - 4 * MAX_LABEL)
    starts = [at for at in range(floor, len(bare)) if at == floor or not bare[at - 1].isalnum()]
    for start in starts:
        label = label_of(_plain(bare[start:]))
        if label in index:
            return start, index[label], label
    last = starts[-1] if starts else 0
    names = _named(bare[last:], index)
    if not names:
        return None
    inside = (at for spelling, named in index.items() if named == names and (at := bare.find(spelling, last)) >= 0)
    return min(inside, default=last), names, label_of(_plain(bare[last:]))


def _leading(line: str, index: _Index) -> Iterator[tuple[_Names, str, str]]:
    """A label at the head of a line with its value right behind it: 联系电话0311-…, 办公时间 9:00—17:00."""
    plain = _plain(line)
    first, gap, rest = plain.partition(" ")
    if gap and rest and (names := index.get(label_of(first))):
        yield names, label_of(first), _value(rest)
        return
    for length in range(min(MAX_LABEL, len(plain) - 1), 1, -1):
        if plain[:length] in index and _VALUE_BEGINS.match(plain, length):
            yield index[plain[:length]], plain[:length], _value(plain[length:])
            return
