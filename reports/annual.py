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

METHOD = (
    "一行的得分 = 分值 ×（a × A +（1 − a）× M ÷ 分值）：a 是网站采样所占的份额，A 是全年网站日均值（0 到 1），"
    "M 是考核组评分（几位评分人的取平均值）。",
    "A 是发布过得分的各日里这一行的值的平均。覆盖率不够而没有发布得分的日子、没有巡查的日子都不计入，不当作零分。",
    "全年都巡查过、网站上始终没有这一行可判的内容的，a 按 0 计，全凭考核组评分；一次得分也没有发布过的，是缺，不是零。",
    "全凭网站的行（a = 1，日常工作），A 的一半是网站日均值，一半是责令整改的问题按期改好的份额；没有责令整改过的，"
    "全按网站日均值；考核组可以改评。",
    "被上级通报的，按通报清单从对应的行里扣分，扣完为止。",
    "因工作职责未涉及的行，取已评各单位该行得分的算术平均值，在各单位该行都有结果之后再算。",
    "单项否决的扣分一年只扣一次；总分不低于 0。",
    "没有看到的页面、被拦截的页面、打不开而不能断定是谁的原因的页面，都不算单位的错；取决于网络状况的问题，多次看到或经人确认才计分。",
    "经申诉撤销的问题按没有问题计，豁免期内的问题不计入。",
    "乡镇、部门分开排名，总分相同的名次相同，其后名次顺延。全程用分数计算，只在最后四舍五入到两位小数。",
)


@dataclass(frozen=True, slots=True)
class YearFault:
    """One fault of a unit in the year; `number` is that of its last finding, `days` on how many days it was seen."""

    number: int
    check: str  # Chinese title
    target: str
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
        return self.status.draft

    @property
    def missing(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What is wanting before the result can be published: units by name with what they lack."""
        return tuple((unit.name, unit.result.missing) for unit in self.units if unit.result.missing)

    def league(self, kind: UnitKind) -> tuple[UnitAnnual, ...]:
        """Return the units of a kind by rank, those of one rank in inventory order."""
        return tuple(sorted((unit for unit in self.units if unit.result.kind is kind), key=lambda u: u.result.rank))
