"""未注明发布时间: every news item, notice and document shows its readers when it was published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from checks.facts.dates import find_dates_in
from checks.facts.model import DateCandidate, DateMeaning, DateSource, PageFacts
from checks.judging.listing import entries_of
from checks.judging.publications import articles_of
from checks.judging.readability import SHARED_REASONS, is_undecided, page_obstacle, script_obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from checks.reading.addresses import is_outside
from config.rules import Rules

META = CheckMeta(
    id="undated_articles",
    title="未注明发布时间",
    failure_title="文章没有注明发布时间",
    basis="国办秘函〔2019〕19号：稿件发布页未注明发布时间的，视为不更新；《政府网站发展指引》（国办发〔2017〕47号）网页标签规范：发布时间"
    "是内容页必有的一项；石栾政办函〔2020〕118号 5.2",
    method="逐篇看抽到的动态、公告、文件：标题下方、信息标签表或文末要让读者看得到发布时间（标“更新时间”“生成时间”也算）。只写在网页标签"
    "或网址里、读者看不到的不算。指南、名录等长期有效的页面不适用；由脚本写上时间而没能渲染的，不下结论。",
    scope=Scope.PAGE,
    reasons={
        "dated": "已注明发布时间",
        "dated_otherwise": "注明的是更新或生成时间",
        "undated": "没有注明发布时间",
        "unclear": "页面上有日期，但不能断定是不是发布时间",
        "not_dated_material": "不要求注明发布时间的页面",
        "other_site": "别的网站上的页面",
        **SHARED_REASONS,
    },
)

EXPECTED = (
    "请在标题下方注明发布时间（年、月、日），与栏目列表里的日期一致；模板里没有这一项的，请改模板。"
    "依据：国办秘函〔2019〕19号（稿件发布页未注明发布时间的视为不更新）、《政府网站发展指引》（国办发〔2017〕47号）。"
)
WITHOUT_YEAR = 24  # characters
SHOWN = (DateSource.LABEL, DateSource.TABLE, DateSource.TEXT)
OTHERWISE = {DateMeaning.UPDATED: "更新时间", DateMeaning.GENERATED: "生成时间"}
LINE = 60  # characters: in longer lines dates are prose


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding for each sampled article."""
    types = rules.checks.undated_articles.column_types
    visits = {visit.column.id: visit for visit in bundle.columns}
    for article in articles_of(bundle):
        visit = visits[article.column_id]
        subject = Subject(META.id, article.page.url, evidence_of(article.page), article.column_id)
        if visit.column.type not in types:
            yield subject.not_applicable("not_dated_material", f"“{visit.column.name}”栏目的内容不按发布时间排列。")
        elif is_outside(article.page.url, visit.target):
            yield subject.not_applicable("other_site", "这一篇在别的网站上，不由本单位发布。")
        else:
            yield _judge(subject, article.page, _listed_on(visit, article.page))


def _judge(subject: Subject, page: Page, listed: date | None) -> Finding:
    obstacle = page_obstacle(page)
    if obstacle is not None or page.facts is None:
        return subject.cannot_tell(obstacle or script_obstacle())
    facts = page.facts
    if facts.published.date is not None and facts.published.source in SHOWN:
        seen = _said(facts, facts.published.date)
        return subject.passed("dated", f"页面注明发布时间 {facts.published.date:%Y-%m-%d}。", passage=seen)
    other = next((c for c in facts.published.candidates if c.meaning in OTHERWISE and c.source in SHOWN), None)
    if other is not None:
        observed = f"页面注明的是{OTHERWISE[other.meaning]} {other.date:%Y-%m-%d}。"
        return subject.passed("dated_otherwise", observed, passage=other.text)
    return _judge_undated(subject, page, facts, listed)


def _judge_undated(subject: Subject, page: Page, facts: PageFacts, listed: date | None) -> Finding:
    if is_undecided(page):
        return subject.cannot_tell(script_obstacle())
    hidden = tuple(c for c in facts.published.candidates if c.source not in SHOWN)
    day = _shown_somewhere(facts, {c.date for c in hidden} | ({listed} if listed else set()))
    if day is not None:
        observed = f"页面上有 {day:%Y-%m-%d} ，与列表或网页标签里的日期相同，但没有写明是不是发布时间，不能断定。"
        return subject.finding(Outcome.INCONCLUSIVE, "unclear", observed)
    observed = f"打开这一页看不到发布时间：标题下方、信息标签表和文末都没有{_known(hidden, listed)}。"
    return subject.failed("undated", observed, EXPECTED, passage=facts.title, where="标题下方")


def _said(facts: PageFacts, day: date) -> str:
    return next((c.text for c in facts.published.candidates if c.date == day and c.source in SHOWN), "")


def _shown_somewhere(facts: PageFacts, days: set[date]) -> date | None:
    """Return the day, of those that the list, the tags and the address name, that a short line shows too."""
    if not days:
        return None
    lines = (line for line in facts.text.splitlines() if len(line) <= LINE)
    found = (each.date for line in lines for each in find_dates_in(line, max(days)))
    named = next((day for day in found if day in days), None)
    return named or next((day for day in sorted(days) if _shows_without_year(facts, day)), None)


def _shows_without_year(facts: PageFacts, day: date) -> bool:
    """Whether a line that is hardly more than a day, as below titles, shows it without its year: 11-20 08:30."""
    written = re.compile(rf"(?<!\d)0?{day.month}\s?[-/.月]\s?0?{day.day}(?!\d)")
    return any(len(line) <= WITHOUT_YEAR and written.search(line) for line in facts.body_text.splitlines())


def _known(hidden: tuple[DateCandidate, ...], listed: date | None) -> str:
    """Where else the date stands, for the editor to copy it from."""
    if listed is not None:
        return f"（栏目列表里写的是 {listed:%Y-%m-%d}）"
    return f"（只在网页标签或网址里有 {hidden[0].date:%Y-%m-%d}，读者看不到）" if hidden else ""


def _listed_on(visit: ColumnVisit, page: Page) -> date | None:
    """Return the date beside the article in its column's list."""
    if page.visit.listed_date is not None:
        return page.visit.listed_date
    return next((entry.date for entry in entries_of(visit) if entry.url == page.url), None)
