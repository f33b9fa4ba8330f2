"""What scripts decide on a page: whether our bytes are all that a visitor sees, and where the page sends him."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from checks.facts.dom import Dom, Region, Script
from checks.facts.model import DateSource, EntryList, Identity, PageKind, PublishedDate

_NEARLY_EMPTY = 80  # characters of visible text: a page with less says nothing
_THIN = 200

# ---------------------------------------------------------------- redirects

_REFRESH = re.compile(r"^\s*(\d{1,3})(?:\.\d+)?\s*[;,]\s*(?:url\s*=)?\s*['\"]?([^'\"\s]+)", re.I)
_LOCATION = re.compile(
    r"(?:^|[\s;{}(.])location(?:\.href)?\s*=\s*(?P<q>['\"])(?P<a>[^'\"\s]{1,1000})(?P=q)"
    r"|location\.(?:replace|assign)\(\s*['\"](?P<b>[^'\"\s]{1,1000})['\"]"
    r"|(?:^|[\s;{}])window\.open\(\s*['\"](?P<c>[^'\"\s]{1,1000})['\"]\s*,\s*['\"]_self"
)
_SLOW_REFRESH = 30  # seconds: a slower refresh is a page that reloads itself, not a redirect


def read_redirect(dom: Dom) -> str | None:
    """Return the absolute target of a meta refresh or script redirect that makes up the whole page; else None."""
    if len(dom.text) > _THIN or dom.cut_off or is_challenge(dom):
        return None
    for target in _redirect_targets(dom):
        url = dom.absolute(target)
        if url and url.rstrip("/") != (dom.url or "").rstrip("/"):
            return url
    return None


def _redirect_targets(dom: Dom) -> Iterator[str]:
    if (match := _REFRESH.match(dom.refresh)) and int(match[1]) <= _SLOW_REFRESH:
        yield match[2]
    for code in _inline(dom):
        if match := _LOCATION.search(code):
            yield match["a"] or match["b"] or match["c"]


def _inline(dom: Dom) -> Iterator[str]:
    return (script.code[:200_000] for script in dom.scripts if script.code)


# ---------------------------------------------------------------- what only a browser can tell

_CHALLENGE = re.compile(
    r"\$_ts\b|__jsl_clearance|acw_sc__v2|_0x[0-9a-f]{4,6}\b|eval\(function\(p,a,c,k"
    r"|document\.cookie\s*=[^;]{0,400};?[^;]{0,200}location|challenge-platform|_cf_chl|yunsuo_session|security_verify|WZWS-RAY|safeline|FSSBB"
)
_CHALLENGE_TEXT = re.compile(
    r"(?:开启|启用|enable)\s*(?:javascript|js|cookie)|安全验证|正在(?:检查|验证)|人机验证|浏览器安全检查", re.I
)
_FILLS = re.compile(
    r"\$\.(?:ajax|get|post|getJSON)\b|\.ajax\(|getJSON\(|\bfetch\(|XMLHttpRequest|axios\b|new\s+Vue\b|createApp\(|layui|laytpl"
    r"|template\(|\.jpage\(|<datastore>|\.load\(|document\.write|innerHTML|\.html\(|\.append\("
)
_MOVES_ON = re.compile(r"\blocation(?:\.href)?\s*=(?!=)|\blocation\.(?:replace|assign)\(")
_LIBRARY = re.compile(
    r"jquery|bootstrap|swiper|superslide|layer|respond|html5|polyfill|share|stat\b|cnzz|hm\.js|baidu|count|jiucuo|flash|video|player",
    re.I,
)
_FOOTER_SCRIPT = re.compile(r"foot|bottom|copyright|dibu|banquan|conac", re.I)
_FOOTER_CODE = re.compile(
    r"icp备|公网安备|标识码|版权所有|主办单位|conac|foot[^;\n]{0,80}(?:load|html|src)|bottom[^;\n]{0,80}(?:load|html|src)"
)
_APPLICATION_ROOT = re.compile(r"^(?:app|root|__next|__nuxt|main-app)$", re.I)


def rendering_needs(
    dom: Dom,
    *,
    kind: PageKind,
    entries: EntryList,
    identity: Identity,
    published: PublishedDate,
    has_error_report: bool = True,
) -> frozenset[str]:
    """Return why the static bytes of the page cannot be the last word; empty when they can.

    challenge: the page is a puzzle for browsers. empty_list: a list page without entries whose scripts fill something
    in. script_content: an article whose text or shown date scripts write. frames_unread: the content stands in a
    frame. script_footer: identity marks, or a home page's entry for reporting errors, are missing and a script may
    write them. cut_off: we could not read to the page's end, as a browser can.
    """
    if is_challenge(dom):
        return frozenset({"challenge"})
    listing = kind in (PageKind.COLUMN, PageKind.HOME)
    needs = {
        "empty_list": listing and not entries.entries and _fills(dom),
        "script_content": not listing and _lacks_content(dom, published) and _fills(dom),
        "frames_unread": _content_is_framed(dom, 3 * _THIN if listing and not entries.entries else _NEARLY_EMPTY),
        "script_footer": _footer_by_script(dom, identity)
        or (kind is PageKind.HOME and not has_error_report and any(map(_is_own, dom.scripts))),
        "cut_off": dom.cut_off,
    }
    return frozenset(name for name, needed in needs.items() if needed)


def is_challenge(dom: Dom) -> bool:
    """Tell whether the page is a script puzzle that a browser passes and a static client never gets past."""
    if len(dom.text) > _THIN:
        return False
    if any(_CHALLENGE.search(code) for code in _inline(dom)):
        return True
    return bool(dom.scripts) and _CHALLENGE_TEXT.search(f"{dom.title_tag} {dom.text}") is not None


def _fills(dom: Dom) -> bool:
    """Whether scripts of the page write into it, or may: a script of the site's own, or a single-page application."""
    if any(_FILLS.search(code) for code in _inline(dom)):
        return True
    if len(dom.text) < _NEARLY_EMPTY and any(_MOVES_ON.search(code) for code in _inline(dom)):
        return True  # to an address that it puts together
    if any(_APPLICATION_ROOT.match(box.get("id") or "") for box in dom.root.iter("div")):
        return True
    return any(_is_own(script) for script in dom.scripts)


def _is_own(script: Script) -> bool:
    """Whether an external script is the site's own, not one of the libraries and counters that every page loads."""
    return bool(script.source) and _LIBRARY.search(script.source) is None


_WRITES_DATE = re.compile(r"document\.write(?:ln)?\([^;\n]{0,200}(?:date|time|\d{4}-\d\d)", re.I)
_BARE_LABEL = re.compile(r"(?:发布|发表|公开)(?:时间|日期)\s*[:：]\s*(?:$|来源|作者|浏览|点击|字)")


def _lacks_content(dom: Dom, published: PublishedDate) -> bool:
    if len(dom.body_text) < _NEARLY_EMPTY:
        return True
    if published.date is not None and published.source not in (DateSource.META, DateSource.URL):
        return False
    lines = (block.text for block in dom.blocks if block.region is Region.MAIN and len(block.text) < _THIN)
    return any(_BARE_LABEL.search(line) for line in lines) or any(_WRITES_DATE.search(code) for code in _inline(dom))


def _content_is_framed(dom: Dom, little: int) -> bool:
    """A frameset, or an iframe in a page that shows less than `little` characters of its own."""
    if next(dom.root.iter("frameset"), None) is not None:
        return True
    frame = next((box for box in dom.root.iter("iframe") if (box.get("src") or "").strip(" #")), None)
    return frame is not None and len(dom.body_text) < little


def _footer_by_script(dom: Dom, identity: Identity) -> bool:
    marks: Iterable[object] = (
        identity.site_code,
        identity.icp,
        identity.police,
        identity.host_unit,
        identity.conac_badge,
    )
    if all(marks):
        return False
    nothing = not any(marks)
    for script in dom.scripts:
        if _FOOTER_SCRIPT.search(script.source.rpartition("/")[2]) or (nothing and script.in_body and _is_own(script)):
            return True
        if script.code and _FOOTER_CODE.search(script.code[:200_000].lower()):
            return True
    return False


# ---------------------------------------------------------------- pages that are not there

_NOT_FOUND = re.compile(
    r"(?:^|错误|代码|状态码|error|http)\W{0,3}404(?!\d)|not\s+found|页面(?:不存在|未找到|找不到|已删除|丢失|走丢)|(?:您|你)(?:访问|浏览|查找|请求|要找)的(?:页面|网页|内容|信息|文章|资源)[^。]{0,20}"
    r"(?:不存在|没有找到|未找到|找不到|已被?删除|已下线|已失效|丢失)|找不到(?:该|您|你|此|指定)?[^。]{0,10}(?:页面|网页|文件|资源)|(?:文章|信息|内容|稿件)(?:不存在|已被?删除|已下线)"
    r"|无法找到(?:该|此)?(?:页面|网页)",
    re.I,
)


def is_soft_not_found(dom: Dom) -> bool:
    """Tell whether a page that came with status 200 says that there is no such page."""
    if dom.cut_off:
        return False
    if _NOT_FOUND.search(dom.title_tag[:60]) and len(dom.body_text) < 2 * _THIN:
        return True
    main = (block for block in dom.blocks if block.region is Region.MAIN and len(block.text) <= 120)
    prominent = (block.text for block in main if block.linked * 2 < len(block.text))  # a link may be news of dead links
    return len(dom.body_text) < 2 * _THIN and any(_NOT_FOUND.search(text) for text in prominent)
