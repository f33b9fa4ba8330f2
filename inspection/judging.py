"""From captures to findings: each site is read and judged once, each unit once over all its sites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from checks.availability import WEEK
from checks.model import Bundle, FailureKind, Finding, PageRole, Revisit, Visit
from checks.registry import attribute_to_units, judge
from config.schema import Unit
from crawler.plan import SitePlan
from inspection.assembly import SiteMaterial, UnitMaterial, assemble, site_bundle, unit_bundle
from inspection.histories import seen_lists
from inspection.mended_links import judge_mended_links, known_dead
from inspection.place import Place
from inspection.progress import Progress
from inspection.revisits import judge_revisits
from storage.model import Register, Run, SeenList


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the checks found: by unit id all that counts for the unit, by site id what is about the site as a whole.

    `lists` are what the run saw of columns' lists, for later nights to be held against.
    """

    by_unit: dict[str, list[Finding]]
    by_site: dict[str, tuple[Finding, ...]]
    lists: tuple[SeenList, ...]


def judge_sites(
    place: Place, run: Run, plans: Sequence[SitePlan], units: Sequence[Unit], progress: Progress
) -> Judgement:
    """Judge what the run captured; the same captures give the same findings."""
    findings: dict[str, list[Finding]] = {unit.id: [] for unit in units}
    by_site: dict[str, tuple[Finding, ...]] = {}
    parts: dict[str, list[UnitMaterial]] = defaultdict(list)
    rules, district = place.configuration.rules, place.configuration.inventory.district
    week = (run.day - timedelta(days=WEEK), run.day - timedelta(days=1))
    availability = place.repository.availability([plan.site.id for plan in plans], *week)
    for done, plan in enumerate(plans, start=1):
        material = _material(place, run, plan)
        for unit in plan.units:
            parts[unit.id].append(UnitMaterial.of(material, unit))
        of_site = judge(site_bundle(material, district, run.day, availability[plan.site.id]), rules)
        by_site[plan.site.id] = attribute_to_units(of_site, plan.units)
        for finding in by_site[plan.site.id]:
            findings[finding.unit_id].append(finding)
        progress.advance("判定", done, len(plans) + len(units))
    register, lists = place.repository.register(run.day), list[SeenList]()
    for done, unit in enumerate(units, start=1):
        material_of_unit = parts.pop(unit.id, [])
        bundle = _bundle(place, run, unit, material_of_unit, register)
        findings[unit.id] += judge(bundle, rules)
        revisited = [visit for part in material_of_unit for visit in part.revisited]
        findings[unit.id] += judge_revisits(bundle, revisited, _revisits_of(plans, unit), rules)
        findings[unit.id] += judge_mended_links(bundle, known_dead(place, unit.id), rules)
        lists += seen_lists(bundle.columns)
        progress.advance("判定", len(plans) + done, len(plans) + len(units))
    return Judgement(findings, by_site, tuple(lists))


def _bundle(place: Place, run: Run, unit: Unit, parts: Sequence[UnitMaterial], register: Register | None) -> Bundle:
    targets = [visit.target for part in parts for visit in part.columns]
    histories = place.repository.list_histories(targets, before=run.day).values()
    accounts = register.accounts if register else None
    return unit_bundle(unit, parts, place.configuration.inventory.district, run.day, tuple(histories), accounts)


def _revisits_of(plans: Sequence[SitePlan], unit: Unit) -> list[Revisit]:
    return [revisit for plan in plans for revisit in plan.revisits if revisit.unit_id == unit.id]


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
