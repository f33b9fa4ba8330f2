"""From findings to targets: each (check, target, item) is in one state, however many findings speak of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from checks.model import Finding, Outcome
from config.rules import Rules
from scoring.confirm import History
from scoring.model import TargetResult, TargetState

LEAVING = frozenset({Outcome.NOT_APPLICABLE, Outcome.NOTICE})
UNCERTAIN = frozenset({Outcome.INCONCLUSIVE, Outcome.NOT_TESTED, Outcome.ERROR})


def target_results(findings: Iterable[Finding], rules: Rules, history: History) -> dict[str, tuple[TargetResult, ...]]:
    """Return the results of each check's targets, in the order of target and item, by check id.

    Findings that are not applicable, mere notices or without weight (of pages only looked at again), and faults that
    were waived, leave the count; a target with no others has no result. A revoked fault counts as good.
    Raises AttributeError for a failing finding of a check that rules.toml does not know.
    """
    groups: defaultdict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.outcome not in LEAVING and finding.weight and not history.waived(finding):
            groups[finding.check, finding.target, finding.item].append(finding)
    by_check: defaultdict[str, list[TargetResult]] = defaultdict(list)
    for (check, target, item), group in sorted(groups.items()):
        state = _state(group, rules, history)
        weight = max(finding.weight for finding in group)
        by_check[check].append(TargetResult(check, target, item, state, weight, _in_order(group)))
    return {check: tuple(results) for check, results in by_check.items()}


def _state(group: list[Finding], rules: Rules, history: History) -> TargetState:
    if any(history.counts(finding, rules) for finding in group):
        return TargetState.FAILED
    if any(history.waits(finding, rules) for finding in group):
        return TargetState.PENDING
    if any(history.revoked(finding) for finding in group):
        return TargetState.PASSED
    if any(finding.outcome in UNCERTAIN for finding in group):
        return TargetState.UNJUDGED
    return TargetState.PASSED


def _in_order(group: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(group, key=repr)) if len(group) > 1 else tuple(group)
