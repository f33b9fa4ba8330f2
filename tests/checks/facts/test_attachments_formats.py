"""DOC, XLS, OFD, RTF and ZIP: what is read of them, what is refused, and that no damage does harm."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import datetime

import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.facts.attachments import AttachmentLimits, read_attachment
from checks.facts.model import AttachmentFacts, AttachmentState, AttributePlace, OpenAttribute
from tests.checks.facts.attachment_files import compound, ofd, word97, zipped

NOTE = "（此件公开发布）"
LINES = ["石栾教〔2026〕3号", "栾城区教育局", NOTE]


def workbook(*rows: list[object], merged: tuple[tuple[int, int, int, int], ...] = ()) -> bytes:
    made = xlwt.Workbook()
    sheet = made.add_sheet("目录", cell_overwrite_ok=True)
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            style = xlwt.easyxf(num_format_str="YYYY-MM-DD") if isinstance(value, datetime) else xlwt.XFStyle()
            sheet.write(number, column, value, style)
    for area in merged:
        sheet.merge(*area)
    return saved(made)


def saved(made: xlwt.Workbook) -> bytes:
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def rich(*paragraphs: str) -> bytes:
    escaped = "\\par\n".join("".join(f"\\u{(ord(c) ^ 0x8000) - 0x8000}?" for c in p) for p in paragraphs)
    return b"{\\rtf1\\ansi\\ansicpg936 " + escaped.encode() + b"}"


def table_rows(facts: AttachmentFacts) -> tuple[tuple[str, ...], ...]:
    assert facts.state is AttachmentState.READ, facts.detail
    (table,) = facts.tables
    return table.rows


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("通知.doc", word97(*LINES)),
        ("通知.doc", word97(*LINES, flags=0x0200)),
        ("通知.wps", word97(*LINES)),
        ("通知.xls", workbook(*[[line] for line in LINES])),
        ("通知.et", workbook(*[[line] for line in LINES])),
        ("通知.ofd", ofd([(20, LINES[0]), (30, "栾城区"), (30.4, "教育局")], [(20, NOTE)])),
        ("通知.ofd", ofd([(20 + 9 * number, line) for number, line in enumerate(LINES)], root="/Doc_0/Document.xml")),
        ("通知.rtf", rich(*LINES)),
        ("通知.doc", rich(*LINES)),
        ("通知.zip", zipped({"a/正文.doc": word97(*LINES[:2]), "a/附注.txt": NOTE, "__MACOSX/a": b"\0", "b/": ""})),
        ("download", word97(*LINES)),
    ],
)
def test_text_and_attribute(name: str, body: bytes) -> None:
    facts = read_attachment(body, name=name)
    assert facts.state is AttachmentState.READ, facts.detail
    assert facts.text.split("\n") == LINES
    assert [(s.value, s.where) for s in facts.attributes] == [(OpenAttribute.ACTIVE, AttributePlace.ATTACHMENT)]


# ---------------------------------------------------------------- DOC

EDGES = [0, 1000, 2000, 3000]
CATALOG = (("序号", "公开事项", "公开事项"), ("1", "许可 变更", "结果"), ("2", "许可 变更", "公示"))


def test_a_table_of_a_word_97_document() -> None:
    body = word97(
        "公开目录",
        (["序号", "公开事项"], [0, 1000, 3000], []),
        (["1", "许可\n变更", "结果"], [0, 1000, 2010, 3000], []),
        (["2", "", "公示"], EDGES, [1]),
        "完",
        (["另一个表"], [0, 3000], []),
    )
    first, second = read_attachment(body, name="a.doc").tables
    assert (first.caption, first.rows) == ("公开目录", CATALOG)
    assert (second.caption, second.rows) == ("完", (("另一个表",),))


def test_a_row_of_many_cells() -> None:
    texts = [str(number) for number in range(40)]
    body = word97((texts, range(0, 4100, 100), []), (["总计", ""], [0, 3900, 4000], []))
    assert table_rows(read_attachment(body, name="a.doc")) == (tuple(texts), ("总计",) * 39 + ("",))


def test_rows_whose_columns_cannot_be_told_are_no_table() -> None:
    body = word97((["序号", "公开事项"], [], []), (["1", "许可", "结果"], [], []))
    facts = read_attachment(body, name="a.doc")
    assert not facts.tables
    assert facts.text.split("\n") == ["序号", "公开事项", "1", "许可", "结果"]
    even = word97((["序号", "公开事项"], [], []), (["1", "许可"], [], []))
    assert table_rows(read_attachment(even, name="a.doc")) == (("序号", "公开事项"), ("1", "许可"))


def test_text_of_one_byte_a_character() -> None:
    assert read_attachment(word97("Contents", "§ 1", narrow=True), name="a.doc").text == "Contents\n§ 1"


def test_fields_show_their_results() -> None:
    body = word97('见\x13HYPERLINK "http://www.example.cn"\x14区政府\x13PAGE\x14网站\x15\x15。', "生僻字𠮷")
    assert read_attachment(body, name="a.doc").text == "见区政府网站。\n生僻字𠮷"


@pytest.mark.parametrize(
    ("body", "state"),
    [
        pytest.param(word97("甲", flags=0x0100), AttachmentState.ENCRYPTED, id="password"),
        pytest.param(word97("甲", version=0x65), AttachmentState.UNSUPPORTED, id="word 95"),
        pytest.param(word97("\x01", "\x01"), AttachmentState.SCANNED, id="pictures"),
        pytest.param(word97(*LINES)[:3_000], AttachmentState.BROKEN, id="cut off"),
        pytest.param(compound(WordDocument=bytes(2000)), AttachmentState.UNSUPPORTED, id="zeros"),
    ],
)
def test_word_97_documents_that_cannot_be_read(body: bytes, state: AttachmentState) -> None:
    facts = read_attachment(body, name="a.doc")
    assert (facts.format, facts.state, facts.text) == ("doc", state, "")


@pytest.mark.parametrize("length", [0, 3, 2_000_000_000, -1])
def test_a_length_that_is_not_the_texts(length: int) -> None:
    body = bytearray(word97("甲乙丙"))
    at = bytes(body).index(struct.pack("<H", 0xA5EC)) + 0x4C
    struct.pack_into("<i", body, at, length)
    facts = read_attachment(bytes(body), name="a.doc")
    assert facts.state is (AttachmentState.TOO_LARGE if length > 4 else AttachmentState.READ)
    assert facts.text == ("甲乙丙" if length == 3 else "")


# ---------------------------------------------------------------- XLS


def test_a_workbook_with_merged_cells_and_values() -> None:
    body = workbook(
        ["序号", "公开事项", "", "更新日期"],
        ["", "一级", "二级", ""],
        [1, 2.5, True, datetime(2026, 3, 5)],
        merged=((0, 1, 0, 0), (0, 0, 1, 2), (0, 1, 3, 3)),
    )
    facts = read_attachment(body, name="a.xls")
    assert facts.tables[0].caption == "目录"
    assert table_rows(facts) == (
        ("序号", "公开事项", "公开事项", "更新日期"),
        ("序号", "一级", "二级", "更新日期"),
        ("1", "2.5", "TRUE", "2026-03-05"),
    )


def test_hidden_sheets_are_not_read() -> None:
    made = xlwt.Workbook()
    for number, hidden in enumerate([1, 0, 1, 0]):
        sheet = made.add_sheet(f"表{number}")
        sheet.write(0, 0, f"第{number}表")
        sheet.visibility = hidden
    made.active_sheet = 1
    assert read_attachment(saved(made), name="a.xls").text == "第1表\n第3表"


def record(code: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", code, len(data)) + data


BEGIN = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))


def test_a_workbook_with_a_password() -> None:
    body = compound(Workbook=BEGIN + record(0x002F, bytes(54)) + record(0x000A))
    assert read_attachment(body, name="a.xls").state is AttachmentState.ENCRYPTED


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(BEGIN + record(0x00FC, struct.pack("<II", 1, 2**31)) + record(0x000A), id="strings"),
        pytest.param(
            BEGIN + record(0x0085, struct.pack("<IBB", 0, 0, 0) + b"\1\0a") * 300 + record(0x0200) * 1_000 + record(10),
            id="a sheet many times",
        ),
    ],
)
def test_workbooks_that_cost_too_much(stream: bytes) -> None:
    small = AttachmentLimits(operations=100_000)
    assert read_attachment(compound(Workbook=stream), name="a.xls", limits=small).state is AttachmentState.TOO_LARGE


# ---------------------------------------------------------------- OFD


@pytest.mark.parametrize(
    ("body", "state"),
    [
        pytest.param(ofd(None), AttachmentState.SCANNED, id="picture"),
        pytest.param(ofd([(20, "栾城区教育局文件")], None), AttachmentState.SCANNED, id="picture among text"),
        pytest.param(ofd([]), AttachmentState.SCANNED, id="nothing"),
        pytest.param(ofd([(20, "甲")], root="Doc_1/Document.xml"), AttachmentState.BROKEN, id="no document"),
        pytest.param(zipped({"OFD.xml": "<OFD>"}), AttachmentState.BROKEN, id="no XML"),
        pytest.param(zipped({"OFD.xml": "<a/>", "Encryptions.xml": "<a/>"}), AttachmentState.ENCRYPTED, id="password"),
        pytest.param(zipped({"OFD.xml": "<!DOCTYPE a><a/>"}), AttachmentState.TOO_LARGE, id="entities"),
    ],
)
def test_ofd_that_cannot_be_read(body: bytes, state: AttachmentState) -> None:
    facts = read_attachment(body, name="a.ofd")
    assert (facts.format, facts.state, facts.text) == ("ofd", state, "")


# ---------------------------------------------------------------- RTF

RICH_TABLE = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset134 \'cb\'ce\'cc\'e5;}{\f1\fcharset0 Arial;}}
{\info{\title x}}{\*\generator y;}\pard\f0 \'b9\'ab\'bf\'aa\'c4\'bf\'c2\'bc\par
\trowd\cellx1000\cellx3000\pard\intbl \'d0\'f2\'ba\'c5\cell\'b9\'ab\'bf\'aa\'ca\'c2\'cf\'ee\cell\row
\trowd\cellx1000\clvmgf\cellx2000\cellx3000\pard\intbl 1\cell
\'d0\'ed\'bf\'c9\par\'b1\'e4\'b8\'fc\cell\'bd\'e1\'b9\'fb\cell
\row
\trowd\cellx1000\clvmrg\cellx2000\cellx3000\pard\intbl 2\cell\cell\'b9\'ab\'ca\'be\cell\row
\pard\f1{\field{\*\fldinst HYPERLINK "z"}{\fldrslt seen}}{\pict\bin4 {{{{}\uc2\u-10179??\u-8251??\par}"""


def test_a_table_of_an_rtf_document() -> None:
    facts = read_attachment(RICH_TABLE, name="a.rtf")
    assert table_rows(facts) == CATALOG
    assert facts.tables[0].caption == "公开目录"
    assert facts.text.split("\n")[0] == "公开目录"
    assert facts.text.split("\n")[-1] == "seen🟅"


def test_an_rtf_document_of_pictures() -> None:
    assert read_attachment(b"{\\rtf1{\\pict ffd8}\\par}", name="a.rtf").state is AttachmentState.SCANNED


def test_groups_in_groups_without_end() -> None:
    assert read_attachment(b"{\\rtf1" + b"{" * 5_000, name="a.rtf").state is AttachmentState.BROKEN


# ---------------------------------------------------------------- ZIP


def test_names_in_an_archive_are_as_chinese_windows_writes_them() -> None:
    name = "公开目录.csv".encode("gb18030")
    body = zipped({"x" * len(name): "序号,事项\n1,许可\n"}).replace(b"x" * len(name), name)
    assert table_rows(read_attachment(body, name="a.zip")) == (("序号", "事项"), ("1", "许可"))
    broken = zipped({"x" * len(name): b"\0"}).replace(b"x" * len(name), name)
    assert "「公开目录.csv」" in read_attachment(broken, name="a.zip").detail


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        pytest.param({"a.txt": "甲", "b.png": b"\x89PNG\r\n\0"}, AttachmentState.UNSUPPORTED, id="a picture"),
        pytest.param({"a.txt": "甲", "b.ofd": ofd(None)}, AttachmentState.SCANNED, id="a scan"),
        pytest.param({"a.doc": word97("甲", flags=0x0100)}, AttachmentState.ENCRYPTED, id="a password"),
        pytest.param({"a.zip": zipped({"a.txt": "甲"})}, AttachmentState.UNSUPPORTED, id="an archive"),
        pytest.param({"a.doc": b"\0"}, AttachmentState.BROKEN, id="no document"),
        pytest.param({}, AttachmentState.BROKEN, id="nothing"),
        pytest.param({f"{n}.txt": "甲" for n in range(51)}, AttachmentState.TOO_LARGE, id="many files"),
        pytest.param({"a.txt": b" " * 65_000_000}, AttachmentState.TOO_LARGE, id="a bomb"),
        pytest.param({f"{n}.txt": "甲" * 700_000 for n in range(5)}, AttachmentState.TOO_LARGE, id="text in all"),
    ],
)
def test_one_file_that_cannot_be_read_leaves_open_what_the_archive_says(
    parts: dict[str, str | bytes], state: AttachmentState
) -> None:
    facts = read_attachment(zipped(parts), name="a.zip")
    assert (facts.format, facts.state, facts.text) == ("zip", state, "")
    assert facts.detail


def test_archives_packed_in_an_unusual_way() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("a.txt", "甲")
    assert read_attachment(buffer.getvalue(), name="a.zip").state is AttachmentState.UNSUPPORTED


def test_a_workbook_that_mentions_another_format_stays_a_workbook() -> None:
    body = compound(Workbook="WordDocument".encode("utf-16-le"))
    assert read_attachment(body, name="a.doc").format == "xls"


# ---------------------------------------------------------------- damage

WHOLE = {
    "a.doc": word97("甲乙", (["序号", "公开事项"], [0, 1000, 3000], [1]), NOTE),
    "a.xls": workbook(["序号", 1, datetime(2026, 3, 5)], [NOTE], merged=((0, 0, 1, 2),)),
    "a.ofd": ofd([(20, NOTE)]),
    "a.rtf": RICH_TABLE,
    "a.zip": zipped({"a.txt": NOTE, "b.doc": word97(NOTE)}),
}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 20_000), st.binary(min_size=1, max_size=20))
def test_any_damage_is_survived(name: str, at: int, damage: bytes) -> None:
    body = WHOLE[name]
    at %= len(body)
    damaged = body[:at] + damage + body[at + len(damage) :]
    facts = read_attachment(damaged, name=name)
    assert facts.state is AttachmentState.READ or (facts.detail and not facts.text)
    assert facts == read_attachment(damaged, name=name)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 20_000))
def test_any_cut_is_survived(name: str, length: int) -> None:
    body = WHOLE[name]
    facts = read_attachment(body[: length % len(body)], name=name)
    assert facts.state is AttachmentState.READ or (facts.detail and not facts.text)
