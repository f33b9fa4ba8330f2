"""地址关口: where we never go, whoever leads us there: a link, a redirect, a script or a name server."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from checks.facts.credentials import without_credentials
from crawler.urls import is_http

AllowPrivate = bool | tuple[IPv4Network | IPv6Network, ...]

_PUBLIC_V6 = ipaddress.ip_network("2000::/3")  # all of IPv6 that anybody was ever given
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})  # the middle of an address that ends in one of IPv4
_NEVER = tuple(  # what Python takes for public: clouds' metadata, and addresses of protocols
    map(ipaddress.ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24"))
)

# What browsers refuse (the "bad ports" of the Fetch standard), and databases and remote consoles, which never are
# websites: a page must not make us talk to them.
_PORTS = frozenset(
    {
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
        110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
        531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
        5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
        445, 1433, 1521, 3306, 3389, 5432, 5900, 6379, 11211, 27017,
    }
)  # fmt: skip


class Refused(Exception):
    """We do not go there: correct the link or sites.toml."""


class SchemeRefused(Refused):
    """Only http and https addresses without user name and password are fetched: correct the link or sites.toml."""


class AddressRefused(Refused):
    """The address is private, or its port no website's: crawl.allow_private_addresses names networks that may be."""


def check_url(url: str) -> None:
    """Raise SchemeRefused unless the address is http(s) and bears no credentials, AddressRefused for its port."""
    if not is_http(url):
        raise SchemeRefused(f"不是 http/https 地址：{without_credentials(url)[:200]}")
    parts = urlsplit(url.strip())
    if "@" in parts.netloc:
        raise SchemeRefused(f"地址带有用户名或口令：{without_credentials(url)[:200]}")
    try:
        port = parts.port
    except ValueError as error:
        raise SchemeRefused(f"端口无法识别：{without_credentials(url)[:200]}") from error
    if port is not None:
        check_port(parts.hostname or "", port)


def check_port(host: str, port: int) -> None:
    """Raise AddressRefused for a port on which browsers talk to nobody."""
    if port in _PORTS:
        raise AddressRefused(f"{host} 的 {port} 端口不是网站的端口")


def may_reach(address: str, allow_private: AllowPrivate) -> bool:
    """Tell whether an IP address may be reached: a public one, or one that is allowed, by itself or its network."""
    if allow_private is True or is_public(address):
        return True
    ip = _address(address)
    return not isinstance(allow_private, bool) and any(ip in network for network in allow_private)


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public Internet; addresses that embed a private one are not."""
    return all(_is_global(ip) for ip in _reached(_address(address)))


def _address(text: str) -> IPv4Address | IPv6Address:
    ip = ipaddress.ip_address(text.partition("%")[0])
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def _is_global(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv6Address) and ip not in _PUBLIC_V6 and ip not in _NAT64:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NEVER)


def _reached(ip: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the address and those of IPv4 that a gateway or tunnel would make of it."""
    if isinstance(ip, IPv4Address):
        return [ip]
    last = IPv4Address(int(ip) & 0xFFFFFFFF)
    embeds = ip in _NAT64 or ip in _COMPATIBLE or (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP
    return [ip, *([ip.sixtofour] if ip.sixtofour else []), *([last] if embeds else [])]
