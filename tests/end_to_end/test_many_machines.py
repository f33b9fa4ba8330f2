"""A night that several machines crawl: each with a data folder of its own, the evidence folder shared by all."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from distribution.queue import Queue
from distribution.shared_folder import FILE, offered
from fixtures.district.server import ServedDistrict
from storage.model import RunState
from tests.end_to_end.conftest import BARE, Inspected, arguments
from tests.end_to_end.driving import (
    ROOT,
    Answer,
    Workplace,
    children_running,
    descendants,
    difference,
    ended,
    wait_until,
    watched,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1500)]
PACE, AT_ONCE = 25, 2
PACED = BARE | {"requests_per_second": PACE, "concurrency": AT_ONCE}
SOME = ("区教育局", "区财政局", "区气象局")  # each with a site of its own
NIGHT = [word for word in arguments(SOME) if word != "--json"]


@contextmanager
def _running(workplace: Workplace, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that is under way, at one that notices dead workers soon."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.end_to_end.quick_to_notice", *arguments],
        cwd=ROOT,
        env=workplace.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _machine(main: Workplace, name: str) -> Workplace:
    """Another machine: it has no configuration, and the evidence folder of the main one where its own would be."""
    data = main.folder / name
    data.mkdir()
    (data / "evidence").symlink_to(main.folder / "data" / "evidence")
    environment = {name: value for name, value in main.environment.items() if name != "INSPECT_CONFIG"}
    return replace(main, environment=environment | {"INSPECT_DATA": str(data)})


def _stop(process: subprocess.Popen[str]) -> Answer:
    process.send_signal(signal.SIGTERM)
    return ended(process)


def test_every_site_is_judged_once_though_a_worker_dies(
    district: ServedDistrict, undisturbed: Inspected, tmp_path: Path, postgresql_url: str
) -> None:
    main = Workplace.make(district, tmp_path, crawl=PACED, INSPECT_DATABASE_URL=postgresql_url)
    before = len(district.requests)
    with ExitStack() as stack:
        night = stack.enter_context(_running(main, *NIGHT, "--distributed"))
        wait_until(lambda: (tmp_path / "data" / "evidence" / FILE).exists(), night)
        workers = [stack.enter_context(_running(_machine(main, f"machine-{n}"), "worker")) for n in range(3)]
        wait_until(lambda: len(district.requests) > before + 30, night)
        busy = next(worker for worker in workers if children_running(worker.pid, "inspection.batch"))
        with watched(descendants(busy.pid)) as all_ended:
            busy.kill()
            assert all_ended(), "a child outlived its worker"
        answer = ended(night)
        stopped = [_stop(worker) for worker in workers if worker is not busy]
    assert answer.code == undisturbed.answer.code, answer.err
    assert "inspect worker" in answer.err  # there was none at first
    assert [worker.code for worker in stopped] == [0, 0], stopped
    _judged_once(main, undisturbed)
    _kept_pace(district, before)


def _judged_once(main: Workplace, undisturbed: Inspected) -> None:
    """The findings and scores are those of one machine alone; each site was captured, and one of them begun twice."""
    with main.opened() as place:
        (run,) = place.repository.runs()
        units = {unit.id for unit in place.configuration.inventory.units if {unit.name, *unit.aliases} & {*SOME}}
        ledger = place.repository.site_states(run.id)
        captures = [capture for site in ledger for capture in place.repository.captures(run.id, site)]
        recovered = Counter((c.site_id, c.url, c.mode) for c, _ in place.evidence.recover(run.id))
    asked = {row.state for row in ledger.values() if row.attempts}
    assert asked == {RunState.PUBLISHED}
    assert max(row.attempts for row in ledger.values()) == 2
    assert {(c.site_id, c.url, c.mode) for c in captures} == set(recovered)
    assert set(recovered.values()) == {1}, "a page was kept twice"
    expected = undisturbed.answer.document["run"]
    said = Counter({row: times for row, times in undisturbed.workplace.said(expected).items() if row[0] in units})
    assert len(units) == len(SOME)
    assert main.said(run.id) == said, difference(said, main.said(run.id))
    scores = undisturbed.workplace.scores(expected)
    assert main.scores(run.id) == {unit_id: scores[unit_id] for unit_id in units}


def _kept_pace(district: ServedDistrict, before: int) -> None:
    """No host was asked faster than it may be; each machine that came to it may have begun with a full bucket."""
    asked = defaultdict[str, list[float]](list)
    for request in district.requests[before:]:
        asked[request.host].append(request.at)
    assert len(asked) >= len(SOME)
    for host, moments in asked.items():
        seconds = max(moments) - min(moments)
        assert len(moments) <= PACE * seconds + 2 * (AT_ONCE + 1), (host, len(moments), seconds)


def test_night_that_nobody_helps_can_be_stopped_and_leaves_no_job(
    district: ServedDistrict, tmp_path: Path, postgresql_url: str
) -> None:
    main = Workplace.make(district, tmp_path, crawl=BARE, INSPECT_DATABASE_URL=postgresql_url)
    with _running(main, *NIGHT, "--distributed") as night:
        wait_until(lambda: _waiting(postgresql_url) > 0, night)
        stopped = _stop(night)
    assert stopped.code == 130, stopped.err
    assert "--resume" in stopped.err
    assert _waiting(postgresql_url) == 0


def _waiting(database_url: str) -> int:
    tasks = Queue(database_url)
    tasks.prepare()
    with tasks.app(connections=1).open() as app:
        return sum(counts["todo"] + counts["doing"] for counts in app.job_manager.list_queues())


def test_worker_refuses_what_is_not_shared(
    district: ServedDistrict, tmp_path: Path, postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main = Workplace.make(district, tmp_path, crawl=BARE, INSPECT_DATABASE_URL=postgresql_url)
    machine, alone = _machine(main, "machine"), replace(main, environment=main.environment | {"INSPECT_DATA": "alone"})
    before = machine.ask("worker")
    token, evidence = Queue(postgresql_url).prepare(), tmp_path / "data" / "evidence"
    with offered(evidence, "of another database"):
        another = machine.ask("worker")
    elsewhere = alone.ask("worker")
    sqlite = main.ask("worker", "--database-url", "sqlite:///x.sqlite3")
    assert [before.code, another.code, elsewhere.code, sqlite.code] == [5, 5, 5, 2]
    assert token not in before.err + another.err + elsewhere.err
    for answer, said in ((before, "先在主机上"), (another, "另一处"), (elsewhere, "挂载"), (sqlite, "PostgreSQL")):
        assert said in answer.err, answer.err
        assert "Traceback" not in answer.err
