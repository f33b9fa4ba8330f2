"""公开属性: whether an official document says 主动公开, 依申请公开 or 不予公开, and where it says so.

Read from label tables (公开属性, 公开方式, 信息公开选项 …), meta tags and end notes （此件公开发布）. Prose, menus and
column names that merely use the words are never a statement: a label or an end note's wording must introduce them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from checks.facts.dom import Dom, Region
from checks.facts.labels import ATTRIBUTE_LABEL, LabelPair, LabelPlace, compact
from checks.facts.model import AttributePlace, AttributeStatement, OpenAttribute

MAX_TEXT = 80  # characters of a statement that are kept
MAX_LINE = 120  # a longer line is prose, not an end note

LABEL = re.compile(ATTRIBUTE_LABEL)

_WITHHELD = r"(?:不予?|不宜|免予|免于|非|暂不|不对外)公开(?:发布)?"
_ON_REQUEST = r"(?:可)?依申请(?:可)?(?:予以)?(?:公开)?"
_ACTIVE = r"(?:(?:可以?|全文|部分|主动|删减后|删节后|摘要|对外|(?:面?向)?全?社会|予以){0,3}公开(?:发布)?|公布|主动)"
_VALUE = re.compile(
    rf"(?:本|此)?(?:件|文件)?(?:属于?|为|拟|可)?"
    rf"(?:(?P<withheld>{_WITHHELD})|(?P<on_request>{_ON_REQUEST})|(?P<active>{_ACTIVE}))"
    r"(?:类|信息|类信息|文件|类文件|政府信息)?(?:[,，、]?(?:不|未经许可不得)转发)?(?:[（(]全文[）)]?)?"
)
_TICK = r"[（(\[【［]\s?[■☑☒√✓✔●◉]\s?[）)\]】］]|[■☑☒√✓✔●◉]|R(?=[一-鿿])"  # R: a tick of Wingdings read as a letter
_BOX = r"[（(\[【［]\s{0,8}[）)\]】］]|[□☐○◯口￡£]"
_GAP = re.compile(r"(?<=[一-鿿])\s{1,8}(?=[一-鿿])")  # 主 动 公 开
_OPTION = "主动公开|依申请公开|不予公开|不公开"
_CHOICE = re.compile(rf"(?P<tick>{_TICK})|(?P<box>{_BOX})|(?P<option>{_OPTION})")

_NOTE = re.compile(r"[（(【\[〔]?(?:本|此)(?:件|文件|文)(?P<value>[^（()）【】\[\]〔〕。；;]{2,16})[）)】\]〕]?[。.]?")
_BRACKETED_NOTE = re.compile(
    r"[（(【\[〔；;，,](?:(?:本|此)(?:件|文件|文)(?P<note>[^（()）【】\[\]〔〕。；;]{2,16})|(?P<bare>主动公开|依申请公开|不予公开|公开发布))"
    r"(?:[）)】\]〕][。.]?|$)"
)
_LABELLED = re.compile(rf"[（(【\[〔]?(?P<label>{LABEL.pattern})[】\]〕]?[:：](?P<value>.{{1,24}}?)[）)】\]〕。]?")
_PROSE = re.compile(r"注明|标注|标明|标识|字样|如[:：]|[。；;！？“”\"'‘’]")


def attribute_of(value: str) -> OpenAttribute | None:
    """Return the attribute that a label's value names, or None where it names none or leaves several open.

    A row of tick boxes (■主动公开 □依申请公开) counts when exactly one is ticked.
    """
    value = _GAP.sub("", value)
    if len(re.findall(_OPTION, value)) > 1:
        ticked = _ticked_options(value)
        return attribute_of(ticked[0]) if len(ticked) == 1 else None
    match = _VALUE.fullmatch(compact(re.sub(_TICK, "", value)).strip("。.；;（）()【】[]〔〕"))
    if match is None:
        return None
    if match["withheld"]:
        return OpenAttribute.WITHHELD
    return OpenAttribute.ON_REQUEST if match["on_request"] else OpenAttribute.ACTIVE


def _ticked_options(value: str) -> list[str]:
    """The options that are ticked. A row that begins with a mark has them in front, one that ends with a mark behind;
    else (主动公开√ 依申请公开) a tick belongs to the option that it touches, and to none when it touches two."""
    found = list(_CHOICE.finditer(value))
    ahead = [(mark, option) for mark, option in pairwise(found) if (mark.lastgroup, option.lastgroup) == _TICKED]
    behind = [(option, mark) for option, mark in pairwise(found) if (mark.lastgroup, option.lastgroup) == _TICKED]
    begins, ends = (found[at].lastgroup != "option" for at in (0, -1))
    if begins == ends:
        ahead = [(mark, option) for mark, option in ahead if mark.end() == option.start()]
        behind = [(option, mark) for option, mark in behind if option.end() == mark.start()]
        begins, ends = bool(ahead), bool(behind)
    if begins == ends:
        return []
    return [option[0] for _, option in ahead] if begins else [option[0] for option, _ in behind]


_TICKED = ("tick", "option")


def is_attribute_label(label: str) -> bool:
    """Tell whether a label (without spaces and colons) is one under which the open attribute is stated."""
    return LABEL.fullmatch(label) is not None


def read_attributes(dom: Dom, pairs: Iterable[LabelPair]) -> tuple[AttributeStatement, ...]:
    """Return every statement of the open attribute on the page: label table first, then meta, then end notes.

    A label with a blank or odd value gives no statement; it stands in `Document.labels` under `is_attribute_label`.
    """
    labelled = (_from_label(pair) for pair in pairs if is_attribute_label(pair.label))
    lines = (block.text for block in dom.blocks if block.region is not Region.NAVIGATION)
    notes = _end_notes(lines, AttributePlace.ENDNOTE)
    return tuple(dict.fromkeys((*filter(None, labelled), *_from_meta(dom), *notes)))


def attributes_in_text(text: str, where: AttributePlace) -> tuple[AttributeStatement, ...]:
    """Return the statements in plain text: end notes, and lines such as 信息公开选项：主动公开."""
    lines = text.splitlines()
    return tuple(dict.fromkeys((*_end_notes(lines, where), *_labelled_lines(lines, where))))


def _from_label(pair: LabelPair) -> AttributeStatement | None:
    value = attribute_of(pair.value)
    if value is None:
        return None
    where = AttributePlace.ENDNOTE if pair.place is LabelPlace.ENDING else AttributePlace.TABLE
    return AttributeStatement(value, where, f"{pair.label}：{pair.value}"[:MAX_TEXT])


_META_NAME = re.compile(r"公开|open|disclos|attribute|public(?!ation|sh)|gk(?:sx|fs|lb|lx|xs)", re.I)
_OTHER_META = re.compile(r"column|article|site|keyword|descri|title|date|type$|source|og:", re.I)


def _from_meta(dom: Dom) -> Iterator[AttributeStatement]:
    for name, content in dom.meta:
        named = _META_NAME.search(name) and not _OTHER_META.match(name)
        if named and (value := attribute_of(content)) is not None:
            yield AttributeStatement(value, AttributePlace.META, f"{name}：{content}"[:MAX_TEXT])


def _statement_lines(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The lines short enough for a statement that may hold one, as written and without spaces."""
    for line in lines:
        if "公" in line and "开" in line and len(line) <= 2 * MAX_LINE and len(written := compact(line)) <= MAX_LINE:
            yield line.strip(), written


def _end_notes(lines: Iterable[str], where: AttributePlace) -> Iterator[AttributeStatement]:
    """The lines that are, or close with, a note such as （此件公开发布）."""
    for line, written in _statement_lines(lines):
        if (value := _note_value(written)) is not None:
            yield AttributeStatement(value, where, line[-MAX_TEXT:])


def _note_value(line: str) -> OpenAttribute | None:
    if whole := _NOTE.fullmatch(line):
        return attribute_of(whole["value"])
    if line[0] in "（(【[〔" and (labelled := _LABELLED.fullmatch(line)):
        return attribute_of(labelled["value"])
    for match in _BRACKETED_NOTE.finditer(line):
        rest = line[: match.start()] + line[match.end() :]
        alone = len(rest) <= 60 and not _PROSE.search(rest)
        if alone and (match["note"] or not rest):
            return attribute_of(match["note"] or match["bare"])
    return None


def _labelled_lines(lines: Iterable[str], where: AttributePlace) -> Iterator[AttributeStatement]:
    for line, written in _statement_lines(lines):
        match = _LABELLED.fullmatch(written)
        if match and (value := attribute_of(match["value"])) is not None:
            yield AttributeStatement(value, where, line[:MAX_TEXT])
