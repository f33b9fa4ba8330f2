"""Files handed in are kept under their digests, and never change."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.attachments import AttachmentStore, digest_of
from storage.model import Attachment


@pytest.fixture
def attachments(tmp_path: Path) -> AttachmentStore:
    return AttachmentStore(tmp_path / "attachments")


def test_a_file_is_kept_under_its_digest(attachments: AttachmentStore) -> None:
    kept = attachments.keep("整改照片.png", b"content")
    assert kept == Attachment("整改照片.png", digest_of(b"content"), 7)
    assert attachments.path(kept.digest).read_bytes() == b"content"


def test_the_same_content_is_kept_once_whatever_its_name(attachments: AttachmentStore) -> None:
    first, second = attachments.keep("甲.xlsx", b"content"), attachments.keep("../乙.xlsx", b"content")
    assert first.digest == second.digest
    assert [path.read_bytes() for path in attachments.folder.rglob("*") if path.is_file()] == [b"content"]


def test_what_cannot_be_written_whole_leaves_nothing(attachments: AttachmentStore) -> None:
    attachments.path(digest_of(b"content")).mkdir(parents=True)
    with pytest.raises(OSError):
        attachments.keep("甲.xlsx", b"content")
    assert not [path for path in attachments.folder.rglob("*") if path.is_file()]
