"""Judging what a run left behind: what nobody saw is nobody's fault and nobody's merit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from checks.model import Capture, FailureKind, Finding, Mode, Outcome, PageRole, Visit
from crawler.sink import Exchange
from fixtures.district.inventory import write_config
from fixtures.district.model import World
from fixtures.district.render import SiteRenderer
from inspection.inputs import gathered
from inspection.judging import Records, judge_sites
from inspection.place import Place, opened
from inspection.recording import recording
from inspection.settings import resolve
from scoring.daily import daily_score
from storage.model import Run, RunKind
from tests.made_district import made_district

DAY = date(2026, 11, 23)
UNITS = ("jiaoyuju", "loudizhen")
UNSEEN = {Outcome.INCONCLUSIVE, Outcome.NOT_TESTED}


@pytest.fixture(scope="module")
def world() -> World:
    return made_district(DAY)


@pytest.fixture
def place(world: World, tmp_path: Path) -> Iterator[Place]:
    write_config(world, 53, tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        yield place


@pytest.fixture
def run(place: Place) -> Run:
    return place.repository.create_run(
        kind=RunKind.NIGHTLY,
        day=DAY,
        seed="s",
        rules_version="1",
        digests=place.digests_for(DAY.year),
        units=UNITS,
        site_ids=["jyj", "luancheng"],
    )


def _judged(place: Place, run: Run) -> dict[str, list[Finding]]:
    return judge_sites(place.configuration, gathered(place, run), Records.of(place, run.id)).by_unit


def test_pages_that_nobody_came_to_stay_visible_and_fail_nobody(place: Place, run: Run) -> None:
    findings = _judged(place, run)
    for unit_id in UNITS:
        assert {finding.outcome for finding in findings[unit_id]} - {Outcome.NOT_APPLICABLE} <= UNSEEN
        targets = {finding.target for finding in findings[unit_id] if finding.outcome in UNSEEN}
        columns = place.configuration.inventory.unit(unit_id).columns
        assert {column.url for column in columns} & targets, "the columns are named"


def test_score_of_what_nobody_saw_is_withheld(place: Place, run: Run) -> None:
    configuration = place.configuration
    for unit_id, findings in _judged(place, run).items():
        unit = configuration.inventory.unit(unit_id)
        score = daily_score(unit, findings, configuration.indicators_for(DAY.year), configuration.rules, {}, DAY)
        assert score.score is None
        assert score.coverage == 0
        assert score.reasons


def _see_home(place: Place, run: Run, world: World) -> None:
    """The run sees the home page of one site and is killed."""
    renderer = SiteRenderer(world, world.site("jyj"))
    response = renderer.answer("/")
    headers = (("content-type", response.content_type),)
    url, now = renderer.site.home, datetime(2026, 11, 23, 4, tzinfo=UTC)
    capture = Capture("jyj", url, Mode.STATIC, now, url, status=200, headers=headers)
    with recording(place.repository, place.evidence, run.id, "sites-jyj") as recorder:
        recorder.store(capture, Exchange("GET", (), "200 OK", headers, response.body))
        recorder.visit(Visit("jyj", url, PageRole.HOME))


def test_what_was_seen_is_judged_beside_what_was_not(place: Place, run: Run, world: World) -> None:
    _see_home(place, run, world)
    findings = _judged(place, run)["jiaoyuju"]
    of_home = {
        finding.reason for finding in findings if finding.check == "site_identity" and finding.item == "site_code"
    }
    assert of_home == {"malformed_site_code"}
    of_columns = [finding for finding in findings if finding.check in ("column_freshness", "empty_columns")]
    assert {finding.outcome for finding in of_columns} <= UNSEEN | {Outcome.NOT_APPLICABLE}


def test_same_captures_give_the_same_findings(place: Place, run: Run, world: World) -> None:
    _see_home(place, run, world)
    assert _judged(place, run) == _judged(place, run)


def test_failed_visit_tells_its_own_reason(place: Place, run: Run) -> None:
    column = place.configuration.inventory.unit("jiaoyuju").columns[0]
    assert column.url is not None
    refused = Visit(
        "jyj",
        column.url,
        PageRole.COLUMN,
        unit_id="jiaoyuju",
        column_id=column.id,
        failure=FailureKind.ROBOTS_DISALLOWED,
    )
    with recording(place.repository, place.evidence, run.id, "sites-jyj") as recorder:
        recorder.visit(refused)
    said = [finding for finding in _judged(place, run)["jiaoyuju"] if finding.target == column.url]
    assert said
    assert {finding.outcome for finding in said} - {Outcome.NOT_APPLICABLE} <= UNSEEN
    assert any(FailureKind.ROBOTS_DISALLOWED.title in finding.observed for finding in said)


def test_site_is_judged_once_and_counts_for_each_of_its_units(place: Place, run: Run) -> None:
    shared = replace(run, units=("loudizhen", "yingjiju"))
    findings = _judged(place, shared)
    of_site = [
        {(f.check, f.target, f.item, f.reason) for f in findings[unit_id] if f.check in ("ipv6", "site_identity")}
        for unit_id in shared.units
    ]
    assert of_site[0]
    assert of_site[0] == of_site[1]
