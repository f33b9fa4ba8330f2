"""`python -m benchmarks [PART …] [--pages N] [--sites N]`: what pages, a year, nights and the whole country cost.

Ends with 1 when a limit is broken.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable

from benchmarks import country, memory, pages, pipeline, spot, year

PARTS: dict[str, tuple[Callable[..., bool], str]] = {
    "pages": (pages.measure, "一个页面的解析、读取和各项检查"),
    "year": (year.measure, "一整年的汇总、说明和报告"),
    "spot": (spot.measure, "抽查一个 60 页的单位"),
    "pipeline": (pipeline.measure, "一整夜，与只下载、LinkExtractor、linkchecker 相比；没有变化的第二夜"),
    "memory": (memory.measure, "页数十倍时的内存"),
    "country": (country.measure, "模拟全国的站点，各用一个 127.0.0.0/8 的地址"),
}


def main() -> int:
    """Measure the parts named on the command line, or all of them; returns the exit code."""
    told = "；".join(f"{name}：{what}" for name, (_, what) in PARTS.items())
    parser = ArgumentParser(prog="python -m benchmarks", description="测速；超出上限时返回 1。", epilog=told)
    parser.add_argument("parts", nargs="*", metavar="部分", help=f"{'、'.join(PARTS)}；不写则全部")
    parser.add_argument("--pages", type=int, help="pipeline 和 memory 的门户有多少页")
    parser.add_argument("--sites", type=int, help="country 有多少个站点")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"没有这一部分：{'、'.join(sorted(unknown))}；可写 {'、'.join(PARTS)}")
    sizes = {"pipeline": asked.pages, "memory": asked.pages, "country": asked.sites}
    kept = {part: _measured(part, sizes.get(part)) for part in asked.parts or PARTS}
    broken = [part for part, fine in kept.items() if not fine]
    print(f"超出上限：{'、'.join(broken)}" if broken else "各项都在上限之内")
    return int(bool(broken))


def _measured(part: str, size: int | None) -> bool:
    print(f"── {part}", flush=True)
    measure, _ = PARTS[part]
    return measure() if size is None else measure(size)


if __name__ == "__main__":
    sys.exit(main())
