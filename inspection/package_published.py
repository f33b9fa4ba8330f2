"""审计包里公布的年度版本: whether it is what was published, whether its sums come out, and whether its daily values are
those that the sealed scores inside have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from config.schema import Indicators
from inspection.package import Contents, PackagedRun
from inspection.package_container import Container, Unreadable, path_in
from inspection.package_judging import sealed_score
from inspection.package_seals import manifest
from inspection.publishing import digest_of
from inspection.verification import Step
from scoring.annual import Annual, IndicatorYear, UnitResult, reckoned_again
from scoring.frozen import annual_of
from scoring.model import ScoreState
from storage.model import RunKind

_ROWS = {"final": "得分", "mark": "考核组评分", "deducted": "通报扣分", "formula": "算式", "missing": "缺项"}
_UNITS = {"exact": "总分（未四舍五入）", "total": "总分", "rank": "名次"}


@dataclass(frozen=True, slots=True)
class _Published:
    """A published version as the package has it."""

    name: str
    at: datetime
    last_day: date
    result: Annual
    table: Indicators
    vetoes: Mapping[str, Decimal]


def check_published(container: Container, contents: Contents, step: Step) -> None:
    """Tell `step` where the published version inside is not the one that its digest is of, or does not come out."""
    if contents.year is None:
        step.told = "包里没有年度版本"
        return
    name = path_in("published", f"{contents.year}-{contents.version}.json")
    try:
        published = _published(container, contents, name, step)
        told = [unit for unit in published.result.units if unit.unit_id in contents.units]
        _check_sums(published, step)
        for unit in told:
            _check_days(published, unit, _days_of(container, contents, published, unit.unit_id), step)
    except (Unreadable, ValidationError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        step.differs(name, str(error) if isinstance(error, Unreadable) else "内容不合规定")
        return
    units = published.result.units
    step.told = (
        f"{contents.year}年度第 {contents.version} 版，{len(units)} 个单位的得分和名次由各行重算，"
        f"{len(told)} 个单位的日均值由包里封存的每日得分重算"
    )
    step.note("评分、通报扣分、整改率和未涉及的说法按年度版本里的计，包里没有原件")


def _published(container: Container, contents: Contents, name: str, step: Step) -> _Published:
    document = container.document(name)
    inputs, digest = document["inputs"], digest_of({key: document[key] for key in ("inputs", "result")})
    result = annual_of(document["result"])
    stated = document["digest"], document["year"], document["version"]
    if stated != (digest, contents.year, contents.version) or result.year != contents.year:
        step.differs(name, "内容与公布时的摘要不符")
    step.note(f"年度版本的摘要是 {digest}，请与公布时的核对")
    return _Published(
        name=name,
        at=datetime.fromisoformat(document["published_at"]),
        last_day=date.fromisoformat(document["last_day"]),
        result=result,
        table=Indicators.model_validate(inputs["indicators"]),
        vetoes={veto: Decimal(points) for veto, points in inputs["vetoes"].items()},
    )


# ---------------------------------------------------------------- what the rows come to


def _check_sums(published: _Published, step: Step) -> None:
    """Tell of rows that are not those of the scoring table, and of what comes out otherwise."""
    again = reckoned_again(published.result)
    for then, now in zip(published.result.units, again.units, strict=True):
        where = f"{published.name} {then.unit_id}"
        for difference in _differences(then, now, _UNITS):
            step.differs(where, difference)
        for row, made in zip(then.indicators, now.indicators, strict=True):
            for difference in _differences(row, made, _ROWS):
                step.differs(f"{where} {row.id} 行", difference)
        _check_table(published, then, where, step)
        for veto in then.vetoes:
            if published.vetoes.get(veto.veto_id) != veto.points:
                step.differs(where, f"单项否决 {veto.veto_id} 的扣分不是规则里的")


def _differences(then: object, now: object, told: Mapping[str, str]) -> Iterator[str]:
    for key, title in told.items():
        before, again = getattr(then, key), getattr(now, key)
        if before != again:
            yield f"{title}公布的是 {_short(before)}，重新算出的是 {_short(again)}"


def _short(value: object) -> str:
    return f"{float(value):.6f}" if isinstance(value, Fraction) else str(value)[:120]


def _check_table(published: _Published, unit: UnitResult, where: str, step: Step) -> None:
    rows = [row for row in published.table.indicators if unit.kind in row.kinds]
    if [(row.id, row.points) for row in rows] != [(row.id, row.points) for row in unit.indicators]:
        step.differs(where, "各行或分值与随附的评分指标表不符")
        return
    for row, held in zip(rows, unit.indicators, strict=True):
        never = bool(unit.published) and not held.days and row.site_share < 1 and not held.na
        if not held.na and held.share != (Fraction(0) if never else Fraction(row.site_share)):
            step.differs(f"{where} {row.id} 行", "网站采样的份额与随附的评分指标表不符")


# ---------------------------------------------------------------- what the days come to


@dataclass(slots=True)
class _Days:
    """What the sealed scores inside say of a unit, by day."""

    scores: dict[date, dict[str, Any]] = field(default_factory=dict)
    withheld: set[date] = field(default_factory=set)


def _days_of(container: Container, contents: Contents, published: _Published, unit: str) -> _Days:
    """Return the scores that counted when the year was published: of each day the last that was published."""
    found = _Days()
    for run in _runs_before(container, contents, published):
        if unit not in run.units:
            continue
        score = sealed_score(container, run.run, unit)
        if score["state"] == ScoreState.PUBLISHED:
            found.scores[run.day] = score
        elif run.kind == RunKind.NIGHTLY:
            found.withheld.add(run.day)
    return found


def _runs_before(container: Container, contents: Contents, published: _Published) -> list[PackagedRun]:
    """Return the runs inside whose scores could count for the version, as they were done one after the other."""
    done = []
    for run in contents.runs:
        counts = run.kind in (RunKind.NIGHTLY, RunKind.RESCORE) and run.day <= published.last_day
        finished = manifest(container, run.run)["run"]["finished_at"]
        if counts and run.day.year == contents.year and datetime.fromisoformat(finished) <= published.at:
            done.append((datetime.fromisoformat(finished), run.run, run))
    return [run for _, _, run in sorted(done, key=lambda one: one[:2])]


def _check_days(published: _Published, unit: UnitResult, days: _Days, step: Step) -> None:
    """Tell of days, mean values and vetoes of a unit that are not those of the sealed scores."""
    where = f"{published.name} {unit.unit_id}"
    for title, said, found in (
        ("有分的日子", unit.published, days.scores.keys()),
        ("没有得分的日子", unit.withheld, days.withheld - days.scores.keys()),
    ):
        for day in sorted(set(said) ^ set(found)):
            step.differs(where, f"{title}：{day} {'在封存的得分里没有' if day in said else '没有计入'}")
    for row in unit.indicators:
        if not row.na and (row.days, row.site) != (again := _mean_of(row, days)):
            then = f"{_short(row.site)}（{row.days} 天）"
            step.differs(
                f"{where} {row.id} 行", f"日均值公布的是 {then}，由每日得分算出的是 {_short(again[1])}（{again[0]} 天）"
            )
    vetoes = {veto.veto_id: set(veto.days) for veto in unit.vetoes}
    for veto_id in sorted(published.vetoes):
        vetoed = {day for day, score in days.scores.items() if veto_id in {veto["id"] for veto in score["vetoes"]}}
        if vetoed != vetoes.get(veto_id, set()):
            step.differs(where, f"单项否决 {veto_id} 的日子与封存的得分不符")


def _mean_of(row: IndicatorYear, days: _Days) -> tuple[int, Fraction | None]:
    values = [
        Fraction(held["value"])
        for score in days.scores.values()
        for held in score["indicators"]
        if held["id"] == row.id and held["value"] is not None
    ]
    if not values:
        return 0, None
    mean = sum(values, Fraction(0)) / len(values)
    return len(values), mean if row.rectified is None else (mean + Fraction(row.rectified)) / 2
