"""What rows of rules.toml say by themselves: days of the year, and to whom an item of 条例第20条 falls."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.rules import AnnualReportRule, MandatoryItem
from config.schema import ColumnType, Unit, UnitKind

UNIT = Unit(id="tongjiju", name="县统计局", kind=UnitKind.DEPARTMENT, duties=("planning",))
NO_COLUMNS: frozenset[ColumnType] = frozenset()


def test_a_report_is_due_on_its_own_day_where_one_is_written() -> None:
    rule = AnnualReportRule(due="01-31", later={"zhengfu": "03-31"})
    assert (rule.due_for("tongjiju"), rule.due_for("zhengfu")) == ("01-31", "03-31")


@pytest.mark.parametrize("day", ["02-29", "02-30", "13-01", "1-31", "一月底"])
def test_a_day_that_not_every_year_has_is_refused(day: str) -> None:
    with pytest.raises(ValidationError):
        AnnualReportRule(due=day)


@pytest.mark.parametrize(
    ("bearers", "falls"),
    [
        ({"kinds": [UnitKind.DEPARTMENT]}, True),
        ({"kinds": [UnitKind.TOWNSHIP]}, False),
        ({"duties": ["planning"]}, True),
        ({"duties": ["livelihood"]}, False),
        ({"units": ["tongjiju"]}, True),
        ({"units": ["sifaju"]}, False),
        ({"kinds": [UnitKind.DEPARTMENT], "except_units": ["tongjiju"]}, False),
        ({}, False),
    ],
)
def test_an_item_falls_to_those_that_it_names(bearers: dict[str, object], falls: bool) -> None:
    item = MandatoryItem.model_validate({"title": "统计信息", "clause": 4, **bearers})
    assert item.falls_to(UNIT, NO_COLUMNS) is falls


def test_an_item_of_a_column_falls_to_those_that_have_the_column() -> None:
    item = MandatoryItem(title="规范性文件", clause=1, column_types=(ColumnType.NORMATIVE_DOCUMENT,), where_column=True)
    assert item.falls_to(UNIT, frozenset({ColumnType.NORMATIVE_DOCUMENT}))
    assert not item.falls_to(UNIT, NO_COLUMNS)
