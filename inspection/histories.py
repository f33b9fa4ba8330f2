"""What a night saw of columns' lists, for later nights to hold theirs against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checks.listing import unread_rest
from checks.model import ColumnVisit
from checks.readability import is_undecided
from storage.model import SeenList


def seen_lists(columns: Iterable[ColumnVisit]) -> Iterator[SeenList]:
    """Yield what was seen of each list that held anything; entries that scripts may still change are left out."""
    for visit in columns:
        pages = [page for page in visit.pages if page.facts is not None and not is_undecided(page)]
        entries = tuple(entry for page in pages for entry in (page.facts.list.entries if page.facts else ()))
        if entries:
            yield SeenList(visit.target, unread_rest(visit) is None, entries)
