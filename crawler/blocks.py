"""拦截页识别: tells a page of a firewall or a script challenge from a page of the site, by evidence on it.

A plain refusal (403 and nothing more) is not a block page; and a long page that only speaks of firewalls is content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import lxml.etree
import lxml.html

_READ = 65_536  # bytes of the body that are looked at
_SHORT_PAGE = 400  # characters of visible text that a block page with status 200 has at most
_PUZZLE_TEXT = 120  # characters of visible text that a script challenge has at most
_CHALLENGE_STATUSES = {412, 521}

# What the products put on their pages: text or markup -> product.
_SIGNATURES = (
    ("安全狗", re.compile(r"网站防火墙|safedog", re.I)),
    ("云锁", re.compile(r"yunsuo_session|云锁")),
    ("知道创宇云防御", re.compile(r"yunaq\.com|365cyd|创宇盾")),
    ("加速乐", re.compile(r"__jsl_clearance|jiasule", re.I)),
    ("360 网站卫士", re.compile(r"wangzhan\.360\.cn|360wzws|奇安信网站卫士", re.I)),
    ("阿里云防火墙", re.compile(r"errors\.aliyun\.com|acw_sc__v|aliyun_waf", re.I)),
    ("腾讯云防火墙", re.compile(r"waf\.tencent-cloud|腾讯云.{0,8}(?:WAF|防火墙)", re.I)),
    ("华为云防火墙", re.compile(r"HWWAFSES|华为云.{0,8}防火墙", re.I)),
    ("瑞数动态防护", re.compile(r"\$_ts\b")),
    ("绿盟防火墙", re.compile(r"nsfocus", re.I)),
    ("Cloudflare", re.compile(r"cdn-cgi/challenge-platform|cf-error-details|Attention Required! \| Cloudflare", re.I)),
    ("Imperva", re.compile(r"Incapsula incident ID|_Incapsula_Resource")),
    ("Akamai", re.compile(r"errors\.edgesuite\.net")),
    (
        "应用防火墙",
        re.compile(
            r"(?:请求|访问|操作)[^<>]{0,20}(?:被|已)[^<>]{0,12}(?:拦截|阻断)|不合法参数|疑似攻击行为"
            r"|web应用防火墙|Web Application Firewall|Request (?:was )?blocked by",
            re.I,
        ),
    ),
)
_WORDS = (
    *("网站防火墙", "safedog", "yunsuo_session", "云锁", "yunaq.com", "365cyd", "创宇盾", "__jsl_clearance", "jiasule"),
    *("wangzhan.360.cn", "360wzws", "奇安信网站卫士", "errors.aliyun.com", "acw_sc__v", "aliyun_waf", "tencent-cloud"),
    *("腾讯云", "hwwafses", "华为云", "$_ts", "nsfocus", "cdn-cgi/challenge-platform", "cf-error-details"),
    *("incapsula", "errors.edgesuite.net", "拦截", "阻断", "不合法参数", "疑似攻击行为", "web应用防火墙"),
    *("web application firewall", "blocked by", "attention required"),
)
_SCRIPTED = re.compile(r"document\s*\.\s*cookie|location\s*\.\s*(?:reload|replace|href)|\beval\s*\(|\$_ts\b|acw_sc__v")
_HEADERS = {"x-safedog": "安全狗", "wzws-ray": "360 网站卫士", "x-waf-uuid": "应用防火墙", "cf-mitigated": "Cloudflare"}
# Firewalls set these on good pages too: they speak only beside a challenge's status, or a page that is all script.
_COOKIES = {
    "__jsl_clearance": "加速乐",
    "acw_sc__v": "阿里云防火墙",
    "hwwafses": "华为云防火墙",
    "yunsuo_session": "云锁",
    "safedog-flow-item": "安全狗",
    "incap_ses": "Imperva",
}
_SEEN = lxml.etree.XPath("//text()[not(ancestor::script or ancestor::style or ancestor::noscript)]")


@dataclass(frozen=True, slots=True)
class Block:
    """What stood before the page. `script` tells that it is a puzzle which a browser may pass."""

    evidence: str
    script: bool = False


def recognise(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Block | None:
    """Return the block page that a response is, or None when nothing speaks for one. Header names are in lower case."""
    if status in (404, 410) or (status < 400 and len(body) > _READ):
        return None
    page = _text_of(body[:_READ])
    if status < 400 and not _may_name_product(page):  # nearly every page: not worth taking apart
        return None
    visible, scripted = _visible(page)
    puzzle = scripted and len(visible) <= _PUZZLE_TEXT
    if status in _CHALLENGE_STATUSES and scripted:
        return Block(f"状态码 {status} 并附脚本验证", script=True)
    headers = tuple(headers)
    product = _product(page) or (_header_product(headers) if status >= 400 else None)
    if product is None and (status in _CHALLENGE_STATUSES or (status >= 400 and puzzle)):
        product = _cookie_product(headers)
    if product is None or (status < 400 and len(visible) > _SHORT_PAGE):
        return None
    return Block(f"{product}页面特征（状态码 {status}）", script=puzzle)


def _may_name_product(page: str) -> bool:
    """Whether a word stands there without which no signature fits: found much sooner than the signatures."""
    lower = page.lower()
    return any(word in lower for word in _WORDS)


def _product(page: str) -> str | None:
    return next((product for product, mark in _SIGNATURES if mark.search(page)), None)


def _header_product(headers: Iterable[tuple[str, str]]) -> str | None:
    return next((_HEADERS[name] for name, _ in headers if name in _HEADERS), None)


def _cookie_product(headers: Iterable[tuple[str, str]]) -> str | None:
    cookies = " ".join(value.lower() for name, value in headers if name == "set-cookie")
    return next((product for cookie, product in _COOKIES.items() if cookie in cookies), None)


def _text_of(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030", errors="replace")


def _visible(page: str) -> tuple[str, bool]:
    """Return the text a visitor sees, and whether scripts that move on or set cookies stand beside it."""
    try:
        tree = lxml.html.document_fromstring(page.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError):
        return "", False
    scripts = "".join(script.text or "" for script in tree.iter("script"))
    sources = any(script.get("src") for script in tree.iter("script"))
    text = re.sub(r"\s+", "", "".join(_SEEN(tree)))
    return text, bool(_SCRIPTED.search(scripts)) or (sources and len(text) <= _PUZZLE_TEXT)
