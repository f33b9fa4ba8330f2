"""惠企惠民政策: who answers for relief of taxes and fees publishes such documents, and explains them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from checks.judging.listing import names_of
from checks.judging.period import Item, Period, items_of, present_columns, unread_among
from checks.judging.readability import SHARED_REASONS
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Scope
from checks.reading.words import any_of
from config.rules import ReliefPoliciesRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="relief_policies",
    title="惠企惠民政策",
    failure_title="没有公开或没有解读惠企惠民政策",
    basis="石栾政办函〔2020〕118号“提升政策服务精准性实效性”：对减税降费等惠企惠民政策加强宣传解读",
    method="承担惠企惠民政策服务职责的单位，在惠企惠民政策栏目以及政策文件、通知公告、政策解读栏目最近十二个月的标题里，应当有"
    "减税降费等惠企惠民政策，并有它们的解读（词表见 rules.toml）。各栏目都读到期初而没有找到，才算没有。",
    scope=Scope.COLUMN,
    reasons={
        "published": "期内有惠企惠民政策",
        "missing": "期内没有惠企惠民政策",
        "explained": "期内有惠企惠民政策的解读",
        "unexplained": "期内没有惠企惠民政策的解读",
        "undated": "有相关条目，但看不出日期",
        "no_duty": "该单位不承担惠企惠民政策服务职责",
        **SHARED_REASONS,
    },
)
CLAUSE = "依据：石栾政办函〔2020〕118号附件3“提升政策服务精准性实效性”（2.3）。"
COLUMN_TYPES = frozenset(
    {
        ColumnType.RELIEF_POLICY,
        ColumnType.POLICY,
        ColumnType.NORMATIVE_DOCUMENT,
        ColumnType.NOTICE,
        ColumnType.POLICY_INTERPRETATION,
    }
)
WANTED = {
    "documents": ("published", "missing", "惠企惠民政策", "请公开减税降费等惠企惠民政策文件。"),
    "interpretation": ("explained", "unexplained", "惠企惠民政策的解读", "请对惠企惠民政策发布解读，标题写明是解读。"),
}


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding on the documents and one on their interpretation, for a unit that has the column."""
    column = next(iter(bundle.columns_of(ColumnType.RELIEF_POLICY)), None)
    if column is None or bundle.unit is None:
        return
    rule = rules.checks.relief_policies
    for item in WANTED:
        subject = Subject(META.id, column.target, column_id=column.column.id, item=item)
        if rule.duty in bundle.unit.duties:
            yield _judge(subject, bundle, present_columns(bundle, COLUMN_TYPES), rule)
        else:
            yield subject.not_applicable("no_duty", "该单位不承担惠企惠民政策服务职责（评分表 2.3）。")


def _judge(subject: Subject, bundle: Bundle, visits: Sequence[ColumnVisit], rule: ReliefPoliciesRule) -> Finding:
    good, bad, what, wanted = WANTED[subject.item]
    period = Period.before(bundle.day, rule.days)
    fitting = [item for item in items_of(visits) if _fits(item, subject.item, rule)]
    found = next((item for item in fitting if item.date is not None and period.holds(item.date)), None)
    if found is not None:
        observed = f"“{found.column.name}”{found.date:%Y-%m-%d} 的“{found.full_title}”是{what}。"
        return replace(subject, evidence=evidence_of(*found.pages)).passed(
            good, observed, passage=found.full_title, where=found.column.name
        )
    pages = (page for visit in visits for page in (*visit.pages, *visit.articles))
    seen = replace(subject, evidence=evidence_of(*pages))
    undated = next((item for item in fitting if item.date is None), None)
    if undated is not None:
        observed = f"“{undated.column.name}”的“{undated.full_title}”是{what}，但看不出日期，不能断定是否在期内。"
        return seen.finding(Outcome.INCONCLUSIVE, "undated", observed)
    if (obstacle := unread_among(visits, period.first)) is not None:
        return seen.cannot_tell(obstacle)
    names = names_of(visits) or "各栏目"
    observed = f"{names}里 {period.first:%Y-%m-%d} 以来的标题，没有一条是{what}（找过的词：{'、'.join(rule.words)}）。"
    return seen.failed(bad, observed, f"{wanted}{CLAUSE}", where=names)


def _fits(item: Item, wanted: str, rule: ReliefPoliciesRule) -> bool:
    """Whether the title speaks of relief, and is an interpretation if one is wanted or none if a document is."""
    explains = bool(any_of(rule.interpretation_words).search(item.full_title))
    relief = bool(any_of(rule.words).search(item.full_title))
    return relief and explains == (wanted == "interpretation")
