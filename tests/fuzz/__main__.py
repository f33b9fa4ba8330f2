"""`python -m tests.fuzz page FOLDER -max_total_time=60`: feed a target with what libFuzzer makes of our own fixtures.

The folder keeps the inputs that reached something new, for the next run to begin with. What follows it goes to
libFuzzer. An input that breaks the target is kept beside the folder and ends the run with an error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["checks"], enable_loader_override=False):
    from tests.fuzz.targets import TARGETS

LONGEST = 20_000  # bytes of an input
# Of one input, so that what hangs or swells is found too: seconds and megabytes.
LIMITS = ("-timeout=20", "-rss_limit_mb=2000")


def main() -> None:
    """Run one target over its seeds and what grows out of them."""
    target, seeds = TARGETS[sys.argv[1]]
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (folder / f"seed-{number}").write_bytes(seed)
    own = [f"-max_len={LONGEST}", *LIMITS, f"-artifact_prefix={folder.parent}/{sys.argv[1]}-", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *own, *sys.argv[3:], str(folder)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
