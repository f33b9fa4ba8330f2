"""What a night saw of columns' lists, for later nights to hold theirs against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from checks.judging.listing import unread_rest
from checks.judging.readability import is_undecided
from checks.model import ColumnVisit
from inspection.place import Place
from storage.model import Run, RunKind, SeenList


def remember(place: Place, run: Run, lists: Iterable[SeenList]) -> None:
    """Keep what a nightly run saw of lists; it never counts as the past of its own day, however often it is judged.

    Other runs leave no past: they see some units only, at any time of day.
    """
    if run.kind is RunKind.NIGHTLY:
        place.repository.add_lists(run.day, lists)


def seen_lists(columns: Iterable[ColumnVisit]) -> Iterator[SeenList]:
    """Yield what was seen of each list that held anything; entries that scripts may still change are left out."""
    for visit in columns:
        pages = [page for page in visit.pages if page.facts is not None and not is_undecided(page)]
        entries = tuple(entry for page in pages for entry in (page.facts.list.entries if page.facts else ()))
        if entries:
            yield SeenList(visit.target, unread_rest(visit) is None, entries)
