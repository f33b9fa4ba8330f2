"""A page is cut into the lines that a visitor sees, in the part of the page where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.facts.dom import Region, decode, normalise, parse


def lines(markup: str) -> list[str]:
    return [block.text for block in parse(markup.encode()).blocks]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>一<b>二</b>三</p><p>四</p>", ["一二三", "四"]),
        ("<p>一<br>二<br/>三</p>", ["一", "二", "三"]),
        ("<table><tr><td>索引号</td><td>139999</td></tr></table>", ["索引号", "139999"]),
        ("<div>前<div>中</div>后</div>", ["前", "中", "后"]),
        ("<p>\u3000\u3000甲&nbsp;&nbsp;乙\u200b丙\n丁</p>", ["甲 乙丙 丁"]),
        ("<pre>甲\n乙</pre>", ["甲", "乙"]),
        ("<p>&lt;b&gt; &amp; &#20844;开</p>", ["<b> & 公开"]),
        ("<custom:tag>公<o:p>开</o:p></custom:tag>", ["公开"]),
        ("<%@ page language='java' %><p>甲<%-- 乙 --%>丙</p><jsp:include page='a'/><p>丁</p>", ["甲丙", "丁"]),
    ],
)
def test_lines(markup: str, expected: list[str]) -> None:
    assert lines(markup) == expected


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- 看不见 -->",
        "<script>document.write('看不见')</script>",
        "<style>看不见</style>",
        "<template><p>看不见</p></template>",
        "<noscript>看不见</noscript>",
        "<div style='color:red; DISPLAY : none'>看不见<p>看不见</p></div>",
        "<div style='visibility:hidden'>看不见</div>",
        "<div hidden>看不见</div>",
        "<select><option>看不见</option></select>",
        "<input type=hidden value=看不见>",
        "<object><param name=x>看不见</object>",
    ],
)
def test_what_nobody_sees_is_out(hidden: str) -> None:
    dom = parse(f"<div>甲{hidden}乙</div>".encode())
    assert "看不见" not in dom.text
    assert "看不见" not in "".join(dom.root.itertext())
    assert dom.text.replace("\n", "") == "甲乙"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_control_characters_are_white_space(encoding: str) -> None:
    assert parse("<p>公\x00开\x0b指\x1f南\x7f</p>".encode(encoding)).text == "公 开 指 南"


def test_what_is_nested_in_hidden_elements_is_taken_out_with_the_outermost() -> None:
    dom = parse(
        "<div hidden><p style='display:none'>甲</p><script>乙</script></div><p style='color:red'>丙</p>".encode()
    )
    assert [element.tag for element in dom.hidden] == ["div"]
    assert dom.text == "丙"


def test_text_behind_a_hidden_element_stays() -> None:
    assert lines("<p>甲<span style='display:none'>乙</span>丙</p>") == ["甲丙"]


def test_pieces_links_and_headings() -> None:
    dom = parse("<h2>标题</h2><p><span>来源：教育局</span><span>时间</span> <a href=/1>打印</a></p>".encode())
    heading, line = dom.blocks
    assert (heading.heading, heading.tag) == (2, "h2")
    assert line.pieces == ("来源：教育局", "时间", "打印")
    assert line.linked == 2
    assert [(anchor.url, anchor.text) for anchor in dom.anchors] == [("/1", "打印")]


def test_regions() -> None:
    body = "".join(f"<p>正文第{number}段，讲述会议的情况和要求。</p>" for number in range(9))
    markup = (
        "<div class='header'>网站标志</div><div id=nav><a href=/>首页</a></div><div class=main>"
        f"{body}</div><div class='sidebar'>推荐</div><footer>主办单位</footer>"
    )
    regions = {block.text[:2]: block.region for block in parse(markup.encode()).blocks}
    assert regions == {
        "网站": Region.HEADER,
        "首页": Region.NAVIGATION,
        "正文": Region.MAIN,
        "推荐": Region.ASIDE,
        "主办": Region.FOOTER,
    }


@pytest.mark.parametrize("name", ["header", "top", "footer", "nav"])
def test_a_name_does_not_make_the_article_a_header(name: str) -> None:
    dom = parse(f"<div class={name}><h1>标题</h1><p>来源：县政府办 发布时间：2024-03-05</p><p>正文</p></div>".encode())
    assert {block.region for block in dom.blocks} == {Region.MAIN}


def test_base_meta_and_scripts() -> None:
    dom = parse(
        b"<base href='/gk/'><meta name=SiteIDCode content=' 1 2 '><meta property='og:x' content=y>"
        b"<meta http-equiv=Refresh content='0;url=a'><script src=a.js></script><body><script>var b</script>",
        url="http://www.yunxi.example/dt/",
    )
    assert dom.base_url == "http://www.yunxi.example/gk/"
    assert dom.absolute("1.html") == "http://www.yunxi.example/gk/1.html"
    assert dom.meta == (("SiteIDCode", "1 2"), ("og:x", "y"))
    assert dom.meta_values("siteidcode") == ("1 2",)
    assert dom.refresh == "0;url=a"
    assert [(script.source, script.code, script.in_body) for script in dom.scripts] == [
        ("http://www.yunxi.example/gk/a.js", "", False),
        ("", "var b", True),
    ]


TEXT = "政务公开镕喆专栏" * 4


@pytest.mark.parametrize(
    ("body", "content_type", "charset"),
    [
        (TEXT.encode(), None, "utf-8"),
        (TEXT.encode(), "text/html; charset=gbk", "utf-8"),
        (TEXT.encode("gb18030"), "text/html; charset=gb2312", "gb18030"),
        (TEXT.encode("gb18030"), None, "gb18030"),
        (b"<meta charset=gb2312>" + TEXT.encode("gb18030"), None, "gb18030"),
        (b"<meta charset=gb2312>" + TEXT.encode("gb18030"), "text/html; charset=utf-8", "gb18030"),
        (b"<meta charset=utf-8>" + TEXT.encode("gb18030"), "text/html; charset=ISO-8859-1", "gb18030"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "text/html; charset=gbk", "utf-8"),
        (TEXT.encode("utf-16"), None, "utf-16le"),
        ("政務公開專欄文件".encode("big5") * 4, "text/html; charset=big5", "big5"),
        (TEXT.encode(), "text/html; charset=no-such-thing", "utf-8"),
    ],
)
def test_decoding(body: bytes, content_type: str | None, charset: str) -> None:
    text, found = decode(body, content_type)
    assert found.replace("-", "") == charset.replace("-", "")
    assert text.endswith(("专栏", "文件"))


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@given(text=st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=20, max_size=60))
@settings(max_examples=40)
def test_undeclared_bytes_are_read_as_they_were_written(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding))[0] == text


def test_a_character_cut_in_two_does_not_spoil_the_page() -> None:
    text, charset = decode((TEXT * 5).encode() + TEXT.encode()[:4] + "后文".encode())
    assert charset == "utf-8"
    assert text.endswith("后文")


def test_bytes_that_end_within_a_character() -> None:
    assert decode(TEXT.encode()[:-1])[1] == "utf-8"
    assert decode(b"<meta charset=gbk>" + TEXT.encode("gb18030")[:-1])[1] == "gb18030"


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@settings(max_examples=80, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([None, "text/html; charset=gbk", "text/html; charset=utf-16", "x\r\ny: z"])
)
def test_any_bytes_give_a_dom(body: bytes, content_type: str | None) -> None:
    assert parse(body, content_type=content_type).text == parse(body, content_type=content_type).text
