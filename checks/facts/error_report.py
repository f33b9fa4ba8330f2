"""找错入口: the ways by which a page lets visitors report errors to the national service, as links or as its script.

The service's script stands as <script sitecode="…" src=".../jiucuo.js"> and puts a picture with onclick="Link('…')" on
the page; sites that do without the script link to its form with the code in the address.

The service stands for the whole country, and every page of every site leads to it: nobody here ever asks it anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import parse_qsl, urlsplit

from lxml.html import HtmlElement

from checks.facts.dom import Dom
from checks.facts.model import ErrorReport

MAX_ENTRIES = 20
LONGEST_TEXT = 16  # characters: longer texts that speak of errors are titles

_ADDRESS = re.compile(r"jiucuo|zhaocuo|zfwzgl\.|pucha\.")
_TEXT = re.compile(r"找\s?错|(?:网站|我要|内容)纠\s?错")
_CLICK = re.compile(r"\bLink\(\s*['\"](\w{1,20})['\"]")
_SERVICE_IN_CODE = re.compile(r"(?:https?:)?//[\w.-]{1,100}/[\w./-]{0,200}jiucuo\.(?:js|html)", re.I)
_SITE_CODE = re.compile(r"(?<!\w)(?:\d{10}|bm\d{8})(?!\w)", re.I)
_CODE_READ = 200_000  # characters of a script
_CODE_NAMES = frozenset({"site_code", "sitecode"})


def is_national_service(url: str) -> bool:
    """Tell whether an address is the national service's, which crawler, browser and probes leave alone."""
    try:
        return (urlsplit(url).hostname or "").startswith("zfwzgl.")
    except ValueError:
        return False


def read_error_reports(dom: Dom) -> tuple[ErrorReport, ...]:
    """Return the entries in reading order, scripts first, each once."""
    return tuple(dict.fromkeys(islice((*_scripts(dom), *_links(dom)), MAX_ENTRIES)))


def _scripts(dom: Dom) -> Iterator[ErrorReport]:
    for script in dom.scripts:
        if script.source and (script.site_code or _names_service(script.source)) and dom.web_address(script.source):
            yield ErrorReport(dom.web_address(script.source), script.site_code or code_in(script.source), script=True)
        elif not script.source and _names_service(code := script.code[:_CODE_READ]):
            yield _put_up_by(dom, code)


def _put_up_by(dom: Dom, code: str) -> ErrorReport:
    """The entry that a script of the page's own puts up; without an address where the code does not tell all of it."""
    service, site_code = _SERVICE_IN_CODE.search(code), _SITE_CODE.search(code)
    if service is None or site_code is None:
        return ErrorReport("", script=True)
    return ErrorReport(dom.web_address(service[0]), site_code[0], script=True)


def _links(dom: Dom) -> Iterator[ErrorReport]:
    named = _names_service("\n".join([anchor.url for anchor in dom.anchors]))
    for element, _, url, text in dom.anchors:
        click = element.get("onclick")
        if click and (clicked := _CLICK.search(click[:1_000])):
            yield ErrorReport(_picture(dom, element), clicked[1], text)
        elif url and ((named and _names_service(url)) or ("错" in text and _speaks_of_errors(text))):
            yield ErrorReport(url, code_in(url), text)


def _names_service(code: str) -> bool:
    return _ADDRESS.search(code.lower()) is not None


def _speaks_of_errors(text: str) -> bool:
    return len(text) <= LONGEST_TEXT and _TEXT.search(text) is not None


def _picture(dom: Dom, element: HtmlElement) -> str:
    """The picture that is clicked: it lies with the service."""
    return next((dom.web_address(source) for image in element.iter("img") if (source := image.get("src"))), "")


def code_in(url: str) -> str | None:
    """Return the site code that an address carries as a parameter, or None."""
    try:
        pairs = parse_qsl(urlsplit(url).query, max_num_fields=50)
    except ValueError:
        return None
    return next((value.strip() for name, value in pairs if name.lower() in _CODE_NAMES and value.strip()), None)
