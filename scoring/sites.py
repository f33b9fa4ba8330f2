"""站点结论: 单项否决 counted as 国办秘函〔2019〕19号 counts, per site over the columns of every unit that stands on it.

A unit answers for its own columns only, so the verdict of a site and those of its units may differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import date
from decimal import Decimal
from fractions import Fraction

from checks.model import Finding
from config.rules import Rules
from config.schema import Unit
from scoring.confirm import History
from scoring.daily import measure
from scoring.model import SiteVerdict, Verdict
from scoring.review import NO_RULINGS, Rulings
from scoring.targets import target_results
from scoring.vetoes import veto_hits


def site_verdict(
    site_id: str,
    units: Collection[Unit],
    findings: Iterable[Finding],
    rules: Rules,
    seen_days: Mapping[str, Set[date]],
    day: date,
    *,
    complete: bool,
    rulings: Rulings = NO_RULINGS,
) -> SiteVerdict:
    """Return the verdict on one site out of the findings about it and about the columns on it.

    `complete` says whether all units of the site were inspected. A veto stands however little was seen; 合格 is said
    only of a whole site, when of what the vetoes look at as large a share could be judged as a score needs.
    `rulings` is what people ruled on faults. Raises AttributeError for a failing finding of a check that rules.toml
    does not know.
    """
    history = History(day, seen_days, rulings)
    asked = {veto.check for veto in rules.vetoes}
    targets = target_results((finding for finding in findings if finding.check in asked), rules, history)
    types = {(unit.id, column.id): column.type for unit in units for column in unit.columns if column.site == site_id}
    vetoes = veto_hits(rules.vetoes, targets, lambda f: types.get((f.unit_id, f.column_id or "")), rules, history)
    coverage = measure(target for results in targets.values() for target in results).coverage
    enough = complete and coverage is not None and coverage >= Fraction(rules.coverage_floor)
    verdict = Verdict.UNQUALIFIED if vetoes else Verdict.QUALIFIED if enough else None
    share = Decimal(0) if coverage is None else Decimal(coverage.numerator) / Decimal(coverage.denominator)
    return SiteVerdict(site_id, day, verdict, vetoes, share)


def about_site(
    site_id: str,
    of_site: Sequence[Finding],
    units: Collection[Unit],
    by_unit: Mapping[str, Sequence[Finding]],
) -> Iterator[Finding]:
    """Yield the findings that count for a site: `of_site`, those about it as a whole, and those of columns on it."""
    yield from of_site
    for unit in units:
        here = {column.id for column in unit.columns if column.site == site_id}
        yield from (finding for finding in by_unit.get(unit.id, ()) if finding.column_id in here)
