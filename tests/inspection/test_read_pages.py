"""What was read of pages, kept from night to night: it says what the bytes say, or nothing."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing
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
        for body, kind in bodies.items():
            assert another.known(digest(body), **asked(kind)) == read[body] == read_page(body, **asked(kind))


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
