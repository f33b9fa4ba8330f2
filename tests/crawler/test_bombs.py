"""Bodies that grow when decompressed: no probe holds more of one than it may, and none is a fault of the site."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import brotli
import pytest
from backports import zstd

from checks.model import FailureKind, ProbeKind
from config.rules import Ipv6Rule
from config.schema import Crawl, Site
from crawler.decompression import TooLarge, Undecodable, decompressed
from crawler.names import Names
from crawler.probes.availability import Opening, look_around
from crawler.probes.http import Got, Question, exchange
from crawler.probes.ipv6 import probe_ipv6
from crawler.probes.manners import Manners
from tests.crawler.servers import Website, page, raw, redirect, serve

LIMIT = 100_000
SETTINGS = Crawl(allow_private_addresses=True, requests_per_second=1000, timeout_seconds=5, max_body_bytes=LIMIT)
GROWN = b"<html>" + b"0" * 50_000_000


def bare_deflate(body: bytes) -> bytes:
    made = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return made.compress(body) + made.flush()


def quick_brotli(body: bytes) -> bytes:
    return bytes(brotli.compress(body, quality=1))


CODINGS = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", bare_deflate),
    ("br", quick_brotli),
    ("zstd", zstd.compress),
]
NAMES = ["gzip", "deflate", "bare", "br", "zstd"]
BOMBS = [(coding, compress(GROWN)) for coding, compress in CODINGS]
TWICE = gzip.compress(BOMBS[3][1])


@pytest.fixture(scope="module")
def site() -> Iterator[Website]:
    website = Website({"/robots.txt": page("", 404)})
    for name, (coding, bomb) in zip(NAMES, BOMBS, strict=True):
        website.routes[f"/{name}"] = raw(bomb, Content_Encoding=coding)
    website.routes["/twice"] = raw(TWICE, Content_Encoding="br, gzip")
    with serve(website) as served:
        yield served


def ask(site: Website, path: str, most_bytes: int | None = None) -> Got:
    return exchange(Question(site.url + path, most_bytes=most_bytes), Names(None, True), SETTINGS)


def split(body: bytes, size: int) -> list[bytes]:
    return [body[begin : begin + size] for begin in range(0, len(body), size)]


@pytest.mark.parametrize(("coding", "compress"), CODINGS, ids=NAMES)
@pytest.mark.parametrize("size", [1, 999, 10_000_000])
def test_a_body_comes_out_as_it_went_in(coding: str, compress: type, size: int) -> None:
    lots = random.Random(5)
    body = b"".join(lots.choice([b"abc", b"0" * 900, lots.randbytes(9)]) for _ in range(900))
    assert b"".join(decompressed(split(compress(body), size), coding, len(body))) == body
    assert list(decompressed([b""], coding, 1)) in ([], [b""])
    half = b"".join(decompressed([compress(body)[:-100]], coding, len(body)))
    assert body.startswith(half)


@pytest.mark.parametrize(("coding", "bomb"), BOMBS, ids=NAMES)
def test_no_bomb_grows_in_memory(coding: str, bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            list(decompressed(split(bomb, 65_536), coding, 1_000_000))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_what_is_not_compressed_as_it_says(site: Website) -> None:
    for coding in ("gzip", "br", "zstd", "gzip,gzip,gzip,gzip,gzip"):
        with pytest.raises(Undecodable):
            list(decompressed([b"<html>plain"], coding, LIMIT))
    assert list(decompressed([b"plain"], "identity", LIMIT)) == [b"plain"]
    site.routes["/plain"] = page("<html>plain", Content_Encoding="gzip")
    assert ask(site, "/plain").failure is FailureKind.UNREADABLE


@pytest.mark.parametrize("name", [*NAMES, "twice"])
def test_a_probe_that_meets_a_bomb(site: Website, name: str) -> None:
    got = ask(site, f"/{name}")
    assert (got.failure, got.status, got.body) == (FailureKind.TOO_LARGE, 200, b"")
    begun = ask(site, f"/{name}", most_bytes=1_000)
    assert (begun.failure, begun.body[:6]) == (None, b"<html>")
    assert len(begun.body) <= LIMIT


def test_a_bomb_under_a_redirect_is_never_read(site: Website) -> None:
    bomb = BOMBS[3][1]
    site.routes["/small"] = lambda asked: page(asked.headers["Cookie"])(asked)
    site.routes["/away"] = raw(bomb, 302, Content_Encoding="br", Location="/small", Set_Cookie="been=here")
    got = ask(site, "/away")
    assert (got.failure, got.url, got.body) == (None, site.url + "/small", b"been=here")
    site.routes["/round"] = redirect("/round")
    assert ask(site, "/round").status is None


def test_a_home_page_that_is_a_bomb_is_no_fault(site: Website) -> None:
    portal = Site(id="portal", name="门户", home=f"{site.url}/gzip")
    (look,) = look_around([portal], (), settings=SETTINGS, seconds=5)
    assert (look.opening, look.failure) == (Opening.OPEN, None)
    manners = Manners(portal, SETTINGS, Names(None, True), lambda: datetime.now(UTC))
    probes = list(probe_ipv6(manners, None, (), rule=Ipv6Rule()))
    assert FailureKind.TOO_LARGE in [probe.failure for probe in probes if probe.kind is ProbeKind.FETCH]


def test_a_robots_txt_that_is_a_bomb_keeps_us_out() -> None:
    bomb = raw(BOMBS[0][1], content_type="text/plain", Content_Encoding="gzip")
    with serve(Website({"/robots.txt": bomb})) as website:
        portal = Site(id="portal", name="门户", home=website.url)
        manners = Manners(portal, SETTINGS, Names(None, True), lambda: datetime.now(UTC))
        assert not manners.allows(website.url + "/a.html")
        assert not manners.forbids(website.url + "/a.html")
