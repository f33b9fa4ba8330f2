"""How the command line speaks: Chinese tables and sentences to a person, one JSON document to a program."""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

# A sentence stays one line wherever it goes: a terminal breaks it by itself, a log must not.
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


FILE_WIDTH = 160  # columns, where a table goes to a file or a pipe, which have no width of their own


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document to standard output and nothing else; in ASCII where that is not in UTF-8."""
    narrow = codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8"
    sys.stdout.write(json.dumps(document, ensure_ascii=narrow, indent=2, default=_plain) + "\n")


def bear_any_character() -> None:
    """Have a terminal or log in GBK show what it lacks as a question mark, instead of ending a night that is done."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "没有记录。"
) -> None:
    """Print a table; text from pages is escaped, so that it can't colour or move the terminal."""
    rows = list(rows)
    if not rows:
        console.print(empty)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(printable(cell) for cell in row))
    if not console.is_terminal:
        wanted = os.environ.get("COLUMNS", "")
        console.width = int(wanted) if wanted.isdigit() else FILE_WIDTH
    console.print(table, soft_wrap=False)


def print_files(paths: Iterable[Path]) -> None:
    """Print where the files that were written lie, a line each."""
    for path in paths:
        console.print(printable(f"已写出 {path}"))


def printable(value: object) -> str:
    """Return the text of a value with control characters and markup made harmless."""
    text = "" if value is None else str(value)
    return escape("".join(character if character.isprintable() or character == "\n" else " " for character in text))


def score_text(score: Decimal | None) -> str:
    """Return a score with two places, or 未发布 where there is none."""
    return "未发布" if score is None else f"{score:.2f}"


def percent(share: Decimal | float | None) -> str:
    """Return a share of one as a percentage without places, or a dash."""
    return "—" if share is None else f"{Decimal(share) * 100:.0f}%"
