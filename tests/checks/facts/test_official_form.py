"""Which pages are official documents, and by which signs."""

from __future__ import annotations

import pytest

from checks.facts.document import read_document
from checks.facts.labels import label_pairs
from checks.facts.model import OfficialForm
from checks.facts.official_form import read_form
from tests.checks.facts.fixture_pages import AS_OF, FixturePage, fixture_pages, page_of

SENTENCE = "<p>请各单位对照清单逐项排查，发现问题立即整改，整改情况于月底前书面报告。</p>"


def form_of(markup: str, title: str = "甲") -> OfficialForm:
    dom = page_of(markup)
    pairs = label_pairs(dom)
    return read_form(dom, pairs, read_document(dom, pairs, AS_OF), title)


@pytest.mark.parametrize("page", fixture_pages("facts_document"), ids=lambda page: page.name)
def test_form_of_the_made_up_pages(page: FixturePage) -> None:
    dom = page.dom
    pairs = label_pairs(dom)
    form = read_form(dom, pairs, read_document(dom, pairs, AS_OF), page.expected["title"])
    assert (form.is_official, list(form.signs)) == (page.expected["official"], page.expected["signs"])


@pytest.mark.parametrize(
    "line",
    [
        "各乡镇人民政府，区政府各部门：",
        "乡镇人民政府,政府各部门:",
        "各市、县（市、区）人民政府，各开发区管委会，市政府各部门：",
        "各省、自治区、直辖市人民政府，国务院各部委、各直属机构：",
        "机关各科室、局属各单位：",
        "各中小学、幼儿园：",
        "区教育局：",
        "你局：",
        "有关企业：",
    ],
)
def test_recipients(line: str) -> None:
    assert "recipients" in form_of(f"<h1>甲</h1><p>{line}</p>{SENTENCE}").signs


@pytest.mark.parametrize(
    "line",
    [
        "现将有关事项通知如下：",
        "采购单位：",
        "联系方式：",
        "附件：",
        "广大市民朋友：",
        "各位代表：",
        "各部门要做到：",
        "责任单位：区教育局：",
        "各乡镇人民政府",
    ],
)
def test_lines_that_address_nobody(line: str) -> None:
    assert "recipients" not in form_of(f"<h1>甲</h1><p>{line}</p>{SENTENCE}").signs


def test_recipients_stand_before_the_text() -> None:
    assert "recipients" not in form_of(f"{SENTENCE}<p>区教育局：</p>").signs


@pytest.mark.parametrize(
    "lines",
    [
        ("栾城区教育局", "2026年3月5日"),
        ("栾城区教育局2026年3月5日",),
        ("石家庄市栾城区人民政府办公室", "二○二六年三月五日"),
        ("石家庄市栾城区人民政府办公室", "2026年113日"),
        ("栾城区教育局", "栾城区财政局", "2026年3月5日"),
        ("栾城区教育局（盖章）", "2026年3月5日"),
    ],
)
def test_signatures(lines: tuple[str, ...]) -> None:
    assert "signature" in form_of(SENTENCE + "".join(f"<p>{line}</p>" for line in lines)).signs


@pytest.mark.parametrize(
    "lines",
    [
        ("2026年3月5日",),
        ("栾城区教育局",),
        ("来源：区教育局", "2026年3月5日"),
        ("栾城区教育局供稿", "2026年3月5日"),
        ("栾城区教育局", "一", "二", "三", "2026年3月5日"),
    ],
)
def test_endings_that_are_no_signature(lines: tuple[str, ...]) -> None:
    assert "signature" not in form_of(SENTENCE + "".join(f"<p>{line}</p>" for line in lines)).signs


def test_a_byline_above_the_text_is_no_signature() -> None:
    assert "signature" not in form_of(f"<p>栾城区教育局</p><p>2026年3月5日</p>{SENTENCE}").signs


@pytest.mark.parametrize(
    ("title", "is_sign"),
    [
        ("关于做好防汛工作的通知", True),
        ("石家庄市栾城区人民政府关于公布名录的决定", True),
        ("栾城区教育局关于印发《作业管理办法》的通知（石栾教〔2026〕3号）", True),
        ("栾城区招商引资奖励办法", True),
        ("区政府办印发《关于做好防汛工作的通知》", False),
        ("我区贯彻落实关于防汛工作的通知精神", False),
        ("关于拟录用人员的公示", False),
        ("【政策解读】关于印发奖励办法的通知", False),
        ("一图读懂关于印发奖励办法的通知", False),
    ],
)
def test_titles(title: str, is_sign: bool) -> None:
    assert ("title" in form_of(SENTENCE, title).signs) is is_sign


class TestRule:
    NUMBER = "<p>石栾教〔2026〕3号</p>"
    SIGNED = f"{SENTENCE}<p>栾城区教育局</p><p>2026年3月5日</p>"

    def test_a_number_is_enough(self) -> None:
        assert form_of(self.NUMBER + SENTENCE).is_official

    def test_one_other_sign_is_not(self) -> None:
        assert not form_of(SENTENCE, "关于做好防汛工作的通知").is_official
        assert not form_of(self.SIGNED).is_official

    def test_two_signs_are_enough(self) -> None:
        assert form_of(self.SIGNED, "关于做好防汛工作的通知").is_official

    def test_an_interpretation_is_no_document(self) -> None:
        assert not form_of(self.NUMBER + self.SIGNED, "《奖励办法》政策解读").is_official
        assert not form_of(self.NUMBER + self.SIGNED, "【政策解读】关于印发奖励办法的通知").is_official

    def test_a_notice_about_interpretations_is_one(self) -> None:
        assert form_of(self.SIGNED, "关于加强政策解读工作的通知").is_official

    def test_a_bid_notice_needs_a_number_of_its_own(self) -> None:
        table = "<table><tr><td>索引号：</td><td>A</td><td>文号：</td><td>石栾财〔2026〕3号</td></tr></table>"
        title = "栾城区食堂设备采购项目成交公告"
        assert not form_of(table + self.SIGNED, title).is_official
        assert form_of(self.NUMBER + self.SIGNED, title).is_official

    def test_a_label_that_holds_no_document_number_is_no_number(self) -> None:
        assert not form_of(f"<p>文件编号：HB-2026-1</p>{SENTENCE}").is_official
