"""公文要素: an official document shows its elements, well-formed and in agreement with each other."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date

from checks.facts.labels import compact
from checks.facts.model import DateMeaning, DateSource, PageFacts
from checks.facts.official_form import LABEL_TABLE, SIGNATURE
from checks.judging.publications import ArticleVisit, articles_of, unread_document_columns
from checks.judging.readability import SHARED_REASONS, is_undecided, page_obstacle, script_obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, Finding, Scope
from checks.reading.issuing_organ import names_another_organ
from config.rules import Rules

META = CheckMeta(
    id="document_metadata",
    title="公文要素",
    failure_title="公文要素缺失或不规范",
    basis="《政府信息公开条例》（国令第711号）第十二条：政府信息公开目录包括索引、名称、内容概述、生成日期等；国办公开办函〔2019〕61号；"
    "GB/T 9704—2012《党政机关公文格式》7.2.4 发文机关标志、7.2.5 发文字号、7.3.5 发文机关署名和成文日期",
    method="逐篇看抽到的公文：索引号、发文机关、发文字号、成文日期、发布日期是否齐全，索引号和发文字号的写法是否规范，成文日期是否"
    "不晚于发布日期，机关代字与发文机关是否相符（只在能够断定时判）。没有文号的公文在标签表里写“无”即可。",
    scope=Scope.PAGE,
    reasons={
        "complete": "公文要素齐全",
        "missing_index_number": "缺索引号",
        "missing_issuer": "缺发文机关",
        "missing_doc_number": "缺发文字号",
        "missing_written_date": "缺成文日期",
        "missing_published_date": "缺发布日期",
        "malformed_index_number": "索引号写法不规范",
        "malformed_doc_number": "发文字号写法不规范",
        "dates_out_of_order": "成文日期晚于发布日期",
        "number_issuer_mismatch": "机关代字与发文机关不符",
        "not_document": "不是公文",
        **SHARED_REASONS,
    },
)

PLACE = "信息标签表"
ELEMENTS = {
    "index_number": ("索引号", "依据：《政府信息公开条例》第十二条（目录包括索引）、国办公开办函〔2019〕61号。"),
    "issuer": ("发文机关", "依据：GB/T 9704—2012 7.2.4、7.3.5，国办公开办函〔2019〕61号。"),
    "doc_number": ("发文字号", "没有文号的写“无”。依据：GB/T 9704—2012 7.2.5，国办公开办函〔2019〕61号。"),
    "written_date": ("成文日期", "依据：《政府信息公开条例》第十二条（目录包括生成日期）、GB/T 9704—2012 7.3.5。"),
    "published_date": (
        "发布日期",
        "依据：《政府信息公开条例》第二十六条（形成之日起20个工作日内公开）、国办公开办函〔2019〕61号。",
    ),
}
BLANK = frozenset({"", "无", "暂无", "-", "--", "—", "——", "/"})
NO_NUMBER = frozenset({"无", "无文号", "无字号", "暂无", "—", "——", "/"})
NUMBER_LABEL = re.compile(r"文号|发文字号|文件编号")
INDEX_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9/\\\-_.:·()\[\]〔〕]{3,}")
FULL_WIDTH_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
DOC_NUMBER = re.compile(r"[\u4e00-\u9fff]{1,20}〔(?:19|20)\d{2}〕[1-9]\d{0,4}号")
ORDER_NUMBER = re.compile(
    r"(?:[\u4e00-\u9fff]{0,30}(?:令|公告|通告))?(?:(?:19|20)\d{2}年)?第[1-9]\d{0,4}号"
)  # 令, 公告


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a finding for each fault of each official document, or one PASS for a complete one."""
    for visit, obstacle in unread_document_columns(bundle):
        yield Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id).cannot_tell(obstacle)
    required = rules.checks.document_metadata.required
    for article in articles_of(bundle):
        yield from _judge(article, required)


def _judge(article: ArticleVisit, required: tuple[str, ...]) -> Iterator[Finding]:
    subject = Subject(META.id, article.page.url, evidence_of(article.page), article.column_id)
    facts = article.page.facts
    obstacle = page_obstacle(article.page)
    if obstacle is not None or facts is None:
        yield subject.cannot_tell(obstacle or script_obstacle())
        return
    undecided = is_undecided(article.page)
    if not facts.form.is_official:
        yield subject.cannot_tell(script_obstacle()) if undecided else _not_document(subject)
        return
    faults = [fault for judge in FORM_JUDGES if (fault := judge(subject, facts)) is not None]
    missing = [element for element in required if MISSING[element](facts)]
    if missing and undecided:
        yield subject.cannot_tell(script_obstacle("、".join(ELEMENTS[element][0] for element in missing)))
    elif missing:
        yield from (_missing(subject, element, facts) for element in missing)
    yield from faults
    if not missing and not faults:
        yield subject.passed("complete", f"公文要素齐全：{_summary(facts)}。", where=PLACE)


def _not_document(subject: Subject) -> Finding:
    return subject.not_applicable(
        "not_document", "不是公文（没有发文字号、主送机关、落款等公文形式），不检查公文要素。"
    )


def _summary(facts: PageFacts) -> str:
    document = facts.document
    shown = (
        ("索引号", document.index_number),
        ("发文机关", document.issuer),
        ("发文字号", document.doc_number),
        ("成文日期", document.written_date or _iso(_written_on(facts))),
        ("发布日期", document.published_date or _iso(_published_on(facts))),
    )
    return "，".join(f"{name} {value}" for name, value in shown if value)


# ---------------------------------------------------------------- missing elements


def _missing(subject: Subject, element: str, facts: PageFacts) -> Finding:
    name, clause = ELEMENTS[element]
    value = getattr(facts.document, element)
    if value is None:
        table = "信息标签表里没有“{}”，页面其他地方也没有标明。" if _has_label_table(facts) else "页面上没有标明{}。"
        seen = table.format(name)
    else:
        seen = f"标有“{name}”，但值是空白（“{value}”）。"
    expected = f"公文页面应当标明{name}。请在信息标签表里补上“{name}”。{clause}"
    return subject.failed(f"missing_{element}", seen, expected, passage=facts.title, where=PLACE)


def _is_blank(value: str | None) -> bool:
    return value is None or value.strip() in BLANK


def _has_label_table(facts: PageFacts) -> bool:
    return LABEL_TABLE in facts.form.signs


def _lacks_issuer(facts: PageFacts) -> bool:
    """Without a label table the signature (落款) names the issuer."""
    signed = SIGNATURE in facts.form.signs and not _has_label_table(facts)
    return _is_blank(facts.document.issuer) and not signed


def _lacks_written_date(facts: PageFacts) -> bool:
    """A signature (署名) counts as one only with its date, so it shows the date wherever the table does not."""
    shown = not _is_blank(facts.document.written_date) or _written_on(facts) is not None
    return not shown and SIGNATURE not in facts.form.signs


def _lacks_number(facts: PageFacts) -> bool:
    """A document without a number is no fault while it has no label table, or when the table says 无."""
    if not _has_label_table(facts) or not _is_blank(facts.document.doc_number):
        return False
    said = (value.strip() for label, value in facts.document.labels if NUMBER_LABEL.search(label))
    return not any(value in NO_NUMBER for value in said)


def _written_on(facts: PageFacts) -> date | None:
    written = (c.date for c in facts.published.candidates if c.meaning is DateMeaning.WRITTEN)
    return facts.document.written_on or next(written, None)


def _published_on(facts: PageFacts) -> date | None:
    """Return the published date that a visitor sees; one from meta alone may be the rebuild time of the page."""
    shown = facts.published.source not in (DateSource.META, DateSource.URL)
    return facts.document.published_on or (facts.published.date if shown else None)


MISSING: dict[str, Callable[[PageFacts], bool]] = {
    "index_number": lambda facts: _is_blank(facts.document.index_number),
    "issuer": _lacks_issuer,
    "doc_number": _lacks_number,
    "written_date": _lacks_written_date,
    "published_date": lambda facts: _is_blank(facts.document.published_date) and _published_on(facts) is None,
}

# ---------------------------------------------------------------- form and agreement


def _malformed_index_number(subject: Subject, facts: PageFacts) -> Finding | None:
    value = facts.document.index_number
    if value is None or _is_blank(value):
        return None
    written = compact(unicodedata.normalize("NFKC", value))
    if INDEX_NUMBER.fullmatch(written) and any(character.isdigit() for character in written):
        return None
    return subject.failed(
        "malformed_index_number",
        f"索引号写作“{value}”，不是由数字、字母和分隔符组成的编号。",
        "索引号应当是能唯一指向这条信息的编号，如“机构代码/年份-流水号”。依据：《政府信息公开条例》第十二条、国办公开办函〔2019〕61号。",
        passage=value,
        where=PLACE,
    )


def _malformed_doc_number(subject: Subject, facts: PageFacts) -> Finding | None:
    value = facts.document.doc_number
    if value is None or _is_blank(value) or value.strip() in NO_NUMBER:
        return None
    numbers = re.split(r"[、，,;；]", compact(value).translate(FULL_WIDTH_DIGITS))
    if all(DOC_NUMBER.fullmatch(number) or ORDER_NUMBER.fullmatch(number) for number in numbers if number):
        return None
    return subject.failed(
        "malformed_doc_number",
        f"发文字号写作“{value}”，不合“机关代字〔年份〕序号号”的写法。",
        "发文字号由机关代字、年份、发文顺序号组成，年份标全称并用六角括号“〔〕”括入，顺序号不加“第”字、不编虚位（1不编为01），"
        "后加“号”字，如“石栾政办函〔2020〕118号”。依据：GB/T 9704—2012 7.2.5。",
        passage=value,
        where=PLACE,
    )


def _dates_out_of_order(subject: Subject, facts: PageFacts) -> Finding | None:
    written, published = _written_on(facts), _published_on(facts)
    if written is None or published is None or written <= published:
        return None
    days, document = (written - published).days, facts.document
    return subject.failed(
        "dates_out_of_order",
        f"成文日期 {written:%Y-%m-%d} 晚于发布日期 {published:%Y-%m-%d}，相差 {days} 天。",
        "公文成文之后才能发布，成文日期不应晚于发布日期。请核对原件，改正填错的一个。依据：GB/T 9704—2012 7.3.5，"
        "《政府信息公开条例》第二十六条。",
        passage=f"成文日期 {document.written_date or written}；发布日期 {document.published_date or published}",
        where=PLACE,
    )


def _number_issuer_mismatch(subject: Subject, facts: PageFacts) -> Finding | None:
    number, issuer = facts.document.doc_number or "", facts.document.issuer or ""
    organs = names_another_organ(number, issuer, facts.document.labels)
    if organs is None:
        return None
    return subject.failed(
        "number_issuer_mismatch",
        f"发文字号“{number}”的机关代字属于{organs}，而发文机关写的是“{issuer}”。",
        "发文字号的机关代字应当是发文机关的代字。请核对原件，改正填错的一项。依据：GB/T 9704—2012 7.2.4、7.2.5。",
        passage=f"发文字号 {number}；发文机关 {issuer}",
        where=PLACE,
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


FORM_JUDGES: tuple[Callable[[Subject, PageFacts], Finding | None], ...] = (
    _malformed_index_number,
    _malformed_doc_number,
    _dates_out_of_order,
    _number_issuer_mismatch,
)
