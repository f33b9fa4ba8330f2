"""地址里的用户名和口令: what pages leave in their links by mistake, and nobody is to read again in what we keep."""

from __future__ import annotations

import re

HIDDEN = "***"
_IN_TEXT = re.compile(r"//[^/?#\\\s]*@")
_IN_ADDRESS = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]{2})[^/?#\\]*@")


def without_credentials(text: str) -> str:
    """Return a text with the user names and passwords in its addresses hidden: they are not ours to keep."""
    return _IN_TEXT.sub(f"//{HIDDEN}@", text) if "@" in text else text


def address_without_credentials(url: str) -> str:
    """Return an address with its own user name and password hidden, and no other character changed."""
    found = _IN_ADDRESS.match(url) if "@" in url else None
    return f"{found[1]}{HIDDEN}@{url[found.end() :]}" if found else url
