"""Pages whose scripts decide what a visitor sees, in a real Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from checks.facts.model import PageFacts, PageKind
from checks.model import FailureKind, Mode, PageRole
from crawler.rendering import find_browser, needs_rendering
from crawler.turns import Turns
from tests.crawler.harness import MANNERS, plan, run, shoot
from tests.crawler.servers import Route, Website, drop, name_server, page, raw, serve

BROWSER = find_browser()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="没有可用的浏览器")]

ROWS = [{"u": f"/tz/{i}.html", "t": f"关于第{i}号事项的通知", "d": f"2026-10-{i:02}"} for i in range(1, 6)]
FILLED = """<html><head><title>通知公告</title></head><body><ul id="list" class="list"></ul><script>
fetch('/rows.json').then(answer => answer.json()).then(rows => {
  document.getElementById('list').innerHTML =
    rows.map(r => `<li><a href="${r.u}">${r.t}</a><span>${r.d}</span></li>`).join('');
});
</script></body></html>"""
PUZZLE = "<html><script>setTimeout(() => { document.cookie = 'passed=1'; location.reload(); }, 200)</script></html>"
LIST = "<html><body><ul>" + "".join(
    f'<li><a href="{row["u"]}">{row["t"]}</a><span>{row["d"]}</span></li>' for row in ROWS
) + "</ul></body></html>"  # fmt: skip


def guard(route: Route) -> Route:
    """Let only those in who ran the script."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        passed = "passed=1" in request.headers.get("Cookie", "")
        (route if passed else page(PUZZLE, 412))(request)

    return answer


@pytest.fixture
def site() -> Iterator[Website]:
    articles = {row["u"]: page(f"<html><body><h1>{row['t']}</h1><p>正文</p></body></html>") for row in ROWS}
    with serve(Website({"/robots.txt": page("", 404), "/": page(LIST), **articles})) as website:
        website.routes["/rows.json"] = raw(json.dumps(ROWS).encode(), content_type="application/json")
        website.routes["/xhr/"] = page(FILLED)
        website.routes["/guarded/"] = guard(page(LIST))
        yield website


def test_a_list_filled_by_script_is_rendered_and_followed(site: Website) -> None:
    found = run(plan(site.url, {"xhr": site.url + "/xhr/"}), browser=BROWSER)
    (column,) = found.of_role(PageRole.COLUMN)
    assert column.rendering_wanted
    rendered = found.capture(column.url, Mode.RENDERED)
    assert (rendered.failure, rendered.content_type) == (None, "text/html; charset=utf-8")
    exchange = found.exchanges["portal", column.url, Mode.RENDERED]
    assert exchange is not None
    assert "关于第5号事项的通知" in exchange.payload.decode()
    assert found.capture(column.url).failure is None
    assert [v.order for v in sorted(found.of_role(PageRole.ARTICLE), key=lambda v: v.order)][:2] == [0, 1]


def test_a_challenge_is_passed_and_both_captures_kept(site: Website) -> None:
    found = run(plan(site.url, {"guarded": site.url + "/guarded/"}), browser=BROWSER)
    url = site.url + "/guarded/"
    assert found.capture(url).failure is FailureKind.BLOCKED
    assert found.capture(url, Mode.RENDERED).failure is None
    assert found.capture(url, Mode.RENDERED).status == 200
    assert len(found.of_role(PageRole.ARTICLE)) == 3


def test_the_pass_that_the_browser_got_opens_the_rest_of_the_site(site: Website) -> None:
    site.routes |= {path: guard(route) for path, route in site.routes.items()}
    manners = MANNERS.model_copy(update={"concurrency": 1})
    found = run(plan(site.url, {"list": site.url + "/"}, manners), settings=manners, browser=BROWSER)
    assert [c.url for c in found.captures if c.mode is Mode.RENDERED] == [site.url + "/"]
    assert len(found.of_role(PageRole.ARTICLE)) == 3
    assert all(found.capture(v.url).status == 200 for v in found.of_role(PageRole.ARTICLE))


def test_a_rendered_page_is_replayed(site: Website) -> None:
    wanted = plan(site.url, {"xhr": site.url + "/xhr/", "guarded": site.url + "/guarded/"})
    first = run(wanted, browser=BROWSER)
    asked = len(site.log)
    second = run(wanted, replay=first, browser=BROWSER)
    assert len(site.log) == asked
    assert set(second.visits) == set(first.visits)


def test_what_a_browser_loads_is_charged_to_the_day(site: Website) -> None:
    site.routes["/rows.json"] = raw(json.dumps(ROWS).encode() + b" " * 300_000, content_type="application/json")
    manners = MANNERS.model_copy(update={"bytes_per_day": 200_000})
    found = run(plan(site.url, {"xhr": site.url + "/xhr/"}, manners), settings=manners, browser=BROWSER)
    assert found.capture(site.url + "/xhr/", Mode.RENDERED).failure is None
    articles = found.of_role(PageRole.ARTICLE)
    assert {visit.failure or found.capture(visit.url).failure for visit in articles} == {FailureKind.BUDGET_EXHAUSTED}


def test_without_a_browser_the_wish_is_kept_and_the_lack_told(site: Website) -> None:
    found = run(plan(site.url, {"xhr": site.url + "/xhr/"}))
    assert found.of_role(PageRole.COLUMN)[0].rendering_wanted
    assert found.capture(site.url + "/xhr/", Mode.RENDERED).failure is FailureKind.RENDER_UNAVAILABLE


def test_the_browser_asks_the_same_resolver_and_no_private_address(site: Website) -> None:
    """A page's script reaches a name that only our resolver knows; what resolves to nothing allowed stays out."""
    with serve(Website({"/rows.json": site.routes["/rows.json"]})) as other:
        other.routes["/rows.json"] = raw(
            json.dumps(ROWS).encode(), content_type="application/json", Access_Control_Allow_Origin="*"
        )
        far = f"http://data.test:{other.port}/rows.json"
        site.routes["/xhr/"] = page(FILLED.replace("/rows.json", far))
        with name_server({("www.test", "A"): ["127.0.0.1"], ("data.test", "A"): ["127.0.0.1"]}) as port:
            settings = MANNERS.model_copy(update={"resolver": f"127.0.0.1:{port}"})
            home = f"http://www.test:{site.port}/"
            found = run(plan(home, {"xhr": home + "xhr/"}, settings), settings=settings, browser=BROWSER)
        assert other.asked("/rows.json") == 1
        assert len(found.of_role(PageRole.ARTICLE)) == 3


def test_a_page_the_browser_cannot_reach_is_a_failed_rendering(site: Website) -> None:
    answers = [page(FILLED)]
    site.routes["/xhr/"] = lambda request: answers.pop()(request) if answers else drop(request)
    found = run(plan(site.url, {"xhr": site.url + "/xhr/"}), browser=BROWSER)
    assert found.capture(site.url + "/xhr/", Mode.RENDERED).failure is FailureKind.RENDER_FAILED
    assert found.done == ["portal"]


def test_a_list_whose_rows_never_came_is_not_an_empty_list(site: Website) -> None:
    """Refused, dropped or never answered; a list without rows is empty, whatever a counter says."""
    rows = {"refused": page("", 503), "dropped": drop, "hanging": site.hang}
    for name, route in (rows | {"empty": raw(b"[]", content_type="application/json")}).items():
        site.routes[f"/{name}.json"] = route
        counted = FILLED.replace("</body>", '<script src="/counter.js"></script></body>')
        site.routes[f"/{name}/"] = page(counted.replace("/rows.json", f"/{name}.json"))
    manners = MANNERS.model_copy(update={"timeout_seconds": 2})
    columns = {name: f"{site.url}/{name}/" for name in (*rows, "empty")}
    found = run(plan(site.url, columns, manners), settings=manners, browser=BROWSER)
    for name in rows:
        rendered = found.capture(columns[name], Mode.RENDERED)
        assert (rendered.failure, "页面脚本" in rendered.detail) == (FailureKind.RENDER_FAILED, True), name
    assert site.asked("/counter.js") == len(columns)
    assert found.capture(columns["empty"], Mode.RENDERED).failure is None


def test_pictures_are_taken_and_failures_told(site: Website) -> None:
    site.routes["/tall"] = page("<html><body style='height:90000px'>高</body></html>")
    found = shoot({"portal": (site.url + "/", site.url + "/tall", site.url + "/", "http://127.0.0.1:6379/")}, BROWSER)
    good = found.capture(site.url + "/", Mode.SCREENSHOT)
    assert (good.failure, good.content_type) == (None, "image/png")
    picture = found.exchanges["portal", site.url + "/tall", Mode.SCREENSHOT]
    assert picture is not None
    assert picture.payload.startswith(b"\x89PNG")
    assert int.from_bytes(picture.payload[20:24], "big") == 6000
    assert found.capture("http://127.0.0.1:6379/", Mode.SCREENSHOT).failure is FailureKind.ADDRESS_REFUSED
    assert len(found.captures) == 3


def test_pictures_wait_where_a_spot_check_goes_first(site: Website, tmp_path: Path) -> None:
    turns, asked, last_asked = Turns(tmp_path), threading.Event(), threading.Event()
    plain = site.routes["/"]
    site.routes["/"] = lambda request: asked.set() or plain(request)
    free = {f"/{number}": plain for number in range(5)} | {"/last": lambda request: last_asked.set() or plain(request)}
    with serve(Website(free)) as other, ThreadPoolExecutor(1) as threads:
        host = other.url.replace("127.0.0.1", "localhost")
        wanted = {"busy": (site.url + "/",), "free": tuple(host + path for path in free)}
        with turns.first(["127.0.0.1"]):
            pictures = threads.submit(shoot, wanted, BROWSER, turns)
            assert last_asked.wait(60)
            assert not asked.is_set()
        found = pictures.result()
    assert found.capture(site.url + "/", Mode.SCREENSHOT).failure is None


def browsers() -> list[int]:
    """The browsers that our own children run: those of their processes that no other browser process started."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    ours = [pid for pid in parents if os.getpid() in _ancestors(pid, parents)]
    return [pid for pid in ours if _is_browser(pid) and not _is_browser(parents[pid])]


def _ancestors(pid: int, parents: dict[int, int]) -> set[int]:
    found: set[int] = set()
    while (pid := parents.get(pid, 0)) and pid not in found:
        found.add(pid)
    return found


def _is_browser(pid: int) -> bool:
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"--remote-debugging-pipe" in command and b"--type=" not in command
    return False


def test_a_browser_that_is_killed_over_a_page_is_started_again(site: Website) -> None:
    killed: list[int] = []

    def kill(request: BaseHTTPRequestHandler) -> None:
        killed.extend(browsers())
        for browser in killed:
            os.kill(browser, signal.SIGKILL)

    answers = [page(FILLED), kill]  # to the crawler, to the first browser; what the next gets is the page
    site.routes["/xhr/"] = lambda request: (answers.pop(0) if answers else page(FILLED))(request)
    found = run(plan(site.url, {"xhr": site.url + "/xhr/"}), browser=BROWSER)
    assert len(killed) == 1
    assert found.capture(site.url + "/xhr/", Mode.RENDERED).failure is None
    assert len(found.of_role(PageRole.ARTICLE)) == 3
    assert found.done == ["portal"]


def test_a_browser_makes_way_for_another_and_keeps_no_page_open(site: Website) -> None:
    seen: list[int] = []

    def rows(request: BaseHTTPRequestHandler) -> None:
        seen.extend(browsers())
        raw(json.dumps(ROWS).encode(), content_type="application/json")(request)

    site.routes |= {f"/xhr/{number}/": page(FILLED) for number in range(3)} | {"/rows.json": rows}
    manners = MANNERS.model_copy(update={"pages_per_browser": 1})
    found = run(
        plan(site.url, {f"c{n}": f"{site.url}/xhr/{n}/" for n in range(3)}, manners), settings=manners, browser=BROWSER
    )
    assert [c.failure for c in found.captures if c.mode is Mode.RENDERED] == [None] * 3
    assert len(set(seen)) == len(seen) == 3
    assert browsers() == []


def test_what_one_site_left_in_the_browser_no_other_sees(site: Website) -> None:
    """Cookies heed no port: only a context of its own keeps the second site from those of the first."""
    counted = FILLED.replace("fetch(", "document.title = document.cookie; document.cookie = 'been=here'; fetch(")
    with serve(Website({"/robots.txt": page("", 404), "/": page(LIST), **site.routes})) as other:
        for one in (site, other):
            one.routes["/xhr/"] = page(counted)
        plans = [plan(one.url, {"xhr": one.url + "/xhr/"}, site_id=name) for one, name in ((site, "a"), (other, "b"))]
        found = run(*plans, browser=BROWSER)
    pages = [found.exchanges[name, one.url + "/xhr/", Mode.RENDERED] for one, name in ((site, "a"), (other, "b"))]
    assert all(exchange is not None and b"been=here</title>" not in exchange.payload for exchange in pages)


@pytest.mark.parametrize(
    ("role", "needs", "wanted"),
    [
        (PageRole.HOME, {"script_footer"}, True),
        (PageRole.ARTICLE, {"script_footer"}, False),
        (PageRole.COLUMN, {"empty_list"}, True),
        (PageRole.ARTICLE, {"empty_list"}, False),
        (PageRole.COLUMN, {"frames_unread"}, False),
        (PageRole.ARTICLE, {"script_content"}, True),
        (PageRole.HOME, set(), False),
    ],
)
def test_a_page_is_rendered_only_for_what_its_role_is_read_for(role: PageRole, needs: set[str], wanted: bool) -> None:
    facts = PageFacts(None, "utf-8", PageKind.OTHER, "", rendering_needs=frozenset(needs))
    assert needs_rendering(role, facts) is wanted
