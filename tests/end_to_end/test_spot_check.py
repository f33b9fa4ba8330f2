"""The spot check: some units at once, today, without touching the day's scores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fixtures.district.agreement import compare
from fixtures.district.faults import answer_key
from fixtures.district.server import ServedDistrict, serve
from storage.model import RunKind
from tests.end_to_end.driving import Workplace

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def served() -> Iterator[ServedDistrict]:
    """A spot check is always of today, so today's district must be served."""
    with serve(datetime.now(ZoneInfo("Asia/Shanghai")).date()) as district:
        yield district


@pytest.fixture
def workplace(served: ServedDistrict, tmp_path: Path) -> Workplace:
    return Workplace.make(served, tmp_path)


def test_spot_check_prints_findings_and_score_and_publishes_nothing(
    served: ServedDistrict, workplace: Workplace
) -> None:
    answer = workplace.inspect("--unit", "区教育局", "--unit", "栾城镇")
    assert answer.code == 0, answer.err
    assert "130111008" in answer.out  # the malformed site code
    assert "抽查得分（不计入当日正式得分）" in answer.out
    with workplace.opened() as place:
        (run,) = place.repository.runs()
        assert run.kind is RunKind.SPOT
        names = ("区教育局", "栾城镇")
        units = {served.world.section(name).unit.id for name in names}
        assert set(run.units) == units
        key = [expected for expected in answer_key(served.world) if expected.unit_id in units]
        assert compare(key, (row.finding for row in place.repository.findings(run_id=run.id))).perfect
        assert place.repository.scores() == []
    listed = workplace.ask("scores", "--json")
    assert listed.document["units"] == []


def test_part_of_a_name_is_refused_with_the_unit_that_may_be_meant(
    served: ServedDistrict, workplace: Workplace
) -> None:
    before = len(served.requests)
    answer = workplace.ask("--unit", "教育")
    assert answer.code == 2
    assert answer.out == ""
    assert "区教育局" in answer.err
    assert "Traceback" not in answer.err
    assert len(served.requests) == before
