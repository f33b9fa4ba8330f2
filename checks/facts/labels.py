"""Labels and their values (标签): 索引号, 发文字号, 公开属性 … from label tables, definition lists and labelled lines.

Only what a visitor sees counts: values inside comments and scripts are gone from the Dom before anything is read here.
A label without a value is kept with an empty one: that the label stands there and says nothing is a fact of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice, pairwise

from lxml.html import HtmlElement

from checks.facts.dom import Block, Dom, Region
from checks.facts.tables import CellText, cells_of, enclosing_cell, table_rows

MAX_LABEL = 12  # characters without spaces
MAX_LABEL_LINE = 400  # a longer line is prose
MAX_VALUE = 300
MAX_VALUE_BESIDE = 100  # of a value that is told by its place alone
MAX_PAIRS = 300  # of a page, each way of reading
MAX_ROWS_OF_LABELS = 8  # of a table whose labels stand above their values
MAX_FIELD_ROW = 10  # elements beside a label among which an input field makes it a search form


class LabelPlace(StrEnum):
    """Where a label and its value stand."""

    TABLE = "table"  # two cells of a table's row
    LINE = "line"  # 标签：值 in one line
    LIST = "dl"  # dt and dd
    BLOCK = "div"  # two elements side by side
    ENDING = "ending"  # a labelled line by itself below the text


@dataclass(frozen=True, slots=True)
class LabelPair:
    """A label (without spaces and colons) with its value ("" when blank).

    `position` is the index of the label's line in Dom.blocks.
    """

    label: str
    value: str
    place: LabelPlace
    position: int


# What a document's label table asks for; telling enough to be read without a colon.
_DOCUMENT_LABELS = (
    "索引号|信息索引号|信息索引|索取号|索引编号|发文机关|发文机构|发文单位|发文部门|制发机关|制发机构|制发单位|制文机关|印发机关"
    "|发布机构|发布机关|发布单位|公开机构|公开单位|公开机关|公布机构|发布主体"
    "|发文字号|发文文号|发文号|文号|文件号|文件编号|文件字号"
    "|成文日期|成文时间|生成日期|生成时间|形成日期|制发日期|制文日期|发文日期|发文时间|印发日期|印发时间|签发日期"
    "|有效性|有效状态|文件有效性|效力状态|文件效力|时效性|公文时效|文件时效|文件状态|有效期|有效期限"
    "|主题分类|信息分类|组配分类|体裁分类|文种分类|公文种类|主题词"
    "|生效日期|生效时间|实施日期|施行日期|失效日期|废止日期|失效时间|废止时间|公开时限|公开范围|公开主体|责任部门|公开责任部门"
)
# What stands beside them, and over any article too.
_GENERAL_LABELS = (
    "发布日期|发布时间|公开日期|公开时间|公布日期|公布时间|更新日期|更新时间|信息名称|文件名称|公文名称|名称|标题|文件标题"
    "|信息来源|来源|作者|关键词|关键字|内容概述|内容摘要|摘要|服务对象|载体类型|信息格式|语种|记录形式|所属栏目|栏目|分类|类别"
    "|信息类别|所属类别|所属主题|文种|体裁|浏览次数|浏览量|点击数|访问量|字体|字号|责任编辑|编辑|审核"
)
_ATTRIBUTE_OWNERS = "政府|信息|政府信息|文件|公文"
_ATTRIBUTE_NOUNS = "属性|方式|形式|类别|类型|选项|性质|分类|程度"
ATTRIBUTE_LABEL = rf"(?:{_ATTRIBUTE_OWNERS})?公开(?:{_ATTRIBUTE_NOUNS})"  # 公开属性, 信息公开选项 …
_HEAD_WORD = re.compile("序号|备注|操作|附件|下载|状态")  # beside a label: the head of a list
_DOCUMENT_LABEL = re.compile(f"{_DOCUMENT_LABELS}|{ATTRIBUTE_LABEL}")
_KNOWN_LABEL = re.compile(f"{_DOCUMENT_LABELS}|{_GENERAL_LABELS}|{ATTRIBUTE_LABEL}")


def _spaced(words: str) -> str:
    """A pattern for any of the words (a|b|c), longest first, with spaces between the characters allowed."""
    return "|".join(r"\s{0,8}".join(word) for word in sorted(words.split("|"), key=len, reverse=True))


_KNOWN_SPACED = (
    f"{_spaced(f'{_DOCUMENT_LABELS}|{_GENERAL_LABELS}')}"
    rf"|(?:(?:{_spaced(_ATTRIBUTE_OWNERS)})\s{{0,8}})?公\s{{0,8}}开\s{{0,8}}(?:{_spaced(_ATTRIBUTE_NOUNS)})"
)
_COLONS = (":", "：", "∶", "﹕")
_COLON = "[:：∶﹕]"
_LABEL_IN_LINE = re.compile(
    rf"(?:^|(?<=[\s|｜;；】\]●·•■◆▪*★]))[【\[]?\s?({_KNOWN_SPACED})\s?(?:{_COLON}|[】\]]\s?{_COLON}?)\s?"
)


def compact(text: str) -> str:
    """Return the text without any white space."""
    return "".join(text.split())


def label_of(text: str) -> str:
    """Return a label as it is compared: without spaces, bullets, brackets around or behind it, and its colon."""
    written = compact(text).strip("【】[]●·•■◆▪*★").rstrip(":：∶﹕")
    if written.endswith((")", "）")):
        written = _REMARK.sub("", written)
    return written.strip("【】[]")


_REMARK = re.compile(r"(?<=..)[（(][^（()）]{1,10}[)）]$")  # 发文字号（文号）


def is_document_label(label: str) -> bool:
    """Tell whether the label belongs to a document's label table (索引号, 发文机关 …) and not to any article (来源)."""
    return _DOCUMENT_LABEL.fullmatch(label) is not None


def label_pairs(dom: Dom) -> tuple[LabelPair, ...]:
    """Return the page's labels with their values, in the order of the page.

    Tables give every pair of a label cell (it ends in a colon, is a th, or is a known label) and the cell beside it;
    lines, definition lists and side-by-side elements give the labels known from documents. Heads of lists
    (名称 | 索引号 | 发布日期) and search forms are not labels.
    """
    cells = cells_of(dom)
    pairs = list(islice(_from_tables(dom, cells), MAX_PAIRS))
    positions = {pair.position for pair in pairs}
    pairs.extend(pair for pair in islice(_from_lines(dom.blocks), MAX_PAIRS) if pair.position not in positions)
    return tuple(sorted(pairs, key=lambda pair: pair.position))


# ---------------------------------------------------------------- tables


def _from_tables(dom: Dom, cells: Mapping[HtmlElement, CellText]) -> Iterator[LabelPair]:
    for table in dom.root.iter("table"):
        rows = table_rows(table)
        first = list(islice(rows, MAX_ROWS_OF_LABELS + 1))
        if _alternate(first, cells):
            for labels, values in zip(first[::2], first[1::2], strict=True):
                yield from _from_two_rows(_texts(labels, cells), _texts(values, cells))
            continue
        for row in chain(first, rows):
            if 2 <= len(row) <= 12 and not _has_field(*row):
                yield from _from_row(*_joined(_texts(row, cells), [cell.tag for cell in row]))


def _texts(row: Sequence[HtmlElement], cells: Mapping[HtmlElement, CellText]) -> list[CellText]:
    return [cells.get(cell, CellText("", -1)) for cell in row]


def _joined(row: Sequence[CellText], tags: Sequence[str]) -> tuple[list[CellText], list[str]]:
    """The row with a colon that stands in a cell of its own put to its label: 索引号 | ： | A-1."""
    texts: list[CellText] = []
    kept: list[str] = []
    for cell, tag in zip(row, tags, strict=True):
        if texts and cell.text in _COLONS:
            texts[-1] = CellText(f"{texts[-1].text}：", texts[-1].position)
        else:
            texts.append(cell)
            kept.append(tag)
    return texts, kept


def _alternate(rows: Sequence[Sequence[HtmlElement]], cells: Mapping[HtmlElement, CellText]) -> bool:
    """Whether the table is nothing but rows of a document's labels, each with one row of values below; no links, as
    the entries of a list have them."""
    if not rows or len(rows) % 2 or len(rows) > MAX_ROWS_OF_LABELS:
        return False
    for labels, values in zip(rows[::2], rows[1::2], strict=True):
        words = [label_of(cell.text) for cell in _texts(labels, cells)]
        if len(labels) != len(values) or len(labels) < 2 or not any(map(is_document_label, words)):
            return False
        if not all(not word or _KNOWN_LABEL.fullmatch(word) for word in words):
            return False
        if any(_KNOWN_LABEL.fullmatch(label_of(cell.text)) for cell in _texts(values, cells)):
            return False
        if any(cell.find(".//a") is not None for cell in values):
            return False
    return True


def _from_two_rows(labels: Sequence[CellText], values: Sequence[CellText]) -> Iterator[LabelPair]:
    for label, value in zip(labels, values, strict=True):
        if label.text:
            yield LabelPair(label_of(label.text), value.text[:MAX_VALUE], LabelPlace.TABLE, label.position)


def _from_row(row: Sequence[CellText], tags: Sequence[str]) -> Iterator[LabelPair]:
    if _is_head(row):
        return
    are_labels = [_is_label_cell(cell.text, tag) for cell, tag in zip(row, tags, strict=True)]
    index = 0
    while index < len(row) - 1:
        if are_labels[index] and not are_labels[index + 1]:
            cell, beside = row[index], row[index + 1]
            yield LabelPair(label_of(cell.text), beside.text[:MAX_VALUE], LabelPlace.TABLE, cell.position)
            index += 1
        index += 1


def _is_label_cell(text: str, tag: str) -> bool:
    label = label_of(text)
    if not 2 <= len(label) <= MAX_LABEL:
        return False
    return text.endswith(_COLONS) or tag == "th" or _KNOWN_LABEL.fullmatch(label) is not None


def _is_head(row: Sequence[CellText]) -> bool:
    """The head of a list: two labels side by side, or a label beside 序号, 备注 …; blanks are no neighbours."""
    words = [label_of(cell.text) if not cell.text.endswith(_COLONS) else "" for cell in row]
    heads = [(_HEAD_WORD.fullmatch(word) or _KNOWN_LABEL.fullmatch(word)) is not None for word in words]
    return any(first and second for first, second in pairwise(heads))


_UNSEEN_FIELDS = frozenset({"hidden", "button", "submit", "image", "reset"})


def _has_field(*elements: HtmlElement) -> bool:
    """Whether a visitor can fill something in: then a label asks, and tells nothing."""
    fields = (field for element in elements for field in element.iter("input", "textarea"))
    return any((field.get("type") or "").lower() not in _UNSEEN_FIELDS for field in fields)


# ---------------------------------------------------------------- lines


_WITHOUT_LABELS = (Region.FOOTER, Region.NAVIGATION)
_MARK = re.compile(rf"{_COLON}|[】\]]")  # that sets a label off


def _from_lines(blocks: Sequence[Block]) -> Iterator[LabelPair]:
    ending = _ending_start(blocks)
    for index, block in enumerate(blocks):
        if block.region in _WITHOUT_LABELS or len(block.text) > MAX_LABEL_LINE:
            continue
        if block.linked and block.linked >= len(block.text) - block.text.count(" "):
            continue  # a menu entry or a heading of a column, not a label
        pairs = _in_line(_parted(block)) if _MARK.search(block.text) else []
        pairs = pairs or _in_pieces(block)
        if not pairs or _is_search_field(block.element):
            continue
        alone = LabelPlace.ENDING if index >= ending and len(pairs) == 1 else LabelPlace.LINE
        for label, value in pairs:
            if value or label != pairs[-1][0]:
                yield LabelPair(label, value[:MAX_VALUE], alone, index)
            elif (beside := _value_beside(blocks, index)) is not None:
                place = LabelPlace.LIST if block.tag == "dt" else LabelPlace.BLOCK
                yield LabelPair(label, beside, place, index)


def _parted(block: Block) -> str:
    """The line, with a gap before each inline element that begins with a label of its own."""
    if len(block.pieces) < 2:
        return block.text
    text, at = block.text, 0
    for piece in block.pieces:
        at = max(at, text.find(piece, at))
        if at and text[at - 1] != " " and _LABEL_IN_LINE.match(piece):
            text = f"{text[:at]} {text[at:]}"
            at += 1
    return text


def _in_line(text: str) -> list[tuple[str, str]]:
    """标签：值 标签：值 … of one line; the first label must begin the line or follow a gap."""
    matches = list(_LABEL_IN_LINE.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    return [
        (label_of(match[1]), text[match.end() : end].strip(" |｜;；【[●·•■◆▪★"))
        for match, end in zip(matches, ends, strict=bool(matches))
    ]


def _in_pieces(block: Block) -> list[tuple[str, str]]:
    """Labels without a colon, each in an inline element of its own with its value in the next."""
    words = block.pieces
    if len(words) > 16 or not is_document_label(label_of(words[0])):
        return _in_words(block.text) if len(words) == 1 else []
    if len(words) == 1:
        return [(label_of(words[0]), "")]
    pairs = zip(words[::2], words[1::2], strict=False)
    return [(label_of(label), value) for label, value in pairs if is_document_label(label_of(label))]


def _in_words(text: str) -> list[tuple[str, str]]:
    """索引号 A-1 文号 乙: at least two labels of a document, in turn with their values."""
    words = text.split(" ", 16)
    if not 4 <= len(words) <= 16 or len(words) % 2 or not all(map(is_document_label, words[::2])):
        return []
    return [] if any(map(_KNOWN_LABEL.fullmatch, words[1::2])) else list(zip(words[::2], words[1::2], strict=True))


_BESIDE_TAGS = frozenset({"div", "dd", "span", "p"})


def _value_beside(blocks: Sequence[Block], index: int) -> str | None:
    """The value that stands in the element beside a label by itself: "" when blank, None when the label is no label.

    A label without a colon needs a value, and neighbours that are labels too make it the head of a list.
    """
    block = blocks[index]
    blank = "" if block.text.endswith(_COLONS) else None
    beside = blocks[index + 1] if index + 1 < len(blocks) else None
    if beside is None or not _side_by_side(block, beside.element) or _begins_with_label(beside.text):
        return blank
    if blank is None and index and is_document_label(label_of(blocks[index - 1].text)):
        return None
    return blank if len(beside.text) > MAX_VALUE_BESIDE or _SENTENCE_END.search(beside.text) else beside.text


def _side_by_side(block: Block, value: HtmlElement) -> bool:
    """The value stands inside the label's element, or in the element right after it; an item's colon ends the item."""
    label = block.element
    if enclosing_cell(label) is not None:
        return False
    if label is value or label in value.iterancestors():
        return True
    alone = label.tag == "p" or (label.tag == "li" and block.text.endswith(_COLONS))
    sibling = None if alone else label.getnext()
    beside = ("li",) if label.tag == "li" else _BESIDE_TAGS
    return sibling is not None and sibling.tag in beside and (sibling is value or sibling in value.iterancestors())


def _begins_with_label(text: str) -> bool:
    return _LABEL_IN_LINE.match(text) is not None or _KNOWN_LABEL.fullmatch(label_of(text)) is not None


def _is_search_field(element: HtmlElement) -> bool:
    """A label before an input field asks the visitor and says nothing of the page."""
    parent = element.getparent()
    if parent is not None and parent.tag != "body" and next(islice(parent, MAX_FIELD_ROW, None), None) is None:
        element = parent
    return element.tag != "body" and _has_field(element)


_SENTENCE_END = re.compile(r"[。；！？]")


def _ending_start(blocks: Sequence[Block]) -> int:
    """Index of the first line below the text, i.e. after the first paragraph; past the end when there is none."""
    for index, block in enumerate(blocks):
        if block.region is Region.MAIN and len(block.text) > 40 and _SENTENCE_END.search(block.text):
            return index + 1
    return len(blocks)
