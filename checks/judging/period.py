"""What a unit published within a period: the items of its lists, and whether the lists were read back far enough."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from checks.facts.model import ListEntry, PageKind
from checks.judging.freshness import published_item
from checks.judging.listing import entries_of, lies_outside, unread_list, unread_rest
from checks.judging.readability import Obstacle, is_absent
from checks.model import Bundle, ColumnVisit, Outcome, Page
from checks.reading.addresses import comparable
from config.schema import Column, ColumnType


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    @classmethod
    def before(cls, day: date, days: int) -> Period:
        """Return the period of that many days up to the day, and the day after: clocks and time zones differ."""
        return cls(day - timedelta(days=days), day + timedelta(days=1))

    def holds(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a column lists, or the page that the column is; `article` is its page where it was sampled.

    `date` is the date beside it in the list, else the one its page says; None where neither was seen.
    """

    title: str
    url: str
    date: date | None
    column: Column
    seen_on: Page
    article: Page | None = None

    @property
    def full_title(self) -> str:
        """The longer of the titles in the list and on the page: lists cut long titles off."""
        told = self.article.facts.title if self.article and self.article.facts else ""
        return max(self.title, told, key=len)

    @property
    def is_cut_off(self) -> bool:
        """Whether its title is known in part only."""
        return self.full_title.rstrip().endswith(("…", "..."))

    @property
    def text(self) -> str:
        """The main text of its page; empty when it was not read."""
        return self.article.facts.body_text if self.article and self.article.facts else ""

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages that tell of it."""
        return (self.seen_on,) if self.article is None else (self.seen_on, self.article)


def present_columns(bundle: Bundle, types: Collection[ColumnType]) -> tuple[ColumnVisit, ...]:
    """Return the columns of these types that are not confirmed absent, in the order of the inventory."""
    return tuple(visit for visit in bundle.columns_of(*types) if not is_absent(visit))


def items_of(visits: Iterable[ColumnVisit]) -> Iterator[Item]:
    """Yield each item of the columns once, in the order of columns and lists, whatever its date."""
    seen: set[str] = set()
    for visit in visits:
        for item in _items(visit):
            if comparable(item.url) not in seen:
                seen.add(comparable(item.url))
                yield item


def _items(visit: ColumnVisit) -> Iterator[Item]:
    articles = {comparable(article.url): article for article in visit.articles}
    for page in visit.pages:
        entries = page.facts.list.entries if page.facts else ()
        for entry in entries:
            yield _listed(entry, visit, page, articles.pop(comparable(entry.url), None))
        if not entries and page.facts and page.facts.kind is PageKind.ARTICLE:
            yield Item(page.facts.title, page.url, _published(page), visit.column, page, page)
    for article in articles.values():  # sampled from a list that scripts wrote, or listed under another spelling
        title = article.facts.title if article.facts else article.visit.title
        day = article.visit.listed_date or _published(article)
        yield Item(title, article.url, day, visit.column, article, article)


def _listed(entry: ListEntry, visit: ColumnVisit, page: Page, article: Page | None) -> Item:
    day = entry.date or (_published(article) if article else None)
    return Item(entry.title, entry.url, day, visit.column, page, article)


def _published(page: Page) -> date | None:
    item = published_item(page, "")
    return item.date if item else None


# ---------------------------------------------------------------- how far back was read


def unread_since(visit: ColumnVisit, first: date | None = None) -> Obstacle | None:
    """Return why the column may hold something of the time since `first` (None: of any time) that was not read."""
    if (obstacle := unread_list(visit)) is not None:
        return obstacle
    if not any(entries_of(visit)):
        observed = f"“{visit.column.name}”里没有认出列表条目，不能断定没有发布过。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    if lies_outside(visit):
        observed = f"“{visit.column.name}”里只有链接到其他网站的条目，内容在别处，没有采集。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    return None if first is not None and _reaches(visit, first) else unread_rest(visit)


def unread_among(visits: Iterable[ColumnVisit], first: date | None = None) -> Obstacle | None:
    """Return why any of the columns may hold something of the time since `first` that was not read, or None."""
    return next((obstacle for visit in visits if (obstacle := unread_since(visit, first)) is not None), None)


def _reaches(visit: ColumnVisit, first: date) -> bool:
    """Whether the list goes from new to old, and its last page that was read ends before the day."""
    last = visit.pages[-1].facts
    dates = [entry.date for entry in last.list.entries if entry.date] if last else []
    return bool(dates) and dates == sorted(dates, reverse=True) and dates[-1] < first
