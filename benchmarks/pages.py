"""What one page costs, part by part, on the made-up district's pages, in processor time."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from checks.facts.dom import parse
from checks.facts.page import read_page
from checks.model import Bundle, Capture, EvidenceRef, Mode
from checks.registry import CHECKS, judge, judge_page
from config.loader import load
from fixtures.district.render import SiteRenderer
from fixtures.district.world import build
from storage.evidence import EvidenceStore
from tests.fixtures.judging import bundles

DAY = date(2026, 11, 23)
MOST_PAGES = 600
LIMIT = 6.0  # milliseconds of processor time that all rules together may cost on the median page
Sample = tuple[str, bytes, str]  # URL, body, content type


def pages() -> list[Sample]:
    """Return pages of every site of the district, in the order of their addresses."""
    world = build(DAY)
    found = []
    for site in world.sites:
        renderer = SiteRenderer(world, site)
        for path in sorted(renderer.routes)[: MOST_PAGES // len(world.sites)]:
            response = renderer.answer(path)
            if response.status == 200 and "html" in response.content_type:
                found.append((site.origin + path, response.body, response.content_type))
    return found


def measured(name: str, step: Callable[[Sample], object], samples: Iterable[Sample]) -> None:
    """Run a step on every sample and print the median, the 95th percentile and the sum of its processor time."""
    times = []
    for sample in samples:
        started = time.process_time()
        step(sample)
        times.append((time.process_time() - started) * 1000)
    high = statistics.quantiles(times, n=20)[-1]
    print(f"{name:<28} 中位 {statistics.median(times):6.2f} ms　95% {high:6.2f} ms　合计 {sum(times) / 1000:6.2f} s")


def judging() -> float:
    """Judge the district check by check, print what each costs a page, and return the median of all together, in ms.

    A bundle's cost is shared out evenly among its pages.
    """
    rules = load(Path("config")).rules
    of_check: dict[str, float] = {check.META.id: 0.0 for check in CHECKS}
    of_page: list[float] = []
    for bundle in bundles(build(DAY)):
        pages = max(1, page_count(bundle))
        together = 0.0
        for check in CHECKS:
            started = time.process_time()
            judge(bundle, rules, [check])
            spent = (time.process_time() - started) * 1000
            of_check[check.META.id] += spent
            together += spent
        of_page += [together / pages] * pages
    for name, spent in sorted(of_check.items(), key=lambda item: -item[1]):
        print(f"  {name:<26} 每页平均 {spent / len(of_page):6.3f} ms")
    median = statistics.median(of_page)
    print(f"{'全部检查合计':<23} 中位 {median:6.2f} ms　平均 {statistics.mean(of_page):6.2f} ms　上限 {LIMIT} ms")
    return median


def page_count(bundle: Bundle) -> int:
    """Return how many pages and files a bundle holds."""
    of_columns = (len(v.pages) + len(v.articles) + len(v.attachments) for v in bundle.columns)
    return sum(of_columns) + len(bundle.homes) + len(bundle.second_level) + (bundle.home is not None)


def measure() -> bool:
    """Measure parsing, reading, judging and keeping a page; returns whether LIMIT is kept."""
    samples = pages()
    size = statistics.median(len(body) for _, body, _ in samples)
    print(f"{len(samples)} 个页面，大小中位 {size:.0f} 字节；以下为处理器时间")
    rules = load(Path("config")).rules
    facts = {url: read_page(body, url=url, content_type=kind, as_of=DAY) for url, body, kind in samples}
    measured("解析（一次）", lambda s: parse(s[1], url=s[0], content_type=s[2]), samples)
    measured("读出全部事实（含解析）", lambda s: read_page(s[1], url=s[0], content_type=s[2], as_of=DAY), samples)
    measured("全部单页检查", lambda s: judge_page(facts[s[0]], rules, day=DAY), samples)
    with tempfile.TemporaryDirectory() as folder:
        store = EvidenceStore(Path(folder))
        kept: dict[str, EvidenceRef] = {}
        with store.writer(1, "bench") as writer:
            headers = (("content-type", "text/html"),)

            def keep(sample: Sample) -> None:
                capture = Capture("bench", sample[0], Mode.STATIC, datetime.now(UTC), status=200)
                kept[sample[0]] = writer.write_exchange(capture, (), "HTTP/1.1 200 OK", headers, sample[1])

            measured("写入证据", keep, samples)
        measured("读回证据并核对摘要", lambda s: store.read_payload(kept[s[0]]), samples)
    return judging() <= LIMIT
