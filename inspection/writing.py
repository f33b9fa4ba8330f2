"""Files that people open: each is written whole, or is as it was before."""

from __future__ import annotations

import os
import re
from pathlib import Path

from inspection.errors import InspectionError


class ReportUnwritable(InspectionError):
    """The report cannot be written where it was asked for: choose another folder, or free space."""

    exit_code = 5


_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')
LONGEST_PART = 60  # characters: file systems take 255 bytes of a name, and a Chinese character has three


def in_file_name(text: str) -> str:
    """Return the text as a part of a file's name that every system takes, and in which nothing is invisible."""
    shown = "".join(character if character.isprintable() else "_" for character in text[:LONGEST_PART])
    return _NOT_IN_NAMES.sub("_", shown)


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file beside its place and move it there, making the folders above; raises ReportUnwritable."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise ReportUnwritable(
            f"无法写出 {path}：{error.strerror}；换一个文件夹，或先腾出空间、关闭打开着的文件。"
        ) from error
    return path
