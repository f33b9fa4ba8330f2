"""错链断链: what the links on a unit's pages lead to is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from decimal import Decimal

from checks.judging.readability import SHARED_REASONS, page_obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, Finding, Outcome, Page, Probe, Scope
from checks.reading.addresses import comparable
from checks.reading.link_answers import addresses_of, is_found, link_probes, tries_told
from config.rules import DeadLinksRule, Rules

META = CheckMeta(
    id="dead_links",
    title="错链断链",
    failure_title="链接打不开",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）“链接可用性”；《政府网站发展指引》（国办发〔2017〕47号）："
    "保证链接有效，杜绝错链、断链",
    method="每晚从已读页面的链接、图片、附件里按次序抽一部分，用 HEAD、GET 请求；疑似打不开的，在探测结束前另行连接"
    "再试一次。先后两次都明确是404、410、域名不存在或者页面自称不存在的，才是断链；超时、拒绝访问、验证、限流、服务器错误和解析失败都不算。"
    "同一个链接无论出现在几页，只计一次；首页上的计入站内的每个单位。得分是打得开的链接所占的比例。",
    scope=Scope.UNIT,
    reasons={
        "alive": "链接打得开",
        "dead_page": "链接的网页打不开",
        "dead_image": "图片打不开",
        "dead_attachment": "附件打不开",
        "dead_host": "链接的域名不存在",
        "no_links": "没有可以检查的链接",
        "not_probed": "没有探测",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：国办秘函〔2019〕19号“链接可用性”、《政府网站发展指引》（国办发〔2017〕47号）。"
KINDS = {"page": "链接", "image": "图片", "attachment": "附件"}


@dataclass(frozen=True, slots=True)
class Place:
    """One page on which a link stands, with the link's text."""

    page: Page
    text: str


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a FAIL for each dead link on the unit's pages, and one verdict for all its links that are alive."""
    if bundle.unit is None:
        return
    pages = _pages(bundle)
    read = [page for page in pages if page_obstacle(page) is None]
    whole = Subject(META.id, bundle.unit.id, evidence_of(*read[:1]))
    if not read:
        yield _unread(whole, pages)
        return
    leads = {written for page in read for written in _leads(page)}
    probed = {written: probe for probe in link_probes(bundle) for written in addresses_of(probe)}
    dead = {probe.target: probe for written, probe in probed.items() if written in leads and is_found(probe, "dead")}
    places = _places(read, {written for probe in dead.values() for written in addresses_of(probe)})
    for target, probe in sorted(dead.items()):
        standing = [place for written in addresses_of(probe) for place in places.get(written, ())]
        yield _dead(replace(whole, target=target), probe, standing, len(read), rules.checks.dead_links)
    alive = _alive(leads, probed, read)
    if alive:
        yield replace(whole, weight=Decimal(alive)).passed("alive", f"查到 {alive} 个打得开的链接。")
    elif not dead:
        yield _nothing(whole, leads)


# ---------------------------------------------------------------- the unit's links


def _pages(bundle: Bundle) -> list[Page]:
    listed = [*bundle.homes, *(page for visit in bundle.columns for page in (*visit.pages, *visit.articles))]
    return list({page.url: page for page in reversed(listed)}.values())[::-1]


def _places(pages: Sequence[Page], wanted: Set[str]) -> dict[str, list[Place]]:
    """Return by address, as written, the pages on which it stands, each once."""
    found: dict[str, list[Place]] = defaultdict(list)
    for page in pages if wanted else ():
        leads = _leads(page)
        for written in wanted & leads.keys():
            found[written].append(Place(page, leads[written]))
    return found


def _leads(page: Page) -> dict[str, str]:
    """Return where the page leads, by address as written, with the text of the first link that leads there."""
    if page.facts is None:
        return {}
    return {
        **dict.fromkeys((*page.facts.frames, *page.facts.images), ""),
        **{entry.url: entry.title for entry in reversed(page.facts.list.entries)},
        **{link.url: link.text for link in reversed(page.facts.links)},
    }


def _alive(leads: Set[str], probed: Mapping[str, Probe], pages: Sequence[Page]) -> int:
    """Count the links that were found alive, by a probe or by having been read themselves, each address once."""
    read = {comparable(page.url) for page in pages}
    found = set()
    for written in leads:
        probe = probed.get(written)
        if probe is not None and is_found(probe, "alive"):
            found.add(comparable(probe.target))
        elif probe is None and comparable(written) in read:
            found.add(comparable(written))
    return len(found)


# ---------------------------------------------------------------- verdicts


def _dead(subject: Subject, probe: Probe, places: list[Place], pages: int, rule: DeadLinksRule) -> Finding:
    standing = list({place.page.url: place for place in places}.values())
    kind = str(probe.observed.get("kind"))
    name = KINDS.get(kind, KINDS["page"])
    text = next((place.text for place in standing if place.text), "")
    shown = [place.page.url for place in standing[: rule.shown_places]]
    more = f"等 {len(standing)} 个页面" if len(standing) > len(shown) else ""
    common = Decimal(len(standing)) >= rule.template_share * pages and len(standing) > rule.shown_places
    template = "多数页面都有这个链接，多半写在页头、页脚等公共部分里，改一处即可。" if common else ""
    reason = "dead_host" if probe.observed.get("why") == "域名不存在" else f"dead_{kind if kind in KINDS else 'page'}"
    evidence = (*((probe.evidence,) if probe.evidence else ()), *evidence_of(*(p.page for p in standing[:1])))
    return replace(subject, evidence=evidence).failed(
        reason,
        f"{name}{f'“{text}”' if text else ''}（{subject.target}）打不开：{tries_told(probe)}。"
        f"它出现在 {'、'.join(shown)}{more}。{template}",
        f"请改正、更换或删除这个{name}，使页面上的{name}都能打开。{CLAUSE}",
        passage=subject.target,
        where=_title(standing[0].page) if len(standing) == 1 else f"{len(standing)} 个页面",
    )


def _title(page: Page) -> str:
    return (page.facts.title if page.facts else "") or page.url


def _unread(subject: Subject, pages: Sequence[Page]) -> Finding:
    obstacle = next((found for page in pages if (found := page_obstacle(page)) is not None), None)
    if obstacle is not None:
        return subject.cannot_tell(obstacle)
    return subject.finding(Outcome.NOT_TESTED, "unconfirmed", "该单位的栏目地址都还没有人确认，没有可以检查的页面。")


def _nothing(subject: Subject, leads: Set[str]) -> Finding:
    if not leads:
        return subject.not_applicable("no_links", "已读的页面上没有链接、图片和附件。")
    return subject.finding(Outcome.NOT_TESTED, "not_probed", f"页面上的 {len(leads)} 个链接本次都没有得到明确的结果。")
