"""Office files are zip archives that note when each part was packed; without that, one report is always the same bytes."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the first instant that the format knows


def without_times(content: bytes) -> bytes:
    """Return the archive with its parts as they were and no hour noted beside them."""
    packed = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(packed, "w") as new:
        for part in old.infolist():
            entry = ZipInfo(part.filename, _NO_TIME)
            entry.compress_type = ZIP_DEFLATED
            new.writestr(entry, old.read(part))
    return packed.getvalue()
