"""The sources of a year: the same inputs have the same digest however they come, and other inputs another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from config.loader import load
from fixtures.district.world import CONFIG_FOLDER
from inspection.day import spans
from inspection.rollup import YearInputs
from scoring.annual import UnitYear, VetoCost

FIRST = date(2026, 3, 2)
SECOND = FIRST + timedelta(days=1)
CONFIGURATION = load(CONFIG_FOLDER)
YEAR = UnitYear(
    CONFIGURATION.inventory.unit("jiaoyuju"),
    daily={
        "1.3": {FIRST: Decimal("0.50"), SECOND: Decimal(1)},
        "10": {FIRST: Decimal("0.8"), SECOND: Decimal("0.7")},
    },
    published=(FIRST, SECOND),
    vetoes=(VetoCost("home_not_updated", "首页不更新", Decimal(0), (SECOND,)),),
)


def digest(year: UnitYear) -> str:
    inputs = YearInputs(2026, SECOND, CONFIGURATION.indicators_for(2026), (year,), given=())
    (source,) = inputs.sources
    assert source.title == "日常检查结果"
    assert "有分的 2 天" in source.detail
    return source.digest


def test_the_order_of_days_and_rows_does_not_matter() -> None:
    turned = {row: dict(reversed(list(values.items()))) for row, values in reversed(list(YEAR.daily.items()))}
    assert digest(replace(YEAR, daily=turned, published=(SECOND, FIRST))) == digest(YEAR)


@pytest.mark.parametrize(
    "other",
    [
        replace(YEAR, daily={**YEAR.daily, "10": {FIRST: Decimal("0.8"), SECOND: Decimal("0.71")}}),
        replace(YEAR, daily={**YEAR.daily, "10": {FIRST: Decimal("0.8")}}),
        replace(YEAR, withheld=(SECOND + timedelta(days=1),)),
        replace(YEAR, vetoes=()),
    ],
    ids=["a value", "a day", "a day without a score", "a veto"],
)
def test_any_other_input_has_another_digest(other: UnitYear) -> None:
    assert digest(other) != digest(YEAR)


def test_days_that_follow_one_another_are_told_as_one_span() -> None:
    alone = SECOND + timedelta(days=5)
    assert spans([alone, SECOND, FIRST]) == [(FIRST, SECOND), (alone, alone)]
    assert spans([]) == []
