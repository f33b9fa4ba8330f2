"""垃圾回收: how often Python looks for garbage that refers to itself."""

from __future__ import annotations

import gc

_MADE = 20_000  # objects between two looks, 700 by default


def collect_rarely() -> None:
    """Have what is there by now looked at no more, and what comes looked at rarely.

    Pages, facts and findings come by the hundred thousand and go by themselves; looking for cycles among them took a
    sixth of a night. It changes nothing but the time, and some megabytes.
    """
    gc.freeze()
    gc.set_threshold(_MADE, 20, 50)
