"""What a manifest rests on: one way to write JSON, digests by two algorithms, files that are whole or absent."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import math
import os
import stat
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import EvidenceDiskFull, EvidenceUnwritable, ManifestUnreadable, SignatureWrong, SigningKeyRefused
from storage.manifest import (
    MANIFEST,
    canonical,
    clear_leftovers,
    compressed,
    differences,
    digests_of,
    digests_of_folder,
    read_manifest,
    write_pieces,
    write_whole,
)
from storage.signing import create_key, fingerprint, load_key, public_key_of, sign, signer_of

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(documents)
def test_canonical_json_is_read_back_as_it_was_and_is_written_the_same_again(document: Any) -> None:
    written = canonical(document)
    assert json.loads(written) == document
    assert canonical(json.loads(written)) == written


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_the_order_of_keys_does_not_matter(document: dict[str, int]) -> None:
    assert canonical(dict(reversed(document.items()))) == canonical(document)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_equal_numbers_are_written_alike(number: Decimal) -> None:
    assert canonical([number + Decimal("0.000000")]) == canonical([number.normalize()])


def test_what_is_no_json_is_refused() -> None:
    for value in (math.nan, b"", object()):
        with pytest.raises((TypeError, ValueError)):
            canonical(value)


def test_times_and_chinese_are_written_plainly() -> None:
    document = {"日": date(2026, 11, 23), "at": datetime(2026, 11, 23, tzinfo=UTC), "分": Decimal("90.50")}
    assert canonical(document).decode() == '{"at":"2026-11-23T00:00:00+00:00","分":"90.5","日":"2026-11-23"}'


def test_digests_are_those_of_the_standards() -> None:
    digests = digests_of([b"a", b"bc"])
    assert digests.bytes == 3
    assert digests.sha256 == hashlib.sha256(b"abc").hexdigest()
    # GB/T 32905-2016, appendix A.1
    assert digests.sm3 == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


# ---------------------------------------------------------------- folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_whole(tmp_path / "run" / "a.warc.gz", b"abc" * 1000)
    write_whole(tmp_path / "run" / "configuration" / "sites.toml", b"x = 1")
    return tmp_path / "run"


def test_every_change_of_a_folder_is_named(folder: Path) -> None:
    named = digests_of_folder(folder)
    assert list(differences(folder, named)) == []
    (folder / MANIFEST).write_bytes(b"{}")  # not named in itself
    assert list(differences(folder, named)) == []
    content = bytearray((folder / "a.warc.gz").read_bytes())
    content[1500] ^= 1
    (folder / "a.warc.gz").write_bytes(content)
    (folder / "configuration" / "sites.toml").unlink()
    (folder / "extra").write_bytes(b"")
    found = {one.file: one.what for one in differences(folder, named)}
    assert set(found) == {"a.warc.gz", "configuration/sites.toml", "extra"}
    assert "SHA-256" in found["a.warc.gz"]
    assert "不见了" in found["configuration/sites.toml"]
    assert "多出" in found["extra"]


def test_a_shorter_file_is_told_by_its_length(folder: Path) -> None:
    named = digests_of_folder(folder)
    os.truncate(folder / "a.warc.gz", 2999)
    assert [one.what for one in differences(folder, named)] == ["应有 3000 字节，现有 2999 字节"]


def test_a_file_changed_so_that_one_digest_alone_still_fits_is_told(folder: Path) -> None:
    named = digests_of_folder(folder)
    named["a.warc.gz"] |= {"sm3": "0" * 64}
    assert [one.what for one in differences(folder, named)] == ["内容被改动（SM3 不符）"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"format":"xuncha-manifest","version":1}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_manifest_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    assert read_manifest(tmp_path) is None
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(ManifestUnreadable, match=MANIFEST):
        read_manifest(tmp_path)


# ---------------------------------------------------------------- writing


def test_a_compressed_file_says_nothing_of_its_making(tmp_path: Path) -> None:
    lines = [b"%d\n" % number for number in range(100_000)]
    for name in ("a", "b"):
        write_pieces(tmp_path / name, compressed(lines))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes()[3:8] == bytes(5)  # neither name nor time
    assert gzip.decompress((tmp_path / "a").read_bytes()) == b"".join(lines)


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, EvidenceDiskFull), (errno.EACCES, EvidenceUnwritable)])
def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]
) -> None:
    write_whole(tmp_path / "a", b"old")

    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("storage.manifest.os.fsync", refuse)
    with pytest.raises(expected):
        write_whole(tmp_path / "a", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


def test_what_a_killed_process_left_is_cleared(folder: Path) -> None:
    (folder / "configuration" / ".sites.toml.new").write_bytes(b"half")
    clear_leftovers(folder)
    assert sorted(digests_of_folder(folder)) == ["a.warc.gz", "configuration/sites.toml"]


# ---------------------------------------------------------------- signatures


def test_a_signature_holds_for_these_bytes_alone(tmp_path: Path) -> None:
    key = create_key(tmp_path / "keys" / "key.pem")
    signed = sign(key, b"manifest")
    assert signer_of(signed, b"manifest") == public_key_of(key)
    assert len(fingerprint(public_key_of(key))) == 64
    with pytest.raises(SignatureWrong, match="不符"):
        signer_of(signed, b"Manifest")


def test_a_signature_under_another_name_does_not_hold(tmp_path: Path) -> None:
    key, other = create_key(tmp_path / "a"), create_key(tmp_path / "b")
    document = json.loads(sign(key, b"manifest")) | {"public_key": public_key_of(other)}
    with pytest.raises(SignatureWrong, match="不符"):
        signer_of(canonical(document), b"manifest")


@pytest.mark.parametrize(
    "change",
    [{"algorithm": "none"}, {"signature": ""}, {"signature": "!"}, {"public_key": "AAAA"}, {"public_key": None}],
)
def test_a_signature_that_is_none_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    document = json.loads(sign(create_key(tmp_path / "a"), b"manifest")) | change
    with pytest.raises(SignatureWrong):
        signer_of(canonical(document), b"manifest")
    for content in (b"", b"[]", b"{}", b"\xff"):
        with pytest.raises(SignatureWrong, match="无法读取"):
            signer_of(content, b"manifest")


def test_a_key_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    umask = os.umask(0)
    try:
        create_key(path)
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(SigningKeyRefused, match="已经存在"):
        create_key(path)
    assert path.read_bytes() == before
    path.chmod(0o640)
    with pytest.raises(SigningKeyRefused, match="chmod 600"):
        load_key(path)


def test_a_file_that_is_no_key_is_refused_without_being_quoted(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(SigningKeyRefused, match="读不到"):
        load_key(path)
    path.touch(0o600)
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----\n")
    with pytest.raises(SigningKeyRefused, match="不是 Ed25519 私钥") as caught:
        load_key(path)
    assert "TOPSECRET" not in str(caught.value)
