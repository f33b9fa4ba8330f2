"""`inspect page` and `inspect ipv6`: one page, one host, and why we say so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fixtures.district.faults import answer_key
from fixtures.district.server import ServedDistrict, serve
from tests.cli.conftest import Inspect

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "fixtures" / "html").glob("*/*.html"))[::12]
DAY = date(2026, 11, 23)
KEYS: dict[str, set[str]] = {
    "": {"url", "kind", "title", "published", "open_attribute", "document", "identity", "list", "findings"},
    "published": {"date", "source", "label", "candidates", "conflicts"},
    "open_attribute": {"value", "where"},
    "document": {"index_number", "doc_number", "issuer", "written_date", "published_date", "validity"},
    "identity": {"site_code", "site_code_meta", "icp", "police", "conac_badge", "host_unit"},
    "list": {"entries", "newest", "next"},
}
KINDS = {"article", "column", "home", "guide", "application", "annual_report", "service_guide", "catalog", "other"}


@pytest.fixture(scope="module")
def served() -> Iterator[ServedDistrict]:
    with serve(DAY) as district:
        yield district


@pytest.fixture
def served_config(served: ServedDistrict, tmp_path: Path) -> str:
    served.write_config(tmp_path / "served")
    return str(tmp_path / "served")


def _holds_to_the_contract(document: dict[str, Any]) -> None:
    for name, keys in KEYS.items():
        assert (document[name] if name else document).keys() >= keys
    assert document["kind"] in KINDS
    for entry in document["list"]["entries"]:
        assert entry.keys() >= {"title", "url", "date"}
    for candidate in (*document["published"]["candidates"], *document["published"]["conflicts"]):
        assert candidate.keys() >= {"date", "source", "label", "text"}
        date.fromisoformat(candidate["date"])
    for finding in document["findings"]:
        assert finding.keys() >= {"check", "outcome", "reason", "observed", "expected", "where"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_document_of_a_page(inspect: Inspect, page: Path) -> None:
    answer = inspect("page", str(page), "--as-of", DAY.isoformat(), "--json")
    assert answer.code == 0, answer.err
    assert answer.err == ""
    _holds_to_the_contract(answer.document)
    shown = inspect("page", str(page), "--as-of", DAY.isoformat())
    assert shown.code == 0
    assert "页面事实" in shown.out
    assert "检查结果" in shown.out or "没有适用于这个页面的检查" in shown.out


def test_what_a_page_lacks_is_null(inspect: Inspect, tmp_path: Path) -> None:
    page = tmp_path / "bare.html"
    page.write_text("<html><body><p>栾城</p></body></html>", encoding="utf-8")
    document = inspect("page", str(page), "--json").document
    _holds_to_the_contract(document)
    assert document["url"] is None
    assert document["published"]["date"] is document["published"]["source"] is document["published"]["label"] is None
    assert document["open_attribute"]["value"] is document["open_attribute"]["where"] is None
    assert [document["document"][key] for key in KEYS["document"]] == [None] * 6
    assert document["identity"]["site_code"] is document["identity"]["icp"] is None
    assert document["list"] | {"entries": [], "newest": None, "next": None} == document["list"]


@pytest.mark.parametrize("content", [b"", b"\0\xff\xfe\x80", b"%PDF-1.7\n", b"<" * 10_000], ids=repr)
def test_what_is_no_page_breaks_nothing(inspect: Inspect, tmp_path: Path, content: bytes) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(content)
    answer = inspect("page", str(page), "--json")
    assert answer.code == 0, answer.err
    _holds_to_the_contract(answer.document)


def test_kind_and_url_are_taken_as_given(inspect: Inspect) -> None:
    page = ROOT / "fixtures" / "html" / "column_freshness" / "day_14.html"
    url = "http://www.example.test/tzgg/index.html"
    document = inspect("page", str(page), "--url", url, "--kind", "column", "--json").document
    assert (document["url"], document["kind"]) == (url, "column")
    urls = [entry["url"] for entry in document["list"]["entries"]]
    assert urls
    assert all(address.startswith("http") for address in urls if address)


# ---------------------------------------------------------------- served


def test_served_page_is_fetched_and_judged(served: ServedDistrict, served_config: str) -> None:
    wanted = next(row for row in answer_key(served.world) if row.reason == "malformed_doc_number")
    arguments = ("page", wanted.target, "--config", served_config, "--as-of", DAY.isoformat(), "--json")
    process = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    document = json.loads(process.stdout)
    _holds_to_the_contract(document)
    assert document["url"] == wanted.target
    failing = [finding["reason"] for finding in document["findings"] if finding["outcome"] == "FAIL"]
    assert failing == ["malformed_doc_number"]


def test_address_that_does_not_answer_is_4(served: ServedDistrict, served_config: str) -> None:
    arguments = ("page", "http://nobody.luancheng.test/", "--config", served_config)
    process = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 4
    assert process.stdout == ""
    assert "nobody.luancheng.test" in process.stderr
    assert "Traceback" not in process.stderr


ITEMS = {"aaaa", "reach", "success_rate", "delegation", "similarity", "second_level", "third_level"}


def _ipv6(inspect: Inspect, served: ServedDistrict, config: str, host: str) -> dict[str, str]:
    resolver = f"127.0.0.1:{served.dns_port}"
    answer = inspect("ipv6", host, "--resolver", resolver, "--config", config, "--json")
    assert answer.code == 0, answer.err
    assert answer.document["probes"]
    return {item["item"]: item["outcome"] for item in answer.document["items"]}


def test_host_that_answers_over_ipv6(inspect: Inspect, served: ServedDistrict, served_config: str) -> None:
    items = _ipv6(inspect, served, served_config, f"jyj.luancheng.test:{served.http_port}")
    assert items.keys() == ITEMS
    assert set(items.values()) == {"PASS"}


def test_host_that_guards_both_families_alike(inspect: Inspect, served: ServedDistrict, served_config: str) -> None:
    items = _ipv6(inspect, served, served_config, f"gaj.luancheng.test:{served.http_port}")
    assert {items[name] for name in ("aaaa", "reach", "success_rate", "delegation")} == {"PASS"}
    assert {items["second_level"], items["third_level"]} == {"INCONCLUSIVE"}  # no page was read


def test_host_without_aaaa(inspect: Inspect, served: ServedDistrict, served_config: str) -> None:
    items = _ipv6(inspect, served, served_config, f"qxj.luancheng.test:{served.http_port}")
    assert {items[name] for name in ("aaaa", "reach", "success_rate", "similarity")} == {"FAIL"}
    assert items["delegation"] == "PASS"


def test_host_that_does_not_exist_fails_nothing(inspect: Inspect, served: ServedDistrict, served_config: str) -> None:
    items = _ipv6(inspect, served, served_config, f"nobody.luancheng.test:{served.http_port}")
    assert "FAIL" not in items.values()
    assert items["aaaa"] == items["reach"] == "INCONCLUSIVE"


def test_ipv6_tells_a_person_address_by_address(inspect: Inspect, served: ServedDistrict, served_config: str) -> None:
    resolver = f"127.0.0.1:{served.dns_port}"
    host = f"http://jyj.luancheng.test:{served.http_port}/"
    answer = inspect("ipv6", host, "--resolver", resolver, "--config", served_config)
    assert answer.code == 0
    assert "::1" in answer.out
    assert "127.0.0.1" in answer.out


# ---------------------------------------------------------------- hostile pages

HOSTILE = "\x1b[31m红\x1b]0;title\x07[bold]粗[/bold] [/nothing] \u202e反 \x9b2J \r盖住"


def test_pages_cannot_reach_the_terminal(inspect: Inspect, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text = (
        f"<html><head><title>{HOSTILE}</title></head><body><h1>{HOSTILE}</h1><p>发布时间：2026-11-20</p></body></html>"
    )
    page.write_text(text, encoding="utf-8", newline="")
    answer = inspect("page", str(page), "--kind", "article")
    assert answer.code == 0, answer.err
    assert [mark for mark in ("\x1b", "\x07", "\x9b", "\u202e", "\r") if mark in answer.out] == []
    assert "[bold]粗[/bold]" in answer.out


def test_names_typed_cannot_reach_the_terminal(inspect: Inspect) -> None:
    for arguments in (("page", f"{HOSTILE}.html"), ("--unit", HOSTILE), ("findings", "--check", HOSTILE)):
        answer = inspect(*arguments)
        assert answer.code == 2
        assert [mark for mark in ("\x1b", "\x07", "\x9b", "\u202e") if mark in answer.err] == []
