"""公文要素: what a page says of the document it shows.

索引号, 发文机关, 发文字号, 成文日期, 发布日期, 有效性, 主题分类. The label table speaks first. A page without one may
still show the number (发文字号) where a document bears it: under the title or in the head of its text (GB/T 9704—2012,
7.2.5). Numbers of documents that the text merely quotes are never taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice

from lxml.html import HtmlElement

from checks.facts.dates import find_dates_in
from checks.facts.dom import Block, Dom, Region, visible_text
from checks.facts.labels import LabelPair, compact
from checks.facts.model import Document
from checks.facts.tables import enclosing_cell

# Labels of each element, the most exact first.
INDEX_NUMBER = ("索引号", "信息索引号", "信息索引", "索取号", "索引编号")
DOC_NUMBER = ("发文字号", "发文文号", "发文号", "文号", "文件字号", "文件号", "文件编号")
ISSUER = (
    *("发文机关", "发文机构", "发文单位", "发文部门", "制发机关", "制发机构", "制发单位", "制文机关", "印发机关"),
    *("发布机构", "发布机关", "发布单位", "发布主体", "公开机构", "公开单位", "公开机关", "公布机构"),
)
TITLE = ("公文名称", "文件名称", "文件标题", "信息名称", "名称", "标题")
WRITTEN_DATE = (
    *("成文日期", "成文时间", "生成日期", "生成时间", "形成日期", "制发日期", "制文日期", "发文日期", "发文时间"),
    *("印发日期", "印发时间", "签发日期"),
)
PUBLISHED_DATE = ("发布日期", "发布时间", "公开日期", "公开时间", "公布日期", "公布时间")
VALIDITY = ("有效性", "文件有效性", "有效状态", "效力状态", "文件效力", "时效性", "公文时效", "文件时效", "文件状态")
SUBJECT = ("主题分类", "信息分类", "组配分类")

HEAD_LINES = 80  # lines at most, label table included, before the text begins
SENTENCE = 30  # characters of a line with a full stop from which it is a sentence of the text

_BLANK = re.compile(r"无|暂无|空|[-—－–_/\\.…*]+|null|none|nil|n/?a|undefined", re.I)
_OPEN, _CLOSE = r"〔\[【（(〈﹝［「〖{<《", r"〕\]】）)〉﹞］」〗}>》"
_YEAR_AND_NUMBER = (
    rf"(?:[{_OPEN}](?:19|20)\d{{2}}[{_CLOSE}]?|(?:19|20)\d{{2}}[{_CLOSE}])"  # one bracket may have got lost
    r"第?\d{1,5}号?"
)
_NUMBER = re.compile(
    rf"(?:[一-鿿][一-鿿〇、·]{{1,23}}?{_YEAR_AND_NUMBER}"
    r"|[一-鿿]{2,20}(?:令|公告)\(?（?(?:(?:19|20)\d{2}年)?第?[\d〇零一二三四五六七八九十百]{1,6}号）?\)?)"
)
_SENTENCE_END = re.compile("[。；]")
_NUMBER_LABEL = re.compile(r"(?:发?文字?号|文件[字编]?号)[:：]?")
_SIGNER = re.compile(r"签发人[:：]?[一-鿿\s]{0,20}")
_KIND = "通知|意见|决定|通报|批复|复函|函|命令|令|公告|通告|报告|请示|纪要|方案|办法|规定|细则|规划|计划|要点"
_NUMBER_IN_TITLE = re.compile(rf"(?:{_KIND})[（(〔\[【]({_NUMBER.pattern})[）)〕\]】]?")


_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_LETTERHEAD = re.compile(r"^[一-鿿]{2,30}文件(?=[一-鿿]{2})")  # 石家庄市栾城区教育局文件


def doc_number_in(text: str) -> str | None:
    """Return the document number (发文字号) that the text consists of, without spaces, or None.

    Any style of brackets will do (〔2026〕, [2026] …), also one that lost a bracket or the 号. A letterhead or label
    before it and 签发人 behind it are allowed; any other word is not: a number quoted in a sentence is none.
    """
    if len(text) > 80 or not any(character.isdigit() for character in text):
        return None
    written = compact(_SIGNER.sub("", text)).translate(_DIGITS).strip("。；;，,")
    written = _NUMBER_LABEL.sub("", _LETTERHEAD.sub("", written), count=1)
    return written if _NUMBER.fullmatch(written) else None


def read_document(dom: Dom, pairs: Sequence[LabelPair], as_of: date) -> Document:
    """Return the document's elements; None where the page does not show one, "" where its label has no value.

    The most exact label with a value wins; 无 and dashes are no value.
    """
    labels = tuple((pair.label, label_value(pair.value)) for pair in pairs)
    number = _first(labels, DOC_NUMBER)
    written = _first(labels, WRITTEN_DATE)
    published = _first(labels, PUBLISHED_DATE)
    return Document(
        index_number=_first(labels, INDEX_NUMBER),
        doc_number=(doc_number_in(number) or number) if number else doc_number_in_head(dom) or number,
        issuer=_first(labels, ISSUER),
        title=_first(labels, TITLE),
        written_date=written,
        written_on=_day(written, as_of),
        published_date=published,
        published_on=_day(published, as_of),
        validity=_first(labels, VALIDITY),
        subject=_first(labels, SUBJECT),
        labels=tuple((pair.label, pair.value) for pair in pairs),
    )


def label_value(value: str) -> str:
    """Return a label's value; "" for what stands in for a missing one (无, —)."""
    return "" if _BLANK.fullmatch(compact(value)) else value


def _first(labels: Sequence[tuple[str, str]], names: Sequence[str]) -> str | None:
    """The value of the first of the names that has one; "" when only blank ones are there; None when none is."""
    found = None
    for name in names:
        for label, value in labels:
            if label == name:
                if value:
                    return value
                found = ""
    return found


def _day(written: str | None, as_of: date) -> date | None:
    found = find_dates_in(written, as_of, compact=True) if written else ()
    return found[0].date if found else None


def doc_number_in_head(dom: Dom) -> str | None:
    """Return the number that stands by itself in the head of the text or closes the title; None also for several."""
    found: set[str] = set()
    for block in head_lines(dom):
        number = doc_number_in(block.text) or _number_closing_title(block.text)
        if number and not _stands_in_row(block.element):
            found.add(number)
    return found.pop() if len(found) == 1 else None


def _number_closing_title(line: str) -> str | None:
    """The number in brackets at the end of a title: …的通知（石栾政办〔2026〕3号）."""
    written = compact(line).translate(_DIGITS)
    match = _NUMBER_IN_TITLE.search(written) if written.endswith(("）", ")", "号")) else None
    if match is None or match.end() != len(written):
        return None
    return match[1]


def head_lines(dom: Dom) -> Iterator[Block]:
    """Yield the lines from the top of the text to its first sentence, without links."""
    lines = (block for block in dom.blocks if block.region is Region.MAIN and block.linked * 2 <= len(block.text))
    for block in islice(lines, HEAD_LINES):
        if len(block.text) > SENTENCE and _SENTENCE_END.search(block.text):
            return
        yield block


def _stands_in_row(element: HtmlElement) -> bool:
    """A cell beside other cells with text: part of a list or of a label table."""
    cell = enclosing_cell(element)
    row = cell.getparent() if cell is not None else None
    filled = (other for other in row if visible_text(other)) if row is not None else iter(())
    return len(tuple(islice(filled, 2))) == 2
