"""日常检查评分: one unit, one day, out of its findings. Pure, and exact: fractions inside, rounded once at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from checks.model import Finding
from config.rules import Rules
from config.schema import Indicator, Indicators, Unit
from scoring.confirm import History
from scoring.explanation import reasons
from scoring.model import (
    JUDGED,
    BoundCheck,
    CheckResult,
    IndicatorScore,
    ScoreState,
    TargetResult,
    TargetState,
    UnitScore,
    Verdict,
    VetoHit,
)
from scoring.review import NO_RULINGS, Rulings
from scoring.targets import target_results
from scoring.vetoes import veto_hits


class Measure(NamedTuple):
    """How well (value) and how completely (coverage); None where there is nothing to take a share of."""

    value: Fraction | None
    coverage: Fraction | None


class _Row(NamedTuple):
    """A row of the table that applies to the unit, its checks with what they weigh and take, and what they come to."""

    id: str
    points: Decimal
    weights: tuple[BoundCheck, ...]
    measure: Measure


def daily_score(
    unit: Unit,
    findings: Iterable[Finding],
    indicators: Indicators,
    rules: Rules,
    seen_days: Mapping[str, Set[date]],
    day: date,
    rulings: Rulings = NO_RULINGS,
) -> UnitScore:
    """Score one unit for one day out of the findings that count for it, those of its sites among them.

    `seen_days` holds, by fingerprint, the days on which a fault was seen; `rulings` what people ruled on faults.
    Raises AttributeError for a failing finding of a check that rules.toml does not know.
    Basis: 石栾政办函〔2020〕118号附件3 for points and units; 国办秘函〔2019〕19号 for the vetoes.
    """
    history = History(day, seen_days, rulings)
    targets = target_results(findings, rules, history)
    applicable = (row for row in indicators.indicators if row.checks and row.applies_to(unit))
    rows = tuple(_row(row.id, row.points, _weights(row, rules), targets) for row in applicable)
    state = _state(_whole(rows), rules)
    return _unit_score(unit, rules, history, targets, rows, state, _vetoes(unit, targets, rules, history))


def scored_again(
    score: UnitScore, unit: Unit, findings: Iterable[Finding], rules: Rules, rulings: Rulings
) -> UnitScore:
    """Score a published day again, by the rows and weights that it was scored by, with other rulings.

    Only what was ruled differs: the score stays published, whatever the floor is now, and no veto comes in that did not
    stand. `rulings.waiting` tells what waited on that night, whatever rules.toml says and knows now.
    """
    history = History(score.day, {}, rulings)
    targets = target_results(findings, rules, history)
    rows = tuple(_row(row.id, row.points, row.weights, targets) for row in score.indicators)
    standing = {veto.id: veto for veto in _vetoes(unit, targets, rules, history)}
    known = {veto.id for veto in rules.vetoes}
    vetoes = tuple(standing.get(veto.id, veto) for veto in score.vetoes if veto.id in standing or veto.id not in known)
    again = _unit_score(unit, rules, history, targets, rows, score.state, vetoes)
    return replace(again, rules_version=score.rules_version)


def _unit_score(
    unit: Unit,
    rules: Rules,
    history: History,
    targets: Mapping[str, tuple[TargetResult, ...]],
    rows: tuple[_Row, ...],
    state: ScoreState,
    vetoes: tuple[VetoHit, ...],
) -> UnitScore:
    whole, pending = _whole(rows), _pending(targets, rules, history)
    coverage = Decimal(1) if whole.coverage is None else _decimal(whole.coverage)
    counted = _counted(rows, targets)
    return UnitScore(
        unit_id=unit.id,
        kind=unit.kind,
        day=history.day,
        rules_version=rules.version,
        state=state,
        score=_rounded(whole.value * 100) if state is ScoreState.PUBLISHED and whole.value is not None else None,
        coverage=coverage,
        verdict=_verdict(state, vetoes),
        vetoes=vetoes,
        indicators=tuple(_indicator_score(row) for row in rows),
        checks=tuple(_check_result(check, results) for check, results in targets.items()),
        pending=pending,
        reasons=reasons(state, coverage, rules.coverage_floor, counted, vetoes, pending),
    )


def _vetoes(
    unit: Unit, targets: Mapping[str, tuple[TargetResult, ...]], rules: Rules, history: History
) -> tuple[VetoHit, ...]:
    types = {column.id: column.type for column in unit.columns}
    own = (veto for veto in rules.vetoes if not veto.site_only)
    return veto_hits(own, targets, lambda finding: types.get(finding.column_id or ""), rules, history)


def measure(targets: Iterable[TargetResult]) -> Measure:
    """Return the share of the judged weight that passes, and the share of the weight that was judged."""
    return _measure(frozenset(Counter((target.state, target.weight) for target in targets).items()))


@lru_cache(maxsize=4096)  # a year scored again asks half a million times, for a few hundred answers
def _measure(counted: Set[tuple[tuple[TargetState, Decimal], int]]) -> Measure:
    weights = dict.fromkeys(TargetState, Fraction(0))
    for (state, weight), count in counted:
        weights[state] += Fraction(weight) * count
    judged = sum((weights[state] for state in JUDGED), Fraction(0))
    return Measure(_share(weights[TargetState.PASSED], judged), _share(judged, sum(weights.values(), Fraction(0))))


def _share(part: Fraction, whole: Fraction) -> Fraction | None:
    return part / whole if whole else None


def _combined(parts: Iterable[tuple[Decimal, Measure]]) -> Measure:
    """Return the weighted means of values and of coverages; what is None leaves its mean."""
    listed = list(parts)
    return Measure(
        _mean((weight, measure.value) for weight, measure in listed),
        _mean((weight, measure.coverage) for weight, measure in listed),
    )


def _mean(parts: Iterable[tuple[Decimal, Fraction | None]]) -> Fraction | None:
    known = [(Fraction(weight), value) for weight, value in parts if value is not None]
    total = sum((weight for weight, _ in known), Fraction(0))
    return _share(sum((weight * value for weight, value in known), Fraction(0)), total)


def _whole(rows: Iterable[_Row]) -> Measure:
    return _combined((row.points, row.measure) for row in rows)


def _weights(indicator: Indicator, rules: Rules) -> tuple[BoundCheck, ...]:
    return tuple(
        BoundCheck(binding.check, binding.weight * rules.checks.row(binding.check).weight, binding.items)
        for binding in indicator.checks
    )


def _row(
    id_: str, points: Decimal, weights: tuple[BoundCheck, ...], targets: Mapping[str, tuple[TargetResult, ...]]
) -> _Row:
    measures = ((bound.weight, measure(_taken(bound, targets))) for bound in weights)
    return _Row(id_, points, weights, _combined(measures))


def _taken(bound: BoundCheck, targets: Mapping[str, tuple[TargetResult, ...]]) -> Iterator[TargetResult]:
    return (target for target in targets.get(bound.check, ()) if bound.takes(target))


def _counted(rows: Iterable[_Row], targets: Mapping[str, tuple[TargetResult, ...]]) -> list[TargetResult]:
    """Return the targets that bear on the score, each once, however many rows take it."""
    bearing = {bound for row in rows for bound in row.weights if bound.weight}
    taking = {check: [bound for bound in bearing if bound.check == check] for check in targets}
    return [
        target for check in sorted(targets) for target in targets[check] if any(b.takes(target) for b in taking[check])
    ]


def _state(whole: Measure, rules: Rules) -> ScoreState:
    if whole.coverage is None:
        return ScoreState.NOT_APPLICABLE
    if whole.value is None or whole.coverage < Fraction(rules.coverage_floor):
        return ScoreState.WITHHELD
    return ScoreState.PUBLISHED


def _verdict(state: ScoreState, vetoes: tuple[VetoHit, ...]) -> Verdict | None:
    """A veto stands however little was seen; to be called 合格 enough must have been seen."""
    if vetoes:
        return Verdict.UNQUALIFIED
    return Verdict.QUALIFIED if state is ScoreState.PUBLISHED else None


def _pending(targets: Mapping[str, tuple[TargetResult, ...]], rules: Rules, history: History) -> tuple[Finding, ...]:
    """Return the faults that wait for confirmation, one a fingerprint."""
    waiting = {
        finding.fingerprint: finding
        for results in targets.values()
        for target in results
        for finding in target.findings
        if history.waits(finding, rules)
    }
    return tuple(waiting.values())


def _check_result(check: str, targets: tuple[TargetResult, ...]) -> CheckResult:
    taken = measure(targets)
    return CheckResult(check, _optional(taken.value), _optional(taken.coverage), targets)


def _indicator_score(row: _Row) -> IndicatorScore:
    value, coverage = _optional(row.measure.value), _optional(row.measure.coverage)
    return IndicatorScore(row.id, row.points, value, coverage, row.weights)


def _optional(value: Fraction | None) -> Decimal | None:
    return None if value is None else _decimal(value)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _rounded(value: Fraction) -> Decimal:
    """Return a value that is not negative with two places, half up (四舍五入)."""
    return Decimal(int(value * 100 + Fraction(1, 2))).scaleb(-2)
