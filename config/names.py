"""Finding the unit that a person means by what he typed."""

from __future__ import annotations

import difflib
import unicodedata
from dataclasses import dataclass

from config.schema import Inventory, Unit

SUGGESTIONS = 5
SIMILARITY = 0.5  # below it, difflib's ratio finds nothing that a person would call similar


@dataclass(frozen=True, slots=True)
class UnknownUnit:
    """No unit, or more than one, goes by the name typed; `suggestions` are those that may be meant, likeliest first."""

    text: str
    suggestions: tuple[Unit, ...]

    def __str__(self) -> str:
        if not self.suggestions:
            return f"没有叫“{self.text}”的单位；用 inspect units 查看全部单位"
        return f"没有叫“{self.text}”的单位；您要找的是不是：{'、'.join(unit.name for unit in self.suggestions)}"


def find_unit(inventory: Inventory, text: str) -> Unit | UnknownUnit:
    """Return the one unit with that name, full name, alias or id, whatever its spaces, width and letter case.

    A part of a name is never taken for the whole: `教育` suggests 区教育局. A name of several units suggests them all.
    """
    wanted = normalised(text)
    found = tuple(unit for unit in inventory.units if wanted in _keys(unit)) if wanted else ()
    if len(found) == 1:
        return found[0]
    return UnknownUnit(text, found or _similar(inventory, wanted))


def normalised(text: str) -> str:
    """Return the text in half width and lower case without any white space, so that spellings compare."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _keys(unit: Unit) -> set[str]:
    return {normalised(name) for name in (unit.id, *unit.names)}


def _similar(inventory: Inventory, wanted: str) -> tuple[Unit, ...]:
    """Return the units most like the text: those whose names hold it come first, inventory order among equals."""
    ranked = sorted(inventory.units, key=lambda unit: -_likeness(unit, wanted))
    return tuple(unit for unit in ranked if _likeness(unit, wanted) >= SIMILARITY)[:SUGGESTIONS]


def _likeness(unit: Unit, wanted: str) -> float:
    return max(_ratio(wanted, key) for key in _keys(unit)) if wanted else 0.0


def _ratio(wanted: str, key: str) -> float:
    ratio = difflib.SequenceMatcher(None, wanted, key, autojunk=False).ratio()
    return 1 + ratio if wanted in key else ratio
