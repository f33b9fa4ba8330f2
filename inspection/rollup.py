"""年度汇总 of what is stored: a year's daily values, with what people gave, into the year's result."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import chain

from config.loader import Configuration
from config.rules import Rules
from config.schema import Indicators
from inspection.day import day_in, local
from inspection.errors import InvalidInput
from inspection.form_digest import form_digest
from inspection.place import Place
from reports.annual import InputSource
from scoring.annual import Annual, Deduction, Mark, UnitYear, VetoCost, roll_up
from scoring.rectification import on_time
from storage.model import Circular, CircularSheet, MarkSheet, ReviewEvent, StoredYear


@dataclass(frozen=True)
class YearInputs:
    """Everything that a year's result rests on. `years` stand in inventory order, `last_day` is the last that counts.

    `given` are the sources beside the daily checks.
    """

    year: int
    last_day: date
    indicators: Indicators
    years: tuple[UnitYear, ...]
    given: tuple[InputSource, ...]

    @cached_property
    def sources(self) -> tuple[InputSource, ...]:
        """数据来源: every input with its digest, those beside the daily checks first."""
        days = len({day for year in self.years for day in year.published})
        detail = f"截至 {self.last_day}，有分的 {days} 天，{len(self.years)} 个单位"
        return (*self.given, InputSource("日常检查结果", detail, _digest(chain(*map(_lines_of_days, self.years)))))


def annual(place: Place, year: int, last_day: date | None = None) -> Annual:
    """Return the result of the calendar year, as far as it has come, by the scoring table and the rules in force."""
    return result_of(gather(place, year, last_day))


def result_of(inputs: YearInputs) -> Annual:
    """Return what the inputs come to."""
    return roll_up(inputs.indicators, inputs.years, inputs.year)


def gather(
    place: Place,
    year: int,
    last_day: date | None = None,
    configuration: Configuration | None = None,
    stored: Mapping[str, StoredYear] | None = None,
) -> YearInputs:
    """Return what a year left for its roll-up, up to `last_day` (default: 31 December), no day that is yet to come.

    `configuration` and `stored` (by unit id) stand in for the configuration in force and the daily values kept.
    Raises InvalidInput for a last day in another year, StorageError.
    """
    configuration = configuration or place.configuration
    if last_day and last_day.year != year:
        raise InvalidInput(f"截止日 {last_day} 不在 {year} 年；请改正截止日或年度。")
    first = date(year, 1, 1)
    last = min(last_day or date(year, 12, 31), day_in(configuration.inventory.district))
    nights = place.repository.year(first, last) if stored is None else stored
    sheets, circulars = place.marks.in_force(year), place.marks.circulars(year)
    marks, not_assessed = _marks(sheets), _not_assessed(sheets)
    deductions = _deductions(circulars)
    ordered = ordered_events(place, [unit.id for unit in configuration.inventory.units], first, last)
    days = _days(first, last)
    years: list[UnitYear] = []
    for unit in configuration.inventory.units:
        left = nights.get(unit.id, StoredYear())
        inspected = {*left.published, *left.withheld}
        years.append(
            UnitYear(
                unit=unit,
                daily=left.values,
                published=tuple(left.published),
                withheld=tuple(left.withheld),
                marks=marks[unit.id],
                deductions=deductions[unit.id],
                vetoes=_costs(configuration.rules, left),
                rectified=on_time(ordered[unit.id], first, last),
                not_assessed=not_assessed[unit.id],
                uninspected=tuple(day for day in days if day not in inspected),
            )
        )
    given = (*_tables(place, year), *_handed_in(place, year, sheets, circulars), _review_source(ordered))
    return YearInputs(year, last, configuration.indicators_for(year), tuple(years), given)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _costs(rules: Rules, left: StoredYear) -> tuple[VetoCost, ...]:
    costs = {veto.id: veto.points for veto in rules.vetoes}
    return tuple(
        VetoCost(veto, next(iter(days.values())), costs[veto], tuple(days))
        for veto, days in left.vetoes.items()
        if veto in costs
    )


def ordered_events(place: Place, unit_ids: Collection[str], first: date, last: date) -> Mapping[str, list[ReviewEvent]]:
    """Return by unit all steps, oldest first, of the faults that a person had to do with and that moved in a period."""
    reviewed = place.faults.reviewed(unit_ids)
    faults = place.faults.known({event.fingerprint for event in reviewed if first <= event.day <= last})
    found: defaultdict[str, list[ReviewEvent]] = defaultdict(list)
    for event in reviewed:
        if event.fingerprint not in faults:
            continue
        found[faults[event.fingerprint].unit_id].append(event)
    return found


# ---------------------------------------------------------------- what people gave


def _marks(sheets: Iterable[MarkSheet]) -> Mapping[str, dict[str, tuple[Mark, ...]]]:
    """Return by unit and row what the reviewers gave, in the order of their names."""
    found: defaultdict[str, dict[str, tuple[Mark, ...]]] = defaultdict(dict)
    for sheet in sheets:
        for mark in sheet.marks:
            if mark.points is not None:
                of_unit = found[mark.unit_id]
                before = of_unit.get(mark.indicator_id, ())
                of_unit[mark.indicator_id] = (*before, Mark(sheet.reviewer, mark.points))
    return found


def _not_assessed(sheets: Iterable[MarkSheet]) -> Mapping[str, dict[str, tuple[str, ...]]]:
    """Return by unit and row the reviewers who say that the row does not concern the unit (未涉及)."""
    found: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for sheet in sheets:
        for mark in sheet.marks:
            if mark.points is None:
                of_unit = found[mark.unit_id]
                of_unit[mark.indicator_id] = (*of_unit.get(mark.indicator_id, ()), sheet.reviewer)
    return found


def _deductions(sheet: CircularSheet | None) -> Mapping[str, tuple[Deduction, ...]]:
    found: defaultdict[str, tuple[Deduction, ...]] = defaultdict(tuple)
    for circular in sheet.circulars if sheet else ():
        deduction = Deduction(circular.indicator_id, circular.points, _name_of(circular))
        found[circular.unit_id] = (*found[circular.unit_id], deduction)
    return found


def _name_of(circular: Circular) -> str:
    return f"{circular.issuer}《{circular.title}》（{circular.day}）"


# ---------------------------------------------------------------- sources


def _tables(place: Place, year: int) -> tuple[InputSource, ...]:
    indicators, digests = place.configuration.indicators_for(year), place.digests_for(year)
    named = f"{indicators.title}（{indicators.document_number}）"
    return (
        InputSource("评分指标表", named, f"sha256:{digests['indicators']}"),
        InputSource("检查规则和词表", f"版本 {place.configuration.rules.version}", f"sha256:{digests['rules']}"),
    )


def _handed_in(
    place: Place, year: int, sheets: Sequence[MarkSheet], circulars: CircularSheet | None
) -> Iterator[InputSource]:
    for sheet in sheets:
        yield _file(place, year, f"评分表（{sheet.reviewer}）", f"{len(sheet.marks)} 个评分", sheet)
    if circulars:
        yield _file(place, year, "通报清单", f"{len(circulars.circulars)} 件", circulars)
    else:
        yield InputSource("通报清单", "没有导入，按没有通报计", "")


def _file(place: Place, year: int, title: str, size: str, sheet: MarkSheet | CircularSheet) -> InputSource:
    configuration = place.configuration
    same = sheet.indicators_digest == form_digest(year, configuration.indicators_for(year), configuration.inventory)
    detail = f"{sheet.source}，{size}" + ("" if same else "，按另一版指标表填写")
    at = local(sheet.imported_at, configuration.inventory.district) if sheet.imported_at else None
    return InputSource(title, detail, sheet.digest, sheet.actor, at)


def _review_source(ordered: Mapping[str, list[ReviewEvent]]) -> InputSource:
    events = [event for unit in sorted(ordered) for event in ordered[unit]]
    lines = (f"{e.fingerprint} {e.step} {e.state} {e.day} {e.until or '-'} {e.actor}" for e in events)
    return InputSource("问题复核与整改记录", f"{len(events)} 步", _digest(lines))


def _lines_of_days(year: UnitYear) -> Iterator[str]:
    """Yield what the daily checks left of a unit, a line each, in an order that does not hang on the database's."""
    unit = year.unit.id
    for indicator in sorted(year.daily):
        of_indicator = year.daily[indicator]
        for day in sorted(of_indicator):
            yield f"{unit} {indicator} {day} {of_indicator[day]}"
    for state, days in (("published", year.published), ("withheld", year.withheld)):
        yield f"{unit} {state} {' '.join(map(str, sorted(days)))}"
    for veto in sorted(year.vetoes, key=lambda veto: veto.veto_id):
        yield f"{unit} veto {veto.veto_id} {' '.join(map(str, sorted(veto.days)))}"


def _digest(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return f"sha256:{digest.hexdigest()}"
