"""空白栏目: a column that is offered holds something: items, a text, an attachment, or at least ways elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.facts.model import Link, PageFacts
from checks.judging.elsewhere import MOVES, shared_links
from checks.judging.readability import (
    ABSENT,
    SHARED_REASONS,
    absence_of,
    column_obstacle,
    is_absent,
    is_undecided,
    script_obstacle,
    unread_part,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Scope
from checks.reading.addresses import comparable, is_outside, leads_outside_only
from config.rules import Rules
from config.schema import ColumnType

META = CheckMeta(
    id="empty_columns",
    title="空白栏目",
    failure_title="栏目空白",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）单项否决“栏目不更新”中的“空白栏目”；《政府网站发展指引》"
    "（国办发〔2017〕47号）",
    method="看栏目页有没有条目、正文、表格或附件；指南、职能、年报等单页栏目看正文。只有站外链接的不算空白；内容由脚本生成而没能渲染的、"
    "没能打开的，不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "has_content": "栏目有内容",
        "external_content": "栏目内容在站外",
        "empty": "栏目空白",
        **ABSENT,
        **SHARED_REASONS,
    },
)

SINGLE_PAGE_TYPES = frozenset(
    {
        ColumnType.DISCLOSURE_GUIDE,
        ColumnType.APPLICATION,
        ColumnType.ANNUAL_REPORT,
        ColumnType.AGENCY_FUNCTIONS,
        ColumnType.POWER_LIST,
        ColumnType.CONSULTATION,
        ColumnType.STANDARD_CATALOG,
    }
)
SINGLE_PAGE_TEXT = 20  # characters that make a text of a column which is one page
LIST_PAGE_TEXT = 60  # a list page may say a little about itself and still be empty
PLACEHOLDER = re.compile(
    r"暂无|暂时没有|没有(?:找到|查询到|相关|符合)|未(?:找到|查询到)|建设中|更新中|整理中|敬请期待|共\s{0,3}0\s{0,3}(?:条|页|篇)|暂未"
)
FURNITURE = re.compile(r"^(?:今天(?:是|日期)|您?(?:现在|当前)?(?:所在|的)?(?:当前)?位置|当前位置|首页\s{0,3}[>›»])")
WORDS = re.compile(r"[\w]")


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one verdict a column."""
    shared = shared_links(bundle)
    for visit in bundle.columns:
        yield _judge(visit, shared)


def _judge(visit: ColumnVisit, shared: frozenset[str]) -> Finding:
    subject = Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id)
    name = visit.column.name
    if is_absent(visit):
        return subject.not_applicable("absent", absence_of(visit))
    if (obstacle := column_obstacle(visit)) is not None:
        return subject.cannot_tell(obstacle)
    pages = [page.facts for page in visit.pages if page.facts is not None]
    inside = _content(visit, pages)
    if inside:
        return subject.passed("has_content", f"“{name}”栏目有内容：{inside}。")
    outside = _outside_content(visit, pages, shared)
    if outside:
        return subject.passed("external_content", f"“{name}”栏目的内容在其他网站：{outside}。", passage=outside)
    own = _own_links(visit, pages, shared) if shared else ()
    if own:
        return subject.passed(
            "has_content", f"“{name}”栏目有 {len(own)} 条自己的链接，如“{own[0].text}”。", passage=own[0].text
        )
    if any(is_undecided(page) for page in visit.pages):
        return subject.cannot_tell(script_obstacle("栏目"))
    if (unread := unread_part(visit)) is not None:
        return subject.cannot_tell(unread)
    return _empty(subject, name, pages)


def _empty(subject: Subject, name: str, pages: list[PageFacts]) -> Finding:
    shown = " ".join(pages[0].body_text.split())[:100] if pages else ""
    seen = f"，正文区只有“{shown}”" if shown else "，正文区没有文字"
    return subject.failed(
        "empty",
        f"“{name}”栏目能打开，但没有条目、正文、表格或附件{seen}。",
        "开设的栏目应当有内容；没有内容保障的栏目应当调整、归并或撤下。依据：国办秘函〔2019〕19号“空白栏目”，国办发〔2017〕47号。",
        passage=shown,
        where="栏目页正文区",
    )


# ---------------------------------------------------------------- content


def _content(visit: ColumnVisit, pages: list[PageFacts]) -> str:
    """Return in Chinese what the column itself holds, or an empty string."""
    home = visit.pages[0].url
    inside = [entry for facts in pages for entry in facts.list.entries if not is_outside(entry.url, home)]
    if inside:
        return f"列表有 {len(inside)} 个条目，如“{inside[0].title}”"
    if visit.articles and not all(leads_outside_only(facts, home) for facts in pages):
        return f"有 {len(visit.articles)} 篇文章"
    if visit.attachments:
        return f"有 {len(visit.attachments)} 个附件"
    if any(len(table.rows) > 1 for facts in pages for table in facts.tables):
        return "有表格"
    length = max((_text_length(facts.body_text) for facts in pages), default=0)
    needed = SINGLE_PAGE_TEXT if visit.column.type in SINGLE_PAGE_TYPES else LIST_PAGE_TEXT
    return f"正文 {length} 字" if length >= needed else ""


def _text_length(text: str) -> int:
    """Return the count of letters and characters in the lines that say something."""
    lines = (line.strip() for line in text.splitlines())
    return sum(len(WORDS.findall(line)) for line in lines if not FURNITURE.match(line) and not PLACEHOLDER.search(line))


def _outside_content(visit: ColumnVisit, pages: list[PageFacts], shared: frozenset[str]) -> str:
    """Return the text or address of the ways that lead to another site, or an empty string."""
    home = visit.pages[0].url
    leads = [entry.title or entry.url for facts in pages for entry in facts.list.entries if is_outside(entry.url, home)]
    leads += [frame for facts in pages for frame in facts.frames if is_outside(frame, home)]
    links = _own_links(visit, pages, shared) if shared else _links_in_text(pages)
    leads += [link.text for link in links if is_outside(link.url, home)]
    return "、".join(leads[:3])


# ---------------------------------------------------------------- links of the column's own


def _links_in_text(pages: list[PageFacts]) -> tuple[Link, ...]:
    """Return the links outside header, menus and footer: all that can be told of a page that is seen alone."""
    lines = {line for facts in pages for line in facts.body_text.splitlines()}
    return tuple(link for facts in pages for link in facts.links if len(link.text) >= 4 and link.text in lines)


def _own_links(visit: ColumnVisit, pages: list[PageFacts], shared: frozenset[str]) -> tuple[Link, ...]:
    """Return the links that only this column has: content, even where no list could be made out."""
    own = {comparable(page.url) for page in visit.pages}
    return tuple(
        link
        for facts in pages
        for link in facts.links
        if comparable(link.url) not in shared | own
        and len(link.text.strip()) >= 4
        and not MOVES.fullmatch(link.text.strip())
    )
