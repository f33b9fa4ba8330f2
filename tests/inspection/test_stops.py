"""A night that is stopped or killed while it is judged, kept, published or sealed ends as if it had not been."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from checks.model import Finding
from cli.main import main
from inspection.place import opened
from inspection.settings import resolve
from storage.model import UNFINISHED, RunState
from tests.inspection.packages import Crawled
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)
NIGHT = ("run", "--unit", "区教育局", "--date", DAY.isoformat())
MOMENTS = 8  # of a night's steps after the crawl
STOPPED_WITHIN = 10.0  # seconds


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
        (run,) = place.repository.runs(day=DAY)
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
    begun = time.monotonic()
    process.join(60)
    assert process.exitcode == (130 if number is signal.SIGTERM else -number), f"at step {due}"
    assert time.monotonic() - begun < 2 * STOPPED_WITHIN  # of the whole attempt


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
