"""Where a page leads and what it loads: links, attachments, frames, pictures and scripts, as absolute URLs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote, urlsplit

from lxml.html import HtmlElement

from checks.facts.dom import Dom, named_region
from checks.facts.model import Link
from checks.facts.targets import SCRIPTED, opened_by

MAX_LINKS = 5_000  # of one page
MAX_FRAMES = 100
MAX_IMAGES = 2_000
MAX_PLACED_IMAGES = 30  # of which it is asked where they stand
MAX_DEPTH = 40  # elements around a picture that are asked for their names
MAX_SCRIPTS = 500
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

_LAZY_ATTRIBUTES = ("data-original", "data-src", "data-lazy", "data-lazy-src")  # the picture that takes src's place


def target_of(dom: Dom, element: HtmlElement) -> str:
    """Return the absolute http(s) URL that a click on the element opens; "" when it cannot be told."""
    return opened_by(dom.base_url, element)


def read_links(dom: Dom) -> tuple[Link, ...]:
    """Return the links a visitor can follow, in reading order, each URL once with the first text that stands for it.

    A document that is shown within the page (embed, object, a viewer in a frame) follows them: it is read there.
    """
    found: dict[str, str] = {}
    for anchor in dom.anchors:
        if anchor.url and not found.get(anchor.url) and (anchor.url in found or len(found) < MAX_LINKS):
            found[anchor.url] = anchor.text
    for url in _embedded_files(dom):
        found.setdefault(url, "")
    return tuple([Link(url, text, is_attachment(url, text)) for url, text in found.items()])


def _embedded_files(dom: Dom) -> Iterator[str]:
    """Yield the addresses of the documents shown within the page; of a viewer, viewer.html?file=/a.pdf, its file."""
    for element in islice(dom.root.iter("embed", "object", "iframe"), MAX_FRAMES):
        source = (element.get("data") if element.tag == "object" else element.get("src")) or ""
        url = "" if SCRIPTED.match(source) else dom.web_address(source)
        for reference in (url, *(pair.partition("=")[2] for pair in url.partition("?")[2].split("&")[:20])):
            file = dom.web_address(unquote(reference))
            if file and _extension(file.partition("?")[0]) in ATTACHMENT_EXTENSIONS:
                yield file
                break


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
    found = (dom.web_address(source) for source in sources if source and not SCRIPTED.match(source))
    return tuple(dict.fromkeys(url for url in found if url))


def read_images(dom: Dom) -> tuple[str, ...]:
    """Return the absolute URLs of the pictures shown, each once; where one loads late, its own and no stand-in's."""
    pictures = islice((tag for tag in dom.root.iter("img", "input") if _is_picture(tag)), MAX_IMAGES)
    found = (dom.web_address(source) for tag in pictures if (source := _source(tag)) and not SCRIPTED.match(source))
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
    found = (dom.web_address(script.source) for script in islice(dom.scripts, MAX_SCRIPTS) if script.source)
    return tuple(dict.fromkeys(url for url in found if url))
