"""Scripts: where a page sends its visitor, and what only a browser can tell."""

from __future__ import annotations

import pytest

from checks.facts.dom import parse
from checks.facts.model import EntryList, Identity, PageKind, PublishedDate
from checks.facts.scripts import is_soft_not_found, read_redirect, rendering_needs

URL = "http://www.yunxi.example/"
KNOWN = Identity("1399990001", "1399990001", "冀ICP备20990001号", "冀公网安备1号", True, "云溪县人民政府")


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<meta http-equiv=refresh content='0;url=/a/'>", "http://www.yunxi.example/a/"),
        ("<meta http-equiv=Refresh content=\"3; URL='b.html'\">", "http://www.yunxi.example/b.html"),
        ("<meta http-equiv=refresh content='300;url=/a/'>", None),
        ("<meta http-equiv=refresh content='5'>", None),
        ("<script>location.replace('/a/')</script>", "http://www.yunxi.example/a/"),
        ('<script>top.location = "/a/"</script>', "http://www.yunxi.example/a/"),
        ("<script>window.open('/a/', '_self')</script>", "http://www.yunxi.example/a/"),
        ("<script>location.href='/'</script>", None),
        ("<script>location.href=data</script>", None),
        ("<script>location.href='/a/'</script>" + "<p>县政府召开会议。</p>" * 40, None),
    ],
)
def test_redirects(markup: str, expected: str | None) -> None:
    assert read_redirect(parse(markup.encode(), url=URL)) == expected


def needs(markup: str, kind: PageKind, identity: Identity = KNOWN) -> set[str]:
    dom = parse(markup.encode(), url=URL)
    found = rendering_needs(dom, kind=kind, entries=EntryList(), identity=identity, published=PublishedDate())
    return set(found)


@pytest.mark.parametrize(
    ("markup", "kind", "expected"),
    [
        ("<ul></ul><script>$.post('/list')</script>", PageKind.COLUMN, {"empty_list"}),
        ("<ul></ul><script src=/js/list.js></script>", PageKind.COLUMN, {"empty_list"}),
        ("<ul></ul><script src=/js/jquery.min.js></script>", PageKind.COLUMN, set()),
        ("<ul></ul>", PageKind.COLUMN, set()),
        ("<script>$('#c').load('/c.html')</script><div id=c></div>", PageKind.ARTICLE, {"script_content"}),
        ("<p>空</p>", PageKind.ARTICLE, set()),
        ("<iframe src=/list.html></iframe>", PageKind.COLUMN, {"frames_unread"}),
        ("<script>eval(function(p,a,c,k,e,d){}())</script>", PageKind.HOME, {"challenge"}),
        ("<p>请开启JavaScript后重试</p><script src=/c.js></script>", PageKind.HOME, {"challenge"}),
    ],
)
def test_what_needs_a_browser(markup: str, kind: PageKind, expected: set[str]) -> None:
    assert needs(markup, kind) == expected


def test_footers_written_by_scripts() -> None:
    prose = "<p>县政府召开会议，研究部署为民服务工作，部门负责同志参加会议并作了发言。</p>" * 4
    assert needs(prose + "<script src=/js/footer.js></script>", PageKind.ARTICLE, Identity()) == {"script_footer"}
    assert needs(prose + "<script src=/js/footer.js></script>", PageKind.ARTICLE) == set()
    assert needs(prose, PageKind.ARTICLE, Identity()) == set()


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<title>404 Not Found</title>", True),
        ("<p>您访问的页面不存在或已被删除</p>", True),
        ("<p>抱歉，该文章已下线</p><a href=/>返回首页</a>", True),
        ("<h1>404</h1><p>出错了</p>", True),
        ("<p>云政办〔2024〕404号</p>", False),
        ("<p>抱歉，文章已下线</p>", True),
        ("<p>县政府召开会议</p>", False),
        ("<ul><li><a href=1.html>集中清理“页面不存在”等错误链接</a><span>11-20</span></ul>", False),
    ],
)
def test_soft_not_found(markup: str, expected: bool) -> None:
    assert is_soft_not_found(parse(markup.encode())) is expected
