"""What a page is (页面类型), judged from tags, address and content together when its column does not tell."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from checks.facts.dom import Dom, Region
from checks.facts.model import DateSource, EntryList, PageKind, PublishedDate
from checks.facts.titles import Title
from config.schema import ColumnType

PROSE = 300  # characters of running text that make an article
PROSE_OF_ENTRY = 60  # more of them for each entry beside it
_LINE = 40  # characters: a shorter line is no running text

# How single-page columns are read. Other columns hold lists.
_KIND_OF_COLUMN = {
    ColumnType.DISCLOSURE_GUIDE: PageKind.GUIDE,
    ColumnType.APPLICATION: PageKind.APPLICATION,
    ColumnType.STANDARD_CATALOG: PageKind.CATALOG,
}
_KIND_OF_ARTICLE = {
    ColumnType.ANNUAL_REPORT: PageKind.ANNUAL_REPORT,
    ColumnType.SERVICE_GUIDE: PageKind.SERVICE_GUIDE,
    **_KIND_OF_COLUMN,
}
_KIND_OF_NAME = (
    (re.compile(r"(?:政府)?信息公开指南$|^公开指南$"), PageKind.GUIDE),
    (re.compile(r"(?:政府)?信息公开(?:工作)?年度报告|信息公开年报$"), PageKind.ANNUAL_REPORT),
    (re.compile(r"^依申请公开|依申请公开$"), PageKind.APPLICATION),
    (re.compile(r"办事指南$|服务指南$"), PageKind.SERVICE_GUIDE),
    (re.compile(r"(?:政务|事项|标准)公开?(?:事项)?标准?目录$|标准目录$"), PageKind.CATALOG),
)

_MAY_BE_LISTED = (PageKind.ANNUAL_REPORT, PageKind.SERVICE_GUIDE)  # a column of such pages bears their name


def kind_of_column(column: ColumnType, *, article: bool = False) -> PageKind:
    """Return what a page of a column is: a list, or the one page the column consists of; `article`: its articles."""
    if article:
        return _KIND_OF_ARTICLE.get(column, PageKind.ARTICLE)
    return _KIND_OF_COLUMN.get(column, PageKind.COLUMN)


def read_kind(dom: Dom, title: Title, entries: EntryList, published: PublishedDate) -> PageKind:
    """Return the kind of a page of which nothing is known but itself.

    A page's own name (title, meta ColumnType) tells guides, reports, catalogues and application pages; the address "/"
    tells a home page; article tags, a shown date, or prose tell an article; dated entries tell a column.
    """
    named = _by_name(dom, title)
    if named is not None:
        return PageKind.COLUMN if named in _MAY_BE_LISTED and _is_list(entries, dom) else named
    if _is_home_address(dom.url):
        return PageKind.HOME
    if dom.meta_values("ArticleTitle", "PubDate") and not _is_list(entries, dom):
        return PageKind.ARTICLE
    shown = published.date is not None and published.source is not DateSource.META
    if shown and (title.first is not None or prose(dom) > PROSE):
        return PageKind.ARTICLE
    if _is_list(entries, dom):
        return PageKind.COLUMN
    return PageKind.ARTICLE if prose(dom) > PROSE else PageKind.OTHER


def _by_name(dom: Dom, title: Title) -> PageKind | None:
    names = [title.text, *(dom.meta_values("ArticleTitle") or dom.meta_values("ColumnName", "ColumnType"))]
    for name in names:
        for pattern, kind in _KIND_OF_NAME:
            if len(name) <= 60 and pattern.search(name):
                return kind
    return None


def _is_home_address(url: str | None) -> bool:
    if not url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return not parts.query and re.fullmatch(r"/?(?:(?:index|default|home|main)\.\w{2,5})?", parts.path) is not None


def _is_list(entries: EntryList, dom: Dom) -> bool:
    dated = sum(entry.date is not None for entry in entries.entries)
    paged = entries.next is not None or entries.total_pages is not None
    return (dated >= 3 or (dated >= 1 and paged)) and not _is_mostly_prose(dom, entries)


def _is_mostly_prose(dom: Dom, entries: EntryList) -> bool:
    """Whether running text, and not the entries, is what the page is about."""
    return prose(dom) >= PROSE + PROSE_OF_ENTRY * len(entries.entries)


def prose(dom: Dom) -> int:
    """Return how many characters of running text stand in the main part."""
    return sum(
        len(block.text)
        for block in dom.blocks
        if block.region is Region.MAIN and len(block.text) >= _LINE and block.linked * 2 < len(block.text)
    )
