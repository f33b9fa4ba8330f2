"""公开指南: the guide states what 条例第12条 asks of it, and does not rest on the former regulations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from checks.facts.labels import compact
from checks.facts.model import Link
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere, frame_of
from checks.judging.listing import lies_outside, unread_entries, unread_rest
from checks.judging.readability import (
    ABSENT,
    SHARED_REASONS,
    Obstacle,
    absence_of,
    column_obstacle,
    is_absent,
    page_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from checks.reading.addresses import comparable
from checks.reading.elements import Statement, stated_in
from config.rules import DisclosureGuideRule, GuideElement, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="disclosure_guide",
    title="公开指南",
    failure_title="政府信息公开指南缺要素或未更新",
    basis="《政府信息公开条例》（国令第711号）第十二条第二款：政府信息公开指南包括政府信息的分类、编排体系、获取方式和政府信息公开工作机构的"
    "名称、办公地址、办公时间、联系电话、传真号码、互联网联系方式等内容，并及时更新",
    method="在指南的栏目页、文章和附件里逐项找九个要素：表格、定义列表、“标签：值”各种写法都认，也认正文里的叙述；只有标签没有内容的算缺。"
    "只有指南自己写着依据已经废止的条例（国务院令第492号）才判为未更新。附件读不了、正文是图片的，不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "stated": "已写明",
        "missing": "没有写明",
        "blank": "只有标签没有内容",
        "current": "没有过时的依据",
        "outdated": "依据的是已废止的条例",
        "not_published": "栏目里没有指南",
        "external_only": "指南在其他网站",
        **ABSENT,
        **ELSEWHERE_REASONS,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：《政府信息公开条例》（国令第711号）第十二条。"
CURRENT = "current"  # the item that asks whether the guide is up to date
SENTENCE = 8  # characters from which a line says something
APPENDED = re.compile(r"申请表|申请书|流程图|登记表")  # files that go with a guide and hold no part of it


@dataclass(frozen=True, slots=True)
class Guide:
    """What was read of a unit's guide: its pages, its files, and what they say."""

    pages: tuple[Page, ...]
    files: tuple[Page, ...]
    statements: dict[str, Statement]
    lines: tuple[str, ...]


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding an element of each guide (item), or one for a column without a guide."""
    visits = bundle.columns_of(ColumnType.DISCLOSURE_GUIDE)
    frame = frame_of(bundle) if visits else frozenset[str]()
    for visit in visits:
        yield from _judge(visit, rules.checks.disclosure_guide, frame)


def _judge(visit: ColumnVisit, rule: DisclosureGuideRule, frame: frozenset[str]) -> Iterator[Finding]:
    subject = Subject(META.id, visit.target, evidence_of(*visit.pages, *visit.articles), visit.column.id)
    if is_absent(visit):
        yield _not_published(subject, "absent", absence_of(visit))
        return
    if (obstacle := column_obstacle(visit)) is not None:
        yield subject.cannot_tell(obstacle)
        return
    if lies_outside(visit):
        yield subject.not_applicable("external_only", "栏目里只有链接到其他网站的条目，指南不在本站。")
        return
    guide = _guide(visit, rule)
    obstacle = _obstacle(visit, guide, frame)
    length = sum(len(compact(line)) for line in guide.lines)
    if length < rule.min_text:
        observed = f"“{visit.column.name}”栏目能打开，但正文只有 {length} 字，没有指南的内容。"
        yield subject.cannot_tell(obstacle) if obstacle else _not_published(subject, "not_published", observed)
        return
    for name, element in rule.elements.items():
        yield _judge_element(replace(subject, item=name), guide, name, element, obstacle)
    yield _judge_basis(replace(subject, item=CURRENT), guide, rule)


def _not_published(subject: Subject, reason: str, observed: str) -> Finding:
    wanted = f"每个行政机关都应当编制并公布政府信息公开指南。{CLAUSE}"
    return subject.failed(reason, observed, wanted, where="“政府信息公开指南”栏目")


# ---------------------------------------------------------------- reading the guide


def _guide(visit: ColumnVisit, rule: DisclosureGuideRule) -> Guide:
    read = [page for page in visit.articles if page.facts and page_obstacle(page) is None]
    articles = [page for page in read if page.facts and "指南" in page.facts.title] or read
    pages = tuple(page for page in (*visit.pages, *articles) if page.facts and page_obstacle(page) is None)
    files = tuple(file for file in visit.attachments if file.attachment is not None)
    labels = {name: element.labels for name, element in rule.elements.items()}
    statements = stated_in((*(page.facts for page in pages), *(file.attachment for file in files)), labels)
    texts = [page.facts.body_text for page in pages if page.facts]
    texts += [file.attachment.text for file in files if file.attachment]
    return Guide(pages, files, statements, tuple(line for text in texts for line in text.splitlines()))


def _obstacle(visit: ColumnVisit, guide: Guide, frame: frozenset[str]) -> Obstacle | None:
    """Return why what the guide lacks may stand in a place that was not read, or None."""
    for page in visit.articles:
        if (obstacle := page_obstacle(page, f"“{page.visit.title or page.url}”")) is not None:
            return obstacle
    for page in guide.pages:
        if (obstacle := elsewhere(_without_forms(page), _relevant(visit.attachments), frame)) is not None:
            return obstacle
    unread = next((entry for entry in unread_entries(visit) if "指南" in entry.title), None)
    if unread is not None:
        observed = f"列表中的“{unread.title}”没有采集，不能断定指南缺少什么。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    if (link := _other_guide(guide, frame)) is not None:
        return Obstacle(Outcome.INCONCLUSIVE, "unread", f"指南页上的“{link.text}”指向另一页，那一页没有采集。")
    return None if visit.articles or guide.lines else unread_rest(visit)


def _other_guide(guide: Guide, frame: frozenset[str]) -> Link | None:
    """Return a link of the guide's own that leads to another guide, such as that of the whole district, or None."""
    read = {comparable(page.url) for page in guide.pages} | frame
    links = (link for page in guide.pages for link in (page.facts.links if page.facts else ()))
    return next((link for link in links if "公开指南" in link.text and comparable(link.url) not in read), None)


def _without_forms(page: Page) -> Page:
    """The page without its links to forms: they are no part of the guide."""
    if page.facts is None:
        return page
    links = tuple(link for link in page.facts.links if not (link.attachment and APPENDED.search(link.text)))
    return replace(page, facts=replace(page.facts, links=links))


def _relevant(files: Iterable[Page]) -> tuple[Page, ...]:
    return tuple(file for file in files if not APPENDED.search(file.visit.title))


# ---------------------------------------------------------------- judging


def _judge_element(
    subject: Subject, guide: Guide, name: str, element: GuideElement, obstacle: Obstacle | None
) -> Finding:
    statement = guide.statements.get(name)
    says_none = statement is not None and compact(statement.value) == "无" and not element.may_be_none
    if statement is not None and not statement.is_blank and not says_none:
        return subject.passed(
            "stated",
            f"写明了{element.title}：{statement.passage.rstrip('。；')}。",
            passage=statement.passage,
            where=statement.where,
        )
    told = next((line for line in guide.lines if _tells(line, element)), None)
    if told is not None:
        return subject.passed("stated", f"正文里说明了{element.title}。", passage=told, where="正文")
    if obstacle is not None:
        return subject.cannot_tell(obstacle)
    wanted = f"指南应当写明{element.title}，写在“{element.labels[0]}”之后。{CLAUSE}"
    if statement is not None:
        seen = f"写的是“{statement.value}”" if statement.value else "后面是空白"
        return subject.failed(
            "blank",
            f"指南里有“{statement.label}”，但{seen}。",
            wanted,
            passage=statement.passage,
            where=statement.where,
        )
    return subject.failed("missing", f"指南里没有写明{element.title}。", wanted, where="指南全文")


def _tells(line: str, element: GuideElement) -> bool:
    """Whether a line of running text speaks of the element; a heading alone does not."""
    words = compact(line)
    return len(words) >= SENTENCE and any(word in words for word in element.words) and not _is_heading(words)


def _is_heading(words: str) -> bool:
    return len(words) <= 2 * SENTENCE and not re.search(r"[，。；：:@\d]", words)


def _judge_basis(subject: Subject, guide: Guide, rule: DisclosureGuideRule) -> Finding:
    words = compact("".join(guide.lines))
    line = next((line for line in guide.lines if any(old in compact(line) for old in rule.outdated)), None)
    if line is None or any(new in words for new in rule.renewed):
        return subject.passed("current", "指南里没有写着依据已废止的条例。", where="指南全文")
    return subject.failed(
        "outdated",
        f"指南写的依据是已经废止的旧条例（原文：{line.strip()[:120]}），2019年5月15日新条例施行后没有更新。",
        f"指南应当及时更新，改为依据2019年修订的《政府信息公开条例》（国令第711号）。{CLAUSE}",
        passage=line.strip(),
        where="指南正文",
    )
