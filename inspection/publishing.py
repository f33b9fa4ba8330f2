"""公布与更正: a complete year is frozen as a numbered version; a correction is a new version that says why."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as installed
from typing import Any

from pydantic import TypeAdapter

from config.schema import Indicators
from inspection.account import machine_account
from inspection.day import day_in, local
from inspection.documents import unit_names
from inspection.errors import InspectionError, InvalidInput
from inspection.place import Place
from inspection.rollup import YearInputs, gather, result_of
from reports.annual import InputSource, PublishedVersion
from scoring.annual import Annual, IndicatorYear, Status, UnitResult, rounded
from scoring.frozen import annual_of, document_of
from storage.errors import VersionTaken
from storage.model import AnnualVersion

_SOURCES = TypeAdapter(tuple[InputSource, ...])
Document = dict[str, Any]


class NotPublishable(InspectionError):
    """The year cannot be published as it stands: the message lists what is missing, or names the day to wait for."""


class NothingToCorrect(InspectionError):
    """The published version says the same already: a correction needs changed inputs."""


class PublishedMeanwhile(InspectionError):
    """Somebody else published the next version first: look at it, then correct it if need be."""


class VersionNotFound(InspectionError):
    """The year has no version of that number: `inspect rollup --versions` lists those it has."""


class VersionAltered(InspectionError):
    """A version's content is not what its digest says: restore the database from the backup."""

    exit_code = 6


@dataclass(frozen=True, slots=True)
class FrozenYear:
    """One published version as people read it, with what it rested on then: names of units by id, table, sources."""

    version: AnnualVersion
    result: Annual
    table: Indicators
    names: Mapping[str, str]
    sources: tuple[InputSource, ...]


def publish(place: Place, year: int, last_day: date | None, *, by: str, why: str = "") -> AnnualVersion:
    """Freeze the year's result as its next version, and return it.

    `last_day` defaults to that of the version before, else to 31 December. Raises NotPublishable, InvalidInput where
    `by`, or the `why` of a correction, is blank, NothingToCorrect, PublishedMeanwhile, StorageError.
    """
    before = place.versions.versions(year)
    last_day = last_day or (before[-1].last_day if before else date(year, 12, 31))
    _require_words(by, why, bool(before))
    _require_past(place, last_day)
    inputs = gather(place, year, last_day)
    result = result_of(inputs)
    _require_complete(place, result)
    changes = _changes(annual_of(before[-1].result), result, unit_names(place)) if before else []
    if before and not changes:
        raise NothingToCorrect(f"与已公布的第 {before[-1].number} 版相比没有任何变化，不必更正。")
    kept = {"inputs": _inputs_document(place, inputs), "result": document_of(result)}
    version = AnnualVersion(
        year=year,
        number=len(before) + 1,
        actor=by.strip(),
        why=why.strip(),
        last_day=last_day,
        changes=changes,
        digest=digest_of(kept),
        account=machine_account(),
        **kept,
    )
    try:
        return place.versions.add(version)
    except VersionTaken as error:
        raise PublishedMeanwhile(str(error)) from error


def frozen_year(place: Place, year: int, number: int | None = None) -> FrozenYear:
    """Return a version of the year, by default the newest, exactly as it was published.

    Raises VersionNotFound, VersionAltered, StorageError.
    """
    versions = {version.number: version for version in place.versions.versions(year)}
    number = number or max(versions, default=1)
    if number not in versions:
        known = f"已公布的有第 {'、'.join(map(str, versions))} 版" if versions else "这一年还没有公布过"
        raise VersionNotFound(f"{year}年度没有第 {number} 版；{known}。")
    version = versions[number]
    if digest_of({"inputs": version.inputs, "result": version.result}) != version.digest:
        raise VersionAltered(f"{year}年度第 {number} 版的内容与公布时的摘要不符，数据库可能被改动过；请用备份恢复。")
    return FrozenYear(
        version=version,
        result=annual_of(version.result),
        table=Indicators.model_validate(version.inputs["indicators"]),
        names=version.inputs["units"],
        sources=_SOURCES.validate_python(version.inputs["sources"]),
    )


def published_versions(place: Place, year: int) -> tuple[PublishedVersion, ...]:
    """Return what is told of each published version of the year, oldest first; times are the district's."""
    return tuple(told(place, version) for version in place.versions.versions(year))


def told(place: Place, version: AnnualVersion) -> PublishedVersion:
    """Return what is told of a version: who, when, why, and what it changed."""
    assert version.published_at is not None  # a stored version has its time
    return PublishedVersion(
        number=version.number,
        published_at=local(version.published_at, place.configuration.inventory.district),
        by=version.actor,
        why=version.why,
        digest=version.digest,
        changes=tuple(_sentence(change) for change in version.changes),
    )


# ---------------------------------------------------------------- what stands in the way


def _require_words(by: str, why: str, correcting: bool) -> None:
    if not by.strip():
        raise InvalidInput("请用 --by 写明由谁公布。")
    if correcting and not why.strip():
        raise InvalidInput("这一年已经公布过，再次公布是更正：请用 --why 写明更正的原因。")


def _require_past(place: Place, last_day: date) -> None:
    today = day_in(place.configuration.inventory.district)
    if last_day > today:
        raise NotPublishable(
            f"截止日 {last_day} 还没有到（今天是 {today}）；到那天以后再公布，或用 --until 给出较早的截止日。"
        )


def _require_complete(place: Place, result: Annual) -> None:
    if result.status is Status.FINAL:
        return
    lines = "\n".join(missing_lines(result, unit_names(place)))
    raise NotPublishable(f"{result.year}年度还缺以下各项，结果是暂定的，不能公布，什么也没有保存：\n{lines}")


def missing_lines(result: Annual, names: Mapping[str, str]) -> Iterator[str]:
    """Yield what is missing, one line for all units that lack the same."""
    lacking: defaultdict[str, list[str]] = defaultdict(list)
    for unit in result.units:
        for missing in unit.missing:
            lacking[missing].append(names.get(unit.unit_id, unit.unit_id))
    for missing, units in lacking.items():
        yield f"{missing}（{len(units)} 个单位：{'、'.join(units)}）"


# ---------------------------------------------------------------- what is kept


def _inputs_document(place: Place, inputs: YearInputs) -> Document:
    return {
        "software": f"xuncha {installed('xuncha')}",
        "units": {year.unit.id: year.unit.name for year in inputs.years},
        "indicators": inputs.indicators.model_dump(mode="json", by_alias=True),
        "sources": _SOURCES.dump_python(inputs.sources, mode="json"),
        "vetoes": {veto.id: str(veto.points) for veto in place.configuration.rules.vetoes},
    }


def digest_of(kept: Document) -> str:
    """Return the digest of a version: of its inputs and its result."""
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _changes(before: Annual, after: Annual, names: Mapping[str, str]) -> list[Document]:
    """Return what differs unit by unit: total and rank before and after, and the rows and vetoes that changed."""
    old = {unit.unit_id: unit for unit in before.units}
    new = {unit.unit_id: unit for unit in after.units}
    return [
        {"unit_id": key, "unit": names.get(key, key), **_change(old.get(key), new.get(key))}
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def _change(old: UnitResult | None, new: UnitResult | None) -> Document:
    return {
        "total": [str(unit.total) if unit else None for unit in (old, new)],
        "rank": [unit.rank if unit else None for unit in (old, new)],
        "rows": list(_changed_rows(_rows(old), _rows(new))),
        "vetoes": (old.vetoes if old else ()) != (new.vetoes if new else ()),
    }


def _rows(unit: UnitResult | None) -> dict[str, IndicatorYear]:
    return {row.id: row for row in unit.indicators} if unit else {}


def _changed_rows(old: Mapping[str, IndicatorYear], new: Mapping[str, IndicatorYear]) -> Iterator[Document]:
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            yield {"id": key, "final": [_final(rows.get(key)) for rows in (old, new)]}


def _final(row: IndicatorYear | None) -> str | None:
    return None if row is None or row.final is None else str(rounded(row.final))


def _sentence(change: Document) -> str:
    """Return a change as one Chinese sentence."""
    total, rank = (_arrow(change[key]) for key in ("total", "rank"))
    rows = "、".join(f"{row['id']} 行 {_arrow(row['final'])}" for row in change["rows"])
    told = [f"{change['unit']}：总分 {total}，名次 {rank}"]
    if rows:
        told.append(rows)
    if change["vetoes"]:
        told.append("单项否决有变化")
    return "；".join(told)


def _arrow(pair: list[Any]) -> str:
    old, new = ("无" if value is None else str(value) for value in pair)
    return old if old == new else f"{old} → {new}"
