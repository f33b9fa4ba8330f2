"""A night that is killed, stopped or loses a child: nothing lost, nothing asked for twice, nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checks.model import Mode
from fixtures.district.server import ServedDistrict
from tests.end_to_end.conftest import BARE, Inspected, arguments
from tests.end_to_end.driving import (
    Answer,
    Workplace,
    children_running,
    descendants,
    difference,
    ended,
    path_of,
    wait_until,
    watched,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1500)]


@pytest.fixture
def workplace(district: ServedDistrict, tmp_path: Path) -> Workplace:
    return Workplace.make(district, tmp_path, crawl=BARE)


@contextmanager
def _a_third_done(workplace: Workplace, undisturbed: Inspected) -> Iterator[subprocess.Popen[str]]:
    """A run that has made a third of its requests."""
    enough = len(workplace.served.requests) + undisturbed.requests // 3
    process = workplace.start(*arguments())
    try:
        wait_until(lambda: len(workplace.served.requests) >= enough, process)
        yield process
    finally:
        process.kill()
        process.communicate()


def _resumed_like(undisturbed: Inspected, workplace: Workplace, resumed: Answer) -> None:
    """The findings and the scores are those of the night that nothing happened to."""
    assert resumed.code == undisturbed.answer.code, resumed.err
    before, after = undisturbed.answer.document["run"], resumed.document["run"]
    said, expected = workplace.said(after), undisturbed.workplace.said(before)
    assert said == expected, difference(expected, said)
    assert workplace.scores(after) == undisturbed.workplace.scores(before)


def test_killed_night_goes_on_where_it_stopped(undisturbed: Inspected, workplace: Workplace) -> None:
    with _a_third_done(workplace, undisturbed) as process, watched(descendants(process.pid)) as all_ended:
        process.kill()
        assert all_ended(), "a child outlived its parent"
    captured = _captured(workplace)
    assert captured
    before = len(workplace.served.requests)
    resumed = workplace.inspect("run", "--resume", "--json")
    asked = Counter(request.host + request.path for request in workplace.served.requests[before:])
    _resumed_like(undisturbed, workplace, resumed)
    assert not {path for path in captured - _asked_for_another_reason(workplace) if asked[path]}


def test_night_that_lost_a_child_is_like_any_other(undisturbed: Inspected, workplace: Workplace) -> None:
    with _a_third_done(workplace, undisturbed) as process:
        os.kill(children_running(process.pid, "inspection.batch")[0], signal.SIGKILL)
        answer = ended(process)
    _resumed_like(undisturbed, workplace, answer)
    with workplace.opened() as place:
        attempts = [row.attempts for row in place.repository.site_states(answer.document["run"]).values()]
    assert max(attempts) == 2


def test_night_belongs_to_one_process_and_can_be_stopped(undisturbed: Inspected, workplace: Workplace) -> None:
    with _a_third_done(workplace, undisturbed) as process, watched(descendants(process.pid)) as all_ended:
        process.send_signal(signal.SIGSTOP)
        second = workplace.inspect("run", "--resume")
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGINT)
        stopped = ended(process)
        assert all_ended(), "a child outlived its parent"
    assert second.code == 2
    assert "另一个进程" in second.err
    assert "Traceback" not in second.err
    assert stopped.code == 130
    assert "--resume" in stopped.err
    assert stopped.out == ""


def test_there_is_nothing_to_resume_after_a_finished_night(undisturbed: Inspected) -> None:
    answer = undisturbed.workplace.ask("run", "--resume")
    assert answer.code == 2
    assert "没有未完成的巡查" in answer.err


def _captured(workplace: Workplace) -> set[str]:
    """The pages that the evidence holds of the only run."""
    with workplace.opened() as place:
        (run,) = place.repository.runs()
        recovered = [capture for capture, _ in place.evidence.recover(run.id)]
    return {path_of(url) for c in recovered if c.mode is Mode.STATIC for url in (c.url, c.final_url) if url}


def _asked_for_another_reason(workplace: Workplace) -> set[str]:
    """Pages that a browser opened, which asks for them itself, and those whose IPv6 was probed."""
    with workplace.opened() as place:
        (run,) = place.repository.runs()
        sites = place.repository.site_states(run.id)
        captures = [capture for site in sites for capture in place.repository.captures(run.id, site)]
        probes = [probe for site in sites for probe in place.repository.probes(run.id, site)]
    rendered = {path_of(capture.url) for capture in captures if capture.mode is Mode.RENDERED}
    return rendered | {path_of(probe.target) for probe in probes if probe.target.startswith("http")}
