"""Addresses: one spelling for one page, and what belongs to a site."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from checks.facts.credentials import HIDDEN, without_credentials

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PATH_SAFE = "%/:@!$&'()*+,;=~-._[]|"
_QUERY_SAFE = _PATH_SAFE + "?"


class InvalidUrl(ValueError):
    """This is not an address: correct the link or the `url` in sites.toml, e.g. http://www.example.gov.cn/zwgk/."""


def normalise(url: str) -> str:
    """Return the one spelling of an address; doing it twice changes nothing.

    Host and scheme in lower case, default port and fragment out, dot segments resolved, escapes in upper case, other
    characters escaped as UTF-8, a user name and password hidden. Escaped GBK names, the order of queries and session
    parameters stay as they are: a server may tell them apart. Raises InvalidUrl when no host or port can be made out.
    """
    path, mark, query = _CONTROL.sub("", url).strip().partition("?")
    cleaned = path.replace("\\", "/") + mark + query  # as browsers read it
    try:
        parts = urlsplit(cleaned)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidUrl(f"地址无法识别：{url[:200]!r}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        return without_credentials(cleaned.partition("#")[0])
    if not host:
        raise InvalidUrl(f"地址缺少主机名：{url[:200]!r}")
    authority = _user(parts) + _host(host) + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")
    path = _without_dots(_escaped(parts.path, _PATH_SAFE))
    return urlunsplit((parts.scheme, authority, path, _escaped(parts.query, _QUERY_SAFE), ""))


def is_http(url: str) -> bool:
    """Tell whether an address is one of http or https with a host."""
    try:
        parts = urlsplit(url.strip())
        return parts.scheme in _DEFAULT_PORTS and bool(parts.hostname)
    except ValueError:
        return False


def host_of(url: str) -> str:
    """Return the host of an address in lower case, brackets of IPv6 off; empty when there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def same_site(url: str, home: str) -> bool:
    """Tell whether an address is of that home page's site: the same host, with or without www, or one under it."""
    host, site = host_of(url), host_of(home).removeprefix("www.")
    return is_http(url) and bool(site) and (host == site or host.endswith("." + site))


def _user(parts: SplitResult) -> str:
    return f"{HIDDEN}@" if "@" in parts.netloc else ""


def _host(host: str) -> str:
    if ":" in host:
        return f"[{host}]"
    try:
        name = (host if host.isascii() else host.encode("idna").decode("ascii").lower()).strip(".")
    except UnicodeError as error:
        raise InvalidUrl(f"主机名无法识别：{host[:200]!r}") from error
    if not name:
        raise InvalidUrl(f"地址缺少主机名：{host[:200]!r}")
    return quote(name, safe="%~-._!$&'()*+,;=")


def _escaped(text: str, safe: str) -> str:
    return _ESCAPE.sub(lambda escape: escape[0].upper(), quote(text, safe=safe, errors="replace"))


def _without_dots(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:] if path.startswith("/") else path.split("/")
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
