"""重新判定并公布: a night judged again takes the place of its published scores; what was published stays beside it."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from pathlib import Path

from checks.model import Finding, Outcome
from config.loader import RULES, SITES, WORDS
from inspection.account import machine_account
from inspection.errors import InspectionError, InvalidInput
from inspection.judging_again import Document, JudgedAgain, found_then
from inspection.locks import evidence_in_use, lock_file
from inspection.place import Place
from inspection.progress import Progress
from inspection.rescoring import put_right
from inspection.reviewing import LONGEST_NAME, LONGEST_WHY, ORDERED, standings
from inspection.sealing import CONFIGURATION, folder_of, try_to_seal
from scoring.model import SiteVerdict, UnitScore
from scoring.review import FaultState
from storage.manifest import write_whole
from storage.model import Run, RunKind, RunState, StoredFinding
from storage.rescoring import Rejudged

_UNCHANGED = frozenset({FaultState.CONFIRMED, *ORDERED})


class NothingToPublishAgain(InspectionError):
    """No published score comes out otherwise, or none of those that do counts for the day: there is nothing to do."""


class ScoresMoved(InspectionError):
    """A score of the day was replaced by somebody else meanwhile: judge the night again, and look at it anew."""


@dataclass(frozen=True, slots=True)
class PublishedAgain:
    """What became of it: the run entered, and the units whose score it is now.

    `withheld` are units that cannot be scored any more by what was tried and keep their score, `elsewhere` those whose
    score of the day stands on another night; `corrections` are years with a published version that counts the day.
    """

    run: Run
    units: tuple[str, ...]
    withheld: tuple[str, ...]
    elsewhere: tuple[str, ...]
    corrections: tuple[int, ...]
    unsealed: str


def require_words(by: str, why: str) -> None:
    """Raise InvalidInput unless it is told who publishes a night judged again, and why."""
    if not by.strip() or len(by) > LONGEST_NAME or not by.isprintable():
        raise InvalidInput(f"请用 --by 写明由谁公布（不超过 {LONGEST_NAME} 个字）。")
    if not why.strip() or len(why) > LONGEST_WHY or not why.isprintable():
        raise InvalidInput(f"公布重新判定的得分会替换已公布的得分：请用 --why 写明理由（不超过 {LONGEST_WHY} 个字）。")


def publish_again(place: Place, again: JudgedAgain, progress: Progress, *, by: str, why: str) -> PublishedAgain:
    """Make the scores of a night judged again those of its day, where they stand on that night and come out otherwise.

    The ledger of faults does not move, and people's rulings hold. Raises InvalidInput, NothingToPublishAgain,
    ScoresMoved, StorageError.
    """
    require_words(by, why)
    _require_night(again.run)
    with _alone(place):
        entering, withheld, elsewhere = _chosen(place, again)
        run = _entered(place, again, entering, f"{why.strip()}（经办人：{by.strip()}；账号：{machine_account()}）")
        _keep_configuration(place, again, run)
        if not place.rescores.publish_again(_rejudged(place, again, run, entering)):
            place.repository.set_run_state(run.id, RunState.FAILED, note="当日得分同时被别人替换，没有公布")
            raise ScoresMoved("公布时当日的得分刚被别人替换，什么也没有改动；请重新判定一遍再公布。")
        put_right(place, progress)
    return PublishedAgain(
        run=place.repository.run(run.id),
        units=tuple(score.unit_id for score in entering),
        withheld=withheld,
        elsewhere=elsewhere,
        corrections=_years_to_correct(place, again.run.day),
        unsealed=try_to_seal(place),
    )


def _require_night(run: Run) -> None:
    if run.kind is not RunKind.NIGHTLY:
        raise InvalidInput(f"第 {run.id} 次是抽查，得分从不计入当日，不能公布；去掉 --publish 可以试判。")
    if run.state is not RunState.PUBLISHED:
        raise InvalidInput(f"第 {run.id} 次巡查没有采到页面，不能公布。")


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    with evidence_in_use(place), lock_file(place, "publishing-again") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _chosen(place: Place, again: JudgedAgain) -> tuple[list[UnitScore], tuple[str, ...], tuple[str, ...]]:
    """Return the scores that take others' place, the units that cannot be scored now, those of another night."""
    published = place.rescores.published(again.run.day)
    changed = {change.finding.unit_id for change in again.findings} | {one.after.unit_id for one in again.scores}
    scores = [score for score in again.night.scores if score.unit_id in changed]
    own = [one for one in scores if one.unit_id in again.standing or one.unit_id not in published]
    entering = [score for score in own if score.published]
    elsewhere = tuple(score.unit_id for score in scores if score not in own)
    if not entering:
        raise NothingToPublishAgain(
            f"{again.run.day} 没有哪个单位当日的得分会因此改变，不必公布，什么也没有保存；"
            "当日得分出自另一次巡查的，用 --run 换那一次。"
        )
    return entering, tuple(score.unit_id for score in own if not score.published), elsewhere


def _entered(place: Place, again: JudgedAgain, scores: Iterable[UnitScore], note: str) -> Run:
    """Enter the run, still without anything; one that was killed before it published is given up."""
    for run in place.repository.runs(again.run.day, RunKind.RESCORE):
        if not run.finished:
            place.repository.set_run_state(run.id, RunState.FAILED, note="重新判定中断，没有公布")
    return place.repository.create_run(
        kind=RunKind.RESCORE,
        day=again.run.day,
        seed=again.run.seed,
        rules_version=again.configuration.rules.version,
        digests=_digests(again.files),
        units=[score.unit_id for score in scores],
        note=note,
        rescores=again.run.id,
    )


def _digests(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the digests of the files that it was judged by, as a run notes them."""
    content = {name: path.read_bytes() for name, path in files.items()}
    (table,) = (name for name in content if name not in (SITES, RULES, WORDS))
    parts = {"inventory": content[SITES], "rules": content[RULES] + content[WORDS], "indicators": content[table]}
    return {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()}


def _keep_configuration(place: Place, again: JudgedAgain, run: Run) -> None:
    """Keep what it was judged by beside the run, unless the night that it stands on keeps the same."""
    now = (run.inventory_digest, run.rules_digest, run.indicators_digest)
    if now != (again.run.inventory_digest, again.run.rules_digest, again.run.indicators_digest):
        for name, path in again.files.items():
            write_whole(folder_of(place, run.id) / CONFIGURATION / name, path.read_bytes())


# ---------------------------------------------------------------- what is kept


def _rejudged(place: Place, again: JudgedAgain, run: Run, entering: Iterable[UnitScore]) -> Rejudged:
    scores = tuple(entering)
    units = {score.unit_id for score in scores}
    before = {
        one.finding.fingerprint: one
        for one in found_then(place, again.run, again.standing)
        if one.finding.outcome is Outcome.FAIL
    }
    found = [finding for unit in sorted(units) for finding in again.night.findings[unit]]
    return Rejudged(
        run_id=run.id,
        day=run.day,
        standing={unit: again.standing.get(unit) for unit in units},
        findings=tuple(_pictured(finding, before) for finding in found),
        states=_states(place, again, found, scores, before),
        scores=scores,
        verdicts=tuple(_verdicts(place, again)),
    )


def _pictured(finding: Finding, before: Mapping[str, StoredFinding]) -> Finding:
    """Return a finding with the picture that the night took of it."""
    same = before.get(finding.fingerprint)
    return replace(finding, screenshot=same.finding.screenshot) if same else finding


def _states(
    place: Place,
    again: JudgedAgain,
    found: list[Finding],
    scores: Iterable[UnitScore],
    before: Mapping[str, StoredFinding],
) -> dict[str, str]:
    """Return how each fault stood: by rulings and confirmation as of that night, else as it was called then."""
    pending = chain(*(score.pending for score in scores))
    told = standings(place, again.run, found, pending, again.ruled)
    decided = {key: state for key, state in told.items() if state not in _UNCHANGED}
    called = {key: one.state for key, one in before.items() if one.state in _UNCHANGED}
    return called | decided


def _verdicts(place: Place, again: JudgedAgain) -> Iterator[SiteVerdict]:
    """Yield the verdicts on sites of which no unit's score stands on another night."""
    other = place.rescores.published(again.run.day).keys() - again.standing.keys()
    for verdict in again.night.verdicts:
        if not other & {unit.id for unit in again.configuration.inventory.units_of(verdict.site_id)}:
            yield verdict


def _years_to_correct(place: Place, day: date) -> tuple[int, ...]:
    versions = place.versions.versions(day.year)
    return (day.year,) if versions and day <= versions[-1].last_day else ()


# ---------------------------------------------------------------- as a document, and as sentences


def published_again_document(published: PublishedAgain, names: Mapping[str, str]) -> Document:
    """Return what `inspect rescore --publish --json` adds to the document."""
    return {
        "run": published.run.id,
        "why": published.run.note,
        "units": [names.get(unit, unit) for unit in published.units],
        "withheld": [names.get(unit, unit) for unit in published.withheld],
        "elsewhere": [names.get(unit, unit) for unit in published.elsewhere],
        "corrections": list(published.corrections),
        "unsealed": published.unsealed,
    }


def sentences(published: PublishedAgain, names: Mapping[str, str]) -> Iterator[str]:
    """Yield what became of it, for people."""

    def named(units: Iterable[str]) -> str:
        return "、".join(names.get(unit, unit) for unit in units)

    yield (
        f"已公布为第 {published.run.id} 次（重新判定），{published.run.day} 的得分换了 {len(published.units)} 个单位："
        f"{named(published.units)}。原公布的得分仍在，inspect scores 并列显示。"
    )
    if published.withheld:
        yield f"按这样判定得不出分、当日仍用原来得分的：{named(published.withheld)}。"
    if published.elsewhere:
        yield f"当日得分出自另一次巡查、没有换的：{named(published.elsewhere)}。"
    for year in published.corrections:
        yield (
            f"{year}年度结果已经公布，不随之改变；要改，请公布一版更正："
            f"inspect rollup --year {year} --publish --by 姓名 --why 理由。"
        )
    if published.unsealed:
        yield f"已经公布，只是还没有封存：{published.unsealed}"
