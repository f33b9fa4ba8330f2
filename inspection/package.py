"""审计包的结构: what an exported WACZ holds beside the format's own files, and where.

inspection/contents.json        Contents: what was asked for, which runs and sites are inside
inspection/records.jsonl        one line a record of archive/data.warc.gz, in its order: RecordPlace as a JSON list
inspection/runs/<n>/            of each run: manifest.json, manifest.sig, manifest.tsr, index.cdxj, and, where it is
                                judged again, inputs.json.gz, configuration/, findings/<unit>.jsonl,
                                scores/<unit>.json, sites/<site>.json
inspection/published/           the published annual version, where one was asked for
inspection/index.html           the page for people, with days/, screenshots/ and sources/ beside it

The ZIP itself has only folders at the top, because `wacz validate` looks no deeper: inspection/runs/7/manifest.json is
called inspection~runs~7/manifest.json there (reports/entry_names.py: `entry_of`, `name_of`; a "~" stands for nothing
else). Each file lies under the one name that `entry_of` gives.

Of the runs between the first exported and the newest sealed night the manifests are inside too: the chain. Sealed files
lie here byte for byte, so that the manifest's digests prove them; records are proven by the sealed index.cdxj.

What `inspect evidence verify` holds a package to, beside that:
- Every member of the ZIP is stored, none compressed, and sizes stand in the local headers (no data descriptors).
- data.warc.gz is one warcinfo record, then the records of records.jsonl, each with its request and without a gap, then
  only `revisit` records as EvidenceReader.revisit makes them, of captures of judged runs.
- Of a judged run every record that its index has of its sites is inside or withheld, and so is every earlier record
  that these, or the findings inside, lead to.
- A run that judged a night again (重新判定) is judged from that night's records by its own configuration; one that only
  put scores right (更正得分), or went by the same rules, has the findings of the run it stands on, with other states.
- A run's manifest and index.cdxj are inside wherever a record of it is inside or withheld.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from pydantic import TypeAdapter

FORMAT, VERSION = "xuncha-package", 1
FOLDER = "inspection"
CONTENTS, RECORDS, PAGE, WARC = "contents.json", "records.jsonl", "index.html", "archive/data.warc.gz"


class RecordPlace(NamedTuple):
    """A sealed record (with its request, where it has one): `offset` and `length` in bytes of the run's own `file`,
    which is relative to the evidence folder: "7/sites-portal-00000.warc.gz"."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class PackagedRun:
    """A run that is judged again from the package.

    `units` are those whose findings and scores are inside, `sites` those whose records are inside whole. Without sites
    the run stands on another (更正得分): only its scores are made again.
    """

    run: int
    day: date
    kind: str
    units: tuple[str, ...]
    sites: tuple[str, ...] = ()
    stands_on: int | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a package is: what was asked for, and what of it is inside.

    `withheld` are sealed records that the index proves but that were left out, for they hold personal data.
    """

    made_at: datetime
    software: str
    units: tuple[str, ...]
    runs: tuple[PackagedRun, ...]
    since: date
    until: date
    finding: int | None = None
    year: int | None = None
    version: int | None = None
    withheld: tuple[RecordPlace, ...] = ()
    format: str = FORMAT
    format_version: int = VERSION


_CONTENTS: TypeAdapter[Contents] = TypeAdapter(Contents)


def contents_bytes(contents: Contents) -> bytes:
    """Return the contents as the file has them."""
    return _CONTENTS.dump_json(contents, indent=1)


def contents_of(content: bytes) -> Contents:
    """Return the contents that a file holds; raises pydantic's ValidationError for anything else."""
    return _CONTENTS.validate_json(content)
