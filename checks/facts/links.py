"""Where a page leads and what it loads: links, attachments, frames, pictures and scripts, as absolute URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote, urlsplit

from lxml.html import HtmlElement

from checks.facts.dom import Dom, named_region, visible_text
from checks.facts.model import Link

MAX_LINKS = 5_000  # of one page
MAX_FRAMES = 100
MAX_IMAGES = 2_000
MAX_PLACED_IMAGES = 30  # of which it is asked where they stand
MAX_DEPTH = 40  # elements around a picture that are asked for their names
MAX_SCRIPTS = 500
MAX_TEXT = 200  # characters of a link's text
ATTACHMENT_EXTENSIONS = frozenset(
    {
        "doc",
        "docx",
        "xls",
        "xlsx",
        "ppt",
        "pptx",
        "pdf",
        "ofd",
        "wps",
        "et",
        "dps",
        "zip",
        "rar",
        "7z",
        "txt",
        "csv",
        "rtf",
    }
)

_QUOTED = re.compile(r"""["']((?:https?:)?[^"'\s<>()]{1,1000})["']""")
_PATHLIKE = re.compile(
    r"^(?:https?://|//|\.{0,2}/)\S|\.(?:s?html?|jsp|aspx?|php|do|action|pdf|docx?|xlsx?)(?:[?#]|$)|^\?\w+=", re.I
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_SCRIPTED = re.compile(r"\s*(?:javascript|mailto|tel|data|about|blob):", re.I)
_DATA_ATTRIBUTES = ("data-url", "data-href", "data-link")
_LAZY_ATTRIBUTES = ("data-original", "data-src", "data-lazy", "data-lazy-src")  # the picture that takes src's place


def target_of(dom: Dom, element: HtmlElement) -> str:
    """Return the absolute http(s) URL that a click on the element opens; "" when it cannot be told.

    A quoted path in a javascript: address or in onclick counts: javascript:open('/a/b.html').
    """
    href = (element.get("href") or "").strip()
    if href and not href.startswith("#") and not _SCRIPTED.match(href):
        return web_address(dom, href)
    codes = [unquote(href) if href.lower().startswith("javascript:") else "", element.get("onclick") or ""]
    for code in codes:
        for quoted in _QUOTED.findall(code[:2_000]):
            if _PATHLIKE.search(quoted):
                return web_address(dom, quoted)
    data = next((value for name in _DATA_ATTRIBUTES if (value := element.get(name))), "")
    return web_address(dom, data) if _PATHLIKE.search(data) else ""


def web_address(dom: Dom, reference: str) -> str:
    """Return the reference as an absolute http(s) URL without fragment; "" when it leads elsewhere.

    It stays relative when the page's own address is not known.
    """
    url = dom.absolute(reference).partition("#")[0]
    if url.startswith(("http://", "https://")) or url.lower().startswith(("http://", "https://")):
        return url
    return "" if dom.base_url or _SCHEME.match(url) else url


def read_links(dom: Dom) -> tuple[Link, ...]:
    """Return the links a visitor can follow, in reading order, each URL once with the first text that stands for it.

    A document that is shown within the page (embed, object, a viewer in a frame) follows them: it is read there.
    """
    found: dict[str, str] = {}
    for anchor in dom.anchors:
        url = target_of(dom, anchor.element)
        if not url or found.get(url):
            continue
        if url in found or len(found) < MAX_LINKS:
            found[url] = text_of(anchor.element)
    for url in _embedded_files(dom):
        found.setdefault(url, "")
    return tuple(Link(url, text, is_attachment(url, text)) for url, text in found.items())


def _embedded_files(dom: Dom) -> Iterator[str]:
    """Yield the addresses of the documents shown within the page; of a viewer, viewer.html?file=/a.pdf, its file."""
    for element in islice(dom.root.iter("embed", "object", "iframe"), MAX_FRAMES):
        source = (element.get("data") if element.tag == "object" else element.get("src")) or ""
        url = "" if _SCRIPTED.match(source) else web_address(dom, source)
        for reference in (url, *(pair.partition("=")[2] for pair in url.partition("?")[2].split("&")[:20])):
            file = web_address(dom, unquote(reference))
            if file and _extension(file.partition("?")[0]) in ATTACHMENT_EXTENSIONS:
                yield file
                break


def text_of(element: HtmlElement) -> str:
    """Return what a link says: its text, else its title, else the description of its picture."""
    return (visible_text(element, 40) or element.get("title") or _image_text(element))[:MAX_TEXT]


def _image_text(element: HtmlElement) -> str:
    return next((alt for image in islice(element.iter("img"), 3) if (alt := image.get("alt"))), "")


def is_attachment(url: str, text: str = "") -> bool:
    """Tell whether a URL names a document file, in its path, in a query value, or else in the link's text."""
    short = len(url) <= _REPEATED and len(text) <= _REPEATED
    return _known_names_file(url, text) if short else _names_file(url, text)


_REPEATED = 200  # characters: menus lead to the same addresses from page after page


def _names_file(url: str, text: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    names = [parts.path, *(pair.partition("=")[2] for pair in parts.query.split("&")[:20])]
    if any(_extension(unquote(name)) in ATTACHMENT_EXTENSIONS for name in names):
        return True
    return _extension(parts.path) not in _PAGE_EXTENSIONS and _extension(text) in ATTACHMENT_EXTENSIONS


_known_names_file = lru_cache(maxsize=16_384)(_names_file)
_PAGE_EXTENSIONS = frozenset({"html", "htm", "shtml"})


def _extension(name: str) -> str:
    return name.rstrip(" )）").rpartition(".")[2].lower() if "." in name[-8:] else ""


def read_frames(dom: Dom) -> tuple[str, ...]:
    """Return the absolute URLs of the frames and iframes that are shown."""
    sources = (element.get("src") for element in islice(dom.root.iter("iframe", "frame"), MAX_FRAMES))
    found = (web_address(dom, source) for source in sources if source and not _SCRIPTED.match(source))
    return tuple(dict.fromkeys(url for url in found if url))


def read_images(dom: Dom) -> tuple[str, ...]:
    """Return the absolute URLs of the pictures shown, each once; where one loads late, its own and no stand-in's."""
    pictures = islice((tag for tag in dom.root.iter("img", "input") if _is_picture(tag)), MAX_IMAGES)
    found = (web_address(dom, source) for tag in pictures if (source := _source(tag)) and not _SCRIPTED.match(source))
    return tuple(dict.fromkeys(url for url in found if url))


def shows_picture(dom: Dom) -> bool:
    """Tell whether one of the first pictures stands outside header, menus, side bars and footer: in the content."""
    pictures = islice((tag for tag in dom.root.iter("img") if _source(tag)), MAX_PLACED_IMAGES)
    return any(all(named_region(box) is None for box in islice(tag.iterancestors(), MAX_DEPTH)) for tag in pictures)


def _is_picture(tag: HtmlElement) -> bool:
    return tag.tag == "img" or (tag.get("type") or "").strip().lower() == "image"


def _source(tag: HtmlElement) -> str:
    late = (value for name in _LAZY_ATTRIBUTES if (value := (tag.get(name) or "").strip()))
    return next(late, "") or (tag.get("src") or "").strip()


def read_scripts(dom: Dom) -> tuple[str, ...]:
    """Return the absolute URLs of the page's external scripts, each once."""
    found = (web_address(dom, script.source) for script in islice(dom.scripts, MAX_SCRIPTS) if script.source)
    return tuple(dict.fromkeys(url for url in found if url))
