"""Whether a dead link of an earlier night is seen to be mended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from checks.model import Bundle, Finding, Outcome
from checks.registry import judge
from config.loader import load
from config.rules import Rules
from inspection.mended_links import judge_mended_links, known_dead
from inspection.place import opened
from inspection.settings import resolve
from scoring.review import FaultState
from tests.checks.cases import Case, all_cases, bundle_of
from tests.inspection.nights import DEAD, FAULTY, PAGE, UNIT, Nights
from tests.made_district import write_made_config

CASES = {case.name: case for case in all_cases() if case.check == "dead_links"}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load(Path(__file__).parents[2] / "config").rules


def dead_in(bundle: Bundle, rules: Rules) -> list[Finding]:
    found = (finding for finding in judge(bundle, rules) if finding.check == "dead_links")
    return [finding for finding in found if finding.outcome is Outcome.FAIL]


def answering(bundle: Bundle, state: str) -> Bundle:
    probes = (replace(probe, observed={**probe.observed, "state": state}) for probe in bundle.probes)
    return replace(bundle, probes=tuple(probes))


@pytest.mark.parametrize("name", ["page_404", "template"])
def test_a_link_that_opens_again_is_mended(name: str, rules: Rules) -> None:
    bundle = bundle_of(CASES[name])
    known = dead_in(bundle, rules)
    assert known
    mended = list(judge_mended_links(answering(bundle, "alive"), known, rules))
    assert [(one.target, one.item, one.outcome, one.reason, one.weight) for one in mended] == [
        (one.target, one.item, Outcome.PASS, "alive", Decimal(0)) for one in known
    ]


@pytest.mark.parametrize("state", ["dead", "unsure"])
def test_a_link_that_still_stands_there_is_not(state: str, rules: Rules) -> None:
    bundle = bundle_of(CASES["page_404"])
    assert not list(judge_mended_links(answering(bundle, state), dead_in(bundle, rules), rules))


def test_a_link_is_mended_when_its_pages_were_all_read_without_it(rules: Rules) -> None:
    known = dead_in(bundle_of(CASES["page_404"]), rules)
    (mended,) = judge_mended_links(without_link(CASES["page_404"]), known, rules)
    assert (mended.reason, mended.target, mended.outcome) == ("link_removed", known[0].target, Outcome.PASS)
    assert mended.evidence


def test_a_page_that_was_not_read_proves_nothing(rules: Rules) -> None:
    known = dead_in(bundle_of(CASES["page_404"]), rules)
    bundle = without_link(CASES["page_404"])
    elsewhere = [
        replace(one, observed=one.observed.replace("它出现在 ", "它出现在 http://www.yueshan.test/x、"))
        for one in known
    ]
    assert not list(judge_mended_links(bundle, elsewhere, rules))
    assert not list(judge_mended_links(replace(bundle, columns=(), homes=()), known, rules))


def without_link(case: Case) -> Bundle:
    """The same pages without the links that stood on them."""
    bundle = bundle_of(case)

    def bare(page):  # type: ignore[no-untyped-def]
        if page.facts is None:
            return page
        facts = replace(page.facts, links=(), frames=(), images=(), list=replace(page.facts.list, entries=()))
        return replace(page, facts=facts)

    columns = tuple(
        replace(visit, pages=tuple(map(bare, visit.pages)), articles=tuple(map(bare, visit.articles)))
        for visit in bundle.columns
    )
    return replace(bundle, columns=columns, homes=tuple(map(bare, bundle.homes)), probes=())


def test_the_ledgers_open_dead_links_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = date(2026, 11, 23)
    write_made_config(day, tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        nights = Nights(place, monkeypatch)
        gone = replace(DEAD, target=f"{PAGE}?gone", observed=f"打不开。它出现在 {PAGE}。")
        nights.night(day, DEAD, gone, FAULTY)
        nights.night(day + timedelta(days=1), replace(DEAD, outcome=Outcome.PASS, reason="alive", weight=Decimal(0)))
        assert nights.state(DEAD) is FaultState.MENDED
        assert [(one.target, one.observed) for one in known_dead(place, [UNIT])] == [(gone.target, gone.observed)]
