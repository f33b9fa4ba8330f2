"""运行指标: what Prometheus is told of the nights, as a text file for node_exporter, and served where that is wanted.

The file is the only place where they are kept: `inspect schedule --metrics-port` serves what stands in it, so that a
service started anew tells the same as before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage
from time import monotonic
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, Metric, start_http_server, write_to_textfile
from prometheus_client.parser import text_fd_to_metric_families
from prometheus_client.registry import Collector

from checks.model import REFUSALS
from storage.errors import StorageError
from storage.model import Run, RunKind, RunState

if TYPE_CHECKING:
    from inspection.place import Place

FILE = "xuncha.prom"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Phases:
    """How long each phase of a run took, in seconds by the monotonic clock; one done again adds up."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Time a block, whether it succeeds or not."""
        begun = monotonic()
        log.info("%s开始", name)
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + monotonic() - begun
            log.info("%s结束，用时 %.1f 秒", name, monotonic() - begun)


def metrics_file(data: Path) -> Path:
    """Return where the metrics of a data folder lie."""
    return data / "metrics" / FILE


def leave_metrics(place: Place, run: Run, seconds: Mapping[str, float]) -> None:
    """Write the metrics of a night of every unit, whole or not at all; none of another run.

    A night is not spoilt by metrics that cannot be written: that is logged.
    """
    if run.kind is not RunKind.NIGHTLY or run.units:
        return
    path = metrics_file(place.settings.data)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with place.database.at_once():  # a run that is being stopped waits for nothing
            write_to_textfile(str(path), registry_of(place, place.repository.run(run.id), seconds))
    except (OSError, StorageError) as error:
        log.warning("运行指标写不进 %s：%s", path, error)


def registry_of(place: Place, run: Run, seconds: Mapping[str, float]) -> CollectorRegistry:
    """Return the metrics of a run, with the ends of the last night that was published; raises StorageError."""
    registry, repository = CollectorRegistry(), place.repository

    def tell(name: str, help_text: str, values: Mapping[str, float], label: str) -> None:
        gauge = Gauge(f"xuncha_{name}", help_text, [label], registry=registry)
        for key, value in values.items():
            gauge.labels(key).set(value)

    def say(name: str, help_text: str, value: float) -> None:
        Gauge(f"xuncha_{name}", help_text, registry=registry).set(value)

    captures = repository.count_captures(run.id)
    scores = [stored.score.published for stored in repository.scores_of_run(run.id)]
    sites = repository.site_states(run.id)
    tell("captures", "Captures of the last night by outcome: ok, or why not.", captures, "outcome")
    tell("findings", "Findings of the last night by outcome.", repository.count_findings(run.id), "outcome")
    tell("phase_seconds", "Seconds of the last night by phase.", seconds, "phase")
    units = {"published": sum(scores), "withheld": len(scores) - sum(scores)}
    tell("units", "Units of the last night by what became of their score.", units, "state")
    say("captures_refused", "Captures that sites kept from us.", sum(captures.get(kind.code, 0) for kind in REFUSALS))
    say("requests", "Requests of the last night that are kept: captures and probes.", repository.count_requests(run.id))
    say("received_bytes", "Bytes of the bodies that the last night received.", repository.received_bytes(run.id))
    say("sites", "Sites of the last night.", len(sites))
    say("sites_failed", "Sites that could not be captured.", sum(s.state is RunState.FAILED for s in sites.values()))
    say("evidence_bytes", "Bytes of the evidence of the last night.", _size(place.settings.evidence / str(run.id)))
    say("evidence_free_bytes", "Bytes free on the disk of the evidence.", _free(place))
    say("last_run_success", "1 when the last night was published.", float(run.state is RunState.PUBLISHED))
    say("last_run_timestamp_seconds", "When the last night ended or stopped.", _ended(place, run))
    say("last_success_timestamp_seconds", "When the last night that was published ended; 0: none.", _succeeded(place))
    return registry


def serve_metrics(data: Path, port: int) -> Callable[[], None]:
    """Serve the metrics of a data folder on loopback and return what ends that; raises OSError for a port in use."""
    registry = CollectorRegistry()
    registry.register(_OfFile(metrics_file(data)))
    server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


class _OfFile(Collector):
    """Tells what stands in the file; nothing before the first night."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        try:
            with self._path.open(encoding="utf-8") as file:
                yield from text_fd_to_metric_families(file)
        except FileNotFoundError:
            return


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _free(place: Place) -> int:
    return disk_usage(place.settings.data).free


def _ended(place: Place, run: Run) -> float:
    return (run.finished_at or datetime.now(UTC)).timestamp()


def _succeeded(place: Place) -> float:
    nights = place.repository.runs(kind=RunKind.NIGHTLY)
    ended = (run.finished_at for run in nights if run.state is RunState.PUBLISHED and not run.units)
    return next((moment.timestamp() for moment in ended if moment), 0.0)
