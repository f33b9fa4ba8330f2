"""栏目更新: a column shows something new within the days that its type is given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from checks.facts.model import PageKind
from checks.judging.freshness import Age, DatedItem, future_notice, listed_items, newest, parted, published_item
from checks.judging.listing import entries_of, lies_outside
from checks.judging.readability import (
    ABSENT,
    SHARED_REASONS,
    Obstacle,
    absence_of,
    column_obstacle,
    is_absent,
    is_undecided,
    page_obstacle,
    script_obstacle,
    unread_part,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Scope
from checks.reading.addresses import comparable, is_outside
from config.rules import Rules

META = CheckMeta(
    id="column_freshness",
    title="栏目更新",
    failure_title="栏目长期不更新",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）单项否决“栏目不更新”：动态、要闻类栏目2周，通知公告、政策文件类"
    "栏目6个月；《政府网站发展指引》（国办发〔2017〕47号）",
    method="取已读列表页各条目的日期和抽到的文章的发布日期，以其中最新的一个计算距检查日的天数，超过该类栏目的期限即为不更新。"
    "晚于检查日次日的日期不采信。全部链接到站外的栏目、空白栏目、没有规定期限的栏目不适用。",
    scope=Scope.COLUMN,
    reasons={
        "fresh": "在期限内有更新",
        "stale": "超过期限没有更新",
        "undated": "看不出任何条目的日期",
        "no_period": "该类栏目没有规定期限",
        "empty": "栏目空白（另由“空白栏目”评判）",
        "external_only": "栏目只有站外链接",
        "future_date": "标有尚未到来的日期",
        **ABSENT,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国办秘函〔2019〕19号“栏目不更新”。"


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one verdict a column, and a notice where dates lie in the future."""
    days = rules.checks.column_freshness.days
    for visit in bundle.columns:
        subject = Subject(META.id, visit.target, evidence_of(*visit.pages, *visit.articles), visit.column.id)
        limit = days.get(visit.column.type)
        if limit is None:
            yield subject.not_applicable("no_period", f"“{visit.column.name}”这类栏目没有规定更新期限。")
        elif is_absent(visit):
            yield subject.not_applicable("absent", absence_of(visit))
        elif (obstacle := column_obstacle(visit)) is not None:
            yield subject.cannot_tell(obstacle)
        else:
            yield from _judge(subject, visit, bundle.day, limit)


def _judge(subject: Subject, visit: ColumnVisit, day: date, limit: int) -> Iterator[Finding]:
    if lies_outside(visit):
        yield subject.not_applicable("external_only", "栏目里只有链接到其他网站的条目，更新与否不由本站决定。")
        return
    items, future = parted(_items(visit), day)
    if future:
        yield future_notice(subject, future, day)
    latest = newest(items)
    age = Age(latest, day, limit) if latest else None
    if age is not None and age.is_fresh:
        yield subject.passed("fresh", age.observed, passage=age.passage, where=age.newest.where)
    elif (obstacle := _obstacle(visit)) is not None:
        yield subject.cannot_tell(obstacle)
    elif age is not None:
        wanted = f"该类栏目应当在 {limit} 天内有新的内容，请及时发布；确无内容可发的，应当调整或归并栏目。{CLAUSE}"
        yield subject.failed("stale", age.observed, wanted, passage=age.passage, where=age.newest.where)
    elif _has_items(visit):
        observed = "列表和抽到的文章都没有可以辨认的日期，无法判断是否更新。"
        yield subject.finding(Outcome.INCONCLUSIVE, "undated", observed, f"列表条目或文章应当标明发布日期。{CLAUSE}")
    elif (unread := unread_part(visit)) is not None:
        yield subject.cannot_tell(unread)
    else:
        yield subject.not_applicable("empty", "栏目里没有任何条目，由“空白栏目”检查评判。")


def _items(visit: ColumnVisit) -> Iterator[DatedItem]:
    """Yield what has a date: list entries, the column's page when it is itself an article, and the sampled articles."""
    listed = [item for number, page in enumerate(visit.pages, 1) for item in listed_items(page, f"列表第{number}页")]
    yield from listed
    first = visit.pages[0]
    own = (first,) if first.facts and first.facts.kind is PageKind.ARTICLE else ()
    for page in (*own, *visit.articles):
        item = published_item(page, "文章页" if page is not first else "栏目页", shown_only=bool(listed))
        if item is not None:
            yield item


def _has_items(visit: ColumnVisit) -> bool:
    return bool(visit.articles) or any(entries_of(visit))


# ---------------------------------------------------------------- what was not read


def _obstacle(visit: ColumnVisit) -> Obstacle | None:
    """Return why something newer may be there all the same, or None."""
    if any(is_undecided(page) for page in visit.pages):
        return script_obstacle("栏目列表")
    if _ascends(visit):
        observed = "列表从旧到新排列，后面的列表页没有采集，最新的条目可能在后面。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    undated = {comparable(entry.url) for entry in entries_of(visit) if entry.date is None}
    for article in visit.articles:
        if comparable(article.url) in undated:
            obstacle = page_obstacle(article, f"没有标日期的文章“{article.visit.title}”")
            if obstacle is not None or (is_undecided(article) and published_item(article, "") is None):
                return obstacle or script_obstacle("没有标日期的文章")
    return _unread_at_the_top(visit)


def _unread_at_the_top(visit: ColumnVisit) -> Obstacle | None:
    """Return the obstacle of an item that stands above the newest date, bears none itself and was not read."""
    entries = list(entries_of(visit))
    latest = max((entry.date for entry in entries if entry.date), default=None)
    read = {comparable(article.url) for article in visit.articles}
    for entry in entries:
        if latest is None or entry.date == latest:
            return None
        if entry.date is None and comparable(entry.url) not in read and not is_outside(entry.url, visit.pages[0].url):
            observed = f"排在最新日期之前的“{entry.title}”没有标日期，文章也没有采集，可能是新的。"
            return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    return None


def _ascends(visit: ColumnVisit) -> bool:
    """Whether the list goes from old to new and was not read to its end."""
    last = visit.pages[-1].facts
    dates = [item.date for page in visit.pages for item in listed_items(page, "")]
    if (last is not None and last.list.next is None) or len(dates) < 2:
        return False
    return dates[-1] == max(dates) and dates[0] < dates[-1]
