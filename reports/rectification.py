"""整改通知单: what a unit is told to mend, with page, passage, screenshot, clause and deadline; and the list of it all.

The notice is a .docx in official form with a receipt (回执) that the unit fills in; the list is an .xlsx of all units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from openpyxl.worksheet.worksheet import Worksheet

from reports import workbook
from reports.official_document import CellContent, Column, OfficialDocument, Style, chinese_date
from reports.pictures import Picture, sound_picture
from scoring.review import FaultState

MOST_PICTURES = 60  # in one notice
_TALLEST = 0.8  # of a picture's width; what is below is cut off
_LONGEST_PASSAGE = 400  # characters
_LINE_HEIGHT, _TALLEST_ROW = 14, 400  # points; the format holds 409
_LIST: workbook.Columns = (
    ("逾期", 9),
    ("单位", 12),
    ("编号", 7),
    ("检查", 12),
    ("问题", 16),
    ("所见", 28),
    ("应有", 24),
    ("页面地址", 30),
    ("原文", 24),
    ("依据", 26),
    ("首次发现", 11),
    ("最近发现", 11),
    ("整改期限", 11),
    ("状态", 8),
    ("通知单", 14),
)


@dataclass(frozen=True, slots=True)
class RectificationItem:
    """One fault to be mended; `number` is that of its last finding.

    `overdue_days`: how long after the deadline it stands unmended, 0 where it was not seen after it. `screenshot` is
    the PNG as it was captured, `screenshot_note` why there is none.
    """

    number: int
    check: str  # Chinese title
    problem: str  # Chinese title of the reason
    target: str  # address of the page, or unit and column by name
    observed: str
    expected: str
    passage: str
    where: str
    basis: str
    state: FaultState
    first_seen: date
    last_seen: date
    deadline: date | None
    overdue_days: int = 0
    screenshot: bytes | None = None
    screenshot_note: str = ""


@dataclass(frozen=True, slots=True)
class RectificationNotice:
    """What one unit is told to mend on a day; `number` names the notice, `items` has the overdue ones first."""

    unit: str
    number: str
    office: str
    issued_on: date
    items: tuple[RectificationItem, ...]
    software: str = ""

    @property
    def overdue(self) -> tuple[RectificationItem, ...]:
        """The faults that were seen unmended after their deadline."""
        return tuple(item for item in self.items if item.overdue_days)

    @property
    def deadlines(self) -> tuple[date, ...]:
        """The deadlines set, each once, the earliest first."""
        return tuple(sorted({item.deadline for item in self.items if item.deadline}))


# ---------------------------------------------------------------- the notice


def rectification_notice(notice: RectificationNotice) -> bytes:
    """Return the notice as .docx."""
    title = "政务公开问题整改通知单"
    document = OfficialDocument(f"{title}（{notice.unit}）", notice.office, notice.issued_on)
    document.title(title)
    document.write(Style.SUBTITLE, f"编号：{notice.number}")
    document.recipients(notice.unit)
    for text in _message(notice):
        document.text(text)
    document.enclosures(("问题清单", "整改回执"))
    document.signature(notice.office, notice.issued_on)
    document.enclosure("问题清单", 1)
    pictures = _Pictures()
    for place, item in enumerate(notice.items, start=1):
        heading = f"{place}．{item.check}：{item.problem}（编号{item.number}）"
        document.record(heading, _rows(notice, item, place, pictures), whole=place > 1)
    _receipt(document, notice)
    return document.content()


def _message(notice: RectificationNotice) -> Iterable[str]:
    items, deadlines = notice.items, notice.deadlines
    first, last = min(item.first_seen for item in items), max(item.last_seen for item in items)
    seen = chinese_date(first) if first == last else f"{chinese_date(first)}至{chinese_date(last)}"
    yield f"{seen}的网站巡查发现，你单位有{len(items)}个政务公开方面的问题需要整改，具体见附件1《问题清单》。"
    if len(deadlines) == 1 and all(item.deadline for item in items) and deadlines[0] >= notice.issued_on:
        yield f"请于{chinese_date(deadlines[0])}前（含当日）整改完毕。"
    else:
        yield "请在问题清单所列各自的期限前（含当日）整改完毕；期限已过的，请立即整改。"
    if notice.overdue:
        longest = max(item.overdue_days for item in notice.overdue)
        yield f"其中{len(notice.overdue)}个问题在期限过后的巡查中仍然存在，最长已逾期{longest}天，清单中已标明。"
    yield "整改后请填写附件2《整改回执》报回。是否整改到位，以期限之后的网站巡查结果为准。"
    yield (
        f"对问题有异议的，可以在期限前提出申诉，写明问题编号和理由，附证明材料；受理后状态为“{FaultState.APPEALED}”，"
        f"由另一人复核，结论为“{FaultState.UPHELD}”或者“{FaultState.REVOKED}”。"
    )


def _rows(
    notice: RectificationNotice, item: RectificationItem, place: int, pictures: _Pictures
) -> Sequence[tuple[str, CellContent]]:
    """Return what there is to say of one fault, by name; what is empty is left out."""
    named = (
        ("页面地址", item.target),
        ("所见", item.observed),
        ("原文", item.passage[:_LONGEST_PASSAGE] + ("……" if len(item.passage) > _LONGEST_PASSAGE else "")),
        ("所在处", item.where),
        ("应有", item.expected),
        ("依据", item.basis),
        ("发现日期", f"首次{chinese_date(item.first_seen)}，最近{chinese_date(item.last_seen)}"),
        ("整改期限", _deadline(item, notice.issued_on)),
    )
    return [*((name, text) for name, text in named if text), *pictures.rows(item, place)]


def _deadline(item: RectificationItem, day: date) -> str:
    """Return the deadline, and what is known of the fault where it has passed on the day of the notice."""
    if item.deadline is None:
        return "没有规定"
    if item.overdue_days:
        return f"{chinese_date(item.deadline)}（已逾期{item.overdue_days}天）"
    return chinese_date(item.deadline) + ("（期限已过，尚待巡查复查）" if item.deadline < day else "")


class _Pictures:
    """The screenshots of one notice: a page that several faults share is shown once."""

    def __init__(self) -> None:
        self._shown: dict[bytes, int] = {}

    def rows(self, item: RectificationItem, place: int) -> list[tuple[str, CellContent]]:
        """Return the row with the picture, or why there is none."""
        if item.screenshot is None:
            return [("截图", item.screenshot_note)] if item.screenshot_note else []
        if item.screenshot in self._shown:
            return [("截图", f"见第{self._shown[item.screenshot]}项")]
        if len(self._shown) >= MOST_PICTURES:
            return [("截图", f"从略：一份通知单最多附{MOST_PICTURES}张截图，其余存于证据库")]
        picture = sound_picture(item.screenshot, _TALLEST)
        if picture is None:
            return [("截图", "截图文件不能用，从略")]
        self._shown[item.screenshot] = place
        return [("截图", picture), *self._remark(picture)]

    def _remark(self, picture: Picture) -> list[tuple[str, CellContent]]:
        return [("截图说明", "页面较长，这里只附上部，全图存于证据库")] if picture.cut else []


def _receipt(document: OfficialDocument, notice: RectificationNotice) -> None:
    """Write the slip that the unit fills in: a row for each fault, then who answers for it."""
    document.enclosure("整改回执", 2)
    document.write(Style.NOTE, f"通知单编号：{notice.number}　　单位：{notice.unit}　　问题数：{len(notice.items)}")
    columns = (
        Column("序号", 12, centred=True),
        Column("问题", 44),
        Column("整改期限", 26, centred=True),
        Column("整改情况", 48),
        Column("完成日期", 26, centred=True),
    )
    rows = [
        (str(place), f"{item.check}：{item.problem}（编号{item.number}）", _iso(item.deadline), "", "")
        for place, item in enumerate(notice.items, start=1)
    ]
    document.table(columns, rows)
    document.note("")
    document.form(
        (("签收人", "签收日期"), ("整改负责人（签字）", "单位负责人（签字、盖章）"), ("联系电话", "报回日期"))
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else "没有规定"


# ---------------------------------------------------------------- the list


def rectification_list(notices: Sequence[RectificationNotice], day: date) -> bytes:
    """Return what all units have to mend as .xlsx, the longest overdue first and marked."""
    book = workbook.new_book("整改问题清单", notices[0].software if notices else "")
    sheet = book.create_sheet("整改问题清单")
    listed = [(notice, item) for notice in notices for item in notice.items]
    listed.sort(key=lambda pair: -pair[1].overdue_days)
    overdue = sum(item.overdue_days > 0 for _, item in listed)
    about = f"截至{chinese_date(day)}　{len(notices)}个单位，{len(listed)}个问题，其中逾期{overdue}个"
    workbook.begin(sheet, "整改问题清单", about, _LIST)
    for notice, item in listed:
        _list_row(sheet, notice, item)
    workbook.end(sheet, _LIST, filtered=True)
    return workbook.saved(book, day)


def _list_row(sheet: Worksheet, notice: RectificationNotice, item: RectificationItem) -> None:
    cells = workbook.append(
        sheet,
        (
            f"逾期{item.overdue_days}天" if item.overdue_days else "",
            notice.unit,
            item.number,
            item.check,
            item.problem,
            item.observed,
            item.expected,
            item.target,
            item.passage,
            item.basis,
            item.first_seen,
            item.last_seen,
            item.deadline,
            item.state,
            notice.number,
        ),
    )
    workbook.link(cells[7], item.target)
    if item.overdue_days:
        cells[0].font = workbook.font(workbook.FAULT, bold=True)
    sheet.row_dimensions[cells[0].row].height = _height([str(cell.value or "") for cell in cells])


def _height(texts: Sequence[str]) -> float:
    """Return how high a row must be for all its text, which not every office program finds out by itself."""
    lines = [
        sum(-(-max(1, _columns(line)) // width) for line in text.splitlines() or [""])
        for text, (_, width) in zip(texts, _LIST, strict=True)
    ]
    return float(min(_TALLEST_ROW, _LINE_HEIGHT * max(lines) + 3))


def _columns(text: str) -> int:
    """Return how many columns a line takes: a Chinese character two."""
    return sum(1 if character.isascii() else 2 for character in text)
