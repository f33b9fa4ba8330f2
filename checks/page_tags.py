"""网页标签: pages carry the tags of the national rule, and what the tags say is true to the page."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import urlsplit

from checks.facts.dates import find_dates_in
from checks.facts.model import DateSource, ListEntry, PageFacts
from checks.judging.listing import entries_of
from checks.judging.publications import articles_of
from checks.judging.readability import SHARED_REASONS, Obstacle, is_undecided, page_obstacle, script_obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, ColumnVisit, Finding, Page, Scope
from checks.reading.addresses import comparable, host_of
from config.rules import PageTagsRule, Rules

META = CheckMeta(
    id="page_tags",
    title="网页标签",
    failure_title="网页标签缺失或与页面不符",
    basis="《政府网站发展指引》（国办发〔2017〕47号）附件“网页标签规范”：站点标签、栏目标签、内容页标签；"
    "石栾政办函〔2020〕118号 5.2",
    method="看首页、栏目页和抽到的文章的 meta 标签。每个网站按站点、栏目、内容页三类标签各给一个结果，模板里的一处毛病"
    "只算一次，并列出在哪些页面；SiteDomain 与网址、SiteIDCode 与页面底部、ColumnName 与栏目页对照。每个栏目再看文章的 "
    "ArticleTitle 与显示的标题、PubDate 与显示的发布日期（同一天即可）是否相符。没读到的页面不算。",
    scope=Scope.PAGE,
    reasons={
        "tagged": "标签齐全属实",
        "missing": "缺少网页标签",
        "untrue": "网页标签与页面不符",
        "title_differs": "ArticleTitle 与显示的标题不符",
        "date_differs": "PubDate 与显示的发布日期不符",
        "agrees": "标签与页面一致",
        "nothing_to_compare": "没有可以对照的内容",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：《政府网站发展指引》（国办发〔2017〕47号）附件“网页标签规范”。"
KINDS = {"site": "站点标签", "column": "栏目标签", "article": "内容页标签"}
LABELLED = (DateSource.LABEL, DateSource.TABLE)
PLACE = "网页源代码 <head> 里的 meta 标签"
PLACES = 3  # addresses that a sentence names
SHORTEST_TITLE = 4  # characters
UNSPOKEN = re.compile(r"[\W_]+")  # quotes, dashes, brackets: typed one way in the tag and another on the page
SEPARATORS = re.compile(r"[;；,，、|\s]+")


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a finding for each kind of tags on each site, then two for each column: its articles' titles and dates."""
    sites: dict[str, _SitePages] = defaultdict(_SitePages)
    for home in bundle.homes:
        sites[host_of(home.url)].add(home, "site")
    for visit in bundle.columns:
        for page in visit.pages[:1]:
            sites[host_of(page.url)].add(page, "site", "column")
    articles = tuple(_own_articles(bundle))
    for _, page in articles:
        sites[host_of(page.url)].add(page, "site", "article")
    for pages in sites.values():
        yield from _judge_tags(pages, rules.checks.page_tags)
    for visit in bundle.columns:
        own = tuple(page for owner, page in articles if owner is visit)
        yield from _judge_contents(visit, own)


@dataclass(slots=True)
class _SitePages:
    """The pages of one host that must bear tags of each kind."""

    pages: dict[str, list[Page]] = field(default_factory=lambda: defaultdict(list))

    def add(self, page: Page, *kinds: str) -> None:
        for kind in kinds:
            self.pages[kind].append(page)


def _own_articles(bundle: Bundle) -> Iterator[tuple[ColumnVisit, Page]]:
    """The sampled articles that stand on the host of the column that lists them first."""
    visits = {visit.column.id: visit for visit in bundle.columns}
    for article in articles_of(bundle):
        visit = visits[article.column_id]
        if host_of(article.page.url) == host_of(visit.target):
            yield visit, article.page


# ---------------------------------------------------------------- tags of a site


def _judge_tags(site: _SitePages, rule: PageTagsRule) -> Iterator[Finding]:
    for kind, pages in site.pages.items():
        subject = Subject(META.id, _root(pages[0].url), item=kind)
        obstacles: list[Obstacle] = []
        faults: dict[_Fault, list[Page]] = defaultdict(list)
        for page in pages:
            obstacle = _obstacle(page)
            if obstacle is not None or page.facts is None:
                obstacles.append(obstacle or script_obstacle())
                continue
            for fault in _faults(kind, page.facts, rule):
                faults[fault].append(page)
        judged = len(pages) - len(obstacles)
        if not judged:
            yield subject.cannot_tell(obstacles[0])
        elif faults:
            yield _failed(subject, faults, judged)
        else:
            observed = f"看了 {judged} 个页面，{KINDS[kind]}齐全，与页面相符。"
            yield replace(subject, evidence=evidence_of(pages[0])).passed("tagged", observed)


def _root(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _obstacle(page: Page) -> Obstacle | None:
    return page_obstacle(page) or (script_obstacle() if is_undecided(page) else None)


def _failed(subject: Subject, faults: dict[_Fault, list[Page]], judged: int) -> Finding:
    seen = "；".join(
        f"{fault.told}（{judged} 页中有 {len(pages)} 页，如 {_some(pages)}）" for fault, pages in faults.items()
    )
    reason = "missing" if any(not fault.written for fault in faults) else "untrue"
    shown = [page for pages in faults.values() for page in pages[:PLACES]]
    return replace(subject, evidence=evidence_of(*shown)).failed(
        reason,
        f"{KINDS[subject.item]}有问题：{seen}。",
        f"请在模板里补上或改正，改一处即可改好所有同类页面。{CLAUSE}",
        passage="；".join(fault.written for fault in faults if fault.written),
        where=PLACE,
    )


def _some(pages: list[Page]) -> str:
    return "、".join(page.url for page in pages[:PLACES])


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with a tag, in Chinese, and what the tag says ("": it is missing)."""

    told: str
    written: str = ""


def _faults(kind: str, facts: PageFacts, rule: PageTagsRule) -> Iterator[_Fault]:
    tags = _tags(facts)
    for names in {"site": rule.site, "column": rule.column, "article": rule.article}[kind]:
        if not any(tags.get(name.lower()) for name in names):
            yield _Fault(f"缺{'或'.join(names)}")
    yield from _untrue_site(tags, facts) if kind == "site" else ()
    name = tags.get("columnname", "")
    if kind == "column" and name and _key(name) not in _key(facts.text):
        yield _Fault(f"ColumnName 写作“{name[:40]}”，页面上没有这个名称", name)
    published = tags.get("pubdate", "")
    if kind == "article" and published and not find_dates_in(published, date.max, compact=True):
        yield _Fault(f"PubDate 写作“{published[:40]}”，不是日期", published)


def _untrue_site(tags: dict[str, str], facts: PageFacts) -> Iterator[_Fault]:
    domain, host = tags.get("sitedomain", ""), host_of(facts.url or "")
    if domain and host and not _names(domain, host):
        yield _Fault(f"SiteDomain 写作“{domain[:60]}”，而网址是 {host}", domain)
    code, shown = tags.get("siteidcode", ""), facts.identity.site_code or ""
    if code and shown and code.lower() != shown.lower():
        yield _Fault(f"SiteIDCode 写作“{code[:20]}”，而页面底部的网站标识码是 {shown}", code)


def _tags(facts: PageFacts) -> dict[str, str]:
    """The page's tags by name in lower case, the first that says something."""
    tags: dict[str, str] = {}
    for name, content in facts.meta:
        if content.strip():
            tags.setdefault(name.lower(), content.strip())
    return tags


def _names(written: str, host: str) -> bool:
    """Whether SiteDomain names the host or the site that it is a part of, among others, with or without scheme, port
    and www."""
    domains = (_domain(each) for each in SEPARATORS.split(written) if each)
    return any(domain and (host == domain or host.endswith(f".{domain}")) for domain in domains)


def _domain(written: str) -> str:
    return host_of(written if "://" in written else f"http://{written}").rstrip(".")


# ---------------------------------------------------------------- tags of articles, against what the articles show


AGREES = _Fault("")


def _judge_contents(visit: ColumnVisit, articles: tuple[Page, ...]) -> Iterator[Finding]:
    readable = tuple(page for page in articles if page.facts is not None and _obstacle(page) is None)
    unread = next((obstacle for page in articles if (obstacle := _obstacle(page))), None)
    for item, reason, compare in (
        ("title", "title_differs", _compared_title),
        ("date", "date_differs", _compared_date),
    ):
        subject = Subject(META.id, visit.target, evidence_of(*readable), visit.column.id, item)
        compared = [(page, fault) for page in readable if (fault := compare(page, visit)) is not None]
        differing = [(page, fault) for page, fault in compared if fault is not AGREES]
        if differing:
            yield subject.failed(
                reason,
                f"“{visit.column.name}”栏目抽查的 {len(compared)} 篇里有 {len(differing)} 篇的标签与页面不符："
                f"{'；'.join(f'{fault.told}（{page.url}）' for page, fault in differing)}。",
                f"标签应当照页面显示的填写，不应填系统生成页面的时间或别的稿件的标题。{CLAUSE}",
                passage=differing[0][1].written,
                where=PLACE,
            )
        elif compared:
            yield subject.passed("agrees", f"抽查的 {len(compared)} 篇文章的标签与页面一致。")
        elif unread is not None:
            yield subject.cannot_tell(unread)
        else:
            yield subject.not_applicable("nothing_to_compare", "没有同时带标签又显示这项内容的文章可以对照。")


def _compared_title(page: Page, visit: ColumnVisit) -> _Fault | None:
    """What differs, AGREES when nothing does, None when there is nothing to compare.

    That the tag is wrong is said only where the list calls the article what the page shows, and not what the tag says.
    """
    assert page.facts is not None
    tag, shown = _tags(page.facts).get("articletitle", ""), page.facts.title
    if not tag or not shown:
        return None
    if _is_same(tag, shown) or _key(tag) in _key(page.facts.text):
        return AGREES
    listed = [title for title in _listed(page, visit) if title]
    if not listed or any(_is_same(title, tag) for title in listed) or not any(_is_same(t, shown) for t in listed):
        return None
    return _Fault(f"ArticleTitle 写作“{tag[:80]}”，页面的标题是“{shown[:80]}”", tag)


def _compared_date(page: Page, visit: ColumnVisit) -> _Fault | None:
    """What differs, AGREES when nothing does, None when there is nothing to compare.

    An unlabelled date under the title counts as shown only where the list gives the same day.
    """
    assert page.facts is not None
    tagged = find_dates_in(_tags(page.facts).get("pubdate", ""), date.max, compact=True)
    shown = page.facts.published
    if not tagged or shown.date is None:
        return None
    if tagged[0].date == shown.date and shown.source is not DateSource.META:
        return AGREES
    listed = page.visit.listed_date or next((e.date for e in _entries(page, visit) if e.date), None)
    if shown.source not in LABELLED and not (shown.source is DateSource.TEXT and listed == shown.date):
        return None
    told = f"PubDate 写作 {tagged[0].date:%Y-%m-%d}，页面显示的发布日期是 {shown.date:%Y-%m-%d}"
    return _Fault(told, tagged[0].text)


def _listed(page: Page, visit: ColumnVisit) -> list[str]:
    """What the column's list calls the article."""
    return [page.visit.title, *(entry.title for entry in _entries(page, visit))]


def _entries(page: Page, visit: ColumnVisit) -> Iterator[ListEntry]:
    return (entry for entry in entries_of(visit) if comparable(entry.url) == comparable(page.url))


def _is_same(one: str, other: str) -> bool:
    """Whether two titles are one: alike, cut short, or with a site's or an organ's name before or behind."""
    first, second = sorted((_key(one), _key(other)), key=len)
    return first == second or (len(first) >= SHORTEST_TITLE and first in second)


def _key(text: str) -> str:
    """What two spellings of one title have in common."""
    return UNSPOKEN.sub("", unicodedata.normalize("NFKC", html.unescape(text)))
