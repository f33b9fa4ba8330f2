"""What a crawling process is told: apart from what does it, so that who only tells it need not load a crawler."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class BatchJob:
    """What a child is told: which sites of which run, on which day, with which seed."""

    run_id: int
    name: str  # of the evidence file
    site_ids: tuple[str, ...]
    unit_ids: tuple[str, ...] | None
    day: date
    seed: str
    config: str
    data: str

    def plain(self) -> dict[str, Any]:
        """Return the job as JSON-like data."""
        return {name: getattr(self, name) for name in self.__slots__} | {"day": self.day.isoformat()}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> BatchJob:
        """Return the job that `plain` made data of."""
        units = plain["unit_ids"]
        return cls(
            **plain
            | {
                "day": date.fromisoformat(plain["day"]),
                "site_ids": tuple(plain["site_ids"]),
                "unit_ids": None if units is None else tuple(units),
            }
        )
