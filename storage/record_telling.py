"""What a record of the evidence tells of: its sites, its captures, and the earlier records that these lead to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from warcio.recordloader import ArcWarcRecord

from checks.model import Capture, EvidenceRef
from storage.errors import DamagedRecord
from storage.record_fields import capture_of, probe_lines, unchanged_of
from storage.record_making import CAPTURE_HEADER


@dataclass(frozen=True, slots=True)
class Told:
    """What a record tells of: its own capture, or the unchanged captures that it lists; earlier records by site."""

    sites: frozenset[str] = frozenset()
    capture: Capture | None = None
    unchanged: list[Capture] = field(default_factory=list)
    earlier: list[tuple[str, EvidenceRef]] = field(default_factory=list)


def told_of(record: ArcWarcRecord) -> Told:
    """Return what a record tells of, read to its end; raises DamagedRecord for one that an earlier version wrote."""
    try:
        described = record.rec_headers.get_header(CAPTURE_HEADER)
        if described is not None:
            capture = capture_of(json.loads(described))
            return Told(frozenset({capture.site_id}), capture)
        payload = record.raw_stream.read()
        return _unchanged(payload) if record.rec_type == "revisit" else _probes(payload)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DamagedRecord("记录的内容无法读取，可能由旧版程序写成。") from error


def _unchanged(payload: bytes) -> Told:
    captures = [unchanged_of(line) for line in payload.splitlines()]
    earlier = [(each.site_id, each.evidence) for each in captures if each.evidence is not None]
    return Told(frozenset(capture.site_id for capture in captures), None, captures, earlier)


def _probes(payload: bytes) -> Told:
    probes = probe_lines(payload)
    rest = [(fields["site_id"], EvidenceRef(*fields["rest"])) for fields in probes if fields.get("rest")]
    return Told(frozenset(fields["site_id"] for fields in probes), earlier=rest)
