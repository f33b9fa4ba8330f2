"""How old the newest item is: shared by the checks of columns and of home pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from checks.facts.model import DateSource
from checks.judging.readability import page_obstacle
from checks.judging.verdict import Subject
from checks.model import Finding, Outcome, Page


@dataclass(frozen=True, slots=True)
class DatedItem:
    """Something with a date: what it is called, and where its date was read."""

    date: date
    title: str
    where: str
    text: str = ""


def listed_items(page: Page, where: str) -> Iterator[DatedItem]:
    """Yield the dated entries of the page's list, in its order."""
    for entry in page.facts.list.entries if page.facts else ():
        if entry.date is not None:
            yield DatedItem(entry.date, entry.title, where, entry.date_text)


def published_item(page: Page, where: str, *, shown_only: bool = False) -> DatedItem | None:
    """Return the page itself with the date it says it was published, or None.

    `shown_only` leaves out what no visitor sees: a date in meta or in the URL may be that of the page's last rebuild.
    """
    facts = page.facts
    if facts is None or page_obstacle(page) is not None or facts.published.date is None:
        return None
    published = facts.published
    if shown_only and published.source in (DateSource.META, DateSource.URL):
        return None
    text = next((c.text for c in published.candidates if c.date == published.date), published.label)
    return DatedItem(facts.published.date, facts.title or page.visit.title, where, text)


@dataclass(frozen=True, slots=True)
class Age:
    """The newest item of something, on the day of the inspection, against a limit in days."""

    newest: DatedItem
    day: date
    limit: int

    @property
    def is_fresh(self) -> bool:
        """Whether the newest item is within the limit."""
        return (self.day - self.newest.date).days <= self.limit

    @property
    def observed(self) -> str:
        """What was seen, in Chinese."""
        item, days = self.newest, (self.day - self.newest.date).days
        verdict = f"在期限 {self.limit} 天之内" if self.is_fresh else f"超过期限 {self.limit} 天"
        seen = f"{item.where}最新一条是 {item.date:%Y-%m-%d} 的“{item.title}”"
        return f"{seen}，距检查日 {self.day:%Y-%m-%d} {max(days, 0)} 天，{verdict}。"

    @property
    def passage(self) -> str:
        """The item as the page words it."""
        return f"{self.newest.title} {self.newest.text}".strip()


def future_notice(subject: Subject, future: tuple[DatedItem, ...], day: date) -> Finding:
    """Return the notice that dates lie in the future and were not believed."""
    first = future[0]
    example = f"如 {first.date:%Y-%m-%d} 的“{first.title}”"
    seen = f"有 {len(future)} 条标着检查日 {day:%Y-%m-%d} 之后的日期，{example}，没有采信。"
    passage = f"{first.title} {first.text}".strip()
    return subject.finding(
        Outcome.NOTICE, "future_date", seen, "请核对日期是否填错。", passage=passage, where=first.where
    )


def parted(items: Iterable[DatedItem], day: date) -> tuple[tuple[DatedItem, ...], tuple[DatedItem, ...]]:
    """Return (items up to the day after `day`, items from the future). One day's grace covers clocks and time zones."""
    latest = day + timedelta(days=1)
    everything = tuple(items)
    return tuple(i for i in everything if i.date <= latest), tuple(i for i in everything if i.date > latest)


def newest(items: tuple[DatedItem, ...]) -> DatedItem | None:
    """Return the newest item, the first of several, or None when there are none."""
    return max(items, key=lambda item: item.date, default=None)
