"""The country, made up: many sites on loopback addresses of their own, in one night, at the pace of small servers.

Each site answers at an address 127.x.y.z of its own, and is asked at most once a second, two requests at once: the
logs of the servers say whether, not ours. Of each site twenty pages are read, four lists and what is drawn from them,
and its home page; all sites have the pages of the benchmarks' portal. The links of pages are not tried on a night of
so many sites (links_per_site = 0). The servers, a process a core, work on the same machine.

`python -m benchmarks.country PORT LOG` is such a server: it says a line once it listens, writes a line for each request
to LOG (seconds, address, path), and ends when its input closes.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

from benchmarks.measuring import night, told
from benchmarks.portal import COLUMNS, Connection, Portal, write_beside_our_rules

SITES = 14_000
LISTS, NEWEST, OLDER = 4, 3, 1
PAGES = 1 + LISTS * (1 + NEWEST + OLDER)  # of a site
PER_SECOND, AT_ONCE = 1, 2  # requests of one site
WINDOWS = 1, 10, 60  # seconds in which requests are counted
GROWTH = 1.3  # of memory, the last quarter's peak to the first's
# The bound in seconds: to start, and for 1 000 pages what all cores share (the crawl) and what one core does (the rest)
STARTING, SHARED, ALONE = 60.0, 16.0, 4.0
SITES_OF_A_PROCESS = 250  # at a request a second they keep a core busy
_FIRST = int(IPv4Address("127.1.0.1"))


@dataclass(frozen=True, slots=True)
class Pace:
    """What the servers' logs say: how many requests of how many sites, and the most of one site in each of WINDOWS."""

    requests: int
    sites: int
    most: Mapping[int, int]

    @property
    def kept(self) -> bool:
        """Whether no site was asked more often than its pace allows in any window."""
        return all(count <= AT_ONCE + PER_SECOND * seconds for seconds, count in self.most.items())


def measure(sites: int = SITES) -> bool:
    """Measure a night of so many sites; returns whether pace, bound and memory are kept."""
    cores = os.cpu_count() or 1
    of_1000 = SHARED / cores + ALONE
    bound = STARTING + sites * PAGES / 1000 * of_1000
    print(f"模拟全国：{sites} 个站点，每站 {PAGES} 页，{cores} 个核心", flush=True)
    print(f"上限 {bound:.0f} s：起步 {STARTING:.0f} s，每千页 {of_1000:.1f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        with _served(Path(folder), cores) as port:
            write_beside_our_rules(Path(folder, "config"), _configuration(sites, port, cores))
            spent = told("模拟全国", sites * PAGES, night(Path(folder), 0))
        pace = pace_of(_logged(Path(folder)))
    growth = spent.quarters[3] / spent.quarters[0]
    allowed = "、".join(f"{seconds} 秒 {count} 次" for seconds, count in pace.most.items())
    limits = "、".join(f"{AT_ONCE + PER_SECOND * seconds} 次" for seconds in WINDOWS)
    print(f"服务器日志：{pace.sites} 个站点收到 {pace.requests} 次请求；同一站点最多 {allowed}（上限 {limits}）")
    print(f"每千页 {spent.seconds / sites / PAGES * 1000:.1f} s；共 {spent.seconds:.0f} s（上限 {bound:.0f} s）")
    print(
        f"内存各四分之一段的峰值 {'、'.join(f'{peak:.0f}' for peak in spent.quarters)} MB，"
        f"末段与首段之比 {growth:.2f}（上限 {GROWTH}）"
    )
    return pace.kept and pace.sites == sites and spent.seconds <= bound and growth <= GROWTH


def pace_of(requests: Iterable[tuple[float, str]]) -> Pace:
    """Return the pace of requests, each the seconds and the address asked; in any order."""
    of_site: dict[str, list[float]] = defaultdict(list)
    for moment, address in requests:
        of_site[address].append(moment)
    for moments in of_site.values():
        moments.sort()
    most = {seconds: max((_most(moments, seconds) for moments in of_site.values()), default=0) for seconds in WINDOWS}
    return Pace(sum(map(len, of_site.values())), len(of_site), most)


def _most(moments: Sequence[float], seconds: float) -> int:
    """Return how many of the moments, which are in order, lie in one such time."""
    most = begin = 0
    for end, moment in enumerate(moments):
        while moments[begin] <= moment - seconds:
            begin += 1
        most = max(most, end + 1 - begin)
    return most


# ---------------------------------------------------------------- the configuration


def _configuration(sites: int, port: int, cores: int) -> str:
    head = f"""[district]
name = "全国"
division_code = "100000"

[crawl]
contact = "测速"
requests_per_second = {PER_SECOND}
concurrency = {AT_ONCE}
allow_private_addresses = ["127.0.0.0/8"]
screenshots_per_unit = 0
links_per_site = 0
batch_sites = {SITES_OF_A_PROCESS}
processes = {min(16, 2 * cores)}
render = "never"

[crawl.sampling]
newest = {NEWEST}
older = {OLDER}
"""
    return head + "".join(_site(number, f"http://{IPv4Address(_FIRST + number)}:{port}/") for number in range(sites))


def _site(number: int, home: str) -> str:
    columns = "".join(
        f'[[unit.column]]\nid = "c{place}"\ntype = "{kind}"\nname = "{name}"\nsite = "s{number}"\n'
        f'url = "{home}0/{place}/"\nconfirmed = true\n'
        for place, (kind, name) in enumerate(COLUMNS[:LISTS])
    )
    return (
        f'\n[[site]]\nid = "s{number}"\nname = "第{number + 1}网站"\nhome = "{home}"\nconfirmed = true\n'
        f'\n[[unit]]\nid = "u{number}"\nname = "第{number + 1}局"\nkind = "department"\n{columns}'
    )


# ---------------------------------------------------------------- the servers


@contextmanager
def _served(folder: Path, cores: int) -> Iterator[int]:
    """Serve every address of 127.0.0.0/8 at one port, from a process a core, and yield the port."""
    with ExitStack() as stack:
        kept = stack.enter_context(_listening(0))
        port = int(kept.getsockname()[1])
        for number in range(cores):
            stack.enter_context(_server(port, folder / f"requests-{number}.log"))
        kept.close()  # else it would be given connections too
        yield port


@contextmanager
def _server(port: int, log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.country", str(port), str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            server.stdout.readline()
            yield
        finally:
            server.stdin.close()


def _listening(port: int) -> socket.socket:
    """Return a socket bound to a port of every address; the system spreads connections over those that listen."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("0.0.0.0", port))
    return bound


def _logged(folder: Path) -> Iterator[tuple[float, str]]:
    for path in folder.glob("requests-*.log"):
        with path.open() as log:
            for line in log:
                moment, address, _ = line.split(" ", 2)
                yield float(moment), address


class _Alike(Portal):
    """A portal that makes each page once."""

    answer = cache(Portal.answer)


async def _serve(port: int, log: Path) -> None:
    loop, portal = asyncio.get_running_loop(), _Alike(1)
    with log.open("w") as requests, _listening(port) as bound:

        def note(address: str, path: str) -> None:
            requests.write(f"{time.monotonic():.4f} {address} {path}\n")

        server = await loop.create_server(lambda: Connection(portal, note), sock=bound, backlog=4096)
        print("ready", flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
        server.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
