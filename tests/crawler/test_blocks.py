"""Block pages are told from pages by what stands on them."""

from __future__ import annotations

import pytest

from crawler.blocks import recognise

PUZZLE = b"<html><script>document.cookie='k=1';location.reload()</script></html>"


@pytest.mark.parametrize("status", [412, 521])
def test_a_challenge_status_with_a_script_is_a_puzzle(status: int) -> None:
    block = recognise(status, (), PUZZLE)
    assert block is not None
    assert block.script


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, "<html><h1>您的请求已被网站防火墙拦截</h1></html>"),
        (200, "<html>抱歉，您的访问被云防护拦截，事件编号 1234</html>"),
        (405, "<html><a href='https://errors.aliyun.com/x'>405</a></html>"),
    ],
)
def test_a_firewalls_page_is_a_block(status: int, body: str) -> None:
    for encoding in ("utf-8", "gb18030"):
        block = recognise(status, (), body.encode(encoding))
        assert block is not None, encoding
        assert not block.script


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, "<html><h1>403 Forbidden</h1></html>"),
        (412, "<html>Precondition Failed</html>"),
        (200, "<html><title>通知</title><p>关于召开会议的通知</p></html>"),
        (200, "<html><script>location.href='/index.html'</script></html>"),  # a redirect, not a puzzle
        (200, "<html>" + "网络安全宣传周活动介绍，市民了解了网站防火墙的作用。" * 30 + "</html>"),
        (404, "<html>您访问的页面不存在，可能已被网站防火墙拦截</html>"),
        (200, ""),
        (503, "<<<<" + "<script" * 50_000),
    ],
)
def test_what_is_not_a_firewalls_page_is_none(status: int, body: str) -> None:
    assert recognise(status, (), body.encode()) is None


def test_headers_speak_only_where_the_request_was_refused() -> None:
    headers = (("x-safedog", "1"),)
    assert recognise(200, headers, b"<html>ok</html>") is None
    assert recognise(403, headers, b"") is not None


def test_a_firewalls_cookie_speaks_only_beside_a_challenge() -> None:
    cookie = (("set-cookie", "HWWAFSESID=1; path=/"),)
    assert recognise(403, cookie, b"<html><h1>403 Forbidden</h1></html>") is None
    assert recognise(200, cookie, b"<html>ok</html>") is None
    challenge = recognise(412, cookie, b"")
    assert challenge is not None
    puzzle = recognise(403, cookie, PUZZLE)
    assert puzzle is not None
    assert puzzle.script
