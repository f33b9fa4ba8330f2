"""Whether a column's list was read whole: only then can a check say that something is not in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.facts.model import ListEntry
from checks.judging.readability import Obstacle, column_obstacle, comparable, is_undecided, script_obstacle, unread_part
from checks.model import ColumnVisit, Outcome, Page

# Links to the rest of a list.
TURNS = re.compile(r"(?:下一?页|后一页|尾页|末页|最后一?页|更多|\d{1,4})[\s>»›→]{0,4}", re.I)


def entries_of(visit: ColumnVisit) -> Iterator[ListEntry]:
    """Yield the entries of the column's list pages, in their order."""
    for page in visit.pages:
        yield from page.facts.list.entries if page.facts else ()


def unread_rest(visit: ColumnVisit) -> Obstacle | None:
    """Return why the column's list may hold more than was read; None when all of it was read."""
    obstacle = column_obstacle(visit) or unread_part(visit)
    if obstacle is not None:
        return obstacle
    if any(is_undecided(page) for page in visit.pages):
        return script_obstacle("栏目列表")
    read = {comparable(page.url).rstrip("/") for page in visit.pages}
    if any(_leads_on(page, read) for page in visit.pages) or _has_more_pages(visit):
        observed = f"“{visit.column.name}”的列表只读了前 {len(visit.pages)} 页，后面的没有采集，不能断定没有。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    return None


def _leads_on(page: Page, read: set[str]) -> bool:
    """Whether the page links to a further page of the list that was not read."""
    if page.facts is None:
        return False
    turns = (link.url for link in page.facts.links if TURNS.fullmatch(link.text.strip()))
    ahead = [page.facts.list.next] if page.facts.list.next else []
    return any(_bare(url) not in read for url in (*ahead, *turns))


def _bare(url: str) -> str:
    """Return the address as the first page of a list is compared: /tzgg/index.html is /tzgg/."""
    return re.sub(r"/index\.s?html?$", "", comparable(url)).rstrip("/")


def _has_more_pages(visit: ColumnVisit) -> bool:
    totals = [page.facts.list.total_pages for page in visit.pages if page.facts and page.facts.list.total_pages]
    return bool(totals) and max(totals) > len(visit.pages)
