"""A site that blocks us: asked again at other times, left in peace meanwhile, and never called faulty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from checks.model import FailureKind, PageRole
from tests.crawler.harness import MANNERS, plan, run
from tests.crawler.servers import Route, Website, page, serve

WALL = page("<html><h1>您的请求已被网站防火墙拦截</h1></html>", 403)
ARTICLE = page("<html><title>通知</title><body><h1>关于检修的通知</h1><p>请各单位逐处检查并登记。</p></body></html>")
LIST = page("<html><body><ul><li><a href='/a.html'>关于检修的通知</a> 2026-11-02</li></ul></body></html>")


@pytest.fixture
def site() -> Iterator[Website]:
    with serve(Website({"/robots.txt": page("", 404), "/": ARTICLE, "/list/": LIST, "/a.html": ARTICLE})) as website:
        yield website


def after(times: int, first: Route, then: Route) -> Route:
    """Answer so many times in one way, and from then on in another."""
    left = [times]

    def answer(request: object) -> None:
        left[0] -= 1
        (first if left[0] >= 0 else then)(request)  # type: ignore[arg-type]

    return answer


@pytest.mark.parametrize("times", [1, 2])
def test_a_block_that_passes_leaves_no_trace_and_what_follows_is_read(site: Website, times: int) -> None:
    site.routes["/list/"] = after(times, WALL, LIST)
    found = run(plan(site.url + "/", {"notices": site.url + "/list/"}))
    assert found.capture(site.url + "/list/").failure is None
    assert [visit.url for visit in found.of_role(PageRole.ARTICLE)] == [site.url + "/a.html"]
    assert site.asked("/list/") == times + 1


def test_a_block_that_stays_is_one_capture_with_what_stood_there(site: Website) -> None:
    site.routes["/list/"] = WALL
    found = run(plan(site.url + "/", {"notices": site.url + "/list/"}))
    capture = found.capture(site.url + "/list/")
    assert capture.failure is FailureKind.BLOCKED
    exchange = found.exchanges["portal", capture.url, capture.mode]
    assert exchange is not None
    assert "防火墙" in exchange.payload.decode()
    assert site.asked("/list/") == 3
    assert found.done == ["portal"]


def test_a_wall_before_everything_is_not_run_against_page_by_page(site: Website) -> None:
    columns = {f"c{i}": f"{site.url}/c{i}/" for i in range(40)}
    site.missing = WALL
    found = run(plan(site.url + "/", columns))
    asked = [path for path in site.log if path.startswith("/c")]
    assert len(asked) < 25
    kinds = {visit.url: visit.failure for visit in found.of_role(PageRole.COLUMN)}
    captured = {capture.url: capture.failure for capture in found.captures}
    assert {kinds[url] or captured[url] for url in columns.values()} == {FailureKind.BLOCKED}


def test_a_plain_refusal_stays_one_and_is_not_asked_again(site: Website) -> None:
    site.routes["/list/"] = page("<html><h1>403 Forbidden</h1></html>", 403)
    found = run(plan(site.url + "/", {"notices": site.url + "/list/"}))
    assert found.capture(site.url + "/list/").failure is FailureKind.FORBIDDEN
    assert site.asked("/list/") == 1


def test_a_limit_is_waited_for(site: Website) -> None:
    site.routes["/list/"] = after(1, page("慢一点", 429, Retry_After="0"), LIST)
    found = run(plan(site.url + "/", {"notices": site.url + "/list/"}))
    assert found.capture(site.url + "/list/").failure is None


def test_robots_that_cannot_be_read_forbid_everything_until_they_can(site: Website) -> None:
    site.routes["/robots.txt"] = after(1, page("", 503), page("User-agent: *\nDisallow: /list/"))
    found = run(plan(site.url + "/", {"notices": site.url + "/list/"}))
    assert found.capture(site.url + "/").failure is None
    assert found.capture(site.url + "/list/").failure is FailureKind.ROBOTS_DISALLOWED
    assert site.asked("/list/") == 0


def test_robots_that_stay_unreadable_keep_us_out_and_say_so(site: Website) -> None:
    site.routes["/robots.txt"] = page("", 500)
    found = run(plan(site.url + "/", {f"c{i}": f"{site.url}/c{i}/" for i in range(9)}))
    assert set(site.log) == {"/robots.txt"}
    assert site.asked("/robots.txt") == 3, "once a round"
    captured = {capture.url: capture.failure for capture in found.captures}
    kinds = {visit.failure or captured[visit.url] for visit in found.visits}
    assert kinds == {FailureKind.ROBOTS_UNREADABLE}


def test_only_the_first_500_kib_of_robots_count(site: Website) -> None:
    filling = "# 注释\n" * 60_000
    site.routes["/robots.txt"] = page(f"User-agent: *\nDisallow: /list/\n{filling}Disallow: /", 200, "text/plain")
    found = run(plan(site.url + "/", {"notices": site.url + "/list/"}))
    assert found.capture(site.url + "/").failure is None
    assert found.capture(site.url + "/list/").failure is FailureKind.ROBOTS_DISALLOWED


def test_a_days_budget_ends_the_crawl_and_blames_nobody(site: Website) -> None:
    settings = MANNERS.model_copy(update={"requests_per_day": 4})
    found = run(plan(site.url + "/", {f"c{i}": f"{site.url}/c{i}/" for i in range(9)}, settings), settings=settings)
    assert len(site.log) == 4
    captured = {capture.url: capture.failure for capture in found.captures}
    last = [visit for visit in found.visits if visit.url.endswith("/c8/")]
    assert {visit.failure or captured[visit.url] for visit in last} == {FailureKind.BUDGET_EXHAUSTED}


def test_a_site_waits_with_its_last_round_for_the_others(site: Website) -> None:
    site.routes["/list/"] = WALL
    with serve(Website({"/robots.txt": page("", 404), "/": ARTICLE})) as other:
        last: list[int] = []
        count = [0]

        def wall(request: object) -> None:
            count[0] += 1
            if count[0] == 3:
                last.append(len(other.log))
            WALL(request)  # type: ignore[arg-type]

        site.routes["/list/"] = wall
        others = {f"c{i}": f"{other.url}/c{i}/" for i in range(8)}
        found = run(
            plan(site.url + "/", {"notices": site.url + "/list/"}),
            plan(other.url + "/", others, site_id="other"),
        )
        assert last == [len(other.log)]
        assert set(found.done) == {"portal", "other"}
