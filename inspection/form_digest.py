"""Which scoring table a form was made by, so that marks given by another are known; loads nothing that reads files."""

from __future__ import annotations

import hashlib
import json

from config.schema import Indicators, Inventory


def form_digest(year: int, table: Indicators, inventory: Inventory) -> str:
    """Return the SHA-256 (hex) of what a form depends on: the rows, their points, and which units each concerns."""
    rows = [
        [
            row.id,
            str(row.points),
            str(row.circular_deduction),
            row.site_share == 1,
            sorted(unit.id for unit in inventory.units if row.applies_to(unit)),
        ]
        for row in table.indicators
    ]
    return hashlib.sha256(json.dumps([year, table.year, rows]).encode()).hexdigest()
