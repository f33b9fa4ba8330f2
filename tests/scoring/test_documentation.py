"""The worked example of docs/scoring.md, computed with the tables in force."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from checks.model import Finding, Outcome
from config.loader import load
from scoring.daily import daily_score

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "scoring.md").read_text(encoding="utf-8")
STATES = [
    (Outcome.PASS, "seen"),
    (Outcome.FAIL, "seen"),
    (Outcome.FAIL, "unreachable_v6"),
    (Outcome.INCONCLUSIVE, "blocked"),
]


def table(header):
    """Return the cells of the rows under the Markdown table head that starts with the given cell."""
    lines = iter(TEXT.splitlines())
    next(line for line in lines if line.startswith(f"| {header} |"))
    next(lines)
    rows = []
    while (line := next(lines)).startswith("|"):
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def example_findings():
    for check, *counts in table("检查"):
        for (outcome, reason), count in zip(STATES, counts, strict=True):
            for number in range(int(count)):
                yield Finding(check=check, target=f"{outcome}/{reason}/{number}", outcome=outcome, reason=reason)


@pytest.fixture(scope="module")
def score():
    configuration = load(ROOT / "config")
    unit = configuration.inventory.unit("jiaoyuju")
    day = date(2026, 11, 23)
    return daily_score(unit, example_findings(), configuration.indicators_for(day.year), configuration.rules, {}, day)


def test_the_rows_are_as_the_document_says(score):
    four_places = Decimal("0.0001")
    computed = [
        [row.id, str(row.points), str(row.value.quantize(four_places)), str(row.coverage.quantize(four_places))]
        for row in score.indicators
        if row.value is not None
    ]
    assert computed == table("指标")


def test_the_result_is_as_the_document_says(score):
    told = re.findall(r"\*\*(.+?)\*\*", TEXT.split("得分 = 100 ×（3")[1])
    assert [
        str(score.score),
        str(score.coverage.quantize(Decimal("0.0001"))),
        score.verdict,
        str(len(score.pending)),
    ] == told
    assert score.published


def test_the_limits_are_as_the_document_says():
    rules = load(ROOT / "config").rules
    assert f"最近 {rules.confirmation.nights} 夜里有 {rules.confirmation.seen} 夜" in TEXT
    assert f"低于下限（{rules.coverage_floor}）" in TEXT
    assert [[veto.id, str(veto.at_least)] for veto in rules.vetoes] == [row[:2] for row in table("否决")]
