"""法定主动公开内容: of the fifteen items of 条例第20条, those that fall to the unit are there and up to date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from checks.facts.labels import compact
from checks.judging.elsewhere import frame_of, own_links, unread_page
from checks.judging.listing import entries_of, names_of, unread_rest
from checks.judging.readability import SHARED_REASONS, Obstacle, is_absent, page_obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, EvidenceRef, Finding, Outcome, Scope
from checks.reading.addresses import comparable
from config.rules import MandatoryContentRule, MandatoryItem, Rules
from config.schema import ColumnType, Unit

META = CheckMeta(
    id="mandatory_content",
    title="法定主动公开内容",
    failure_title="应当主动公开的内容没有公开或没有更新",
    basis="《政府信息公开条例》（国令第711号）第二十条规定的十五项内容；国办公开办函〔2019〕61号：“法定主动公开内容”栏目集中发布；"
    "石栾政办函〔2020〕118号：及时按要求集中发布法定主动公开信息",
    method="哪几项落在哪个单位，按 rules.toml 的表认定，没有把握的不列。对应的栏目有内容，或者各栏目的列表、附件里有"
    "题目符合的条目，即为公开；要求每年更新的，看符合条目的最新日期。有关栏目的列表没有读全的，不说没有。",
    scope=Scope.UNIT,
    reasons={
        "published": "已公开",
        "missing": "没有公开",
        "outdated": "没有及时更新",
        "undated": "看不出何时更新",
        "not_borne": "不由该单位公开的项目",
        "column_not_listed": "巡查清单里没有该栏目",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：《政府信息公开条例》（国令第711号）第二十条"
MIN_TEXT = 60  # characters from which a column that is one page holds something
ORDINALS = ("", *"一二三四五六七八九十", "十一", "十二", "十三", "十四", "十五")


@dataclass(frozen=True, slots=True)
class Published:
    """Something that the unit publishes: its title, the column it is in, its date, and the bytes that show it."""

    title: str
    column: str
    day: date | None
    evidence: tuple[EvidenceRef, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """One item of one unit: the columns where it may be published, and the addresses of all the unit's columns."""

    item: MandatoryItem
    visits: tuple[ColumnVisit, ...]
    columns: frozenset[str]
    excluded: tuple[str, ...]
    frame: frozenset[str]  # what frames every page of the site

    def matches(self, title: str) -> bool:
        """Whether a title names the item's content, and is no order to prepare it."""
        words = compact(title)
        return any(word in words for word in self.item.keywords) and not any(word in words for word in self.excluded)


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding for each item that falls to the unit, and one that names those that do not."""
    if bundle.unit is None:
        return
    rule = rules.checks.mandatory_content
    types = frozenset(visit.column.type for visit in bundle.columns if not is_absent(visit))
    borne = {name: item for name, item in rule.items.items() if item.falls_to(bundle.unit, types)}
    others = [item.title for name, item in rule.items.items() if name not in borne]
    if others:
        observed = f"按 rules.toml 的表，下列法定公开内容不由“{bundle.unit.name}”公开或无法认定：{'、'.join(others)}。"
        yield Subject(META.id, bundle.unit.id).not_applicable("not_borne", observed)
    published = tuple(_published(bundle, rule))
    columns = frozenset(comparable(visit.column.url) for visit in bundle.columns if visit.column.url)
    frame = frame_of(bundle)
    for name, item in borne.items():
        search = Search(item, _places(bundle, item, rule), columns, rule.excluded, frame)
        yield _judge(bundle, bundle.unit, name, search, published)


def _places(bundle: Bundle, item: MandatoryItem, rule: MandatoryContentRule) -> tuple[ColumnVisit, ...]:
    """Return the columns where the item may stand: its own and the gathering one, else all that are searched."""
    own = bundle.columns_of(*item.column_types)
    types = (*item.column_types, *((ColumnType.MANDATORY_CONTENT,) if own else rule.searched))
    return bundle.columns_of(*types)


def _judge(bundle: Bundle, unit: Unit, name: str, search: Search, published: tuple[Published, ...]) -> Finding:
    item = search.item
    matching = [one for one in published if search.matches(one.title)]
    evidence = tuple(dict.fromkeys(ref for one in matching for ref in one.evidence))
    pages = evidence_of(*(visit.pages[0] for visit in search.visits if visit.pages))
    subject = Subject(META.id, unit.id, evidence or pages, item=name)
    own = (visit for visit in search.visits if visit.column.type in item.column_types and not is_absent(visit))
    filled = next((visit for visit in own if _has_content(visit)), None)
    if filled is not None and item.days is None:
        return subject.passed("published", f"{item.title}在“{filled.column.name}”栏目公开。", where=filled.column.name)
    return _judge_age(subject, search, matching, bundle.day) if matching else _judge_missing(subject, search)


# ---------------------------------------------------------------- what is published


def _published(bundle: Bundle, rule: MandatoryContentRule) -> Iterator[Published]:
    """Yield the listed items, sampled articles and linked files of the columns that are searched."""
    for visit in bundle.columns:
        if visit.column.type not in rule.searched:
            continue
        dates = {comparable(page.url): page.facts.published.date for page in visit.articles if page.facts}
        listed = {comparable(entry.url) for entry in entries_of(visit)}
        for entry in entries_of(visit):
            day = entry.date or dates.get(comparable(entry.url))
            yield Published(entry.title, visit.column.name, day, evidence_of(*visit.pages))
        for page in visit.articles:
            if page.facts and page_obstacle(page) is None and comparable(page.url) not in listed:
                title = page.facts.title or page.visit.title
                yield Published(title, visit.column.name, page.facts.published.date, evidence_of(page))
        for page in visit.pages:
            for link in page.facts.links if page.facts else ():
                if link.attachment and comparable(link.url) not in listed:
                    yield Published(link.text, visit.column.name, None, evidence_of(page))


def _has_content(visit: ColumnVisit) -> bool:
    if visit.articles or next(entries_of(visit), None) is not None:
        return True
    facts = [page.facts for page in visit.pages if page.facts and page_obstacle(page) is None]
    return any(
        len(compact(f.body_text)) >= MIN_TEXT or f.tables or any(link.attachment for link in f.links) for f in facts
    )


# ---------------------------------------------------------------- verdicts


def _judge_missing(subject: Subject, search: Search) -> Finding:
    item = search.item
    if not any(visit.column.type is ColumnType.MANDATORY_CONTENT for visit in search.visits):
        observed = f"巡查清单（sites.toml）里该单位没有“法定主动公开内容”栏目，没有检查{item.title}。"
        return subject.finding(Outcome.NOT_TESTED, "column_not_listed", observed)
    if (obstacle := _obstacle(search)) is not None:
        return subject.cannot_tell(obstacle)
    named = names_of(search.visits)
    words = f"，也没有题目含“{'”“'.join(item.keywords[:4])}”等词的条目" if item.keywords else ""
    return subject.failed(
        "missing",
        f"{named}各栏目的列表都读全了，没有{item.title}{words}。",
        f"应当在“法定主动公开内容”栏目公开{item.title}。{_clause(item)}",
        where=named,
    )


def _judge_age(subject: Subject, search: Search, matching: list[Published], day: date) -> Finding:
    item = search.item
    dated = [(one.day, one) for one in matching if one.day is not None and one.day <= day]
    latest, newest = max(dated, key=lambda pair: pair[0], default=(None, matching[0]))
    age = (day - latest).days if latest else None
    if item.days is None or (age is not None and age <= item.days):
        on = f"（{latest:%Y-%m-%d}）" if latest else ""
        seen = f"{item.title}已公开：“{newest.column}”栏目的“{newest.title}”{on}。"
        return subject.passed("published", seen, passage=newest.title)
    if len(dated) < len(matching):
        undated = next(one for one in matching if one not in [pair[1] for pair in dated])
        observed = f"{item.title}有“{undated.title}”，但看不出日期，不能断定是否按年更新。"
        return subject.finding(Outcome.INCONCLUSIVE, "undated", observed)
    if (obstacle := _obstacle(search)) is not None:
        return subject.cannot_tell(obstacle)
    return subject.failed(
        "outdated",
        f"{item.title}最新的是 {latest:%Y-%m-%d} 的“{newest.title}”，距检查日 {age} 天，超过 {item.days} 天没有更新。",
        f"{item.title}应当每年更新。{_clause(item)}",
        passage=newest.title,
        where=f"“{newest.column}”栏目",
    )


def _obstacle(search: Search) -> Obstacle | None:
    """Return why the item may be published all the same in a place that was not read, or None."""
    for visit in search.visits:
        if is_absent(visit):
            continue
        if (obstacle := unread_rest(visit)) is not None:
            return obstacle
        known = search.columns | {comparable(entry.url) for entry in entries_of(visit)}
        for page in visit.pages:
            for link in page.facts.links if page.facts else ():
                if comparable(link.url) not in known and search.matches(link.text):
                    observed = (
                        f"“{visit.column.name}”栏目有“{link.text}”的链接（{link.url}），没有采集，"
                        f"不能断定没有{search.item.title}。"
                    )
                    return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
        part = next(own_links(visit, search.frame), None)
        if part is not None and visit.column.type is ColumnType.MANDATORY_CONTENT:
            return unread_page(part)  # a submenu of its own, whatever its parts are called
    return None


def _clause(item: MandatoryItem) -> str:
    return f"{CLAUSE}第{ORDINALS[item.clause]}项，国办公开办函〔2019〕61号。"
