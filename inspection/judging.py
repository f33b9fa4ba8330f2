"""From captures to findings: each site is read and judged once, each unit once over all its sites."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass

from checks.model import Capture, EvidenceRef, FailureKind, Finding, PageRole, Probe, Revisit, Visit
from checks.registry import attribute_to_units, judge
from config.loader import Configuration
from config.schema import Unit
from crawler.plan import SitePlan
from inspection.assembly import Known, PageReader, Payload, SitePages, nothing_known, site_bundle, unit_bundle
from inspection.errors import EvidenceUnavailable
from inspection.histories import seen_lists
from inspection.inputs import JudgingInputs
from inspection.mended_links import judge_mended_links
from inspection.place import Place
from inspection.progress import Progress
from inspection.revisits import judge_revisits
from storage.errors import DamagedRecord, MissingRecord
from storage.evidence import EvidenceStore
from storage.model import SeenList

SILENT = Progress()


@dataclass(frozen=True, slots=True)
class Records:
    """What a run kept of what it saw: by site id its captures and probes, and the bytes that a capture points to."""

    captures: Callable[[str], Sequence[Capture]]
    probes: Callable[[str], Sequence[Probe]]
    payload: Payload
    known: Known = nothing_known

    @classmethod
    def of(cls, place: Place, run_id: int, payload: Payload | None = None, known: Known = nothing_known) -> Records:
        """Return what the place has of a run; bytes that are damaged become pages that could not be read, unless
        `payload` is stricter."""
        repository = place.repository
        return cls(
            lambda site_id: repository.captures(run_id, site_id),
            lambda site_id: repository.probes(run_id, site_id),
            payload or place.evidence.read_payload,
            known,
        )


def strict(evidence: EvidenceStore) -> Payload:
    """Return a reader of bytes that stops a judgement which cannot see what the night saw.

    It raises EvidenceUnavailable where a record is missing or damaged: never may that look like a page that is gone.
    """

    def payload(reference: EvidenceRef) -> bytes:
        try:
            return evidence.read_payload(reference)
        except (MissingRecord, DamagedRecord) as error:
            raise EvidenceUnavailable(
                f"证据读不出来，不能重新判定，什么也没有改动：{error}"
                f"请从备份恢复 {evidence.folder / reference.warc_file}（记录 {reference.record_id}）后再试。"
            ) from error

    return payload


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the checks found: by unit id all that counts for the unit, by site id what is about the site as a whole.

    `lists` are what the run saw of columns' lists, for later nights to be held against.
    """

    by_unit: dict[str, list[Finding]]
    by_site: dict[str, tuple[Finding, ...]]
    lists: tuple[SeenList, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What of a run is judged, by ids; None is all of it. A unit needs every site that it has columns on."""

    sites: Set[str] | None = None
    units: Set[str] | None = None

    def plans(self, configuration: Configuration, inputs: JudgingInputs) -> tuple[SitePlan, ...]:
        """Return the plans of the part's sites, as the run had them."""
        return tuple(plan for plan in inputs.plans(configuration) if self.sites is None or plan.site.id in self.sites)

    def units_of(self, configuration: Configuration, inputs: JudgingInputs) -> tuple[Unit, ...]:
        """Return the part's units, in the order of the inventory."""
        return tuple(unit for unit in inputs.units_of(configuration) if self.units is None or unit.id in self.units)


WHOLE = Part()


def judge_sites(
    configuration: Configuration,
    inputs: JudgingInputs,
    records: Records,
    progress: Progress = SILENT,
    part: Part = WHOLE,
) -> Judgement:
    """Judge what a run captured, or a part of it; the same inputs and captures give the same findings.

    Raises what `records` raises.
    """
    rules, district, day = configuration.rules, configuration.inventory.district, inputs.day
    plans, units = part.plans(configuration, inputs), part.units_of(configuration, inputs)
    sites = {plan.site.id: _site_pages(configuration, inputs, records, plan) for plan in plans}
    histories, lists = {history.target: history for history in inputs.histories}, list[SeenList]()
    of_units: dict[str, list[Finding]] = {}
    for done, unit in enumerate(units, start=1):
        parts = [sites[plan.site.id].of_unit(unit) for plan in plans if any(unit.id == one.id for one in plan.units)]
        targets = dict.fromkeys(visit.target for part in parts for visit in part.columns)
        known = tuple(histories[target] for target in targets if target in histories)
        bundle = unit_bundle(unit, parts, district, day, known, inputs.accounts)
        found = of_units[unit.id] = [*judge(bundle, rules)]
        revisited = [visit for part in parts for visit in part.revisited]
        found += judge_revisits(bundle, revisited, _revisits_of(plans, unit), rules)
        known_dead = [finding for finding in inputs.known_dead if finding.unit_id == unit.id]
        found += judge_mended_links(bundle, known_dead, rules)
        lists += seen_lists(bundle.columns)
        progress.advance("判定", done, len(plans) + len(units))
    by_unit: dict[str, list[Finding]] = {unit.id: [] for unit in units}
    by_site: dict[str, tuple[Finding, ...]] = {}
    for done, plan in enumerate(plans, start=1):
        of_week = inputs.availability.get(plan.site.id, ())
        of_site = judge(site_bundle(sites[plan.site.id].of_site(), district, day, of_week), rules)
        by_site[plan.site.id] = attribute_to_units(of_site, plan.units)
        for finding in by_site[plan.site.id]:
            if finding.unit_id in by_unit:
                by_unit[finding.unit_id].append(finding)
        progress.advance("判定", len(units) + done, len(plans) + len(units))
    for unit_id, found in of_units.items():
        by_unit[unit_id] += found
    return Judgement(by_unit, by_site, tuple(lists))


def _revisits_of(plans: Sequence[SitePlan], unit: Unit) -> list[Revisit]:
    return [revisit for plan in plans for revisit in plan.revisits if revisit.unit_id == unit.id]


def _site_pages(configuration: Configuration, inputs: JudgingInputs, records: Records, plan: SitePlan) -> SitePages:
    visits, site = inputs.visits.get(plan.site.id, ()), plan.site
    reader = PageReader(records.captures(site.id), records.payload, inputs.day, records.known)
    units = configuration.inventory.units
    return SitePages(site, units, [*visits, *_unvisited(plan, visits)], records.probes(site.id), reader)


def _unvisited(plan: SitePlan, visits: Sequence[Visit]) -> list[Visit]:
    """Return a visit for each planned page that a failed crawl never came to: what we did not see stays visible."""
    seen = {(visit.unit_id, visit.column_id) for visit in visits if visit.role in (PageRole.HOME, PageRole.COLUMN)}
    planned = [Visit(plan.site.id, plan.site.home, PageRole.HOME, failure=FailureKind.NOT_CAPTURED)]
    for unit, column in plan.columns:
        failure = FailureKind.NOT_CAPTURED if column.url else FailureKind.UNCONFIRMED_ADDRESS
        url = column.url or f"{unit.id}/{column.id}"
        planned.append(Visit(plan.site.id, url, PageRole.COLUMN, unit_id=unit.id, column_id=column.id, failure=failure))
    return [visit for visit in planned if (visit.unit_id, visit.column_id) not in seen]
