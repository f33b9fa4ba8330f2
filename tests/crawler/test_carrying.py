"""沿用: which pages stand as an earlier night saw them, and which are asked for again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.facts.model import ListEntry
from checks.model import Capture, EvidenceRef, FailureKind, Mode, PageRole, Visit
from checks.reading.masking import masked
from crawler.carrying import Asking, EarlierPage, asking, is_due, validators
from crawler.site_crawl import Outline, SiteCrawl
from tests.crawler.harness import DAY, plan

HOME = "http://www.a.test/"
LIST = f"{HOME}tz/"
WEEK = 7
YESTERDAY = DAY - timedelta(days=1)


def _not_due() -> str:
    """An article whose turn is another day's."""
    urls = (f"{LIST}{number}.html" for number in range(WEEK * WEEK))
    return next(url for url in urls if not is_due(url, YESTERDAY, DAY, WEEK))


URL = _not_due()
VISIT = Visit("portal", URL, PageRole.ARTICLE, 0, "education", "tz", None, "最新 1/2", "通知", YESTERDAY)
CAPTURE = Capture(
    "portal",
    URL,
    Mode.STATIC,
    datetime(2026, 11, 19, 4, tzinfo=UTC),
    URL,
    status=200,
    headers=(("etag", '"1"'), ("last-modified", "Thu, 19 Nov 2026 00:00:00 GMT")),
    evidence=EvidenceRef("1/batch-00000.warc.gz", 0, "urn:uuid:1", "sha256:1"),
)
EARLIER = EarlierPage((VISIT,), (CAPTURE,), YESTERDAY)


def test_an_article_that_is_listed_as_it_was_is_not_asked_for() -> None:
    assert asking(EARLIER, URL, PageRole.ARTICLE, [VISIT], DAY, WEEK) is Asking.NOT_TONIGHT


@pytest.mark.parametrize("visit", [replace(VISIT, title="通知（修订）"), replace(VISIT, listed_date=DAY)])
def test_another_title_or_date_on_the_list_has_it_asked_for(visit: Visit) -> None:
    assert asking(EARLIER, URL, PageRole.ARTICLE, [visit], DAY, WEEK) is Asking.ANEW


def test_a_column_that_did_not_list_it_has_it_asked_for() -> None:
    both = [VISIT, replace(VISIT, column_id="gg")]
    assert asking(EARLIER, URL, PageRole.ARTICLE, both, DAY, WEEK) is Asking.ANEW


def test_a_title_that_was_kept_masked_is_the_one_that_is_listed() -> None:
    title = "关于补发张三（电话13912345678）证书的公示"
    kept = replace(EARLIER, visits=(replace(VISIT, title=masked(title)),))
    assert masked(title) != title
    assert asking(kept, URL, PageRole.ARTICLE, [replace(VISIT, title=title)], DAY, WEEK) is Asking.NOT_TONIGHT


def test_what_is_open_or_looked_at_again_is_asked_whether_it_changed() -> None:
    assert asking(replace(EARLIER, is_open=True), URL, PageRole.ARTICLE, [VISIT], DAY, WEEK) is Asking.IF_CHANGED
    again = [replace(VISIT, revisit=True)]
    assert asking(EARLIER, URL, PageRole.ARTICLE, again, DAY, WEEK) is Asking.IF_CHANGED


@pytest.mark.parametrize("role", [PageRole.HOME, PageRole.COLUMN, PageRole.SECOND_LEVEL])
def test_lists_and_home_pages_are_asked_every_night_whether_they_changed(role: PageRole) -> None:
    assert asking(EARLIER, URL, role, [VISIT], DAY, WEEK) is Asking.IF_CHANGED


@pytest.mark.parametrize(
    "earlier",
    [
        None,
        replace(EARLIER, captures=(replace(CAPTURE, failure=FailureKind.READ_TIMEOUT),)),
        replace(EARLIER, captures=(replace(CAPTURE, status=404),)),
        replace(EARLIER, visits=(replace(VISIT, failure=FailureKind.BUDGET_EXHAUSTED),)),
        replace(EARLIER, visits=(replace(VISIT, rendering_wanted=True),)),
        replace(EARLIER, captured_on=DAY - timedelta(days=WEEK)),
    ],
    ids=["unknown", "failed", "not there", "never asked for", "not rendered", "overdue"],
)
@pytest.mark.parametrize("role", [PageRole.ARTICLE, PageRole.COLUMN])
def test_what_was_not_wholly_seen_of_late_is_asked_for_anew(earlier: EarlierPage | None, role: PageRole) -> None:
    assert asking(earlier, URL, role, [VISIT], DAY, WEEK) is Asking.ANEW


def test_every_page_has_its_turn_once_within_the_days() -> None:
    urls = [f"{LIST}{number}.html" for number in range(700)]
    nights = [DAY + timedelta(days=number) for number in range(WEEK)]
    due = [[url for url in urls if is_due(url, night - timedelta(days=1), night, WEEK)] for night in nights]
    assert sorted(url for some in due for url in some) == sorted(urls)
    assert all(60 <= len(some) <= 140 for some in due)


def test_without_days_every_page_is_asked_for() -> None:
    assert asking(EARLIER, URL, PageRole.ARTICLE, [VISIT], DAY, 0) is Asking.ANEW


def test_a_page_that_another_address_answered_is_asked_without_terms() -> None:
    assert validators(CAPTURE) == {"If-None-Match": '"1"', "If-Modified-Since": "Thu, 19 Nov 2026 00:00:00 GMT"}
    assert validators(replace(CAPTURE, final_url=f"{HOME}other.html")) == {}
    assert validators(replace(CAPTURE, redirects=(HOME,))) == {}


# ---------------------------------------------------------------- in a site's crawl


class _Known:
    """Earlier nights that know these pages."""

    def __init__(self, pages: Mapping[str, EarlierPage]) -> None:
        self._pages = pages

    def pages(self, site_id: str, urls: Collection[str]) -> dict[str, EarlierPage]:
        return {url: self._pages[url] for url in urls if url in self._pages}

    def payload(self, capture: Capture) -> bytes | None:
        return None


def _walk(earlier: Mapping[str, EarlierPage], listed: tuple[ListEntry, ...]) -> tuple[list[str], list[Visit]]:
    """Crawl a site of one list; return the addresses that were asked for, and the visits told."""
    told: list[Visit] = []
    asked: list[str] = []
    crawl = SiteCrawl(plan(HOME, {"tz": LIST}), told.append, _Known(earlier))
    while page := crawl.take():
        if crawl.asking(page) is Asking.NOT_TONIGHT:
            crawl.carry(page)
            continue
        asked.append(page.url)
        page.outline = Outline(entries=listed) if page.url == LIST else Outline()
        crawl.finish(page)
    return asked, told


def test_what_stands_is_told_with_the_day_it_was_seen_and_with_its_files() -> None:
    file = Visit("portal", f"{URL}.pdf", PageRole.ATTACHMENT, 0, "education", "tz", URL, "附件 1/1（沿用 x）", "表")
    known = {URL: replace(EARLIER, files=(file,))}
    asked, told = _walk(known, (ListEntry("通知", URL, YESTERDAY),))
    (article,) = [visit for visit in told if visit.role is PageRole.ARTICLE]
    (found,) = [visit for visit in told if visit.role is PageRole.ATTACHMENT]
    assert article.reason.endswith(f"（沿用 {YESTERDAY} 的采集）")
    assert asked == [HOME, LIST, file.url]  # a file that nobody knows is asked for
    assert (found.parent, found.reason, found.title) == (URL, "附件 1/1", "表")


def test_what_fell_off_its_list_is_neither_asked_for_nor_told_of() -> None:
    other = f"{LIST}new.html"
    asked, told = _walk({URL: EARLIER}, (ListEntry("新通知", other, DAY),))
    assert URL not in {visit.url for visit in told}
    assert asked == [HOME, LIST, other]


def test_a_list_that_cannot_be_had_lets_nothing_stand() -> None:
    asked, told = _walk({URL: EARLIER}, ())
    assert URL not in {visit.url for visit in told} | set(asked)
