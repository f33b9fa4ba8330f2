"""The title of a page as its readers know it, and where on the page it stands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from html import unescape
from itertools import pairwise

from checks.facts.dates import FoundDate, find_dates_in, fold
from checks.facts.dom import Block, Dom, Region, normalise
from checks.facts.labels import LabelPair, is_document_label
from checks.facts.model import PageKind

LONGEST = 300  # characters; longer blocks are no titles
_SURE = 10  # characters: a shorter line that <title> repeats may be the column's name
_JOINED = 3  # a title may run over this many lines


@dataclass(frozen=True, slots=True)
class Title:
    """A page's title; `first` and `last` (exclusive) are the blocks that show it, None when none does."""

    text: str = ""
    first: int | None = None
    last: int | None = None

    @property
    def span(self) -> tuple[int, int] | None:
        """The blocks that show the title, or None."""
        return None if self.first is None or self.last is None else (self.first, self.last)


def read_title(dom: Dom, kind: PageKind | None = None, pairs: Sequence[LabelPair] = ()) -> Title:
    """Return the title: for an article the line that shows it, confirmed by <title> or meta ArticleTitle if they can.

    Home pages and columns are called what their <title> says. `pairs` are the page's labels: a document's label table
    names it too.
    """
    tag = _without_tags(dom.title_tag)
    if kind in (PageKind.HOME, PageKind.COLUMN) and tag:
        return Title(tag)
    meta = next((text for content in dom.meta_values("ArticleTitle") if (text := _without_tags(content))), "")
    references = [key for text in (meta, tag) if len(key := _key(text)) >= 2]
    shown = _shown_reference(dom, references)
    named = _named_in_table(pairs)
    if named is not None and (shown is None or len(shown.text) < _SURE):
        shown = _shown_reference(dom, [_key(named.value)], (named.position, named.position + 1)) or shown
    if shown is None or len(shown.text) < _SURE:
        shown = _shown_heading(dom, lone=shown is None) or shown
    if shown is None:
        shown = _line_above_info(dom, _key(tag))
    if shown is not None:
        return _without_date(dom, shown)
    if named is not None:
        return Title(named.value)
    return Title(meta if len(meta) > 4 and not meta.endswith(("…", "...")) else _without_site(dom, tag))


_TITLE_LABELS = frozenset({"标题", "文件标题", "文件名称", "公文名称", "信息名称", "名称"})


def _named_in_table(pairs: Sequence[LabelPair]) -> LabelPair | None:
    """The label that names the document, on a page with other labels of a document."""
    if not any(is_document_label(pair.label) for pair in pairs):
        return None
    return next((pair for pair in pairs if pair.label in _TITLE_LABELS and len(pair.value) >= _SURE), None)


def date_in_title(dom: Dom, span: tuple[int, int]) -> FoundDate | None:
    """Return the date that ends a title's line in an element of its own, printed and no part of what <title> says.

    Offsets are those of the last block's text: <h2>关于…的通知<small>[2024-03-05]</small></h2>.
    """
    block = dom.blocks[span[1] - 1]
    if len(block.pieces) < 2 or not _OWN_DATE.fullmatch(fold(block.pieces[-1])):
        return None
    found = find_dates_in(block.text, date.max)
    if not found or _key(found[-1].text) in _key(dom.title_tag):
        return None
    return found[-1] if block.text.rfind(block.pieces[-1]) <= found[-1].start else None


_OWN_DATE = re.compile(r"\s*\[?\s?\d{4}(?:[-/.]\d{1,2}[-/.]\d{1,2}|年\d\d月\d\d日)(?:\s\d\d:\d\d(?::\d\d)?)?\s?\]?\s*")


def _without_date(dom: Dom, title: Title) -> Title:
    if title.span is None or date_in_title(dom, title.span) is None:
        return title
    return Title(title.text.removesuffix(dom.blocks[title.span[1] - 1].pieces[-1].strip()).rstrip(), *title.span)


def _without_tags(text: str) -> str:
    return normalise(re.sub(r"<[^<>]{0,200}>", "", unescape(text)))


_QUOTES = str.maketrans("“”‘’＂「」", '""\'\'"""')


@lru_cache(maxsize=4096)  # a site's menu stands on page after page
def _key(text: str) -> str:
    """What two spellings of one title have in common: it has no white space."""
    return "".join(unicodedata.normalize("NFKC", text[:LONGEST].translate(_QUOTES)).split())


# ---------------------------------------------------------------- lines that the page's own tags confirm

_SEPARATORS = "-_|–—·>»/,("


def _shown_reference(dom: Dom, references: list[str], elsewhere: tuple[int, ...] = ()) -> Title | None:
    """The lines that repeat what meta ArticleTitle or <title> says; the longest, unlinked, most title-like ones win.

    `elsewhere` are lines that say it and are no title.
    """
    best: tuple[tuple[int, bool, bool, int], Title] | None = None
    keys = [_key(block.text) if len(block.text) <= LONGEST else "" for block in dom.blocks]
    said = "\n".join(references)
    for index, block in enumerate(dom.blocks):
        if not keys[index] or keys[index][:6] not in said or index in elsewhere:
            continue
        count = _matching_lines(keys[index : index + _JOINED], references)
        if not count:
            continue
        length = sum(len(key) for key in keys[index : index + count])
        linked = block.linked >= len(keys[index]) or block.region is not Region.MAIN
        rank = (length, not linked, _is_titlelike(block), -index)
        if best is None or rank > best[0]:
            text = _joined([line.text for line in dom.blocks[index : index + count]])
            best = (rank, Title(text, index, index + count))
    return best[1] if best is not None and (best[0][1] or best[0][2]) else None


def _joined(lines: list[str]) -> str:
    text = lines[0]
    for line in lines[1:]:
        text += line if _is_wide(text[-1]) or _is_wide(line[0]) else f" {line}"
    return text


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WFA"


def _matching_lines(keys: list[str], references: list[str]) -> int:
    """How many of the lines, taken together, say what a reference says (0: not even the first)."""
    for count in range(len(keys), 0, -1):
        joined = "".join(keys[:count])
        if all(keys[:count]) and any(_says(joined, reference) for reference in references):
            return count
    return int(any(_says_more(keys[0], reference) for reference in references))


def _says(line: str, reference: str) -> bool:
    if reference == line:
        return len(line) >= 2
    if reference.startswith(line):
        return len(line) >= 10 or (len(line) >= 4 and reference[len(line)] in _SEPARATORS)
    return len(line) >= 12 and line in reference


def _says_more(line: str, reference: str) -> bool:
    """Whether the reference is the beginning of the line: it was cut, or the line goes on with a subtitle."""
    cut = reference.rstrip(".…")
    return line.startswith(cut) and len(cut) >= 10 and len(line) <= 2 * len(cut) + 20


_TITLE_NAME = re.compile(r"(?:^|[-_\s])(?:\w{0,12}(?:title|tit|biaoti|headline)|bt)(?:$|[-_\s\d])", re.I)


def _is_titlelike(block: Block) -> bool:
    if block.heading:
        return True
    element = block.element
    return _TITLE_NAME.search(f"{element.get('class') or ''} {element.get('id') or ''}") is not None


# ---------------------------------------------------------------- lines that look like a title

_WORDS = (
    r"来源\s*[:：]|发布(?:时间|日期|机构|者|人|单位)|发表(?:时间|日期)|(?:时间|日期|作者|编辑)\s*[:：]|浏览|阅读|点击|访问量|字体|字号"
    r"|打印"
)
_DAY = r"\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}"
_INFO = re.compile(f"{_WORDS}|{_DAY}")
_INFO_WORDS = re.compile(_WORDS)
_DAY_AND_REST = re.compile(rf"{_DAY}|[\d:日时分秒星期]|\W")


def is_info_line(text: str) -> bool:
    """Tell whether a line is of the kind that stands under a title: source, date, views, font size."""
    return len(text) <= 200 and _INFO.search(text) is not None


def _may_be_title(text: str) -> bool:
    """Whether a title-like line says more than a day: 新闻联播 2024年3月5日 is a title, 2024-03-05 10:00 is none."""
    return not is_info_line(text) or (_INFO_WORDS.search(text) is None and len(_DAY_AND_REST.sub("", text)) >= _NAME)


_NAME = 4  # characters


def _shown_heading(dom: Dom, *, lone: bool) -> Title | None:
    """The longest title-like line close above the first info line, else (if `lone`) the only h1."""
    candidates = [
        index
        for index, block in enumerate(dom.blocks)
        if block.region is Region.MAIN and 4 <= len(block.text) <= LONGEST and not block.linked and _is_titlelike(block)
    ]
    for index, block in enumerate(dom.blocks):
        if not is_info_line(block.text):
            continue
        nearest = index + (date_in_title(dom, (index, index + 1)) is not None)
        above = [at for at in candidates if index - 4 <= at < nearest and _may_be_title(dom.blocks[at].text)]
        if above:
            best = max(above, key=lambda at: len(dom.blocks[at].text))
            return Title(dom.blocks[best].text, best, best + 1)
    headings = [index for index in candidates if dom.blocks[index].heading == 1]
    if lone and len(headings) == 1:
        return Title(dom.blocks[headings[0]].text, headings[0], headings[0] + 1)
    return None


def _line_above_info(dom: Dom, tag: str) -> Title | None:
    """The line right above the first info line that is dated, or above any if <title> ends in it (site, then title)."""
    for index, (above, block) in enumerate(pairwise(dom.blocks)):
        if above.region is Region.MAIN and len(above.text) > _SENTENCE and above.text.endswith("。"):
            return None  # below the text stand signatures
        if block.region is not Region.MAIN or not is_info_line(block.text):
            continue
        if index and (_DOCUMENT_NUMBER.fullmatch(above.text) or _is_share_bar(above)):
            index, above = index - 1, dom.blocks[index - 1]
        if _is_dated_info(block) or tag.endswith(_key(above.text)):
            fits = above.region is Region.MAIN and not above.linked and 6 <= len(above.text) <= _LONGEST_GUESS
            bare = fits and not is_info_line(above.text) and not _PUNCTUATION.search(above.text)
            return Title(above.text, index, index + 1) if bare else None
    return None


def _is_share_bar(block: Block) -> bool:
    """Whether a line is nothing but short links, as 微信 微博 QQ空间 between title and day."""
    return len(block.pieces) > 1 and block.linked >= len(_key(block.text)) and max(map(len, block.pieces)) <= _SHARE


_SHARE = 5  # characters: 微信好友, QQ空间


def _is_dated_info(block: Block) -> bool:
    """Whether a line tells a labelled day, a day with source or views, or (outside tables) begins with a moment."""
    if _DATED_INFO.search(block.text):
        return True
    with_words = _INFO_WORDS.search(block.text) and re.search(_DAY, block.text)
    return bool(with_words) or (block.tag != "td" and _MOMENT.match(fold(block.text)) is not None)


_LONGEST_GUESS = 80  # characters
_SENTENCE = 40  # characters
_DATED_INFO = re.compile(r"(?:时间|日期)\s*[:：]?\s*[\[【]?\s*\d{4}\s?[-/.年]")
_MOMENT = re.compile(rf"{_DAY}日?\s\d{{1,2}}:\d\d")
_DOCUMENT_NUMBER = re.compile(r".{2,16}[〔\[［(（]\d{4}[〕\]］)）]\s?第?\d+\s?号")
_PUNCTUATION = re.compile("[。；：:>＞|]|(?:时间|日期|期限)$")

# ---------------------------------------------------------------- the <title> tag alone

_SITE_ENDING = re.compile(
    r"(?:网|网站|政府|门户|平台|局|委|委员会|办|办公室|厅|镇|乡|首页|频道|公开|动态|公告|新闻|要闻)$"
)


def _without_site(dom: Dom, text: str) -> str:
    """The <title> without the names of site and column that stand behind the page's own."""
    names = {_key(name) for name in dom.meta_values("SiteName", "ColumnName") if name}
    while match := re.search(r"^(.{4,})\s*(?:[_|–>»]|-{1,2}|\s—)\s*([^_|–>»-]{2,40})$", text):
        ending = match[2].strip()
        if _key(ending) not in names and not _SITE_ENDING.search(ending):
            break
        if _key(match[1]) in names:
            break
        text = match[1].rstrip(" _|–>»-—")
    return text
