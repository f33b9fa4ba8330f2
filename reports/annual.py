"""年度报告: what a year came to, in the order people read it. Plain values.

`reports.annual_workbook`, `reports.annual_circular`, `reports.unit_sheet` and `reports.annual_page` write the same
values as a workbook, as the 通报, as each unit's own sheet and as a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from config.schema import Indicators, UnitKind
from scoring.annual import Status, UnitResult


@dataclass(frozen=True, slots=True)
class YearFault:
    """One fault of a unit in the year; `number` is that of its last finding, `days` on how many days it was seen."""

    number: int
    check: str  # Chinese title
    target: str
    item: str
    observed: str
    basis: str
    state: str
    first_seen: date
    last_seen: date
    days: int


@dataclass(frozen=True, slots=True)
class UnitAnnual:
    """One unit's year: its result, the daily scores that were published, and its faults, the longest standing first."""

    name: str
    result: UnitResult
    scores: tuple[tuple[date, Decimal], ...]
    faults: tuple[YearFault, ...] = ()


@dataclass(frozen=True, slots=True)
class InputSource:
    """数据来源: one thing that the result rests on, with the digest of its bytes; times are those of the district."""

    title: str  # 评分表（第一考核组）
    detail: str  # file name, count of days …
    digest: str  # "sha256:<hex>", "" where there is none
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """One published version of the year; `changes` are Chinese sentences of what it changed in the one before."""

    number: int
    published_at: datetime
    by: str
    why: str
    digest: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnnualReport:
    """Everything that the reports of a year say. `units` stand in inventory order.

    `version` is None for a result that is not published; `versions` are those published so far, the newest last.
    `office` is who signs, `recipients` the 主送, `document_number` the 发文字号 ("" leaves a gap to be filled by hand).
    `table` is the year's scoring table with its clauses, `method` Chinese sentences on how points come about.
    """

    district: str
    office: str
    year: int
    status: Status
    last_day: date
    made_on: date
    table: Indicators
    units: tuple[UnitAnnual, ...]
    sources: tuple[InputSource, ...]
    method: tuple[str, ...]
    version: PublishedVersion | None = None
    versions: tuple[PublishedVersion, ...] = ()
    recipients: str = "各乡镇人民政府，区政府各部门"
    document_number: str = ""
    software: str = ""

    @property
    def draft(self) -> str:
        """What every page and file name of a result that is not published must say: 暂定 while anything is missing,
        送审稿 once it is complete; empty for a published version."""
        if self.version is not None:
            return ""
        return "暂定" if self.status is Status.PROVISIONAL else "送审稿"

    @property
    def missing(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What is wanting before the result can be published: units by name with what they lack."""
        return tuple((unit.name, unit.result.missing) for unit in self.units if unit.result.missing)

    def league(self, kind: UnitKind) -> tuple[UnitAnnual, ...]:
        """Return the units of a kind by rank, those of one rank in inventory order."""
        return tuple(sorted((unit for unit in self.units if unit.result.kind is kind), key=lambda u: u.result.rank))
