"""The whole night on a fast portal, held against a crawl that only downloads: speed, processor time, memory.

Everything is measured in one run on one machine, a command at a time, each from its start to its end. Pages are served
on loopback by a process of its own, at no pace limit. What the numbers are held to stands in GOALS.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import night, ran, told
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
Asked = tuple[str, bytes, PageKind]


def measure(pages: int = PAGES) -> bool:
    """Measure a portal of about so many pages; returns whether GOALS are met."""
    portal = Portal.of(pages)
    with tempfile.TemporaryDirectory() as folder, served(pages) as home:
        write_configuration(Path(folder, "config"), pages, home)
        bare = told("只下载（Scrapy）", portal.pages, ran("benchmarks.bare_crawl", home, "bare", str(10**9)))
        few = min(LINKED_PAGES, portal.pages)
        links = told("Scrapy 加 LinkExtractor", few, ran("benchmarks.bare_crawl", home, "links", str(few)))
        first = told("全流程，第一夜", portal.pages, night(Path(folder), 0))
        second = told("全流程，没有变化的第二夜", portal.pages, night(Path(folder), 1))
    helped = min(ran("cli.main", "--help").seconds for _ in range(5))
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
