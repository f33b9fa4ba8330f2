"""我为政府网站找错: the home page leads to the national service for reporting errors, with the site's own code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.facts.model import ErrorReport, PageFacts
from checks.judging.readability import (
    SHARED_REASONS,
    Obstacle,
    is_undecided,
    readable_home,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, Finding, Page, Scope
from checks.reading.addresses import host_of, is_outside
from config.rules import Rules

META = CheckMeta(
    id="error_report_entry",
    title="我为政府网站找错",
    failure_title="首页没有规范的找错入口",
    basis="《政府网站发展指引》（国办发〔2017〕47号）：首页底部功能区应有“我为政府网站找错”监督举报平台入口；"
    "国办秘函〔2019〕19号；石栾政办函〔2020〕118号 5.2",
    method="看首页上的链接和脚本：应当有指向全国统一的“我为政府网站找错”平台的入口，并带本网站的标识码（与登记的一致；没有登记的，"
    "与页面底部一致）。只看首页自己的代码，不访问该平台。入口可能由脚本写上而没能渲染的，不下结论。",
    scope=Scope.SITE,
    reasons={
        "present": "有找错入口",
        "missing": "没有找错入口",
        "wrong_service": "找错入口不是全国统一平台的",
        "no_site_code": "找错入口没有带标识码",
        "wrong_site_code": "找错入口带的标识码不是本网站的",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：《政府网站发展指引》（国办发〔2017〕47号）、国办秘函〔2019〕19号。"
CODE = re.compile(r"\d{10}|bm\d{8}", re.IGNORECASE)


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding about the site's home page."""
    if bundle.site is None:
        return
    subject = Subject(META.id, bundle.home_address, evidence_of(bundle.home))
    read = readable_home(bundle)
    if isinstance(read, Obstacle):
        yield subject.cannot_tell(read)
        return
    home, facts = read
    service = f"{rules.checks.error_report_entry.service}.{bundle.domain_suffix}"
    official = tuple(entry for entry in facts.error_reports if host_of(entry.url) == service)
    if official:
        yield _judge_codes(subject, official, _own_code(bundle, facts))
    else:
        yield _judge_without(subject, home, facts, service)


def _judge_codes(subject: Subject, entries: tuple[ErrorReport, ...], own: str) -> Finding:
    """Judge the codes of the service's entries; a page may hold several, of which one with the right code is enough."""
    codes = tuple(dict.fromkeys(entry.site_code for entry in entries if entry.site_code))
    place, address = "首页底部的“我为政府网站找错”", entries[0].url
    if not codes:
        return subject.failed(
            "no_site_code",
            f"首页有找错入口（{address}），但没有带网站标识码，网民的留言转不到本网站。",
            f"请按平台给出的代码补上本网站的标识码{f'（{own}）' if own else ''}。{CLAUSE}",
            passage=address,
            where=place,
        )
    if own and own.lower() not in [code.lower() for code in codes]:
        return subject.failed(
            "wrong_site_code",
            f"首页的找错入口带的标识码是 {'、'.join(codes)}，而本网站的是 {own}，网民的留言会转到别的网站。",
            f"请把找错入口的标识码改为 {own}。{CLAUSE}",
            passage=address,
            where=place,
        )
    compared = "，与本网站的一致" if own else ""
    return subject.passed("present", f"首页有找错入口，带标识码 {codes[0]}{compared}。", passage=address, where=place)


def _own_code(bundle: Bundle, facts: PageFacts) -> str:
    """The site's code to compare with: the registered one, else the footer's, else the tag's; "" for none.

    A code that is itself at fault (site_identity tells) is nothing to measure another by.
    """
    if bundle.site is not None and bundle.site.site_code:
        return bundle.site.site_code
    code = (facts.identity.site_code or facts.identity.site_code_meta or "").strip()
    is_sound = CODE.fullmatch(code) is not None and code.lower().startswith(("bm", bundle.division_code))
    return code if is_sound else ""


def _judge_without(subject: Subject, home: Page, facts: PageFacts, service: str) -> Finding:
    if is_undecided(home, ignoring=frozenset()):
        return subject.cannot_tell(script_obstacle("首页底部"))
    own = (entry for entry in facts.error_reports if not is_outside(entry.url, home.url))
    if any(entry.script or entry.site_code for entry in own):  # what they open only shows when they run
        return subject.cannot_tell(script_obstacle("首页的找错入口"))
    expected = (
        f"首页底部应当有“我为政府网站找错”入口，按全国统一平台（{service}）给出的代码嵌入，带本网站的标识码。{CLAUSE}"
    )
    if facts.error_reports:
        other = facts.error_reports[0]
        observed = f"首页的找错入口{f'“{other.text}”' if other.text else ''}指向 {other.url}，不是全国统一的平台。"
        return subject.failed("wrong_service", observed, expected, passage=other.url, where="首页底部")
    return subject.failed("missing", "首页没有“我为政府网站找错”入口。", expected, where="首页底部")
