"""办事指南: every guide states the eight elements of 19号, and the forms it offers can be downloaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from checks.facts.model import Link, PageKind
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere, frame_of, unread_page
from checks.judging.listing import entries_of, nothing_to_judge
from checks.judging.readability import (
    ABSENT,
    SHARED_REASONS,
    Obstacle,
    attachment_name,
    attachment_obstacle,
    column_obstacle,
    is_gone,
    name_and_address,
    page_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, PageRole, Scope
from checks.reading.addresses import comparable, is_outside
from checks.reading.elements import Statement, leading_to, stated, stated_in
from config.rules import Rules, ServiceGuidesRule
from config.schema import ColumnType

META = CheckMeta(
    id="service_guides",
    title="办事指南",
    failure_title="办事指南要素不全或表格下载不了",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）：办事指南应当有事项名称、设定依据、申请条件、办理材料、办理地点、"
    "办理时间、联系电话、办理流程，缺4项以上的达到5个即单项否决；《政府信息公开条例》（国令第711号）第二十条第五项；"
    "石栾政办函〔2020〕118号“提升政务服务透明度便利度”",
    method="逐篇看抽到的办事指南，在表格、标签、小标题和附件里找八个要素，各要素认可的写法见 rules.toml；标题写明是什么"
    "事的，算有事项名称。指南带的表格须能下载。只链接到站外办事平台的栏目不适用；有图片、有读不了的附件的，缺了也不下结论。",
    scope=Scope.PAGE,
    reasons={
        "complete": "要素齐全",
        "incomplete": "办事指南要素不全",
        "seriously_incomplete": "办事指南要素缺失严重",
        "form_available": "表格可以下载",
        "form_missing": "表格下载不了",
        "not_guide": "不是办事指南",
        "external_only": "栏目只有站外链接",
        "empty": "栏目里没有指南（另由“空白栏目”评判）",
        **ELSEWHERE_REASONS,
        **ABSENT,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国办秘函〔2019〕19号“办事服务”，《政府信息公开条例》第二十条第五项。"
NAME = "事项名称"
TITLE = "标题"  # where a name stands that no label gives
FOLDED = 3  # labels without a word between them, from which they may be heads of tabs
GUIDE_WORDS = re.compile(r"办事|服务|办理|申请|指南|须知|流程|一次性告知|事项|栏目|单|[\s（）()【】]")
OTHER_TITLES = re.compile(r"(?:通知|公告|公示|通报|通告|意见|决定)(?:[（(].{0,20})?$")
OTHER_SITE_TEXT = 150  # characters of a text that only sends the visitor to another site


@dataclass(frozen=True, slots=True)
class _Guide:
    page: Page  # an article, a listed file, or the column's page
    attachments: tuple[Page, ...]
    visit: ColumnVisit

    @property
    def title(self) -> str:
        """Its title, or what the list calls the file."""
        return self.page.facts.title if self.page.facts else attachment_name(self.page)


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a finding a guide, one more where it offers forms, and one for each column without guides to judge."""
    rule, frame, seen = rules.checks.service_guides, frame_of(bundle), set[str]()
    for visit in bundle.columns_of(ColumnType.SERVICE_GUIDE):
        guides = tuple(_guides(visit, rule))
        if not guides:
            whole = Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id)
            yield nothing_to_judge(whole, visit, "办事指南")
        for guide in guides:
            if guide.page.url not in seen:
                seen.add(guide.page.url)
                yield _judge(guide, rule, frame)
                yield from _forms(guide)


def _guides(visit: ColumnVisit, rule: ServiceGuidesRule) -> Iterator[_Guide]:
    """Yield the sampled articles and listed files, or the column's page when it is itself a guide."""
    for page in visit.articles:
        yield _Guide(page, visit.attachments_of(page), visit)
    for file in visit.attachments:
        if file.visit.parent is None:
            yield _Guide(file, (), visit)
    if visit.articles or any(entries_of(visit)) or column_obstacle(visit) is not None:
        return
    page = visit.pages[0]
    if page.facts and (page.facts.kind is PageKind.SERVICE_GUIDE or len(stated(page.facts, rule.elements)) > 1):
        yield _Guide(page, visit.attachments_of(page), visit)


# ---------------------------------------------------------------- elements


def _judge(guide: _Guide, rule: ServiceGuidesRule, frame: frozenset[str]) -> Finding:
    page = guide.page
    subject = Subject(META.id, page.url, evidence_of(page, *guide.attachments), guide.visit.column.id, item="elements")
    if (obstacle := _obstacle(page)) is not None:
        return subject.cannot_tell(obstacle)
    if (page.facts and page.facts.form.is_official) or OTHER_TITLES.search(guide.title):
        return subject.not_applicable("not_guide", f"“{guide.title}”是公文或通知，不是办事指南。")
    said = _said(guide, rule)
    missing = [element for element in rule.elements if element not in said or said[element].is_blank]
    if not missing:
        return subject.passed("complete", f"{'、'.join(rule.elements)}都写明了。", passage=_passage(said))
    if (doubt := elsewhere(page, guide.attachments, frame)) is not None:
        return subject.cannot_tell(doubt)
    wanted = {element: rule.elements[element] for element in missing}
    if (link := leading_to(_own_links(guide), wanted)) is not None:
        return subject.cannot_tell(unread_page(link))
    if _is_folded(said):
        observed = "各要素只看到标签，内容可能收在点开才看得到的选项卡里，不能断定是空白。"
        return subject.cannot_tell(Obstacle(Outcome.INCONCLUSIVE, "unread", observed))
    if _leads_elsewhere(guide):
        return subject.not_applicable("external_only", "页面只有到其他网站办事平台的链接，指南的内容不由本站决定。")
    reason = "seriously_incomplete" if len(missing) >= rule.serious else "incomplete"
    return subject.failed(reason, _observed(guide, rule, missing, said), _expected(missing), where="办事指南正文")


def _is_folded(said: dict[str, Statement]) -> bool:
    """Whether several labels stand there and none of them says anything: the heads of tabs, most likely."""
    labelled = [statement for statement in said.values() if statement.where != TITLE]
    return len(labelled) >= FOLDED and all(statement.is_blank for statement in labelled)


def _obstacle(page: Page) -> Obstacle | None:
    """Return why the guide, a page or a listed file, could not be read, or None."""
    if page.visit.role is not PageRole.ATTACHMENT:
        return page_obstacle(page, "办事指南")
    return attachment_obstacle(page, f"办事指南“{attachment_name(page)}”是文件，", "缺少什么")


def _said(guide: _Guide, rule: ServiceGuidesRule) -> dict[str, Statement]:
    """Return what the page and its files state; the title names the matter when it is more than the word 办事指南."""
    files = (file.attachment for file in guide.attachments)
    said = stated_in((guide.page.facts, guide.page.attachment, *files), rule.elements)
    if (NAME not in said or said[NAME].is_blank) and len(GUIDE_WORDS.sub("", guide.title)) >= 2:
        said[NAME] = Statement(NAME, guide.title, TITLE)
    return said


def _leads_elsewhere(guide: _Guide) -> bool:
    """Whether a short text does nothing but send the visitor to another site."""
    facts = guide.page.facts
    if facts is None or guide.page in guide.visit.pages or len(facts.body_text) > OTHER_SITE_TEXT:
        return False
    return any(is_outside(link.url, guide.page.url) for link in _own_links(guide))


def _own_links(guide: _Guide) -> tuple[Link, ...]:
    """Return the links of the guide that the list does not have too."""
    lists = (page.facts for page in guide.visit.pages if page.facts and page.url != guide.page.url)
    framing = {comparable(link.url) for facts in lists for link in facts.links}
    links = guide.page.facts.links if guide.page.facts else ()
    return tuple(link for link in links if comparable(link.url) not in framing)


def _observed(guide: _Guide, rule: ServiceGuidesRule, missing: list[str], said: dict[str, Statement]) -> str:
    blank = [f"“{said[element].label}”一栏空白" for element in missing if element in said]
    gone = [f"“{element}”" for element in missing if element not in said]
    seen = "；".join((*blank, *((f"找不到{'、'.join(gone)}",) if gone else ())))
    return f"“{guide.title}”的 {len(rule.elements)} 个要素缺 {len(missing)} 个：{seen}。"


def _expected(missing: list[str]) -> str:
    return f"请在这篇指南里补上{'、'.join(f'“{element}”' for element in missing)}。{CLAUSE}"


def _passage(said: dict[str, Statement]) -> str:
    return "；".join(statement.passage for statement in said.values())


# ---------------------------------------------------------------- forms


def _forms(guide: _Guide) -> Iterator[Finding]:
    """Yield whether the files of the guide can be downloaded, where that was seen."""
    gone = [file for file in guide.attachments if is_gone(file)]
    read = [file for file in guide.attachments if file.attachment is not None]
    subject = Subject(META.id, guide.page.url, evidence_of(guide.page, *gone), guide.visit.column.id, item="forms")
    if gone:
        names = "、".join(map(name_and_address, gone))
        yield subject.failed(
            "form_missing",
            f"指南提供的{names}下载不了，服务器答复文件不存在。",
            f"请重新上传该文件并改正链接，群众才能取得要填的表格。{CLAUSE}",
            where="指南所附下载链接",
        )
    elif read:
        yield subject.passed(
            "form_available", f"指南所附的 {len(read)} 个文件可以下载。", passage=attachment_name(read[0])
        )
