"""基层政务公开标准目录: catalogues of the unit's pilot fields are published, with whole heads and filled rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from checks.facts.model import Link
from checks.judging.catalog_sources import Catalog, catalogs_of, obstacles_of
from checks.judging.readability import (
    SHARED_REASONS,
    Obstacle,
    column_obstacle,
    is_absent,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Outcome, Probe, Scope
from checks.reading.catalog_table import (
    TEXT_COLUMNS,
    TICKED_COLUMNS,
    CatalogRow,
    Mark,
    mark_of,
    rows_by_field,
)
from checks.reading.link_answers import addresses_of, is_found, link_probes, tries_told
from config.rules import Rules, StandardCatalogRule
from config.schema import ColumnType, UnitKind

META = CheckMeta(
    id="standard_catalog",
    title="基层政务公开标准目录",
    failure_title="基层政务公开标准目录未公布或不完整",
    basis="《国务院办公厅关于全面推进基层政务公开标准化规范化工作的指导意见》（国办发〔2019〕54号）；国务院部门印发的26个试点领域基层"
    "政务公开标准指引；冀政办字〔2020〕22号：编制政务公开事项标准目录，通过县级政府门户网站向社会公开",
    method="按单位分担的试点领域逐个找目录：栏目页、文章和附件（xlsx、docx、pdf）里的表格。核对表头十栏是否齐全、有没有内容行、"
    "公开事项、公开内容、公开依据、公开时限、公开主体是否空白、公开渠道、对象、方式、层级是否勾选。图片、扫描件、加密文件不下结论。"
    "目录里的链接另给结果：两次都明确找不到的才算打不开。",
    scope=Scope.COLUMN,
    reasons={
        "published": "目录已公布且完整",
        "not_published": "没有公布标准目录",
        "field_missing": "缺少该领域的目录",
        "head_incomplete": "目录表头不全",
        "no_rows": "目录没有内容行",
        "empty_cells": "目录有空白单元格",
        "unticked": "目录有未勾选的行",
        "linked_content_gone": "目录里的链接打不开",
        "linked_content_opens": "目录里的链接打得开",
        "no_pilot_field": "没有分担试点领域",
        "column_not_listed": "巡查清单里没有该栏目",
        "attachment_unread": "目录是图片或附件未能读取",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国办发〔2019〕54号、26个试点领域标准指引、冀政办字〔2020〕22号。"
LISTED = 5  # faulty rows named in a finding


@dataclass(frozen=True, slots=True)
class Share:
    """What one catalogue says of one pilot field."""

    catalog: Catalog
    rows: tuple[CatalogRow, ...]

    @property
    def links(self) -> Iterator[Link]:
        """The links of the field's rows."""
        for link in self.catalog.table.links:
            if len(self.rows) == len(self.catalog.table.rows) or any(row.shows(link.text) for row in self.rows):
                yield link


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield the findings of each pilot field of the unit; of the whole catalogue (item "") for a township without."""
    if bundle.unit is None:
        return
    rule = rules.checks.standard_catalog
    visits = bundle.columns_of(ColumnType.STANDARD_CATALOG)
    answers = {address: probe for probe in link_probes(bundle) for address in addresses_of(probe)}
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
        yield from _judge_column(visit, items, rule, answers)


def _judge_column(
    visit: ColumnVisit, items: tuple[str, ...], rule: StandardCatalogRule, answers: Mapping[str, Probe]
) -> Iterator[Finding]:
    whole = Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id)
    obstacle = column_obstacle(visit)
    catalogs = () if obstacle else tuple(catalogs_of(visit, rule))
    for item in items:
        subject = replace(whole, item=item)
        if is_absent(visit):
            yield _not_published(subject, "经确认，该单位没有“基层政务公开标准目录”栏目。")
        elif obstacle is not None:
            yield subject.cannot_tell(obstacle)
        else:
            yield from _judge_item(subject, visit, catalogs, rule)
            yield from _judge_links(subject, _shares(item, catalogs, rule), answers)


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
    obstacle = next(obstacles_of(subject.item, visit, catalogs, rule), None)
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


# ---------------------------------------------------------------- judging the catalogues


def _shares(item: str, catalogs: tuple[Catalog, ...], rule: StandardCatalogRule) -> tuple[Share, ...]:
    """Return what the catalogues say of the field. When none of them names any field, they are taken for the unit's
    whole catalogue: what cannot be told apart is not missing."""
    shares = [(catalog, rows_by_field(catalog.table, rule.fields)) for catalog in catalogs]
    if not item or not any(rows for _, rows in shares):
        return tuple(Share(catalog, catalog.table.rows) for catalog in catalogs)
    return tuple(Share(catalog, rows[item]) for catalog, rows in shares if item in rows)


def _judge_shares(subject: Subject, shares: tuple[Share, ...], rule: StandardCatalogRule) -> Iterator[Finding]:
    pages = [share.catalog.page for share in shares]
    subject = replace(subject, evidence=tuple(dict.fromkeys((*subject.evidence, *evidence_of(*pages)))))
    findings = [finding for judge in SHARE_JUDGES if (finding := judge(subject, shares, rule)) is not None]
    if not findings:
        findings.append(_unreadable_ticks(subject, shares) or _published(subject, shares))
    yield from findings


def _judge_links(subject: Subject, shares: tuple[Share, ...], answers: Mapping[str, Probe]) -> Iterator[Finding]:
    """Judge what the rows link to, as far as tonight's probes tell of it: other links have their turn other nights."""
    subject = replace(
        subject,
        item=f"{subject.item}/链接" if subject.item else "链接",
        evidence=evidence_of(*(share.catalog.page for share in shares)),
    )
    links = {link.url: link for share in shares for link in share.links if link.url in answers}
    gone = [link for url, link in links.items() if is_found(answers[url], "dead")]
    alive = [link for url, link in links.items() if is_found(answers[url], "alive")]
    if gone:
        listed = "；".join(f"“{link.text}”（{link.url}）{tries_told(answers[link.url])}" for link in gone[:LISTED])
        evidence = (*subject.evidence, *(ref for link in gone if (ref := answers[link.url].evidence) is not None))
        yield replace(subject, evidence=tuple(dict.fromkeys(evidence))).failed(
            "linked_content_gone",
            f"目录里有 {len(gone)} 个链接打不开：{listed}。",
            f"目录中链接的内容应当能打开，请改正链接或补上内容。{CLAUSE}",
            passage=gone[0].text,
            where="；".join(dict.fromkeys(share.catalog.where for share in shares)),
        )
    elif alive:
        yield subject.passed("linked_content_opens", f"查到目录里有 {len(alive)} 个链接打得开。")
    elif links:
        observed = f"目录里有 {len(links)} 个链接没有得到明确的回答，不能断定打不打得开。"
        yield subject.cannot_tell(Obstacle(Outcome.INCONCLUSIVE, "unread", observed))


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
