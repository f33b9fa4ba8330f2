"""Drives the command line as a person does, against a served district, and reads back what came of it."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from cli.main import main
from fixtures.district import past
from fixtures.district.server import ServedDistrict
from inspection.place import Place, opened
from inspection.settings import resolve

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 23)
PATIENCE = 600.0  # seconds: nothing here is about speed, and the machine may be busy


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Workplace:
    """A configuration for a served district, with a data folder and a database of its own."""

    served: ServedDistrict
    folder: Path
    environment: dict[str, str]

    @classmethod
    def make(
        cls, served: ServedDistrict, folder: Path, *, crawl: dict[str, Any] | None = None, **environment: str
    ) -> Workplace:
        """Write the configuration and what the days before left behind; `crawl` replaces keys of its table [crawl],
        `environment` adds variables."""
        served.write_config(folder / "config")
        _edit_crawl(folder / "config" / "sites.toml", crawl or {})
        own = {"INSPECT_CONFIG": str(folder / "config"), "INSPECT_DATA": str(folder / "data"), "COLUMNS": "200"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("INSPECT_")}
        if inherited.pop("PYTHONDONTWRITEBYTECODE", None):  # compiling everything would be half the time of a small run
            own["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir(), "xuncha-bytecode"))
        made = cls(served, folder, inherited | own | environment)
        with made.opened() as place:
            past.plant(place.repository, served.world)
        return made

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and return its process."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_hear_interrupts,
        )

    def inspect(self, *arguments: str) -> Answer:
        """Run a command to its end."""
        return ended(self.start(*arguments))

    def ask(self, *arguments: str) -> Answer:
        """Run a command that only reads, in this process: the same command line without a second start."""
        out, err = StringIO(), StringIO()
        with patch.dict(os.environ, self.environment, clear=True), redirect_stdout(out), redirect_stderr(err):
            code = main(arguments)
        return Answer(code, out.getvalue(), err.getvalue())

    @contextmanager
    def opened(self) -> Iterator[Place]:
        """Open what the commands have stored."""
        with opened(resolve(environment=self.environment)) as place:
            yield place

    def said(self, run_id: int) -> Counter[tuple[str, ...]]:
        """Return what a run says, each finding once; see `plain`."""
        with self.opened() as place:
            return Counter(plain(row.finding) for row in place.repository.findings(run_id=run_id))

    def fingerprints(self, run_id: int) -> Counter[tuple[str, str]]:
        """Return the fingerprint and the outcome of every finding of a run."""
        with self.opened() as place:
            stored = place.repository.findings(run_id=run_id)
            return Counter((row.finding.fingerprint, str(row.finding.outcome)) for row in stored)

    def scores(self, run_id: int) -> dict[str, tuple[Any, ...]]:
        """Return what a run gave each unit."""
        with self.opened() as place:
            stored = [row.score for row in place.repository.scores_of_run(run_id)]
        return {score.unit_id: (score.score, score.coverage, score.reasons, score.indicators) for score in stored}


def _hear_interrupts() -> None:
    """Undo what a shell does to commands in its background: they ignore SIGINT, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def plain(finding: Any) -> tuple[str, ...]:
    """Return what a finding says, whatever port the district was served on."""
    target = re.sub(r":\d+(?=/|$)", "", finding.target)
    return finding.unit_id, finding.check, target, finding.item, finding.reason, str(finding.outcome)


def ended(process: subprocess.Popen[str]) -> Answer:
    """Wait for a command and return its answer."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return Answer(process.returncode, out, err)


def difference(expected: Counter[Any], given: Counter[Any]) -> str:
    """Return what is missing and what is too much, for people."""
    missing, extra = expected - given, given - expected
    return "\n".join([*(f"missing {row}" for row in missing), *(f"extra   {row}" for row in extra)])


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Return once a condition holds; fails when the process ends first, and when it takes unreasonably long."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if process.poll() is not None:
            raise AssertionError(f"it ended too early: {process.communicate()}")
        assert time.monotonic() < until, "it never came to that"
        select.select([], [], [], 0.01)


def descendants(pid: int) -> set[int]:
    """Return the processes that a process started, and theirs."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | descendants(child)
    return found


def children_running(pid: int, module: str) -> list[int]:
    """Return the children of a process that run a module."""
    return [child for child in descendants(pid) if module.encode() in _command_line(child)]


def _command_line(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


@contextmanager
def watched(pids: set[int]) -> Iterator[Callable[[], bool]]:
    """Yield a question: have all these processes ended by now (or soon)? Numbers given out anew do not mislead it."""
    handles = set()
    for pid in pids:
        with suppress(ProcessLookupError):  # it has ended since it was seen
            handles.add(os.pidfd_open(pid))

    def all_ended() -> bool:
        return all(select.select([handle], [], [], PATIENCE)[0] for handle in handles)

    try:
        yield all_ended
    finally:
        for handle in handles:
            os.close(handle)


def path_of(url: str) -> str:
    """Return a URL as the server's list of requests shows it: host and path."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path or '/'}"


def _edit_crawl(path: Path, values: dict[str, Any]) -> None:
    """Replace or add keys of the table [crawl], and the whole of its table [crawl.sampling]."""
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("[crawl]\n")
    crawl = tomllib.loads(text)["crawl"] | values
    tables = {"crawl.sampling": crawl.pop("sampling"), "crawl": crawl}
    written = (f"[{name}]\n{_lines(table)}\n" for name, table in reversed(tables.items()))
    path.write_text(f"{head}{''.join(written)}[[site]]{rest.partition('[[site]]')[2]}", encoding="utf-8")


def _lines(table: dict[str, Any]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
