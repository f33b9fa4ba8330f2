"""试算: what a year would come to by another scoring table or other rules. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import date, timedelta
from decimal import Decimal, localcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

from checks.model import Finding
from config.loader import INDICATORS, RULES, SITES, WORDS, Configuration
from config.rules import Rules
from config.schema import Indicators
from inspection.errors import EvidenceUnavailable
from inspection.inputs import FILE as INPUTS
from inspection.inputs import kept_inputs
from inspection.judging import Records, judge_sites, strict
from inspection.missing_files import missing_of, told_missing
from inspection.other_files import require_readable, tried_configuration
from inspection.place import Place
from inspection.progress import Progress
from inspection.rollup import YearInputs, gather, result_of
from scoring.annual import EXACT, Annual, Mark, UnitResult, UnitYear, rounded
from scoring.daily import daily_score
from scoring.model import UnitScore
from scoring.review import rulings_of
from storage.model import StoredYear
from storage.scored import ScoredNight, ScoredNights

_NIGHTS_NAMED = 10
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Move:
    """One unit before and after."""

    before: UnitResult
    after: UnitResult

    @property
    def moved(self) -> bool:
        """Whether its total or its rank differs."""
        return (self.before.total, self.before.rank) != (self.after.total, self.after.rank)


@dataclass(frozen=True, slots=True)
class Trial:
    """The year as it stands and as it would be; `notes` are Chinese sentences on what to bear in mind."""

    before: Annual
    after: Annual
    last_day: date
    notes: tuple[str, ...]

    @property
    def moves(self) -> tuple[Move, ...]:
        """Every unit, in inventory order."""
        return tuple(Move(before, after) for before, after in zip(self.before.units, self.after.units, strict=True))


def trial(
    place: Place, year: int, last_day: date | None, indicators: Path | None, rules: Path | None, progress: Progress
) -> Trial:
    """Return what the year would come to with these files in place of those in force; stores nothing.

    The days are scored again from their stored findings; where the rules would find other things, each night is judged
    again from its evidence. Raises ConfigurationError with every mistake in the files, InvalidInput for a file that
    cannot be read, EvidenceUnavailable, StorageError.
    """
    configuration = _configuration(place, year, indicators, rules)
    before = gather(place, year, last_day)
    trying = replaced(place, configuration=configuration)
    judging_again = _judging(configuration.rules) != _judging(place.configuration.rules)
    nights = ScoredNights(place.database).between(date(year, 1, 1), before.last_day)
    if judging_again:
        _require_evidence(place, nights)
    stored = _scored_again(trying, nights, judging_again, progress)
    after = gather(trying, year, last_day, configuration, stored)
    after = _with_marks_to_scale(after, before.indicators)
    notes = tuple(_notes(before, after, judging_again, len({night.run_id for night in nights})))
    return Trial(result_of(before), result_of(after), before.last_day, notes)


def trial_document(tried: Trial, names: Mapping[str, str]) -> Document:
    """Return `inspect rollup --json`'s document of a trial: every unit before and after."""
    return {
        "year": tried.after.year,
        "trial": True,
        "status": tried.after.status,
        "last_day": tried.last_day,
        "notes": list(tried.notes),
        "units": [
            {
                "unit": names.get(move.after.unit_id, move.after.unit_id),
                "kind": move.after.kind,
                "moved": move.moved,
                "before": {"rank": move.before.rank, "total": move.before.total},
                "after": {"rank": move.after.rank, "total": move.after.total},
                "indicators": _changed_rows(move),
            }
            for move in tried.moves
        ],
    }


def _changed_rows(move: Move) -> list[Document]:
    before = {row.id: row.final for row in move.before.indicators}
    after = {row.id: row.final for row in move.after.indicators}
    finals = ((key, before.get(key), after.get(key)) for key in dict.fromkeys((*before, *after)))
    return [
        {"id": key, "before": None if old is None else rounded(old), "after": None if new is None else rounded(new)}
        for key, old, new in finals
        if old != new
    ]


def _notes(before: YearInputs, after: YearInputs, judging_again: bool, nights: int) -> Iterator[str]:
    how = "用已存的证据重新判定" if judging_again else "按已存的检查结果重新评分"
    yield f"{nights} 次巡查{how}，一律用试算的指标表和规则；“之前”是已存的得分，按当时的指标表和规则。"
    points = {row.id: row.points for row in before.indicators.indicators}
    rescaled = [row.id for row in after.indicators.indicators if points.get(row.id, row.points) != row.points]
    if rescaled:
        yield f"分值变了的行（{'、'.join(rescaled)}），考核组评分按新旧分值之比折算。"


# ---------------------------------------------------------------- the configuration of the trial


def _configuration(place: Place, year: int, indicators: Path | None, rules: Path | None) -> Configuration:
    """Return the configuration in force with the given files in the place of its own, checked as a whole."""
    folder = place.settings.config
    chosen = {
        SITES: folder / SITES,
        WORDS: folder / WORDS,
        RULES: rules or folder / RULES,
        INDICATORS: indicators or folder / place.configuration.table_for(year),
    }
    for file in filter(None, (indicators, rules)):
        require_readable(file)
    return tried_configuration(chosen)


def _judging(rules: Rules) -> Document:
    """Return what of the rules decides findings: all but the weights, the confirmation, the floor and the vetoes."""
    kept: Document = rules.model_dump(exclude={"version", "coverage_floor", "confirmation", "vetoes"})
    for row in kept["checks"].values():
        for key in ("weight", "severity", "confirm_reasons"):
            del row[key]
    return kept


# ---------------------------------------------------------------- scoring again


def _scored_again(
    place: Place, nights: Sequence[ScoredNight], judging_again: bool, progress: Progress
) -> dict[str, StoredYear]:
    """Return by unit what the nights leave for the roll-up by the configuration of the place."""
    units = {unit.id: unit for unit in place.configuration.inventory.units}
    found = {key: StoredYear() for key in units}
    if not nights:
        return found
    rules = place.configuration.rules
    since = nights[0].day - timedelta(days=rules.confirmation.nights - 1)
    seen_days = place.repository.seen_days(units, since, nights[-1].day)
    steps = place.faults.reviewed(list(units))
    judged = lru_cache(maxsize=1)(lambda run_id: _judged(place, run_id))  # a night stands there once for each run on it
    for done, night in enumerate(nights, start=1):
        stored = ScoredNights(place.database)
        findings = judged(night.run_id) if judging_again else stored.findings(night.judged or night.run_id)
        indicators, ruled = place.configuration.indicators_for(night.day.year), rulings_of(steps, night.day)
        for key in night.unit_ids:
            if key in units:
                known = [finding for finding in findings.get(key, ()) if _known(finding, rules)]
                score = daily_score(units[key], known, indicators, rules, seen_days, night.day, ruled)
                _enter(found[key], score)
        progress.advance("试算", done, len(nights))
    return found


def _known(finding: Finding, rules: Rules) -> bool:
    return finding.check in type(rules.checks).model_fields


def _enter(year: StoredYear, score: UnitScore) -> None:
    if not score.published:
        year.withheld.append(score.day)
        return
    year.published.append(score.day)
    for row in score.indicators:
        if row.value is not None:
            year.values.setdefault(row.id, {})[score.day] = row.value
    for veto in score.vetoes:
        year.vetoes.setdefault(veto.id, {})[score.day] = veto.title


# ---------------------------------------------------------------- judging again


def _judged(place: Place, run_id: int) -> dict[str, list[Finding]]:
    inputs = kept_inputs(place.evidence.folder, run_id)
    return judge_sites(place.configuration, inputs, Records.of(place, run_id, strict(place.evidence))).by_unit


def _require_evidence(place: Place, nights: Iterable[ScoredNight]) -> None:
    """Raise EvidenceUnavailable unless the evidence of every night, and what it was judged by, is in its folder."""
    stored = ScoredNights(place.database)
    gone, missing = list[str](), list[str]()
    for night in {night.run_id: night for night in nights}.values():
        files = stored.evidence_files(night.run_id)
        lost = missing_of(place, [f"{night.run_id}/{INPUTS}", *files])
        if lost or not files:
            gone.append(f"{night.day}（第 {night.run_id} 次巡查）")
            missing += lost
    if gone:
        more = f"等 {len(gone)} 夜" if len(gone) > _NIGHTS_NAMED else ""
        nights_told = "、".join(gone[:_NIGHTS_NAMED]) + more
        raise EvidenceUnavailable(
            "这份规则改了判定的标准，要用当夜的证据重新判定，但以下各夜的证据已不在证据文件夹："
            f"{'；'.join([nights_told, *told_missing(place, missing)])}；"
            "恢复证据后再试，或只改权重、覆盖率下限、待确认和否决扣分。"
        )


# ---------------------------------------------------------------- marks


def _with_marks_to_scale(after: YearInputs, before: Indicators) -> YearInputs:
    """Return the inputs with marks as the same part of the points, where a row has other points than before."""
    old = {row.id: row.points for row in before.indicators}
    scale = {row.id: (row.points, old[row.id]) for row in after.indicators.indicators if row.id in old}
    return replaced(after, years=tuple(_scaled(year, scale) for year in after.years))


def _scaled(year: UnitYear, scale: Mapping[str, tuple[Decimal, Decimal]]) -> UnitYear:
    with localcontext(prec=EXACT):
        marks = {
            row: tuple(Mark(mark.reviewer, mark.points * new / old) for mark in given)
            for row, given in year.marks.items()
            for new, old in [scale.get(row, (Decimal(1), Decimal(1)))]
        }
    return replaced(year, marks=marks)
