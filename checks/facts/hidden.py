"""Links that no visitor sees, and by which trick: for search engines they are there all the same.

What only the page's own bytes say is told: styles on the elements, and rules of a <style> for one class or id. Style
sheets of their own are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import chain, islice

from lxml.html import HtmlElement

from checks.facts.dom import Dom, styled, text_of
from checks.facts.model import HiddenLink
from checks.facts.targets import opened_by

MAX_HIDDEN_LINKS = 500  # of one page
MAX_ANCHORS = 100  # of one hidden element
MAX_RULES = 2_000  # of the page's own styles


class Hiding(StrEnum):
    """The tricks, in the words that users see. What menus and tabs do too stands first."""

    NOT_DISPLAYED = "display:none"
    INVISIBLE = "visibility:hidden"
    ATTRIBUTE = "hidden 属性"
    NO_SCRIPT = "noscript"
    INDENTED = "文字缩进到框外"
    TRANSPARENT = "全透明"
    COLLAPSED = "收起（高或宽为零）"
    SLID_ASIDE = "滑到框外"
    OFF_SCREEN = "移出屏幕"
    ZERO_SIZE = "零尺寸"
    ZERO_FONT = "零字号"
    SAME_COLOUR = "文字与背景同色"
    STILL_MARQUEE = "看不见的滚动字幕"


def read_hidden_links(dom: Dom) -> tuple[HiddenLink, ...]:
    """Return the links that no visitor sees, each URL and trick once, at most MAX_HIDDEN_LINKS."""
    found = dict.fromkeys(islice((*_taken_out(dom), *_left_in(dom)), 4 * MAX_HIDDEN_LINKS))
    return tuple(found)[:MAX_HIDDEN_LINKS]


# ---------------------------------------------------------------- what is not shown at all


def _taken_out(dom: Dom) -> Iterator[HiddenLink]:
    for element in dom.hidden:
        how = _why_taken_out(element)
        if how is not None:
            for anchor in islice(element.iter("a", "area"), MAX_ANCHORS):
                if url := opened_by(dom.base_url, anchor):
                    yield HiddenLink(url, text_of(anchor), how)


def _why_taken_out(element: HtmlElement) -> Hiding | None:
    """The trick by which the reader of pages left the element out; None for templates, choices and players."""
    if element.tag == "noscript":
        return Hiding.NO_SCRIPT
    style = (element.get("style") or "").lower()
    if "display" in style and "none" in style:
        return Hiding.NOT_DISPLAYED
    if "visibility" in style and "hidden" in style:
        return Hiding.INVISIBLE
    return Hiding.ATTRIBUTE if element.get("hidden") is not None else None


# ---------------------------------------------------------------- what is shown where nobody sees it

_NUMBER = r"(-?\d{1,6}(?:\.\d{1,3})?)"
_PLACE = re.compile(rf"(?<![-\w])(?:left|top|right|bottom)\s*:\s*{_NUMBER}\s*(?:px|pt|em|rem)", re.I)
_POSITION = re.compile(r"position\s*:\s*(?:absolute|fixed)", re.I)
_MARGIN = re.compile(rf"margin-(?:left|top)\s*:\s*{_NUMBER}\s*(?:px|pt)", re.I)
_INDENT = re.compile(rf"text-indent\s*:\s*{_NUMBER}\s*(?:px|pt|em|rem)", re.I)
_SLIDES = re.compile(r"swiper|slick|slide|carousel|scroll|tempwrap|lunbo|banner|focus|drawer|sidebar", re.I)
_WIDTH = re.compile(r"(?<![-\w])width\s*:\s*(\d{1,6})(?:\.\d{1,3})?\s*px", re.I)
_SIZE = re.compile(rf"(?<![-\w])(?:max-)?(width|height)\s*:\s*{_NUMBER}\s*(?:px|pt|em|%|;|!|$)", re.I)
_CUT = re.compile(r"overflow\s*:\s*hidden|clip\s*:\s*rect\(\s*0", re.I)
_FONT = re.compile(r"font-size\s*:\s*0(?:\.0{1,3})?\s*(?:px|pt|em|rem|%|;|!|$)", re.I)
_OPACITY = re.compile(r"(?<![-\w])opacity\s*[:=]\s*0(?:\.0{1,3})?\s*(?:;|!|\)|$)", re.I)
_COLOUR = re.compile(r"(?<![-\w])color\s*:\s*(#[0-9a-f]{3,8}|[a-z]{3,20})", re.I)
_BACKGROUND = re.compile(r"background(?:-color)?\s*:\s*(#[0-9a-f]{3,8}|[a-z]{3,20})\b(?!-)", re.I)
_PICTURE = re.compile(r"background(?:-image)?\s*:[^;]{0,300}url\(", re.I)
_FAR = -900  # pixels: further than any screen's part of a page that is slid aside
_TINY = 1  # pixels
_REPEATED = 500  # characters
_INLINE = frozenset({"a", "span", "font"})  # a whole list at size 0 only closes the gaps between its items
_NO_COLOUR = frozenset({"transparent", "inherit", "none", "initial", "unset"})

_RULE = re.compile(r"([.#][-\w]{1,60})\s*\{([^{}]{1,1000})\}")  # for one class or id alone, and its declarations


def _left_in(dom: Dom) -> Iterator[HiddenLink]:
    named = dict(islice(chain.from_iterable(map(_RULE.findall, _own_styles(dom))), MAX_RULES))
    suspects = () if named else (*styled(dom.root), *dom.root.iter("marquee"))
    if not named and len(suspects) <= len(dom.anchors) and not any(_trick(element, named) for element in suspects):
        return  # that was less work than to ask what stands around each link
    known: dict[HtmlElement, Hiding | None] = {}
    for anchor in dom.anchors:
        how = _hiding(anchor.element, known, named)
        if how is None or next(anchor.element.iter("img", "i"), None) is not None:
            continue  # pictures are moved aside by every slide show, and icons stand in place of their text
        if anchor.url:
            yield HiddenLink(anchor.url, anchor.text, how)


def _own_styles(dom: Dom) -> Iterator[str]:
    return ((element.text or "")[:200_000] for element in dom.hidden if element.tag == "style")


def _hiding(element: HtmlElement, known: dict[HtmlElement, Hiding | None], named: dict[str, str]) -> Hiding | None:
    """The trick of the element or of the outermost one around it that plays one; each element is asked once."""
    path: list[HtmlElement] = []
    while element is not None and element not in known:
        path.append(element)
        element = element.getparent()
    how = known[element] if element is not None else None
    for inner in reversed(path):
        how = known[inner] = how or _trick(inner, named)
    return how


def _trick(element: HtmlElement, named: dict[str, str]) -> Hiding | None:
    if element.tag == "marquee" and _is_still(element):
        return Hiding.STILL_MARQUEE
    style = _style(element, named)
    if not style or (len(style) <= _REPEATED and not _may_hide(style)) or _PICTURE.search(style):
        return None  # a picture stands in place of the text
    if distance := _distance(style):
        return Hiding.SLID_ASIDE if _slides(element, style, distance, named) else Hiding.OFF_SCREEN
    if _CUT.search(style) and (tiny := {side for side, size in _SIZE.findall(style) if float(size) <= _TINY}):
        return Hiding.ZERO_SIZE if len(tiny) == 2 else Hiding.COLLAPSED  # menus close by their height alone
    if element.tag in _INLINE and _FONT.search(style):
        return Hiding.ZERO_FONT
    if any(float(indent) <= _FAR for indent in _INDENT.findall(style)):
        return Hiding.INDENTED
    if _OPACITY.search(style):
        return Hiding.TRANSPARENT
    return Hiding.SAME_COLOUR if _is_same_colour(style) else None


@lru_cache(maxsize=4_096)
def _may_hide(style: str) -> bool:
    """Whether a style may play one of the tricks, on some element; a page gives the same few to hundreds."""
    if any(pattern.search(style) for pattern in (_CUT, _FONT, _INDENT, _OPACITY)):
        return True
    return _distance(style) > 0 or _is_same_colour(style)


def _style(element: HtmlElement, named: dict[str, str]) -> str:
    """The element's own style, and what the page's styles say of its names."""
    own = element.get("style") or ""
    if not named:
        return own
    names = [f".{name}" for name in (element.get("class") or "").split()[:10]]
    names.append(f"#{element.get('id') or ''}")
    return ";".join([*(named[name] for name in names if name in named), *([own] if own else [])])


def _distance(style: str) -> float:
    """How far off the screen the element is placed, in pixels; 0 for those that are on it, or but a little aside."""
    places = [*(_PLACE.findall(style) if _POSITION.search(style) else ()), *_MARGIN.findall(style)]
    return -min((float(place) for place in places if float(place) <= _FAR), default=0.0)


def _slides(element: HtmlElement, style: str, distance: float, named: dict[str, str]) -> bool:
    """Whether the element is part of a slide show or a drawer: as wide as it is far away, or in a frame that cuts."""
    if any(float(width) >= distance for width in _WIDTH.findall(style)):
        return True
    around = tuple(islice(element.iterancestors(), 3))
    return any(_SLIDES.search(box.get("class") or "") for box in (element, *around)) or any(
        _CUT.search(_style(box, named)) for box in around
    )


def _is_same_colour(style: str) -> bool:
    colour, background = _COLOUR.search(style), _BACKGROUND.search(style)
    if colour is None or background is None:
        return False
    return _full(colour[1]) == _full(background[1]) and colour[1].lower() not in _NO_COLOUR


def _full(colour: str) -> str:
    """#fff and white as #ffffff, #000 and black as #000000."""
    colour = {"white": "#ffffff", "black": "#000000"}.get(colour.lower(), colour.lower())
    return "#" + "".join(2 * digit for digit in colour[1:]) if colour.startswith("#") and len(colour) == 4 else colour


def _is_still(marquee: HtmlElement) -> bool:
    """Whether a marquee is too small to be seen, or runs too fast."""
    sizes = ((marquee.get(name) or "").strip() for name in ("width", "height"))
    fast = (marquee.get("scrollamount") or "").strip()
    return any(size.isdecimal() and int(size[:6]) <= _TINY for size in sizes) or (fast.isdecimal() and len(fast) > 3)
