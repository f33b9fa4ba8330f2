"""Marks and circulars: every version is kept, the newest counts, and versions handed in together come in together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from storage.database import Database
from storage.errors import StorageError
from storage.marks import MarkStore
from storage.model import Circular, CircularSheet, GivenMark, MarkSheet
from tests.storage.conftest import NOW

MARKS = (
    GivenMark("jiaoyuju", "1.1", Decimal("2.50"), "有清单，目录缺一项"),
    GivenMark("jiaoyuju", "10", None),
    GivenMark("luanchengzhen", "1.1", Decimal(0)),
)
ASKED = ("jiaoyuju", "luanchengzhen"), ("1.1", "10")
ZHANG = MarkSheet(2026, "张三", MARKS, "李干事", "评分表.xlsx", "sha256:01", "ab", *ASKED, "office")
CIRCULARS = (
    Circular("jiaoyuju", "5.3", Decimal(1), "市政府办公室", "石政办函〔2026〕1号", date(2026, 3, 1)),
    Circular("jiaoyuju", "5.3", Decimal(1), "市政府办公室", "石政办函〔2026〕9号", date(2026, 9, 1)),
)
LIST = CircularSheet(2026, CIRCULARS, "李干事", "通报.xlsx", "sha256:02", "ab", "office")


@pytest.fixture
def marks(database: Database) -> MarkStore:
    return MarkStore(database, clock=lambda: NOW)


def test_marks_come_back_as_they_were_given(marks: MarkStore) -> None:
    number = marks.add(ZHANG)
    assert marks.in_force(2026) == [replace(ZHANG, imported_at=NOW, id=number)]
    assert str(marks.in_force(2026)[0].marks[0].points) == "2.50"


def test_a_reviewers_newest_version_counts_and_the_earlier_are_kept(marks: MarkStore) -> None:
    later = replace(ZHANG, marks=MARKS[:1])
    for sheet in (ZHANG, replace(ZHANG, reviewer="李四"), later, replace(ZHANG, year=2025)):
        marks.add(sheet)
    assert [(sheet.reviewer, len(sheet.marks)) for sheet in marks.in_force(2026)] == [("张三", 1), ("李四", 3)]
    assert [sheet.reviewer for sheet in marks.versions(2026)] == ["张三", "李四", "张三"]
    assert [sheet.year for sheet in marks.in_force(2025)] == [2025]


def test_groups_stand_as_one_counts_them(marks: MarkStore) -> None:
    for group in "十三二一":
        marks.add(replace(ZHANG, reviewer=f"考核{group}组"))
    assert [sheet.reviewer[2] for sheet in marks.in_force(2026)] == list("一二三十")


def test_a_sheet_without_marks_replaces_one_with_marks(marks: MarkStore) -> None:
    marks.add(ZHANG)
    marks.add(replace(ZHANG, marks=()))
    assert [sheet.marks for sheet in marks.in_force(2026)] == [()]


def test_circulars_come_back_in_their_order_and_the_newest_list_counts(marks: MarkStore) -> None:
    assert marks.circulars(2026) is None
    marks.add_circulars(replace(LIST, circulars=CIRCULARS[::-1]))
    number = marks.add_circulars(LIST)
    assert marks.circulars(2026) == replace(LIST, imported_at=NOW, id=number)
    assert [sheet.circulars for sheet in marks.circular_versions(2026)] == [CIRCULARS[::-1], CIRCULARS]
    marks.add_circulars(replace(LIST, circulars=()))
    newest = marks.circulars(2026)
    assert newest is not None
    assert newest.circulars == ()


def test_what_is_handed_in_together_comes_in_together(marks: MarkStore) -> None:
    twice = replace(ZHANG, reviewer="李四", marks=MARKS + MARKS)
    with pytest.raises(StorageError):
        marks.add_together([LIST, ZHANG, twice])
    assert marks.versions(2026) == []
    assert marks.circulars(2026) is None
    assert len(marks.add_together([LIST, ZHANG])) == 2
    assert marks.circulars(2026) is not None
