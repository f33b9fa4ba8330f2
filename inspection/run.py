"""One inspection from plan to scores: the nightly run, the spot check and a resumed run are this one code path."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import chain

from checks.model import Finding, Outcome
from crawler.plan import SitePlan, plan_run
from crawler.urls import host_of
from inspection.clock import require_true_day
from inspection.crawling import Crawling
from inspection.day import day_in
from inspection.errors import ClockWrong, ConfigurationChanged, NothingToResume, RunInProgress
from inspection.garbage import collect_rarely
from inspection.histories import remember
from inspection.illustrating import illustrate
from inspection.inputs import settled_inputs
from inspection.judging import Records
from inspection.locks import evidence_in_use, lock_file
from inspection.logs import note_run
from inspection.metrics import Phases, leave_metrics
from inspection.night import Night, judged_in_pieces
from inspection.place import OUTAGE_SECONDS, Place
from inspection.progress import Progress
from inspection.read_pages import pages_read
from inspection.rescoring import put_right
from inspection.reviewing import follow_run, standings
from inspection.revisits import revisits_for
from inspection.sealing import keep_configuration, try_to_seal
from scoring.model import UnitScore
from scoring.review import Rulings
from storage.errors import DatabaseLocked, DatabaseUnreachable
from storage.model import UNFINISHED, Run, RunKind, RunState

EXIT_DONE = 0
EXIT_PARTLY = 3
EXIT_NOTHING = 4
EXIT_STORAGE = 5
OUTAGES = 2  # of the database in one run; each is waited for, OUTAGE_SECONDS at most
SILENT = Progress()

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. `day` None means today, `unit_ids` None every unit; for a resumed run, whichever it was begun
    for. A resumed run of `unit_ids` () is one of every unit."""

    kind: RunKind
    day: date | None = None
    unit_ids: tuple[str, ...] | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class RunReport:
    """What came of it. `scores` are without their checks, which the database has; `captures` counts "ok"
    and each failure code; `failed_sites` says why a site is missing, `unsealed` why the evidence could not be sealed.
    """

    run: Run
    scores: tuple[UnitScore, ...]
    captures: Mapping[str, int]
    findings: Mapping[str, int]
    failed_sites: Mapping[str, str]
    unsealed: str = ""

    @property
    def exit_code(self) -> int:
        """0 when every unit was judged, 3 when some were not, 4 when nothing could be captured at all, 5 when it was
        done but could not be sealed."""
        if self.unsealed:
            return EXIT_STORAGE
        if not self.captures.get("ok"):
            return EXIT_NOTHING
        return EXIT_DONE if all(score.published for score in self.scores) else EXIT_PARTLY


def today(place: Place) -> date:
    """Return the day it is in the district."""
    return day_in(place.configuration.inventory.district)


def inspect_units(
    place: Place, request: Request, progress: Progress = SILENT, crawling: type[Crawling] | None = None
) -> RunReport:
    """Inspect the units: plan, crawl, judge, score and store; a nightly run also publishes the day's scores.

    `crawling` is how pages are captured where not by this machine alone. A resumed run goes on where the ledger says it
    stopped; at its end a run is sealed. Raises NothingToResume, ConfigurationChanged, RunInProgress, StorageError.
    """
    collect_rarely()
    place.database.patience = OUTAGE_SECONDS
    with _only_night(place, request):
        # A spot check begins at once: it would wait for a night that is just being sealed, and seals at its own end.
        if request.kind is not RunKind.SPOT and (failure := try_to_seal(place)):
            progress.say(f"以前的巡查还没有封存：{failure}")
        run = _resumable(place, request) if request.resume else _new_run(place, request)
        note_run(run.id)
        with _only_process(place, run), _measured(place, run) as phases:
            scores = _through_outages(lambda: _inspected(place, run, progress, phases, crawling or Crawling), progress)
            with phases.timed("封存"):
                put_right(place, progress)
                unsealed = try_to_seal(place)
                _stamp(place, progress)
            return _report(place, run, scores, unsealed)


@contextmanager
def _measured(place: Place, run: Run) -> Iterator[Phases]:
    """Leave the metrics of a run, however it ends."""
    phases = Phases()
    try:
        yield phases
    finally:
        leave_metrics(place, run, phases.seconds)


@dataclass(slots=True)
class _Judged:
    """What a night needs to remember of what was judged and kept: scores without what the checks came to, and the
    faults where they are pictured."""

    pictures: bool
    scores: list[UnitScore] = field(default_factory=list)
    failing: dict[str, list[Finding]] = field(default_factory=dict)

    def note(self, piece: Night) -> None:
        """Take note of a piece of the night."""
        self.scores += (replace(score, checks=()) for score in piece.scores)
        for unit_id, found in piece.findings.items() if self.pictures else ():
            self.failing[unit_id] = [finding for finding in found if finding.outcome is Outcome.FAIL]


def _inspected(
    place: Place, run: Run, progress: Progress, phases: Phases, crawling: type[Crawling]
) -> tuple[UnitScore, ...]:
    """Capture, judge, score and publish; what an attempt before this one captured is not captured again."""
    unit_ids = run.units or None
    revisits = place.revisits.of_run(run.id)
    plans = plan_run(place.configuration.inventory, run.day, run.seed, unit_ids, revisits)
    place.repository.set_run_state(run.id, RunState.RUNNING)
    with _turn(place, run, plans, progress), phases.timed("采集"):
        crawling(place, run.id, run.day, run.seed, unit_ids).capture(plans, progress)
    place.repository.set_run_state(run.id, RunState.CAPTURED)
    _require_true_day(place, run, plans)
    with phases.timed("判定"):
        inputs = settled_inputs(place, run)
        with pages_read(place.settings.data, run.day) as pages:
            records = Records.of(place, run.id, known=pages.known)
            judged = _Judged(place.configuration.inventory.crawl.screenshots_per_unit > 0)
            for piece in judged_in_pieces(place.configuration, inputs, records, progress):
                _keep(place, run, piece, inputs.rulings)
                judged.note(piece)
            pages.drop_unused(place.configuration.inventory.crawl.sampling.facts_days)
        _advance(place, run, plans, RunState.CAPTURED, RunState.JUDGED)
    with _turn(place, run, plans, progress), phases.timed("截图"):
        illustrate(place, run, plans, judged.failing, progress)
    follow_run(place, run)
    _publish(place, run, plans, judged.scores)
    return tuple(judged.scores)


def _require_true_day(place: Place, run: Run, plans: Sequence[SitePlan]) -> None:
    """End the run unjudged when the machine's clock has the wrong day."""
    try:
        require_true_day(place, run, plans)
    except ClockWrong as error:
        place.repository.set_run_state(run.id, RunState.FAILED, note=str(error))
        raise


def _through_outages(inspected: Callable[[], tuple[UnitScore, ...]], progress: Progress) -> tuple[UnitScore, ...]:
    """Do it again where the database went away in the middle of a transaction: that is what a resumed run does."""
    for _ in range(OUTAGES):
        try:
            return inspected()
        except (DatabaseUnreachable, DatabaseLocked) as error:
            progress.say(f"数据库在写入途中中断，等它恢复后接着做，已采集的页面不再重采。{error}")
    return inspected()


# ---------------------------------------------------------------- beginning


def _new_run(place: Place, request: Request) -> Run:
    inventory = place.configuration.inventory
    unit_ids, day = request.unit_ids, request.day or today(place)
    seed = f"{inventory.district.division_code}-{day.isoformat()}"  # same day, same sample: same verdict
    plans = plan_run(inventory, day, seed, unit_ids)
    run = place.repository.create_run(
        kind=request.kind,
        day=day,
        seed=seed,
        rules_version=place.configuration.rules.version,
        digests=place.digests_for(day.year),
        units=unit_ids or (),
        site_ids=[plan.site.id for plan in plans],
    )
    place.revisits.pin(run.id, revisits_for(place, unit_ids))
    keep_configuration(place, run)
    return run


def _resumable(place: Place, request: Request) -> Run:
    runs = place.repository.runs(day=request.day, kind=request.kind)
    asked = [run for run in runs if request.unit_ids is None or set(run.units) == set(request.unit_ids)]
    unfinished = next((run for run in asked if run.state in UNFINISHED), None)
    if unfinished is None:
        raise NothingToResume("没有未完成的巡查可以继续；去掉 --resume 重新开始即可。")
    _require_same_configuration(place, unfinished)
    return unfinished


def _require_same_configuration(place: Place, run: Run) -> None:
    """What was captured by one plan must not be judged by another: a page would answer for an address it is not of."""
    begun_with = {"inventory": run.inventory_digest, "rules": run.rules_digest, "indicators": run.indicators_digest}
    if begun_with != place.digests_for(run.day.year):
        raise ConfigurationChanged(
            f"第 {run.id} 次巡查开始之后配置改过，不能用改过的配置继续；请恢复原来的配置，或去掉 --resume 重新开始。"
        )


@contextmanager
def _only_process(place: Place, run: Run) -> Iterator[None]:
    """Hold the run's lock; the operating system frees it however this process ends."""
    with lock_file(place, f"run-{run.id}") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunInProgress(
                f"第 {run.id} 次巡查正由另一个进程进行；等它结束，或先停止它，再用 --resume 继续。"
            ) from error
        with evidence_in_use(place):
            yield


@contextmanager
def _only_night(place: Place, request: Request) -> Iterator[None]:
    """Hold the lock of the nights of every unit: cron that rings twice must not inspect twice."""
    if request.kind is not RunKind.NIGHTLY or request.unit_ids:
        yield
        return
    with lock_file(place, "night") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            nights = [run for run in place.repository.runs(kind=RunKind.NIGHTLY) if run.state in UNFINISHED]
            under_way = f"第 {nights[0].id} 次巡查（{nights[0].day}）" if nights else "每日巡查"
            raise RunInProgress(f"{under_way}正由另一个进程进行，不再另做一次；等它结束，或先停止它。") from error
        yield


@contextmanager
def _turn(place: Place, run: Run, plans: Sequence[SitePlan], progress: Progress) -> Iterator[None]:
    """Wait until the run may use the network: two at once would ask the same small servers at twice the pace.

    A spot check, which somebody waits for, goes before the night on the hosts that it asks; the rest wait in a row.
    """
    if run.kind is RunKind.SPOT:
        hosts = [host_of(plan.site.home) for plan in plans]
        waiting = "另一次抽查正在采集同一个网站，等它采完。按 Ctrl+C 可放弃等待。"
        with place.turns.first(hosts, lambda: progress.say(waiting)):
            yield
        return
    with lock_file(place, "network") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("另一次巡查正在采集；等它采完再开始，以免加重网站的负担。按 Ctrl+C 可放弃等待。")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------- ending


def _keep(place: Place, run: Run, night: Night, ruled: Rulings) -> None:
    """Store a piece's findings, scores, verdicts and lists, in place of what an interrupted attempt stored."""
    found, pending = list(chain(*night.findings.values())), chain(*(score.pending for score in night.scores))
    states = standings(place, run, found, pending, ruled)
    place.repository.replace_findings(run.id, night.findings, found, states=states)
    place.repository.save_scores(run.id, night.scores)
    place.repository.save_site_verdicts(run.id, night.verdicts)
    remember(place, run, night.judgement.lists)


def _stamp(place: Place, progress: Progress) -> None:
    """Have what is sealed stamped, where an authority is set; what talks to one is not loaded elsewhere."""
    if not place.configuration.inventory.evidence.timestamp_authority:
        return
    from inspection.stamping import try_to_stamp

    if failure := try_to_stamp(place):
        progress.say(failure)


def _publish(place: Place, run: Run, plans: Sequence[SitePlan], scores: Sequence[UnitScore]) -> None:
    """End the run; a nightly run's scores become those of the day, a spot check's never do.

    A run that captured nothing at all has failed: the day's inspection has yet to be made.
    """
    if not place.repository.count_captures(run.id).get("ok"):
        place.repository.set_run_state(run.id, RunState.FAILED, note="没有采到任何页面")
        return
    if run.kind is RunKind.NIGHTLY:
        place.repository.publish(run.id, run.day, scores)
    _advance(place, run, plans, RunState.JUDGED, RunState.PUBLISHED)


def _advance(place: Place, run: Run, plans: Sequence[SitePlan], before: RunState, after: RunState) -> None:
    """Move the run, and its sites that stand at `before`, to the next state of the ledger."""
    ledger = place.repository.site_states(run.id)
    moved = [plan.site.id for plan in plans if ledger[plan.site.id].state is before]
    place.repository.set_site_states(run.id, moved, after)
    place.repository.set_run_state(run.id, after)


def finish_or_start_night(place: Place, *, resume: bool) -> RunReport:
    """Do today's nightly inspection, or go on with the unfinished one of every unit of today, else of yesterday; leave
    its reports in the data folder.

    A night that cannot be taken up because the configuration changed is done anew.
    """
    report = _night(place, resume)
    from inspection.reporting import leave_daily_reports  # with what writes workbooks: a night is large without it

    leave_daily_reports(place, report.run, log.warning)
    return report


def _night(place: Place, resume: bool) -> RunReport:
    if resume:
        for day in (today(place), today(place) - timedelta(days=1)):
            with suppress(NothingToResume, ConfigurationChanged):
                return inspect_units(place, Request(RunKind.NIGHTLY, day, unit_ids=(), resume=True))
    return inspect_units(place, Request(RunKind.NIGHTLY))


def _report(place: Place, run: Run, scores: Sequence[UnitScore], unsealed: str) -> RunReport:
    ledger = place.repository.site_states(run.id)
    return RunReport(
        run=run,
        scores=tuple(scores),
        captures=place.repository.count_captures(run.id),
        findings=place.repository.count_findings(run.id),
        failed_sites={site: row.reason for site, row in ledger.items() if row.state is RunState.FAILED},
        unsealed=unsealed,
    )
