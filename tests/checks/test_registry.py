"""Every check has all that a check needs: metadata, rules, an indicator, fixtures, a place in the documentation."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from checks.documentation import markdown
from checks.model import Check, CheckMeta, Outcome, Scope
from checks.registry import CHECKS, RegistryError, validate
from config.loader import load
from config.rules import CheckRules
from tests.checks.cases import FOLDER, all_cases

ROOT = Path(__file__).parents[2]
IDS = [check.META.id for check in CHECKS]
ALWAYS_APPLICABLE = {
    "domain_name",
    "error_report_entry",
    "home_freshness",
    "site_identity",
    "site_search",
    "wrong_expressions",
}  # every site has a home page, every page words
KINDS = {
    "pass": {Outcome.PASS},
    "fail": {Outcome.FAIL},
    "not applicable": {Outcome.NOT_APPLICABLE},
    "cannot tell": {Outcome.INCONCLUSIVE, Outcome.NOT_TESTED},
}

each_check = pytest.mark.parametrize("check", CHECKS, ids=IDS)


@each_check
def test_metadata_is_complete(check: Check) -> None:
    meta = check.META
    for text in (meta.title, meta.failure_title, meta.basis, meta.method, *meta.reasons.values()):
        assert text.strip(), "every text is there"
        assert any("一" <= character <= "鿿" for character in text), "users read Chinese"
    assert all(reason.isidentifier() and reason == reason.lower() for reason in meta.reasons)


@each_check
@pytest.mark.parametrize("kind", KINDS)
def test_fixtures_show_each_kind_of_result(check: Check, kind: str) -> None:
    if kind == "not applicable" and check.META.id in ALWAYS_APPLICABLE:
        pytest.skip("always applicable")
    outcomes = {
        Outcome(said["outcome"]) for case in all_cases() if case.check == check.META.id for said in case.expected
    }
    assert outcomes & KINDS[kind]


@each_check
def test_fixtures_show_each_reason_of_its_own(check: Check) -> None:
    shown = {said["reason"] for case in all_cases() if case.check == check.META.id for said in case.expected}
    shared = {"unread", "needs_rendering", "unconfirmed", "robots"}
    assert set(check.META.reasons) - shared <= shown


def test_every_page_of_the_fixtures_belongs_to_a_case() -> None:
    for check_id in IDS:
        said = "".join(path.read_text(encoding="utf-8") for path in (FOLDER / check_id).glob("*.json"))
        for page in (FOLDER / check_id).glob("*.html"):
            assert page.with_suffix(".json").exists() or f'"{page.name}"' in said, page


def test_rules_and_registry_name_the_same_checks() -> None:
    assert set(CheckRules.model_fields) == set(IDS)


@each_check
def test_an_indicator_is_served(check: Check) -> None:
    indicators = load(ROOT / "config").indicators_for(2020).indicators
    assert check.META.id in {binding.check for indicator in indicators for binding in indicator.checks}


def test_the_documentation_is_current() -> None:
    assert (ROOT / "docs" / "checks.md").read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize(
    ("name", "meta", "message"),
    [
        ("checks.ipv6", CheckMeta("ipv4", "", "", "", "", Scope.SITE, {"ok": "符合"}), "name of its file"),
        ("checks.ipv6", CheckMeta("ipv6", "", "", "", "", Scope.SITE), "declares no reasons"),
        ("checks.weather", CheckMeta("weather", "", "", "", "", Scope.SITE, {"ok": "符合"}), "no row"),
    ],
)
def test_an_unfit_check_is_refused(name: str, meta: CheckMeta, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        validate([SimpleNamespace(__name__=name, META=meta)])  # type: ignore[list-item]
