"""A hundred kills at random moments of the capture: what the database tells of is there, and every file is whole."""

from __future__ import annotations

import multiprocessing
import random
from argparse import Namespace
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import pytest
from warcio.checker import Checker

from checks.model import Capture, Mode, PageRole, Probe, ProbeKind, Visit
from crawler.sink import Exchange
from inspection.recording import EvidenceReplay, recording
from storage.database import open_database, upgrade
from storage.evidence import EvidenceStore
from storage.model import RunKind
from storage.repository import Repository

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
RUNS, KILLS_PER_RUN = 20, 5  # what lies in a run is read after every kill in it
LONGEST_SECONDS = 0.12


def payload(run_id: int, number: int) -> bytes:
    """What a page brings in a run: every other page is the same in all of them."""
    noise = random.Random(number if number % 2 else f"{run_id}/{number}")
    return noise.randbytes(noise.randrange(1, 3_000))


def capture_until_killed(database_url: str, folder: Path, run_id: int, first: int) -> None:
    """Capture pages and put questions like a child of a nightly run, from a page on."""
    repository = Repository(open_database(database_url))
    with recording(repository, EvidenceStore(folder), run_id, "sites-portal") as recorder:
        for number in count(first):
            body, url = payload(run_id, number), f"http://www.example.test/{number}.html"
            capture = Capture("portal", url, Mode.STATIC, NOON, url, status=200, length=len(body))
            recorder.store(capture, Exchange("GET", (), "HTTP/1.1 200 OK", (), body))
            recorder.visit(Visit("portal", url, PageRole.ARTICLE))
            recorder.probe(Probe("portal", ProbeKind.LINK, url, 0, NOON, {"state": "alive"}))


def whole(repository: Repository, evidence: EvidenceStore, run_id: int) -> set[Capture]:
    """The captures that the database tells of, each of which must lie in the evidence as it was; and the probes too."""
    captures = set(repository.captures(run_id, "portal"))
    for capture in captures:
        number = int(capture.url.rpartition("/")[2].removesuffix(".html"))
        assert capture.evidence is not None
        assert evidence.read_payload(capture.evidence) == payload(run_id, number)
    assert captures <= {found for found, _ in evidence.recover(run_id)}
    assert set(map(repr, repository.probes(run_id, "portal"))) <= set(map(repr, evidence.recover_probes(run_id)))
    return captures


def test_a_hundred_kills_lose_nothing_that_the_database_tells_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspection.recording.BATCH", 12)  # so that many a kill comes while a batch is written
    database_url, evidence = f"sqlite:///{tmp_path / 'x.sqlite3'}", EvidenceStore(tmp_path / "evidence")
    database = open_database(database_url)
    upgrade(database)
    repository, moments = Repository(database), random.Random(5)
    processes, told, unchanged = multiprocessing.get_context("fork"), 0, 0
    for _ in range(RUNS):
        digests = {"rules": "r", "indicators": "i", "inventory": "v"}
        nightly = {"kind": RunKind.NIGHTLY, "day": date(2026, 11, 23), "seed": "s", "rules_version": "1"}
        run = repository.create_run(**nightly, digests=digests, site_ids=["portal"])
        for _ in range(KILLS_PER_RUN):
            replay = EvidenceReplay(evidence, run.id, ["portal"])  # as a run that is taken up again
            first = 1 + max((int(c.url.split("/")[-1].split(".")[0]) for c in replay.captures), default=0)
            database.close()  # no connection may be shared with the child
            arguments = (database_url, evidence.folder, run.id, first)
            process = processes.Process(target=capture_until_killed, args=arguments)
            process.start()
            process.join(moments.uniform(0, LONGEST_SECONDS))
            process.kill()
            process.join()
            database = open_database(database_url)
            repository = Repository(database)
        captures = whole(repository, evidence, run.id)
        told += len(captures)
        unchanged += sum(1 for c in captures if c.evidence and not c.evidence.warc_file.startswith(f"{run.id}/"))
    database.close()
    files = sorted(map(str, evidence.folder.rglob("*.warc.gz")))
    assert told, "no kill came late enough for a row to be written"
    assert unchanged, "no kill came late enough for a page to be seen again"
    assert len(files) > RUNS
    assert Checker(Namespace(inputs=files, verbose=False)).process_all() == 0
