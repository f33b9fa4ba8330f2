"""Hidden links are those that a visitor does not see and a search engine reads."""

from __future__ import annotations

import pytest

from checks.facts.dom import parse
from checks.facts.hidden import MAX_HIDDEN_LINKS, Hiding, read_hidden_links
from checks.facts.model import HiddenLink

BASE = "http://www.yunxi.example/dt/index.html"
LINK = "<a href='http://spam.example/'>词</a>"


def hidden(markup: str) -> tuple[HiddenLink, ...]:
    return read_hidden_links(parse(markup.encode(), url=BASE))


@pytest.mark.parametrize(
    ("markup", "how"),
    [
        (f"<div style='display: none'>{LINK}</div>", Hiding.NOT_DISPLAYED),
        ("<a href='http://spam.example/' style='DISPLAY:NONE'>词</a>", Hiding.NOT_DISPLAYED),
        (f"<p style='visibility:hidden'>{LINK}</p>", Hiding.INVISIBLE),
        (f"<p hidden>{LINK}</p>", Hiding.ATTRIBUTE),
        (f"<noscript>{LINK}</noscript>", Hiding.NO_SCRIPT),
        (f"<div style='position:absolute;left:-9999px'><p>{LINK}</p></div>", Hiding.OFF_SCREEN),
        (f"<div style='margin-left:-5000px'>{LINK}</div>", Hiding.OFF_SCREEN),
        (f"<div style='height:1px;width:1px;overflow:hidden'>{LINK}</div>", Hiding.ZERO_SIZE),
        (f"<div style='overflow:hidden;height:0'>{LINK}</div>", Hiding.COLLAPSED),  # as closed menus are
        (
            f"<div style='overflow:hidden'><ul style='position:absolute;left:-1800px'>{LINK}</ul></div>",
            Hiding.SLID_ASIDE,
        ),
        (f"<ul style='position:absolute;left:-1800px;width:5400px'>{LINK}</ul>", Hiding.SLID_ASIDE),
        (f"<div class='swiper-slide' style='margin-left:-1200px'>{LINK}</div>", Hiding.SLID_ASIDE),
        (f"<span style='font-size:0px'>{LINK}</span>", Hiding.ZERO_FONT),
        ("<a href='http://spam.example/' style='font-size:0'>词</a>", Hiding.ZERO_FONT),
        (f"<p style='text-indent:-9999px'>{LINK}</p>", Hiding.INDENTED),
        (f"<p style='opacity:0'>{LINK}</p>", Hiding.TRANSPARENT),
        (f"<p style='filter:alpha(opacity=0)'>{LINK}</p>", Hiding.TRANSPARENT),
        ("<a href='http://spam.example/' style='color:#FFF;background:white'>词</a>", Hiding.SAME_COLOUR),
        (f"<marquee height=1 width=4>{LINK}</marquee>", Hiding.STILL_MARQUEE),
        (f"<marquee scrollamount=9999>{LINK}</marquee>", Hiding.STILL_MARQUEE),
        (f"<style>.k7{{position:absolute; top:-2000px}}</style><ul class='a k7'>{LINK}</ul>", Hiding.OFF_SCREEN),
        (f"<style>#k7{{overflow:hidden;height:0px;width:0}}</style><ul id=k7>{LINK}</ul>", Hiding.ZERO_SIZE),
    ],
)
def test_tricks(markup: str, how: Hiding) -> None:
    assert hidden(f"<body><p>正文</p>{markup}</body>") == (HiddenLink("http://spam.example/", "词", how),)


@pytest.mark.parametrize(
    "markup",
    [
        LINK,
        f"<div style='position:relative;left:-2380px'>{LINK}</div>",  # a slide show
        f"<div style='position:absolute;left:-120px'>{LINK}</div>",
        f"<div style='margin-left:-899px'>{LINK}</div>",
        f"<ul style='font-size:0'><li>{LINK}</ul>",  # closes the gaps between the items
        f"<p style='text-indent:-2em'>{LINK}</p>",
        f"<p style='opacity:0.5'>{LINK}</p>",
        f"<p style='line-height:0;border-width:0;overflow:hidden'>{LINK}</p>",
        "<a href='http://weibo.example/' style='font-size:0;background:url(weibo.png)'>微博</a>",
        "<a href='http://weibo.example/' style='font-size:0'><i class='icon'></i>微博</a>",
        "<div style='position:absolute;left:-1920px'><a href='http://he.example/'><img src=1.png alt=专题></a></div>",
        f"<p style='color:#fff;background:#c00'>{LINK}</p>",
        f"<p style='color:inherit;background:inherit'>{LINK}</p>",
        f"<marquee height=40 scrollamount=3>{LINK}</marquee>",
        f"<template>{LINK}</template>",
        f"<script type='text/template'>{LINK}</script>",
        "<div style='display:none'><a href='#'>关闭</a><a href='javascript:void(0)'>打开</a></div>",
    ],
)
def test_what_is_seen_or_leads_nowhere(markup: str) -> None:
    assert hidden(f"<body><p>正文</p>{markup}</body>") == ()


def test_each_link_is_told_once_and_their_number_is_bounded() -> None:
    assert len(hidden(f"<p hidden>{LINK}{LINK}</p><p hidden>{LINK}</p>")) == 1
    many = "".join(f"<p hidden><a href='/{n}'>词</a></p>" for n in range(MAX_HIDDEN_LINKS + 20))
    assert len(hidden(many)) == MAX_HIDDEN_LINKS
