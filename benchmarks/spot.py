"""A spot check, which somebody waits for: of a unit of sixty pages, at no pace limit, without browser.

Measured from the command's start to its end, with all that a spot check does: crawl, probes, tries of links, judging,
sealing. Of several tries the fastest counts, because another program on the machine can only make one slower.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.measuring import inspect, told
from benchmarks.portal import COLUMNS, served, write_configuration

NEWEST = 5
PAGES = len(COLUMNS) * (1 + NEWEST)
UNIT = "u0"
TRIES = 3
LIMIT = 6.0  # seconds


def measure() -> bool:
    """Measure a spot check; returns whether LIMIT is kept."""
    with tempfile.TemporaryDirectory() as folder, served(PAGES) as home:
        write_configuration(Path(folder, "config"), PAGES, home, NEWEST)
        tries = [told("抽查一个单位", PAGES, inspect(Path(folder), "--unit", UNIT)) for _ in range(TRIES)]
    fastest = min(tried.seconds for tried in tries)
    print(f"抽查一个 {PAGES} 页的单位最快 {fastest:.1f} s（上限 {LIMIT} s）")
    return fastest < LIMIT
