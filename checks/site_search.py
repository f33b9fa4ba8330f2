"""站内搜索: the site's search finds what stands on the site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.facts.model import PageFacts
from checks.judging.readability import (
    SHARED_REASONS,
    Obstacle,
    is_undecided,
    obstacle_of_failure,
    readable_home,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, FailureKind, Finding, Outcome, Page, Probe, ProbeKind, Scope
from checks.reading.search_forms import hints_at_search, search_form
from config.rules import Rules

META = CheckMeta(
    id="site_search",
    title="站内搜索",
    failure_title="站内搜索不可用",
    basis="《政府网站发展指引》（国办发〔2017〕47号）：提供站内搜索；国办公开办函〔2019〕61号：优化信息检索功能；国办秘函〔2019〕19号；"
    "石栾政办函〔2020〕118号“优化信息检索和下载服务功能”",
    method="在首页的搜索表单里，依次搜索几个确知在本站、已发布数天的文章标题（取其中一段），结果页里有该文章的链接，或者有标题里没有搜过的后几个字，就是搜到了；"
    "只回显搜索词不算。有一个搜到即为可用。服务器拒绝、出错，结果由脚本生成的，不下结论；robots.txt 不允许的，不检查。",
    scope=Scope.SITE,
    reasons={
        "found": "搜得到",
        "not_found": "搜不到站内的文章",
        "no_search": "首页没有站内搜索",
        "script_search": "搜索由脚本提交，无法代为搜索",
        "no_answer": "搜索没有正常返回",
        "no_titles": "没有可以用来搜索的文章",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：《政府网站发展指引》（国办发〔2017〕47号）、国办公开办函〔2019〕61号、石栾政办函〔2020〕118号。"
ENOUGH = 2  # titles that were not found, so that one odd title decides nothing


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding: whether the site's search finds known titles."""
    if bundle.site is None:
        return
    probes = [probe for probe in bundle.probes if probe.kind is ProbeKind.SEARCH]
    evidence = (*(probe.evidence for probe in probes if probe.evidence), *evidence_of(bundle.home))
    subject = Subject(META.id, bundle.home_address, evidence)
    read = readable_home(bundle)
    if isinstance(read, Obstacle):
        yield subject.cannot_tell(read)
    elif probes:
        yield _judge(subject, probes)
    else:
        yield _unasked(subject, *read)


def _unasked(subject: Subject, home: Page, facts: PageFacts) -> Finding:
    if search_form(facts) is not None:
        observed = "首页有搜索框，但本次没有读到发布数天以上的文章，没有可以用来搜索的标题。"
        return subject.finding(Outcome.NOT_TESTED, "no_titles", observed)
    if is_undecided(home):
        return subject.cannot_tell(script_obstacle("首页"))
    if hints_at_search(facts):
        observed = "首页有搜索的字样或入口，但不是可以直接提交的表单，没有代为搜索，不能断定。"
        return subject.finding(Outcome.INCONCLUSIVE, "script_search", observed)
    return subject.failed("no_search", "首页没有站内搜索。", f"首页应当提供站内搜索。{CLAUSE}", where="首页")


def _judge(subject: Subject, probes: Sequence[Probe]) -> Finding:
    if any(probe.failure is FailureKind.ROBOTS_DISALLOWED for probe in probes):
        return subject.cannot_tell(obstacle_of_failure(FailureKind.ROBOTS_DISALLOWED, "搜索页面"))
    found = next((probe for probe in probes if probe.observed.get("found") is True), None)
    if found is not None:
        return subject.passed(
            "found", f"搜索“{found.observed.get('query')}”，搜到了{_title(found)}。", where="站内搜索"
        )
    missed = [probe for probe in probes if probe.observed.get("found") is False]
    if len(missed) < len(probes) or len(missed) < ENOUGH:
        return subject.finding(Outcome.INCONCLUSIVE, "no_answer", _unanswered(probes))
    asked = "；".join(f"“{probe.observed.get('query')}”，没有搜到{_title(probe)}" for probe in missed)
    return subject.failed(
        "not_found",
        f"用首页的搜索框依次搜索：{asked}。这些文章都在本站，能够打开。",
        f"站内搜索应当能按标题搜到站内的文章，请检查搜索服务和索引是否正常。{CLAUSE}",
        passage=str(missed[0].observed.get("query")),
        where="站内搜索",
    )


def _title(probe: Probe) -> str:
    published = probe.observed.get("published")
    return (
        f"《{probe.observed.get('title')}》（{f'{published} 发布，' if published else ''}{probe.observed.get('url')}）"
    )


def _unanswered(probes: Sequence[Probe]) -> str:
    reasons = dict.fromkeys(str(probe.observed.get("error") or "没有搜到") for probe in probes)
    return f"搜索了 {len(probes)} 次，没有得到可以断定的结果：{'；'.join(reasons)}。"
