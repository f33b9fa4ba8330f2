"""What a page states under its labels, in every markup that guides come in."""

from __future__ import annotations

from datetime import date

import pytest

from checks.facts.model import AttachmentFacts, AttachmentState, Table
from checks.facts.page import read_page
from checks.reading.elements import stated

ELEMENTS = {
    "依据": ("设定依据", "法律依据"),
    "条件": ("申请条件", "受理条件", "…条件"),
    "材料": ("办理材料", "申请材料", "所需材料"),
    "地点": ("办理地点", "办公地点", "办理时间及地点"),
    "时间": ("办理时间", "办公时间", "办理时间及地点"),
    "电话": ("联系电话", "咨询电话", "电话"),
    "流程": ("办理流程", "流程"),
}


def values(content: str) -> dict[str, str]:
    body = f'<html><body><div class="content">{content}</div></body></html>'.encode()
    facts = read_page(body, url="http://www.yueshan.test/a.html", as_of=date(2026, 11, 23))
    return {element: statement.value for element, statement in stated(facts, ELEMENTS).items()}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "<table><tr><th>设定依据</th><td>条例</td><th>办理地点</th><td></td></tr>"
            "<tr><td>监督电话</td><td>1</td></tr></table>",
            {"依据": "条例", "地点": ""},
        ),
        (
            "<table><tr><td colspan=2>申请条件</td><td colspan=2>本区居民</td></tr>"
            "<tr><td rowspan=2>办理材料</td><td>一</td><td>申请表</td></tr><tr><td>二</td><td>证件</td></tr></table>",
            {"条件": "本区居民", "材料": "一"},
        ),
        (
            "<table><tr><td>设定依据</td><td>办理地点</td><td>联系电话</td></tr><tr><td>甲</td><td>乙</td><td></td></tr>"
            "</table>",
            {"依据": "甲", "地点": "乙", "电话": ""},
        ),
        (
            '<dl class="headInfo"><dt>联系电话</dt><dd></dd><dt>办理地点</dt><dd>一号楼</dd></dl>',
            {"电话": "", "地点": "一号楼"},
        ),
        ("<dl><dt>联系电话</dt><dd></dd><dt>监督电话</dt><dd>12</dd></dl>", {"电话": ""}),
        ("<div><div>设 定 依 据</div><div>条例第三条</div></div>", {"依据": "条例第三条"}),
        ("<p>联 系 电 话：12　　办公时间：上午9:00—12:00 下午</p>", {"电话": "12", "时间": "上午9:00—12:00 下午"}),
        ("<p>办公时间：工作日联系电话：12</p>", {"时间": "工作日", "电话": "12"}),
        ("<p>（三）所需材料（原件）：身份证</p>", {"材料": "身份证"}),
        (
            "<h3>一、受理条件</h3><p>满十八岁</p><h3>二、申请材料</h3><h3>三、流程</h3><p>申请</p>",
            {"条件": "满十八岁", "材料": "", "流程": "申请"},
        ),
        ("<h3>第四条 办理时间及地点</h3><p>工作日，大厅</p>", {"时间": "工作日，大厅", "地点": "工作日，大厅"}),
        ("<h3>需要提交的申请材料清单</h3><p>申请表</p>", {"材料": "申请表"}),
        (
            "<p>符合下列条件：年满十八岁</p><p>收费依据：条例</p><p>具备其他各类入学条件和要求</p>",
            {"条件": "年满十八岁"},
        ),
        (
            "<ul><li>设定依据</li><li>申请条件</li><li>流程</li></ul><p>本区居民。</p>",
            dict.fromkeys(("依据", "条件", "流程"), "本区居民。"),
        ),
        ("<ul><li>设定依据</li><li>申请条件</li></ul><p>本区居民。</p>", {"依据": "", "条件": "本区居民。"}),
        ('<p><a href="b.html">申请条件</a></p><p>一号楼</p>', {}),
        ("<p>联系电话0311-80000000</p>", {"电话": "0311-80000000"}),
        ("<p>办理地点在一号楼</p>", {"地点": "在一号楼"}),
        ("<p>申请条件：暂无</p><p>办理流程：——</p>", {"条件": "", "流程": ""}),
        ("<p>联系电话：</p><p>12</p><p>办理材料：无</p>", {"电话": "12", "材料": "无"}),
        ("<p>联系电话：</p><p>后来补上</p><p>电话：</p>", {"电话": "后来补上"}),
        ("<p>监督电话：12345</p><p>请拨打咨询电话，申请条件见附件说明。</p>", {}),
    ],
)
def test_labels_are_read_with_their_values(content: str, expected: dict[str, str]) -> None:
    assert values(content) == expected


def test_a_file_is_read_like_a_page() -> None:
    facts = AttachmentFacts(
        "a.docx", "docx", AttachmentState.READ, text="办理流程：申请", tables=(Table((("办理地点", "一号楼"),)),)
    )
    found = stated(facts, ELEMENTS)
    assert [(s.passage, s.where) for s in found.values()] == [("办理地点：一号楼", "表格"), ("办理流程：申请", "正文")]
