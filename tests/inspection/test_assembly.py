"""From captures and visits to pages, columns and bundles: the best capture is read, once, and in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from checks.facts.model import AttachmentState, PageKind
from checks.model import Capture, EvidenceRef, FailureKind, Mode, Page, PageRole, Visit
from config.schema import Column, ColumnType, District, Site, Unit, UnitKind
from inspection.assembly import PageReader, SitePages, UnitMaterial, at_hand, site_bundle, unit_bundle

DISTRICT = District(name="虚构区", division_code="130111")
DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
HOME = "http://www.example.test/"
LIST = f"{HOME}tzgg/"
ARTICLE = f"{HOME}tzgg/1.html"
FILE = f"{HOME}tzgg/1.docx"
STATIC_PAGE = (
    "<html><head><title>静态</title></head><body><h1>静态</h1><p>正文一段，写得足够长，可以看作正文。</p></body></html>"
)
RENDERED_PAGE = STATIC_PAGE.replace("静态", "渲染")
EMPTY_LIST = """<html><head><title>通知公告</title></head><body><h1>通知公告</h1>
<ul class="list" id="list"></ul>
<script>fetch("list.json").then(r => r.json()).then(rows => fill(document.getElementById("list"), rows))</script>
</body></html>"""


def column(number: int, url: str | None = LIST) -> Column:
    return Column(id=f"notice{number}", type=ColumnType.NOTICE, name="通知公告", site="portal", url=url, confirmed=True)


def unit(name: str, *columns: Column) -> Unit:
    return Unit(id=name, name=name, kind=UnitKind.DEPARTMENT, columns=columns)


SITE = Site(id="portal", name="门户", home=HOME)
UNIT = unit("jiaoyuju", column(1), column(2), column(3, None))


def visit(url: str, role: PageRole, number: int = 1, **more: object) -> Visit:
    place = (
        {} if role in (PageRole.HOME, PageRole.SECOND_LEVEL) else {"unit_id": UNIT.id, "column_id": f"notice{number}"}
    )
    return Visit("portal", url, role, **{**place, **more})  # type: ignore[arg-type]


@dataclass
class Evidence:
    """Captures with their bytes; counts how often each was read."""

    captures: list[Capture] = field(default_factory=list)
    bodies: dict[EvidenceRef, bytes] = field(default_factory=dict)
    reads: Counter[EvidenceRef] = field(default_factory=Counter)

    def add(
        self, url: str, body: str | bytes, mode: Mode = Mode.STATIC, content_type: str = "text/html; charset=utf-8"
    ) -> EvidenceRef:
        reference = EvidenceRef("1/x.warc.gz", len(self.captures), f"record-{len(self.captures)}", "sha256:0")
        headers = (("content-type", content_type),)
        self.captures.append(Capture("portal", url, mode, NOON, url, status=200, headers=headers, evidence=reference))
        self.bodies[reference] = body.encode() if isinstance(body, str) else body
        return reference

    def fail(self, url: str, failure: FailureKind, mode: Mode = Mode.STATIC) -> None:
        self.captures.append(Capture("portal", url, mode, NOON, failure=failure))

    def payload(self, reference: EvidenceRef) -> bytes:
        self.reads[reference] += 1
        return self.bodies[reference]


def site_pages(evidence: Evidence, *visits: Visit, units: Sequence[Unit] = (UNIT,)) -> SitePages:
    return SitePages(SITE, units, visits, (), PageReader(at_hand(evidence.captures), evidence.payload, DAY))


def material(evidence: Evidence, *visits: Visit) -> UnitMaterial:
    return site_pages(evidence, *visits).of_unit(UNIT)


def home(evidence: Evidence) -> Page:
    page = material(evidence, visit(HOME, PageRole.HOME)).home
    assert page is not None
    return page


# ---------------------------------------------------------------- which capture is read


def test_rendered_page_wins_over_the_static_one() -> None:
    evidence = Evidence()
    static = evidence.add(HOME, STATIC_PAGE)
    rendered = evidence.add(HOME, RENDERED_PAGE, Mode.RENDERED)
    page = home(evidence)
    assert page.facts is not None
    assert page.facts.title == "渲染"
    assert page.complete
    assert page.evidence == (static, rendered)  # a judgement rests on both
    assert set(evidence.reads) == {rendered}


def test_static_page_is_read_when_rendering_failed_and_counts_as_incomplete() -> None:
    evidence = Evidence()
    evidence.add(LIST, EMPTY_LIST)
    evidence.fail(LIST, FailureKind.RENDER_FAILED, Mode.RENDERED)
    (seen,) = material(evidence, visit(LIST, PageRole.COLUMN)).columns
    (page,) = seen.pages
    assert page.facts is not None
    assert page.facts.rendering_needs
    assert page.failure is None
    assert not page.complete


def test_static_page_that_needs_no_browser_is_complete() -> None:
    evidence = Evidence()
    evidence.add(HOME, STATIC_PAGE)
    assert home(evidence).complete


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"code": 401}', "application/json"),
        ("系统繁忙，请稍后再试", "text/html; charset=utf-8"),
        (b"%PDF-1.7 <html>", "text/html"),
        (b"\x89PNG\r\n", "image/png"),
    ],
)
def test_what_is_no_page_says_nothing_of_the_page(body: str | bytes, content_type: str) -> None:
    evidence = Evidence()
    evidence.add(LIST, body, content_type=content_type)
    (seen,) = material(evidence, visit(LIST, PageRole.COLUMN)).columns
    assert [(page.facts, page.failure) for page in seen.pages] == [(None, FailureKind.UNREADABLE)]


def test_screenshot_decides_nothing() -> None:
    evidence = Evidence()
    evidence.add(HOME, STATIC_PAGE)
    picture = evidence.add(HOME, b"\x89PNG", Mode.SCREENSHOT, "image/png")
    page = home(evidence)
    assert page.facts is not None
    assert page.facts.title == "静态"
    assert picture not in page.evidence


def test_failed_capture_is_a_page_with_its_failure() -> None:
    evidence = Evidence()
    evidence.fail(HOME, FailureKind.READ_TIMEOUT)
    page = home(evidence)
    assert page.facts is None
    assert page.failure is FailureKind.READ_TIMEOUT


def test_page_without_any_capture_was_not_captured() -> None:
    assert home(Evidence()).failure is FailureKind.NOT_CAPTURED


def test_home_page_that_was_never_visited_is_none() -> None:
    assert material(Evidence()).home is None


# ---------------------------------------------------------------- attachments


def test_attachment_is_read_as_one() -> None:
    evidence = Evidence()
    evidence.add(ARTICLE, STATIC_PAGE)
    evidence.add(FILE, b"this is no docx", content_type="application/octet-stream")
    (seen,) = material(
        evidence,
        visit(ARTICLE, PageRole.ARTICLE),
        visit(FILE, PageRole.ATTACHMENT, parent=ARTICLE, title="正文.docx"),
    ).columns
    (article,) = seen.articles
    (file,) = seen.attachments_of(article)
    assert file.facts is None
    assert file.attachment is not None
    assert file.attachment.state is not AttachmentState.READ
    assert file.failure is None


def test_file_that_a_list_leads_to_straight_is_no_article_and_keeps_its_own_name() -> None:
    evidence = Evidence()
    evidence.add(FILE, b"one,two", content_type="application/octet-stream")
    (seen,) = material(evidence, visit(FILE, PageRole.ATTACHMENT, title="关于开展检查的通知")).columns
    (file,) = seen.attachments
    assert seen.articles == ()
    assert file.attachment is not None
    assert file.attachment.name == FILE


# ---------------------------------------------------------------- columns


def test_page_under_two_columns_is_read_once() -> None:
    evidence = Evidence()
    reference = evidence.add(ARTICLE, STATIC_PAGE)
    both = material(evidence, visit(ARTICLE, PageRole.ARTICLE, 1), visit(ARTICLE, PageRole.ARTICLE, 2)).columns
    assert [seen.column.id for seen in both] == ["notice1", "notice2"]
    assert both[0].articles[0].facts is both[1].articles[0].facts
    assert evidence.reads == {reference: 1}


def test_kind_comes_from_the_inventory() -> None:
    evidence = Evidence()
    evidence.add(LIST, STATIC_PAGE)
    evidence.add(ARTICLE, STATIC_PAGE)
    (seen,) = material(evidence, visit(LIST, PageRole.COLUMN), visit(ARTICLE, PageRole.ARTICLE)).columns
    kinds = [page.facts.kind for page in (*seen.pages, *seen.articles) if page.facts]
    assert kinds == [PageKind.COLUMN, PageKind.ARTICLE]


def test_pages_stand_in_their_order_whatever_order_they_came_in() -> None:
    urls = [f"{LIST}{number}.html" for number in (3, 1, 2)]
    visits = [visit(url, PageRole.ARTICLE, order=order) for url, order in zip(urls, (2, 0, 1), strict=True)]
    for given in (visits, visits[::-1]):
        (seen,) = material(Evidence(), *given).columns
        assert [page.url for page in seen.articles] == [f"{LIST}{number}.html" for number in (1, 2, 3)]


def test_column_with_an_unknown_address_was_never_asked_for() -> None:
    unknown = visit(f"{UNIT.id}/notice3", PageRole.COLUMN, 3, failure=FailureKind.UNCONFIRMED_ADDRESS)
    (seen,) = material(Evidence(), unknown).columns
    assert seen.pages == ()
    assert seen.failure is FailureKind.UNCONFIRMED_ADDRESS


def test_visit_of_a_column_that_the_inventory_no_longer_has_is_passed_over() -> None:
    assert material(Evidence(), visit(LIST, PageRole.COLUMN, 9)).columns == ()


# ---------------------------------------------------------------- bundles


def test_bundle_of_a_site_holds_every_column_and_that_of_a_unit_its_own() -> None:
    other = unit("gonganju", column(1))
    theirs = Visit("portal", LIST, PageRole.COLUMN, unit_id=other.id, column_id="notice1")
    seen = site_pages(
        Evidence(), visit(LIST, PageRole.COLUMN, 2), visit(LIST, PageRole.COLUMN), theirs, units=(UNIT, other)
    )
    of_site = site_bundle(seen.of_site(), DISTRICT, DAY)
    assert (of_site.site, of_site.unit, len(of_site.columns)) == (SITE, None, 3)
    of_unit = unit_bundle(UNIT, [seen.of_unit(UNIT)], DISTRICT, DAY)
    assert (of_unit.site, of_unit.unit) == (None, UNIT)
    assert [each.column.id for each in of_unit.columns] == ["notice1", "notice2"]


def test_a_site_is_told_whether_lists_were_read_and_nothing_that_stands_on_them() -> None:
    evidence = Evidence()
    evidence.add(LIST, STATIC_PAGE)
    evidence.add(ARTICLE, STATIC_PAGE)
    seen = site_pages(evidence, visit(LIST, PageRole.COLUMN), visit(ARTICLE, PageRole.ARTICLE))
    before = seen.of_site()
    seen.of_unit(UNIT)
    (column,) = seen.of_site().columns
    assert seen.of_site() == before
    assert [page.facts is not None for page in column.pages] == [True]
    assert column.articles == ()


def test_what_is_known_of_a_page_is_not_read_again() -> None:
    evidence = Evidence()
    evidence.add(LIST, STATIC_PAGE)
    read = material(evidence, visit(LIST, PageRole.COLUMN)).columns[0].pages[0].facts
    reader = PageReader(at_hand(evidence.captures), evidence.payload, DAY, lambda *_, **__: read)
    (seen,) = SitePages(SITE, (UNIT,), [visit(LIST, PageRole.COLUMN)], (), reader).of_unit(UNIT).columns
    assert seen.pages[0].facts is read
    assert sum(evidence.reads.values()) == 1
