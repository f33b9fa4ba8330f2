"""单项否决 of 国办秘函〔2019〕19号: counts of failing targets that make a verdict, beside the score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from config.rules import Veto
from config.schema import ColumnType
from scoring.model import TargetResult, TargetState, VetoHit


def veto_hits(
    vetoes: Iterable[Veto], targets: Mapping[str, tuple[TargetResult, ...]], columns: Mapping[str, ColumnType]
) -> tuple[VetoHit, ...]:
    """Return the vetoes that are reached, in their order in rules.toml.

    Only failing targets count: what waits for confirmation or could not be judged vetoes nothing. `columns` gives the
    type of each column id, for the vetoes that speak of some types only.
    """
    hits = []
    for veto in vetoes:
        failing = tuple(dict.fromkeys(_failing(veto, targets.get(veto.check, ()), columns)))
        if len(failing) >= veto.at_least:
            hits.append(VetoHit(veto.id, veto.title, veto.at_least, failing))
    return tuple(hits)


def _failing(veto: Veto, targets: Iterable[TargetResult], columns: Mapping[str, ColumnType]) -> Iterator[str]:
    for target in targets:
        types = {columns.get(finding.column_id or "") for finding in target.findings}
        if target.state is TargetState.FAILED and (not veto.column_types or types & set(veto.column_types)):
            yield target.target
