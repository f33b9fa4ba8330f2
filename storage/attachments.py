"""Files that people handed in, kept as they came, each under the digest of its content: nothing overwrites anything."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from storage.model import Attachment

_SCHEME = "sha256:"


class AttachmentStore:
    """The folder of the files handed in: `<first two digits>/<SHA-256 in hex>`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, name: str, content: bytes) -> Attachment:
        """Keep a file and return what names it; one kept before stays as it is. Raises OSError.

        The file is whole or not there at all, whenever the machine stops.
        """
        attachment = Attachment(name, digest_of(content), len(content))
        path = self.path(attachment.digest)
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(path, content)
        return attachment

    def path(self, digest: str) -> Path:
        """Return where the file with that digest ("sha256:<hex>") is, or would be."""
        key = digest.removeprefix(_SCHEME)
        return self.folder / key[:2] / key


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file's content as "sha256:<hex>"."""
    return _SCHEME + hashlib.sha256(content).hexdigest()


def _write_whole(path: Path, content: bytes) -> None:
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        unfinished = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
