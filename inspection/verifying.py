"""证据核验: what an exported package holds, checked on a machine that has only this program and the file.

No configuration, data folder or database of this machine is looked at: what everything is judged by is inside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from inspection.errors import InvalidInput
from inspection.package import CONTENTS, FORMAT, VERSION, Contents, contents_of
from inspection.package_container import (
    Container,
    NotAPackage,
    Unreadable,
    check_datapackage,
    opened_container,
    path_in,
)
from inspection.package_judging import judge_package
from inspection.package_published import check_published
from inspection.package_records import PackageSource, check_records, check_tail, check_whole, revisits_of
from inspection.package_seals import (
    Trust,
    check_chain,
    check_sealed,
    check_signatures,
    check_stamps,
    links_of,
)
from inspection.progress import Progress
from inspection.stamping import certificates_of
from inspection.verification import Step, Verification
from storage.errors import EvidenceError, SignatureWrong
from storage.evidence_reader import EvidenceReader
from storage.signing import fingerprint

STAGE = "核验"
_SHA256 = re.compile("[0-9A-Fa-f]{64}")
_TITLES = {
    "container": "文件完整",
    "datapackage": "各文件摘要",
    "contents": "内容目录",
    "signatures": "签名",
    "stamps": "时间戳",
    "chain": "各夜之间的链",
    "sealed": "封存的文件",
    "records": "原始记录",
    "judgement": "重新判定",
    "published": "年度版本",
}


def trust_of(public_keys: Sequence[str], certificates: Path | None, manifests: Sequence[str] = ()) -> Trust:
    """Return what the auditor trusts: keys in Base64 or files with one, a file of certificates, digests of manifests
    that were written down; raises InvalidInput."""
    authorities = certificates_of(certificates, "--timestamp-certificates") if certificates else []
    for given in manifests:
        if not _SHA256.fullmatch(given):
            raise InvalidInput(f"--manifest-sha256 应是封存清单的 SHA-256，64 个十六进制数字：{given[:100]}")
    known = frozenset(given.lower() for given in manifests)
    return Trust(frozenset(map(_fingerprint, public_keys)), authorities, known)


def _fingerprint(given: str) -> str:
    try:
        path = Path(given)
        text = path.read_text("ascii")[:1000] if len(given) < 4096 and path.is_file() else given
        return fingerprint(text.strip())
    except (SignatureWrong, OSError, ValueError) as error:
        raise InvalidInput(
            f"--public-key 应是 inspect evidence keygen 打印的公钥（Base64），或只写着它的文件：{given[:100]}"
        ) from error


def verify(path: Path, trust: Trust, progress: Progress) -> Verification:
    """Check a package in every respect; raises NotAPackage for a file that is none."""
    steps = {key: Step(key, title) for key, title in _TITLES.items()}
    with opened_container(path, steps["container"]) as container:
        check_datapackage(container, steps["datapackage"])
        progress.advance(STAGE, 2, len(steps))
        contents = _contents(container, path, steps)
        if contents is None:
            for key in ("signatures", "stamps", "chain", "sealed", "records", "judgement", "published"):
                steps[key].untold = "没有可读的内容目录"
        else:
            _check(container, contents, trust, steps, progress)
    return Verification(tuple(steps.values()))


def _contents(container: Container, path: Path, steps: dict[str, Step]) -> Contents | None:
    step, name = steps["contents"], path_in(CONTENTS)
    if name not in container.members and not steps["container"].count:
        raise NotAPackage(f"{path} 里没有 {name}，不是可核验的审计包；应是 inspect evidence export 导出的 WACZ 文件。")
    try:
        contents = contents_of(container.read(name))
    except (Unreadable, ValidationError) as error:
        step.differs(name, str(error) if isinstance(error, Unreadable) else "内容不合规定")
        return None
    if (contents.format, contents.format_version) != (FORMAT, VERSION):
        raise NotAPackage(f"{path} 的格式是本程序不认得的第 {contents.format_version} 版；请换用新版程序核验。")
    if not contents.runs:
        step.differs(name, "里面没有一次可核验的巡查")
    step.told = f"{len(contents.units)} 个单位，{contents.since} 至 {contents.until}，{len(contents.runs)} 次巡查"
    return contents


def _check(container: Container, contents: Contents, trust: Trust, steps: dict[str, Step], progress: Progress) -> None:
    links = links_of(container, steps["sealed"])
    check_signatures(container, links, trust, steps["signatures"])
    check_stamps(container, links, trust, steps["stamps"])
    check_chain(links, contents, trust, steps["chain"])
    check_sealed(container, contents, links, steps["sealed"])
    progress.advance(STAGE, 7, len(steps))
    source = check_records(container, contents, steps["records"])
    check_whole(container, contents, source, steps["records"])
    _check_tail(container, contents, source, steps["records"])
    progress.advance(STAGE, 8, len(steps))
    judge_package(container, contents, source, steps["judgement"], progress)
    check_published(container, contents, steps["published"])
    progress.advance(STAGE, len(steps), len(steps))


def _check_tail(container: Container, contents: Contents, source: PackageSource, step: Step) -> None:
    reader, allowed = EvidenceReader(source), dict[str, bytes]()
    try:
        for run in contents.runs:
            allowed |= revisits_of(reader, run.run, run.sites)
    except (EvidenceError, ValueError, LookupError, TypeError) as error:
        step.differs(path_in(CONTENTS), f"记录的内容不合规定（{type(error).__name__}）")
        return
    check_tail(container, source, allowed, step)
