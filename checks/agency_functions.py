"""机构职能: a unit says what it does, how it is organised, where and when it is to be found, and who is in charge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urljoin

from checks.facts.model import PageFacts
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere_in_column, frame_of, unread_page
from checks.judging.listing import lies_outside
from checks.judging.readability import SHARED_REASONS, Obstacle, absence_of, column_obstacle, is_absent
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Scope
from checks.reading.addresses import comparable
from checks.reading.elements import Statement, leading_to, stated, stated_in
from checks.reading.issuing_organ import organs_in
from config.names import normalised
from config.rules import AgencyFunctionsRule, Rules
from config.schema import ColumnType, Unit, UnitKind

META = CheckMeta(
    id="agency_functions",
    title="机构职能",
    failure_title="机构职能未公开或内容不全",
    basis="《政府信息公开条例》（国令第711号）第二十条第二项：主动公开机关职能、机构设置、办公地址、办公时间、联系方式、负责人姓名；"
    "石栾政办函〔2020〕118号“加强权力配置信息公开”：及时公开机构职能目录",
    method="在“机构职能”栏目的页面、文章和附件里找职能、内设机构、办公地址、办公时间、联系方式、负责人，各项认可的写法"
    "见 rules.toml；标明的单位名称须是本单位（全称、简称、别名都算）。有没读到的页面、附件、图片的，缺了也不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "stated": "已公开",
        "missing": "没有公开这一项",
        "named": "写的是本单位",
        "wrong_unit": "写的是别的单位",
        "unnamed": "没有标明单位名称",
        "not_published": "没有公开机构职能",
        "external_only": "栏目只有站外链接",
        **ELSEWHERE_REASONS,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：《政府信息公开条例》第二十条第二项。"
NAME_ITEM = "单位名称"
NAME_SPELLINGS = {NAME_ITEM: ("单位名称", "机构名称", "机关名称", "部门名称", "单位全称", "机构全称")}
FUNCTIONS = "职能"
TITLED_TEXT = 20  # characters of a text that say something below a title
DUTY_WORDS = re.compile(r"负责|贯彻|承担|拟订|拟定|组织实施|指导|监督管理")
TOLD = {
    "办公地址": re.compile(r"位于|坐落|地址[为是]"),
    "负责人": re.compile(
        r"(?:局长|主任|镇长|乡长|大队长|书记)[一-鿿·]{2,4}(?:同志)?(?:主持|负责|分管|[，,。]|$)"
        r"|^[一-鿿·]{2,4}[\s　:：，,]{1,4}[一-鿿、，,\s]{0,20}(?:局长|主任|镇长|乡长|大队长|书记)"
    ),
}  # how running text tells it without a label
GOVERNMENT = {organ.name for organ in organs_in("人民政府")}
MAX_TOLD = 300  # characters of a line that are looked at
ORGAN_NAME = re.compile(r"[一-鿿]{2,24}(?:局|人民政府|镇政府|乡政府|委员会)")  # a section (股) is none


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a finding for each element of each column of functions, and one for the unit's name."""
    rule, frame = rules.checks.agency_functions, frame_of(bundle)
    for visit in bundle.columns_of(ColumnType.AGENCY_FUNCTIONS):
        yield from _judge(visit, rule, frame)


def _judge(visit: ColumnVisit, rule: AgencyFunctionsRule, frame: frozenset[str]) -> Iterator[Finding]:
    subject = Subject(META.id, visit.target, evidence_of(*visit.everything), visit.column.id)
    if is_absent(visit):
        yield _unpublished(subject, absence_of(visit), "单位的全部栏目")
    elif (obstacle := column_obstacle(visit)) is not None:
        yield subject.cannot_tell(obstacle)
    elif lies_outside(visit):
        yield subject.not_applicable("external_only", "栏目里只有链接到其他网站的条目，内容不由本站决定。")
    else:
        said, doubt = _said(visit, rule), elsewhere_in_column(visit, frame)
        if not said and doubt is None:
            yield _unpublished(
                subject, f"“{visit.column.name}”栏目里找不到{'、'.join(rule.elements)}中的任何一项。", "栏目正文"
            )
            return
        for element, spellings in rule.elements.items():
            item = replace(subject, item=element)
            yield _element(item, said.get(element), doubt or _told_elsewhere(visit, spellings))
        yield _name(replace(subject, item=NAME_ITEM), visit)


def _unpublished(subject: Subject, observed: str, where: str) -> Finding:
    expected = "各机关都应当公开职能、内设机构、办公地址、办公时间、联系方式和负责人姓名，请在机构职能栏目发布。"
    return subject.failed("not_published", observed, f"{expected}{CLAUSE}", where=where)


def _element(subject: Subject, statement: Statement | None, doubt: Obstacle | None) -> Finding:
    name = subject.item
    if statement is not None and not statement.is_blank:
        return subject.passed("stated", f"写明了{name}。", passage=statement.passage, where=statement.where)
    if doubt is not None:
        return subject.cannot_tell(doubt)
    seen = f"“{statement.label}”一栏是空白" if statement else f"栏目的页面、文章和附件里都找不到“{name}”"
    return subject.failed("missing", f"{seen}。", f"请在机构职能里补上{name}。{CLAUSE}", where="机构职能栏目正文")


# ---------------------------------------------------------------- what the column says


def _said(visit: ColumnVisit, rule: AgencyFunctionsRule) -> dict[str, Statement]:
    """Return what the column states; a page titled 内设机构 with a text below states it, a page of duties the 职能."""
    pages = [page.facts for page in (*visit.pages, *visit.articles) if page.facts]
    said = stated_in((*pages, *(file.attachment for file in visit.attachments)), rule.elements)
    for facts in pages:
        for element in _titled(facts, visit, rule):
            if element not in said or said[element].is_blank:
                said[element] = Statement(element, facts.title, "标题")
        for element, line in _told(facts):
            if element not in said or said[element].is_blank:
                said[element] = Statement(element, line, "正文")
    return said


def _told(facts: PageFacts) -> Iterator[tuple[str, str]]:
    """Yield what running text says without a label: 位于人民路1号, 王某 党组书记、局长."""
    for line in facts.body_text.splitlines():
        yield from ((element, line) for element, told in TOLD.items() if told.search(line[:MAX_TOLD]))


def _titled(facts: PageFacts, visit: ColumnVisit, rule: AgencyFunctionsRule) -> Iterator[str]:
    if sum(len(line) for line in facts.body_text.splitlines() if facts.title not in line) < TITLED_TEXT:
        return
    if DUTY_WORDS.search(facts.body_text) and ("职" in facts.title or "职" in visit.column.name):
        yield FUNCTIONS
    for element, spellings in rule.elements.items():
        if any(facts.title.strip().endswith(spelling) for spelling in spellings):
            yield element


def _told_elsewhere(visit: ColumnVisit, spellings: tuple[str, ...]) -> Obstacle | None:
    """Return that a link beside the column, such as 领导信息, leads to a page of that name which was not read."""
    read = {comparable(page.url) for page in (*visit.pages, *visit.articles)}
    beside = urljoin(visit.pages[0].url, "../")
    links = (link for page in visit.pages if page.facts for link in page.facts.links)
    unread = (link for link in links if link.url.startswith(beside) and comparable(link.url) not in read)
    link = leading_to(unread, {"": spellings})
    return unread_page(link) if link else None


# ---------------------------------------------------------------- whose functions they are


def _name(subject: Subject, visit: ColumnVisit) -> Finding:
    unit = visit.unit
    pages = [page.facts for page in (*visit.pages, *visit.articles) if page.facts]
    written = [s.value for facts in pages for s in stated(facts, NAME_SPELLINGS).values() if not s.is_blank]
    titles = (facts.title for facts in pages)
    organs = [match[0] for text in (*written, *titles) if (match := ORGAN_NAME.search(text))]
    stranger = next((organ for organ in organs if _is_another(organ, unit)), None)
    if stranger is not None:
        return subject.failed(
            "wrong_unit",
            f"“{visit.column.name}”里写的单位是“{stranger}”，而这是“{unit.name}”的栏目。",
            f"请改为{unit.full_name or unit.name}的机构职能；确是本单位更了名的，请告知办公室。{CLAUSE}",
            passage=stranger,
            where="单位名称或标题",
        )
    texts = [normalised(f"{facts.title}\n{facts.body_text}") for facts in pages]
    own = next((name for name in unit.names if any(normalised(name) in text for text in texts)), None)
    if own is not None:
        return subject.passed("named", f"写的是本单位（“{own}”）。", passage=own)
    return subject.not_applicable("unnamed", "栏目里没有标明单位名称，无从核对。")


def _is_another(organ: str, unit: Unit) -> bool:
    """Whether the name is certainly another unit's: none of the unit's names, and an organ or township it is not.

    A department's page may well name the government that it belongs to, if only as the name of the site.
    """
    written, names = normalised(organ), [normalised(name) for name in unit.names]
    if any(name in written or written in name for name in names):
        return False
    if unit.kind is UnitKind.TOWNSHIP:
        return written.endswith(("镇人民政府", "乡人民政府", "镇政府", "乡政府", "局"))
    own = _organs(" ".join(names))
    return bool(own) and bool(others := _organs(written) - GOVERNMENT) and not others & own


def _organs(text: str) -> set[str]:
    return {organ.name for organ in organs_in(text)}
