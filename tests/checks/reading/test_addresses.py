"""Spellings of addresses, hosts, and the domains they are registered under."""

from __future__ import annotations

import pytest

from checks.reading.addresses import bare_address, comparable, file_name, full_host_of, is_under, registered_domain


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


def test_two_spellings_of_one_address_are_equal() -> None:
    assert comparable("http://a.test/%E5%85%AC%E5%BC%80#top") == comparable("http://a.test/公开")
    assert comparable("http://a.test/?id=1") != comparable("http://a.test/?id=2")


def test_a_folder_goes_by_several_addresses() -> None:
    same = {bare_address(f"http://a.test/tzgg{ending}") for ending in ("", "/", "/index.html", "/index.shtml")}
    assert same == {"http://a.test/tzgg"}
    assert bare_address("http://a.test/tzgg/index_1.html") not in same


def test_a_file_goes_by_the_end_of_its_path() -> None:
    assert file_name("http://a.test/b/%E7%9B%AE%E5%BD%95.xlsx?v=2#1") == "目录.xlsx"
