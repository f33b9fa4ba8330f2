"""站点可用性: the share of a week's probes to which the home page did not open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from checks.judging.readability import Obstacle
from checks.judging.verdict import Subject
from checks.model import AvailabilityDay, Bundle, CheckMeta, Finding, Outcome, Scope
from config.rules import AvailabilityRule, Rules

META = CheckMeta(
    id="availability",
    title="站点可用性",
    failure_title="站点经常打不开",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）单项否决“站点无法访问”：监测一周，每日监测不少于20次，首页15秒内"
    "打不开的次数累计占比达到5%及以上",
    method="取检查日之前七天的探测：服务器错误、首页不存在、域名不存在、连不上、连接中断、15秒内没有打开，算一次打不开；拒绝访问"
    "（其他4xx、防护系统的页面）可能只针对巡查程序，不计；多数站点同时打不开是本机网络的故障，不计。探测够数的日子不足的，不评判；"
    "一周里一次也没打开过的，可能是拦截了本机，留给人核实。",
    scope=Scope.SITE,
    reasons={
        "available": "打不开的次数在限度以内",
        "unavailable": "打不开的次数占比达到限度",
        "week_incomplete": "开始探测不满一周",
        "too_few_probes": "探测次数不够",
        "never_answered": "一周里一次也没有打开过",
    },
)

CLAUSE = "依据：国办秘函〔2019〕19号“站点无法访问”。"
WEEK = 7
EXAMPLES = 6  # failures told one by one in the finding


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one verdict on the site's home page."""
    if bundle.site is None:
        return
    subject = Subject(META.id, bundle.home_address)
    rule, days = rules.checks.availability, bundle.availability
    full = [day for day in days if day.answered + day.failed >= rule.probes_a_day]
    if len(full) >= rule.full_days:
        yield _judge(subject, days, rule)
    elif not days or days[0].day > bundle.day - timedelta(days=WEEK):
        observed = f"此前七天里只有 {len(days)} 天做过可用性探测，不满一周，不评判。"
        yield subject.not_applicable("week_incomplete", observed)
    else:
        observed = f"此前七天里只有 {len(full)} 天的有效探测达到 {rule.probes_a_day} 次，不足以评判。"
        yield subject.cannot_tell(Obstacle(Outcome.NOT_TESTED, "too_few_probes", observed))


def _judge(subject: Subject, days: tuple[AvailabilityDay, ...], rule: AvailabilityRule) -> Finding:
    failed, answered = sum(day.failed for day in days), sum(day.answered for day in days)
    share = Decimal(failed) / (failed + answered)
    limit = f"{rule.failed_share * 100:g}%"
    observed = f"{_span(days)}共探测首页 {failed + answered} 次，{failed} 次打不开，占 {share * 100:.2f}%。"
    if share < rule.failed_share:
        return subject.passed("available", observed)
    if not answered:
        observed += "一次也没有打开过，可能是网站停用，也可能是网站的防护拦截了本机，请人工核实。"
        return subject.cannot_tell(Obstacle(Outcome.INCONCLUSIVE, "never_answered", observed))
    wanted = (
        f"首页应当随时能在 {rule.seconds} 秒内打开，一周内打不开的应当低于 {limit}；请查服务器、网络和域名。{CLAUSE}"
    )
    return subject.failed("unavailable", observed, wanted, passage=_examples(days), where="首页")


def _span(days: tuple[AvailabilityDay, ...]) -> str:
    return f"{days[0].day} 至 {days[-1].day} "


def _examples(days: tuple[AvailabilityDay, ...]) -> str:
    told = [f"{day.day:%m-%d} {failure}" for day in days for failure in day.failures]
    left = sum(day.failed for day in days) - min(len(told), EXAMPLES)
    return "；".join(told[:EXAMPLES]) + (f"；另有 {left} 次" if left > 0 else "")
