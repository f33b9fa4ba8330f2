"""`python -m benchmarks [pages|year|pipeline] [--pages N]`: what pages, a year and a whole night cost.

Ends with 1 when a limit is broken.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from benchmarks import pages, pipeline, year

PARTS = {"pages": pages.measure, "year": year.measure, "pipeline": pipeline.measure}


def main() -> int:
    """Measure the parts named on the command line, or all of them; returns the exit code."""
    parser = ArgumentParser(prog="python -m benchmarks", description="测速；超出上限时返回 1。")
    parser.add_argument("parts", nargs="*", metavar="部分", help=f"{'、'.join(PARTS)}；不写则全部")
    parser.add_argument("--pages", type=int, default=pipeline.PAGES, help="pipeline 的门户有多少页")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"没有这一部分：{'、'.join(sorted(unknown))}；可写 {'、'.join(PARTS)}")
    kept = [pipeline.measure(asked.pages) if part == "pipeline" else PARTS[part]() for part in asked.parts or PARTS]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
