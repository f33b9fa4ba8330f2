"""Pages and files made to break a reader: each is judged or refused within fixed limits, and harms no other page.

Every reading happens in a child process that the operating system would end beyond so many seconds of processor time
and so many bytes of memory; a child that lives has kept within them.
"""

from __future__ import annotations

import gzip
import io
import resource
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pypdf
import pytest
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

from checks.facts.attachments import read_attachment
from checks.facts.model import AttachmentState
from checks.facts.page import read_page
from checks.model import FailureKind, Outcome
from checks.registry import judge_page
from config.loader import load
from crawler.rendering import find_browser
from fixtures.district.world import CONFIG_FOLDER
from tests.crawler.harness import CHILDREN, DAY, plan, run
from tests.crawler.servers import Website, page, raw, redirect, serve

CPU_SECONDS = 20
MEMORY = 3 << 30  # of addresses, the interpreter's own libraries among them
MENDED = '<div class="list"><ul><li><a href="/tz/1.html">关于第1号事项的通知</a><span>2026-11-19</span></li></ul></div>'


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def within_limits(work: Callable[..., Any], *arguments: object) -> Any:
    with ProcessPoolExecutor(1, mp_context=CHILDREN, initializer=_limit) as pool:
        return pool.submit(work, *arguments).result()


# ---------------------------------------------------------------- pages


def _page(body: str, head: str = "") -> bytes:
    return (
        f"<html><head><meta charset=utf-8><title>云溪县人民政府</title>{head}</head><body>{body}</body></html>".encode()
    )


def _numbered(count: int, item: str) -> str:
    return "".join(item.format(number) for number in range(count))


PAGES: dict[str, Callable[[], bytes]] = {
    "50 000 nested tags": lambda: _page("<div>" * 50_000 + "甲" + "</div>" * 50_000),
    "nested links": lambda: _page("<a href=/x.html>关于某项工作的通知" * 30_000),
    "nested tables": lambda: _page("<table><tr><td>索引号：</td><td>" * 5_000),
    "a million links": lambda: _page(_numbered(1_000_000, "<a href={0}>通知</a>")),
    "dated links": lambda: _page(_numbered(15_000, "<li><a href=/{0}>关于第{0}号工作的通知</a>2024-01-01</li>")),
    "hidden boxes": lambda: _page(_numbered(50_000, "<div class=p style='display:none'><a href=/{0}>甲</a></div>")),
    "any bytes": lambda: bytes(range(256)) * 12_000,
    "zero bytes": lambda: b"\0" * 8_000_000,
    "one line of 10 MB": lambda: _page("<p>" + "发布时间和来源" * 500_000),
    "100 000 rows": lambda: _page("<table>" + "<tr><td>索引号：</td><td>A-1</td></tr>" * 100_000 + "</table>"),
    "endless spans": lambda: _page("<table>" + "<tr><td colspan=1000000000 rowspan=1000000000>甲</td></tr>" * 20_000),
    "100 000 attributes": lambda: _page(f"<p {_numbered(100_000, 'a{0}=1 ')}>甲</p>"),
    "quoted attributes": lambda: _page("<p " + _numbered(100_000, "a{0}='>' ") + ">甲</p>"),
    "class names": lambda: _page(f"<div class='{'header ' * 500_000}'>甲</div>"),
    "style": lambda: _page(f"<p style='{'display:' * 500_000}'>甲</p>"),
    "label bait": lambda: _page(f"<p>{'索 引 号 ' * 60}</p>" * 10_000 + f"<p>公{' ' * 300}开</p>" * 5_000),
    "date bait": lambda: _page("<p>发布时间：" + "2024-" * 300 + f"<p>{'1234567890-' * 150}</p>" * 3_000),
    "number bait": lambda: _page(f"<p>{'云' * 25}{'〔2024〕' * 15}</p>" * 10_000),
    "recipient bait": lambda: _page(f"<p>{'各乡镇人民政府，' * 24}：</p>" * 10_000),
    "script bait": lambda: _page(f"<script>{'location.href ' * 300_000}</script><script>{'createPage(' * 300_000}"),
    "comment bait": lambda: _page(f"<script>{'/*' * 1_000_000}conac.cn</script>" + "<!--" * 1_000_000),
    "directive bait": lambda: _page("<%" * 1_000_000 + "<jsp:" * 500_000),
    "records": lambda: _page("<script><record></script>" * 40_000),
    "frames": lambda: _page("<iframe src=a></iframe>" * 100_000),
    "fields": lambda: _page("<ul>" + "<li>索引号：<input></li>" * 30_000),
    "base": lambda: _page(_numbered(5_000, "<a href={0}.html>通知通知</a>"), f"<base href=http://a{'/a' * 20_000}>"),
    "unknown and dangerous encodings": lambda: b"<meta charset=idna>" + b"\xc4\xe3." * 100_000,
    "declared UTF-7": lambda: b"<meta charset=utf-7>+ADw-script+AD4-alert(1)+ADw-/script+AD4-\xff",
    "UTF-16 declared as UTF-8": lambda: (
        b"<meta charset=utf-8>" + "<p>发布时间：2024-01-01</p>".encode("utf-16") * 20_000
    ),
    "UTF-8 declared as UTF-16": lambda: "<meta charset=utf-16><p>发布时间：2024-01-01</p>".encode() * 20_000,
    "odd surrogates": lambda: b"\xff\xfe" + b"\x00\xd8" * 500_000,
}


def _judged(name: str) -> tuple[int, int]:
    """How many characters were read, and how many findings there are; all of them are judgements."""
    facts = read_page(PAGES[name](), url="http://www.yunxi.example/tz/1.html", as_of=DAY)
    findings = judge_page(facts, load(CONFIG_FOLDER).rules, day=DAY)
    assert all(finding.outcome is not Outcome.ERROR for finding in findings)
    return len(facts.text), len(findings)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_judged_within_its_limits(name: str) -> None:
    _, findings = within_limits(_judged, name)
    assert findings


# ---------------------------------------------------------------- attachments


def _zip(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return target.getvalue()


ENTITIES = '<!DOCTYPE a [<!ENTITY a "甲甲甲甲甲甲甲甲甲甲">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMB = f"<?xml version='1.0'?>{ENTITIES}]>".encode()


def _nested_zip() -> bytes:
    inner = _zip({"0.txt": b"0" * 10_000_000})
    for level in range(6):
        inner = _zip({f"{level}{number}.zip": inner for number in range(10)})
    return inner


def _looping_pdf(key: str) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    pages = writer._pages.get_object()
    if key == "Kids":
        pages[NameObject("/Kids")] = ArrayObject([writer._pages] * 20)
    else:
        loop = writer._add_object(DictionaryObject())
        loop.get_object()[NameObject("/Parent")] = loop
        pages["/Kids"][0].get_object()[NameObject("/Parent")] = loop
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "entities.docx": lambda: _zip({"word/document.xml": BOMB + b"<a>&i;</a>", "[Content_Types].xml": BOMB + b"<a/>"}),
    "entities.xlsx": lambda: _zip({"xl/workbook.xml": BOMB + b"<a>&i;</a>", "[Content_Types].xml": BOMB + b"<a/>"}),
    "entities.ofd": lambda: _zip({"OFD.xml": BOMB + b"<a>&i;</a>"}),
    "swollen.docx": lambda: _zip({"word/document.xml": b"<w>" + b" " * 300_000_000}),
    "nested.zip": _nested_zip,
    "many.zip": lambda: _zip({f"{number}.txt": b"" for number in range(20_000)}),
    "kids.pdf": lambda: _looping_pdf("Kids"),
    "parents.pdf": lambda: _looping_pdf("Parent"),
    "groups.rtf": lambda: rb"{\rtf1" + b"{" * 2_000_000,
    "page.doc": lambda: PAGES["nested tables"](),
}


def _read(name: str) -> AttachmentState:
    return read_attachment(FILES[name](), name=name).state


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_or_refused_within_its_limits(name: str) -> None:
    assert within_limits(_read, name) in set(AttachmentState)


@pytest.mark.parametrize("name", ["swollen.docx", "many.zip"])
def test_a_swollen_file_is_refused_and_not_called_empty(name: str) -> None:
    assert within_limits(_read, name) is AttachmentState.TOO_LARGE


# ---------------------------------------------------------------- a crawl among them


def _endless(request: Any) -> None:
    """Send 200 MB, or as much of it as is taken."""
    request.send_response(200)
    request.send_header("Content-Type", "text/html; charset=utf-8")
    request.end_headers()
    request.close_connection = True
    block = b"<p>" + b"0" * 1_000_000
    try:
        for _ in range(200):
            request.wfile.write(block)
    except OSError:
        pass


@pytest.fixture
def site() -> Iterator[Website]:
    with serve(Website({"/robots.txt": page("", content_type="text/plain")})) as website:
        yield website


def test_the_other_pages_of_a_run_are_unharmed(site: Website) -> None:
    packed = gzip.compress(b"<p>" + b"0" * 200_000_000)
    traps = {
        "/tz/stream.html": _endless,
        "/tz/bomb.html": raw(packed, Content_Encoding="gzip"),
        "/tz/loop.html": redirect("/tz/loop.html"),
        "/tz/ever.html": redirect("/tz/ever.html?1"),
        "/tz/nested.html": raw(PAGES["50 000 nested tags"]()),
        "/tz/bytes.html": raw(PAGES["any bytes"]()),
        "/tz/attributes.html": raw(PAGES["100 000 attributes"]()),
        "/tz/utf7.html": raw(PAGES["declared UTF-7"]()),
    }
    names = [*traps, "/tz/1.html"]
    items = "".join(f"<li><a href='{name}'>关于{name}的通知</a><span>2026-11-19</span></li>" for name in names)
    site.routes |= traps
    site.routes |= {f"/tz/ever.html?{step}": redirect(f"/tz/ever.html?{step + 1}") for step in range(1, 9)}
    site.routes["/"] = page(f"<html><body><ul>{items}</ul></body></html>")
    site.routes["/tz/"] = page(f"<html><body><ul>{items}</ul></body></html>")
    site.routes["/tz/1.html"] = page("<html><body><h1>关于供暖的通知</h1><p>发布时间：2026-11-19</p></body></html>")
    settings = plan(site.url).settings
    settings = settings.model_copy(update={"sampling": settings.sampling.model_copy(update={"newest": len(names)})})
    found = run(plan(site.url, {"tz": site.url + "/tz/"}, settings), settings=settings, browser=find_browser())
    refused = {name: found.capture(site.url + name).failure for name in traps}
    assert refused["/tz/stream.html"] is FailureKind.TOO_LARGE
    assert refused["/tz/bomb.html"] is FailureKind.TOO_LARGE
    assert refused["/tz/loop.html"] is refused["/tz/ever.html"] is FailureKind.REDIRECT_LOOP
    kept = found.exchanges[("portal", site.url + "/tz/1.html", found.captures[0].mode)]
    assert kept is not None
    assert read_page(kept.payload, as_of=DAY).published.date is not None
