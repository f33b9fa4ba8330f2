"""Recording: evidence at once, rows in batches, and nothing that a killed process had seen is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from checks.model import Capture, FailureKind, Mode, PageRole, Probe, ProbeKind, Visit
from crawler.sink import Exchange
from inspection.recording import BATCH, EvidenceReplay, Recorder, recording
from storage.database import open_database, upgrade
from storage.evidence import EvidenceStore
from storage.model import RunKind
from storage.repository import Repository

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
PAGE = Exchange(
    "GET", (("host", "www.example.test"),), "HTTP/1.1 200 OK", (("content-type", "text/html"),), "区".encode()
)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    database = open_database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    upgrade(database)
    yield Repository(database)
    database.close()


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


@pytest.fixture
def run_id(repository: Repository) -> int:
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    run = repository.create_run(
        kind=RunKind.NIGHTLY,
        day=date(2026, 11, 23),
        seed="s",
        rules_version="1",
        digests=digests,
        units=(),
        site_ids=["portal"],
    )
    return run.id


def capture(number: int, mode: Mode = Mode.STATIC, failure: FailureKind | None = None) -> Capture:
    url = f"http://www.example.test/{number}.html"
    return Capture("portal", url, mode, NOON, url, status=200, failure=failure)


def test_capture_comes_back_with_the_place_of_its_bytes(
    repository: Repository, evidence: EvidenceStore, run_id: int
) -> None:
    with recording(repository, evidence, run_id, "sites-portal") as recorder:
        kept = [
            recorder.store(capture(1), PAGE),
            recorder.store(capture(1, Mode.RENDERED), Exchange("GET", (), "", (), b"<p>dom</p>")),
            recorder.store(capture(2, failure=FailureKind.READ_TIMEOUT), None),
        ]
    assert [evidence.read_payload(each.evidence) for each in kept if each.evidence] == [
        PAGE.payload,
        b"<p>dom</p>",
        b"",
    ]
    assert set(repository.captures(run_id, "portal")) == set(kept)


def test_rows_are_written_in_batches(repository: Repository, evidence: EvidenceStore, run_id: int) -> None:
    with evidence.writer(run_id, "sites-portal") as writer:
        recorder = Recorder(repository, writer, run_id)
        for number in range(BATCH - 1):
            recorder.store(capture(number), None)
        assert repository.captures(run_id, "portal") == []
        recorder.visit(Visit("portal", "http://www.example.test/0.html", PageRole.HOME))
        assert len(repository.captures(run_id, "portal")) == BATCH - 1
        assert len(repository.visits(run_id, "portal")) == 1


def test_what_is_pending_is_written_when_the_process_fails(
    repository: Repository, evidence: EvidenceStore, run_id: int
) -> None:
    with pytest.raises(KeyError), recording(repository, evidence, run_id, "sites-portal") as recorder:
        recorder.store(capture(1), PAGE)
        raise KeyError
    assert len(repository.captures(run_id, "portal")) == 1


def test_probe_has_evidence_too(repository: Repository, evidence: EvidenceStore, run_id: int) -> None:
    with recording(repository, evidence, run_id, "sites-portal") as recorder:
        recorder.probe(Probe("portal", ProbeKind.ADDRESSES, "www.example.test", 0, NOON, {"a": [], "aaaa": []}))
    (probe,) = repository.probes(run_id, "portal")
    assert probe.evidence is not None
    assert b"www.example.test" in evidence.read_payload(probe.evidence)


# ---------------------------------------------------------------- after a kill


def _killed(repository: Repository, evidence: EvidenceStore, run_id: int) -> None:
    """A process that has seen two pages and is gone before it told the database."""
    with evidence.writer(run_id, "sites-portal") as writer:
        recorder = Recorder(repository, writer, run_id)
        recorder.store(capture(1), PAGE)
        recorder.store(capture(2), PAGE)


def test_replay_finds_what_the_database_never_heard_of(
    repository: Repository, evidence: EvidenceStore, run_id: int
) -> None:
    _killed(repository, evidence, run_id)
    assert repository.captures(run_id, "portal") == []
    replay = EvidenceReplay(evidence, run_id, ["portal"])
    found = replay.find("portal", capture(1).url, Mode.STATIC)
    assert found is not None
    assert found[1] == PAGE.payload
    assert replay.find("portal", capture(1).url, Mode.RENDERED) is None
    assert replay.find("portal", capture(3).url, Mode.STATIC) is None
    assert list(EvidenceReplay(evidence, run_id, ["other"]).captures) == []


def test_keeping_again_is_the_same_as_having_kept(repository: Repository, evidence: EvidenceStore, run_id: int) -> None:
    _killed(repository, evidence, run_id)
    kept = []
    for _ in range(2):
        replay = EvidenceReplay(evidence, run_id, ["portal"])
        with recording(repository, evidence, run_id, "sites-portal") as recorder:
            recorder.keep_again(captures=replay.captures)
        kept.append(repository.captures(run_id, "portal"))
    assert kept[0] == kept[1]
    assert [each.url for each in kept[0]] == [capture(1).url, capture(2).url]
    assert all(each.evidence and evidence.read_payload(each.evidence) == PAGE.payload for each in kept[0])


def test_newer_capture_replaces_the_older(repository: Repository, evidence: EvidenceStore, run_id: int) -> None:
    _killed(repository, evidence, run_id)
    with recording(repository, evidence, run_id, "sites-portal") as recorder:
        newer = recorder.store(capture(1), PAGE)
    found = EvidenceReplay(evidence, run_id, ["portal"]).find("portal", newer.url, Mode.STATIC)
    assert found is not None
    assert found[0] == newer
