"""规范性文件集中公开: one place, each document marked 有效, 失效 or 废止, none past its time, no number twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from checks.facts.labels import compact
from checks.facts.model import PageFacts
from checks.facts.official_form import form_of_text
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere, frame_of
from checks.judging.listing import entries_of, unread_rest
from checks.judging.readability import (
    ABSENT,
    SHARED_REASONS,
    attachment_failure,
    attachment_name,
    column_obstacle,
    is_absent,
    is_undecided,
    page_obstacle,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from checks.reading.validity import Status, Term, mark_in_list, mark_of, term_in, term_of
from config.rules import Rules
from config.schema import ColumnType

META = CheckMeta(
    id="normative_documents",
    title="规范性文件集中公开",
    failure_title="规范性文件未标明有效性或过期仍标有效",
    basis="石栾政办函〔2020〕118号“加强政府信息规范管理”：通过法定权威渠道集中统一公开现行有效的政府规章和规范性文件，及时立改废；"
    "国办公开办函〔2019〕61号：行政规范性文件标注有效性；《政府信息公开条例》（国令第711号）第二十条第一项",
    method="看“规范性文件”栏目里抽到的公文：有没有标明有效、失效或废止（信息标签表、标题、列表旁的标记，或者正文写明有效期），正文写明的"
    "有效期已满而没有标明失效的为过期；同一文号用于不同文件的为重号。自某日起有效若干年的，满期当天不算过期；取写明的最晚一天。",
    scope=Scope.COLUMN,
    reasons={
        "gathered": "规范性文件集中公开",
        "empty": "栏目空白（另由“空白栏目”评判）",
        "marked": "已标明有效性",
        "unmarked": "没有标明有效性",
        "expired": "有效期已满没有标明失效",
        "extended": "有效期已满但可能已经延长",
        "duplicate_number": "不同文件使用同一文号",
        "number_unique": "文号没有重复",
        "not_document": "不是公文",
        **ABSENT,
        **ELSEWHERE_REASONS,
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：石栾政办函〔2020〕118号“加强政府信息规范管理”、国办公开办函〔2019〕61号。"
EXTENDING = re.compile("延长|延期|继续有效|继续执行|继续实施|续期")
EXTENDED = re.compile(
    r"有效期[^，。；\n]{0,10}(?:延长|延续|顺延|续延)[^，。；\n]{0,30}|(?:延长|延续)有效期[^，。；\n]{0,30}"
)  # a later decision told on the page
LASTING = re.compile(r"(?:本(?!证)[一-鿿]{1,6}|^|起施行[，,]|有效期限?[：:为]?)长期有效", re.M)
NAMED = re.compile("《([^《》]{4,80})》")


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a verdict on each column of the type (item `place`) and on each sampled document (`validity`, `number`)."""
    visits = bundle.columns_of(ColumnType.NORMATIVE_DOCUMENT)
    frame = frame_of(bundle) if visits else frozenset[str]()
    for visit in visits:
        yield _judge_place(visit)
        for page in visit.articles:
            yield _judge_validity(page, visit, bundle.day, frame)
        for file in visit.attachments:
            if file.visit.parent is None:
                yield _judge_file(file, visit, bundle.day)
        yield from _judge_numbers(visit)


def _judge_place(visit: ColumnVisit) -> Finding:
    subject = Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id, "place")
    name = visit.column.name
    if is_absent(visit):
        observed = f"经确认，该单位没有“{name}”栏目；没有制发规范性文件的单位不需要这个栏目。"
        return subject.not_applicable("absent", observed)
    if (obstacle := column_obstacle(visit)) is not None:
        return subject.cannot_tell(obstacle)
    count = len(list(entries_of(visit))) or len(visit.articles)
    if count:
        return subject.passed("gathered", f"规范性文件集中公开在“{name}”栏目，读到 {count} 件。")
    if (rest := unread_rest(visit)) is not None:
        return subject.cannot_tell(rest)
    return subject.not_applicable("empty", f"“{name}”栏目里没有任何条目，由“空白栏目”检查评判。")


# ---------------------------------------------------------------- validity


def _judge_validity(page: Page, visit: ColumnVisit, day: date, frame: frozenset[str]) -> Finding:
    attached = visit.attachments_of(page)
    subject = _subject(page, visit, "validity", *attached)
    obstacle = page_obstacle(page)
    if obstacle is not None or page.facts is None:
        return subject.cannot_tell(obstacle or script_obstacle())
    if not page.facts.form.is_official:
        return subject.cannot_tell(script_obstacle()) if is_undecided(page) else _not_document(subject)
    mark = mark_of(page.facts) or mark_in_list(_lists(visit), page.visit.title or page.facts.title)
    term = term_of(page.facts, day, [file.attachment.text for file in attached if file.attachment])
    if term is not None and day > term.last_day and (mark is None or mark[0] is Status.VALID):
        return _expired(subject, visit, page.facts.title, term, mark, EXTENDED.search(page.facts.body_text))
    if mark is not None:
        return subject.passed("marked", f"已标明“{mark[0]}”（原文：{mark[1]}）。", passage=mark[1])
    if lasting := LASTING.search(page.facts.body_text):
        return subject.passed("marked", f"正文写明“{lasting[0]}”。", passage=lasting[0], where="正文")
    if term is not None:
        return subject.passed("marked", f"正文写明有效期到 {term.last_day:%Y-%m-%d}，尚未届满。", passage=term.passage)
    if (obstacle := elsewhere(page, attached, frame)) is not None:
        return subject.cannot_tell(obstacle)
    return _unmarked(subject, page.facts.title, page.facts.document.validity)


def _judge_file(file: Page, visit: ColumnVisit, day: date) -> Finding:
    """Judge a document that the list leads straight to as a file."""
    subject, name = _subject(file, visit, "validity"), attachment_name(file)
    why = attachment_failure(file)
    mark = mark_in_list(_lists(visit), file.visit.title)
    term = term_in(file.attachment.text, day) if file.attachment else None
    if term is not None and day > term.last_day and (mark is None or mark[0] is Status.VALID):
        return _expired(subject, visit, name, term, mark)
    if mark is not None or term is not None:
        seen = f"列表标明“{mark[0]}”" if mark else f"文件写明有效期到 {term.last_day:%Y-%m-%d}" if term else ""
        return subject.passed("marked", f"“{name}”{seen}。", where="列表" if mark else f"文件“{name}”")
    if why or file.attachment is None:
        observed = f"列表直接链接到文件“{name}”，文件没能读取（{why}），可能写有有效期，不能断定没有标明。"
        return subject.finding(Outcome.NOT_TESTED, "attachment_unread", observed)
    if not form_of_text(file.visit.title, file.attachment.text).is_official:
        return _not_document(subject)
    return _unmarked(subject, name, None)


def _subject(page: Page, visit: ColumnVisit, item: str, *attached: Page) -> Subject:
    return Subject(META.id, page.url, evidence_of(page, *attached, *visit.pages), visit.column.id, item)


def _lists(visit: ColumnVisit) -> list[PageFacts]:
    return [page.facts for page in visit.pages if page.facts is not None]


def _not_document(subject: Subject) -> Finding:
    return subject.not_applicable(
        "not_document", "不是公文（没有发文字号、主送机关、落款等公文形式），不要求标明有效性。"
    )


def _unmarked(subject: Subject, title: str, value: str | None) -> Finding:
    if value is None:
        seen = "信息标签表、标题、列表和正文里都没有标明有效、失效或废止，也没有写明有效期"
    else:
        seen = (
            f"信息标签表的“有效性”一栏填的是“{value}”，看不出有效还是失效"
            if value
            else "信息标签表的“有效性”一栏是空白"
        )
    return subject.failed(
        "unmarked",
        f"规范性文件“{title}”{seen}。",
        f"公开的规范性文件应当标明“有效”“失效”或“废止”，请在信息标签表的“有效性”一栏填写。{CLAUSE}",
        passage=title,
        where="信息标签表",
    )


def _expired(
    subject: Subject,
    visit: ColumnVisit,
    title: str,
    term: Term,
    mark: tuple[Status, str] | None,
    extended: re.Match[str] | None = None,
) -> Finding:
    extension = extended[0] if extended else _extension(visit, title)
    if extension:
        place = "正文" if extended else "列表"
        observed = (
            f"写明的有效期到 {term.last_day:%Y-%m-%d}，但{place}里另有“{extension}”，可能已经延长，不能断定失效。"
        )
        return subject.finding(Outcome.INCONCLUSIVE, "extended", observed)
    seen = f"仍标“{mark[1]}”" if mark else "没有标明失效"
    return subject.failed(
        "expired",
        f"“{title}”写明的有效期到 {term.last_day:%Y-%m-%d}（原文：{term.passage}），已经届满，{seen}。",
        f"有效期届满的应当改标“失效”；继续执行的应当公布延长有效期的文件，并改正有效期。{CLAUSE}",
        passage=term.passage,
        where="有效性标记和正文",
    )


def _extension(visit: ColumnVisit, title: str) -> str:
    """Return the title of a listed document that may have extended this one, or an empty string."""
    names = {compact(name) for name in NAMED.findall(title)} or {compact(title)}
    for entry in entries_of(visit):
        other = compact(entry.title)
        if EXTENDING.search(other) and (any(name in other for name in names) or not NAMED.search(other)):
            return entry.title
    return ""


# ---------------------------------------------------------------- numbers


def _judge_numbers(visit: ColumnVisit) -> Iterator[Finding]:
    """Yield a finding for each numbered document; of those that share a number, the first in the list is at fault."""
    numbered: dict[str, list[tuple[Page, PageFacts]]] = {}
    for page in visit.articles:
        if (
            page.facts
            and page_obstacle(page) is None
            and page.facts.form.is_official
            and page.facts.document.doc_number
        ):
            numbered.setdefault(_plain_number(page.facts.document.doc_number), []).append((page, page.facts))
    for documents in numbered.values():
        page, facts = documents[0]
        subject = _subject(page, visit, "number")
        others = [(other, named) for other, named in documents[1:] if compact(named.title) != compact(facts.title)]
        number = facts.document.doc_number or ""
        if others:
            yield _duplicate(replace(subject, evidence=evidence_of(*(p for p, _ in documents))), number, facts, others)
        else:
            yield subject.passed("number_unique", f"文号“{number}”没有用于别的文件。", passage=number)


def _plain_number(number: str) -> str:
    return re.sub(r"[〔\[【（(〕\]】）)\s第]", "", number)


def _duplicate(subject: Subject, number: str, facts: PageFacts, others: list[tuple[Page, PageFacts]]) -> Finding:
    named = "、".join(f"“{other.title}”（{page.url}）" for page, other in others[:3])
    return subject.failed(
        "duplicate_number",
        f"“{facts.title}”的文号“{number}”同时用于另一件规范性文件：{named}。",
        f"一个文号只能对应一件文件，请核对原件，改正填错的一处。{CLAUSE}",
        passage=number,
        where="信息标签表的发文字号",
    )
