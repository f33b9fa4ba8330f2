"""What was read of pages, kept from night to night: it says what the bytes say, or nothing."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from checks.facts.model import PageKind
from checks.facts.page import read_page
from inspection import read_pages
from inspection.read_pages import ReadPages, packed, pages_read, path_of, unpacked
from inspection.reading import FAST, Reader

DAY = date(2026, 11, 23)
PAGES = sorted(Path("fixtures/html").rglob("*.html"))
KINDS = (None, PageKind.ARTICLE, PageKind.COLUMN)
ADDRESS = "http://www.luancheng.test/a/1.html"
HTML = "text/html"


def asked(kind: PageKind | None = None) -> dict[str, object]:
    return {"url": ADDRESS, "content_type": HTML, "as_of": DAY, "kind": kind}


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[ReadPages]:
    with pages_read(tmp_path, DAY) as read:
        yield read


def test_made_up_pages_come_back_as_they_were_read(tmp_path: Path) -> None:
    assert len(PAGES) > 200
    bodies = {path.read_bytes(): KINDS[number % len(KINDS)] for number, path in enumerate(PAGES)}
    with pages_read(tmp_path, DAY) as one:
        read = {body: one.read(body, **asked(kind)) for body, kind in bodies.items()}
    with pages_read(tmp_path, DAY) as another:
        for number, (body, kind) in enumerate(bodies.items()):
            assert another.known(digest(body), **asked(kind)) == read[body]
            assert number % 10 or read[body] == read_page(body, **asked(kind))  # reading all twice takes long


@pytest.mark.parametrize(
    "other", [{"kind": PageKind.HOME}, {"as_of": date(2026, 11, 22)}, {"url": None}, {"content_type": "text/html; x"}]
)
def test_a_page_that_is_asked_otherwise_is_not_known(pages: ReadPages, other: dict[str, object]) -> None:
    body = b"<html><title>a</title></html>"
    pages.read(body, **asked())
    assert pages.known(digest(body), **asked()) is not None
    assert pages.known(digest(body), **(asked() | other)) is None
    assert pages.known(digest(body + b" "), **asked()) is None


def test_the_next_day_knows_the_pages_whose_facts_do_not_hang_on_the_day(pages: ReadPages) -> None:
    rows = "".join(
        f'<li><a href="{number}.html">关于第{number}项工作的通知</a><span>{number}天前</span></li>'
        for number in range(1, 6)
    )
    plain, relative = b"<p>2026-11-20</p>", f"<ul>{rows}</ul>".encode()
    tomorrow = asked(PageKind.COLUMN) | {"as_of": DAY + timedelta(days=1)}
    for body in (plain, relative):
        pages.read(body, **asked(PageKind.COLUMN))
    pages.flush()
    assert pages.has(plain, **tomorrow)
    assert not pages.has(relative, **tomorrow)
    assert pages.known(digest(relative), **tomorrow) is None
    assert pages.known(digest(plain), **tomorrow) == read_page(plain, **tomorrow)
    assert pages.read(relative, **tomorrow) == read_page(relative, **tomorrow)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE facts SET content = substr(content, 1, length(content) - 1) || x'00'",
        "UPDATE facts SET content = (SELECT content FROM facts ORDER BY rowid DESC LIMIT 1)",
        "UPDATE facts SET content = 5",
        "UPDATE facts SET content = ''",
    ],
)
def test_a_damaged_or_exchanged_entry_is_read_again(tmp_path: Path, damage: str) -> None:
    body = b"<html><title>a</title></html>"
    with pages_read(tmp_path, DAY) as pages:
        facts = pages.read(body, **asked())
        pages.read(b"<html><title>b</title></html>", **asked())
    with closing(sqlite3.connect(path_of(tmp_path))) as file, file:
        file.execute(damage)
    with pages_read(tmp_path, DAY) as pages:
        assert pages.known(digest(body), **asked()) is None
        assert pages.read(body, **asked()) == facts


def test_a_damaged_file_is_done_without_and_makes_way_for_a_new_one(tmp_path: Path) -> None:
    path_of(tmp_path).parent.mkdir()
    path_of(tmp_path).write_bytes(b"no database at all" * 1000)
    body = b"<html><title>a</title></html>"
    with pages_read(tmp_path, DAY) as pages:
        assert pages.read(body, **asked()) == read_page(body, **asked())
        assert pages.known(digest(b"other"), **asked()) is None
    with pages_read(tmp_path, DAY) as pages:
        pages.read(body, **asked())
    with pages_read(tmp_path, DAY) as pages:
        assert pages.known(digest(body), **asked()) is not None


def older_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE facts (key BLOB PRIMARY KEY, content BLOB)")
        file.execute("INSERT INTO facts VALUES (x'00', x'00')")


def damaged_in_the_middle(path: Path) -> None:
    with pages_read(path.parent.parent, DAY) as pages:
        for number in range(200):
            pages.read(f"<p>{number}</p>".encode(), **asked())
    content = bytearray(path.read_bytes())
    content[4096:-4096] = b"\xa5" * len(content[4096:-4096])
    path.write_bytes(content)


@pytest.mark.parametrize("spoil", [older_tables, damaged_in_the_middle])
def test_tables_of_an_older_program_and_damaged_pages_make_way_for_new_ones(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path_of(tmp_path).parent.mkdir()
    spoil(path_of(tmp_path))
    bodies = [f"<p>{number}</p>".encode() for number in range(200)]
    for _ in range(2):  # the night that meets it, and the next
        with pages_read(tmp_path, DAY) as pages:
            assert [pages.read(body, **asked()) for body in bodies] == [read_page(body, **asked()) for body in bodies]
            pages.drop_unused(10)
    with pages_read(tmp_path, DAY) as pages:
        assert all(pages.has(body, **asked()) for body in bodies)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def full(path: Path) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def in_the_way(path: Path) -> Iterator[None]:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
        path.with_name(path.name + ending).mkdir()
    yield


@contextmanager
def damaged_beyond_removal(path: Path) -> Iterator[None]:
    path.write_bytes(b"no database at all" * 1000)
    path.with_name(path.name + "-shm").mkdir()
    yield


@pytest.mark.parametrize("trouble", [locked, full, in_the_way, damaged_beyond_removal])
def test_a_file_that_cannot_be_used_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[Path], AbstractContextManager[None]]
) -> None:
    monkeypatch.setattr(read_pages, "_PATIENCE", 0.01)
    pages_read(tmp_path, DAY).__enter__().close()
    bodies = [f"<p>{number}</p>".encode() for number in range(3)]
    with trouble(path_of(tmp_path)), pages_read(tmp_path, DAY) as pages:
        for body in bodies:
            assert pages.read(body, **asked()) == read_page(body, **asked())
        pages.flush()
        pages.drop_unused(10)
        assert pages.known(digest(bodies[0]), **asked()) is None
        assert pages.read(bodies[0], **asked()) == read_page(bodies[0], **asked())


def test_a_kill_in_the_middle_of_writing_loses_what_was_not_yet_written(tmp_path: Path) -> None:
    """The process is killed while the second hundred is written."""
    writing = """
import os, signal, sys
from datetime import date
from pathlib import Path
from inspection import read_pages
rows, check = [], read_pages._check
def mortal(key, content):
    rows.append(key)
    if len(rows) > 1.5 * read_pages.BATCH:
        os.kill(os.getpid(), signal.SIGKILL)
    return check(key, content)
read_pages._check = mortal
pages = read_pages.ReadPages(Path(sys.argv[1]), date(2026, 11, 23))
for number in range(1000):
    asked = {"url": None, "content_type": None, "as_of": pages._day, "kind": None}
    pages.take(b"\\0" + bytes(5000), f"<p>{number}</p>".encode(), **asked)
"""
    ended = subprocess.run([sys.executable, "-c", writing, str(path_of(tmp_path))], check=False)
    assert ended.returncode == -signal.SIGKILL
    anything = {"url": None, "content_type": None, "as_of": DAY, "kind": None}
    with pages_read(tmp_path, DAY) as pages:
        kept = [number for number in range(1000) if pages.has(f"<p>{number}</p>".encode(), **anything)]
    assert kept == list(range(read_pages.BATCH))


def test_nothing_but_facts_is_ever_made_of_an_entry() -> None:
    assert unpacked(b"") is None
    body = packed(read_page(b"<p>a</p>", **asked()))
    assert unpacked(body[:-1]) is None
    import zlib

    class Foreign:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("made",)

    assert unpacked(b"\x00" + zlib.compress(pickle.dumps(Foreign()))) is None


def test_what_is_not_used_any_more_goes_and_so_does_what_is_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [f"<p>{number}</p>".encode() for number in range(4)]

    def night(number: int, *used: bytes) -> set[bytes]:
        with pages_read(tmp_path, DAY + timedelta(days=number)) as pages:
            for body in used:
                pages.read(body, **asked())
            pages.drop_unused(10)
            return {body for body in bodies if pages.has(body, **asked())}

    assert night(0, *bodies[:3]) == {*bodies[:3]}
    assert night(10, bodies[0]) == {*bodies[:3]}
    assert night(11, bodies[3]) == {bodies[0], bodies[3]}
    monkeypatch.setattr(read_pages, "MOST", 1)
    assert night(12) == {bodies[3]}


def test_links_that_pages_list_alike_are_made_once_and_come_back_in_their_order() -> None:
    menu = [f'<a href="/menu/{number}.html">栏目 {number}</a>' for number in range(300)]
    pages = [f"<body>{'<a href=/own.html>x</a>' * own}{''.join(menu)}</body>".encode() for own in (0, 1)]
    read = [read_page(page, **asked()) for page in pages]
    one, other = (unpacked(packed(facts)) for facts in read)
    assert [one, other] == read
    assert one is not None and other is not None
    assert len(one.links) == 300
    shared = set(map(id, one.links)) & set(map(id, other.links))
    assert len(shared) > 150  # all but the run at the beginning, and it is cut after 64 links at the latest


def test_another_process_reads_what_comes_fast_and_its_death_costs_nothing(pages: ReadPages) -> None:
    bodies = [f"<html><title>{number}</title></html>".encode() for number in range(FAST[0] + 3)]

    async def crawl(reader: Reader) -> None:
        for body in bodies[:-1]:
            await reader(body, **asked())
        reader.close()
        await reader(bodies[-1], **asked())

    with closing(Reader(pages)) as reader:
        asyncio.run(crawl(reader))
    known = [body for body in bodies if pages.known(digest(body), **asked()) is not None]
    assert known == bodies[FAST[0] - 1 : -1]
    assert pages.known(digest(known[0]), **asked()) == read_page(known[0], **asked())


def test_a_reading_process_that_falls_silent_is_done_without(
    pages: ReadPages, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = [f"<html><title>{number}</title></html>".encode() for number in range(FAST[0] + 2)]

    async def crawl(reader: Reader) -> None:
        for body in bodies[:-2]:
            await reader(body, **asked())
        assert reader._process is not None
        reader._process.send_signal(signal.SIGSTOP)
        monkeypatch.setattr("inspection.reading.LONGEST", 0.1)  # and not before: it may take long to start
        for body in bodies[-2:]:
            await asyncio.wait_for(reader(body, **asked()), 30)

    with closing(Reader(pages)) as reader:
        asyncio.run(crawl(reader))
    known = [body for body in bodies if pages.known(digest(body), **asked()) is not None]
    assert known == bodies[FAST[0] - 1 : -2]
    assert caplog.text.count("no longer read ahead") == 1
