"""A night that is stopped or killed while it is judged, kept, published or sealed ends as if it had not been, and bears
a spot check meanwhile."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from checks.model import Finding
from cli.main import main
from inspection.place import opened
from inspection.settings import resolve
from storage.manifest import MANIFEST
from storage.model import UNFINISHED, RunKind, RunState
from tests.inspection.packages import Crawled
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)
NIGHT = ("run", "--unit", "区教育局", "--date", DAY.isoformat())
MOMENTS = 6  # of a night's steps after the crawl


class _Steps:
    """Counts what a night does to database and disk once it has crawled, and calls somebody at one of the steps."""

    def __init__(self) -> None:
        self.done, self.due, self.call = -1, -1, lambda: None

    def begin(self) -> None:
        self.done = 0

    def step(self, *_: object) -> None:
        if self.done >= 0:
            self.done += 1
            if self.done == self.due:
                self.call()

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*arguments: Any, **named: Any) -> Any:
            self.step()
            return function(*arguments, **named)

        return stepping


@contextmanager
def _counted() -> Iterator[_Steps]:
    steps = _Steps()

    class Counted(Crawled):
        def capture(self, *arguments: object) -> None:
            if not self._place.repository.count_captures(self._run_id):
                super().capture(*arguments)
            steps.begin()

    event.listen(Engine, "before_cursor_execute", steps.step)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("inspection.run.Crawling", Counted)
            patch.setattr("inspection.run.illustrate", lambda *_: None)
            for name in ("replace", "fsync"):
                patch.setattr(os, name, steps.before(getattr(os, name)))
            yield steps
    finally:
        event.remove(Engine, "before_cursor_execute", steps.step)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _place(tmp_path, monkeypatch)


def _place(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("INSPECT_CONFIG", str(folder / "config"))
    patch.setenv("INSPECT_DATA", str(folder / "data"))
    patch.delenv("INSPECT_DATABASE_URL", raising=False)
    write_made_config(DAY, folder / "config")


def _said() -> tuple[list[Any], list[Any]]:
    """What the only finished night says and scores."""
    with opened(resolve()) as place:
        (run,) = place.repository.runs(day=DAY, kind=RunKind.NIGHTLY)
        assert run.state is RunState.PUBLISHED
        found = [_as_seen(stored.finding) for stored in place.repository.findings(run_id=run.id)]
        scores = [stored.score for stored in place.repository.scores_of_run(run.id)]
        assert len(place.repository.scores(day=DAY)) == 1
    return sorted(found, key=repr), scores


def _as_seen(finding: Finding) -> tuple[Finding, tuple[str, ...]]:
    """A finding with the digests of what it rests on; the numbers of records are drawn anew each time."""
    return replace(finding, evidence=()), tuple(one.payload_digest for one in finding.evidence)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, tuple[list[Any], list[Any]]]:
    """The steps of a night that nobody stops, and what it says."""
    with pytest.MonkeyPatch.context() as patch, _counted() as steps:
        _place(tmp_path_factory.mktemp("calm"), patch)
        assert main(NIGHT) in (0, 3)
        return steps.done, _said()


def _stopped_at(due: int, number: signal.Signals) -> None:
    """Run the night, or go on with it, in a process of its own that is sent a signal at a step."""

    def night() -> None:
        with _counted() as steps:
            steps.due, steps.call = due, lambda: os.kill(os.getpid(), number)
            os._exit(main(NIGHT if _is_new() else [*NIGHT, "--resume"]))

    process = multiprocessing.get_context("fork").Process(target=night)
    process.start()
    process.join(60)
    assert process.exitcode == (130 if number is signal.SIGTERM else -number), f"at step {due}"


def _is_new() -> bool:
    with opened(resolve()) as place:
        return not place.repository.runs()


def _is_over() -> bool:
    with opened(resolve()) as place:
        return any(run.state not in UNFINISHED for run in place.repository.runs())


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=str)
def test_night_that_is_stopped_again_and_again_ends_as_if_it_had_not_been(
    calm: tuple[int, Any], number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    steps, said = calm
    for moment in range(1, MOMENTS + 1):
        if not (over := _is_over()):
            _stopped_at(steps * moment // (MOMENTS + 1), number)
    assert over, "no signal came while the night was sealed"
    with _counted():
        assert main([*NIGHT[:-1], (DAY + timedelta(days=1)).isoformat()]) in (0, 3)
    assert _said() == said
    assert main(["evidence", "check", "--all"]) == 0
    assert "Traceback" not in capsys.readouterr().err


def _begun(*arguments: str, pausing: Callable[[_Steps], None] = lambda steps: None) -> BaseProcess:
    def command() -> None:
        with _counted() as steps:
            pausing(steps)
            os._exit(main(arguments))

    process = multiprocessing.get_context("fork").Process(target=command)
    process.start()
    return process


def _pause() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _while_it_writes(_steps: _Steps) -> None:
    """Hold the lock of the database, in the middle of a transaction."""

    paused = list[int]()

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO finding") and not paused:
            paused.append(1)
            _pause()

    event.listen(Engine, "after_cursor_execute", look)


def _while_it_seals(steps: _Steps) -> None:
    """Hold the lock of sealing, when the day is published."""

    def replace(source: Any, target: Any, original: Callable[..., None] = os.replace) -> None:
        if Path(target).name == MANIFEST:
            _pause()
        original(source, target)

    os.replace = replace


def _waits_for_the_database() -> bool:
    return any("等待数据库" in log.read_text() for log in resolve().data.glob("logs/xuncha-*.jsonl"))


def _has_published() -> bool:
    with opened(resolve()) as place:
        return [run.state for run in place.repository.runs(kind=RunKind.SPOT)] == [RunState.PUBLISHED]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("pausing", "comes_to_it"),
    [(_while_it_writes, _waits_for_the_database), (_while_it_seals, _has_published)],
)
def test_night_that_is_kept_or_sealed_bears_a_spot_check(
    calm: tuple[int, Any], pausing: Callable[[_Steps], None], comes_to_it: Callable[[], bool]
) -> None:
    with opened(resolve()):
        night = _begun(*NIGHT, pausing=pausing)
        os.waitpid(night.pid or 0, os.WUNTRACED)
        spot = _begun("--unit", "区教育局")
        until = time.monotonic() + 60
        while not comes_to_it() and time.monotonic() < until:
            time.sleep(0.01)
        assert comes_to_it()
        os.kill(night.pid or 0, signal.SIGCONT)
        for process in (night, spot):
            process.join(60)
    assert night.exitcode in (0, 3)
    assert spot.exitcode in (0, 3)
    assert _said() == calm[1]
    assert main(["evidence", "check", "--all"]) == 0
