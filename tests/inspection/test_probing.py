"""The probes that follow a crawl: what they are asked of, and that an interrupted night asks nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from checks.model import Capture, FailureKind, Mode, PageRole, Probe, ProbeKind, Visit
from crawler.plan import SitePlan, plan_run
from crawler.sink import Exchange
from fixtures.district.render import SiteRenderer
from fixtures.district.server import ServedDistrict, serve
from inspection.place import Place, opened
from inspection.politeness import hosts_of
from inspection.probing import Probing
from inspection.recording import EvidenceReplay, Recorder, recording
from inspection.settings import resolve
from storage.model import Run, RunKind

DAY = date(2026, 11, 23)
SITE = "czj"
REFUSED = "/xxgkzn/"  # a page that the crawl found missing, and that is back


@pytest.fixture(scope="module")
def served() -> Iterator[ServedDistrict]:
    with serve(DAY) as district:
        yield district


@dataclass(frozen=True, slots=True)
class Night:
    """A run whose crawl is through."""

    place: Place
    served: ServedDistrict
    run: Run
    plan: SitePlan

    def probe(self, name: str, answered: tuple[Probe, ...] = ()) -> list[Probe]:
        with recording(self.place.repository, self.place.evidence, self.run.id, name) as recorder:
            probing = Probing(self.place, self.run.id, hosts_of(self.place))
            assert list(probing.probe([self.plan], recorder, answered)) == [SITE]
        return self.place.repository.probes(self.run.id, SITE)


@pytest.fixture
def place(served: ServedDistrict, tmp_path: Path) -> Iterator[Place]:
    served.write_config(tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        yield place


def night(place: Place, served: ServedDistrict, day: date, links: int) -> Night:
    digests = place.digests_for(day.year)
    run = place.repository.create_run(
        kind=RunKind.NIGHTLY, day=day, seed=f"s{day}", rules_version="1", digests=digests, site_ids=[SITE]
    )
    (plan,) = (plan for plan in plan_run(place.configuration.inventory, day, run.seed) if plan.site.id == SITE)
    settings = plan.settings.model_copy(update={"links_per_site": links})
    plan = SitePlan(plan.site, plan.units, plan.columns, day, run.seed, settings)
    with recording(place.repository, place.evidence, run.id, "crawl") as recorder:
        _capture(recorder, served)
    return Night(place, served, run, plan)


def _capture(recorder: Recorder, served: ServedDistrict) -> None:
    """What a crawl of the home page, the news and one page that was missing at the time leaves behind."""
    site = served.world.site(SITE)
    renderer = SiteRenderer(served.world, site)
    news = served.world.sections_on(SITE)[0].columns[0].articles[0]
    for path, role in (("/", PageRole.HOME), ("/gzdt/", PageRole.COLUMN), (news.path, PageRole.ARTICLE)):
        _store(recorder, site.origin + path, renderer.answer(path).body, None)
        recorder.visit(Visit(SITE, site.origin + path, role, title=news.title, listed_date=DAY - timedelta(days=9)))
    _store(recorder, site.origin + REFUSED, b"gone", FailureKind.NOT_FOUND)


def _store(recorder: Recorder, url: str, body: bytes, failure: FailureKind | None) -> None:
    headers = (("content-type", "text/html; charset=gbk"),)
    status = 404 if failure else 200
    capture = Capture(SITE, url, Mode.STATIC, datetime.now(UTC), url, status=status, headers=headers, failure=failure)
    recorder.store(capture, Exchange("GET", (), f"HTTP/1.1 {status} OK", headers, body))


def links(probes: list[Probe]) -> dict[str, str]:
    return {probe.target: str(probe.observed["state"]) for probe in probes if probe.kind is ProbeKind.LINK}


def test_every_kind_of_question_is_put(place: Place, served: ServedDistrict) -> None:
    tonight = night(place, served, DAY, 2_000)
    probes = tonight.probe("probes")
    assert {probe.kind for probe in probes} >= {ProbeKind.ADDRESSES, ProbeKind.FETCH, ProbeKind.TLS, ProbeKind.SEARCH}
    found = links(probes)
    origin = served.world.site(SITE).origin
    assert f"{origin}/gzdt/" not in found, "it was captured"
    assert found[origin + REFUSED] == "alive", "a page that is missing once is asked for again"
    (photo,) = (target for target, state in found.items() if state == "dead")
    assert photo.endswith(".png")


def test_resumed_night_asks_for_no_link_twice(place: Place, served: ServedDistrict) -> None:
    tonight = night(place, served, DAY, 2_000)
    before = tonight.probe("killed")
    replay = EvidenceReplay(place.evidence, tonight.run.id, [SITE])
    asked = len(served.requests)
    after = tonight.probe("resumed", replay.probes)
    heads = [request for request in served.requests[asked:] if request.method == "HEAD"]
    assert heads == []
    assert links(after) == links(before)
    kinds = [Counter(probe.kind for probe in probes) for probes in (before, after)]
    assert kinds[0] == kinds[1], "what is asked anew replaces what was known"


def test_links_found_dead_are_looked_at_again_on_the_next_nights(place: Place, served: ServedDistrict) -> None:
    first = links(night(place, served, DAY - timedelta(days=1), 2_000).probe("first"))
    (dead,) = (target for target, state in first.items() if state == "dead")
    second = links(night(place, served, DAY, 2).probe("second"))
    assert len(second) == 2 < len(first)
    assert second[dead] == "dead"
