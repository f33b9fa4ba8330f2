"""A disk that fills in the night: a clear stop, nothing half-written, and the night goes on once there is room."""

from __future__ import annotations

import resource
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from warcio.checker import Checker

from cli.main import main
from fixtures.district.server import serve
from inspection.place import opened
from inspection.settings import resolve
from storage.model import UNFINISHED, RunState
from tests.end_to_end.driving import Workplace
from tests.inspection.packages import Crawled
from tests.made_district import write_made_config

DAY = date(2026, 11, 23)
ROOM = 120_000  # bytes a file: enough for the configuration, too little, even at the second attempt, for a site
CRAWL = {"screenshots_per_unit": 0, "links_per_site": 0}


@contextmanager
def little_room() -> Iterator[None]:
    """No file may grow beyond a size, neither here nor in the children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_night_stops_on_a_full_disk_and_goes_on(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    night = ("run", "--unit", "区教育局", "--date", DAY.isoformat())
    with serve(DAY) as served:
        workplace = Workplace.make(served, tmp_path, crawl=CRAWL, INSPECT_DATABASE_URL=postgresql_url)
        for name in ("INSPECT_CONFIG", "INSPECT_DATA", "INSPECT_DATABASE_URL"):
            monkeypatch.setenv(name, workplace.environment[name])
        with little_room():
            assert main(night) == 5
        assert "证据文件夹所在磁盘已满" in capsys.readouterr().err
        with opened(resolve()) as place:
            (run,) = place.repository.runs()
            assert run.state is RunState.RUNNING
            assert place.repository.scores() == []
            files = sorted(map(str, place.evidence.folder.rglob("*.warc.gz")))
            assert files
            assert Checker(Namespace(inputs=files, verbose=False)).process_all() == 0
            assert all(Path(file).stat().st_size <= ROOM for file in files)
            assert main([*night, "--resume"]) == 0
            assert place.repository.run(run.id).state is RunState.PUBLISHED


@contextmanager
def full_database() -> Iterator[None]:
    """No SQLite database may grow by a page."""

    def limit(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1").close()  # which never goes below what there is

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


def test_night_stops_on_a_full_database_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config, data = tmp_path / "config", tmp_path / "data"
    monkeypatch.setenv("INSPECT_CONFIG", str(config))
    monkeypatch.setenv("INSPECT_DATA", str(data))
    monkeypatch.delenv("INSPECT_DATABASE_URL", raising=False)
    monkeypatch.setattr("inspection.run.Crawling", Crawled)
    monkeypatch.setattr("inspection.run.illustrate", lambda *_: None)
    write_made_config(DAY, config)
    night = ("run", "--unit", "区教育局", "--date", DAY.isoformat())
    with opened(resolve()) as place, full_database():
        assert main(night) == 5
        said = capsys.readouterr().err
        assert "数据库所在磁盘已满，请清理后用 --resume 继续" in said
        assert "Traceback" not in said
        (run,) = place.repository.runs()
        assert run.state in UNFINISHED
        assert place.repository.scores() == []
    assert main([*night, "--resume"]) in (0, 3)
    with opened(resolve()) as place:
        assert [again.id for again in place.repository.runs()] == [run.id]
        assert place.repository.run(run.id).state is RunState.PUBLISHED
        assert len(place.repository.scores_of_run(run.id)) == 1
        kept = [(capture.url, capture.mode) for capture in place.repository.captures(run.id, "jyj")]
        assert kept
        assert len(set(kept)) == len(kept)
