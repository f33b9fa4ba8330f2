"""Evidence for an auditor: what was seen of one unit, and what was said of it, in one WACZ file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from checks.model import Capture, EvidenceRef, Mode, Probe, Visit
from inspection.documents import finding_document, scores_document, unit_names
from inspection.errors import NothingToExport
from inspection.place import Place
from reports.wacz import ArchivedPage, export_wacz
from storage.evidence import of_run
from storage.model import Run, RunKind, StoredFinding


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export holds."""

    pages: int
    records: int
    findings: int


@dataclass(slots=True)
class _Contents:
    """What goes into the file."""

    references: dict[EvidenceRef, None] = field(default_factory=dict)
    unchanged: list[Capture] = field(default_factory=list)  # whose records are those of earlier runs
    pages: list[ArchivedPage] = field(default_factory=list)
    findings: list[StoredFinding] = field(default_factory=list)


def export_evidence(place: Place, unit_id: str, since: date | None, until: date | None, out: Path) -> ExportSummary:
    """Write everything seen of a unit from `since` to `until` (both included; default: the newest run's) to `out`.

    The file holds the captures of its pages, its sites' home pages and probes, the screenshots, the findings and the
    scores. Raises NothingToExport when no finished run of those days saw the unit.
    """
    runs = _runs(place, unit_id, since, until)
    contents = _Contents()
    for run in runs:
        _add(place, run, unit_id, contents)
    if not contents.references:
        raise NothingToExport("这段时间没有该单位的巡查记录；用 --from、--to 换一段日期，或先运行 inspect run。")
    name, days = unit_names(place)[unit_id], sorted({run.day for run in runs})
    records = export_wacz(
        out,
        _records(place, contents),
        contents.pages,
        title=f"{name} {days[0]} 至 {days[-1]} 巡查证据",
        extra=_documents(place, unit_id, runs, contents),
    )
    return ExportSummary(len(contents.pages), records, len(contents.findings))


def _records(place: Place, contents: _Contents) -> Iterator[bytes]:
    """Yield every record once, and for each page seen unchanged the `revisit` record that says so."""
    yield from (place.evidence.read_members(reference) for reference in contents.references)
    yield from (place.evidence.revisit(capture) for capture in contents.unchanged)


def _runs(place: Place, unit_id: str, since: date | None, until: date | None) -> list[Run]:
    finished = [run for run in place.repository.runs() if run.looked and run.finished]
    seen = [run for run in finished if not run.units or unit_id in run.units]
    if since is None and until is None:
        return seen[:1]
    first, last = since or date.min, until or since or date.max
    return [run for run in seen if first <= run.day <= last]


def _add(place: Place, run: Run, unit_id: str, contents: _Contents) -> None:
    unit = place.configuration.inventory.unit(unit_id)
    contents.findings += place.repository.findings(run_id=run.id, unit_id=unit_id)
    for site_id in sorted({column.site for column in unit.columns}):
        visits = [v for v in place.repository.visits(run.id, site_id) if v.unit_id in (unit_id, None)]
        captures = _of_visits(place.repository.captures(run.id, site_id), visits)
        contents.pages += _pages(captures, visits)
        contents.unchanged += (
            capture for capture in captures if capture.evidence and not of_run(capture.evidence, run.id)
        )
        contents.references |= dict.fromkeys(_references([*captures, *place.repository.probes(run.id, site_id)]))


def _of_visits(captures: Iterable[Capture], visits: Iterable[Visit]) -> list[Capture]:
    wanted = {visit.url for visit in visits}
    return [capture for capture in captures if capture.url in wanted]


def _pages(captures: Iterable[Capture], visits: Iterable[Visit]) -> Iterator[ArchivedPage]:
    titles = {visit.url: visit.title or visit.reason for visit in visits}
    for capture in captures:
        if capture.mode is Mode.STATIC and capture.failure is None:
            yield ArchivedPage(capture.final_url or capture.url, capture.captured_at, titles.get(capture.url, ""))


def _references(seen: Iterable[Capture | Probe]) -> Iterator[EvidenceRef]:
    return (each.evidence for each in seen if each.evidence is not None)


def _documents(place: Place, unit_id: str, runs: list[Run], contents: _Contents) -> dict[str, bytes]:
    corrected = [run for run in place.repository.runs(kind=RunKind.RESCORE) if run.day in {seen.day for seen in runs}]
    scores = [
        scores_document(place, stored.day, [stored.score]) | {"run": run.id, "published": stored.published}
        for run in (*runs, *corrected)
        for stored in place.repository.scores_of_run(run.id)
        if stored.score.unit_id == unit_id
    ]
    findings = [finding_document(place, stored) for stored in contents.findings]
    return {"findings.json": _json({"findings": findings}), "scores.json": _json({"scores": scores})}


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1, default=_plain).encode()


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)
