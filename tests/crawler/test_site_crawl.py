"""When a host is left in peace: what was silent, and whose silence it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from checks.facts.model import ListEntry
from checks.model import FailureKind, PageRole, Visit
from crawler.site_crawl import GIVE_UP_AFTER, Outline, SiteCrawl, WantedPage
from crawler.urls import host_of
from tests.crawler.harness import plan

HOME = "http://www.a.test/"
SILENCE = FailureKind.READ_TIMEOUT
NOTHING = Outline()


def walk(
    columns: dict[str, str | None], silent: Callable[[WantedPage], bool], outline: Outline = NOTHING
) -> list[Visit]:
    """Fetch everything one by one; columns that answer have the outline. Returns the visits told."""
    told: list[Visit] = []
    crawl = SiteCrawl(plan(HOME, columns), told.append)
    while page := crawl.take():
        if silent(page):
            crawl.finish(page, SILENCE)
            continue
        page.outline = outline if page.role is PageRole.COLUMN else Outline(attachments=_files(page))
        crawl.finish(page)
    return told


def _files(page: WantedPage) -> tuple[tuple[str, str], ...]:
    return tuple((f"{page.url}.{i}.pdf", "附件") for i in range(2)) if page.role is PageRole.ARTICLE else ()


def test_a_host_below_the_sites_that_is_down_costs_only_its_own_pages() -> None:
    columns: dict[str, str | None] = {f"d{i}": f"http://old.a.test/{i}/" for i in range(12)}
    columns |= {f"c{i}": f"{HOME}{i}/" for i in range(12)}
    told = walk(columns, lambda page: host_of(page.url) == "old.a.test")
    assert len(told) == 25
    given_up = [visit for visit in told if visit.failure is SILENCE]
    assert {host_of(visit.url) for visit in given_up} == {"old.a.test"}
    assert len(given_up) == 12 - GIVE_UP_AFTER


def test_downloads_that_hang_give_no_site_up() -> None:
    entries = tuple(ListEntry(f"通知{i}", f"{HOME}tz/{i}.html") for i in range(3))
    columns: dict[str, str | None] = {f"c{i}": f"{HOME}c{i}/" for i in range(3)}
    told = walk(columns, lambda page: page.role is PageRole.ATTACHMENT, Outline(entries=entries))
    assert sum(visit.role is PageRole.ATTACHMENT for visit in told) > GIVE_UP_AFTER
    assert not [visit for visit in told if visit.failure]


def test_a_site_that_is_down_is_given_up_with_all_that_is_wanted_of_it() -> None:
    told = walk({f"c{i}": f"{HOME}{i}/" for i in range(12)}, lambda page: True)
    assert len(told) == 13
    assert sum(visit.failure is SILENCE for visit in told) == 13 - GIVE_UP_AFTER


def test_an_entry_that_is_a_file_is_drawn_like_an_article_and_fetched_as_an_attachment() -> None:
    page = ListEntry("网页", f"{HOME}tz/1.html", date(2026, 11, 20))
    file = ListEntry("文件", f"{HOME}tz/2.pdf", date(2026, 11, 19))
    told = walk({"c0": f"{HOME}c0/"}, lambda page: False, Outline(entries=(page, file)))
    listed = {visit.title: visit for visit in told}
    assert (listed["网页"].role, listed["文件"].role) == (PageRole.ARTICLE, PageRole.ATTACHMENT)
    assert (listed["文件"].parent, listed["文件"].listed_date, listed["文件"].order) == (None, file.date, 1)
    assert listed["文件"].reason == "最新 2/2"
    assert {visit.parent for visit in told if visit.title == "附件"} == {page.url}
