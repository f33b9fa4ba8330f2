"""Progress of long work: a bar with counts and time left on a terminal, one plain line a minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from inspection.progress import Progress

PLAIN_LINE_SECONDS = 60.0


@contextmanager
def shown(quiet: bool = False) -> Iterator[Progress]:
    """Yield a receiver of progress fit for where standard error goes."""
    if quiet:
        yield Progress()
    elif sys.stderr.isatty():
        with _bar() as progress:
            yield progress
    else:
        yield PlainProgress()


@dataclass
class PlainProgress(Progress):
    """One line a minute, for logs and cron mail."""

    last: float = field(default_factory=time.monotonic)

    def advance(self, stage: str, done: int, total: int) -> None:
        """Print a line if the last one is a minute old."""
        now = time.monotonic()
        if now - self.last >= PLAIN_LINE_SECONDS:
            self.last = now
            self.say(f"{stage}：{done}/{total}")

    def say(self, sentence: str) -> None:
        """Print one sentence to standard error."""
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    from cli.output import errors

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("剩余"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=errors, transient=True) as bar:
        tasks: dict[str, int] = {}

        class Bar(Progress):
            def advance(self, stage: str, done: int, total: int) -> None:
                task = tasks.setdefault(stage, -1)
                if task == -1:
                    task = tasks[stage] = bar.add_task(stage, total=total)
                bar.update(task, completed=done, total=total)  # type: ignore[arg-type]

            def say(self, sentence: str) -> None:
                errors.print(sentence, markup=False)

        yield Bar()
