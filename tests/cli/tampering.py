"""Packages changed as a clever attacker would: whatever outside the seals has a digest is made to fit again."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from inspection.progress import Progress
from inspection.verification import Verification
from inspection.verifying import trust_of, verify
from reports.entry_names import entry_of
from storage.manifest import canonical

WARC = "archive/data.warc.gz"
RUN = "inspection/runs/1"
Files = dict[str, bytes]


def files_of(path: Path) -> Files:
    """Return what a package holds, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name.replace("~", "/"): archive.read(name) for name in archive.namelist()}


def repacked(files: Files, path: Path) -> Path:
    """Write a package as an attacker would: CRCs and the outer digests are those of what is inside now."""
    kept = {name: content for name, content in files.items() if not name.startswith("datapackage")}
    listed = [
        {
            "name": name,
            "path": entry_of(name),
            "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "bytes": len(content),
        }
        for name, content in kept.items()
    ]
    datapackage = json.dumps({"profile": "data-package", "resources": listed}).encode()
    digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(datapackage).hexdigest()}"}
    kept |= {"datapackage.json": datapackage, "datapackage-digest.json": json.dumps(digest).encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(zipfile.ZipInfo(entry_of(name)), content)
    return path


def resealed(files: Files, run: int, change: Callable[[dict], None]) -> Files:
    """Change a manifest, and leave its signature away as if there had never been a key."""
    name = f"inspection/runs/{run}/manifest.json"
    document = json.loads(files[name])
    change(document)
    document["sealed"]["signer"] = None
    return {key: value for key, value in files.items() if key != f"inspection/runs/{run}/manifest.sig"} | {
        name: canonical(document)
    }


def verified(path: Path, *keys: str, manifests: tuple[str, ...] = ()) -> Verification:
    """Verify a package."""
    return verify(path, trust_of(keys, None, manifests), Progress())


def broken(verification: Verification) -> dict[str, str]:
    """Return the first difference of each step that has any."""
    return {step.key: str(step.broken[0]) for step in verification.steps if step.broken}


def flipped(content: bytes, position: int) -> bytes:
    """Return the bytes with one bit another."""
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def places(files: Files) -> list[tuple[str, int, int]]:
    """Return the places of the records, in their order."""
    return [tuple(json.loads(line)) for line in files["inspection/records.jsonl"].splitlines()]


def begin_of(files: Files, number: int) -> int:
    """Return where a record begins in data.warc.gz: behind the warcinfo record."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS + 16)
    inflater.decompress(files[WARC])
    return len(files[WARC]) - len(inflater.unused_data) + sum(length for _, _, length in places(files)[:number])


def without(files: Files, record: dict) -> Files:
    """Leave a record of the first run, told as its index has it, out of the package and off its list."""
    key = [f"1/{record['filename']}", int(record["offset"])]
    listed = places(files)
    number = next(number for number, place in enumerate(listed) if list(place[:2]) == key)
    begin = begin_of(files, number)
    lines = files["inspection/records.jsonl"].splitlines(keepends=True)
    return files | {
        WARC: files[WARC][:begin] + files[WARC][begin + listed[number][2] :],
        "inspection/records.jsonl": b"".join(lines[:number] + lines[number + 1 :]),
    }
