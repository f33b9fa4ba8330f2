"""One night from what was kept of it to findings, scores and verdicts: live, judged again, or tried by other rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from checks.model import Finding, Outcome
from config.loader import Configuration
from config.schema import Unit
from crawler.plan import SitePlan
from inspection.inputs import JudgingInputs
from inspection.judging import WHOLE, Judgement, Part, Records, judge_in_pieces, together
from inspection.progress import Progress
from scoring.daily import daily_score
from scoring.model import SiteVerdict, UnitScore
from scoring.sites import about_site, site_verdict

SILENT = Progress()


@dataclass(frozen=True, slots=True)
class Night:
    """What a run comes to: what the checks found, the units' scores, the verdicts on sites."""

    judgement: Judgement
    scores: tuple[UnitScore, ...]
    verdicts: tuple[SiteVerdict, ...]

    @property
    def findings(self) -> dict[str, list[Finding]]:
        """All that counts for a unit, by its id."""
        return self.judgement.by_unit


def judged_night(
    configuration: Configuration,
    inputs: JudgingInputs,
    records: Records,
    progress: Progress = SILENT,
    part: Part = WHOLE,
) -> Night:
    """Judge and score a run by nothing but these; the same values give the same night.

    Of a part only those sites have a verdict whose units are all in it. Raises what `records` raises.
    """
    pieces = tuple(judged_in_pieces(configuration, inputs, records, progress, part))
    verdicts = {verdict.site_id: verdict for piece in pieces for verdict in piece.verdicts}
    return Night(
        together(piece.judgement for piece in pieces),
        tuple(score for piece in pieces for score in piece.scores),
        tuple(verdicts[plan.site.id] for plan in part.plans(configuration, inputs) if plan.site.id in verdicts),
    )


def judged_in_pieces(
    configuration: Configuration,
    inputs: JudgingInputs,
    records: Records,
    progress: Progress = SILENT,
    part: Part = WHOLE,
) -> Iterator[Night]:
    """Judge and score a run as `judged_night` does, some units at a time: a night of any size takes as much room.

    A verdict on a site comes with the last of its units.
    """
    units = {unit.id: unit for unit in part.units_of(configuration, inputs)}
    verdicts = _Verdicts(configuration, inputs, part)
    for judgement in judge_in_pieces(configuration, inputs, records, progress, part):
        judged = [units[unit_id] for unit_id in judgement.by_unit]
        scores = tuple(score_of(configuration, inputs, unit, judgement.by_unit[unit.id]) for unit in judged)
        yield Night(judgement, scores, tuple(verdicts.after(judgement)))


def score_of(configuration: Configuration, inputs: JudgingInputs, unit: Unit, found: Iterable[Finding]) -> UnitScore:
    """Return what a unit's findings come to on the day of the run."""
    rules, indicators = configuration.rules, configuration.indicators_for(inputs.day.year)
    return daily_score(unit, found, indicators, rules, inputs.seen_days, inputs.day, inputs.rulings)


class _Verdicts:
    """The verdicts on sites all of whose planned units are judged; of each unit it holds what they look at."""

    def __init__(self, configuration: Configuration, inputs: JudgingInputs, part: Part) -> None:
        self._rules, self._inputs = configuration.rules, inputs
        self._asked = {veto.check for veto in configuration.rules.vetoes}
        judged = {unit.id for unit in part.units_of(configuration, inputs)}
        plans = part.plans(configuration, inputs)
        self._plans = {plan.site.id: plan for plan in plans if {unit.id for unit in plan.units} <= judged}
        self._sites = Counter(unit.id for plan in self._plans.values() for unit in plan.units)
        self._units: defaultdict[str, set[str]] = defaultdict(set)  # of the whole inventory, by site
        for unit in configuration.inventory.units:
            for column in unit.columns:
                self._units[column.site].add(unit.id)
        self._found: dict[str, list[Finding]] = {}

    def after(self, judgement: Judgement) -> Iterator[SiteVerdict]:
        """Yield the verdicts on the sites that a piece of the judgement completes."""
        for unit_id, found in judgement.by_unit.items():
            if self._sites[unit_id]:
                self._found[unit_id] = [_light(finding) for finding in found if finding.check in self._asked]
        for site, of_site in judgement.by_site.items():
            if site in self._plans:
                yield self._verdict(self._plans[site], of_site)
                self._let_go(self._plans[site])

    def _verdict(self, plan: SitePlan, of_site: Sequence[Finding]) -> SiteVerdict:
        site, inputs = plan.site.id, self._inputs
        findings = about_site(site, of_site, plan.units, self._found)
        complete = {unit.id for unit in plan.units} == self._units[site]
        seen_days, ruled = inputs.seen_days, inputs.rulings
        return site_verdict(
            site, plan.units, findings, self._rules, seen_days, inputs.day, complete=complete, rulings=ruled
        )

    def _let_go(self, plan: SitePlan) -> None:
        for unit in plan.units:
            self._sites[unit.id] -= 1
            if not self._sites[unit.id]:
                self._found.pop(unit.id, None)


def _light(finding: Finding) -> Finding:
    """Leave out of what is well all but that it is well: a large site holds it of all its pages."""
    if finding.outcome is not Outcome.PASS:
        return finding
    return replace(finding, evidence=(), observed="", expected="")
