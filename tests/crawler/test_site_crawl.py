"""When a host is left in peace: what was silent, and whose silence it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from checks.facts.model import ListEntry
from checks.model import FailureKind, PageRole, Revisit, Visit
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


def test_pages_are_looked_at_again_only_once_nothing_of_the_sample_is_wanted_or_under_way() -> None:
    told: list[Visit] = []
    entries = tuple(ListEntry(f"通知{i}", f"{HOME}tz/{i}.html", date(2026, 11, i + 1)) for i in range(3))
    again = dict.fromkeys([f"{HOME}tz/old.html", f"{HOME}tz/old.pdf", f"{HOME}tz/2.html"], "c0")
    crawl = SiteCrawl(plan(HOME, {"c0": f"{HOME}c0/"}, again=again), told.append)
    order: list[str] = []
    while True:
        taken = []
        while page := crawl.take():
            crawl.in_flight += 1
            taken.append(page)
        if not taken:
            break
        order += [page.url for page in taken]
        for page in taken:
            page.outline = Outline(entries=entries) if page.role is PageRole.COLUMN else NOTHING
            crawl.in_flight -= 1
            crawl.finish(page)
            assert not crawl.is_done or page.url in again
    assert crawl.is_done
    assert set(order[-2:]) == {f"{HOME}tz/old.html", f"{HOME}tz/old.pdf"}
    assert {v.url: (v.role, v.reason) for v in told if v.revisit} == {
        f"{HOME}tz/old.html": (PageRole.ARTICLE, "复查：第 1 号问题"),
        f"{HOME}tz/old.pdf": (PageRole.ATTACHMENT, "复查：第 2 号问题"),
    }


def test_a_page_in_another_units_sample_is_told_again_and_not_fetched_twice() -> None:
    told: list[Visit] = []
    drawn = ListEntry("通知", f"{HOME}tz/1.html", date(2026, 11, 20))
    wanted = plan(HOME, {"c0": f"{HOME}c0/", "c1": f"{HOME}c1/"})
    (unit, first), (_, second) = wanted.columns
    other = unit.model_copy(update={"id": "finance"})
    revisit = Revisit(drawn.url, other.id, second.id, "open_attribute", "", 7)
    crawl = SiteCrawl(replace(wanted, columns=((unit, first), (other, second)), revisits=(revisit,)), told.append)
    asked = []
    while page := crawl.take():
        asked.append(page.url)
        page.outline = Outline(entries=(drawn,)) if page.url == first.url else NOTHING
        crawl.finish(page)
    assert asked.count(drawn.url) == 1
    assert [(v.unit_id, v.revisit) for v in told if v.url == drawn.url] == [(unit.id, False), (other.id, True)]


def test_what_a_sites_limit_leaves_no_time_to_look_at_again_is_said_so() -> None:
    told: list[Visit] = []
    crawl = SiteCrawl(plan(HOME, {"c0": f"{HOME}c0/"}, again={f"{HOME}tz/old.html": "c0"}), told.append)
    crawl.abandon(FailureKind.BUDGET_EXHAUSTED)
    assert crawl.take() is None
    assert crawl.is_done
    assert [(v.failure, v.revisit) for v in told][-1] == (FailureKind.BUDGET_EXHAUSTED, True)
