"""网站标识: the home page bears the marks of a government site, and its site code is its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from checks.facts.model import Identity
from checks.judging.readability import (
    SHARED_REASONS,
    Obstacle,
    is_undecided,
    readable_home,
    script_obstacle,
)
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, Finding, Outcome, Page, Scope
from config.rules import Rules

META = CheckMeta(
    id="site_identity",
    title="网站标识",
    failure_title="网站标识缺失或有误",
    basis="《政府网站发展指引》（国办发〔2017〕47号）：页面底部功能区列明党政机关网站标识、网站标识码、网站主办单位及联系方式、ICP备案"
    "编号、公安机关备案标识等；国办秘函〔2019〕19号",
    method="看首页底部的网站标识码、ICP备案号、公安备案号、党政机关标识、主办单位、联系方式是否齐全；标识码为十位数字（部委为bm加八位），"
    "前六位应是本地区的行政区划代码，并与网页标签 SiteIDCode 一致。底部由脚本生成而没能渲染的，不下结论。",
    scope=Scope.SITE,
    reasons={
        "shown": "已标明",
        "missing_site_code": "缺网站标识码",
        "missing_icp": "缺ICP备案号",
        "missing_police": "缺公安备案号",
        "missing_conac_badge": "缺党政机关网站标识",
        "missing_host_unit": "缺主办单位",
        "missing_contact": "缺联系方式",
        "malformed_site_code": "网站标识码写法有误",
        "wrong_division_code": "网站标识码不属于本地区",
        "code_mismatch": "页面与网页标签的标识码不一致",
        "wrong_site_code": "网站标识码与登记的不符",
        **SHARED_REASONS,
    },
)

CLAUSE = "依据：《政府网站发展指引》（国办发〔2017〕47号）关于页面底部功能区的要求。"
MARKS = {
    "site_code": "网站标识码",
    "icp": "ICP备案号",
    "police": "公安备案号",
    "conac_badge": "党政机关网站标识",
    "host_unit": "主办单位",
    "contact": "联系方式（电话或电子邮箱）",
}
FOOTER_FRAME = re.compile(r"foot|bottom|copyright|dibu|banquan", re.IGNORECASE)
LOCAL_CODE = re.compile(r"\d{10}")
MINISTRY_CODE = re.compile(r"bm\d{8}", re.IGNORECASE)


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one finding for each required mark of the site's home page."""
    if bundle.site is None:
        return
    whole = Subject(META.id, bundle.home_address, evidence_of(bundle.home))
    read = readable_home(bundle)
    for item in rules.checks.site_identity.required:
        subject = replace(whole, item=item)
        if isinstance(read, Obstacle):
            yield subject.cannot_tell(read)
        else:
            yield _judge(subject, read[0], read[1].identity, bundle)


def _judge(subject: Subject, home: Page, identity: Identity, bundle: Bundle) -> Finding:
    value = getattr(identity, subject.item)
    name = MARKS[subject.item]
    if not value:
        return _missing(subject, home, identity, name)
    fault = _site_code_fault(subject, value, identity, bundle) if subject.item == "site_code" else None
    shown = name if value is True else f"{name}：{value}"
    return fault or subject.passed("shown", f"首页标明了{shown}。", passage=shown, where="首页底部")


def _missing(subject: Subject, home: Page, identity: Identity, name: str) -> Finding:
    if is_undecided(home, ignoring=frozenset()):
        return subject.cannot_tell(script_obstacle("首页底部"))
    framed = next((frame for frame in home.facts.frames if FOOTER_FRAME.search(frame)), None) if home.facts else None
    if framed is not None:
        observed = f"首页底部在框架 {framed} 里，没有读到，不能断定有没有{name}。"
        return subject.finding(Outcome.INCONCLUSIVE, "unread", observed)
    tagged = identity.site_code_meta if subject.item == "site_code" else None
    hidden = f"（网页标签 SiteIDCode 里有 {tagged}，但访问者看不到）" if tagged else ""
    return subject.failed(
        f"missing_{subject.item}",
        f"首页没有标明{name}{hidden}。",
        f"首页底部应当标明{name}。{CLAUSE}",
        where="首页底部",
    )


def _site_code_fault(subject: Subject, code: str, identity: Identity, bundle: Bundle) -> Finding | None:
    """Return the gravest fault of the code, or None. A code that the inventory knows is right whatever its division."""
    registered = bundle.site.site_code if bundle.site else None
    is_local = LOCAL_CODE.fullmatch(code) is not None
    is_registered = registered is not None and code.lower() == registered.lower()
    if not is_local and not MINISTRY_CODE.fullmatch(code):
        return _wrong(
            subject,
            "malformed_site_code",
            code,
            f"网站标识码写作“{code}”",
            "网站标识码应当是十位数字（部委网站为bm加八位数字）",
        )
    if is_local and bundle.division_code and not is_registered and not code.startswith(bundle.division_code):
        seen = f"网站标识码 {code} 的前六位 {code[:6]} 不是本地区的行政区划代码 {bundle.division_code}"
        return _wrong(
            subject, "wrong_division_code", code, seen, f"网站标识码的前六位应当是行政区划代码 {bundle.division_code}"
        )
    if registered is not None and not is_registered:
        seen = f"网站标识码写作 {code}，而该站登记的是 {registered}"
        return _wrong(subject, "wrong_site_code", code, seen, f"请改为登记的网站标识码 {registered}")
    tagged = (identity.site_code_meta or "").strip()
    if tagged and tagged.lower() != code.lower():
        seen = f"页面底部的网站标识码是 {code}，网页标签 SiteIDCode 是 {tagged}"
        return _wrong(subject, "code_mismatch", f"{code}；{tagged}", seen, "两处应当一致，请改正写错的一处")
    return None


def _wrong(subject: Subject, reason: str, passage: str, seen: str, wanted: str) -> Finding:
    return subject.failed(reason, f"{seen}。", f"{wanted}。{CLAUSE}", passage=passage, where="首页底部")
