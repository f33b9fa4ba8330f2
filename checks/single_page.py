"""Judging one page by itself, for `inspect page`: what a page alone can show, by the checks that can say it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

from checks.facts.model import PageFacts, PageKind
from checks.model import Bundle, ColumnVisit, FailureKind, Page, PageRole, Visit
from checks.reading.addresses import host_of
from config.schema import Column, ColumnType, Site, Unit, UnitKind

UNIT = Unit(id="page", name="单个页面", kind=UnitKind.TOWNSHIP)  # a township's catalogue is judged without pilot fields
NAMELESS = "page.invalid"  # the host of a page of which nothing tells the address
COLUMN_TYPES = {
    PageKind.GUIDE: ColumnType.DISCLOSURE_GUIDE,
    PageKind.APPLICATION: ColumnType.APPLICATION,
    PageKind.ANNUAL_REPORT: ColumnType.ANNUAL_REPORT,
    PageKind.SERVICE_GUIDE: ColumnType.SERVICE_GUIDE,
    PageKind.CATALOG: ColumnType.STANDARD_CATALOG,
}
TITLE_WORDS = {
    ColumnType.NEWS: ("动态", "要闻", "新闻"),
    ColumnType.NOTICE: ("通知", "公告", "公示"),
    ColumnType.POLICY_INTERPRETATION: ("解读",),
}
CHECKS_OF_KIND = {
    PageKind.ARTICLE: ("open_attribute", "document_metadata", "undated_articles", "page_tags"),
    PageKind.OTHER: ("open_attribute", "document_metadata", "page_tags"),
    PageKind.HOME: ("home_freshness", "site_identity", "error_report_entry", "hidden_links", "page_tags"),
    PageKind.COLUMN: ("column_freshness", "empty_columns", "page_tags"),
    PageKind.CATALOG: ("standard_catalog",),
    PageKind.APPLICATION: ("application_channel", "empty_columns"),
    PageKind.SERVICE_GUIDE: ("service_guides", "empty_columns"),
    PageKind.GUIDE: ("disclosure_guide", "empty_columns"),
}
CHECKS_OF_SINGLE_PAGE = ("empty_columns",)
CHECKS_OF_TEXT = ("personal_information", "wrong_expressions", "hidden_links")  # whatever the page is about


def checks_for(facts: PageFacts, *, kind_known: bool = True) -> tuple[str, ...]:
    """Return the ids of the checks that make sense on a single page.

    Not every text is an article that must be dated (机构概况, 领导简介): unless somebody said that the page is one
    (`kind_known`), its tags, an info line or the form of a document must.
    """
    ids = CHECKS_OF_KIND.get(facts.kind, CHECKS_OF_SINGLE_PAGE)
    if not kind_known and not _is_plainly_article(facts):
        ids = tuple(name for name in ids if name != "undated_articles")
    return ids if facts.kind is PageKind.HOME else (*ids, *CHECKS_OF_TEXT)


ARTICLE_TAGS = frozenset({"articletitle", "pubdate", "contentsource"})
INFO_LINE = re.compile(
    r"(?:来源|发布(?:时间|日期|机构|单位)|浏览(?:次数|量)|阅读(?:次数|量)?|点击(?:数|量|率)?)\s*[:：]"
)


def _is_plainly_article(facts: PageFacts) -> bool:
    tagged = any(name.lower() in ARTICLE_TAGS for name, _ in facts.meta)
    return tagged or facts.form.is_official or INFO_LINE.search(facts.body_text) is not None


def bundles_of(
    facts: PageFacts, day: date, division_code: str = "", failure: FailureKind | None = None
) -> tuple[Bundle, ...]:
    """Return the bundles that hold the one page, in the places where a page of its kind belongs.

    A home page belongs to a site and to its units. `failure` says that the facts are not those of the page: a
    firewall's page stood before it.
    """
    url = address_of(facts)
    site = Site(id="page", name="单个页面", home=url)
    if facts.kind is PageKind.HOME:
        home = _page(facts, url, PageRole.HOME, failure)
        of_site = Bundle(day=day, site=site, division_code=division_code, home=home)
        return of_site, Bundle(day=day, unit=UNIT, division_code=division_code, homes=(home,))
    is_article = facts.kind in (PageKind.ARTICLE, PageKind.OTHER)
    column_type = ColumnType.POLICY if is_article else column_type_of(facts)
    column = Column(
        id="column", type=column_type, name=facts.title.strip() or "栏目", site=site.id, url=url, confirmed=True
    )
    page = _page(facts, url, PageRole.ARTICLE if is_article else PageRole.COLUMN, failure)
    visit = ColumnVisit(column, UNIT, pages=() if is_article else (page,), articles=(page,) if is_article else ())
    return (Bundle(day=day, unit=UNIT, division_code=division_code, columns=(visit,)),)


def address_of(facts: PageFacts) -> str:
    """Return the page's address; for a page without one, the root of the host that most of its links lead to."""
    if facts.url and facts.url.startswith(("http://", "https://")) and host_of(facts.url):
        return facts.url
    addresses = [link.url for link in facts.links] + [entry.url for entry in facts.list.entries]
    hosts = Counter(host for url in addresses if (host := host_of(url)))
    return f"http://{hosts.most_common(1)[0][0] if hosts else NAMELESS}/"


def column_type_of(facts: PageFacts) -> ColumnType:
    """Return the type of the column that the page seems to be: by its kind, else by its title, else 政策文件."""
    if facts.kind in COLUMN_TYPES:
        return COLUMN_TYPES[facts.kind]
    words = ((column_type, word) for column_type, found in TITLE_WORDS.items() for word in found)
    return next((column_type for column_type, word in words if word in facts.title), ColumnType.POLICY)


def _page(facts: PageFacts, url: str, role: PageRole, failure: FailureKind | None) -> Page:
    if failure is not None:
        return Page(Visit("page", url, role, failure=failure))
    return Page(Visit("page", url, role), facts=facts, complete=not facts.rendering_needs)
