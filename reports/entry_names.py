"""Names in a WACZ: the format's own tool looks into folders at the top and no deeper, so that ours all lie there.

"inspection/runs/7/manifest.json" is called "inspection~runs~7/manifest.json" in the ZIP.
"""

from __future__ import annotations


def entry_of(name: str) -> str:
    """Return what a file is called in the ZIP."""
    folder, _, file = name.rpartition("/")
    return f"{folder.replace('/', '~')}/{file}" if folder else file


def name_of(entry: str) -> str:
    """Return the name that a file's name in the ZIP stands for."""
    return entry.replace("~", "/")
