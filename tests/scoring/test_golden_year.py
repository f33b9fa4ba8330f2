"""样板年度: a year of 34 units that a spreadsheet reckons with formulas of its own comes out the same, to the cent.

Inputs and results are read from fixtures/golden_year/golden-year.xlsx alone; the results are those that LibreOffice
stored, and where it is installed it reckons them again.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl import Workbook

from config.schema import Indicator, Indicators, Unit, UnitKind
from fixtures.golden_year.spreadsheet import find_spreadsheet, recalculated
from scoring.annual import Annual, Deduction, Mark, Status, UnitYear, VetoCost, roll_up, rounded

BOOK = Path(__file__).parents[2] / "fixtures" / "golden_year" / "golden-year.xlsx"
KINDS = {"乡镇": UnitKind.TOWNSHIP, "部门": UnitKind.DEPARTMENT}
NOT_CONCERNED = "未涉及"
VERSIONS = ("", "更正后")
CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def book() -> Workbook:
    """The workbook with the values that its formulas came to."""
    return openpyxl.load_workbook(BOOK, data_only=True)


# ---------------------------------------------------------------- inputs


def rows(book: Workbook, title: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a sheet below its heads, to the first empty one."""
    for row in book[title].iter_rows(min_row=3, values_only=True):
        if row[0] is None:
            return
        yield row


def heads(book: Workbook, title: str) -> tuple[Any, ...]:
    return next(book[title].iter_rows(min_row=2, max_row=2, values_only=True))


def number(value: float) -> Decimal:
    """What was typed into the cell: the shortest decimal number that reads back the same."""
    return Decimal(repr(value))


def indicators(book: Workbook) -> Indicators:
    words = dict.fromkeys(("group", "content", "method", "evaluated"), "文字")
    listed = tuple(
        Indicator(
            id=identifier,
            title=title,
            points=number(points),
            site_share=number(share),
            kinds=[kind for kind, yes in zip(KINDS.values(), (township, department), strict=True) if yes == "是"],
            units=named.split("、") if named else (),
            duty=duty or "",
            **words,
        )
        for identifier, title, points, share, township, department, named, duty, *_ in rows(book, "指标")
    )
    whole = {"document_number": "〔2026〕1号", "issued": date(2026, 1, 5), "total": 100}
    return Indicators(year=2026, title="样板", indicators=listed, **whole)


def units(book: Workbook) -> list[Unit]:
    duties = heads(book, "单位")[3:]
    return [
        Unit(id=row[1], name=row[0], kind=KINDS[row[2]], duties=[d for d, b in zip(duties, row[3:], strict=True) if b])
        for row in rows(book, "单位")
    ]


@dataclass
class Given:
    """What the inputs' sheets say of the units, by name."""

    published: dict[str, list[date]]
    withheld: dict[str, list[date]]
    daily: dict[str, dict[str, dict[date, Decimal]]]
    marks: dict[str, dict[str, tuple[Mark, ...]]]
    not_assessed: dict[str, dict[str, tuple[str, ...]]]
    deductions: dict[str, list[Deduction]]
    vetoes: dict[str, list[VetoCost]]
    rectified: dict[str, Decimal]


def given(book: Workbook, names: list[str], version: str) -> Given:
    days = [day.date() for day in heads(book, "日子")[1:] if isinstance(day, datetime)]
    states = {row[0]: dict(zip(days, row[1:], strict=True)) for row in rows(book, "日子")}
    found = Given(
        published={name: [day for day in days if states[name][day] == "发布"] for name in names},
        withheld={name: [day for day in days if states[name][day] == "不发布"] for name in names},
        daily={name: {} for name in names},
        marks={name: {} for name in names},
        not_assessed={name: {} for name in names},
        deductions={name: [] for name in names},
        vetoes={name: [] for name in names},
        rectified={name: Decimal(mended) / Decimal(sent) for name, sent, mended, *_ in rows(book, "整改")},
    )
    for name, _, row, *values in rows(book, "逐日"):
        shown = {day: number(value) for day, value in zip(days, values, strict=True) if value is not None}
        if shown:
            found.daily[name][row] = shown
    _read_marks(book, found, version)
    for name, row, points, title in (row[:4] for row in rows(book, "通报")):
        found.deductions[name].append(Deduction(row, number(points), title))
    for name, title, points, on in (row[:4] for row in rows(book, "否决")):
        found.vetoes[name].append(
            VetoCost(title, title, number(points), tuple(map(date.fromisoformat, on.split("、"))))
        )
    return found


def _read_marks(book: Workbook, found: Given, version: str) -> None:
    first = 6 if version else 3
    reviewers = heads(book, "评分")[3:6]
    for row in rows(book, "评分"):
        cells = dict(zip(reviewers, row[first : first + 3], strict=True))
        excusing = tuple(who for who, cell in cells.items() if cell == NOT_CONCERNED)
        if excusing:
            found.not_assessed[row[0]][row[2]] = excusing
        marks = tuple(Mark(who, number(cell)) for who, cell in cells.items() if isinstance(cell, int | float))
        if marks:
            found.marks[row[0]][row[2]] = marks


def reckoned(book: Workbook, version: str) -> Annual:
    listed = units(book)
    found = given(book, [unit.name for unit in listed], version)
    years = [
        UnitYear(
            unit=unit,
            daily=found.daily[unit.name],
            published=tuple(found.published[unit.name]),
            withheld=tuple(found.withheld[unit.name]),
            marks=found.marks[unit.name],
            deductions=tuple(found.deductions[unit.name]),
            vetoes=tuple(found.vetoes[unit.name]),
            rectified=found.rectified.get(unit.name),
            not_assessed=found.not_assessed[unit.name],
        )
        for unit in listed
    ]
    return roll_up(indicators(book), years, 2026)


# ---------------------------------------------------------------- what must agree


def cents(value: float) -> Decimal:
    return number(value).quantize(CENT)


def told(book: Workbook, version: str) -> dict[str, dict[str, Any]]:
    """The sheet of results: by unit, what stands under each head."""
    names = heads(book, "结果" + version)
    return {row[0]: dict(zip(names[2:], row[2:], strict=True)) for row in rows(book, "结果" + version)}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_row_total_and_rank_is_that_of_the_spreadsheet(book: Workbook, version: str) -> None:
    annual, sheet = reckoned(book, version), told(book, version)
    names = {unit.id: unit.name for unit in units(book)}
    assert annual.status is Status.FINAL
    assert len(annual.units) == len(sheet) == 34
    for result in annual.units:
        row = sheet[names[result.unit_id]]
        for found in result.indicators:
            assert found.final is not None
            assert rounded(found.final) == cents(row.pop(found.id)), (names[result.unit_id], found.id)
        assert result.total == cents(row.pop("合计")), names[result.unit_id]
        assert result.rank == row.pop("名次")
        assert float(row.pop("否决扣分")) == sum(veto.points for veto in result.vetoes)
        assert abs(float(row.pop("各行相加")) - float(sum(found.final for found in result.indicators))) < 1e-9
        assert set(row.values()) <= {None, ""}, "a row that the program's table lacks"


@pytest.mark.parametrize("version", VERSIONS)
def test_means_marks_deductions_and_whom_a_row_concerns_are_those_of_the_spreadsheet(
    book: Workbook, version: str
) -> None:
    title = "逐行" + version
    columns = heads(book, title)
    lines = {(row[0], row[2]): dict(zip(columns, row, strict=True)) for row in rows(book, title)}
    names = {unit.id: unit.name for unit in units(book)}
    for result in reckoned(book, version).units:
        for found in result.indicators:
            line = lines.pop((names[result.unit_id], found.id))
            assert found.na is (line["评定"] == NOT_CONCERNED)
            if found.na:
                continue
            site = None if line["日均"] in (None, "") else line["日均"]
            if site is not None and line["按时整改率"] not in (None, ""):
                site = (site + line["按时整改率"]) / 2
            assert (found.site is None) is (site is None)
            assert found.site is None or abs(float(found.site) - site) < 1e-9
            assert (found.mark is None) is (line["评分"] in (None, ""))
            assert found.mark is None or abs(float(found.mark) - line["评分"]) < 1e-9
            assert found.deducted == number(line["通报扣分"])
    assert not lines


def test_the_correction_moves_what_the_spreadsheet_says_and_nothing_else(book: Workbook) -> None:
    before, after = ({one.unit_id: one for one in reckoned(book, version).units} for version in VERSIONS)
    listed = list(book["更正"].iter_rows(min_row=6, values_only=True))
    names = {unit.name: unit.id for unit in units(book)}
    assert [line[0] for line in listed] == list(names)
    for name, old, new, difference, old_rank, new_rank in listed:
        one, other = before[names[name]], after[names[name]]
        assert (one.total, other.total, other.total - one.total) == (cents(old), cents(new), cents(difference))
        assert (one.rank, other.rank) == (old_rank, new_rank)
    moved = sum(line[3] != 0 for line in listed)
    assert 20 < moved < 34, "the mean of those whom the row concerns moves with it; those it concerns stay"
    assert any(line[4] != line[5] for line in listed)


def test_the_year_holds_every_hard_case(book: Workbook) -> None:
    """So that nobody makes the year easy without noticing."""
    annual = reckoned(book, "")
    found = given(book, [unit.name for unit in units(book)], "")
    lines = [line for result in annual.units for line in result.indicators]
    assert any(Fraction(result.exact * 1000) % 10 == 5 for result in annual.units), "half a cent"
    assert any(line.final is not None and line.final * 1000 % 10 == 5 for line in lines), "half a cent in a row"
    ties = [(a, b) for a in annual.units for b in annual.units if a.unit_id < b.unit_id and a.total == b.total]
    assert any(a.exact == b.exact for a, b in ties)
    assert any(a.exact != b.exact and a.rank == b.rank == 1 for a, b in ties), "alike only when rounded"
    assert any(line.deducted > line.points and line.final == 0 for line in lines)
    assert any(result.exact == 0 and result.vetoes for result in annual.units)
    assert any(line.site is None and not line.na and line.mark is not None and line.id == "6" for line in lines)
    by_duty = {"2.1", "2.3", "4.1", "4.2", "4.3", "4.4", "4.5"}
    assert {line.id for line in lines if line.na} == by_duty | {"2.2", "3.3", "5.3"}
    assert any(line.id == "10" and line.mark == 0 and line.final == 0 for line in lines), "a mark of nought is a mark"
    assert any(found.withheld.values())
    assert all(len(days) < 12 for days in found.published.values()), "every unit lacks days"
    assert {len(marks) for unit in found.marks.values() for marks in unit.values()} == {2, 3}


# ---------------------------------------------------------------- whose arithmetic it is


def test_every_result_is_a_formula() -> None:
    formulas = openpyxl.load_workbook(BOOK)
    for title in ("逐行", "结果", "逐行更正后", "结果更正后"):
        cells = [cell for row in formulas[title].iter_rows(min_row=3) for cell in row if cell.value is not None]
        assert len(cells) > 34 * 20
        assert all(isinstance(cell.value, str) and cell.value.startswith("=") for cell in cells)


@pytest.mark.skipif(find_spreadsheet() is None, reason="LibreOffice is not installed")
def test_libreoffice_comes_to_the_stored_values_again(book: Workbook) -> None:
    """openpyxl leaves the stored values out when it writes formulas, so every one is reckoned anew."""
    again = openpyxl.load_workbook(
        io.BytesIO(recalculated(openpyxl.load_workbook(BOOK), find_spreadsheet() or "")), data_only=True
    )
    assert again.sheetnames == book.sheetnames
    for sheet in book:
        for stored, fresh in zip(sheet.iter_rows(), again[sheet.title].iter_rows(), strict=True):
            for one, other in zip(stored, fresh, strict=True):
                same = one.value == other.value or (
                    isinstance(one.value, float | int) and abs(one.value - other.value) < 1e-9
                )
                assert same, f"{sheet.title}!{one.coordinate}"
