"""The browser's way out lets through what the crawler itself might reach, and nothing else."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator

import pytest

from crawler.gateway import Gateway
from crawler.names import Names
from tests.crawler.servers import Website, name_server, page, serve

GRANTED, NOT_ALLOWED, UNREACHABLE, UNSUPPORTED = 0, 2, 4, 7


@pytest.fixture(scope="module")
def resolver() -> Iterator[str]:
    with name_server({("a.test", "A"): ["127.0.0.1"], ("inside.test", "A"): ["10.0.0.1"]}) as port:
        yield f"127.0.0.1:{port}"


@pytest.fixture
def site() -> Iterator[Website]:
    with serve(Website({"/": page("<html>首页</html>")})) as website:
        yield website


async def _ask(names: Names, request: bytes, more: bytes = b"") -> tuple[int, bytes]:
    gateway = Gateway(names, timeout=5)
    await gateway.start()
    try:
        port = int(gateway.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x05\x01\x00" + request)
        assert await reader.readexactly(2) == b"\x05\x00"
        code = (await reader.readexactly(10))[1]
        writer.write(more)
        answer = await reader.read() if more else b""
        writer.close()
        return code, answer
    finally:
        gateway.close()


def connect(host: str, port: int) -> bytes:
    return b"\x05\x01\x00\x03" + bytes([len(host)]) + host.encode() + struct.pack(">H", port)


def test_a_name_is_resolved_and_the_page_fetched(resolver: str, site: Website) -> None:
    wish = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
    code, answer = asyncio.run(_ask(Names(resolver, allow_private=True), connect("a.test", site.port), wish))
    assert code == GRANTED
    assert "首页" in answer.decode()


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        (connect("inside.test", 80), NOT_ALLOWED),
        (b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50", NOT_ALLOWED),  # 127.0.0.1:80
        (b"\x05\x01\x00\x04" + bytes(15) + b"\x01\x00\x50", NOT_ALLOWED),  # [::1]:80
        (connect("none.test", 80), UNREACHABLE),
        (b"\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50", UNSUPPORTED),  # BIND
    ],
)
def test_what_may_not_be_reached_is_refused_and_told(
    resolver: str, site: Website, request_bytes: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "crawler.gateway")
    assert asyncio.run(_ask(Names(resolver), request_bytes))[0] == code
    assert site.log == []
    assert [record.getMessage()[:17] for record in caplog.records] == (
        ["浏览器里的页面要去的地址没有放行："] if code == NOT_ALLOWED else []
    )


def test_nobody_listening_is_unreachable(resolver: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        request = connect("a.test", reserved.getsockname()[1])
        assert asyncio.run(_ask(Names(resolver, allow_private=True), request))[0] == UNREACHABLE
