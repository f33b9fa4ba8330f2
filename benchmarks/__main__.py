"""`python -m benchmarks [pages|year]`: what a page costs, and what a year costs; ends with 1 when a limit is broken."""

from __future__ import annotations

import sys

from benchmarks import pages, year

PARTS = {"pages": pages.measure, "year": year.measure}


def main() -> int:
    """Measure the parts named on the command line, or all of them; returns the exit code."""
    kept = [PARTS[part]() for part in sys.argv[1:] or PARTS]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
