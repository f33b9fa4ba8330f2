"""What a command costs: seconds, processor time, and the memory of all its processes, looked at as it runs."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from benchmarks.portal import DAY

_SECONDS = 0.2  # between two looks at memory


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command took: seconds, processor seconds, MB of all its processes together and of the largest.

    `quarters` are the peaks, of all processes together, in each quarter of its time.
    """

    seconds: float
    processor: float
    together: float
    largest: float
    quarters: tuple[float, ...]
    said: str


def told(name: str, pages: int, spent: Spent) -> Spent:
    """Print what a command took for so many pages, and return it."""
    each = spent.processor / pages * 1000
    print(
        f"{name:<16} {pages} 页　{spent.seconds:6.1f} s　{pages / spent.seconds:6.1f} 页/s　处理器 {each:5.1f} ms/页"
        f"　内存合计 {spent.together:.0f} MB，最大进程 {spent.largest:.0f} MB",
        flush=True,
    )
    return spent


def night(folder: Path, number: int) -> Spent:
    """Run the nightly inspection of a folder's configuration on its night of that number."""
    return inspect(folder, "run", "--date", (DAY + timedelta(days=number)).isoformat())


def inspect(folder: Path, *arguments: str) -> Spent:
    """Run an `inspect` command on the configuration and the data of a folder."""
    own = {"INSPECT_CONFIG": str(folder / "config"), "INSPECT_DATA": str(folder / "data")}
    partly = 0, 3  # 3: units without a score, for the made-up sites lack columns
    return ran_command([sys.executable, "-m", "cli.main", *arguments], partly, **own)


def ran(module: str, *arguments: str) -> Spent:
    """Run a module to its end; raises SystemExit where it fails."""
    return ran_command([sys.executable, "-m", module, *arguments])


def ran_command(command: list[str], accepted: tuple[int, ...] = (0,), **environment: str) -> Spent:
    """Run a command to its end; raises SystemExit where it ends with a code that is not accepted."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, env=inherited | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watch = _MemoryWatch(process.pid)
    said, failed = process.communicate()
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    watch.end()
    if process.returncode not in accepted:
        raise SystemExit(f"{' '.join(command)} 返回 {process.returncode}：{failed.decode(errors='replace')[-2000:]}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peaks = max(watch.together, default=0.0), max(watch.largest, default=0.0)
    return Spent(seconds, spent, *peaks, watch.quarters, said.decode(errors="replace"))


class _MemoryWatch:
    """Looks now and then at the memory of a process and its children, without browsers: what they share counts once."""

    def __init__(self, pid: int) -> None:
        self.together: list[float] = []
        self.largest: list[float] = []
        self._pid, self._ended = pid, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    @property
    def quarters(self) -> tuple[float, ...]:
        """The peaks in each quarter of the looks."""
        looks = len(self.together)
        cuts = [looks * part // 4 for part in range(5)]
        return tuple(max(self.together[begin:end], default=0.0) for begin, end in pairwise(cuts))

    def _watch(self) -> None:
        while not self._ended.wait(_SECONDS):
            sizes = [size for pid in (self._pid, *_descendants(self._pid)) if (size := _memory(pid))]
            self.together.append(sum(sizes))
            self.largest.append(max(sizes, default=0.0))


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
