"""Where we never go: by the address alone."""

from __future__ import annotations

import ipaddress

import pytest

from checks.facts.credentials import address_without_credentials, without_credentials
from crawler.guard import AddressRefused, Refused, SchemeRefused, check_url, is_public, may_reach
from crawler.urls import normalise


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "169.254.169.254", "100.100.100.200", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1",
        "::ffff:10.0.0.1", "fec0::1", "::7f00:1", "::10.0.0.1", "168.63.129.16", "198.18.0.1", "100.64.0.1",
        "192.0.0.192",         "2001:0:53aa:64c:0:fbff:80ff:fffe", "2400:3200::5efe:a00:1", "64:ff9b:1::a00:1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.test/",
        "file:///etc/passwd",
        "javascript:void(0)",
        "http://user:word@a.test/",
        "http://@a.test/",
        "x",
        "http://user@a.test/",
        " http://user:word@a.test/",
        "http://a.test:99999/",
        "ws://a.test/",
        "//a.test/",
    ],
)
def test_refused_urls(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url)


def test_a_password_is_never_repeated() -> None:
    with pytest.raises(SchemeRefused) as refused:
        check_url("http://user:geheim@a.test/")
    assert "geheim" not in str(refused.value)
    assert normalise("http://user:geheim@a.test/") == normalise(normalise("http://***@a.test/"))
    assert "geheim" not in without_credentials(
        "ftp://u:geheim@b.test/ http://u:p@geheim@a.test/?b=http://u:geheim@c.test"
    )
    assert without_credentials("http://a.test/@b?c=d@e") == "http://a.test/@b?c=d@e"
    assert address_without_credentials("http://u:geheim@a.test//x@y?b=//c@d") == "http://***@a.test//x@y?b=//c@d"
    for untouched in ("http://a.test//x@y/", "mailto:a@b.test", "//a.test/b@c", "/a@b", "a//b@c"):
        assert address_without_credentials(untouched) == untouched


@pytest.mark.parametrize("port", [0, 22, 25, 110, 3306, 6379, 6667, 11211])
def test_ports_on_which_browsers_talk_to_nobody(port: int) -> None:
    with pytest.raises(AddressRefused, match=str(port)):
        check_url(f"http://a.test:{port}/")


@pytest.mark.parametrize(
    "url", ["http://a.test/", "https://a.test:443/", "http://a.test:8080/", "http://[2400::1]:90/"]
)
def test_what_a_website_has_is_let_pass(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1", True), ("10.3.200.1", True), ("fd00:3::1", True), ("::ffff:10.3.0.1", True), ("8.8.8.8", True),
        ("127.0.0.99", False), ("10.4.0.1", False), ("::1", False), ("169.254.169.254", False),
        ("::ffff:127.0.0.2", False), ("64:ff9b::7f00:1", False),
    ],
)  # fmt: skip
def test_named_networks_may_be_reached_and_no_others(address: str, allowed: bool) -> None:
    networks = tuple(map(ipaddress.ip_network, ("127.0.0.1/32", "10.3.0.0/16", "fd00:3::/32")))
    assert may_reach(address, networks) is allowed
    assert may_reach(address, True)
    assert may_reach(address, ()) is is_public(address)
