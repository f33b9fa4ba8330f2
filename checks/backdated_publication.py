"""伪造发稿日期: an article that appears tonight in a list without it on an earlier night, and claims to be older."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from checks.facts.model import DateMeaning, ListEntry
from checks.judging.freshness import published_item
from checks.judging.readability import SHARED_REASONS, column_obstacle, is_absent, is_undecided, page_obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, ListHistory, Outcome, Page, Scope
from checks.reading.addresses import comparable, is_outside
from config.rules import Rules

META = CheckMeta(
    id="backdated_publication",
    title="伪造发稿日期",
    failure_title="发稿日期早于实际发布",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）：不得弄虚作假，如伪造发稿日期；《政府网站发展指引》（国办发〔2017〕47号）",
    method="把今晚的列表与以前完整采集过的同一列表对照：以前没有、今晚首次出现的文章，列表和文章页标注的发布日期都比那一夜早出宽限天数"
    "以上的，为伪造发稿日期。改了地址而题目没变的、注明近日更新的、排在列表末尾的（前面删了文章，后面的会露出来）不算；列表大半"
    "是新条目的（栏目迁移）、文章页没有抽到的，只作提示；以前没有完整采集过的列表不适用。",
    scope=Scope.PAGE,
    reasons={
        "in_time": "首次出现的文章日期与实际相符",
        "backdated": "标注的日期早于实际发布",
        "page_not_sampled": "列表里的日期可疑，文章页没有抽到",
        "many_at_once": "列表里大半条目都是首次出现",
        "known_title": "同题的文章以前见过",
        "updated": "注明近日更新",
        "at_the_end": "排在列表末尾",
        "undated": "没有标注日期",
        "no_history": "该列表以前没有完整采集过",
        **SHARED_REASONS,
    },
)

DOUBTS = {
    "page_not_sampled": "文章页没有抽到或没有标日期",
    "many_at_once": "列表里大半条目都是首次出现，可能是栏目迁移，也可能是集中补录",
}
CLAUSE = "依据：国办秘函〔2019〕19号“伪造发稿日期”。"


@dataclass(frozen=True, slots=True)
class _Past:
    """What earlier nights saw of all lists of a unit: a page that moves from one column to another is not new."""

    addresses: frozenset[str]
    titles: frozenset[str]

    @classmethod
    def of(cls, histories: tuple[ListHistory, ...]) -> _Past:
        addresses = frozenset(comparable(url) for history in histories for url in history.known)
        return cls(addresses, frozenset(title for history in histories for title in history.titles))

    def knows(self, entry: ListEntry) -> bool:
        return comparable(entry.url) in self.addresses


@dataclass(frozen=True, slots=True)
class _New:
    """An entry that no earlier night saw, in a list that was read whole on `whole_on`."""

    entry: ListEntry
    visit: ColumnVisit
    list_page: Page
    whole_on: date
    article: Page | None  # None: not sampled
    is_last: bool  # no entry that was there before follows
    is_among_many: bool  # more of the list is new than was there before

    @property
    def subject(self) -> Subject:
        target = self.article.url if self.article else self.entry.url
        return Subject(META.id, target, evidence_of(self.list_page, self.article), self.visit.column.id)


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a verdict on each article that appeared since the list was last read whole, and on lists without a past."""
    histories = {history.target: history for history in bundle.histories}
    past = _Past.of(bundle.histories)
    articles = {comparable(page.url): page for visit in bundle.columns for page in visit.articles}
    grace = timedelta(days=rules.checks.backdated_publication.grace_days)
    judged: set[str] = set()
    for visit in bundle.columns:
        history = histories.get(visit.target)
        subject = Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id)
        if history is None or history.whole_on is None or is_absent(visit):
            yield subject.not_applicable("no_history", f"“{visit.column.name}”的列表以前没有完整采集过，无从对照。")
        elif (obstacle := column_obstacle(visit)) is not None:
            yield subject.cannot_tell(obstacle)
        else:
            for new in _news(visit, history.whole_on, past, articles):
                if comparable(new.entry.url) not in judged:
                    judged.add(comparable(new.entry.url))
                    yield _judge(new, past, grace)


def _news(visit: ColumnVisit, whole_on: date, past: _Past, articles: dict[str, Page]) -> Iterator[_New]:
    """Yield the entries of the site's own that no earlier night saw, in the order of the list."""
    pages = [page for page in visit.pages if page.facts is not None and not is_undecided(page)]
    listed = [(page, entry) for page in pages for entry in (page.facts.list.entries if page.facts else ())]
    known = [place for place, (_, entry) in enumerate(listed) if past.knows(entry)]
    last_known = max(known, default=-1)
    for place, (page, entry) in enumerate(listed):
        if not past.knows(entry) and not is_outside(entry.url, visit.pages[0].url):
            article = articles.get(comparable(entry.url))
            is_last, is_among_many = place > last_known, len(listed) > 2 * len(known)
            yield _New(entry, visit, page, whole_on, article, is_last, is_among_many)


def _judge(new: _New, past: _Past, grace: timedelta) -> Finding:
    shown = published_item(new.article, "文章页", shown_only=True) if new.article else None
    claims = [day for day in (new.entry.date, shown.date if shown else None) if day is not None]
    if not claims:
        return new.subject.not_applicable("undated", f"“{new.entry.title}”首次出现，没有标注日期。")
    claim = max(claims)
    if claim >= new.whole_on - grace:
        seen = f"“{new.entry.title}”首次出现，标注的日期是 {claim}，与上一次完整采集的 {new.whole_on} 相符。"
        return new.subject.passed("in_time", seen, passage=new.entry.date_text)
    if (excuse := _excuse(new, past, grace)) is not None:
        return excuse
    if new.article is not None and (obstacle := page_obstacle(new.article)) is not None:
        return new.subject.cannot_tell(obstacle)
    return _suspect(new, claim, confirmed=shown is not None)


def _excuse(new: _New, past: _Past, grace: timedelta) -> Finding | None:
    title = new.entry.title
    if title in past.titles:
        return new.subject.not_applicable("known_title", f"“{title}”以前见过，只是换了地址。")
    facts = new.article.facts if new.article else None
    updates = [c.date for c in facts.published.candidates if c.meaning is DateMeaning.UPDATED] if facts else []
    if updates and max(updates) >= new.whole_on - grace:
        return new.subject.not_applicable("updated", f"“{title}”首次出现，注明 {max(updates)} 更新，属于重新发布。")
    if new.is_last:
        seen = f"“{title}”首次出现，但排在列表末尾，可能是前面的文章删去以后露出来的，不能算新发布。"
        return new.subject.not_applicable("at_the_end", seen)
    return None


def _suspect(new: _New, claim: date, *, confirmed: bool) -> Finding:
    seen = (
        f"“{new.entry.title}”首次出现在“{new.visit.column.name}”，标注的发布日期是 {claim}；"
        f"而 {new.whole_on} 夜里这个列表完整采集过，当时没有它。"
    )
    wanted = f"发布日期应当是实际发布的日期，请据实改正；补发的旧文应当注明补发和实际发布的日期。{CLAUSE}"
    passage, where = f"{new.entry.title} {new.entry.date_text}".strip(), f"“{new.visit.column.name}”列表"
    if confirmed and not new.is_among_many:
        return new.subject.failed("backdated", seen, wanted, passage=passage, where=where)
    reason = "many_at_once" if new.is_among_many else "page_not_sampled"
    seen += f"{DOUBTS[reason]}，请核对。"
    return new.subject.finding(Outcome.NOTICE, reason, seen, wanted, passage=passage, where=where)
