"""审计包的网页: what people read of a package, made of stored results and the sealed index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from checks import personal_information
from checks.facts.dom import decode, normalise, parse
from checks.model import Capture, EvidenceRef, Mode, Outcome
from config.loader import Configuration
from inspection.documents import meta_of, position, unit_names
from inspection.package import PAGE, PackagedRun
from inspection.packaging import Personal, index_of
from inspection.place import Place
from inspection.progress import Progress
from inspection.rescoring import rulings_of_night
from inspection.selection import Selection, by_unit, configuration_of
from inspection.writing import in_file_name
from reports.daily import OUTCOME_TITLES
from reports.evidence_page import (
    CheckPart,
    DayLine,
    FormulaRow,
    Seal,
    ShownFinding,
    ShownRecord,
    UnitDay,
    index_page,
    unit_day_page,
)
from reports.evidence_workbook import evidence_workbook
from reports.wacz import WaczFile
from scoring.daily import scored_again
from scoring.model import JUDGED, BoundCheck, CheckResult, TargetState, UnitScore
from storage.manifest import STAMP, read_manifest
from storage.model import RunKind, StoredFinding
from storage.record_index import IndexedRecord
from storage.rescoring import NightFinding

SHOWN = (Outcome.FAIL, Outcome.NOTICE)  # told one by one; the others are in findings.json
NAMED_DAYS = 62  # units' days up to which the index names every fault
KINDS = {RunKind.NIGHTLY: "每日巡查", RunKind.SPOT: "抽查", RunKind.RESCORE: "更正得分"}
_MODES = {Mode.STATIC: "网页", Mode.RENDERED: "渲染后的网页", Mode.SCREENSHOT: "截图"}
_AROUND = 80  # characters before and after a passage
_STAGE = "说明网页"


@dataclass(frozen=True, slots=True)
class ExportNames:
    """What the pages say of the package as a whole, and which pages they may not show."""

    title: str
    made_at: datetime
    personal: Personal


class EvidencePages:
    """Writes the pages for people into a package, a unit's day at a time."""

    def __init__(
        self, place: Place, selection: Selection, wacz: WaczFile, names: ExportNames, progress: Progress
    ) -> None:
        self._place, self._selection, self._wacz, self._names = place, selection, wacz, names
        self._progress = progress
        self._units = unit_names(place)
        self._captures = lru_cache(maxsize=2)(self._captures_of)
        self._index = lru_cache(maxsize=8)(self._index_of)
        self._configuration = lru_cache(maxsize=4)(self._configuration_of)

    def write(self, withheld: int) -> None:
        """Write the index page, a page for every unit and day, and each unit's workbook."""
        runs = by_unit(self._selection.runs)
        total = sum(map(len, runs.values()))
        lines: list[DayLine] = []
        workbooks: list[str] = []
        for unit, of_unit in runs.items():
            days = []
            for run in of_unit:
                shown = self._unit_day(unit, run)
                self._wacz.add_file(shown.file, [unit_day_page(self._names.title, shown)])
                lines.append(_line(shown, named=total <= NAMED_DAYS))
                days.append(replace(shown, findings=()))
                self._progress.advance(_STAGE, len(lines), total)
            name = "得分.xlsx" if len(runs) == 1 else f"得分-{in_file_name(self._units.get(unit, unit))}.xlsx"
            self._wacz.add_file(name, [evidence_workbook(self._names.title, days)])
            workbooks.append(name)
        seals = [self._seal(run) for run in self._selection.runs]
        page = index_page(self._names.title, self._names.made_at, lines, seals, workbooks, withheld)
        self._wacz.add_file(PAGE, [page])

    def _seal(self, run: PackagedRun) -> Seal:
        folder = self._place.evidence.folder / str(run.run)
        sealed = read_manifest(folder)
        assert sealed is not None  # a selection holds sealed runs alone
        document, digests = sealed
        signer, stamped = document["sealed"]["signer"], (folder / STAMP).is_file()
        return Seal(run.run, run.day, digests.sha256, digests.sm3, signer, stamped)

    # ------------------------------------------------------------ a unit's day

    def _unit_day(self, unit: str, run: PackagedRun) -> UnitDay:
        score = self._place.repository.scores_of_unit(unit, [run.run])[run.run].score
        found = self._place.repository.findings(run_id=run.run, unit_id=unit)
        told = [stored for stored in found if stored.finding.outcome in SHOWN] if run.sites else []
        others = Counter(stored.finding.outcome for stored in found if not run.sites or stored not in told)
        return UnitDay(
            unit=self._units.get(unit, unit),
            day=run.day,
            run=run.run,
            kind=KINDS[RunKind(run.kind)],
            file=f"days/{run.run}-{unit}.html",
            score=score.score,
            state=score.state,
            rows=tuple(self._rows(run, score, found)),
            reasons=score.reasons,
            findings=tuple(self._shown(run, stored) for stored in sorted(told, key=_order)),
            others=tuple((OUTCOME_TITLES[outcome], count) for outcome, count in sorted(others.items())),
            stands_on=run.stands_on,
        )

    def _rows(self, run: PackagedRun, score: UnitScore, found: Sequence[StoredFinding]) -> Iterator[FormulaRow]:
        """Yield the rows of the table as the day was scored by them, out of its findings as they stood then."""
        configuration = self._configuration(run.run)
        unit = configuration.inventory.unit(score.unit_id)
        rulings = rulings_of_night(NightFinding(stored.finding, stored.state) for stored in found)
        findings = [stored.finding for stored in found]
        again = scored_again(score, unit, findings, configuration.rules, rulings)
        checks = {result.check: result for result in again.checks}
        titles = {row.id: row.title for row in configuration.indicators_for(run.day.year).indicators}
        for row in score.indicators:
            parts = tuple(_part(bound, checks.get(bound.check)) for bound in row.weights)
            yield FormulaRow(row.id, titles.get(row.id, row.id), row.points, parts)

    # ------------------------------------------------------------ a finding

    def _shown(self, run: PackagedRun, stored: StoredFinding) -> ShownFinding:
        finding, meta = stored.finding, meta_of(stored.finding.check)
        records = tuple(self._record(run, reference) for reference in finding.evidence)
        if finding.screenshot is not None and records:
            picture = self._picture(run, finding.screenshot)
            records = (replace(records[0], screenshot=picture), *records[1:])
        return ShownFinding(
            number=stored.id,
            check=meta.title if meta else finding.check,
            outcome=OUTCOME_TITLES[finding.outcome],
            state=stored.state if finding.outcome is Outcome.FAIL else "",
            reason=meta.reason_title(finding.reason) if meta else finding.reason,
            observed=finding.observed,
            expected=finding.expected,
            passage=finding.passage,
            around=self._around(run, stored),
            where=finding.where,
            place=position(self._place, finding.target, finding.item),
            basis=meta.basis if meta else "",
            failing=finding.outcome is Outcome.FAIL,
            records=records,
        )

    def _record(self, run: PackagedRun, reference: EvidenceRef) -> ShownRecord:
        capture = self._captures(run).get(reference.record_id)
        indexed = self._index(_run_of(reference)).get((reference.warc_file, reference.offset))
        at = capture.captured_at if capture else None
        withheld = capture is not None and self._names.personal.is_in(capture, reference.payload_digest)
        return ShownRecord(
            kind=_MODES[capture.mode] if capture else "探测",
            url=(capture.final_url or capture.url) if capture else (indexed.url if indexed else ""),
            captured_at=at,
            timestamp=f"{at:%Y%m%d%H%M%S}" if at else (indexed.timestamp if indexed else ""),
            record_id=reference.record_id,
            file=reference.warc_file,
            offset=reference.offset,
            length=indexed.length if indexed else 0,
            digest=reference.payload_digest,
            source="" if withheld else self._source(reference, capture),
            withheld=withheld,
        )

    def _source(self, reference: EvidenceRef, capture: Capture | None) -> str:
        """Write the bytes of a record as plain text beside the page; returns the link, "" for what is no text."""
        if capture is not None and capture.mode is Mode.SCREENSHOT:
            return ""
        name = f"sources/{_hex(reference)}.txt"
        if not self._wacz.holds(name):
            content = self._payload(reference)
            if not content or b"\x00" in content[:4096]:
                return ""
            text, _ = decode(content, capture.content_type if capture else None)
            self._wacz.add_file(name, [text.encode("utf-8", "replace")])
        return name

    def _picture(self, run: PackagedRun, reference: EvidenceRef) -> str:
        capture = self._captures(run).get(reference.record_id)
        if capture is not None and self._names.personal.is_in(capture, reference.payload_digest):
            return ""
        name = f"screenshots/{_hex(reference)}.png"
        if not self._wacz.holds(name):
            content = self._payload(reference)
            if not content.startswith(b"\x89PNG"):
                return ""
            self._wacz.add_file(name, [content])
        return name

    def _around(self, run: PackagedRun, stored: StoredFinding) -> tuple[str, str]:
        """Return the page's text before and after the passage, where it stands there as quoted."""
        finding = stored.finding
        if not finding.passage or not finding.evidence or finding.check == personal_information.META.id:
            return "", ""
        capture = self._captures(run).get(finding.evidence[0].record_id)
        if capture is None or self._names.personal.is_in(capture, finding.evidence[0].payload_digest):
            return "", ""
        text = normalise(self._text(finding.evidence[0], capture.content_type))
        before, found, after = text.partition(normalise(finding.passage))
        if not found:
            return "", ""
        return ("…" if len(before) > _AROUND else "") + before[-_AROUND:], after[:_AROUND] + ("…" if after else "")

    def _text(self, reference: EvidenceRef, content_type: str) -> str:
        content = self._payload(reference)
        if b"<" not in content[:4096]:
            return ""
        return parse(content, content_type=content_type).text

    def _payload(self, reference: EvidenceRef) -> bytes:
        return self._place.evidence.read_payload(reference)

    # ------------------------------------------------------------ what is read once

    def _captures_of(self, run: PackagedRun) -> dict[str, Capture]:
        """Return a run's captures by the record that holds their bytes."""
        return {
            capture.evidence.record_id: capture
            for site in run.sites
            for capture in self._place.repository.captures(run.run, site)
            if capture.evidence is not None
        }

    def _index_of(self, run_id: int) -> dict[tuple[str, int], IndexedRecord]:
        return {(record.file, record.offset): record for record in index_of(self._place, run_id)}

    def _configuration_of(self, run_id: int) -> Configuration:
        return configuration_of(self._place, self._place.repository.run(run_id))


def _part(bound: BoundCheck, result: CheckResult | None) -> CheckPart:
    from checks.registry import CHECKS

    taken = [target for target in result.targets if bound.takes(target)] if result else []
    passed = sum((t.weight for t in taken if t.state is TargetState.PASSED), Decimal(0))
    judged = sum((t.weight for t in taken if t.state in JUDGED), Decimal(0))
    title = next((check.META.title for check in CHECKS if check.META.id == bound.check), bound.check)
    return CheckPart(title, bound.weight, passed, judged, len(taken))


def _line(shown: UnitDay, *, named: bool) -> DayLine:
    findings = tuple((one.number, one.reason, one.observed) for one in shown.failing) if named else ()
    return DayLine(
        shown.unit, shown.day, shown.run, shown.kind, shown.file, shown.score_text, len(shown.failing), findings
    )


def _order(stored: StoredFinding) -> tuple[bool, str, str, int]:
    finding = stored.finding
    return finding.outcome is not Outcome.FAIL, finding.check, finding.target, stored.id


def _run_of(reference: EvidenceRef) -> int:
    return int(reference.warc_file.partition("/")[0])


def _hex(reference: EvidenceRef) -> str:
    return reference.payload_digest.rpartition(":")[2]
