"""基层政务公开标准目录: catalogues of the unit's pilot fields are published, with whole heads and filled rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from checks.catalog_table import (
    TEXT_COLUMNS,
    TICKED_COLUMNS,
    CatalogRow,
    CatalogTable,
    Mark,
    fields_named,
    mark_of,
    read_catalogs,
    rows_by_field,
)
from checks.facts.model import Table
from checks.model import Bundle, CheckMeta, ColumnVisit, FailureKind, Finding, Outcome, Page, Scope
from checks.readability import (
    SHARED_REASONS,
    Obstacle,
    attachment_name,
    attachment_obstacle,
    column_obstacle,
    comparable,
    file_name,
    is_absent,
    is_undecided,
    page_obstacle,
    script_obstacle,
    uncaptured_attachments,
)
from checks.verdict import Subject, evidence_of
from config.rules import Rules, StandardCatalogRule
from config.schema import ColumnType, UnitKind

META = CheckMeta(
    id="standard_catalog",
    title="基层政务公开标准目录",
    failure_title="基层政务公开标准目录未公布或不完整",
    basis="《国务院办公厅关于全面推进基层政务公开标准化规范化工作的指导意见》（国办发〔2019〕54号）；国务院部门印发的26个试点领域基层"
    "政务公开标准指引；冀政办字〔2020〕22号：编制政务公开事项标准目录，通过县级政府门户网站向社会公开",
    method="按单位分担的试点领域逐个找目录：栏目页、文章和附件（xlsx、docx、pdf）里的表格。核对表头十栏是否齐全、有没有内容行、"
    "公开事项、公开内容、公开依据、公开时限、公开主体是否空白、公开渠道、对象、方式、层级是否勾选。图片、扫描件、加密文件不下结论。",
    scope=Scope.COLUMN,
    reasons={
        "published": "目录已公布且完整",
        "not_published": "没有公布标准目录",
        "field_missing": "缺少该领域的目录",
        "head_incomplete": "目录表头不全",
        "no_rows": "目录没有内容行",
        "empty_cells": "目录有空白单元格",
        "unticked": "目录有未勾选的行",
        "no_pilot_field": "没有分担试点领域",
        "column_not_listed": "巡查清单里没有该栏目",
        "attachment_unread": "目录是图片或附件未能读取",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国办发〔2019〕54号、26个试点领域标准指引、冀政办字〔2020〕22号。"
PICTURE_TEXT = 120  # an article named as a catalogue with less text than this, and no table, shows a picture of it
TEXT_HEADS = 5  # so many head names in running text make a catalogue that is no table
LISTED = 5  # faulty rows named in a finding


@dataclass(frozen=True, slots=True)
class Catalog:
    """A catalogue with the page it stands on, and that place in Chinese."""

    table: CatalogTable
    page: Page
    where: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one catalogue says of one pilot field."""

    catalog: Catalog
    rows: tuple[CatalogRow, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """A place that may hold a catalogue and was not read: the names it goes by, and why it was not."""

    names: tuple[str, ...]
    obstacle: Obstacle


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield the findings of each pilot field of the unit; of the whole catalogue (item "") for a township without."""
    if bundle.unit is None:
        return
    rule = rules.checks.standard_catalog
    visits = [visit for visit in bundle.columns if visit.column.type is ColumnType.STANDARD_CATALOG]
    items = bundle.unit.catalog_fields or (("",) if bundle.unit.kind is UnitKind.TOWNSHIP else ())
    place = f"{bundle.unit.id}/{META.id}"
    if not items:
        subject = Subject(META.id, visits[0].target if visits else place)
        yield subject.not_applicable(
            "no_pilot_field", "巡查清单里该单位没有分担26个试点领域中的任何一个，不检查标准目录。"
        )
    elif not visits:
        observed = "巡查清单（sites.toml）里该单位没有“基层政务公开标准目录”栏目，没有检查。"
        yield from (
            Subject(META.id, place, item=item).finding(Outcome.NOT_TESTED, "column_not_listed", observed)
            for item in items
        )
    for visit in visits if items else ():
        yield from _judge_column(visit, items, rule)


def _judge_column(visit: ColumnVisit, items: tuple[str, ...], rule: StandardCatalogRule) -> Iterator[Finding]:
    whole = Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id)
    obstacle = column_obstacle(visit)
    catalogs = () if obstacle else tuple(_catalogs(visit, rule))
    for item in items:
        subject = replace(whole, item=item)
        if is_absent(visit):
            yield _not_published(subject, "经确认，该单位没有“基层政务公开标准目录”栏目。")
        elif obstacle is not None:
            yield subject.cannot_tell(obstacle)
        else:
            yield from _judge_item(subject, visit, catalogs, rule)


def _not_published(subject: Subject, observed: str) -> Finding:
    field = f"“{subject.item}”领域的" if subject.item else ""
    return subject.failed(
        "not_published", observed, f"应当在该栏目公布{field}基层政务公开标准目录。{CLAUSE}", where="栏目"
    )


def _judge_item(
    subject: Subject, visit: ColumnVisit, catalogs: tuple[Catalog, ...], rule: StandardCatalogRule
) -> Iterator[Finding]:
    shares = _shares(subject.item, catalogs, rule)
    if shares:
        yield from _judge_shares(subject, shares, rule)
        return
    obstacle = next(_obstacles(subject.item, visit, catalogs, rule), None)
    if obstacle is not None:
        yield subject.cannot_tell(obstacle)
    elif catalogs:
        names = "、".join(
            sorted({field for catalog in catalogs for field in rows_by_field(catalog.table, rule.fields)})
        )
        yield subject.failed(
            "field_missing",
            f"该栏目公布了{names or '其他'}领域的目录，没有“{subject.item}”领域的目录。",
            f"应当在该栏目公布“{subject.item}”领域的基层政务公开标准目录。{CLAUSE}",
            where="栏目",
        )
    else:
        yield _not_published(
            subject, f"栏目能够打开，但栏目页、{len(visit.articles)} 篇文章和它们的附件里都没有标准目录表格。"
        )


# ---------------------------------------------------------------- finding the catalogues


def _catalogs(visit: ColumnVisit, rule: StandardCatalogRule) -> Iterator[Catalog]:
    for page in (*visit.pages, *visit.articles):
        if page.facts is None or page_obstacle(page) is not None:
            continue
        name = page.facts.title or page.visit.title
        for table in read_catalogs(page.facts.tables, (name, page.visit.title), rule.head):
            yield Catalog(table, page, f"页面“{name}”的表格")
    parents = {page.url: page for page in (*visit.pages, *visit.articles)}
    for page in visit.attachments:
        name = attachment_name(page)
        for table in read_catalogs(_attached_tables(page), _attachment_names(page, parents), rule.head):
            yield Catalog(table, page, f"附件“{name}”")


def _attached_tables(page: Page) -> tuple[Table, ...]:
    return page.attachment.tables if page.attachment else ()


def _attachment_names(page: Page, parents: dict[str, Page]) -> tuple[str, ...]:
    parent = parents.get(page.visit.parent or "")
    own = (page.visit.title, page.attachment.name if page.attachment else "", file_name(page.url))
    return (*own, parent.facts.title, parent.visit.title) if parent and parent.facts else own


def _shares(item: str, catalogs: tuple[Catalog, ...], rule: StandardCatalogRule) -> tuple[Share, ...]:
    """Return what the catalogues say of the field. When none of them names any field, they are taken for the unit's
    whole catalogue: what cannot be told apart is not missing."""
    shares = [(catalog, rows_by_field(catalog.table, rule.fields)) for catalog in catalogs]
    if not item or not any(rows for _, rows in shares):
        return tuple(Share(catalog, catalog.table.rows) for catalog in catalogs)
    return tuple(Share(catalog, rows[item]) for catalog, rows in shares if item in rows)


# ---------------------------------------------------------------- what was not read


def _obstacles(
    item: str, visit: ColumnVisit, catalogs: tuple[Catalog, ...], rule: StandardCatalogRule
) -> Iterator[Obstacle]:
    """Yield the reasons why the field's catalogue may be there all the same."""
    for holder in (*_unread_pages(visit), *_unread_attachments(visit), *_unread_shapes(visit, catalogs, rule)):
        named = frozenset[str]().union(*(fields_named(name, rule.fields) for name in holder.names))
        if not item or not named or item in named:
            yield holder.obstacle


def _unread_pages(visit: ColumnVisit) -> Iterator[Holder]:
    for page in (*visit.pages, *visit.articles):
        what = f"“{_title(page) or visit.column.name}”"
        obstacle = page_obstacle(page, what)
        if obstacle is None and is_undecided(page):
            obstacle = script_obstacle(what)
        if obstacle is not None:
            yield Holder((page.visit.title,), obstacle)
    read = {comparable(page.url) for page in (*visit.pages, *visit.articles, *visit.attachments)}
    for page in visit.pages:
        for entry in page.facts.list.entries if page.facts else ():
            if comparable(entry.url) not in read:
                yield Holder((entry.title,), _unread(f"列表中的“{entry.title}”没有采集"))
        following = page.facts.list.next if page.facts else None
        if following and comparable(following) not in read:
            yield Holder((), _unread("栏目后面的列表页没有采集"))


def _unread_attachments(visit: ColumnVisit) -> Iterator[Holder]:
    for page in visit.attachments:
        why = attachment_obstacle(page)
        if page.failure in (FailureKind.ROBOTS_DISALLOWED, FailureKind.UNCONFIRMED_ADDRESS):
            why = page.failure.title
        if why:
            yield Holder(
                (attachment_name(page), page.visit.title), _attachment_unread(f"附件“{attachment_name(page)}”{why}")
            )
    for page in (*visit.pages, *visit.articles):
        for url, text in uncaptured_attachments(page, visit.attachments):
            name = text or file_name(url)
            if page in visit.articles or "目录" in name or "领域" in name:
                yield Holder((name, file_name(url)), _attachment_unread(f"附件“{name}”没有采集"))


def _unread_shapes(visit: ColumnVisit, catalogs: tuple[Catalog, ...], rule: StandardCatalogRule) -> Iterator[Holder]:
    """Yield the pages and attachments that seem to hold a catalogue in a shape that cannot be read row by row."""
    holding = {catalog.page.url for catalog in catalogs} | {catalog.page.visit.parent for catalog in catalogs}
    for page in (*visit.pages, *visit.articles):
        if page.facts is None or page.url in holding or visit.attachments_of(page):
            continue
        if page in visit.pages and not page.facts.picture:
            continue  # a column's own page may hold nothing yet
        title = page.facts.title or page.visit.title
        if "目录" in title and len("".join(page.facts.body_text.split())) < PICTURE_TEXT:
            yield Holder((title,), _attachment_unread(f"“{title}”里没有表格和文字，目录可能是图片"))
    texts = [
        (p.visit.title, p.facts.body_text) for p in (*visit.pages, *visit.articles) if p.facts and p.url not in holding
    ]
    texts += [
        (attachment_name(p), p.attachment.text) for p in visit.attachments if p.attachment and p.url not in holding
    ]
    for name, text in texts:
        if sum(text.count(beginning) > 0 for beginning in (*TEXT_COLUMNS, *TICKED_COLUMNS)) >= TEXT_HEADS:
            yield Holder((name,), _unread(f"“{name}”里有目录的文字，但不是表格，无法逐行核对"))


def _title(page: Page) -> str:
    return page.visit.title or (page.facts.title if page.facts else "")


def _unread(why: str) -> Obstacle:
    return Obstacle(Outcome.INCONCLUSIVE, "unread", f"{why}，不能断定有没有该领域的目录。")


def _attachment_unread(why: str) -> Obstacle:
    return Obstacle(Outcome.NOT_TESTED, "attachment_unread", f"{why}，不能断定有没有该领域的目录。")


# ---------------------------------------------------------------- judging the catalogues


def _judge_shares(subject: Subject, shares: tuple[Share, ...], rule: StandardCatalogRule) -> Iterator[Finding]:
    pages = [share.catalog.page for share in shares]
    subject = replace(subject, evidence=tuple(dict.fromkeys((*subject.evidence, *evidence_of(*pages)))))
    findings = [finding for judge in SHARE_JUDGES if (finding := judge(subject, shares, rule)) is not None]
    if not findings:
        findings.append(_unreadable_ticks(subject, shares) or _published(subject, shares))
    yield from findings


def _published(subject: Subject, shares: tuple[Share, ...]) -> Finding:
    count = sum(len(share.rows) for share in shares)
    where = "；".join(dict.fromkeys(share.catalog.where for share in shares))
    return subject.passed("published", f"目录已公布，共 {count} 行，表头齐全，没有空白和漏勾。", where=where)


def _head_incomplete(subject: Subject, shares: tuple[Share, ...], rule: StandardCatalogRule) -> Finding | None:
    seen = {}
    for share in shares:
        missing = [name for name in rule.head if name not in share.catalog.table.head]
        if missing:
            seen[share.catalog.where] = "、".join(missing)
    if not seen:
        return None
    return subject.failed(
        "head_incomplete",
        "；".join(f"{where}的表头缺{missing}" for where, missing in seen.items()) + "。",
        f"目录的表头应当有{'、'.join(rule.head)}。{CLAUSE}",
        where="；".join(seen),
    )


def _no_rows(subject: Subject, shares: tuple[Share, ...], rule: StandardCatalogRule) -> Finding | None:
    empty = [share.catalog.where for share in shares if not any(row.is_filled for row in share.rows)]
    if not empty:
        return None
    where = "；".join(dict.fromkeys(empty))
    return subject.failed(
        "no_rows", f"{where}只有表头，没有内容行。", f"目录应当逐行列明公开事项。{CLAUSE}", where=where
    )


def _empty_cells(subject: Subject, shares: tuple[Share, ...], rule: StandardCatalogRule) -> Finding | None:
    return _faulty_rows(
        subject,
        shares,
        "empty_cells",
        "空白",
        "每一行的公开事项、公开内容、公开依据、公开时限、公开主体都应当填写",
        lambda share, row: [name for name in TEXT_COLUMNS if row.value(name) == ""],
    )


def _unticked(subject: Subject, shares: tuple[Share, ...], rule: StandardCatalogRule) -> Finding | None:
    return _faulty_rows(
        subject,
        shares,
        "unticked",
        "一个也没有勾选",
        "每一行都应当用■、√等勾选公开渠道和载体、公开对象、公开方式、公开层级",
        lambda share, row: [
            name
            for name in TICKED_COLUMNS
            if mark_of(row, name) in (Mark.UNTICKED, Mark.BLANK) and not _is_blank_throughout(share, name)
        ],
    )


def _faulty_rows(
    subject: Subject,
    shares: tuple[Share, ...],
    reason: str,
    fault: str,
    wanted: str,
    faults_of: Callable[[Share, CatalogRow], list[str]],
) -> Finding | None:
    """Return one finding that names the faulty rows of all the field's catalogues, or None when there are none.

    A row with nothing in it but its number is not judged when no row of the catalogue is filled: `no_rows` says so.
    """
    seen = [
        (f"{share.catalog.where}{row.label}", "、".join(faults_of(share, row)))
        for share in shares
        if any(row.is_filled for row in share.rows)
        for row in share.rows
        if faults_of(share, row)
    ]
    if not seen:
        return None
    listed = "；".join(f"{place}的{names}{fault}" for place, names in seen[:LISTED])
    more = f"；等共 {len(seen)} 行" if len(seen) > LISTED else ""
    return subject.failed(
        reason, f"{listed}{more}。", f"{wanted}。{CLAUSE}", where="；".join(place for place, _ in seen[:LISTED])
    )


def _is_blank_throughout(share: Share, name: str) -> bool:
    """Whether no row shows anything under the head: ticks drawn as pictures or form fields leave no text behind."""
    return all(mark_of(row, name) in (Mark.BLANK, None) for row in share.rows)


def _unreadable_ticks(subject: Subject, shares: tuple[Share, ...]) -> Finding | None:
    for share in shares:
        for name in TICKED_COLUMNS:
            if any(head.startswith(name) for head in share.catalog.table.head) and _is_blank_throughout(share, name):
                observed = f"{share.catalog.where}的“{name}”一栏各行都没有文字，勾选可能画成了图片，不能断定是否勾选。"
                return subject.cannot_tell(Obstacle(Outcome.INCONCLUSIVE, "unread", observed))
    return None


SHARE_JUDGES = (_head_incomplete, _no_rows, _empty_cells, _unticked)
