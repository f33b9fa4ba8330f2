"""暗链: nobody has put links on the pages that visitors do not see, or that advertise what such links advertise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from checks.facts.hidden import Hiding
from checks.facts.model import Link, PageFacts
from checks.judging.readability import SHARED_REASONS, is_undecided, page_obstacle, script_obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, Finding, Outcome, Page, Scope
from checks.reading.addresses import full_host_of, is_outside, is_under, registered_domain
from checks.reading.words import any_of
from config.rules import HiddenLinksRule, Rules

META = CheckMeta(
    id="hidden_links",
    title="暗链",
    failure_title="网页被植入暗链",
    basis="国办秘函〔2019〕19号：网站被植入暗链等安全问题；《政府网站发展指引》（国办发〔2017〕47号）安全防护：防止页面被篡改、"
    "被挂暗链；石栾政办函〔2020〕118号 5.2",
    method="看首页、栏目页和抽到的文章里读者看不到的链接（移出屏幕、零尺寸、零字号、与背景同色、看不见的滚动字幕、"
    "display:none 等）和指向外站的链接。用只有暗链才用的手法藏起、又指向政府网站以外的，或者藏着的外站链接文字里有词表"
    "（words.toml 的 hidden_links）里的词的，不通过；菜单、选项卡也用的 display:none 而没有这些词的，只提示。同一处植入"
    "在多个页面出现只算一次。",
    scope=Scope.PAGE,
    reasons={
        "clean": "没有发现暗链",
        "dark_links": "有读者看不到的外站链接",
        "spam_links": "有成批的违规推广链接",
        "to_be_looked_at": "有藏着的外站链接或可疑文字，请核对",
        "told_already": "与本单位另一页面上的是同一处",
        **SHARED_REASONS,
    },
)

EXPECTED = (
    "请立即从模板或数据库里删去这些链接，查明植入途径、修补漏洞，并检查服务器上有无别的被改文件。"
    "依据：国办秘函〔2019〕19号、《政府网站发展指引》（国办发〔2017〕47号）安全防护要求。"
)
TRICKS = frozenset({Hiding.OFF_SCREEN, Hiding.ZERO_SIZE, Hiding.ZERO_FONT, Hiding.SAME_COLOUR, Hiding.STILL_MARQUEE})
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Suspect:
    """A link that should not be there. `grave`: by itself enough to say so; `how` it is kept from being seen."""

    url: str
    text: str
    how: str
    grave: bool

    @property
    def words(self) -> str:
        """The link in words for its editor."""
        return f"“{self.text[:40] or '（无文字）'}”→ {self.url[:120]}（{self.how}）"

    @property
    def passage(self) -> str:
        """The link as the page has it."""
        return f"{self.text} {self.url}".strip()


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding for each page that was looked at; what stands on several pages is told on the first."""
    judge = _Judge(rules, bundle.domain_suffix)
    pages: dict[str, tuple[Page, str | None]] = {}
    for column_id, page in _pages(bundle):
        pages.setdefault(page.url, (page, column_id))
    suspects = {url: judge.suspects(page.facts) for url, (page, _) in pages.items() if page.facts}
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for url, found in suspects.items():
        for suspect in found:
            places[suspect.url, suspect.how].append(url)
    for url, (page, column_id) in pages.items():
        subject = Subject(META.id, url, evidence_of(page), column_id)
        yield _judge_page(subject, page, suspects.get(url, ()), places)


def _pages(bundle: Bundle) -> Iterator[tuple[str | None, Page]]:
    """Every page of the unit's own sites with its column, home pages first."""
    yield from ((None, home) for home in bundle.homes)
    for visit in bundle.columns:
        for page in (*visit.pages, *visit.articles):
            if not is_outside(page.url, visit.target):
                yield visit.column.id, page


def _judge_page(
    subject: Subject, page: Page, suspects: tuple[Suspect, ...], places: dict[tuple[str, str], list[str]]
) -> Finding:
    obstacle = page_obstacle(page)
    if obstacle is not None:
        return subject.cannot_tell(obstacle)
    new = tuple(suspect for suspect in suspects if places[suspect.url, suspect.how][0] == page.url)
    if suspects and not new:
        first = places[suspects[0].url, suspects[0].how][0]
        return subject.not_applicable("told_already", f"这一页上的可疑链接与 {first} 上的是同一处，已在那里说明。")
    if new:
        return _told(subject, new, max(len(places[suspect.url, suspect.how]) for suspect in new))
    if is_undecided(page):
        return subject.cannot_tell(script_obstacle())
    return subject.passed("clean", "没有发现藏着的外站链接，也没有词表里的推广文字。")


def _told(subject: Subject, suspects: tuple[Suspect, ...], pages: int) -> Finding:
    grave = tuple(suspect for suspect in suspects if suspect.grave)
    listed = "；".join(suspect.words for suspect in (grave or suspects)[:EXAMPLES])
    spread = f"，在看过的 {pages} 个页面上都有" if pages > 1 else ""
    passage = (grave or suspects)[0].passage
    if not grave:
        observed = f"有 {len(suspects)} 条可疑的链接{spread}：{listed}。"
        return subject.finding(
            Outcome.NOTICE, "to_be_looked_at", observed, "请核对是不是本单位放的。", passage=passage, where="网页源代码"
        )
    hidden = any(suspect.how != VISIBLE for suspect in grave)
    what = "读者看不到、而搜索引擎看得到的链接" if hidden else "成批的推广链接"
    reason = "dark_links" if hidden else "spam_links"
    observed = f"网页源代码里有 {len(grave)} 条{what}{spread}：{listed}。"
    return subject.failed(reason, observed, EXPECTED, passage=passage, where="网页源代码")


# ---------------------------------------------------------------- which links are suspect

VISIBLE = "看得到"


class _Judge:
    """Tells suspect links by the rules. Built once a bundle; its patterns once a process."""

    def __init__(self, rules: Rules, suffix: str) -> None:
        self.rule: HiddenLinksRule = rules.checks.hidden_links
        self.suffix = suffix
        self.spam = any_of(rules.words.hidden_links.words, whatever_case=True)
        self.caution = any_of(self.rule.cautions, whatever_case=True)

    def suspects(self, facts: PageFacts) -> tuple[Suspect, ...]:
        """Return the page's suspect links, the hidden ones first, each address and trick once."""
        own = full_host_of(facts.url or "")
        hidden = tuple(self._hidden(facts, own))
        seen = {suspect.url for suspect in hidden}
        spam = {
            link.url: link.text
            for link in self._advertising(facts.links)
            if self._is_foreign(link.url, own) and link.url not in seen
        }
        grave = len(spam) >= self.rule.visible_at_least
        visible = tuple(Suspect(url, text, VISIBLE, grave) for url, text in spam.items())
        return tuple({(suspect.url, suspect.how): suspect for suspect in (*hidden, *visible)}.values())

    def _hidden(self, facts: PageFacts, own: str) -> Iterator[Suspect]:
        for link in facts.hidden_links:
            tricky, foreign = link.how in TRICKS, self._is_foreign(link.url, own)
            advertises = self._advertises(link.text)
            if foreign or advertises:
                yield Suspect(link.url, link.text, link.how, grave=(tricky, foreign, advertises).count(True) >= 2)

    def _advertising(self, links: tuple[Link, ...]) -> Iterator[Link]:
        """Yield the links whose text advertises; most pages have none, which one look at all their texts tells."""
        if self.spam.search("\n".join([link.text for link in links])):
            yield from (link for link in links if self._advertises(link.text))

    def _advertises(self, text: str) -> bool:
        """Whether a link's text offers what the word list names; a title that warns of it does not."""
        return (
            len(text) <= self.rule.longest_text
            and self.spam.search(text) is not None
            and self.caution.search(text) is None
        )

    def _is_foreign(self, url: str, own: str) -> bool:
        """Whether an address is neither of the site's own domain, nor a government's, nor a known counter's."""
        host = full_host_of(url)
        if not host or not own or is_under(host, self.suffix):
            return False
        if registered_domain(host, self.suffix) == registered_domain(own, self.suffix):
            return False
        return not any(host == known or is_under(host, known) for known in self.rule.known_hosts)
