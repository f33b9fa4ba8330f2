"""The list a column or home page consists of: its entries with their dates, and where the next page of it is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, islice

from lxml.html import HtmlElement

from checks.facts.dates import ReadingDay, find_dates_in, find_split_date, fold, may_hold_date
from checks.facts.dom import Anchor, Dom, Region, normalise, visible_text
from checks.facts.links import target_of
from checks.facts.model import DateMeaning, EntryList, ListEntry, PageKind
from checks.facts.publication import date_in_address, meaning_of

MAX_ENTRIES = 2_000  # of one page
_LONG_TITLE = 8  # characters
_CLIMB = 8  # levels from a link up to the row it stands in
_LONGEST_ROW = 700  # characters
_SHORT_TEXT = 60
_LONGEST_DATE = 30  # characters: a date with its time and brackets

# ---------------------------------------------------------------- rows


@dataclass(slots=True, eq=False)
class _Row:
    """One item: the element that holds it, its link, and what is shown beside the title."""

    element: HtmlElement
    title: str
    url: str
    rest: list[str]
    order: int
    aside: bool  # stands in a side bar
    day: date | None = None
    date_text: str = ""
    dated: bool = False  # a full date, not one whose year is inferred
    settled: bool = True  # no later day gives it another date


_FUNCTION_WORDS = re.compile(
    r"^(?:[\[【(（].{1,8}[\]】)）]|附件.{0,4}|下载.{0,4}|返回.{0,6}|(?:查看)?更多|more|首\s*页|尾\s*页|末\s*页|[上下前后]一?页"
    r"|(?:点击)?(?:查看|进入)?(?:详情|详细|全文)?|阅读全文|打印|关闭|收藏|分享|登录|注册|(?:高级)?搜索|网站地图|联系我们|设为首页"
    r"|加入收藏|政策解读|图解|跳转|go|确定|\W*|\d+)[\s.》>»+\]】]*$",
    re.I,
)
_ROW_TAGS = frozenset({"li", "tr", "dl", "dt", "dd", "article"})
_BOX_TAGS = frozenset({"ul", "ol", "table", "tbody", "thead", "body", "html", "form", "main", "section", "nav"})


def read_list(dom: Dom, *, today: ReadingDay, kind: PageKind | None = None) -> EntryList:
    """Return the entries of the page's main list (of a home page: of all its lists), and its pagination.

    Menus, breadcrumbs, footers and friendly links are no entries, nor are side bars beside a list. `newest` is the
    newest entry date that is not after `today` + 1. An entry whose address cannot be told has an empty URL.
    """
    groups = _groups(list(_rows(dom)))
    for group in groups:
        _date_rows(group, today)
    chosen = _main_groups(groups, home=kind is PageKind.HOME)
    rows = sorted((row for group in chosen for row in group), key=lambda row: row.order)
    entries = tuple(dict.fromkeys(ListEntry(row.title, row.url, row.day, row.date_text) for row in rows))[:MAX_ENTRIES]
    newest = max((entry.date for entry in entries if entry.date and today.reaches(entry.date)), default=None)
    today.mattered |= not all(row.settled for row in rows)
    return EntryList(entries, newest, next_page(dom), total_pages(dom))


@dataclass(slots=True)
class _Holding:
    """How many different targets a box holds, of all titles and of long ones; two stand for any more."""

    all: set[str] = field(default_factory=set)
    long: set[str] = field(default_factory=set)


def _rows(dom: Dom) -> Iterator[_Row]:
    """Every link that may be an entry, with the row around it; of several in one row the one with a long title."""
    titled = [(anchor, title) for anchor in dom.anchors if _may_be_entry(anchor) and (title := _title(anchor.element))]
    boxes: dict[HtmlElement, _Holding] = defaultdict(_Holding)
    for anchor, title in titled:
        target, long = anchor.element.get("href") or title, len(title) >= _LONG_TITLE
        for box in islice(anchor.element.iterancestors(), _CLIMB):
            holding = boxes[box]
            if len(holding.all) < 2:
                holding.all.add(target)
            if long and len(holding.long) < 2:
                holding.long.add(target)
    taken: set[HtmlElement] = set()
    for order, (anchor, title) in enumerate(titled):
        element = _row_element(anchor.element, boxes, long=len(title) >= _LONG_TITLE)
        if element is not None and element not in taken:
            taken.add(element)
            yield _Row(element, title, anchor.url, _rest(element, title), order, anchor.region is Region.ASIDE)


def _may_be_entry(anchor: Anchor) -> bool:
    return anchor.region is Region.MAIN or anchor.region is Region.ASIDE


def _title(element: HtmlElement) -> str:
    """The title a link shows, whole where the text is cut; "" for links that are no titles."""
    text = _untailed(_title_line(element)).lstrip("·•・▪■◆●>*-|› ").strip()
    attribute = element.get("title")
    whole = _TITLE_ATTRIBUTE.sub("", normalise(attribute)) if attribute else ""
    if whole and (not text or whole.startswith(text.rstrip(".…").rstrip())):
        text = whole
    if len(text) < 4 or _FUNCTION_WORDS.match(text):
        return ""
    return text[:300]


_LINE_TAGS = ("h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "dt", "dd", "li", "td")


def _title_line(link: HtmlElement) -> str:
    """The line of a link that is its title: a heading, else the first that is no date (a summary may follow)."""
    if not len(link):
        text = normalise(link.text or "")
        return text if not _is_date_only(text) else ""
    lines = [line for line in islice(link.iter(*_LINE_TAGS), 20) if line is not link]
    best = next((line for line in lines if line.tag.startswith("h")), None)
    if best is None:
        names = ((line, f"{line.get('class') or ''} {line.get('id') or ''}") for line in lines)
        best = next((line for line, name in names if "tit" in name.lower()), None)
    pieces = [text for piece in islice((link if best is None else best).itertext(), 40) if (text := normalise(piece))]
    shown = [piece for piece in pieces if not _is_date_only(piece)]
    if lines and best is None:
        return next((piece for piece in shown if len(piece) >= 4), "")
    return normalise(" ".join(shown)) if len(shown) <= 3 else max(shown, key=len)


# title="标题：… 点击数：12 发表时间：2024-03-05", as one content system writes it
_TITLE_ATTRIBUTE = re.compile(r"^(?:文章)?标题\s*[:：]\s*|\s(?:点击数|作者|发表时间|发布时间|更新时间)\s*[:：].*$")
_DATE_TAIL = re.compile(r"^(.{4,}?)[\s\[(（【]+(?:(?:19|20)\d\d[-/.年])?\d{1,2}[-/.月]\d{1,2}日?[\])）】\s]*$")
_ENDS_OF_DATE = ("日", "]", ")", "）", "】")
_DATE_HEAD = re.compile(r"^[\[(（【]?\s*(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}\s*[\])）】]?\s*(\S.{3,})$")


def _untailed(text: str) -> str:
    """Without the date that stands in front of or behind the title inside the same link."""
    ends_in_date = text[-1:].isdecimal() or text.endswith(_ENDS_OF_DATE)
    match = (ends_in_date and _DATE_TAIL.match(text)) or _DATE_HEAD.match(text)
    return match[1].strip() if match else text


_DATE_ONLY = re.compile(
    r"^[\[(【（\s]*(?:\d{1,4}\s?[-/.年月]\s?)?(?:\d{1,2}\s?[-/.月]\s?)?\d{1,4}\s?[日月]?(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?[\])】）\s]*$"
)


def _is_date_only(text: str) -> bool:
    return len(text) <= 24 and not text[:1].isalpha() and _DATE_ONLY.match(fold(text)) is not None


def _row_element(element: HtmlElement, boxes: dict[HtmlElement, _Holding], *, long: bool) -> HtmlElement | None:
    """The largest element around a link that holds no other entry; None for a short link beside a long one."""
    row = element
    for box in islice(element.iterancestors(), _CLIMB):
        holding = boxes.get(box)
        if not long and holding is not None and holding.long and box.tag in _ROW_TAGS:
            return None
        if box.tag in _BOX_TAGS or holding is None or len(holding.long if long else holding.all) > 1:
            break
        row = box
        if box.tag in _ROW_TAGS and box.tag not in ("dt", "dd"):
            break
    return row


def _rest(row: HtmlElement, title: str) -> list[str]:
    """The pieces of text in a row, the title blanked out."""
    pieces: list[str] = []
    for piece in islice(row.itertext(), 200):
        text = normalise(piece)
        if text:
            pieces.append(text if text != title else "")
    return pieces if sum(map(len, pieces)) <= _LONGEST_ROW else pieces[:3] + pieces[-3:]


def _groups(rows: Sequence[_Row]) -> list[list[_Row]]:
    """Rows under one parent are one list."""
    groups: dict[HtmlElement | None, list[_Row]] = defaultdict(list)
    for row in rows:
        groups[row.element.getparent()].append(row)
    return list(groups.values())


# ---------------------------------------------------------------- dates beside the entries


def _date_rows(group: list[_Row], today: ReadingDay) -> None:
    """Give each row of a list the date beside it; yearless ones take their year from their address or neighbours."""
    column = _date_column(group[0].element)
    for row in group:
        _date_row(row, _cells(row.element, column) or row.rest, today)
    if not any(row.day for row in group):
        _date_from_siblings(group, today)
    near: date | None = next((row.day for row in group if row.dated), None)
    for row in group:
        if row.dated:
            near = row.day
        elif row.day and (known := date_in_address(row.url) or near):
            if found := today.find_dates_in(row.date_text, near=known):
                row.day, row.settled = found[0].date, not found[0].inferred
            near = row.day


def _date_row(row: _Row, pieces: Sequence[str], today: ReadingDay) -> None:
    """The date in the pieces of a row: one that stands alone, before one inside other text."""
    if not any(map(may_hold_date, pieces)):
        return
    runs = [list(run) for alone, run in groupby(pieces, _is_date_only) if alone]
    for run in runs:
        if split := find_split_date(run):
            row.day, row.date_text, row.dated = split, " ".join(run), True
            return
    alone = [piece for run in runs for piece in run]
    short = sorted((piece for piece in pieces if len(piece) <= _SHORT_TEXT), key=_is_other_date)
    for texts, loose in ((alone, False), (short, False), (alone, True), (short[-3:], True)):
        for text in texts:
            found = today.find_dates_in(text) if loose else find_dates_in(text, today.as_of)
            if found and not _names_other_date(text, found[0].start):
                row.day, row.date_text, row.dated = found[0].date, found[0].text, not loose
                row.settled = not found[0].inferred
                return


def _is_other_date(text: str) -> bool:
    """Whether the text's label calls its date another than that of publication (成文日期：…)."""
    meaning = meaning_of(fold(text).partition(":")[0])
    return meaning is not None and meaning[0] is not DateMeaning.PUBLISHED


def _names_other_date(text: str, start: int) -> bool:
    """Whether words in front of the date say that it is not the entry's own (截止日期：…)."""
    before = fold(text[:start]).strip(" [(:】")
    if not before:
        return False
    label = re.search(r"[\u4e00-\u9fff]{2,10}$", before)
    meaning = meaning_of(label[0]) if label else None
    return label is not None and (meaning is None and text[:start].rstrip().endswith((":", "：")))


def _date_column(row: HtmlElement) -> int | None:
    """Which cell of a table's rows the head calls the publication date."""
    if row.tag != "tr":
        return None
    table = next(row.iterancestors("table"), None)
    if table is None:
        return None
    best: tuple[int, int] | None = None
    for head in islice(table.iter("tr"), 3):
        for index, cell in enumerate(islice(head, 30)):
            if (meaning := meaning_of(visible_text(cell)[:20])) is None:
                continue
            strength = meaning[1] + (10 if meaning[0] is DateMeaning.PUBLISHED else 0)
            if best is None or strength > best[0]:
                best = (strength, index)
        if best is not None:
            return best[1]
    return None


def _cells(row: HtmlElement, column: int | None) -> list[str]:
    if column is None or column >= len(row):
        return []
    return [visible_text(row[column])]


def _date_from_siblings(group: list[_Row], today: ReadingDay) -> None:
    """Dates that stand after (or before) each entry on their own: <dt> and <dd>, or one flat line."""
    parent = group[0].element.getparent()
    if parent is None or not _FIGURE.search("".join(parent.itertext())):
        return
    rows = {row.element for row in group}
    after = [_text_after(row.element, rows) for row in group]
    before = [_text_before(row.element, rows) for row in group]
    texts = after if _has_date(after[-1], today) or not _has_date(before[0], today) else before
    for row, text in zip(group, texts, strict=True):
        if len(text) <= _LONGEST_DATE:
            _date_row(row, [text], today)


def _has_date(text: str, today: ReadingDay) -> bool:
    return bool(today.find_dates_in(text) if _is_date_only(text) else find_dates_in(text, today.as_of))


_FIGURE = re.compile(r"\d")


def _text_after(row: HtmlElement, rows: set[HtmlElement]) -> str:
    """The text between a row and the next one."""
    parts = [row.tail or ""]
    for sibling in islice(row.itersiblings(), 4):
        if sibling in rows:
            break
        parts += ["".join(sibling.itertext()), sibling.tail or ""]
    return normalise(" ".join(parts))


def _text_before(row: HtmlElement, rows: set[HtmlElement]) -> str:
    """The text between a row and the one before it."""
    parts: list[str] = []
    for sibling in islice(row.itersiblings(preceding=True), 4):
        parts.append(sibling.tail or "")
        if sibling in rows:
            break
        parts.append("".join(sibling.itertext()))
    else:
        parent = row.getparent()
        parts.append(parent.text or "" if parent is not None else "")
    return normalise(" ".join(parts))


# ---------------------------------------------------------------- which lists are the page's own


def _main_groups(groups: list[list[_Row]], *, home: bool) -> list[list[_Row]]:
    """The dated lists; without one, lists of at least three titles long enough to be news.

    A home page has many lists. Of a column's, the greatest one counts, and those of its very form.
    """
    dated = [group for group in groups if sum(row.day is not None for row in group) * 2 >= len(group)]
    undated = [group for group in groups if group not in dated and _looks_like_news(group)]
    chosen = [group for group in dated if not group[0].aside] or dated or undated
    if home:
        return chosen
    if not chosen:
        return []
    weight = Counter({index: _weight(group) for index, group in enumerate(chosen)})
    greatest = chosen[weight.most_common(1)[0][0]]
    return [group for group in chosen if _form(group) == _form(greatest)]


def _looks_like_news(group: Sequence[_Row]) -> bool:
    lengths = sorted(len(row.title) for row in group)
    return len(group) >= 3 and lengths[len(lengths) // 2] >= 10


def _weight(group: Sequence[_Row]) -> int:
    return sum(len(row.title) for row in group)


def _form(group: Sequence[_Row]) -> tuple[str, ...]:
    """What lists of one design have in common."""
    row = group[0].element
    names = [row.tag, *(box.tag + (box.get("class") or "").partition(" ")[0] for box in islice(row.iterancestors(), 2))]
    return tuple(names)


# ---------------------------------------------------------------- pagination

_NEXT_WORDS = re.compile(r"^(?:下一页|下页|后一页|下一頁|next(?:\s?page)?)[\s>»›→]*$", re.I)
_PAGE_NUMBER = re.compile(r"^(?:[2-9]|[1-9]\d{1,3})$")
_FIRST_PAGE = frozenset({"1", "首页", "上一页", "上页"})
_NEXT_ARROWS = re.compile(r"^[>›»→]$")
_CREATE_PAGES = re.compile(
    r"""createPage\w*\(\s*(?P<box>['"][^'"]*['"]\s*,\s*)?['"]?(?P<total>\d{1,5})['"]?\s*,\s*['"]?(?P<current>\d{1,5})['"]?\s*,"""
    r"""\s*['"](?P<name>[\w./-]*)['"]\s*,\s*['"](?P<ext>\w{1,5})['"]"""
)
_VARIABLE = r"""\b(?:{names})\s*[=:]\s*(?:parseInt\()?['"]?(\d{{1,5}})"""
_TOTAL_VARIABLE = re.compile(
    _VARIABLE.format(names="countPage|pageCount|totalPages?|pageTotal|nPageCount|total_page|allPage|maxPage")
)
_CURRENT_VARIABLE = re.compile(_VARIABLE.format(names="currentPage|nCurrIndex|currPage|curPage|currentIndex|nowPage"))
_TOTAL_STORED = re.compile(r"<totalpage>\s*(\d{1,5})\s*</totalpage>", re.I)
_TOTAL_TEXT = re.compile(
    r"共\s?(\d{1,5})\s?页|总页数\s?[:：]\s?(\d{1,5})|\b\d{1,5}\s?/\s?(\d{1,5})\s?页"
    r"|页次\s?[:：]\s?\d{1,5}\s?/\s?(\d{1,5})"
)


def next_page(dom: Dom) -> str | None:
    """Return the absolute URL of the list's next page, from its links or the script that writes them; None if none."""
    for link in islice(dom.root.iter("link"), 50):
        if (link.get("rel") or "").lower() == "next" and link.get("href"):
            return dom.absolute(link.get("href") or "") or None
    texts = [(anchor.element, visible_text(anchor.element, 8)) for anchor in reversed(dom.anchors)]
    for element, shown in texts:
        text = shown or element.get("title") or ""
        if (element.get("rel") or "").lower() == "next" or _NEXT_WORDS.match(text) or _is_next_arrow(element, text):
            url = target_of(dom, element)
            if url and not _is_same_page(url, dom.url):
                return url
    return _numbered_next(dom, texts) or _scripted_next(dom)


def _numbered_next(dom: Dom, texts: Sequence[tuple[HtmlElement, str]]) -> str | None:
    """Return where the number behind that of the current page leads: 1 [2] [3], the current one being no way on."""
    for element, text in texts:
        if not _PAGE_NUMBER.match(text):
            continue
        url, before = target_of(dom, element), _number_before(element, int(text))
        if url and not _is_same_page(url, dom.url) and before is not None and not _leads_away(dom, before):
            return url
    return None


def _number_before(element: HtmlElement, number: int) -> HtmlElement | None:
    """Return the element of the page number before, which may stand in a box of its own; None where the numbers do not
    begin with the first page, as those of a calendar's week."""
    parent = element.getparent()
    box = element if element.getprevious() is not None or parent is None else parent
    before, row = box.getprevious(), box.getparent()
    if before is None or row is None or box.tag not in ("a", "li", "span") or not isinstance(before.tag, str):
        return None
    texts = {visible_text(child, 8).strip() for child in islice(row, 30) if isinstance(child.tag, str)}
    is_pager = bool(texts & _FIRST_PAGE)
    return before if is_pager and visible_text(before, 8).strip() == str(number - 1) else None


def _leads_away(dom: Dom, element: HtmlElement) -> bool:
    """Whether the element is or holds a link to another page than this."""
    links = [element] if element.tag == "a" else list(islice(element.iter("a"), 2))
    return any((url := target_of(dom, link)) and not _is_same_page(url, dom.url) for link in links)


def _is_next_arrow(element: HtmlElement, text: str) -> bool:
    """Whether a link is the arrow behind page numbers."""
    if not _NEXT_ARROWS.match(text):
        return False
    before = (visible_text(sibling, 4) for sibling in islice(element.itersiblings(preceding=True), 3))
    return any(word.isdigit() for word in before)


def _is_same_page(url: str, own: str | None) -> bool:
    return own is not None and url.rstrip("/") == own.partition("#")[0].rstrip("/")


def _scripted_next(dom: Dom) -> str | None:
    for script in dom.scripts:
        if match := _CREATE_PAGES.search(script.code):
            total, current = int(match["total"]), int(match["current"])
            following = current + 1
            last = total if match["box"] else total - 1
            name = f"{match['name'] or 'index'}_{following}.{match['ext']}"
            return dom.absolute(name) if following <= last else None
        total_match, current_match = _TOTAL_VARIABLE.search(script.code), _CURRENT_VARIABLE.search(script.code)
        written = re.search(r"""["'\\](\w{1,30})(?:["'\\]{1,2}\s*\+\s*)?["'\\]{0,2}_""", script.code)
        if total_match and current_match and written and "_" in script.code:
            following = int(current_match[1]) + 1
            return dom.absolute(f"{written[1]}_{following}.html") if following < int(total_match[1]) else None
    return None


def total_pages(dom: Dom) -> int | None:
    """Return how many pages the list has, where the page tells."""
    for script in dom.scripts:
        match = _CREATE_PAGES.search(script.code)
        written = _TOTAL_VARIABLE.search(script.code) or _TOTAL_STORED.search(script.code)
        found = match["total"] if match else written and written[1]
        if found:
            return int(found)
    if match := _TOTAL_TEXT.search(dom.text):
        return int(next(figure for figure in match.groups() if figure))
    return None
