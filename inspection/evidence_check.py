"""证据核对: whether what lies in the evidence folder, and in the database, is still what was sealed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from inspection.errors import InspectionError
from inspection.place import Place
from inspection.sealing import folder_of, said_findings, said_scores, signing_key
from inspection.stamping import StampWrong, require_stamp, trusted_authorities
from storage.errors import IndexUnreadable, ManifestUnreadable, RunNotFound, SignatureWrong
from storage.manifest import MANIFEST, SIGNATURE, STAMP, Digests, Document, differences, digests_of, read_manifest
from storage.model import Run, RunKind
from storage.record_index import INDEX, broken_members, read_index
from storage.signing import fingerprint, public_key_of, signer_of

EXIT_DIFFERENT = 6


class NothingSealed(InspectionError):
    """No run is finished yet, so nothing is sealed: run an inspection first."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that does not hold: the run, the file or link in it, and what is wrong, in Chinese."""

    run: int
    where: str
    what: str

    def __str__(self) -> str:
        return f"第 {self.run} 次巡查 {self.where}：{self.what}"


@dataclass(slots=True)
class Checked:
    """How much was checked, and what of it does not hold, the first run first.

    `unknown_signers` counts signatures that hold, by keys that this machine does not know; `unknown_authorities` time
    stamps of these very bytes by an authority whose certificate nobody gave. Cleared files (清理) are among
    the `files` and `bytes` that the manifests name.
    """

    runs: int = 0
    files: int = 0
    bytes: int = 0
    links: int = 0
    signatures: int = 0
    unknown_signers: int = 0
    stamps: int = 0
    unknown_authorities: int = 0
    cleared_files: int = 0
    cleared_bytes: int = 0
    waiting: list[int] = field(default_factory=list)  # 待封存: finished, and nothing was sealed since
    cuts: list[str] = field(default_factory=list)  # torn records that were cut, each a line of Chinese
    broken: list[Broken] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 when everything holds, 6 when anything does not."""
        return EXIT_DIFFERENT if self.broken else 0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A manifest that could be read: its bytes are known by their digests alone."""

    document: Document
    digests: Digests

    @property
    def at(self) -> datetime:
        """When it was sealed."""
        return datetime.fromisoformat(self.document["sealed"]["at"])


def check_evidence(place: Place, run_id: int | None = None, *, every: bool = False) -> Checked:
    """Check manifests against their files, the database and the night before: of one run, the newest, or `every` one.

    Raises RunNotFound, NothingSealed, SigningKeyRefused.
    """
    finished = [run for run in reversed(place.repository.runs()) if run.finished]
    if run_id is not None and run_id not in {run.id for run in finished}:
        raise RunNotFound(f"没有编号为 {run_id} 的已结束的巡查；编号是 inspect run 打印的那个。")
    if not finished:
        raise NothingSealed("还没有已结束的巡查，没有可核对的封存；先运行 inspect run。")
    wanted = finished[-1].id if run_id is None else run_id
    return _Check(place, finished).of([run for run in finished if every or run.id == wanted])


class _Check:
    """One check: each manifest is read once."""

    def __init__(self, place: Place, finished: Collection[Run]) -> None:
        self._place = place
        self._checked = Checked()
        self._known = known_signers(place)
        self._roots = trusted_authorities(place)
        self._noted = place.seals.noted()
        self._unreadable: dict[int, str] = {}
        self._sealed: dict[int, Sealed | None] = {}
        self._finished = [run.id for run in finished]
        self._nights = [run.id for run in finished if run.kind is RunKind.NIGHTLY]

    def of(self, runs: Collection[Run]) -> Checked:
        for run in runs:
            self._checked.runs += 1
            self._checked.broken += (Broken(run.id, where, what) for where, what in self._broken(run))
        return self._checked

    def _broken(self, run: Run) -> Iterator[tuple[str, str]]:
        sealed = self._read(run.id)
        if sealed is None and self._waits(run):
            self._checked.waiting.append(run.id)
            return
        if sealed is None:
            yield MANIFEST, self._unreadable.get(run.id) or self._gone(run.id)
            return
        if sealed.digests.sha256 != self._noted.get(run.id, sealed.digests.sha256):
            yield MANIFEST, f"封存清单不是当时的那一份：数据库登记的 SHA-256 是 {self._noted[run.id]}；从备份恢复"
        self._checked.cuts += (
            f"第 {run.id} 次巡查 {cut['file']}：第 {cut['position']} 字节起的 {cut['length']} 字节"
            for cut in sealed.document.get("cuts", ())
        )
        yield from self._files(run.id, sealed)
        yield from self._signature(run.id, sealed)
        yield from self._stamp(run.id)
        yield from self._links(run, sealed)
        yield from self._database(run, sealed)

    def _gone(self, run_id: int) -> str:
        if run_id in self._noted:
            return f"封存清单不见了：数据库登记了它的 SHA-256 {self._noted[run_id]}；从备份恢复"
        return "没有封存清单；若刚升级或磁盘满过，下次巡查会自动补上"

    def _waits(self, run: Run) -> bool:
        """Whether a run without a manifest is only not sealed yet: what was sealed since would have had it sealed."""
        folder, finished = folder_of(self._place, run.id), run.finished_at
        traces = run.id in self._noted or (folder / SIGNATURE).exists() or (folder / STAMP).exists()
        if run.id in self._unreadable or finished is None or traces:
            return False
        others = filter(None, map(self._read, self._finished))
        return all(
            other.at <= finished and (other.document["stands_on"] or {"run": 0})["run"] != run.id for other in others
        )

    def _read(self, run_id: int) -> Sealed | None:
        if run_id not in self._sealed:
            try:
                found = read_manifest(folder_of(self._place, run_id))
            except ManifestUnreadable as error:
                self._unreadable[run_id], found = str(error), None
            self._sealed[run_id] = Sealed(*found) if found else None
        return self._sealed[run_id]

    def _files(self, run_id: int, sealed: Sealed) -> Iterator[tuple[str, str]]:
        named = sealed.document["files"]
        self._checked.files += len(named)
        self._checked.bytes += sum(file["bytes"] for file in named.values())
        cleared = {file.file: file for file in self._place.pruned.files([run_id])}
        for different in differences(folder_of(self._place, run_id), named):
            file = cleared.get(different.file)
            if file is None or not different.gone or file.sha256 != named[different.file]["sha256"]:
                yield different.file, different.what + self._first_broken(run_id, sealed, different.file)
            else:
                self._checked.cleared_files += 1
                self._checked.cleared_bytes += file.length

    def _first_broken(self, run_id: int, sealed: Sealed, file: str) -> str:
        """Say which record of a changed file is the first that is not as sealed; "" where the index cannot tell."""
        folder = folder_of(self._place, run_id)
        try:
            content = (folder / INDEX).read_bytes()
            if digests_of([content]).document != sealed.document["files"].get(INDEX):
                return ""
            records = [record for record in read_index(content, run_id) if record.file == f"{run_id}/{file}"]
            broken = list(broken_members(folder / file, records))
            size = (folder / file).stat().st_size
        except (OSError, IndexUnreadable):
            return ""
        if not broken:
            return "；索引里的各条记录都完好，改动在记录之外" if records else ""
        begin, end, record = broken[0]
        whole = f"；文件到第 {begin} 字节为止完好" if end > size else ""
        return f"{whole}；第一条损坏的记录（共 {len(broken)} 处）：第 {begin} 至 {end} 字节，{record.id}，{record.url}"

    def _signature(self, run_id: int, sealed: Sealed) -> Iterator[tuple[str, str]]:
        folder, wanted = folder_of(self._place, run_id), sealed.document["sealed"]["signer"]
        path = folder / SIGNATURE
        if not path.exists():
            if wanted is not None:
                yield SIGNATURE, "清单封存时有签名，签名文件不见了"
            return
        try:
            signer = fingerprint(signer_of(path.read_bytes(), (folder / MANIFEST).read_bytes()))
        except SignatureWrong as error:
            yield SIGNATURE, str(error)
            return
        self._checked.signatures += 1
        if signer != wanted:
            yield SIGNATURE, "不是清单里写明的密钥签的"
        elif self._known and signer not in self._known:
            yield SIGNATURE, f"签名的密钥（指纹 {signer[:16]}…）本机不认得；换过密钥的，把原来的公钥写进 public_keys"
        elif not self._known:
            self._checked.unknown_signers += 1

    def _stamp(self, run_id: int) -> Iterator[tuple[str, str]]:
        folder = folder_of(self._place, run_id)
        if not (folder / STAMP).exists():
            return
        try:
            require_stamp((folder / STAMP).read_bytes(), (folder / MANIFEST).read_bytes(), self._roots)
        except StampWrong as error:
            yield STAMP, str(error)
            return
        self._checked.stamps += 1
        self._checked.unknown_authorities += not self._roots

    def _links(self, run: Run, sealed: Sealed) -> Iterator[tuple[str, str]]:
        """Yield links that do not hold: to the night before, and to the run that this one scores again."""
        named = sealed.document.get("previous")
        expected = self._night_before(run.id, sealed)
        if (named["run"] if named else None) != expected:
            yield "previous", f"前一夜应是第 {expected} 次巡查" if expected else "指向并不存在的前一夜"
        for key, link in (("previous", named), ("stands_on", sealed.document.get("stands_on"))):
            if link:
                self._checked.links += 1
                yield from self._link(key, link)

    def _link(self, key: str, link: Document) -> Iterator[tuple[str, str]]:
        other = self._read(link["run"])
        if other is None:
            yield key, f"链断了：第 {link['run']} 次巡查的清单不见了或无法读取"
        elif other.digests.document != {name: link[name] for name in ("bytes", "sha256", "sm3")}:
            yield key, f"链断了：第 {link['run']} 次巡查的清单不是当时的那一份"

    def _night_before(self, run_id: int, sealed: Sealed) -> int | None:
        """Return the nightly run with the greatest earlier number that was sealed by then.

        One whose manifest is gone or unreadable counts: its number stands in the ledger.
        """
        for number in reversed(self._nights):
            if number < run_id and ((other := self._read(number)) is None or other.at <= sealed.at):
                return number
        return None

    def _database(self, run: Run, sealed: Sealed) -> Iterator[tuple[str, str]]:
        said = {
            "findings": ("数据库里的检查结果", said_findings(self._place, run)),
            "scores": ("数据库里的得分", said_scores(self._place, run)),
        }
        for key, (title, now) in said.items():
            if now["sha256"] != sealed.document[key]["sha256"]:
                then = sealed.document[key].get("units", {})
                units = sorted(unit for unit in then.keys() | now["units"] if then.get(unit) != now["units"].get(unit))
                yield title, "与封存时不同" + (f"（单位：{'、'.join(units)}）" if then and units else "")


def known_signers(place: Place) -> set[str]:
    """Return the fingerprints of the keys whose signatures this machine trusts; raises SigningKeyRefused."""
    key = signing_key(place)
    earlier = place.configuration.inventory.evidence.public_keys
    return {fingerprint(public) for public in (*earlier, *([public_key_of(key)] if key else ()))}
