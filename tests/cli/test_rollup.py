"""`inspect rollup` over stored results."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from config.schema import UnitKind
from inspection.place import Place, opened
from inspection.settings import resolve
from scoring.model import IndicatorScore, ScoreState, UnitScore, Verdict
from storage.model import RunKind
from tests.cli.conftest import Inspect

DAY = date(2026, 11, 23)
SCORE = UnitScore(
    unit_id="jiaoyuju",
    kind=UnitKind.DEPARTMENT,
    day=DAY,
    rules_version="1",
    state=ScoreState.PUBLISHED,
    score=Decimal("80.00"),
    coverage=Decimal(1),
    verdict=Verdict.QUALIFIED,
    vetoes=(),
    indicators=(IndicatorScore("10", Decimal(10), Decimal("0.8"), Decimal(1), ()),),
    checks=(),
    pending=(),
    reasons=(),
)


@pytest.fixture
def place(inspect: Inspect) -> Iterator[Place]:
    with opened(resolve()) as place:
        yield place


@pytest.fixture
def night(place: Place) -> None:
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    run = place.repository.create_run(
        kind=RunKind.NIGHTLY, day=DAY, seed="s", rules_version="1", digests=digests, units=(), site_ids=[]
    )
    place.repository.save_scores(run.id, [SCORE])
    place.repository.publish(run.id, DAY, [SCORE])


@pytest.mark.usefixtures("night")
def test_document_has_the_keys_that_other_tools_rely_on(inspect: Inspect) -> None:
    document = inspect("rollup", "--year", "2026", "--json").document
    assert (document["year"], document["status"], document["version"], len(document["units"])) == (
        2026,
        "暂定",
        None,
        34,
    )
    unit = next(unit for unit in document["units"] if unit["unit"] == "区教育局")
    assert (unit["kind"], unit["rank"], unit["total"], unit["days"]) == ("department", 1, 8.0, 1)
    daily = next(row for row in unit["indicators"] if row["id"] == "10")
    assert {"points": 10, "site": 0.8, "mark": None, "na": False, "final": 8.0}.items() <= daily.items()
    assert "8：缺考核组评分" in unit["missing"]


@pytest.mark.usefixtures("night")
def test_one_unit_is_explained_line_by_line(inspect: Inspect) -> None:
    answer = inspect("rollup", "--year", "2026", "--explain", "区教育局")
    assert answer.code == 0, answer.err
    assert "10 × 1 × 0.8" in answer.out
    assert "合计 8.00 = 8.00 分" in answer.out
    assert "同类第 1 名" in answer.out
    assert "有分 1 天" in answer.out


def test_a_year_without_a_night_is_provisional_and_says_what_is_missing(inspect: Inspect) -> None:
    answer = inspect("rollup", "--year", "2019")
    assert answer.code == 0, answer.err
    assert "2019年度汇总（暂定，截至 2019-12-31）" in answer.out
    assert "还缺" in answer.out


@pytest.mark.parametrize("asked", [(), ("--until", "2026-12-31")])
def test_no_result_speaks_of_days_that_are_yet_to_come(
    inspect: Inspect, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...]
) -> None:
    monkeypatch.setattr("inspection.rollup.day_in", lambda district: DAY)
    assert inspect("rollup", "--year", "2026", *asked, "--json").document["last_day"] == str(DAY)
    assert f"截至 {DAY}" in inspect("rollup", "--year", "2026", *asked).out


@pytest.mark.parametrize(
    ("arguments", "said"), [(("--explain", "区教育厅"), "区教育局"), (("--year", "二六"), "--year")]
)
def test_what_is_wrong_is_said_with_the_remedy(inspect: Inspect, arguments: tuple[str, ...], said: str) -> None:
    answer = inspect("rollup", *arguments)
    assert answer.code == 2
    assert said in answer.err
