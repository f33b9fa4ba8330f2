"""首页更新: the home page, or the second-level pages of one that only navigates, shows something new in two weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from checks.facts.model import PageKind
from checks.judging.freshness import Age, DatedItem, future_notice, listed_items, newest, parted, published_item
from checks.judging.readability import (
    SHARED_REASONS,
    Obstacle,
    is_gone,
    is_undecided,
    page_obstacle,
    readable_home,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, Finding, Outcome, Page, Scope
from checks.reading.addresses import is_outside
from config.rules import Rules

META = CheckMeta(
    id="home_freshness",
    title="首页更新",
    failure_title="首页长期不更新",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）单项否决“首页不更新”：监测时间点前2周首页栏目无信息更新；首页仅为"
    "栏目导航的看二级页面；稿件未注明发布时间的视为不更新",
    method="取首页各条目的日期，以最新的一个计算距检查日的天数。首页条目都没有日期的，看首页链接到的二级页面。首页和二级页面都看不到"
    "日期的，视为不更新。晚于检查日次日的日期不采信。",
    scope=Scope.SITE,
    reasons={
        "fresh": "首页在期限内有更新",
        "stale": "首页超过期限没有更新",
        "undated": "首页和二级页面的条目都没有日期",
        "future_date": "标有尚未到来的日期",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国办秘函〔2019〕19号“首页不更新”。"


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one verdict on the site's home page, and a notice where dates lie in the future."""
    if bundle.site is None:
        return
    subject = Subject(META.id, bundle.home_address, evidence_of(bundle.home, *bundle.second_level))
    read = readable_home(bundle)
    if isinstance(read, Obstacle):
        yield subject.cannot_tell(read)
    else:
        yield from _judge(subject, read[0], bundle.second_level, bundle.day, rules.checks.home_freshness.days)


def _judge(subject: Subject, home: Page, second_level: tuple[Page, ...], day: date, limit: int) -> Iterator[Finding]:
    """A home page with dates is judged by them; one without by its second level, and by both when it is stale there."""
    own = tuple(listed_items(home, "首页"))
    items, future = parted(own or _second_level_items(second_level), day)
    if future:
        yield future_notice(subject, future, day)
    latest = newest(items)
    age = Age(latest, day, limit) if latest else None
    if age is not None and age.is_fresh:
        yield subject.passed("fresh", age.observed, passage=age.passage, where=age.newest.where)
    elif is_undecided(home):
        yield subject.cannot_tell(script_obstacle("首页"))
    elif not own and (obstacle := _second_level_obstacle(home, second_level)) is not None:
        yield subject.cannot_tell(obstacle)
    elif age is not None:
        wanted = f"首页栏目应当在 {limit} 天内有信息更新。{CLAUSE}"
        yield subject.failed("stale", age.observed, wanted, passage=age.passage, where=age.newest.where)
    else:
        yield _undated(subject, second_level, limit)


def _second_level_items(pages: tuple[Page, ...]) -> Iterator[DatedItem]:
    for page in pages:
        if page_obstacle(page) is not None or page.facts is None:
            continue
        where = f"二级页面“{_title(page)}”"
        yield from listed_items(page, where)
        if page.facts.kind is PageKind.ARTICLE and (item := published_item(page, where)) is not None:
            yield item


def _second_level_obstacle(home: Page, pages: tuple[Page, ...]) -> Obstacle | None:
    """Return why the second level may show something newer all the same, or None.

    A page that does not exist holds nothing; one that was blocked, or not asked for, may hold anything.
    """
    links = home.facts.links if home.facts else ()
    if not pages and any(not is_outside(link.url, home.url) and not link.attachment for link in links):
        return Obstacle(
            Outcome.INCONCLUSIVE, "unread", "首页条目没有日期，而首页链接的二级页面没有采集，不能断定是否更新。"
        )
    for page in pages:
        if is_gone(page):
            continue
        obstacle = page_obstacle(page, f"首页条目没有日期，而二级页面“{_title(page)}”")
        if obstacle is not None:
            return obstacle
        if is_undecided(page):
            return script_obstacle(f"二级页面“{_title(page)}”")
    return None


def _title(page: Page) -> str:
    return page.visit.title or (page.facts.title if page.facts else "") or page.url


def _undated(subject: Subject, second_level: tuple[Page, ...], limit: int) -> Finding:
    return subject.failed(
        "undated",
        f"首页的条目都没有日期，{len(second_level)} 个二级页面上也看不到日期；未注明发布时间的视为不更新。",
        f"首页条目或其链接的页面应当注明发布时间，并在 {limit} 天内有更新。{CLAUSE}",
        where="首页和二级页面",
    )
