"""公文要素 of made-up pages, and the document number in every spelling."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.document import doc_number_in, doc_number_in_head, label_value, read_document
from checks.facts.labels import label_pairs
from checks.facts.model import Document
from tests.checks.facts.fixture_pages import AS_OF, FixturePage, fixture_pages, page_of

ELEMENTS = (
    *("index_number", "doc_number", "issuer", "title", "written_date", "written_on", "published_date", "published_on"),
    *("validity", "subject"),
)


def document_of(markup: str) -> Document:
    dom = page_of(markup)
    return read_document(dom, label_pairs(dom), AS_OF)


@pytest.mark.parametrize("page", fixture_pages("facts_document"), ids=lambda page: page.name)
def test_elements_of_the_made_up_pages(page: FixturePage) -> None:
    dom = page.dom
    document = read_document(dom, label_pairs(dom), AS_OF)
    found = {name: getattr(document, name) for name in ELEMENTS}
    found |= {name: value.isoformat() for name, value in found.items() if isinstance(value, date)}
    assert found == {name: page.expected["document"].get(name) for name in ELEMENTS}


@pytest.mark.parametrize("blank", ["无", "暂无", "——", "-", "/", "", "  ", "N/A"])
def test_what_stands_in_for_a_value_is_blank(blank: str) -> None:
    assert document_of(f"<table><tr><td>文号：</td><td>{blank}</td></tr></table>").doc_number == ""


def test_labels_keep_what_was_written() -> None:
    document = document_of(
        "<table><tr><td>文号：</td><td>无</td></tr><tr><td>公开属性：</td><td>见附件</td></tr></table>"
    )
    assert document.labels == (("文号", "无"), ("公开属性", "见附件"))


def test_a_filled_label_beats_a_blank_one() -> None:
    assert document_of("<p>索引号：</p><p>索引号：A-1</p>").index_number == "A-1"


def test_the_issuing_organ_beats_the_publishing_one() -> None:
    assert document_of("<p>发布机构：政府网站</p><p>发文机关：区教育局</p>").issuer == "区教育局"


def test_a_value_that_only_looks_blank_is_kept() -> None:
    assert label_value("无极县教育局") == "无极县教育局"


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("石栾教〔2026〕12号", "石栾教〔2026〕12号"),
        ("石 栾 教 〔 2026 〕 12 号", "石栾教〔2026〕12号"),
        ("石栾教[2026]第12号", "石栾教[2026]第12号"),
        ("石栾教〔２０２６〕１２号", "石栾教〔2026〕12号"),
        ("石栾教〔202612", "石栾教〔202612"),
        ("石栾教2026〕12号", "石栾教2026〕12号"),
        ("文号：石栾教〔2026〕12号", "石栾教〔2026〕12号"),
        ("石家庄市栾城区教育局文件 石栾教〔2026〕12号", "石栾教〔2026〕12号"),
        ("石栾教〔2026〕12号　　签发人：王某某", "石栾教〔2026〕12号"),
        ("栾城区人民政府令第3号", "栾城区人民政府令第3号"),
        ("栾城区水利局公告2026年第3号", "栾城区水利局公告2026年第3号"),
    ],
)
def test_document_numbers(line: str, number: str) -> None:
    assert doc_number_in(line) == number


@pytest.mark.parametrize(
    "line",
    [
        "根据石栾教〔2026〕12号文件要求",
        "《校园安全办法》（石栾教〔2026〕12号）",
        "2026年3月5日",
        "（2026）冀0111民初12号",
        "项目编号：HB-2026-12号",
        "冀ICP备05000001号-1",
        "关于2026年12号台风的通知",
        "石栾教12号",
    ],
)
def test_other_lines_are_no_document_number(line: str) -> None:
    assert doc_number_in(line) is None


BRACKETS = ["〔〕", "[]", "【】", "（）", "()", "〈〉", "［］", "﹝﹞", "「」", "{}"]
CODES = st.text(st.sampled_from("石栾教政办函发财字民水农环"), min_size=2, max_size=8)


@given(CODES, st.sampled_from(BRACKETS), st.integers(1990, 2099), st.integers(1, 99999), st.booleans())
def test_a_number_reads_back_in_any_brackets(code: str, brackets: str, year: int, serial: int, spaced: bool) -> None:
    number = f"{code}{brackets[0]}{year}{brackets[1]}{serial}号"
    assert doc_number_in(" ".join(number) if spaced else number) == number


@given(st.text(max_size=120))
def test_any_text_is_read(text: str) -> None:
    number = doc_number_in(text)
    assert number is None or number.strip() == number != ""


class TestHead:
    def test_a_number_under_the_title(self) -> None:
        assert doc_number_in_head(page_of("<h1>关于放假的通知</h1><p>石栾教〔2026〕3号</p>")) == "石栾教〔2026〕3号"

    def test_a_number_behind_the_title(self) -> None:
        assert doc_number_in_head(page_of("<h1>关于放假的通知（石栾教〔2026〕3号）</h1>")) == "石栾教〔2026〕3号"

    def test_a_number_behind_a_quoted_title_is_another_documents(self) -> None:
        assert doc_number_in_head(page_of("<h1>《关于放假的通知》（石栾教〔2026〕3号）答疑</h1>")) is None
        assert doc_number_in_head(page_of("<h1>解读《关于放假的通知》（石栾教〔2026〕3号）</h1>")) is None

    def test_a_number_below_the_first_sentence_is_quoted(self) -> None:
        sentence = "<p>现将上级文件转发给你们，请结合实际认真抓好落实，并于月底前反馈落实情况。</p>"
        assert doc_number_in_head(page_of(f"<h1>转发</h1>{sentence}<p>石教〔2026〕3号</p>")) is None

    def test_several_numbers_are_a_list(self) -> None:
        assert doc_number_in_head(page_of("<p>石栾教〔2026〕3号</p><p>石栾教〔2026〕4号</p>")) is None

    def test_the_same_number_twice_is_one(self) -> None:
        assert doc_number_in_head(page_of("<p>石栾教〔2026〕3号</p>" * 2)) == "石栾教〔2026〕3号"

    def test_the_row_of_a_list_is_no_head(self) -> None:
        assert doc_number_in_head(page_of("<table><tr><td>甲通知</td><td>石栾教〔2026〕3号</td></tr></table>")) is None
