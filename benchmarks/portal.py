"""A made-up portal of many alike pages, served on loopback by a process of its own: what crawls are measured on.

A list page for each column with its articles, each page about 22 KB with 200 links, as portals are: most of every page
is the same navigation. No page has anything that a browser would be needed for. `python -m benchmarks.portal PAGES`
prints its port and serves until its input closes.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

DAY = date(2026, 11, 23)
ARTICLES = 20  # a column
COLUMNS = (
    ("news", "工作动态"),
    ("notice", "通知公告"),
    ("policy", "政策文件"),
    ("normative_document", "规范性文件"),
    ("institution", "政府信息公开制度"),
    ("news", "乡镇要闻"),
    ("notice", "公示公告"),
    ("policy", "其他文件"),
    ("news", "部门动态"),
    ("notice", "人事信息"),
)
LINKS = 200  # a page
SIZE = 22_000  # bytes a page
_MODIFIED = b"Sun, 22 Nov 2026 16:00:00 GMT"  # of every page, as of a site whose pages were all made at once
_PROSE = "为进一步加强全区政务公开工作，提高行政效能，方便群众办事，现就有关事项通知如下，请结合实际认真贯彻落实。"


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal: `units` units of ten columns with ARTICLES articles each, and a home page."""

    units: int

    @classmethod
    def of(cls, pages: int) -> Portal:
        """Return the portal with about so many pages."""
        return cls(max(1, round(pages / (len(COLUMNS) * (ARTICLES + 1)))))

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return 1 + self.units * len(COLUMNS) * (ARTICLES + 1)

    def answer(self, path: str) -> bytes | None:
        """Return the page at a path; None where there is none. The same path gives the same bytes."""
        if path == "/":
            return self._home()
        parts = path.strip("/").split("/")
        if len(parts) < 2 or not all(part.removesuffix(".html").isdigit() for part in parts):
            return None
        unit, column = int(parts[0]), int(parts[1])
        if unit >= self.units or column >= len(COLUMNS):
            return None
        if len(parts) == 2:
            return self._list(unit, column)
        number = int(parts[2].removesuffix(".html"))
        return self._article(unit, column, number) if number < ARTICLES else None

    def _home(self) -> bytes:
        entries = "".join(self._entry(unit, 0, 0) for unit in range(min(self.units, 60)))
        return self._page(
            "栾城区人民政府", f'<div class="news-list"><ul>{entries}</ul></div>', used=min(self.units, 60)
        )

    def _list(self, unit: int, column: int) -> bytes:
        entries = "".join(self._entry(unit, column, number) for number in range(ARTICLES))
        main = f'<div class="list-box"><h2>{COLUMNS[column][1]}</h2><ul class="list">{entries}</ul></div>'
        return self._page(COLUMNS[column][1], main, used=ARTICLES)

    def _entry(self, unit: int, column: int, number: int) -> str:
        title, day = self._title(unit, column, number), self._day(number)
        address = f"/{unit}/{column}/{number}.html"
        return f'<li><a href="{address}" title="{title}" target="_blank">{title}</a><span>{day}</span></li>\n'

    def _article(self, unit: int, column: int, number: int) -> bytes:
        title, day = self._title(unit, column, number), self._day(number)
        rows = (
            f"<tr><td>索引号：</td><td>000014349/{day.year}-{unit:03}{column}{number:03}</td><td>主题分类：</td><td>其他</td></tr>"
            f"<tr><td>发文机关：</td><td>栾城区第{unit + 1}局</td><td>成文日期：</td><td>{day}</td></tr>"
            f"<tr><td>标题：</td><td>{title}</td><td>发布日期：</td><td>{day}</td></tr>"
            f"<tr><td>发文字号：</td><td>栾政办〔{day.year}〕{number + 1}号</td>"
            "<td>公开属性：</td><td>主动公开</td></tr>"
        )
        prose = "".join(f"<p>{part}、{_PROSE}第{unit}之{number}。</p>\n" for part in "一二三四五六七八")
        main = (
            f'<div class="article"><h1>{title}</h1><table class="info">{rows}</table>'
            f'<div class="info-bar">发布时间：{day} 来源：栾城区第{unit + 1}局</div>'
            f'<div class="content TRS_Editor"><p>各乡镇人民政府，区政府各部门：</p>{prose}'
            f'<p class="sign">栾城区第{unit + 1}局</p><p class="sign">{day:%Y年%m月%d日}</p></div></div>'
        )
        return self._page(title, main, used=0, where=COLUMNS[column][1], back=f"/{unit}/{column}/")

    @staticmethod
    def _title(unit: int, column: int, number: int) -> str:
        return f"关于做好第{unit * 10 + column}类第{number + 1}项工作的通知"

    @staticmethod
    def _day(number: int) -> date:
        return DAY - timedelta(days=number + 1)

    def _page(self, title: str, main: str, *, used: int, where: str = "", back: str = "/") -> bytes:
        navigation = "".join(self._menu(LINKS - used - 2))
        page = (
            f'<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta name="SiteName" content="栾城区人民政府"><meta name="SiteDomain" content="www.luancheng.gov.cn">'
            f'<meta name="SiteIDCode" content="1301110001"><meta name="ColumnName" content="{where}">'
            f'<link rel="stylesheet" href="/style/common.css"></head><body>\n'
            f'<div class="header"><div class="logo"><img src="/images/logo.png" alt="栾城区人民政府"></div></div>\n'
            f'<div class="nav"><ul>{navigation}</ul></div>\n'
            f'<div class="location">当前位置：<a href="/">首页</a> &gt; <a href="{back}">{where or "首页"}</a></div>\n'
            f'<div class="main">{main}</div>\n{{}}'
            f'<div class="footer"><p>主办单位：石家庄市栾城区人民政府 承办：区政府办公室 电话：0311-88000000</p>'
            f"<p>网站标识码：1301110001 冀ICP备05000000号 冀公网安备13011102000000号</p></div></body></html>\n"
        )
        filling = SIZE - len(page.encode())
        return page.replace("{}", f"<script>/*{'x' * filling}*/</script>" if filling > 0 else "").encode()

    def _menu(self, count: int) -> Iterator[str]:
        """Yield links to the lists, which are on every page."""
        lists = self.units * len(COLUMNS)
        for number in range(count):
            unit, column = divmod(number % lists, len(COLUMNS))
            yield f'<li><a href="/{unit}/{column}/">栾城第{unit + 1}局{COLUMNS[column][1]}</a></li>\n'


class Connection(asyncio.Protocol):
    """Answers GET on a kept connection as a server of files does: 304 where the page is as it was, by tag or by day.

    `note` takes each request: the address that was asked, and the path.
    """

    def __init__(self, portal: Portal, note: Callable[[str, str], None] = lambda _address, _path: None) -> None:
        self._portal, self._note = portal, note
        self._address, self._rest = "", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._address = str(transport.get_extra_info("sockname")[0])

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._rest += data
        while b"\r\n\r\n" in self._rest:
            head, self._rest = self._rest.split(b"\r\n\r\n", 1)
            self._transport.write(self.answer(head))

    def answer(self, head: bytes) -> bytes:
        """Return the answer to a request, given without the empty line that ends it."""
        method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
        path = target.decode("latin-1").partition("?")[0]
        self._note(self._address, path)
        body = self._portal.answer(path)
        if body is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nnot found"
        tag = b'"' + hashlib.md5(body, usedforsecurity=False).hexdigest().encode() + b'"'
        described = b"ETag: " + tag + b"\r\nLast-Modified: " + _MODIFIED + b"\r\n"
        if _is_as_known(head, tag):
            return b"HTTP/1.1 304 Not Modified\r\n" + described + b"\r\n"
        length = str(len(body)).encode()
        start = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n" + described
        return start + b"Content-Length: " + length + b"\r\n\r\n" + (b"" if method == b"HEAD" else body)


def _is_as_known(head: bytes, tag: bytes) -> bool:
    """Whether who asks has the page already; a tag that is asked by counts alone (RFC 9110)."""
    asked = {name.strip().lower(): value.strip() for name, _, value in (x.partition(b":") for x in head.split(b"\r\n"))}
    if b"if-none-match" in asked:
        return asked[b"if-none-match"] == tag
    return asked.get(b"if-modified-since") == _MODIFIED


async def _serve(portal: Portal) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(portal), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@contextmanager
def served(pages: int) -> Iterator[str]:
    """Serve a portal of about so many pages from a process of its own, and yield its home page's address."""
    command = [sys.executable, "-m", "benchmarks.portal", str(pages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/"
        finally:
            server.stdin.close()


def write_configuration(folder: Path, pages: int, home: str, newest: int = ARTICLES) -> None:
    """Write a configuration that has the portal read at no pace limit: of each column the list and the newest articles,
    by default all."""
    write_beside_our_rules(folder, _sites(Portal.of(pages), home, newest))


def write_beside_our_rules(folder: Path, sites: str) -> None:
    """Write a configuration of these sites with our own rules; every unit is scored by every indicator."""
    folder.mkdir(parents=True)
    for name in ("rules.toml", "words.toml"):
        (folder / name).write_bytes((Path("config") / name).read_bytes())
    indicators = Path("config/indicators.toml").read_text(encoding="utf-8")
    of_everybody = re.sub(r"^(?:units = \[[^\]]*\]|duty = .*)\n", "", indicators, flags=re.M)
    (folder / "indicators.toml").write_text(of_everybody, encoding="utf-8")
    (folder / "sites.toml").write_text(sites, encoding="utf-8")


def _sites(portal: Portal, home: str, newest: int) -> str:
    head = f"""[district]
name = "石家庄市栾城区"
city = "石家庄市"
division_code = "130111"
timezone = "Asia/Shanghai"

[crawl]
contact = "测速"
requests_per_second = 1000000
concurrency = 16
max_pages_per_site = 1000000
requests_per_day = 10000000
bytes_per_day = 1000000000000
allow_private_addresses = true
screenshots_per_unit = 0
site_time_limit_seconds = 36000

[crawl.sampling]
newest = {newest}
older = 0

[[site]]
id = "portal"
name = "栾城区人民政府"
home = "{home}"
site_code = "1301110001"
host_unit = "石家庄市栾城区人民政府"
confirmed = true
"""
    return head + "".join(_unit(unit, home) for unit in range(portal.units))


def _unit(unit: int, home: str) -> str:
    columns = "".join(
        f'[[unit.column]]\nid = "c{number}"\ntype = "{kind}"\nname = "{name}"\nsite = "portal"\n'
        f'url = "{home}{unit}/{number}/"\nconfirmed = true\n'
        for number, (kind, name) in enumerate(COLUMNS)
    )
    return f'\n[[unit]]\nid = "u{unit}"\nname = "栾城第{unit + 1}局"\nkind = "department"\n{columns}'


if __name__ == "__main__":
    asyncio.run(_serve(Portal.of(int(sys.argv[1]))))
