"""政府信息公开制度: the column of regulations on open government exists, holds documents, and they open."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.labels import compact
from checks.facts.model import PageFacts
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere_in_column, frame_of
from checks.judging.listing import entries_of
from checks.judging.readability import (
    ABSENT,
    SHARED_REASONS,
    Obstacle,
    absence_of,
    column_obstacle,
    is_absent,
    is_gone,
    is_undecided,
    page_obstacle,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from checks.reading.addresses import leads_outside_only
from config.rules import InstitutionsRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="institutions",
    title="政府信息公开制度",
    failure_title="政府信息公开制度未公开或打不开",
    basis="国办公开办函〔2019〕61号：政府信息公开专栏设置“政府信息公开制度”；石栾政办函〔2020〕118号“加强政府信息规范管理”：系统梳理"
    "本机关制发的文件，形成制度汇编并集中统一对外公开",
    method="看“政府信息公开制度”栏目有没有制度文件（列表条目、附件或整页的制度正文），抽到的文件是否打得开。超时、被拦截的不算打不开；"
    "内容在站外的、由脚本生成而没能渲染的、可能在图片或下级页面里的，不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "published": "制度已公开且打得开",
        "no_documents": "栏目里没有制度文件",
        "not_opening": "制度文件打不开",
        "external_only": "栏目只有站外链接",
        **ELSEWHERE_REASONS,
        **ABSENT,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国办公开办函〔2019〕61号、石栾政办函〔2020〕118号“加强政府信息规范管理”。"
LISTED = 5  # documents named in a finding


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one verdict for each column of the type."""
    visits = bundle.columns_of(ColumnType.INSTITUTION)
    frame = frame_of(bundle) if visits else frozenset[str]()
    for visit in visits:
        yield _judge(visit, rules.checks.institutions, frame)


def _judge(visit: ColumnVisit, rule: InstitutionsRule, frame: frozenset[str]) -> Finding:
    subject = Subject(META.id, visit.target, evidence_of(*visit.pages, *visit.articles), visit.column.id)
    if is_absent(visit):
        expected = f"应当设置“政府信息公开制度”栏目并公开制度文件。{CLAUSE}"
        return subject.failed("absent", absence_of(visit), expected, where="栏目")
    if (obstacle := column_obstacle(visit)) is not None:
        return subject.cannot_tell(obstacle)
    if dead := tuple(page for page in _documents(visit) if is_gone(page)):
        return _not_opening(subject, visit, dead)
    if any(page.facts and leads_outside_only(page.facts, visit.pages[0].url) for page in visit.pages):
        return subject.not_applicable("external_only", "栏目里只有链接到其他网站的条目，打开与否不由本站决定。")
    if obstacle := _obstacle(visit):
        return subject.cannot_tell(obstacle)
    return _judge_content(subject, visit, rule, frame)


def _judge_content(subject: Subject, visit: ColumnVisit, rule: InstitutionsRule, frame: frozenset[str]) -> Finding:
    held = _held(visit, rule)
    if held:
        count = len(_documents(visit))
        opened = f"抽到的 {count} 篇都打得开" if count else "制度就在栏目页上"
        return subject.passed("published", f"“{visit.column.name}”有{held}，{opened}。", passage=held)
    if (doubt := elsewhere_in_column(visit, frame)) is not None:
        return subject.cannot_tell(doubt)
    return subject.failed(
        "no_documents",
        f"“{visit.column.name}”栏目能打开，但里面没有制度文件：没有列表条目、附件，正文也不足 {rule.min_text} 字。",
        f"应当在该栏目公开本单位的政府信息公开制度文件。{CLAUSE}",
        where="栏目页正文区",
    )


def _held(visit: ColumnVisit, rule: InstitutionsRule) -> str:
    """Return in Chinese what the column holds, or an empty string."""
    entries = list(entries_of(visit))
    if entries:
        return f" {len(entries)} 个条目，如“{entries[0].title}”"
    pages = [page.facts for page in visit.pages if page.facts]
    files = [link.text or link.url for facts in pages for link in facts.links if link.attachment]
    if files:
        return f" {len(files)} 个附件，如“{files[0]}”"
    length = max((_text_length(facts) for facts in pages), default=0)
    return f"制度正文 {length} 字" if length >= rule.min_text else ""


def _text_length(facts: PageFacts) -> int:
    return len(compact(facts.body_text))


# ---------------------------------------------------------------- documents that do not open


def _documents(visit: ColumnVisit) -> tuple[Page, ...]:
    """Return the sampled articles, and the files that the list pages lead to straight."""
    own = {None, *(page.url for page in visit.pages)}
    return (*visit.articles, *(file for file in visit.attachments if file.visit.parent in own))


def _not_opening(subject: Subject, visit: ColumnVisit, dead: tuple[Page, ...]) -> Finding:
    named = "；".join(f"“{page.visit.title or page.url}”（{page.url}）" for page in dead[:LISTED])
    more = f"；等共 {len(dead)} 篇" if len(dead) > LISTED else ""
    return subject.failed(
        "not_opening",
        f"列表里的制度文件打不开，网站返回“页面不存在”：{named}{more}。",
        f"列表中的每一件制度文件都应当能打开，请恢复页面或者改正链接。{CLAUSE}",
        passage=dead[0].visit.title,
        where=f"“{visit.column.name}”列表",
    )


def _obstacle(visit: ColumnVisit) -> Obstacle | None:
    """Return why a sampled document could not be seen, or None when all of them were."""
    for page in _documents(visit):
        what = f"制度文件“{page.visit.title or page.url}”"
        if page.attachment is None and (obstacle := page_obstacle(page, what)) is not None:
            return obstacle
    entries = list(entries_of(visit))
    if entries and not _documents(visit):
        observed = f"列表有 {len(entries)} 个条目，一篇也没有采集，不知道是否打得开。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    if not entries and any(map(is_undecided, visit.pages)):
        return script_obstacle("栏目")
    return None
