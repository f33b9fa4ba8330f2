"""Every invented page of fixtures/html/facts gives the facts that stand beside it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.facts.model import PageKind
from checks.facts.page import read_page
from reports.page_json import page_json

FIXTURES = Path(__file__).parents[3] / "fixtures" / "html" / "facts"
CASES = sorted(path.stem for path in FIXTURES.glob("*.html"))
AS_OF = date(2026, 11, 23)


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """What of the expectation is not met: objects may hold more keys than expected, lists must be alike in length."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [line for key in expected for line in differences(expected[key], found.get(key), f"{where}.{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = zip(expected, found, strict=True)
        return [line for at, pair in enumerate(pairs) for line in differences(*pair, f"{where}[{at}]")]
    return [] if expected == found else [f"{where}: expected {expected!r}, found {found!r}"]


@pytest.mark.parametrize("case", CASES)
def test_fixture(case: str) -> None:
    description = json.loads((FIXTURES / f"{case}.json").read_text(encoding="utf-8"))
    given_: dict[str, Any] = description["given"]
    facts = read_page(
        (FIXTURES / f"{case}.html").read_bytes(),
        url=given_.get("url"),
        content_type=given_.get("content_type"),
        as_of=date.fromisoformat(given_["as_of"]),
        kind=PageKind(given_["kind"]) if "kind" in given_ else None,
    )
    assert differences(description["expect"], page_json(facts)) == []


def test_every_page_has_its_expectation() -> None:
    assert CASES
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(CASES)


MARKUP = (
    "<div>|</div>|<table>|<tr>|<td>|</table>|<ul>|<li>|<a href='/1.html'>|</a>|<h1>|</h1>|<script>|</script>|<!--|-->"
    "|<%|%>"
    "|发布时间：|2024-03-05|二○○八年三月二十六日|<p hidden>|<br>|<iframe src=x>|<meta name=PubDate content=2024>|下一页"
    "|<title>|&#0;|\x00|<base href='http://['>|来源：|<a href='http://[::1'>|99999999999年99月99日"
    "|createPageHTML(9999,1,'index','html')"
)
PIECES = st.sampled_from(MARKUP.split("|"))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode())))
def test_reading_is_total_and_deterministic(body: bytes) -> None:
    first = read_page(body, url="http://www.yunxi.example/", as_of=AS_OF)
    assert read_page(body, url="http://www.yunxi.example/", as_of=AS_OF) == first
    json.dumps(page_json(first))


DATES = st.sampled_from(
    (
        *(
            "2024-03-05",
            "2026-11-26",
            "2099-01-01",
            "2024-02-29",
            "20261126",
            "08-05-12",
            "2026年11月",
            "时间：2026-11-26",
        ),
        *("11-20", "11-26", "12-31", "02-29", "3月5日", "3天前", "昨天", "21", "发布时间：11-26", "发布时间：3天前"),
    )
)
LINES = st.builds("{}".format, DATES) | st.builds(
    "<ul>{}</ul>".format,
    st.lists(
        st.builds(
            "<li><a href='{}/t{}_1.html'>关于做好冬季安全生产工作的通知</a><span>{}</span></li>".format,
            st.sampled_from("ab"),
            st.sampled_from(("1", "20241120", "20261118", "20261126")),
            DATES,
        ),
        max_size=4,
    ).map("".join),
)


@settings(max_examples=250, deadline=None)
@given(
    lines=st.lists(LINES, max_size=4),
    url=st.sampled_from(
        ("http://a.example/", "http://a.example/t20240305_1.html", "http://a.example/t20261126_1.html")
    ),
    kind=st.sampled_from((None, PageKind.HOME, PageKind.COLUMN, PageKind.ARTICLE)),
    later=st.integers(1, 900),
)
def test_a_later_day_reads_the_same_unless_it_is_said_to_matter(
    lines: list[str], url: str, kind: PageKind | None, later: int
) -> None:
    body = f"<h1>栾城区冬季安全生产工作会议召开</h1><div>{'</div><div>'.join(lines)}</div>".encode()
    facts = read_page(body, url=url, as_of=AS_OF, kind=kind)
    again = read_page(body, url=url, as_of=AS_OF + timedelta(days=later), kind=kind)
    assert facts.day_dependent or again == facts


@pytest.mark.parametrize(
    ("line", "day_dependent"),
    [
        ("发布时间：2024-03-05", False),
        ("发布时间：3天前", True),
        ("会议3月5日召开", False),
        ("<ul><li><a href='/t20241120_1.html'>关于做好冬季安全生产工作的通知</a> 11-20</li></ul>", False),
        ("<ul><li><a href='/1.html'>关于做好冬季安全生产工作的通知</a> 11-20</li></ul>", True),
        ("<ul><li><a href='/1.html'>关于做好冬季安全生产工作的通知</a> 2099-11-20</li></ul>", True),
    ],
)
def test_whether_the_day_matters(line: str, day_dependent: bool) -> None:
    assert read_page(f"<body>{line}".encode(), as_of=AS_OF).day_dependent is day_dependent


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<div>" * 50_000 + b"x",
        b"<table><tr><td>" * 20_000,
        b"<a href=x>y</a>" * 50_000,
        b"<ul><li><a href=1>" * 5_000,
        b"<p hidden>x" * 20_000,
        b"<%" * 100_000,
        b"\x00" * 1_000,
        ("发布时间：" * 20_000).encode(),
        b"2024-03-05 " * 20_000,
        b"<div style='display:none' class=a><a href=/1>x</a>" * 3_000,
        b"<div style='position:absolute;left:-9999px'><a href=/1>x</a>" * 10_000,
        b"<form><select><option>" * 5_000,
    ],
    ids=lambda body: f"{bytes(body[:12])!r}",
)
def test_hostile_pages_are_read(body: bytes) -> None:
    read_page(body, as_of=AS_OF)


def test_contract_keys() -> None:
    facts = page_json(read_page(b"<p>x</p>", as_of=AS_OF))
    assert facts["title"] is None
    assert facts["url"] is None
    assert set(facts["published"]) >= {"date", "source", "label", "candidates", "conflicts"}
    assert set(facts["open_attribute"]) >= {"value", "where"}
    document = {"index_number", "doc_number", "issuer", "written_date", "published_date", "validity"}
    assert set(facts["document"]) >= document
    assert not any(facts["document"][key] for key in document)
    assert set(facts["identity"]) >= {"site_code", "site_code_meta", "icp", "police", "conac_badge", "host_unit"}
    assert set(facts["list"]) >= {"entries", "newest", "next"}
    assert facts["findings"] == []
