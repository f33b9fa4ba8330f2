"""导出范围: which runs, units and sites an export holds, whatever way it was asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from config.loader import Configuration, load
from inspection.errors import EvidenceUnavailable, InvalidInput, NothingToExport
from inspection.missing_files import require_files
from inspection.package import PackagedRun
from inspection.packaging import index_of, tells_of
from inspection.place import Place
from inspection.publishing import FrozenYear, frozen_year
from inspection.sealing import CONFIGURATION, folder_of, seal_waiting
from storage.manifest import Document, read_manifest
from storage.model import Run, RunKind, StoredFinding
from storage.scored import ScoredNights

WARC_ENDING = ".warc.gz"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants exported: a finding, a published year, or units over some days.

    Without units all of a year's are meant; without days the newest run's.
    """

    units: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    finding: int | None = None
    year: int | None = None
    version: int | None = None
    without_personal: bool = False

    def require_one_way(self) -> None:
        """Raise InvalidInput where two ways to ask are mixed, or none is used."""
        days = self.since is not None or self.until is not None
        if self.finding is not None and (self.units or days or self.year is not None):
            raise InvalidInput("--finding 已经定了单位和日期，不能与 --unit、--from、--to、--year 同用；请去掉其余的。")
        if self.year is not None and days:
            raise InvalidInput("--year 导出整个年度，不能与 --from、--to 同用；请只用一种。")
        if self.version is not None and self.year is None:
            raise InvalidInput("--version 是年度结果的第几版，要与 --year 一起用。")
        if self.finding is None and self.year is None and not self.units:
            raise InvalidInput("请说明导出什么：--unit 单位、--finding 编号 或 --year 年份。")
        if self.since and self.until and self.since > self.until:
            raise InvalidInput(f"起始日期 {self.since} 在截止日期 {self.until} 之后；请换过来。")


@dataclass(frozen=True, slots=True)
class Selection:
    """What goes into the package: runs that looked, oldest first, and those that only scored them again."""

    units: tuple[str, ...]
    seen: tuple[PackagedRun, ...]
    scored_again: tuple[PackagedRun, ...]
    finding: StoredFinding | None = None
    frozen: FrozenYear | None = None

    @property
    def runs(self) -> tuple[PackagedRun, ...]:
        """All of them, by number."""
        return tuple(sorted((*self.seen, *self.scored_again), key=lambda run: run.run))


def select(place: Place, asked: Asked) -> Selection:
    """Return what an export holds; whatever waits for its seal is sealed first.

    Raises InvalidInput, NothingToExport, EvidenceUnavailable for a run whose files are cleared or gone, StorageError.
    """
    asked.require_one_way()
    seal_waiting(place)
    runs = {run.id: run for run in place.repository.runs()}
    finding = frozen = None
    if asked.finding is not None:
        finding, sightings = place.repository.finding(asked.finding)
        units: tuple[str, ...] = (finding.finding.unit_id,)
        wanted = {one.run_id for one in sightings if one.outcome is finding.finding.outcome}
    elif asked.year is not None:
        frozen = frozen_year(place, asked.year, asked.version)
        units = asked.units or tuple(unit.unit_id for unit in frozen.result.units)
        wanted = _of_year(place, frozen)
    else:
        units = asked.units
        wanted = {run.id for run in _of_days(runs.values(), asked)}
    return _Chosen(place, runs, units).selection({_night(runs, number) for number in wanted}, finding, frozen)


def _of_days(runs: Iterable[Run], asked: Asked) -> list[Run]:
    seen = [run for run in runs if run.looked and run.finished and _saw(run, asked.units)]
    if asked.since is None and asked.until is None:
        return seen[:1]
    first = asked.since or date.min
    last = asked.until or asked.since or date.max
    return [run for run in seen if first <= run.day <= last]


def _saw(run: Run, units: Collection[str]) -> bool:
    return not run.units or bool(set(run.units) & set(units))


def _of_year(place: Place, frozen: FrozenYear) -> set[int]:
    first, last = date(frozen.version.year, 1, 1), frozen.version.last_day
    return {night.run_id for night in ScoredNights(place.database).between(first, last)}


def _night(runs: dict[int, Run], number: int) -> int:
    """Return the run that looked, which a run stands on."""
    while (below := runs[number].rescores) is not None:
        number = below
    return number


@dataclass
class _Chosen:
    """The runs of a place, and what of them belongs to the units."""

    place: Place
    runs: dict[int, Run]
    units: tuple[str, ...]
    configurations: dict[tuple[str, ...], Configuration] = field(default_factory=dict)

    def selection(self, wanted: Collection[int], finding: StoredFinding | None, frozen: FrozenYear | None) -> Selection:
        seen = tuple(self._seen(sorted(number for number in wanted if self.runs[number].finished)))
        if not seen:
            raise NothingToExport("这段时间没有该单位的巡查记录；用 --from、--to 换一段日期，或先运行 inspect run。")
        again = tuple(self._again({run.run for run in seen}))
        for run in (*seen, *again):
            require_whole(self.place, run)
        told = {unit for run in seen for unit in run.units}
        return Selection(tuple(unit for unit in self.units if unit in told), seen, again, finding, frozen)

    def _seen(self, numbers: Iterable[int]) -> Iterator[PackagedRun]:
        for number in numbers:
            run, units = self.runs[number], self._scored(number)
            if units:
                yield PackagedRun(number, run.day, run.kind, units, self._sites(run, units))

    def _again(self, seen: Collection[int]) -> Iterator[PackagedRun]:
        for number, run in sorted(self.runs.items()):
            if run.kind is RunKind.RESCORE and run.finished and _night(self.runs, number) in seen:
                units = self._scored(number)
                if units:
                    yield PackagedRun(number, run.day, run.kind, units, (), run.rescores)

    def _scored(self, number: int) -> tuple[str, ...]:
        scored = {stored.score.unit_id for stored in self.place.repository.scores_of_run(number)}
        return tuple(unit for unit in self.units if unit in scored)

    def _sites(self, run: Run, units: Collection[str]) -> tuple[str, ...]:
        digests = (run.inventory_digest, run.rules_digest, run.indicators_digest)
        if digests not in self.configurations:
            self.configurations[digests] = configuration_of(self.place, run)
        inventory = self.configurations[digests].inventory
        return tuple(sorted({column.site for u in inventory.units if u.id in units for column in u.columns}))


def configuration_of(place: Place, run: Run) -> Configuration:
    """Return the configuration that a run went by, kept beside its evidence; raises EvidenceUnavailable."""
    from config.problem import ConfigurationError

    folder = folder_of(place, run.id) / CONFIGURATION
    if not folder.is_dir():
        if run.rescores is not None:
            return configuration_of(place, place.repository.run(run.rescores))
        raise EvidenceUnavailable(f"第 {run.id} 次巡查所用的配置不在 {folder}；请从备份恢复这个文件夹后再导出。")
    try:
        return load(folder)
    except ConfigurationError as error:
        raise EvidenceUnavailable(f"{folder} 里的配置读不出来；请从备份恢复这个文件夹后再导出。") from error


def require_whole(place: Place, run: PackagedRun) -> None:
    """Require that a run is sealed and that all of it is there that a package needs; raises EvidenceUnavailable,
    StorageError.

    A file of records is needed only where it has one of the run's sites.
    """
    sealed = require_sealed(place, run.run)
    files = {f"{run.run}/{name}" for name in sealed["files"] if not name.endswith(WARC_ENDING)}
    require_files(place, files, what := f"第 {run.run} 次巡查的证据已不全，不能导出（可换一段日期）")
    if run.sites:
        require_files(place, {each.file for each in index_of(place, run.run) if tells_of(each, run.sites)}, what)


def require_sealed(place: Place, run_id: int) -> Document:
    """Return a run's manifest; raises EvidenceUnavailable where it is not sealed, StorageError."""
    sealed = read_manifest(folder_of(place, run_id))
    if sealed is None:
        raise EvidenceUnavailable(f"第 {run_id} 次巡查还没有封存，不能导出；先用 inspect evidence check 看原因。")
    return sealed[0]


def by_unit(runs: Iterable[PackagedRun]) -> dict[str, list[PackagedRun]]:
    """Return the runs by unit."""
    listed: defaultdict[str, list[PackagedRun]] = defaultdict(list)
    for run in runs:
        for unit in run.units:
            listed[unit].append(run)
    return dict(listed)
