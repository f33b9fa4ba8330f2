"""Labels and their values, however the page lays them out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.dom import parse
from checks.facts.labels import MAX_PAIRS, LabelPlace, is_document_label, label_pairs
from tests.checks.facts.fixture_pages import page_of


def pairs_of(markup: str) -> list[tuple[str, str]]:
    return [(pair.label, pair.value) for pair in label_pairs(page_of(markup))]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<table><tr><th>索引号</th><td>A-1</td></tr></table>", [("索引号", "A-1")]),
        ("<table><tr><td>索 引 号：</td><td>A-1</td></tr></table>", [("索引号", "A-1")]),
        ("<table><tr><td>文　　号</td><td>甲〔2026〕1号</td></tr></table>", [("文号", "甲〔2026〕1号")]),
        ("<table><tr><td><b>文<br>号</b>:</td><td>甲〔2026〕1号</td></tr></table>", [("文号", "甲〔2026〕1号")]),
        ("<table><tr><td>索引号：A-1</td><td>文号：乙</td></tr></table>", [("索引号", "A-1"), ("文号", "乙")]),
        ("<table><tr><td>承办科室：</td><td>综合科</td></tr></table>", [("承办科室", "综合科")]),
        (
            "<table><tr><td>索引号：</td><td></td><td>文号：</td><td>乙</td></tr></table>",
            [("索引号", ""), ("文号", "乙")],
        ),
        ("<table><tr><td>索引号</td></tr></table><p>A-1</p>", []),
        ("<p>索引号：A-1　发布机构：区教育局　文号：</p>", [("索引号", "A-1"), ("发布机构", "区教育局"), ("文号", "")]),
        ("<p><strong>索引号</strong>：A-1</p>", [("索引号", "A-1")]),
        ("<p>【索 引 号】A-1</p>", [("索引号", "A-1")]),
        (
            "<p><span>索引号</span><span>A-1</span><span>文号</span><span>乙</span></p>",
            [("索引号", "A-1"), ("文号", "乙")],
        ),
        ("<ul><li>索引号：<div>A-1</div></li></ul>", [("索引号", "A-1")]),
        ("<div><div>索引号：</div><div>A-1</div></div>", [("索引号", "A-1")]),
        ("<div><div>索引号</div><div>A-1</div></div>", [("索引号", "A-1")]),
        ("<dl><dt>索引号</dt><dd>A-1</dd></dl>", [("索引号", "A-1")]),
        ("<p>文号：</p><p>各乡镇人民政府：</p>", [("文号", "")]),
        ("<p>●索引号：A-1</p>", [("索引号", "A-1")]),
        ("<p>索引号　A-1　文号　乙</p>", [("索引号", "A-1"), ("文号", "乙")]),
        ("<p>发文机关 : 县教育局</p><p>发文字号﹕乙</p>", [("发文机关", "县教育局"), ("发文字号", "乙")]),
        ("<ul><li>索引号</li><li>A-1</li><li>文号</li><li>乙</li></ul>", [("索引号", "A-1"), ("文号", "乙")]),
        ("<ul><li>文号：</li><li>打印本页</li></ul>", [("文号", "")]),
        ("<table><tr><td>发文字号（文号）</td><td>乙</td></tr></table>", [("发文字号", "乙")]),
        ("<table><tr><td>*公开属性</td><td>主动公开</td></tr></table>", [("公开属性", "主动公开")]),
        (
            "<table><tr><td>索引号</td><td>：</td><td>A-1</td><td>承办科室</td><td>:</td><td>综合科</td></tr></table>",
            [("索引号", "A-1"), ("承办科室", "综合科")],
        ),
        (
            "<table><tr><td>索引号</td><td>文号</td></tr><tr><td>A-1</td><td>乙</td></tr>"
            "<tr><td>发布机构</td><td>发布日期</td></tr><tr><td>县教育局</td><td>2026-01-05</td></tr></table>",
            [("索引号", "A-1"), ("文号", "乙"), ("发布机构", "县教育局"), ("发布日期", "2026-01-05")],
        ),
        (
            "<table><tr><td rowspan=2>基本信息</td><td>索引号</td><td>A-1</td></tr>"
            "<tr><td>文号</td><td>乙</td></tr></table>",
            [("索引号", "A-1"), ("文号", "乙")],
        ),
        ("<table><tr><td>索引号<input type=hidden></td><td>A-1</td></tr></table>", [("索引号", "A-1")]),
        ("<p>索引号：A-1 <input type=button value=打印></p>", [("索引号", "A-1")]),
    ],
)
def test_reads_every_layout(markup: str, expected: list[tuple[str, str]]) -> None:
    assert pairs_of(markup) == expected


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param("<table><tr><td>名称</td><td>索引号</td><td>发布日期</td></tr></table>", id="head of a table"),
        pytest.param("<table><tr><td>序号</td><td>文号</td><td>说明</td></tr></table>", id="head beside a number"),
        pytest.param("<div>名称</div><div>索引号</div><div>发布机构</div><div>甲通知</div>", id="head of boxes"),
        pytest.param("<table><tr><td>索引号：</td><td><input></td></tr></table>", id="search form in a table"),
        pytest.param("<p>索引号：<input name=q></p>", id="search form in a line"),
        pytest.param(
            "<table><tr><td>标题</td><td>文号</td></tr><tr><td><a href=x>关于甲的通知</a></td><td>乙</td></tr></table>",
            id="head of a list with one entry",
        ),
        pytest.param(
            "<table><tr><td>索引号</td><td>文号</td></tr><tr><td>1</td><td>乙</td></tr><tr><td>2</td><td>丙</td></tr>"
            "<tr><td>3</td><td>丁</td></tr></table>",
            id="head of a list without links",
        ),
        pytest.param("<p>名称 索引号 发布机构 发布日期</p>", id="head of a list in a line"),
        pytest.param("<a href=x>公开方式</a><div>主动公开</div>", id="a link"),
        pytest.param("<!-- <p>索引号：A-1</p> -->", id="a comment"),
        pytest.param("<p style='display: none'>索引号：A-1</p>", id="hidden"),
        pytest.param("<p>申请时请写明所需信息的文号：可在目录中查到。</p>", id="prose"),
        pytest.param("<script>document.write('索引号：A-1')</script>", id="a script"),
    ],
)
def test_leaves_out_what_is_no_label(markup: str) -> None:
    assert pairs_of(markup) == []


def test_a_value_that_a_script_would_write_is_blank() -> None:
    script = '<script>if("有效" != "有效"){document.write("有效")}</script>'
    markup = f"<table><tr><td>有效性：</td><td>{script}</td></tr></table>"
    assert pairs_of(markup) == [("有效性", "")]


def test_a_labelled_line_below_the_text_is_an_ending() -> None:
    text = "请各单位认真组织自查，把发现的问题逐条登记，整改完成后报区政府办公室备案，逾期未报的予以通报。"
    above, below = label_pairs(page_of(f"<p>公开属性：主动公开</p><p>{text}</p><p>公开属性：主动公开</p>"))
    assert (above.place, below.place) == (LabelPlace.LINE, LabelPlace.ENDING)


def test_pairs_point_at_their_line() -> None:
    dom = page_of("<p>甲</p><table><tr><td>索引号：</td><td>A-1</td></tr></table>")
    (pair,) = label_pairs(dom)
    assert dom.blocks[pair.position].text == "索引号："


def test_the_number_of_pairs_is_bounded() -> None:
    assert len(label_pairs(page_of("<p>索引号：A-1</p>" * (MAX_PAIRS + 50)))) == MAX_PAIRS


def test_document_labels_are_told_from_an_articles_labels() -> None:
    assert is_document_label("发文机关")
    assert is_document_label("信息公开选项")
    assert not is_document_label("来源")


@given(st.binary(max_size=400))
def test_reads_any_bytes(body: bytes) -> None:
    label_pairs(parse(body))


@given(
    st.lists(
        st.sampled_from(["<td>", "</td>", "<tr>", "<table>", "</table>", "索引号：", "<div>", "</div>", "甲", "<br>"])
    )
)
def test_reads_any_nesting(parts: list[str]) -> None:
    for pair in label_pairs(page_of("".join(parts))):
        assert pair.label
        assert not set(pair.label) & set(" :：")
