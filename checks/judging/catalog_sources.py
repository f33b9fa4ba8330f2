"""Where the catalogues of a column stand: those that were found, and the places that may hold one and were not read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.facts.labels import compact
from checks.facts.model import Table
from checks.judging.listing import addresses_read, unread_entries
from checks.judging.readability import (
    Obstacle,
    attachment_failure,
    attachment_name,
    is_undecided,
    page_obstacle,
    script_obstacle,
    uncaptured_attachments,
)
from checks.model import ColumnVisit, Outcome, Page
from checks.reading.addresses import comparable, file_name
from checks.reading.catalog_table import (
    TEXT_COLUMNS,
    TICKED_COLUMNS,
    CatalogTable,
    fields_named,
    read_catalogs,
)
from config.rules import StandardCatalogRule

PICTURE_TEXT = 120  # an article named as a catalogue with less text than this, and no table, shows a picture of it
TEXT_HEADS = 5  # so many head names in running text make a catalogue that is no table


@dataclass(frozen=True, slots=True)
class Catalog:
    """A catalogue with the page it stands on, and that place in Chinese."""

    table: CatalogTable
    page: Page
    where: str


@dataclass(frozen=True, slots=True)
class Holder:
    """A place that may hold a catalogue and was not read: the names it goes by, and why it was not."""

    names: tuple[str, ...]
    obstacle: Obstacle


# ---------------------------------------------------------------- finding the catalogues


def catalogs_of(visit: ColumnVisit, rule: StandardCatalogRule) -> Iterator[Catalog]:
    """Yield the catalogues on the column's pages, on its articles and in their files."""
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


# ---------------------------------------------------------------- what was not read


def obstacles_of(
    item: str, visit: ColumnVisit, catalogs: tuple[Catalog, ...], rule: StandardCatalogRule
) -> Iterator[Obstacle]:
    """Yield the reasons why the field's catalogue may be there all the same."""
    for holder in (*_unread_pages(visit), *_unread_attachments(visit), *_unread_shapes(visit, catalogs)):
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
    for entry in unread_entries(visit):
        yield Holder((entry.title,), _unread(f"列表中的“{entry.title}”没有采集"))
    read = addresses_read(visit)
    for page in visit.pages:
        following = page.facts.list.next if page.facts else None
        if following and comparable(following) not in read:
            yield Holder((), _unread("栏目后面的列表页没有采集"))


def _unread_attachments(visit: ColumnVisit) -> Iterator[Holder]:
    for page in visit.attachments:
        if why := attachment_failure(page):
            yield Holder(
                (attachment_name(page), page.visit.title), _attachment_unread(f"附件“{attachment_name(page)}”{why}")
            )
    for page in (*visit.pages, *visit.articles):
        for url, text in uncaptured_attachments(page, visit.attachments):
            name = text or file_name(url)
            if page in visit.articles or "目录" in name or "领域" in name:
                yield Holder((name, file_name(url)), _attachment_unread(f"附件“{name}”没有采集"))


def _unread_shapes(visit: ColumnVisit, catalogs: tuple[Catalog, ...]) -> Iterator[Holder]:
    """Yield the pages and attachments that seem to hold a catalogue in a shape that cannot be read row by row."""
    holding = {catalog.page.url for catalog in catalogs} | {catalog.page.visit.parent for catalog in catalogs}
    for page in (*visit.pages, *visit.articles):
        if page.facts is None or page.url in holding or visit.attachments_of(page):
            continue
        if page in visit.pages and not page.facts.picture:
            continue  # a column's own page may hold nothing yet
        title = page.facts.title or page.visit.title
        if "目录" in title and len(compact(page.facts.body_text)) < PICTURE_TEXT:
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
