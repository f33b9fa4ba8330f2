"""The IPv6 questions, put to real servers on both families of loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from checks.facts.model import Link, PageFacts, PageKind
from checks.model import FailureKind, Probe, ProbeKind
from config.rules import Ipv6Rule
from config.schema import Crawl, Site
from crawler.names import Names
from crawler.probes.ipv6 import has_ipv6_route, probe_ipv6
from crawler.probes.likeness import shingles
from crawler.probes.manners import Manners
from tests.crawler.servers import SILENT, Website, Zone, drip, name_server, page, redirect, serve

BOTH = ("127.0.0.1", "::1")
SOA = "ns1.a.test. admin.a.test. 1 3600 600 86400 60"
TEXT = "区政府召开全体会议，部署下一阶段重点工作。" * 20
RULE = Ipv6Rule(tries=3, sampled_links=4)
Ask = Callable[..., list[Probe]]


def zone() -> Zone:
    return {
        ("www.a.test", "A"): ["127.0.0.1"],
        ("www.a.test", "AAAA"): ["::1"],
        ("old.a.test", "A"): ["127.0.0.1"],
        ("a.test", "SOA"): [SOA],
        ("a.test", "NS"): ["ns1.a.test.", "ns2.a.test."],
        ("ns1.a.test", "A"): ["127.0.0.1"],
        ("ns1.a.test", "AAAA"): ["::1"],
        ("ns2.a.test", "A"): ["127.0.0.1"],
        ("test", "SOA"): [SOA],
        ("mute.a.test", "A"): [SILENT],
        ("mute.a.test", "AAAA"): [SILENT],
    }


@pytest.fixture
def site() -> Iterator[Website]:
    with serve(Website({"/": page(f"<html><body>{TEXT}</body></html>")}), BOTH) as website:
        yield website


@pytest.fixture
def ask(site: Website) -> Iterator[Ask]:
    with name_server(zone(), BOTH) as port:

        def probes(
            host: str = "www.a.test", home: PageFacts | None = None, below: tuple[PageFacts, ...] = (), **more: object
        ) -> list[Probe]:
            settings = Crawl(
                resolver=f"127.0.0.1:{port}",
                name_server_port=port,
                allow_private_addresses=True,
                requests_per_second=1000,
                timeout_seconds=2,
            ).model_copy(update=more)
            portal = Site(id="portal", name="门户", home=f"http://{host}:{site.port}/")
            names = Names(settings.resolver, settings.allow_private_addresses)
            manners = Manners(portal, settings, names, lambda: datetime.now(UTC))
            return list(probe_ipv6(manners, home, below, rule=RULE, seed="s"))

        yield probes


def of_kind(probes: list[Probe], kind: ProbeKind, family: int | None = None, level: int | None = None) -> list[Probe]:
    return [
        probe
        for probe in probes
        if probe.kind is kind and family in (None, probe.family) and level in (None, probe.observed.get("level"))
    ]


def test_a_site_on_both_families(ask: Ask, site: Website) -> None:
    probes = ask()
    (addresses,) = of_kind(probes, ProbeKind.ADDRESSES)
    assert addresses.observed == {"a": ["127.0.0.1"], "aaaa": ["::1"], "rcode": "NOERROR"}
    assert [p.observed["reachable"] for p in of_kind(probes, ProbeKind.ROUTE)] == [True]
    assert [(p.family, p.observed["address"], p.observed["connected"]) for p in of_kind(probes, ProbeKind.CONNECT)] == [
        (4, "127.0.0.1", True),
        (6, "::1", True),
    ]
    (four,) = of_kind(probes, ProbeKind.FETCH, 4)
    six = of_kind(probes, ProbeKind.FETCH, 6)
    assert [p.observed["try"] for p in six] == [1, 2, 3]
    assert {p.observed["status"] for p in [four, *six]} == {200}
    assert {p.observed["address"] for p in six} == {"::1"}
    assert {p.observed["digest"] for p in [four, *six]} == {four.observed["digest"]}
    assert four.observed["shingles"] == six[0].observed["shingles"] != []
    assert four.observed["port"] == site.port


def test_delegation_names_each_server_and_whether_it_answers_over_v6(ask: Ask) -> None:
    (delegation,) = of_kind(ask(), ProbeKind.DELEGATION)
    assert delegation.target == "a.test"
    assert delegation.observed["servers"] == [
        {"name": "ns1.a.test", "a": ["127.0.0.1"], "aaaa": ["::1"], "answers_v6": True},
        {"name": "ns2.a.test", "a": ["127.0.0.1"], "aaaa": [], "answers_v6": False},
    ]


def test_a_name_server_that_does_not_answer_over_v6(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.probes.ipv6._NAME_SERVER_SECONDS", 0.2)
    (delegation,) = of_kind(ask(name_server_port=1), ProbeKind.DELEGATION)
    assert [server["answers_v6"] for server in delegation.observed["servers"]] == [False, False]  # type: ignore[attr-defined]


def test_a_site_on_v4_alone_is_never_asked_over_v6(ask: Ask) -> None:
    probes = ask("old.a.test")
    assert of_kind(probes, ProbeKind.ADDRESSES)[0].observed["aaaa"] == []
    assert of_kind(probes, ProbeKind.ADDRESSES)[0].failure is None
    assert len(of_kind(probes, ProbeKind.FETCH, 4)) == 1
    assert not of_kind(probes, ProbeKind.FETCH, 6) + of_kind(probes, ProbeKind.ROUTE)


def test_a_silent_dns_is_a_failure_and_never_no_aaaa(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.names.LIFETIME", 0.2)
    probes = ask("mute.a.test")
    (addresses,) = of_kind(probes, ProbeKind.ADDRESSES)
    assert addresses.failure is FailureKind.DNS_FAILURE
    assert not of_kind(probes, ProbeKind.FETCH)


def test_a_name_that_does_not_exist_is_an_answer(ask: Ask) -> None:
    (addresses,) = of_kind(ask("none.a.test"), ProbeKind.ADDRESSES)
    assert (addresses.failure, addresses.observed["rcode"]) == (None, "NXDOMAIN")


def test_private_addresses_are_not_reached_unless_allowed(ask: Ask, site: Website) -> None:
    probes = ask(allow_private_addresses=False)
    assert of_kind(probes, ProbeKind.ADDRESSES)[0].observed["aaaa"] == ["::1"]
    assert not of_kind(probes, ProbeKind.FETCH) + of_kind(probes, ProbeKind.CONNECT)
    assert site.log == []


def facts(url: str, *links: str) -> PageFacts:
    return PageFacts(url, "utf-8", PageKind.OTHER, "", links=tuple(Link(link, "链接") for link in links))


def test_inner_links_are_drawn_by_seed_and_checked_against_v4_where_v6_fails(ask: Ask, site: Website) -> None:
    base = f"http://www.a.test:{site.port}"
    old = f"http://xxgk.www.a.test:{site.port}/none"
    for i in range(6):
        site.routes[f"/two/{i}"] = page("<html>二级</html>")
        site.routes[f"/three/{i}"] = page("<html>三级</html>")
    home = facts(f"{base}/", f"{base}/", f"{base}/gone", old, "http://other.test/", f"{base}/two/0#a", f"{base}/two/0")
    below = facts(f"{base}/two/0", f"{base}/two/0", *(f"{base}/three/{i}" for i in range(6)))
    probes = ask(home=home, below=(below,))
    two = of_kind(probes, ProbeKind.FETCH, 6, level=2)
    assert {p.target for p in two} == {f"{base}/gone", old, f"{base}/two/0"}
    assert {p.target for p in of_kind(probes, ProbeKind.FETCH, 4, level=2)} == {f"{base}/gone", old}
    three = of_kind(probes, ProbeKind.FETCH, 6, level=3)
    assert len(three) == RULE.sampled_links
    assert [p.target for p in three] == [
        p.target for p in of_kind(ask(home=home, below=(below,)), ProbeKind.FETCH, 6, 3)
    ]
    assert not of_kind(probes, ProbeKind.FETCH, 4, level=3)


def test_redirects_stay_in_the_family_and_robots_are_heard(ask: Ask, site: Website) -> None:
    base = f"http://www.a.test:{site.port}"
    site.routes |= {
        "/": redirect(f"http://old.a.test:{site.port}/index.html"),
        "/index.html": page("<html>首页</html>"),
        "/robots.txt": page("User-agent: *\nDisallow: /closed", content_type="text/plain"),
    }
    probes = ask(home=facts(f"{base}/", f"{base}/closed/1"))
    (four,) = of_kind(probes, ProbeKind.FETCH, 4, level=1)
    six = of_kind(probes, ProbeKind.FETCH, 6, level=1)
    assert four.observed["status"] == 200
    assert [p.observed["status"] for p in six] == [None] * 3
    assert "AAAA" in str(six[0].observed["error"])
    assert not of_kind(probes, ProbeKind.FETCH, level=2)


def test_a_hanging_or_endless_page_is_an_answer_with_an_error(ask: Ask, site: Website) -> None:
    site.routes["/"] = site.hang
    assert of_kind(ask(timeout_seconds=0.3), ProbeKind.FETCH, 4)[0].observed["error"]
    site.routes["/"] = page("<html>" + "长" * 9000)
    (four,) = of_kind(ask(max_body_bytes=1000), ProbeKind.FETCH, 4)
    assert (four.failure, four.observed["error"]) == (FailureKind.TOO_LARGE, "超过 1000 字节")


def test_likeness_of_texts() -> None:
    one, other = (shingles(f"<html>{text}</html>".encode(), "text/html") for text in (TEXT + "甲", TEXT + "乙"))
    far = shingles(("<html>" + "默认网站正在建设中" * 9 + "</html>").encode(), "text/html")
    assert one == sorted(one)
    assert 0.7 < len(set(one) & set(other)) / len(set(one) | set(other)) < 1
    assert not set(one) & set(far)
    assert shingles(b"\x89PNG", "image/png") == shingles(b"", "text/html") == []


def test_the_route_to_loopback_is_there() -> None:
    assert has_ipv6_route("::1")
    assert not has_ipv6_route("not an address")


def test_a_server_that_drips_is_left_at_the_deadline(ask: Ask, site: Website) -> None:
    site.routes["/"] = drip
    fetched = of_kind(ask(timeout_seconds=0.2), ProbeKind.FETCH)
    assert [probe.family for probe in fetched] == [4, 6, 6, 6]
    assert {probe.observed["error"] for probe in fetched} == {"超时"}
