"""ZIP archives: the files in them, under the names that people see."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator

from checks.facts.attachments.limits import Budget
from checks.facts.attachments.package import checked

_LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini"})  # what operating systems leave in folders
_UTF_8 = 0x800


def members(body: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each file in the archive; raises UnreadableAttachmentError for bombs and passwords."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        files = [(name, part) for part in archive.infolist() if _is_file(name := member_name(part))]
        budget.spend("members", len(files))
        checked((part for _, part in files), budget)
        for name, part in files:
            yield name, archive.read(part)


def member_name(part: zipfile.ZipInfo) -> str:
    """Return the name in UTF-8 where it is marked or fits, else in GB 18030, as Chinese Windows writes it."""
    if part.flag_bits & _UTF_8:
        return part.filename
    written = part.filename.encode("cp437", "replace")
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        return written.decode("gb18030", "replace")


def _is_file(name: str) -> bool:
    base = posixpath.basename(name)
    return bool(base) and base.lower() not in _LITTER and not name.startswith("__MACOSX/")
