"""What is read as a page, and what is a file whatever its server calls it."""

from __future__ import annotations

from checks.model import Capture

_BINARY = (b"%pdf", b"pk\x03\x04", b"\xd0\xcf\x11\xe0", b"\x89png", b"\xff\xd8\xff", b"gif8", b"rar!")


def is_markup(capture: Capture, body: bytes) -> bool:
    """Tell whether to read a body as a page: servers' content types are often wrong, so its first bytes count too."""
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_BINARY) or b"<" not in body:
        return False
    return "html" in capture.content_type.lower() or start.startswith(b"<!doctype html") or b"<html" in start
