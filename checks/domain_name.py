"""域名: a government site stands under the government suffix, in the prescribed form, and under one domain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from checks.judging.readability import (
    SHARED_REASONS,
    Obstacle,
    readable_home,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, Finding, Outcome, Scope
from checks.reading.addresses import full_host_of, is_under, registered_domain
from config.rules import Rules

META = CheckMeta(
    id="domain_name",
    title="域名",
    failure_title="网站域名不合规范",
    basis="《国务院办公厅关于加强政府网站域名管理的通知》（国办函〔2018〕55号）：政府网站使用以“.gov.cn”为后缀的英文域名，"
    "门户网站为“www.□□□.gov.cn”，部门网站为其下级域名；一个网站原则上只用一个英文域名，栏目等原则上使用同一域名；"
    "石栾政办函〔2020〕118号 5.2",
    method="看网站的主机名（不看端口）：以政府域名后缀结尾，不是裸 IP，门户带 www。再看首页有没有转到另一个域名、"
    "栏目有没有放在政府后缀以外的域名上。栏目在另一个政府域名上，或名称里有数字、连字符的，只提示，不扣分。首页没读到的，不下结论。",
    scope=Scope.SITE,
    reasons={
        "government_domain": "是规范的政府网站域名",
        "bare_address": "用 IP 地址而没有域名",
        "other_suffix": "不是政府网站域名后缀",
        "without_www": "门户网站域名不带 www",
        "one_domain": "网站只用一个域名",
        "leads_elsewhere": "首页转到另一个域名",
        "several_domains": "栏目放在别的域名上",
        "another_government_domain": "栏目放在另一个政府域名上",
        "unusual_name": "域名里有数字或连字符",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：《国务院办公厅关于加强政府网站域名管理的通知》（国办函〔2018〕55号）。"
WHERE = "网址"
UNUSUAL = re.compile(r"[^a-z.]")


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield a finding about the form of the site's host, one about its being the only domain, and notices."""
    if bundle.site is None:
        return
    whole = Subject(META.id, bundle.home_address, evidence_of(bundle.home))
    form, unity = replace(whole, item="form"), replace(whole, item="unity")
    read = readable_home(bundle)
    if isinstance(read, Obstacle):
        yield from (subject.cannot_tell(read) for subject in (form, unity))
        return
    home, facts = read
    suffix, reached = bundle.domain_suffix, facts.url or home.url
    host = full_host_of(home.url)
    yield _judge_form(form, _shown_host(host, full_host_of(reached), suffix), suffix)
    yield _judge_unity(unity, bundle, host, reached)
    strange = UNUSUAL.findall(host.removesuffix(suffix))
    if is_under(host, suffix) and strange:
        seen = f"域名 {host} 里有“{'”“'.join(dict.fromkeys(strange))}”。"
        advice = f"域名宜用本地区、本部门名称的拼音或英文字符。{CLAUSE}"
        yield replace(whole, item="name").finding(Outcome.NOTICE, "unusual_name", seen, advice, where=WHERE)


def _judge_form(subject: Subject, host: str, suffix: str) -> Finding:
    if _is_address(host):
        observed, wanted = f"网站用 IP 地址 {host} 访问，没有域名。", f"应当使用以“.{suffix}”结尾的域名"
        return subject.failed("bare_address", observed, f"{wanted}。{CLAUSE}", where=WHERE)
    if not is_under(host, suffix):
        observed, wanted = f"网站的域名是 {host}，不以“.{suffix}”结尾。", f"应当使用以“.{suffix}”结尾的域名"
        return subject.failed("other_suffix", observed, f"{wanted}，原域名停用。{CLAUSE}", where=WHERE)
    if host == registered_domain(host, suffix):
        observed, wanted = f"网站的域名是 {host}，前面没有 www。", f"门户网站的域名应当是 www.{host}"
        return subject.failed("without_www", observed, f"{wanted}。{CLAUSE}", where=WHERE)
    return subject.passed("government_domain", f"网站的域名是 {host}，以“.{suffix}”结尾。", where=WHERE)


def _shown_host(host: str, reached: str, suffix: str) -> str:
    """The host that visitors see: the bare name may only lead to the one with www."""
    leads_on = host == registered_domain(host, suffix) and is_under(reached, host)
    return reached if leads_on else host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _judge_unity(subject: Subject, bundle: Bundle, host: str, reached: str) -> Finding:
    """Judge whether the home page, `reached` in the end, and the columns stand under the site's own domain."""
    suffix = bundle.domain_suffix
    own = registered_domain(host, suffix)
    if registered_domain(full_host_of(reached), suffix) != own:
        observed = f"打开 {subject.target} 转到了另一个域名：{reached}。"
        expected = f"网站原则上只用一个域名，请停用多余的一个，或把它登记为网站的域名。{CLAUSE}"
        return subject.failed("leads_elsewhere", observed, expected, where=WHERE)
    elsewhere = {
        visit.column.url: visit.column.name
        for visit in bundle.columns
        if visit.column.url
        and not visit.column.absent
        and registered_domain(full_host_of(visit.column.url), suffix) != own
    }
    foreign = {url: name for url, name in elsewhere.items() if not is_under(full_host_of(url), suffix)}
    if foreign:
        observed = f"网站的域名是 {host}，而有 {len(foreign)} 个栏目放在别的域名上：{_named(foreign)}。"
        expected = f"栏目、专题、业务系统应当与网站使用同一个以“.{suffix}”结尾的域名。{CLAUSE}"
        return subject.failed("several_domains", observed, expected, where=WHERE)
    if elsewhere:
        observed = f"有 {len(elsewhere)} 个栏目放在另一个政府域名上：{_named(elsewhere)}。"
        return subject.finding(Outcome.NOTICE, "another_government_domain", observed, f"原则上使用同一域名。{CLAUSE}")
    return subject.passed("one_domain", f"首页和 {len(bundle.columns)} 个栏目都在 {own} 这一个域名下。", where=WHERE)


def _named(columns: dict[str, str]) -> str:
    return "、".join(f"“{name}”（{url}）" for url, name in list(columns.items())[:3])
