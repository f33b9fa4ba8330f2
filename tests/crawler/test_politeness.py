"""Where we never go, and who we say we are."""

from __future__ import annotations

import pytest

from crawler.politeness import SchemeRefused, check_url, is_public, user_agent


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.169.254", "100.100.100.200", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["ftp://a.test/", "file:///etc/passwd", "javascript:void(0)", "http://user:word@a.test/", "http://@a.test/", "x"],
)
def test_refused_urls(url: str) -> None:
    with pytest.raises(SchemeRefused):
        check_url(url)


def test_the_agent_says_how_to_reach_us_in_ascii() -> None:
    assert user_agent("mailto:xx@example.test").endswith("(+mailto:xx@example.test)")
    assert user_agent("栾城区政务公开办").isascii()
    assert user_agent("").startswith("xuncha/")
