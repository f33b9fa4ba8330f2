"""Which of a page's dates is its publication date."""

from __future__ import annotations

from datetime import date

import pytest

from checks.facts.dates import ReadingDay
from checks.facts.dom import parse
from checks.facts.model import DateMeaning, DateSource
from checks.facts.publication import FAIR, PLAIN, WEAK, date_in_address, label_before, meaning_of, published

AS_OF = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("发布时间：", (DateMeaning.PUBLISHED, PLAIN)),
        ("发 布 日 期", (DateMeaning.PUBLISHED, PLAIN)),
        ("【信息发布时间】", (DateMeaning.PUBLISHED, PLAIN)),
        ("发表于", (DateMeaning.PUBLISHED, PLAIN)),
        ("公开日期", (DateMeaning.PUBLISHED, FAIR)),
        ("录入时间", (DateMeaning.PUBLISHED, FAIR)),
        ("时间", (DateMeaning.PUBLISHED, WEAK)),
        ("发文日期", (DateMeaning.PUBLISHED, WEAK)),
        ("成文日期", (DateMeaning.WRITTEN, PLAIN)),
        ("最后更新时间", (DateMeaning.UPDATED, PLAIN)),
        ("信息生成日期", (DateMeaning.GENERATED, PLAIN)),
        ("招标公告日期", None),
        ("公示时间", None),
        ("截止时间", None),
        ("开标时间", None),
        ("会议时间", None),
        ("", None),
    ],
)
def test_meanings(label: str, expected: object) -> None:
    assert meaning_of(label) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("来源：县政府办 发布时间：", ("发布时间", True)),
        ("来源：县政府办发布时间：", ("发布时间", True)),
        ("发 布 时 间 ： ", ("发布时间", True)),
        ("【发布时间】", ("发布时间", False)),
        ("【字体：大 中 小】 ", ("大中小", False)),
        ("来源：县政府办 ", ("县政府办", False)),
        ("浏览次数：12 ", ("", False)),
        ("", ("", False)),
    ],
)
def test_the_label_in_front(text: str, expected: tuple[str, bool]) -> None:
    assert label_before(text) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://a.example/dt/202403/t20240305_118.html", date(2024, 3, 5)),
        ("http://a.example/2024-03/05/content_9.htm", date(2024, 3, 5)),
        ("http://a.example/art/2024/3/5/art_12_345.html", date(2024, 3, 5)),
        ("http://a.example/20240305/9.html", date(2024, 3, 5)),
        ("http://a.example/content_202403051.html", None),
        ("http://a.example/202413/t20241399_1.html", None),
        ("http://a.example/dt/", None),
        ("http://[broken", None),
    ],
)
def test_dates_in_addresses(address: str, expected: date | None) -> None:
    assert date_in_address(address) == expected


def test_all_dates_of_a_document_table_are_kept_apart() -> None:
    markup = (
        "<table><tr><td>成文日期</td><td>2024-02-28</td><td>发布日期</td><td>2024-03-05</td></tr>"
        "<tr><td>生成日期</td><td>2024-03-04</td><td>更新时间</td><td>2024-03-09</td></tr></table>"
    )
    found = published(parse(markup.encode()), today=ReadingDay(AS_OF))
    assert [(each.meaning, each.date.day) for each in found.candidates] == [
        (DateMeaning.WRITTEN, 28),
        (DateMeaning.PUBLISHED, 5),
        (DateMeaning.GENERATED, 4),
        (DateMeaning.UPDATED, 9),
    ]
    assert (found.date, found.source, found.label) == (date(2024, 3, 5), DateSource.TABLE, "发布日期")


def test_a_plain_label_may_name_a_future_day_but_a_bare_date_may_not() -> None:
    plain = parse("<p>发布时间：2027-03-05</p>".encode())
    bare = parse("<h1>标题</h1><p>2027-03-05 来源：县政府办</p>".encode())
    assert published(plain, today=ReadingDay(AS_OF)).date == date(2027, 3, 5)
    assert published(bare, today=ReadingDay(AS_OF), title=(0, 1)).date is None


def test_home_pages_and_columns_have_candidates_only() -> None:
    found = published(parse("<p>发布时间：2024-03-05</p>".encode()), today=ReadingDay(AS_OF), undated=True)
    assert found.date is None
    assert [each.date for each in found.candidates] == [date(2024, 3, 5)]


def test_passages_are_short() -> None:
    found = published(parse(("<p>" + "云溪县" * 100 + "发布时间：2024-03-05</p>").encode()), today=ReadingDay(AS_OF))
    assert all(len(each.text) <= 80 and "2024-03-05" in each.text for each in found.candidates)
