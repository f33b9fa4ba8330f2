"""Whether home pages open, asked of real servers on loopback; and whose fault it is when many do not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from checks.model import FailureKind
from config.schema import Crawl, Site
from crawler.probes.availability import Look, Opening, judged, look_around, settle
from crawler.probes.http import Got
from tests.crawler.servers import SILENT, Route, Website, drop, name_server, page, serve

Visit = Callable[..., dict[str, Look]]
GOOD = page("<html><body>" + "区政府召开全体会议。" * 50 + "</body></html>")
PUZZLE = page("<html><script>document.cookie='a=1';location.reload()</script></html>", 412)
ZONE = {(f"{name}.test", "A"): ["127.0.0.1"] for name in ("a", "b", "c", "d")} | {("mute.test", "A"): [SILENT]}


def hang(request: object) -> None:
    """Say nothing until the server ends."""
    request.server.stopped.wait()  # type: ignore[attr-defined]


@pytest.fixture
def website() -> Iterator[Website]:
    with serve(Website({"/": GOOD})) as served:
        yield served


@pytest.fixture
def look(website: Website) -> Iterator[Visit]:
    with name_server(ZONE) as port:
        settings = Crawl(
            resolver=f"127.0.0.1:{port}", allow_private_addresses=True, requests_per_second=1000, timeout_seconds=9
        )

        def looks(*homes: str, controls: tuple[str, ...] = (), seconds: float = 0.5) -> dict[str, Look]:
            """Look at home pages "host", "host:port" or "host/path", and tell what came of each."""
            sites = [Site(id=f"s{number}", name="站", home=_url(home, website)) for number, home in enumerate(homes)]
            found = look_around(sites, [_url(c, website) for c in controls], settings=settings, seconds=seconds)
            return {homes[int(look.site_id[1:])]: look for look in found}

        yield looks


def _url(home: str, website: Website) -> str:
    host, slash, path = home.partition("/")
    return f"http://{host if ':' in host else f'{host}:{website.port}'}/{path if slash else ''}"


@pytest.mark.parametrize(
    ("route", "opening", "failure"),
    [
        (GOOD, Opening.OPEN, None),
        (PUZZLE, Opening.OPEN, None),
        (page("<html><body>502 Bad Gateway</body></html>", 502), Opening.SHUT, FailureKind.SERVER_ERROR),
        (page("<html><body>404 Not Found</body></html>", 404), Opening.SHUT, FailureKind.NOT_FOUND),
        (page("<html><body>403 Forbidden</body></html>", 403), Opening.UNSURE, None),
        (page("<html><body>您的请求已被网站防火墙拦截</body></html>", 200), Opening.UNSURE, None),
        (page("<html><body>Too many requests</body></html>", 429), Opening.UNSURE, None),
        (drop, Opening.SHUT, FailureKind.CONNECTION_LOST),
        (hang, Opening.SHUT, FailureKind.READ_TIMEOUT),
    ],
)
def test_what_a_home_page_answers(
    website: Website, look: Visit, route: Route, opening: Opening, failure: FailureKind | None
) -> None:
    website.routes["/x.html"] = route
    found = look("a.test/x.html", "b.test")["a.test/x.html"]
    assert (found.opening, found.failure) == (opening, failure)


def test_nobody_listens_and_no_such_name(look: Visit) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        refused = f"a.test:{held.getsockname()[1]}"
        found = look(refused, "no-such.test", "b.test", "c.test", "d.test")
    assert (found[refused].opening, found[refused].failure) == (Opening.SHUT, FailureKind.CONNECTION_REFUSED)
    assert (found["no-such.test"].opening, found["no-such.test"].failure) == (Opening.SHUT, FailureKind.DNS_NOT_FOUND)
    assert found["b.test"].opening is Opening.OPEN


def test_a_resolver_that_is_silent_is_our_own_outage(look: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.names.LIFETIME", 0.5)
    assert look("mute.test", "b.test")["mute.test"].opening is Opening.OURS


def test_robots_keep_us_out_and_the_home_page_is_not_asked_for(website: Website, look: Visit) -> None:
    website.routes["/robots.txt"] = page("User-agent: *\nDisallow: /", content_type="text/plain")
    assert look("a.test") == {}
    assert not [line for line in website.log if line.endswith(" /")]


def test_one_look_is_one_request_beside_robots(website: Website, look: Visit) -> None:
    look("a.test")
    assert len(website.log) == 2


def test_a_control_tells_that_the_line_is_up(website: Website, look: Visit) -> None:
    website.routes["/x.html"] = page("<html>down</html>", 503)
    assert look("a.test/x.html")["a.test/x.html"].opening is Opening.OURS
    assert look("a.test/x.html", controls=("no-such.test",))["a.test/x.html"].opening is Opening.OURS
    controlled = look("a.test/x.html", controls=("no-such.test", "b.test"))["a.test/x.html"]
    assert (controlled.opening, controlled.failure) == (Opening.SHUT, FailureKind.SERVER_ERROR)


# ---------------------------------------------------------------- whose outage


def hosts(opened: int, shut: int, unsure: int = 0) -> list[Look]:
    openings = [Opening.OPEN] * opened + [Opening.SHUT] * shut + [Opening.UNSURE] * unsure
    failures = {Opening.SHUT: FailureKind.READ_TIMEOUT}
    return [Look(f"s{n}", f"h{n}.test", opening, failures.get(opening)) for n, opening in enumerate(openings)]


@pytest.mark.parametrize(
    ("opened", "shut", "unsure", "ours"),
    [
        (1, 0, 0, False),
        (0, 1, 0, True),  # nothing to compare with
        (0, 1, 5, True),  # refusals prove no line
        (1, 1, 0, False),  # of two, one answers: the line is up
        (0, 2, 0, True),
        (2, 1, 0, False),
        (1, 2, 0, True),
        (2, 2, 0, True),  # half of four
        (3, 2, 0, False),
        (0, 11, 0, True),
    ],
)
def test_what_fails_together_is_ours(opened: int, shut: int, unsure: int, ours: bool) -> None:
    settled = settle(hosts(opened, shut, unsure), lambda: False)
    spoilt = [look for look in settled if look.opening is Opening.OURS]
    assert len(spoilt) == (shut if ours else 0)
    assert all(look.failure is None for look in spoilt)
    assert settle(hosts(opened, shut, unsure), lambda: True) == tuple(hosts(opened, shut, unsure))


def test_controls_are_left_in_peace_while_most_is_well() -> None:
    def asked() -> bool:
        raise AssertionError("a control was asked")

    settle(hosts(3, 1), asked)


def test_sites_of_one_host_are_one_witness() -> None:
    portal = [Look(f"s{n}", "portal.test", Opening.SHUT, FailureKind.SERVER_ERROR) for n in range(5)]
    others = [Look(f"o{n}", f"o{n}.test", Opening.OPEN) for n in range(3)]
    assert settle([*portal, *others], lambda: False) == (*portal, *others)


@pytest.mark.parametrize(
    "got",
    [
        Got(error="网络不可达"),
        Got(error="域名服务器未在时限内答复", failure=FailureKind.DNS_FAILURE),
    ],
)
def test_our_line_is_never_their_failure(got: Got) -> None:
    assert judged(got, in_time=True) == (Opening.OURS, None)


@pytest.mark.parametrize("error", ["ConnectError：[SSL: DH_KEY_TOO_SMALL]", "TooManyRedirects：Exceeded 5", "内网地址"])
def test_what_a_browser_may_pass_is_no_failure(error: str) -> None:
    assert judged(Got(error=error), in_time=True) == (Opening.UNSURE, None)


@pytest.mark.parametrize(("in_time", "opening"), [(True, Opening.OPEN), (False, Opening.SHUT)])
def test_a_page_past_the_limit_has_not_opened(in_time: bool, opening: Opening) -> None:
    assert judged(Got(status=200, body=b"<html>ok</html>"), in_time=in_time)[0] is opening
