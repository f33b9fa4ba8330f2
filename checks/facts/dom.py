"""A page as a visitor sees it: decoded once, parsed once, cleared of what nobody sees, and cut into lines of text.

Everything that reads facts starts here. Hidden elements, scripts and comments are taken out of the tree, so that no
reader has to remember to skip them; what the scripts say is kept apart in `Dom.scripts`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, islice
from typing import Any, NamedTuple

from bs4.dammit import EncodingDetector
from lxml import etree, html
from lxml.html import HtmlElement

from checks.facts.source import cleaned, may_hold_controls
from checks.facts.targets import opened_by, resolve, web_address

MAX_CHARACTERS = 8_000_000  # of one page; what follows is not read
MAX_BASE = 2_000  # characters of <base href>, which every link would repeat
MAX_BLOCKS = 100_000
MAX_ANCHORS = 20_000
MAX_LINK_TEXT = 200  # characters
MAX_FORMS = 50
MAX_CONTROLS = 100  # of one form

# ---------------------------------------------------------------- values


class Region(StrEnum):
    """Which part of the page a block stands in."""

    HEADER = "header"
    NAVIGATION = "navigation"  # menus, breadcrumbs
    MAIN = "main"
    ASIDE = "aside"  # side bars, related and recommended items
    FOOTER = "footer"


class Block(NamedTuple):
    """One visible line of text.

    `text` has its white space folded and stripped. `pieces` are the runs of text it is made of, one per inline element.
    `element` is the block-level element that holds the line (p, td, li, div …). `heading` is 1–6 inside h1–h6, else 0;
    `linked` counts the characters that stand inside links.
    """

    text: str
    element: HtmlElement
    tag: str
    region: Region
    heading: int
    pieces: tuple[str, ...]
    linked: int


class Anchor(NamedTuple):
    """Something to click: an `a`, `area`, or an element with an onclick or data-url of its own and no link inside.

    `region` is where it stands, `url` the absolute address that it opens ("" when that cannot be told), `text` what it
    says.
    """

    element: HtmlElement
    region: Region
    url: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class FormElement:
    """A form that is shown, with its controls: what it sends along unseen is among them, though not in `Dom.root`."""

    element: HtmlElement
    controls: tuple[HtmlElement, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A script of the page: its absolute `source` ("" for an inline one), its code, whether it stands in the body.

    `site_code` is the code that the script of the service for reporting errors is given.
    """

    source: str
    code: str
    in_body: bool
    site_code: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Dom:
    """A parsed page. `root` holds only what a visitor sees (plus head); `hidden` are the subtrees taken out of it."""

    url: str | None
    base_url: str
    charset: str
    root: HtmlElement
    meta: tuple[tuple[str, str], ...]
    title_tag: str
    scripts: tuple[Script, ...]
    hidden: tuple[HtmlElement, ...]
    blocks: tuple[Block, ...]
    anchors: tuple[Anchor, ...] = ()
    forms: tuple[FormElement, ...] = ()
    refresh: str = ""  # content of <meta http-equiv=refresh>
    cut_off: bool = False  # there is more than was read: nested too deeply for the parser, or too long
    text: str = field(default="", repr=False)
    body_text: str = field(default="", repr=False)

    def meta_values(self, *names: str) -> tuple[str, ...]:
        """Return the contents of the meta tags so named, case ignored, in the order of the names given."""
        return tuple(content for name in names for written, content in self.meta if written.lower() == name.lower())

    def absolute(self, reference: str) -> str:
        """Return the absolute URL of a reference as a browser would resolve it; "" when it cannot be one."""
        return resolve(self.base_url, reference)

    def web_address(self, reference: str) -> str:
        """Return the reference as an absolute http(s) URL without fragment; "" when it leads elsewhere."""
        return web_address(self.base_url, reference)


_INVISIBLE_CHARACTERS = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")


def normalise(text: str) -> str:
    """Fold every run of white space (NBSP and ideographic space too) into one space and strip the ends."""
    return _normalised_line(text) if len(text) <= _LINE else _normalised(text)


_LINE = 60  # characters


def _normalised(text: str) -> str:
    return " ".join(_INVISIBLE_CHARACTERS.sub("", text).split())


_normalised_line = lru_cache(maxsize=16_384)(_normalised)


def visible_text(element: HtmlElement, pieces: int = 5_000) -> str:
    """Return the normalised text of an element of `Dom.root` in one line; at most so many `pieces` of it are read."""
    return normalise("".join(islice(element.itertext(), pieces)) if len(element) else element.text or "")


def text_of(element: HtmlElement) -> str:
    """Return what a link says: its text, else its title, else the description of its picture."""
    text = visible_text(element, 40) if len(element) else normalise(element.text or "")
    return (text or element.get("title") or _image_text(element))[:MAX_LINK_TEXT]


def _image_text(element: HtmlElement) -> str:
    return next((alt for image in islice(element.iter("img"), 3) if (alt := image.get("alt"))), "")


# ---------------------------------------------------------------- decoding


def decode(body: bytes, content_type: str | None = None) -> tuple[str, str]:
    """Return the page's text and the name of the encoding it was read in (lower case; the gb family is gb18030).

    Bytes that can only be UTF-8 are, whatever is declared. Else the declared encodings are tried in the browser's order
    (BOM, HTTP header, meta), then GB 18030; the first that fits without an error wins, else the one with the fewest.
    """
    body, mark = EncodingDetector.strip_byte_order_mark(body)
    if mark:
        return body.decode(mark, "replace"), mark
    text = body.decode("utf-8", "replace")
    if body.isascii() or _is_utf8(body, text):
        return text, "utf-8"
    declared = (_header_charset(content_type), _meta_charset(body))
    names = dict.fromkeys([*(known for name in declared if name and (known := _family(name))), "gb18030", "utf-8"])
    readings = [(body.decode(name, "replace"), name) for name in names]
    return min(readings, key=lambda reading: reading[0][:-2].count(_REPLACEMENT))


_REPLACEMENT = "\ufffd"
_SHORT_CHARACTER = re.compile("[\x80-\u07ff]")
_LONG_CHARACTER = re.compile("[\u0800-\ufffc]")
_NO_START_OF_SHORT = bytes({*range(256)} - {*range(0xC2, 0xE0)})
_NO_START_OF_LONG = bytes({*range(256)} - {*range(0xE0, 0xF0)})


def _is_utf8(body: bytes, text: str) -> bool:
    """Whether the bytes are UTF-8 of three bytes a character, as Chinese is, give or take a character cut in two.

    Pairs of GB bytes may happen to be valid UTF-8 of two bytes a character (一一一 reads as һһһ). `text` is what the
    bytes read as.
    """
    if _REPLACEMENT not in text:  # then the first byte of each character tells its length
        short = len(body.translate(None, _NO_START_OF_SHORT))
        if short <= 8:
            return True
        long = len(body.translate(None, _NO_START_OF_LONG))
    else:
        short, long = len(_SHORT_CHARACTER.findall(text)), len(_LONG_CHARACTER.findall(text))
    return text[:-1].count(_REPLACEMENT) * 20 <= long and short <= max(long, 8)


def _header_charset(content_type: str | None) -> str | None:
    if not content_type:
        return None
    message = Message()
    message["content-type"] = content_type.replace("\r", " ").replace("\n", " ")
    charset = message.get_param("charset")
    return charset if isinstance(charset, str) else None


def _meta_charset(body: bytes) -> str | None:
    return EncodingDetector.find_declared_encoding(body[:100_000], is_html=True, search_entire_document=True)


# What browsers read besides UTF-8 and the gb family; cp1252 and its subsets are what servers send for everything.
_WEB_ENCODINGS = frozenset(
    {"big5", "big5hkscs", "euc_jp", "shift_jis", "iso2022_jp", "euc_kr", "koi8-r", "koi8-u", "cp866", "cp874"}
    | {f"cp125{number}" for number in (0, 1, 3, 4, 5, 6, 7, 8)}
    | {f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)}
)


def _family(name: str) -> str | None:
    """The encoding to read with: None for names that are unknown, or that servers send for everything."""
    try:
        known = codecs.lookup(name.strip().strip("'\"")).name
    except (LookupError, ValueError):
        return None
    if known in {"gb2312", "gbk", "gb18030", "hz", "euc_cn"}:
        return "gb18030"
    if known.startswith("utf"):
        return "utf-8"
    return known if known in _WEB_ENCODINGS else None


# ---------------------------------------------------------------- parsing


def _tree(text: str) -> tuple[HtmlElement, bool]:
    """Parse the text; an empty or unreadable one gives an empty page. Also tell whether the parser gave up before its
    end, as it does where elements are nested too deeply: what it has made of the page till then is all there is."""
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))  # one class: far quicker
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        root = html.document_fromstring("<html><body></body></html>")
    return root, len(parser.error_log.filter_from_fatals()) > 0


def parse(body: bytes, *, url: str | None = None, content_type: str | None = None) -> Dom:
    """Decode and parse a page. Total: any bytes give a Dom."""
    text, charset = decode(body, content_type)
    is_long = len(text) > MAX_CHARACTERS
    root, gave_up = _tree(cleaned(text[:MAX_CHARACTERS], has_controls=may_hold_controls(body)))
    base_url = _base_url(root, url)
    meta = tuple(
        (normalise(name), normalise(tag.get("content") or ""))
        for tag in root.iter("meta")
        if (name := tag.get("name") or tag.get("property"))
    )
    refresh = next((t.get("content") or "" for t in root.iter("meta") if _is_refresh(t)), "")
    title = next((visible_text(tag) for tag in root.iter("title")), "")
    scripts = tuple(_scripts(root, base_url))
    _lay_out_records(root, scripts)
    forms = tuple(_forms(root))
    hidden = _prune(root)
    shown = set(root.iter("form"))
    lines = _Lines().read(root)
    blocks = _blocks(lines.lines, lines.marks)
    return Dom(
        url=url,
        base_url=base_url,
        charset=charset,
        root=root,
        meta=meta,
        title_tag=title,
        scripts=scripts,
        hidden=hidden,
        blocks=blocks,
        anchors=tuple(_anchors(lines, blocks, base_url)),
        forms=tuple(form for form in forms if form.element in shown),
        refresh=refresh,
        cut_off=gave_up or is_long or len(blocks) >= MAX_BLOCKS,
        text="\n".join(block.text for block in blocks),
        body_text="\n".join(block.text for block in blocks if block.region is Region.MAIN),
    )


def _is_refresh(tag: HtmlElement) -> bool:
    return (tag.get("http-equiv") or "").strip().lower() == "refresh"


def _base_url(root: HtmlElement, url: str | None) -> str:
    for tag in root.iter("base"):
        if (href := tag.get("href")) and len(href) <= MAX_BASE:
            return resolve(url or "", href) or url or ""
    return url or ""


def _scripts(root: HtmlElement, base_url: str) -> Iterator[Script]:
    for tag in root.iter("script"):
        source = tag.get("src")
        parent = tag.getparent()
        in_head = parent is not None and parent.tag == "head"
        site_code = (tag.get("sitecode") or "").strip()
        yield Script(resolve(base_url, source) if source else "", tag.text or "", not in_head, site_code)


def _forms(root: HtmlElement) -> Iterator[FormElement]:
    """Every form with its controls, before anything is taken out of the tree."""
    for form in islice(root.iter("form"), MAX_FORMS):
        yield FormElement(form, tuple(islice(form.iter("input", "textarea", "select", "button"), MAX_CONTROLS)))


# ---------------------------------------------------------------- records

_RECORDS_SHOWN = re.compile(r"\bperPage\s*:\s*['\"]?(\d{1,3})\b", re.I)
MAX_RECORDS = 500


def _lay_out_records(root: HtmlElement, scripts: Sequence[Script]) -> None:
    """Put the markup of a <datastore>'s records, which a page's own script lays out as its list, where it stands.

    The store may hold several pages of the list; as many records as the script shows at a time are laid out.
    """
    stores = [tag for tag in root.iter("script") if "<record>" in (tag.text or "")]
    if not stores:
        return
    sizes = (match for script in scripts if (match := _RECORDS_SHOWN.search(script.code[:200_000])))
    shown = next((int(match[1]) for match in sizes), MAX_RECORDS) or MAX_RECORDS
    for store in stores:
        parts = (store.text or "").split("<record>", min(shown, MAX_RECORDS))[1:]
        records = [
            part.partition("</record>")[0].strip().removeprefix("<![CDATA[").removesuffix("]]>") for part in parts
        ]
        if records and store.getparent() is not None:
            box = "table" if records[0].lstrip()[:3].lower() == "<tr" else "div"
            laid_out = _tree(f"<{box}>{''.join(records)}</{box}>")[0].find(f".//{box}")
            if laid_out is not None:
                store.addnext(laid_out)


# ---------------------------------------------------------------- visibility

_NEVER_SHOWN = frozenset(
    {
        "script",
        "style",
        "template",
        "noscript",
        "select",
        "datalist",
        "option",
        "noframes",
        "object",
        "applet",
        "audio",
        "video",
        "canvas",
        "svg",
    }
)
_DOCUMENT = re.compile(r"\.(?:pdf|ofd|docx?)(?:[?#]|$)", re.I)  # what an object shows that is no film or game
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_ATTRIBUTES_HIDDEN: Callable[[HtmlElement], Any] = etree.XPath(".//@hidden")
_ATTRIBUTES_STYLE: Callable[[HtmlElement], Any] = etree.XPath(".//@style")


def styled(root: HtmlElement) -> list[HtmlElement]:
    """Return the elements that have a style of their own."""
    return [value.getparent() for value in _ATTRIBUTES_STYLE(root)]


def _is_hidden(element: HtmlElement) -> bool:
    if element.get("hidden") is not None:
        return True
    tag, style = element.tag, element.get("style")
    if tag in _NEVER_SHOWN:
        return tag != "object" or _DOCUMENT.search(element.get("data") or "") is None
    return style is not None and _HIDING_STYLE.search(style) is not None


def _hidden_in(root: HtmlElement) -> list[HtmlElement]:
    """The outermost elements that are hidden, in reading order."""
    marked = [value.getparent() for value in _ATTRIBUTES_HIDDEN(root)]
    possible = {*root.iter(*_NEVER_SHOWN), *marked, *styled(root)} - {root}
    hidden: list[HtmlElement] = []
    inside: set[HtmlElement] = set()
    for element in root.iter():
        if element in possible and element.tag != "body" and element not in inside and _is_hidden(element):
            hidden.append(element)
            inside.update(element.iterdescendants())
    return hidden


def _prune(root: HtmlElement) -> tuple[HtmlElement, ...]:
    """Take what nobody sees out of the tree and return it; tabs that can be opened stay, cleared in their turn."""
    removed: list[HtmlElement] = []
    roots = [root]
    while roots:
        hidden = [element for tree in roots for element in _hidden_in(tree)]
        roots = [element for element in hidden if element.tag in _PANE_TAGS and _is_tab_pane(element)]
        kept = set(roots)
        for element in hidden:
            if element not in kept:
                element.drop_tree()
                removed.append(element)
    return tuple(removed)


_PANE_TAGS = frozenset({"div", "ul", "ol", "dl", "table", "section"})
_MAX_PANES = 12
_PLACEHOLDER = re.compile(r"\{\{|\$\{|<%|^\s*#?\s*$|^javascript:\s*(?:void|;)", re.I)


def _is_tab_pane(element: HtmlElement) -> bool:
    """Whether a hidden element is a page of a tab that a visitor can open, and not a template or a copy.

    It stands among elements of its kind and class, at least one of them visible, below as many tab headings; it holds
    links of its own.
    """
    style, parent = element.get("style") or "", element.getparent()
    if "none" not in style or parent is None or next(islice(parent, 4 * _MAX_PANES, None), None) is not None:
        return False
    group = [
        sibling for sibling in parent if sibling.tag == element.tag and _first_class(sibling) == _first_class(element)
    ]
    shown = [sibling for sibling in group if not _is_hidden(sibling)]
    if not shown or not 2 <= len(group) <= _MAX_PANES or not _first_class(element):
        return False
    own = _targets(element)
    if not own or any(own & _targets(sibling) for sibling in shown):
        return False
    return _headings_above(group[0]) >= len(group)


def _first_class(element: HtmlElement) -> str:
    return next(iter((element.get("class") or "").split()), "")


def _targets(element: HtmlElement) -> set[str]:
    """Where the links inside lead; at most fifty are looked at."""
    links = islice(element.iter("a"), 50)
    return {href for link in links if (href := link.get("href") or "") and not _PLACEHOLDER.search(href)}


def _headings_above(pane: HtmlElement) -> int:
    """How many tab headings stand right above a pane (or above the box that holds the panes)."""
    for box in (pane, pane.getparent()):
        above = box.getprevious() if box is not None else None
        if above is not None:
            words = [
                heading for heading in islice(above.iter("a", "li", "span"), 60) if 0 < len(visible_text(heading)) < 16
            ]
            return max((sum(word.tag == tag for word in words) for tag in ("a", "li", "span")), default=0)
    return 0


# ---------------------------------------------------------------- lines

_BLOCK_TAGS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "frame",
        "frameset",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "iframe",
        "legend",
        "li",
        "main",
        "marquee",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    }
)
_EMPTY_TAGS = frozenset({"br", "hr", "iframe", "frame"})
_UNREAD_TAGS = frozenset({"head", "title"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


# A block before it is known in which part of the page it stands: text, element, heading, pieces, linked.
_Line = tuple[str, HtmlElement, int, tuple[str, ...], int]


@dataclass(slots=True, eq=False)
class _Mark:
    """A stretch of lines under an element whose name says which part of the page it is."""

    region: Region
    first: int
    last: int = -1  # exclusive


@dataclass(slots=True, eq=False)
class _Lines:
    """The walk that cuts the tree into lines."""

    lines: list[_Line] = field(default_factory=list)
    marks: list[_Mark] = field(default_factory=list)
    containers: list[HtmlElement] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    linked: int = 0
    heading: int = 0
    open_links: list[HtmlElement] = field(default_factory=list)
    preformatted: int = 0
    open_marks: dict[HtmlElement, _Mark] = field(default_factory=dict)
    anchored: dict[HtmlElement, int] = field(default_factory=dict)  # the line that it begins in

    def read(self, root: HtmlElement) -> _Lines:
        """Walk the body (or frameset) of the page."""
        body = root.find("body")
        walk = etree.iterwalk(body if body is not None else root, events=("start", "end"))
        for event, element in walk:
            tag, text = element.tag, None
            if event == "end":
                self._end(element, tag)
                text = element.tail
            elif tag in _UNREAD_TAGS or len(self.lines) >= MAX_BLOCKS:
                walk.skip_subtree()
            else:
                self._start(element, tag)
                text = element.text if tag not in _EMPTY_TAGS else None
            if text and (self.pieces or not text.isspace()):  # a line does not begin with white space
                self._text(text)
        self._flush()
        return self

    def _start(self, element: HtmlElement, tag: str) -> None:
        if tag in _BLOCK_TAGS:
            self._open(element, tag)
        elif tag == "a":
            if self.open_links:  # a link around a link was never closed
                self.anchored.pop(self.open_links[-1], None)
            self.open_links.append(element)
        if (tag in _LINK_TAGS or (element.keys() and _has_click(element))) and len(self.anchored) < MAX_ANCHORS:
            self.anchored[element] = len(self.lines)

    def _open(self, element: HtmlElement, tag: str) -> None:
        if self.pieces:
            self._flush()
        self.containers.append(element)
        if tag in _HEADINGS:
            self.heading = _HEADINGS[tag]
        elif tag == "pre":
            self.preformatted += 1
        if (element.keys() or tag in _REGION_OF_TAG) and (region := named_region(element)):
            self.open_marks[element] = mark = _Mark(region, len(self.lines))
            self.marks.append(mark)

    def _end(self, element: HtmlElement, tag: str) -> None:
        if self.containers and self.containers[-1] is element:
            self._close(element, tag)
        elif tag == "a" and self.open_links:
            self.open_links.pop()

    def _close(self, element: HtmlElement, tag: str) -> None:
        if self.pieces:
            self._flush()
        self.containers.pop()
        if tag in _HEADINGS:
            self.heading = 0
        elif tag == "pre":
            self.preformatted -= 1
        if element in self.open_marks:
            self.open_marks.pop(element).last = len(self.lines)

    def _text(self, text: str) -> None:
        """Add a run of text to the open line; in preformatted text each line is one of its own."""
        if self.preformatted and "\n" in text:
            first, *rest = text.split("\n")
            self._text(first)
            for line in rest:
                self._flush()
                self._text(line)
        elif self.pieces or not text.isspace():
            self.pieces.append(text)
            if self.open_links:
                self.linked += len("".join(text.split()))

    def _flush(self) -> None:
        pieces, self.pieces = self.pieces, []
        linked, self.linked = self.linked, 0
        text = normalise("".join(pieces))
        if text and self.containers:
            element = self.containers[-1]
            if element.tag == "br" and len(self.containers) > 1:
                element = self.containers[-2]
            runs = (text,) if len(pieces) == 1 else tuple([run for piece in pieces if (run := normalise(piece))])
            self.lines.append((text, element, self.heading, runs, linked))


_LINK_TAGS = frozenset({"a", "area"})
_CLICK_ATTRIBUTES = frozenset({"onclick", "data-url", "data-href"})


def _has_click(element: HtmlElement) -> bool:
    """Whether an element that is no link has a click of its own, around no link and in none."""
    if _CLICK_ATTRIBUTES.isdisjoint(element.keys()) or not any(map(element.get, _CLICK_ATTRIBUTES)):
        return False
    return next(element.iter("a"), None) is None and next(element.iterancestors("a"), None) is None


def _anchors(lines: _Lines, blocks: tuple[Block, ...], base_url: str) -> Iterator[Anchor]:
    regions = [*(block.region for block in blocks), blocks[-1].region if blocks else Region.MAIN]
    for element, line in lines.anchored.items():
        yield Anchor(element, regions[line], opened_by(base_url, element), text_of(element))


# ---------------------------------------------------------------- regions

_REGION_OF_TAG = {"header": Region.HEADER, "nav": Region.NAVIGATION, "aside": Region.ASIDE, "footer": Region.FOOTER}
_WRAPPER = r"(?:[-_]?(?:wrap(?:per)?|box|main|con(?:tent)?|bg|area|bar|list|info|link|er|inner?|in))?[-_]?\d{0,2}"
_OWNER = r"(?:(?:site|page|web|main|index|public|common|pub|top|sub|g|w|w1|m)[-_]?)?"
_REGION_NAMES = {
    Region.FOOTER: r"foot(?:er)?|bottom|copyright|copy|bq|dibu|yqlj|friend(?:ly)?[-_]?links?|flinks?|youlian",
    Region.HEADER: r"header|head|top|toubu|banner|logo",
    Region.NAVIGATION: r"nav(?:igation|igator)?|menu|daohang|crumbs?|bread(?:crumbs?|[-_]?nav)?|dqwz|location|weizhi|"
    r"position|curpos|current[-_]?(?:position|location)|wz|path",
    Region.ASIDE: r"side[-_]?bar|aside|related?(?:[-_]?(?:news|list|read|article))?|xgyd|xgxx|xgwd|xgwz|recommend|"
    r"hot[-_]?(?:news|list)?",
}
_REGION_OF_NAME = re.compile(
    _OWNER + "(?:" + "|".join(f"(?P<{region}>{names})" for region, names in _REGION_NAMES.items()) + ")" + _WRAPPER,
    re.I,
)
_ARTICLE_SIGNS = re.compile(
    r"发布(?:时间|日期)|发文(?:时间|日期|字号)|成文日期|索引号|来源 ?[:：]|浏览(?:次数|量)|字体 ?[:：]|字号 ?[:：【\[]"
)

FOOTER_WORDS = re.compile(r"ICP备|公网安备|网站标识码|版权所有|Copyright|©|主办单位|技术支持", re.I)
_OF_SITE = re.compile(f"{FOOTER_WORDS.pattern}|主办|承办|电话|邮编|地址", re.I)


def named_region(element: HtmlElement) -> Region | None:
    """Return which part of the page the element's tag, id or class calls it; None where they say nothing."""
    if region := _REGION_OF_TAG.get(element.tag):
        return None if element.tag in ("header", "footer") and _is_in_article(element) else region
    names = f"{element.get('id') or ''} {element.get('class') or ''}"
    if names == " ":
        return None
    for name in names.split()[:6]:
        if len(name) <= 40 and (match := _REGION_OF_NAME.fullmatch(name)) and match.lastgroup:
            region = Region(match.lastgroup)
            return None if region is Region.HEADER and element.tag == "dl" else region  # headInfo: labels and values
    return None


def _is_in_article(element: HtmlElement) -> bool:
    """Whether a header or footer is that of an article, with its title and date."""
    return next(element.iterancestors("article", "main"), None) is not None


def _blocks(lines: Sequence[_Line], marks: Sequence[_Mark]) -> tuple[Block, ...]:
    """The lines with their regions: for each that of the innermost plausible mark around it."""
    texts = [line[0] for line in lines]
    regions = [Region.MAIN] * len(lines)
    starts = [0, *accumulate(map(len, texts))]
    for mark in marks:  # outer marks come before inner ones
        last = mark.last if mark.last >= 0 else len(lines)
        if _is_plausible(mark.region, texts[mark.first : last], starts[mark.first], starts[last], starts[-1]):
            regions[mark.first : last] = [mark.region] * (last - mark.first)
    return tuple(
        [
            Block(text, element, element.tag, region, heading, pieces, linked)
            for (text, element, heading, pieces, linked), region in zip(lines, regions, strict=True)
        ]
    )


_DAY = re.compile(r"(?:19|20)\d\d ?[-/.年] ?\d{1,2}")


def _holds_list(lines: Sequence[str], text: str) -> bool:
    """Whether three lines or more are dated: then the part is a list, whatever its name."""
    if len(list(islice(_DAY.finditer(text), 3))) < 3:
        return False
    dated = (line for line in lines if len(line) < 200 and _DAY.search(line))
    return len(list(islice(dated, 3))) == 3


_FOOT = 400  # characters of a site's foot, where there is hardly anything above it


def _is_foot_of_bare_page(text: str, length: int) -> bool:
    return length <= _FOOT and FOOTER_WORDS.search(text) is not None


def _is_plausible(region: Region, lines: Sequence[str], start: int, end: int, total: int) -> bool:
    """A wrapper named "header" that holds the article is no header, and a footer stands at the end."""
    text = "\n".join(lines)
    if end <= start or (region is not Region.ASIDE and _holds_list(lines, text)):
        return False
    if _ARTICLE_SIGNS.search(text):
        return region is Region.FOOTER and start > total * 0.6 and _OF_SITE.search(text) is not None
    if region is Region.FOOTER:
        return start > total * 0.3 or (end == total and _is_foot_of_bare_page(text, end - start))
    return region is Region.ASIDE or (end - start) < total * 0.7
