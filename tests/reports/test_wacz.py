"""The WACZ: valid by the format's own tool, and its pages read back through its index as a replayer would."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import wacz.main
from warcio.archiveiterator import ArchiveIterator

from checks.model import Capture, FailureKind, Mode, Probe, ProbeKind
from reports.wacz import ArchivedPage, WaczUnwritable, writing
from storage.evidence import EvidenceStore

NIGHT = datetime(2026, 11, 23, 18, 0, 0, 500_000, tzinfo=UTC)
HOME = "http://portal.test/"
PAGE = "http://portal.test/gk/a.html?词=1"


def export(out: Path, records: list[bytes], pages: list[ArchivedPage], title: str, extra: dict[str, bytes]) -> None:
    with writing(out, title) as wacz:
        for record in records:
            wacz.add_record(record)
        for page in [*pages, *pages]:
            wacz.add_page(page)
        for name, content in extra.items():
            wacz.add_file(name, [content])


def body(url: str, night: int) -> bytes:
    return f"<html><title>公开</title><p>{url} 第 {night} 夜</p></html>".encode()


@pytest.fixture
def slices(tmp_path: Path) -> list[bytes]:
    """Two nights of two pages, a rendered page, a screenshot, a failure and a probe."""
    store = EvidenceStore(tmp_path / "evidence")
    references = []
    for night in range(2):
        at = NIGHT + timedelta(days=night)
        with store.writer(night, "batch-0") as writer:
            for url in (HOME, PAGE):
                capture = Capture("portal", url, Mode.STATIC, at, final_url=url, status=200)
                answered = [("Content-Type", "text/html; charset=utf-8")]
                asked = [("User-Agent", "xuncha")]
                references.append(writer.write_exchange(capture, asked, "HTTP/1.1 200 OK", answered, body(url, night)))
            rendered = Capture("portal", PAGE, Mode.RENDERED, at)
            references.append(writer.write_resource(rendered, "", b"<p>dom</p>"))
            references.append(writer.write_resource(Capture("portal", PAGE, Mode.SCREENSHOT, at), "", b"\x89PNG"))
            gone = Capture("portal", "http://gone.test/", Mode.STATIC, at, failure=FailureKind.DNS_NOT_FOUND)
            references.append(writer.write_failure(gone))
            (probe,) = writer.write_probes([Probe("portal", ProbeKind.ADDRESSES, "portal.test", 0, at, {"a": []})])
            references.append(probe.evidence)
    return [store.read_members(reference) for reference in references]


@pytest.fixture
def exported(tmp_path: Path, slices: list[bytes]) -> Path:
    out = tmp_path / "out" / "教育局.wacz"
    pages = [ArchivedPage(url, NIGHT + timedelta(days=night), "公开") for night in range(2) for url in (HOME, PAGE)]
    extra = {"findings.json": b'{"findings": []}', "runs/7/manifest.json": b"{}", "runs/8/manifest.json": b"{}"}
    export(out, slices, pages, "区教育局\n2026年11月", extra)
    return out


def validates(path: Path) -> bool:
    return wacz.main.main(["validate", "-f", str(path)]) == 0


def replay(path: Path, url: str, timestamp: str) -> bytes:
    """Return the payload that a replayer finds: through the index to a slice of the WARC."""
    with zipfile.ZipFile(path) as archive:
        lines = gzip.decompress(archive.read("indexes/index.cdx.gz")).decode().splitlines()
        entries = [(line.split(" ", 2)[1], json.loads(line.split(" ", 2)[2])) for line in lines]
        [entry] = [entry for at, entry in entries if at == timestamp and entry["url"] == url]
        warc = archive.read(f"archive/{entry['filename']}")
    start, length = int(entry["offset"]), int(entry["length"])
    record = next(iter(ArchiveIterator(io.BytesIO(warc[start : start + length]), check_digests="raise")))
    payload: bytes = record.content_stream().read()
    return payload


def test_the_formats_own_tool_finds_it_valid(exported: Path) -> None:
    assert validates(exported)


def test_the_tool_would_notice_a_changed_byte(exported: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.wacz"
    with zipfile.ZipFile(exported) as old, zipfile.ZipFile(changed, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            new.writestr(item, content.replace(b'{"findings": []}', b'{"findings": 00}'))
    assert not validates(changed)


def test_every_page_can_be_read_back(exported: Path) -> None:
    with zipfile.ZipFile(exported) as archive:
        head, *pages = map(json.loads, archive.read("pages/pages.jsonl").splitlines())
    assert head["format"] == "json-pages-1.0"
    assert len({page["id"] for page in pages}) == 4
    for page, (night, url) in zip(pages, [(0, HOME), (0, PAGE), (1, HOME), (1, PAGE)], strict=True):
        assert (page["url"], page["title"]) == (url, "公开")
        timestamp = "".join(character for character in page["ts"] if character.isdigit())
        assert replay(exported, url, timestamp) == body(url, night)


def test_rendered_pages_and_screenshots_are_found_under_their_prefix(exported: Path) -> None:
    assert replay(exported, f"urn:rendered:{PAGE}", "20261123180000") == b"<p>dom</p>"
    assert replay(exported, f"urn:view:{PAGE}", "20261123180000") == b"\x89PNG"


def test_a_page_seen_unchanged_is_replayed_from_the_record_it_refers_to(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    seen = Capture("portal", HOME, Mode.STATIC, NIGHT, HOME, status=200, headers=(("content-type", "text/html"),))
    with store.writer(1, "batch-0") as writer:
        original = writer.write_exchange(seen, [], "HTTP/1.1 200 OK", [("Content-Type", "text/html")], body(HOME, 0))
    again = replace(seen, captured_at=NIGHT + timedelta(days=1), length=len(body(HOME, 0)), evidence=original)
    out = tmp_path / "two.wacz"
    pages = [ArchivedPage(HOME, capture.captured_at) for capture in (seen, again)]
    export(out, [store.read_members(original), store.revisit(again)], pages, "两夜", {})
    assert validates(out)
    with zipfile.ZipFile(out) as archive:
        lines = gzip.decompress(archive.read("indexes/index.cdx.gz")).decode().splitlines()
    first, second = (json.loads(line.split(" ", 2)[2]) for line in lines)
    assert [line.split(" ", 2)[1] for line in lines] == ["20261123180000", "20261124180000"]
    assert (first["mime"], second["mime"]) == ("text/html", "warc/revisit")
    assert first["digest"] == second["digest"] == original.payload_digest


def test_it_holds_what_was_given_and_says_what_it_is(exported: Path, slices: list[bytes]) -> None:
    with zipfile.ZipFile(exported) as archive:
        manifest = json.loads(archive.read("datapackage.json"))
        assert archive.read("inspection/findings.json") == b'{"findings": []}'
        assert archive.read("inspection~runs~8/manifest.json") == b"{}"
        assert archive.read("archive/data.warc.gz").endswith(b"".join(slices))
        assert all(item.compress_type == zipfile.ZIP_STORED for item in archive.infolist())
        listed = {resource["path"] for resource in manifest["resources"]}
        assert listed == set(archive.namelist()) - {"datapackage.json", "datapackage-digest.json"}
    assert manifest["title"].startswith("区教育局")


def test_nothing_at_all_is_still_a_valid_archive(tmp_path: Path) -> None:
    export(tmp_path / "empty.wacz", [], [], "空", {})
    assert validates(tmp_path / "empty.wacz")


def test_what_fails_half_way_leaves_the_file_as_it_was(tmp_path: Path, slices: list[bytes]) -> None:
    out = tmp_path / "x.wacz"
    out.write_bytes(b"before")
    with pytest.raises(KeyError), writing(out, "x") as wacz:
        wacz.add_record(slices[0])
        raise KeyError
    assert out.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence", "x.wacz"]


def test_a_place_that_cannot_be_written_is_said_and_left_alone(tmp_path: Path, slices: list[bytes]) -> None:
    (tmp_path / "file").write_text("here before")
    with pytest.raises(WaczUnwritable):
        export(tmp_path / "file" / "x.wacz", slices, [], "x", {})
    (tmp_path / "folder.wacz").mkdir()
    with pytest.raises(WaczUnwritable):
        export(tmp_path / "folder.wacz", slices, [], "x", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence", "file", "folder.wacz"]
