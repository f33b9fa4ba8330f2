"""Word lists of the rules as patterns: made once a process, however many pages are searched."""

from __future__ import annotations

import re
from functools import lru_cache

NOTHING = r"(?!)"


@lru_cache(maxsize=512)
def any_of(words: tuple[str, ...], *, whatever_case: bool = False) -> re.Pattern[str]:
    """Return the pattern that finds any of the words, of several at one place the longest; none finds nothing."""
    longest_first = sorted(set(words), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or NOTHING, re.I if whatever_case else 0)
