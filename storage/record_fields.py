"""Captures and probes as plain data, as the records of the evidence hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from checks.model import Capture, EvidenceRef, FailureKind, Mode, Probe, ProbeKind
from storage.errors import DamagedRecord

BULKY = "shingles"  # of a probe's answer: incompressible, and the same as long as the page is

Answered = tuple[object, EvidenceRef]  # the bulky part of an answer, and the record that holds it


def capture_fields(capture: Capture) -> dict[str, Any]:
    """Return a capture as its record's header has it."""
    return {
        "site_id": capture.site_id,
        "url": capture.url,
        "mode": capture.mode.value,
        "captured_at": capture.captured_at.isoformat(),
        "final_url": capture.final_url,
        "redirects": capture.redirects,
        "status": capture.status,
        "headers": capture.headers,
        "length": capture.length,
        "elapsed": capture.elapsed,
        "address": capture.address,
        "failure": capture.failure.code if capture.failure else None,
        "detail": capture.detail,
    }


def capture_of(fields: dict[str, Any]) -> Capture:
    """Return the capture of such a header."""
    return Capture(
        **fields
        | {
            "mode": Mode(fields["mode"]),
            "captured_at": datetime.fromisoformat(fields["captured_at"]),
            "redirects": tuple(fields["redirects"]),
            "headers": tuple((name, value) for name, value in fields["headers"]),
            "failure": FailureKind.of(fields["failure"]) if fields["failure"] else None,
        }
    )


def _probe_fields(probe: Probe) -> dict[str, Any]:
    return {
        "site_id": probe.site_id,
        "kind": probe.kind.value,
        "target": probe.target,
        "family": probe.family,
        "captured_at": probe.captured_at.isoformat(),
        "observed": probe.observed,
        "failure": probe.failure.code if probe.failure else None,
    }


def _probe_of(fields: dict[str, Any]) -> Probe:
    return Probe(
        **fields
        | {
            "kind": ProbeKind(fields["kind"]),
            "captured_at": datetime.fromisoformat(fields["captured_at"]),
            "failure": FailureKind.of(fields["failure"]) if fields["failure"] else None,
        }
    )


def lines(rows: Iterable[dict[str, Any]]) -> bytes:
    """Return rows as JSON lines."""
    texts = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows]
    return "".join(texts).encode("utf-8", "backslashreplace")


def probe_lines(payload: bytes) -> list[dict[str, Any]]:
    """Return the lines of a record of probes; raises DamagedRecord."""
    try:
        return [json.loads(line) for line in payload.splitlines()]
    except ValueError as error:
        raise DamagedRecord("探测记录的内容无法读取，可能由旧版程序写成。") from error


def probe_of_line(
    fields: dict[str, Any], reference: EvidenceRef, answers: Callable[[EvidenceRef], dict[str, object]]
) -> tuple[Probe, EvidenceRef]:
    """Return a probe of a record, and the record that has all of its answer: `answers` gives what that one holds.

    Raises DamagedRecord.
    """
    rest = fields.pop("rest", None)
    if rest is None:
        return _probe_of(fields), reference
    original, asked = EvidenceRef(*rest), fields["observed"]["digest"]
    try:
        bulky = answers(original)[asked]
    except KeyError as error:
        raise DamagedRecord(
            f"证据文件 {original.warc_file} 中的探测记录与引用它的不符：{original.record_id}。"
        ) from error
    return _probe_of(fields | {"observed": fields["observed"] | {BULKY: bulky}}), original


def unchanged_fields(capture: Capture) -> dict[str, Any]:
    """Return a capture that brought an earlier record's bytes, as a line of a record of such captures."""
    assert capture.evidence is not None
    return capture_fields(capture) | {"original": list(asdict(capture.evidence).values())}


def unchanged_of(line: bytes) -> Capture:
    """Return the capture of such a line."""
    fields = json.loads(line)
    original = EvidenceRef(*fields.pop("original"))
    return replace(capture_of(fields), evidence=original)


def lean_probe_fields(probe: Probe, earlier: Mapping[str, Answered]) -> dict[str, Any]:
    """Return a probe without what is bulky in its answer, where an earlier record holds just that."""
    fields = _probe_fields(probe)
    bulky, reference = earlier.get(str(probe.observed.get("digest")), (None, None))
    if reference is None or not bulky or probe.observed.get(BULKY) != bulky:
        return fields
    observed = {key: value for key, value in probe.observed.items() if key != BULKY}
    return fields | {"observed": observed, "rest": list(asdict(reference).values())}
