"""What fails around the program costs time and nothing else: the database, the name server, the machine, the clock."""

from __future__ import annotations

import os
import signal
import socketserver
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from checks.model import Outcome
from fixtures.district.name_server import port_of, running
from fixtures.district.server import ServedDistrict
from storage.model import Run, RunKind, RunState
from tests.end_to_end.conftest import BARE, arguments
from tests.end_to_end.driving import (
    Answer,
    Workplace,
    children_running,
    descendants,
    difference,
    ended,
    wait_until,
    watched,
)
from tests.postgresql import StoppableServer, stoppable_server

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]
UNIT = ("栾城镇",)
STOPPED_WITHIN = 10.0  # seconds: what systemd and the operator are promised


@pytest.fixture
def workplace(district: ServedDistrict, tmp_path: Path) -> Workplace:
    return Workplace.make(district, tmp_path, crawl=BARE)


@pytest.fixture
def server() -> Iterator[StoppableServer]:
    with stoppable_server() as server:
        yield server


@pytest.fixture(scope="module")
def calm(district: ServedDistrict, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The same night, the first of its place, that nothing happened to."""
    workplace = Workplace.make(district, tmp_path_factory.mktemp("calm"), crawl=BARE)
    answer = workplace.inspect(*arguments(UNIT))
    assert answer.code == 0, answer.err
    return workplace


def _is_like(calm: Workplace, workplace: Workplace, answer: Answer) -> None:
    """The only run says and scores what the calm one does."""
    assert answer.code == 0, answer.err
    expected, said = calm.said(1), workplace.said(1)
    assert said == expected, difference(expected, said)
    assert workplace.scores(1) == calm.scores(1)


def test_night_goes_on_when_the_database_comes_back(
    district: ServedDistrict, calm: Workplace, tmp_path: Path, server: StoppableServer
) -> None:
    workplace = Workplace.make(district, tmp_path, crawl=BARE, INSPECT_DATABASE_URL=server.url)
    before = len(district.requests)
    process = workplace.start(*arguments(UNIT))
    wait_until(lambda: len(district.requests) > before + 3, process)
    server.stop()
    wait_until(lambda: "等待数据库" in _log(workplace), process)
    server.start()
    _is_like(calm, workplace, ended(process))


class _NoAnswers(socketserver.BaseRequestHandler):
    """A name server that fails whatever it is asked."""

    def handle(self) -> None:
        wire, channel = self.request
        response = dns.message.make_response(dns.message.from_wire(wire))
        response.set_rcode(dns.rcode.SERVFAIL)
        channel.sendto(response.to_wire(), self.client_address)


def test_name_server_that_fails_is_our_fault(district: ServedDistrict, tmp_path: Path) -> None:
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), _NoAnswers) as failing, running(failing):
        crawl = BARE | {"resolver": f"127.0.0.1:{port_of(failing)}", "retries": 0}
        workplace = Workplace.make(district, tmp_path, crawl=crawl)
        answer = workplace.inspect(*arguments(UNIT))
    assert answer.code == 4, answer.err
    assert set(answer.document["captures"]) <= {"dns_failure", "not_captured"}
    said = workplace.said(answer.document["run"])
    told = {check for _, check, _, _, reason, outcome in said if outcome == Outcome.FAIL and reason != "absent"}
    assert told <= {"availability", "new_media"}  # the days before, and the office's register
    with workplace.opened() as place:
        assert place.repository.run(answer.document["run"]).state is RunState.FAILED


def test_order_to_stop_reaches_everybody_and_the_night_can_go_on(calm: Workplace, workplace: Workplace) -> None:
    logs = workplace.folder / "data" / "logs"
    logs.write_text("a file where the folder should be")  # which stops no night
    before = len(workplace.served.requests)
    process = workplace.start(*arguments(UNIT))
    wait_until(lambda: len(workplace.served.requests) > before + 3, process)
    family = descendants(process.pid)
    with watched(family) as all_ended:
        for pid in (process.pid, *children_running(process.pid, "inspection.batch")):  # as systemd does
            os.kill(pid, signal.SIGTERM)
        _, said = process.communicate(timeout=STOPPED_WITHIN)
        assert all_ended(), "a child outlived its parent"
    assert process.returncode == 130, said
    assert "--resume" in said
    assert "日志写不进" in said
    logs.unlink()
    _is_like(calm, workplace, workplace.inspect("run", "--resume", "--json"))
    with workplace.opened() as place:
        (run,) = place.repository.runs()
        assert run.state is RunState.PUBLISHED
        assert {row.state for row in place.repository.site_states(run.id).values()} == {RunState.PUBLISHED}


def test_night_in_a_service_bears_a_second_one_a_spot_check_and_a_reboot(workplace: Workplace) -> None:
    with (workplace.folder / "config" / "sites.toml").open("a", encoding="utf-8") as sites:
        sites.write("\n[schedule]\nnightly = 00:00:00\n")  # always due
    served = workplace.served
    service = workplace.start("schedule")
    begun = len(served.requests)
    wait_until(lambda: len(served.requests) > begun + 5, service)
    second = workplace.inspect("run")
    assert second.code == 2, second.out
    assert "正由另一个进程进行" in second.err
    spot = workplace.inspect("--unit", *UNIT, "--json")
    assert spot.code in (0, 3), spot.err
    with workplace.opened() as place:
        assert _states(place.repository.runs(kind=RunKind.NIGHTLY)) == [RunState.RUNNING], "the night was too quick"
    with watched(descendants(service.pid)) as all_ended:
        for pid in (service.pid, *descendants(service.pid)):  # the power fails
            os.kill(pid, signal.SIGKILL)
        service.communicate()
        assert all_ended()
    again = workplace.start("schedule")
    begun = len(served.requests)
    wait_until(lambda: len(served.requests) > begun + 5, again)
    again.send_signal(signal.SIGTERM)
    said, _ = again.communicate(timeout=STOPPED_WITHIN)
    assert again.returncode == 130
    assert "现在继续" in said
    with workplace.opened() as place:
        assert _states(place.repository.runs(kind=RunKind.NIGHTLY)) == [RunState.RUNNING]  # the one that there was


def test_of_two_nights_begun_at_once_one_is_made(workplace: Workplace) -> None:
    """Two clocks ring at the same moment, before there is a night that either could find."""
    both = [workplace.start("run"), workplace.start("run")]
    wait_until(lambda: any(process.poll() is not None for process in both), both[1 if both[1].poll() is None else 0])
    refused, night = sorted(both, key=lambda process: process.poll() is None)
    said = ended(refused)
    assert said.code == 2, said
    assert "正由另一个进程进行" in said.err
    assert "Traceback" not in said.err
    begun = len(workplace.served.requests)
    wait_until(lambda: len(workplace.served.requests) > begun + 3, night)
    night.send_signal(signal.SIGTERM)
    assert ended(night).code == 130
    with workplace.opened() as place:
        assert _states(place.repository.runs()) == [RunState.RUNNING]


def _states(runs: list[Run]) -> list[RunState]:
    return [run.state for run in runs]


def test_data_folder_that_cannot_be_used_is_said(workplace: Workplace) -> None:
    answer = workplace.ask("run", "--data", "/dev/null/data")
    assert answer.code == 5
    assert "请检查路径、权限" in answer.err
    assert "Traceback" not in answer.err


def _log(workplace: Workplace) -> str:
    return "".join(path.read_text() for path in (workplace.folder / "data" / "logs").glob("xuncha-*.jsonl"))
