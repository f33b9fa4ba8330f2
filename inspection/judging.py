"""From captures to findings: each site is read and judged once, each unit once over all its sites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from checks.availability import WEEK
from checks.model import FailureKind, Finding, PageRole, Visit
from checks.registry import attribute_to_units, judge
from config.schema import Unit
from crawler.plan import SitePlan
from inspection.assembly import SiteMaterial, UnitMaterial, assemble, site_bundle, unit_bundle
from inspection.place import Place
from inspection.progress import Progress
from storage.model import Run


def judge_sites(
    place: Place, run: Run, plans: Sequence[SitePlan], units: Sequence[Unit], progress: Progress
) -> dict[str, list[Finding]]:
    """Judge what the run captured and return the findings by unit id; the same captures give the same findings."""
    findings: dict[str, list[Finding]] = {unit.id: [] for unit in units}
    parts: dict[str, list[UnitMaterial]] = defaultdict(list)
    rules, district = place.configuration.rules, place.configuration.inventory.district
    week = (run.day - timedelta(days=WEEK), run.day - timedelta(days=1))
    availability = place.repository.availability([plan.site.id for plan in plans], *week)
    for done, plan in enumerate(plans, start=1):
        material = _material(place, run, plan)
        for unit in plan.units:
            parts[unit.id].append(UnitMaterial.of(material, unit))
        of_site = judge(site_bundle(material, district, run.day, availability[plan.site.id]), rules)
        for finding in attribute_to_units(of_site, plan.units):
            findings[finding.unit_id].append(finding)
        progress.advance("判定", done, len(plans) + len(units))
    for done, unit in enumerate(units, start=1):
        findings[unit.id] += judge(unit_bundle(unit, parts.pop(unit.id, []), district, run.day), rules)
        progress.advance("判定", len(plans) + done, len(plans) + len(units))
    return findings


def _material(place: Place, run: Run, plan: SitePlan) -> SiteMaterial:
    visits = place.repository.visits(run.id, plan.site.id)
    return assemble(
        place.configuration.inventory,
        plan.site,
        [*visits, *_unvisited(plan, visits)],
        place.repository.captures(run.id, plan.site.id),
        place.repository.probes(run.id, plan.site.id),
        place.evidence.read_payload,
        run.day,
    )


def _unvisited(plan: SitePlan, visits: Sequence[Visit]) -> list[Visit]:
    """Return a visit for each planned page that a failed crawl never came to: what we did not see stays visible."""
    seen = {(visit.unit_id, visit.column_id) for visit in visits if visit.role in (PageRole.HOME, PageRole.COLUMN)}
    planned = [Visit(plan.site.id, plan.site.home, PageRole.HOME, failure=FailureKind.NOT_CAPTURED)]
    for unit, column in plan.columns:
        failure = FailureKind.NOT_CAPTURED if column.url else FailureKind.UNCONFIRMED_ADDRESS
        url = column.url or f"{unit.id}/{column.id}"
        planned.append(Visit(plan.site.id, url, PageRole.COLUMN, unit_id=unit.id, column_id=column.id, failure=failure))
    return [visit for visit in planned if (visit.unit_id, visit.column_id) not in seen]
