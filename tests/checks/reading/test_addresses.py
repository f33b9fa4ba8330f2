"""Hosts and the domains they are registered under."""

from __future__ import annotations

import pytest

from checks.reading.addresses import full_host_of, is_under, registered_domain


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("www.yueshan.gov.cn", "yueshan.gov.cn"),
        ("a.b.yueshan.gov.cn", "yueshan.gov.cn"),
        ("yueshan.gov.cn", "yueshan.gov.cn"),
        ("www.yueshan.com.cn", "yueshan.com.cn"),
        ("www.yueshan.cn", "yueshan.cn"),
        ("www.yueshan.example", "yueshan.example"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_registered_domain(host: str, expected: str) -> None:
    assert registered_domain(host) == expected


def test_the_districts_own_suffix_counts() -> None:
    assert registered_domain("jyj.yueshan.test", "test") == "yueshan.test"
    assert registered_domain("jyj.yueshan.test", "yueshan.test") == "jyj.yueshan.test"
    assert is_under("yueshan.test", "test")
    assert not is_under("test", "test")
    assert not is_under("yueshantest", "test")


def test_hosts_are_told_as_written() -> None:
    assert full_host_of("http://WWW.Yueshan.gov.cn.:8080/a") == "www.yueshan.gov.cn"
    assert full_host_of("http://[::1") == ""
