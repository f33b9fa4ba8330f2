"""采集计划: what a run is going to ask for, and why. Pure: the same inventory, day and seed give the same plan."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from checks.facts.model import ListEntry
from config.schema import Column, Crawl, Inventory, Sampling, Site, Unit
from crawler.urls import host_of


@dataclass(frozen=True, slots=True)
class SitePlan:
    """Everything a run wants of one site. `settings` are the limits and manners in force for it."""

    site: Site
    units: tuple[Unit, ...]
    columns: tuple[tuple[Unit, Column], ...]
    day: date
    seed: str
    settings: Crawl

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
    inventory: Inventory, day: date, seed: str, unit_ids: Collection[str] | None = None
) -> tuple[SitePlan, ...]:
    """Return the plan of each site that the units (all of them by default) have columns on, in inventory order."""
    units = [unit for unit in inventory.units if unit_ids is None or unit.id in unit_ids]
    plans = (_plan_site(site, units, inventory.crawl, day, seed) for site in inventory.sites)
    return tuple(plan for plan in plans if plan.columns or unit_ids is None)


def settings_of(site: Site, crawl: Crawl) -> Crawl:
    """Return the crawl settings in force for a site: its own pace and concurrency where it has them."""
    own = {"requests_per_second": site.requests_per_second, "concurrency": site.concurrency}
    return crawl.model_copy(update={name: value for name, value in own.items() if value is not None})


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


def _plan_site(site: Site, units: Sequence[Unit], crawl: Crawl, day: date, seed: str) -> SitePlan:
    columns = tuple((unit, column) for unit in units for column in unit.columns if column.site == site.id)
    owners = tuple(unit for unit in units if any(owner is unit for owner, _ in columns))
    return SitePlan(site, owners, columns, day, seed, settings_of(site, crawl))


def _ranked(entries: Sequence[ListEntry]) -> list[ListEntry]:
    unique: dict[str, ListEntry] = {}
    for entry in entries:
        unique.setdefault(entry.url, entry)
    following, ranks = date.min, dict[str, date]()
    for url, entry in reversed(unique.items()):
        ranks[url] = following = entry.date or following
    return sorted(unique.values(), key=lambda entry: ranks[entry.url], reverse=True)
