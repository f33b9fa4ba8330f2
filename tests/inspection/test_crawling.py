"""The crawl of a run: what a full disk means, beside what a dead child means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from fixtures.district.server import serve
from inspection.place import Place, opened
from inspection.run import Request, inspect_units
from inspection.settings import resolve
from storage.errors import StorageError
from storage.model import UNFINISHED, RunKind, RunState

DAY = date(2026, 11, 23)
NIGHT = Request(RunKind.NIGHTLY, DAY, ("jiaoyuju",))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with serve(DAY) as served:
        served.write_config(tmp_path / "config")
        with opened(resolve(tmp_path / "config", tmp_path / "data", environment={})) as place:
            yield place


def test_night_whose_evidence_cannot_be_kept_stops_and_can_be_resumed(place: Place) -> None:
    place.settings.evidence.write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="证据文件夹"):
        inspect_units(place, NIGHT)
    (run,) = place.repository.runs()
    assert run.state in UNFINISHED
    assert RunState.FAILED not in {row.state for row in place.repository.site_states(run.id).values()}
    assert place.repository.scores() == []
