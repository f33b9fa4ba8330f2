"""政务新媒体: each account of the register that the office imported is updated, and answers visitors."""

from __future__ import annotations

from collections.abc import Iterator

from checks.judging.readability import Obstacle
from checks.judging.verdict import Subject
from checks.model import Bundle, CheckMeta, Finding, NewMediaAccount, Outcome, Scope
from config.rules import NewMediaRule, Rules

META = CheckMeta(
    id="new_media",
    title="政务新媒体",
    failure_title="政务新媒体不更新或没有互动",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）政务新媒体单项否决“内容不更新”（监测时间点前2周内无更新）、"
    "“互动回应差”（未提供有效互动功能）；石政办函〔2019〕40号",
    method="以区政府办公室导入的账号台账为准，逐个账号看：最近发布日期距台账登记日不超过期限，有有效的互动功能。台账登记日距检查日太久的"
    "不评判，没有台账的不评判；台账里没有账号的单位不适用。",
    scope=Scope.UNIT,
    reasons={
        "updated": "账号在期限内有更新",
        "not_updated": "账号超过期限没有更新",
        "never_posted": "账号从未发布过内容",
        "interactive": "账号有互动功能",
        "not_interactive": "账号没有互动功能",
        "interaction_unrecorded": "台账没有登记互动功能",
        "no_account": "台账里没有该单位的账号",
        "no_register": "没有导入账号台账",
        "register_outdated": "账号台账太久没有更新",
    },
)

UPDATES, INTERACTION = "更新", "互动"
UPDATE_CLAUSE = "依据：国办秘函〔2019〕19号政务新媒体“内容不更新”。"
INTERACTION_CLAUSE = "依据：国办秘函〔2019〕19号政务新媒体“互动回应差”。"


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield two verdicts an account: on its updates and on its interaction."""
    if bundle.unit is None:
        return
    rule, subject = rules.checks.new_media, Subject(META.id, bundle.unit.id)
    if bundle.new_media is None:
        observed = "区政府办公室还没有导入政务新媒体账号台账，没有检查。"
        yield subject.cannot_tell(Obstacle(Outcome.NOT_TESTED, "no_register", observed))
    elif not bundle.new_media:
        yield subject.not_applicable("no_account", "政务新媒体账号台账里没有该单位的账号。")
    for account in bundle.new_media or ():
        if (age := (bundle.day - account.recorded_on).days) > rule.register_days:
            observed = f"{_name(account)}的台账登记于 {account.recorded_on}，距检查日 {age} 天，"
            observed += f"超过 {rule.register_days} 天，不足为据。"
            yield _subject(bundle, account, "").cannot_tell(Obstacle(Outcome.NOT_TESTED, "register_outdated", observed))
        else:
            yield _updates(_subject(bundle, account, UPDATES), account, rule)
            yield _interaction(_subject(bundle, account, INTERACTION), account)


def _subject(bundle: Bundle, account: NewMediaAccount, respect: str) -> Subject:
    assert bundle.unit is not None
    item = "/".join(part for part in (account.platform, account.name, respect) if part)
    return Subject(META.id, bundle.unit.id, item=item)


def _updates(subject: Subject, account: NewMediaAccount, rule: NewMediaRule) -> Finding:
    wanted = f"政务新媒体应当在 {rule.days} 天内有内容更新；无力维护的应当关停或整合，并及时注销。{UPDATE_CLAUSE}"
    if account.last_post is None:
        seen = f"{_name(account)}：台账（{account.recorded_on} 登记）注明从未发布过内容。"
        return subject.failed("never_posted", seen, wanted, where=_where(account))
    age = (account.recorded_on - account.last_post).days
    seen = f"{_name(account)}最近一次发布在 {account.last_post}，距台账登记日 {account.recorded_on} {age} 天。"
    if age <= rule.days:
        return subject.passed("updated", seen, where=_where(account))
    return subject.failed("not_updated", seen, wanted, where=_where(account))


def _interaction(subject: Subject, account: NewMediaAccount) -> Finding:
    if account.interaction is None:
        seen = f"{_name(account)}：台账没有登记有没有互动功能。"
        return subject.cannot_tell(Obstacle(Outcome.NOT_TESTED, "interaction_unrecorded", seen))
    if account.interaction:
        return subject.passed("interactive", f"{_name(account)}有互动功能。", where=_where(account))
    seen = f"{_name(account)}：台账（{account.recorded_on} 登记）注明没有互动功能。"
    wanted = f"政务新媒体应当提供留言、评论等有效的互动功能，并及时回应。{INTERACTION_CLAUSE}"
    return subject.failed("not_interactive", seen, wanted, where=_where(account))


def _name(account: NewMediaAccount) -> str:
    return f"{account.platform}“{account.name}”"


def _where(account: NewMediaAccount) -> str:
    return f"账号台账（{account.recorded_on} 登记）"
