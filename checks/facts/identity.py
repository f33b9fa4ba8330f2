"""网站标识: the marks that a government site bears at its foot, as a visitor sees them.

政府网站标识码, ICP record, 公安备案, the 党政机关 badge, 主办单位 and a way to get in touch (国办发〔2017〕47号;
国办秘函〔2019〕19号). What stands in comments or is built by scripts is not seen in the static page and is not read
here. The badge is the one exception: sites include it as a script of the registry (dcs.conac.cn) that does nothing else
but show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lxml.html import HtmlElement

from checks.facts.dom import Block, Dom, Region
from checks.facts.model import Identity

LINES_ABOVE = 6  # of the first sure mark that belong to the foot of a page without a known footer
MARKS_APART = 12  # lines between two marks of one footer
MAX_NAME = 40  # characters of a host unit's name

_MARK = re.compile(r"标识(?:编)?码|ICP\s*备|公\s*网\s*安\s*备|公安备案|公安机关备案|公\s?安?\s?备\D{0,6}\d{8}", re.I)
_SITE_CODE = re.compile(r"标识(?:编)?码\s*[:：]?\s*([A-Za-z]{0,2}\d{4,20})(?!\d)")
_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼滇黔陇秦"
_ICP = re.compile(
    rf"(?:[{_PROVINCE}]\s?)?ICP\s?[备证]\s?案?(?:号|序号)?\s?[:：]?\s?\d{{5,10}}\s?号?(?:\s?[-－–—]\s?\d{{1,3}})?", re.I
)
_POLICE = re.compile(
    r"[一-鿿]?\s?公\s?(?:网\s?)?安?\s?备\s?号?\s?[:：]?\s?第?\s?\d{8,16}(?:-\d{1,6})?\s?号?"
    r"|公安(?:机关|部门|网|联网)?(?:互联网)?备案(?:编)?号?\s?[:：]?\s?(?P<number>[\d-]{8,24}\s?号?)"
)
_HOST = re.compile(r"主\s?办\s?(?:单\s?位|方|机\s?关)?\s?[:：]\s?([^\s:：©|｜,，;；]{2,60})")
_HOST_SPACED = re.compile(r"主办单位\s([^\s:：©|｜,，;；]{4,60})")
_HOST_BEHIND = re.compile(r"([一-鿿]{4,40})\s?[（(]\s?主办(?:单位)?\s?[)）]")
_AFTER_HOST = re.compile(
    "[（(]?(?:承办|协办|维护|管理|运维|技术支持|版权所有|联系|地址|电话|建设|(?:政府)?网站标识码|备案)"
)
_NUMBER = (
    r"(?:[（(]?0\d{2,3}[）)]?\s?[-－—–]?\s?)?\d{7,8}(?:[-－转]\d{1,5})?(?!\d)"
    r"|400-?\d{3}-?\d{4}|1[3-9]\d{9}(?!\d)|12345(?!\d)"
)
_MAIL = r"[A-Za-z0-9._%+-]{1,40}(?:@|#|\(at\)|\[at\])[A-Za-z0-9.-]{3,60}"
_CONTACT = re.compile(
    rf"(?:电\s?话|热线|联系我们|联系方式|邮\s?箱|信箱|E-?mail|Tel|值班|咨询)[^\d@\n]{{0,12}}?({_NUMBER}|{_MAIL})", re.I
)
_CONTACT_PAGE = re.compile(r"联系(?:我们|方式|本站)|网站联系")
_BADGE_NAME = re.compile(r"党政机关|政府机关|事业单位标识")
_BADGE_SOURCE = re.compile(r"conac|dzjg|dangzhengjiguan", re.I)
_LINE_COMMENT = re.compile(r"^[ \t]*//.*$", re.M)


def read_identity(dom: Dom) -> Identity:
    """Return the site's marks; None for each that the page does not show.

    Texts are as written, white space folded. `contact` is a telephone number or mail address, or the words 联系我们
    where the foot of the page only links to such a page.
    """
    foot = _foot(dom.blocks)
    text = "\n".join(block.text for block in foot)
    meta = dom.meta_values("SiteIDCode")
    return Identity(
        site_code=_group(_SITE_CODE, text),
        site_code_meta=meta[0] if meta else None,
        icp=_icp(text),
        police=_police(text),
        conac_badge=_has_badge(dom),
        host_unit=_host_unit(text),
        contact=_contact(text, foot),
    )


def _foot(blocks: Sequence[Block]) -> list[Block]:
    """The lines of the footer, and the last lines with marks that only a footer bears, wherever they stand.

    Where no part of the page is known for its footer, a few lines above the marks (or the page's last) belong to it.
    """
    start = len(blocks)
    possible = [index for index, block in enumerate(blocks) if "备" in block.text or "码" in block.text]
    for index in reversed(possible):
        if (start == len(blocks) or start - index <= MARKS_APART) and _MARK.search(blocks[index].text):
            start = index
    footer = [block for block in blocks[:start] if block.region is Region.FOOTER]
    if not footer and not any(block.region is Region.FOOTER for block in blocks[start:]):
        start = max(0, start - LINES_ABOVE)
    return [*footer, *blocks[start:]]


def _group(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None


def _icp(text: str) -> str | None:
    """The record with its province if there is one such, else any."""
    found = [" ".join(match[0].split()) for match in _ICP.finditer(text)]
    return next((record for record in found if record[0] in _PROVINCE), found[0] if found else None)


def _police(text: str) -> str | None:
    match = _POLICE.search(text)
    return " ".join((match["number"] or match[0]).split()) if match else None


def _host_unit(text: str) -> str | None:
    for pattern in (_HOST, _HOST_SPACED, _HOST_BEHIND):
        if (name := _group(pattern, text)) and (name := _AFTER_HOST.split(name)[0].strip("（(、。 ")):
            return name[:MAX_NAME]
    return None


def _contact(text: str, foot: Sequence[Block]) -> str | None:
    if number := _group(_CONTACT, text):
        return number
    return next((match[0] for block in foot if block.linked and (match := _CONTACT_PAGE.search(block.text))), None)


def _has_badge(dom: Dom) -> bool:
    """A link to the registry, the badge's picture, or the registry's script that draws it."""
    return (
        "conac.cn" in "\n".join([link.get("href", "") for link in dom.root.iter("a")])
        or any(_shows_badge(image) for image in dom.root.iter("img"))
        or any("conac.cn" in reference for reference in _script_references(dom))
    )


def _shows_badge(image: HtmlElement) -> bool:
    words = f"{image.get('alt') or ''} {image.get('title') or ''}"
    return _BADGE_NAME.search(words) is not None or _BADGE_SOURCE.search(image.get("src") or "") is not None


def _script_references(dom: Dom) -> Iterator[str]:
    """What the page's scripts load or write, without what is commented out in them."""
    for script in dom.scripts:
        yield script.source
        if "conac.cn" in script.code:
            yield _without_comments(script.code)


def _without_comments(code: str) -> str:
    head, *others = code.split("/*")
    return _LINE_COMMENT.sub("", head + "".join(other.partition("*/")[2] for other in others))
