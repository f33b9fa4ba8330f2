"""`inspect findings` and `inspect scores` over stored results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from checks.model import Finding, Outcome
from inspection.place import Place, opened
from inspection.settings import resolve
from storage.model import Run, RunKind, RunState
from tests.cli.conftest import Inspect

DAY = date(2026, 11, 23)
FINDING = Finding(
    check="open_attribute",
    target="http://www.example.test/1.html",
    outcome=Outcome.FAIL,
    reason="missing",
    observed="没有公开属性",
    expected="应有公开属性",
    unit_id="jiaoyuju",
    rules_version="1",
)


@pytest.fixture
def place(inspect: Inspect) -> Iterator[Place]:
    with opened(resolve()) as place:
        yield place


def _run(place: Place, kind: RunKind, units: tuple[str, ...], *findings: Finding) -> Run:
    """A finished run over some units."""
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    run = place.repository.create_run(
        kind=kind, day=DAY, seed="s", rules_version="1", digests=digests, units=units, site_ids=[]
    )
    place.repository.replace_findings(run.id, {finding.unit_id for finding in findings}, findings)
    for state in (RunState.RUNNING, RunState.CAPTURED, RunState.JUDGED, RunState.PUBLISHED):
        place.repository.set_run_state(run.id, state)
    return run


def test_finding_keeps_control_characters_and_markup_from_the_terminal(inspect: Inspect, place: Place) -> None:
    hostile = "\x1b[31m红\x07[bold]粗[/bold] [/nothing]\u202e"
    _run(place, RunKind.NIGHTLY, (), replace(FINDING, observed=hostile, passage=hostile, target=hostile))
    for command in (("findings",), ("findings", "show", "1")):
        answer = inspect(*command)
        assert answer.code == 0, answer.err
        assert [mark for mark in ("\x1b", "\x07", "\u202e") if mark in answer.out] == []
        assert "[bold]粗[/bold] [/nothing]" in answer.out


def test_newest_run_that_saw_the_unit_is_shown(inspect: Inspect, place: Place) -> None:
    night = _run(place, RunKind.NIGHTLY, (), FINDING)
    _run(place, RunKind.SPOT, ("gonganju",))
    findings = inspect("findings", "--unit", "区教育局", "--json").document["findings"]
    assert [finding["run"] for finding in findings] == [night.id]


def test_run_that_did_not_see_the_unit_is_never_no_faults(inspect: Inspect, place: Place) -> None:
    spot = _run(place, RunKind.SPOT, ("gonganju",))
    answer = inspect("findings", "--unit", "区教育局", "--run", str(spot.id))
    assert answer.code == 2
    assert answer.out == ""


def test_one_finding_tells_its_clause_and_history(inspect: Inspect, place: Place) -> None:
    for _ in range(2):
        _run(place, RunKind.NIGHTLY, (), FINDING)
    document = inspect("findings", "show", "1", "--json").document
    assert document["basis"]
    assert document["evidence"] is None
    assert [sighting["run"] for sighting in document["history"]] == [2, 1]
    shown = inspect("findings", "show", "1").out
    assert "没有公开属性" in shown
    assert "历史" in shown


def test_evidence_of_nothing_is_no_file(inspect: Inspect, place: Place, tmp_path: Path) -> None:
    _run(place, RunKind.NIGHTLY, (), FINDING)
    out = tmp_path / "x.wacz"
    answer = inspect("evidence", "export", "--unit", "区教育局", "--out", str(out))
    assert answer.code == 2
    assert not out.exists()
