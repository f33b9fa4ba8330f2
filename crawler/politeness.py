"""文明采集: who we say we are, and where we never go."""

from __future__ import annotations

import ipaddress
from importlib.metadata import version
from urllib.parse import quote, urlsplit

from crawler.urls import is_http

ROBOTS_NAME = "xuncha"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class SchemeRefused(Exception):
    """Only http and https addresses without user name and password are fetched: correct the link or sites.toml."""


class AddressRefused(Exception):
    """The host's address is private: set crawl.allow_private_addresses only for demonstrations and tests."""


class RobotsDisallowed(Exception):
    """robots.txt keeps us out: ask the owner, then set the site's robots_override_reason."""


def user_agent(contact: str) -> str:
    """Return the User-Agent: our name, version, and where a site's owner can reach us."""
    return f"{ROBOTS_NAME}/{version('xuncha')}" + (f" (+{quote(contact, safe=':/@.+-_? =&')})" if contact else "")


def check_url(url: str) -> None:
    """Raise SchemeRefused unless the address is http(s) and bears no credentials."""
    if not is_http(url):
        raise SchemeRefused(f"不是 http/https 地址：{url[:200]}")
    if "@" in urlsplit(url).netloc:
        raise SchemeRefused(f"地址带有用户名或口令：{url[:200]}")


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public Internet; addresses that embed a private one are not."""
    return all(ip.is_global and not ip.is_multicast for ip in _reached(ipaddress.ip_address(address.partition("%")[0])))


def _reached(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    if isinstance(ip, ipaddress.IPv4Address):
        return [ip]
    if ip.ipv4_mapped:
        return [ip.ipv4_mapped]
    embedded = ip.sixtofour or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
    return [ip, embedded] if embedded else [ip]
