"""封存: at its end every run's folder gets a manifest: what was seen, and what was said of it, can't change unseen.

A run is sealed once. What could not be sealed (a full disk, a key that others can read) is sealed when the next run
begins or ends; the night itself stands.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import platform
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.loader import RULES, SITES, WORDS
from inspection.place import Place
from scoring.model import SiteVerdict
from storage.errors import AlreadySealed, EvidenceDiskFull, StorageError
from storage.manifest import (
    FORMAT,
    MANIFEST,
    SIGNATURE,
    VERSION,
    Digesting,
    Digests,
    Document,
    canonical,
    clear_leftovers,
    compressed,
    differences,
    digests_of,
    digests_of_file,
    files_of,
    read_manifest,
    write_pieces,
    write_whole,
)
from storage.model import Run, RunKind, StoredScore
from storage.record_index import write_index
from storage.signing import fingerprint, load_key, public_key_of, sign

CONFIGURATION, FINDINGS, SCORES = "configuration", "findings.jsonl.gz", "scores.json"
# The libraries that decide what is read of a page or file, and so what a check may say of it.
READERS = (
    "beautifulsoup4",
    "cryptography",
    "dnspython",
    "httpx",
    "lxml",
    "olefile",
    "openpyxl",
    "playwright",
    "pyahocorasick",
    "pypdf",
    "python-docx",
    "scrapy",
    "warcio",
    "xlrd",
)
_TOGETHER = 200  # findings that are digested and compressed at once

log = logging.getLogger(__name__)


def folder_of(place: Place, run_id: int) -> Path:
    """Return the folder of a run's evidence."""
    return place.evidence.folder / str(run_id)


def seal(place: Place, run: Run) -> Path:
    """Write the manifest of a finished run, signed where there is a key; returns its path.

    Sealing the same content again changes nothing. Raises AlreadySealed for another content and for a run whose
    manifest is gone, EvidenceDiskFull, EvidenceUnwritable, SigningKeyRefused; after any of them the run is as unsealed
    or as sealed as it was.
    """
    folder = folder_of(place, run.id)
    with _one_at_a_time(place):
        sealed = read_manifest(folder)
        if sealed is not None:
            _require_same(place, run, sealed[0])
            place.seals.note(run.id, sealed[1].sha256)
            return folder / MANIFEST
        if run.id in place.seals.noted():
            raise _already(folder, "封存清单不见了，请从备份恢复")
        key = signing_key(place)
        read, found = _complete(place, run, folder)
        content = canonical(_manifest(place, run, key, _files(folder, read), found))
        if key is not None:
            write_whole(folder / SIGNATURE, sign(key, content))
        write_whole(folder / MANIFEST, content)  # last: what has a manifest is sealed
        place.seals.note(run.id, digests_of([content]).sha256)  # a kill before this is made good by `seal_waiting`
    return folder / MANIFEST


def seal_waiting(place: Place) -> list[int]:
    """Seal every finished run that is not yet, the oldest first; returns their numbers.

    One that was sealed and has lost its manifest is left as it is: a new seal would hide the loss. Raises as `seal`.
    """
    noted = place.seals.noted()
    unnoted = [run for run in reversed(place.repository.runs()) if run.finished and run.id not in noted]
    waiting = [run for run in unnoted if not _is_sealed(place, run.id)]
    for run in unnoted:
        if run in waiting:
            seal(place, run)
        else:  # sealed by a process that was killed before it noted so, or by an earlier version
            place.seals.note(run.id, digests_of_file(folder_of(place, run.id) / MANIFEST).sha256)
    return [run.id for run in waiting]


def try_to_seal(place: Place) -> str:
    """Seal what waits; returns why that failed, or "": a night that is done stands whether it can be sealed or not."""
    try:
        seal_waiting(place)
    except StorageError as error:
        log.error("not sealed: %s", error)
        return str(error)
    return ""


def signing_key(place: Place) -> Ed25519PrivateKey | None:
    """Return the key that manifests are signed with, None where none is set; raises SigningKeyRefused."""
    path = signing_key_file(place)
    return load_key(path) if path else None


def signing_key_file(place: Place) -> Path | None:
    """Return where the signing key lies: INSPECT_SIGNING_KEY, else sites.toml's word."""
    configured = place.configuration.inventory.evidence.signing_key
    return place.settings.signing_key or (Path(configured) if configured else None)


def _is_sealed(place: Place, run_id: int) -> bool:
    return (folder_of(place, run_id) / MANIFEST).exists()


@contextmanager
def _one_at_a_time(place: Place) -> Iterator[None]:
    """Two processes that seal at once would find two nights before a night."""
    folder = place.settings.data / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "sealing.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------- what goes into the folder


def keep_configuration(place: Place, run: Run) -> None:
    """Copy the configuration that a run goes by beside its evidence, where it is still the run's and not kept yet.

    Raises EvidenceDiskFull, EvidenceUnwritable.
    """
    folder = folder_of(place, run.id) / CONFIGURATION
    try:
        contents = {name: (place.settings.config / name).read_bytes() for name in _configuration_files(place, run)}
    except OSError:
        contents = {}
    if not contents or not _is_of(run, contents):
        log.warning("the configuration of run %d is no longer at hand", run.id)
        return
    for name, content in contents.items():
        if not (folder / name).exists():
            write_whole(folder / name, content)


def _configuration_files(place: Place, run: Run) -> tuple[str, ...]:
    return SITES, RULES, WORDS, place.configuration.table_for(run.day.year)


def _is_of(run: Run, contents: dict[str, bytes]) -> bool:
    """Tell whether these files are those whose digests the run noted when it began."""
    sites, rules, words, indicators = contents.values()
    noted = (run.inventory_digest, run.rules_digest, run.indicators_digest)
    return tuple(hashlib.sha256(content).hexdigest() for content in (sites, rules + words, indicators)) == noted


def _complete(place: Place, run: Run, folder: Path) -> tuple[dict[str, Digests], Document]:
    """Bring the folder to what it will stay: no torn records, no half files, and what was said beside what was seen.

    Returns the digests of the WARC files, which are read for them and for their index at once, and `said_findings` of
    the findings that were written.
    """
    with _told_as_full():
        folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder)
    read = write_index(folder, place.cuts.note)
    if not _shares_configuration(place, run) and not (folder / CONFIGURATION).exists():
        keep_configuration(place, run)
    found = _Found(place, run)
    write_pieces(folder / FINDINGS, compressed(found.pieces()))
    write_whole(folder / SCORES, scores_record(place, run))
    return read, found.said


def _files(folder: Path, read: Mapping[str, Digests]) -> dict[str, Document]:
    """Return a manifest's "files"; those that were read before are not read again."""
    return {name: (read.get(name) or digests_of_file(folder / name)).document for name in files_of(folder)}


@contextmanager
def _told_as_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvidenceDiskFull(f"证据文件夹无法写入：{error.strerror}；请清理磁盘或改正权限。") from error


def _shares_configuration(place: Place, run: Run) -> bool:
    """Whether a run stands on another that went by the same configuration, and so keeps it already."""
    if run.rescores is None:
        return False
    other = place.repository.run(run.rescores)
    return (run.inventory_digest, run.rules_digest, run.indicators_digest) == (
        other.inventory_digest,
        other.rules_digest,
        other.indicators_digest,
    )


# ---------------------------------------------------------------- what was said, as it was said on that night


def unit_finding_lines(place: Place, run: Run, unit_id: str) -> Iterator[bytes]:
    """Yield what a run found of a unit, each finding a line of canonical JSON, in the order they were kept."""
    for record in place.repository.finding_records(run.id, unit_id):
        yield canonical(record) + b"\n"


class _Found:
    """What a run found, unit by unit, digested on its way by; `said` is what a manifest says of it then."""

    def __init__(self, place: Place, run: Run) -> None:
        self._place, self._run = place, run
        self._whole, self._units = Digesting(), dict[str, Document]()

    def pieces(self) -> Iterator[bytes]:
        """Yield the lines of every unit, many together: a digest takes longer to be called than to be made."""
        for unit_id in _units(self._place, self._run):
            digesting, lines = Digesting(), unit_finding_lines(self._place, self._run, unit_id)
            while piece := b"".join(islice(lines, _TOGETHER)):
                digesting.update(piece)
                self._whole.update(piece)
                yield piece
            self._units[unit_id] = digesting.finish().document

    @property
    def said(self) -> Document:
        return self._whole.finish().document | {"units": self._units}


def _units(place: Place, run: Run) -> list[str]:
    return sorted(stored.score.unit_id for stored in place.repository.scores_of_run(run.id))


def scores_record(place: Place, run: Run) -> bytes:
    """Return a run's scores and its verdicts on sites as canonical JSON.

    Which run's score counts for the day is not told: a later one may yet take its place.
    """
    units = [_unit_scores(stored) for stored in place.repository.scores_of_run(run.id)]
    sites = [asdict(verdict) for verdict in place.repository.site_verdicts(run.id)]
    return canonical({"run": run.id, "units": units, "sites": sites})


def unit_scores_record(place: Place, run: Run, unit_id: str) -> bytes:
    """Return a unit's scores of a run as canonical JSON; raises KeyError for a unit that the run did not score."""
    return _unit_record(run, place.repository.scores_of_unit(unit_id, [run.id])[run.id])


def site_verdict_record(place: Place, run: Run, site_id: str) -> bytes:
    """Return a run's verdict on a site as canonical JSON; raises KeyError for a site that it gave none on."""
    return _site_record(run, {each.site_id: each for each in place.repository.site_verdicts(run.id)}[site_id])


def _unit_record(run: Run, stored: StoredScore) -> bytes:
    return canonical({"run": run.id, "unit": _unit_scores(stored)})


def _site_record(run: Run, verdict: SiteVerdict) -> bytes:
    return canonical({"run": run.id, "site": asdict(verdict)})


def _unit_scores(stored: StoredScore) -> Document:
    return asdict(stored.score) | {"counts": stored.counts}


# ---------------------------------------------------------------- the manifest


def _manifest(
    place: Place, run: Run, key: Ed25519PrivateKey | None, files: Mapping[str, Document], found: Document
) -> Document:
    return _content(place, run, found) | {
        "files": files,
        "previous": _named(place, night_before(place, run)),
        "stands_on": _named(place, run.rescores),
        "sealed": {
            "at": datetime.now(UTC),
            "signer": fingerprint(public_key_of(key)) if key else None,
            "software": {"xuncha": version("xuncha"), "python": platform.python_version()} | _readers(),
        },
    }


def _content(place: Place, run: Run, found: Document) -> Document:
    """Return what of a manifest the database says, the same whenever it is sealed; `found` is its `said_findings`."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "run": {"number" if name == "id" else name: value for name, value in asdict(run).items()},
        "sites": {
            site: {"state": row.state, "reason": row.reason}
            for site, row in place.repository.site_states(run.id).items()
        },
        "captures": place.repository.count_captures(run.id),
        "cuts": [asdict(cut) for cut in place.cuts.of_run(run.id)],
        "findings": {"outcomes": place.repository.count_findings(run.id)} | found,
        "scores": said_scores(place, run),
    }


def said_findings(place: Place, run: Run) -> Document:
    """Return the digests of a run's findings as the database has them, uncompressed, of all and of each unit's."""
    found = _Found(place, run)
    deque(found.pieces(), maxlen=0)
    return found.said


def said_scores(place: Place, run: Run) -> Document:
    """Return the digests of a run's scores as the database has them, of all, of each unit's and each site's."""
    units = {
        stored.score.unit_id: digests_of([_unit_record(run, stored)]).document
        for stored in place.repository.scores_of_run(run.id)
    }
    sites = {
        verdict.site_id: digests_of([_site_record(run, verdict)]).document
        for verdict in place.repository.site_verdicts(run.id)
    }
    return digests_of([scores_record(place, run)]).document | {"units": units, "sites": sites}


def _readers() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in READERS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def night_before(place: Place, run: Run) -> int | None:
    """Return the newest sealed nightly run with an earlier number, None for the first."""
    nights = place.repository.runs(kind=RunKind.NIGHTLY)
    return next((night.id for night in nights if night.id < run.id and _is_sealed(place, night.id)), None)


def _named(place: Place, run_id: int | None) -> Document | None:
    """Return a link to another run's manifest: its digests, or only its number where it has none."""
    if run_id is None:
        return None
    sealed = read_manifest(folder_of(place, run_id))
    return {"run": run_id, "bytes": 0, "sha256": "", "sm3": ""} | (sealed[1].document if sealed else {})


def _require_same(place: Place, run: Run, sealed: Document) -> None:
    folder = folder_of(place, run.id)
    different = next(iter(differences(folder, sealed["files"])), None)
    if different is not None:
        raise _already(folder, f"{different.file}：{different.what}")
    now = _as_read(_content(place, run, said_findings(place, run)))
    changed = next((key for key in now if now[key] != sealed.get(key)), None)
    if changed is not None:
        raise _already(folder, f"{_SAID.get(changed, changed)}与封存时不同")


_SAID = {
    "run": "巡查的记录",
    "sites": "站点的记录",
    "captures": "采集的条数",
    "cuts": "截断的登记",
    "findings": "检查结果",
    "scores": "得分",
}


def _already(folder: Path, what: str) -> AlreadySealed:
    path = folder / MANIFEST
    return AlreadySealed(
        f"第 {folder.name} 次巡查已经封存（{path}），不能另行封存：{what}；用 inspect evidence check 核对。"
    )


def _as_read(document: Any) -> Any:
    return json.loads(canonical(document))
