"""通报, 得分单 and 整改通知单: in official form, true to the year's values, harmless, and the same bytes each time."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from lxml import etree
from openpyxl import load_workbook
from pypdf import PdfReader

from config.schema import UnitKind
from reports.annual_circular import annual_circular
from reports.official_document import LONGEST, Column, OfficialDocument, Style, chinese_date, document_text, numeral
from reports.rectification import MOST_PICTURES, rectification_list, rectification_notice
from reports.unit_sheet import unit_sheet
from scoring.review import FaultState
from tests.reports.made_notices import DAY, OFFICE, made_item, made_notice, png, whole
from tests.reports.made_year import CORRECTED, MADE_ON, made_report, published

HOSTILE = (
    '=HYPERLINK("http://evil.example","点我")\x00\x07\x1b[31m\n\r\t\x0b\u202e\ud83d<w:p>&amp;{ INCLUDETEXT "x" }\ufffe'
)
COUNTED = set(FaultState) - {FaultState.PENDING, FaultState.REVOKED, FaultState.WAIVED}
THIRTY = made_notice(
    *(
        made_item(
            number,
            target="http://www.portal.example/" + "a" * 40 * number,
            passage="很长的原文，" * 20 * number,
            screenshot=png(320, 700, shade=number) if number % 4 == 0 else None,
            overdue_days=3 if number < 3 else 0,
            deadline=date(2026, 11, 20) if number < 3 else date(2026, 11, 30),
        )
        for number in range(30)
    )
)


@pytest.fixture(scope="module")
def year():
    return published(made_report())


@pytest.fixture(scope="module")
def provisional():
    return made_report(complete=False)


@pytest.fixture(scope="module")
def written(year, provisional):
    """Every kind of document once, by file name."""
    hostile = made_notice(made_item(**dict.fromkeys(("target", "observed", "passage", "where"), HOSTILE)), unit=HOSTILE)
    return {
        "circular.docx": annual_circular(year),
        "provisional.docx": annual_circular(provisional),
        "alone.docx": annual_circular(made_report(units=1, faults=0)),
        "unit.docx": unit_sheet(provisional, provisional.units[3]),
        "notice.docx": rectification_notice(THIRTY),
        "hostile.docx": rectification_notice(hostile),
        "list.xlsx": rectification_list([THIRTY, hostile], DAY),
    }


def opened(content):
    return Document(BytesIO(content))


def texts(content, style=None):
    """Return the paragraphs outside tables, those of one style alone if given."""
    return [p.text for p in opened(content).paragraphs if p.text and style in (None, p.style.name)]


def cells(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


# ---------------------------------------------------------------- form


def test_a_document_is_laid_out_as_the_standard_says(written):
    section = opened(written["circular.docx"]).sections[0]
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(margin.mm) for margin in margins] == [37, 35, 28, 26]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    styles = opened(written["circular.docx"]).styles
    body = styles[Style.TEXT]
    assert body.font.size.pt == 16
    assert round(225 / 25.4 * 72 / body.paragraph_format.line_spacing.pt) == 22
    assert body.element.pPr.find(qn("w:ind")).get(qn("w:firstLineChars")) == "200"
    assert int(156 / 25.4 * 72 / (16 + int(body.element.rPr.find(qn("w:spacing")).get(qn("w:val"))) / 20)) == 28


@pytest.mark.parametrize(
    ("style", "font", "size"),
    [
        (Style.TITLE, "方正小标宋简体", 22),
        (Style.TEXT, "仿宋_GB2312", 16),
        (Style.HEADING, "黑体", 16),
        (Style.SUBHEADING, "楷体_GB2312", 16),
        (Style.PAGE_NUMBER, "宋体", 14),
    ],
)
def test_fonts_are_those_of_the_standard_for_chinese_too(written, style, font, size):
    made = opened(written["circular.docx"]).styles[style]
    fonts = made.element.rPr.find(qn("w:rFonts"))
    assert {fonts.get(qn(f"w:{script}")) for script in ("ascii", "hAnsi", "eastAsia")} == {font}
    assert made.font.size.pt == size


def test_page_numbers_stand_outside(written):
    document = opened(written["circular.docx"])
    assert document.settings.odd_and_even_pages_header_footer
    odd, even = document.sections[0].footer.paragraphs[0], document.sections[0].even_page_footer.paragraphs[0]
    assert (odd.alignment, even.alignment) == (2, 0)
    assert [[run.text for run in p.runs] for p in (odd, even)] == [["— ", " —"]] * 2
    assert [p._p.find(qn("w:fldSimple")).get(qn("w:instr")) for p in (odd, even)] == ["PAGE", "PAGE"]


def test_the_signature_is_right_with_the_office_over_the_middle_of_the_date(year):
    office, dated = opened(annual_circular(year)).paragraphs[-8:], None
    signed = [p for p in opened(annual_circular(year)).paragraphs if p.style.name == Style.SIGNATURE]
    office, dated = signed
    assert (office.text, dated.text) == (OFFICE, "2027年1月15日")
    assert dated.paragraph_format.right_indent.pt == 4 * 16
    middle = [64 + 104 / 2, office.paragraph_format.right_indent.pt + 14 * 15.75 / 2]
    assert middle[0] == pytest.approx(middle[1], abs=1)
    assert office.paragraph_format.keep_with_next


def test_a_long_office_stays_within_the_text_and_over_its_date():
    document = OfficialDocument("标题", "机关", DAY)
    document.signature("石家庄市栾城区政务公开工作领导小组办公室及其他部门", DAY)
    office, dated = [p.paragraph_format.right_indent.pt for p in opened(document.content()).paragraphs[-2:]]
    assert office == pytest.approx(0, abs=1)
    assert dated > 64


@pytest.mark.parametrize("name", ["circular.docx", "unit.docx", "notice.docx"])
def test_tables_repeat_their_heads_and_break_no_row(written, name):
    tables = opened(written[name]).tables
    for table in tables:
        assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)
    heads = [table for table in tables if table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None]
    assert all(len(set(cells(table)[0])) == len(table.columns) for table in heads)
    assert heads


def test_columns_fill_the_width_of_the_text(written):
    for name, wide in (("circular.docx", 225), ("unit.docx", 156), ("notice.docx", 156)):
        widths = {round(sum(column.width.mm for column in table.columns)) for table in opened(written[name]).tables}
        assert widths <= {156, wide}


@pytest.mark.parametrize(("number", "text"), [(1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (34, "三十四")])
def test_headings_count_in_chinese(number, text):
    assert numeral(number) == text


# ---------------------------------------------------------------- 通报


def test_the_circular_begins_and_ends_as_official_documents_do(year):
    content = annual_circular(replace(year, document_number="石栾政办函〔2027〕3号"))
    assert texts(content, Style.NUMBER) == ["石栾政办函〔2027〕3号"]
    title = texts(content, Style.TITLE)[0]
    assert title.replace("\n", "") == f"{OFFICE}关于2026年度政务公开工作考核结果的通报"
    assert texts(content, Style.RECIPIENTS) == ["各乡镇人民政府，区政府各部门："]
    assert [text[:2] for text in texts(content, Style.HEADING)] == ["一、", "二、", "三、", "四、"]
    assert texts(content, Style.ENCLOSURES) == ["附件：1.各单位各项得分表", "2.单项否决和通报扣分情况"]
    assert texts(content, Style.SIGNATURE) == [OFFICE, chinese_date(MADE_ON)]
    assert texts(content, Style.SUBTITLE) == []


def test_the_circular_ranks_every_unit_with_its_points(year):
    townships, departments = opened(annual_circular(year)).tables[:2]
    for table, kind in ((townships, UnitKind.TOWNSHIP), (departments, UnitKind.DEPARTMENT)):
        told = [[str(u.result.rank), u.name, f"{u.result.total:.2f}"] for u in year.league(kind)]
        assert cells(table) == [["名次", "单位", "得分"], *told]
    ranks = [row[0] for row in cells(departments)[1:]]
    assert len(set(ranks)) < len(ranks)
    assert "得分相同的名次相同" in whole(annual_circular(year))


def test_the_enclosed_table_holds_every_row_of_every_unit(year):
    document = opened(annual_circular(year))
    assert [section.orientation for section in document.sections] == [
        WD_ORIENT.PORTRAIT,
        WD_ORIENT.LANDSCAPE,
        WD_ORIENT.PORTRAIT,
    ]
    head, *rows = cells(document.tables[3])
    assert len(rows) == 27
    for row, unit in zip(rows, year.league(UnitKind.DEPARTMENT), strict=True):
        finals = {f"{of.id}": of for of in unit.result.indicators}
        for title, text in zip(head[2:-1], row[2:-1], strict=True):
            assert Decimal(text.rstrip("*")) == pytest.approx(
                Decimal(float(finals[title].final)), abs=Decimal("0.0051")
            )
            assert text.endswith("*") is finals[title].na


def test_a_table_with_many_rows_is_parted(year):
    more = tuple(row.model_copy(update={"id": f"{row.id}{mark}"}) for mark in "ab" for row in year.table.indicators)
    table = year.table.model_copy(update={"indicators": more})
    tables = opened(annual_circular(replace(year, table=table))).tables
    assert all(len(table.columns) <= 25 for table in tables)
    assert {title for table in tables for title in cells(table)[0]} >= {row.id for row in more}


def test_only_faults_that_count_are_counted(year):
    counted = [(u.name, f) for u in year.units for f in u.faults if f.state in COUNTED]
    assert any(f.state not in COUNTED for u in year.units for f in u.faults)
    text = whole(annual_circular(year))
    assert f"计入得分的问题共{len(counted)}个，涉及{len({name for name, _ in counted})}个单位" in text
    check, most = Counter(f.check for _, f in counted).most_common(1)[0]
    assert f"{check}问题{most}个" in text


def test_a_year_without_faults_says_so_and_blames_nobody():
    text = whole(annual_circular(made_report(units=1, faults=0)))
    assert text.count("日常检查没有计入得分的问题。") == 2
    assert "参加考核的乡镇为" in text
    assert "部门" not in text.partition("附件：")[0].replace("区政府各部门", "")


def test_a_year_that_nobody_inspected_or_marked_can_be_written(year):
    units = tuple(
        replace(
            unit,
            faults=(),
            result=replace(
                unit.result,
                published=(),
                withheld=(),
                vetoes=(),
                indicators=tuple(
                    replace(row, marks=(), deductions=(), site=None, mark=None, final=None, missing="缺考核组评分")
                    for row in unit.result.indicators
                ),
            ),
        )
        for unit in year.units
    )
    text = whole(annual_circular(replace(year, units=units, version=None, versions=())))
    assert "没有巡查结果" in text
    assert "尚未收到评分" in text


def test_a_result_that_is_not_published_says_so_and_what_is_missing(provisional):
    content = annual_circular(provisional)
    assert texts(content, Style.SUBTITLE) == ["（暂定，未发布）"]
    assert texts(content, Style.ENCLOSURES)[-1] == "3.尚缺的内容"
    rows = cells(opened(content).tables[-1])[1:]
    wanting = {(what, name) for name, missing in provisional.missing for what in missing}
    assert sum(int(row[1]) for row in rows) == len(wanting)
    assert f"{len(provisional.missing)}个单位共{len(wanting)}项" in whole(content)


def test_a_complete_result_that_is_not_published_is_a_draft():
    assert texts(annual_circular(made_report()), Style.SUBTITLE) == ["（送审稿，未发布）"]


def test_every_page_of_what_is_not_published_says_so(written, year):
    for content in (written["provisional.docx"], written["unit.docx"]):
        first, *others = opened(content).sections
        assert first.header.paragraphs[0].text == first.even_page_header.paragraphs[0].text == "暂定，未发布"
        assert all(section.header.is_linked_to_previous for section in others)
    assert opened(annual_circular(year)).sections[0].header.is_linked_to_previous


def test_a_correction_says_what_changed_and_why(year):
    content = annual_circular(published(year, CORRECTED))
    assert texts(content, Style.SUBTITLE) == ["（第2版，更正）"]
    text = whole(content)
    assert f"替代2027年1月15日发布的第1版，以本版为准。更正原因：{CORRECTED.why}。" in text
    assert all(change in text for change in CORRECTED.changes)


# ---------------------------------------------------------------- 得分单


def test_a_unit_sheet_shows_every_row_and_the_sum(provisional):
    for unit in provisional.units[::9]:
        content = unit_sheet(provisional, unit)
        table = opened(content).tables[0]
        rows = cells(table)[1:]
        assert [row[0].split()[0] for row in rows[: len(unit.result.indicators)]] == [
            r.id for r in unit.result.indicators
        ]
        assert rows[-1][6] == f"{unit.result.total:.2f}"
        assert f"列第{unit.result.rank}名" in whole(content)
        assert texts(content, Style.RECIPIENTS) == [f"{unit.name}："]


def test_a_unit_sheet_lists_faults_deductions_vetoes_and_the_way_to_appeal(year):
    unit = next(u for u in year.units if u.name == "区财政局")
    unit = replace(unit, faults=next(u.faults for u in year.units if len(u.faults) > 3))
    content = unit_sheet(year, unit)
    listed = cells(opened(content).tables[1])[1:]
    assert [int(row[0]) for row in listed] == [fault.number for fault in unit.faults]
    text = whole(content)
    assert "单项否决：首页不更新，共3天" in text
    assert "5.3项扣1分" in text
    assert all(f"“{state}”" in text for state in (FaultState.APPEALED, FaultState.UPHELD, FaultState.REVOKED))


def test_a_unit_sheet_says_what_is_missing(provisional):
    unit = next(u for u in provisional.units if u.result.missing)
    text = whole(unit_sheet(provisional, unit))
    assert all(missing in text for missing in unit.result.missing)
    assert "（暂定，未发布）" in text


# ---------------------------------------------------------------- 整改通知单


def test_a_notice_tells_page_passage_clause_and_deadline_of_every_fault():
    text = whole(rectification_notice(THIRTY))
    for item in THIRTY.items:
        assert f"{item.check}：{item.problem}（编号{item.number}）" in text
        assert item.target in text
        assert item.basis in text
    assert "你单位有30个政务公开方面的问题" in text
    assert "其中3个问题在期限过后的巡查中仍然存在，最长已逾期3天" in text
    assert "2026年11月20日（已逾期3天）" in text


def test_a_notice_ends_with_a_receipt_to_fill_in():
    *_, listed, signed = opened(rectification_notice(THIRTY)).tables
    assert [row[0] for row in cells(listed)[1:]] == [str(place) for place in range(1, 31)]
    assert all(row[3] == row[4] == "" for row in cells(listed)[1:])
    assert {text for row in cells(signed) for text in row} >= {"签收人", "单位负责人（签字、盖章）", ""}


def test_screenshots_are_shown_once_a_page_and_fit_the_text():
    shared = png(1280, 3000)
    notice = made_notice(made_item(1, screenshot=shared), made_item(2, screenshot=shared))
    document = opened(rectification_notice(notice))
    (shape,) = document.inline_shapes
    assert shape.width.mm < 136
    assert shape.height.mm <= 0.8 * shape.width.mm + 1
    assert "见第1项" in whole(rectification_notice(notice))


@pytest.mark.parametrize("screenshot", [b"", b"<svg onload=alert(1)>", png()[:60]])
def test_a_screenshot_that_is_no_picture_is_left_out(screenshot):
    content = rectification_notice(made_notice(made_item(screenshot=screenshot)))
    assert not opened(content).inline_shapes
    assert "截图文件不能用" in whole(content)


def test_a_missing_screenshot_is_told_and_stops_nothing():
    content = rectification_notice(made_notice(made_item(screenshot_note="截图缺失"), made_item(2)))
    assert whole(content).count("截图缺失") == 1


def test_a_notice_bears_only_so_many_pictures():
    items = [made_item(number, screenshot=png(8, 8, shade=number)) for number in range(MOST_PICTURES + 3)]
    content = rectification_notice(made_notice(*items))
    assert len(opened(content).inline_shapes) == MOST_PICTURES
    assert whole(content).count("从略") == 3


def test_the_list_has_what_is_longest_overdue_first_and_marks_it():
    late = made_item(9, overdue_days=12, deadline=date(2026, 11, 11))
    sheet = load_workbook(BytesIO(rectification_list([THIRTY, made_notice(late)], DAY))).active
    rows = list(sheet.iter_rows(min_row=5, values_only=True))
    assert len(rows) == 31
    assert [row[0] for row in rows[:5]] == ["逾期12天", "逾期3天", "逾期3天", "逾期3天", None]


# ---------------------------------------------------------------- hostile text


def test_hostile_text_stays_text(written, year):
    spoilt = replace(
        year,
        units=tuple(
            replace(u, name=HOSTILE, faults=tuple(replace(f, target=HOSTILE, observed=HOSTILE) for f in u.faults))
            for u in year.units[:4]
        ),
    )
    for content in (written["hostile.docx"], annual_circular(spoilt), unit_sheet(spoilt, spoilt.units[0])):
        text = whole(content)
        assert '=HYPERLINK("http://evil.example","点我")' in text
        assert not {"\x00", "\x07", "\x1b", "\u202e", "\ufffe"} & set(text)
        marked = etree.fromstring(ZipFile(BytesIO(content)).read("word/document.xml"))
        assert not list(marked.iter(qn("w:hyperlink"), qn("w:instrText"), qn("w:fldSimple"), qn("w:fldChar")))


def test_hostile_text_is_no_formula(written):
    book = load_workbook(BytesIO(written["list.xlsx"]))
    assert not {"f", "e"} & {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}


def test_text_is_bounded_and_on_one_line():
    assert document_text("一\n二\t三\u2028四") == "一 二 三 四"
    assert len(document_text("长" * 100_000)) < LONGEST + 20


@pytest.mark.parametrize("name", ["circular.docx", "unit.docx", "notice.docx", "hostile.docx", "list.xlsx"])
def test_every_part_is_well_formed_and_nothing_lies_outside(written, name):
    with ZipFile(BytesIO(written[name])) as package:
        for part in package.namelist():
            if part.endswith((".xml", ".rels")):
                etree.fromstring(package.read(part))
            if part.endswith(".rels") and name.endswith(".docx"):
                assert b"External" not in package.read(part)
        assert package.testzip() is None


# ---------------------------------------------------------------- the same bytes


def test_the_same_year_gives_the_same_bytes(written, year, provisional):
    assert annual_circular(year) == written["circular.docx"]
    assert unit_sheet(provisional, provisional.units[3]) == written["unit.docx"]
    assert rectification_notice(THIRTY) == written["notice.docx"]


def test_a_document_bears_no_time_but_the_day_of_its_report(written):
    properties = opened(written["circular.docx"]).core_properties
    assert (properties.created.date(), properties.modified.date()) == (MADE_ON, MADE_ON)
    assert (properties.author, properties.last_modified_by) == (OFFICE, OFFICE)
    entries = ZipFile(BytesIO(written["circular.docx"])).infolist()
    assert {entry.date_time for entry in entries} == {(2027, 1, 15, 0, 0, 0)}


def test_a_long_table_of_long_words_is_written():
    document = OfficialDocument("标题", "机关", DAY)
    document.table((Column("甲", 20), Column("乙", 136)), [("a" * 500, "b" * 5000)] * 200)
    assert len(opened(document.content()).tables[0].rows) == 201


# ---------------------------------------------------------------- an office program


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_an_office_program_opens_every_file(written, tmp_path):
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    subprocess.run(
        [
            "soffice",
            "--headless",
            profile,
            "--convert-to",
            "pdf",
            "--outdir",
            tmp_path,
            *map(tmp_path.joinpath, written),
        ],
        check=True,
        capture_output=True,
        timeout=240,
    )
    pages = {name: PdfReader((tmp_path / name).with_suffix(".pdf")).pages for name in written}
    assert 6 <= len(pages["circular.docx"]) <= 14
    assert len(pages["alone.docx"]) <= 5
    for name in ("circular.docx", "unit.docx", "notice.docx"):
        for number, page in enumerate(pages[name], start=1):
            text = page.extract_text()
            assert f"— {number} —" in text
            assert text.replace(f"— {number} —", "").strip(), f"{name}: page {number} is empty"
