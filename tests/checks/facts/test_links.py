"""Links are those that a visitor can follow, absolute and each once."""

from __future__ import annotations

import pytest

from checks.facts.dom import parse
from checks.facts.links import (
    MAX_IMAGES,
    MAX_LINKS,
    MAX_SCRIPTS,
    is_attachment,
    read_frames,
    read_images,
    read_links,
    read_scripts,
)

BASE = "http://www.yunxi.example/dt/index.html"


def urls(markup: str, url: str | None = BASE) -> list[str]:
    return [link.url for link in read_links(parse(markup.encode(), url=url))]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<a href='1.html#top'>一</a><a href=' 1.html '>二</a>", ["http://www.yunxi.example/dt/1.html"]),
        ("<a href='../gk/'>一</a>", ["http://www.yunxi.example/gk/"]),
        ("<a href='//he.example/a'>一</a>", ["http://he.example/a"]),
        ("<a href='javascript:void(0)'>一</a><a href='#'>二</a><a href='mailto:a@b.example'>三</a>", []),
        ("<a href=\"javascript:go('/dt/1.html')\">一</a>", ["http://www.yunxi.example/dt/1.html"]),
        ("<a href=\"javascript:go('name')\">一</a>", []),
        ("<p onclick=\"location.href='/dt/2.html'\">一</p>", ["http://www.yunxi.example/dt/2.html"]),
        ("<li data-url='/dt/3.html'>一</li>", ["http://www.yunxi.example/dt/3.html"]),
        ("<map><area href='/a.html'></map>", ["http://www.yunxi.example/a.html"]),
        ("<div style='display:none'><a href='/dark.html'>一</a></div>", []),
        ("<a href='http://[::1'>一</a>", []),
        ("<a href='ftp://he.example/a'>一</a>", []),
    ],
)
def test_targets(markup: str, expected: list[str]) -> None:
    assert urls(markup) == expected


def test_the_first_text_that_says_something_stands_for_a_link() -> None:
    links = read_links(parse("<a href=/1><img src=x></a><a href=/1>公告</a><a href=/1>更多</a>".encode(), url=BASE))
    assert [(link.url, link.text) for link in links] == [("http://www.yunxi.example/1", "公告")]


def test_pages_of_unknown_address_keep_relative_links() -> None:
    assert urls("<a href='a/1.html'>一</a>", url=None) == ["a/1.html"]


@pytest.mark.parametrize(
    ("url", "text", "expected"),
    [
        ("http://a.example/P020240305.pdf", "", True),
        ("http://a.example/1.DOCX?x=1", "", True),
        ("http://a.example/%E8%A1%A8.wps", "", True),
        ("http://a.example/download?file=a.ofd", "", True),
        ("http://a.example/download?id=1", "附件1：申请表.et", True),
        ("http://a.example/1.html", "附件1：申请表.doc", False),
        ("http://a.example/1.html", "", False),
        ("http://a.example/", "v2.0", False),
    ],
)
def test_attachments(url: str, text: str, expected: bool) -> None:
    assert is_attachment(url, text) is expected


def test_links_are_bounded() -> None:
    assert len(urls("".join(f"<a href='/{number}'>x</a>" for number in range(MAX_LINKS + 50)))) == MAX_LINKS


def test_frames() -> None:
    markup = (
        b"<iframe src='a.html'></iframe><iframe src='about:blank'></iframe><iframe src='/b'></iframe><iframe></iframe>"
    )
    assert read_frames(parse(markup, url=BASE)) == ("http://www.yunxi.example/dt/a.html", "http://www.yunxi.example/b")


def test_images_are_those_shown() -> None:
    markup = (
        "<img src='a.png'><img src='/a.png'><img src='/dt/a.png'><img src='load.gif' data-original='/late.jpg'>"
        "<img src='data:image/png;base64,AA=='><img><input type=image src=go.gif><input src=no.gif>"
        "<p hidden><img src=dark.png></p><img src='http://[::1'>"
    )
    assert read_images(parse(markup.encode(), url=BASE)) == tuple(
        f"http://www.yunxi.example/{path}" for path in ("dt/a.png", "a.png", "late.jpg", "dt/go.gif")
    )


def test_scripts_are_the_external_ones() -> None:
    markup = b"<script src='/js/a.js'></script><script>x</script><script src='//he.example/b.js'></script>"
    assert read_scripts(parse(markup * 2, url=BASE)) == ("http://www.yunxi.example/js/a.js", "http://he.example/b.js")


def test_images_and_scripts_are_bounded() -> None:
    images = "".join(f"<img src=/{number}.png>" for number in range(MAX_IMAGES + 5))
    scripts = "".join(f"<script src=/{number}.js></script>" for number in range(MAX_SCRIPTS + 5))
    dom = parse((images + scripts).encode(), url=BASE)
    assert (len(read_images(dom)), len(read_scripts(dom))) == (MAX_IMAGES, MAX_SCRIPTS)
