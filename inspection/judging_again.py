"""重新判定: a stored run judged again from what was kept of it, and held against what was said then."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from checks.model import Finding
from config.loader import INDICATORS, RULES, SITES, WORDS, Configuration, table_files
from inspection.errors import EvidenceUnavailable, InvalidInput
from inspection.inputs import FILE as INPUTS
from inspection.inputs import kept_inputs
from inspection.judging import Records, strict
from inspection.missing_files import require_files
from inspection.night import Night, judged_night
from inspection.other_files import require_readable, tried_configuration
from inspection.place import Place
from inspection.progress import Progress
from inspection.reviewing import rulings
from inspection.sealing import CONFIGURATION
from scoring.model import SiteVerdict, UnitScore
from scoring.review import Rulings
from storage.manifest import digests_of_file, files_of, read_manifest
from storage.model import Run, StoredFinding
from storage.scored import ScoredNights

EXIT_DIFFERENT = 6
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FindingChange:
    """One thing that is said otherwise; `before` None: said now only, `after` None: said then only."""

    before: Finding | None
    after: Finding | None

    @property
    def finding(self) -> Finding:
        """The one that is told, else the other."""
        told = self.after or self.before
        assert told is not None
        return told


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """A unit's score that comes out otherwise; without what its findings tell again."""

    before: UnitScore | None
    after: UnitScore


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A verdict on a site that comes out otherwise."""

    before: SiteVerdict | None
    after: SiteVerdict


@dataclass(frozen=True, slots=True)
class JudgedAgain:
    """A run judged again. `trying` says whether by other files than its own: then differences are no fault.

    It was judged by `configuration`, read from `files`, with people's rulings `ruled`; `standing` names by unit the run
    whose score counts for the day, where that stands on this run.
    """

    run: Run
    night: Night
    trying: bool
    findings: tuple[FindingChange, ...]
    scores: tuple[ScoreChange, ...]
    verdicts: tuple[VerdictChange, ...]
    configuration: Configuration
    files: Mapping[str, Path]
    ruled: Rulings
    standing: Mapping[str, int]

    @property
    def same(self) -> bool:
        """Whether every finding, score and verdict is what it was."""
        return not (self.findings or self.scores or self.verdicts)

    @property
    def exit_code(self) -> int:
        """6 when a night does not come out as it did, else 0."""
        return 0 if self.same or self.trying else EXIT_DIFFERENT


def judge_again(
    place: Place, run_id: int, other: Mapping[str, Path | None], progress: Progress, *, publishing: bool = False
) -> JudgedAgain:
    """Judge a run again from its evidence and inputs, and tell what comes out otherwise; stores nothing.

    `other` are files in the place of the run's own, by the name that each takes; with them people's rulings are those
    of today, as they are for a judgement that is to be published. Raises EvidenceUnavailable when anything that the run
    saw can be read no more, InvalidInput, ConfigurationError, StorageError.
    """
    run = place.repository.run(run_id)
    _require_seen(run)
    _require_as_sealed(place.evidence.folder / str(run.id))
    instead = {name: file for name, file in other.items() if file is not None}
    trying = bool(instead) or publishing
    _require_evidence(place, run)
    inputs = kept_inputs(place.evidence.folder, run.id)
    files = {**_files_of(place, run), **instead}
    configuration = _configuration(files, instead)
    if trying:
        inputs = replace(inputs, rulings=rulings(place, _unit_ids(configuration, run), run.day))
    night = judged_night(configuration, inputs, Records.of(place, run.id, strict(place.evidence)), progress)
    standing = standing_on(place, run) if trying else {}
    before = _own(place, run) | _scores_of(place, run, standing)
    version = configuration.rules.version if trying else None  # of other rules another version is no difference
    return JudgedAgain(
        run,
        night,
        trying,
        tuple(_changed_findings(found_then(place, run, standing), night, version)),
        tuple(_changed_scores(before, night, version)),
        tuple(_changed_verdicts(place, run, night)),
        configuration,
        files,
        inputs.rulings,
        standing,
    )


def _require_seen(run: Run) -> None:
    if run.rescores is not None:
        raise InvalidInput(f"第 {run.id} 次是重新评分，没有自己的证据；请用 --run {run.rescores}。")
    if not run.finished:
        raise InvalidInput(f"第 {run.id} 次巡查还没有做完；先用 inspect run --resume 做完。")


def _require_evidence(place: Place, run: Run) -> None:
    files = ScoredNights(place.database).evidence_files(run.id)
    require_files(place, [*files, f"{run.id}/{INPUTS}"], f"第 {run.id} 次巡查不能重新判定，什么也没有改动")


def _require_as_sealed(folder: Path) -> None:
    """Raise EvidenceUnavailable where what a sealed run was judged by is not what was sealed."""
    sealed = read_manifest(folder)
    if sealed is None:
        return
    for name in files_of(folder):
        by_it = name == INPUTS or name.startswith(f"{CONFIGURATION}/")
        if by_it and digests_of_file(folder / name).document != sealed[0]["files"].get(name):
            raise EvidenceUnavailable(f"{folder / name} 不是封存时的那一份；请从备份恢复这个文件。")


def _unit_ids(configuration: Configuration, run: Run) -> list[str]:
    return [unit.id for unit in configuration.inventory.units if not run.units or unit.id in run.units]


# ---------------------------------------------------------------- the configuration of the run


def _configuration(files: Mapping[str, Path], instead: Mapping[str, Path]) -> Configuration:
    for file in instead.values():
        require_readable(file)
    return tried_configuration(files)


def _files_of(place: Place, run: Run) -> dict[str, Path]:
    """Return the files that the run went by, wherever they still are as they were."""
    kept = place.evidence.folder / str(run.id) / CONFIGURATION
    for folder in (kept, place.settings.config):
        for table in table_files(folder):
            files = {SITES: folder / SITES, RULES: folder / RULES, WORDS: folder / WORDS, INDICATORS: folder / table}
            if all(file.is_file() for file in files.values()) and _is_of(run, files):
                return files
    raise EvidenceUnavailable(
        f"第 {run.id} 次巡查所用的配置已经不在 {kept}，现在的配置也不是那时的；请从备份恢复这个文件夹后再试。"
    )


def _is_of(run: Run, files: Mapping[str, Path]) -> bool:
    content = {name: file.read_bytes() for name, file in files.items()}
    parts = (content[SITES], content[RULES] + content[WORDS], content[INDICATORS])
    noted = (run.inventory_digest, run.rules_digest, run.indicators_digest)
    return tuple(hashlib.sha256(part).hexdigest() for part in parts) == noted


# ---------------------------------------------------------------- what comes out otherwise


def found_then(place: Place, run: Run, standing: Mapping[str, int]) -> list[StoredFinding]:
    """Return what was said: of a unit in `standing` by that run, else by the run itself."""
    own = [one for one in place.repository.findings(run_id=run.id) if one.finding.unit_id not in standing]
    return own + [
        one for unit, number in standing.items() for one in place.repository.findings(run_id=number, unit_id=unit)
    ]


def _changed_findings(
    then_found: Iterable[StoredFinding], night: Night, version: str | None
) -> Iterator[FindingChange]:
    """Yield what is said otherwise, what is said of the same thing side by side; pictures are no part of it."""
    found = (replace(one.finding, screenshot=None) for one in then_found)
    stored = (replace(one, rules_version=version or one.rules_version) for one in found)
    then, now = Counter(stored), Counter(chain(*night.findings.values()))
    before, after = _by_identity(then - now), _by_identity(now - then)
    for key in sorted(before.keys() | after.keys()):
        for one, other in zip_longest(before.get(key, ()), after.get(key, ())):
            yield FindingChange(one, other)


def _by_identity(findings: Counter[Finding]) -> dict[tuple[str, ...], list[Finding]]:
    listed: defaultdict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for finding in sorted(findings.elements(), key=lambda finding: (finding.reason, finding.observed)):
        listed[finding.unit_id, finding.check, finding.target, finding.item].append(finding)
    return listed


def _own(place: Place, run: Run) -> dict[str, UnitScore]:
    return {stored.score.unit_id: stored.score for stored in place.repository.scores_of_run(run.id)}


def standing_on(place: Place, run: Run) -> dict[str, int]:
    """Return by unit the run whose score counts for the day, where that is this run or stands on it."""
    published = place.rescores.published(run.day)
    return {unit: number for unit, number in published.items() if _stands_on(place, number, run.id)}


def _scores_of(place: Place, run: Run, standing: Mapping[str, int]) -> dict[str, UnitScore]:
    """Return the scores as they stand today: those of the runs in `standing`."""
    listed = (stored for number in set(standing.values()) for stored in place.repository.scores_of_run(number))
    return {one.score.unit_id: one.score for one in listed if standing.get(one.score.unit_id) == one.run_id}


def _stands_on(place: Place, run_id: int, other: int) -> bool:
    rescores = place.repository.run(run_id).rescores
    return run_id == other or (rescores is not None and _stands_on(place, rescores, other))


def _changed_scores(before: Mapping[str, UnitScore], night: Night, version: str | None) -> Iterator[ScoreChange]:
    for score in (replace(score, checks=(), pending=()) for score in night.scores):
        old = before.get(score.unit_id)
        if old is None or replace(old, rules_version=version or old.rules_version) != score:
            yield ScoreChange(old, score)


def _changed_verdicts(place: Place, run: Run, night: Night) -> Iterator[VerdictChange]:
    before = {verdict.site_id: verdict for verdict in place.repository.site_verdicts(run.id)}
    for verdict in night.verdicts:
        if before.get(verdict.site_id) != verdict:
            yield VerdictChange(before.get(verdict.site_id), verdict)


# ---------------------------------------------------------------- as a document


def judged_again_document(again: JudgedAgain, names: Mapping[str, str]) -> Document:
    """Return `inspect rescore --json`'s document."""
    return {
        "run": again.run.id,
        "day": again.run.day,
        "trial": again.trying,
        "same": again.same,
        "judged": {"findings": sum(map(len, again.night.findings.values())), "units": len(again.night.scores)},
        "findings": [
            {
                "unit": names.get(change.finding.unit_id, change.finding.unit_id),
                "check": change.finding.check,
                "target": change.finding.target,
                "item": change.finding.item or None,
                "before": _said(change.before),
                "after": _said(change.after),
            }
            for change in again.findings
        ],
        "scores": [
            {
                "unit": names.get(change.after.unit_id, change.after.unit_id),
                "before": _scored(change.before),
                "after": _scored(change.after),
            }
            for change in again.scores
        ],
        "sites": [
            {
                "site": change.after.site_id,
                "before": change.before.verdict if change.before else None,
                "after": change.after.verdict,
            }
            for change in again.verdicts
        ],
    }


def _said(finding: Finding | None) -> Document | None:
    if finding is None:
        return None
    return {
        "fingerprint": finding.fingerprint,
        "outcome": finding.outcome,
        "reason": finding.reason,
        "observed": finding.observed,
    }


def _scored(score: UnitScore | None) -> Document | None:
    if score is None:
        return None
    return {
        "score": score.score,
        "coverage": round(score.coverage, 4),
        "verdict": score.verdict,
        "reasons": list(score.reasons),
    }
