"""每日巡查报告: what one run found and how it scored, in the order people read it. Plain values.

`reports.daily_workbook` and `reports.daily_page` write the same values as a workbook and as a page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from urllib.parse import urlsplit

from checks.model import CheckMeta, Finding, Outcome, Scope
from config.schema import UnitKind
from reports.brief import Brief
from reports.politeness import Politeness
from scoring.model import ScoreState, SiteVerdict, UnitScore

KIND_TITLES = {UnitKind.TOWNSHIP: "乡镇", UnitKind.DEPARTMENT: "部门"}
OUTCOME_TITLES = {
    Outcome.PASS: "通过",
    Outcome.FAIL: "不通过",
    Outcome.NOTICE: "提示",
    Outcome.NOT_APPLICABLE: "不适用",
    Outcome.NOT_TESTED: "未检测",
    Outcome.INCONCLUSIVE: "无法判定",
    Outcome.ERROR: "检查出错",
}
OUTCOME_MEANINGS = {
    Outcome.PASS: "看到了，符合要求。",
    Outcome.FAIL: "看到了，不符合要求；状态为“待确认”的还不计分。",
    Outcome.NOTICE: "值得注意，不影响得分。",
    Outcome.NOT_APPLICABLE: "这项要求不针对这个对象，不计入。",
    Outcome.NOT_TESTED: "没有去看（如栏目地址待确认、没有浏览器），不计分，降低覆盖率。",
    Outcome.INCONCLUSIVE: "去看了但不能断定（如被拦截、超时），不计分，降低覆盖率，不算单位的错。",
    Outcome.ERROR: "检查程序自己出了错，不计分，降低覆盖率，不算单位的错。",
}
UNJUDGED = (Outcome.NOT_TESTED, Outcome.INCONCLUSIVE, Outcome.ERROR)
LISTED = (Outcome.FAIL, Outcome.NOTICE, *UNJUDGED)  # the others, most of them, are only counted
_LONGEST_LINK = 2000  # characters; spreadsheets refuse little more


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the report says of the run itself; times are those of the district.

    `captures` counts what was captured and what was not, by Chinese title; `digests` are SHA-256 in hex by file name.
    """

    number: int
    kind: str  # 每日巡查 or 抽查
    day: date
    seed: str
    rules_version: str
    digests: tuple[tuple[str, str], ...]
    software: str
    captures: Mapping[str, int]
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedFinding:
    """A finding and what keeping it added: its number, its state as people see it, the first day it was seen."""

    number: int
    finding: Finding
    state: str
    first_seen: date
    pending: bool = False  # 待确认: a failure that does not count yet


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for which a check gave no result on some targets, `count` times in all."""

    check: str
    outcome: Outcome
    observed: str
    targets: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class UnitDay:
    """One unit on the day: its score (None when the run ended before scoring), its rank and what was found.

    `unlisted` is how many findings there are of outcomes that are only counted.
    """

    id: str
    name: str
    kind: UnitKind
    score: UnitScore | None
    rank: int | None
    findings: tuple[ListedFinding, ...]
    unlisted: Mapping[Outcome, int] = field(default_factory=dict)

    @cached_property
    def counts(self) -> Mapping[Outcome, int]:
        """How many findings have which outcome."""
        return Counter(listed.finding.outcome for listed in self.findings) + Counter(self.unlisted)

    @cached_property
    def problems(self) -> tuple[ListedFinding, ...]:
        """The failures, those that wait for confirmation among them."""
        return self.of(Outcome.FAIL)

    @cached_property
    def pending(self) -> int:
        """How many failures wait for confirmation."""
        return sum(listed.pending for listed in self.problems)

    @cached_property
    def unjudged(self) -> int:
        """How many results there should be and are not."""
        return sum(self.counts[outcome] for outcome in UNJUDGED)

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """Why targets could not be judged, what concerns most of them first."""
        targets: dict[tuple[str, Outcome, str], list[str]] = {}
        for finding in (listed.finding for listed in self.findings if listed.finding.outcome in UNJUDGED):
            targets.setdefault((finding.check, finding.outcome, finding.observed), []).append(finding.target)
        causes = (Cause(*key, tuple(dict.fromkeys(found)), len(found)) for key, found in targets.items())
        return tuple(sorted(causes, key=lambda cause: -cause.count))

    @property
    def score_text(self) -> str:
        """The score with two places, or why there is none."""
        if self.score is None:
            return "未评分"
        if self.score.score is not None:
            return f"{self.score.score:.2f}"
        return "不适用" if self.score.state is ScoreState.NOT_APPLICABLE else "未发布"

    @property
    def coverage_text(self) -> str:
        """The coverage in percent, cut off rather than rounded: 79.9 % must not read as the floor of 80 %."""
        return percent_text(self.score.coverage) if self.score else "—"

    @property
    def verdict_text(self) -> str:
        """The verdict by the vetoes (单项否决), or that there is none."""
        return (self.score.verdict if self.score else None) or "不下结论"

    def of(self, outcome: Outcome) -> tuple[ListedFinding, ...]:
        """Return the findings with that outcome."""
        return tuple(listed for listed in self.findings if listed.finding.outcome is outcome)


@dataclass(frozen=True, slots=True)
class SiteProblem:
    """A fault of a site, told once: the findings that tell it, of several respects and units, and the units' names."""

    findings: tuple[ListedFinding, ...]
    units: tuple[str, ...]

    @property
    def listed(self) -> ListedFinding:
        """The first of the findings; the others say the same."""
        return self.findings[0]


@dataclass(frozen=True, slots=True)
class SiteDay:
    """One site on the day: its name and the verdict on it by the vetoes, counted over all units on it."""

    name: str
    verdict: SiteVerdict

    @property
    def verdict_text(self) -> str:
        """The verdict, or that there is none."""
        return self.verdict.verdict or "不下结论"

    @property
    def coverage_text(self) -> str:
        """The coverage in percent, cut off rather than rounded."""
        return percent_text(self.verdict.coverage)

    @property
    def vetoes_text(self) -> str:
        """What the site was vetoed for, with the count and the limit of each."""
        hits = self.verdict.vetoes
        return "；".join(f"{veto.title} {len(veto.targets)} 个（满 {veto.at_least} 个即不合格）" for veto in hits)


@dataclass(frozen=True)
class DailyReport:
    """Everything the report of one run says. `checks` are those in force, `units` and `sites` in inventory order.

    `brief` is None for a run that is no night.
    """

    district: str
    run: RunFacts
    checks: tuple[CheckMeta, ...]
    units: tuple[UnitDay, ...]
    sites: tuple[SiteDay, ...] = ()
    brief: Brief | None = None
    politeness: Politeness = field(default_factory=Politeness)

    @property
    def title(self) -> str:
        """What stands at the head of the report."""
        return f"{self.district}政务公开{self.run.kind}"

    @cached_property
    def counts(self) -> Mapping[Outcome, int]:
        """How many findings of the whole run have which outcome."""
        return sum((Counter(unit.counts) for unit in self.units), Counter())

    @property
    def pending(self) -> int:
        """How many failures of the whole run wait for confirmation."""
        return sum(unit.pending for unit in self.units)

    @property
    def unjudged(self) -> int:
        """How many results of the whole run there should be and are not."""
        return sum(unit.unjudged for unit in self.units)

    @property
    def scored(self) -> int:
        """How many units have a published score."""
        return sum(unit.score is not None and unit.score.published for unit in self.units)

    @cached_property
    def site_problems(self) -> tuple[SiteProblem, ...]:
        """The faults of sites, each once however many units it counts for, in the order of checks."""
        told: dict[tuple[str, ...], list[tuple[str, ListedFinding]]] = {}
        for unit in self.units:
            for listed in self.of_sites(unit.problems):
                finding = listed.finding
                key = (finding.check, finding.target, finding.reason, finding.observed)
                told.setdefault(key, []).append((unit.name, listed))
        order = list(self._metas)
        return tuple(
            SiteProblem(tuple(listed for _, listed in told[key]), tuple(dict.fromkeys(name for name, _ in told[key])))
            for key in sorted(told, key=lambda key: order.index(key[0]))
        )

    def of_sites(self, findings: Iterable[ListedFinding]) -> tuple[ListedFinding, ...]:
        """Return those of the findings that are about a whole site."""
        return tuple(listed for listed in findings if self._is_of_site(listed))

    def of_unit_alone(self, findings: Iterable[ListedFinding]) -> tuple[ListedFinding, ...]:
        """Return those of the findings that are about the unit's own columns and pages."""
        return tuple(listed for listed in findings if not self._is_of_site(listed))

    @property
    def about(self) -> tuple[tuple[str, tuple[tuple[str, str | int | date], ...]], ...]:
        """What there is to say of the run itself, in titled sections of names and values."""
        outcomes = OUTCOME_TITLES.items()
        return (
            ("本次巡查", self._about_run),
            ("采集次数（同一页可能先取静态页、再用浏览器）", tuple(self.run.captures.items())),
            ("结果", tuple((title, self.counts[outcome]) for outcome, title in outcomes)),
            ("各种结果的意思", tuple((title, OUTCOME_MEANINGS[outcome]) for outcome, title in outcomes)),
        )

    @property
    def _about_run(self) -> tuple[tuple[str, str | int | date], ...]:
        run = self.run
        return (
            ("巡查编号", f"第 {run.number} 次（{run.kind}）"),
            ("巡查日期", run.day),
            ("开始时间", _minute(run.started_at)),
            ("结束时间", _minute(run.finished_at)),
            ("规则版本", run.rules_version),
            ("抽样种子", run.seed),
            ("程序版本", run.software),
            *((f"{name} 的 SHA-256", digest) for name, digest in run.digests),
        )

    def league(self, kind: UnitKind) -> tuple[UnitDay, ...]:
        """Return the units of a kind by rank; those without a rank follow in inventory order."""
        units = (unit for unit in self.units if unit.kind is kind)
        return tuple(sorted(units, key=lambda unit: (unit.rank is None, unit.rank or 0)))

    def _is_of_site(self, listed: ListedFinding) -> bool:
        meta = self._metas.get(listed.finding.check)
        return meta is not None and meta.scope is Scope.SITE

    def check_title(self, check_id: str) -> str:
        """Return a check's Chinese title; the id itself for a check that this program no longer has."""
        meta = self._metas.get(check_id)
        return meta.title if meta else check_id

    def basis(self, check_id: str) -> str:
        """Return the clause a check rests on."""
        meta = self._metas.get(check_id)
        return meta.basis if meta else ""

    def reason_title(self, finding: Finding) -> str:
        """Return in Chinese what a finding's reason code says."""
        meta = self._metas.get(finding.check)
        return meta.reason_title(finding.reason) if meta else finding.reason

    @cached_property
    def _metas(self) -> Mapping[str, CheckMeta]:
        return {meta.id: meta for meta in self.checks}


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "—"


def percent_text(share: Decimal) -> str:
    """Return a share in whole percent, cut off."""
    return f"{(share * 100).quantize(Decimal(1), ROUND_DOWN)}%"


def web_link(text: str) -> str | None:
    """Return the text if it may be offered as a link: an http(s) address of bearable length; None otherwise."""
    if len(text) > _LONGEST_LINK or not text.isprintable() or any(character.isspace() for character in text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.hostname else None
