"""Where manners and storage meet: each host's book while a run asks, and afterwards what it says of the run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from zoneinfo import ZoneInfo

from checks.model import REFUSALS, FailureKind
from crawler.hosts import Hosts, host_rules
from crawler.politeness import user_agent
from crawler.urls import host_of
from inspection.place import Place
from reports.politeness import HostStatement, Politeness, Slow, Unread
from storage.errors import DatabaseLocked, DatabaseUnreachable
from storage.host_visits import HostVisitStore, KeptVisits
from storage.model import Run

SHOWN_SLOW = 5
KEPT_EVERY_SECONDS = 30.0
_KEPT_FROM_US = (
    *REFUSALS,
    FailureKind.ADDRESS_REFUSED,
    FailureKind.SCHEME_REFUSED,
    FailureKind.BUDGET_EXHAUSTED,
)
_LET_IN = (FailureKind.BLOCKED, FailureKind.RATE_LIMITED)


def hosts_of(place: Place) -> Hosts:
    """Return the book of all hosts, shared by the processes of this machine."""
    inventory = place.configuration.inventory
    rules = host_rules(inventory.sites, inventory.crawl)
    zone = ZoneInfo(inventory.district.timezone)
    return Hosts(inventory.crawl, rules, place.settings.data / "hosts", zone)


class VisitLog:
    """Keeps with the run what one process asks of hosts: as often as it is told to, and along the way, so that one
    that is killed has said nearly all of it."""

    def __init__(self, place: Place, run_id: int, name: str, hosts: Hosts) -> None:
        self._database, self._run_id, self._hosts = place.database, run_id, hosts
        self._store, self._kept = HostVisitStore(place.database), time.monotonic()
        self._source = f"{name}-{os.getpid()}-{time.time_ns()}"  # one that takes up a dead one's work adds to it

    def keep(self) -> None:
        """Keep what was asked so far; raises StorageError."""
        self._hosts.settle()
        self._store.keep(self._run_id, self._source, (KeptVisits(**asdict(asked)) for asked in self._hosts.visits()))
        self._kept = time.monotonic()

    def keep_along(self) -> None:
        """Keep what was asked so far unless that was just done; where the database does not answer, the next time."""
        if time.monotonic() - self._kept < KEPT_EVERY_SECONDS:
            return
        self._kept = time.monotonic()
        with suppress(DatabaseUnreachable, DatabaseLocked), self._database.at_once():
            self.keep()


def politeness_of(place: Place, run: Run) -> Politeness:
    """Return how the run went about; raises StorageError."""
    store, inventory = HostVisitStore(place.database), place.configuration.inventory
    names = {site.id: site.name for site in inventory.sites}
    by_host: dict[str, list[str]] = {}
    for site in inventory.sites:
        by_host.setdefault(host_of(site.home), []).append(site.name)
    counts = store.unread(run.id, [kind.code for kind in _KEPT_FROM_US])
    order = [kind.code for kind in _KEPT_FROM_US]
    unread = [
        (code, Unread(names.get(site, site), FailureKind.of(code).title, pages))
        for (site, code), pages in sorted(counts.items(), key=lambda item: (order.index(item[0][1]), -item[1], item[0]))
    ]
    means = sorted(store.mean_seconds(run.id).items(), key=lambda item: (-item[1], item[0]))
    let_in = [one for code, one in unread if FailureKind.of(code) in _LET_IN]
    return Politeness(
        statements=tuple(
            HostStatement(sites=tuple(by_host.get(asked.host, ())), **asdict(asked))
            for asked in sorted(store.of_run(run.id), key=lambda asked: (asked.host not in by_host, asked.host))
        ),
        unread=tuple(one for _, one in unread),
        slow_sites=tuple(Slow(names.get(site, site), seconds) for site, seconds in means[:SHOWN_SLOW]),
        slow_pages=tuple(
            Slow(names.get(page.site_id, page.site_id), page.elapsed, page.url)
            for page in store.slowest(run.id, SHOWN_SLOW)
        ),
        warnings=_warnings(place, let_in, [one for code, one in unread if code == FailureKind.ROBOTS_UNREADABLE.code]),
    )


def _warnings(place: Place, kept_out: list[Unread], unreadable: Iterable[Unread]) -> tuple[str, ...]:
    crawl = place.configuration.inventory.crawl
    said = [f"{one.sentence}，隔开时间再试仍然如此，没有看到，不算任何单位的错。" for one in kept_out]
    if kept_out:
        address = "、".join(crawl.our_addresses) or "本机的出口地址（问网络管理员，写进 [crawl] 的 our_addresses）"
        contact = crawl.contact or "未填写（写进 [crawl] 的 contact）"
        said.append(
            "请网站的管理员把巡查加入白名单："
            f"来源地址 {address}；User-Agent {user_agent(crawl.contact)}；联系方式 {contact}。"
        )
    said += [
        f"{one.sentence}，隔开时间再试仍然如此。请网站修好 robots.txt（没有就返回 404）；"
        "经其同意可在该站点写 robots_override_reason。"
        for one in unreadable
    ]
    return tuple(said)
