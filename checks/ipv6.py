"""IPv6: the seven items by which a government site's support of IPv6 is judged, out of the run's probes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from urllib.parse import urlsplit

from checks.judging.verdict import Subject
from checks.model import Bundle, CheckMeta, Finding, Outcome, Scope
from checks.reading.ipv6_answers import Answers, Fetch, difference, fetch_line, told_once
from config.rules import Ipv6Rule, Rules

META = CheckMeta(
    id="ipv6",
    title="IPv6支持",
    failure_title="IPv6支持不完整",
    basis="中办、国办《推进互联网协议第六版（IPv6）规模部署行动计划》；国办秘函〔2019〕19号（IPv6改造）；石栾政办函〔2020〕118号"
    "“政府网站规范建设”：按时完成互联网协议第6版改造",
    method="七项：域名有AAAA记录；首页经IPv6可访问；多次访问的成功率；域名的授权服务器都有AAAA记录并经IPv6应答；首页内容经IPv4、IPv6一致；二级、三级"
    "内链经IPv6可访问的比例。检查机没有IPv6出口、站点经IPv4也打不开的，不下结论。",
    scope=Scope.SITE,
    reasons={
        "ok": "符合",
        "no_aaaa": "域名没有AAAA记录",
        "unreachable_v6": "经IPv6打不开",
        "unstable_v6": "经IPv6访问不稳定",
        "delegation_incomplete": "域名授权体系不支持IPv6",
        "delegation_silent": "域名服务器经IPv6都不应答",
        "content_differs": "IPv4与IPv6的首页内容不一致",
        "links_unreachable_v6": "内链经IPv6打不开",
        "no_v6_route": "检查机没有IPv6出口",
        "dns_failed": "域名解析失败",
        "site_down": "站点经IPv4也打不开",
        "not_probed": "没有探测",
        "no_links": "没有可以抽查的这一级内链",
    },
)

CLAUSE = "依据：《推进互联网协议第六版（IPv6）规模部署行动计划》、国办秘函〔2019〕19号、石栾政办函〔2020〕118号。"
LEVELS = {"second_level": (2, "二级"), "third_level": (3, "三级")}


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding for each of the seven items."""
    if bundle.site is None:
        return
    host = urlsplit(bundle.site.home).hostname or bundle.site.home
    answers = Answers.of(bundle.probes)
    rule = rules.checks.ipv6
    unread = _unread_levels(bundle)
    for item, judge in ITEMS.items():
        weight = rule.item_weights.get(item, Decimal(1))
        subject = Subject(META.id, host, answers.evidence, item=item, weight=weight)
        yield _unread_links(subject, answers) if item in unread else judge(subject, answers, rule)


def _inconclusive(subject: Subject, reason: str, observed: str) -> Finding:
    return subject.finding(Outcome.INCONCLUSIVE, reason, observed)


# ---------------------------------------------------------------- AAAA


def _aaaa(subject: Subject, answers: Answers, rule: Ipv6Rule) -> Finding:
    unknown = _unknown_addresses(subject, answers)
    if unknown is not None:
        return unknown
    if not answers.aaaa:
        return _no_aaaa(subject, answers)
    return subject.passed("ok", f"{subject.target} 有 AAAA 记录：{'、'.join(answers.aaaa)}。")


def _unknown_addresses(subject: Subject, answers: Answers) -> Finding | None:
    if not answers.asked_addresses:
        return _inconclusive(subject, "not_probed", f"本次没有查询 {subject.target} 的地址。")
    if answers.dns_error:
        return _inconclusive(subject, "dns_failed", f"{subject.target} 的域名解析失败：{answers.dns_error}，不能断定。")
    return None


def _no_aaaa(subject: Subject, answers: Answers) -> Finding:
    only = f"，只有 A 记录 {'、'.join(answers.a)}" if answers.a else ""
    return subject.failed(
        "no_aaaa",
        f"域名 {subject.target} 没有 AAAA 记录{only}，用 IPv6 无法访问。",
        f"请在域名解析中为 {subject.target} 添加 AAAA 记录，并让服务器在该地址上提供服务。{CLAUSE}",
        passage=f"{subject.target} AAAA：无",
        where="域名解析",
    )


# ---------------------------------------------------------------- the home page


def _home_unjudged(subject: Subject, answers: Answers) -> Finding | None:
    """Return what stands in the way of judging the home page over IPv6, a fault included; None when it answered."""
    unknown = _unknown_addresses(subject, answers)
    if unknown is not None:
        return unknown
    if not answers.aaaa:
        return _no_aaaa(subject, answers)
    tries = answers.home(6)
    if answers.reached(6):
        return None
    if answers.lacks_v6_route:
        return _inconclusive(subject, "no_v6_route", "检查机到该站没有 IPv6 路由，不能断定站点能否经 IPv6 访问。")
    if not tries or not answers.home(4):
        return _inconclusive(subject, "not_probed", "本次没有分别经 IPv4、IPv6 访问首页，不能断定。")
    if not any(fetch.is_success for fetch in answers.home(4)):
        return _inconclusive(
            subject, "site_down", f"首页经 IPv4 也没有正常返回，不能归因于 IPv6。{_lines(answers.home(4))}"
        )
    return subject.failed(
        "unreachable_v6",
        f"首页经 IPv6 打不开，经 IPv4 能打开。{answers.connect_lines(6)}{_lines(tries)}",
        f"首页应当能经 IPv6 访问：请检查服务器、防火墙和反向代理是否在 AAAA 记录的地址上开放了端口。{CLAUSE}",
        passage="、".join(answers.aaaa),
        where="首页",
    )


def _reach(subject: Subject, answers: Answers, rule: Ipv6Rule) -> Finding:
    unjudged = _home_unjudged(subject, answers)
    if unjudged is not None:
        return unjudged
    good = answers.reached(6)
    seen = "首页经 IPv6 能打开" if good[0].is_success else "首页经 IPv6、IPv4 得到同样的应答（访问验证），IPv6 是通的"
    return subject.passed("ok", f"{seen}。{answers.connect_lines(6)}{_lines(good[:1])}", where="首页")


def _success_rate(subject: Subject, answers: Answers, rule: Ipv6Rule) -> Finding:
    unjudged = _home_unjudged(subject, answers)
    if unjudged is not None:
        return unjudged
    tries = answers.home(6)
    good = len(answers.reached(6))
    seen = f"首页经 IPv6 访问 {len(tries)} 次，成功 {good} 次，成功率 {_percent(good, len(tries))}"
    if Decimal(good) >= rule.success_rate * len(tries):
        return subject.passed("ok", f"{seen}。{_lines(tries)}", where="首页")
    return subject.failed(
        "unstable_v6",
        f"{seen}。{_lines(tries)}",
        f"成功率应当不低于 {rule.success_rate:.0%}。请检查 IPv6 线路、负载均衡和防火墙。{CLAUSE}",
        where="首页",
    )


def _similarity(subject: Subject, answers: Answers, rule: Ipv6Rule) -> Finding:
    unjudged = _home_unjudged(subject, answers)
    if unjudged is not None:
        return unjudged
    pairs = [(four, six) for four in answers.home(4) for six in answers.home(6) if four.is_success and six.is_success]
    measured = [(share, four, six) for four, six in pairs if (share := difference(four, six)) is not None]
    if not pairs:
        return _inconclusive(subject, "site_down", f"首页经 IPv4 没有正常返回，无从比较。{_lines(answers.home(4))}")
    if not measured:
        return _inconclusive(subject, "not_probed", "没有取得可以比较的首页内容。")
    share, four, six = min(measured, key=lambda found: found[0])
    seen = f"经 IPv4、IPv6 取得的首页内容相差 {share:.1%}。{_lines([four, six])}"
    if share <= rule.max_difference:
        return subject.passed("ok", seen, where="首页")
    limit = f"两种地址上的首页内容应当一致，相差不超过 {rule.max_difference:.0%}"
    wanted = f"{limit}。请检查 IPv6 地址指向的是不是同一个网站。{CLAUSE}"
    return subject.failed("content_differs", seen, wanted, where="首页")


# ---------------------------------------------------------------- delegation


def _delegation(subject: Subject, answers: Answers, rule: Ipv6Rule) -> Finding:
    if not answers.zones:
        if answers.delegation_error:
            return _inconclusive(subject, "dns_failed", f"查询域名授权失败：{answers.delegation_error}，不能断定。")
        return _inconclusive(subject, "not_probed", "本次没有查询域名的授权服务器。")
    seen = "；".join(zone.line for zone in answers.zones) + "。"
    unfit = [zone.name for zone in answers.zones if zone.is_fit is False]
    if unfit:
        silent = all(zone.is_silent for zone in answers.zones if zone.is_fit is False)
        return subject.failed(
            "delegation_silent" if silent else "delegation_incomplete",
            f"{'、'.join(unfit)} 的域名授权没有完整支持 IPv6。{seen}",
            f"域名的每个授权服务器（NS）都应当有 AAAA 记录，并能经 IPv6 应答，使纯 IPv6 环境也能解析。{CLAUSE}",
            passage="、".join(unfit),
            where="域名授权",
        )
    if any(zone.is_fit is None for zone in answers.zones):
        return _inconclusive(subject, "no_v6_route", f"检查机没有 IPv6 路由，不知域名服务器是否经 IPv6 应答。{seen}")
    return subject.passed("ok", f"域名授权体系支持 IPv6。{seen}", where="域名授权")


# ---------------------------------------------------------------- inner links


def _links(subject: Subject, answers: Answers, rule: Ipv6Rule) -> Finding:
    level, name = LEVELS[subject.item]
    unreachable = _links_unjudged(subject, answers, name)
    if unreachable is not None:
        return unreachable
    tries = answers.links(level)
    if not tries and answers.guards_links(level):
        observed = f"抽到的{name}内链经 IPv4 也只得到访问验证，没有正常返回，无从比较。"
        return _inconclusive(subject, "site_down", observed)
    if not tries:
        return subject.not_applicable("no_links", f"没有可以抽查的{name}内链。")
    good = [fetch for fetch in tries if fetch.is_success]
    bad = [fetch for fetch in tries if not fetch.is_success]
    seen = f"抽查{name}内链 {len(tries)} 条，经 IPv6 能打开 {len(good)} 条（{_percent(len(good), len(tries))}）"
    if Decimal(len(good)) >= rule.link_share * len(tries):
        return subject.passed("ok", f"{seen}。", where=f"{name}内链")
    wanted = f"{name}内链应当有 {rule.link_share:.0%} 以上能经 IPv6 访问"
    return subject.failed(
        "links_unreachable_v6",
        f"{seen}。打不开的：{_lines(bad[:5], with_target=True)}",
        f"{wanted}。请检查链接所在的主机是否有 AAAA 记录、是否提供 IPv6 服务。{CLAUSE}",
        passage=bad[0].target,
        where=f"{name}内链",
    )


def _links_unjudged(subject: Subject, answers: Answers, name: str) -> Finding | None:
    unjudged = _home_unjudged(subject, answers)
    if unjudged is None or unjudged.outcome is Outcome.INCONCLUSIVE:
        return unjudged
    # one fault is not counted again for every link below it
    return subject.not_applicable("no_links", f"首页经 IPv6 打不开，不再抽查{name}内链。")


def _unread_links(subject: Subject, answers: Answers) -> Finding:
    _, name = LEVELS[subject.item]
    unread = _inconclusive(subject, "not_probed", f"列有{name}内链的页面没有读到，没有抽查。")
    return _links_unjudged(subject, answers, name) or unread


def _unread_levels(bundle: Bundle) -> frozenset[str]:
    """Return the items whose links were not drawn, because no page that lists such links was read."""
    home_read = bundle.home is not None and bundle.home.facts is not None
    inner = (*bundle.second_level, *(page for visit in bundle.columns for page in visit.pages))
    inner_read = home_read and (not inner or any(page.facts is not None for page in inner))
    return frozenset(item for item, read in (("second_level", home_read), ("third_level", inner_read)) if not read)


# ---------------------------------------------------------------- words


def _percent(part: int, whole: int) -> str:
    return f"{Decimal(part) / Decimal(whole):.0%}"


def _lines(fetches: list[Fetch] | tuple[Fetch, ...], *, with_target: bool = False) -> str:
    return told_once(fetch_line(fetch, with_target=with_target) for fetch in fetches)


ITEMS: dict[str, Callable[[Subject, Answers, Ipv6Rule], Finding]] = {
    "aaaa": _aaaa,
    "reach": _reach,
    "success_rate": _success_rate,
    "delegation": _delegation,
    "similarity": _similarity,
    "second_level": _links,
    "third_level": _links,
}
