"""公开属性标注: every official document states 主动公开, 依申请公开 or 不予公开, the same wherever it says so."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.attributes import is_attribute_label
from checks.facts.model import AttributePlace, AttributeStatement, PageFacts
from checks.facts.official_form import form_of_text
from checks.judging.publications import ArticleVisit, articles_of, listed_files, unread_document_columns
from checks.judging.readability import (
    SHARED_REASONS,
    attachment_failure,
    attachment_name,
    is_undecided,
    page_obstacle,
    script_obstacle,
    unread_attachments,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from config.rules import Rules

META = CheckMeta(
    id="open_attribute",
    title="公开属性标注",
    failure_title="公文未标注或错标公开属性",
    basis="《〈关于全面推进政务公开工作的意见〉实施细则》（国办发〔2016〕80号）：拟制公文时要明确主动公开、依申请公开、"
    "不予公开等属性；《政府信息公开条例》（国令第711号）第十三条；石栾政办函〔2020〕118号“加强政府信息规范管理”：印发公文时"
    "要明确标注公开属性",
    method="逐篇看抽到的公文：在信息标签表、网页标签、文末附注（如“此件公开发布”）和附件里找公开属性；找到的各处须一致。"
    "列表直接链接到文件的，看文件本身。新闻、图片等非公文不适用；附件读不了而网页上又没有的，不下结论。",
    scope=Scope.PAGE,
    reasons={
        "labelled": "已标注公开属性",
        "missing": "未标注公开属性",
        "contradictory": "各处标注的公开属性不一致",
        "unrecognised": "公开属性一栏空白或不是规定的三种",
        "not_document": "不是公文",
        "attachment_unread": "附件未能读取，可能标在附件里",
        "in_the_list": "可能标在列表里",
        **SHARED_REASONS,
    },
)

EXPECTED = (
    "公文应当标明“主动公开”“依申请公开”“不予公开”之一：在信息标签表的“公开属性”一栏填写，或在文末附注注明（如“（此件公开发布）”）。"
    "依据：国办发〔2016〕80号、《政府信息公开条例》第十三条、石栾政办函〔2020〕118号。"
)
PLACES = {
    AttributePlace.TABLE: "信息标签表",
    AttributePlace.META: "网页标签（meta）",
    AttributePlace.ENDNOTE: "文末附注",
    AttributePlace.ATTACHMENT: "附件",
}
WITHOUT_ATTRIBUTE = ("xls", "xlsx", "et", "csv", "mp3", "mp4")  # formats in which no document is signed and labelled

Place = tuple[str, AttributeStatement]


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding an article, and one for each column of documents that could not be read."""
    for visit, obstacle in unread_document_columns(bundle):
        yield Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id).cannot_tell(obstacle)
    for article in articles_of(bundle):
        yield _judge(article)
    for file, visit in listed_files(bundle):
        yield _judge_file(file, visit)


def _judge(article: ArticleVisit) -> Finding:
    subject = Subject(META.id, article.page.url, evidence_of(article.page, *article.attachments), article.column_id)
    obstacle = page_obstacle(article.page)
    if obstacle is not None or article.page.facts is None:
        return subject.cannot_tell(obstacle or script_obstacle())
    if not article.page.facts.form.is_official:
        if is_undecided(article.page):
            return subject.cannot_tell(script_obstacle())
        return subject.not_applicable(
            "not_document", "不是公文（没有发文字号、主送机关、落款等公文形式），不要求标注公开属性。"
        )
    places = _places(article)
    return _judge_stated(subject, places) if places else _judge_unstated(subject, article, article.page.facts)


def _judge_file(file: Page, visit: ColumnVisit) -> Finding:
    """Judge a document that is published only as a file: nothing but the file, or the list, can label it."""
    subject = Subject(META.id, file.url, evidence_of(file), visit.column.id)
    name, facts = attachment_name(file), file.attachment
    why = attachment_failure(file)
    if facts is None or why:
        observed = f"列表直接链接到文件“{name}”，文件没能读取（{why}），不能断定没有标注。"
        return subject.finding(Outcome.NOT_TESTED, "attachment_unread", observed, EXPECTED)
    values = {statement.value for statement in facts.attributes}
    if len(values) == 1:
        first, where = facts.attributes[0], f"文件“{name}”"
        return subject.passed("labelled", f"{where}里标注“{first.value}”。", passage=first.text, where=where)
    if values or not form_of_text(file.visit.title, facts.text).is_official:
        return subject.not_applicable("not_document", f"文件“{name}”不是单件公文，不要求标注公开属性。")
    if any("公开属性" in page.facts.body_text for page in visit.pages if page.facts):
        return subject.finding(Outcome.INCONCLUSIVE, "in_the_list", "公开属性可能标在列表里，没有逐条对照。", EXPECTED)
    observed = f"这件公文只以文件“{name}”发布，文件里没有公开属性。"
    return subject.failed("missing", observed, EXPECTED, passage=name, where=f"文件“{name}”")


def _places(article: ArticleVisit) -> tuple[Place, ...]:
    """Return every statement with the name of its place, the page's own first.

    An attachment that names several attributes lists them (a catalogue does), and labels nothing.
    """
    facts = article.page.facts
    found: list[Place] = [(PLACES[statement.where], statement) for statement in (facts.attributes if facts else ())]
    for attachment in article.attachments:
        statements = attachment.attachment.attributes if attachment.attachment else ()
        if len({statement.value for statement in statements}) == 1:
            found.append((f"附件“{attachment_name(attachment)}”", statements[0]))
    return tuple(found)


def _judge_stated(subject: Subject, places: tuple[Place, ...]) -> Finding:
    name, first = places[0]
    if len({statement.value for _, statement in places}) == 1:
        return subject.passed("labelled", f"{name}标注“{first.value}”。", passage=first.text, where=name)
    seen = "；".join(f"{place}标注“{statement.value}”（原文：{statement.text}）" for place, statement in places)
    other = next(place for place, statement in places if statement.value is not first.value)
    return subject.failed(
        "contradictory",
        f"同一件公文各处标注的公开属性不一致：{seen}。",
        f"各处应当一致。请核对公文原件，改正标错的一处。{EXPECTED}",
        passage=first.text,
        where=f"{name}、{other}",
    )


def _judge_unstated(subject: Subject, article: ArticleVisit, facts: PageFacts) -> Finding:
    if is_undecided(article.page):
        return subject.cannot_tell(script_obstacle())
    label = _unrecognised_label(facts)
    if label is not None:
        name, value = label
        seen = f"填的是“{value}”，不是规定的三种之一" if value else "是空白"
        observed = f"信息标签表里有“{name}”一栏，但{seen}。"
        return subject.failed(
            "unrecognised", observed, EXPECTED, passage=f"{name}：{value}", where=PLACES[AttributePlace.TABLE]
        )
    files = unread_attachments(article.page, article.attachments)
    unread = "、".join(told for url, told in files if not url.lower().endswith(WITHOUT_ATTRIBUTE))
    if unread:
        observed = f"网页上没有公开属性，而附件{unread}没能读取，可能标在附件里，不能断定没有标注。"
        return subject.finding(Outcome.NOT_TESTED, "attachment_unread", observed, EXPECTED)
    attached = f"和 {len(article.attachments)} 个附件" if article.attachments else ""
    observed = f"这件公文的信息标签表、网页标签、文末附注{attached}里都没有公开属性。"
    return subject.failed("missing", observed, EXPECTED, passage=facts.title, where="全页")


def _unrecognised_label(facts: PageFacts) -> tuple[str, str] | None:
    """Return the table's label for the attribute with its value. Other labels than 公开属性 (公开方式 …) name a channel
    as often as an attribute, so they count only while blank."""
    for name, value in facts.document.labels:
        if is_attribute_label(name) and ("公开属性" in name or not value.strip()):
            return name, value.strip()
    return None
