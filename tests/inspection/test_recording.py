"""Recording: evidence at once, rows in batches, and nothing that a killed process had seen is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from checks.model import Capture, FailureKind, Mode, PageRole, Probe, ProbeKind, Visit
from crawler.sink import Exchange
from inspection.recording import BATCH, Earlier, EvidenceReplay, Recorder, recording
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


def _run(repository: Repository, day: date) -> int:
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    run = repository.create_run(
        kind=RunKind.NIGHTLY, day=day, seed="s", rules_version="1", digests=digests, units=(), site_ids=["portal"]
    )
    return run.id


@pytest.fixture
def run_id(repository: Repository) -> int:
    return _run(repository, date(2026, 11, 23))


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
        recorder = Recorder(repository, writer, run_id, Earlier(repository, evidence, run_id))
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


# ---------------------------------------------------------------- another night

RENDERED, PICTURE = Exchange("GET", (), "", (), b"<p>dom</p>"), Exchange("GET", (), "", (), b"\x89PNG")
SEEN = ((Mode.STATIC, PAGE), (Mode.RENDERED, RENDERED), (Mode.SCREENSHOT, PICTURE))


def _night(repository: Repository, evidence: EvidenceStore, run_id: int, page: Exchange = PAGE) -> list[Capture]:
    with recording(repository, evidence, run_id, "sites-portal") as recorder:
        kept = [recorder.store(capture(1, mode), page if exchange is PAGE else exchange) for mode, exchange in SEEN]
    assert set(repository.captures(run_id, "portal")) == set(kept)
    return kept


def _another_run(repository: Repository) -> int:
    return _run(repository, date(2026, 11, 24))


def test_what_is_unchanged_is_kept_once(repository: Repository, evidence: EvidenceStore, run_id: int) -> None:
    first = _night(repository, evidence, run_id)
    for _ in range(2):
        again = _another_run(repository)
        assert [each.evidence for each in _night(repository, evidence, again)] == [each.evidence for each in first]
        found = {each.mode: load() for each, load in evidence.recover(again)}
        assert found == {mode: exchange.payload for mode, exchange in SEEN}


def test_what_changed_is_kept_anew_and_is_what_the_next_night_is_compared_with(
    repository: Repository, evidence: EvidenceStore, run_id: int
) -> None:
    _night(repository, evidence, run_id)
    changed = replace(PAGE, payload="改".encode())
    second, third, fourth = (_another_run(repository) for _ in range(3))
    newer = _night(repository, evidence, second, changed)[0]
    assert newer.evidence is not None
    assert newer.evidence.warc_file.startswith(f"{second}/")
    assert _night(repository, evidence, third, changed)[0].evidence == newer.evidence
    back = _night(repository, evidence, fourth, PAGE)[0]
    assert back.evidence is not None
    assert back.evidence.warc_file.startswith(f"{fourth}/")
    assert evidence.read_payload(back.evidence) == PAGE.payload


def test_what_is_damaged_or_gone_is_kept_anew(repository: Repository, evidence: EvidenceStore, run_id: int) -> None:
    first = _night(repository, evidence, run_id)
    assert first[0].evidence is not None
    path = evidence.folder / first[0].evidence.warc_file
    data = bytearray(path.read_bytes())
    data[first[0].evidence.offset + 60] ^= 0xFF
    path.write_bytes(data)
    second = _night(repository, evidence, _another_run(repository))
    assert second[0].evidence != first[0].evidence
    assert second[1].evidence == first[1].evidence
    path.unlink()
    third = _night(repository, evidence, _another_run(repository))
    assert third[0].evidence == second[0].evidence
    assert third[1].evidence != first[1].evidence


def test_failures_and_other_pages_are_never_taken_for_the_page(
    repository: Repository, evidence: EvidenceStore, run_id: int
) -> None:
    failed = capture(1, failure=FailureKind.BLOCKED)
    for run in (run_id, _another_run(repository)):
        with recording(repository, evidence, run, "sites-portal") as recorder:
            kept = [recorder.store(failed, PAGE), recorder.store(capture(2 + run), PAGE)]
        assert {each.evidence.warc_file.split("/")[0] for each in kept if each.evidence} == {str(run)}


def test_pages_fetched_over_both_protocols_are_described_once(
    repository: Repository, evidence: EvidenceStore, run_id: int
) -> None:
    answer: dict[str, object] = {"try": 1, "digest": "sha256:1", "shingles": [f"{n:012x}" for n in range(500)]}
    probe = Probe("portal", ProbeKind.FETCH, "http://www.example.test/", 6, NOON, answer)
    runs = [run_id, *(_another_run(repository) for _ in range(2))]
    for run in runs:
        with recording(repository, evidence, run, "sites-portal") as recorder:
            recorder.probe(probe)
        assert [replace(each, evidence=None) for each in repository.probes(run, "portal")] == [probe]
        assert list(evidence.recover_probes(run)) == repository.probes(run, "portal")
    sizes = [sum(path.stat().st_size for path in (evidence.folder / str(run)).iterdir()) for run in runs]
    assert max(sizes[1:]) < sizes[0] - 500


# ---------------------------------------------------------------- after a kill


def _killed(repository: Repository, evidence: EvidenceStore, run_id: int) -> None:
    """A process that has seen two pages and is gone before it told the database."""
    with evidence.writer(run_id, "sites-portal") as writer:
        recorder = Recorder(repository, writer, run_id, Earlier(repository, evidence, run_id))
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
