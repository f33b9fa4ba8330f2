"""Where the references on a page lead, as absolute URLs that give no password away."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote, urljoin

from lxml.html import HtmlElement

from checks.facts.credentials import address_without_credentials

_WHOLE_ADDRESS = re.compile(r"https?://[^/?#]", re.I)
_ORIGIN = re.compile(r"https?://[^/?#]+", re.I)
_REPEATED = 200  # characters: menus lead to the same addresses from page after page
_QUOTED = re.compile(r"""["']((?:https?:)?[^"'\s<>()]{1,1000})["']""")
_PATHLIKE = re.compile(
    r"^(?:https?://|//|\.{0,2}/)\S|\.(?:s?html?|jsp|aspx?|php|do|action|pdf|docx?|xlsx?)(?:[?#]|$)|^\?\w+=", re.I
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
SCRIPTED = re.compile(r"\s*(?:javascript|mailto|tel|data|about|blob):", re.I)
_DATA_ATTRIBUTES = ("data-url", "data-href", "data-link")


def resolve(base: str, reference: str) -> str:
    """Join a reference to its base as a browser would; "" when the result is not a usable address."""
    reference = re.sub(r"[\t\r\n]", "", reference.strip())
    try:
        return address_without_credentials(urljoin(base, reference))
    except ValueError:
        return ""


def web_address(base: str, reference: str) -> str:
    """Return the reference as an absolute http(s) URL without fragment; "" when it leads elsewhere.

    It stays relative when the page's own address, `base`, is not known.
    """
    is_whole = reference.startswith("/") or _WHOLE_ADDRESS.match(reference)
    if is_whole and len(reference) <= _REPEATED and (origin := _origin(base)):
        return _address_from_root(origin, reference)  # of the base no more counts
    return _web_address(base, reference)


def _web_address(base: str, reference: str) -> str:
    url = resolve(base, reference).partition("#")[0]
    if url.lower().startswith(("http://", "https://")):
        return url
    return "" if base or _SCHEME.match(url) else url


_address_from_root = lru_cache(maxsize=16_384)(_web_address)


@lru_cache(maxsize=256)
def _origin(base: str) -> str:
    match = _ORIGIN.match(base)
    return match[0] if match else ""


def opened_by(base: str, element: HtmlElement) -> str:
    """Return the absolute http(s) URL that a click on the element opens; "" when it cannot be told.

    A quoted path in a javascript: address or in onclick counts: javascript:open('/a/b.html').
    """
    href = (element.get("href") or "").strip()
    if href.startswith("/") or (href and not href.startswith("#") and not SCRIPTED.match(href)):
        return web_address(base, href)
    codes = [unquote(href) if href.lower().startswith("javascript:") else "", element.get("onclick") or ""]
    for code in codes:
        for quoted in _QUOTED.findall(code[:2_000]):
            if _PATHLIKE.search(quoted):
                return web_address(base, quoted)
    data = next((value for name in _DATA_ATTRIBUTES if (value := element.get(name))), "")
    return web_address(base, data) if _PATHLIKE.search(data) else ""
