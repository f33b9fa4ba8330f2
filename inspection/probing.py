"""From what was captured of a site to the probes that follow it; nothing is asked twice in a run."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain

from checks.facts.model import PageFacts
from checks.model import Capture, Mode, PageRole, Probe, ProbeKind, Visit
from crawler.hosts import Hosts
from crawler.names import Names
from crawler.plan import SitePlan
from crawler.probes.certificates import probe_certificate
from crawler.probes.ipv6 import probe_ipv6
from crawler.probes.leads import Lead, draw, gather, unanswered
from crawler.probes.links import probe_links
from crawler.probes.manners import Manners
from crawler.probes.search import Title, choose, probe_search
from crawler.turns import nobody
from inspection.assembly import Known, PageReader, nothing_known
from inspection.place import Place
from inspection.recording import Recorder

PROBED_SECOND_LEVEL_PAGES = 5  # pages whose links stand for the third level
PAGES_AT_ONCE = 1000  # whose captures are looked up together
AT_ONCE = 32  # sites that are probed together: of each, one question after another
Answer = Probe | Exception | str  # what a site's thread tells: a probe, its end by a fault, or its end by the site's id


@dataclass(slots=True)
class Captured:
    """What a run captured of one site, as far as it is asked about: its pages are read one by one and let go.

    Pages only looked at again are left out, or they would move the sample of links. `second_level` are pages whose
    links stand for the third level, `titles` the articles that were read, under the titles by which lists give them,
    `not_found` the addresses of pages that say they are not there. `ended` has the captures, as far as they tell how
    they ended, by URL and mode.
    """

    ended: dict[tuple[str, Mode], Capture] = field(default_factory=dict)
    home: PageFacts | None = None
    second_level: list[PageFacts] = field(default_factory=list)
    titles: list[Title] = field(default_factory=list)
    not_found: set[str] = field(default_factory=set)
    leads: Mapping[str, Lead] = field(default_factory=dict)

    @classmethod
    def of(cls, place: Place, run_id: int, plan: SitePlan, known: Known = nothing_known) -> Captured:
        """Read what the run has of a site."""
        visits = [visit for visit in place.repository.visits(run_id, plan.site.id) if not visit.revisit]
        captured = cls()

        def look_up(urls: Collection[str]) -> list[Capture]:
            captures = place.repository.captures(run_id, plan.site.id, urls)
            captured.ended.update(((capture.url, capture.mode), _ending(capture)) for capture in captures)
            return captures

        reader = PageReader(look_up, place.evidence.read_payload, plan.day, known)
        captured.leads = gather(captured._read(reader, plan, visits))
        return captured

    def _read(self, reader: PageReader, plan: SitePlan, visits: Sequence[Visit]) -> Iterator[PageFacts]:
        columns = {(unit.id, column.id): column for unit, column in plan.columns}
        for number, visit in enumerate(visits):
            if not number % PAGES_AT_ONCE:
                reader.look_up(visits[number : number + PAGES_AT_ONCE])
            if visit.role is PageRole.ATTACHMENT:
                continue
            facts = reader.page(visit, columns.get((str(visit.unit_id), str(visit.column_id)))).facts
            if facts is not None:
                self._note(visit, facts)
                yield facts

    @property
    def captures(self) -> list[Capture]:
        """How the captures ended, by URL and mode."""
        return [self.ended[key] for key in sorted(self.ended)]

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


@dataclass(frozen=True, slots=True)
class Probing:
    """What the probes of all sites of a process have in common.

    A host that `is_taken` is not asked until it is free again; `hosts` keep each host's pace.
    """

    place: Place
    run_id: int
    hosts: Hosts
    is_taken: Callable[[str], bool] = nobody
    known: Known = nothing_known

    def probe(self, plans: Iterable[SitePlan], recorder: Recorder, answered: Iterable[Probe] = ()) -> Iterator[str]:
        """Probe sites after their capture, several at a time, and yield each one's id once its answers are kept.

        What an interrupted attempt learnt of links, the probes `answered`, is kept; all else is asked anew. Whatever
        one site's questions raise is raised.
        """
        links = [probe for probe in answered if probe.kind is ProbeKind.LINK]
        asking, left, asked = set[str](), deque(plans), queue.SimpleQueue[Answer]()
        while left or asking:
            while left and len(asking) < AT_ONCE:
                plan = left.popleft()
                asking.add(plan.site.id)
                known = [probe for probe in links if probe.site_id == plan.site.id]
                self._begin(plan, recorder, known, asked)
            match asked.get():
                case Probe() as probe:
                    recorder.probe(probe)
                case Exception() as error:
                    raise error
                case site_id:
                    asking.remove(site_id)
                    recorder.flush()
                    yield site_id

    def _begin(
        self, plan: SitePlan, recorder: Recorder, known: Sequence[Probe], asked: queue.SimpleQueue[Answer]
    ) -> None:
        """Have a site's questions put by a thread of its own: its host's pace makes it wait most of the time.

        Only that thread may be late; database and evidence are this one's.
        """
        self.place.repository.forget_probes(self.run_id, plan.site.id)
        recorder.keep_again(probes=known)
        recorder.flush()
        captured = Captured.of(self.place, self.run_id, plan, self.known)
        probes = self._probes(plan, captured, {probe.target for probe in known})

        def put() -> None:
            try:
                for probe in probes:
                    asked.put(probe)
                asked.put(plan.site.id)
            except Exception as error:  # noqa: BLE001 - it is raised where the answers are awaited
                asked.put(error)

        threading.Thread(target=put, daemon=True).start()  # one that waits for its turn must not hold up an end

    def _probes(self, plan: SitePlan, captured: Captured, asked: Collection[str]) -> Iterator[Probe]:
        """Return every probe of a site but those of the links `asked` for; they are made as they are taken."""
        settings, checks = plan.settings, self.place.configuration.rules.checks
        names = Names(settings.resolver, settings.allow_private_addresses)
        manners = Manners(plan.site, settings, names, _now, is_taken=self.is_taken, hosts=self.hosts)
        leads = draw(
            unanswered(captured.leads, captured.captures, captured.not_found),
            settings.links_per_site,
            home=manners.home,
            day=plan.day,
            seed=plan.seed,
            dead_before=_dead_before(self.place, self.run_id, plan),
        )
        home = captured.home
        return chain(
            probe_ipv6(manners, home, captured.second_level, rule=checks.ipv6, seed=plan.seed),
            probe_certificate(manners),
            probe_search(manners, home, choose(captured.titles, day=plan.day, rule=checks.site_search, seed=plan.seed)),
            probe_links(manners, [lead for lead in leads if lead.url not in asked], home, seed=plan.seed),
        )


def _ending(capture: Capture) -> Capture:
    """Leave out what no probe asks about, of a large site most of what its captures are."""
    told = tuple((name, value) for name, value in capture.headers if name == "content-type")
    return replace(capture, redirects=(), headers=told, evidence=None)


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


def _now() -> datetime:
    return datetime.now(UTC)
