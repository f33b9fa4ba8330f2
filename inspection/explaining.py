"""逐行说明: how one unit's year came about, from each row of the table down to the findings behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from config.schema import Indicator, Indicators
from inspection.errors import InvalidInput
from inspection.place import Place
from inspection.rollup import ordered_events
from scoring.annual import Annual, IndicatorYear, UnitResult
from scoring.rectification import told_orders
from storage.model import CountedFault, Fault


@dataclass(frozen=True, slots=True)
class RowExplanation:
    """One row: its title, the faults that lowered A, the longest standing first, and the units whose mean it takes."""

    row: IndicatorYear
    title: str
    faults: tuple[CountedFault, ...] = ()
    mean_of: tuple[str, ...] = ()  # ids of units, where `row.na`


@dataclass(frozen=True, slots=True)
class OrderKept:
    """整改要求: one order of the year that can be told of, with its fault, and whether it was kept."""

    fault: Fault
    kept: bool


@dataclass(frozen=True, slots=True)
class UnitExplanation:
    """One unit's year, row by row."""

    unit: UnitResult
    rows: tuple[RowExplanation, ...]
    orders: tuple[OrderKept, ...]


def explained(place: Place, result: Annual, table: Indicators, unit_id: str, last_day: date) -> UnitExplanation:
    """Return how the unit's result came about; `table` is the scoring table that it was reckoned by.

    Raises InvalidInput for a unit that the result does not have, StorageError.
    """
    unit = next((unit for unit in result.units if unit.unit_id == unit_id), None)
    if unit is None:
        raise InvalidInput(f"{result.year}年度的这份结果里没有这个单位；它公布的时候，单位名单里还没有它。")
    first = date(result.year, 1, 1)
    faults = place.repository.counted_faults(unit_id, first, last_day)
    of_table = {row.id: row for row in table.indicators}
    rows = tuple(_row(place, of_table[row.id], row, faults, result) for row in unit.indicators)
    return UnitExplanation(unit, rows, tuple(_orders(place, unit_id, first, last_day)))


def _row(
    place: Place, indicator: Indicator, row: IndicatorYear, faults: Sequence[CountedFault], result: Annual
) -> RowExplanation:
    if row.na:
        return RowExplanation(row, indicator.title, mean_of=_assessed_units(result, row.id))
    lowering = _lowering(place, indicator, faults) if row.share and row.site is not None else ()
    return RowExplanation(row, indicator.title, tuple(sorted(lowering, key=lambda fault: -fault.days)))


def _lowering(place: Place, indicator: Indicator, faults: Iterable[CountedFault]) -> Iterator[CountedFault]:
    """Yield the faults that the row takes: of the checks that weigh in it, and of the part that it is bound to."""
    weightless = {check for check, rule in place.configuration.rules.checks if not rule.weight}
    taken = [(bound.check, bound.items) for bound in indicator.checks if bound.check not in weightless]
    for fault in faults:
        if any(fault.check == check and (not items or fault.item.startswith(items)) for check, items in taken):
            yield fault


def _assessed_units(result: Annual, indicator_id: str) -> tuple[str, ...]:
    return tuple(
        unit.unit_id for unit in result.units for row in unit.indicators if row.id == indicator_id and not row.na
    )


def _orders(place: Place, unit_id: str, first: date, last: date) -> Iterator[OrderKept]:
    events = ordered_events(place, [unit_id], first, last).get(unit_id, [])
    faults: Mapping[str, Fault] = place.faults.known({event.fingerprint for event in events})
    for order in told_orders(events, first, last):
        yield OrderKept(faults[order.fingerprint], order.kept)
