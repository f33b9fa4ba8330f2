"""电子签名: Ed25519 signatures (RFC 8032) of manifests, with a key that lies in a file of its own and nowhere else."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from storage.errors import SignatureWrong, SigningKeyRefused
from storage.manifest import canonical

ALGORITHM = "Ed25519"
MAX_KEY_BYTES = 10_000


def create_key(path: Path) -> Ed25519PrivateKey:
    """Make a new signing key in a new file that its owner alone can read; raises SigningKeyRefused, OSError."""
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise SigningKeyRefused(f"{path} 已经存在，不覆盖；用 --out 换一个文件名，或先把它移走保存好。") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    return key


def load_key(path: Path) -> Ed25519PrivateKey:
    """Return the key of a file; raises SigningKeyRefused when it is none, or when others may read it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(MAX_KEY_BYTES)
    except OSError as error:
        raise SigningKeyRefused(
            f"读不到签名私钥 {path}（{error.strerror}）；改正路径，或用 inspect evidence keygen 生成。"
        ) from error
    if mode & 0o077:
        raise SigningKeyRefused(f"签名私钥 {path} 别人也能读写；运行 chmod 600 {path} 后再用。")
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        # without the cause: what a parser says of a key may quote it
        raise SigningKeyRefused(f"{path} 不是 Ed25519 私钥；用 inspect evidence keygen 生成。")
    return key


def public_key_of(key: Ed25519PrivateKey) -> str:
    """Return the public key in Base64, as signatures and sites.toml write it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def fingerprint(public_key: str) -> str:
    """Return the SHA-256 (hex) of a public key, by which people compare keys; raises SignatureWrong."""
    return hashlib.sha256(_decoded(public_key, 32)).hexdigest()


def sign(key: Ed25519PrivateKey, content: bytes) -> bytes:
    """Return the signature file of some bytes: JSON with the algorithm, the public key and the signature in Base64."""
    signature = base64.b64encode(key.sign(content)).decode()
    return canonical({"algorithm": ALGORITHM, "public_key": public_key_of(key), "signature": signature})


def signer_of(signature_file: bytes, content: bytes) -> str:
    """Return the public key whose signature of these bytes a signature file holds; raises SignatureWrong.

    Whose key it is, and whether it is to be trusted, the file cannot say.
    """
    try:
        document = json.loads(signature_file)
        algorithm, public_key, signature = (document[key] for key in ("algorithm", "public_key", "signature"))
    except (ValueError, TypeError, KeyError) as error:
        raise SignatureWrong("签名文件无法读取") from error
    if algorithm != ALGORITHM:
        raise SignatureWrong("签名算法不是 Ed25519")
    try:
        Ed25519PublicKey.from_public_bytes(_decoded(public_key, 32)).verify(_decoded(signature, 64), content)
    except InvalidSignature as error:
        raise SignatureWrong("签名与清单不符") from error
    return str(public_key)


def _decoded(text: object, length: int) -> bytes:
    try:
        content = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureWrong("公钥或签名不是 Base64") from error
    if len(content) != length:
        raise SignatureWrong("公钥或签名长度不对")
    return content
