"""Where storage and the annual reports meet: what a year came to, as the values that all of them are written from."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from importlib.metadata import version as installed

from checks.model import CheckMeta
from inspection.day import day_in
from inspection.documents import meta_of
from inspection.place import Place
from inspection.rollup import annual
from reports.annual import AnnualReport, UnitAnnual, YearFault
from storage.model import SeenFault


def annual_report(
    place: Place, year: int, *, last_day: date | None = None, document_number: str = "", recipients: str = ""
) -> AnnualReport:
    """Return everything that the reports of a year say; raises StorageError."""
    end = last_day or date(year, 12, 31)
    result = annual(place, year)
    first = date(year, 1, 1)
    scores = place.repository.daily_scores(first, end)
    faults: defaultdict[str, list[YearFault]] = defaultdict(list)
    for seen in place.repository.seen_faults(first, end):
        faults[seen.finding.unit_id].append(_fault(seen))
    names = {unit.id: unit.name for unit in place.configuration.inventory.units}
    district = place.configuration.inventory.district
    return AnnualReport(
        district=district.name,
        office=district.office,
        year=year,
        status=result.status,
        last_day=end,
        made_on=day_in(district),
        table=place.configuration.indicators_for(year),
        units=tuple(
            UnitAnnual(
                names.get(unit.unit_id, unit.unit_id),
                unit,
                tuple(scores.get(unit.unit_id, ())),
                tuple(faults[unit.unit_id]),
            )
            for unit in result.units
        ),
        sources=(),
        method=(),
        recipients=recipients or district.recipients,
        document_number=document_number,
        software=f"xuncha {installed('xuncha')}",
    )


def _fault(seen: SeenFault) -> YearFault:
    finding, meta = seen.finding, meta_of(seen.finding.check)
    return YearFault(
        number=seen.finding_id,
        check=_title(finding.check, meta),
        target=finding.target,
        item=finding.item,
        observed=finding.observed,
        basis=meta.basis if meta else "",
        state=seen.state,
        first_seen=seen.first_seen,
        last_seen=seen.last_seen,
        days=seen.days,
    )


def _title(check_id: str, meta: CheckMeta | None) -> str:
    return meta.title if meta else check_id
