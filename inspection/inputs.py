"""判定依据: all that judging and scoring take beside captures and probes, kept with the evidence of the run.

The database moves on: visits may be lost, lists grow, people rule on faults. What a night was judged by stands in
<evidence>/<run>/inputs.json.gz, so that the night can be judged again with the same result.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from io import BytesIO
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from checks.availability import WEEK
from checks.model import AvailabilityDay, FailureKind, Finding, ListHistory, NewMediaAccount, Revisit, Visit
from config.loader import Configuration
from config.schema import Unit
from crawler.plan import SitePlan, plan_run
from inspection.errors import EvidenceUnavailable
from inspection.mended_links import known_dead
from inspection.place import Place
from inspection.reviewing import rulings
from inspection.writing import write_whole
from scoring.review import NO_RULINGS, Rulings
from storage.manifest import MANIFEST
from storage.model import Run

FILE = "inputs.json.gz"
LARGEST = 1_000_000_000  # bytes of the file unpacked: more is no file of ours
NIGHTS_BACK = 31  # nights whose faults are kept, so that another rule of confirmation can be tried on them
_GZIP = zlib.MAX_WBITS | 16  # with the head and the tail of a .gz


@dataclass(frozen=True, slots=True)
class JudgingInputs:
    """What one run is judged and scored by, beside what it captured.

    `units` empty means all of them. `visits` and `availability` (of the seven days before) are by site id, `seen_days`
    the earlier nights by fingerprint. `accounts` is None while no register was imported. `records` names the WARC
    records that count of sites whose capture took more than one attempt; of other sites all count.
    """

    run_id: int
    day: date
    seed: str
    units: tuple[str, ...] = ()
    visits: Mapping[str, tuple[Visit, ...]] = field(default_factory=dict)
    revisits: tuple[Revisit, ...] = ()
    availability: Mapping[str, tuple[AvailabilityDay, ...]] = field(default_factory=dict)
    histories: tuple[ListHistory, ...] = ()
    accounts: tuple[NewMediaAccount, ...] | None = None
    known_dead: tuple[Finding, ...] = ()
    seen_days: Mapping[str, Set[date]] = field(default_factory=dict)
    rulings: Rulings = NO_RULINGS
    records: Mapping[str, Set[str]] = field(default_factory=dict)

    def plans(self, configuration: Configuration) -> tuple[SitePlan, ...]:
        """Return the plan of each site, as the run had it."""
        return plan_run(configuration.inventory, self.day, self.seed, self.units or None, self.revisits)

    def units_of(self, configuration: Configuration) -> tuple[Unit, ...]:
        """Return the units that the run was made for, in the order of the inventory."""
        return tuple(unit for unit in configuration.inventory.units if not self.units or unit.id in self.units)


# ---------------------------------------------------------------- gathering


def settled_inputs(place: Place, run: Run) -> JudgingInputs:
    """Return what the run is judged by, and keep it with its evidence.

    A run that is judged anew is judged by what holds now, until it is sealed; from then on by what was kept.
    Raises EvidenceUnavailable, ReportUnwritable, StorageError.
    """
    if (place.evidence.folder / str(run.id) / MANIFEST).is_file():
        return kept_inputs(place.evidence.folder, run.id)
    inputs = gathered(place, run)
    write_whole(path_of(place.evidence.folder, run.id), content_of(inputs))
    return inputs


def gathered(place: Place, run: Run) -> JudgingInputs:
    """Return what holds of the run now; raises StorageError."""
    repository, inventory = place.repository, place.configuration.inventory
    revisits = place.revisits.of_run(run.id)
    plans = plan_run(inventory, run.day, run.seed, run.units or None, revisits)
    sites = [plan.site.id for plan in plans]
    units = [unit.id for unit in inventory.units if not run.units or unit.id in run.units]
    targets = [column.url or f"{unit.id}/{column.id}" for plan in plans for unit, column in plan.columns]
    yesterday, register = run.day - timedelta(days=1), repository.register(run.day)
    week = repository.availability(sites, run.day - timedelta(days=WEEK), yesterday)
    back = max(NIGHTS_BACK, place.configuration.rules.confirmation.nights)
    seen_days = repository.seen_days(units, run.day - timedelta(days=back), yesterday)
    return JudgingInputs(
        run_id=run.id,
        day=run.day,
        seed=run.seed,
        units=run.units,
        visits={site: tuple(repository.visits(run.id, site)) for site in sites},
        revisits=tuple(revisits),
        availability={site: tuple(days) for site, days in week.items()},
        histories=tuple(repository.list_histories(targets, before=run.day).values()),
        accounts=register.accounts if register else None,
        known_dead=tuple(known_dead(place, units)),
        seen_days=seen_days,
        rulings=rulings(place, units, run.day),
        records=_records_that_count(place, run, sites),
    )


def _records_that_count(place: Place, run: Run, sites: Iterable[str]) -> dict[str, set[str]]:
    ledger, repository = place.repository.site_states(run.id), place.repository
    return {
        site: {
            one.evidence.record_id
            for one in (*repository.captures(run.id, site), *repository.probes(run.id, site))
            if one.evidence is not None
        }
        for site in sites
        if site in ledger and ledger[site].attempts > 1
    }


# ---------------------------------------------------------------- the file


def path_of(evidence: Path, run_id: int) -> Path:
    """Return where the inputs of a run are, or would be."""
    return evidence / str(run_id) / FILE


def kept_inputs(evidence: Path, run_id: int) -> JudgingInputs:
    """Return what a run was judged by; raises EvidenceUnavailable when that was not kept, or can be read no more."""
    path = path_of(evidence, run_id)
    try:
        inputs = inputs_of(path.read_bytes())
    except FileNotFoundError as error:
        raise EvidenceUnavailable(
            f"找不到第 {run_id} 次巡查的判定依据 {path}；请从备份恢复这个文件。没有留下它的巡查不能重新判定。"
        ) from error
    except (OSError, ValueError) as error:
        raise EvidenceUnavailable(
            f"第 {run_id} 次巡查的判定依据 {path} 读不出来，可能已损坏；请从备份恢复这个文件。"
        ) from error
    if inputs.run_id != run_id:
        raise EvidenceUnavailable(f"{path} 是第 {inputs.run_id} 次巡查的判定依据；请从备份恢复这个文件。")
    return inputs


def content_of(inputs: JudgingInputs) -> bytes:
    """Return the inputs as a file; the same inputs give the same bytes."""
    packer = zlib.compressobj(level=9, wbits=_GZIP)
    text = (part.encode() for part in _json({f.name: getattr(inputs, f.name) for f in _written(inputs)}))
    return b"".join([*map(packer.compress, text), packer.flush()])


def inputs_of(content: bytes) -> JudgingInputs:
    """Return the inputs that a file holds, exactly as they were; raises ValueError for any other file."""
    try:
        document = json.loads(_unpacked(content))
        for visits in document["visits"].values():
            for visit in visits:
                if "failure" in visit:
                    visit["failure"] = FailureKind.of(visit["failure"])
        return _INPUTS.validate_python(document)
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError("no inputs of a run") from error


_INPUTS: TypeAdapter[JudgingInputs] = TypeAdapter(JudgingInputs)


def _unpacked(content: bytes) -> bytes:
    with gzip.open(BytesIO(content)) as file:
        unpacked = file.read(LARGEST + 1)
    if len(unpacked) > LARGEST:
        raise ValueError("too large")
    return unpacked


def _json(value: Any) -> Iterator[str]:
    """Yield a value as JSON, visit by visit: as one text, and as the plain values that it is made from, all of them
    would take many times their room."""
    match value:
        case Mapping():
            for before, key in zip(chain("{", repeat(",")), sorted(value), strict=False):
                yield f"{before}{_dumped(key)}:"
                yield from _json(value[key])
            yield "}" if value else "{}"
        case tuple():
            for before, part in zip(chain("[", repeat(",")), value, strict=False):
                yield before + _dumped(_plain(part))
            yield "]" if value else "[]"
        case _:
            yield _dumped(_plain(value))


def _dumped(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; fields that hold what they hold by default are left out."""
    match value:
        case FailureKind():
            return value.code
        case Enum():
            return value.value
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case Mapping():
            return {key: _plain(part) for key, part in value.items()}
        case Set():
            return sorted(_plain(part) for part in value)
        case tuple():
            return [_plain(part) for part in value]
        case _ if is_dataclass(value):
            return {f.name: _plain(getattr(value, f.name)) for f in _written(value)}
        case _:
            return value


def _written(value: Any) -> Iterator[Field[Any]]:
    return (field for field in fields(value) if not _is_default(value, field))


def _is_default(value: Any, of: Any) -> bool:
    held = getattr(value, of.name)
    return of.default is not MISSING and held == of.default and type(held) is type(of.default)
