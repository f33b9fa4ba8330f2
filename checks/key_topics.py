"""重点领域: the topics that the year's table names are spoken of in what the unit published in the last months."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from checks.judging.listing import names_of
from checks.judging.period import Item, Period, items_of, present_columns, unread_among
from checks.judging.readability import SHARED_REASONS, Obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Scope
from checks.reading.words import any_of
from config.rules import KeyTopic, KeyTopicsRule, Rules
from config.schema import ColumnType, Unit, UnitKind

META = CheckMeta(
    id="key_topics",
    title="重点领域信息公开",
    failure_title="没有公开重点领域的信息",
    basis="石栾政办函〔2020〕118号“围绕完成重点工作加强公开”五行（4.1–4.5）",
    method="按 rules.toml 的主题词表，在单位各栏目最近十二个月的条目标题和抽到的文章里找该单位应当公开的主题（单位自己"
    "的名称不算）。评分表点名的单位逐个主题判断；承担该行职责而没有点名主题的单位（如乡镇），有该行任何一个主题即可。各栏目列表"
    "都读到期初而没有找到，才算没有公开。",
    scope=Scope.UNIT,
    reasons={
        "found": "期内有该主题的信息",
        "missing": "期内没有该主题的信息",
        "undated": "有相关条目，但看不出日期",
        "no_duty": "该单位不承担该行的职责",
        **SHARED_REASONS,
    },
)

COLUMN_TYPES = frozenset(
    {
        ColumnType.KEY_TOPIC,
        ColumnType.NEWS,
        ColumnType.NOTICE,
        ColumnType.POLICY,
        ColumnType.NORMATIVE_DOCUMENT,
        ColumnType.POLICY_INTERPRETATION,
        ColumnType.RELIEF_POLICY,
        ColumnType.PUBLIC_CONSULTATION,
        ColumnType.HEALTH,
        ColumnType.DOUBLE_RANDOM,
        ColumnType.MANDATORY_CONTENT,
        ColumnType.OTHER,
    }
)  # where news and documents on any subject may be published


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding a topic that the unit answers for, one a row it answers for otherwise, and NA for the rest."""
    visits = present_columns(bundle, COLUMN_TYPES)
    if bundle.unit is None or not visits:
        return
    rule = rules.checks.key_topics
    search = _Search(bundle.unit, bundle.day, visits, rule)
    for row, duty in rule.duties.items():
        own = [topic for topic in rule.topics if topic.row == row and bundle.unit.id in topic.units]
        if own:
            yield from (search.judge(bundle.unit, f"{row}:{topic.id}", (topic,)) for topic in own)
        elif duty in bundle.unit.duties and (topics := _open_to(bundle.unit, row, rule)):
            yield search.judge(bundle.unit, row, topics)
        else:
            subject = Subject(META.id, bundle.unit.id, item=row)
            yield subject.not_applicable("no_duty", f"该单位不承担评分表 {row} 行的职责，不要求公开这些主题。")


def _open_to(unit: Unit, row: str, rule: KeyTopicsRule) -> tuple[KeyTopic, ...]:
    """Return the topics of the row, any one of which answers for a unit without a topic of its own."""
    of_row = (topic for topic in rule.topics if topic.row == row)
    return tuple(topic for topic in of_row if topic.townships or unit.kind is not UnitKind.TOWNSHIP)


class _Search:
    """The unit's items of the period, looked through topic by topic."""

    def __init__(self, unit: Unit, day: date, visits: Sequence[ColumnVisit], rule: KeyTopicsRule) -> None:
        self.rule = rule
        self.names = any_of(unit.names)
        self.period = Period.before(day, rule.days)
        items = tuple(items_of(visits))
        self.items = [item for item in items if item.date is not None and self.period.holds(item.date)]
        self.undated = [item for item in items if item.date is None]
        self.columns = names_of(visits)
        self.evidence = evidence_of(*(page for visit in visits for page in (*visit.pages, *visit.articles)))
        self.obstacle = unread_among(visits, self.period.first) or self._cut_off()

    def _cut_off(self) -> Obstacle | None:
        cut = [item for item in self.items if item.is_cut_off]
        if not cut:
            return None
        observed = f"列表里有 {len(cut)} 条标题没有写全（如“{cut[0].title}”），文章也没有采集，不能断定说的是什么。"
        return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)

    def judge(self, unit: Unit, item: str, topics: tuple[KeyTopic, ...]) -> Finding:
        words = any_of(tuple(word for topic in topics for word in topic.keywords))
        title = "”或“".join(topic.title for topic in topics)
        for found in self.items:
            if (word := self._word_in(found, words)) is not None:
                subject = Subject(META.id, unit.id, evidence_of(*found.pages), found.column.id, item)
                seen = f"“{found.column.name}”{found.date:%Y-%m-%d} 的“{found.full_title}”说到“{title}”（“{word}”）。"
                return subject.passed("found", seen, passage=found.full_title, where=found.column.name)
        subject = Subject(META.id, unit.id, self.evidence, item=item)
        for found in self.undated:
            if words.search(self._without_names(found.full_title)):
                seen = f"“{found.column.name}”的“{found.full_title}”与“{title}”有关，但看不出日期，不能断定是否在期内。"
                return subject.finding(Outcome.INCONCLUSIVE, "undated", seen, passage=found.full_title)
        return self._missing(subject, item, title, topics)

    def _missing(self, subject: Subject, item: str, title: str, topics: tuple[KeyTopic, ...]) -> Finding:
        if self.obstacle is not None:
            return subject.cannot_tell(self.obstacle)
        words = "、".join(word for topic in topics for word in topic.keywords)
        observed = (
            f"{self.columns}里 {self.period.first:%Y-%m-%d} 以来的 {len(self.items)} 条信息，标题和抽到的文章都没有说到"
            f"“{title}”（找过的词：{words}）。"
        )
        row = item.partition(":")[0]
        expected = (
            f"应当公开“{title}”方面的信息，最近十二个月至少有一条，标题写明主题。"
            f"依据：石栾政办函〔2020〕118号附件3“围绕完成重点工作加强公开”（{row}）。"
        )
        return subject.failed("missing", observed, expected, where=self.columns)

    def _word_in(self, item: Item, words: re.Pattern[str]) -> str | None:
        """Return the keyword that the title holds, or that the text repeats often enough to be about it."""
        match = words.search(self._without_names(item.full_title))
        if match is None:
            hits = list(words.finditer(self._without_names(item.text)))
            match = hits[0] if len(hits) >= self.rule.mentions else None
        return match.group() if match else None

    def _without_names(self, text: str) -> str:
        """Return the text without the unit's own names: 退役军人事务局 in a title is no word of 退役军人."""
        return self.names.sub("", text)
