"""The schedule as a process: it begins the night that is due, and can be stopped in the middle of it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from fixtures.district.server import serve
from tests.end_to_end.conftest import BARE
from tests.end_to_end.driving import DAY, Workplace, children_running, descendants, ended, wait_until, watched

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1500)]


@pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM])
def test_schedule_is_stopped_in_the_middle_of_a_night(tmp_path: Path, order: signal.Signals) -> None:
    with serve(DAY) as served:
        workplace = Workplace.make(served, tmp_path, crawl=BARE)
        with (tmp_path / "config" / "sites.toml").open("a", encoding="utf-8") as sites:
            sites.write("\n[schedule]\nnightly = 00:00:00\n")  # always due
        process = workplace.start("schedule")
        wait_until(lambda: bool(served.requests and children_running(process.pid, "inspection.batch")), process)
        with watched(descendants(process.pid)) as all_ended:
            process.send_signal(order)
            answer = ended(process)
            assert all_ended(), "a child outlived its parent"
    assert answer.code == 130
    assert "Traceback" not in answer.err
    with workplace.opened() as place:
        (run,) = place.repository.runs()
        assert not run.finished
