"""Dates as Chinese government pages write them.

Pure: what a yearless or relative date means depends on `as_of` and the dates near it alone. What is no whole, possible
date is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

FIRST_YEAR = 1949
_CHINA = timezone(timedelta(hours=8))

# ---------------------------------------------------------------- reading dates in a text


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date in a text: what it means, what was written, and where (offsets into the text given).

    `inferred`: it was counted from `as_of`, and on a later day the same words may mean another date (3天前, 10-11).
    """

    date: date
    text: str
    start: int
    end: int
    inferred: bool = False


_FOLDING = str.maketrans(
    "０１２３４５６７８９／．－—–‐‑−―：∶﹕︰（）［］【】〔〕｜　\xa0\u2002\u2003\u2009",
    "0123456789/.-------::::()[][][]|     ",
)
_FOLDED = re.compile(f"[{re.escape(''.join(map(chr, _FOLDING)))}]")  # to look takes a tenth of translating


def fold(text: str) -> str:
    """Fold full-width digits, colons, dashes, brackets and spaces, one character for one."""
    return text.translate(_FOLDING) if _FOLDED.search(text) else text


_DIGITS = {**{str(n): n for n in range(10)}, **dict(zip("一二三四五六七八九", range(1, 10), strict=True))}
_DIGITS |= dict.fromkeys("〇○零ＯOoΟО◯0", 0)
_ZEROS = "〇○零ＯOoΟО◯0"
_YEAR = rf"(?:(?:19|20)\d\d|[一二][一二三四五六七八九\d{_ZEROS}]{{3}})"
_MONTH = rf"(?:1[0-2]|0?[1-9](?!\d)|[{_ZEROS}]?[一二三四五六七八九元](?![十〇○零])|十[一二]?|一[{_ZEROS}一二])"
_ONE = "[一二三四五六七八九]"
_DAY = rf"(?:3[01]|[12]\d|0?[1-9](?!\d)|[一二三廿卅]?十{_ONE}?|[廿卅]{_ONE}?|[〇○零]?{_ONE}|[一二三](?:{_ONE}|[〇○零]))"
_CLOCK = r"(?:\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d{1,9})?)?)"
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})"
_MONTHS = {
    name: n
    for n, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}
_FULL = re.compile(
    rf"""
      (?<!\d)(?P<y1>{_YEAR})\s?年\s?(?P<m1>{_MONTH})\s?月\s?(?P<d1>{_DAY})(?:\s?[日号]|(?=\s*(?:$|[^\w\s%.])|\s+\S))
    | (?<![\dA-Za-z.])(?<![\dA-Za-z][-/])
        (?P<y2>(?:19|20)\d\d)(?P<sep>\s?[-/.]\s?)(?P<m2>\d{{1,2}})(?P=sep)(?P<d2>\d{{1,2}})
        (?:(?:\s*T\s*|\s+|-)(?P<clock>{_CLOCK})\s?(?P<zone>{_ZONE})?|(?=\d\d:\d\d)|(?![\d]|[-/.]\d|[A-Za-z]\d))
    | (?<![A-Za-z])(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s(?P<n3>[A-Z][a-z]{{2}})\s(?P<d3>\d\d)\s{_CLOCK}
        \s(?:CST|GMT\+08:00)\s(?P<y3>\d{{4}})(?!\d)
    | (?<![A-Za-z])(?P<n4>[A-Z][a-z]{{2}})(?:uary|ruary|ch|il|e|y|ust|tember|ober|ember)?
        \s(?P<d4>\d{{1,2}}),\s?(?P<y4>(?:19|20)\d\d)(?!\d)
    """,
    re.X,
)
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=\d{6}(?!\d)|\d{4}(?!\d)|(?!\d))")
_YEARLESS = re.compile(
    r"(?<![\d./:-])(?:(?P<m1>\d{1,2})\s?月\s?(?P<d1>\d{1,2})\s?[日号]|(?P<m2>\d{1,2})[-/](?P<d2>\d{1,2})"
    r"|(?P<m3>\d\d)\.(?P<d3>\d\d))(?![\d:/-]|\.\d)"
)
_SHORT_YEAR = re.compile(r"(?<![\d./-])(?<!\d:)(\d\d)-(\d\d)-(\d\d)(?![\d/.-])")  # 08-05-12
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
    """Give a yearless date the year nearest to `near`, else the latest year that is not after `as_of` + 1 day."""
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

    `compact` also reads 20240305; `loose` also reads yearless dates (10-11, [08-12], 3月5日) and relative ones (3天前,
    昨天), and is meant for short texts that hold nothing else, such as the date beside a list entry; both together also
    read 08-05-12. `near` helps to find a yearless date's year. ISO moments with a time zone give the day in China.
    """
    if len(text) > _REPEATED:
        return _dates_in(text, as_of, loose, compact, near)
    return _dates_in_line(text, as_of, loose, compact, near)


_REPEATED = 80  # characters: the short lines of a site's menus and lists stand on page after page


def _dates_in(text: str, as_of: date, loose: bool, compact: bool, near: date | None) -> tuple[FoundDate, ...]:
    if not may_hold_date(text):
        return ()
    folded = fold(text)
    found = _whole_dates(folded, loose, compact)
    if found or not loose:
        return tuple(FoundDate(day, text[start:end], start, end) for day, start, end in found)
    if found := list(_matches(_AGO.finditer(folded), lambda m: _days_ago(m, as_of))):
        return tuple(FoundDate(day, text[start:end], start, end, inferred=True) for day, start, end in found)
    yearless = _matches(_YEARLESS.finditer(folded), lambda m: _yearless(m, as_of, near))
    return tuple(FoundDate(day, text[start:end], start, end, _may_change(day, near)) for day, start, end in yearless)


_dates_in_line = lru_cache(maxsize=16_384)(_dates_in)
_MAY_HOLD_DATE = re.compile(r"[\d年前刚今昨](?:(?<=\D)|\d{3}|\D{1,3}\d)")  # a year, 月 or mark between figures, or 前


def may_hold_date(text: str) -> bool:
    """Tell at a glance whether a text may hold a date of any kind; most lines of a page do not."""
    return _MAY_HOLD_DATE.search(text) is not None


def _whole_dates(folded: str, loose: bool, compact: bool) -> list[tuple[date, int, int]]:
    found = list(_matches(_FULL.finditer(folded), _full_date))
    if compact:
        found += _matches(_COMPACT.finditer(folded), lambda m: make_date(int(m[1]), int(m[2]), int(m[3])))
    if loose and compact and not found:
        found += _matches(_SHORT_YEAR.finditer(folded), lambda m: make_date(2000 + int(m[1]), int(m[2]), int(m[3])))
    return sorted(found, key=lambda item: item[1:])


def _matches(
    matches: Iterator[re.Match[str]], read: Callable[[re.Match[str]], date | None]
) -> Iterator[tuple[date, int, int]]:
    for match in matches:
        if found := read(match):
            yield found, match.start(), match.end()


def _days_ago(match: re.Match[str], as_of: date) -> date | None:
    days = _AGO_WORDS[match["word"]] if match["word"] else int(match["n"]) * _AGO_UNITS[match["unit"]]
    return as_of - timedelta(days=days)


def _yearless(match: re.Match[str], as_of: date, near: date | None) -> date | None:
    month, day = (int(figure) for figure in match.groups() if figure)
    return infer_year(month, day, as_of, near)


def _may_change(yearless: date, near: date | None) -> bool:
    """Whether a later day may give it another year: without `near`, and where that of the nearest is yet to come."""
    return near is None or yearless != infer_year(yearless.month, yearless.day, date.max - timedelta(days=1), near)


_SPLIT_FORMS = (
    re.compile(r"^(?P<d>\d{1,2})日?\s+(?P<y>(?:19|20)\d\d)\s?[-年/.]\s?(?P<m>\d{1,2})月?$"),  # 21 | 2024年02月
    re.compile(r"^(?P<y>(?:19|20)\d\d)\s?[-年/.]\s?(?P<m>\d{1,2})月?\s+(?P<d>\d{1,2})日?$"),  # 2024-02 | 21
    re.compile(r"^(?P<m>\d{1,2})\s?[-月/.]\s?(?P<d>\d{1,2})日?\s+(?P<y>(?:19|20)\d\d)年?$"),  # 02-21 | 2024
    re.compile(r"^(?P<y>(?:19|20)\d\d)年?\s+(?P<m>\d{1,2})\s?[-月/.]\s?(?P<d>\d{1,2})日?$"),  # 2024 | 02-21
    re.compile(r"^(?P<y>(?:19|20)\d\d)年?\s+(?P<m>\d{1,2})月?\s+(?P<d>\d{1,2})日?$"),  # 2024 | 02 | 21
    re.compile(r"^(?P<d>\d{1,2})日?\s+(?P<m>\d{1,2})月\s+(?P<y>(?:19|20)\d\d)年?$"),  # 21 | 02月 | 2024
)


def find_split_date(pieces: Sequence[str]) -> date | None:
    """Return the date whose day, month and year stand in elements of their own (21 | 2024年02月), or None."""
    for count in (2, 3):
        for at in range(len(pieces) - count + 1):
            text = " ".join(piece.strip(" []()【】") for piece in pieces[at : at + count])
            for form in _SPLIT_FORMS:
                if match := form.match(fold(text)):
                    return make_date(int(match["y"]), int(match["m"]), int(match["d"]))
    return None


def is_yearless(text: str) -> bool:
    """Tell whether a text holds a date without its year, and no whole one."""
    folded = fold(text)
    return _FULL.search(folded) is None and _YEARLESS.search(folded) is not None


# ---------------------------------------------------------------- the day of reading


@dataclass(slots=True)
class ReadingDay:
    """The day on which a page is read, and whether that `mattered`: whether a later day may read the page otherwise."""

    as_of: date
    mattered: bool = False

    def reaches(self, day: date) -> bool:
        """Tell whether a day is not after this day + 1; one that is will be reached yet."""
        reached = day <= self.as_of + timedelta(days=1)
        self.mattered |= not reached
        return reached

    def find_dates_in(self, text: str, *, compact: bool = False, near: date | None = None) -> tuple[FoundDate, ...]:
        """Find dates as `find_dates_in` does, loose ones too; whoever goes by one that is `inferred` notes it here.

        A 29 February (02-29) may be found in some years only.
        """
        if not may_hold_date(text):
            return ()
        self.mattered |= _LEAP_DAY.search(fold(text)) is not None
        return find_dates_in(text, self.as_of, loose=True, compact=compact, near=near)


_LEAP_DAY = re.compile(r"(?<!\d)0?2\s?[-/.月]\s?29(?!\d)")
