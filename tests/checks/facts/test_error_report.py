"""Entries for reporting errors: the service's script, a link, a picture to click."""

from __future__ import annotations

import pytest

from checks.facts.dom import parse
from checks.facts.error_report import MAX_ENTRIES, read_error_reports
from checks.facts.model import ErrorReport

BASE = "http://www.yunxi.example/"
SERVICE = "https://zfwzgl.www.gov.example/exposure"


def entries(markup: str) -> tuple[ErrorReport, ...]:
    return read_error_reports(parse(markup.encode(), url=BASE))


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (
            f"<script sitecode='3714260001' src='{SERVICE}/jiucuo.js'></script>",
            ErrorReport(f"{SERVICE}/jiucuo.js", "3714260001", script=True),
        ),
        (f"<script src='{SERVICE}/jiucuo.js'></script>", ErrorReport(f"{SERVICE}/jiucuo.js", script=True)),
        (
            f"<a href='{SERVICE}/jiucuo.html?site_code=bm24000006&url=x'><img src=1.png alt=找错></a>",
            ErrorReport(f"{SERVICE}/jiucuo.html?site_code=bm24000006&url=x", "bm24000006", "找错"),
        ),
        (
            f"<img onclick=\"Link('3714260001')\" src='{SERVICE}/images/jiucuo.png' alt=找错>",
            ErrorReport(f"{SERVICE}/images/jiucuo.png", "3714260001", "找错"),
        ),
        ("<a href='/hd/1.html'>我要纠错</a>", ErrorReport(f"{BASE}hd/1.html", None, "我要纠错")),
    ],
)
def test_entries(markup: str, expected: ErrorReport) -> None:
    assert entries(f"<body>{markup}</body>") == (expected,)


@pytest.mark.parametrize(
    "markup",
    [
        "<a href='/dt/1.html'>县法院开展裁判文书纠错评查，为群众找错补漏两个月</a>",
        "<p style='display:none'><a href='/jiucuo.html'>纠错</a></p>",
        "<p>我为政府网站找错</p>",
        "<script src='/js/page.js'></script>",
    ],
)
def test_what_is_no_entry(markup: str) -> None:
    assert entries(f"<body>{markup}</body>") == ()


def test_entries_are_bounded() -> None:
    many = "".join(f"<a href='/jiucuo{number}.html'>x</a>" for number in range(MAX_ENTRIES + 5))
    assert len(entries(many)) == MAX_ENTRIES
