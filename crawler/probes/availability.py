"""站点可用性: whether the home page of each site opens in time, and whether it is theirs or our line that is down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from checks.model import FailureKind
from config.schema import Crawl, Site
from crawler.blocks import recognise
from crawler.hosts import Hosts, host_rules
from crawler.names import Names
from crawler.probes.http import Got, Question, exchange
from crawler.probes.manners import Manners
from crawler.urls import host_of

LOOKED_AT = 65_536  # bytes of a home page that are read: enough to know a block page by
AT_ONCE = 8  # sites asked at the same time, each on a host of its own
ENOUGH_HOSTS = 3  # of that many, half failing together is no coincidence
UNSURE_STATUSES = frozenset({*range(300, 404), *range(405, 410), *range(411, 500), 521})

# What a visitor's browser would meet too, by the words that the exchange has for it; any other failure may be ours.
FAILURES = {
    "连接被拒绝": FailureKind.CONNECTION_REFUSED,
    "连接被重置": FailureKind.CONNECTION_LOST,
    "没有应答就断开": FailureKind.CONNECTION_LOST,
    "没有路由": FailureKind.CONNECTION_TIMEOUT,
    "超时": FailureKind.READ_TIMEOUT,
}
NO_NETWORK = "网络不可达"


class Opening(Enum):
    """What a look at a home page came to."""

    OPEN = "打开"
    SHUT = "打不开"
    UNSURE = "不能断定"  # refused to us, perhaps to nobody else
    OURS = "本机网络故障"  # our own outage, which says nothing of the site


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a site's home page; `failure` says what a visitor would meet where it is SHUT."""

    site_id: str
    host: str
    opening: Opening
    failure: FailureKind | None = None


def look_around(
    sites: Iterable[Site],
    controls: Sequence[str],
    *,
    settings: Crawl,
    seconds: float,
    names: Names | None = None,
    hosts: Hosts | None = None,
) -> tuple[Look, ...]:
    """Look once at each site's home page, robots.txt permitting, each given `seconds` to open.

    Failures that the state of our own line may explain come back as OURS; `controls` are addresses of other people's
    sites that are asked for nothing but whether our line is up, and only when much fails.
    """
    limited = settings.model_copy(update={"timeout_seconds": seconds})
    sites = tuple(sites)
    book = hosts or Hosts(limited, host_rules(sites, limited))
    known = names or Names(settings.resolver, settings.allow_private_addresses)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        looks = [look for look in pool.map(lambda site: _look(site, limited, known, book), sites) if look is not None]
    return settle(looks, lambda: any(_answers(url, limited, known) for url in controls))


def settle(looks: Sequence[Look], line_is_up: Callable[[], bool]) -> tuple[Look, ...]:
    """Return the looks with the failures made ours that happened together, unless the line is known to be up.

    They did when every host failed, or half of at least three.
    """
    hosts = {look.host for look in looks if look.opening is not Opening.UNSURE}
    failed = {look.host for look in looks if look.opening in (Opening.SHUT, Opening.OURS)}
    together = failed == hosts or (len(hosts) >= ENOUGH_HOSTS and 2 * len(failed) >= len(hosts))
    if not failed or not together or line_is_up():
        return tuple(looks)
    return tuple(
        replace(look, opening=Opening.OURS, failure=None) if look.opening is Opening.SHUT else look for look in looks
    )


def _look(site: Site, settings: Crawl, names: Names, hosts: Hosts) -> Look | None:
    """Return what a look at the site came to; None where robots.txt keeps us out.

    One that cannot be read keeps nobody out here: whether the server answers is the very question.
    """
    manners = Manners(site, settings, names, lambda: datetime.now(UTC), hosts=hosts)
    if manners.forbids(manners.home):
        return None
    got = manners.ask(Question(manners.home, most_bytes=LOOKED_AT))
    opening, failure = judged(got, in_time=got.seconds <= settings.timeout_seconds)
    return Look(site.id, manners.host, opening, failure)


def judged(got: Got, *, in_time: bool) -> tuple[Opening, FailureKind | None]:
    """Return what an answer means: only what any visitor would meet is a failure.

    A server error, a missing home page, a name that does not exist, a refused or broken connection and an answer past
    the limit are; a refusal (any other 4xx, a firewall's page) may be meant for us alone, and a script's puzzle is
    passed by every browser.
    """
    if got.status is None:
        return _unanswered(got)
    block = recognise(got.status, got.headers, got.body)
    if block is not None and block.script:  # a browser passes, and sees the page
        return (Opening.OPEN, None) if in_time else (Opening.UNSURE, None)
    if block is not None or got.status in UNSURE_STATUSES:
        return Opening.UNSURE, None
    if got.status >= 500:
        return Opening.SHUT, FailureKind.SERVER_ERROR
    if got.status >= 400:
        return Opening.SHUT, FailureKind.NOT_FOUND
    return (Opening.OPEN, None) if in_time else (Opening.SHUT, FailureKind.READ_TIMEOUT)


def _unanswered(got: Got) -> tuple[Opening, FailureKind | None]:
    if got.name_not_found:
        return Opening.SHUT, FailureKind.DNS_NOT_FOUND
    if got.failure is FailureKind.DNS_FAILURE or got.error == NO_NETWORK:
        return Opening.OURS, None  # our resolver, our line
    failure = FAILURES.get(got.error)
    return (Opening.SHUT, failure) if failure else (Opening.UNSURE, None)


def _answers(url: str, settings: Crawl, names: Names) -> bool:
    return bool(host_of(url)) and exchange(Question(url, method="HEAD"), names, settings).status is not None
