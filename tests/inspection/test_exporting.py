"""An export: the standard tools take it, people can read it, and it holds what was asked for and nothing else."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from argparse import Namespace
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from posixpath import join, normpath

import openpyxl
import pytest
import wacz.main
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from inspection.errors import EvidenceUnavailable, InvalidInput, NothingToExport
from inspection.package import Contents, contents_of
from inspection.sealing import folder_of
from inspection.selection import Asked
from reports.entry_names import entry_of
from storage.errors import DamagedRecord, FindingNotFound
from storage.evidence import of_run
from tests.inspection.packages import DAY, PERSONAL, PICTURE, SITE, UNIT, WORLD, MadePackage, moment

REPLAY_PYTHON = Path(sys.prefix, "replay", "bin", "python")  # make test installs pywb there
REPLAYING = Path(__file__).with_name("replaying.py")
BOTH = Asked((UNIT,), DAY, DAY + timedelta(days=1))


def read(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(entry_of(f"inspection/{name}"))


def contents(path: Path) -> Contents:
    return contents_of(read(path, "contents.json"))


def records(path: Path) -> list[tuple[str, str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        warc = io.BytesIO(archive.read("archive/data.warc.gz"))
    return [
        (each.rec_type, each.rec_headers.get_header("WARC-Target-URI") or "", each.raw_stream.read())
        for each in ArchiveIterator(warc)
    ]


def offered(path: Path) -> list[tuple[str, str]]:
    with zipfile.ZipFile(path) as archive:
        pages = [json.loads(line) for line in archive.read("pages/pages.jsonl").splitlines()[1:]]
    return [("".join(filter(str.isdigit, page["ts"])), page["url"]) for page in pages]


def failing(made: MadePackage, run_id: int = 2) -> list:  # type: ignore[type-arg]
    with made.place() as place:
        return place.repository.findings(run_id=run_id, outcome="FAIL")  # type: ignore[arg-type]


# ---------------------------------------------------------------- the standard tools


def test_the_formats_own_tool_and_the_warc_check_take_it(made: MadePackage, tmp_path: Path) -> None:
    assert wacz.main.main(["validate", "-f", str(made.path)]) == 0
    with zipfile.ZipFile(made.path) as archive:
        warc = archive.extract("archive/data.warc.gz", tmp_path)
    assert Checker(Namespace(inputs=[warc], verbose=False)).process_all() == 0


def test_pywb_replays_every_page_at_its_own_time(made: MadePackage, tmp_path: Path) -> None:
    pages = offered(made.path)
    assert Counter(timestamp for timestamp, _ in pages) == {"20261123040000": 37, "20261124040000": 37}
    lines = "".join(f"{timestamp} {url}\n" for timestamp, url in pages)
    answered = subprocess.run(
        [REPLAY_PYTHON, REPLAYING, str(made.path)],
        input=lines,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    answers = json.loads(answered.stdout.splitlines()[-1])
    assert {status for status, _, _ in answers} == {200}
    assert [at for _, _, at in answers] == [f"{moment(int(ts[6:8]) - 22):%a, %d %b %Y %H:%M:%S GMT}" for ts, _ in pages]
    first, second = answers[:37], answers[37:]  # the second night saw the same bytes
    assert {digest for _, digest, _ in first} == {digest for _, digest, _ in second}


# ---------------------------------------------------------------- what is inside


def test_sealed_files_and_records_lie_there_byte_for_byte(made: MadePackage) -> None:
    with zipfile.ZipFile(made.path) as archive:
        warc = archive.read("archive/data.warc.gz")
    places = [json.loads(line) for line in read(made.path, "records.jsonl").splitlines()]
    with made.place() as place:
        copied = b"".join(
            (place.evidence.folder / file).read_bytes()[offset : offset + length] for file, offset, length in places
        )
        for name in ("manifest.json", "manifest.sig", "index.cdxj", "inputs.json.gz", "configuration/rules.toml"):
            assert read(made.path, f"runs/2/{name}") == (folder_of(place, 2) / name).read_bytes()
        sealed = json.loads((folder_of(place, 1) / "manifest.json").read_bytes())
    assert copied in warc
    assert len(places) == made.summary.records
    said = read(made.path, f"runs/1/findings/{UNIT}.jsonl")
    assert len(said) == sealed["findings"]["units"][UNIT]["bytes"]
    with made.place() as place:
        captured = place.repository.captures(2, SITE)
    unchanged = [one for one in captured if one.evidence and not of_run(one.evidence, 2)]
    revisits = [url for kind, url, _ in records(made.path) if kind == "revisit"]
    standard = [url for url in revisits if not url.startswith("urn:xuncha:")]
    assert revisits[-len(standard) :] == standard
    assert len(standard) == len(set(standard)) == len(unchanged) > 37  # for replayers; of each page and the picture


def test_contents_tell_what_was_asked_for(made: MadePackage) -> None:
    inside = contents(made.path)
    assert (inside.units, inside.since, inside.until) == ((UNIT,), DAY, DAY + timedelta(days=1))
    assert [(run.run, run.sites) for run in inside.runs] == [(1, ("jyj",)), (2, ("jyj",))]
    assert inside.withheld == ()


def test_a_later_night_brings_the_earlier_records_that_it_stands_on(made: MadePackage, tmp_path: Path) -> None:
    out = tmp_path / "newest.wacz"
    made.export(out, Asked((UNIT,)))
    assert [run.run for run in contents(out).runs] == [2]
    files = Counter(json.loads(line)[0].partition("/")[0] for line in read(out, "records.jsonl").splitlines())
    assert files["1"] > files["2"] > 0
    assert read(out, "runs/1/index.cdxj")
    assert {timestamp for timestamp, _ in offered(out)} == {"20261124040000"}


def test_a_finding_brings_the_runs_that_saw_it_and_its_page_alone(made: MadePackage, tmp_path: Path) -> None:
    stored = next(one for one in failing(made) if one.finding.check == "personal_information")
    out = tmp_path / "finding.wacz"
    made.export(out, Asked(finding=stored.id))
    inside = contents(out)
    assert (inside.finding, [run.run for run in inside.runs]) == (stored.id, [1, 2])
    assert {url for _, url in offered(out)} == {stored.finding.target}
    assert len(offered(out)) == 2


@pytest.mark.parametrize(("first", "last"), [(0, 1), (0, 0), (1, 1)], ids=["both", "captured", "unchanged"])
def test_what_gives_people_away_can_be_left_out(made: MadePackage, tmp_path: Path, first: int, last: int) -> None:
    out = tmp_path / "without.wacz"
    since, until = (DAY + timedelta(days=days) for days in (first, last))
    summary = made.export(out, Asked((UNIT,), since, until, without_personal=True))
    inside, page = contents(out), WORLD.site(SITE).origin + PERSONAL
    assert summary.withheld == len(inside.withheld) == 1
    assert not [url for kind, url, _ in records(out) if url == page]
    assert page not in {url for _, url in offered(out)}
    with zipfile.ZipFile(out) as archive:
        assert not [name for name in archive.namelist() if b"13931112345" in archive.read(name)]
    number = b"13931112345"
    assert [url for _, url, payload in records(made.path) if number in payload] == [page]


# ---------------------------------------------------------------- what people read


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name in ("href", "src") and value]
        self.ids |= {value for name, value in attrs if name == "id" and value}


def test_each_fault_leads_to_its_page_its_picture_and_its_bytes(made: MadePackage) -> None:
    with zipfile.ZipFile(made.path) as archive:
        names = set(archive.namelist())
        pages = {name: archive.read(name).decode() for name in names if name.endswith(".html")}
        pictures = [name for name in names if name.startswith("inspection~screenshots/")]
        assert [archive.read(name) for name in pictures] == [PICTURE]
    assert len(pages) == 3
    for name, page in pages.items():
        parser = _Links()
        parser.feed(page)
        for link in parser.links:
            target, _, anchor = link.partition("#")
            there = normpath(join(name.rpartition("/")[0], target)) if target else name
            assert there in names, link
            assert not anchor or f'id="{anchor}"' in pages[there]
    second = pages["inspection~days/2-jiaoyuju.html"]
    for stored in failing(made):
        assert f'id="finding-{stored.id}"' in second
        assert f"2-jiaoyuju.html#finding-{stored.id}" in pages["inspection/index.html"]
        assert all(reference.record_id[1:-1] in second for reference in stored.finding.evidence)
    assert "<mark>" in second
    assert "不同；请用" not in second  # the arithmetic comes to the score


def test_the_workbook_reckons_the_score(made: MadePackage) -> None:
    book = openpyxl.load_workbook(io.BytesIO(read(made.path, "得分.xlsx")))
    rows = list(book["得分"].iter_rows(min_row=5, values_only=True))
    assert [(row[1].date(), row[2]) for row in rows] == [(DAY, 1), (DAY + timedelta(days=1), 2)]
    assert all(str(row[4]).startswith("=IF(SUM(各行!") for row in rows)
    checks = list(book["检查"].iter_rows(min_row=5, values_only=True))
    assert all(row[7] >= row[6] >= 0 for row in checks)


# ---------------------------------------------------------------- what cannot be exported


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (Asked(), InvalidInput),
        (Asked((UNIT,), finding=1), InvalidInput),
        (Asked(year=2026, since=DAY), InvalidInput),
        (Asked((UNIT,), version=1), InvalidInput),
        (Asked((UNIT,), DAY, DAY - timedelta(days=1)), InvalidInput),
        (Asked((UNIT,), date(2020, 1, 1)), NothingToExport),
        (Asked(("caizhengju",)), NothingToExport),
        (Asked(finding=999_999), FindingNotFound),
    ],
)
def test_what_cannot_be_exported_is_said(
    made: MadePackage, tmp_path: Path, asked: Asked, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"。$"):
        made.export(tmp_path / "x.wacz", asked)
    assert not list(tmp_path.iterdir())


def test_damaged_and_missing_evidence_is_named_and_nothing_is_written(
    made: MadePackage, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = Path(shutil.copytree(made.data, tmp_path_factory.mktemp("spoilt") / "data"))
    spoilt = replace(made, data=data)
    warc = spoilt.data / "evidence" / "1" / "sites-jyj-00000.warc.gz"
    content = bytearray(warc.read_bytes())
    content[len(content) // 2] ^= 1
    warc.write_bytes(content)
    with pytest.raises(DamagedRecord, match=r"1/sites-jyj-00000.warc.gz 第 \d+ 字节"):
        spoilt.export(tmp_path / "x.wacz", BOTH)
    warc.unlink()
    with pytest.raises(EvidenceUnavailable, match=r"sites-jyj-00000\.warc\.gz"):
        spoilt.export(tmp_path / "x.wacz", BOTH)
    assert not list(tmp_path.iterdir())
