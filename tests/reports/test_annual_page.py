"""The year's page: what it says, and what a real browser makes of it on a desk, on a phone and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Browser, Page, Request, Route, sync_playwright
from pypdf import PdfReader

from crawler.rendering import find_browser
from reports.annual import AnnualReport, InputSource, PublishedVersion
from reports.annual_page import MOST_FAULTS, annual_page, shade
from reports.daily import KIND_TITLES
from reports.daily_page import daily_page
from reports.trend import Field, field_of, mean_of
from scoring.annual import Status, rounded
from scoring.review import FaultState
from tests.reports import test_daily as daily
from tests.reports.made_year import CORRECTED, YEAR, made_report, published

NEW_YEAR = date(YEAR, 1, 1)
SUMMER = range(200, 215)  # days on which no unit has a score


def whole_year(report: AnnualReport) -> AnnualReport:
    """The report with a score for nearly each of the 365 days of each unit."""
    random, units = Random(YEAR), []
    for number, unit in enumerate(report.units):
        level, scores = Decimal(70 + number % 20), []
        for day in range(365):
            level = max(Decimal(45), min(Decimal(100), level + Decimal(random.randint(-150, 160)) / 100))
            if day not in SUMMER and random.random() > 0.03:
                scores.append((NEW_YEAR + timedelta(days=day), level))
        units.append(replace(unit, scores=tuple(scores)))
    return replace(report, units=tuple(units))


# ---------------------------------------------------------------- lines


def on(*days: int, score: str = "90") -> tuple[tuple[date, Decimal], ...]:
    return tuple((NEW_YEAR + timedelta(days=day), Decimal(score)) for day in days)


@pytest.mark.parametrize(
    ("scores", "line"),
    [
        ((), ""),
        (on(0, 1, 2), "M0.5 10L1.5 10L2.5 10"),
        (on(0, 1, 3, 4), "M0.5 10L1.5 10M3.5 10L4.5 10"),
        (on(5), "M5.5 10h0"),
        (on(5, 7), "M5.5 10h0M7.5 10h0"),
        (on(364, score="87.25"), "M364.5 12.75h0"),
        ((*on(1), *on(0)), "M0.5 10L1.5 10"),
        (on(-1, 365), ""),
    ],
)
def test_no_line_is_drawn_through_a_day_without_a_score(scores, line):
    assert Field(YEAR, 50).line(scores) == line


@pytest.mark.parametrize(
    ("scores", "floor"), [((), 0), (("100", "100"), 90), (("70",), 70), (("69.99", "98"), 60), (("0",), 0)]
)
def test_the_field_reaches_from_the_ten_below_the_lowest_score_to_a_hundred(scores, floor):
    found = field_of(YEAR, map(Decimal, scores))
    assert found.floor == floor
    assert found.levels[0] == 100
    assert found.levels[-1] >= floor
    assert len(found.levels) <= 7


def test_the_mean_of_a_day_is_that_of_the_scores_published_on_it():
    found = mean_of([on(0, 2, score="80"), on(0, 1, score="90.01")])
    assert [str(score) for _, score in found] == ["85.01", "90.01", "80.00"]


# ---------------------------------------------------------------- what it says


@dataclass
class Cell:
    kind: str
    text: str = ""


class Parsed(HTMLParser):
    """The page's tags with their attributes, its text, and the cells of its coloured table by row."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.heat: list[list[Cell]] = []
        self._in_heat = self._in_cell = False
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.tags.append((tag, found))
        self._in_heat = found.get("class") == "heat" if tag == "table" else self._in_heat
        self._in_cell = self._in_heat and tag == "td"
        if self._in_heat and tag == "tr":
            self.heat.append([])
        if self._in_cell:
            self.heat[-1].append(Cell(found.get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_heat = self._in_heat and tag != "table"
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_cell:
            self.heat[-1][-1].text += data


@pytest.mark.parametrize(
    ("reached", "name"),
    [
        ("3", "full"),
        ("2.7", "full"),
        ("2.69", "high"),
        ("2.1", "good"),
        ("1.8", "fair"),
        ("1.2", "low"),
        ("0", "least"),
    ],
)
def test_the_colour_tells_the_share_of_the_points_reached(reached, name):
    assert shade(Fraction(reached), Decimal(3)) == name


def test_every_cell_of_the_coloured_table_is_the_units_points():
    report = made_report(complete=False)
    cells = [row for row in Parsed(annual_page(report)).heat if row]
    ranked = [unit for kind in KIND_TITLES for unit in report.league(kind)]
    assert len(cells) == len(ranked) + 1, "and one row of means"
    for unit, row in zip(ranked, cells, strict=False):
        rows = {one.id: one for one in unit.result.indicators}
        for column, cell in zip(report.table.indicators, row, strict=False):
            found = rows.get(column.id)
            if found is None:
                assert (cell.kind, cell.text) == ("", "")
            elif found.final is None:
                assert (cell.kind, cell.text) == ("missing", "缺")
            else:
                assert cell.text == f"{rounded(found.final):.2f}"
                assert cell.kind == ("na" if found.na else shade(found.final, found.points))
        assert [cell.text for cell in row[-2:]] == [f"{unit.result.total:.2f}", str(unit.result.rank)]
    kinds = {cell.kind for row in cells for cell in row}
    assert {"na", "missing", "high"} <= kinds


def test_a_result_that_is_not_complete_says_so_and_what_it_lacks():
    report = made_report(complete=False)
    text = Parsed(annual_page(report)).text
    assert "暂定，不得对外公布" in text
    lacking = [row for unit in report.units for row in unit.result.indicators if row.missing]
    units = sum(bool(unit.result.missing) for unit in report.units)
    assert f"缺考核组评分：{units} 个单位，{len(lacking)} 处" in text
    assert "正式 第" not in text


def test_a_complete_result_is_marked_until_it_is_published():
    text = Parsed(annual_page(made_report())).text
    assert "送审稿，还没有发布" in text
    assert "不得对外公布" not in text


def test_a_published_version_says_who_published_it_why_and_what_changed():
    text = Parsed(annual_page(published(made_report(), CORRECTED))).text
    assert "正式 第 2 版" in text
    assert CORRECTED.why in text
    assert all(change in text for change in CORRECTED.changes)
    assert CORRECTED.digest in text
    assert "暂定" not in text
    assert "送审稿" not in text


def test_every_unit_has_its_rows_its_formulas_and_its_faults():
    report = made_report(faults=MOST_FAULTS + 40)
    text = Parsed(annual_page(report)).text
    for unit in report.units:
        assert all(row.formula in text for row in unit.result.indicators)
        assert f"合计{unit.result.total:.2f}" in re.sub(r"\s", "", text)
    most = max(report.units, key=lambda unit: len(unit.faults))
    assert f"另有 {len(most.faults) - MOST_FAULTS} 个见年度工作簿" in text


def test_faults_that_are_held_against_nobody_are_shown_and_not_counted():
    report = made_report(faults=8, units=1)
    (unit,) = report.units
    states = (FaultState.CONFIRMED, FaultState.REVOKED, FaultState.PENDING, FaultState.WAIVED)
    faults = tuple(replace(unit.faults[0], number=n, state=state) for n, state in enumerate(states))
    text = Parsed(annual_page(replace(report, units=(replace(unit, faults=faults),)))).text
    assert "计入得分的问题1" in re.sub(r"\s", "", text)
    assert "共 4 个；待确认、撤销、豁免的不计入得分" in text
    assert all(f"编号 {number}" in text for number in range(4))


def test_a_year_of_nothing_is_a_page_too():
    report = made_report(units=0)
    text = Parsed(annual_page(report)).text
    assert "没有单位" in text
    bare = made_report(complete=False, units=3)
    silent = replace(bare, units=tuple(replace(unit, scores=(), faults=()) for unit in bare.units), sources=())
    text = Parsed(annual_page(silent)).text
    assert text.count("全年没有发布过日常得分") >= 3
    assert text.count("没有发现问题") == 3


def test_the_whole_district_on_every_day_is_less_than_three_megabytes_and_always_the_same():
    report = whole_year(made_report(faults=60))
    page = annual_page(report)
    assert len(page) < 3_000_000
    assert page == annual_page(report)


# ---------------------------------------------------------------- hostile text

HOSTILE = (
    "<script>hacked = 1</script>",
    '"><img src=x onerror="hacked = 1">',
    "'><svg onload=hacked=1>",
    "</style><script>hacked = 1</script>",
    "{{ 7 * 7 }}{% raw %}",
    '"; } body { display: none } @import url(http://evil.example/); /*',
    "a\x00b\x07c\x1bd\ud83d\u202ee\u2066",
)
TARGETS = (
    "javascript:hacked=1",
    "data:text/html,<script>hacked=1</script>",
    "http://portal.example/a b",
    "http://portal.example/\"onmouseover='hacked=1'",
)


def hostile() -> AnnualReport:
    """The report with every text that people and pages bring as hostile as can be."""
    text = "".join(HOSTILE)
    report = made_report(faults=12)
    units = []
    for unit in report.units:
        rows = tuple(replace(row, formula=text, missing=text) for row in unit.result.indicators)
        vetoes = tuple(replace(veto, title=text) for veto in unit.result.vetoes)
        faults = tuple(
            replace(fault, check=text, target=(*HOSTILE, *TARGETS)[place % 11], observed=text, basis=text)
            for place, fault in enumerate(unit.faults)
        )
        result = replace(unit.result, indicators=rows, vetoes=vetoes)
        units.append(replace(unit, name=unit.name + text, result=result, faults=faults))
    version = PublishedVersion(1, datetime(2027, 1, 15, 9), text, text, text, (text,))
    source = InputSource(text, text, text, text, datetime(2027, 1, 2, 3, 4))
    return replace(
        report,
        district=text,
        units=tuple(units),
        sources=(source,),
        method=(text,),
        versions=(version,),
        status=Status.PROVISIONAL,
        software=text,
    )


def test_no_text_is_ever_markup_and_only_web_addresses_are_links():
    page = Parsed(annual_page(hostile()))
    assert not {"script", "img", "iframe", "object", "link", "form"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "{{ 7 * 7 }}{% raw %}" in page.text
    assert "abcde" in page.text
    assert not set("\x00\x07\x1b\u202e\u2066") & set(page.text)
    links = [attributes for tag, attributes in page.tags if tag == "a" and not str(attributes["href"]).startswith("#")]
    assert all(re.match(r"https?://", str(link["href"])) for link in links)
    assert all(link["rel"] == "noreferrer noopener" for link in links)


# ---------------------------------------------------------------- a real browser


@dataclass
class Visit:
    """A page in the browser, what it asked for and what it complained of."""

    page: Page
    url: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def answer(self, route: Route, request: Request) -> None:
        self.asked.append(request.url)
        route.continue_() if request.url == self.url else route.abort()


PAGES = {
    "annual": lambda: annual_page(whole_year(made_report(complete=False, faults=12))),
    "published": lambda: annual_page(published(made_report(), CORRECTED)),
    "hostile": lambda: annual_page(hostile()),
    "empty": lambda: annual_page(made_report(units=0)),
    "daily": lambda: daily_page(daily.report(daily.unit(daily.listed(observed="长" * 300), of=daily.score()))),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    written = {name: folder / f"{name}.html" for name in PAGES}
    for name, path in written.items():
        path.write_bytes(PAGES[name]())
    return written


def visit(browser: Browser, path: Path, width: int = 1280, **options: str) -> Visit:
    page = browser.new_page(viewport={"width": width, "height": 900}, **options)
    made = Visit(page, path.as_uri())
    page.on("console", lambda message: made.complaints.append(message.text))
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (made.complaints.append(dialog.message), dialog.dismiss()))
    page.context.route("**/*", made.answer)
    page.goto(made.url, wait_until="load")
    return made


ON_TOP = """element => {
    const box = element.getBoundingClientRect();
    return element.contains(document.elementFromPoint(box.x + 5, box.y + 9));
}"""
INSIDE = """part => [...part.querySelectorAll('table')]
    .every(table => table.getBoundingClientRect().right <= document.documentElement.clientWidth)"""
SMALLEST = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let smallest = 100, where = '';
    while (walker.nextNode()) {
        const text = walker.currentNode, size = parseFloat(getComputedStyle(text.parentElement).fontSize);
        if (text.data.trim() && size < smallest) { smallest = size; where = text.data.trim(); }
    }
    return [smallest, where];
}"""
DANGLING = """() => [...document.querySelectorAll('[href^="#"]')]
    .map(link => link.getAttribute('href')).filter(href => !document.getElementById(href.slice(1)))"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_it_asks_for_nothing_complains_of_nothing_and_can_be_read(browser, files, name, width):
    seen = visit(browser, files[name], width)
    assert seen.asked == [seen.url]
    assert seen.complaints == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") == width
    smallest, where = seen.page.evaluate(SMALLEST)
    assert smallest >= 11, where
    assert seen.page.evaluate(DANGLING) == []
    seen.page.close()


@pytest.mark.browser
def test_hostile_text_does_not_run_even_when_clicked(browser, files):
    seen = visit(browser, files["hostile"])
    assert seen.page.evaluate("typeof hacked") == "undefined"
    assert seen.page.evaluate("document.scripts.length + document.images.length") == 0
    assert seen.page.evaluate("getComputedStyle(document.body).display") == "block"
    for link in seen.page.query_selector_all("article a:not([href^='#'])")[:2]:
        assert (link.get_attribute("href") or "").startswith("http")
    seen.page.close()


@pytest.mark.browser
def test_on_a_phone_the_coloured_table_scrolls_in_its_own_box_and_the_units_stay_in_sight(browser, files):
    seen = visit(browser, files["annual"], 390)
    box = seen.page.locator(".scroll")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    name = seen.page.locator(".heat tbody th.unit").first
    before = name.bounding_box()
    box.evaluate("box => box.scrollLeft = 300")
    assert box.evaluate("box => box.scrollLeft") == 300
    assert name.bounding_box()["x"] == before["x"]
    name.scroll_into_view_if_needed()
    assert name.evaluate(ON_TOP), "the points slide beneath the name"
    seen.page.close()


def lightness(colour: str) -> float:
    """How bright a colour is for somebody who sees no colours (relative luminance)."""
    channels = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * value for share, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_differ_without_colour_and_numbers_on_them_can_be_read(browser, files, scheme):
    seen = visit(browser, files["annual"], color_scheme=scheme)
    shades = seen.page.evaluate(
        """() => ['full', 'high', 'good', 'fair', 'low', 'least'].map(name => {
            const cell = document.querySelector('.heat td:not(.na)'); cell.className = name;
            const style = getComputedStyle(cell); return [style.backgroundColor, style.color];
        })"""
    )
    backs = [lightness(back) for back, _ in shades]
    assert backs == sorted(backs, reverse=True)
    assert all((one + 0.05) / (other + 0.05) > 1.2 for one, other in pairwise(backs))
    for back, ink in shades:
        bright, dark = sorted((lightness(back), lightness(ink)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5
    hatched = seen.page.locator(".heat td.na").first.evaluate("cell => getComputedStyle(cell).backgroundImage")
    assert "repeating-linear-gradient" in hatched
    seen.page.close()


@pytest.mark.browser
def test_lines_have_gaps_and_are_thin_however_wide_the_chart(browser, files):
    seen = visit(browser, files["annual"])
    path = seen.page.locator("defs path[id^=line-]").nth(1)
    assert (path.get_attribute("d") or "").count("M") > 5
    assert path.evaluate("path => getComputedStyle(path).vectorEffect") == "non-scaling-stroke"
    chart = seen.page.locator("svg.chart").first.bounding_box()
    assert chart["width"] > 1000
    assert "1月" in seen.page.locator("svg.chart").first.text_content()
    assert "100分" in seen.page.locator("svg.chart").first.text_content()
    seen.page.close()


@pytest.mark.browser
@pytest.mark.parametrize(("name", "least"), [("annual", 34 + 6), ("daily", 1)])
def test_on_paper_every_section_begins_a_sheet_and_nothing_is_cut(browser, files, name, least):
    seen = visit(browser, files[name])
    paper = PdfReader(BytesIO(seen.page.pdf(prefer_css_page_size=True)))
    assert len(paper.pages) > least
    seen.page.emulate_media(media="print")
    for width, parts in ((680, "main > section:not(#rows)"), (1040, "#rows")):  # 180 mm, and 277 mm across
        seen.page.set_viewport_size({"width": width, "height": 900})
        assert all(part.evaluate(INSIDE) for part in seen.page.query_selector_all(parts))
    if name == "annual":
        across = [sheet for sheet in paper.pages if sheet.mediabox.width > sheet.mediabox.height]
        assert len(across) == 1, "the coloured table is one sheet"
        for sheet in (paper.pages[0], *across, paper.pages[-1]):
            assert "暂定" in sheet.extract_text(), "every sheet says that nothing is settled"
    seen.page.close()
