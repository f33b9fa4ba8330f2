"""What a unit publishes and a run has read: the pages of its columns, its articles and their files, each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.facts.model import Table
from checks.judging.listing import entries_of, unread_list
from checks.judging.readability import (
    SHARED_REASONS,
    Obstacle,
    attachment_name,
    attachment_obstacle,
    column_obstacle,
    is_absent,
    page_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, ColumnVisit, Page, PageRole
from config.schema import ColumnType

UNREAD_REASONS = {"attachment_unread": "附件未能读取", **SHARED_REASONS}

DOCUMENT_COLUMNS = frozenset(
    {ColumnType.POLICY, ColumnType.NORMATIVE_DOCUMENT, ColumnType.NOTICE, ColumnType.INSTITUTION}
)  # where official documents live: when such a list cannot be read, documents went unjudged


@dataclass(frozen=True, slots=True)
class Publication:
    """A page or file, the column where it was first met, and what people call it in Chinese."""

    page: Page
    column_id: str
    name: str
    is_list: bool = False  # a page of a column, not an article

    @property
    def title(self) -> str:
        """Its title, or the text of the link to it."""
        return self.page.facts.title if self.page.facts else self.page.visit.title

    @property
    def text(self) -> str:
        """Everything on it that can be seen; empty when it was not read."""
        if self.page.facts is not None:
            return self.page.facts.text
        return self.page.attachment.text if self.page.attachment else ""

    @property
    def main_text(self) -> str:
        """The text without what frames every page of the site: header, navigation and footer."""
        return self.page.facts.body_text if self.page.facts else self.text

    @property
    def tables(self) -> tuple[Table, ...]:
        """Its tables."""
        source = self.page.facts or self.page.attachment
        return source.tables if source else ()

    def subject(self, check: str) -> Subject:
        """Return it as the target of a check."""
        return Subject(check, self.page.url, evidence_of(self.page), self.column_id)


def publications(bundle: Bundle) -> Iterator[Publication]:
    """Yield every page, article and attachment of the unit once, whether it could be read or not."""
    seen: set[str] = set()
    for visit in bundle.columns:
        for publication in _of_column(visit):
            if publication.page.url not in seen:
                seen.add(publication.page.url)
                yield publication


def _of_column(visit: ColumnVisit) -> Iterator[Publication]:
    for number, page in enumerate(visit.pages, 1):
        place = f"第{number}页" if len(visit.pages) > 1 else "的页面"
        yield Publication(page, visit.column.id, f"“{visit.column.name}”栏目{place}", is_list=True)
    for page in visit.articles:
        title = page.facts.title if page.facts else page.visit.title
        yield Publication(page, visit.column.id, f"文章“{title or page.url}”")
    for page in visit.attachments:
        yield Publication(page, visit.column.id, f"附件“{attachment_name(page)}”")


def obstacle_of(publication: Publication) -> Obstacle | None:
    """Return why nothing can be said of it, or None when it was read; whether scripts decide is asked apart."""
    if publication.page.visit.role is PageRole.ATTACHMENT:
        return attachment_obstacle(publication.page, publication.name, "里面有什么")
    return page_obstacle(publication.page)


# ---------------------------------------------------------------- articles and listed files


@dataclass(frozen=True, slots=True)
class ArticleVisit:
    """One sampled article of a unit, in the first column that lists it, with its attachments from all of them."""

    page: Page
    column_id: str
    attachments: tuple[Page, ...]


def articles_of(bundle: Bundle) -> Iterator[ArticleVisit]:
    """Yield each sampled article of the bundle once, however many columns list it."""
    attachments: dict[str, dict[str, Page]] = {}
    for visit in bundle.columns:
        for attachment in visit.attachments:
            attachments.setdefault(attachment.visit.parent or "", {}).setdefault(attachment.url, attachment)
    seen: set[str] = set()
    for visit in bundle.columns:
        for page in visit.articles:
            if page.url not in seen:
                seen.add(page.url)
                yield ArticleVisit(page, visit.column.id, tuple(attachments.get(page.url, {}).values()))


def listed_files(bundle: Bundle) -> Iterator[tuple[Page, ColumnVisit]]:
    """Yield each sampled file that a list leads to straight, once, with the first column that lists it."""
    seen: set[str] = set()
    for visit in bundle.columns:
        for page in visit.attachments:
            if page.visit.parent is None and page.url not in seen:
                seen.add(page.url)
                yield page, visit


# ---------------------------------------------------------------- columns of which nothing was read


def unread_columns(bundle: Bundle) -> Iterator[tuple[ColumnVisit, Obstacle]]:
    """Yield the columns of which no page was asked for, each with the reason; their pages speak for the others."""
    for visit in bundle.columns:
        if not (visit.pages or visit.articles or is_absent(visit)) and (obstacle := column_obstacle(visit)) is not None:
            yield visit, obstacle


def unread_document_columns(bundle: Bundle) -> Iterator[tuple[ColumnVisit, Obstacle]]:
    """Yield the columns where documents live and whose list could not be read, each with the reason."""
    for visit in bundle.columns_of(*DOCUMENT_COLUMNS):
        if visit.articles or is_absent(visit):
            continue
        obstacle = column_obstacle(visit)
        if obstacle is None and not any(entries_of(visit)):
            obstacle = unread_list(visit)
        if obstacle is not None:
            yield visit, obstacle
