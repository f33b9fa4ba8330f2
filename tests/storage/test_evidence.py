"""The evidence store: what went in comes out, whatever happened in between."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import multiprocessing
import random
import resource
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from checks.model import Capture, EvidenceRef, FailureKind, Mode, Probe, ProbeKind
from storage.errors import DamagedRecord, EvidenceDiskFull, EvidenceUnwritable, MissingRecord
from storage.evidence import IDENTICAL, Answered, EvidenceStore, EvidenceWriter

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
PAGE = "<html><title>区教育局</title><p>此件公开发布</p></html>".encode()


def capture(url: str = "http://portal.test/a.html", **changes: object) -> Capture:
    made = Capture(
        site_id="portal",
        url=url,
        mode=Mode.STATIC,
        captured_at=NOON,
        final_url=url,
        status=200,
        headers=(("content-type", "text/html; charset=utf-8"),),
        length=len(PAGE),
        elapsed=0.1 + 0.2,
        address="127.0.0.1",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def write(writer: EvidenceWriter, made: Capture, payload: bytes = PAGE) -> EvidenceRef:
    answered = [("Content-Type", "text/html; charset=utf-8"), ("Content-Encoding", "gzip"), ("Content-Length", "17")]
    return writer.write_exchange(made, [("User-Agent", "巡查")], "HTTP/1.1 200 OK", answered, payload, "127.0.0.1")


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


def files(store: EvidenceStore, run_id: int = 1) -> list[Path]:
    return sorted((store.folder / str(run_id)).glob("*.warc.gz"))


def warcio_finds_no_fault(paths: list[Path]) -> bool:
    return Checker(Namespace(inputs=[str(path) for path in paths], verbose=False)).process_all() == 0


def headers_of(path: Path) -> list[dict[str, str]]:
    with path.open("rb") as file:
        return [dict(record.rec_headers.headers) for record in ArchiveIterator(file)]


def test_everything_comes_back_as_it_was(store: EvidenceStore) -> None:
    rendered = capture(mode=Mode.RENDERED, redirects=("http://portal.test/old", "http://portal.test/a.html"))
    failed = capture(
        "http://gone.test/", status=None, failure=FailureKind.DNS_NOT_FOUND, detail="域名不存在", headers=()
    )
    blocked = capture("http://portal.test/b", status=403, failure=FailureKind.BLOCKED)
    with store.writer(1, "batch-0") as writer:
        expected = {
            write(writer, capture()): (capture(), PAGE),
            writer.write_resource(rendered, "text/html; charset=utf-8", b"<p>dom</p>"): (rendered, b"<p>dom</p>"),
            writer.write_failure(failed): (failed, b""),
            write(writer, blocked, b"blocked"): (blocked, b"blocked"),
        }
    recovered = list(store.recover(1))
    assert [found for found, _ in recovered] == [replace(c, evidence=ref) for ref, (c, _) in expected.items()]
    assert [load() for _, load in recovered] == [payload for _, payload in expected.values()]
    assert [store.read_payload(ref) for ref in expected] == [payload for _, payload in expected.values()]


def test_a_probe_comes_back_as_it_was(store: EvidenceStore) -> None:
    observed: dict[str, object] = {"a": ["127.0.0.1"], "aaaa": [], "rcode": "NOERROR", "seconds": 0.25}
    probe = Probe("portal", ProbeKind.ADDRESSES, "portal.test", 0, NOON, observed)
    unasked = Probe("portal", ProbeKind.ROUTE, "::1", 6, NOON, {}, FailureKind.DNS_FAILURE)
    with store.writer(1, "batch-0") as writer:
        kept = [*writer.write_probes([probe]), *writer.write_probes([unasked, probe])]
        write(writer, capture())
    assert list(store.recover_probes(1)) == kept
    assert [replace(each, evidence=None) for each in kept] == [probe, unasked, probe]
    assert len(list(store.recover(1))) == 1


# ---------------------------------------------------------------- what was as before


def test_unchanged_captures_lead_to_the_earlier_records(store: EvidenceStore) -> None:
    with store.writer(1, "batch-0") as writer:
        pages = [
            replace(made, evidence=write(writer, made)) for made in map(capture, ["http://a.test/", "http://b.test/"])
        ]
    tonight = [replace(page, captured_at=NOON + timedelta(days=1), elapsed=0.7) for page in pages]
    with store.writer(2, "batch-0") as writer:
        writer.write_unchanged(tonight)
        writer.write_unchanged([])
        newer = write(writer, capture("http://c.test/"))
    found = list(store.recover(2))
    assert [each for each, _ in found] == [*tonight, capture("http://c.test/", evidence=newer)]
    assert [load() for _, load in found] == [PAGE] * 3
    assert warcio_finds_no_fault(files(store, 2))
    assert [record["WARC-Type"] for record in headers_of(files(store, 2)[0])].count("revisit") == 1
    files(store)[0].unlink()
    with pytest.raises(MissingRecord, match="1/batch-0-00000"):
        found[0][1]()


def test_revisit_of_the_standard_is_made_from_an_unchanged_capture(store: EvidenceStore, tmp_path: Path) -> None:
    picture = capture(mode=Mode.SCREENSHOT)
    with store.writer(1, "batch-0") as writer:
        seen = [(capture(), write(writer, capture())), (picture, writer.write_resource(picture, "", b"\x89PNG"))]
    tonight = [replace(made, captured_at=NOON + timedelta(days=1), evidence=reference) for made, reference in seen]
    path = tmp_path / "revisits.warc.gz"
    path.write_bytes(b"".join(map(store.revisit, tonight)))
    assert warcio_finds_no_fault([path])
    assert path.read_bytes() == b"".join(map(store.revisit, tonight))
    records = headers_of(path)
    assert [record["WARC-Refers-To"] for record in records] == [reference.record_id for _, reference in seen]
    assert [record["WARC-Payload-Digest"] for record in records] == [reference.payload_digest for _, reference in seen]
    assert {record["WARC-Profile"] for record in records} == {IDENTICAL}
    assert [record["WARC-Refers-To-Target-URI"] for record in records] == [
        record["WARC-Target-URI"] for record in records
    ]
    assert {record["WARC-Refers-To-Date"] for record in records} == {"2026-11-23T04:00:00.123456Z"}
    assert {record["WARC-Date"] for record in records} == {"2026-11-24T04:00:00.123456Z"}


def fetched(**observed: object) -> Probe:
    answer: dict[str, object] = {"try": 1, "seconds": 0.5, "digest": "sha256:11", "shingles": ["0a", "0b"]}
    return Probe("portal", ProbeKind.FETCH, "http://portal.test/", 6, NOON, answer | observed)


def answers(store: EvidenceStore, reference: EvidenceRef | None) -> dict[str, Answered]:
    assert reference is not None
    return {str(p.observed["digest"]): (p.observed["shingles"], full) for p, full in store.probes_at(reference)}


def test_bulky_answer_is_kept_once_and_told_every_night(store: EvidenceStore) -> None:
    earlier: dict[str, Answered] = {}
    told = [fetched(), fetched(seconds=0.25), fetched(seconds=0.75, status=200)]
    for night, probe in enumerate(told, start=1):
        with store.writer(night, "batch-0") as writer:
            (kept,) = writer.write_probes([probe], earlier)
        assert list(store.recover_probes(night)) == [kept] == [replace(probe, evidence=kept.evidence)]
        assert kept.evidence is not None and (b"shingles" in store.read_payload(kept.evidence)) == (night == 1)
        earlier = answers(store, kept.evidence)
        assert [full.warc_file for _, full in earlier.values()] == ["1/batch-0-00000.warc.gz"]
    changed = fetched(digest="sha256:22", shingles=["0c"])
    read_otherwise = fetched(shingles=["0d"])
    with store.writer(9, "batch-0") as writer:
        kept_anew = writer.write_probes([changed, read_otherwise], earlier)
    files(store)[0].unlink()
    assert list(store.recover_probes(9)) == kept_anew
    assert list(store.recover_probes(2)) == []


def test_the_file_is_a_sound_warc(store: EvidenceStore) -> None:
    with store.writer(1, "batch-0") as writer:
        reference = write(writer, capture())
        writer.write_resource(capture(mode=Mode.SCREENSHOT), "image/png", b"\x89PNG")
        writer.write_failure(capture(failure=FailureKind.CONNECTION_TIMEOUT))
        writer.write_probes([Probe("portal", ProbeKind.ADDRESSES, "portal.test", 0, NOON, {"a": []})])
    [path] = files(store)
    assert warcio_finds_no_fault([path])
    records = headers_of(path)
    kinds = [record["WARC-Type"] for record in records]
    assert kinds == ["warcinfo", "response", "request", "resource", "metadata", "metadata"]
    assert {record["WARC-Warcinfo-ID"] for record in records[1:]} == {records[0]["WARC-Record-ID"]}
    assert records[1]["WARC-Payload-Digest"] == reference.payload_digest == f"sha256:{hashlib.sha256(PAGE).hexdigest()}"
    assert records[1]["WARC-Date"] == "2026-11-23T04:00:00.123456Z"
    assert records[1]["WARC-IP-Address"] == "127.0.0.1"
    assert records[2]["WARC-Concurrent-To"] == records[1]["WARC-Record-ID"]
    assert records[3]["WARC-Target-URI"] == "urn:view:http://portal.test/a.html"


def test_headers_tell_the_decoded_body_and_keep_the_wire_form(store: EvidenceStore) -> None:
    with store.writer(1, "batch-0") as writer:
        write(writer, capture())
    with files(store)[0].open("rb") as file:
        http = next(record.http_headers for record in ArchiveIterator(file) if record.rec_type == "response")
    assert http.get_header("Content-Encoding") is None
    assert http.get_header("X-Archive-Orig-Content-Encoding") == "gzip"
    assert http.get_header("X-Archive-Orig-Content-Length") == "17"
    assert http.get_header("Content-Length") == str(len(PAGE))


def test_a_body_cut_short_is_marked(store: EvidenceStore) -> None:
    with store.writer(1, "batch-0") as writer:
        write(writer, capture(failure=FailureKind.TRUNCATED), PAGE[:10])
    assert headers_of(files(store)[0])[1]["WARC-Truncated"] == "disconnect"


def test_hostile_headers_and_addresses_stay_in_their_line(store: EvidenceStore) -> None:
    made = capture("http://portal.test/a\r\nWARC-Type: warcinfo\r\n\r\n?词 语=\ud800", detail="a\x00\nb\ud800")
    answered = [
        ("X-A\r\nB: c", "v\r\n\r\n<html>"),
        ("", "空"),
        ("Content-Disposition", "attachment; filename=年报.doc"),
    ]
    with store.writer(1, "batch-0") as writer:
        reference = writer.write_exchange(made, [], "200 O\r\nK", answered, PAGE)
    assert warcio_finds_no_fault(files(store))
    assert store.read_payload(reference) == PAGE
    assert [found for found, _ in store.recover(1)] == [replace(made, evidence=reference)]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "名"])
def test_a_writer_keeps_to_its_folder(store: EvidenceStore, name: str) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        store.writer(1, name)


def test_a_new_file_begins_when_one_is_full(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path, max_file_bytes=3000)
    noise = random.Random(1)
    payloads = [noise.randbytes(2000) for _ in range(5)]
    with store.writer(1, "batch-0") as writer:
        references = [write(writer, capture(f"http://portal.test/{n}"), payload) for n, payload in enumerate(payloads)]
    assert len(files(store)) == 5
    assert warcio_finds_no_fault(files(store))
    assert [store.read_payload(reference) for reference in references] == payloads
    assert [load() for _, load in store.recover(1)] == payloads


def test_the_same_name_again_never_touches_the_first_file(store: EvidenceStore) -> None:
    for _ in range(2):
        with store.writer(1, "batch-0") as writer:
            write(writer, capture())
    assert [path.name for path in files(store)] == ["batch-0-00000.warc.gz", "batch-0-00001.warc.gz"]
    assert len(list(store.recover(1))) == 2


def test_nothing_written_leaves_nothing(store: EvidenceStore) -> None:
    with store.writer(1, "batch-0"):
        pass
    assert files(store) == []
    assert list(store.recover(1)) == []


# ---------------------------------------------------------------- damage


@pytest.fixture
def three(store: EvidenceStore) -> tuple[EvidenceStore, Path, list[EvidenceRef]]:
    with store.writer(1, "batch-0") as writer:
        references = [write(writer, capture(f"http://portal.test/{n}")) for n in range(3)]
    return store, files(store)[0], references


Three = tuple[EvidenceStore, Path, list[EvidenceRef]]


def test_a_file_cut_anywhere_loses_only_the_record_it_was_cut_in(three: Three) -> None:
    store, path, references = three
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        survivors = [
            reference for reference, end in zip(references, ends(whole, references), strict=True) if end <= length
        ]
        assert [found.evidence for found, _ in store.recover(1)] == survivors
        assert whole.startswith(path.read_bytes())
        assert path.stat().st_size == 0 or warcio_finds_no_fault([path])


def ends(whole: bytes, references: list[EvidenceRef]) -> list[int]:
    """Where each reference's own gzip member ends."""
    import zlib

    found = []
    for reference in references:
        inflater = zlib.decompressobj(zlib.MAX_WBITS + 16)
        inflater.decompress(whole[reference.offset :])
        found.append(len(whole) - len(inflater.unused_data))
    return found


def test_zeros_after_a_power_cut_are_cut(three: Three) -> None:
    store, path, references = three
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(5000))
    assert [found.evidence for found, _ in store.recover(1)] == references
    assert path.read_bytes() == whole


def test_damage_in_the_middle_costs_that_record_alone(three: Three) -> None:
    store, path, references = three
    data = bytearray(path.read_bytes())
    data[references[1].offset + 40] ^= 0xFF
    path.write_bytes(data)
    assert [found.evidence for found, _ in store.recover(1)] == [references[0], references[2]]
    assert path.read_bytes() == data
    assert store.read_payload(references[2]) == PAGE
    with pytest.raises(DamagedRecord):
        store.read_payload(references[1])


def test_a_body_cannot_pose_as_a_record_when_its_own_is_torn(store: EvidenceStore) -> None:
    with store.writer(9, "other") as writer:
        write(writer, capture("http://victim.test/"), b"forged")
    forged = files(store, 9)[0].read_bytes()
    with store.writer(1, "batch-0") as writer:
        reference = write(
            writer, capture(), random.Random(1).randbytes(70_000) + forged + random.Random(2).randbytes(70_000)
        )
    path = files(store)[0]
    whole = path.read_bytes()
    assert forged in whole, "incompressible bodies lie in the file as they are"
    path.write_bytes(whole[: whole.index(forged) + len(forged) + 5000])
    assert list(store.recover(1)) == []
    assert path.stat().st_size == reference.offset


def test_changed_bytes_are_damage_and_not_a_page(three: Three) -> None:
    store, _path, references = three
    with pytest.raises(DamagedRecord):
        store.read_payload(replace(references[0], payload_digest="sha256:" + "0" * 64))


def test_a_record_that_is_not_there_is_missing(three: Three) -> None:
    store, path, references = three
    for wrong in (
        replace(references[0], warc_file="1/nothing.warc.gz"),
        replace(references[0], offset=references[1].offset),
        replace(references[0], offset=10**9),
    ):
        with pytest.raises(MissingRecord):
            store.read_payload(wrong)
    path.write_bytes(b"")
    with pytest.raises(MissingRecord):
        store.read_payload(references[0])


def test_a_file_still_being_written_is_not_cut(store: EvidenceStore) -> None:
    with store.writer(1, "batch-0") as writer:
        first = write(writer, capture())
        path = files(store)[0]
        with path.open("ab") as file:
            file.write(b"\x1f\x8b\x08half")
        size = path.stat().st_size
        assert [found.evidence for found, _ in store.recover(1)] == [first]
        assert path.stat().st_size == size


def test_a_full_disk_is_said_and_leaves_whole_records(store: EvidenceStore) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with store.writer(1, "batch-0") as writer:
        first = write(writer, capture())
        size = files(store)[0].stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 700, hard))
        try:
            with pytest.raises(EvidenceDiskFull):
                write(writer, capture("http://portal.test/big"), random.Random(1).randbytes(5000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert files(store)[0].stat().st_size == size
        second = write(writer, capture("http://portal.test/next"))
    assert [found.evidence for found, _ in store.recover(1)] == [first, second]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file where a folder should be")
    with pytest.raises(EvidenceUnwritable), EvidenceStore(tmp_path / "evidence").writer(1, "batch-0") as writer:
        write(writer, capture())


# ---------------------------------------------------------------- kill -9


def write_until_killed(folder: Path, attempt: int, acknowledge: Connection) -> None:
    noise = random.Random(attempt)
    with EvidenceStore(folder).writer(1, "batch-0") as writer:
        while True:
            payload = noise.randbytes(noise.randrange(1, 200_000))
            url = f"http://portal.test/{attempt}/{noise.random()}"
            acknowledge.send(write(writer, capture(url, length=len(payload)), payload))


def test_kill_loses_at_most_the_record_being_written(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    acknowledged: set[EvidenceRef | None] = set()
    processes = multiprocessing.get_context("fork")
    for attempt in range(10):
        ours, theirs = processes.Pipe(duplex=False)
        process = processes.Process(target=write_until_killed, args=(tmp_path, attempt, theirs))
        process.start()
        theirs.close()
        acknowledged |= {ours.recv() for _ in range(1 + 3 * attempt)}
        process.kill()
        process.join()
        with contextlib.suppress(EOFError):
            while True:
                acknowledged.add(ours.recv())
        recovered = list(store.recover(1))
        assert {found.evidence for found, _ in recovered} >= acknowledged
        assert all(len(load()) == found.length for found, load in recovered)
    assert len(files(store)) == 10
    assert warcio_finds_no_fault(files(store))
    assert len(list(store.recover(1))) <= len(acknowledged) + 10


def test_a_slice_is_a_warc_of_its_own(three: Three, tmp_path: Path) -> None:
    store, _path, references = three
    slice_path = tmp_path / "slice.warc.gz"
    slice_path.write_bytes(store.read_members(references[1]) + store.read_members(references[2]))
    assert warcio_finds_no_fault([slice_path])
    assert [record["WARC-Type"] for record in headers_of(slice_path)] == ["response", "request"] * 2
    assert b"portal.test/1" in gzip.decompress(store.read_members(references[1]))


def test_times_are_kept_to_the_microsecond_in_any_zone(store: EvidenceStore) -> None:
    with store.writer(1, "batch-0") as writer:
        write(writer, capture(captured_at=NOON.astimezone(UTC)))
    [(found, _)] = store.recover(1)
    assert found.captured_at == NOON
