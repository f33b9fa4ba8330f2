"""The register of new-media accounts as offices keep it: every form is read, every mistake is told at its place."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from checks.model import NewMediaAccount
from config.loader import load
from config.schema import Inventory
from fixtures.district.world import CONFIG_FOLDER
from inspection import spreadsheets
from inspection.errors import InvalidInput
from inspection.new_media import RegisterInvalid, read_register

RECORDED = date(2026, 11, 20)
HEAD = ("单位", "平台", "账号名称", "最近发布日期", "互动功能", "备注")
GOOD = ("区教育局", "微信", "栾城教育", "2026-11-18", "是", "")
Lines = Iterable[Sequence[Any]]


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return load(CONFIG_FOLDER).inventory


def csv_of(*rows: Sequence[str], head: Sequence[str] = HEAD, delimiter: str = ",") -> str:
    return "".join(delimiter.join(row) + "\r\n" for row in (head, *rows))


def xlsx_of(*rows: Sequence[Any], head: Sequence[Any] = HEAD, above: Lines = (), before: bool = False) -> bytes:
    book = openpyxl.Workbook()
    if before:
        book.active.append(("填表说明",))
        book.create_sheet("台账")
    sheet = book.worksheets[-1]
    for row in (*above, head, *rows):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def problems(inventory: Inventory, content: bytes) -> list[str]:
    with pytest.raises(RegisterInvalid) as caught:
        read_register(content, "台账", inventory, RECORDED)
    assert str(caught.value).endswith(f"台账有 {len(caught.value.problems)} 处错误，什么也没有导入；改好后重新导入。")
    return list(caught.value.problems)


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    "content",
    [
        csv_of(GOOD).encode(),
        csv_of(GOOD).encode("utf-8-sig"),
        csv_of(GOOD).encode("gb18030"),
        csv_of(GOOD).encode("utf-16"),
        csv_of(GOOD, delimiter="\t").encode("utf-16"),
        csv_of(GOOD, delimiter=";").encode("gbk"),
        csv_of(GOOD).replace("\r\n", "\r\n\r\n").encode(),
        ("栾城区政务新媒体台账,,,\n\n" + csv_of(GOOD)).encode(),
        csv_of((" 教育局 ", "微信 ", "栾城教育", "2026/11/18", "有"), head=("主办单位（全称）", *HEAD[1:5])).encode(),
        csv_of(("1", *GOOD), head=("序号", *HEAD)).encode(),
        csv_of((*GOOD[:4], "√"), head=("单位名称", "平台名称", "账号", "最后更新日期", "有无互动功能")).encode(),
        xlsx_of(GOOD),
        xlsx_of(GOOD, above=[("栾城区政务新媒体台账",), ()]),
        xlsx_of(GOOD, before=True),
        xlsx_of((*GOOD[:3], datetime(2026, 11, 18, 23, 59), True)),
    ],
)
def test_every_usual_form_of_file_is_read(inventory: Inventory, content: bytes) -> None:
    account = NewMediaAccount("jiaoyuju", "微信", "栾城教育", date(2026, 11, 18), True, RECORDED)
    assert read_register(content, "台账", inventory, RECORDED) == (account,)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-11-03", date(2026, 11, 3)),
        ("2026/11/3", date(2026, 11, 3)),
        ("2026.11.3", date(2026, 11, 3)),
        ("2026年11月3日", date(2026, 11, 3)),
        ("２０２６年１１月３日", date(2026, 11, 3)),
        ("2026-11-03 08:30:00", date(2026, 11, 3)),
        ("20261103", date(2026, 11, 3)),
        ("46329", date(2026, 11, 3)),
        (46329, date(2026, 11, 3)),
        (46329.75, date(2026, 11, 3)),
        (20261103, date(2026, 11, 3)),
        (date(2026, 11, 20), RECORDED),
        ("无", None),
        ("从未发布", None),
    ],
)
def test_dates_are_read_as_people_and_spreadsheets_write_them(
    inventory: Inventory, written: object, day: date | None
) -> None:
    (account,) = read_register(xlsx_of((*GOOD[:3], written)), "台账", inventory, RECORDED)
    assert account.last_post == day


@pytest.mark.parametrize(
    ("written", "offered"), [("是", True), ("有", True), ("Yes", True), ("否", False), ("无", False), ("", None)]
)
def test_interaction_that_is_not_recorded_is_not_missing(
    inventory: Inventory, written: str, offered: bool | None
) -> None:
    (account,) = read_register(csv_of((*GOOD[:4], written)).encode(), "台账", inventory, RECORDED)
    assert account.interaction is offered


def test_column_of_interaction_may_be_left_out_and_notes_are_kept(inventory: Inventory) -> None:
    bare = csv_of(GOOD[:4], head=HEAD[:4]).encode()
    noted = csv_of((*GOOD[:5], '"停更，待注销"')).encode()
    assert read_register(bare, "台账", inventory, RECORDED)[0].interaction is None
    assert read_register(noted, "台账", inventory, RECORDED)[0].note == "停更，待注销"


def test_formats_on_empty_rows_and_columns_cost_little(inventory: Inventory) -> None:
    book = openpyxl.Workbook()
    for row in (HEAD, GOOD):
        book.active.append(row)
    book.active["XFD99999"].number_format = "@"
    file = io.BytesIO()
    book.save(file)
    (account,) = read_register(file.getvalue(), "台账", inventory, RECORDED)
    assert account.name == "栾城教育"


def test_a_hundred_thousand_rows(inventory: Inventory) -> None:
    rows = [("区教育局", "微信", f"账号{number}", "2026-11-18") for number in range(100_000)]
    accounts = read_register(csv_of(*rows).encode(), "台账", inventory, RECORDED)
    assert (len(accounts), accounts[-1].name) == (100_000, "账号99999")


# ---------------------------------------------------------------- what is refused


def test_every_mistake_is_told_at_its_cell_and_nothing_is_taken(inventory: Inventory) -> None:
    found = problems(
        inventory,
        xlsx_of(
            GOOD,
            ("教育", "微信", "甲", "2026-11-18", "是"),
            ("区财政局", "", "", "2026-11-31", "也许"),
            ("区财政局", "微博", "乙", None, None),
            ("区财政局", "微博", "丙", "2026-11-21", None),
            (None, "微博", "丁", "昨天"),
            ("区卫健局", "微 信", "栾城教育 ", "2026-11-01"),
            ("区卫健局", "抖音", "长" * 201, "2026-11-01"),
            ("=A1", "抖音", "己", "=TODAY()"),
        ),
    )
    places = [problem.partition("：")[0] for problem in found]
    assert places == ["A3", "B4", "C4", "D4", "E4", "D5", "D6", "A7", "D7", "C8", "C9", "A10", "D10"]
    for place, words in {
        "A3": "区教育局",
        "D4": "不是日期",
        "E4": "留空",
        "D5": "写“无”",
        "D6": "晚于台账登记日 2026-11-20",
        "A7": "合并",
        "C8": "与 C2 重复",
        "D10": "公式",
    }.items():
        assert words in found[places.index(place)]
    assert all(problem.endswith("。") for problem in found)


def test_mistakes_of_a_csv_are_told_by_line_and_column(inventory: Inventory) -> None:
    found = problems(inventory, csv_of(GOOD, ('"区教育局\n"', "微信", "甲", "无"), ("区教育局", "微信")).encode())
    assert found == ["第5行第3列：没有填账号名称。", "第5行第4列：没有填最近发布日期；从未发布过的写“无”。"]


def test_thousands_of_mistakes_are_all_told(inventory: Inventory) -> None:
    rows = [("不存在的局", "微信", f"账号{number}", "无") for number in range(5_000)]
    assert len(problems(inventory, csv_of(*rows).encode())) == 5_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "没有找到表头"),
        (csv_of().encode(), "一个账号也没有"),
        (csv_of(GOOD, head=("甲", "乙", "丙", "丁", "戊")).encode(), "没有找到表头"),
        (csv_of(GOOD, head=("单位", "平台", "备注")).encode(), "缺少：账号名称、最近发布日期"),
        (csv_of(GOOD, head=("单位", "单位名称", *HEAD[1:])).encode(), "第1行第2列"),
        (xlsx_of(GOOD, head=(*HEAD, "最后更新日期")), "G1"),
        (csv_of(GOOD).encode() + b'"', "引号"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "旧版 Excel"),
        (b"PK\x03\x04 broken", "不是完好的 .xlsx"),
        (xlsx_of(GOOD)[:-200], "不是完好的 .xlsx"),
        (b"%PDF-1.7\n\x00\xff\xff\xff", "不是文本文件"),
    ],
)
def test_a_file_that_is_no_register_is_refused_in_a_sentence(inventory: Inventory, content: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read_register(content, "台账", inventory, RECORDED)


def test_a_file_that_unpacks_without_end_is_refused(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_UNPACKED", 1_000_000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", bytes(1_000_001))
    assert len(file.getvalue()) < 10_000
    with pytest.raises(InvalidInput, match="解开后太大"):
        read_register(file.getvalue(), "台账", inventory, RECORDED)
