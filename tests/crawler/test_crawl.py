"""Crawls of real servers on loopback: what is asked, in which order of thought, and what comes of every failure."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator

import pytest

from checks.model import FailureKind, Mode, PageRole
from crawler.plan import SitePlan
from tests.crawler.harness import MANNERS, BrokenSink, MemorySink, plan, run
from tests.crawler.servers import SILENT, Route, Website, cut_chunks, drop, name_server, page, raw, redirect, serve

ROBOTS = page("User-agent: xuncha\nDisallow: /closed/\n", content_type="text/plain")


@pytest.fixture
def site() -> Iterator[Website]:
    with serve(Website({"/robots.txt": ROBOTS})) as website:
        yield website


def listing(numbers: range, next_page: str = "", folder: str = "/tz") -> Route:
    """A list page; the number of an article is the day it is dated."""
    items = "".join(
        f'<li><a href="{folder}/{i}.html">关于第{i}号事项的通知</a><span>2026-10-{i:02}</span></li>' for i in numbers
    )
    onward = f'<div class="page"><a class="next" href="{next_page}">下一页</a></div>' if next_page else ""
    return page(f'<html><head><title>通知公告</title></head><body><ul class="list">{items}</ul>{onward}</body></html>')


def article(text: str = "正文", extra: str = "") -> Route:
    head = "<html><head><title>通知</title></head><body><h1>通知</h1>"
    return page(f"{head}<div class='content'><p>{text}</p>{extra}</div></body></html>")


def notices(site: Website) -> None:
    """A column of two list pages with twelve articles."""
    site.routes["/"] = listing(range(20, 23), folder="/yw")
    site.routes["/tz/"] = listing(range(12, 6, -1), "/tz/index_1.html")
    site.routes["/tz/index_1.html"] = listing(range(6, 0, -1))
    for i in range(1, 13):
        site.routes[f"/tz/{i}.html"] = article(extra=f'<a href="/f/{i}.pdf">附件.pdf</a>')
        site.routes[f"/f/{i}.pdf"] = raw(b"%PDF-1.4 ...", content_type="application/pdf")


def test_a_column_is_followed_sampled_and_its_attachments_fetched(site: Website) -> None:
    notices(site)
    found = run(plan(site.url, {"tz": site.url + "/tz/"}))
    pages = found.of_role(PageRole.COLUMN)
    assert [(v.url, v.order, v.parent) for v in pages] == [
        (site.url + "/tz/", 0, None),
        (site.url + "/tz/index_1.html", 1, site.url + "/tz/"),
    ]
    articles = sorted(found.of_role(PageRole.ARTICLE), key=lambda v: v.order)
    assert [(v.order, v.reason) for v in articles[:2]] == [(0, "最新 1/2"), (1, "最新 2/2")]
    assert articles[0].url == site.url + "/tz/12.html"
    assert articles[0].listed_date is not None
    assert articles[2].reason == "抽样 1/10，种子 s1/education/tz"
    assert {v.parent for v in found.of_role(PageRole.ATTACHMENT)} == {v.url for v in articles}
    assert found.done == found.summary.finished == ["portal"]
    assert all(c.failure is None and c.address == "127.0.0.1" for c in found.captures)


def test_what_two_columns_list_is_fetched_once_and_visited_twice(site: Website) -> None:
    notices(site)
    found = run(plan(site.url, {"a": site.url + "/tz/", "b": site.url + "/tz/#top"}))
    assert site.asked("/tz/") == site.asked("/tz/index_1.html") == 1
    assert sorted(str(v.column_id) for v in found.of_role(PageRole.COLUMN)) == ["a", "a", "b", "b"]
    assert len(site.log) == len(set(site.log))


def test_a_page_that_slid_out_of_the_sample_is_looked_at_again_after_it(site: Website) -> None:
    notices(site)
    first = run(plan(site.url, {"tz": site.url + "/tz/"}))
    drawn = {visit.url for visit in first.of_role(PageRole.ARTICLE)}
    missed = next(url for i in range(1, 13) if (url := f"{site.url}/tz/{i}.html") not in drawn)
    asked = list(site.log)
    site.log.clear()
    wanted = plan(site.url, {"tz": site.url + "/tz/"}, again=dict.fromkeys([missed, site.url + "/tz/12.html"], "tz"))
    second = run(wanted)
    assert sorted(site.log[: len(asked)]) == sorted(asked)
    assert len(site.log) == len(asked) + 2, "the page and its file; the sample's own page is asked for once"
    assert {visit for visit in second.visits if not visit.revisit} == set(first.visits)
    page, file = second.visits[-2:]
    assert page.revisit
    assert file.revisit
    assert (page.url, page.role, page.reason) == (missed, PageRole.ARTICLE, "复查：第 1 号问题")
    assert (file.role, file.parent) == (PageRole.ATTACHMENT, missed)
    asked_again = len(site.log)
    assert set(run(wanted, replay=second).visits) == set(second.visits)
    assert len(site.log) == asked_again, "a resumed run has them already"


def test_a_page_that_robots_forbids_is_not_looked_at_again(site: Website) -> None:
    notices(site)
    site.routes["/closed/1.html"] = article()
    found = run(plan(site.url, {"tz": site.url + "/tz/"}, again={site.url + "/closed/1.html": "tz"}))
    (visit,) = (visit for visit in found.visits if visit.revisit)
    assert visit.failure is FailureKind.ROBOTS_DISALLOWED
    assert site.asked("/closed/1.html") == 0


def test_a_second_crawl_with_everything_replayed_asks_nothing_and_tells_the_same(site: Website) -> None:
    notices(site)
    site.routes["/tz/3.html"] = page("", 500)
    wanted = plan(site.url, {"tz": site.url + "/tz/", "gone": site.url + "/gone/"})
    first = run(wanted)
    asked = len(site.log)
    second = run(wanted, replay=first)
    assert len(site.log) == asked
    assert second.captures == []
    assert set(second.visits) == set(first.visits)


def test_an_interrupted_crawl_goes_on_where_it_stopped(site: Website) -> None:
    notices(site)
    wanted = plan(site.url, {"tz": site.url + "/tz/"})
    whole = run(wanted)
    kept = whole.captures[: len(whole.captures) // 2]
    half = MemorySink(kept, {k: whole.exchanges[k] for k in ((c.site_id, c.url, c.mode) for c in kept)})
    site.log.clear()
    rest = run(wanted, replay=half)
    assert {c.url for c in rest.captures} == {c.url for c in whole.captures} - {c.url for c in kept}
    assert set(rest.visits) == set(whole.visits)
    assert not {site.url + path for path in site.log} & {c.url for c in kept}


FAILING: dict[str, tuple[Route, str]] = {
    "/missing": (page("没有", 404), "not_found"),
    "/forbidden": (page("<h1>403 Forbidden</h1>", 403), "forbidden"),
    "/teapot": (page("?", 418), "client_error"),
    "/broken": (page("数据库错误", 500), "server_error"),
    "/busy": (page("请稍后", 429), "rate_limited"),
    "/puzzle": (page("<script>document.cookie='k=1';location.reload()</script>", 412), "blocked"),
    "/firewall": (page("<html>您的请求已被网站防火墙拦截</html>"), "blocked"),
    "/circle": (redirect("/circle"), "redirect_loop"),
    "/scripted": (page('<html><script>window.location.href="/back"</script></html>'), "redirect_loop"),
    "/ftp": (redirect("ftp://127.0.0.1/"), "scheme_refused"),
    "/credentials": (redirect("http://user:word@127.0.0.1/"), "scheme_refused"),
    "/huge": (raw(b"x" * 300_000), "too_large"),
    "/bomb": (raw(gzip.compress(b"x" * 5_000_000), Content_Encoding="gzip"), "too_large"),
    "/cut": (cut_chunks, "truncated"),
    "/drop": (drop, "connection_lost"),
    "/closed/a": (page("secret"), "robots_disallowed"),
}


def test_every_failure_is_a_capture_of_its_kind(site: Website) -> None:
    site.routes |= {path: route for path, (route, _) in FAILING.items()} | {
        "/hang": site.hang,
        "/": listing(range(1, 3)),
        "/back": page('<html><script>window.location.href="/scripted"</script></html>'),
    }
    settings = MANNERS.model_copy(update={"timeout_seconds": 1.0, "max_body_bytes": 200_000})
    columns = {f"c{i}": site.url + path for i, path in enumerate([*FAILING, "/hang"])}
    found = run(plan(site.url, columns, settings), settings=settings)
    kinds = {v.url: found.capture(v.url).failure for v in found.of_role(PageRole.COLUMN)}
    expected = {site.url + path: FailureKind.of(code) for path, (_, code) in FAILING.items()}
    assert kinds == expected | {site.url + "/hang": FailureKind.READ_TIMEOUT}
    assert site.asked("/closed/a") == 0
    firewall = found.exchanges["portal", site.url + "/firewall", Mode.STATIC]
    assert firewall is not None
    assert "网站防火墙" in firewall.payload.decode()
    cut = found.exchanges["portal", site.url + "/cut", Mode.STATIC]
    assert cut is not None
    assert cut.payload.startswith(b"<html><body>half"[:16])
    assert found.capture(site.url + "/puzzle", Mode.RENDERED).failure is FailureKind.RENDER_UNAVAILABLE
    assert len(found.capture(site.url + "/circle").detail.split(" → ")) == 4


def test_names_are_asked_of_the_resolver_and_no_is_told_from_no_answer(site: Website) -> None:
    site.routes["/"] = listing(range(1, 3))
    with name_server({("main.test", "A"): ["127.0.0.1"]}) as port:
        settings = MANNERS.model_copy(update={"resolver": f"127.0.0.1:{port}"})
        plans = [plan(f"http://{host}:{site.port}/", {}, settings, host[:4]) for host in ("main.test", "none.test")]
        found = run(*plans, settings=settings)
    assert found.capture(f"http://main.test:{site.port}/").status == 200
    assert found.capture(f"http://none.test:{site.port}/").failure is FailureKind.DNS_NOT_FOUND


def test_a_silent_name_server_is_no_sites_fault(site: Website) -> None:
    with name_server({("www.test", kind): [SILENT] for kind in ("A", "AAAA")}) as port:
        manners = MANNERS.model_copy(update={"resolver": f"127.0.0.1:{port}"})
        home = f"http://www.test:{site.port}/"
        wanted = plan(home, {"list": home + "list/"}, manners)
        found = run(wanted, settings=manners, name_seconds=0.3)
    assert {capture.failure for capture in found.captures} == {FailureKind.DNS_FAILURE}
    assert {visit.role for visit in found.visits} == {PageRole.HOME, PageRole.COLUMN}
    assert site.log == []


def test_nobody_listening_is_refused() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        home = f"http://127.0.0.1:{reserved.getsockname()[1]}/"
        assert run(plan(home)).capture(home).failure is FailureKind.CONNECTION_REFUSED


def test_private_addresses_are_never_asked(site: Website) -> None:
    settings = MANNERS.model_copy(update={"allow_private_addresses": False})
    found = run(plan(site.url, {"tz": f"http://localhost:{site.port}/tz/"}, settings), settings=settings)
    assert {c.failure for c in found.captures} == {FailureKind.ADDRESS_REFUSED}
    assert site.log == []


def test_a_redirect_to_a_private_address_is_refused(site: Website) -> None:
    site.routes["/"] = redirect("http://10.0.0.1/")
    with name_server({("www.a.test", "A"): ["127.0.0.1"]}) as port:
        settings = MANNERS.model_copy(update={"resolver": f"127.0.0.1:{port}", "allow_private_addresses": False})
        found = run(plan(f"http://www.a.test:{site.port}/", {}, settings), settings=settings)
    assert found.captures[0].failure is FailureKind.ADDRESS_REFUSED


def test_redirects_of_every_kind_are_followed_and_kept(site: Website) -> None:
    site.routes |= {
        "/": redirect("/moved"),
        "/moved": page('<html><head><meta http-equiv="refresh" content="0;url=/index.html"></head></html>'),
        "/index.html": listing(range(1, 4)),
    }
    home = run(plan(site.url)).capture(site.url + "/")
    assert home.failure is None
    assert home.final_url == site.url + "/index.html"
    assert home.redirects == (site.url + "/", site.url + "/moved")


def test_a_retry_mends_what_was_a_moments_fault(site: Website) -> None:
    answers = [page("", 503), listing(range(1, 3))]
    site.routes["/"] = lambda request: answers.pop(0)(request)
    settings = MANNERS.model_copy(update={"retries": 1})
    assert run(plan(site.url, {}, settings), settings=settings).capture(site.url + "/").failure is None
    assert site.asked("/") == 2


def test_a_silent_site_is_given_up_and_the_others_unharmed(site: Website) -> None:
    notices(site)
    with serve(Website()) as dead:
        dead.routes |= {f"/{i}/": dead.hang for i in range(12)} | {"/": dead.hang, "/robots.txt": dead.hang}
        settings = MANNERS.model_copy(update={"timeout_seconds": 0.5})
        plans: list[SitePlan] = [
            plan(dead.url, {f"c{i}": f"{dead.url}/{i}/" for i in range(12)}, settings, "dead"),
            plan(site.url, {"tz": site.url + "/tz/"}, MANNERS, "portal"),
        ]
        found = run(*plans, settings=settings)
    silent = [v for v in found.visits if v.site_id == "dead"]
    assert len(silent) == 13
    assert sum(v.failure is FailureKind.READ_TIMEOUT for v in silent) >= 6
    assert all(c.failure is FailureKind.READ_TIMEOUT for c in found.captures if c.site_id == "dead")
    assert len([v for v in found.visits if v.site_id == "portal" and v.role is PageRole.ARTICLE]) == 3
    assert sorted(found.done) == ["dead", "portal"]


@pytest.mark.parametrize("limit", [{"max_pages_per_site": 3}, {"site_time_limit_seconds": 1e-9}])
def test_what_exceeds_a_sites_budget_is_said_so(site: Website, limit: dict[str, float]) -> None:
    notices(site)
    settings = MANNERS.model_copy(update=limit)
    found = run(plan(site.url, {"tz": site.url + "/tz/"}, settings), settings=settings)
    assert len(found.captures) <= 3
    assert any(v.failure is FailureKind.BUDGET_EXHAUSTED for v in found.visits)
    assert found.done == ["portal"]


def test_no_more_connections_at_once_than_allowed(site: Website) -> None:
    notices(site)
    settings = MANNERS.model_copy(update={"concurrency": 2, "requests_per_second": 1000})
    run(plan(site.url, {"tz": site.url + "/tz/", "b": site.url + "/b/"}, settings), settings=settings)
    assert 1 <= site.most_at_once <= 2
    assert site.agents == {"xuncha/0.1.0 (+mailto:inspection@example.test)"}


def test_a_home_page_without_dates_is_judged_by_what_lies_below_it(site: Website) -> None:
    links = "".join(f'<a href="/c{i}/">栏目{i}</a>' for i in range(15)) + '<a href="http://other.test/">外部</a>'
    site.routes["/"] = page(f"<html><body><div class='nav'>{links}</div></body></html>")
    below = sorted(run(plan(site.url)).of_role(PageRole.SECOND_LEVEL), key=lambda v: v.order)
    assert [v.url for v in below] == [f"{site.url}/c{i}/" for i in range(10)]


def test_an_iframe_column_is_read_in_its_frame(site: Website) -> None:
    notices(site)
    site.routes["/frame/"] = page('<html><body><iframe src="/tz/"></iframe></body></html>')
    found = run(plan(site.url, {"tz": site.url + "/frame/"}))
    assert [v.url for v in found.of_role(PageRole.COLUMN)][:2] == [site.url + "/frame/", site.url + "/tz/"]
    assert len(found.of_role(PageRole.ARTICLE)) == 3


def test_an_unconfirmed_column_is_told_and_not_asked(site: Website) -> None:
    site.routes["/"] = listing(range(1, 3))
    (column,) = run(plan(site.url, {"tz": None})).of_role(PageRole.COLUMN)
    assert (column.url, column.failure) == ("education/tz", FailureKind.UNCONFIRMED_ADDRESS)


def test_an_owners_leave_overrides_robots(site: Website) -> None:
    site.routes["/closed/"] = article()
    wanted = plan(site.url + "/closed/")
    allowed = wanted.site.model_copy(update={"robots_override_reason": "区政府办同意"})
    found = run(SitePlan(allowed, wanted.units, wanted.columns, wanted.day, wanted.seed, wanted.settings))
    assert found.capture(site.url + "/closed/").status == 200


def test_a_store_that_fails_ends_the_crawl_with_its_error(site: Website) -> None:
    site.routes["/"] = listing(range(1, 3))
    with pytest.raises(OSError, match="no space left"):
        run(plan(site.url), sink=BrokenSink())
