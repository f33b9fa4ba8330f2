"""简报: what changed since the night before, in the order people ask. Plain values and their words.

The workbook, the page and the terminal all show the same sections of lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from scoring.annual import rounded
from scoring.model import IndicatorScore, ScoreState, UnitScore
from scoring.ranking import rank

WAIVERS_ENDING_DAYS = 7
SHOWN = 30  # lines of a section on a page or a terminal; the workbook has them all
_NAMED = 3  # causes and units told one by one before the rest is only counted


@dataclass(frozen=True, slots=True)
class BriefFault:
    """One fault as the brief tells it; of a site, it is of several units. `day` is a deadline, or since when.

    `target` is empty for a fault of no page, which a unit as a whole has.
    """

    units: tuple[str, ...]
    check: str  # Chinese title
    reason: str  # Chinese title
    target: str
    numbers: tuple[int, ...]  # findings
    day: date | None = None
    why: str = ""  # why it begins to count

    @property
    def who(self) -> str:
        """The unit, or the first of them and how many they are."""
        more = f"等 {len(self.units)} 个单位" if len(self.units) > 1 else ""
        return f"{self.units[0]}{more}"


@dataclass(frozen=True, slots=True)
class NightScores:
    """One night's scores by unit id, and how many faults count, by unit and check id."""

    day: date
    scores: Mapping[str, UnitScore]
    failing: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Titles:
    """How the brief names units, rows of the scoring table, and checks, each by id."""

    units: Mapping[str, str]
    indicators: Mapping[str, str]
    checks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the brief: whom it concerns, what, and more of it; `address` is the page, `numbers` the findings."""

    unit: str
    what: str
    detail: str = ""
    address: str = ""
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the brief; `nothing` is what to say when it has no line."""

    title: str
    nothing: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class FaultNews:
    """What became of faults since the night before, and what waits for people; each fault told once."""

    found: tuple[BriefFault, ...] = ()
    returned: tuple[BriefFault, ...] = ()
    counted: tuple[BriefFault, ...] = ()  # faults that begin to count, or count again
    mended: tuple[BriefFault, ...] = ()
    overdue: tuple[BriefFault, ...] = ()
    waivers_ending: tuple[BriefFault, ...] = ()
    appeals: tuple[BriefFault, ...] = ()


@dataclass(frozen=True, slots=True)
class Brief:
    """The whole brief. `notes` say what the comparison rests on, or why there is none."""

    day: date
    notes: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def summary(self) -> str:
        """Every section with its count in one sentence."""
        told = "，".join(f"{section.title} {len(section.lines)}" for section in self.sections if section.lines)
        return f"{told}。" if told else "没有变化，没有待办。"

    @property
    def told(self) -> tuple[Section, ...]:
        """The sections that have something to say."""
        return tuple(section for section in self.sections if section.lines)

    @property
    def silent(self) -> str:
        """What the other sections have to say, in one sentence; empty when there are none."""
        return "；".join(section.nothing for section in self.sections if not section.lines)


def make_brief(
    night: NightScores, before: NightScores | None, faults: FaultNews, titles: Titles, notes: Sequence[str] = ()
) -> Brief:
    """Return the brief of a night against the published night before; None: there is none to compare with."""
    compared = _compared_notes(night, before)
    scores = _score_sections(night, before, titles) if before else ()
    return Brief(
        night.day, (*compared, *notes), (*scores, _unscored(night, titles), *_fault_sections(night.day, faults))
    )


def _compared_notes(night: NightScores, before: NightScores | None) -> tuple[str, ...]:
    if before is None:
        return ("这是第一次发布得分的巡查，没有上一夜可比；发现的问题都算新的。",)
    gap = (night.day - before.day).days - 1
    missed = f"中间 {gap} 天没有发布过得分。" if gap > 0 else ""
    notes = [f"与{before.day.year}年{before.day.month}月{before.day.day}日的得分相比。{missed}"]
    versions = [sorted({score.rules_version for score in one.scores.values()}) for one in (before, night)]
    if versions[0] != versions[1]:
        old, new = ("、".join(some) for some in versions)
        notes.append(f"规则版本由 {old} 改为 {new}，得分的变化可能来自规则，不一定来自网站。")
    return tuple(notes)


# ---------------------------------------------------------------- scores


def _score_sections(night: NightScores, before: NightScores, titles: Titles) -> tuple[Section, ...]:
    moves = [(_change(before, night, unit), unit) for unit in night.scores if _both(before, night, unit)]
    ranks = rank(before.scores.values()), rank(night.scores.values())

    def lines(moved: Iterable[tuple[Decimal, str]]) -> tuple[Line, ...]:
        ordered = sorted(moved, key=lambda move: (-abs(move[0]), titles.units.get(move[1], move[1])))
        return tuple(_moved(before, night, unit, titles, ranks) for _, unit in ordered)

    return (
        Section("得分下降", "没有单位得分下降", lines(move for move in moves if move[0] < 0)),
        Section("得分上升", "没有单位得分上升", lines(move for move in moves if move[0] > 0)),
    )


def _both(before: NightScores, night: NightScores, unit: str) -> bool:
    return unit in before.scores and before.scores[unit].score is not None and night.scores[unit].score is not None


def _change(before: NightScores, night: NightScores, unit: str) -> Decimal:
    return _score(night, unit) - _score(before, unit)


def _score(night: NightScores, unit: str) -> Decimal:
    score = night.scores[unit].score
    assert score is not None, "asked only of units with a score"
    return score


def _moved(
    before: NightScores,
    night: NightScores,
    unit: str,
    titles: Titles,
    ranks: tuple[Mapping[str, int | None], Mapping[str, int | None]],
) -> Line:
    def faults(check: str) -> tuple[int, int]:
        return before.failing.get((unit, check), 0), night.failing.get((unit, check), 0)

    change = _change(before, night, unit)
    what = f"{_score(before, unit):.2f} → {_score(night, unit):.2f}（{_signed(change)}）"
    places = f"名次 {ranks[0][unit]} → {ranks[1][unit]}" if ranks[0][unit] != ranks[1][unit] else ""
    why = causes(before.scores[unit], night.scores[unit], titles, faults)
    return Line(titles.units.get(unit, unit), what, "；".join(filter(None, (*why, places))))


def causes(
    before: UnitScore, after: UnitScore, titles: Titles, faults: Callable[[str], tuple[int, int]]
) -> tuple[str, ...]:
    """Return in Chinese which rows moved a score, the strongest first.

    While the same rows are judged, their changes add up to the score's. A row that comes or goes is told by how far it
    lies from what the score was.

    `faults` tells how many faults of a check counted before and after.
    """
    old, new = _values(before), _values(after)
    rows = {row.id: row for row in (*before.indicators, *after.indicators)}
    moved = [row for key, row in rows.items() if old.get(key) != new.get(key)]
    level = sum(_shares(before, Fraction(0)).values(), Fraction(0))
    brought = _shares(before, level), _shares(after, level)
    changes = {row.id: brought[1].get(row.id, Fraction(0)) - brought[0].get(row.id, Fraction(0)) for row in moved}
    ordered = sorted(moved, key=lambda row: -abs(changes[row.id]))
    told = [
        f"{row.id} {titles.indicators.get(row.id, '')} {_signed(_places(changes[row.id]))}"
        + _why(row, row.id in old, row.id in new, titles, faults)
        for row in ordered[:_NAMED]
    ]
    return (*told, *([f"另有 {len(ordered) - _NAMED} 行有变化"] if len(ordered) > _NAMED else []))


def _values(score: UnitScore) -> dict[str, Decimal]:
    return {row.id: row.value for row in score.indicators if row.value is not None}


def _shares(score: UnitScore, level: Fraction) -> dict[str, Fraction]:
    """Return by how much each row lifts the score of 100 over a level (0 to 100), or draws it below."""
    points = {row.id: Fraction(row.points) for row in score.indicators if row.value is not None}
    whole = sum(points.values(), Fraction(0))
    return {key: points[key] / whole * (100 * Fraction(value) - level) for key, value in _values(score).items()}


def _why(row: IndicatorScore, had: bool, has: bool, titles: Titles, faults: Callable[[str], tuple[int, int]]) -> str:
    if had != has:
        return "（上一夜没有可判的内容）" if has else "（这一夜没有可判的内容）"
    checks = {bound.check: faults(bound.check) for bound in row.weights}
    moved = [
        f"{titles.checks.get(check, check)}的问题 {before} → {after} 个"
        for check, (before, after) in checks.items()
        if before != after
    ]
    return f"（{'、'.join(moved)}）" if moved else "（计分的问题数没有变，计入的对象变了）"


def _signed(change: Decimal) -> str:
    return f"{'+' if change > 0 else '−' if change < 0 else ''}{abs(change):.2f}"


def _places(change: Fraction) -> Decimal:
    return rounded(abs(change)).copy_sign(Decimal(-1 if change < 0 else 1))


def _unscored(night: NightScores, titles: Titles) -> Section:
    lines = [
        Line(
            titles.units.get(unit, unit),
            "不适用" if score.state is ScoreState.NOT_APPLICABLE else "未发布",
            "；".join(score.reasons),
        )
        for unit, score in night.scores.items()
        if score.score is None
    ]
    return Section("没有得分的单位", "各单位都有得分", tuple(lines))


# ---------------------------------------------------------------- faults


def _fault_sections(day: date, news: FaultNews) -> tuple[Section, ...]:
    def overdue(fault: BriefFault) -> str:
        late = f"，已逾期 {(day - fault.day).days} 天" if fault.day else ""
        return f"限 {_day(fault.day)} 改好{late}"

    return (
        _faults("新发现的问题", "没有新发现的问题", news.found),
        _faults("复发的问题", "没有复发的问题", news.returned),
        _faults("开始计分的问题", "没有原来不计分、现在开始计分的问题", news.counted, lambda fault: fault.why),
        _faults("查见已改的问题", "没有查见已改的问题", news.mended),
        _faults("逾期未改", "没有逾期未改的问题", news.overdue, overdue),
        _faults(
            f"{WAIVERS_ENDING_DAYS} 日内到期的豁免",
            f"{WAIVERS_ENDING_DAYS} 日内没有豁免到期",
            news.waivers_ending,
            lambda fault: f"豁免到 {_day(fault.day)}",
        ),
        _faults("待裁决的申诉", "没有待裁决的申诉", news.appeals, lambda fault: f"{_day(fault.day)} 提出"),
    )


def _faults(
    title: str, nothing: str, faults: Iterable[BriefFault], detail: Callable[[BriefFault], str] = lambda _: ""
) -> Section:
    lines = (
        Line(fault.who, f"{fault.check}：{fault.reason}", detail(fault), fault.target, fault.numbers)
        for fault in faults
    )
    return Section(title, nothing, tuple(lines))


def _day(day: date | None) -> str:
    return f"{day.month}月{day.day}日" if day else "—"


def waiver_ends_soon(until: date | None, day: date) -> bool:
    """Whether a waiver still holds on the day and ends within a week."""
    return until is not None and day <= until <= day + timedelta(days=WAIVERS_ENDING_DAYS)
