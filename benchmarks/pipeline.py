"""The whole night on a fast portal, held against a crawl that only downloads: speed, processor time, memory.

Everything is measured in one run on one machine, a command at a time, each from its start to its end. Pages are served
on loopback by a process of its own, at no pace limit. What the numbers are held to stands in GOALS.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import Spent, inspect, night, ran, ran_command, told
from benchmarks.portal import COLUMNS, DAY, Portal, served, write_configuration
from checks.facts.dom import parse
from checks.facts.model import PageFacts, PageKind
from checks.facts.page import read_page
from checks.model import Bundle, Capture, ColumnVisit, Mode, Page, PageRole, Visit
from checks.registry import judge, judge_page
from config.loader import load
from config.schema import Column, Unit
from inspection.read_pages import packed, unpacked
from storage.database import open_database, upgrade
from storage.evidence import EvidenceStore
from storage.model import RunKind
from storage.repository import Repository

PAGES = 4200
LINKED_PAGES = 1000  # by LinkExtractor, which is slow
CHECKED_PAGES = Portal.of(1).pages  # by linkchecker, which is slower by far
SAMPLED_ARTICLES = 9  # of each column of a unit: the pages of which each part is measured by itself
HOME = "http://portal.test/"
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
        checked = _checked(Path(folder))
        first = told("全流程，第一夜", portal.pages, night(Path(folder), 0))
        second = told("全流程，没有变化的第二夜", portal.pages, night(Path(folder), 1))
    helped = min(inspect(Path(folder), "--help").seconds for _ in range(5))
    speed = portal.pages / first.seconds
    ratios = {
        "bare": speed / (portal.pages / bare.seconds),
        "links": speed / (few / links.seconds),
        "second": second.processor / first.processor,
        "help": helped,
    }
    print(f"与只下载之比 {ratios['bare']:.2f}（目标至少 {GOALS['bare']}）")
    print(f"与 LinkExtractor 之比 {ratios['links']:.1f}（目标至少 {GOALS['links']:.0f}）")
    if checked is not None:
        print(f"与 linkchecker 之比 {speed * checked / CHECKED_PAGES:.0f}（只作参考，没有目标）")
    print(f"第二夜与第一夜的处理器时间之比 {ratios['second']:.2f}（目标至多 {GOALS['second']}）")
    print(f"inspect --help {helped:.2f} s（目标至多 {GOALS['help']} s）")
    _parts(portal, bare)
    fast = ratios["bare"] >= GOALS["bare"] and ratios["links"] >= GOALS["links"]
    return fast and ratios["second"] <= GOALS["second"] and helped <= GOALS["help"]


def _checked(folder: Path) -> float | None:
    """Return the seconds that linkchecker takes for a portal of CHECKED_PAGES pages; None where it is not installed."""
    program = Path(sys.executable).with_name("linkchecker")
    if not program.exists():
        print("没有装 linkchecker，略过与它的比较；make bench 会装上它，也可以自行把 LinkChecker 装进 .venv。")
        return None
    manners = folder / "linkcheckerrc"
    manners.write_text("[checking]\nthreads=16\nmaxrequestspersecond=1000000\n")
    with served(CHECKED_PAGES) as home:
        command = [str(program), "--config", str(manners), "--no-status", "--output", "none", home]
        some_dead = 0, 1  # the portal's pictures are none
        return told("linkchecker", CHECKED_PAGES, ran_command(command, some_dead)).seconds


# ---------------------------------------------------------------- part by part


def _parts(portal: Portal, bare: Spent) -> None:
    """Print what each part of a page costs by itself, in processor time."""
    sample = list(_sample(portal))
    told = {"content_type": "text/html; charset=utf-8"}
    facts = {url: read_page(body, url=url, kind=kind, as_of=DAY, **told) for url, body, kind in sample}
    content = {url: packed(read) for url, read in facts.items()}
    print(f"一页的处理器时间，分部分单独测（{len(sample)} 页平均）")
    _told_part("下载（只下载的采集）", bare.processor / portal.pages)
    _part("解析", sample, lambda one: parse(one[1], url=one[0], **told))
    _part("读出事实，含解析", sample, lambda one: read_page(one[1], url=one[0], kind=one[2], as_of=DAY, **told))
    _part("留存读过的事实", sample, lambda one: packed(facts[one[0]]))
    _part("取回读过的事实", sample, lambda one: unpacked(content[one[0]]))
    with tempfile.TemporaryDirectory() as folder:
        write_configuration(Path(folder, "config"), portal.pages, HOME)
        configuration = load(Path(folder, "config"))
        rules = configuration.rules
        _part("单页检查", sample, lambda one: judge_page(facts[one[0]], rules, day=DAY))
        started = time.process_time()
        judge(_bundle(configuration.inventory.units[0], facts), rules)
        _told_part("一个单位的全部检查，含单页检查", (time.process_time() - started) / len(sample))
        _storage_parts(Path(folder), sample)


def _storage_parts(folder: Path, sample: Sequence[Asked]) -> None:
    captures: list[Capture] = []
    moment, headers = datetime.now(UTC), (("content-type", "text/html; charset=utf-8"),)
    with EvidenceStore(folder).writer(1, "bench") as writer:

        def keep(one: Asked) -> None:
            capture = Capture("portal", one[0], Mode.STATIC, moment, one[0], status=200, headers=headers)
            reference = writer.write_exchange(capture, (), "HTTP/1.1 200 OK", headers, one[1])
            captures.append(replace(capture, evidence=reference))

        _part("写入证据", sample, keep)
    database = open_database(f"sqlite:///{folder / 'bench.sqlite3'}")
    upgrade(database)
    repository = Repository(database)
    digests = dict.fromkeys(("inventory", "rules", "indicators"), "")
    run = repository.create_run(kind=RunKind.SPOT, day=DAY, seed="", rules_version="", digests=digests)
    started = time.process_time()
    repository.add_captured(run.id, captures)
    _told_part("写入数据库（成批）", (time.process_time() - started) / len(sample))
    started = time.process_time()
    repository.captures(run.id, "portal")
    _told_part("从数据库取回", (time.process_time() - started) / len(sample))
    database.close()


def _sample(portal: Portal) -> Iterator[Asked]:
    """Yield pages of the first unit, as a night has them: the list of each column, then its articles."""
    for column in range(len(COLUMNS)):
        of_column = [f"0/{column}/", *(f"0/{column}/{number}.html" for number in range(SAMPLED_ARTICLES))]
        for path, kind in zip(of_column, (PageKind.COLUMN, *[PageKind.ARTICLE] * SAMPLED_ARTICLES), strict=True):
            body = portal.answer(path)
            assert body is not None
            yield HOME + path, body, kind


def _bundle(unit: Unit, facts: Mapping[str, PageFacts]) -> Bundle:
    """Return the sample as a night has it judged: with the pages of every column in their places."""

    def page(url: str, column: Column, role: PageRole, order: int) -> Page:
        visit = Visit("portal", url, role, order, unit.id, column.id)
        capture = Capture("portal", url, Mode.STATIC, datetime.now(UTC), url, status=200)
        return Page(visit, (capture,), facts=facts[url], capture=capture)

    visits = [
        ColumnVisit(
            column,
            unit,
            pages=(page(str(column.url), column, PageRole.COLUMN, 0),),
            articles=tuple(
                page(f"{column.url}{number}.html", column, PageRole.ARTICLE, number)
                for number in range(SAMPLED_ARTICLES)
            ),
        )
        for column in unit.columns
    ]
    return Bundle(day=DAY, unit=unit, columns=tuple(visits))


def _part(name: str, sample: Sequence[Asked], step: Callable[[Asked], object]) -> None:
    started = time.process_time()
    for one in sample:
        step(one)
    _told_part(name, (time.process_time() - started) / len(sample))


def _told_part(name: str, seconds: float) -> None:
    print(f"  {name:<16} {seconds * 1000:6.2f} ms")
