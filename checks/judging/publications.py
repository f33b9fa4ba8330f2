"""What a unit publishes and a run has read: the pages of its columns, its articles and their files, each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.facts.model import Table
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
from checks.model import Bundle, ColumnVisit, Outcome, Page, PageRole

UNREAD_REASONS = {"attachment_unread": "附件未能读取", **SHARED_REASONS}


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


def unread_columns(bundle: Bundle) -> Iterator[tuple[ColumnVisit, Obstacle]]:
    """Yield the columns of which no page was asked for, each with the reason; their pages speak for the others."""
    for visit in bundle.columns:
        if not (visit.pages or visit.articles or is_absent(visit)) and (obstacle := column_obstacle(visit)) is not None:
            yield visit, obstacle


def obstacle_of(publication: Publication) -> Obstacle | None:
    """Return why nothing can be said of it, or None when it was read; whether scripts decide is asked apart."""
    page = publication.page
    if page.visit.role is not PageRole.ATTACHMENT:
        return page_obstacle(page)
    why = attachment_obstacle(page)
    observed = f"{publication.name}没能读取（{why}），不能断定里面有什么。"
    return Obstacle(Outcome.NOT_TESTED, "attachment_unread", observed) if why else None
