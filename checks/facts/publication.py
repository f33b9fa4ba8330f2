"""When a page was published (发布日期), by its own word: a label of that meaning, or the line under the title.

A date that merely stands on the page (a clock, a meeting, a deadline, another item's) is never taken: rather none than
a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote, urlsplit

from lxml.html import HtmlElement

from checks.facts.dates import (
    FoundDate,
    ReadingDay,
    find_dates_in,
    find_split_date,
    fold,
    is_yearless,
    make_date,
    may_hold_date,
)
from checks.facts.dom import FOOTER_WORDS, Block, Dom, Region, visible_text
from checks.facts.model import DateCandidate, DateMeaning, DateSource, PublishedDate
from checks.facts.titles import date_in_title

PASSAGE = 80  # characters of the passage kept with a candidate

# ---------------------------------------------------------------- what a label says a date is

PLAIN, FAIR, WEAK, NONE = 3, 2, 1, 0  # how plainly a label says 发布

_WHEN = "(?:时间|日期|時間)"
_MEANINGS: tuple[tuple[re.Pattern[str], DateMeaning, int], ...] = tuple(
    (re.compile(pattern, re.I), meaning, strength)
    for pattern, meaning, strength in (
        (
            rf"(?:公告|公示|通知|资讯|视频)?(?:[发發][布佈]|发表|刊发|刊登|登载|发稿|公布|上网|上线|挂网|推送)(?:{_WHEN}|日|于)?|(?:信息|新闻|文章|稿件){_WHEN}"
            r"|(?:publish(?:ed)?|posted|released?)(?:on|date|time|at)?",
            DateMeaning.PUBLISHED,
            PLAIN,
        ),
        (rf"(?:(?:主动)?公开|公告|上传|录入|添加|加入|编辑|入库|投稿|张贴|提供){_WHEN}", DateMeaning.PUBLISHED, FAIR),
        (rf"{_WHEN}|发文{_WHEN}|date|time", DateMeaning.PUBLISHED, WEAK),
        (rf"(?:成文|印发|签发|制定|制发|制作|制文|拟文|落款|文件|颁布|形成){_WHEN}", DateMeaning.WRITTEN, PLAIN),
        (rf"(?:最后|最近|最新|数据)?(?:更新|修改|修订)(?:{_WHEN}|于)?|编辑于", DateMeaning.UPDATED, PLAIN),
        (rf"(?:生成|产生|创建){_WHEN}", DateMeaning.GENERATED, PLAIN),
    )
)
_OWNER = re.compile(r"^(?:本?(?:信息|文章|文件|网站|新闻|稿件|内容|网上|首次|页面|网页|站内|本文|文档|该|此)的?){1,3}")


@lru_cache(maxsize=1024)
def meaning_of(label: str) -> tuple[DateMeaning, int] | None:
    """Return what a label says its date is, and how plainly (PLAIN, FAIR, WEAK); None for a label that is no date's."""
    word = re.sub(r"[\s:：\[\]【】()（）]", "", label)
    for candidate in (word, _OWNER.sub("", word)):
        for pattern, meaning, strength in _MEANINGS:
            if candidate and pattern.fullmatch(candidate):
                return meaning, strength
    return None


_LAST_WORDS = re.compile(r"[A-Za-z\u4e00-\u9fff]{1,16}(?:\s{1,4}[\u4e00-\u9fff]{1,16}){0,5}$")


def label_before(text: str) -> tuple[str, bool]:
    """Return the word that a text (it stands before a date) ends with, and whether a colon sets it off."""
    folded = fold(text[-60:]).rstrip()
    tail = folded.rstrip(":[]()【】 ")
    match = _LAST_WORDS.search(tail)
    words = match[0].split() if match else []
    word = "".join(words)
    if word and meaning_of(word) is None:
        word = _label_at_end(words, labelled=":" in tail[: -len(match[0])] if match else False)
    return word, folded.rstrip("[]()【】 ").endswith(":")


def _label_at_end(words: Sequence[str], *, labelled: bool) -> str:
    """The label behind another label's value: 教育局 日期, or (`labelled`: that label has a colon) 教育局发布时间."""
    for first in range(1, len(words)):
        word = "".join(words[first:])
        if (meaning := meaning_of(word)) and (labelled or meaning[1] == PLAIN):
            return word
    last = words[-1]
    for at in range(1, len(last) - 3) if labelled else ():
        if (meaning := meaning_of(last[at:])) and meaning[1] >= FAIR:
            return last[at:]
    return "".join(words)


# ---------------------------------------------------------------- choosing among the dates seen

_META_NAMES = (
    "PubDate",
    "PublishDate",
    "publish_date",
    "pubDateTime",
    "article:published_time",
    "og:published_time",
    "og:release_date",
    "datePublished",
    "publishtime",
    "publish_time",
    "releaseDate",
    "firstpublishedtime",
    "DC.date.issued",
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A candidate with what its choice depends on: its line, how plainly that calls it 发布, whether the line is in the
    zone under the title, or above the title, and whether it stands right under a link, as in a list (`of_entry`)."""

    candidate: DateCandidate
    line: int
    strength: int
    in_zone: bool
    above: bool
    of_entry: bool

    @property
    def rank(self) -> int:
        """How far to trust it; lower is better. 发布时间 deep in the text may speak of something else."""
        if self.strength == PLAIN:
            return 0 if self.in_zone or self.above else 2
        return 1 if self.in_zone else 3


def published(
    dom: Dom, *, today: ReadingDay, title: tuple[int, int] | None = None, undated: bool = False
) -> PublishedDate:
    """Return when the page says it was published.

    `title` are the blocks that show the page's title. Order of trust: a label that plainly says 发布, the line under
    the title, weaker labels; meta tags only where the address names the same day, for many hold the day of a rebuild.
    `undated` is for home pages and columns, whose dates are their entries': only candidates are reported. A date after
    `today` + 1 is taken only from a plain label. `conflicts` also hold what meta tags and the address say.
    """
    seen = list(_Reader(dom, today, title).read())
    witnesses = (*_meta_dates(dom, today.as_of), *_url_dates(dom, today))
    candidates = tuple(item.candidate for item in seen) + witnesses
    chosen = None if undated else _shown(seen, today) or _corroborated(seen, witnesses, today)
    if chosen is None:
        return PublishedDate(candidates=candidates)
    conflicts = tuple(
        other for other in candidates if other.meaning is DateMeaning.PUBLISHED and other.date != chosen.date
    )
    return PublishedDate(chosen.date, chosen.source, chosen.label, candidates, conflicts)


def _shown(seen: Sequence[_Seen], today: ReadingDay) -> DateCandidate | None:
    """The shown date that the page itself calls its publication date."""
    possible = [
        item
        for item in seen
        if item.candidate.meaning is DateMeaning.PUBLISHED
        and (item.strength == PLAIN or (item.strength and today.reaches(item.candidate.date)))
    ]
    if not possible:
        return None
    best = min(possible, key=lambda item: (item.rank, item.line))
    if not best.in_zone and len({item.candidate.date for item in possible if item.rank == best.rank}) > 2:
        return None  # these are the entries of a list
    if best.of_entry and sum(item.of_entry for item in possible) > 2:
        return None  # so are these
    return best.candidate


def _corroborated(seen: Sequence[_Seen], witnesses: Sequence[DateCandidate], today: ReadingDay) -> DateCandidate | None:
    """A shown date in doubtful form that another witness confirms, or a meta tag that the page's address confirms."""
    hidden = {witness.date for witness in witnesses}
    for item in seen:
        if item.in_zone and item.candidate.source is DateSource.TEXT and item.candidate.date in hidden:
            return item.candidate
    of_url = [witness.date for witness in witnesses if witness.source is DateSource.URL]
    for witness in witnesses:
        if witness.source is DateSource.META and of_url and abs(of_url[0] - witness.date) <= timedelta(days=1):
            return witness if today.reaches(witness.date) else None
    return None


# ---------------------------------------------------------------- the dates a visitor sees

_NO_DATE_LABEL = re.compile(
    r"(?:来源|作者|编辑|责编|浏览量?|次数|点击量?|阅读量?|访问量?|字号|字体|审核|供稿|单位|机构|部门|出处|人|者|栏目|分类|类别|关键[词字]|主题)$"
)
_CLOCK_WORDS = re.compile(r"今[天日](?:是|[:：])|现在(?:是|时间)|当前(?:时间|日期)|系统时间|北京时间|服务器时间|欢迎")
_WEEKDAY = re.compile("星期|农历")
_INFO_WORDS = re.compile(r"来源|作者|编辑|浏览|点击|阅读|访问|字号|字体|打印|分享|发布|发表|责编|审核|供稿|次数")
_TOOL_WORDS = re.compile(r"打印|关闭|收藏|分享|纠错|字体|评论|字号|返回|首页|更多")
_TIME_OF_DAY = r"\d{1,2}:\d{2}(?::\d{2})?"
_RANGE = re.compile(rf"\s*(?:{_TIME_OF_DAY})?\s*(?:至|到|~|～|-+\s*(?:19|20)\d\d)")
_OTHER_EVENT = re.compile(
    rf"\s*(?:星期.)?\s*(?:{_TIME_OF_DAY})?\s*(?:起|止|[上下中]午|凌晨|晚|以?前|以?后|之[前后日]|通过|[施实]行|实施|修[订正]|召开|举行|出生|任|在|[，,。、])"
)
_BEFORE_OTHER_DATE = re.compile(r"(?:截[至止]|自|从|于|至|到|的|在)\s*$")
_PRINTED = re.compile(r"^[^月]+$|(?:年|月)\s?0\d")  # by a program: people write 2024年3月5日 under what they sign
_PLACE = re.compile(r"(?:地\s?点|参加|出席|主持|嘉宾|参会)(?:人员|人)?\s*[:：]")
_WEAK_LABEL = re.compile(r"(?:时间|日期)\s*[:：]")
_ZONE_LINES = 10  # lines below the title in which its info line is looked for
_LINES_ABOVE = 2
_PARAGRAPH = 90  # characters: a longer line without the words of an info line is the text proper
_SENTENCE = 30  # characters: so does a shorter one that ends in a full stop
_LONGEST_LINE = 2_000  # characters: dates in longer lines are prose
_SHORT_LINE = 60
_LONG_TITLE, _SHORT_TITLE = (
    8,
    4,
)  # characters of a link's text that make it another item's title: anywhere, in a list row


@dataclass(frozen=True, slots=True)
class _Label:
    """The words in front of a date; `beside`: they stand in a cell of their own; `set_off` by a colon."""

    word: str = ""
    set_off: bool = False
    beside: bool = False


class _Reader:
    """Reads the dated lines of one page."""

    def __init__(self, dom: Dom, today: ReadingDay, title: tuple[int, int] | None) -> None:
        self.blocks = dom.blocks
        self.today = today
        self.title = title
        self.in_title = date_in_title(dom, title) if title else None
        self.end = _footer_start(dom.blocks)
        self.zone = self._zone()
        self.around_title = set(dom.blocks[title[0]].element.iterancestors()) if title else set()

    def _zone(self) -> range:
        """The lines between the title and the text proper."""
        if self.title is None:
            return range(0)
        first, last = self.title[1], min(self.title[1] + _ZONE_LINES, self.end)
        for index in range(first, last):
            text = self.blocks[index].text
            longest = _SENTENCE if text.endswith("。") else _PARAGRAPH
            if len(text) > longest and not _INFO_WORDS.search(text[:_PARAGRAPH]):
                return range(first, index)
        return range(first, last)

    def read(self) -> Iterator[_Seen]:
        """Yield every date shown outside header, side bars and footer, with its meaning."""
        for index, block in enumerate(self.blocks[: self.end]):
            if not may_hold_date(block.text):
                continue
            if block.region in (Region.MAIN, Region.NAVIGATION) and len(block.text) <= _LONGEST_LINE:
                found = find_dates_in(block.text, self.today.as_of) or self._date_of_piece(block)
                yield from self._dates(index, found) if found else self._unusual_dates(index)

    def _dates(self, index: int, found: Sequence[FoundDate]) -> Iterator[_Seen]:
        end = 0
        for each in found:
            label = self._label(index, end, each.start)
            end = each.end
            meaning = meaning_of(label.word)
            if meaning:
                yield self._labelled(index, each, label, meaning)
            elif label.set_off and not _NO_DATE_LABEL.search(label.word):
                yield self._seen(index, each, DateMeaning.OTHER, label, NONE)
            elif (index in self.zone or self._is_info_above(index)) and self._is_info_line(index, each):
                strength = FAIR if _PRINTED.search(each.text) or self._has_info(index) else NONE
                yield self._seen(index, each, DateMeaning.PUBLISHED, label, strength)
            elif self._is_title(index) and each == self.in_title:
                yield self._seen(index, each, DateMeaning.PUBLISHED, _Label(), FAIR)

    def _date_of_piece(self, block: Block) -> tuple[FoundDate, ...]:
        """A date in an element of its own that the next one's figures run into: 2024-03-05 | 328."""
        at = 0
        for piece in block.pieces if len(block.text) <= _SHORT_LINE else ():
            at = block.text.find(piece, at)
            found = find_dates_in(piece, self.today.as_of) if at >= 0 else ()
            if found and found[0].text == piece:
                return (FoundDate(found[0].date, piece, at, at + len(piece)),)
            at = max(at, 0) + len(piece)
        return ()

    def _unusual_dates(self, index: int) -> Iterator[_Seen]:
        """20240305 or 3天前, read only behind a label; day and month in own elements, only beside the title."""
        text = self.blocks[index].text
        if len(text) > _SHORT_LINE:
            return
        yield from self._split_date(index)
        for each in self.today.find_dates_in(text, compact=True):
            label = self._label(index, 0, each.start)
            if (meaning := meaning_of(label.word)) and not is_yearless(each.text):
                self.today.mattered |= each.inferred
                yield self._labelled(index, each, label, meaning)

    def _split_date(self, index: int) -> Iterator[_Seen]:
        """21 | 2024-05 in a line that holds nothing else, right above or below the title."""
        pieces = self.blocks[index].pieces
        beside = index in self.zone or self._is_above(index)
        if beside and len(pieces) in (2, 3) and sum(map(len, pieces)) <= 12 and (day := find_split_date(pieces)):
            found = FoundDate(day, self.blocks[index].text, 0, len(self.blocks[index].text))
            yield self._seen(index, found, DateMeaning.PUBLISHED, _Label(), FAIR)

    def _label(self, index: int, start: int, end: int) -> _Label:
        """The words in front of a date: in its own line, at the end of the line before, or in the cell above."""
        block = self.blocks[index]
        before = block.text[start:end]
        word, set_off = label_before(before)
        if word and meaning_of(word) is None:
            word = self._label_of_piece(block, start, end) or word
        if word or start or before.strip(" :：[【(（"):
            return _Label(word, set_off)
        above = _cell_above(block.element)
        if above and meaning_of(above):
            return _Label(above, True, True)
        at = self._line_before(index)
        previous = self.blocks[at] if at >= 0 else None
        if previous is None or len(previous.text) > _SHORT_LINE or self._is_title(at):
            return _Label()
        word, set_off = label_before(previous.text)
        in_cell = previous.tag in ("td", "th", "dt") and previous.element.getparent() is block.element.getparent()
        if set_off or in_cell or meaning_of(previous.text):
            return _Label(word, bool(word), in_cell)
        return _Label()

    def _line_before(self, index: int) -> int:
        """The line before one, not counting a colon that stands in a cell of its own."""
        return index - 2 if index > 1 and self.blocks[index - 1].text in (":", "：") else index - 1

    def _is_title(self, index: int) -> bool:
        return self.title is not None and self.title[0] <= index < self.title[1]

    def _label_of_piece(self, block: Block, start: int, end: int) -> str:
        """The label that begins an element of its own: <span>作者：张三</span><span>时间：2024-03-05</span>."""
        at = 0
        first = start
        for piece in block.pieces:
            at = block.text.find(piece, at)
            if not 0 <= at < end or not block.text[at:end].strip(" :："):
                break
            first, at = max(start, at), at + len(piece)
        word, _ = label_before(block.text[first:end])
        meaning = meaning_of(word)
        others = block.text[:first] + block.text[end:]
        return word if meaning and (meaning[1] >= FAIR or _INFO_WORDS.search(others)) else ""

    def _labelled(self, index: int, found: FoundDate, label: _Label, meaning: tuple[DateMeaning, int]) -> _Seen:
        what, strength = meaning
        block = self.blocks[index]
        in_doubt = strength == WEAK and "发文" not in label.word and not self._is_bare_label_fit(index)
        if in_doubt or self._is_labelled_for_other_item(index) or _RANGE.match(fold(block.text[found.end :])):
            what, strength = DateMeaning.OTHER, NONE
        return self._seen(index, found, what, label, strength)

    def _is_labelled_for_other_item(self, index: int) -> bool:
        """Whether below the zone, or in the same line above the title, another item's link goes with the date."""
        if self.title is None or index in self.zone or self._is_title(index):
            return False
        return self._is_of_other_item(index, self.blocks[index].text, depth=3 if index >= self.zone.stop else 1)

    def _seen(self, index: int, found: FoundDate, meaning: DateMeaning, label: _Label, strength: int) -> _Seen:
        source = DateSource.TABLE if label.beside else DateSource.LABEL
        if meaning is DateMeaning.PUBLISHED and not meaning_of(label.word):
            label, source = _Label(), DateSource.TEXT
        text = self.blocks[index].text
        start = max(0, min(found.start - 30, len(text) - PASSAGE))
        candidate = DateCandidate(found.date, source, meaning, label.word, text[start : start + PASSAGE])
        above = self.title is None or index < self.title[0]
        return _Seen(candidate, index, strength, index in self.zone, above, self._is_under_link(index))

    def _is_under_link(self, index: int) -> bool:
        """Whether the line above is nothing but a long link, and not the title."""
        above = self.blocks[index - 1] if index and not self._is_title(index - 1) else None
        return above is not None and above.linked >= _LONG_TITLE and above.linked >= len("".join(above.text.split()))

    def _is_bare_label_fit(self, index: int) -> bool:
        """Whether a bare 时间/日期 stands in an info line, not in a notice's 时间：… 地点：…."""
        if any(_PLACE.search(block.text) for block in self.blocks[index : index + 2]):
            return False
        return index in self.zone or _INFO_WORDS.search(_WEAK_LABEL.sub("", self.blocks[index].text)) is not None

    def _is_info_above(self, index: int) -> bool:
        """Whether a line right above the title tells source or views too, as some sites put it there."""
        text = self.blocks[index].text
        return self._is_above(index) and _INFO_WORDS.search(text) is not None and not _WEEKDAY.search(text)

    def _is_above(self, index: int) -> bool:
        return self.title is not None and 0 < self.title[0] - index <= _LINES_ABOVE

    def _is_info_line(self, index: int, found: FoundDate) -> bool:
        """Whether an unlabelled date under the title may be the page's own: no sentence, clock or other item's date."""
        text = fold(self.blocks[index].text)
        rest, after = text[: found.start] + text[found.end :], text[found.end :]
        if len(rest) > _PARAGRAPH or "。" in rest or _CLOCK_WORDS.search(rest):
            return False
        if "，" in rest and not _INFO_WORDS.search(rest):
            return False
        before = text[: found.start].rstrip()
        if _RANGE.match(after) or _OTHER_EVENT.match(after) or _BEFORE_OTHER_DATE.search(before):
            return False
        if "月" in found.text and before.endswith("("):  # (2018年3月20日…会议通过)
            return False
        return not self._is_of_other_item(index, rest) and not self._is_in_link(index, found)

    def _is_of_other_item(self, index: int, text: str, depth: int = 3) -> bool:
        """Whether a line's date stands beside another item's link, and no source, views … make it an info line."""
        folded = fold(text)
        for link in islice(self.blocks[index].element.iter("a"), 20):
            if _is_item_link(link):
                folded = folded.replace(fold(visible_text(link)), "")
        others = _WEAK_LABEL.sub("", folded).replace("发布", "").replace("发表", "")
        return _INFO_WORDS.search(others) is None and self._beside_link(index, depth)

    def _is_in_link(self, index: int, found: FoundDate) -> bool:
        """Whether the date is part of a link's longer text, such as an attachment's name."""
        texts = (visible_text(link) for link in islice(self.blocks[index].element.iter("a"), 20))
        return any(found.text in text and len(text) - len(found.text) >= 6 for text in texts)

    def _has_info(self, index: int) -> bool:
        """Whether a time of day, class names that speak of a date, or source, views … go with the date."""
        block = self.blocks[index]
        if re.search(_TIME_OF_DAY, fold(block.text)) or _is_named_date(block.element):
            return True
        lines = (self.blocks[n].text[:_SHORT_LINE] for n in (index - 1, index, index + 1) if n in self.zone)
        return any(_INFO_WORDS.search(line) for line in lines)

    def _beside_link(self, index: int, depth: int) -> bool:
        """Whether the date stands beside another item's link, in one of so many elements around it."""
        element: HtmlElement | None = self.blocks[index].element
        for _ in range(depth):
            if (
                element is None
                or element.tag == "body"
                or element in self.around_title
                or len(visible_text(element)) > 400
            ):
                return False
            shortest = _SHORT_TITLE if element.tag in ("li", "tr", "dd") else _LONG_TITLE
            if any(_is_item_link(link, shortest) for link in element.iter("a")):
                return True
            element = element.getparent()
        return False


def _cell_above(element: HtmlElement) -> str:
    """The text of the cell above a table cell; "" when there is none, or the row is an entry of a list."""
    cell = next((box for box in (element, *islice(element.iterancestors(), 2)) if box.tag == "td"), None)
    row = cell.getparent() if cell is not None else None
    head = row.getprevious() if row is not None else None
    if cell is None or row is None or head is None or head.tag != "tr" or len(head) != len(row):
        return ""
    if any(_is_item_link(link) for link in row.iter("a")):
        return ""
    return visible_text(head[row.index(cell)])[:_SHORT_LINE]


_DATE_NAME = re.compile(
    r"date|time|info|source|laiyuan|riqi|shijian|meta|byline|fbsj|fbrq|(?:^|[-_\s])(?:sj|rq|ly|xx|msg)(?:$|[-_\s])",
    re.I,
)


def _is_named_date(element: HtmlElement) -> bool:
    """Whether the page's own class names call the line (or a piece of it) a date or info line."""
    boxes = [element, *islice(element.iterdescendants(), 6), *islice(element.iterancestors(), 1)]
    return any(_DATE_NAME.search(f"{box.get('class') or ''} {box.get('id') or ''}") for box in boxes)


def _is_item_link(link: HtmlElement, shortest: int = _LONG_TITLE) -> bool:
    text = visible_text(link)
    return len(text) >= shortest and not find_dates_in(text, date.max) and not _TOOL_WORDS.search(text)


def _footer_start(blocks: Sequence[Block]) -> int:
    """The first line of the page's foot: named so, or bearing its marks in the last two fifths of the page."""
    total = len(blocks)
    for index in range(total * 3 // 5, total):
        block = blocks[index]
        if block.region is Region.FOOTER or (len(block.text) < 200 and FOOTER_WORDS.search(block.text)):
            return index
    return total


_LINKED_DATA = re.compile(r'"(datePublished|pubDate)"\s*:\s*"([^"]{8,40})"')


def _meta_dates(dom: Dom, as_of: date) -> tuple[DateCandidate, ...]:
    found = []
    for name in _META_NAMES:
        for content in dom.meta_values(name):
            for read in find_dates_in(content, as_of, compact=True)[:1]:
                found.append(DateCandidate(read.date, DateSource.META, DateMeaning.PUBLISHED, name, content[:PASSAGE]))
    for script in dom.scripts:
        for name, content in _LINKED_DATA.findall(script.code[:20_000])[:1]:
            for read in find_dates_in(content, as_of)[:1]:
                found.append(DateCandidate(read.date, DateSource.META, DateMeaning.PUBLISHED, name, content))
    return tuple(found)


_URL_DATE = re.compile(
    r"(?:t|/|_|-|content_|art_)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d{1,3}(?!\d))"
    r"|/((?:19|20)\d\d)[-/_]?(0?[1-9]|1[0-2])[-/_](0?[1-9]|[12]\d|3[01])(?=[/_.])"
)


def date_in_address(url: str) -> date | None:
    """Return the day that a URL's path names (t20240305_1.html, /2024/03/05/), or None."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return None
    for match in _URL_DATE.finditer(path):
        year, month, day = (int(figure) for figure in match.groups() if figure)
        if found := make_date(year, month, day):
            return found
    return None


def _url_dates(dom: Dom, today: ReadingDay) -> tuple[DateCandidate, ...]:
    """The day in the page's address: a weak witness, for it is the day the entry was begun."""
    found = date_in_address(dom.url or "")
    if found is None or not today.reaches(found):
        return ()
    return (DateCandidate(found, DateSource.URL, DateMeaning.PUBLISHED, "", (dom.url or "")[-PASSAGE:]),)
