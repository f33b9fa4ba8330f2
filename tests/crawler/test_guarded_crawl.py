"""No link, redirect, name server or script leads us to a forbidden address, nor the browser.

127.0.0.1 may be asked, 127.0.0.99 may not: a canary listens there, on the very port of the site.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import ipaddress
import json
import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import brotli
import pytest
from backports import zstd

from checks.model import FailureKind, Mode, PageRole
from crawler.rendering import find_browser
from tests.crawler.harness import MANNERS, MemorySink, plan, run
from tests.crawler.servers import Route, Website, Zone, name_server, page, raw, redirect, serve

BROWSER = find_browser()
FORBIDDEN = "127.0.0.99"
GUARDED = MANNERS.model_copy(update={"allow_private_addresses": (ipaddress.ip_network("127.0.0.1/32"),)})
BOTH = tuple(ipaddress.ip_network(f"127.0.0.{number}/32") for number in (1, 2))
in_chromium = pytest.mark.skipif(BROWSER is None, reason="没有可用的浏览器")
ROWS = json.dumps([{"u": f"/tz/{i}.html", "t": f"关于第{i}号事项的通知", "d": f"2026-10-{i:02}"} for i in range(1, 4)])
LIST = '<html><head><title>通知</title></head><body><ul id="list" class="list"></ul><script>%s</script></body></html>'
FILL = """fetch('%s/rows.json').then(answer => answer.json()).then(rows => {
  document.getElementById('list').innerHTML =
    rows.map(r => `<li><a href="${r.u}">${r.t}</a><span>${r.d}</span></li>`).join('');
});"""
EVERY_WAY = """
const far = '%(host)s:%(port)s';
const tries = [
  () => fetch(`http://${far}/fetch`, {mode: 'no-cors'}),
  () => navigator.sendBeacon(`http://${far}/beacon`, 'x'),
  () => { const x = new XMLHttpRequest(); x.open('GET', `http://${far}/xhr`); x.send(); },
  () => new WebSocket(`ws://${far}/socket`),
  () => new EventSource(`http://${far}/events`),
  () => window.open(`http://${far}/window`),
  () => new Worker(URL.createObjectURL(new Blob([`fetch('http://${far}/worker', {mode: 'no-cors'})`]))),
  () => navigator.serviceWorker.register('/worker.js'),
  () => new RTCPeerConnection({iceServers: [{urls: `stun:${far}`}]}).createDataChannel('a'),
  () => { const p = new RTCPeerConnection({iceServers: [{urls: `turn:${far}?transport=tcp`, username: 'a',
          credential: 'b'}]}); p.createDataChannel('a'); p.createOffer().then(o => p.setLocalDescription(o)); },
  () => { for (const host of ['2130706531', '0x7f000063', '[::ffff:127.0.0.99]'])
          fetch(`http://${host}:%(port)s/spelt`, {mode: 'no-cors'}); },
  () => { for (const [tag, name] of [['iframe', 'src'], ['script', 'src'], ['img', 'src'], ['embed', 'src'],
          ['object', 'data'], ['video', 'src']]) {
          const part = document.createElement(tag); part[name] = `http://${far}/${tag}`;
          document.body.append(part); } },
  () => { for (const kind of ['prefetch', 'preconnect', 'dns-prefetch', 'preload', 'stylesheet', 'prerender', 'icon']) {
          const link = document.createElement('link'); link.rel = kind; link.as = 'script';
          link.href = `http://${far}/${kind}`; document.head.append(link); } },
  () => { const f = document.createElement('form'); f.action = `http://${far}/form`; f.target = 'other';
          f.method = 'post'; document.body.append(f); f.submit(); },
  () => { const a = document.createElement('a'); a.href = `http://${far}/file`; a.download = 'f'; a.click(); },
  () => { const i = document.createElement('iframe'); i.srcdoc = `<meta http-equiv=refresh
          content="0;url=http://${far}/refresh">`; document.body.append(i); },
  () => { window.open('file:///etc/passwd'); window.open('chrome://version'); window.open('data:text/html,a'); },
];
for (const attempt of tries) { try { attempt(); } catch (refused) { } }
"""


class Canary:
    """Listens where nobody may come, for TCP and UDP; those who came stay in its queue."""

    def __init__(self, address: str, port: int) -> None:
        self.listening = [socket.create_server((address, port)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
        self.listening[1].bind((address, port))

    def was_touched(self) -> bool:
        for one, look in zip(self.listening, (socket.socket.accept, lambda one: one.recv(1)), strict=True):
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                look(one)
                return True
        return False

    def close(self) -> None:
        for one in self.listening:
            one.close()


@pytest.fixture
def site() -> Iterator[Website]:
    with serve(Website({"/robots.txt": page("", 404), "/": page("<html><body>首页</body></html>")})) as website:
        website.routes["/rows.json"] = raw(ROWS.encode(), content_type="application/json")
        yield website


@pytest.fixture
def both() -> Iterator[Website]:
    """A site under two addresses, both of which may be asked."""
    with serve(Website({"/robots.txt": page("", 404)}), ("127.0.0.1", "127.0.0.2")) as website:
        website.routes["/"] = page("<html><body>首页</body></html>")
        website.routes["/rows.json"] = raw(ROWS.encode(), content_type="application/json")
        yield website


@pytest.fixture
def canary(request: pytest.FixtureRequest) -> Iterator[Canary]:
    site = request.getfixturevalue("both" if "both" in request.fixturenames else "site")
    listening = Canary(FORBIDDEN, site.port)
    yield listening
    listening.close()


def first_then(*routes: Route) -> Route:
    """Answer by each of the routes in turn, by the last for ever: the crawler asks first, the browser next."""
    left = list(routes)
    return lambda request: (left.pop(0) if len(left) > 1 else left[0])(request)


def after(step: Callable[[], None], route: Route) -> Route:
    def answer(request: BaseHTTPRequestHandler) -> None:
        step()
        route(request)

    return answer


def crawl(site: Website, host: str = "127.0.0.1", browser: bool = False, **settings: object) -> MemorySink:
    manners = GUARDED.model_copy(update=settings)
    home = f"http://{host}:{site.port}/"
    wanted = plan(home, {"tz": home + "tz/"}, manners)
    return run(wanted, settings=manners, browser=BROWSER if browser else None)


def assert_refused(found: MemorySink, mode: Mode, canary: Canary) -> None:
    (capture,) = [one for one in found.captures if one.url.endswith("/tz/") and one.mode is mode]
    assert capture.failure is FailureKind.ADDRESS_REFUSED
    assert FORBIDDEN in capture.detail
    assert capture.evidence is not None
    assert found.done == ["portal"]
    assert found.of_role(PageRole.ARTICLE) == []
    assert not canary.was_touched()


def test_a_redirect(site: Website, canary: Canary) -> None:
    site.routes["/tz/"] = redirect(f"http://{FORBIDDEN}:{site.port}/inside")
    assert_refused(crawl(site), Mode.STATIC, canary)


def test_a_name_that_changes_its_address(site: Website, canary: Canary) -> None:
    zone: Zone = {("www.a.test", "A"): ["127.0.0.1"]}
    site.routes["/"] = after(lambda: zone.update({("www.a.test", "A"): [FORBIDDEN]}), site.routes["/"])
    site.routes["/tz/"] = page("<html><body>从未读到</body></html>")
    with name_server(zone) as port:
        found = crawl(site, "www.a.test", resolver=f"127.0.0.1:{port}", names_remembered_seconds=0, concurrency=1)
    assert found.capture(f"http://www.a.test:{site.port}/").failure is None
    assert_refused(found, Mode.STATIC, canary)


@pytest.mark.parametrize(
    "way", ["<script>location.href = '{}';</script>", "<meta http-equiv=refresh content='0;url={}'>"]
)
def test_a_redirect_by_script_or_meta(site: Website, canary: Canary, way: str) -> None:
    site.routes["/tz/"] = page(f"<html><head>{way.format(f'http://{FORBIDDEN}:{site.port}/inside')}</head></html>")
    assert_refused(crawl(site), Mode.STATIC, canary)


@pytest.mark.parametrize("target", ["http://user:geheim@127.0.0.1:{}/", "http://127.0.0.1:6379/", "file:///etc/passwd"])
def test_redirects_to_credentials_ports_and_files(site: Website, target: str) -> None:
    site.routes["/tz/"] = redirect(target.format(site.port))
    found = crawl(site)
    capture = found.capture(f"{site.url}/tz/")
    wanted = FailureKind.ADDRESS_REFUSED if "6379" in target else FailureKind.SCHEME_REFUSED
    assert (capture.failure, site.asked("/")) == (wanted, 1)
    assert "geheim" not in repr(found)


def test_a_link_with_a_password_is_not_followed_nor_kept(site: Website) -> None:
    link = f"http://user:geheim@127.0.0.1:{site.port}/1.html"
    site.routes["/tz/"] = page(f"<ul><li><a href='{link}'>关于供暖工作的通知</a><span>2026-11-19</span></li></ul>")
    found = crawl(site)
    (article,) = found.of_role(PageRole.ARTICLE)
    assert found.capture(article.url).failure is FailureKind.SCHEME_REFUSED
    assert "geheim" not in repr((found.captures, found.visits))
    assert site.asked("/1.html") == 0


@in_chromium
def test_a_redirect_in_chromium(site: Website, canary: Canary) -> None:
    away = redirect(f"http://{FORBIDDEN}:{site.port}/inside")
    site.routes["/tz/"] = first_then(page(LIST % (FILL % "")), away)
    assert_refused(crawl(site, browser=True), Mode.RENDERED, canary)


@in_chromium
def test_a_name_that_changes_its_address_in_chromium(site: Website, canary: Canary) -> None:
    zone: Zone = {("www.a.test", "A"): ["127.0.0.1"]}
    static = page(LIST % (FILL % ""))
    rendered = page(LIST % (FILL % ""), Connection="close")
    change = after(lambda: zone.update({("www.a.test", "A"): [FORBIDDEN]}), rendered)
    site.routes["/tz/"] = first_then(static, change)
    with name_server(zone) as port:
        settings = {"resolver": f"127.0.0.1:{port}", "names_remembered_seconds": 0, "concurrency": 1}
        found = crawl(site, "www.a.test", browser=True, **settings)
    assert site.asked("/rows.json") == 0
    assert_refused(found, Mode.RENDERED, canary)


@in_chromium
def test_a_script_that_tries_every_way_in_chromium(site: Website, canary: Canary) -> None:
    here = {"host": FORBIDDEN, "port": site.port}
    site.routes["/tz/"] = page(LIST % (FILL % f"http://{FORBIDDEN}:{site.port}" + EVERY_WAY % here))
    site.routes["/worker.js"] = raw(b"fetch('/rows.json')", content_type="text/javascript")
    assert_refused(crawl(site, browser=True), Mode.RENDERED, canary)
    assert site.asked("/worker.js") == 0


@in_chromium
def test_a_script_that_takes_the_page_away_in_chromium(site: Website, canary: Canary) -> None:
    site.routes["/tz/"] = page(
        LIST % (FILL % "" + f"const go = 'repl' + 'ace'; location[go]('http://{FORBIDDEN}:{site.port}/');")
    )
    assert_refused(crawl(site, browser=True), Mode.RENDERED, canary)


@in_chromium
def test_credentials_and_a_page_that_never_has_enough_in_chromium(site: Website) -> None:
    """A page that is sent to an address with a password is not there; one that loads on and on is cut off."""
    static = page(LIST % (FILL % ""))
    led = f"http://user:geheim@127.0.0.1:{site.port}/led"
    site.routes["/tz/"] = first_then(static, redirect(led))
    site.routes["/led"] = page("<html><body>从未读到</body></html>")
    greedy = "(async () => { for (let n = 0; n < 400; n++) await (await fetch('/much?' + n)).text(); })();"
    site.routes["/greedy/"] = page(LIST % (greedy + FILL % ""))
    site.missing = raw(gzip.compress(b"0" * 1_000_000), content_type="text/plain", Content_Encoding="gzip")
    manners = GUARDED.model_copy(update={"max_rendered_bytes": 5_000_000})
    wanted = plan(site.url, {"tz": f"{site.url}/tz/", "greedy": f"{site.url}/greedy/"}, manners)
    found = run(wanted, settings=manners, browser=BROWSER)
    cut_off = found.capture(f"{site.url}/greedy/", Mode.RENDERED)
    assert (cut_off.failure, "5000000" in cut_off.detail) == (FailureKind.TOO_LARGE, True)
    assert sum(path.startswith("/much") for path in site.log) < 100
    led_away = found.capture(f"{site.url}/tz/", Mode.RENDERED)
    assert led_away.failure is FailureKind.SCHEME_REFUSED
    assert found.exchanges["portal", led_away.url, Mode.RENDERED] is None
    assert "geheim" not in repr((found.captures, found.visits))


def _far(site: Website) -> str:
    """The same server under another address, which is another site to a browser: its frames run apart."""
    return f"127.0.0.2:{site.port}"


@in_chromium
def test_a_frame_of_another_site_in_chromium(both: Website, canary: Canary) -> None:
    """It asks by every way, and is sent away; the page around it is read all the same."""
    for path, route in {
        "/frame": page(f"<script>{EVERY_WAY % {'host': FORBIDDEN, 'port': both.port}}</script>"),
        "/away": redirect(f"http://{FORBIDDEN}:{both.port}/inside"),
    }.items():
        both.routes[path] = route
    frames = "".join(f"<iframe src='http://{_far(both)}/{name}'></iframe>" for name in ("frame", "away"))
    both.routes["/tz/"] = page((LIST % (FILL % "")).replace("</body>", f"{frames}</body>"))
    found = crawl(both, browser=True, allow_private_addresses=BOTH)
    assert (both.asked("/frame"), both.asked("/away")) == (1, 1)
    assert found.capture(f"{both.url}/tz/", Mode.RENDERED).failure is None
    assert len(found.of_role(PageRole.ARTICLE)) == 3
    assert not canary.was_touched()


def _endless_socket(request: BaseHTTPRequestHandler) -> None:
    """Accept a WebSocket, and send what nobody asked for."""
    key = request.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    request.close_connection = True
    request.send_response(101)
    request.send_header("Upgrade", "websocket")
    request.send_header("Connection", "Upgrade")
    request.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
    request.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(1_000):
            request.wfile.write(b"\x81\x7e\xff\xff" + b"0" * 65_535)


@in_chromium
def test_frames_workers_and_sockets_have_no_bytes_of_their_own_in_chromium(both: Website) -> None:
    """What they load is the page's; windows and shared workers load nothing."""
    far = f"http://{_far(both)}"
    greedy = f"""(async () => {{ for (let n = 0; n < 400; n++) await (await fetch('{far}/much?'
        + new URL(self.location).pathname + n)).text(); }})();"""
    pages = {
        "framed": f"document.body.append(Object.assign(document.createElement('iframe'), {{src: '{far}/frame'}}));",
        "socket": f"new WebSocket('ws://{_far(both)}/socket');",
        "alone": "window.open('/opened'); new SharedWorker('/shared.js');",
    }
    both.routes |= {f"/{name}/": page(LIST % (FILL % "" + script)) for name, script in pages.items()}
    both.routes["/frame"] = page("<script>new Worker('/worker.js');</script>")
    both.routes["/worker.js"] = both.routes["/shared.js"] = raw(greedy.encode(), content_type="text/javascript")
    both.routes["/opened"] = page(f"<script>{greedy}</script>")
    both.routes["/socket"] = _endless_socket
    both.missing = raw(gzip.compress(b"0" * 1_000_000), content_type="text/plain", Content_Encoding="gzip")
    manners = GUARDED.model_copy(update={"max_rendered_bytes": 5_000_000, "allow_private_addresses": BOTH})
    columns = {name: f"{both.url}/{name}/" for name in pages}
    found = run(plan(both.url, columns, manners), settings=manners, browser=BROWSER)
    told = {name: found.capture(url, Mode.RENDERED).failure for name, url in columns.items()}
    assert told == {"framed": FailureKind.TOO_LARGE, "socket": FailureKind.TOO_LARGE, "alone": None}
    assert 5 <= sum(path.startswith("/much?/worker.js") for path in both.log) < 100
    assert not [path for path in both.log if "opened" in path or "shared" in path]


# ---------------------------------------------------------------- limits

BOMB = b"<html><body>" + b"0" * 20_000_000
BROTLI = brotli.compress(BOMB, quality=1)


def _headers(count: int, length: int) -> Route:
    """Answer with that many headers, or die trying."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        with contextlib.suppress(OSError):
            request.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(count):
                request.wfile.write(b"X-%d: %s\r\n" % (number, b"a" * length))
            request.wfile.write(b"Content-Length: 5\r\n\r\n<html")

    return answer


@pytest.mark.parametrize(
    ("settings", "kind", "route"),
    [
        ({"max_body_bytes": 5_000}, FailureKind.TOO_LARGE, page("<html>" + "0" * 6_000)),
        ({"max_body_bytes": 9_000_000}, FailureKind.TOO_LARGE, raw(gzip.compress(BOMB), Content_Encoding="gzip")),
        ({"max_body_bytes": 9_000_000}, FailureKind.TOO_LARGE, raw(BROTLI, Content_Encoding="br")),
        ({"max_body_bytes": 9_000_000}, FailureKind.TOO_LARGE, raw(zstd.compress(BOMB), Content_Encoding="zstd")),
        ({"max_header_bytes": 4_000}, FailureKind.HEADERS_TOO_LARGE, _headers(20, 1_000)),
        ({"max_header_bytes": 4_000}, FailureKind.HEADERS_TOO_LARGE, _headers(1, 100_000)),
        ({"max_header_bytes": 60_000}, FailureKind.HEADERS_TOO_LARGE, _headers(10_000_000, 10)),
        ({"max_headers": 20}, FailureKind.HEADERS_TOO_LARGE, _headers(21, 1)),
        ({"max_redirects": 1}, FailureKind.REDIRECT_LOOP, redirect("/tz/")),
    ],
)
def test_a_limit_ends_as_what_it_is(site: Website, settings: dict[str, int], kind: FailureKind, route: Route) -> None:
    site.routes["/tz/"] = route
    found = crawl(site, **settings)
    assert found.capture(site.url + "/tz/").failure is kind
    assert found.capture(site.url + "/").failure is None


def test_headers_within_their_limits_are_read(site: Website) -> None:
    site.routes["/tz/"] = _headers(15, 200)
    assert crawl(site, max_headers=20, max_header_bytes=4_000).capture(site.url + "/tz/").failure is None


def test_a_column_has_no_more_pages_than_its_share(site: Website) -> None:
    rows = "".join(
        f"<li><a href='/{n}.html'>关于第{n}号事项的通知</a><span>2026-10-0{n}</span></li>" for n in range(1, 4)
    )
    site.routes["/tz/"] = page(f"<html><body><ul>{rows}</ul></body></html>")
    site.routes |= {f"/{n}.html": page("<html><body>正文</body></html>") for n in range(1, 4)}
    found = crawl(site, max_pages_per_column=3)
    told = sorted((visit.failure for visit in found.of_role(PageRole.ARTICLE)), key=str)
    assert told == [FailureKind.BUDGET_EXHAUSTED, None, None]
    assert sum(site.asked(f"/{n}.html") for n in range(1, 4)) == 2
