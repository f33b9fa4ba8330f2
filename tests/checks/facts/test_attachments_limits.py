"""Small files that would cost much: each is refused before the work is done, by counting, not by the clock."""

from __future__ import annotations

import io

import pypdf
import pytest
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject

from checks.facts.attachments import AttachmentLimits, read_attachment
from checks.facts.model import AttachmentState
from tests.checks.facts.attachment_files import ofd, word97, zipped

LIMITS = AttachmentLimits(operations=100_000, markup=20_000, tables=50)


def test_the_limits_leave_room_for_what_is_usual() -> None:
    rows = [(["1", "许可", "结果"], [0, 1000, 2000, 3000], [])] * 200
    assert read_attachment(word97(*rows), name="a.doc", limits=LIMITS).state is AttachmentState.READ


# ---------------------------------------------------------------- XML

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def relations(target: str, kind: str) -> str:
    return (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{RELATIONS}/{kind}" Target="{target}"/></Relationships>'
    )


def document(inner: str, part: str = "word/document.xml") -> bytes:
    parts = {"word/document.xml": "<other/>", "_rels/.rels": relations(part, "officeDocument")}
    return zipped(parts | {part: f'<w:document xmlns:w="{WORD}"><w:body>{inner}</w:body></w:document>'})


def spreadsheet(rows: str) -> bytes:
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
            f'<Override PartName="/xl/s.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
            "_rels/.rels": relations("xl/workbook.xml", "officeDocument"),
            "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{RELATIONS}">'
            '<sheets><sheet name="目录" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relations("s.xml", "worksheet"),
            "xl/s.xml": f'<worksheet xmlns="{SHEET}"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


TABLE = "<w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param("a.docx", document(TABLE * 51), id="tiny tables"),
        pytest.param("a.docx", document("<w:p/>" * 20_000), id="tags"),
        pytest.param(
            "a.docx",
            document(
                "<w:tbl>"
                + '<w:tr><w:tc><w:tcPr><w:gridSpan w:val="200"/></w:tcPr><w:p/></w:tc></w:tr>' * 600
                + "</w:tbl>"
            ),
            id="spans",
        ),
        pytest.param("a.xlsx", spreadsheet('<row r="2000000000"><c r="A2000000000"><v>1</v></c></row>'), id="far row"),
        pytest.param(
            "a.xlsx", spreadsheet("".join(f'<row r="{n}"><c r="XFD{n}"/></row>' for n in range(1, 20))), id="wide rows"
        ),
        pytest.param("a.ofd", ofd(*[[(n, "甲") for n in range(100)]] * 60), id="pieces of text"),
        pytest.param("a.rtf", b"{\\rtf1" + b"\\par" * 60_000, id="rich text"),
        pytest.param("a.csv", b",\n" * 60_000, id="blank rows"),
    ],
)
def test_small_files_that_cost_much(name: str, body: bytes) -> None:
    facts = read_attachment(body, name=name, limits=LIMITS)
    assert (facts.state, facts.text) == (AttachmentState.TOO_LARGE, "")


def test_a_document_lies_where_the_package_says() -> None:
    text = "<w:p><w:r><w:t>甲乙丙丁</w:t></w:r></w:p>"
    assert read_attachment(document(text, "word/document2.xml"), name="a.docx").text == "甲乙丙丁"


def test_a_document_of_pictures_is_a_scan() -> None:
    picture = "<w:p><w:r><w:drawing/></w:r></w:p>"
    assert read_attachment(document(picture), name="a.docx").state is AttachmentState.SCANNED
    captioned = picture + "<w:p><w:r><w:t>栾城区教育局</w:t></w:r></w:p>"
    assert read_attachment(document(captioned), name="a.docx").state is AttachmentState.READ
    assert read_attachment(document("<w:p/>"), name="a.docx").state is AttachmentState.READ


# ---------------------------------------------------------------- PDF


def stream(data: bytes, **entries: object) -> StreamObject:
    made = StreamObject()
    made.set_data(data)
    made.update({NameObject(f"/{key}"): value for key, value in entries.items()})
    return made


def pdf(content: bytes, *, pages: int = 1, characters: bytes = b"", form: bytes = b"", depth: int = 0) -> bytes:
    """A PDF of equal pages with one font; the form draws itself, `depth` times over, from a copy."""
    writer = pypdf.PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type0"),
            NameObject("/BaseFont"): NameObject("/Song"),
            NameObject("/Encoding"): NameObject("/Identity-H"),
            NameObject("/ToUnicode"): writer._add_object(stream(characters)),
        }
    )
    resources = DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/F"): writer._add_object(font)})})
    for _ in range(depth):
        box = ArrayObject(NumberObject(value) for value in (0, 0, 1, 1))
        drawn = stream(form, Type=NameObject("/XObject"), Subtype=NameObject("/Form"), BBox=box, Resources=resources)
        held = DictionaryObject({NameObject("/X"): writer._add_object(drawn)})
        resources = DictionaryObject({**resources, NameObject("/XObject"): held})
    for _ in range(pages):
        page = writer.add_blank_page(595, 842)
        page[NameObject("/Contents")] = writer._add_object(stream(content))
        page[NameObject("/Resources")] = resources
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


TEXT = b"BT /F 14 Tf 60 780 Td <683e57ce533a6559> Tj ET"
ALL = b"beginbfrange\n%s\nendbfrange"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(pdf(TEXT, characters=ALL % b"<0000> <7FFF> <0000>"), id="range"),
        pytest.param(pdf(TEXT, characters=ALL % b"0000 7FFF 0000"), id="bare range"),
        pytest.param(pdf(TEXT, characters=ALL % b"<00 00> <7F FF> <0000>"), id="spaced range"),
        pytest.param(pdf(TEXT, characters=ALL % (b"<0000> <03FF> <0000>\n" * 30)), id="range many times"),
        pytest.param(pdf(TEXT, pages=30, characters=ALL % b"<4E00> <51FF> <4E00>"), id="range on many pages"),
        pytest.param(pdf(b"BT /F 1 Tf " + b"<4e00> Tj " * 6_000 + b"ET"), id="strings"),
        pytest.param(pdf(b"BT /F 1 Tf [" + b"<4e00> 9 " * 6_000 + b"] TJ ET"), id="strings in one"),
        pytest.param(pdf(b"0 0 m " * 30_000 + TEXT), id="lines"),
        pytest.param(pdf(TEXT + b"/X Do " * 10, form=TEXT + b"/X Do " * 10, depth=5), id="forms in forms"),
        pytest.param(pdf(b"/X Do", form=b"BT /F 1 Tf " + b"<4e> Tj " * 6_000 + b"ET", depth=1), id="strings in a form"),
        pytest.param(
            pdf(b"/X Do " * 50, form=TEXT, depth=1, characters=ALL % b"<4E00> <51FF> <4E00>"), id="fonts in forms"
        ),
    ],
)
def test_small_pdfs_that_cost_much(body: bytes) -> None:
    facts = read_attachment(body, name="a.pdf", limits=LIMITS)
    assert (facts.state, facts.text) == (AttachmentState.TOO_LARGE, "")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(pdf(TEXT, characters=ALL % b"<4E00> <9FA5> <4E00>"), id="range"),
        pytest.param(pdf(b"/X Do", form=TEXT, depth=1, characters=ALL % b"<4E00> <9FA5> <4E00>"), id="form"),
    ],
)
def test_pdfs_within_the_usual_limits(body: bytes) -> None:
    assert read_attachment(body, name="a.pdf").text.strip() == "栾城区教"
