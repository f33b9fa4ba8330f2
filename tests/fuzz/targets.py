"""What the fuzzer feeds: each target takes any bytes, and must neither break nor call its own failure a judgement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from checks.facts.attachments import read_attachment
from checks.facts.attachments.limits import AttachmentLimits
from checks.facts.model import PageKind
from checks.facts.page import read_page
from checks.model import Outcome
from checks.registry import judge_page
from config.loader import load
from fixtures.district.attachments import render
from fixtures.district.model import Attachment
from fixtures.district.world import CONFIG_FOLDER
from tests.checks.facts.attachment_files import ofd, word97

DAY = date(2026, 11, 23)
URL = "http://www.yunxi.example/zwgk/202611/t20261119_1.html"
KINDS = (None, *PageKind)
RULES = load(CONFIG_FOLDER).rules
LIMITS = AttachmentLimits(unpacked=2_000_000, text=200_000, operations=200_000, markup=50_000, cells=20_000)
PAGES = Path(__file__).parents[2] / "fixtures" / "html"
SMALL = 20_000  # bytes of a seed
STRIDE = 8  # every so many of our pages is a seed: enough for every kind of page


def page(data: bytes) -> None:
    """Read the bytes as a page; the first of them says what kind of page the inventory takes it for."""
    read_page(data[1:], url=URL, as_of=DAY, kind=_kind(data))


def attachment(data: bytes) -> None:
    """Read the bytes as a file, of whatever format they look."""
    read_attachment(data, name="附件", limits=LIMITS)


def checks(data: bytes) -> None:
    """Judge the bytes as a page by itself: no check may break on what it reads."""
    facts = read_page(data[1:], url=URL, as_of=DAY, kind=_kind(data))
    broken = [f for f in judge_page(facts, RULES, day=DAY, division_code="130111") if f.outcome is Outcome.ERROR]
    assert not broken, broken[0].observed


def _kind(data: bytes) -> PageKind | None:
    return KINDS[data[0] % len(KINDS)] if data else None


def _page_seeds() -> list[bytes]:
    bodies = [path.read_bytes() for path in sorted(PAGES.glob("*/*.html"))[::STRIDE]]
    return [bytes([number % 256]) + body for number, body in enumerate(bodies) if len(body) < SMALL]


def _attachment_seeds() -> list[bytes]:
    lines = ("关于公布目录的通知", "（此件公开发布）")
    of_formats = [render(Attachment("附件", f"/a.{name}", name, lines)) for name in ("pdf", "scan", "docx", "xlsx")]
    written = [rb"{\rtf1\ansicpg936 \'b9\'ab\'bf\'aa}", "序号,公开事项\n1,许可\n".encode(), "通知".encode("gb18030")]
    return [*of_formats, *written, word97("关于公布目录的通知"), ofd([(20, "关于公布目录的通知")])]


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "page": (page, _page_seeds),
    "attachment": (attachment, _attachment_seeds),
    "checks": (checks, _page_seeds),
}
