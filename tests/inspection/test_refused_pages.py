"""A night on a small site of our own: a column that leads where we never go, and pages that give a password away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from checks.model import FailureKind, Outcome
from config.loader import SITES
from inspection.place import Place, opened
from inspection.run import Request, inspect_units
from inspection.settings import resolve
from storage.model import RunKind
from tests.crawler.servers import Route, Website, page, redirect, serve

CONFIG = Path(__file__).parents[2] / "config"
DAY = date(2026, 11, 23)
FORBIDDEN = "127.0.0.99"
CRAWL = """[crawl]
requests_per_second = 1000
allow_private_addresses = ["127.0.0.1/32"]
timeout_seconds = 5
retries = 0
screenshots_per_unit = 0
sampling = {newest = 1, older = 0}
"""
UNIT = '\n[[unit]]\nid = "{0}"\nname = "{0}"\nkind = "department"\n'
COLUMN = '\n[[unit.column]]\nid = "{1}"\nurl = "{2}/{0}/{1}/"\nconfirmed = true\n'
UNITS = ("calm", "led")  # alike, but for where one of their columns leads
COLUMNS = ("news", "notice")
SECRET = "geheim"
GIVEN_AWAY = """<li><a href="http://admin:{0}@127.0.0.1:{1}/1.html">关于http://admin:{0}@a.test/的通知</a>2026-11-22</li>
<iframe src="http://admin:{0}@127.0.0.1:{1}/frame"></iframe><img src="//admin:{0}@127.0.0.1:{1}/picture.png">
<div style="display:none"><a href="http://admin:{0}@casino.test/">赌场 http://admin:{0}@casino.test/</a></div>
<form action="http://admin:{0}@127.0.0.1:{1}/search"><input name="q" placeholder="搜索"></form>"""


def listing(column: str, more: str = "") -> Route:
    rows = "".join(
        f"<li><a href='{column}{number}.html'>关于第{number}号事项的通知</a><span>2026-11-{number:02}</span></li>"
        for number in range(18, 23)
    )
    return page(f"<html><head><title>栏目</title></head><body><ul class='list'>{rows}{more}</ul></body></html>")


@pytest.fixture
def site() -> Iterator[Website]:
    article = page("<html><body><h1>关于一件事项的通知</h1><p>发布时间：2026-11-20</p><p>正文。</p></body></html>")
    columns = [f"/{unit}/{column}/" for unit in UNITS for column in COLUMNS]
    routes = {f"{column}{number}.html": article for column in columns for number in range(18, 23)}
    routes |= {column: listing(column) for column in columns}
    with serve(Website({"/robots.txt": page("", 404), **routes})) as website:
        leads = "".join(f"<a href='{column}'>{column}</a>" for column in columns)
        website.routes["/"] = page(f"<html><body>{leads}{GIVEN_AWAY.format(SECRET, website.port)}</body></html>")
        website.routes["/calm/news/"] = listing("/calm/news/", GIVEN_AWAY.format(SECRET, website.port))
        website.routes["/led/notice/"] = redirect(f"http://{FORBIDDEN}:{website.port}/inside")
        yield website


@pytest.fixture
def place(site: Website, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("INSPECT_BROWSER", str(tmp_path / "none"))
    shutil.copytree(CONFIG, tmp_path / "config")
    sites = tmp_path / "config" / SITES
    text = sites.read_text(encoding="utf-8").replace("http://www.luancheng.gov.cn/", f"{site.url}/")
    for unit in UNITS:
        text += UNIT.format(unit) + "".join(COLUMN.format(unit, column, site.url) for column in COLUMNS)
    sites.write_text(text.replace("[crawl]\n", CRAWL), encoding="utf-8")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        yield place


def test_a_column_that_leads_away_is_no_fault_and_a_password_is_in_nothing_we_keep(place: Place, site: Website) -> None:
    report = inspect_units(place, Request(RunKind.NIGHTLY, DAY, UNITS))
    url = f"{site.url}/led/notice/"
    (capture,) = [one for one in place.repository.captures(report.run.id, "luancheng") if one.url == url]
    assert capture.failure is FailureKind.ADDRESS_REFUSED
    assert FORBIDDEN in capture.detail
    assert capture.evidence is not None
    assert place.evidence.read_payload(capture.evidence) == b""
    found = [row.finding for row in place.repository.findings(run_id=report.run.id)]
    outcomes = {one.outcome for one in found if one.target == url}
    assert Outcome.INCONCLUSIVE in outcomes
    assert outcomes <= {Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE}
    failed = [one for one in found if one.outcome is Outcome.FAIL]
    faults = {unit: {one.check for one in failed if one.unit_id == unit} for unit in UNITS}
    assert faults["led"] <= faults["calm"]
    coverage = {score.unit_id: score.coverage for score in report.scores}
    assert coverage["led"] < coverage["calm"]
    assert_nowhere(SECRET, place)


def assert_nowhere(secret: str, place: Place) -> None:
    """A word is in no row and no file but the evidence, where the pages stand as they were."""
    with place.database.engine.connect() as connection:
        rows = list(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert any("casino.test" in row for row in rows), "the link that hides the password was not judged"
    assert [row for row in rows if secret in row] == []
    files = [path for path in place.settings.data.rglob("*") if path.is_file()]
    kept = [path for path in files if not path.is_relative_to(place.settings.evidence)]
    assert [path for path in kept if secret.encode() in path.read_bytes()] == []
