"""What a page is, by its column or by itself."""

from __future__ import annotations

from datetime import date

import pytest

from checks.facts.kinds import kind_of_column
from checks.facts.model import PageKind
from checks.facts.page import read_page
from config.schema import ColumnType

AS_OF = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("column", "article", "expected"),
    [
        (ColumnType.NEWS, False, PageKind.COLUMN),
        (ColumnType.NEWS, True, PageKind.ARTICLE),
        (ColumnType.DISCLOSURE_GUIDE, False, PageKind.GUIDE),
        (ColumnType.ANNUAL_REPORT, False, PageKind.COLUMN),
        (ColumnType.ANNUAL_REPORT, True, PageKind.ANNUAL_REPORT),
        (ColumnType.SERVICE_GUIDE, True, PageKind.SERVICE_GUIDE),
        (ColumnType.STANDARD_CATALOG, False, PageKind.CATALOG),
        (ColumnType.APPLICATION, False, PageKind.APPLICATION),
    ],
)
def test_by_column(column: ColumnType, article: bool, expected: PageKind) -> None:
    assert kind_of_column(column, article=article) is expected


@pytest.mark.parametrize("path", ["", "/", "/index.html", "/default.aspx"])
def test_the_root_is_the_home_page(path: str) -> None:
    page = read_page("<p>欢迎访问</p>".encode(), url=f"http://www.yunxi.example{path}", as_of=AS_OF)
    assert page.kind is PageKind.HOME


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("云溪县政府信息公开指南", PageKind.GUIDE),
        ("云溪县2025年政府信息公开工作年度报告", PageKind.ANNUAL_REPORT),
        ("依申请公开", PageKind.APPLICATION),
        ("公共场所卫生许可办事指南", PageKind.SERVICE_GUIDE),
        ("云溪县关于印发旅游服务指南编写规范的通知", PageKind.OTHER),
        ("基层政务公开标准目录", PageKind.CATALOG),
    ],
)
def test_by_name(title: str, expected: PageKind) -> None:
    assert read_page(f"<title>{title}</title><h1>{title}</h1>".encode(), as_of=AS_OF).kind is expected
