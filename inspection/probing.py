"""From what was captured of a site to the probes that follow it; nothing is asked twice in a run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from checks.facts.model import PageFacts
from checks.model import Capture, PageRole, Probe, ProbeKind, Visit
from crawler.hosts import Hosts
from crawler.names import Names
from crawler.plan import SitePlan
from crawler.probes.certificates import probe_certificate
from crawler.probes.ipv6 import probe_ipv6
from crawler.probes.links import Lead, draw, gather, probe_links, unanswered
from crawler.probes.manners import Manners
from crawler.probes.search import Title, choose, probe_search
from crawler.turns import nobody
from inspection.assembly import Known, PageReader, nothing_known
from inspection.place import Place
from inspection.politeness import hosts_of
from inspection.recording import Recorder

PROBED_SECOND_LEVEL_PAGES = 5  # pages whose links stand for the third level


@dataclass(slots=True)
class Captured:
    """What a run captured of one site, as far as it is asked about: its pages are read one by one and let go.

    Pages only looked at again are left out, or they would move the sample of links. `second_level` are pages whose
    links stand for the third level, `titles` the articles that were read, under the titles by which lists give them,
    `not_found` the addresses of pages that say they are not there.
    """

    captures: Sequence[Capture]
    home: PageFacts | None = None
    second_level: list[PageFacts] = field(default_factory=list)
    titles: list[Title] = field(default_factory=list)
    not_found: set[str] = field(default_factory=set)
    leads: Mapping[str, Lead] = field(default_factory=dict)

    @classmethod
    def of(cls, place: Place, run_id: int, plan: SitePlan, known: Known = nothing_known) -> Captured:
        """Read what the run has of a site."""
        visits = [visit for visit in place.repository.visits(run_id, plan.site.id) if not visit.revisit]
        drawn = {visit.url for visit in visits}
        captures = [capture for capture in place.repository.captures(run_id, plan.site.id) if capture.url in drawn]
        reader = PageReader(captures, place.evidence.read_payload, plan.day, known)
        captured = cls(captures)
        captured.leads = gather(captured._read(reader, plan, visits))
        return captured

    def _read(self, reader: PageReader, plan: SitePlan, visits: Iterable[Visit]) -> Iterator[PageFacts]:
        columns = {(unit.id, column.id): column for unit, column in plan.columns}
        for visit in visits:
            if visit.role is PageRole.ATTACHMENT:
                continue
            facts = reader.page(visit, columns.get((str(visit.unit_id), str(visit.column_id)))).facts
            if facts is not None:
                self._note(visit, facts)
                yield facts

    def _note(self, visit: Visit, facts: PageFacts) -> None:
        if visit.role is PageRole.HOME and self.home is None:
            self.home = facts
        leads_on = visit.role in (PageRole.SECOND_LEVEL, PageRole.COLUMN) and visit.order == 0
        if leads_on and len(self.second_level) < PROBED_SECOND_LEVEL_PAGES:
            self.second_level.append(facts)
        if facts.soft_not_found:
            self.not_found.add(visit.url)
        published = visit.listed_date or facts.published.date
        if visit.role is PageRole.ARTICLE and visit.title and published and not facts.soft_not_found:
            self.titles.append(Title(visit.title, visit.url, published))


def probe_site(
    place: Place,
    run_id: int,
    plan: SitePlan,
    recorder: Recorder,
    answered: Iterable[Probe] = (),
    is_taken: Callable[[str], bool] = nobody,
    hosts: Hosts | None = None,
    known: Known = nothing_known,
) -> None:
    """Probe one site after its capture. What an interrupted attempt learnt of links is kept, all else asked anew.

    `answered` are the probes that such an attempt left in the evidence; a host that `is_taken` is not asked until it is
    free again.
    """
    place.repository.forget_probes(run_id, plan.site.id)
    links = [probe for probe in answered if probe.site_id == plan.site.id and probe.kind is ProbeKind.LINK]
    recorder.keep_again(probes=links)
    asked = {probe.target for probe in links}
    for probe in _probes(place, run_id, plan, asked, is_taken, hosts or hosts_of(place), known):
        recorder.probe(probe)


def _probes(
    place: Place,
    run_id: int,
    plan: SitePlan,
    asked: Collection[str],
    is_taken: Callable[[str], bool],
    hosts: Hosts,
    known: Known,
) -> Iterator[Probe]:
    """Yield every probe of a site but those of the links `asked` for."""
    settings, rules = plan.settings, place.configuration.rules
    captured = Captured.of(place, run_id, plan, known)
    names = Names(settings.resolver, settings.allow_private_addresses)
    manners = Manners(plan.site, settings, names, lambda: datetime.now(UTC), is_taken=is_taken, hosts=hosts)
    yield from probe_ipv6(manners, captured.home, captured.second_level, rule=rules.checks.ipv6, seed=plan.seed)
    yield from probe_certificate(manners)
    titles = choose(captured.titles, day=plan.day, rule=rules.checks.site_search, seed=plan.seed)
    yield from probe_search(manners, captured.home, titles)
    leads = unanswered(captured.leads, captured.captures, captured.not_found)
    drawn = draw(
        leads,
        settings.links_per_site,
        home=manners.home,
        day=plan.day,
        seed=plan.seed,
        dead_before=_dead_before(place, run_id, plan),
    )
    yield from probe_links(manners, [lead for lead in drawn if lead.url not in asked], captured.home, seed=plan.seed)


def _dead_before(place: Place, run_id: int, plan: SitePlan) -> set[str]:
    """Return the links found dead on the last nights: a fault that waits for confirmation must be looked at again."""
    nights = place.configuration.rules.confirmation.nights
    earlier = [run for run in place.repository.runs() if run.looked and run.id != run_id and run.day < plan.day]
    last = earlier[: nights - 1]
    return {
        probe.target
        for run in last
        for probe in place.repository.probes(run.id, plan.site.id)
        if probe.kind is ProbeKind.LINK and probe.observed.get("state") == "dead"
    }
