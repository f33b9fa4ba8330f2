"""What we fail to see is nobody's fault: sites that are down, shut or silent, a machine without a browser."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from checks.model import Outcome
from fixtures.district.faults import answer_key
from fixtures.district.server import Behaviour, ServedDistrict, serve
from storage.model import RunState
from tests.end_to_end.conftest import BARE, SOME, Inspected, arguments
from tests.end_to_end.driving import DAY, Answer, Workplace, difference

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1500)]

TROUBLED: dict[str, Behaviour] = {"jyj": "down", "gaj": "forbidden", "qxj": "hanging"}
TROUBLED_UNITS = {"jiaoyuju", "gonganju", "qixiangju"}
CONTENT_CHECKS = {
    "open_attribute",
    "document_metadata",
    "column_freshness",
    "home_freshness",
    "empty_columns",
    "site_identity",
}
FLOOR = 0.8
NEED_A_BROWSER = ("区行政审批局", "区公安局", "区应急局")


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workplace, Answer]:
    """The same night as the undisturbed one, with three sites in trouble."""
    with serve(DAY, behaviours=TROUBLED) as served:
        workplace = Workplace.make(
            served, tmp_path_factory.mktemp("troubled"), crawl=BARE | {"retries": 0, "timeout_seconds": 5}
        )
        return workplace, workplace.inspect(*arguments())


def _units(answer: Answer) -> dict[str, Any]:
    return {unit["unit"]: unit for unit in answer.document["units"]}


def test_night_ends_in_part(troubled: tuple[Workplace, Answer]) -> None:
    _, answer = troubled
    assert answer.code == 3, answer.err
    withheld = {name for name, unit in _units(answer).items() if unit["score"] is None}
    assert withheld == {"区教育局", "区公安局", "区气象局"}


def test_score_is_withheld_with_reasons(troubled: tuple[Workplace, Answer]) -> None:
    for name in ("区教育局", "区公安局", "区气象局"):
        unit = _units(troubled[1])[name]
        assert unit["state"] == "withheld"
        assert unit["coverage"] < FLOOR
        assert unit["reasons"]


def test_content_that_was_not_seen_fails_nobody(troubled: tuple[Workplace, Answer]) -> None:
    workplace, answer = troubled
    said = workplace.said(answer.document["run"])
    failing = [row for row in said if row[0] in TROUBLED_UNITS and row[1] in CONTENT_CHECKS and row[5] == Outcome.FAIL]
    assert failing == []
    for unit in TROUBLED_UNITS:
        outcomes = {row[5] for row in said if row[0] == unit and row[1] in CONTENT_CHECKS}
        assert Outcome.INCONCLUSIVE in outcomes
        assert Outcome.PASS not in outcomes


def test_units_on_other_sites_are_unharmed(undisturbed: Inspected, troubled: tuple[Workplace, Answer]) -> None:
    workplace, answer = troubled
    expected = _others(undisturbed.workplace.said(undisturbed.answer.document["run"]))
    given = _others(workplace.said(answer.document["run"]))
    assert given == expected, difference(expected, given)
    before, after = _units(undisturbed.answer), _units(answer)
    for name in set(SOME) - {"区教育局", "区公安局", "区气象局"}:
        assert after[name]["score"] == before[name]["score"]


def _others(said: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    return Counter({row: count for row, count in said.items() if row[0] not in TROUBLED_UNITS})


def test_reasons_are_told_to_a_person_too(troubled: tuple[Workplace, Answer]) -> None:
    workplace, _ = troubled
    answer = workplace.ask("scores", "--date", DAY.isoformat())
    for name in ("区教育局", "区公安局", "区气象局"):
        assert f"{name}：" in answer.out
    assert "未发布" in answer.out


def test_night_that_saw_nothing_ends_with_4(tmp_path: Path) -> None:
    with serve(DAY, behaviours={"lcz": "down", "yhz": "down"}) as served:
        workplace = Workplace.make(served, tmp_path, crawl={"retries": 0})
        answer = workplace.inspect(*arguments(("栾城镇", "冶河镇")))
    assert answer.code == 4, answer.err
    assert answer.document["captures"].get("ok", 0) == 0
    said = workplace.said(answer.document["run"])
    failing = {(check, reason) for _, check, _, _, reason, outcome in said if outcome == Outcome.FAIL}
    told = {check for check, reason in failing if reason != "absent"}  # absent: a person's word
    assert told <= {"availability", "new_media"}  # the days before, and the office's register
    assert all(unit["score"] is None and unit["reasons"] for unit in answer.document["units"])
    with workplace.opened() as place:
        assert place.repository.run(answer.document["run"]).state is RunState.FAILED


def test_without_a_browser_nothing_fails_that_a_visitor_would_see(district: ServedDistrict, tmp_path: Path) -> None:
    workplace = Workplace.make(district, tmp_path, crawl=BARE, INSPECT_BROWSER=str(tmp_path / "missing"))
    answer = workplace.inspect(*arguments(NEED_A_BROWSER))
    assert answer.code in (0, 3), answer.err
    said = workplace.said(answer.document["run"])
    units = {district.world.section(name).unit.id for name in NEED_A_BROWSER}
    key = {(e.unit_id, e.check, e.item, e.reason) for e in answer_key(district.world) if e.unit_id in units}
    failing = {(unit, check, item, reason) for unit, check, _, item, reason, outcome in said if outcome == Outcome.FAIL}
    assert failing <= key
    affected = _outcomes(said)
    assert affected["xingzhengshenpiju", "site_identity"] & {Outcome.INCONCLUSIVE, Outcome.NOT_TESTED}
    assert affected["yingjiju", "column_freshness"] & {Outcome.INCONCLUSIVE, Outcome.NOT_TESTED}
    assert affected["gonganju", "home_freshness"] <= {Outcome.INCONCLUSIVE, Outcome.NOT_TESTED}


def _outcomes(said: Counter[tuple[str, ...]]) -> dict[tuple[str, str], set[str]]:
    outcomes: dict[tuple[str, str], set[str]] = {}
    for unit, check, _, _, _, outcome in said:
        outcomes.setdefault((unit, check), set()).add(outcome)
    return outcomes
