"""时间戳: an authority's word (RFC 3161) on when a manifest was there; one that fails never fails a night."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from crawler.names import Names
from crawler.probes.http import Question, exchange
from inspection.errors import InspectionError
from inspection.place import Place
from inspection.sealing import folder_of
from storage.errors import StorageError
from storage.manifest import MANIFEST, STAMP, write_whole

MOST_A_NIGHT = 50  # stamps asked for after a run; `inspect evidence stamp` asks for all

log = logging.getLogger(__name__)


class StampFailed(InspectionError):
    """The authority gave no stamp: check its address and the network, then run `inspect evidence stamp`."""

    exit_code = 5


class StampWrong(InspectionError):
    """A stamp is not one of these bytes, or not by an authority that is trusted."""


class AuthoritiesUnreadable(InspectionError):
    """The file of trusted certificates cannot be read: mend timestamp_certificates in sites.toml."""


def stamp_waiting(place: Place, *, most: int | None = MOST_A_NIGHT) -> list[int]:
    """Have the sealed manifests without a stamp stamped, the newest first, and return their runs.

    Stops at the first failure. Raises StampFailed, StampWrong, AuthoritiesUnreadable, EvidenceError.
    """
    authority = place.configuration.inventory.evidence.timestamp_authority
    if authority is None:
        return []
    folders = ((run.id, folder_of(place, run.id)) for run in place.repository.runs())
    waiting = [(run, path) for run, path in folders if (path / MANIFEST).exists() and not (path / STAMP).exists()]
    roots = trusted_authorities(place) if waiting else []
    for _, folder in waiting[:most]:
        _stamp(place, authority, folder, roots)
    return [run for run, _ in waiting[:most]]


def try_to_stamp(place: Place) -> str:
    """Have what waits stamped; returns what to tell people when that failed, or ""."""
    try:
        stamp_waiting(place)
    except (InspectionError, StorageError) as error:
        log.warning("not stamped: %s", error)
        return f"时间戳没有盖成，下次巡查时再试：{error}"
    return ""


def trusted_authorities(place: Place) -> list[Certificate]:
    """Return the certificates that stamps must go back to, none where none are set; raises AuthoritiesUnreadable."""
    path = place.configuration.inventory.evidence.timestamp_certificates
    return certificates_of(Path(path), "timestamp_certificates") if path else []


def certificates_of(path: Path, setting: str) -> list[Certificate]:
    """Return the certificates of a PEM file that a setting names; raises AuthoritiesUnreadable."""
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise AuthoritiesUnreadable(f"{setting} 的证书文件 {path} 无法读取；改正路径，内容应是 PEM 证书。") from error


def require_stamp(response: bytes, content: bytes, roots: list[Certificate], nonce: int | None = None) -> None:
    """Raise StampWrong unless this is a granted stamp of these bytes, by a trusted authority where any are given."""
    try:
        stamp = decode_timestamp_response(response)
        granted = PKIStatus(stamp.status) in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS)
        imprint = stamp.tst_info.message_imprint.message if granted else b""
        given = stamp.tst_info.nonce if granted else None
    except ValueError as error:
        raise StampWrong("时间戳无法读取") from error
    if not granted:
        raise StampWrong("时间戳服务拒绝了请求")
    if imprint != hashlib.sha256(content).digest() or (nonce is not None and given != nonce):
        raise StampWrong("时间戳不是这份清单的")
    if roots:
        try:
            VerifierBuilder(roots=roots).build().verify_message(stamp, content)
        except (VerificationError, ValueError) as error:
            raise StampWrong("时间戳的签名不是受信任的机构的") from error


def _stamp(place: Place, authority: str, folder: Path, roots: list[Certificate]) -> None:
    content = (folder / MANIFEST).read_bytes()
    request = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    settings = place.configuration.inventory.crawl
    question = Question(authority, "POST", form=request.as_bytes(), form_type="application/timestamp-query")
    got = exchange(question, Names(settings.resolver, settings.allow_private_addresses), settings)
    if got.status != 200 or got.error:
        raise StampFailed(f"时间戳服务没有答复（{got.error or f'HTTP {got.status}'}）；查网络和 timestamp_authority。")
    require_stamp(got.body, content, roots, request.nonce)
    write_whole(folder / STAMP, got.body)
