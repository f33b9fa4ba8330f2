"""考核组评分与通报扣分: forms out, filled-in forms in (all of them or none), and what has been given so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from config.schema import Indicator, Indicators, Unit
from inspection.account import machine_account
from inspection.day import day_in, local
from inspection.documents import unit_names
from inspection.errors import InvalidInput
from inspection.form_digest import form_digest
from inspection.mark_files import WHAT, Listed, Marked, person_name, read_form
from inspection.place import Place
from inspection.spreadsheets import content_of
from inspection.writing import write_whole
from reports.marks_form import (
    CircularLine,
    CircularsForm,
    Key,
    MarksForm,
    circulars_form,
    is_optional,
    marks_form,
)
from storage.attachments import digest_of
from storage.model import Circular, CircularSheet, GivenMark, MarkSheet

MOST_PROBLEMS = 200  # that are told one by one


class MarksInvalid(InvalidInput):
    """The files have mistakes, every one of them told with its place: mend them and import all the files again."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        more = len(problems) - MOST_PROBLEMS
        shown = (*problems[:MOST_PROBLEMS], *([f"……还有 {more} 处没有列出。"] if more > 0 else ()))
        super().__init__(
            "\n".join((*shown, f"共 {len(problems)} 处错误，什么也没有导入；改好后把这些文件一起重新导入。"))
        )


@dataclass(frozen=True, slots=True)
class Imported:
    """One file that came in: what is kept of it, under which number, and what it takes the place of."""

    sheet: MarkSheet | CircularSheet
    number: int
    former: MarkSheet | CircularSheet | None
    missing: tuple[Key, ...] = ()


# ---------------------------------------------------------------- forms out


def write_forms(
    place: Place,
    year: int,
    reviewers: Iterable[str],
    unit_ids: Sequence[str] | None,
    indicator_ids: Sequence[str] | None,
    folder: Path,
) -> list[Path]:
    """Write a form for each reviewer with the marks in force that he gave before; returns the paths.

    Raises InvalidInput for names and rows that can't be, and before anything is written for a file that is there.
    """
    table, names = place.configuration.indicators_for(year), [person_name(reviewer) for reviewer in reviewers]
    rows = _rows(table, indicator_ids)
    units = [unit for unit in place.configuration.inventory.units if unit_ids is None or unit.id in unit_ids]
    if not any(row.applies_to(unit) for unit in units for row in rows):
        raise InvalidInput("选出的单位都不涉及选出的指标，没有可评的格；请换单位或指标。")
    former = {sheet.reviewer: sheet for sheet in place.marks.in_force(year)}
    forms = {
        folder / f"评分表-{year}-{name}.xlsx": _form(place, year, name, rows, units, former.get(name))
        for name in dict.fromkeys(names)
    }
    _refuse_to_overwrite(forms)
    return [write_whole(path, marks_form(form)) for path, form in forms.items()]


def write_circulars_form(place: Place, year: int, folder: Path) -> Path:
    """Write the list of the year's circulars with those in force, to be completed; raises InvalidInput."""
    table, path = place.configuration.indicators_for(year), folder / f"通报扣分表-{year}.xlsx"
    rows = tuple(row for row in table.indicators if row.circular_deduction is not None)
    if not rows:
        raise InvalidInput(f"{table.title}里没有因通报扣分的行；要扣分，先在指标表里写 circular_deduction。")
    _refuse_to_overwrite([path])
    sheet, names = place.marks.circulars(year), unit_names(place)
    listed = tuple(
        CircularLine(names[one.unit_id], one.indicator_id, one.issuer, one.title, one.day, one.points)
        for one in (sheet.circulars if sheet else ())
        if one.unit_id in names and one.indicator_id in {row.id for row in rows}
    )
    digest = form_digest(year, table, place.configuration.inventory)
    units, day = place.configuration.inventory.units, day_in(place.configuration.inventory.district)
    return write_whole(path, circulars_form(CircularsForm(year, table, rows, units, digest, day, listed)))


def _rows(table: Indicators, ids: Sequence[str] | None) -> tuple[Indicator, ...]:
    known = [row.id for row in table.indicators]
    unknown = [wanted for wanted in ids or () if wanted not in known]
    if unknown:
        raise InvalidInput(f"{table.title}里没有指标 {'、'.join(unknown)}；可用的有：{'、'.join(known)}。")
    return tuple(row for row in table.indicators if not ids or row.id in ids)


def _form(
    place: Place, year: int, reviewer: str, rows: Sequence[Indicator], units: Sequence[Unit], former: MarkSheet | None
) -> MarksForm:
    table, inventory = place.configuration.indicators_for(year), place.configuration.inventory
    asked = {(unit.id, row.id): row.points for unit in units for row in rows if row.applies_to(unit)}
    kept = [mark for mark in (former.marks if former else ()) if _still_fits(mark, asked)]
    return MarksForm(
        year=year,
        reviewer=reviewer,
        table=table,
        rows=tuple(rows),
        units=tuple(units),
        digest=form_digest(year, table, inventory),
        day=day_in(inventory.district),
        given={_key(mark): mark.points for mark in kept},
        reasons={_key(mark): mark.note for mark in kept if mark.note},
    )


def _still_fits(mark: GivenMark, asked: dict[Key, Any]) -> bool:
    return _key(mark) in asked and (mark.points is None or mark.points <= asked[_key(mark)])


def _refuse_to_overwrite(paths: Iterable[Path]) -> None:
    there = [str(path) for path in paths if path.exists()]
    if there:
        raise InvalidInput(
            f"{'、'.join(there)} 已经有了，里面可能填了分，不覆盖；请先把它移走，或用 --out 换一个文件夹。"
        )


# ---------------------------------------------------------------- filled-in forms in


def import_files(place: Place, paths: Sequence[Path], by: str, *, withdraw: bool = False) -> list[Imported]:
    """Read all the files and keep what they say as new versions, the files themselves beside it; all or nothing.

    `withdraw` lets a form without a mark or circular take back what was given before. Raises MarksInvalid with every
    mistake of every file, InvalidInput, OSError, StorageError; then nothing has been taken.
    """
    actor, problems = person_name(by), []
    contents: dict[str, bytes] = {}
    read: list[MarkSheet | CircularSheet] = []
    for path in paths:
        try:
            content = content_of(path, WHAT)
            sheet, told = _read(place, path.name, content, actor, withdraw)
        except InvalidInput as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{path.name} 读不到（{error.strerror}）；请检查文件名和权限。")
        else:
            problems += told
            read.append(sheet)
            contents[sheet.digest] = content
    problems += _twice(read)
    if problems:
        raise MarksInvalid(problems)
    former = [_former(place, sheet) for sheet in read]
    for sheet in read:
        place.attachments.keep(sheet.source, contents[sheet.digest])
    numbers = place.marks.add_together(read)
    return [
        Imported(sheet, number, before, tuple(missing(place, sheet)) if isinstance(sheet, MarkSheet) else ())
        for sheet, number, before in zip(read, numbers, former, strict=True)
    ]


def _read(
    place: Place, name: str, content: bytes, actor: str, withdraw: bool
) -> tuple[MarkSheet | CircularSheet, list[str]]:
    today = day_in(place.configuration.inventory.district)
    form, problems = read_form(content, name, place.configuration, today)
    table = place.configuration.indicators_for(form.year)
    sheet = _sheet(form, actor, name, digest_of(content), form_digest(form.year, table, place.configuration.inventory))
    if not problems and not withdraw and _takes_back(place, sheet):
        problems = [f"{name}：一格也没有填；确实要收回以前交的，加 --withdraw 再导入。"]
    return sheet, problems


def _sheet(
    form: Marked | Listed, actor: str, source: str, digest: str, indicators_digest: str
) -> MarkSheet | CircularSheet:
    origin = {
        "year": form.year,
        "actor": actor,
        "account": machine_account(),
        "source": source,
        "digest": digest,
        "indicators_digest": indicators_digest,
    }
    if isinstance(form, Listed):
        return CircularSheet(circulars=form.circulars, **origin)
    return MarkSheet(reviewer=form.reviewer, marks=form.marks, units=form.units, indicators=form.indicators, **origin)


def _takes_back(place: Place, sheet: MarkSheet | CircularSheet) -> bool:
    """Whether a file says nothing, where that is no answer: no marks at all, or no circulars where there were some."""
    if isinstance(sheet, MarkSheet):
        return not sheet.marks
    former = place.marks.circulars(sheet.year)
    return not sheet.circulars and former is not None and bool(former.circulars)


def _twice(read: Iterable[MarkSheet | CircularSheet]) -> list[str]:
    """Return what is wrong where two of the files would take each other's place."""
    sources: dict[tuple[int, str], list[str]] = defaultdict(list)
    for sheet in read:
        who = f"{sheet.reviewer}的评分" if isinstance(sheet, MarkSheet) else "通报"
        sources[sheet.year, who].append(sheet.source)
    return [
        f"{'、'.join(names)}：都是 {year} 年{who}，不知道以哪一份为准；请只留一份。"
        for (year, who), names in sources.items()
        if len(names) > 1
    ]


def _former(place: Place, sheet: MarkSheet | CircularSheet) -> MarkSheet | CircularSheet | None:
    if isinstance(sheet, CircularSheet):
        return place.marks.circulars(sheet.year)
    return next((one for one in place.marks.in_force(sheet.year) if one.reviewer == sheet.reviewer), None)


# ---------------------------------------------------------------- what has been given so far


def missing(place: Place, sheet: MarkSheet) -> list[Key]:
    """Return what a reviewer's form asked for and got no answer to: unit and row, in the order of the tables."""
    given = {_key(mark) for mark in sheet.marks}
    return [key for key in _wanted(place, sheet.year) if key not in given and _asked(sheet, key)]


def missing_from_all(place: Place, year: int, sheets: Sequence[MarkSheet]) -> list[Key]:
    """Return what no reviewer at all has answered."""
    given = {_key(mark) for sheet in sheets for mark in sheet.marks}
    return [key for key in _wanted(place, year) if key not in given]


def disputed(sheets: Sequence[MarkSheet]) -> list[Key]:
    """Return where one reviewer gave points and another says that the row does not concern the unit."""
    answers: dict[Key, set[bool]] = defaultdict(set)
    for sheet in sheets:
        for mark in sheet.marks:
            answers[_key(mark)].add(mark.points is None)
    return sorted(key for key, said in answers.items() if len(said) > 1)


def _wanted(place: Place, year: int) -> list[Key]:
    """Return every unit and row that the year's result needs a mark for."""
    rows = [row for row in place.configuration.indicators_for(year).indicators if not is_optional(row)]
    return [(unit.id, row.id) for unit in place.configuration.inventory.units for row in rows if row.applies_to(unit)]


def _asked(sheet: MarkSheet, key: Key) -> bool:
    return key[0] in sheet.units and key[1] in sheet.indicators


def _key(mark: GivenMark) -> Key:
    return mark.unit_id, mark.indicator_id


# ---------------------------------------------------------------- documents


def marks_document(
    place: Place, year: int, reviewer: str | None = None, unit_ids: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return `inspect marks list --json`'s document; raises InvalidInput for a reviewer who gave nothing."""
    everyone, names = place.marks.in_force(year), unit_names(place)
    wanted = None if reviewer is None else person_name(reviewer)
    if wanted is not None and wanted not in [sheet.reviewer for sheet in everyone]:
        known = "、".join(sheet.reviewer for sheet in everyone) or "还没有人"
        raise InvalidInput(f"{year} 年没有“{wanted}”的评分；交了的有：{known}。")
    shown = [_in_order(place, sheet) for sheet in everyone if wanted in (None, sheet.reviewer)]
    versions, circulars = place.marks.versions(year), place.marks.circulars(year)
    digest = form_digest(year, place.configuration.indicators_for(year), place.configuration.inventory)

    def places(keys: Iterable[Key]) -> list[dict[str, str]]:
        chosen = (key for key in keys if unit_ids is None or key[0] in unit_ids)
        return [{"unit": names.get(unit, unit), "indicator": row} for unit, row in chosen]

    return {
        "year": year,
        "reviewers": [
            {
                **_origin(place, sheet),
                "reviewer": sheet.reviewer,
                "current_table": sheet.indicators_digest == digest,
                "marks": [_mark(mark, names) for mark in sheet.marks if unit_ids is None or mark.unit_id in unit_ids],
                "missing": places(missing(place, sheet)),
                "versions": [
                    {**_origin(place, one), "marks": len(one.marks)}
                    for one in versions
                    if one.reviewer == sheet.reviewer
                ],
            }
            for sheet in shown
        ],
        "disputed": places(disputed(everyone)),
        "missing": places(missing_from_all(place, year, everyone)),
        "circulars": None if circulars is None else _circulars(place, circulars, names, unit_ids),
    }


def imported_document(place: Place, imported: Imported) -> dict[str, Any]:
    """Return one entry of `inspect marks import --json`'s document."""
    sheet, former = imported.sheet, imported.former
    common = {
        "version": imported.number,
        "replaces": former.id if former else None,
        "by": sheet.actor,
        "account": sheet.account,
        "source": sheet.source,
        "digest": sheet.digest,
    }
    if isinstance(sheet, CircularSheet):
        return {**common, "kind": "circulars", "year": sheet.year, "circulars": len(sheet.circulars)}
    names = unit_names(place)
    return {
        **common,
        "kind": "marks",
        "year": sheet.year,
        "reviewer": sheet.reviewer,
        "marks": sum(mark.points is not None for mark in sheet.marks),
        "not_concerned": sum(mark.points is None for mark in sheet.marks),
        "missing": [{"unit": names[unit], "indicator": row} for unit, row in imported.missing],
    }


def _in_order(place: Place, sheet: MarkSheet) -> MarkSheet:
    """Return a sheet with its marks in the order of the units and of the scoring table."""
    units = [unit.id for unit in place.configuration.inventory.units]
    rows = [row.id for row in place.configuration.indicators_for(sheet.year).indicators]
    order = {key: number for number, key in enumerate(product(units, rows))}
    return replace(sheet, marks=tuple(sorted(sheet.marks, key=lambda mark: order.get(_key(mark), len(order)))))


def _origin(place: Place, sheet: MarkSheet | CircularSheet) -> dict[str, Any]:
    district = place.configuration.inventory.district
    return {
        "version": sheet.id,
        "imported_at": local(sheet.imported_at, district) if sheet.imported_at else None,
        "by": sheet.actor,
        "account": sheet.account,
        "source": sheet.source,
        "digest": sheet.digest,
    }


def _mark(mark: GivenMark, names: dict[str, str]) -> dict[str, Any]:
    return {
        "unit": names.get(mark.unit_id, mark.unit_id),
        "indicator": mark.indicator_id,
        "points": mark.points,
        "na": mark.points is None,
        "note": mark.note or None,
    }


def _circulars(
    place: Place, sheet: CircularSheet, names: dict[str, str], unit_ids: Sequence[str] | None
) -> dict[str, Any]:
    versions = place.marks.circular_versions(sheet.year)
    listed = [one for one in sheet.circulars if unit_ids is None or one.unit_id in unit_ids]
    return {
        **_origin(place, sheet),
        "circulars": [_circular(one, names) for one in listed],
        "versions": [{**_origin(place, one), "circulars": len(one.circulars)} for one in versions],
    }


def _circular(circular: Circular, names: dict[str, str]) -> dict[str, Any]:
    return {
        "unit": names.get(circular.unit_id, circular.unit_id),
        "indicator": circular.indicator_id,
        "points": circular.points,
        "issuer": circular.issuer,
        "title": circular.title,
        "day": circular.day,
    }
