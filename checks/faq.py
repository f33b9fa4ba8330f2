"""百事通/常见问题: the column holds questions with answers and was updated within a year."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from checks.facts.dates import find_dates_in
from checks.facts.labels import compact
from checks.facts.links import is_attachment
from checks.facts.model import DateMeaning, PageFacts
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere_in_column, elsewhere_on_pages, frame_of
from checks.judging.freshness import Age, DatedItem, listed_items, newest, parted, published_item
from checks.judging.listing import entries_of, lies_outside, unread_rest
from checks.judging.readability import SHARED_REASONS, absence_of, column_obstacle, is_absent
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Scope
from config.rules import FaqRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="faq",
    title="百事通",
    failure_title="百事通（常见问题）没有内容或长期不更新",
    basis="石栾政办函〔2020〕118号“提升政务服务透明度便利度”：公开常见问题，加强“百事通”办事公开模式，汇总编制办事“百事通”，并向社会公开",
    method="看“百事通/常见问题”栏目有没有问答：列表里的问题，或者页面上的问与答、附件里的汇编；再看列表、文章和页面上最新的日期距检查日是否超过"
    "规定的天数。只有站外链接的不适用；有图片、有没读到的部分的，缺了也不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "has_entries": "有问答",
        "no_entries": "没有问答",
        "fresh": "在期限内有更新",
        "stale": "超过期限没有更新",
        "undated": "看不出更新日期",
        "external_only": "栏目只有站外链接",
        **ELSEWHERE_REASONS,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：石栾政办函〔2020〕118号“汇总编制办事‘百事通’，并向社会公开”。"
ENTRIES, UPDATE = "问答", "更新"
QUESTION = re.compile(
    r"^(?:[（(]?[\d一二三四五六七八九十]{1,3}[）)、.．]{1,2}\s?)?[【\[]?(?:问(?:题)?\s?[\d一二三四五六七八九十]{0,3}\s?[:：】\]]|Q\s?\d{0,3}\s?[:：.])|[?？]\s?$"
)
UPDATED = re.compile(r"更新|发布|修订|整理|截至")
LINE = 80  # characters: a longer line is no question and no line of dates
ANSWERED = 6  # characters of the line below a question that make an answer


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a finding about the questions of each column, and one about its newest where there are any."""
    rule, frame = rules.checks.faq, frame_of(bundle)
    for visit in bundle.columns_of(ColumnType.FAQ):
        yield from _judge(visit, rule, bundle.day, frame)


def _judge(visit: ColumnVisit, rule: FaqRule, day: date, frame: frozenset[str]) -> Iterator[Finding]:
    subject = Subject(META.id, visit.target, evidence_of(*visit.everything), visit.column.id, ENTRIES)
    expected = f"请汇总编制群众办事常问的问题和答复，在本栏目公开。{CLAUSE}"
    if is_absent(visit):
        yield subject.failed("no_entries", absence_of(visit), expected, where="单位的全部栏目")
    elif (obstacle := column_obstacle(visit)) is not None:
        yield subject.cannot_tell(obstacle)
    elif lies_outside(visit):
        yield subject.not_applicable("external_only", "栏目里只有链接到其他网站的条目，内容不由本站决定。")
    elif (seen := _entries(visit)) is not None:
        yield subject.passed("has_entries", f"有问答：{seen}。", passage=seen)
        yield _update(replace(subject, item=UPDATE), visit, rule, day, frame)
    elif (doubt := elsewhere_in_column(visit, frame)) is not None:
        yield subject.cannot_tell(doubt)
    else:
        observed = f"“{visit.column.name}”栏目里没有问题和答复。"
        yield subject.failed("no_entries", observed, expected, where="栏目的列表、正文和附件")


# ---------------------------------------------------------------- questions and answers


def _entries(visit: ColumnVisit) -> str | None:
    """Return in Chinese what questions there are: listed, on a page with their answers, or in a file."""
    listed = [entry.title for entry in entries_of(visit) if not is_attachment(entry.url, entry.title)]
    if listed:
        return f"列表有 {len(listed)} 条，如“{listed[0]}”"
    for page in (*visit.pages, *visit.articles):
        questions = _questions(page.facts) if page.facts else []
        if questions:
            return f"页面上有 {len(questions)} 个问题，如“{questions[0]}”"
    for file in visit.attachments:
        if file.attachment is not None and len(file.attachment.text) >= ANSWERED:
            return f"附件“{file.visit.title or file.attachment.name}”"
    return None


def _questions(facts: PageFacts) -> list[str]:
    """The questions of a page that something is said below, and the first cells of a table of questions."""
    lines = facts.body_text.splitlines()
    asked = [
        line
        for number, line in enumerate(lines[:-1])
        if len(line) <= LINE and QUESTION.search(line) and len(lines[number + 1]) >= ANSWERED
    ]
    heads = ((table, {compact(cell) for cell in table.rows[0]}) for table in facts.tables if table.rows)
    tabled = [row[0] for table, head in heads if head & {"问题", "常见问题", "问"} for row in table.rows[1:]]
    return asked or tabled


# ---------------------------------------------------------------- the newest


def _update(subject: Subject, visit: ColumnVisit, rule: FaqRule, day: date, frame: frozenset[str]) -> Finding:
    items, _ = parted(_dated(visit, day), day)
    latest = newest(items)
    age = Age(latest, day, rule.days) if latest else None
    if age is not None and age.is_fresh:
        return subject.passed("fresh", age.observed, passage=age.passage, where=age.newest.where)
    if (doubt := unread_rest(visit) or elsewhere_on_pages(visit, frame)) is not None:
        return subject.cannot_tell(doubt)
    expected = f"一年内应当有更新；内容没有变化的，也请核对后标明更新日期。{CLAUSE}"
    if age is None:
        return subject.finding(Outcome.INCONCLUSIVE, "undated", "列表、文章和页面上都没有可以辨认的日期。", expected)
    return subject.failed("stale", age.observed, expected, passage=age.passage, where=age.newest.where)


def _dated(visit: ColumnVisit, day: date) -> Iterator[DatedItem]:
    """Yield every date that tells when something was published or updated."""
    for page in visit.pages:
        yield from listed_items(page, "列表")
    for page in (*visit.pages, *visit.articles):
        if (item := published_item(page, "页面")) is not None:
            yield item
        if page.facts is not None:
            yield from _of_page(page.facts, day)


def _of_page(facts: PageFacts, day: date) -> Iterator[DatedItem]:
    for candidate in facts.published.candidates:
        if candidate.meaning is DateMeaning.UPDATED:
            yield DatedItem(candidate.date, facts.title, "页面", candidate.text)
    for line in facts.body_text.splitlines():
        if len(line) <= LINE and UPDATED.search(line):
            for found in find_dates_in(line, day):
                yield DatedItem(found.date, facts.title, "页面", line)
