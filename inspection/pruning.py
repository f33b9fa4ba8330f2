"""清理: evidence whose time is over gives its disk back; what anything still rests on stays.

Whole WARC files go, never parts of one: later nights lead to records by their offset. Manifest, signature, time stamp,
index, inputs, configuration, findings and scores of a run stay for good, so that what was said, and of which bytes, can
still be proven where somebody else kept these. A file is entered before it is removed: one that is entered and still
there after a kill goes at the next call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from inspection.account import machine_account
from inspection.day import day_in
from inspection.errors import EvidenceUnavailable, InvalidInput
from inspection.locks import while_nothing_runs
from inspection.place import Place
from inspection.progress import Progress
from inspection.sealing import folder_of
from storage.errors import DamagedRecord, ManifestUnreadable, MissingRecord
from storage.manifest import Document, digests_of_file, read_manifest
from storage.model import Run
from storage.pruned import PrunedFile
from storage.record_fields import probe_lines
from storage.scored import ScoredNights

WARC = ".warc.gz"
SILENT = Progress()
EXIT_DIFFERENT = 6  # a file is not what its manifest says
STAGE = "查证据"
UNSEALED, UNFINISHED_RUN = "还没有封存", "还没有做完"
YEAR_OPEN = "当年结果还没有公布，已公布的得分要靠它"
LED_TO, LOST_POINTS = "保留的巡查引用其中的记录", "已公布年度里扣分的问题引用"


@dataclass(frozen=True, slots=True)
class RunPruning:
    """What of one run goes: `files` with their bytes; `kept` says in Chinese why others stay, with how many files.

    `altered` are files that are not what the manifest says; they are not touched.
    """

    run: Run
    files: Mapping[str, int]
    kept: Mapping[str, int]
    altered: tuple[str, ...] = ()

    @property
    def freed(self) -> int:
        """The bytes that its files take."""
        return sum(self.files.values())


@dataclass(frozen=True, slots=True)
class _Request:
    before: date
    by: str
    why: str


def preview(place: Place, before: date, progress: Progress = SILENT) -> tuple[RunPruning, ...]:
    """Return what clearing the runs of days before `before` would remove, oldest run first; changes nothing.

    Raises InvalidInput for a day within the time that evidence must be kept, EvidenceUnavailable where a kept night's
    records cannot be read to tell what they lead to, StorageError.
    """
    _require_over(place, before)
    return tuple(_Plan(place, before, progress).runs())


def prune(place: Place, before: date, *, by: str, why: str, progress: Progress = SILENT) -> tuple[RunPruning, ...]:
    """Clear what `preview` tells, and return what was cleared. Raises RunInProgress, and what `preview` raises."""
    request = _checked(_Request(before, by.strip(), why.strip()))
    _require_over(place, before)
    with while_nothing_runs(place):
        return tuple(_cleared(place, one, request) for one in _Plan(place, before, progress).runs())


def _checked(request: _Request) -> _Request:
    if not request.by or not request.by.isprintable():
        raise InvalidInput("请用 --by 写明由谁清理。")
    if not request.why:
        raise InvalidInput("请用 --why 写明为什么清理，如：保存期满。")
    return request


def _require_over(place: Place, before: date) -> None:
    days = place.configuration.inventory.evidence.keep_days
    latest = day_in(place.configuration.inventory.district) - timedelta(days=days)
    if before > latest:
        raise InvalidInput(
            f"证据至少保存 {days} 天（sites.toml 的 [evidence] keep_days），--before 最晚 {latest}；"
            "要缩短保存期，先改 keep_days。"
        )


def _cleared(place: Place, planned: RunPruning, request: _Request) -> RunPruning:
    """Enter and remove a run's files; what is not as sealed stays."""
    folder = folder_of(place, planned.run.id)
    named = _named(folder) or {}
    altered = tuple(file for file in planned.files if digests_of_file(folder / file).sha256 != named[file]["sha256"])
    going = {file: length for file, length in planned.files.items() if file not in altered}
    account = machine_account()
    place.pruned.enter(
        PrunedFile(planned.run.id, file, length, named[file]["sha256"], request.by, request.why, account)
        for file, length in going.items()
    )
    for file in going:
        (folder / file).unlink(missing_ok=True)
    return RunPruning(planned.run, going, planned.kept, (*planned.altered, *altered))


# ---------------------------------------------------------------- what goes


class _Plan:
    """What may go before a day, told from all that is kept."""

    def __init__(self, place: Place, before: date, progress: Progress) -> None:
        self._place, self._before, self._progress = place, before, progress
        self._all = sorted(place.repository.runs(), key=lambda run: run.id)
        self._named = {run.id: _named(folder_of(place, run.id)) for run in self._all if run.day < before}
        self._cleared = {file.path for file in place.pruned.files()}

    def runs(self) -> Iterator[RunPruning]:
        """Yield every run of those days that has WARC files still, oldest first."""
        for run in self._all:
            files = _present(self._place, run) if run.day < self._before else {}
            if files:
                yield self._of_run(run, files)

    def _of_run(self, run: Run, files: Mapping[str, int]) -> RunPruning:
        reasons = {file: self._reason(run, file) for file in files}
        kept: dict[str, int] = {}
        for reason in filter(None, reasons.values()):
            kept[reason] = kept.get(reason, 0) + 1
        named = self._named[run.id] or {}
        altered = tuple(file for file, reason in reasons.items() if not reason and files[file] != named[file]["bytes"])
        going = {file: files[file] for file, reason in reasons.items() if not reason and file not in altered}
        return RunPruning(run, going, kept, altered)

    def _reason(self, run: Run, file: str) -> str:
        """Return why a file stays, "" where nothing holds it."""
        named, path = self._named[run.id], f"{run.id}/{file}"
        if not run.finished:
            return UNFINISHED_RUN
        if named is None or file not in named:
            return UNSEALED
        if run.id in self._standing:
            return YEAR_OPEN
        if path in self._of_open_faults:
            return f"有问题还没有了结（{self._of_open_faults[path]}）"
        if path in self._of_lost_points:
            return LOST_POINTS
        return LED_TO if path in self._led_to else ""

    @cached_property
    def _of_open_faults(self) -> dict[str, str]:
        return self._place.pruned.of_open_faults()

    @cached_property
    def _periods(self) -> list[tuple[date, date, bool]]:
        """The years up to the day: first and last day, and whether a published version counts these days."""
        published = self._place.pruned.published_years()
        periods: list[tuple[date, date, bool]] = []
        for year in sorted({run.day.year for run in self._all if run.day < self._before}):
            first, end = date(year, 1, 1), date(year, 12, 31)
            last = published.get(year)
            if last:
                periods.append((first, last, True))
            if last != end:
                periods.append((last + timedelta(days=1) if last else first, end, False))
        return periods

    @cached_property
    def _standing(self) -> set[int]:
        """The runs that scores rest on, or could not be made of, in years whose result is not published."""
        nights = ScoredNights(self._place.database)
        return {
            night.run_id
            for first, last, published in self._periods
            if not published
            for night in nights.between(first, last)
        }

    @cached_property
    def _of_lost_points(self) -> set[str]:
        periods = [(first, last) for first, last, published in self._periods if published]
        return set().union(*(self._place.pruned.of_lost_points(first, last) for first, last in periods))

    @cached_property
    def _led_to(self) -> set[str]:
        """The files of other runs that captures and probes of every run that stays lie in."""
        staying = [run for run in self._all if run.looked and self._stays(run)]
        found: set[str] = set()
        for done, run in enumerate(staying, start=1):
            found |= self._place.pruned.led_to(run.id) | set(self._answers(run))
            self._progress.advance(STAGE, done, len(staying))
        return found

    def _stays(self, run: Run) -> bool:
        return (
            run.day >= self._before or not run.finished or self._named.get(run.id) is None or run.id in self._standing
        )

    def _answers(self, run: Run) -> Iterator[str]:
        """Yield the files with earlier answers that a run's probes name in place of the same ones."""
        for reference in self._place.pruned.records_of_fetches(run.id):
            try:
                lines = probe_lines(self._place.evidence.read_payload(reference))
            except (MissingRecord, DamagedRecord) as error:
                if reference.warc_file in self._cleared:
                    continue
                raise EvidenceUnavailable(
                    f"证据读不出来，说不准哪些文件还用得着，什么也没有清理：{error}"
                    f"请从备份恢复 {self._place.evidence.folder / reference.warc_file} 后再试。"
                ) from error
            yield from (line["rest"][0] for line in lines if line.get("rest"))


def _named(folder: Path) -> Mapping[str, Document] | None:
    """Return the files that a run's manifest names; None for a run that is not sealed, or whose manifest is damaged."""
    try:
        sealed = read_manifest(folder)
    except ManifestUnreadable:
        return None
    return sealed[0]["files"] if sealed else None


def _present(place: Place, run: Run) -> dict[str, int]:
    """Return a run's WARC files with their bytes."""
    folder = folder_of(place, run.id)
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(folder.rglob(f"*{WARC}"))}
