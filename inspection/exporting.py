"""证据导出: what was seen of units, and what was said of it, in one WACZ file that an auditor can verify alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from checks.model import Capture, Mode
from inspection.documents import finding_document, scores_document, unit_names
from inspection.errors import NothingToExport
from inspection.evidence_pages import EvidencePages, ExportNames
from inspection.package import CONTENTS, Contents, PackagedRun, RecordPlace, contents_bytes
from inspection.packaging import Personal, RecordPacking, add_judged, add_seals, personal_pages
from inspection.place import Place
from inspection.progress import Progress
from inspection.publishing import FrozenYear
from inspection.selection import Asked, Selection, require_sealed, select
from reports.wacz import ArchivedPage, WaczFile, writing
from storage.manifest import MANIFEST
from storage.model import RunKind, StoredFinding

_STAGE = "导出"


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export holds."""

    runs: int
    pages: int
    records: int
    findings: int
    withheld: int


def export_evidence(place: Place, asked: Asked, out: Path, progress: Progress) -> ExportSummary:
    """Write what was asked for to `out`, which is whole or untouched.

    Raises InvalidInput, NothingToExport, EvidenceUnavailable, WaczUnwritable, StorageError.
    """
    selection = select(place, asked)
    personal = personal_pages(place) if asked.without_personal else Personal()
    with writing(out, _title(place, selection)) as wacz:
        return _Export(place, asked, selection, personal, wacz, progress).write()


def _title(place: Place, selection: Selection) -> str:
    names = [unit_names(place).get(unit, unit) for unit in selection.units]
    told = names[0] if len(names) == 1 else f"{names[0]}等 {len(names)} 个单位"
    if selection.frozen is not None:
        published = selection.frozen.version
        return f"{told} {published.year}年度第 {published.number} 版 巡查证据"
    days = sorted(run.day for run in selection.seen)
    span = f"{days[0]}" if days[0] == days[-1] else f"{days[0]} 至 {days[-1]}"
    about = f" 第 {selection.finding.id} 号问题" if selection.finding else ""
    return f"{told} {span}{about} 巡查证据"


@dataclass(slots=True)
class _Export:
    """One package in the making."""

    place: Place
    asked: Asked
    selection: Selection
    personal: Personal
    wacz: WaczFile
    progress: Progress

    def write(self) -> ExportSummary:
        """Write everything in its order: records first, what people read last."""
        with RecordPacking(self.place, self.wacz, self.selection.seen, self.personal) as packing:
            self._runs(packing)
            earlier = packing.finish()
            count, withheld = packing.count, tuple(packing.withheld)
        if not count:
            raise NothingToExport("这些巡查没有留下该单位的任何证据记录；换一段日期，或先运行 inspect run。")
        pages = sum(self.wacz.add_page(page) for run in self.selection.seen for page in self._pages(run))
        self._chain([*earlier, *(run.run for run in self.selection.runs)], earlier)
        contents = self._contents(withheld)
        self.wacz.add_file(CONTENTS, [contents_bytes(contents)])
        if self.selection.frozen is not None:
            self._published(self.selection.frozen)
        findings = self._documents()
        names = ExportNames(_title(self.place, self.selection), contents.made_at, self.personal)
        EvidencePages(self.place, self.selection, self.wacz, names, self.progress).write(len(withheld))
        return ExportSummary(len(self.selection.runs), pages, count, findings, len(withheld))

    def _runs(self, packing: RecordPacking) -> None:
        runs = self.selection.runs
        for done, run in enumerate(runs, start=1):
            if run.sites:
                packing.add_run(run)
            add_judged(self.place, self.wacz, run)
            self.progress.advance(_STAGE, done, len(runs))

    def _chain(self, inside: Iterable[int], earlier: Iterable[int]) -> None:
        """Write the manifests of all nights from the first run inside to the newest: each names the one before."""
        for number in earlier:
            require_sealed(self.place, number)
            add_seals(self.place, self.wacz, number, with_index=True)
        first = min(inside)
        for night in self.place.repository.runs(kind=RunKind.NIGHTLY):
            if night.id >= first and (self.place.evidence.folder / str(night.id) / MANIFEST).is_file():
                add_seals(self.place, self.wacz, night.id)

    def _contents(self, withheld: tuple[RecordPlace, ...]) -> Contents:
        days = [run.day for run in self.selection.seen]
        frozen = self.selection.frozen
        return Contents(
            made_at=datetime.now(UTC).replace(microsecond=0),
            software=version("xuncha"),
            units=self.selection.units,
            runs=self.selection.runs,
            since=min(days),
            until=max(days),
            finding=self.selection.finding.id if self.selection.finding else None,
            year=frozen.version.year if frozen else None,
            version=frozen.version.number if frozen else None,
            withheld=withheld,
        )

    def _published(self, frozen: FrozenYear) -> None:
        published = frozen.version
        document = {
            "year": published.year,
            "version": published.number,
            "by": published.actor,
            "why": published.why,
            "published_at": published.published_at,
            "last_day": published.last_day,
            "digest": published.digest,
            "inputs": published.inputs,
            "result": published.result,
            "changes": published.changes,
        }
        name = f"published/{published.year}-{published.number}.json"
        self.wacz.add_file(name, [json.dumps(document, ensure_ascii=False, indent=1, default=_plain).encode()])

    # ------------------------------------------------------------ pages of interest

    def _pages(self, run: PackagedRun) -> Iterator[ArchivedPage]:
        """Yield the pages that a reader is offered: those visited for the units, or the finding's alone."""
        finding = self.selection.finding
        for site in run.sites:
            visits = [v for v in self.place.repository.visits(run.run, site) if v.unit_id in (*run.units, None)]
            titles = {visit.url: visit.title or visit.reason for visit in visits}
            for capture in self.place.repository.captures(run.run, site):
                if finding is not None and not _shows(capture, finding):
                    continue
                if capture.url in titles and is_page(capture) and not self._is_withheld(capture):
                    address = capture.final_url or capture.url
                    yield ArchivedPage(address, capture.captured_at, titles[capture.url])

    def _is_withheld(self, capture: Capture) -> bool:
        return capture.evidence is not None and self.personal.is_in(capture, capture.evidence.payload_digest)

    # ------------------------------------------------------------ for programs

    def _documents(self) -> int:
        count = _Counted(self._findings())
        self.wacz.add_file("findings.json", _listed("findings", count))
        self.wacz.add_file("scores.json", _listed("scores", self._scores()))
        return count.number

    def _findings(self) -> Iterator[object]:
        for run in self.selection.seen:
            for unit in run.units:
                for stored in self.place.repository.findings(run_id=run.run, unit_id=unit):
                    yield finding_document(self.place, stored)

    def _scores(self) -> Iterator[object]:
        for run in self.selection.runs:
            for stored in self.place.repository.scores_of_run(run.run):
                if stored.score.unit_id in run.units:
                    document = scores_document(self.place, stored.day, [stored.score])
                    yield document | {"run": run.run, "published": stored.published}


def is_page(capture: Capture) -> bool:
    """Tell whether a capture is a page as the server sent it."""
    return capture.mode is Mode.STATIC and capture.failure is None and capture.evidence is not None


def _shows(capture: Capture, stored: StoredFinding) -> bool:
    finding = stored.finding
    cited = {reference.record_id for reference in finding.evidence}
    return finding.target in (capture.url, capture.final_url) or (
        capture.evidence is not None and capture.evidence.record_id in cited
    )


class _Counted:
    """Documents, counted as they pass."""

    def __init__(self, documents: Iterable[object]) -> None:
        self._documents, self.number = documents, 0

    def __iter__(self) -> Iterator[object]:
        for document in self._documents:
            self.number += 1
            yield document


def _listed(key: str, documents: Iterable[object]) -> Iterator[bytes]:
    """Yield a JSON document with one list, an entry a line."""
    yield f'{{"{key}": ['.encode()
    before = "\n"
    for document in documents:
        yield (before + json.dumps(document, ensure_ascii=False, default=_plain)).encode("utf-8", "backslashreplace")
        before = ",\n"
    yield b"\n]}"


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)
