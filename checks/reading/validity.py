"""有效性: whether a document is marked 有效, 失效 or 废止, and until when it says of itself that it is valid."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from checks.facts.dates import find_dates_in
from checks.facts.labels import compact
from checks.facts.model import PageFacts

MAX_LINES = 2_000  # of one document
MAX_LINE = 1_500  # characters
DAYS_OF_MONTHS = 31  # of a period in months: never fewer days than it has


class Status(StrEnum):
    """文件效力 as a mark on a page or in a list says it."""

    VALID = "有效"
    EXPIRED = "失效"
    ABOLISHED = "废止"


@dataclass(frozen=True, slots=True)
class Term:
    """The last day on which a document is valid by its own words, and those words."""

    last_day: date
    passage: str


# ---------------------------------------------------------------- marks

_ABOLISHED = re.compile("废止|作废|撤销|停止执行")
_EXPIRED = re.compile("(?<![未没])失效|无效|过期|届满")
_VALID = re.compile("有效|生效|已?修[改订]|未失效|没有失效")
_PLAIN_ANSWERS = {"是": Status.VALID, "否": Status.EXPIRED}
_TAG = re.compile(r"[\[【(（〔](?:文件)?(?:已|现行|继续|状态[:：])?(有效|失效|废止|无效|作废)[\]】)）〕]")
_BARE_TAG = re.compile("有效|现行有效|继续有效|失效|已失效|废止|已废止|无效|作废")
_LINE = re.compile(r"^(?:文件)?(?:效力|状态|有效性|时效)(?:状态)?[:：∶](.{2,12})$")


def status_in(value: str) -> Status | None:
    """Return what the value of a label such as 有效性 means, or None for one that is none of the known words."""
    words = compact(value)
    if words in _PLAIN_ANSWERS:
        return _PLAIN_ANSWERS[words]
    found = ((Status.ABOLISHED, _ABOLISHED), (Status.EXPIRED, _EXPIRED), (Status.VALID, _VALID))
    return next((status for status, pattern in found if pattern.search(words)), None)


def mark_of(facts: PageFacts) -> tuple[Status, str] | None:
    """Return the mark on the document's own page with its wording: in the label table, its title, or a line of it."""
    if facts.document.validity and (status := status_in(facts.document.validity)):
        return status, f"有效性：{facts.document.validity}"
    if tag := _TAG.search(facts.title):
        return _known(tag[1]), tag[0]
    for line in facts.body_text.splitlines()[:MAX_LINES]:
        words = compact(line[:60])
        match = _LINE.match(words) or _TAG.fullmatch(words)
        if match and (status := status_in(match[1])):
            return status, words
    return None


def mark_in_list(pages: Sequence[PageFacts], title: str) -> tuple[Status, str] | None:
    """Return the mark beside the entry of that title in a list: a tag in its line, or a cell in its row."""
    wanted = compact(title)
    if not wanted:
        return None
    for facts in pages:
        for row in (row for table in facts.tables for row in table.rows):
            if any(wanted in compact(cell) for cell in row):
                tag = next((cell for cell in row if _BARE_TAG.fullmatch(compact(cell))), "")
                if tag and (status := status_in(tag)):
                    return status, tag
        for line in facts.body_text.splitlines()[:MAX_LINES]:
            words = compact(line[:MAX_LINE])
            if wanted in words and (tag := _tag_beside(words.replace(wanted, " "))):
                return _known(tag), tag
    return None


def _tag_beside(rest: str) -> str:
    """The mark in a list entry's line without its title, in brackets or by itself."""
    match = _TAG.search(rest)
    if match:
        return match[1]
    return next((word for word in rest.split() if _BARE_TAG.fullmatch(word)), "")


def _known(word: str) -> Status:
    status = status_in(word)
    assert status is not None, "the patterns name known words only"
    return status


# ---------------------------------------------------------------- periods

_PERIOD_LABELS = frozenset({"有效期", "有效期限", "失效日期", "废止日期", "失效时间", "废止时间"})
_END = re.compile(r"有效期限?[^，。；\d]{0,12}?(?:至|到|截止)[^。；]{0,40}")
_LENGTH = re.compile(
    r"(?:有效期|试行期|施行期|执行期)限?(?:暂?[定为是]{1,2})?\s{0,3}([一二两三四五六七八九十\d]{1,3})\s{0,3}(年|个月)"
)
# How a sentence begins that speaks of the document itself: 第十条 本办法自…起施行，…
_OWN = re.compile(
    r"(?:第[一二三四五六七八九十百\d]{1,5}条|[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．])?\s{0,3}"
    r"(?:本(?!证|人|次)|此件|此文|自|从|(?:19|20)\d{2}年|$)"
)
_OTHERS = re.compile("《|原|上述|此前|以前|证|许可|资质|资格|合同|协议|备案|登记|名单|药|疫苗")  # or of something else
_SINCE_ISSUE = re.compile(r"自(?:印发|发布|公布|颁布|下发|发文|公开|成文)之?日(?:起)?(?:的?(\d{1,3})个?(?:工作)?日)?")
_MONTH_ALONE = re.compile(r"((?:19|20)\d{2})年(?:(1[0-2]|0?[1-9])月)?(?!\d)")
_NUMERALS = {numeral: number for number, numeral in enumerate("〇一二三四五六七八九十")} | {"两": 2}


def term_of(facts: PageFacts, day: date, attached: Sequence[str] = ()) -> Term | None:
    """Return the latest last day that the document states for itself, or None when it states none.

    有效期至…, 自…起施行，有效期五年 and the labels 有效期, 失效日期 are read, on the page and in the texts of its files
    (`attached`). A period of years ends on the same date of the later year, which is a day's grace. Sentences about
    other documents are left alone.
    """
    issued = _issued(facts)
    lines = [line for text in (facts.body_text, *attached) for line in text.splitlines()[:MAX_LINES]]
    found = [*_in_labels(facts, day, issued), *(p for line in lines for p in _in_line(line[:MAX_LINE], day, issued))]
    return max(found, key=lambda period: period.last_day, default=None)


def term_in(text: str, day: date) -> Term | None:
    """Return the latest last day that a file states for itself; a period counted from its issue cannot be told."""
    found = (p for line in text.splitlines()[:MAX_LINES] for p in _in_line(line[:MAX_LINE], day, None))
    return max(found, key=lambda period: period.last_day, default=None)


def _issued(facts: PageFacts) -> date | None:
    """The latest of the days from which 自印发之日起 may be counted."""
    days = (facts.document.written_on, facts.document.published_on, facts.published.date)
    return max((day for day in days if day is not None), default=None)


def _in_labels(facts: PageFacts, day: date, issued: date | None) -> Iterator[Term]:
    for label, value in facts.document.labels:
        if label in _PERIOD_LABELS and value:
            passage = f"{label}：{value}"
            ends = [found.date for found in find_dates_in(value, day, compact=True)]
            length = _LENGTH.search(f"有效期{compact(value)}")
            if length and label.startswith("有效期"):
                start = max(ends, default=issued)
                ends = [_after(start, length)] if start else []
            if ends:
                yield Term(max(ends), passage)


def _in_line(line: str, day: date, issued: date | None) -> Iterator[Term]:
    if "期" not in line:
        return
    for match in _END.finditer(line):
        sentence = _sentence(line, match.start())
        last = _last_named_day(match[0], day)
        if last and _is_own(sentence, match[0]):
            yield Term(last, sentence)
    for match in _LENGTH.finditer(line):
        sentence = _sentence(line, match.start())
        start = _start(line, match, day, issued) if _is_own(sentence, match[0]) else None
        if start:
            yield Term(_after(start, match), sentence)


def _is_own(sentence: str, statement: str) -> bool:
    """Whether what stands before the statement in its sentence is about the document itself."""
    before = sentence.partition(statement)[0]
    return _OWN.match(before) is not None and not _OTHERS.search(before)


def _sentence(line: str, at: int) -> str:
    """The sentence around a place in the line."""
    begin = max(line.rfind(mark, 0, at) for mark in "。；") + 1
    ends = [end for mark in "。；" if (end := line.find(mark, at)) >= 0]
    return line[begin : min(ends, default=len(line))].strip()


def _start(line: str, match: re.Match[str], day: date, issued: date | None) -> date | None:
    """The day from which the period counts: the last one named before it, else the first behind it."""
    before, behind = line[max(0, match.start() - 80) : match.start()], line[match.end() : match.end() + 40]
    for text, place in ((before, -1), (behind, 0)):
        if named := find_dates_in(text, day):
            return named[place].date
        if since := _SINCE_ISSUE.search(text):
            return issued + timedelta(days=int(since[1] or 0)) if issued else None
    return None


def _last_named_day(text: str, day: date) -> date | None:
    named = find_dates_in(text, day)
    if named:
        return max(found.date for found in named)
    if match := _MONTH_ALONE.search(text):
        year, month = int(match[1]), int(match[2] or 12)
        return date(year, month, calendar.monthrange(year, month)[1])
    return None


def _after(start: date, length: re.Match[str]) -> date:
    """The day that lies the period after the start."""
    count = _count(length[1])
    if length[2] == "个月":
        return start + timedelta(days=DAYS_OF_MONTHS * count)
    year = min(start.year + count, date.max.year)
    day_of_month = min(start.day, calendar.monthrange(year, start.month)[1])
    return date(year, start.month, day_of_month) + timedelta(days=start.day - day_of_month)


def _count(written: str) -> int:
    if written.isdigit():
        return int(written)
    tens, ten, ones = written.rpartition("十")
    if not ten:
        return _NUMERALS.get(written, 0) if len(written) == 1 else 99  # no period that anybody writes: never over
    return (_NUMERALS.get(tens, 1) if tens else 1) * 10 + _NUMERALS.get(ones, 0)
