"""From captures to findings: each site is read and judged once, each unit once over all its sites."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial

from checks.model import Bundle, EvidenceRef, FailureKind, Finding, PageRole, Probe, Revisit, Visit
from checks.registry import attribute_to_units, judge
from config.loader import Configuration
from config.schema import Unit
from crawler.plan import SitePlan
from inspection.assembly import (
    Captures,
    Known,
    PageReader,
    Payload,
    SitePages,
    UnitMaterial,
    nothing_known,
    site_bundle,
    unit_bundle,
)
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
PIECE = 5_000  # findings after which a piece of a judgement is handed out: a night of any size takes as much room


@dataclass(frozen=True, slots=True)
class Records:
    """What a run kept of what it saw: by site id how its captures are looked up, and its probes; and the bytes that a
    capture points to."""

    captures: Callable[[str], Captures]
    probes: Callable[[str], Sequence[Probe]]
    payload: Payload
    known: Known = nothing_known

    @classmethod
    def of(cls, place: Place, run_id: int, payload: Payload | None = None, known: Known = nothing_known) -> Records:
        """Return what the place has of a run; bytes that are damaged become pages that could not be read, unless
        `payload` is stricter."""
        repository = place.repository
        return cls(
            lambda site_id: partial(repository.captures, run_id, site_id),
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
    """Judge what a run captured, or a part of it, as `judge_in_pieces` does, and return all of it."""
    return together(judge_in_pieces(configuration, inputs, records, progress, part))


def together(pieces: Iterable[Judgement]) -> Judgement:
    """Return the pieces of a judgement as one."""
    by_unit: dict[str, list[Finding]] = {}
    by_site: dict[str, tuple[Finding, ...]] = {}
    lists: list[SeenList] = []
    for piece in pieces:
        by_unit |= piece.by_unit
        by_site |= piece.by_site
        lists += piece.lists
    return Judgement(by_unit, by_site, tuple(lists))


def judge_in_pieces(
    configuration: Configuration,
    inputs: JudgingInputs,
    records: Records,
    progress: Progress = SILENT,
    part: Part = WHOLE,
) -> Iterator[Judgement]:
    """Judge what a run captured, or a part of it, some units at a time; the same inputs and captures give the same
    findings.

    A piece has units whole, and the sites whose last unit is among them. Raises what `records` raises.
    """
    plans, units = part.plans(configuration, inputs), part.units_of(configuration, inputs)
    judging = _Judging(configuration, inputs, records, plans, units, progress)
    judged, found = list[Judgement](), 0
    for unit in units:
        judged.append(judging.unit(unit))
        found += len(judged[-1].by_unit[unit.id])
        if found >= PIECE:
            yield together(judged)
            judged, found = [], 0
    yield together([*judged, judging.rest()])


class _Judging:
    """A judgement under way: a site is judged before its units, and its pages are held until the last of them is."""

    def __init__(
        self,
        configuration: Configuration,
        inputs: JudgingInputs,
        records: Records,
        plans: Sequence[SitePlan],
        units: Sequence[Unit],
        progress: Progress,
    ) -> None:
        self._configuration, self._inputs, self._records, self._progress = configuration, inputs, records, progress
        self._units = {unit.id: (order, unit) for order, unit in enumerate(configuration.inventory.units)}
        self._histories = {history.target: history for history in inputs.histories}
        self._known_dead = _by_unit(inputs.known_dead)
        judged, self._plans = {unit.id for unit in units}, defaultdict[str, list[SitePlan]](list)
        for plan in plans:
            for unit in plan.units:
                self._plans[unit.id].append(plan)
        self._left = {plan.site.id: sum(unit.id in judged for unit in plan.units) for plan in plans}
        self._without_units = [plan for plan in plans if not self._left[plan.site.id]]
        self._open: dict[str, tuple[SitePages, tuple[Finding, ...]]] = {}
        self._done, self._all = 0, len(plans) + len(units)

    def unit(self, unit: Unit) -> Judgement:
        """Judge a unit over all its sites; what is about these comes first."""
        plans, district = self._plans[unit.id], self._configuration.inventory.district
        sites = [self._judged_site(plan) for plan in plans]
        parts = [pages.of_unit(unit) for pages, _ in sites]
        targets = dict.fromkeys(visit.target for part in parts for visit in part.columns)
        known = tuple(self._histories[target] for target in targets if target in self._histories)
        bundle = unit_bundle(unit, parts, district, self._inputs.day, known, self._inputs.accounts)
        found = [finding for _, of_site in sites for finding in of_site if finding.unit_id == unit.id]
        found += self._judged(bundle, unit, plans, parts)
        self._tell_progress()
        return Judgement({unit.id: found}, dict(self._closed(plans)), tuple(seen_lists(bundle.columns)))

    def rest(self) -> Judgement:
        """Judge the sites that no unit to be judged has columns on."""
        for plan in self._without_units:
            self._judged_site(plan)
        return Judgement({}, {plan.site.id: self._open.pop(plan.site.id)[1] for plan in self._without_units}, ())

    def _closed(self, plans: Iterable[SitePlan]) -> Iterator[tuple[str, tuple[Finding, ...]]]:
        """Let go of the sites of which this was the last unit, and yield what was found of each."""
        for plan in plans:
            self._left[plan.site.id] -= 1
            if not self._left[plan.site.id]:
                yield plan.site.id, self._open.pop(plan.site.id)[1]

    def _judged(
        self, bundle: Bundle, unit: Unit, plans: Sequence[SitePlan], parts: Sequence[UnitMaterial]
    ) -> Iterator[Finding]:
        rules = self._configuration.rules
        yield from judge(bundle, rules)
        revisited = [visit for part in parts for visit in part.revisited]
        yield from judge_revisits(bundle, revisited, _revisits_of(plans, unit), rules)
        yield from judge_mended_links(bundle, self._known_dead[unit.id], rules)

    def _judged_site(self, plan: SitePlan) -> tuple[SitePages, tuple[Finding, ...]]:
        """Return a site's pages, and what is found of the site as a whole, for each of its units."""
        if plan.site.id not in self._open:
            pages, of_week = self._read(plan), self._inputs.availability.get(plan.site.id, ())
            bundle = site_bundle(pages.of_site(), self._configuration.inventory.district, self._inputs.day, of_week)
            found = attribute_to_units(judge(bundle, self._configuration.rules), plan.units)
            self._open[plan.site.id] = pages, found
            self._tell_progress()
        return self._open[plan.site.id]

    def _tell_progress(self) -> None:
        self._done += 1
        self._progress.advance("判定", self._done, self._all)

    def _read(self, plan: SitePlan) -> SitePages:
        site, records = plan.site, self._records
        visits = self._inputs.visits.get(site.id, ())
        visits = [*visits, *_unvisited(plan, visits)]
        concerned = {visit.unit_id for visit in visits if visit.unit_id in self._units}
        units = [unit for _, unit in sorted(self._units[str(unit_id)] for unit_id in concerned)]
        reader = PageReader(records.captures(site.id), records.payload, self._inputs.day, records.known)
        return SitePages(site, units, visits, records.probes(site.id), reader)


def _by_unit(findings: Iterable[Finding]) -> Mapping[str, list[Finding]]:
    of_unit: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        of_unit[finding.unit_id].append(finding)
    return of_unit


def _revisits_of(plans: Sequence[SitePlan], unit: Unit) -> list[Revisit]:
    return [revisit for plan in plans for revisit in plan.revisits if revisit.unit_id == unit.id]


def _unvisited(plan: SitePlan, visits: Sequence[Visit]) -> list[Visit]:
    """Return a visit for each planned page that a failed crawl never came to: what we did not see stays visible."""
    seen = {(visit.unit_id, visit.column_id) for visit in visits if visit.role in (PageRole.HOME, PageRole.COLUMN)}
    planned = [Visit(plan.site.id, plan.site.home, PageRole.HOME, failure=FailureKind.NOT_CAPTURED)]
    for unit, column in plan.columns:
        failure = FailureKind.NOT_CAPTURED if column.url else FailureKind.UNCONFIRMED_ADDRESS
        url = column.url or f"{unit.id}/{column.id}"
        planned.append(Visit(plan.site.id, url, PageRole.COLUMN, unit_id=unit.id, column_id=column.id, failure=failure))
    return [visit for visit in planned if (visit.unit_id, visit.column_id) not in seen]
