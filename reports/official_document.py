"""公文格式: Chinese official documents by GB/T 9704-2012 as .docx.

A4, 版心 156 × 225 mm, 22 lines of 28 characters; title 2号 小标宋, text 3号 仿宋, headings 黑体 and 楷体, page numbers
4号 “— 1 —” on the outer side. The red head and the 版记 are the printer's and are not made here. Text of inspected
pages is hostile: whatever is written goes through `document_text`, and no text ever becomes a field or a link.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.oxml import serialize_part_xml
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Length, Mm, Pt
from docx.styles.style import ParagraphStyle
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

from reports.package_times import with_times_of
from reports.pictures import Picture

TEXT_WIDTH, WIDE_TEXT_WIDTH = 156.0, 225.0  # mm, portrait and landscape
BODY = 16  # 三号, in points
LINE = Pt(28.95)  # 22 lines on 225 mm
LONGEST = 2_000  # characters of one piece of text
_NAMES = 20.0  # mm, the column of names beside values
_GAP = Pt(6)  # between text and the table below it
_BY_HAND = Mm(13)  # height of a row that somebody writes into
SHORT = 12  # rows of a table that is not broken over pages
_PITCH = -5  # twentieths of a point between characters: 28 of 三号 on 156 mm
_SONG, _FANG, _HEI, _KAI, _TITLE = "宋体", "仿宋_GB2312", "黑体", "楷体_GB2312", "方正小标宋简体"
_OTHER_NAMES = {
    _SONG: "SimSun",
    _FANG: "仿宋",
    _HEI: "SimHei",
    _KAI: "楷体",
    _TITLE: "宋体",
}  # taken where one is missing
_KEPT_STYLES = ("Normal", "Default Paragraph Font", "Normal Table", "No List", "Table Grid")
_UNUSED = ("thumbnail", "stylesWithEffects", "numbering", "customXml")  # kinds of parts
_DIGITS = "零一二三四五六七八九"
_LANGUAGE = "zh-CN"


class Style(StrEnum):
    """What a paragraph is; the value is its style's name in the document."""

    NUMBER = "发文字号"
    TITLE = "公文标题"
    SUBTITLE = "公文题注"
    RECIPIENTS = "主送机关"
    TEXT = "公文正文"
    HEADING = "公文一级标题"
    SUBHEADING = "公文二级标题"
    NOTE = "表注"
    ENCLOSURES = "附件说明"
    SIGNATURE = "落款"
    ENCLOSURE = "附件序号"
    CAPTION = "表题"
    TABLE_HEAD = "表头"
    TABLE_TEXT = "表内文字"
    SMALL_HEAD = "小表头"
    SMALL_TEXT = "小表内文字"
    FINE_HEAD = "细表头"
    FINE_TEXT = "细表内文字"
    GAP = "表间空隙"
    MARK = "页眉标记"
    PAGE_NUMBER = "公文页码"


class Size(StrEnum):
    """字号 of the text in a table."""

    FIVE = "五号"
    SMALL_FIVE = "小五"
    SIX = "六号"


@dataclass(frozen=True, slots=True)
class _Look:
    """How a style looks: sizes, line heights and indents in points; `indent` of the first line in characters."""

    font: str
    size: float
    line: float | None = None  # None: as high as what stands in it
    alignment: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.LEFT
    indent: int = 0
    before: float = 0
    after: float = 0
    keep: bool = False  # with the next paragraph
    outline: int | None = None  # level in the navigation


_BOTH, _CENTRE, _LEFT = WD_ALIGN_PARAGRAPH.JUSTIFY, WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT
_LOOKS = {
    Style.NUMBER: _Look(_FANG, BODY, LINE.pt, _CENTRE, after=LINE.pt),
    Style.TITLE: _Look(_TITLE, 22, 35, _CENTRE, keep=True, outline=0),
    Style.SUBTITLE: _Look(_KAI, BODY, LINE.pt, _CENTRE, keep=True),
    Style.RECIPIENTS: _Look(_FANG, BODY, LINE.pt, before=LINE.pt, keep=True),
    Style.TEXT: _Look(_FANG, BODY, LINE.pt, _BOTH, indent=2),
    Style.HEADING: _Look(_HEI, BODY, LINE.pt, _BOTH, indent=2, keep=True, outline=1),
    Style.SUBHEADING: _Look(_KAI, BODY, LINE.pt, _BOTH, indent=2, keep=True, outline=2),
    Style.NOTE: _Look(_SONG, 10.5, 16, _BOTH, before=4, after=10),
    Style.ENCLOSURES: _Look(_FANG, BODY, LINE.pt, _BOTH, keep=True),
    Style.SIGNATURE: _Look(_FANG, BODY, LINE.pt, WD_ALIGN_PARAGRAPH.RIGHT),
    Style.ENCLOSURE: _Look(_HEI, BODY, LINE.pt, keep=True),
    Style.CAPTION: _Look(_HEI, 12, 20, _CENTRE, before=6, after=4, keep=True),
    Style.TABLE_HEAD: _Look(_HEI, 10.5, 15, _CENTRE, keep=True),
    Style.TABLE_TEXT: _Look(_SONG, 10.5, 15),
    Style.SMALL_HEAD: _Look(_HEI, 9, 12, _CENTRE, keep=True),
    Style.SMALL_TEXT: _Look(_SONG, 9, 12),
    Style.FINE_HEAD: _Look(_HEI, 7.5, 10, _CENTRE, keep=True),
    Style.FINE_TEXT: _Look(_SONG, 7.5, 10),
    Style.GAP: _Look(_SONG, 5, 8),
    Style.MARK: _Look(_HEI, 10.5, 15, WD_ALIGN_PARAGRAPH.RIGHT),
    Style.PAGE_NUMBER: _Look(_SONG, 14, 14),
}
_CELLS = {
    Size.FIVE: (Style.TABLE_HEAD, Style.TABLE_TEXT),
    Size.SMALL_FIVE: (Style.SMALL_HEAD, Style.SMALL_TEXT),
    Size.SIX: (Style.FINE_HEAD, Style.FINE_TEXT),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, its width in mm, and whether its text stands in the middle."""

    heading: str
    width: float
    centred: bool = False


CellContent = str | Picture


class OfficialDocument:
    """A document being written from its first line to its last."""

    def __init__(self, title: str, author: str, day: date, mark: str = "") -> None:
        """Begin an empty document; title and author stand in its properties, `day` is the only time it carries.

        `mark` stands at the head of every page, for what is not published.
        """
        self._day = day
        self._document = Document(BytesIO(_stationery()))
        _set_properties(self._document, title, author, day)
        self._wide = False
        section = self._document.sections[0]
        self._set_page(section)
        for header in (section.header, section.even_page_header) if mark else ():
            header.paragraphs[0]._p.style = Style.MARK
            header.paragraphs[0].add_run(document_text(mark))

    @property
    def width(self) -> float:
        """The width of the text in mm."""
        return WIDE_TEXT_WIDTH if self._wide else TEXT_WIDTH

    # ------------------------------------------------------------ text

    def document_number(self, number: str) -> None:
        """Write the 发文字号; an empty one leaves room to fill it in by hand."""
        self.write(Style.NUMBER, number or f"　　　　〔{self._day.year}〕　　号")

    def title(self, *lines: str, remark: str = "") -> None:
        """Write the title, broken where its meaning allows, and under it a remark such as （暂定，未发布）."""
        paragraph = self.write(Style.TITLE, lines[0])
        for line in lines[1:]:
            paragraph.add_run().add_break(WD_BREAK.LINE)
            paragraph.add_run(document_text(line))
        if remark:
            self.write(Style.SUBTITLE, remark)

    def recipients(self, names: str) -> None:
        """Write the 主送, flush left, with a full-width colon."""
        self.write(Style.RECIPIENTS, f"{names.rstrip('：:')}：")

    def heading(self, number: int, text: str) -> None:
        """Write a heading of the first level: 一、…"""
        self.write(Style.HEADING, f"{numeral(number)}、{text}")

    def subheading(self, number: int, text: str) -> None:
        """Write a heading of the second level: （一）…"""
        self.write(Style.SUBHEADING, f"（{numeral(number)}）{text}")

    def point(self, number: int, lead: str, text: str) -> None:
        """Write a paragraph of the text that begins with its heading of the second level: （一）…。…"""
        paragraph = self.write(Style.TEXT, "")
        _set_fonts(paragraph.add_run(document_text(f"（{numeral(number)}）{lead}。")).font.element, _KAI)
        paragraph.add_run(document_text(text))

    def text(self, text: str) -> None:
        """Write a paragraph of the text."""
        self.write(Style.TEXT, text)

    def note(self, text: str) -> None:
        """Write a note below a table."""
        self.write(Style.NOTE, text)

    def caption(self, text: str) -> None:
        """Write a table's title above it."""
        self.write(Style.CAPTION, text)

    def write(self, style: Style, text: str) -> Paragraph:
        """Write a paragraph of a style."""
        paragraph = self._document.add_paragraph(document_text(text))
        paragraph._p.style = style  # a style's id is its name; looking it up would cost most of the time
        return paragraph

    # ------------------------------------------------------------ ending

    def enclosures(self, names: Sequence[str]) -> None:
        """Write the 附件说明: one line each, numbered when there are several; nothing for none."""
        self._keep_last()
        for number, name in enumerate(names, start=1):
            first = number == 1
            label = f"{number}." if len(names) > 1 else ""
            paragraph = self.write(Style.ENCLOSURES, ("附件：" if first else "") + label + name)
            hanging = (3 if first else 0) + (1 if label else 0)
            layout = paragraph.paragraph_format
            layout.left_indent, layout.first_line_indent = Pt(BODY * (6 if label else 5)), Pt(-BODY * hanging)
            layout.space_before = LINE if first else Pt(0)

    def signature(self, office: str, day: date) -> None:
        """Write the 落款: the date four characters from the right, the office centred over it; not alone on a page."""
        self._keep_last()
        dated = chinese_date(day)
        excess = (_width(office) - _width(dated)) / 2
        gap = max(4 * BODY, excess)
        signed = self.write(Style.SIGNATURE, office).paragraph_format
        signed.right_indent, signed.space_before, signed.keep_with_next = Pt(round(gap - excess)), Pt(2 * LINE.pt), True
        self.write(Style.SIGNATURE, dated).paragraph_format.right_indent = Pt(round(gap))

    def _keep_last(self) -> None:
        for paragraph in self._document.paragraphs[-1:]:
            paragraph.paragraph_format.keep_with_next = True

    def enclosure(self, title: str, number: int | None = None, *, wide: bool = False) -> None:
        """Begin an enclosure on a new page, in landscape if `wide`: 附件1 at the top left, its title in the middle."""
        self.new_page(wide=wide)
        self.write(Style.ENCLOSURE, f"附件{number or ''}")
        self.write(Style.TITLE, title).paragraph_format.space_after = Pt(12)

    def new_page(self, *, wide: bool = False) -> None:
        """Begin a new page, in landscape if `wide`."""
        self._wide = wide
        self._set_page(self._document.add_section())
        _end_in_the_last_paragraph(self._document.element.body)

    # ------------------------------------------------------------ tables

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[CellContent]], size: Size = Size.FIVE) -> None:
        """Write a table with a head that is repeated on every page; no row is broken, nor is a short table."""
        self._leave_a_gap()
        table = self._new_table(columns, size)
        head, body = _CELLS[size]
        first = self._add_row(table, columns, [column.heading for column in columns], head, [True] * len(columns))
        first._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
        centred = [column.centred for column in columns]
        for number, row in enumerate(rows, start=1):
            added = self._add_row(table, columns, row, body, centred)
            if len(rows) <= SHORT and number < len(rows):
                _keep_with_next(added)

    def record(self, heading: str, rows: Sequence[tuple[str, CellContent]], *, whole: bool = True) -> None:
        """Write one thing as a table of names and values under its own heading, `whole` where a page can hold it."""
        columns = (Column("", _NAMES, centred=True), Column("", self.width - _NAMES))
        table = self._new_table(columns, Size.FIVE)
        top = self._add_row(table, columns, (heading, ""), Style.TABLE_HEAD, (False, False))
        merged = top.cells[0].merge(top.cells[1])
        for spare in merged.paragraphs[1:]:
            spare._p.getparent().remove(spare._p)
        _shade(merged)
        for number, row in enumerate(rows, start=1):
            added = self._add_row(table, columns, row, Style.TABLE_TEXT, (True, False))
            if whole and number < len(rows):
                _keep_with_next(added)
        self.write(Style.GAP, "")

    def form(self, rows: Sequence[Sequence[str]]) -> None:
        """Write a table to be filled in by hand: in every row names, each with an empty cell behind it."""
        columns = [Column("", self.width / 2 / len(rows[0]))] * (2 * len(rows[0]))
        table = self._new_table(columns, Size.FIVE)
        for names in rows:
            cells = [text for name in names for text in (name, "")]
            row = self._add_row(table, columns, cells, Style.TABLE_TEXT, [True] * len(cells))
            row.height = _BY_HAND

    def _leave_a_gap(self) -> None:
        """Keep what a table follows off its upper line, unless it keeps off by itself."""
        above = [part for part in self._document.element.body if part.tag == qn("w:p")][-1:]
        for part in above:
            if not _LOOKS[Style(part.style)].after:
                Paragraph(part, self._document).paragraph_format.space_after = _GAP

    def _new_table(self, columns: Sequence[Column], size: Size) -> Table:
        table: Table = self._document.add_table(0, len(columns), "Table Grid")
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        for column, made in zip(columns, table.columns, strict=True):
            made.width = Mm(column.width)
        properties = table._tbl.tblPr
        _set_width(properties, sum(column.width for column in columns))
        _set_cell_margins(properties, size)
        return table

    def _add_row(
        self,
        table: Table,
        columns: Sequence[Column],
        contents: Sequence[CellContent],
        style: Style,
        centred: Sequence[bool],
    ) -> Any:
        row = table.add_row()
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        row.height, row.height_rule = Pt(_LOOKS[style].size * 1.9), WD_ROW_HEIGHT_RULE.AT_LEAST
        for cell, column, content, middle in zip(row.cells, columns, contents, centred, strict=True):
            cell.width, cell.vertical_alignment = Mm(column.width), WD_CELL_VERTICAL_ALIGNMENT.CENTER
            _fill(cell, content, style)
            cell.paragraphs[0].alignment = _CENTRE if middle else _LEFT
        return row

    # ------------------------------------------------------------ pages

    def content(self) -> bytes:
        """Return the .docx file; the same calls give the same bytes."""
        if self._document.element.body[-2].tag == qn("w:tbl"):  # the last is the section
            self.write(Style.GAP, "")
        content = BytesIO()
        self._document.save(content)
        return with_times_of(content.getvalue(), self._day)

    def _set_page(self, section: Section) -> None:
        """Give the section paper, margins and the place of its page number, 7 mm under the text."""
        wide = self._wide
        section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = (Mm(297), Mm(210)) if wide else (Mm(210), Mm(297))
        top, right, bottom, left = (28, 35, 26, 37) if wide else (37, 26, 35, 28)
        section.top_margin, section.bottom_margin = Mm(top), Mm(bottom)
        section.left_margin, section.right_margin = Mm(left), Mm(right)
        section.header_distance, section.footer_distance = Mm(15), Mm(bottom - 7 - 5)


# ---------------------------------------------------------------- text


def document_text(text: str, longest: int = LONGEST) -> str:
    """Return the text as a document can hold it: in one line, without control characters, and not too long."""
    spaced = "".join(" " if character in "\n\r\t\v\f\x85\u2028\u2029" else character for character in text)
    legal = "".join(character for character in spaced if unicodedata.category(character)[0] != "C")
    return legal if len(legal) <= longest else legal[:longest] + "……（过长，已截断）"


def chinese_date(day: date) -> str:
    """Return a date as official documents write it: 2027年1月5日."""
    return f"{day.year}年{day.month}月{day.day}日"


def numeral(number: int) -> str:
    """Return 1 to 99 as headings count: 一, 十, 十二, 二十, 九十九."""
    tens, ones = divmod(number, 10)
    leading = "" if tens < 2 else _DIGITS[tens]
    return leading + ("十" if tens else "") + (_DIGITS[ones] if ones or not tens else "")


def _width(text: str) -> float:
    """Return about how wide a line of 三号 is, in points: ASCII takes half a character."""
    return sum(BODY / 2 if character.isascii() else BODY + _PITCH / 20 for character in text)


# ---------------------------------------------------------------- what python-docx leaves to the XML


@cache
def _stationery() -> bytes:
    """Return an empty document with our styles, fonts and page numbers, made out of python-docx's own."""
    document = Document()
    _strip(document)
    _set_language(document)
    _set_font_table(document)
    _add_styles(document)
    _add_page_numbers(document)
    content = BytesIO()
    document.save(content)
    return content.getvalue()


def _strip(document: Any) -> None:
    """Drop what no document of ours uses: most styles, numberings, and the picture of an empty page."""
    for relations, unused in ((document.part.rels, _UNUSED), (document.part.package.rels, _UNUSED)):
        for key in [key for key, relation in relations.items() if relation.reltype.rpartition("/")[2] in unused]:
            del relations[key]
    for style in list(document.styles):
        if style.name not in _KEPT_STYLES:
            style.element.getparent().remove(style.element)


def _add_page_numbers(document: Any) -> None:
    """Number the pages on the outer side: odd ones right, even ones left, one character from the edge."""
    document.settings.odd_and_even_pages_header_footer = True
    section, size = document.sections[0], Pt(_LOOKS[Style.PAGE_NUMBER].size)
    odd, even = section.footer.paragraphs[0], section.even_page_footer.paragraphs[0]
    odd.alignment, even.alignment = WD_ALIGN_PARAGRAPH.RIGHT, _LEFT
    odd.paragraph_format.right_indent, even.paragraph_format.left_indent = size, size
    for paragraph in (odd, even):
        paragraph._p.style = Style.PAGE_NUMBER
        paragraph.add_run("— ")
        _add_page_field(paragraph)
        paragraph.add_run(" —")


def _set_properties(document: Any, title: str, author: str, day: date) -> None:
    properties = document.core_properties
    properties.title, properties.author = document_text(title, 200), document_text(author, 200)
    properties.last_modified_by, properties.comments = document_text(author, 200), ""
    properties.created = properties.modified = datetime(day.year, day.month, day.day)
    properties.language = _LANGUAGE


def _set_language(document: Any) -> None:
    """Have the text taken for Chinese, and no font for the theme's."""
    defaults = document.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    fonts, language = defaults.find(qn("w:rFonts")), defaults.find(qn("w:lang"))
    fonts.attrib.clear()
    for name in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(name), _FANG)
    for element in (language, document.settings.element.find(qn("w:themeFontLang"))):
        element.set(qn("w:eastAsia"), _LANGUAGE)


def _set_font_table(document: Any) -> None:
    """Name the fonts with those to take where they are not installed, in place of the template's own."""
    table = OxmlElement("w:fonts")
    for name, other in _OTHER_NAMES.items():
        font = OxmlElement("w:font", {qn("w:name"): name})
        for kind, value in (("w:altName", other), ("w:charset", "86"), ("w:family", "auto"), ("w:pitch", "default")):
            font.append(OxmlElement(kind, {qn("w:val"): value}))
        table.append(font)
    document.part.part_related_by(RELATIONSHIP_TYPE.FONT_TABLE)._blob = serialize_part_xml(table)


def _add_styles(document: Any) -> None:
    normal = document.styles["Normal"]
    normal.font.size = Pt(BODY)
    normal.paragraph_format.space_after = Pt(0)
    _set_fonts(normal.font.element, _FANG)
    for name, look in _LOOKS.items():
        _dress(document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH), look)


def _dress(style: ParagraphStyle, look: _Look) -> None:
    style.quick_style = True
    style.font.size = Pt(look.size)
    _set_fonts(style.font.element, look.font)
    if look.size == BODY:
        _add_pitch(style.font.element)
    paragraph = style.paragraph_format
    paragraph.alignment, paragraph.keep_with_next = look.alignment, look.keep
    paragraph.space_before, paragraph.space_after = Pt(look.before), Pt(look.after)
    paragraph.widow_control = True
    paragraph.line_spacing_rule = WD_LINE_SPACING.EXACTLY if look.line else WD_LINE_SPACING.SINGLE
    if look.line:
        paragraph.line_spacing = Pt(look.line)
    if look.indent:
        _set_indent(style.element.get_or_add_pPr(), look.indent)
    if look.outline is not None:
        style.element.get_or_add_pPr().get_or_add_outlineLvl().val = look.outline


def _set_fonts(element: Any, name: str) -> None:
    """Set one font for every script: 仿宋 and its like bring their own Latin letters, quotation marks and digits."""
    fonts = element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
        fonts.set(qn(attribute), name)
    fonts.set(qn("w:hint"), "eastAsia")


def _add_pitch(element: Any) -> None:
    spacing = OxmlElement("w:spacing")
    spacing.set(qn("w:val"), str(_PITCH))
    size = element.rPr.find(qn("w:sz"))
    size.addprevious(spacing)


def _set_indent(properties: Any, characters: int) -> None:
    """Indent the first line by characters, with the width in twips for programs that know nothing else."""
    indent = properties.get_or_add_ind()
    indent.set(qn("w:firstLineChars"), str(characters * 100))
    indent.set(qn("w:firstLine"), str(round(characters * (BODY * 20 + _PITCH))))


def _keep_with_next(row: Any) -> None:
    for cell in row.cells:
        cell.paragraphs[0].paragraph_format.keep_with_next = True


def _set_width(properties: Any, width: float) -> None:
    element = properties.find(qn("w:tblW"))
    element.set(qn("w:type"), "dxa")
    element.set(qn("w:w"), str(Mm(width).twips))


def _set_cell_margins(properties: Any, size: Size) -> None:
    """Leave room around the text of the cells: less of it where much stands beside each other."""
    side, above = (Mm(0.2), Mm(0.2)) if size is Size.SIX else (Mm(1.4), Mm(0.5))
    margins = OxmlElement("w:tblCellMar")
    for name, room in (("w:top", above), ("w:left", side), ("w:bottom", above), ("w:right", side)):
        margin = OxmlElement(name)
        margin.set(qn("w:w"), str(room.twips))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties.find(qn("w:tblLook")).addprevious(margins)


def _shade(cell: _Cell) -> None:
    shading = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", "EDEDED")):
        shading.set(qn(name), value)
    properties = cell._tc.get_or_add_tcPr()
    properties.insert_element_before(shading, "w:noWrap", "w:tcMar", "w:textDirection", "w:tcFitText", "w:vAlign")


def _fill(cell: _Cell, content: CellContent, style: Style) -> None:
    paragraph = cell.paragraphs[0]
    paragraph._p.style = style
    if isinstance(content, str):
        paragraph.add_run(document_text(content))
        return
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    assert cell.width is not None
    inline = paragraph.add_run().add_picture(BytesIO(content.png), width=Length(cell.width - Mm(3)))._inline
    inline.docPr.set("descr", content.description)
    for side in ("distT", "distB", "distL", "distR"):
        inline.set(side, "0")


def _end_in_the_last_paragraph(body: Any) -> None:
    """Have the last paragraph end the section, which else an empty one does, on a page of its own if need be."""
    empty = [part for part in body if part.tag == qn("w:p")][-1]
    last = empty.getprevious()
    if last.tag == qn("w:p"):
        last.get_or_add_pPr().append(empty.pPr.find(qn("w:sectPr")))
        body.remove(empty)
    else:
        empty.style = Style.GAP


def _add_page_field(paragraph: Paragraph) -> None:
    """Add the number of the page; the only field that a document has."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)
    run = paragraph.add_run("1")
    field.append(run._r)
