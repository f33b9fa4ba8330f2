"""年度版本: of which year a publication is, by its titles, its files' names, its dates and what it says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from checks.facts.model import AttachmentFacts, DateMeaning, PageFacts
from checks.judging.listing import entries_of
from checks.judging.readability import attachment_name, page_obstacle
from checks.model import ColumnVisit, Page

LINE = 60  # characters: a longer line speaks of other things than the edition
LINES = 400
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?=\s?(?:年|版|[-/.]\d{1,2}[-/.]\d{1,2}))")
_SPELT_YEAR = re.compile(r"二[〇○零ＯO0][〇○零ＯO0一二三四五六七八九]{2}(?=年)")
_DIGITS = str.maketrans("〇○零ＯO一二三四五六七八九", "00000123456789")
_OF_EDITION = re.compile(r"版|更新|发布|公布|调整")
_DATED = (DateMeaning.PUBLISHED, DateMeaning.UPDATED)


@dataclass(frozen=True, slots=True, order=True)
class Edition:
    """A year that something is of, and the words that say so."""

    year: int
    said: str


def years_in(text: str) -> Iterator[int]:
    """Yield the years that a title or line names: 2026年, 2026版, 2026-05-20, 二〇二六年."""
    for match in _YEAR.finditer(text):
        yield int(match[1])
    for match in _SPELT_YEAR.finditer(text):
        yield int(match[0].translate(_DIGITS))


def editions(visit: ColumnVisit) -> Iterator[Edition]:
    """Yield the years that the column's entries, pages, articles and files are of."""
    for entry in entries_of(visit):
        dates = (entry.date.year,) if entry.date else ()
        said = f"{entry.title} {entry.date_text}".strip()
        yield from (Edition(year, said) for year in (*years_in(entry.title), *dates))
    for page in (*visit.pages, *visit.articles):
        if page.facts is not None and page_obstacle(page) is None:
            yield from editions_of_page(page.facts)
    for file in visit.attachments:
        yield from _editions_of_file(file)


def editions_of_page(facts: PageFacts) -> Iterator[Edition]:
    """Yield the years that a page is of: title, captions, dates of publication and update, lines about the edition."""
    for said in (facts.title, *(table.caption for table in facts.tables)):
        yield from (Edition(year, said) for year in years_in(said))
    if facts.published.date is not None:
        yield Edition(facts.published.date.year, facts.published.label or facts.published.date.isoformat())
    for candidate in facts.published.candidates:
        if candidate.meaning in _DATED:
            yield Edition(candidate.date.year, candidate.text)
    yield from _in_lines(facts.body_text)


def _editions_of_file(file: Page) -> Iterator[Edition]:
    name = attachment_name(file)
    yield from (Edition(year, name) for year in years_in(name))
    facts = file.attachment
    if isinstance(facts, AttachmentFacts):
        yield from _in_lines("\n".join((facts.text, *(table.caption for table in facts.tables))))
        for table in facts.tables:
            head = " ".join(dict.fromkeys(table.rows[0])) if table.rows else ""
            yield from (Edition(year, head) for year in years_in(head))


def _in_lines(text: str) -> Iterator[Edition]:
    for line in text.splitlines()[:LINES]:
        if len(line) <= LINE and _OF_EDITION.search(line):
            yield from (Edition(year, line) for year in years_in(line))
