"""咨询建言: there is a place to ask and to suggest, and nobody waits longer than three months for an answer."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from checks.facts.model import Form, PageFacts
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere_on_pages, frame_of
from checks.judging.listing import entries_of, lies_outside
from checks.judging.readability import SHARED_REASONS, absence_of, column_obstacle, is_absent
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Scope
from checks.reading.messages import Message, messages_in
from config.rules import ConsultationChannelRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="consultation_channel",
    title="咨询建言",
    failure_title="没有咨询建言渠道或留言久未回复",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）单项否决“互动回应差”：未提供网上有效咨询建言渠道；"
    "政务咨询类栏目存在超过三个月未回复有效留言的现象",
    method="看“咨询建言”栏目有没有留言表单、入口或已公开的留言；再从表格、列表和“留言时间、回复时间、状态”之类的标签里读出各条"
    "留言的日期和回复状态：留言日期早于检查日往前推三个日历月、而页面明说未回复或办理中的，不符合。状态看不出来的，不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "open": "有咨询建言渠道",
        "no_entry": "栏目里没有留言的渠道",
        "absent": "没有咨询建言栏目",
        "answered": "没有超过三个月未回复的留言",
        "unanswered": "留言超过三个月未回复",
        "no_messages": "没有公开的留言",
        "state_unknown": "看不出留言有没有回复",
        "external_only": "栏目在站外平台",
        **ELSEWHERE_REASONS,
        **SHARED_REASONS,
    },
)
CLAUSE = "依据：国办秘函〔2019〕19号“互动回应差”。"
CHANNEL, REPLY = "渠道", "回复"
SHOWN = 5  # messages that are told one by one
TYPED = frozenset({"text", "textarea", "email", "tel"})


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield two findings for each column of consultation: is there a channel, and are messages answered."""
    rule, frame = rules.checks.consultation_channel, frame_of(bundle)
    for visit in bundle.columns_of(ColumnType.CONSULTATION):
        yield from _judge(visit, rule, bundle.day, frame)


def _judge(visit: ColumnVisit, rule: ConsultationChannelRule, day: date, frame: frozenset[str]) -> Iterator[Finding]:
    subject = Subject(META.id, visit.target, evidence_of(*visit.pages, *visit.articles), visit.column.id)
    if is_absent(visit):
        expected = f"政府网站应当提供网上咨询建言渠道，请开设栏目。{CLAUSE}"
        yield subject.failed("absent", absence_of(visit), expected, where="单位的全部栏目")
    elif (obstacle := column_obstacle(visit)) is not None:
        yield subject.cannot_tell(obstacle)
    elif lies_outside(visit):
        yield subject.not_applicable("external_only", "栏目链接到站外的咨询平台，留言和回复不在本站。")
    else:
        messages = _messages(visit, rule, day)
        yield _channel(replace(subject, item=CHANNEL), visit, messages, rule, frame)
        yield _replies(replace(subject, item=REPLY), visit, messages, _months_before(day, rule.months), rule)


# ---------------------------------------------------------------- channel


def _channel(
    subject: Subject,
    visit: ColumnVisit,
    messages: tuple[Message, ...],
    rule: ConsultationChannelRule,
    frame: frozenset[str],
) -> Finding:
    seen = _entry(visit, rule) or (messages[0].passage if messages else "")
    if not seen:
        seen = next((entry.title for entry in entries_of(visit)), "")
    if seen:
        return subject.passed("open", f"“{visit.column.name}”栏目可以留言（“{seen}”）。", passage=seen)
    if (doubt := elsewhere_on_pages(visit, frame)) is not None:
        return subject.cannot_tell(doubt)
    return subject.failed(
        "no_entry",
        f"“{visit.column.name}”栏目里没有留言的表单或入口，也没有公开过的留言。",
        f"请提供可以在网上提交咨询和建议的渠道；只公布电话、邮箱的不算。{CLAUSE}",
        where="咨询建言栏目正文",
    )


def _entry(visit: ColumnVisit, rule: ConsultationChannelRule) -> str:
    """Return the words of a form or link through which a message can be left, or an empty string."""
    for facts in (page.facts for page in visit.pages if page.facts):
        for form in facts.forms:
            if _is_for_messages(form, rule):
                return form.text[:40] or "留言表单"
        if (link := _entry_link(facts, rule)) is not None:
            return link
    return ""


def _is_for_messages(form: Form, rule: ConsultationChannelRule) -> bool:
    """Whether it takes a message and is no search: it has room for a text, or asks for several things by such words."""
    kinds = [kind for _, kind, _ in form.fields]
    return "textarea" in kinds or (
        sum(kind in TYPED for kind in kinds) >= 3 and any(word in form.text for word in rule.entry_words)
    )


def _entry_link(facts: PageFacts, rule: ConsultationChannelRule) -> str | None:
    return next((link.text for link in facts.links if any(word in link.text for word in rule.entry_words)), None)


# ---------------------------------------------------------------- replies


def _messages(visit: ColumnVisit, rule: ConsultationChannelRule, day: date) -> tuple[Message, ...]:
    """Return the messages of the column; one whose own page shows the answer is answered, whatever the list says."""
    listed = [m for page in visit.pages if page.facts for m in messages_in(page.facts, rule, day)]
    own = {
        page.facts.title.strip(): messages
        for page in visit.articles
        if page.facts and (messages := messages_in(page.facts, rule, day))
    }
    answered = tuple(title for title, messages in own.items() if title and any(m.answered for m in messages))
    corrected = (
        replace(message, answered=True) if any(title in message.title for title in answered) else message
        for message in listed
    )
    return (*corrected, *(message for messages in own.values() for message in messages))


def _replies(
    subject: Subject, visit: ColumnVisit, messages: tuple[Message, ...], limit: date, rule: ConsultationChannelRule
) -> Finding:
    overdue = sorted(
        {m for m in messages if m.answered is False and m.asked_on < limit}, key=lambda m: (m.asked_on, m.passage)
    )
    if overdue:
        return _overdue(subject, visit, overdue, rule)
    known = [m for m in messages if m.answered is not None or m.asked_on >= limit]
    if known:
        observed = f"看到 {len(known)} 条留言，没有超过 {rule.months} 个月还未回复的。"
        return subject.passed("answered", observed, passage=known[0].passage, where=known[0].where)
    if messages:
        observed = f"看到 {len(messages)} 条 {rule.months} 个月以前的留言，页面没有说是否已经回复。"
        return subject.finding(Outcome.INCONCLUSIVE, "state_unknown", observed)
    return subject.not_applicable("no_messages", "栏目里没有看到标明日期的留言，无从查看回复情况。")


def _overdue(subject: Subject, visit: ColumnVisit, overdue: list[Message], rule: ConsultationChannelRule) -> Finding:
    told = "；".join(f"{m.asked_on:%Y-%m-%d}的“{m.passage}”" for m in overdue[:SHOWN])
    more = "等" if len(overdue) > SHOWN else ""
    return subject.failed(
        "unanswered",
        f"“{visit.column.name}”栏目有 {len(overdue)} 条留言超过 {rule.months} 个月没有回复：{told}{more}。",
        f"对网民留言应当及时答复，请尽快回复并在栏目里公开；已经回复的请更新状态。{CLAUSE}",
        passage=overdue[0].passage,
        where=overdue[0].where,
    )


def _months_before(day: date, months: int) -> date:
    """Return the day of the same number so many calendar months earlier, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
