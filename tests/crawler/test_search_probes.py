"""Searching a site for what is there: by every kind of search that the made-up district has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from checks.facts.model import PageFacts, PageKind
from checks.facts.page import read_page
from checks.model import FailureKind, Probe
from config.rules import SiteSearchRule
from config.schema import Crawl, Site
from crawler.names import Names
from crawler.probes.manners import Manners
from crawler.probes.search import Title, choose, probe_search
from fixtures.district.inventory import inventory
from fixtures.district.model import Search
from fixtures.district.render import SiteRenderer
from fixtures.district.server import ServedDistrict, serve
from tests.crawler.servers import Website, page
from tests.crawler.servers import serve as serve_website

DAY = date(2026, 11, 23)
RULE = SiteSearchRule(titles=3, settled_days=3)


@pytest.fixture(scope="module")
def served() -> Iterator[ServedDistrict]:
    with serve(DAY) as district:
        yield district


def manners(served: ServedDistrict, slug: str) -> Manners:
    own = inventory(served.world, served.dns_port)
    names = Names(own.crawl.resolver, own.crawl.allow_private_addresses)
    return Manners(own.site(slug), own.crawl, names, lambda: datetime.now(UTC))


def home_of(served: ServedDistrict, slug: str) -> PageFacts:
    site = served.world.site(slug)
    response = SiteRenderer(served.world, site).home()
    return read_page(response.body, url=site.home, content_type=response.content_type, as_of=DAY, kind=PageKind.HOME)


def titles_of(served: ServedDistrict, slug: str) -> list[Title]:
    (section, *_) = served.world.sections_on(slug)
    origin = served.world.site(slug).origin
    return [Title(a.title, origin + a.path, a.published) for c in section.columns for a in c.articles if a.published]


def asked(served: ServedDistrict, slug: str) -> list[Probe]:
    titles = choose(titles_of(served, slug), day=DAY, rule=RULE, seed="s")
    assert len(titles) == RULE.titles
    return list(probe_search(manners(served, slug), home_of(served, slug), titles))


@pytest.mark.parametrize(("slug", "search"), [("sthj", Search.GET), ("wjj", Search.POST), ("jyj", Search.HIGHLIGHTED)])
def test_searches_that_find(served: ServedDistrict, slug: str, search: Search) -> None:
    assert served.world.site(slug).search is search
    (probe,) = asked(served, slug)  # the first that is found is enough
    assert probe.observed["found"] is True, probe.observed
    assert probe.observed["method"] == ("POST" if search is Search.POST else "GET")
    assert probe.target.endswith("/search/")


@pytest.mark.parametrize("slug", ["czj", "yhz"])
def test_searches_that_find_nothing_or_only_echo(served: ServedDistrict, slug: str) -> None:
    probes = asked(served, slug)
    assert [probe.observed["found"] for probe in probes] == [False, False, False]
    assert len({probe.observed["query"] for probe in probes}) == 3


def test_nothing_is_asked_where_there_is_no_search(served: ServedDistrict) -> None:
    assert asked(served, "mzj") == []


def test_searches_that_tell_nothing(served: ServedDistrict) -> None:
    assert {(p.observed["found"], p.observed["error"]) for p in asked(served, "xzspj")} == {(None, "HTTP 500")}
    assert {p.observed["found"] for p in asked(served, "gaj")} == {None}  # a challenge
    (closed,) = asked(served, "qxj")
    assert closed.failure is FailureKind.ROBOTS_DISALLOWED
    host = served.world.site("qxj").host
    assert not [r for r in served.requests if r.host == host and r.path.startswith("/search/")]


def test_titles_are_settled_and_drawn_the_same_way() -> None:
    def title(days: int, name: str) -> Title:
        return Title(name, f"http://a.test/{days}.html", DAY - timedelta(days=days))

    titles = [title(days, f"关于开展第{days}批消防安全检查的通知") for days in range(9)] + [title(30, "通知")]
    drawn = choose(titles, day=DAY, rule=RULE, seed="s")
    assert drawn == choose(titles[::-1], day=DAY, rule=RULE, seed="s")
    assert len(drawn) == RULE.titles
    assert all((DAY - chosen.published).days >= RULE.settled_days for chosen in drawn)


@pytest.mark.parametrize(
    "title",
    [
        "石家庄市栾城区教育局关于印发《2026年义务教育学校招生工作方案》的通知",
        "栾城区召开全区安全生产工作会议",
        "关于做好防汛抗旱、森林防火工作的紧急通知",
    ],
)
def test_what_proves_a_find_is_more_than_what_was_asked_for(title: str) -> None:
    chosen = Title(title, "http://a.test/1.html", DAY)
    assert chosen.query in chosen.proof in title
    assert len(chosen.query) + 3 == len(chosen.proof)
    assert 6 <= len(chosen.query) <= 14


def test_results_written_by_script_tell_nothing() -> None:
    form = '<form action="/s"><input type="text" name="q"><button>搜索</button></form>'
    script = (
        "<script>var x = new XMLHttpRequest(); x.open('GET', '/r.json'); x.onload = function () {"
        "document.getElementById('list').innerHTML = x.responseText }; x.send()</script>"
    )
    website = Website({"/robots.txt": page("", 404)})
    website.missing = page(f'<html><body>{form}<ul id="list"></ul>{script}</body></html>')
    with serve_website(website):
        served_home = read_page(form.encode(), url=f"{website.url}/", as_of=DAY, kind=PageKind.HOME)
        settings = Crawl(allow_private_addresses=True, requests_per_second=1000, timeout_seconds=2)
        ours = Manners(
            Site(id="a", name="甲", home=f"{website.url}/"), settings, Names(None, True), lambda: datetime.now(UTC)
        )
        title = Title("关于开展冬季消防安全大检查的通知", f"{website.url}/1.html", DAY)
        (probe,) = probe_search(ours, served_home, [title])
    assert (probe.observed["found"], probe.observed["error"]) == (None, "结果由脚本生成")
