"""Child processes: heard, held to their time, and never left behind."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from inspection.children import ORPHANED, Children

ROOT = Path(__file__).parents[2]
CHILD = "tests.inspection.child"
PATIENCE = 120.0


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


def _run(log: Path, job: dict[str, Any], time_limit: float = PATIENCE, **environment: str) -> tuple[int, list[Any]]:
    events: list[Any] = []
    code = Children(environment).run(CHILD, job, log=log, on_event=events.append, time_limit=time_limit)
    return code, events


def test_job_goes_in_and_events_come_out(log: Path) -> None:
    code, events = _run(log, {"events": 3, "code": 4})
    assert code == 4
    assert events == [{"event": "progress", "done": number} for number in range(3)]


def test_what_is_no_event_is_passed_over(log: Path) -> None:
    assert _run(log, {"noise": "DEBUG: something", "events": 1}) == (0, [{"event": "progress", "done": 0}])


def test_standard_error_goes_to_the_log_and_stays_there(log: Path) -> None:
    _run(log, {"complaint": "第一次"})
    _run(log, {"complaint": "第二次"})
    assert "第一次" in log.read_text("utf-8")
    assert "第二次" in log.read_text("utf-8")


def test_environment_carries_what_must_not_stand_on_a_command_line(log: Path) -> None:
    _, events = _run(log, {"environment": "INSPECT_DATABASE_URL"}, INSPECT_DATABASE_URL="sqlite:///geheim")
    assert events == [{"event": "environment", "value": "sqlite:///geheim"}]


def test_child_that_takes_too_long_is_ended(log: Path) -> None:
    code, _ = _run(log, {"forever": True}, time_limit=0.5)
    assert code == -9


def test_child_ends_with_an_event_handler_that_breaks(log: Path) -> None:
    pids: list[int] = []

    def broken(event: dict[str, Any]) -> None:
        pids.append(os.pidfd_open(event["pid"]))
        raise KeyError

    with pytest.raises(KeyError):
        Children({}).run(CHILD, {"forever": True}, log=log, on_event=broken, time_limit=PATIENCE)
    assert select.select(pids, [], [], PATIENCE)[0]
    os.close(pids[0])


def test_stop_ends_every_child(log: Path) -> None:
    children, running, codes = Children({}), Queue[Any](), Queue[int]()

    def work() -> None:
        codes.put(children.run(CHILD, {"forever": True}, log=log, on_event=running.put, time_limit=PATIENCE))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        running.get(timeout=PATIENCE)
    children.stop()
    assert [codes.get(timeout=PATIENCE) for _ in threads] == [-9, -9]
    assert children.stopped


def test_no_child_is_started_after_stop(log: Path) -> None:
    children = Children({})
    children.stop()
    assert children.run(CHILD, {"forever": True}, log=log, on_event=lambda _: None, time_limit=PATIENCE) == -9


def test_child_that_cannot_start_is_an_exit_code(log: Path) -> None:
    code = Children({}).run("tests.inspection.missing", {}, log=log, on_event=lambda _: None, time_limit=PATIENCE)
    assert code == 1
    assert "missing" in log.read_text("utf-8")


def test_child_ends_when_its_parent_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-m", CHILD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b'{"forever": true}\n')
    child.stdin.flush()
    assert b"waiting" in child.stdout.readline()
    child.stdin.close()  # what the operating system does for a parent that is killed
    assert child.wait(PATIENCE) == ORPHANED
    child.stdout.close()
