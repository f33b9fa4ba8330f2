"""What attached documents say, and how files that cannot be read come out."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import docx
import openpyxl
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from checks.facts.attachments import AttachmentLimits, read_attachment
from checks.facts.model import AttachmentFacts, AttachmentState, AttributePlace, OpenAttribute
from tests.checks.facts.attachment_files import compound

NOTE = "（此件公开发布）"

# ---------------------------------------------------------------- making files


def character_map(text: str) -> bytes:
    """What each two-byte code of the font means: the character of that number."""
    codes = sorted({character.encode("utf-16-be").hex().encode() for character in text if character != "\n"})
    pairs = b" ".join(b"<%s> <%s>" % (code, code) for code in codes)
    return (
        b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange "
        b"%d beginbfchar %s endbfchar endcmap end" % (len(codes), pairs)
    )


def stream(data: bytes, **entries: str) -> DecodedStreamObject:
    made = DecodedStreamObject()
    made.set_data(data)
    made.update({NameObject(f"/{key}"): NameObject(value) for key, value in entries.items()})
    return made


def pdf(*pages: str | None, password: str = "", owner: str | None = None) -> bytes:
    """A PDF with a page for each text; None is a page that is but a picture."""
    writer = pypdf.PdfWriter()
    font = DictionaryObject({NameObject(f"/{k}"): NameObject(v) for k, v in FONT.items()})
    font[NameObject("/ToUnicode")] = writer._add_object(stream(character_map("".join(filter(None, pages)))))
    descendant = DictionaryObject({NameObject(f"/{k}"): NameObject(v) for k, v in DESCENDANT.items()})
    font[NameObject("/DescendantFonts")] = pypdf.generic.ArrayObject([writer._add_object(descendant)])
    for text in pages:
        page = writer.add_blank_page(595, 842)
        shown = stream(b"/Im0 Do") if text is None else stream(text_content(text))
        page[NameObject("/Contents")] = writer._add_object(shown)
        drawn = stream(b"\x80", Type="/XObject", Subtype="/Image") if text is None else font
        kind, name = ("/XObject", "/Im0") if text is None else ("/Font", "/F1")
        held = DictionaryObject({NameObject(name): writer._add_object(drawn)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject(kind): held})
    if password or owner:
        writer.encrypt(password, owner, algorithm="AES-256")
    return saved(writer.write)


FONT = {"Type": "/Font", "Subtype": "/Type0", "BaseFont": "/Song", "Encoding": "/Identity-H"}
DESCENDANT = {"Type": "/Font", "Subtype": "/CIDFontType2", "BaseFont": "/Song"}


def text_content(text: str) -> bytes:
    lines = (b"<%s> Tj 0 -24 Td" % line.encode("utf-16-be").hex().encode() for line in text.split("\n"))
    return b"BT /F1 14 Tf 60 780 Td " + b" ".join(lines) + b" ET"


def saved(write: object) -> bytes:
    buffer = io.BytesIO()
    assert callable(write)
    write(buffer)
    return buffer.getvalue()


def word(*paragraphs: str) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    return saved(document.save)


def sheet(*rows: list[object], merged: tuple[str, ...] = (), title: str = "目录") -> bytes:
    workbook = openpyxl.Workbook()
    workbook.active.title = title
    for row in rows:
        workbook.active.append(row)
    for area in merged:
        workbook.active.merge_cells(area)
    return saved(workbook.save)


def package(**parts: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


def with_part(body: bytes, name: str, change: object) -> bytes:
    """The package with one part changed by a function of its bytes."""
    assert callable(change)
    assert name in zipfile.ZipFile(io.BytesIO(body)).namelist()
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, change(old.read(entry)) if entry == name else old.read(entry))
    return buffer.getvalue()


def stated(facts: AttachmentFacts) -> list[tuple[OpenAttribute, AttributePlace]]:
    return [(statement.value, statement.where) for statement in facts.attributes]


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("通知.pdf", pdf("石栾教〔2026〕3号", f"栾城区教育局\n{NOTE}")),
        ("通知.docx", word("石栾教〔2026〕3号", "栾城区教育局", NOTE)),
        ("通知.xlsx", sheet(["石栾教〔2026〕3号"], ["栾城区教育局"], [NOTE])),
        ("通知.txt", f"石栾教〔2026〕3号\n栾城区教育局\n{NOTE}".encode()),
        ("通知.txt", f"石栾教〔2026〕3号\n栾城区教育局\n{NOTE}".encode("gbk")),
        ("通知.txt", f"石栾教〔2026〕3号\n栾城区教育局\n{NOTE}".encode("utf-16")),
        ("download", pdf(f"石栾教〔2026〕3号\n栾城区教育局\n{NOTE}")),
    ],
)
def test_text_and_attribute(name: str, body: bytes) -> None:
    facts = read_attachment(body, name=name)
    assert facts.state is AttachmentState.READ
    assert [line.strip() for line in facts.text.split("\n") if line.strip()] == [
        "石栾教〔2026〕3号",
        "栾城区教育局",
        NOTE,
    ]
    assert stated(facts) == [(OpenAttribute.ACTIVE, AttributePlace.ATTACHMENT)]


def test_content_decides_over_name_and_header() -> None:
    facts = read_attachment(word("甲"), name="通知.pdf", content_type="application/pdf")
    assert (facts.format, facts.state, facts.text) == ("docx", AttachmentState.READ, "甲")


def test_csv_is_told_by_its_name_or_header() -> None:
    body = '序号,公开事项\n1,"许可, 变更"\n'.encode("gbk")
    for facts in (read_attachment(body, name="a.csv"), read_attachment(body, name="a", content_type="text/csv")):
        assert facts.tables[0].rows == (("序号", "公开事项"), ("1", "许可, 变更"))


HEAD = ["序号", "公开事项", None, "公开方式", None]


def test_a_sheet_with_merged_cells() -> None:
    rows: list[list[object]] = [
        HEAD,
        [None, "一级", "二级", "主动", "依申请"],
        [1, "许可", "结果", "√"],
        [2.0, None, "变更"],
    ]
    facts = read_attachment(sheet(*rows, merged=("A1:A2", "B1:C1", "D1:E1", "B3:B4"), title="安全生产"), name="a.xlsx")
    (table,) = facts.tables
    assert table.caption == "安全生产"
    assert table.rows == (
        ("序号", "公开事项", "公开事项", "公开方式", "公开方式"),
        ("序号", "一级", "二级", "主动", "依申请"),
        ("1", "许可", "结果", "√", ""),
        ("2", "许可", "变更", "", ""),
    )


def test_dates_in_a_sheet_read_as_dates() -> None:
    facts = read_attachment(sheet(["日期"], [datetime(2026, 3, 5)], [datetime(2026, 3, 5, 8, 30)]), name="a.xlsx")
    assert facts.text.split("\n") == ["日期", "2026-03-05", "2026-03-05 08:30:00"]


def test_hidden_sheets_are_not_read() -> None:
    workbook = openpyxl.Workbook()
    workbook.active["A1"] = "看得见"
    hidden = workbook.create_sheet("底稿")
    hidden["A1"] = "看不见"
    hidden.sheet_state = "hidden"
    assert read_attachment(saved(workbook.save), name="a.xlsx").text == "看得见"


def test_rows_between_and_below_the_filled_ones() -> None:
    (table,) = read_attachment(sheet(["甲"], [], ["乙"], [None], [""]), name="a.xlsx").tables
    assert table.rows == (("甲",), ("",), ("乙",))


def test_tables_of_a_word_file() -> None:
    document = docx.Document()
    document.add_paragraph("公开目录")
    table = document.add_table(3, 3)
    for row, texts in enumerate([("序号", "公开事项", ""), ("1", "许可", "结果"), ("2", "", "变更")]):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(1, 1).merge(table.cell(2, 1))
    (found,) = read_attachment(saved(document.save), name="a.docx").tables
    assert found.caption == "公开目录"
    assert found.rows == (("序号", "公开事项", "公开事项"), ("1", "许可", "结果"), ("2", "许可", "变更"))


def test_text_boxes_are_read_once() -> None:
    box = "<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>框内</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>"
    twice = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f'<mc:Choice Requires="wps">{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>'
    )
    body = with_part(
        word("框外"),
        "word/document.xml",
        lambda xml: xml.replace(b"</w:r></w:p>", b"</w:r>" + twice.encode() + b"</w:p>", 1),
    )
    assert sorted(read_attachment(body, name="a.docx").text.split("\n")) == ["框内", "框外"]


# ---------------------------------------------------------------- what is not


@pytest.mark.parametrize(
    ("name", "body", "format_name"),
    [
        ("a.ppt", compound(PowerPoint_Document=b"a"), "ppt"),
        ("a.doc", compound(Contents=b"a"), "ole"),
        ("a.xlsb", package(xl__workbook_bin="a"), "xlsb"),
        ("a.pptx", package(ppt__presentation_xml="<p/>"), "pptx"),
        ("a.rar", b"Rar!\x1a\x07\x00abc", "rar"),
        ("a.7z", b"7z\xbc\xaf\x27\x1cabc", "7z"),
        ("a.jpg", b"\xff\xd8\xff\xe0abc", "image"),
        ("a.pdf", b"<!DOCTYPE html><html><body>404</body></html>", "html"),
        ("a", b"\x00\x01\x02\x03", "unknown"),
    ],
)
def test_formats_without_a_reader(name: str, body: bytes, format_name: str) -> None:
    facts = read_attachment(body, name=name)
    assert (facts.format, facts.state) == (format_name, AttachmentState.UNSUPPORTED)
    assert facts.detail
    assert not facts.text


def test_a_password_on_reading_is_encrypted() -> None:
    assert read_attachment(pdf(NOTE, password="secret"), name="a.pdf").state is AttachmentState.ENCRYPTED
    assert read_attachment(compound(EncryptedPackage=b"a"), name="a.docx").state is AttachmentState.ENCRYPTED


def test_a_password_on_changing_hinders_no_reader() -> None:
    assert stated(read_attachment(pdf(NOTE, owner="secret"), name="a.pdf")) == [
        (OpenAttribute.ACTIVE, AttributePlace.ATTACHMENT)
    ]


def test_encrypted_entries_of_a_package() -> None:
    body = bytearray(word("甲"))
    with zipfile.ZipFile(io.BytesIO(bytes(body))) as made:
        start = made.start_dir
    body[start + 8] |= 1  # the first entry's flag in the directory
    assert read_attachment(bytes(body), name="a.docx").state is AttachmentState.ENCRYPTED


def test_pages_that_are_pictures_are_scanned() -> None:
    whole = read_attachment(pdf(None, None), name="a.pdf")
    part = read_attachment(pdf("栾城区教育局文件", None), name="a.pdf")
    assert (whole.state, part.state) == (AttachmentState.SCANNED, AttachmentState.SCANNED)
    assert "第 2 页" in part.detail
    assert read_attachment(pdf(""), name="a.pdf").state is AttachmentState.SCANNED


def test_a_blank_page_beside_text_is_no_scan() -> None:
    assert read_attachment(pdf("栾城区教育局文件", ""), name="a.pdf").state is AttachmentState.READ


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.xlsx"])
def test_cut_off_files_are_broken(name: str) -> None:
    body = {"a.pdf": pdf("甲"), "a.docx": word("甲"), "a.xlsx": sheet(["甲"])}[name]
    facts = read_attachment(body[: len(body) // 2], name=name)
    assert facts.state is AttachmentState.BROKEN
    assert facts.detail


@pytest.mark.parametrize(
    ("name", "body"), [("a.pdf", b""), ("a.pdf", b"text only"), ("a.docx", "甲".encode()), ("a.ofd", b"PK\x03\x04")]
)
def test_bytes_that_are_not_what_the_name_says_are_broken(name: str, body: bytes) -> None:
    assert read_attachment(body, name=name).state is AttachmentState.BROKEN


SMALL = AttachmentLimits(
    body=200_000, unpacked=400_000, entries=40, pages=2, contents=5_000, cells=100, columns=10, text=500
)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        pytest.param("a.txt", b"a" * 200_001, id="body"),
        pytest.param("a.txt", b"a" * 501, id="text"),
        pytest.param(
            "a.docx", with_part(word("甲"), "word/document.xml", lambda xml: xml + b" " * 500_000), id="zip bomb"
        ),
        pytest.param(
            "a.docx", package(word__document_xml="<a/>", **{f"p{i}_bin": "" for i in range(40)}), id="many entries"
        ),
        pytest.param("a.pdf", pdf("甲", "乙", "丙"), id="pages"),
        pytest.param("a.pdf", pdf("甲" * 2_000), id="page contents"),
        pytest.param("a.xlsx", sheet(*[[1] * 10] * 40), id="cells"),
        pytest.param("a.xlsx", sheet(*[[1] * 10] * 9, ["甲"], merged=("A1:J9", "A10:J10")), id="in bounds"),
        pytest.param("a.csv", b"1,2,3\n" * 80, id="csv"),
    ],
)
def test_what_is_too_large_is_refused(name: str, body: bytes, request: pytest.FixtureRequest) -> None:
    expected = AttachmentState.READ if "in bounds" in request.node.name else AttachmentState.TOO_LARGE
    assert read_attachment(body, name=name, limits=SMALL).state is expected


@pytest.mark.parametrize(
    ("name", "part", "body"),
    [
        ("a.docx", "word/document.xml", word("甲")),
        ("a.docx", "word/_rels/document.xml.rels", word("甲")),
        ("a.xlsx", "xl/worksheets/sheet1.xml", sheet(["甲"])),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(name: str, part: str, body: bytes, encoding: str) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'.encode(encoding)
    facts = read_attachment(with_part(body, part, lambda xml: bomb), name=name)
    assert facts.state is AttachmentState.TOO_LARGE


def test_absurd_sizes_cost_nothing() -> None:
    far = sheet(["甲"], ["乙"])
    lying = with_part(far, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'ref="A1:A2"', b'ref="A1:XFD1048576"'))
    merged = with_part(
        far,
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(
            b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells>'
        ),
    )
    for body in (lying, merged):
        assert read_attachment(body, name="a.xlsx").tables[0].rows == (("甲",), ("乙",))


def test_an_absurd_span_of_a_word_table() -> None:
    document = docx.Document()
    document.add_table(2, 2).cell(0, 0).text = "甲"
    body = with_part(
        saved(document.save),
        "word/document.xml",
        lambda xml: xml.replace(b"<w:tcPr>", b'<w:tcPr><w:gridSpan w:val="999999999"/>', 1),
    )
    facts = read_attachment(body, name="a.docx")
    assert len(facts.tables[0].rows[0]) == AttachmentLimits().columns


STARTS = [b"", b"%PDF-1.4\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf", "序号,".encode()]


@settings(deadline=None)
@given(
    st.sampled_from(STARTS),
    st.binary(max_size=300),
    st.sampled_from(["a.pdf", "a.docx", "a.xlsx", "a.csv", "a.ofd", "a", ""]),
)
def test_any_bytes_are_read(start: bytes, rest: bytes, name: str) -> None:
    facts = read_attachment(start + rest, name=name)
    assert facts.state is AttachmentState.READ or (facts.detail and not facts.text)


WHOLE = {"a.pdf": pdf("甲", NOTE), "a.docx": word("甲", NOTE), "a.xlsx": sheet(["甲", NOTE], merged=("A1:B1",))}


@settings(deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 20_000), st.binary(min_size=1, max_size=20))
def test_any_damage_is_survived(name: str, at: int, damage: bytes) -> None:
    body = WHOLE[name]
    at %= len(body)
    facts = read_attachment(body[:at] + damage + body[at + len(damage) :], name=name)
    assert facts.state in AttachmentState
