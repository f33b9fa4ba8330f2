"""What a column's list holds, and whether it was read whole: only then can a check say that something is not in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from checks.facts.model import ListEntry
from checks.judging.readability import (
    Obstacle,
    absence_of,
    column_obstacle,
    is_absent,
    is_undecided,
    script_obstacle,
    unread_part,
)
from checks.judging.verdict import Subject
from checks.model import ColumnVisit, Finding, Outcome, Page
from checks.reading.addresses import bare_address, comparable, leads_outside_only

# Links to the rest of a list.
TURNS = re.compile(r"(?:下一?页|后一页|尾页|末页|最后一?页|更多|\d{1,4})[\s>»›→]{0,4}", re.I)


def entries_of(visit: ColumnVisit) -> Iterator[ListEntry]:
    """Yield the entries of the column's list pages, in their order."""
    return (entry for page in visit.pages if page.facts for entry in page.facts.list.entries)


def names_of(visits: Iterable[ColumnVisit]) -> str:
    """Return in Chinese the names of the columns, each once."""
    return "、".join(dict.fromkeys(f"“{visit.column.name}”" for visit in visits))


def addresses_read(visit: ColumnVisit) -> frozenset[str]:
    """Return the addresses of the column's pages, articles and attachments, as `comparable` writes them."""
    return frozenset(comparable(page.url) for page in visit.everything)


def unread_entries(visit: ColumnVisit) -> Iterator[ListEntry]:
    """Yield the entries that lead to something that was not asked for."""
    read = addresses_read(visit)
    return (entry for entry in entries_of(visit) if comparable(entry.url) not in read)


def lies_outside(visit: ColumnVisit) -> bool:
    """Whether the pages that were read lead to other sites only: what is published there, this site does not decide."""
    home = visit.pages[0].url
    return all(page.facts is None or leads_outside_only(page.facts, home) for page in visit.pages)


def nothing_to_judge(subject: Subject, visit: ColumnVisit, what: str) -> Finding:
    """Return what is to be said of a column of which no article was sampled; `what` names in Chinese what it lists."""
    if is_absent(visit):
        return subject.not_applicable("absent", absence_of(visit))
    if (obstacle := column_obstacle(visit)) is not None:
        return subject.cannot_tell(obstacle)
    if lies_outside(visit):
        return subject.not_applicable("external_only", "栏目里只有链接到其他网站的条目，内容不由本站决定。")
    if any(map(is_undecided, visit.pages)):
        return subject.cannot_tell(script_obstacle(f"{what}列表"))
    if any(entries_of(visit)):
        observed = f"列表里的{what}没有采集，不能断定写明了什么。"
        return subject.cannot_tell(Obstacle(Outcome.INCONCLUSIVE, "unread", observed))
    return subject.not_applicable("empty", f"栏目里没有{what}，由“空白栏目”检查评判。")


# ---------------------------------------------------------------- what was not read


def unread_list(visit: ColumnVisit) -> Obstacle | None:
    """Return why one of the list pages that were asked for could not be read, or None."""
    obstacle = column_obstacle(visit) or unread_part(visit)
    if obstacle is None and any(map(is_undecided, visit.pages)):
        return script_obstacle(f"“{visit.column.name}”列表")
    return obstacle


def unread_rest(visit: ColumnVisit) -> Obstacle | None:
    """Return why the column's list may hold more than was read; None when all of it was read."""
    if (obstacle := unread_list(visit)) is not None:
        return obstacle
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
    return any(bare_address(url) not in read for url in (*ahead, *turns))


def _has_more_pages(visit: ColumnVisit) -> bool:
    totals = [page.facts.list.total_pages for page in visit.pages if page.facts and page.facts.list.total_pages]
    return bool(totals) and max(totals) > len(visit.pages)
