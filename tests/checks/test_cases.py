"""Every fixture of every check is judged as it says."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from checks.model import Bundle, Check, Finding, Outcome
from checks.registry import CHECKS, judge
from config.loader import load
from config.rules import Rules
from config.schema import ColumnType
from tests.checks.cases import HOME, Case, all_cases, bundle_of

CASES = all_cases()
BY_ID = {check.META.id: check for check in CHECKS}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load(Path(__file__).parents[2] / "config").rules


@pytest.mark.parametrize("case", CASES, ids=[f"{case.check}/{case.name}" for case in CASES])
def test_case_is_judged_as_it_says(case: Case, rules: Rules) -> None:
    findings = judge(bundle_of(case), rules, [BY_ID[case.check]])
    assert [_short(finding, case) for finding in findings] == sorted(
        ((e.get("target", ""), e.get("item", ""), e["reason"], e["outcome"]) for e in case.expected),
        key=lambda e: e[:3],
    )
    for said in case.expected:
        found = _matching(findings, said)
        for words in said.get("mentions", ()):
            assert words in found.observed, found.observed


@pytest.mark.parametrize("case", CASES, ids=[f"{case.check}/{case.name}" for case in CASES])
def test_every_sentence_can_be_acted_on(case: Case, rules: Rules) -> None:
    bundle = bundle_of(case)
    for finding in judge(bundle, rules, [BY_ID[case.check]]):
        assert finding.observed.endswith(("。", "；")), "says what was seen, in a whole sentence"
        assert finding.rules_version == rules.version
        if finding.outcome is Outcome.FAIL:
            assert "依据：" in finding.expected, "says by which clause"
            assert finding.where, "says where"
            assert finding.evidence or not _has_captures(bundle), "points to the bytes it rests on"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.META.id)
@pytest.mark.parametrize("whose", ["site", "unit"])
def test_no_page_is_faulted_that_was_not_read_to_its_end(check: Check, whose: str, rules: Rules) -> None:
    findings = judge(_unread(whose), rules, [check])
    assert not [finding for finding in findings if finding.outcome is Outcome.FAIL]


@cache
def _unread(whose: str) -> Bundle:
    """Pages none of which was read to its end: those of a site, or those of a unit."""
    page = {"url": HOME, "file": "nested_too_deeply.html", "rendered": True}
    columns = [
        {"type": kind.value, "id": kind.value, "url": f"{HOME}{kind.value}/", "pages": [page], "articles": [page]}
        for kind in ColumnType
    ]
    of_whom: dict[str, Any] = {
        "site": {"home": page | {"url": "http://www.yueshan.gov.cn/"}, "second_level": [page]},
        "unit": {"unit": {"catalog_fields": ["义务教育"]}, "homes": [page]},
    }
    return bundle_of(Case("empty_columns", "nested_too_deeply", of_whom[whose] | {"columns": columns}))


def _short(finding: Finding, case: Case) -> tuple[str, str, str, str]:
    named = any("target" in said for said in case.expected)
    return (finding.target if named else "", finding.item, finding.reason, finding.outcome.value)


def _matching(findings: tuple[Finding, ...], said: dict[str, str]) -> Finding:
    return next(
        finding
        for finding in findings
        if finding.reason == said["reason"]
        and finding.item == said.get("item", "")
        and finding.target == said.get("target", finding.target)
    )


def _has_captures(bundle: Bundle) -> bool:
    return bundle.home is not None or any(visit.pages or visit.articles for visit in bundle.columns)
