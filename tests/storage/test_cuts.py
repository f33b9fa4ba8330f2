"""The ledger of cut records: no cut is made untold, the same one is told once, and another at its place is another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from checks.model import Capture, Mode
from storage.cuts import Cut, CutLedger
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.manifest import digests_of
from storage.model import RunKind
from storage.repository import Repository

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
FIRST, SECOND = b"\x1f\x8b\x08torn", b"\x1f\x8b\x08TORN"  # of one length


@pytest.fixture
def ledger(database: Database) -> CutLedger:
    return CutLedger(database)


@pytest.fixture
def torn(tmp_path: Path, repository: Repository, ledger: CutLedger) -> Callable[[bytes], Path]:
    """Leaves a record and, after it, what a killed process wrote of the next one."""
    digests = {"rules": "r", "indicators": "i", "inventory": "v"}
    run = repository.create_run(
        kind=RunKind.NIGHTLY, day=date(2026, 11, 23), seed="s", rules_version="1", digests=digests
    )
    with EvidenceStore(tmp_path).writer(run.id, "sites-jyj") as writer:
        writer.write_failure(Capture("jyj", "http://jyj.luancheng.test/", Mode.STATIC, NOON))
    (file,) = (tmp_path / str(run.id)).glob("*.warc.gz")
    whole = file.read_bytes()

    def leave(tail: bytes) -> Path:
        file.write_bytes(whole + tail)
        return file

    return leave


def recover(file: Path, noting: Callable[[Path, int, int], None]) -> None:
    list(EvidenceStore(file.parents[1], noting=noting).recover(int(file.parent.name)))


def told(ledger: CutLedger, file: Path) -> list[tuple[str, int, int, str]]:
    cuts: list[Cut] = ledger.of_run(int(file.parent.name))
    return [(cut.file, cut.position, cut.length, cut.sha256) for cut in cuts]


def sha256(tail: bytes) -> str:
    return digests_of([tail]).sha256


def test_a_kill_between_the_note_and_the_cut_loses_neither(torn: Callable[[bytes], Path], ledger: CutLedger) -> None:
    file = torn(FIRST)
    size = file.stat().st_size - len(FIRST)

    def killed(*cut: object) -> None:
        ledger.note(*cut)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recover(file, killed)
    assert file.stat().st_size == size + len(FIRST)
    recover(file, ledger.note)
    assert file.stat().st_size == size
    assert told(ledger, file) == [(file.name, size, len(FIRST), sha256(FIRST))]


def test_what_cannot_be_noted_is_not_cut(torn: Callable[[bytes], Path]) -> None:
    file = torn(FIRST)
    before = file.read_bytes()

    def refused(*_: object) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        recover(file, refused)
    assert file.read_bytes() == before


def test_another_torn_record_at_the_same_place_is_another_cut(torn: Callable[[bytes], Path], ledger: CutLedger) -> None:
    for tail in (FIRST, SECOND):
        file = torn(tail)
        recover(file, ledger.note)
    size = file.stat().st_size
    assert told(ledger, file) == [(file.name, size, 7, sha256(tail)) for tail in (FIRST, SECOND)]
