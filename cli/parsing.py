"""What people type, turned into values, or refused in a sentence that tells the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from checks.facts.model import PageKind
from checks.model import Outcome
from config.names import UnknownUnit, find_unit
from inspection.errors import InvalidInput, UnknownUnitError
from scoring.review import FaultState

if TYPE_CHECKING:
    from inspection.place import Place


def parse_day(text: str | None) -> date | None:
    """Return the day that an ISO text names; raises InvalidInput."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"“{text}”不是日期；请写成 2026-11-23 这样的形式。") from error


def unit_ids(place: Place, names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return the ids of the units with those names, None for no names; raises UnknownUnitError for all wrong ones."""
    if not names:
        return None
    found = [find_unit(place.configuration.inventory, name) for name in names]
    unknown = [str(answer) for answer in found if isinstance(answer, UnknownUnit)]
    if unknown:
        raise UnknownUnitError("；".join(unknown) + "？")
    return tuple(dict.fromkeys(unit.id for unit in found if not isinstance(unit, UnknownUnit)))


def known_check(check_id: str | None) -> str | None:
    """Return the id of a check that exists; raises InvalidInput naming those that do."""
    from checks.registry import CHECKS

    known = [check.META.id for check in CHECKS]
    if check_id is not None and check_id not in known:
        raise InvalidInput(f"没有叫“{check_id}”的检查；可用的有：{'、'.join(known)}。")
    return check_id


def known_outcome(text: str) -> Outcome | None:
    """Return the outcome of that name, None for "all"; raises InvalidInput."""
    if text.lower() == "all":
        return None
    try:
        return Outcome(text.upper())
    except ValueError as error:
        raise InvalidInput(f"没有“{text}”这种结果；可用的有：{'、'.join(Outcome)}，或 all。") from error


def known_state(text: str | None) -> FaultState | None:
    """Return the state of a fault by that name, None for none given; raises InvalidInput."""
    if text is None:
        return None
    try:
        return FaultState(text)
    except ValueError as error:
        raise InvalidInput(f"没有“{text}”这种状态；可用的有：{'、'.join(FaultState)}。") from error


def known_kind(text: str | None) -> PageKind | None:
    """Return the page kind of that name, None for none given; raises InvalidInput."""
    if text is None:
        return None
    try:
        return PageKind(text)
    except ValueError as error:
        raise InvalidInput(f"没有“{text}”这种页面类型；可用的有：{'、'.join(PageKind)}。") from error
