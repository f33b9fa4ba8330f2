"""个人信息保护: no page or file gives away identity numbers, bank cards, or the mobile numbers of a list of people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from checks.facts.model import Table
from checks.judging.publications import UNREAD_REASONS, Publication, obstacle_of, publications, unread_columns
from checks.judging.readability import is_undecided, script_obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, Finding, Outcome, Scope
from checks.reading.masking import (
    NumberKind,
    PersonalNumber,
    born_on,
    is_bank_card,
    is_resident_id,
    masked,
    numbers_in,
)
from config.rules import PersonalInformationRule, Rules

META = CheckMeta(
    id="personal_information",
    title="个人信息保护",
    failure_title="公开了未遮盖的个人信息",
    basis="《政府信息公开条例》（国令第711号）第十五条：涉及个人隐私、公开会对第三方合法权益造成损害的政府信息，行政机关不得公开；"
    "《个人信息保护法》第二十五条、第二十八条；石栾政办函〔2020〕118号“切实保护各项法定权利”：严格落实个人信息保护有关规定",
    method="在抽到的网页、栏目页和附件的文字与表格里找没有遮盖的公民身份号码（区划、出生日期和校验码都合GB 11643）、"
    "银行卡号（校验位成立，两个以上）和人员名单里成批的手机号码。只公布姓名的公示、办公电话、通知里的联系人电话、企业和责任人名录、"
    "填写样例、通缉悬赏之类依法公布的，不算。所有结果里的号码一律遮盖后才显示和保存。",
    scope=Scope.PAGE,
    reasons={
        "none_found": "没有发现未遮盖的个人信息",
        "resident_ids": "公开了完整的公民身份号码",
        "bank_cards": "公开了完整的银行卡号",
        "mobile_numbers": "名单里公开了个人手机号码",
        "single_bank_card": "有像个人银行卡的号码",
        "sample": "填写样例里有完整的公民身份号码",
        "publication_required": "依法公布身份的公告",
        **UNREAD_REASONS,
    },
)
EXPECTED = (
    "请立即撤下或遮盖（如身份证号只留首尾几位），附件要在原文件里删改后重新上传；名单、公示只公布必要的姓名等内容。"
    "依据：《政府信息公开条例》第十五条，《个人信息保护法》第二十五条、第二十八条。"
)
REASONS = {
    NumberKind.RESIDENT_ID: "resident_ids",
    NumberKind.BANK_CARD: "bank_cards",
    NumberKind.MOBILE: "mobile_numbers",
}
LABEL_LENGTH = 16  # characters before a number in which its label stands
HEAD_ROWS = 3  # of a table, in which its heads are looked for
AROUND = 40  # characters quoted on either side
DAYS_OF_YEAR = 365.25
TELEPHONE = re.compile("电话|手机|联系方式")
CUT_BEFORE = re.compile(r"^[\d\sXx-]{1,40}")
CUT_AFTER = re.compile(r"[\d\sXx-]{1,40}$")
CELLS = "\t"  # between cells: no number runs across it

Rows = list[tuple[str, str]]  # lines of a list: the place of each, and its text


@dataclass(frozen=True, slots=True)
class Hit:
    """A number, what labels it, the line or row it stands in (masked already) and where that is."""

    number: PersonalNumber
    label: str
    passage: str
    where: str


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one verdict a page, article and attachment, and one for each column that was not read."""
    for visit, obstacle in unread_columns(bundle):
        yield Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id).cannot_tell(obstacle)
    for publication in publications(bundle):
        yield from _judge(publication, rules.checks.personal_information, bundle.day)


def _judge(publication: Publication, rule: PersonalInformationRule, day: date) -> Iterator[Finding]:
    subject = publication.subject(META.id)
    if (obstacle := obstacle_of(publication)) is not None:
        yield subject.cannot_tell(obstacle)
        return
    hits = _hits(publication)
    cards = () if _holds(publication.title, rule.payment_words) else _bank_cards(hits, rule)
    leaks = (*_resident_ids(hits, publication, rule, day), *cards, *_mobiles(publication, rule))
    if leaks and _holds(publication.title, rule.required_words):
        observed = f"{publication.name}是依法公布身份的公告，其中的号码不算泄露。"
        yield subject.not_applicable("publication_required", observed)
    elif leaks and _holds(publication.title, rule.sample_titles):
        observed = f"{publication.name}是填写样例，里面的“{leaks[0].number.shown}”是编的还是真人的，看不出来，请核实。"
        yield subject.finding(Outcome.INCONCLUSIVE, "sample", observed, EXPECTED, passage=leaks[0].passage)
    elif leaks:
        yield _failure(subject, publication, leaks)
    elif is_undecided(publication.page):
        yield subject.cannot_tell(script_obstacle())
    else:
        yield from _single_card(subject, publication, hits)
        observed = f"{publication.name}里没有完整的身份证号、成批的银行卡号，也没有附手机号码的人员名单。"
        yield subject.passed("none_found", observed)


def _failure(subject: Subject, publication: Publication, leaks: tuple[Hit, ...]) -> Finding:
    counts = {kind: sum(hit.number.kind is kind for hit in leaks) for kind in REASONS}
    seen = "、".join(f"{count} 个{kind}" for kind, count in counts.items() if count)
    first = leaks[0]
    observed = (
        f"{publication.name}公开了没有遮盖的{seen}，第一个在{first.where}，是“{first.number.shown}”（本结果已遮盖）。"
    )
    return subject.failed(
        REASONS[first.number.kind], observed, EXPECTED, passage=first.passage, where=f"{publication.name}{first.where}"
    )


def _single_card(subject: Subject, publication: Publication, hits: tuple[Hit, ...]) -> Iterator[Finding]:
    cards = [hit for hit in hits if hit.number.kind is NumberKind.BANK_CARD and is_bank_card(hit.number.digits)]
    for hit in cards[:1]:
        observed = (
            f"{publication.name}{hit.where}有像银行卡号的“{hit.number.shown}”，请核对是不是个人的；是就应当遮盖。"
        )
        yield subject.finding(Outcome.NOTICE, "single_bank_card", observed, EXPECTED, passage=hit.passage)


# ---------------------------------------------------------------- what leaks


def _resident_ids(
    hits: tuple[Hit, ...], publication: Publication, rule: PersonalInformationRule, day: date
) -> Iterator[Hit]:
    """Identity numbers beyond doubt. A project number may be made of division code and day as well: where the "birth"
    lies but a few years back, the page itself must speak of identity numbers."""
    for hit in hits:
        number = hit.number
        if number.kind is not NumberKind.RESIDENT_ID or not is_resident_id(number.digits, day):
            continue
        if number.digits in rule.sample_ids or _holds(hit.label, rule.sample_words):
            continue
        born, labelled = born_on(number.digits), _holds(hit.label, rule.id_words)
        if not labelled and _holds(hit.label, rule.code_words):
            continue
        grown = born is not None and (day - born).days >= rule.certain_age * DAYS_OF_YEAR
        if grown or labelled or _holds(publication.text, rule.id_words):
            yield hit


def _bank_cards(hits: tuple[Hit, ...], rule: PersonalInformationRule) -> tuple[Hit, ...]:
    found = tuple(
        hit
        for hit in hits
        if hit.number.kind is NumberKind.BANK_CARD
        and is_bank_card(hit.number.digits)
        and not _holds(hit.label, rule.code_words)
    )
    return found if len(found) >= rule.bank_cards else ()


def _mobiles(publication: Publication, rule: PersonalInformationRule) -> tuple[Hit, ...]:
    """Mobile numbers that stand in a list of private persons: its title, head or caption says whose they are."""
    if _holds(publication.title, rule.duty_words):
        return ()
    found: dict[str, Hit] = {}
    for head, rows in (*_table_lists(publication.tables), *_text_lists(publication.text)):
        if not _is_of_private_persons(f"{publication.title} {head}", rule):
            continue
        hits = (hit for where, text in rows for hit in _in_text(text, where))
        listed = {hit.number.digits: hit for hit in hits if hit.number.kind is NumberKind.MOBILE}
        if len(listed) >= rule.mobiles:
            found |= listed
    return tuple(found.values())


def _is_of_private_persons(about: str, rule: PersonalInformationRule) -> bool:
    return _holds(about, rule.name_words) and _holds(about, rule.private_words) and not _holds(about, rule.duty_words)


def _table_lists(tables: Iterable[Table]) -> Iterator[tuple[str, Rows]]:
    for table in tables:
        head = " ".join((table.caption, *(text for row in table.rows[:HEAD_ROWS] for text in row)))
        yield head, [(f"{_place_of(table)}第 {number} 行", " ".join(row)) for number, row in enumerate(table.rows, 1)]


def _text_lists(text: str) -> Iterator[tuple[str, Rows]]:
    """A list in running text, as PDF files give it: a line that heads names and telephones, and the lines below."""
    lines = text.splitlines() if "姓名" in text else []
    for number, line in enumerate(lines):
        if "姓名" in line and TELEPHONE.search(line) and len(line) <= 200:
            yield " ".join(lines[max(0, number - 2) : number + 1]), [("正文", text) for text in lines[number + 1 :]]
            return


# ---------------------------------------------------------------- where numbers stand


def _hits(publication: Publication) -> tuple[Hit, ...]:
    """Every number of the page once: in tables with the head of its column, elsewhere with the words before it."""
    found: dict[str, Hit] = {}
    for hit in (*_in_tables(publication.tables), *_in_text(publication.text, "正文")):
        found.setdefault(hit.number.digits, hit)
    return tuple(found.values())


def _in_tables(tables: Iterable[Table]) -> Iterator[Hit]:
    for table in tables:
        for number, row in enumerate(table.rows, 1):
            if any(numbers_in(CELLS.join(row))):
                yield from _in_row(table, number, row)


def _in_row(table: Table, number: int, row: tuple[str, ...]) -> Iterator[Hit]:
    where = f"{_place_of(table)}第 {number} 行"
    passage = masked(" ".join(row))[: 2 * AROUND]
    for column, cell in enumerate(row):
        for hit in _in_text(cell, where):
            head = " ".join(above[column] for above in table.rows[: min(HEAD_ROWS, number - 1)])
            beside = row[column - 1] if column else ""
            yield replace(hit, label=f"{head} {beside} {hit.label}", passage=passage)


def _in_text(text: str, where: str) -> Iterator[Hit]:
    for number in numbers_in(text):
        first = text.rfind("\n", 0, number.start) + 1
        last = text.find("\n", number.end)
        label = text[max(first, number.start - LABEL_LENGTH) : number.start]
        yield Hit(number, label, _quoted(text, number, first, last if last >= 0 else len(text)), where)


def _quoted(text: str, number: PersonalNumber, first: int, last: int) -> str:
    """The words around a number in its line, masked; what the cut leaves of another number is cut off as well."""
    before, after = text[max(first, number.start - AROUND) : number.start], text[number.end : number.end + AROUND]
    before = before if number.start - AROUND <= first else CUT_BEFORE.sub("", before)
    after = after[: last - number.end] if number.end + AROUND >= last else CUT_AFTER.sub("", after)
    return f"{masked(before)}{number.shown}{masked(after)}"


def _place_of(table: Table) -> str:
    return f"表格“{masked(table.caption)}”" if table.caption else "表格"


def _holds(text: str, words: Iterable[str]) -> bool:
    return any(word in text for word in words)
