"""The whole night on a fast portal, held against a crawl that only downloads: speed, processor time, memory.

Everything is measured in one run on one machine, a command at a time, each from its start to its end. Pages are served
on loopback by a process of its own, at no pace limit. What the numbers are held to stands in GOALS.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.portal import DAY, Portal, served, write_configuration
from checks.facts.dom import parse
from checks.facts.model import PageKind
from checks.facts.page import read_page
from checks.model import Capture, Mode
from checks.registry import judge_page
from config.loader import load
from inspection.read_pages import packed, unpacked
from storage.database import open_database, upgrade
from storage.evidence import EvidenceStore
from storage.model import RunKind
from storage.repository import Repository

PAGES = 4200
LINKED_PAGES = 1000  # by LinkExtractor, which is slow
SAMPLED = 100  # pages of which each part is measured by itself
GOALS = {"bare": 0.7, "links": 5.0, "second": 0.15, "help": 0.4}
_SECONDS = 0.1  # between two looks at memory
Asked = tuple[str, bytes, PageKind]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command took: seconds, processor seconds, MB of all its processes together and of the largest."""

    seconds: float
    processor: float
    together: float
    largest: float
    said: str


def measure(pages: int = PAGES) -> bool:
    """Measure a portal of about so many pages; returns whether GOALS are met."""
    portal = Portal.of(pages)
    with tempfile.TemporaryDirectory() as folder, served(pages) as home:
        write_configuration(Path(folder, "config"), pages, home)
        bare = _told("只下载（Scrapy）", portal.pages, _ran("benchmarks.bare_crawl", home, "bare", str(10**9)))
        few = min(LINKED_PAGES, portal.pages)
        links = _told("Scrapy 加 LinkExtractor", few, _ran("benchmarks.bare_crawl", home, "links", str(few)))
        first = _told("全流程，第一夜", portal.pages, _night(Path(folder), 0))
        second = _told("全流程，没有变化的第二夜", portal.pages, _night(Path(folder), 1))
    helped = min(_ran("cli.main", "--help").seconds for _ in range(5))
    speed = portal.pages / first.seconds
    ratios = {
        "bare": speed / (portal.pages / bare.seconds),
        "links": speed / (few / links.seconds),
        "second": second.processor / first.processor,
        "help": helped,
    }
    print(f"与只下载之比 {ratios['bare']:.2f}（目标至少 {GOALS['bare']}）")
    print(f"与 LinkExtractor 之比 {ratios['links']:.1f}（目标至少 {GOALS['links']:.0f}）")
    print(f"第二夜与第一夜的处理器时间之比 {ratios['second']:.2f}（目标至多 {GOALS['second']}）")
    print(f"inspect --help {helped:.2f} s（目标至多 {GOALS['help']} s）")
    _parts(portal)
    fast = ratios["bare"] >= GOALS["bare"] and ratios["links"] >= GOALS["links"]
    return fast and ratios["second"] <= GOALS["second"] and helped <= GOALS["help"]


def _told(name: str, pages: int, spent: Spent) -> Spent:
    each = spent.processor / pages * 1000
    print(
        f"{name:<16} {pages} 页　{spent.seconds:6.1f} s　{pages / spent.seconds:6.1f} 页/s　处理器 {each:5.1f} ms/页"
        f"　内存合计 {spent.together:.0f} MB，最大进程 {spent.largest:.0f} MB",
        flush=True,
    )
    return spent


# ---------------------------------------------------------------- commands


def _night(folder: Path, number: int) -> Spent:
    day = (DAY + timedelta(days=number)).isoformat()
    own = {"INSPECT_CONFIG": str(folder / "config"), "INSPECT_DATA": str(folder / "data")}
    return _ran("cli.main", "run", "--date", day, **own)


def _ran(module: str, *arguments: str, **environment: str) -> Spent:
    """Run a module to its end; raises SystemExit where it fails."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, env=inherited | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watch = _MemoryWatch(process.pid)
    said, failed = process.communicate()
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    watch.end()
    if process.returncode not in (0, 3):  # 3: units without a score, for the made-up portal lacks columns
        raise SystemExit(f"{module} 返回 {process.returncode}：{failed.decode(errors='replace')[-2000:]}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(seconds, spent, watch.together, watch.largest, said.decode(errors="replace"))


class _MemoryWatch:
    """Looks now and then at the memory of a process and its children, without browsers: what they share counts once."""

    def __init__(self, pid: int) -> None:
        self.together, self.largest = 0.0, 0.0
        self._pid, self._ended = pid, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SECONDS):
            sizes = [size for pid in (self._pid, *_descendants(self._pid)) if (size := _memory(pid))]
            self.together = max(self.together, sum(sizes))
            self.largest = max(self.largest, *sizes, 0.0)


def _descendants(pid: int) -> Iterator[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended
        return
    for child in children:
        yield child
        yield from _descendants(child)


def _memory(pid: int) -> float:
    try:
        if "chrom" in Path(f"/proc/{pid}/comm").read_text():
            return 0.0
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


# ---------------------------------------------------------------- part by part


def _parts(portal: Portal) -> None:
    """Print what each part of a page costs by itself, in processor time."""
    sample = list(_sample(portal))
    told = {"content_type": "text/html; charset=utf-8"}
    facts = {url: read_page(body, url=url, kind=kind, as_of=DAY, **told) for url, body, kind in sample}
    content = {url: packed(read) for url, read in facts.items()}
    rules = load(Path("config")).rules
    print(f"一页的处理器时间，分部分单独测（{len(sample)} 页平均）")
    _part("解析", sample, lambda one: parse(one[1], url=one[0], **told))
    _part("读出事实，含解析", sample, lambda one: read_page(one[1], url=one[0], kind=one[2], as_of=DAY, **told))
    _part("留存读过的事实", sample, lambda one: packed(facts[one[0]]))
    _part("取回读过的事实", sample, lambda one: unpacked(content[one[0]]))
    _part("单页检查", sample, lambda one: judge_page(facts[one[0]], rules, day=DAY))
    with tempfile.TemporaryDirectory() as folder:
        _storage_parts(Path(folder), sample)


def _storage_parts(folder: Path, sample: Sequence[Asked]) -> None:
    captures: list[Capture] = []
    moment, headers = datetime.now(UTC), (("content-type", "text/html; charset=utf-8"),)
    with EvidenceStore(folder).writer(1, "bench") as writer:

        def keep(one: Asked) -> None:
            capture = Capture("portal", one[0], Mode.STATIC, moment, one[0], status=200, headers=headers)
            writer.write_exchange(capture, (), "HTTP/1.1 200 OK", headers, one[1])
            captures.append(capture)

        _part("写入证据", sample, keep)
    database = open_database(f"sqlite:///{folder / 'bench.sqlite3'}")
    upgrade(database)
    repository = Repository(database)
    digests = dict.fromkeys(("inventory", "rules", "indicators"), "")
    run = repository.create_run(kind=RunKind.SPOT, day=DAY, seed="", rules_version="", digests=digests)
    started = time.process_time()
    repository.add_captured(run.id, captures)
    print(f"  {'写入数据库（成批）':<16} {(time.process_time() - started) / len(sample) * 1000:6.2f} ms")
    database.close()


def _sample(portal: Portal) -> Iterator[Asked]:
    """Yield pages of the portal: a list, then its articles, as a night has them."""
    paths = [(f"/0/{column}/", PageKind.COLUMN) for column in range(5)]
    paths += [(f"/0/{number % 10}/{number // 10}.html", PageKind.ARTICLE) for number in range(SAMPLED - len(paths))]
    for path, kind in paths:
        body = portal.answer(path)
        assert body is not None
        yield f"http://portal.test{path}", body, kind


def _part(name: str, sample: Sequence[Asked], step: Callable[[Asked], object]) -> None:
    started = time.process_time()
    for one in sample:
        step(one)
    print(f"  {name:<16} {(time.process_time() - started) / len(sample) * 1000:6.2f} ms")
