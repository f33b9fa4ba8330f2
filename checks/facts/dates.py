"""Dates as Chinese government pages write them, and which of them is the day the page was published (发布日期).

The reader is pure: what a yearless or relative date means depends on `as_of` alone. A date is only taken for the publication
date on the page's own word: a label of that meaning, or its place in the line under the title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from urllib.parse import unquote, urlsplit

from checks.facts.dom import Block, Dom, Region, normalise
from checks.facts.model import DateCandidate, DateMeaning, DateSource, PublishedDate

FIRST_YEAR = 1949
PASSAGE = 80  # characters of the passage kept with a candidate
_CHINA = timezone(timedelta(hours=8))

# ---------------------------------------------------------------- reading dates in a text


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date in a text: what it means, what was written, and where (offsets into the text given)."""

    date: date
    text: str
    start: int
    end: int


_FOLDING = str.maketrans(
    "０１２３４５６７８９／．－—–‐‑−―：∶﹕︰（）［］【】〔〕｜　\xa0\u2002\u2003\u2009",
    "0123456789/.-------::::()[][][]|     ",
)


def fold(text: str) -> str:
    """Fold full-width digits, colons, dashes, brackets and spaces, one character for one."""
    return text.translate(_FOLDING)


_DIGITS = {**{str(n): n for n in range(10)}, **dict(zip("一二三四五六七八九", range(1, 10), strict=True))}
_DIGITS |= dict.fromkeys("〇○零ＯOoΟО◯0", 0)
_ZEROS = "〇○零ＯOoΟО◯0"
_YEAR = rf"(?:(?:19|20)\d\d|[一二][一二三四五六七八九\d{_ZEROS}]{{3}})"
_MONTH = rf"(?:1[0-2]|0?[1-9](?!\d)|[{_ZEROS}]?[一二三四五六七八九元](?![十〇○零])|十[一二]?|一[{_ZEROS}一二])"
_DAY = r"(?:3[01]|[12]\d|0?[1-9](?!\d)|[一二三廿卅]?十[一二三四五六七八九]?|[廿卅][一二三四五六七八九]?|[一二三四五六七八九〇○零]{1,2})"
_CLOCK = r"(?:\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,9})?)?)"
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})"
_MONTHS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_FULL = re.compile(
    rf"""
      (?<!\d)(?P<y1>{_YEAR})\s?年\s?(?P<m1>{_MONTH})\s?月\s?(?P<d1>{_DAY})(?:\s?[日号]|(?=\s*(?:$|[^\w\s%.])|\s+\S))
    | (?<![\dA-Za-z.])(?<![\dA-Za-z][-/])(?P<y2>(?:19|20)\d\d)(?:(?P<sep>\s?[-/.]\s?)(?P<m2>\d{{1,2}})(?P=sep)(?P<d2>\d{{1,2}}))
        (?:(?:\s*T\s*|\s+|-)(?P<clock>{_CLOCK})\s?(?P<zone>{_ZONE})?|(?=\d\d:\d\d)|(?![\d]|[-/.]\d|[A-Za-z]\d))
    | (?<![A-Za-z])(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s(?P<n3>[A-Z][a-z]{{2}})\s(?P<d3>\d\d)\s{_CLOCK}\s(?:CST|GMT\+08:00)\s(?P<y3>\d{{4}})(?!\d)
    | (?<![A-Za-z])(?P<n4>[A-Z][a-z]{{2}})\s(?P<d4>\d{{1,2}}),\s?(?P<y4>(?:19|20)\d\d)(?!\d)
    """,
    re.X,
)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=\d{6}(?!\d)|\d{4}(?!\d)|(?!\d))")
_YEARLESS = re.compile(
    r"(?<![\d./:-])(?:(?P<m1>\d{1,2})\s?月\s?(?P<d1>\d{1,2})\s?[日号]|(?P<m2>\d{1,2})[-/](?P<d2>\d{1,2})|(?P<m3>\d\d)\.(?P<d3>\d\d))(?![\d:/-]|\.\d)"
)
_AGO = re.compile(
    r"(?<!\d)(?P<n>\d{1,3})\s?(?P<unit>分钟|小时|天|日|周)(?:之)?前|(?P<word>刚刚|今天|今日|昨天|昨日|前天)"
)
_AGO_WORDS = {"刚刚": 0, "今天": 0, "今日": 0, "昨天": 1, "昨日": 1, "前天": 2}
_AGO_UNITS = {"分钟": 0, "小时": 0, "天": 1, "日": 1, "周": 7}


def _number(text: str) -> int:
    """The value of a month or day in figures or Chinese numerals; 0 when it is none."""
    if text.isascii() and text.isdigit():
        return int(text)
    text = text.replace("元", "一").replace("廿", "二十").replace("卅", "三十")
    if "十" in text:
        tens, _, ones = text.partition("十")
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)
    value = 0
    for character in text:
        value = value * 10 + _DIGITS.get(character, 0)
    return value


def _year(text: str) -> int:
    return int("".join(str(_DIGITS[character]) for character in text))


def make_date(year: int, month: int, day: int) -> date | None:
    """Return the date, or None when there is no such day or the year is out of bounds (before 1949, after 2099)."""
    if not FIRST_YEAR <= year <= 2099:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _full_date(match: re.Match[str]) -> date | None:
    if match["y1"]:
        return make_date(_year(match["y1"]), _number(match["m1"]), _number(match["d1"]))
    if match["y2"]:
        found = make_date(int(match["y2"]), int(match["m2"]), int(match["d2"]))
        return _in_china(found, match["clock"], match["zone"]) if found and match["zone"] else found
    name, day, year = (
        (match["n3"], match["d3"], match["y3"]) if match["y3"] else (match["n4"], match["d4"], match["y4"])
    )
    return make_date(int(year), _MONTHS.get(name.lower(), 0), int(day))


def _in_china(day: date, clock: str, zone: str) -> date:
    """The day in China at that moment."""
    hours, minutes = (int(part) for part in clock.split(":")[:2])
    offset = timedelta()
    if zone != "Z":
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)
    if hours > 23 or minutes > 59 or abs(offset) > timedelta(hours=14):
        return day
    moment = datetime(day.year, day.month, day.day, hours, minutes, tzinfo=timezone(offset))
    return moment.astimezone(_CHINA).date()


def infer_year(month: int, day: int, as_of: date, near: date | None = None) -> date | None:
    """Give a yearless date the year that puts it nearest to `near`, else the latest that is not after `as_of` + 1 day."""
    years = (near.year - 1, near.year, near.year + 1) if near else (as_of.year - 1, as_of.year, as_of.year + 1)
    limit = as_of + timedelta(days=1)
    possible = [found for year in years if (found := make_date(year, month, day)) and found <= limit]
    if not possible:
        return None
    return min(possible, key=lambda found: abs(found - near)) if near else max(possible)


def find_dates_in(
    text: str, as_of: date, *, loose: bool = False, compact: bool = False, near: date | None = None
) -> tuple[FoundDate, ...]:
    """Find the dates written in a text, in order.

    `compact` also reads 20240305; `loose` also reads yearless dates (10-11, [08-12], 3月5日) and relative ones (3天前, 昨天), and is
    meant for short texts that hold nothing else, such as the date beside a list entry. `near` helps to find a yearless
    date's year. ISO moments with a time zone give the day in China.
    """
    folded = fold(text)
    if not any(character.isdigit() for character in folded) and not _MAY_HOLD_DATE.search(folded):
        return ()
    found = list(_matches(_FULL.finditer(folded), _full_date))
    if compact:
        found += _matches(_COMPACT.finditer(folded), lambda m: make_date(int(m[1]), int(m[2]), int(m[3])))
    if loose and not found:
        found += _matches(_AGO.finditer(folded), lambda m: _days_ago(m, as_of))
        if not found:
            found += _matches(_YEARLESS.finditer(folded), lambda m: _yearless(m, as_of, near))
    return tuple(
        FoundDate(day, text[start:end], start, end) for day, start, end in sorted(found, key=lambda item: item[1:])
    )


_MAY_HOLD_DATE = re.compile("年|刚刚|[今昨前][天日]")


def _matches(matches: Iterator[re.Match[str]], read: object) -> Iterator[tuple[date, int, int]]:
    assert callable(read)
    for match in matches:
        if found := read(match):
            yield found, match.start(), match.end()


def _days_ago(match: re.Match[str], as_of: date) -> date | None:
    days = _AGO_WORDS[match["word"]] if match["word"] else int(match["n"]) * _AGO_UNITS[match["unit"]]
    return as_of - timedelta(days=days)


def _yearless(match: re.Match[str], as_of: date, near: date | None) -> date | None:
    month, day = (int(figure) for figure in match.groups() if figure)
    return infer_year(month, day, as_of, near)


_SPLIT_FORMS = (
    re.compile(r"^(?P<d>\d{1,2})日?\s+(?P<y>(?:19|20)\d\d)\s?[-年/.]\s?(?P<m>\d{1,2})月?$"),  # 21 | 2024年02月
    re.compile(r"^(?P<y>(?:19|20)\d\d)\s?[-年/.]\s?(?P<m>\d{1,2})月?\s+(?P<d>\d{1,2})日?$"),  # 2024-02 | 21
    re.compile(r"^(?P<m>\d{1,2})\s?[-月/.]\s?(?P<d>\d{1,2})日?\s+(?P<y>(?:19|20)\d\d)年?$"),  # 02-21 | 2024
    re.compile(r"^(?P<y>(?:19|20)\d\d)年?\s+(?P<m>\d{1,2})\s?[-月/.]\s?(?P<d>\d{1,2})日?$"),  # 2024 | 02-21
    re.compile(r"^(?P<y>(?:19|20)\d\d)年?\s+(?P<m>\d{1,2})月?\s+(?P<d>\d{1,2})日?$"),  # 2024 | 02 | 21
    re.compile(r"^(?P<d>\d{1,2})日?\s+(?P<m>\d{1,2})月\s+(?P<y>(?:19|20)\d\d)年?$"),  # 21 | 02月 | 2024
)


def find_split_date(pieces: Sequence[str]) -> date | None:
    """Return the date whose day, month and year stand in elements of their own (21 | 2024年02月); None when they do not."""
    for count in (2, 3):
        for at in range(len(pieces) - count + 1):
            text = " ".join(piece.strip(" []()【】") for piece in pieces[at : at + count])
            for form in _SPLIT_FORMS:
                if match := form.match(fold(text)):
                    return make_date(int(match["y"]), int(match["m"]), int(match["d"]))
    return None


# ---------------------------------------------------------------- what a label says a date is

_STRONG, _FAIR, _WEAK = 3, 2, 1
_LABELS: dict[str, tuple[DateMeaning, int]] = {}
for _meaning, _strength, _words in (
    (
        DateMeaning.PUBLISHED,
        _STRONG,
        "发布时间 发布日期 发表时间 发表日期 发布于 发表于 刊发于 发稿时间 发稿日期 刊登时间 刊登日期 登载时间 登载日期 发布 发布日 信息发布时间"
        " 信息发布日期 网站发布时间 网站发布日期 公布时间 公布日期 公布 上网时间 上网日期 上线时间 挂网时间 挂网日期 推送时间 首次发布时间"
        " 信息时间 信息日期 新闻时间 文章时间 文章日期 稿件时间 发布时刻 发佈时间 發布時間 發佈時間 發布日期 發佈日期",
    ),
    (
        DateMeaning.PUBLISHED,
        _FAIR,
        "公开日期 公开时间 信息公开日期 公告时间 公告日期 上传时间 上传日期 录入时间 录入日期 添加时间 添加日期 加入时间 加入日期 编辑时间 编辑日期"
        " 提交日期 入库时间 投稿时间 撰稿时间 主动公开日期 主动公开时间 张贴时间 张贴日期",
    ),
    (DateMeaning.PUBLISHED, _WEAK, "时间 日期 发文日期 发文时间 Date date DATE Time time TIME"),
    (
        DateMeaning.WRITTEN,
        _STRONG,
        "成文日期 成文时间 印发日期 印发时间 签发日期 签发时间 制定日期 制发日期 制作日期 拟文日期 落款日期 文件日期 颁布日期 颁布时间 形成日期 形成时间",
    ),
    (
        DateMeaning.UPDATED,
        _STRONG,
        "更新时间 更新日期 更新于 最后更新 最近更新 最后更新时间 最近更新时间 修改时间 修改日期 最后修改 最后修改时间 更新 编辑于 修订时间 数据更新时间",
    ),
    (
        DateMeaning.GENERATED,
        _STRONG,
        "生成日期 生成时间 信息生成日期 信息生成时间 产生日期 产生时间 信息产生日期 页面生成时间 创建时间 创建日期",
    ),
):
    _LABELS |= dict.fromkeys(_words.split(), (_meaning, _strength))
_HARMLESS_PREFIX = re.compile(
    r"^(?:本?(?:信息|文章|文件|网站|新闻|稿件|内容|网上|首次|页面|网页|站内|本文|文档|该|此)的?)+"
)
_BETWEEN_HAN = re.compile(r"(?<=[一-龥])\s+(?=[一-龥])")


def meaning_of(label: str) -> tuple[DateMeaning, int] | None:
    """What a label says its date is, and how plainly (3 plain, 2 fair, 1 weak); None for a label that is no date's."""
    word = re.sub(r"[\s:：\[\]【】()（）]", "", label)
    return _LABELS.get(word) or _LABELS.get(_HARMLESS_PREFIX.sub("", word))


def label_before(text: str) -> tuple[str, bool]:
    """Return the label that a text ends with (it stands before a date), and whether a colon or bracket sets it off."""
    folded = _BETWEEN_HAN.sub("", fold(text[-60:])).rstrip()
    set_off = folded.endswith((":", "]", ")", "】"))
    tail = folded.rstrip(":[]()【】 ")
    match = re.search(r"[A-Za-z\u4e00-\u9fff]{1,16}$", tail)
    label = match[0] if match else ""
    if label and meaning_of(label) is None:  # 来源:市教育局发布时间:2024-03-05
        label = next((label[at:] for at in range(1, len(label) - 3) if _glued(label, at, tail)), label)
    return label, set_off


def _glued(label: str, at: int, tail: str) -> bool:
    """Whether a value runs straight into a plain label, as when each stands in an element of its own."""
    meaning = _LABELS.get(label[at:])
    return (
        meaning is not None and meaning[1] == _STRONG and len(label) - at >= 4 and ":" in tail[: len(tail) - len(label)]
    )


# ---------------------------------------------------------------- the publication date

_NO_DATE_LABEL = re.compile(
    r"(?:来源|作者|编辑|责编|浏览|浏览量|次数|点击|点击量|阅读|阅读量|访问|访问量|字号|字体|审核|供稿|单位|机构|部门|出处|人|者|记者)$"
)
_CLOCK_WORDS = re.compile(
    r"今天是|今日是|今天[:：]|现在是|现在时间|当前时间|当前日期|系统时间|北京时间|服务器时间|欢迎"
)
_FOOTER_WORDS = re.compile(r"ICP备|公网安备|网站标识码|版权所有|Copyright|©|主办单位|技术支持", re.I)
_INFO_WORDS = re.compile(r"来源|作者|编辑|浏览|点击|阅读|访问|字号|字体|打印|分享|发布|发表|责编|审核|供稿|次数")
_AFTER_OTHER_DATE = re.compile(
    r"\s*(?:星期.)?\s*(?:\d{1,2}:\d{2}(?::\d{2})?)?\s*(?:至|到|~|～|起|前|后|止|以前|以后|之前|之后|之日|通过|施行|实施|修订|修正|召开|举行|在|，|,|。|、)"
)
_SHOWN_AS_SIGNED = re.compile(r"年.*月")
_ZONE_LINES = 10  # lines below the title in which its info line is looked for
_PARAGRAPH = 90  # characters; a line this long without a label ends the zone
_META_NAMES = (
    "PubDate PublishDate publish_date pubDateTime article:published_time og:published_time og:release_date datePublished"
    " publishtime publish_time releaseDate firstpublishedtime DC.date.issued DC.date pub_date createDate date"
).split()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A candidate with what its choice depends on: the block it stands in, its label's strength, and whether it stands
    in the zone under the title."""

    candidate: DateCandidate
    block: int
    strength: int
    in_zone: bool


def published(dom: Dom, *, as_of: date, title: tuple[int, int] | None = None, undated: bool = False) -> PublishedDate:
    """Return when the page says it was published.

    `title` are the blocks that show the page's title. Order of trust: a label that plainly says 发布, the line under the
    title, a weaker label, meta tags that the URL does not contradict. `undated` is for home pages and columns, whose dates
    are their entries': only candidates are reported. A date after `as_of` + 1 day is taken only from a plain label.
    """
    reader = _Reader(dom, as_of, title)
    seen = list(reader.read())
    witnesses = (*_meta_dates(dom, as_of), *_url_dates(dom, as_of))
    candidates = tuple(item.candidate for item in seen) + witnesses
    chosen = None if undated else _choose(seen, as_of) or _corroborated(reader, seen, witnesses, as_of)
    if chosen is None:
        return PublishedDate(candidates=candidates)
    conflicts = tuple(
        other for other in candidates if other.meaning is DateMeaning.PUBLISHED and other.date != chosen.date
    )
    return PublishedDate(chosen.date, chosen.source, chosen.label, candidates, conflicts)


def _choose(seen: Sequence[_Seen], as_of: date) -> DateCandidate | None:
    """The shown date that the page itself calls its publication date."""
    possible = [item for item in seen if item.candidate.meaning is DateMeaning.PUBLISHED and item.strength]
    limit = as_of + timedelta(days=1)
    possible = [item for item in possible if item.strength == _STRONG or item.candidate.date <= limit]
    in_zone = [item for item in possible if item.in_zone]
    if not in_zone and len({item.candidate.date for item in possible if item.strength == _STRONG}) > 2:
        return None  # the labels belong to the entries of a list
    order = lambda item: (-item.strength, not item.in_zone, item.block)  # noqa: E731
    return min(possible, key=order).candidate if possible else None


def _corroborated(
    reader: _Reader, seen: Sequence[_Seen], witnesses: Sequence[DateCandidate], as_of: date
) -> DateCandidate | None:
    """A date in doubtful form that another witness confirms; else meta's, unless the URL speaks against it."""
    hidden = {witness.date for witness in witnesses}
    for item in seen:
        if item.in_zone and item.candidate.source is DateSource.TEXT and item.candidate.date in hidden:
            return item.candidate
    of_url = [witness.date for witness in witnesses if witness.source is DateSource.URL]
    for witness in witnesses:
        if witness.source is DateSource.META and witness.date <= as_of + timedelta(days=1):
            agrees = not of_url or abs(of_url[0] - witness.date) <= timedelta(days=3)
            return witness if agrees else None
    return None


class _Reader:
    """Reads the dated lines of one page."""

    def __init__(self, dom: Dom, as_of: date, title: tuple[int, int] | None) -> None:
        self.dom = dom
        self.blocks = dom.blocks
        self.as_of = as_of
        self.title = title
        self.footer = _footer_start(dom.blocks)
        self.zone = self._zone()

    def _zone(self) -> range:
        """The lines between the title and the text proper."""
        if self.title is None:
            return range(0)
        first = end = self.title[1]
        for end in range(first, min(first + _ZONE_LINES, self.footer)):  # noqa: B007
            text = self.blocks[end].text
            if len(text) > _PARAGRAPH and not _INFO_WORDS.search(text[:_PARAGRAPH]):
                return range(first, end)
        return range(first, min(first + _ZONE_LINES, self.footer))

    def read(self) -> Iterator[_Seen]:
        """Yield every date shown outside header, side bars and footer, with its meaning."""
        for index, block in enumerate(self.blocks[: self.footer]):
            if block.region in (Region.MAIN, Region.NAVIGATION) and len(block.text) <= 2_000:
                yield from self._dates_of(index, block)

    def _dates_of(self, index: int, block: Block) -> Iterator[_Seen]:
        end = 0
        for found in find_dates_in(block.text, self.as_of):
            label, set_off, source = self._label(index, block.text[end : found.start], first=end == 0)
            end = found.end
            if seen := self._judged(index, block, found, label, set_off, source):
                yield seen
        if end == 0 and len(block.text) <= 60:
            yield from self._labelled_compact(index, block)

    def _labelled_compact(self, index: int, block: Block) -> Iterator[_Seen]:
        """20240305 or 3天前, read only behind a label."""
        for found in find_dates_in(block.text, self.as_of, loose=True, compact=True):
            if _YEARLESS.search(fold(found.text)):
                return
            label, _, source = self._label(index, block.text[: found.start], first=True)
            meaning = meaning_of(label) if label else None
            if meaning and (seen := self._labelled(index, block, found, label, meaning, source)):
                yield seen

    def _label(self, index: int, before: str, *, first: bool) -> tuple[str, bool, DateSource]:
        """The label in front of a date: in its own line, or at the end of the line (or cell) before."""
        block = self.blocks[index]
        label, set_off = label_before(before)
        if not label and first and not before.strip(" :：[【(（") and index:
            previous = self.blocks[index - 1]
            label, set_off = label_before(previous.text)
            whole = meaning_of(previous.text.rstrip()) is not None
            if not (set_off or whole or previous.tag in ("td", "th", "dt")) or len(previous.text) > 60:
                label = ""
            set_off = bool(label)
        source = DateSource.TABLE if block.tag in ("td", "th") or _in_cell(block) else DateSource.LABEL
        return label, set_off, source

    def _judged(
        self, index: int, block: Block, found: FoundDate, label: str, set_off: bool, source: DateSource
    ) -> _Seen | None:
        meaning = meaning_of(label) if label else None
        if meaning:
            return self._labelled(index, block, found, label, meaning, source)
        if label and set_off and not _NO_DATE_LABEL.search(label):
            return self._seen(index, found, DateMeaning.OTHER, label, source, 0)
        if index not in self.zone or not self._is_unlabelled(index, block, found):
            return None
        doubtful = _SHOWN_AS_SIGNED.search(found.text) and not self._has_info(index, found)
        return self._seen(index, found, DateMeaning.PUBLISHED, "", DateSource.TEXT, 0 if doubtful else _STRONG - 1)

    def _labelled(
        self,
        index: int,
        block: Block,
        found: FoundDate,
        label: str,
        meaning: tuple[DateMeaning, int],
        source: DateSource,
    ) -> _Seen | None:
        what, strength = meaning
        if strength == _WEAK and "发文" not in label and not self._is_info(index, block):
            what, strength = DateMeaning.OTHER, 0
        return self._seen(index, found, what, label, source, strength)

    def _seen(
        self, index: int, found: FoundDate, meaning: DateMeaning, label: str, source: DateSource, strength: int
    ) -> _Seen:
        text = _passage(self.blocks[index].text, found)
        candidate = DateCandidate(found.date, source, meaning, label, text)
        return _Seen(candidate, index, strength, index in self.zone)

    def _is_info(self, index: int, block: Block) -> bool:
        """Whether a bare 时间/日期 stands in an info line, not in a notice's 时间：… 地点：…."""
        around = " ".join(line.text for line in self.blocks[index : index + 2])
        if re.search(r"地\s?点\s*[:：]", around):
            return False
        others = re.sub(r"(?:时间|日期)\s*[:：]", "", block.text)
        return index in self.zone or _INFO_WORDS.search(others) is not None

    def _has_info(self, index: int, found: FoundDate) -> bool:
        """Whether the date shows a time of day, or source, views and the like stand beside it."""
        if re.search(r"\d{1,2}:\d{2}", fold(self.blocks[index].text)):
            return True
        lines = (index - 1, index, index + 1)
        return any(_INFO_WORDS.search(self.blocks[n].text[:60]) for n in lines if n in self.zone)

    def _is_unlabelled(self, index: int, block: Block, found: FoundDate) -> bool:
        """Whether a date under the title may be the info line's: no sentence, no clock, no other item's date."""
        folded = fold(block.text)
        rest = (folded[: found.start] + folded[found.end :]).strip()
        if len(rest) > 100 or _CLOCK_WORDS.search(rest) or _AFTER_OTHER_DATE.match(folded[found.end :]):
            return False
        if "。" in rest or "(" in folded[max(0, found.start - 1) : found.start]:
            return False
        return _INFO_WORDS.search(rest) is not None or not self._beside_link(index)

    def _beside_link(self, index: int) -> bool:
        """Whether the date stands beside another item's link."""
        element = self.blocks[index].element
        for _ in range(3):
            if element is None or element.tag in ("body", "html"):
                return False
            if len(normalise("".join(element.itertext()))) > 400:
                return False
            if any(len(normalise("".join(link.itertext()))) >= 8 for link in element.iter("a")):
                return True
            element = element.getparent()
        return False


def _in_cell(block: Block) -> bool:
    return any(getattr(parent, "tag", "") in ("td", "th") for parent in _ancestors(block, 3))


def _ancestors(block: Block, count: int) -> Iterator[object]:
    element = block.element
    for _ in range(count):
        if (element := element.getparent()) is None:
            return
        yield element


def _passage(text: str, found: FoundDate) -> str:
    start = max(0, min(found.start - 30, len(text) - PASSAGE))
    return text[start : start + PASSAGE]


def _footer_start(blocks: Sequence[Block]) -> int:
    """The first line of the page's foot: named so, or bearing its marks in the last two fifths of the page."""
    total = len(blocks)
    for index in range(total * 3 // 5, total):
        block = blocks[index]
        if block.region is Region.FOOTER or (len(block.text) < 200 and _FOOTER_WORDS.search(block.text)):
            return index
    return total


def _meta_dates(dom: Dom, as_of: date) -> tuple[DateCandidate, ...]:
    found = []
    for name in _META_NAMES:
        for content in dom.meta_values(name):
            for read in find_dates_in(content, as_of, compact=True)[:1]:
                found.append(DateCandidate(read.date, DateSource.META, DateMeaning.PUBLISHED, name, content[:PASSAGE]))
    return tuple(found)


_URL_DATE = re.compile(
    r"(?:t|/|_|-|content_|art_)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d{1,3}(?!\d))"
    r"|/((?:19|20)\d\d)[-/_]?(0?[1-9]|1[0-2])[-/_](0?[1-9]|[12]\d|3[01])(?=[/_.])"
)


def _url_dates(dom: Dom, as_of: date) -> tuple[DateCandidate, ...]:
    """The day in the page's address; a weak witness, for it is the day the entry was begun."""
    try:
        path = unquote(urlsplit(dom.url or "").path)
    except ValueError:
        return ()
    for match in _URL_DATE.finditer(path):
        year, month, day = (int(figure) for figure in match.groups() if figure)
        found = make_date(year, month, day)
        if found and found <= as_of + timedelta(days=1):
            return (DateCandidate(found, DateSource.URL, DateMeaning.PUBLISHED, "", match[0]),)
    return ()
