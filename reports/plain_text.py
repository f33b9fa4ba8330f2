"""Text of pages as a reader may see it, whichever file it goes into."""

from __future__ import annotations

import re

# Control characters and half characters, which XML forbids; marks that turn the direction, so that what stands there
# reads as something else, in its own cell or line and beyond.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def plain_text(text: str) -> str:
    """Return the text without characters that no file may hold or that make it read otherwise than it stands."""
    return _UNSHOWABLE.sub("", text)
