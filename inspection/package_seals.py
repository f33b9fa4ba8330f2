"""审计包里的封存: manifests, whose they are, how they hang together, and the files that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.x509 import Certificate

from inspection.package import Contents, PackagedRun
from inspection.package_container import Container, Unreadable, path_in
from inspection.sealing import CONFIGURATION
from inspection.stamping import StampWrong, require_stamp
from inspection.verification import Step
from storage.errors import ManifestUnreadable, SignatureWrong
from storage.manifest import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SIGNATURE,
    STAMP,
    Digests,
    Document,
    digests_of,
    manifest_of,
)
from storage.signing import fingerprint, signer_of


@dataclass(frozen=True, slots=True)
class Link:
    """A manifest in the chain: its digests and those that it names of others."""

    digests: Digests
    at: datetime
    kind: str
    signer: str | None
    previous: Document | None
    stands_on: Document | None


@dataclass(frozen=True, slots=True)
class Trust:
    """What the auditor brings: fingerprints of keys, certificates of time stamp authorities, SHA-256 of manifests."""

    signers: frozenset[str] = frozenset()
    authorities: Sequence[Certificate] = ()
    manifests: frozenset[str] = frozenset()


def manifest(container: Container, run: int) -> Document:
    """Return a run's manifest; raises Unreadable."""
    name = path_in("runs", run, MANIFEST)
    try:
        document, _ = manifest_of(container.read(name, MAX_MANIFEST_BYTES), name)
    except ManifestUnreadable as error:
        raise Unreadable(f"{name} 无法读取，或不是本程序认得的封存清单") from error
    return document


def runs_of(container: Container) -> list[int]:
    """Return the numbers of the runs of which anything is inside, in order."""
    folders = {name.partition("/")[0] for name in container.names(path_in("runs") + "/")}
    return sorted(int(folder) for folder in folders if folder.isascii() and folder.isdigit() and len(folder) < 10)


def links_of(container: Container, step: Step) -> dict[int, Link]:
    """Return what the manifests inside say of one another, by run; tells `step` of those that cannot be read."""
    links = {}
    for run in runs_of(container):
        try:
            links[run] = _link(container, run)
        except (Unreadable, KeyError, ValueError) as error:
            step.differs(path_in("runs", run, MANIFEST), f"封存清单不见了或无法读取（{error}）")
    return links


def _link(container: Container, run: int) -> Link:
    document = manifest(container, run)
    if document["run"]["number"] != run:
        raise ValueError(f"是第 {document['run']['number']} 次巡查的")
    return Link(
        digests=digests_of([container.read(path_in("runs", run, MANIFEST), MAX_MANIFEST_BYTES)]),
        at=datetime.fromisoformat(document["sealed"]["at"]),
        kind=document["run"]["kind"],
        signer=document["sealed"]["signer"],
        previous=document["previous"],
        stands_on=document["stands_on"],
    )


# ---------------------------------------------------------------- whose


def check_signatures(container: Container, links: Mapping[int, Link], trust: Trust, step: Step) -> None:
    """Tell `step` of signatures that do not hold, or are not by a key that the auditor brought."""
    signers: dict[str, int] = {}
    for run, link in links.items():
        where = path_in("runs", run, SIGNATURE)
        try:
            signer = _signer(container, run, link)
        except (SignatureWrong, Unreadable) as error:
            step.differs(where, str(error))
            continue
        if signer is not None:
            signers[signer] = signers.get(signer, 0) + 1
        if trust.signers and signer not in trust.signers:
            step.differs(where, f"不是 --public-key 的密钥签的（指纹 {signer}）" if signer else "没有签名")
    step.told = f"{sum(signers.values())} 个签名，{len(links)} 份封存清单"
    step.nothing = "" if signers else "未签名"
    if not trust.signers:
        for signer, count in signers.items():
            step.note(
                f"签名者未知：{count} 个签名出自指纹 {signer} 的密钥；与单位公布的指纹核对，或用 --public-key 给出公钥"
            )
    if unsigned := len(links) - sum(signers.values()):
        step.note(
            f"{unsigned} 份封存清单没有签名：谁能改写整个包，就能改写它们，包里看不出来；"
            "请用 --manifest-sha256 与当时另行记下的清单摘要核对"
        )


def _signer(container: Container, run: int, link: Link) -> str | None:
    name = path_in("runs", run, SIGNATURE)
    if name not in container.members:
        if link.signer is not None:
            raise SignatureWrong("清单封存时有签名，签名文件不见了")
        return None
    content = container.read(path_in("runs", run, MANIFEST), MAX_MANIFEST_BYTES)
    signer = fingerprint(signer_of(container.read(name), content))
    if signer != link.signer:
        raise SignatureWrong("不是清单里写明的密钥签的")
    return signer


def check_stamps(container: Container, links: Mapping[int, Link], trust: Trust, step: Step) -> None:
    """Tell `step` of time stamps that are not of these manifests, or not by a trusted authority."""
    count = 0
    for run in links:
        name = path_in("runs", run, STAMP)
        if name not in container.members:
            continue
        try:
            content = container.read(path_in("runs", run, MANIFEST), MAX_MANIFEST_BYTES)
            require_stamp(container.read(name), content, list(trust.authorities))
            count += 1
        except (StampWrong, Unreadable) as error:
            step.differs(name, str(error))
    step.told = f"{count} 个时间戳"
    step.nothing = "" if count else "没有时间戳"
    if count and not trust.authorities:
        step.note("时间戳只核对了摘要：没有用 --timestamp-certificates 给出受信任机构的证书，盖戳的机构和时间未经证实")


# ---------------------------------------------------------------- the chain


def check_chain(links: Mapping[int, Link], contents: Contents, trust: Trust, step: Step) -> None:
    """Tell `step` of every link between manifests that is missing or broken, from the first exported night on, and of
    digests that the auditor knows and no manifest has."""
    first = min((run.run for run in contents.runs), default=0)
    count = 0
    for run, link in sorted(links.items()):
        for key, named in (("previous", link.previous), ("stands_on", link.stands_on)):
            if named is None:
                continue
            other = links.get(named["run"])
            where = f"{path_in('runs', run, MANIFEST)} 的 {key}"
            if other is None:
                if named["run"] >= first and run >= first:
                    step.differs(where, f"链断了：第 {named['run']} 次巡查的清单不在包里")
            elif other.digests.document != {name: named[name] for name in ("bytes", "sha256", "sm3")}:
                step.differs(where, f"链断了：第 {named['run']} 次巡查的清单不是当时的那一份")
            else:
                count += 1
        if wrong := _skips(links, run, link, first):
            step.differs(path_in("runs", run, MANIFEST), wrong)
    step.told = f"{count} 处链接，{len(links)} 份封存清单"
    _check_known(links, trust.manifests, step)
    if links:
        newest = max(links)
        step.note(
            f"最近一份是第 {newest} 次巡查的，SHA-256 {links[newest].digests.sha256}；之后有没有别的，包里看不出来"
        )


def _check_known(links: Mapping[int, Link], known: frozenset[str], step: Step) -> None:
    """Tell which manifests the known digests prove: those that have one, and whatever these name in turn."""
    runs = {link.digests.sha256: run for run, link in links.items()}
    for digest in sorted(known - runs.keys()):
        step.differs(path_in("runs"), f"没有一份封存清单的 SHA-256 是 {digest}")
    proven, waiting = set[int](), [runs[digest] for digest in known & runs.keys()]
    while waiting:
        run = waiting.pop()
        if run in links and run not in proven:
            proven.add(run)
            waiting += [named["run"] for named in (links[run].previous, links[run].stands_on) if named]
    if known and (others := links.keys() - proven):
        step.note(f"第 {'、'.join(map(str, sorted(others)))} 次巡查的封存清单不由 --manifest-sha256 证明")


def _skips(links: Mapping[int, Link], run: int, link: Link, first: int) -> str:
    """Return what is wrong where a night inside was sealed before this one, and is not in the chain behind it."""
    named = link.previous["run"] if link.previous else None
    nights = (number for number, other in links.items() if other.kind == "nightly" and other.at <= link.at)
    before = max((number for number in nights if first <= number < run), default=None)
    if run < first or before is None or named == before or (named is not None and named > before):
        return ""
    return f"链断了：没有接上第 {before} 次巡查"


# ---------------------------------------------------------------- the files that a manifest names


def check_sealed(container: Container, contents: Contents, links: Mapping[int, Link], step: Step) -> None:
    """Tell `step` of every file of a run's that is not as its manifest says."""
    judged = {run.run: run for run in contents.runs}
    files = 0
    for run in links:
        document = manifest(container, run)
        named = dict(_named(document))
        names = [name for name in container.names(path_in("runs", run) + "/") if name not in _APART]
        for name in names:
            files += 1
            if wrong := _difference(container, path_in("runs", run, name), named.get(name)):
                step.differs(path_in("runs", run, name), wrong)
        if run in judged:
            _check_described(judged[run], document, step)
            for name in sorted(_required(judged[run], named) - set(names)):
                step.differs(path_in("runs", run, name), "文件不见了")
    for run in judged.keys() - links.keys():
        step.differs(path_in("runs", run), "没有这次巡查的封存清单")
    step.told = f"{files} 个封存的文件"


_APART = frozenset({MANIFEST, SIGNATURE, STAMP})


def _named(document: Document) -> Iterator[tuple[str, Document]]:
    """Yield what a manifest proves: files as they lie in the package, with their digests."""
    yield from document["files"].items()
    parts = (("findings", "units", "findings", "jsonl"), ("scores", "units", "scores", "json"))
    for key, part, folder, ending in (*parts, ("scores", "sites", "sites", "json")):
        listed = document[key].get(part)
        for name, digests in listed.items() if isinstance(listed, dict) else ():
            yield f"{folder}/{name}.{ending}", digests


def _required(run: PackagedRun, named: Mapping[str, Document]) -> set[str]:
    """Return what must be inside of a run that is judged again."""
    said = {f"{folder}/{unit}.{ending}" for unit in run.units for folder, ending in _SAID}
    configuration = {name for name in named if name.startswith(f"{CONFIGURATION}/")}
    seen = {"inputs.json.gz", "index.cdxj"} if run.sites else set[str]()
    return said | configuration | seen


_SAID = (("findings", "jsonl"), ("scores", "json"))


def _difference(container: Container, name: str, named: Document | None) -> str:
    if named is None:
        return "封存清单里没有的文件"
    member = container.members[name]
    found = digests_of(container.pieces(member))
    if found.document == {key: named.get(key) for key in ("bytes", "sha256", "sm3")}:
        return ""
    if found.bytes != named.get("bytes"):
        return f"应有 {named.get('bytes')} 字节，现有 {found.bytes} 字节"
    return "内容被改动（与封存清单里的摘要不符）"


def _check_described(run: PackagedRun, document: Document, step: Step) -> None:
    sealed = document["run"]
    said = (str(run.day), run.kind, run.stands_on)
    if said != (sealed.get("day"), sealed.get("kind"), sealed.get("rescores")):
        step.differs("contents.json", f"第 {run.run} 次巡查的日期、种类或所更正的巡查与封存清单不符")
