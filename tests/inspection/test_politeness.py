"""What a webmaster is told of a night: how often we asked, what blocked us, and how to let us in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from checks.model import Capture, FailureKind, Mode, PageRole, Visit
from inspection.place import opened
from inspection.politeness import VisitLog, hosts_of, politeness_of
from inspection.settings import resolve
from storage.host_visits import HostVisitStore, KeptVisits
from storage.model import RunKind

ROOT = Path(__file__).parents[2]

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with opened(resolve(ROOT / "config", tmp_path_factory.mktemp("data"), environment={})) as place:
        yield place


@pytest.fixture
def run(place):
    digests = place.digests_for(2026)
    day = date(2026, 11, 23)
    return place.repository.create_run(kind=RunKind.SPOT, day=day, seed="s", rules_version="1", digests=digests)


def asked(host: str, requests: int, second: int, *overrides: str) -> KeptVisits:
    return KeptVisits(host, requests, 1000, second, 60, 1, 2, 3, 4.5, 0.0, overrides)


def test_processes_add_up_and_one_that_tells_again_replaces(place, run):
    store = HostVisitStore(place.database)
    store.keep(run.id, "one", [asked("a.test", 5, 1)])
    store.keep(run.id, "one", [asked("a.test", 10, 2, "门户：不按 robots.txt，因为同意")])
    store.keep(run.id, "two", [asked("a.test", 1, 1), asked("b.test", 1, 1)])
    first, second = store.of_run(run.id)
    assert (first.requests, first.peak_second, first.bytes, first.rested_seconds) == (11, 2, 2000, 9.0)
    assert first.overrides == ("门户：不按 robots.txt，因为同意",)
    assert second.host == "b.test"


def test_a_process_keeps_what_it_asked(place, run):
    hosts = hosts_of(place)
    log = VisitLog(place, run.id, "sites-portal", hosts)
    hosts.take("asked.test")
    hosts.received("asked.test", 123)
    log.keep()
    (told,) = politeness_of(place, run).statements
    assert (told.host, told.requests, told.bytes, told.sites) == ("asked.test", 1, 123, ())


def test_a_process_that_is_killed_has_kept_what_it_asked(place, run, monkeypatch):
    hosts = hosts_of(place)
    log = VisitLog(place, run.id, "sites-portal", hosts)
    hosts.take("killed.test")
    log.keep_along()
    assert politeness_of(place, run).statements == (), "not with every page"
    monkeypatch.setattr("inspection.politeness.KEPT_EVERY_SECONDS", 0.0)
    log.keep_along()
    (told,) = politeness_of(place, run).statements
    assert (told.host, told.requests) == ("killed.test", 1)


def test_who_blocked_us_is_told_with_how_to_let_us_in(place, run):
    site = place.configuration.inventory.sites[0]
    captures = [
        Capture(site.id, f"{site.home}{i}", Mode.STATIC, AT, status=403, failure=FailureKind.BLOCKED, elapsed=i + 1.0)
        for i in range(3)
    ]
    captures.append(Capture(site.id, f"{site.home}2", Mode.RENDERED, AT, status=200))  # the browser saw it
    never = Visit(site.id, f"{site.home}9", PageRole.ARTICLE, failure=FailureKind.BLOCKED)
    robots = Visit(site.id, f"{site.home}8", PageRole.ARTICLE, failure=FailureKind.ROBOTS_UNREADABLE)
    place.repository.add_captured(run.id, captures, [never, robots], [])
    told = politeness_of(place, run)
    assert [(unread.reason, unread.pages) for unread in told.unread] == [
        (FailureKind.BLOCKED.title, 3),
        (FailureKind.ROBOTS_UNREADABLE.title, 1),
    ]
    assert [slow.url for slow in told.slow_pages] == [f"{site.home}{i}" for i in (2, 1, 0)]
    blocked, let_in, robots_told = told.warnings
    assert site.name in blocked
    assert "白名单" in let_in
    assert "xuncha/" in let_in
    assert "robots_override_reason" in robots_told
