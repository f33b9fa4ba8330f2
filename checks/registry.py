"""The list of checks, and the judge that runs them over a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from checks import (
    agency_functions,
    annual_report,
    application_channel,
    availability,
    backdated_publication,
    column_freshness,
    consultation_channel,
    dead_links,
    disclosure_guide,
    document_metadata,
    domain_name,
    double_random,
    empty_columns,
    error_report_entry,
    faq,
    health_notices,
    hidden_links,
    home_freshness,
    institutions,
    ipv6,
    key_topics,
    mandatory_content,
    new_media,
    normative_documents,
    open_attribute,
    page_tags,
    personal_information,
    platform_structure,
    policy_interpretation,
    power_list,
    public_consultation,
    relief_policies,
    service_guides,
    site_identity,
    site_search,
    standard_catalog,
    tls,
    undated_articles,
    wrong_expressions,
)
from checks.facts.model import PageFacts
from checks.model import ERROR, Bundle, Check, FailureKind, Finding, Outcome, Scope
from checks.reading.masking import masked
from checks.single_page import bundles_of, checks_for
from config.rules import CheckRules, Rules
from config.schema import Unit

CHECKS: tuple[Check, ...] = (
    open_attribute,
    document_metadata,
    standard_catalog,
    ipv6,
    column_freshness,
    home_freshness,
    empty_columns,
    site_identity,
    key_topics,
    policy_interpretation,
    relief_policies,
    health_notices,
    service_guides,
    agency_functions,
    power_list,
    public_consultation,
    double_random,
    faq,
    institutions,
    personal_information,
    availability,
    backdated_publication,
    new_media,
    undated_articles,
    normative_documents,
    dead_links,
    page_tags,
    disclosure_guide,
    wrong_expressions,
    error_report_entry,
    annual_report,
    application_channel,
    tls,
    domain_name,
    platform_structure,
    consultation_channel,
    hidden_links,
    site_search,
    mandatory_content,
)


class RegistryError(Exception):
    """A check is not fit to be listed: mend its META, or add its row to CheckRules, as the message says."""


class UndeclaredReason(Exception):
    """A check gave a reason that its META does not declare: add it to META.reasons with its Chinese title."""


def validate(checks: Iterable[Check]) -> None:
    """Raise RegistryError unless every check is named after its file, declares reasons and has a row of rules."""
    for check in checks:
        module = getattr(check, "__name__", "").rpartition(".")[2]
        if check.META.id != module:
            raise RegistryError(f"check {check.META.id!r} must have the name of its file, {module!r}")
        if not check.META.reasons:
            raise RegistryError(f"check {check.META.id!r} declares no reasons")
        if check.META.id not in CheckRules.model_fields:
            raise RegistryError(f"check {check.META.id!r} has no row in config.rules.CheckRules")


validate(CHECKS)


def judge(bundle: Bundle, rules: Rules, checks: Iterable[Check] | None = None) -> tuple[Finding, ...]:
    """Return what the checks say of the bundle, in the order of checks, targets, items and reasons.

    A unit's bundle is judged by the checks of pages, columns and units; a site's by those of sites. A check that breaks
    gives one finding ERROR and harms no other. Personal numbers are masked in whatever the findings say.
    """
    chosen = CHECKS if checks is None else tuple(checks)
    fitting = (check for check in chosen if (check.META.scope is Scope.SITE) == (bundle.unit is None))
    return tuple(finding for check in fitting for finding in _findings(check, bundle, rules))


def judge_page(
    facts: PageFacts,
    rules: Rules,
    *,
    day: date,
    division_code: str = "",
    failure: FailureKind | None = None,
    kind_known: bool = True,
) -> tuple[Finding, ...]:
    """Return what the checks that make sense on a single page say of it; `day` is the day it was captured.

    `failure` says that what was read is not the page itself but stood before it; `kind_known` is False where nobody but
    the page itself says what it is.
    """
    ids = checks_for(facts, kind_known=kind_known)
    checks = [check for check in CHECKS if check.META.id in ids]
    bundles = bundles_of(facts, day, division_code, failure)
    return tuple(finding for bundle in bundles for finding in judge(bundle, rules, checks))


def attribute_to_units(site_findings: Iterable[Finding], units: Iterable[Unit]) -> tuple[Finding, ...]:
    """Return a copy of each finding about a site for each of its units: it counts for all of them."""
    findings = tuple(site_findings)
    return tuple(replace(finding, unit_id=unit.id) for unit in units for finding in findings)


def _findings(check: Check, bundle: Bundle, rules: Rules) -> list[Finding]:
    unit_id = bundle.unit.id if bundle.unit else ""
    try:
        found = sorted(_declared(check, bundle, rules), key=_order)
    except Exception as error:  # noqa: BLE001 - one broken check must not cost a unit the results of all the others
        found = [_broken(check, bundle, error)]
    return [_discreet(finding, unit_id, rules.version) for finding in found]


def _discreet(finding: Finding, unit_id: str, rules_version: str) -> Finding:
    """Whatever a check quotes, no finding carries a personal number. The target is an address and stays what it is."""
    return replace(
        finding,
        observed=masked(finding.observed),
        expected=masked(finding.expected),
        passage=masked(finding.passage),
        where=masked(finding.where),
        item=masked(finding.item),
        unit_id=unit_id,
        rules_version=rules_version,
    )


def _declared(check: Check, bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    for finding in check.evaluate(bundle, rules):
        if finding.reason not in check.META.reasons:
            raise UndeclaredReason(f"{check.META.id}: {finding.reason}")
        yield finding


def _order(finding: Finding) -> tuple[str, str, str]:
    return finding.target, finding.item, finding.reason


def _broken(check: Check, bundle: Bundle, error: Exception) -> Finding:
    owner = bundle.unit or bundle.site
    return Finding(
        check=check.META.id,
        target=owner.id if owner else "",
        outcome=Outcome.ERROR,
        reason=ERROR,
        observed=f"检查程序出错（{type(error).__name__}：{error}），该项没有结果。",
        expected="这是检查程序的问题，不是网站的问题；请把本条报告给维护人员。",
    )
