"""Any date in any form that government pages use is read back, and nothing else is taken for a date."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checks.facts.dates import find_dates_in, find_split_date, fold, infer_year, make_date

AS_OF = date(2026, 11, 23)
DAYS = st.dates(date(1950, 1, 1), date(2099, 12, 31))
NUMERALS = "〇一二三四五六七八九"


def spoken(number: int) -> str:
    """A month or day in Chinese numerals: 26 → 二十六."""
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else NUMERALS[tens]) + "十" if tens else ""
    return head + (NUMERALS[ones] if ones or not tens else "")


def chinese(day: date, zero: str) -> str:
    year = "".join(NUMERALS[int(figure)] for figure in str(day.year)).replace("〇", zero)
    return f"{year}年{spoken(day.month)}月{spoken(day.day)}日"


def wide(text: str) -> str:
    return text.translate({ord("0") + n: ord("０") + n for n in range(10)})


FORMS = {
    "年月日": lambda d: f"{d.year}年{d.month}月{d.day}日",
    "padded": lambda d: f"{d.year}年{d.month:02}月{d.day:02}日",
    "spaced": lambda d: f"{d.year} 年 {d.month} 月 {d.day} 日",
    "号": lambda d: f"{d.year}年{d.month}月{d.day}号",
    "dashes": lambda d: d.isoformat(),
    "short dashes": lambda d: f"{d.year}-{d.month}-{d.day}",
    "slashes": lambda d: f"{d.year}/{d.month}/{d.day}",
    "dots": lambda d: f"{d.year}.{d.month:02}.{d.day:02}",
    "spaced dots": lambda d: f"{d.year}. {d.month}. {d.day}",
    "long dashes": lambda d: f"{d.year}—{d.month:02}—{d.day:02}",
    "clock": lambda d: f"{d.isoformat()} 23:59:59",
    "joined clock": lambda d: f"{d.isoformat()}-23:59:59",
    "glued clock": lambda d: f"{d.year}年{d.month}月{d.day}日08:18",
    "ratio colon": lambda d: f"{d.isoformat()} 10∶08",
    "brackets": lambda d: f"[{d.isoformat()}]",
    "full width": lambda d: wide(f"{d.year}年{d.month}月{d.day}日"),
    "full width dashes": lambda d: wide(d.isoformat()).replace("-", "－"),
    "numerals 〇": lambda d: chinese(d, "〇"),
    "numerals ○": lambda d: chinese(d, "○"),
    "numerals 零": lambda d: chinese(d, "零"),
    "numerals Ｏ": lambda d: chinese(d, "Ｏ"),
    "iso in China": lambda d: f"{d.isoformat()}T10:00:00+08:00",
    "java": lambda d: f"{d:%a} {d:%b} {d.day:02} 10:22:33 CST {d.year}",
}


@pytest.mark.parametrize("form", FORMS)
@given(day=DAYS, around=st.sampled_from(["{}", "发布时间：{}", "来源：县政府办 {} 点击", "（{}）", "于{}发布"]))
@example(day=date(2008, 10, 30), around="{}")
@example(day=date(2010, 11, 11), around="{}")
@example(day=date(2020, 2, 29), around="{}")
def test_every_form_is_read_back(form: str, day: date, around: str) -> None:
    text = around.format(FORMS[form](day))
    found = find_dates_in(text, AS_OF)
    assert [each.date for each in found] == [day]
    assert text[found[0].start : found[0].end] == found[0].text


@given(day=DAYS)
def test_figures_without_separators_only_where_asked_for(day: date) -> None:
    text = f"{day:%Y%m%d}"
    assert find_dates_in(text, AS_OF) == ()
    assert [each.date for each in find_dates_in(f"t{text}_118.html", AS_OF, compact=True)] == [day]
    assert [each.date for each in find_dates_in(f"{text}093000", AS_OF, compact=True)] == [day]


@given(text=st.text(alphabet="年月日号云溪县公开发布时间前天：-/.,()（）abcXYZ \u3000", max_size=60))
def test_no_figures_no_date(text: str) -> None:
    assert find_dates_in(text, AS_OF) == ()


@pytest.mark.parametrize(
    "text",
    [
        "2024年13月5日",
        "2024-02-30",
        "2023年2月29日",
        "1.2.3.4",
        "192.168.1.1",
        "139999/2024-00018",
        "云政办〔2024〕18号",
        "0311-88880000",
        "© 2010-2026",
        "2024年3月",
        "二〇二四年三月",
        "版本2024.03.05.1",
        "第20240305号",
        "3天",
        "GB/T 9704-2012",
        "2024-03-05-2024-03-12",
        "1899年3月5日",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert find_dates_in(text, AS_OF) == ()


def test_several_dates_in_order() -> None:
    text = "成文日期：2024年2月28日 发布日期：2024-03-05"
    assert [each.date for each in find_dates_in(text, AS_OF)] == [date(2024, 2, 28), date(2024, 3, 5)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-05T16:30:00Z", date(2024, 3, 6)),
        ("2024-03-05T15:59:00Z", date(2024, 3, 5)),
        ("2024-12-31T20:00:00+00:00", date(2025, 1, 1)),
        ("2024-03-05T01:00:00+09:00", date(2024, 3, 5)),
        ("2024-03-05T00:30:00+09:00", date(2024, 3, 4)),
        ("2024-03-05T99:30:00Z", date(2024, 3, 5)),
    ],
)
def test_moments_give_the_day_in_china(text: str, day: date) -> None:
    assert [each.date for each in find_dates_in(text, AS_OF)] == [day]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3天前", date(2026, 11, 20)),
        ("昨天", date(2026, 11, 22)),
        ("前天 09:20", date(2026, 11, 21)),
        ("刚刚", AS_OF),
        ("25分钟前", AS_OF),
        ("2周前", date(2026, 11, 9)),
        ("[11-20]", date(2026, 11, 20)),
        ("11/24", date(2026, 11, 24)),
        ("11-25", date(2025, 11, 25)),
        ("3月5日", date(2026, 3, 5)),
        ("03.05", date(2026, 3, 5)),
    ],
)
def test_loose_forms(text: str, day: date) -> None:
    assert find_dates_in(text, AS_OF) == ()
    assert [each.date for each in find_dates_in(text, AS_OF, loose=True)] == [day]


@pytest.mark.parametrize("text", ["10:20", "3.5", "99-99", "13-01", "02-30", "1/2/3", "18", "3个月前"])
def test_what_is_no_loose_date(text: str) -> None:
    assert find_dates_in(text, AS_OF, loose=True) == ()


@given(near=st.dates(date(2000, 1, 1), date(2025, 12, 31)), days=st.integers(-150, 150))
def test_a_missing_year_comes_from_the_neighbour(near: date, days: int) -> None:
    day = near + timedelta(days=days)
    assert infer_year(day.month, day.day, AS_OF, near) == day or (day.month, day.day) == (2, 29)


@given(as_of=st.dates(date(2001, 1, 1), date(2090, 12, 31)), month=st.integers(1, 12), day=st.integers(1, 28))
def test_a_missing_year_never_leads_into_the_future(as_of: date, month: int, day: int) -> None:
    found = infer_year(month, day, as_of)
    assert found is not None
    assert as_of - timedelta(days=366) < found <= as_of + timedelta(days=1)


@pytest.mark.parametrize(
    "pieces",
    [
        ("21", "2024年02月"),
        ("21", "2024-02"),
        ("2024-02", "21"),
        ("02-21", "2024"),
        ("2024", "02-21"),
        ("2024", "02", "21"),
        ("21日", "02月", "2024"),
        ("2024年", "2月", "21日"),
        ("[21]", "2024.02"),
    ],
)
def test_a_date_over_several_elements(pieces: tuple[str, ...]) -> None:
    assert find_split_date(pieces) == date(2024, 2, 21)


def test_pieces_that_are_no_date() -> None:
    assert find_split_date(("21", "公告")) is None
    assert find_split_date(("31", "2024-02")) is None
    assert find_split_date(()) is None


@given(st.text(max_size=80))
def test_reading_any_text_is_total(text: str) -> None:
    assert len(fold(text)) == len(text)
    for each in find_dates_in(text, AS_OF, loose=True, compact=True):
        assert text[each.start : each.end] == each.text


def test_days_that_do_not_exist() -> None:
    assert make_date(2023, 2, 29) is None
    assert make_date(1948, 12, 31) is None
    assert make_date(2024, 0, 1) is None
