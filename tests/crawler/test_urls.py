"""Addresses: one spelling, reached at once, and what belongs to a site."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.urls import InvalidUrl, is_http, normalise, same_site

_HOSTS = st.sampled_from(["www.example.gov.cn", "EXAMPLE.gov.cn", "127.0.0.1", "[::1]", "政务.example"])
_ADDRESSES = st.builds(
    lambda scheme, host, port, rest: f"{scheme}://{host}{port}{rest}",
    st.sampled_from(["http", "HTTPS"]),
    _HOSTS,
    st.sampled_from(["", ":80", ":443", ":8080", ":"]),
    st.text(max_size=40).map(lambda text: "/" + text),
)


@given(_ADDRESSES)
def test_normalising_twice_changes_nothing(url: str) -> None:
    once = normalise(url)
    assert normalise(once) == once
    assert once.isascii()
    assert "#" not in once


@given(st.text(max_size=80))
def test_any_text_is_spelt_or_refused(text: str) -> None:
    try:
        once = normalise(text)
    except InvalidUrl:
        return
    assert normalise(once) == once


@pytest.mark.parametrize(
    ("url", "spelt"),
    [
        ("HTTP://WWW.Example.gov.cn:80", "http://www.example.gov.cn/"),
        ("https://example.gov.cn:443/a", "https://example.gov.cn/a"),
        ("http://example.gov.cn:8080/a#top", "http://example.gov.cn:8080/a"),
        (" http://example.gov.cn/zwgk/../tz/./1.html\n", "http://example.gov.cn/tz/1.html"),
        ("http://example.gov.cn/通知.html", "http://example.gov.cn/%E9%80%9A%E7%9F%A5.html"),
        ("http://example.gov.cn/%c4%e3.doc", "http://example.gov.cn/%C4%E3.doc"),  # GBK stays GBK
        ("http://example.gov.cn/a;jsessionid=9f?b=2&a=1", "http://example.gov.cn/a;jsessionid=9f?b=2&a=1"),
        ("http://example.gov.cn\\tz\\1.html", "http://example.gov.cn/tz/1.html"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("http://example.gov.cn/a b?c d", "http://example.gov.cn/a%20b?c%20d"),
    ],
)
def test_spelling(url: str, spelt: str) -> None:
    assert normalise(url) == spelt


@pytest.mark.parametrize("url", ["http://", "http:///a", "http://h:port/", "http://[::1/", "http://./"])
def test_what_has_no_host_is_refused(url: str) -> None:
    with pytest.raises(InvalidUrl):
        normalise(url)


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("http://www.example.gov.cn/a", True),
        ("https://example.gov.cn/a", True),
        ("http://xxgk.example.gov.cn/a", True),
        ("http://badexample.gov.cn/a", False),
        ("http://www.example.gov.cn.evil.test/", False),
        ("mailto:a@www.example.gov.cn", False),
        ("http://[::1/", False),
    ],
)
def test_same_site(url: str, inside: bool) -> None:
    assert same_site(url, "http://www.example.gov.cn/") is inside


def test_only_http_is_http() -> None:
    assert is_http("https://example.gov.cn/")
    assert not any(map(is_http, ["ftp://example.gov.cn/", "javascript:void(0)", "//example.gov.cn/", "http://", ""]))
