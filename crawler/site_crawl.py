"""一个站点的采集进程: which page comes next, and what follows from a page that was read. No network, no clock.

A URL is fetched once a site, however many columns and units list it; each of them gets its own Visit. Lists come
before what they list: how tonight's lists tell of a page decides whether it is asked for at all.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain, islice

from checks.facts.kinds import kind_of_column
from checks.facts.links import is_attachment
from checks.facts.model import ListEntry, PageFacts, PageKind
from checks.model import FailureKind, PageRole, Visit
from config.schema import Column, ColumnType, Sampling, Unit
from crawler.carrying import DETAILS, Asking, Earlier, EarlierPage, NothingEarlier, asking, noted, without_note
from crawler.plan import SitePlan, draw_articles
from crawler.urls import InvalidUrl, host_of, normalise, same_site

SECOND_LEVEL_PAGES = 10  # read below a home page without dated items
FRAMES_OF_A_PAGE = 3  # iframes that are followed where a column's own list is empty
GIVE_UP_AFTER = 5  # pages in a row to which a host was silent, or which its firewall kept from us
RECALLED_AT_ONCE = 200  # pages about which earlier nights are asked together
LAST_ROUND = 2  # what is kept from us is asked for after the rest of the site, and once more after all other sites


@dataclass(frozen=True, slots=True)
class Outline:
    """What of a page decides where to go next; the rest of its facts need not stay in memory."""

    entries: tuple[ListEntry, ...] = ()
    next: str | None = None
    frames: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    attachments: tuple[tuple[str, str], ...] = ()  # URL, link text
    followed: tuple[Visit, ...] = ()  # in place of `attachments`: an earlier night's visits to them

    @classmethod
    def of(cls, facts: PageFacts, role: PageRole) -> Outline:
        """Return the outline of a page that was read; the links only of a home page, where they may be needed."""
        return cls(
            entries=facts.list.entries,
            next=facts.list.next,
            frames=facts.frames,
            links=tuple(link.url for link in facts.links if role is PageRole.HOME and not link.attachment),
            attachments=tuple((link.url, link.text) for link in facts.links if link.attachment),
        )

    @property
    def dated(self) -> bool:
        """Whether any listed item bears a date."""
        return any(entry.date for entry in self.entries)


@dataclass(slots=True)
class WantedPage:
    """One URL of the site, and the visits that wait for it. `outline` is empty when nothing could be read."""

    url: str
    role: PageRole
    kind: PageKind | None = None  # what the inventory says it is
    waiting: list[Visit] = field(default_factory=list)
    done: bool = False
    outline: Outline = Outline()
    rendering_wanted: bool = False
    failure: FailureKind | None = None  # set when it was never asked for
    refused: FailureKind | None = None  # why it waits for a later round
    earlier: EarlierPage | None = None  # what an earlier night knows of it
    recalled: bool = False  # whether earlier nights were asked
    carried_on: date | None = None  # when the capture was made that stands for tonight


class _Queue:
    """The pages that wait to be asked for, those that list others before the others, each in their order."""

    def __init__(self, pages: Iterable[WantedPage] = ()) -> None:
        self.lists: deque[WantedPage] = deque()
        self._details: deque[WantedPage] = deque()
        self.extend(pages)

    def __len__(self) -> int:
        return len(self.lists) + len(self._details)

    def __iter__(self) -> Iterator[WantedPage]:
        return chain(self.lists, self._details)

    def append(self, page: WantedPage) -> None:
        """Put a page behind those of its kind."""
        (self._details if page.role in DETAILS else self.lists).append(page)

    def extend(self, pages: Iterable[WantedPage]) -> None:
        """Put pages behind those of their kind."""
        for page in pages:
            self.append(page)

    def popleft(self) -> WantedPage:
        """Return the next page; raises IndexError."""
        return (self.lists or self._details).popleft()

    def take_out(self, host: str | None) -> list[WantedPage]:
        """Return the pages of a host, or all of them, which wait no more."""
        taken = [page for page in self if host in (None, host_of(page.url))]
        left = [] if host is None else [page for page in self if host_of(page.url) != host]
        self.lists.clear()
        self._details.clear()
        self.extend(left)
        return taken


@dataclass(slots=True)
class _Frame:
    """抽样框: the entries of one column's list pages, complete when none of them is open any more."""

    unit: Unit
    column: Column
    entries: dict[int, tuple[ListEntry, ...]] = field(default_factory=dict)  # by the order of the list page
    pages: set[str] = field(default_factory=set)
    open: int = 0
    allowed: int = 0


class SiteCrawl:
    """The pages of one site that are wanted, under way and done. A visit is told to `tell` once its page is settled."""

    def __init__(self, plan: SitePlan, tell: Callable[[Visit], None], earlier: Earlier | None = None) -> None:
        self.plan = plan
        self.in_flight = 0
        self.fetched = 0
        self.done = 0  # pages settled, fetched or not
        self._tell = tell
        self._earlier = earlier or NothingEarlier()
        self._home = _spelt(plan.site.home)
        self._pages: dict[str, WantedPage] = {}
        self._queue = _Queue()
        self._listing: set[str] = set()  # the lists under way
        self._settled: deque[tuple[Visit, WantedPage]] = deque()
        self._seen: set[tuple[str | None, str]] = set()  # unit and URL of every visit
        self._revisits = [*plan.revisits]
        self._under_order = frozenset(revisit.url for revisit in plan.revisits)
        self._frames: dict[tuple[str, str], _Frame] = {}
        self._shares: Counter[tuple[str, str]] = Counter()  # visits, by unit and column
        self._silent: Counter[str] = Counter()  # pages in a row, by host
        self._refused: Counter[str] = Counter()  # likewise
        self._later: deque[WantedPage] = deque()
        self.round = 0
        self._begin()

    @property
    def known(self) -> int:
        """How many pages are wanted so far."""
        return len(self._pages)

    @property
    def is_done(self) -> bool:
        """Whether nothing is wanted or under way any more."""
        return not self._queue and not self.in_flight and not self._revisits and not self._later

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is left but what is asked for once more when all other sites are through."""
        return bool(self._later) and not self._queue and not self.in_flight and self.round == LAST_ROUND - 1

    def take(self, *, last: bool = True) -> WantedPage | None:
        """Return the next page to fetch, or None; what is only looked at again comes when all else is settled.

        What was kept from us comes after the rest of the site, and a second time only when `last` says so.
        """
        if not self._queue and not self.in_flight and self._later:
            if self.round == LAST_ROUND - 1 and not last:
                return None
            self.round += 1
            self._queue, self._later = _Queue(self._later), deque()
            self._refused.clear()
        if not self._queue and not self.in_flight:
            self._look_again()
        if not self._queue or (self._listing and not self._queue.lists):
            return None
        self.fetched += 1
        page = self._queue.popleft()
        if page.role not in DETAILS:
            self._listing.add(page.url)
        if not page.recalled:
            self._recall(page)
        return page

    def asking(self, page: WantedPage) -> Asking:
        """Return how a page that was taken is asked for."""
        days = self.plan.settings.sampling.recheck_days
        known = page.earlier
        if known is not None and page.url in self._under_order:
            known = replace(known, is_open=True)
        return asking(known, page.url, page.role, page.waiting, self.plan.day, days)

    def carry(self, page: WantedPage, outline: Outline | None = None) -> None:
        """Settle a page as an earlier night saw it, with its outline, or with the files that it led to then.

        It says nothing of the host: nothing was asked.
        """
        assert page.earlier is not None
        page.outline = outline or Outline(followed=page.earlier.files or ())
        page.carried_on, page.rendering_wanted = page.earlier.captured_on, page.earlier.rendering_wanted
        self._settle(page)

    def postpone(self, page: WantedPage, kind: FailureKind) -> bool:
        """Put a page that was kept from us off to a later round, and tell whether there is one.

        Once too many were in a row, the host is asked no more in this round. One robots.txt speaks for all pages.
        """
        host = host_of(page.url)
        page.refused = kind
        self._refused[host] += GIVE_UP_AFTER if kind is FailureKind.ROBOTS_UNREADABLE else 1
        if self.round == LAST_ROUND:
            return False
        self._listing.discard(page.url)
        self._later.append(page)
        if self._refused[host] >= GIVE_UP_AFTER:
            self._later.extend(self._queue.take_out(host))
        return True

    def is_kept_out(self, host: str) -> bool:
        """Whether the last round is on, and the host keeps us out still."""
        return self.round == LAST_ROUND and self._refused[host] >= GIVE_UP_AFTER

    def finish(self, page: WantedPage, silence: FailureKind | None = None) -> None:
        """Settle a page that was fetched. `silence` is why nothing came back; too many in a row and its host is left.

        A download that hangs says nothing of the pages, nor a dead name below the site's of the site.
        """
        host = host_of(page.url)
        if page.refused is None:
            self._refused[host] = 0
        if not silence:
            self._silent[host] = 0
        elif page.role is not PageRole.ATTACHMENT:
            self._silent[host] += 1
        self._settle(page)
        if silence and self._silent[host] >= GIVE_UP_AFTER:
            self.abandon(silence, host)

    def abandon(self, failure: FailureKind, host: str | None = None) -> None:
        """Settle what is still wanted (of a host) without asking for it: a limit is reached, or the host is down."""
        if host is None:
            self._queue.extend(self._later)
            self._later.clear()
            self._look_again()
        while given_up := self._queue.take_out(host):
            for page in given_up:
                page.failure = page.refused or failure
                self._settle(page)  # which may want further pages

    # ------------------------------------------------------------ what is wanted

    def _begin(self) -> None:
        site = self.plan.site.id
        self._look(Visit(site, self._home, PageRole.HOME, reason="首页"))
        for unit, column in self.plan.unconfirmed:
            visit = Visit(site, f"{unit.id}/{column.id}", PageRole.COLUMN, unit_id=unit.id, column_id=column.id)
            self._tell(replace(visit, reason="栏目地址待确认", failure=FailureKind.UNCONFIRMED_ADDRESS))
        for unit, column in self.plan.asked:
            frame = _Frame(unit, column, allowed=self.plan.settings.sampling.list_pages)
            self._frames[unit.id, column.id] = frame
            self._list_page(frame, str(column.url), None)
        self._go_on()

    def _look_again(self) -> None:
        """Want the pages that are looked at again, but those that the unit's sample holds."""
        reasons: dict[tuple[str, str, str], list[str]] = {}
        for revisit in self._revisits:
            if (revisit.unit_id, revisit.url) not in self._seen:
                place = revisit.url, revisit.unit_id, revisit.column_id
                reasons.setdefault(place, []).append(str(revisit.finding_id))
        self._revisits = []
        for (url, unit_id, column_id), numbers in reasons.items():
            role = PageRole.ATTACHMENT if is_attachment(url) else PageRole.ARTICLE
            reason = f"复查：第 {'、'.join(numbers)} 号问题"
            site = self.plan.site.id
            self._look(Visit(site, url, role, 0, unit_id, column_id, reason=reason, revisit=True))
        self._go_on()

    def _has_share(self, visit: Visit) -> bool:
        """Count a page as one of its column's; whether that may have so many. Its list is followed in any case."""
        if visit.unit_id is None or visit.column_id is None:
            return True
        self._shares[visit.unit_id, visit.column_id] += 1
        taken = self._shares[visit.unit_id, visit.column_id]
        return visit.role is PageRole.COLUMN or taken <= self.plan.settings.max_pages_per_column

    def _look(self, visit: Visit) -> None:
        """Want a page for a visit, unless it is there already."""
        self._seen.add((visit.unit_id, visit.url))
        if not self._has_share(visit):
            self._tell(replace(visit, failure=FailureKind.BUDGET_EXHAUSTED))
            return
        page = self._pages.get(visit.url)
        if page is None:
            page = self._pages[visit.url] = WantedPage(visit.url, visit.role, self._kind(visit))
            self._queue.append(page)
        if page.done:
            self._settled.append((visit, page))
        else:
            page.waiting.append(visit)

    def _kind(self, visit: Visit) -> PageKind | None:
        frame = self._frames.get((str(visit.unit_id), str(visit.column_id)))
        return known_kind(visit.role, frame.column if frame else None)

    # ------------------------------------------------------------ what follows

    def _recall(self, page: WantedPage) -> None:
        """Ask earlier nights about a page, and about those that come after it."""
        asked = [page, *islice((other for other in self._queue if not other.recalled), RECALLED_AT_ONCE - 1)]
        known = self._earlier.pages(self.plan.site.id, [one.url for one in asked])
        for one in asked:
            one.earlier, one.recalled = known.get(one.url), True

    def _settle(self, page: WantedPage) -> None:
        page.done = True
        page.earlier = None
        self._listing.discard(page.url)
        self.done += 1
        self._settled.extend((visit, page) for visit in page.waiting)
        page.waiting = []
        self._go_on()

    def _go_on(self) -> None:
        while self._settled:
            visit, page = self._settled.popleft()
            reason = noted(visit.reason, page.carried_on) if page.carried_on else visit.reason
            self._tell(replace(visit, reason=reason, rendering_wanted=page.rendering_wanted, failure=page.failure))
            self._follow(visit, page.outline)

    def _follow(self, visit: Visit, outline: Outline) -> None:
        if visit.role is PageRole.HOME:
            self._follow_home(visit, outline)
        elif visit.role is PageRole.COLUMN:
            self._follow_list(visit, outline)
        elif visit.role is PageRole.ARTICLE:
            self._follow_article(visit, outline)

    def _follow_home(self, visit: Visit, outline: Outline) -> None:
        if outline.dated:
            return
        below = [*outline.frames, *(entry.url for entry in outline.entries), *outline.links]
        inner = dict.fromkeys(url for url in self._own(below) if url != self._home)
        for order, url in enumerate(list(inner)[:SECOND_LEVEL_PAGES]):
            reason = f"首页无带日期的条目，二级页面 {order + 1}"
            self._look(Visit(visit.site_id, url, PageRole.SECOND_LEVEL, order, parent=visit.url, reason=reason))

    def _follow_list(self, visit: Visit, outline: Outline) -> None:
        frame = self._frames[str(visit.unit_id), str(visit.column_id)]
        frame.open -= 1
        frame.entries[visit.order] = outline.entries
        if not outline.entries:
            frames = list(self._own(outline.frames))[:FRAMES_OF_A_PAGE]
            frame.allowed += len(frames)
            for url in frames:
                self._list_page(frame, url, visit.url)
        if outline.next:
            for url in self._own([outline.next]):
                self._list_page(frame, url, visit.url)
        self._attachments(visit, self._offered(frame, outline), self._sampling(frame.column).attachments)
        if not frame.open:
            self._draw(frame)

    @staticmethod
    def _offered(frame: _Frame, outline: Outline) -> Outline:
        """Leave out the files that the page lists as its entries: those are drawn. A catalogue's are all read."""
        if frame.column.type is ColumnType.STANDARD_CATALOG:
            return outline
        listed = {entry.url for entry in outline.entries}
        return replace(outline, attachments=tuple(file for file in outline.attachments if file[0] not in listed))

    def _sampling(self, column: Column) -> Sampling:
        """Return how much of a column is read: of a catalogue everything, because each of its fields is judged."""
        sampling = self.plan.settings.sampling
        if column.type is not ColumnType.STANDARD_CATALOG:
            return sampling
        most = sampling.catalog_items
        return sampling.model_copy(update={"newest": most, "older": 0, "attachments": most})

    def _list_page(self, frame: _Frame, url: str, parent: str | None) -> None:
        url = _spelt(url)
        if url in frame.pages or len(frame.pages) >= frame.allowed:
            return
        order = len(frame.pages)
        frame.pages.add(url)
        frame.open += 1
        reason = "栏目页" if parent is None else f"列表第 {order + 1} 页"
        self._look(
            Visit(
                self.plan.site.id,
                url,
                PageRole.COLUMN,
                order,
                frame.unit.id,
                frame.column.id,
                parent,
                reason,
                title=frame.column.name,
            )
        )

    def _draw(self, frame: _Frame) -> None:
        listed = [entry for _, entries in sorted(frame.entries.items()) for entry in entries]
        inner = [replace(entry, url=url) for entry in listed for url in self._own([entry.url])]
        wanted = [entry for entry in inner if entry.url not in frame.pages and self._is_drawn(frame, entry)]
        seed_key = f"{self.plan.seed}/{frame.unit.id}/{frame.column.id}"
        for drawn in draw_articles(wanted, self._sampling(frame.column), seed_key):
            self._look(
                Visit(
                    self.plan.site.id,
                    drawn.entry.url,
                    PageRole.ATTACHMENT if is_attachment(drawn.entry.url) else PageRole.ARTICLE,
                    drawn.order,
                    frame.unit.id,
                    frame.column.id,
                    reason=drawn.reason,
                    title=drawn.entry.title,
                    listed_date=drawn.entry.date,
                )
            )

    @staticmethod
    def _is_drawn(frame: _Frame, entry: ListEntry) -> bool:
        """Whether an entry may be drawn: a file too, unless it is fetched with the list page of a catalogue anyway."""
        return frame.column.type is not ColumnType.STANDARD_CATALOG or not is_attachment(entry.url)

    def _follow_article(self, visit: Visit, outline: Outline) -> None:
        count = self._sampling(self._frames[str(visit.unit_id), str(visit.column_id)].column).attachments
        for file in outline.followed[:count]:
            place = {"unit_id": visit.unit_id, "column_id": visit.column_id, "revisit": visit.revisit}
            reason = without_note(file.reason)
            self._look(replace(file, **place, reason=reason, rendering_wanted=False, failure=None))
        self._attachments(visit, outline, count)

    def _attachments(self, visit: Visit, outline: Outline, count: int) -> None:
        found = {url: text for link, text in outline.attachments for url in self._own([link])}
        for order, (url, text) in enumerate(list(found.items())[:count]):
            self._look(
                Visit(
                    visit.site_id,
                    url,
                    PageRole.ATTACHMENT,
                    order,
                    visit.unit_id,
                    visit.column_id,
                    parent=visit.url,
                    reason=f"附件 {order + 1}/{len(found)}",
                    title=text,
                    revisit=visit.revisit,
                )
            )

    def _own(self, urls: list[str] | tuple[str, ...]) -> Iterator[str]:
        """Yield those of the addresses that are of this site, normalised: what others publish is not this site's."""
        return (spelt for url in urls if same_site(spelt := _spelt(url), self._home))


def known_kind(role: PageRole, column: Column | None) -> PageKind | None:
    """Return what the inventory says a page is; None lets the page speak for itself."""
    if role is PageRole.ARTICLE and column is not None:
        return kind_of_column(column.type, article=True)
    return {PageRole.HOME: PageKind.HOME, PageRole.COLUMN: PageKind.COLUMN}.get(role)


def _spelt(url: str) -> str:
    """Return the address normalised, or as it is where it cannot be read: asking for it then fails, and says why."""
    try:
        return normalise(url)
    except InvalidUrl:
        return url
