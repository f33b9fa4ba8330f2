"""From what was captured of a site to the probes that follow it; nothing is asked twice in a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.facts.model import PageFacts
from checks.model import Capture, PageRole, Probe, ProbeKind, Visit
from crawler.names import Names
from crawler.plan import SitePlan
from crawler.probes.certificates import probe_certificate
from crawler.probes.ipv6 import probe_ipv6
from crawler.probes.links import draw, gather, probe_links, unanswered
from crawler.probes.manners import Manners
from crawler.probes.search import Title, choose, probe_search
from inspection.assembly import PageReader
from inspection.place import Place
from inspection.recording import Recorder

PROBED_SECOND_LEVEL_PAGES = 5  # pages whose links stand for the third level


@dataclass(frozen=True, slots=True)
class Captured:
    """What a run captured of one site, read; pages only looked at again are left out, or they would move the sample of
    links."""

    captures: Sequence[Capture]
    pages: tuple[tuple[Visit, PageFacts], ...]  # in the order of visits, without what could not be read

    @classmethod
    def of(cls, place: Place, run_id: int, plan: SitePlan) -> Captured:
        """Read what the run has of a site."""
        visits = [visit for visit in place.repository.visits(run_id, plan.site.id) if not visit.revisit]
        drawn = {visit.url for visit in visits}
        captures = [capture for capture in place.repository.captures(run_id, plan.site.id) if capture.url in drawn]
        reader = PageReader(captures, place.evidence.read_payload, plan.day)
        read = ((visit, reader.page(visit, None).facts) for visit in visits if visit.role is not PageRole.ATTACHMENT)
        return cls(captures, tuple((visit, facts) for visit, facts in read if facts is not None))

    @property
    def home(self) -> PageFacts | None:
        """The home page."""
        return next((facts for visit, facts in self.pages if visit.role is PageRole.HOME), None)

    @property
    def second_level(self) -> list[PageFacts]:
        """Pages whose links stand for the third level."""
        roles = (PageRole.SECOND_LEVEL, PageRole.COLUMN)
        return [facts for visit, facts in self.pages if visit.role in roles and visit.order == 0][
            :PROBED_SECOND_LEVEL_PAGES
        ]

    @property
    def titles(self) -> Iterator[Title]:
        """The articles that were read, under the titles by which lists give them."""
        for visit, facts in self.pages:
            published = visit.listed_date or facts.published.date
            if visit.role is PageRole.ARTICLE and visit.title and published and not facts.soft_not_found:
                yield Title(visit.title, visit.url, published)


def probe_site(place: Place, run_id: int, plan: SitePlan, recorder: Recorder, answered: Iterable[Probe] = ()) -> None:
    """Probe one site after its capture. What an interrupted attempt learnt of links is kept, all else asked anew.

    `answered` are the probes that such an attempt left in the evidence.
    """
    place.repository.forget_probes(run_id, plan.site.id)
    links = [probe for probe in answered if probe.site_id == plan.site.id and probe.kind is ProbeKind.LINK]
    recorder.keep_again(probes=links)
    for probe in _probes(place, run_id, plan, {probe.target for probe in links}):
        recorder.probe(probe)


def _probes(place: Place, run_id: int, plan: SitePlan, asked: Collection[str]) -> Iterator[Probe]:
    """Yield every probe of a site but those of the links `asked` for."""
    settings, rules = plan.settings, place.configuration.rules
    captured = Captured.of(place, run_id, plan)
    names = Names(settings.resolver, settings.allow_private_addresses)
    manners = Manners(plan.site, settings, names, lambda: datetime.now(UTC))
    yield from probe_ipv6(manners, captured.home, captured.second_level, rule=rules.checks.ipv6, seed=plan.seed)
    yield from probe_certificate(manners)
    titles = choose(captured.titles, day=plan.day, rule=rules.checks.site_search, seed=plan.seed)
    yield from probe_search(manners, captured.home, titles)
    leads = unanswered(
        gather(facts for _, facts in captured.pages),
        captured.captures,
        {visit.url for visit, facts in captured.pages if facts.soft_not_found},
    )
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
