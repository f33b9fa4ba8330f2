"""What real government pages do, each habit on a page of our own making, asked by `inspect page`."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from checks.facts.page import read_page
from reports.page_json import page_json
from tests.checks.facts.test_page import differences
from tests.cli.conftest import Inspect

FOLDER = Path(__file__).parents[2] / "fixtures" / "html" / "field_notes"
CASES = sorted(path.stem for path in FOLDER.glob("*.html"))


@pytest.mark.parametrize("case", CASES)
def test_a_habit_of_real_pages(inspect: Inspect, case: str) -> None:
    said = json.loads((FOLDER / f"{case}.json").read_text(encoding="utf-8"))
    found = _asked(inspect, FOLDER / f"{case}.html", **said["given"])
    assert differences(said["expect"], found) == []
    outcomes = defaultdict(list)
    for finding in found["findings"]:
        outcomes[finding["check"]].append(finding["outcome"])
    expected = said.get("findings", {})
    assert {check: sorted(set(outcomes[check])) for check in expected} == expected


def _asked(inspect: Inspect, page: Path, *, as_of: str, content_type: str | None = None, **options: str) -> Any:
    """The document of `inspect page`; a file has no HTTP header, so the function behind is asked where one matters."""
    if content_type:
        facts = read_page(page.read_bytes(), content_type=content_type, as_of=date.fromisoformat(as_of))
        return page_json(facts)
    named = [word for name, value in options.items() for word in (f"--{name}", value)]
    answer = inspect("page", str(page), "--as-of", as_of, *named, "--json")
    assert answer.code == 0, answer.err
    return answer.document


def test_every_page_has_its_expectation() -> None:
    assert CASES
    assert {path.stem for path in FOLDER.glob("*.json")} == set(CASES)
