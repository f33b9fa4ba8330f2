"""Runs beside runs: what may be taken up again, and who waits for whom."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from queue import Queue

import pytest

from inspection.errors import ConfigurationChanged, NothingToResume
from inspection.place import Place, opened
from inspection.progress import Progress
from inspection.run import Request, inspect_units
from inspection.settings import resolve
from storage.model import Run, RunKind
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)
PATIENCE = 60


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    write_made_config(DAY, tmp_path / "config")
    with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
        yield place


def begin(place: Place, *units: str) -> Run:
    return place.repository.create_run(
        kind=RunKind.NIGHTLY,
        day=DAY,
        seed="s",
        rules_version="1",
        digests=place.digests_for(DAY.year),
        units=units,
        site_ids=["jyj"],
    )


@pytest.mark.parametrize("file", ["inventory", "rules", "indicators.toml"])
def test_run_is_not_taken_up_with_another_configuration(place: Place, file: str) -> None:
    begin(place, "jiaoyuju")
    changed = replace(place, digests=place.digests | {file: "another"})
    with pytest.raises(ConfigurationChanged, match="配置改过"):
        inspect_units(changed, Request(RunKind.NIGHTLY, DAY, resume=True))


def test_run_of_other_units_is_not_taken_up(place: Place) -> None:
    begin(place, "jiaoyuju")
    for units in ((), ("caizhengju",)):
        with pytest.raises(NothingToResume):
            inspect_units(place, Request(RunKind.NIGHTLY, DAY, units, resume=True))


class _Listening(Progress):
    def __init__(self) -> None:
        self.said = Queue[str]()

    def say(self, sentence: str) -> None:
        self.said.put(sentence)


class _Crawling:
    """A crawl that only says when it is its turn."""

    turns = Queue[int]()

    def __init__(self, place: Place, run_id: int, *_: object) -> None:
        self._run_id = run_id

    def capture(self, *_: object) -> None:
        self.turns.put(self._run_id)


def test_two_runs_never_crawl_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inspection.run.Crawling", _Crawling)
    (place.settings.data / "locks").mkdir()
    listening = _Listening()
    request = Request(RunKind.NIGHTLY, DAY, ("jiaoyuju",))
    with (place.settings.data / "locks" / "network.lock").open("w") as another:
        fcntl.flock(another, fcntl.LOCK_EX)
        waiting = threading.Thread(target=inspect_units, args=(place, request, listening))
        waiting.start()
        assert "另一次巡查" in listening.said.get(timeout=PATIENCE)
        assert _Crawling.turns.empty()
    assert _Crawling.turns.get(timeout=PATIENCE) == 1
    waiting.join(PATIENCE)
    assert [run.finished for run in place.repository.runs()] == [True]
