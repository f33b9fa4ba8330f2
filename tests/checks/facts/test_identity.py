"""网站标识: what a visitor finds at the foot of a page."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.dom import Dom, parse
from checks.facts.identity import read_identity
from tests.checks.facts.fixture_pages import FixturePage, fixture_pages, page_of


def foot_of(line: str) -> Dom:
    text = "<p>今年以来，各单位认真落实各项工作部署。</p>" * 5
    return page_of(f"<div class=main>{text}</div><div class=footer><p>{line}</p></div>")


@pytest.mark.parametrize("page", fixture_pages("facts_identity"), ids=lambda page: page.name)
def test_marks_of_the_made_up_pages(page: FixturePage) -> None:
    assert asdict(read_identity(page.dom)) == page.expected


@pytest.mark.parametrize(
    ("line", "icp"),
    [
        ("冀ICP备05000001号-1", "冀ICP备05000001号-1"),
        ("冀ICP备 05000001", "冀ICP备 05000001"),
        ("冀icp备05000001号", "冀icp备05000001号"),
        ("备案序号：冀ICP备2026000001号-12", "冀ICP备2026000001号-12"),
        ("ICP备案号：冀ICP备05000001号", "冀ICP备05000001号"),
        ("冀ICP备：05000001", "冀ICP备：05000001"),
        ("ICP备05000001号", "ICP备05000001号"),
        ("冀<span>ICP</span>备<span>05000001</span>号", "冀ICP备05000001号"),
        ("ICP经营许可", None),
    ],
)
def test_icp_records(line: str, icp: str | None) -> None:
    assert read_identity(foot_of(line)).icp == icp


@pytest.mark.parametrize(
    ("line", "police"),
    [
        ("冀公网安备 13011102000001号", "冀公网安备 13011102000001号"),
        ("冀公网安备13011102000001", "冀公网安备13011102000001"),
        ("冀公网安备 ：13011102000001号", "冀公网安备 ：13011102000001号"),
        ("湘公网安备号：43011102000001号", "湘公网安备号：43011102000001号"),
        ("冀公安备：13011102000001号", "冀公安备：13011102000001号"),
        ("郑公备13011102000001号", "郑公备13011102000001号"),
        ("公安机关备案号：13011199000-00001", "13011199000-00001"),
        ("公安备案号：13011102000001", "13011102000001"),
        ("公安局电话：0311-85500000", None),
    ],
)
def test_police_records(line: str, police: str | None) -> None:
    assert read_identity(foot_of(line)).police == police


@pytest.mark.parametrize(
    ("line", "contact"),
    [
        ("联系电话：0311-85500000", "0311-85500000"),
        ("电话：（0311）85500000", "（0311）85500000"),
        ("联系方式：85500000", "85500000"),
        ("政务服务热线：12345", "12345"),
        ("E-mail：a.b@example.gov.cn", "a.b@example.gov.cn"),
        ("<a href=x>联系我们</a>", "联系我们"),
        ("联系我们", None),
        ("邮编：051430", None),
    ],
)
def test_contacts(line: str, contact: str | None) -> None:
    assert read_identity(foot_of(line)).contact == contact


@pytest.mark.parametrize(
    ("line", "host_unit"),
    [
        ("主办单位：栾城区教育局", "栾城区教育局"),
        ("主办：栾城区教育局 承办：信息中心", "栾城区教育局"),
        ("主办单位：栾城区教育局承办单位：信息中心", "栾城区教育局"),
        ("<i>主办方：</i>栾城区教育局<i>备案序号：</i>", "栾城区教育局"),
        ("主办单位 栾城区教育局", "栾城区教育局"),
        ("栾城区教育局（主办）", "栾城区教育局"),
        ("主办单位：", None),
    ],
)
def test_host_units(line: str, host_unit: str | None) -> None:
    assert read_identity(foot_of(line)).host_unit == host_unit


@given(st.binary(max_size=300))
def test_any_bytes_are_read(body: bytes) -> None:
    read_identity(parse(b"<div class=footer>" + body))


@given(st.text(st.sampled_from("冀公网安备ICP备案号：主办单位标识码电话0123456789-@. \n"), max_size=300))
def test_any_footer_is_read(text: str) -> None:
    identity = read_identity(foot_of(text))
    assert identity.icp is None or any(character.isdigit() for character in identity.icp)


def test_a_page_without_a_known_footer_is_read_from_its_last_lines() -> None:
    assert read_identity(page_of("<p>甲</p><p>主办单位：栾城区教育局</p>")).host_unit == "栾城区教育局"
