"""采集计划: what a run is going to ask for, and why. Pure: the same inventory, day and seed give the same plan."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from checks.facts.model import ListEntry
from checks.model import Revisit
from config.schema import Column, Crawl, Inventory, Sampling, Site, Unit
from crawler.urls import InvalidUrl, host_of, normalise, same_site

_OWN = ("requests_per_second", "concurrency", "pace", "requests_per_day", "bytes_per_day")


@dataclass(frozen=True, slots=True)
class SitePlan:
    """Everything a run wants of one site. `settings` are the limits and manners in force for it; `revisits` the pages
    that are asked for again once the sample is in."""

    site: Site
    units: tuple[Unit, ...]
    columns: tuple[tuple[Unit, Column], ...]
    day: date
    seed: str
    settings: Crawl
    revisits: tuple[Revisit, ...] = ()

    @property
    def asked(self) -> tuple[tuple[Unit, Column], ...]:
        """The columns whose address is known."""
        return tuple((unit, column) for unit, column in self.columns if column.url)

    @property
    def unconfirmed(self) -> tuple[tuple[Unit, Column], ...]:
        """The columns nobody has found yet: never asked for, and said so."""
        return tuple((unit, column) for unit, column in self.columns if not column.url)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One article that is going to be read. `order` is its rank in the list, newest 0; `reason` is Chinese."""

    entry: ListEntry
    order: int
    reason: str


def plan_run(
    inventory: Inventory,
    day: date,
    seed: str,
    unit_ids: Collection[str] | None = None,
    revisits: Collection[Revisit] = (),
) -> tuple[SitePlan, ...]:
    """Return the plan of each site that the units (all of them by default) have columns on, in inventory order."""
    wanted = None if unit_ids is None else set(unit_ids)
    columns: dict[str, list[tuple[Unit, Column]]] = {}
    for unit in inventory.units:
        for column in unit.columns if wanted is None or unit.id in wanted else ():
            columns.setdefault(column.site, []).append((unit, column))
    sites = {(unit.id, column.id): site for site, here in columns.items() for unit, column in here}
    again: dict[str | None, list[Revisit]] = {}
    for revisit in revisits:
        again.setdefault(sites.get((revisit.unit_id, revisit.column_id)), []).append(revisit)
    plans = (
        _plan_site(site, columns.get(site.id, ()), inventory.crawl, day, seed, again.get(site.id, ()))
        for site in inventory.sites
    )
    return tuple(plan for plan in plans if plan.columns or unit_ids is None)


def choose_revisits(inventory: Inventory, wanted: Sequence[Revisit]) -> tuple[Revisit, ...]:
    """Return those of the revisits that may be made, in their order: at most `revisits_per_unit` pages a unit.

    A page is asked for only on the site of its column, where that still has an address: what stands elsewhere others
    publish. Home pages and columns' own are asked for anyway. Faults that share a page cost one.
    """
    columns = {(unit.id, column.id): column for unit in inventory.units for column in unit.columns}
    sites = {site.id: site for site in inventory.sites}
    chosen, pages = list[Revisit](), dict[str, set[str]]()
    for revisit in wanted:
        column, of_unit = columns.get((revisit.unit_id, revisit.column_id)), pages.setdefault(revisit.unit_id, set())
        if column is None or column.url is None or not _is_inside(sites[column.site], column, revisit.url):
            continue
        if revisit.url in of_unit or len(of_unit) < inventory.crawl.revisits_per_unit:
            of_unit.add(revisit.url)
            chosen.append(revisit)
    return tuple(chosen)


def _is_inside(site: Site, column: Column, url: str) -> bool:
    """Whether it is the normalised address of a page of the site that no plan holds by itself."""
    try:
        own = {normalise(site.home), normalise(str(column.url))}
        return normalise(url) == url and same_site(url, site.home) and url not in own
    except InvalidUrl:
        return False


def settings_of(site: Site, crawl: Crawl) -> Crawl:
    """Return the crawl settings in force for a site: its own pace, concurrency and budget where it has them.

    A site with a pace of its own does not have the hours of the others.
    """
    own = {name: getattr(site, name) for name in _OWN}
    if site.requests_per_second is not None and site.pace is None:
        own["pace"] = ()
    differing = {name: value for name, value in own.items() if value is not None}
    return crawl.model_copy(update=differing) if differing else crawl


def draw_articles(entries: Sequence[ListEntry], sampling: Sampling, seed_key: str) -> tuple[Drawn, ...]:
    """Return the newest n entries and k of the rest, drawn by a hash of seed and address: same input, same draw.

    Entries are ranked by date, newest first; one without a date keeps its place above the next that has one, so that a
    pinned item is read rather than taken for the oldest.
    """
    ranked = _ranked(entries)
    newest, older = ranked[: sampling.newest], ranked[sampling.newest :]
    lots = sorted(older, key=lambda entry: hashlib.sha256(f"{seed_key}\n{entry.url}".encode()).digest())
    reasons = {entry.url: f"最新 {i}/{len(newest)}" for i, entry in enumerate(newest, start=1)}
    for i, entry in enumerate(lots[: sampling.older], start=1):
        reasons[entry.url] = f"抽样 {i}/{len(older)}，种子 {seed_key}"
    return tuple(Drawn(entry, order, reasons[entry.url]) for order, entry in enumerate(ranked) if entry.url in reasons)


def batches(plans: Sequence[SitePlan], batch_sites: int) -> Iterator[tuple[SitePlan, ...]]:
    """Yield the plans in batches for child processes, the largest sites first and spread over the batches.

    Sites that share a host stay together: two processes would ask it at twice the pace.
    """
    groups = by_host(plans)
    count = min(-(-len(plans) // batch_sites), len(groups))
    for start in range(count):
        yield tuple(plan for group in groups[start::count] for plan in group)


def by_host(plans: Sequence[SitePlan]) -> list[tuple[SitePlan, ...]]:
    """Return the plans of each host together, those with the most columns first."""
    groups: dict[str, list[SitePlan]] = {}
    for plan in order_sites(plans):
        groups.setdefault(host_of(plan.site.home), []).append(plan)
    return [tuple(group) for group in groups.values()]


def order_sites(plans: Sequence[SitePlan]) -> tuple[SitePlan, ...]:
    """Return the plans with the most columns first: what takes longest starts first."""
    return tuple(sorted(plans, key=lambda plan: -len(plan.asked)))


def _plan_site(
    site: Site,
    columns: Iterable[tuple[Unit, Column]],
    crawl: Crawl,
    day: date,
    seed: str,
    revisits: Iterable[Revisit],
) -> SitePlan:
    own = tuple(columns)
    owners = {unit.id: unit for unit, _ in own}
    return SitePlan(site, tuple(owners.values()), own, day, seed, settings_of(site, crawl), tuple(revisits))


def _ranked(entries: Sequence[ListEntry]) -> list[ListEntry]:
    unique: dict[str, ListEntry] = {}
    for entry in entries:
        unique.setdefault(entry.url, entry)
    following, ranks = date.min, dict[str, date]()
    for url, entry in reversed(unique.items()):
        ranks[url] = following = entry.date or following
    return sorted(unique.values(), key=lambda entry: ranks[entry.url], reverse=True)
