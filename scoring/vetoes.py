"""单项否决 of 国办秘函〔2019〕19号: counts of failing targets that make a verdict, beside the score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from checks.model import Finding
from config.rules import Rules, Veto
from config.schema import ColumnType
from scoring.confirm import History
from scoring.model import TargetResult, VetoHit

TypeOf = Callable[[Finding], ColumnType | None]


def veto_hits(
    vetoes: Iterable[Veto],
    targets: Mapping[str, tuple[TargetResult, ...]],
    type_of: TypeOf,
    rules: Rules,
    history: History,
) -> tuple[VetoHit, ...]:
    """Return those of the vetoes that are reached, in their order.

    Only faults that count do: what waits for confirmation, was waived or revoked, or could not be judged vetoes
    nothing. `type_of` gives the type of the column that a finding is about, for the vetoes that speak of some only.
    """
    hits = []
    for veto in vetoes:
        counting = _Counting(veto, rules, type_of, history)
        failing = tuple(dict.fromkeys(counting.failing(targets.get(veto.check, ()))))
        if len(failing) >= veto.at_least:
            hits.append(VetoHit(veto.id, veto.title, veto.at_least, failing))
    return tuple(hits)


class _Counting:
    def __init__(self, veto: Veto, rules: Rules, type_of: TypeOf, history: History) -> None:
        self.veto, self.rules, self.type_of, self.history = veto, rules, type_of, history

    def failing(self, targets: tuple[TargetResult, ...]) -> Iterator[str]:
        if any(finding.reason in self.veto.averted_by for target in targets for finding in target.findings):
            return iter(())
        return (target.target for target in targets if any(self._counts(finding) for finding in target.findings))

    def _counts(self, finding: Finding) -> bool:
        veto = self.veto
        return (
            self.history.counts(finding, self.rules)
            and (not veto.reasons or finding.reason in veto.reasons)
            and (not veto.column_types or self.type_of(finding) in veto.column_types)
        )
