"""Where storage and the annual reports meet: what a year came to, as the values and the files that go out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path

from config.schema import Indicators
from inspection.day import day_in
from inspection.documents import location, meta_of, unit_names
from inspection.errors import InvalidInput
from inspection.place import Place
from inspection.progress import Progress
from inspection.publishing import frozen_year, published_versions, told
from inspection.rollup import gather, result_of
from inspection.writing import in_file_name, write_whole
from reports.annual import METHOD, AnnualReport, InputSource, PublishedVersion, UnitAnnual, YearFault
from reports.annual_circular import annual_circular
from reports.annual_page import annual_page
from reports.annual_workbook import annual_workbook
from reports.unit_sheet import unit_sheet
from scoring.annual import Annual
from storage.model import SeenFault

SHEETS = "单位得分单"  # the folder of the units' own sheets


@dataclass(frozen=True, slots=True)
class _Result:
    """A year's result with what it rests on: as published, or as of now."""

    annual: Annual
    last_day: date
    table: Indicators
    names: Mapping[str, str]
    sources: tuple[InputSource, ...]
    version: PublishedVersion | None


def annual_report(
    place: Place,
    year: int,
    *,
    version: int | None = None,
    draft: bool = False,
    last_day: date | None = None,
    document_number: str = "",
    recipients: str = "",
) -> AnnualReport:
    """Return everything that the reports of a year say: by default of its newest published version, else as of now.

    `draft`, or a `last_day`, asks for the result as of now even where one is published. Raises InvalidInput for a
    version and a draft at once, VersionNotFound, VersionAltered, StorageError.
    """
    if version is not None and (draft or last_day):
        raise InvalidInput("--version 是已公布的结果，不能再给 --draft 或 --until；去掉其中一个。")
    versions = published_versions(place, year)
    frozen = version is not None or (bool(versions) and not draft and last_day is None)
    result = _published(place, year, version) if frozen else _as_of_now(place, year, last_day)
    district = place.configuration.inventory.district
    return AnnualReport(
        district=district.name,
        office=district.office,
        year=year,
        status=result.annual.status,
        last_day=result.last_day,
        made_on=day_in(district),
        table=result.table,
        units=_units(place, result),
        sources=result.sources,
        method=METHOD,
        version=result.version,
        versions=tuple(one for one in versions if result.version is None or one.number <= result.version.number),
        recipients=recipients or district.recipients,
        document_number=document_number,
        software=f"xuncha {installed('xuncha')}",
    )


def _published(place: Place, year: int, number: int | None) -> _Result:
    frozen = frozen_year(place, year, number)
    last_day, version = frozen.version.last_day, told(place, frozen.version)
    return _Result(frozen.result, last_day, frozen.table, frozen.names, frozen.sources, version)


def _as_of_now(place: Place, year: int, last_day: date | None) -> _Result:
    inputs = gather(place, year, last_day)
    names = unit_names(place)
    return _Result(result_of(inputs), inputs.last_day, inputs.indicators, names, inputs.sources, None)


def _units(place: Place, result: _Result) -> tuple[UnitAnnual, ...]:
    first, last = date(result.annual.year, 1, 1), result.last_day
    scores = place.repository.daily_scores(first, last)
    faults: defaultdict[str, list[YearFault]] = defaultdict(list)
    for seen in place.repository.seen_faults(first, last):
        faults[seen.finding.unit_id].append(_fault(place, seen))
    return tuple(
        UnitAnnual(
            name=result.names.get(unit.unit_id, unit.unit_id),
            result=unit,
            scores=tuple(scores.get(unit.unit_id, ())),
            faults=tuple(faults[unit.unit_id]),
        )
        for unit in result.annual.units
    )


def _fault(place: Place, seen: SeenFault) -> YearFault:
    finding, meta = seen.finding, meta_of(seen.finding.check)
    return YearFault(
        number=seen.finding_id,
        check=meta.title if meta else finding.check,
        target=location(place, finding.target),
        observed=finding.observed,
        basis=meta.basis if meta else "",
        state=seen.state,
        first_seen=seen.first_seen,
        last_seen=seen.last_seen,
        days=seen.days,
    )


# ---------------------------------------------------------------- files


def write_annual(report: AnnualReport, folder: Path, progress: Progress) -> list[Path]:
    """Write workbook, circular, page and every unit's sheet into the folder; raises ReportUnwritable.

    Each file is whole or as it was before; what is not published says so in its name.
    """
    total = 3 + len(report.units)
    written: list[Path] = []
    for name, content in _files(report):
        written.append(write_whole(folder / name, content))
        progress.advance("写报告", len(written), total)
    return written


def _files(report: AnnualReport) -> Iterator[tuple[str, bytes]]:
    mark = _mark(report)
    yield f"年度汇总{mark}.xlsx", annual_workbook(report)
    yield f"通报{mark}.docx", annual_circular(report)
    yield f"年度报告{mark}.html", annual_page(report)
    for number, unit in enumerate(report.units, start=1):
        yield f"{SHEETS}/{number:02}-{_sheet_name(report, unit)}", unit_sheet(report, unit)


def write_unit_sheet(report: AnnualReport, unit: UnitAnnual, folder: Path) -> Path:
    """Write one unit's sheet into the folder; raises ReportUnwritable."""
    return write_whole(folder / f"{report.year}年度得分单-{_sheet_name(report, unit)}", unit_sheet(report, unit))


def _sheet_name(report: AnnualReport, unit: UnitAnnual) -> str:
    return f"{in_file_name(unit.name)}{_mark(report)}.docx"


def _mark(report: AnnualReport) -> str:
    return f"（{report.draft}）" if report.draft else ""
