"""公开属性: read where a document states it, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.attributes import attribute_of, attributes_in_text, is_attribute_label, read_attributes
from checks.facts.dom import Dom, parse
from checks.facts.labels import label_pairs
from checks.facts.model import AttributePlace, OpenAttribute
from tests.checks.facts.fixture_pages import FixturePage, fixture_pages, page_of

ACTIVE, ON_REQUEST, WITHHELD = OpenAttribute.ACTIVE, OpenAttribute.ON_REQUEST, OpenAttribute.WITHHELD


def stated(dom: Dom) -> list[tuple[str, str]]:
    return [(statement.value.value, statement.where.value) for statement in read_attributes(dom, label_pairs(dom))]


@pytest.mark.parametrize("page", fixture_pages("facts_document"), ids=lambda page: page.name)
def test_statements_of_the_made_up_pages(page: FixturePage) -> None:
    assert stated(page.dom) == [tuple(statement) for statement in page.expected["attributes"]]


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        ("主动公开", ACTIVE),
        ("主 动 公 开", ACTIVE),
        ("公开", ACTIVE),
        ("主动公开类", ACTIVE),
        ("删减后公开", ACTIVE),
        ("依申请公开", ON_REQUEST),
        ("可依申请公开", ON_REQUEST),
        ("不予公开", WITHHELD),
        ("不公开", WITHHELD),
        ("免予公开", WITHHELD),
        ("■主动公开　□依申请公开　□不予公开", ACTIVE),
        ("□主动公开　☑依申请公开　□不予公开", ON_REQUEST),
        ("□主动公开　□依申请公开　□不予公开", None),
        ("口主动公开√依申请公开口不予公开", ON_REQUEST),
        ("主动公开√ 依申请公开□ 不予公开□", ACTIVE),
        ("主动公开 √依申请公开 不予公开", ON_REQUEST),
        ("主动公开√ 依申请公开 不予公开", ACTIVE),
        ("主动公开√依申请公开", None),
        ("√主动公开 依申请公开 不予公开√", None),
        ("主动公开（√） 依申请公开（ ） 不予公开（ ）", ACTIVE),
        ("[ ]主 动 公 开　[√]依 申 请 公 开", ON_REQUEST),
        ("○主动公开 ●依申请公开", ON_REQUEST),
        ("R主动公开 £依申请公开 £不予公开", ACTIVE),
        ("√主动公开　√依申请公开", None),
        ("主动公开 ☑", ACTIVE),
        ("□主动公开", None),
        ("主动公开（全文）", ACTIVE),
        ("面向社会公开", ACTIVE),
        ("主动公开、依申请公开", None),
        ("政府网站", None),
        ("长期公开", None),
        ("公开栏", None),
        ("", None),
    ],
)
def test_values_of_the_label(value: str, attribute: OpenAttribute | None) -> None:
    assert attribute_of(value) is attribute


NOTES = [
    ("（此件公开发布）", ACTIVE),
    ("(此件公开发布)", ACTIVE),
    ("（此件　公开发布）", ACTIVE),
    ("（ 此 件 公 开 发 布 ）", ACTIVE),
    ("此件公开发布", ACTIVE),
    ("（此件公开发布", ACTIVE),
    ("【此件主动公开】", ACTIVE),
    ("〔此件公开发布〕", ACTIVE),
    ("（此件删减后公开）", ACTIVE),
    ("（此件公开发布，不转发）", ACTIVE),
    ("（本件依申请公开）", ON_REQUEST),
    ("（此件不公开）", WITHHELD),
    ("（此件不予公开）", WITHHELD),
    ("（主动公开）", ACTIVE),
    ("（信息公开形式：主动公开）", ACTIVE),
    ("信息公开选项：主动公开", ACTIVE),
    ("公开属性:依申请公开", ON_REQUEST),
    ("栾城区教育局2026年3月5日（此件公开发布）", ACTIVE),
    ("（联系人：王某；此件公开发布）", ACTIVE),
]


@pytest.mark.parametrize(("note", "attribute"), NOTES)
def test_notes_in_a_text(note: str, attribute: OpenAttribute) -> None:
    found = attributes_in_text(f"请认真落实。\n{note}\n抄送：区委办公室", AttributePlace.ATTACHMENT)
    assert [(statement.value, statement.where) for statement in found] == [(attribute, AttributePlace.ATTACHMENT)]


@pytest.mark.parametrize(("note", "attribute"), NOTES)
def test_notes_at_the_end_of_a_page(note: str, attribute: OpenAttribute) -> None:
    text = "请各单位认真组织自查，把发现的问题逐条登记，整改完成后报区政府办公室备案，逾期未报的予以通报。"
    found = stated(page_of(f"<h1>关于自查的通知</h1><p>{text}</p><p>{note}</p>"))
    assert found == [(attribute.value, "endnote")]


@pytest.mark.parametrize(
    "line",
    [
        "坚持主动公开、依法公开，自觉接受监督。",
        "主动公开",
        "依申请公开",
        "二、主动公开",
        "（一）主动公开政府信息情况",
        "起草公文时应在文末注明“（此件公开发布）”或者“（此件依申请公开）”",
        "此件发至乡镇",
        "（此件由办公室印发）",
        "公开方式：网站、公告栏",
        "对不予公开的，说明理由。",
        "本机关公开方式：主动公开和依申请公开两种",
        "公开时限：长期公开",
    ],
)
def test_prose_and_menus_state_nothing(line: str) -> None:
    assert attributes_in_text(line, AttributePlace.ATTACHMENT) == ()
    assert stated(page_of(f"<h1>甲</h1><p>{line}</p>")) == []


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ('<meta name="公开属性" content="主动公开">', [("主动公开", "meta")]),
        ('<meta name="OpenAttribute" content="依申请公开">', [("依申请公开", "meta")]),
        ('<meta name="ColumnName" content="依申请公开">', []),
        ('<meta name="Keywords" content="主动公开">', []),
        ('<meta name="PublishDate" content="公开">', []),
        ('<meta name="OpenAttribute" content="">', []),
    ],
)
def test_meta_tags(meta: str, expected: list[tuple[str, str]]) -> None:
    assert stated(parse(f"<html><head><meta charset=utf-8>{meta}</head><body>甲</body></html>".encode())) == expected


def test_a_blank_label_is_seen_as_a_label() -> None:
    dom = page_of("<table><tr><td>公开属性：</td><td></td></tr></table>")
    assert stated(dom) == []
    assert [(pair.label, pair.value) for pair in label_pairs(dom) if is_attribute_label(pair.label)] == [
        ("公开属性", "")
    ]


def test_every_statement_is_told_once_for_each_place() -> None:
    dom = page_of(
        "<table><tr><td>公开方式：</td><td>主动公开</td></tr></table><p>（此件不予公开）</p><p>（此件不予公开）</p>"
    )
    assert stated(dom) == [("主动公开", "table"), ("不予公开", "endnote")]


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    for statement in attributes_in_text(text, AttributePlace.ENDNOTE):
        assert "公" in statement.text
