"""突发公共卫生: the column speaks during an emergency, and an emergency plan is published at any time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from checks.judging.freshness import Age, DatedItem, newest, parted
from checks.judging.listing import names_of
from checks.judging.period import items_of, present_columns, unread_among, unread_since
from checks.judging.readability import ABSENT, SHARED_REASONS, absence_of, is_absent
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Scope
from config.rules import Emergency, HealthNoticesRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="health_notices",
    title="突发公共卫生信息",
    failure_title="突发公共卫生信息不及时，或没有公开应急预案",
    basis="《政府信息公开条例》（国令第711号）第二十条第十二项：突发公共事件的应急预案、预警信息及应对情况；石栾政办函〔2020〕"
    "118号“及时发布疫情相关信息”“加强公共卫生知识普及”",
    method="有突发公共卫生栏目的单位：突发公共卫生事件期间（起止日期见 rules.toml），栏目在规定天数内有新内容，期间之外"
    "不要求；任何时候，该栏目或法定主动公开内容、政策文件、规范性文件、通知公告栏目里有应急预案，这些栏目都读全而"
    "没有找到，才算没有。",
    scope=Scope.COLUMN,
    reasons={
        "alive": "突发事件期间有更新",
        "silent": "突发事件期间没有更新",
        "undated": "看不出条目的日期",
        "no_emergency": "不在突发公共卫生事件期间",
        "just_begun": "突发公共卫生事件刚开始",
        "plan_published": "已公开应急预案",
        "plan_missing": "没有公开应急预案",
        **ABSENT,
        **SHARED_REASONS,
    },
)
PLACES_OF_PLANS = frozenset(
    {
        ColumnType.HEALTH,
        ColumnType.MANDATORY_CONTENT,
        ColumnType.POLICY,
        ColumnType.NORMATIVE_DOCUMENT,
        ColumnType.NOTICE,
    }
)


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding on the notices and one on the plan of each column for public health."""
    rule = rules.checks.health_notices
    for visit in bundle.columns_of(ColumnType.HEALTH):
        yield _notices(visit, bundle.day, rule)
        yield _plan(visit, bundle, rule)


def _notices(visit: ColumnVisit, day: date, rule: HealthNoticesRule) -> Finding:
    subject = Subject(META.id, visit.target, evidence_of(*visit.pages, *visit.articles), visit.column.id, "notices")
    emergency = next(
        (one for one in rule.emergencies if one.first <= day and (one.last is None or day <= one.last)), None
    )
    if emergency is None:
        return subject.not_applicable("no_emergency", f"{day:%Y-%m-%d} 不在突发公共卫生事件期间，不要求栏目持续更新。")
    if is_absent(visit):
        return subject.not_applicable("absent", absence_of(visit))
    items = tuple(items_of((visit,)))
    dated, _ = parted((DatedItem(i.date, i.full_title, "栏目里", "") for i in items if i.date is not None), day)
    latest = newest(dated)
    age = Age(latest, day, rule.days) if latest else None
    if age is not None and age.is_fresh:
        return subject.passed("alive", age.observed, passage=age.passage, where=visit.column.name)
    if day - emergency.first < timedelta(days=rule.days):
        observed = f"{emergency.name}自 {emergency.first:%Y-%m-%d} 开始，不满 {rule.days} 天，还不要求有更新。"
        return subject.not_applicable("just_begun", observed)
    if (obstacle := unread_since(visit, day - timedelta(days=rule.days))) is not None:
        return subject.cannot_tell(obstacle)
    if len(dated) < len(items):
        return subject.finding(Outcome.INCONCLUSIVE, "undated", "栏目里有看不出日期的条目，不能断定没有更新。")
    observed = age.observed if age else "栏目里没有任何条目。"
    return subject.failed("silent", observed, _awaited(emergency, rule.days), where=visit.column.name)


def _awaited(emergency: Emergency, days: int) -> str:
    return (
        f"{emergency.name}期间应当及时发布相关信息，最迟 {days} 天有新的内容。"
        "依据：《政府信息公开条例》第二十条第十二项、石栾政办函〔2020〕118号“及时发布疫情相关信息”（3.1）。"
    )


def _plan(visit: ColumnVisit, bundle: Bundle, rule: HealthNoticesRule) -> Finding:
    visits = present_columns(bundle, PLACES_OF_PLANS)
    for item in items_of(visits):
        if any(word in item.full_title for word in rule.plan_words):
            subject = Subject(META.id, visit.target, evidence_of(*item.pages), visit.column.id, "plan")
            seen = f"“{item.column.name}”里有“{item.full_title}”。"
            return subject.passed("plan_published", seen, passage=item.full_title, where=item.column.name)
    if not visits:
        subject = Subject(META.id, visit.target, column_id=visit.column.id, item="plan")
        return subject.not_applicable("absent", absence_of(visit))
    pages = (page for one in visits for page in (*one.pages, *one.articles))
    subject = Subject(META.id, visit.target, evidence_of(*pages), visit.column.id, "plan")
    if (obstacle := unread_among(visits)) is not None:
        return subject.cannot_tell(obstacle)
    names = names_of(visits)
    observed = f"{names}的全部标题里没有{'、'.join(rule.plan_words)}。"
    expected = (
        "应当主动公开突发公共事件的应急预案。"
        "依据：《政府信息公开条例》第二十条第十二项、石栾政办函〔2020〕118号“加强公共卫生知识普及”（3.2）。"
    )
    return subject.failed("plan_missing", observed, expected, where=names)
