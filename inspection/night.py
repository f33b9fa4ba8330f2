"""One night from what was kept of it to findings, scores and verdicts: live, judged again, or tried by other rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass

from checks.model import Finding
from config.loader import Configuration
from config.schema import Unit
from crawler.plan import SitePlan
from inspection.inputs import JudgingInputs
from inspection.judging import WHOLE, Judgement, Part, Records, judge_sites
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
    judgement = judge_sites(configuration, inputs, records, progress, part)
    units = part.units_of(configuration, inputs)
    scores = tuple(score_of(configuration, inputs, unit, judgement.by_unit[unit.id]) for unit in units)
    judged = {unit.id for unit in units}
    plans = (plan for plan in part.plans(configuration, inputs) if {unit.id for unit in plan.units} <= judged)
    of_site: defaultdict[str, set[str]] = defaultdict(set)
    for unit in configuration.inventory.units:
        for column in unit.columns:
            of_site[column.site].add(unit.id)
    verdicts = (_verdict(configuration, inputs, plan, judgement, of_site[plan.site.id]) for plan in plans)
    return Night(judgement, scores, tuple(verdicts))


def score_of(configuration: Configuration, inputs: JudgingInputs, unit: Unit, found: Iterable[Finding]) -> UnitScore:
    """Return what a unit's findings come to on the day of the run."""
    rules, indicators = configuration.rules, configuration.indicators_for(inputs.day.year)
    return daily_score(unit, found, indicators, rules, inputs.seen_days, inputs.day, inputs.rulings)


def _verdict(
    configuration: Configuration, inputs: JudgingInputs, plan: SitePlan, judgement: Judgement, units: Set[str]
) -> SiteVerdict:
    """Return the verdict on a site that these units have columns on."""
    site, rules = plan.site.id, configuration.rules
    findings = about_site(site, judgement.by_site[site], plan.units, judgement.by_unit)
    complete = {unit.id for unit in plan.units} == units
    seen_days, ruled = inputs.seen_days, inputs.rulings
    return site_verdict(site, plan.units, findings, rules, seen_days, inputs.day, complete=complete, rulings=ruled)
