"""Lists give their entries in order, each with its own date, and tell where they go on."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.facts.dates import ReadingDay
from checks.facts.dom import parse
from checks.facts.lists import next_page, read_list, total_pages
from checks.facts.model import PageKind

AS_OF = date(2026, 11, 23)
URL = "http://www.yunxi.example/dt/index.html"
SHAPES = {
    "items": "<ul>{}</ul>|<li><a href='/{n}.html'>{t}</a><span>{d}</span></li>",
    "date first": "<ul>{}</ul>|<li><span>[{d}]</span><a href='/{n}.html'>{t}</a></li>",
    "rows": "<table>{}</table>|<tr><td>{n}</td><td><a href='/{n}.html'>{t}</a></td><td>{d}</td></tr>",
    "boxes": "<div>{}</div>|<div class=b><a href='/{n}.html'>{t}</a><em>{d}</em></div>",
    "definitions": "<dl>{}</dl>|<dt><a href='/{n}.html'>{t}</a></dt><dd>{d}</dd>",
    "lines": "<div>{}</div>|<a href='/{n}.html'>{t}</a> {d}<br>",
    "dates before": "<div>{}</div>|{d} <a href='/{n}.html'>{t}</a><br>",
}


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=25, deadline=None)
@given(
    days=st.lists(st.dates(date(2001, 1, 1), AS_OF), min_size=3, max_size=8),
    form=st.sampled_from(
        ["{0:%Y-%m-%d}", "{0:%Y/%m/%d}", "{0:%Y.%m.%d}", "{0:%Y}年{0:%m}月{0:%d}日", "{0:%Y-%m-%d} 09:30"]
    ),
)
def test_every_entry_has_the_date_beside_it(shape: str, days: list[date], form: str) -> None:
    around, _, item = SHAPES[shape].partition("|")
    rows = [item.format(n=n, t=f"云溪县第{n}次重点工作调度会召开", d=form.format(day)) for n, day in enumerate(days)]
    menu = "<div class=nav><a href=/a/>政务公开专栏</a></div>"
    page = parse((menu + around.replace("{}", "".join(rows))).encode(), url=URL)
    found = read_list(page, today=ReadingDay(AS_OF), kind=PageKind.COLUMN)
    assert [entry.date for entry in found.entries] == days
    assert [entry.url for entry in found.entries] == [f"http://www.yunxi.example/{n}.html" for n in range(len(days))]
    assert found.newest == max(days)


@settings(max_examples=40, deadline=None)
@given(gaps=st.lists(st.integers(0, 60), min_size=2, max_size=6))
def test_yearless_dates_of_a_running_list(gaps: list[int]) -> None:
    days = [AS_OF - timedelta(days=sum(gaps[: n + 1])) for n in range(len(gaps))]
    days = [day for day in days if day > AS_OF - timedelta(days=360) and (day.month, day.day) != (2, 29)]
    rows = "".join(
        f"<li><a href='/{n}'>云溪县第{n}次调度会召开</a><i>{day:%m-%d}</i></li>" for n, day in enumerate(days)
    )
    found = read_list(parse(f"<ul>{rows}</ul>".encode()), today=ReadingDay(AS_OF), kind=PageKind.COLUMN)
    assert [entry.date for entry in found.entries] == days


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<a href='index_2.html'>下一页</a>", "http://www.yunxi.example/dt/index_2.html"),
        ("<a href='index_2.html'>下页 ></a>", "http://www.yunxi.example/dt/index_2.html"),
        ("<a href='?p=2' rel=next>继续</a>", "http://www.yunxi.example/dt/index.html?p=2"),
        ("<a href=\"javascript:location='/dt/index_2.html'\">下一页</a>", "http://www.yunxi.example/dt/index_2.html"),
        ("<a href='javascript:goto(2)'>下一页</a>", None),
        ("<a href='index.html'>下一页</a>", None),
        ("<a href='#'>下一页</a>", None),
        ("<span>下一页</span>", None),
        (
            "<span class='on'>1</span> <a href='index_1.html'>2</a> <a href='index_2.html'>3</a>",
            "http://www.yunxi.example/dt/index_1.html",
        ),
        (
            "<a href='index_3.html'>上一页</a><a href='index_3.html'>4</a><b>5</b><a href='index_5.html'>6</a>",
            "http://www.yunxi.example/dt/index_5.html",
        ),
        (
            "<ul><li><a href='#'>1</a></li><li><a href='index_1.html'>2</a></li></ul>",
            "http://www.yunxi.example/dt/index_1.html",
        ),
        ("<a href='a.html'>1</a><a href='b.html'>2</a><span>3</span>", None),
        ("<table><tr><td>1</td><td><a href='/rl/2.html'>2</a></td></tr></table>", None),
        ("<span>22</span><a href='/rl/23.html'>23</a>", None),
        ("<a href='/9.html'>下一篇</a>", None),
        ("<a class=carousel href='/9.html'>›</a>", None),
        ("<script>createPageHTML(3,1,'index','html')</script>", "http://www.yunxi.example/dt/index_2.html"),
        ("<script>createPageHTML(3,2,'index','html')</script>", None),
        ("<script>function createPageHTML(_nPageCount, _nCurrIndex, _sPageName, _sPageExt){}</script>", None),
    ],
)
def test_next_page(markup: str, expected: str | None) -> None:
    assert next_page(parse(markup.encode(), url=URL)) == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>共12页</p>", 12),
        ("<p>共 120 条 1/12 页</p>", 12),
        ("<p>总页数：12</p>", 12),
        ("<script>var countPage = 12;</script>", 12),
        ("<script>createPageHTML(12,0,'index','html')</script>", 12),
        ("<p>共120条</p>", None),
    ],
)
def test_total_pages(markup: str, expected: int | None) -> None:
    assert total_pages(parse(markup.encode())) == expected


def test_menus_and_footers_are_no_entries() -> None:
    markup = (
        "<nav><a href=/1>云溪县人民政府机构职能专栏</a><a href=/2>云溪县人民政府信息公开专栏</a></nav>"
        "<footer><a href=/3>云溪县人民政府办公室网站声明</a></footer>"
    )
    assert read_list(parse(markup.encode()), today=ReadingDay(AS_OF)).entries == ()
