"""The sealed index of a run's records: whatever an address holds, one line each; a broken record is found by it."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from checks.model import Capture, Mode
from storage import record_members
from storage.errors import IndexUnreadable
from storage.evidence import EvidenceStore
from storage.manifest import digests_of_file
from storage.record_index import INDEX, broken_members, read_index, write_index

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
HOSTILE = ["http://a.example/栾城\nx y", "http://a.example:bad/\ud800", "http://[half/", "http://b/" + "y" * 90_000]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    store = EvidenceStore(tmp_path)
    with store.writer(7, "sites-portal") as writer:
        for url in HOSTILE:
            capture = Capture("portal", url, Mode.STATIC, NOON, url, status=200, length=3)
            writer.write_exchange(capture, (), "HTTP/1.1 200 OK", [("Content-Type", "text/html; x")], b"abc")
            writer.write_failure(capture)
    return tmp_path / "7" / "sites-portal-00000.warc.gz"


def test_every_record_has_a_line_whatever_its_address(file: Path) -> None:
    assert write_index(file.parent) == {file.name: digests_of_file(file)}
    content = (file.parent / INDEX).read_bytes()
    assert content.isascii()
    assert content.splitlines() == sorted(content.splitlines())
    records = read_index(content, 7)
    assert [record.type for record in records] == ["response", "metadata"] * len(HOSTILE)
    assert [len(record.members) for record in records] == [2, 1] * len(HOSTILE)
    assert all(one.end == next_one.offset for one, next_one in pairwise(records))
    assert records[-1].end == file.stat().st_size
    assert list(broken_members(file, records)) == []


def test_an_index_is_the_same_when_what_was_read_is_given_back_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EvidenceStore(tmp_path).writer(7, "sites-portal") as writer:
        for number in range(100):
            capture = Capture("portal", f"http://a.example/{number}", Mode.STATIC, NOON, status=200, length=3_000)
            writer.write_exchange(capture, (), "HTTP/1.1 200 OK", [], random.Random(number).randbytes(3_000))
    write_index(tmp_path / "7")
    whole = (tmp_path / "7" / INDEX).read_bytes()
    given_back = []
    let_go = record_members._let_go
    monkeypatch.setattr(record_members, "_HELD", 10_000)
    monkeypatch.setattr(record_members, "_let_go", lambda *asked: given_back.append(let_go(*asked)) or given_back[-1])
    write_index(tmp_path / "7")
    assert (tmp_path / "7" / INDEX).read_bytes() == whole
    assert len(read_index(whole, 7)) == 100
    assert len(given_back) > 10
    assert given_back == sorted(set(given_back))


def test_the_broken_record_is_found_and_so_is_the_first_that_is_cut_off(file: Path) -> None:
    write_index(file.parent)
    records = read_index((file.parent / INDEX).read_bytes(), 7)
    content = bytearray(file.read_bytes())
    content[records[3].offset + 20] ^= 1
    file.write_bytes(content)
    assert [record for _, _, record in broken_members(file, records)] == [records[3]]
    file.write_bytes(content[: records[1].offset + 5])
    assert next(record for _, _, record in broken_members(file, records)) == records[1]


def test_a_torn_record_is_told_before_it_is_cut(file: Path) -> None:
    size, told = file.stat().st_size, []
    file.write_bytes(file.read_bytes() + b"\x1f\x8b\x08torn")
    digests = write_index(file.parent, lambda *cut: told.append((*cut, file.stat().st_size)))
    assert told == [(file, size, 7, size + 7)]
    assert digests == {file.name: digests_of_file(file)}


def test_a_run_without_records_has_an_empty_index(tmp_path: Path) -> None:
    assert write_index(tmp_path) == {}
    assert read_index((tmp_path / INDEX).read_bytes(), 1) == []


@pytest.mark.parametrize("line", [b"x", b"a 2026 {}", b"\xff 1 {}", b'a 1 {"filename":"../x"}', b"a 1 " + b"[" * 9000])
def test_an_index_of_another_kind_is_refused(line: bytes) -> None:
    with pytest.raises(IndexUnreadable, match="第 1 行"):
        read_index(line, 1)
