"""Dead links: what counts as dead, what does not, and whose turn it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from checks.facts.model import Link, PageFacts, PageKind
from checks.model import Capture, FailureKind, Mode, Probe
from config.schema import Crawl, Site
from crawler.names import Names
from crawler.probes.leads import Lead, draw, gather, unanswered
from crawler.probes.links import probe_links
from crawler.probes.manners import Manners
from tests.crawler.servers import Website, Zone, drop, name_server, page, redirect, serve

DAY = date(2026, 11, 20)
ZONE: Zone = {("www.a.test", "A"): ["127.0.0.1"], ("out.b.test", "A"): ["127.0.0.1"]}
ARTICLE = page("<html><title>通知</title><body><h1>关于检修的通知</h1><p>请各单位逐处检查并登记。</p></body></html>")
Ask = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def site() -> Iterator[Website]:
    with serve(Website({"/": ARTICLE})) as website:
        yield website


@pytest.fixture
def ask(site: Website) -> Iterator[Ask]:
    """Probe paths of the site (or whole addresses) and return what was observed by path or address."""
    with name_server(ZONE) as port:

        def observed(*paths: str, **more: object) -> dict[str, dict[str, Any]]:
            settings = Crawl(
                resolver=f"127.0.0.1:{port}",
                allow_private_addresses=True,
                requests_per_second=1000,
                timeout_seconds=2,
            ).model_copy(update=more)
            base = f"http://www.a.test:{site.port}"
            names = Names(settings.resolver, settings.allow_private_addresses)
            portal = Site(id="portal", name="门户", home=f"{base}/")
            leads = [lead(path if "://" in path else base + path) for path in paths]
            home = PageFacts(f"{base}/", "utf-8", PageKind.HOME, "", text="门户首页")
            probes = probe_links(Manners(portal, settings, names, lambda: datetime.now(UTC)), leads, home, seed="s")
            return {probe.target.removeprefix(base): said(probe) for probe in probes}

        yield observed


def lead(url: str, kind: str = "page") -> Lead:
    return Lead(url, kind, (url,))


def said(probe: Probe) -> dict[str, Any]:
    return dict(probe.observed)


def methods(observed: dict[str, Any]) -> list[str]:
    return [attempt["method"] for attempt in observed["tries"]]


def test_a_page_that_is_missing_twice_is_dead(ask: Ask, site: Website) -> None:
    site.refuses_head = False
    site.routes["/gone"] = page("", 410)
    found = ask("/", "/none", "/gone")
    assert {path: observed["state"] for path, observed in found.items()} == {
        "/": "alive",
        "/none": "dead",
        "/gone": "dead",
    }
    assert methods(found["/none"]) == ["HEAD", "GET"]
    assert found["/none"]["why"] == "HTTP 404"
    assert site.log.index("/gone") < site.log.index("/none", site.log.index("/none") + 1), "asked again at the end"


def test_a_page_that_is_back_the_second_time_is_alive(ask: Ask, site: Website) -> None:
    answers = iter([page("", 404), ARTICLE])
    site.routes["/moved"] = lambda request: next(answers)(request)
    found = ask("/moved")
    assert found["/moved"]["state"] == "alive"


def test_servers_that_refuse_head_are_asked_by_get(ask: Ask, site: Website) -> None:
    found = ask("/", "/none")
    assert (found["/"]["state"], methods(found["/"])) == ("alive", ["HEAD", "GET"])
    assert (found["/none"]["state"], methods(found["/none"])) == ("dead", ["HEAD", "GET", "GET"])


@pytest.mark.parametrize("status", [403, 412, 429, 500, 503])
def test_refusals_and_errors_are_never_dead(ask: Ask, site: Website, status: int) -> None:
    site.routes["/guarded"] = page("", status)
    assert ask("/guarded")["/guarded"]["state"] == "unsure"


def test_connections_that_come_to_nothing_are_never_dead(ask: Ask, site: Website) -> None:
    site.routes |= {"/drop": drop, "/hang": site.hang, "/loop": redirect("/loop")}
    found = ask("/drop", "/hang", "/loop", timeout_seconds=0.3)
    assert {observed["state"] for observed in found.values()} == {"unsure"}


def test_a_block_page_is_not_the_page_that_is_missing(ask: Ask, site: Website) -> None:
    site.routes["/blocked"] = page("<html><body>您的请求被拦截，存在疑似攻击行为</body></html>")
    assert ask("/blocked")["/blocked"]["state"] == "unsure"


def test_a_name_that_does_not_exist_is_dead_and_a_silent_resolver_is_not(
    ask: Ask, site: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ask("http://nobody.b.test/")
    assert found["http://nobody.b.test/"]["state"] == "dead"
    assert found["http://nobody.b.test/"]["why"] == "域名不存在"
    monkeypatch.setattr("crawler.names.LIFETIME", 0.2)
    silent = ask("http://nobody.b.test/", resolver="127.0.0.1:1")
    assert silent["http://nobody.b.test/"]["state"] == "unsure"


def test_private_addresses_are_not_asked(ask: Ask, site: Website) -> None:
    assert ask("/none", allow_private_addresses=False)["/none"]["state"] == "unsure"
    assert site.log == []


def test_a_host_that_answers_200_for_the_impossible(ask: Ask, site: Website) -> None:
    site.routes |= {"/robots.txt": page("", 404), "/a.html": ARTICLE}
    site.missing = page("<html><title>提示</title><body><h1>您访问的页面不存在</h1></body></html>")
    found = ask("/a.html", "/none.html")
    assert (found["/a.html"]["state"], found["/none.html"]["state"]) == ("alive", "dead")
    assert [attempt["soft_404"] for attempt in found["/none.html"]["tries"]] == [True, True]
    site.missing = page("<html><body><p>栾城要闻 第1235次访问</p></body></html>")  # no word of anything missing
    assert ask("/none.html")["/none.html"]["state"] == "dead"
    site.missing = page("<html><body><p>门户首页</p></body></html>")  # what cannot exist is answered by the home page
    assert ask("/none.html")["/none.html"]["state"] == "alive"
    site.missing = redirect("/")
    assert ask("/none.html")["/none.html"]["state"] == "alive"


def test_news_of_missing_pages_is_not_missing(ask: Ask, site: Website) -> None:
    title = "我区清理“页面不存在”等错误链接"
    news = f"<html><title>{title}</title><body><h1>{title}</h1>{{}}</body></html>"
    site.routes |= {"/news": page(news.format("<p>发布时间：2026-11-02</p><p>已全部改正。</p>")), "/bare": page(news)}
    found = ask("/news", "/bare")
    assert (found["/news"]["state"], found["/bare"]["state"]) == ("alive", "dead")


def test_robots_are_heard_and_a_host_that_refuses_is_left_alone(ask: Ask, site: Website) -> None:
    site.routes["/robots.txt"] = page("User-agent: *\nDisallow: /closed", content_type="text/plain")
    assert ask("/closed/1") == {}
    assert not site.asked("/closed/1")
    refused = [f"/guarded/{i}" for i in range(12)]
    site.routes |= {path: page("", 403) for path in refused}
    assert len(ask(*refused)) < len(refused)
    assert site.asked(refused[-1]) == 0


def facts(url: str, *links: str, images: tuple[str, ...] = ()) -> PageFacts:
    return PageFacts(url, "utf-8", PageKind.OTHER, "", links=tuple(Link(link, "链接") for link in links), images=images)


def test_every_spelling_of_an_address_is_one_lead() -> None:
    pages = [
        facts("http://a.test/", "http://A.test/x", "mailto:a@a.test", "http://u:p@a.test/"),
        facts("http://a.test/2", "http://a.test:80/x#top", images=("http://a.test/p.png",)),
    ]
    leads = gather(pages)
    assert set(leads) == {"http://a.test/x", "http://a.test/p.png"}
    assert leads["http://a.test/x"].written == ("http://A.test/x", "http://a.test:80/x#top")
    assert leads["http://a.test/p.png"].kind == "image"


def capture(url: str, status: int | None, failure: FailureKind | None = None) -> Capture:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return Capture("portal", url, Mode.STATIC, at, url, status=status, failure=failure)


def test_nobody_asks_the_national_service_for_reporting_errors() -> None:
    links = (Link("https://zfwzgl.www.gov.example/exposure/jiucuo.html?site_code=3714260001", "找错"),)
    assert not gather([PageFacts("http://a.example/", "utf-8", PageKind.HOME, "", links=links)])


def test_what_was_captured_is_not_asked_again_unless_it_was_missing() -> None:
    leads = {url: lead(url) for url in (f"http://a.test/{i}" for i in range(6))}
    captures = [
        capture("http://a.test/0", 200),
        capture("http://a.test/1", 404, FailureKind.NOT_FOUND),
        capture("http://a.test/2", None, FailureKind.READ_TIMEOUT),
        capture("http://a.test/3", None, FailureKind.DNS_NOT_FOUND),
        capture("http://a.test/4", 200),
    ]
    left = unanswered(leads, captures, soft_not_found={"http://a.test/4"})
    assert {found.url: found.captured is not None for found in left} == {
        "http://a.test/1": True,
        "http://a.test/3": True,
        "http://a.test/4": True,
        "http://a.test/5": False,
    }


def test_over_the_nights_every_link_has_its_turn() -> None:
    leads = [lead(f"http://a.test/{i}") for i in range(100)]
    drawn: set[str] = set()
    for night in range(12):
        day = date.fromordinal(DAY.toordinal() + night)
        tonight = draw(leads, 20, home="http://a.test/", day=day, seed=f"s{night}")
        assert len(tonight) == 20
        assert tonight == draw(leads[::-1], 20, home="http://a.test/", day=day, seed=f"s{night}")
        drawn |= {found.url for found in tonight}
    assert len(drawn) == 100


def test_suspects_come_first_and_outer_hosts_are_asked_once() -> None:
    leads = [lead(f"http://a.test/{i}") for i in range(50)] + [lead(f"http://b.test/{i}") for i in range(50)]
    drawn = draw(leads, 10, home="http://a.test/", day=DAY, seed="s", dead_before={"http://a.test/7"})
    assert drawn[0].url == "http://a.test/7"
    assert sum(found.url.startswith("http://b.test/") for found in drawn) <= 1
    assert draw(leads, 0, home="http://a.test/", day=DAY, seed="s") == ()
