"""意见征集: a draft out for comment says how and until when to comment; once closed, what became of the comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from checks.facts.dates import find_dates_in
from checks.facts.model import ListEntry, PageFacts
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere, frame_of
from checks.judging.listing import entries_of, nothing_to_judge, unread_rest
from checks.judging.readability import (
    ABSENT,
    SHARED_REASONS,
    Obstacle,
    page_obstacle,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from config.rules import PublicConsultationRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="public_consultation",
    title="意见征集",
    failure_title="意见征集没有写明方式、期限或没有反馈结果",
    basis="《〈关于全面推进政务公开工作的意见〉实施细则》（国办发〔2016〕80号）：明确公众参与的范围、方式和渠道，及时反馈采纳情况；"
    "石栾政办函〔2020〕118号“加强权力运行信息公开”：及时公开公众参与行政决策的事项范围、参与方式、参与渠道",
    method="逐件看抽到的征求意见稿：正文有没有写明电话、信箱、地址或网上提交等方式，有没有截止时间；截止超过规定天数的，看页面、栏目列表和"
    "其他栏目的列表里有没有结果反馈。超过一年的不再评判；列表没有读全的，不说没有反馈。",
    scope=Scope.PAGE,
    reasons={
        "way_stated": "写明了提意见的方式",
        "no_way": "没有写明提意见的方式",
        "deadline_stated": "写明了截止时间",
        "no_deadline": "没有写明截止时间",
        "result_published": "公布了结果",
        "no_result": "征集结束后没有反馈结果",
        "not_due": "还没有到反馈的时候",
        "deadline_unclear": "看不出哪一天截止",
        "past": "超过一年，不再评判",
        "not_draft": "不是征求意见的公告",
        "external_only": "栏目只有站外链接",
        "empty": "栏目里没有征集（另由“空白栏目”评判）",
        **ELSEWHERE_REASONS,
        **ABSENT,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国办发〔2016〕80号“扩大公众参与”，石栾政办函〔2020〕118号“加强权力运行信息公开”。"
WAY, DEADLINE, RESULT = "征集方式", "截止时间", "结果反馈"
FEEDBACK = re.compile(r"结果|反馈|采纳情况|意见汇总|情况说明|答复情况")
DRAFT = re.compile(r"征求|征集|征询|听取|意见建议|求意见|公众意见|公开征")
WAYS = (
    re.compile(r"[\w.+-]{1,40}@[\w-]{1,40}\.[\w.]{2,20}"),
    re.compile(r"(?<!\d)(?:0\d{2,3}[-—－ ]?\d{7,8}|1[3-9]\d{9})(?!\d)|(?:电话|传真|热线)[^\d\n]{0,8}\d{5,8}"),
    re.compile(
        r"(?:通[讯信]|邮寄|联系|来信)地址|邮政编码|邮编|信函|书面意见寄|(?:在线|网上|线上)(?:提交|填写|留言|征集|反馈)|扫(?:描)?(?:二维)?码|意见箱"
    ),
)
WHEN = re.compile(
    r"截止|截至|期限|征[集求询](?:意见)?时间|起止时间|公示[时期]|时间为|为期|期间|日内|天内|工作日内|个月内|[日前]前|以前|日止"
)
NOT_WHEN = re.compile(r"发布(?:时间|日期)|来源|浏览|打印")
SPAN = re.compile(
    r"(?<![\d年月])(\d{1,3}|[一二三四五六七八九十]{1,3})\s{0,3}(个工作日|个?自然日|天|日|个月)(?:内|以内|之内|$|[，,。；])"
)
TAIL = re.compile(r"[至到—\-－~～]{1,2}\s{0,3}(?:(\d{1,2})\s{0,3}月)?\s{0,3}(\d{1,2})\s{0,3}日")
DONE = re.compile(
    r"(?:共|未|没有|累计|陆续)(?:收|征集|采集)(?:集|到|得)|采纳(?:了)?\s{0,3}\d|采纳情况[如：:]|结果反馈|征集结果[如：:]|反馈情况[如：:]"
)
PROMISE = re.compile("将|届时|拟于|另行")
ONLY_TEXT = re.compile(
    r"^(?!.*(?:关于|公告|通知|启事|意见的)).*[（(]征求意见稿[）)]$"
)  # the draft itself, noticed elsewhere
SUBJECT = re.compile("《([^》]{2,60})》")
BOILERPLATE = re.compile(
    r"关于|公开|征求|征集|征询|意见|建议|公众|社会|结果|反馈|采纳|情况|汇总|说明|公告|通知|公示|草案|征求意见稿|对|的|[《》（）()“”\s]"
)
LINES, CHARACTERS = 400, 100_000  # of a text that are read
NUMERALS = {numeral: value for value, numeral in enumerate("一二三四五六七八九", 1)}


@dataclass(frozen=True, slots=True)
class _Deadline:
    """Until when comments are taken, in the page's words; `day` is None where the words leave it open."""

    said: str
    day: date | None


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield up to three findings a draft, and one for each column without anything to judge."""
    frame = frame_of(bundle)
    entries = tuple(entry for visit in bundle.columns for entry in entries_of(visit))
    for visit in bundle.columns_of(ColumnType.PUBLIC_CONSULTATION):
        if not visit.articles:
            whole = Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id)
            yield nothing_to_judge(whole, visit, "意见征集")
        for page in visit.articles:
            yield from _Draft(page, visit, entries, frame, rules.checks.public_consultation, bundle.day).findings()


@dataclass(frozen=True, slots=True)
class _Draft:
    """One sampled article of the column, with everything that may hold its result."""

    page: Page
    visit: ColumnVisit
    entries: tuple[ListEntry, ...]
    frame: frozenset[str]
    rule: PublicConsultationRule
    day: date

    def findings(self) -> Iterator[Finding]:
        """Yield what is to be said of the article."""
        whole, facts = self._subject(""), self.page.facts
        obstacle = page_obstacle(self.page, "征求意见的页面")
        if obstacle is not None or facts is None:
            yield whole.cannot_tell(obstacle or script_obstacle())
            return
        text = self._text(facts)
        deadline = _deadline_in(text, self._published(facts), self.day)
        bare = deadline is None and ONLY_TEXT.search(facts.title) and not any(way.search(text) for way in WAYS)
        if FEEDBACK.search(facts.title) or not DRAFT.search(facts.title) or bare:
            yield whole.not_applicable("not_draft", f"“{facts.title}”不是征求意见的公告。")
            return
        last = (deadline.day if deadline else None) or self._published(facts)
        if last is not None and (self.day - last).days > self.rule.look_back_days:
            yield whole.not_applicable(
                "past", f"这次征集到 {last:%Y-%m-%d} 已经结束，超过 {self.rule.look_back_days} 天，不再评判。"
            )
            return
        doubt = elsewhere(self.page, self.visit.attachments_of(self.page), self.frame)
        yield self._way(facts, text, doubt)
        yield self._deadline(deadline, doubt)
        if deadline is not None:
            yield self._result(facts, text, deadline, doubt)

    def _subject(self, item: str) -> Subject:
        files = self.visit.attachments_of(self.page)
        return Subject(META.id, self.page.url, evidence_of(self.page, *files), self.visit.column.id, item)

    def _published(self, facts: PageFacts) -> date | None:
        return facts.published.date or self.page.visit.listed_date

    def _text(self, facts: PageFacts) -> str:
        files = (file.attachment.text for file in self.visit.attachments_of(self.page) if file.attachment)
        return "\n".join((facts.body_text, *files))[:CHARACTERS]

    # -------------------------------------------------------- how and until when

    def _way(self, facts: PageFacts, text: str, doubt: Obstacle | None) -> Finding:
        subject = self._subject(WAY)
        match = next((found for pattern in WAYS if (found := pattern.search(text))), None)
        if match is not None:
            return subject.passed("way_stated", "写明了提意见的方式。", passage=_around(text, match), where="正文")
        if any(kind == "textarea" for form in facts.forms for _, kind, _ in form.fields):
            return subject.passed("way_stated", "页面上有网上提交意见的表单。", where="网上表单")
        if doubt is not None:
            return subject.cannot_tell(doubt)
        observed = f"“{facts.title}”的正文里找不到电话、电子邮箱、通信地址、网上提交等任何一种提意见的方式。"
        return subject.failed("no_way", observed, f"请写明公众怎样提出意见。{CLAUSE}", where="正文")

    def _deadline(self, deadline: _Deadline | None, doubt: Obstacle | None) -> Finding:
        subject = self._subject(DEADLINE)
        if deadline is not None:
            return subject.passed("deadline_stated", "写明了截止时间。", passage=deadline.said, where="正文")
        if doubt is not None:
            return subject.cannot_tell(doubt)
        observed = "正文里找不到意见征集到什么时候截止。"
        return subject.failed("no_deadline", observed, f"请写明征集的起止时间。{CLAUSE}", where="正文")

    # -------------------------------------------------------- the result

    def _result(self, facts: PageFacts, text: str, deadline: _Deadline, doubt: Obstacle | None) -> Finding:
        subject = self._subject(RESULT)
        if (found := self._published_result(facts, text, deadline)) is not None:
            return subject.passed("result_published", "公布了征集的结果。", passage=found, where="正文或栏目列表")
        if deadline.day is None:
            observed = f"写的是“{deadline.said}”，看不出哪一天截止，也没有看到结果反馈。"
            return subject.finding(Outcome.INCONCLUSIVE, "deadline_unclear", observed, "请写明截止的日期。")
        days = (self.day - deadline.day).days
        if days <= self.rule.result_days:
            when = f"已截止 {days} 天" if days > 0 else "尚未截止"
            observed = f"{deadline.day:%Y-%m-%d} 截止，{when}，结果应当在截止后 {self.rule.result_days} 天内公布。"
            return subject.not_applicable("not_due", observed)
        if (rest := doubt or unread_rest(self.visit)) is not None:
            return subject.cannot_tell(rest)
        return subject.failed(
            "no_result",
            f"征集在 {deadline.day:%Y-%m-%d} 截止，到检查日已 {days} 天，页面和各栏目的列表里都没有结果反馈。",
            f"请在截止后 {self.rule.result_days} 天内公布收到多少意见、采纳情况；没有收到意见的也请说明。{CLAUSE}",
            passage=deadline.said,
            where="本页和栏目列表",
        )

    def _published_result(self, facts: PageFacts, text: str, deadline: _Deadline) -> str | None:
        """Return the words of a result: a sentence of the page, or a feedback entry or link of the same subject."""
        for sentence in _sentences(text):
            if DONE.search(sentence) and not PROMISE.search(sentence):
                return sentence
        listed = ((entry.title, entry.date) for entry in self.entries)
        linked = ((link.text, None) for link in facts.links)
        for title, dated in (*listed, *linked):
            early = dated is not None and deadline.day is not None and dated < deadline.day
            if FEEDBACK.search(title) and not early and _same_subject(facts.title, title):
                return title
        return None


# ---------------------------------------------------------------- reading


def _deadline_in(text: str, published: date | None, as_of: date) -> _Deadline | None:
    """Return until when comments are taken: the first sentence that speaks of it and bears a date or a span."""
    for sentence in _sentences(text):
        if not WHEN.search(sentence) or NOT_WHEN.search(sentence):
            continue
        days = [found.date for found in find_dates_in(sentence, as_of)]
        if days and (tail := TAIL.search(sentence)):
            days += _tail(days[0], tail)
        if not days:
            days = [found.date for found in find_dates_in(sentence, as_of, loose=True)]
        if days:
            return _Deadline(sentence, max(days))
        if (span := SPAN.search(sentence)) is not None:
            return _Deadline(sentence, published + _span(span) if published else None)
    return None


def _sentences(text: str) -> Iterator[str]:
    for line in text.splitlines()[:LINES]:
        yield from (part[:200] for part in re.split("[。；;]", line) if part.strip())


def _tail(first: date, match: re.Match[str]) -> list[date]:
    """The end of a range that does not repeat year or month: 2026年12月20日至1月10日."""
    month = int(match[1]) if match[1] else first.month
    year = first.year + (month < first.month)
    try:
        return [date(year, month, int(match[2]))]
    except ValueError:
        return []


def _span(match: re.Match[str]) -> timedelta:
    """A span in days, generously: working days with their week ends and a week of holidays."""
    number = int(match[1]) if match[1].isdigit() else _spelt(match[1])
    if match[2] == "个工作日":
        return timedelta(days=number * 7 // 5 + 9)
    return timedelta(days=number * 31 if match[2] == "个月" else number)


def _spelt(numerals: str) -> int:
    tens, ten, ones = numerals.rpartition("十")
    return (NUMERALS.get(tens, 1) * 10 if ten else 0) + NUMERALS.get(ones, 0)


def _same_subject(draft: str, feedback: str) -> bool:
    """Whether a feedback entry is about the draft: the same 《title》, mostly the same words, or no subject at all."""
    named, answered = SUBJECT.search(draft), SUBJECT.search(feedback)
    if named and answered:
        return named[1] in answered[1] or answered[1] in named[1]
    one, other = BOILERPLATE.sub("", draft), BOILERPLATE.sub("", feedback)
    pairs, others = ({words[at : at + 2] for at in range(len(words) - 1)} for words in (one, other))
    return not others or len(pairs & others) * 2 >= min(len(pairs), len(others))


def _around(text: str, match: re.Match[str]) -> str:
    start = text.rfind("\n", 0, match.start()) + 1
    return text[start : match.end() + 40].split("\n")[0]
