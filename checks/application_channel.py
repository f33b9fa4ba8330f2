"""依申请公开: an applicant learns on the page how to apply (online, by post, in person), on which form, where, when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from checks.facts.model import AttachmentFacts, Form, Link, PageFacts
from checks.judging.elsewhere import ELSEWHERE_REASONS, elsewhere_in_column, frame_of
from checks.judging.listing import addresses_read, lies_outside
from checks.judging.readability import (
    SHARED_REASONS,
    Obstacle,
    absence_of,
    attachment_name,
    column_obstacle,
    is_absent,
    is_gone,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Page, Scope
from checks.reading.addresses import comparable
from checks.reading.elements import stated_in
from checks.reading.link_answers import is_found, link_probes
from checks.reading.words import any_of
from config.rules import ApplicationChannelRule, Rules
from config.schema import ColumnType

META = CheckMeta(
    id="application_channel",
    title="依申请公开渠道",
    failure_title="依申请公开渠道不完整",
    basis="《政府信息公开条例》（国令第711号）第十二条、第二十九条（申请的提出）、第三十条、第三十三条（二十个工作日内答复）；"
    "石栾政办函〔2020〕118号“规范政府信息依申请公开办理”：畅通政府信息申请受理渠道，提高依申请公开网上办理能力",
    method="在“依申请公开”栏目的页面、文章和附件里逐项找：网上申请（表单、入口链接或电子邮箱）、信函或当面申请、申请表、受理地址、"
    "联系电话、二十个工作日的答复期限；页面写明“详见公开指南”的，指南里有也算。仍写旧条例十五个工作日的，不符合。有没读到的"
    "页面、附件、图片的，缺了也不下结论；只链接到站外平台的，除网上申请外不适用。",
    scope=Scope.COLUMN,
    reasons={
        "stated": "已写明",
        "missing": "没有写明",
        "blank": "有这一栏而没有填写",
        "entry_dead": "网上申请入口打不开",
        "form_gone": "申请表下载不到",
        "outdated_period": "答复期限还是旧条例的",
        "absent": "没有依申请公开栏目",
        "external_only": "栏目在站外平台",
        **ELSEWHERE_REASONS,
        **SHARED_REASONS,
    },
)
CLAUSES = "《政府信息公开条例》第十二条、第二十九条"
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", re.A)
TELEPHONE = re.compile(
    r"(?<!\d)(?:0\d{2,3}[)）\s—－-]{0,2})?[2-9]\d{2,3}[\s-]?\d{4}(?!\d)"
    r"|(?<!\d)(?:1[3-9]\d{9}|400-?\d{3,4}-?\d{3,4}|12345)(?!\d)"
)
TELEPHONE_LINE = re.compile("电话|热线|咨询|联系")
STREET = re.compile(r"(?:路|街|道|巷|村|镇|大厦)[一-鿿]{0,6}\d{1,5}\s?号")
PERIOD = re.compile(r"(?:20|２０|二十)\s?(?:[（(](?:20|２０|二十)[)）])?\s?个?\s?工作日")
FORMER_PERIOD = re.compile(r"(?:15|１５|十五)\s?个?\s?工作日")
REPLY = re.compile("答复|回复|办结")
THIRD_PARTY = re.compile("第三方|征求意见|补正")  # periods of fifteen days that still hold
PROCEDURE = re.compile("(?:申请|受理|办理)(?:公开)?(?:流程|须知|办法|说明|指南|指引|程序|方式)|如何申请|怎样申请")
TYPED = frozenset({"text", "textarea", "email", "tel", "number", "file"})
GUIDE = "公开指南"
PASSAGE = 80  # characters


@dataclass(frozen=True, slots=True)
class Found:
    """What speaks for an item, or with a `fault` what is wrong with it."""

    passage: str
    where: str
    fault: str = ""
    observed: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """What tells an applicant something: the column's pages and files, and the guide if the page names it.

    `dead` are the addresses that probes found cannot be had.
    """

    pages: tuple[PageFacts, ...]
    files: tuple[Page, ...]
    dead: frozenset[str]
    rule: ApplicationChannelRule

    @property
    def lines(self) -> Iterator[tuple[str, str]]:
        """Every line with the name of its place."""
        for facts in self.pages:
            yield from ((line, "正文") for line in facts.body_text.splitlines())
        for page, file in self._read_files():
            yield from ((line, f"附件“{attachment_name(page)}”") for line in file.text.splitlines())

    @property
    def links(self) -> tuple[Link, ...]:
        """The links of the pages."""
        return tuple(link for facts in self.pages for link in facts.links)

    @property
    def sources(self) -> tuple[PageFacts | AttachmentFacts, ...]:
        """What can be asked for labels."""
        return (*self.pages, *(file for _, file in self._read_files()))

    def line(self, search: Callable[[str], re.Match[str] | None]) -> Found | None:
        """Return the words around the first place that the search finds."""
        for text, where in self.lines:
            if (match := search(text)) is not None:
                start = max(0, match.start() - PASSAGE // 2)
                return Found(text[start : start + PASSAGE].strip(), where)
        return None

    @property
    def application_forms(self) -> tuple[Page, ...]:
        """The files that are application forms, captured or not."""
        return tuple(page for page in self.files if _holds(_words_of(page), self.rule.form_words))

    def _read_files(self) -> Iterator[tuple[Page, AttachmentFacts]]:
        """The files that tell something; what a form asks for (联系电话：) is the applicant's."""
        forms = self.application_forms
        yield from ((page, page.attachment) for page in self.files if page.attachment is not None and page not in forms)


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a finding for each item of each column of applications."""
    frame = frame_of(bundle)
    for visit in bundle.columns_of(ColumnType.APPLICATION):
        yield from _judge(visit, bundle, rules.checks.application_channel, frame)


def _judge(
    visit: ColumnVisit, bundle: Bundle, rule: ApplicationChannelRule, frame: frozenset[str]
) -> Iterator[Finding]:
    subject = Subject(META.id, visit.target, evidence_of(*visit.everything), visit.column.id)
    if is_absent(visit):
        expected = f"各机关都应当公布依申请公开的渠道，请开设“依申请公开”栏目。依据：{CLAUSES}。"
        yield subject.failed("absent", absence_of(visit), expected, where="单位的全部栏目")
    elif (obstacle := column_obstacle(visit)) is not None:
        yield subject.cannot_tell(obstacle)
    elif lies_outside(visit):
        yield subject.not_applicable("external_only", "栏目链接到站外的申请平台，渠道是否完整不由本站决定。")
    else:
        material = _material(visit, bundle, rule)
        doubt = _doubt(visit, bundle, frame)
        for item in ITEMS:
            yield _item(replace(subject, item=item.name), item, material, doubt)


def _item(subject: Subject, item: Item, material: Material, doubt: Obstacle | None) -> Finding:
    found = item.find(material)
    if found is not None and not found.fault:
        return subject.passed("stated", f"写明了{item.name}。", passage=found.passage, where=found.where)
    if found is None and doubt is not None:
        return subject.cannot_tell(doubt)
    if found is None:
        return subject.failed(
            "missing", f"栏目的页面、文章和附件里都找不到{item.name}。", item.expected, where="依申请公开栏目正文"
        )
    return subject.failed(found.fault, found.observed, item.expected, passage=found.passage, where=found.where)


# ---------------------------------------------------------------- material


def _material(visit: ColumnVisit, bundle: Bundle, rule: ApplicationChannelRule) -> Material:
    visits = (visit, *_guides(visit, bundle))
    pages = (page.facts for each in visits for page in (*each.pages, *each.articles))
    files = tuple(page for each in visits for page in each.attachments)
    dead = frozenset(probe.target for probe in link_probes(bundle) if is_found(probe, "dead"))
    return Material(tuple(facts for facts in pages if facts), files, dead, rule)


def _guides(visit: ColumnVisit, bundle: Bundle) -> tuple[ColumnVisit, ...]:
    """The columns of the unit's guide, where the page sends its readers there."""
    if not any(GUIDE in page.facts.body_text for page in (*visit.pages, *visit.articles) if page.facts):
        return ()
    return bundle.columns_of(ColumnType.DISCLOSURE_GUIDE)


def _doubt(visit: ColumnVisit, bundle: Bundle, frame: frozenset[str]) -> Obstacle | None:
    """Return why what was not found may be told all the same: in what was not read, or on a page only linked to."""
    for each in (visit, *_guides(visit, bundle)):
        if not is_absent(each) and (obstacle := elsewhere_in_column(each, frame)) is not None:
            return obstacle
    read = addresses_read(visit)
    for page in visit.pages:
        for link in page.facts.links if page.facts else ():
            if PROCEDURE.search(link.text) and comparable(link.url) not in read:
                observed = f"栏目里链接的“{link.text}”没有采集，可能写在里面，不能断定没有。"
                return Obstacle(Outcome.INCONCLUSIVE, "unread", observed)
    return None


# ---------------------------------------------------------------- items


def _online(material: Material) -> Found | None:
    """An entry or form that opens; an electronic mail address will do (数据电文)."""
    words = material.rule.online_words
    entries = [link for link in material.links if not link.attachment and _holds(link.text, words)]
    alive = next((link for link in entries if link.url not in material.dead), None)
    if alive is not None:
        return Found(alive.text, "入口链接")
    form = next((form for facts in material.pages for form in facts.forms if _is_application(form)), None)
    if form is not None:
        return Found(form.text[:PASSAGE], "网上表单")
    if (mail := material.line(lambda text: EMAIL.search(text) if "@" in text else None)) is not None:
        return mail
    if entries:
        observed = f"网上申请入口“{entries[0].text}”打不开（{entries[0].url}），也没有公布电子邮箱。"
        return Found(entries[0].text, "入口链接", "entry_dead", observed)
    return None


def _is_application(form: Form) -> bool:
    """Whether it takes an application and is no search: it speaks of one and asks for several things."""
    asked = sum(kind in TYPED for _, kind, _ in form.fields)
    return asked >= 3 and ("申请" in form.text or any("申请" in value for _, _, value in form.fields))


def _offline(material: Material) -> Found | None:
    return material.line(any_of(material.rule.offline_words).search)


def _form(material: Material) -> Found | None:
    """The application form as a file, on the page itself, or in place of it a form to fill in online."""
    words = material.rule.form_words
    files = material.application_forms
    gone = [page for page in files if is_gone(page)]
    if len(files) > len(gone):
        kept = next(page for page in files if page not in gone)
        return Found(attachment_name(kept), f"附件“{attachment_name(kept)}”")
    asked = {comparable(page.url) for page in files}
    linked = next(
        (
            link
            for link in material.links
            if link.attachment and _holds(link.text, words) and comparable(link.url) not in asked
        ),
        None,
    )
    if linked is not None:
        return Found(linked.text, "下载链接")
    if (inline := _form_on_page(material)) is not None:
        return inline
    if gone:
        observed = f"申请表“{attachment_name(gone[0])}”下载不到：服务器答复文件不存在。"
        return Found(attachment_name(gone[0]), "附件", "form_gone", observed)
    return None


def _words_of(page: Page) -> str:
    start = page.attachment.text[:100] if page.attachment else ""
    return f"{attachment_name(page)} {start}"


def _form_on_page(material: Material) -> Found | None:
    for facts in material.pages:
        if any(_is_application(form) for form in facts.forms):
            return Found(facts.title, "网上表单")
        for table in facts.tables:
            cells = {cell for row in table.rows for cell in row}
            if sum(any(_holds(cell, (label,)) for cell in cells) for label in material.rule.form_labels) >= 2:
                return Found(table.caption, "正文里的申请表")
    return None


def _address(material: Material) -> Found | None:
    return material.line(STREET.search) or _labelled(material, "地址")


def _phone(material: Material) -> Found | None:
    told = material.line(lambda text: TELEPHONE.search(text) if TELEPHONE_LINE.search(text) else None)
    return told or _labelled(material, "电话")


def _labelled(material: Material, element: str) -> Found | None:
    """What stands behind a label of the element; a label without a value is a fault of its own."""
    statement = stated_in(material.sources, {element: material.rule.labels.get(element, ())}).get(element)
    if statement is None or not statement.is_blank:
        return Found(statement.passage, statement.where) if statement else None
    return Found(statement.passage, statement.where, "blank", f"“{statement.label}”后面是空白。")


def _period(material: Material) -> Found | None:
    if (now := material.line(PERIOD.search)) is not None:
        return now
    former = material.line(_former_period)
    if former is None:
        return None
    observed = f"答复期限写的是“{former.passage}”，这是2019年5月15日以前旧条例的期限。"
    return Found(former.passage, former.where, "outdated_period", observed)


def _former_period(text: str) -> re.Match[str] | None:
    """Fifteen working days to reply; third parties and corrections have theirs still."""
    return FORMER_PERIOD.search(text) if REPLY.search(text) and not THIRD_PARTY.search(text) else None


def _holds(text: str, words: Iterable[str]) -> bool:
    return any(word in text for word in words)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing an applicant must learn: its name, how it is found, and what is expected where it is not."""

    name: str
    find: Callable[[Material], Found | None]
    expected: str


ITEMS = (
    Item(
        "网上申请", _online, f"请公布网上申请的入口或电子邮箱，并保证能用。依据：{CLAUSES}，石栾政办函〔2020〕118号。"
    ),
    Item("信函或当面申请", _offline, f"请写明信函、当面申请的办法。依据：{CLAUSES}。"),
    Item("申请表", _form, f"请提供可以下载的《政府信息公开申请表》或网上表单。依据：{CLAUSES}。"),
    Item("受理地址", _address, f"请写明受理申请的地址。依据：{CLAUSES}。"),
    Item("联系电话", _phone, f"请写明受理机构的联系电话。依据：{CLAUSES}。"),
    Item(
        "答复期限",
        _period,
        "请写明：能当场答复的当场答复，不能当场答复的自收到申请之日起二十个工作日内答复；需要延长的经同意并告知，最多再延长"
        "二十个工作日。依据：《政府信息公开条例》第三十三条。",
    ),
)
