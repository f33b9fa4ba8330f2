"""How much memory a night takes on a portal of many pages, held against one on a tenth of them: it must hardly grow.

Counted are all processes of the night together, what they share once; a browser is not needed, and so not started.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.measuring import Spent, night, told
from benchmarks.portal import Portal, served, write_configuration

PAGES = 50_000
GROWTH = 1.3  # from a tenth of the pages to all
MOST = 400.0  # MB


def measure(pages: int = PAGES) -> bool:
    """Measure nights of a tenth of the pages and of all; returns whether GROWTH and MOST are kept."""
    few, many = _first_night(pages // 10), _first_night(pages)
    growth = many.together / few.together
    print(f"内存峰值之比 {growth:.2f}（上限 {GROWTH}），最高 {many.together:.0f} MB（上限 {MOST:.0f} MB）")
    return growth <= GROWTH and many.together < MOST


def _first_night(pages: int) -> Spent:
    with tempfile.TemporaryDirectory() as folder, served(pages) as home:
        write_configuration(Path(folder, "config"), pages, home)
        return told("一夜的内存", Portal.of(pages).pages, night(Path(folder), 0))
