"""Where storage and the rectification notices meet: the faults ordered mended, with what their last findings saw."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

from checks.model import EvidenceRef, Finding
from config.schema import Unit
from inspection.documents import location, meta_of
from inspection.place import Place
from inspection.writing import in_file_name, write_whole
from reports.rectification import RectificationItem, RectificationNotice, rectification_list, rectification_notice
from scoring.review import FaultState
from storage.errors import EvidenceError, FindingNotFound
from storage.model import Fault


def write_rectification(
    place: Place, folder: Path, day: date, unit_ids: Collection[str] | None = None, *, overdue: bool = False
) -> list[Path]:
    """Write a notice for each unit that has something to mend, and the list of it all; return the paths.

    `overdue`: only what was seen unmended after its deadline. Nothing to mend: nothing is written. Raises StorageError,
    ReportUnwritable.
    """
    written, listed = [], []
    for notice in notices(place, day, unit_ids, overdue=overdue):
        name = f"整改通知单-{in_file_name(notice.unit)}-{day.isoformat()}.docx"
        written.append(write_whole(folder / name, rectification_notice(notice)))
        listed.append(replace(notice, items=tuple(replace(item, screenshot=None) for item in notice.items)))
    if listed:
        name = f"整改问题清单-{day.isoformat()}.xlsx"
        written.append(write_whole(folder / name, rectification_list(listed, day)))
    return written


def notices(
    place: Place, day: date, unit_ids: Collection[str] | None = None, *, overdue: bool = False
) -> Iterator[RectificationNotice]:
    """Yield the notice of each unit that has something to mend, in inventory order; raises StorageError."""
    faults = place.faults.faults(unit_ids, states=[FaultState.RECTIFYING], overdue_on=day if overdue else None)
    for position, unit in enumerate(place.configuration.inventory.units, start=1):
        of_unit = [fault for fault in faults if fault.unit_id == unit.id]
        if of_unit:
            yield _notice(place, unit, of_unit, day, position)


def _notice(place: Place, unit: Unit, faults: Iterable[Fault], day: date, position: int) -> RectificationNotice:
    screenshots = _Screenshots(place)
    items = [_item(place, fault, day, screenshots) for fault in faults]
    items.sort(key=lambda item: (-item.overdue_days, item.deadline or date.max))
    return RectificationNotice(
        unit=unit.name,
        number=f"{day:%Y%m%d}-{position:02}",
        office=place.configuration.inventory.district.office,
        issued_on=day,
        items=tuple(items),
        software=f"xuncha {version('xuncha')}",
    )


def _item(place: Place, fault: Fault, day: date, screenshots: _Screenshots) -> RectificationItem:
    finding, meta = _last_finding(place, fault), meta_of(fault.check)
    screenshot, note = screenshots.of(finding)
    return RectificationItem(
        number=fault.finding_id,
        check=meta.title if meta else fault.check,
        problem=meta.reason_title(fault.reason) if meta else fault.reason,
        target=location(place, fault.target),
        observed=finding.observed if finding else "",
        expected=finding.expected if finding else "",
        passage=finding.passage if finding else "",
        where=finding.where if finding else "",
        basis=meta.basis if meta else "",
        state=fault.state,
        first_seen=fault.first_seen,
        last_seen=fault.last_seen,
        deadline=fault.deadline,
        overdue_days=_overdue_days(fault, day),
        screenshot=screenshot,
        screenshot_note=note,
    )


def _last_finding(place: Place, fault: Fault) -> Finding | None:
    try:
        return place.repository.finding(fault.finding_id)[0].finding
    except FindingNotFound:
        return None


def _overdue_days(fault: Fault, day: date) -> int:
    """Return how long after its deadline the fault stands; 0 unless a run saw it after the deadline."""
    if fault.deadline is None or fault.overdue_since is None or fault.overdue_since > day:
        return 0
    return (day - fault.deadline).days


class _Screenshots:
    """The screenshots of one unit's pages, each read once however many faults its page has."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._read: dict[EvidenceRef, bytes | None] = {}

    def of(self, finding: Finding | None) -> tuple[bytes | None, str]:
        """Return the screenshot of a finding, or why there is none."""
        if finding is None:
            return None, "最近一次的结果已不在数据库中"
        if finding.screenshot is None:
            return None, ""
        if finding.screenshot not in self._read:
            self._read[finding.screenshot] = self._payload(finding.screenshot)
        screenshot = self._read[finding.screenshot]
        return screenshot, "" if screenshot is not None else "截图缺失：证据文件中找不到，或者已损坏"

    def _payload(self, reference: EvidenceRef) -> bytes | None:
        try:
            return self._place.evidence.read_payload(reference)
        except EvidenceError:
            return None
