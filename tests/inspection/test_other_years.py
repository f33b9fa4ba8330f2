"""A table of another year beside the first: runs, resumed runs and the roll-up go by the table of their day."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from inspection.errors import ConfigurationChanged
from inspection.place import Place, opened
from inspection.reporting import daily_report
from inspection.rollup import annual
from inspection.run import Request, RunReport, inspect_units
from inspection.settings import resolve
from storage.model import RunKind, RunState
from tests.made_district import write_made_config

TABLE = Path(__file__).parents[2] / "fixtures" / "year" / "indicators-2027.toml"
DAY_2026, DAY_2027 = date(2026, 11, 23), date(2027, 3, 1)


class _NoCrawling:
    """A crawl that reaches nothing: what it would have seen does not matter here."""

    def __init__(self, *_: object) -> None:
        pass

    def capture(self, *_: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("inspection.run.Crawling", _NoCrawling)
    write_made_config(DAY_2026, tmp_path / "config")
    return tmp_path


@pytest.fixture
def place(folder: Path) -> Iterator[Place]:
    shutil.copy(TABLE, folder / "config")
    with opened(resolve(folder / "config", folder / "data", environment={})) as place:
        yield place


def spot_check(place: Place, day: date) -> RunReport:
    return inspect_units(place, Request(RunKind.SPOT, day, ("jiaoyuju",)))


def digest(place: Place, name: str) -> str:
    return hashlib.sha256((place.settings.config / name).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("day", "table", "row"), [(DAY_2026, "indicators.toml", "1.1"), (DAY_2027, "indicators-2027.toml", "A1")]
)
def test_a_run_is_scored_and_recorded_by_the_table_of_its_day(place: Place, day: date, table: str, row: str) -> None:
    run = spot_check(place, day).run
    (stored,) = place.repository.scores_of_run(run.id)
    assert stored.score.indicators[0].id == row
    assert run.indicators_digest == digest(place, table)
    assert dict(daily_report(place, run).run.digests)[table] == run.indicators_digest


def test_a_report_names_the_table_that_a_run_went_by_before_its_year_had_one(folder: Path) -> None:
    settings = resolve(folder / "config", folder / "data", environment={})
    with opened(settings) as place:
        run = spot_check(place, DAY_2027).run
    shutil.copy(TABLE, folder / "config")
    with opened(settings) as place:
        assert dict(daily_report(place, run).run.digests)["indicators.toml"] == run.indicators_digest


def test_the_roll_up_of_a_year_goes_by_its_table(place: Place) -> None:
    ids = {year: [row.id for row in annual(place, year).units[-1].indicators] for year in (2026, 2027)}
    assert ids[2026][0] == "1.1"
    assert ids[2027] == ["A1", "A2", "A3", "A4", "A5", "B1", "B2", "B3", "C1", "C2", "D2", "E1"]
    assert all(sum(row.points for row in unit.indicators) == 100 for unit in annual(place, 2027).units)
    innovation = [unit.unit_id for unit in annual(place, 2027).units if not unit.indicators[3].na]
    bearers = [unit.id for unit in place.configuration.inventory.units if "innovation" in unit.duties]
    assert innovation == bearers


@pytest.mark.parametrize(("day", "refused"), [(DAY_2026, False), (DAY_2027, True)])
def test_a_new_years_table_stops_only_the_runs_of_its_year_from_being_taken_up(
    folder: Path, day: date, refused: bool
) -> None:
    settings = resolve(folder / "config", folder / "data", environment={})
    with opened(settings) as place:
        run = place.repository.create_run(
            kind=RunKind.SPOT,
            day=day,
            seed="s",
            rules_version="1",
            digests=place.digests_for(day.year),
            units=("jiaoyuju",),
            site_ids=["jyj"],
        )
    shutil.copy(TABLE, folder / "config")
    request = Request(RunKind.SPOT, day, ("jiaoyuju",), resume=True)
    with opened(settings) as place:
        if refused:
            with pytest.raises(ConfigurationChanged):
                inspect_units(place, request)
        else:
            assert inspect_units(place, request).run.id == run.id
        assert (place.repository.run(run.id).state is RunState.PLANNED) is refused
