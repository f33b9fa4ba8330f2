"""政策解读: each policy has an interpretation by its drafter, in time, and the two pages lead to each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from checks.facts.labels import compact
from checks.judging.listing import names_of
from checks.judging.period import Item, Period, items_of, present_columns, unread_since
from checks.judging.readability import (
    SHARED_REASONS,
    Obstacle,
    column_obstacle,
    is_undecided,
    page_obstacle,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from checks.reading.addresses import comparable
from checks.reading.issuing_organ import organs_in
from config.rules import PolicyInterpretationRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="policy_interpretation",
    title="政策解读",
    failure_title="政策文件没有解读，或解读不及时、不关联",
    basis="《政府网站发展指引》（国办发〔2017〕47号）“解读回应”：发布由文件制发、起草部门提供的解读材料，文件页面与解读页面相互关联；"
    "石栾政办函〔2020〕118号“加强政策宣传解读”：谁起草、谁解读，解读与文件同步",
    method="取政策文件、规范性文件栏目十二个月内最新的几件；标题表明是政策（办法、方案、意见等，词表见 rules.toml）的，"
    "在政策解读栏目里按标题或按两页之间的链接找它的解读，再看两页是否互相链接、解读是否在期限内发布、来源是不是起草单位。解读"
    "栏目没有读全的，不下“没有解读”的结论。",
    scope=Scope.PAGE,
    reasons={
        "interpreted": "有解读",
        "not_interpreted": "没有解读",
        "not_due": "刚发布，解读还没有到期",
        "linked": "文件与解读互相链接",
        "not_linked": "文件与解读没有互相链接",
        "timely": "解读及时",
        "late": "解读迟于期限",
        "undated": "看不出发布日期",
        "same_drafter": "由起草单位解读",
        "other_drafter": "解读不是起草单位提供的",
        "drafter_unstated": "解读没有写明来源，或来源不是机关",
        "not_policy": "不是需要解读的政策",
        "no_policy": "期内没有政策文件",
        **SHARED_REASONS,
    },
)
CLAUSE = "依据：国办发〔2017〕47号“解读回应”、石栾政办函〔2020〕118号“加强政策宣传解读”。"
POLICIES = frozenset({ColumnType.POLICY, ColumnType.NORMATIVE_DOCUMENT})
QUOTED = re.compile(r"《([^《》]{4,100})》")
SOURCE = re.compile(r"来源[:：][\s　]{0,4}([^\s　|｜【】\[\]]{2,40})")
NOISE = re.compile(r"[\s　《》〈〉“”\"'（）()：:，,、]+")
ORGAN = re.compile(r"(?:局|委员会|[党工]委|[健改]委|厅|部|办|办公室|大队|分局|中心)$")  # a newspaper is none
WHOLE = Decimal(1)  # what a policy weighs: all of it where it has no interpretation, else its four items together
GENERIC = frozenset(
    {"解读", "政策解读", "文件解读", "相关解读", "查看解读", "图解", "一图读懂", "图文解读", "文字解读"}
)


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield what there is to say of each of the newest policies; nothing of a unit without a column for either."""
    listed = bundle.columns_of(ColumnType.POLICY_INTERPRETATION)
    sources = present_columns(bundle, POLICIES)
    if not listed or not sources:
        return
    rule = rules.checks.policy_interpretation
    for visit in sources:
        if (obstacle := column_obstacle(visit)) is not None:
            yield Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id).cannot_tell(obstacle)
    period = Period.before(bundle.day, rule.days)
    items = tuple(items_of(sources))
    recent = [(item.date, item) for item in items if item.date is not None and period.holds(item.date)]
    recent.sort(key=lambda dated: dated[0], reverse=True)
    judging = _Judging(bundle, present_columns(bundle, {ColumnType.POLICY_INTERPRETATION}), rule)
    for published, item in recent[: rule.newest]:
        yield from judging.policy(item, published)
    if not recent and not any(column_obstacle(visit) for visit in sources):
        yield _without_policies(listed[0], items, period)


def _without_policies(visit: ColumnVisit, items: Sequence[Item], period: Period) -> Finding:
    subject = Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id)
    undated = next((item for item in items if item.date is None), None)
    if undated is not None:
        observed = f"“{undated.full_title}”等政策文件看不出发布日期，不能断定是否需要解读。"
        return subject.finding(Outcome.INCONCLUSIVE, "undated", observed)
    return subject.not_applicable("no_policy", f"{period.first:%Y-%m-%d} 以来没有看到政策文件，不要求解读。")


class _Judging:
    """The interpretations of a unit, and the policies held against them one by one."""

    def __init__(self, bundle: Bundle, visits: Sequence[ColumnVisit], rule: PolicyInterpretationRule) -> None:
        self.bundle, self.visits, self.rule = bundle, visits, rule
        self.interpretations = tuple(items_of(visits))

    def policy(self, policy: Item, published: date) -> Iterator[Finding]:
        subject = self._subject(policy, "interpretation")
        if not self._wants_one(policy):
            yield subject.not_applicable("not_policy", f"“{policy.full_title}”不是需要解读的政策文件。")
            return
        named = next((other for other in self.interpretations if _names(other, policy)), None)
        found = named or next((other for other in self.interpretations if _is_linked_with(other, policy)), None)
        if found is None:
            yield self._without(policy, published)
            return
        told = f"“{policy.full_title}”有解读：“{found.full_title}”（{found.url}）。"
        yield self._subject(policy, "interpretation", *found.pages).passed("interpreted", told)
        if named is not None:  # pages that only link to each other may be neighbours in a list
            yield self._links(policy, named)
            yield self._delay(policy, published, named)
            yield self._drafter(policy, named)

    def _subject(self, policy: Item, item: str, *pages: Page, weight: Decimal | None = None) -> Subject:
        share = self.rule.item_weights.get(item, WHOLE) if weight is None else weight
        return Subject(META.id, policy.url, evidence_of(*policy.pages, *pages), policy.column.id, item, share)

    def _wants_one(self, item: Item) -> bool:
        title = _essence(item.full_title)
        for name in self.bundle.unit.names if self.bundle.unit else ():
            title = title.replace(name, "")  # 自然资源和规划局 is no 规划
        facts = item.article.facts if item.article else None
        if facts is not None and page_obstacle(item.article or item.seen_on) is None and not facts.form.is_official:
            return False
        return any(word in title for word in self.rule.words) and not any(word in title for word in self.rule.exempt)

    # -------------------------------------------------------- without an interpretation

    def _without(self, policy: Item, published: date) -> Finding:
        seen = (page for visit in self.visits for page in (*visit.pages, *visit.articles))
        subject = self._subject(policy, "interpretation", *seen, weight=WHOLE)
        age = (self.bundle.day - published).days
        if age <= self.rule.within_days:
            told = f"“{policy.full_title}”发布 {max(age, 0)} 天，还没有看到解读；期限是 {self.rule.within_days} 天。"
            return subject.not_applicable("not_due", told)
        obstacle = self._obstacle(policy, published)
        if obstacle is not None:
            return subject.cannot_tell(obstacle)
        where = names_of(self.visits) or "文件页面"
        observed = (
            f"“{policy.full_title}”（{published:%Y-%m-%d} 发布）没有解读："
            f"{where}里没有标题对得上的，文件页面上也没有解读的链接。"
        )
        expected = f"请发布由起草单位提供的解读材料，并在文件页面和解读页面互相链接。{CLAUSE}"
        return subject.failed("not_interpreted", observed, expected, passage=policy.full_title, where=where)

    def _obstacle(self, policy: Item, published: date) -> Obstacle | None:
        """Return why an interpretation may be there all the same, or None."""
        page = policy.article
        if page is None:
            return Obstacle(Outcome.INCONCLUSIVE, "unread", f"“{policy.full_title}”的页面没有采集，不能断定没有解读。")
        if (obstacle := page_obstacle(page)) is not None:
            return obstacle
        if is_undecided(page):
            return script_obstacle()
        for visit in self.visits:
            if (obstacle := unread_since(visit, published)) is not None and not self._is_read_and_empty(visit):
                return obstacle
        if any(item.is_cut_off for item in self.interpretations):
            return Obstacle(
                Outcome.INCONCLUSIVE, "unread", "解读栏目里有标题没有写全、文章也没有采集的条目，不能断定没有解读。"
            )
        columns = {comparable(visit.column.url or "") for visit in self.bundle.columns}
        for link in page.facts.links if page.facts else ():
            if compact(link.text) in GENERIC and comparable(link.url) not in columns:
                observed = f"文件页面上有“{link.text}”链接（{link.url}），没有采集它通向的页面，不能断定没有解读。"
                return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
        return None

    def _is_read_and_empty(self, visit: ColumnVisit) -> bool:
        """Whether the column's one page was read, lists nothing and holds no text in which a list might hide."""
        page = visit.pages[0] if len(visit.pages) == 1 else None
        facts = page.facts if page and page_obstacle(page) is None and not is_undecided(page) else None
        return facts is not None and not facts.list.entries and not facts.frames and len(facts.body_text) < 20

    # -------------------------------------------------------- with one

    def _links(self, policy: Item, found: Item) -> Finding:
        subject = self._subject(policy, "links", *found.pages)
        pages = (policy.article, found.article)
        if pages[0] is None or pages[1] is None:
            observed = "文件或解读的页面没有采集，不能断定是否互相链接。"
            return subject.cannot_tell(Obstacle(Outcome.INCONCLUSIVE, "unread", observed))
        obstacle = page_obstacle(pages[0]) or page_obstacle(pages[1])
        if obstacle is not None:
            return subject.cannot_tell(obstacle)
        missing = []
        if not _leads_to(pages[0], pages[1]):
            missing.append("文件页面没有链接到解读")
        if not _leads_to(pages[1], pages[0]):
            missing.append("解读页面没有链接到文件")
        if not missing:
            return subject.passed("linked", f"“{policy.full_title}”与解读“{found.full_title}”互相链接。")
        if any(is_undecided(page) for page in pages if page):
            return subject.cannot_tell(script_obstacle())
        observed = f"“{policy.full_title}”与解读“{found.full_title}”（{found.url}）：{'，'.join(missing)}。"
        expected = f"文件页面应当提供解读材料的入口，解读页面应当关联文件。{CLAUSE}"
        return subject.failed("not_linked", observed, expected, passage=found.full_title, where="正文及相关链接")

    def _delay(self, policy: Item, published: date, found: Item) -> Finding:
        subject = self._subject(policy, "delay", *found.pages)
        if found.date is None:
            observed = f"解读“{found.full_title}”看不出发布日期，不能断定是否及时。"
            return subject.finding(Outcome.INCONCLUSIVE, "undated", observed)
        days = (found.date - published).days
        observed = (
            f"“{policy.full_title}”于 {published:%Y-%m-%d} 发布，解读“{found.full_title}”于 {found.date:%Y-%m-%d} "
            f"发布，相隔 {max(days, 0)} 天，期限 {self.rule.within_days} 天。"
        )
        if days <= self.rule.within_days:
            return subject.passed("timely", observed)
        expected = f"解读应当与文件同步发布，最迟在 {self.rule.within_days} 天内。{CLAUSE}"
        return subject.failed("late", observed, expected, passage=found.full_title, where="发布日期")

    def _drafter(self, policy: Item, found: Item) -> Finding:
        subject = self._subject(policy, "drafter", *found.pages)
        source = _source(found.article)
        own = self._drafters(policy)
        if source and any(name in source or source in name for name in own):
            return subject.passed("same_drafter", f"解读的来源是“{source}”，即起草单位。")
        organs = {organ.name for organ in organs_in(source)} if ORGAN.search(source) and "政府" not in source else set()
        if not organs or organs & {organ.name for name in own for organ in organs_in(name)}:
            return subject.not_applicable("drafter_unstated", "解读没有写明来源，或来源不是某个部门，不判断由谁解读。")
        observed = f"“{policy.full_title}”由“{own[0]}”制发，解读“{found.full_title}”的来源却是“{source}”。"
        expected = f"谁起草、谁解读：请由起草单位提供解读并写明来源；来源写错的请改正。{CLAUSE}"
        return subject.failed("other_drafter", observed, expected, passage=f"来源：{source}", where="信息来源")

    def _drafters(self, policy: Item) -> tuple[str, ...]:
        facts = policy.article.facts if policy.article else None
        issuer = facts.document.issuer if facts else None
        names = self.bundle.unit.names if self.bundle.unit else ()
        return tuple(name for name in (issuer or "", *names) if name)


def _names(other: Item, policy: Item) -> bool:
    """Whether the title of an interpretation names the policy."""
    subject = _bare(_essence(policy.full_title))
    return len(subject) >= 4 and subject in _bare(other.full_title)


def _is_linked_with(other: Item, policy: Item) -> bool:
    """Whether a page that names no document by its title is linked with the policy, the one way or the other."""
    if QUOTED.search(other.full_title):
        return False
    return _leads_to(other.article, policy.article) or _leads_to(policy.article, other.article)


def _essence(title: str) -> str:
    """Return what a policy's title says it is: what it prints and distributes, else the title from 关于 on."""
    quoted = QUOTED.search(title)
    if quoted:
        return quoted[1]
    _, about, rest = title.partition("关于")
    return re.sub(r"^(?:印发|转发|发布)|的(?:通知|公告|通告)$", "", rest) if about else title


def _bare(text: str) -> str:
    return NOISE.sub("", text).rstrip("….").replace("关于印发", "关于")


def _leads_to(page: Page | None, other: Page | None) -> bool:
    if page is None or page.facts is None or other is None:
        return False
    addresses = {comparable(other.url), comparable(other.facts.url or "") if other.facts else ""}
    return any(comparable(link.url) in addresses for link in page.facts.links)


def _source(page: Page | None) -> str:
    """Return the source that the page names, or an empty string."""
    facts = page.facts if page else None
    if facts is None:
        return ""
    match = SOURCE.search(facts.text[:3000])
    return match[1] if match else facts.document.issuer or ""
