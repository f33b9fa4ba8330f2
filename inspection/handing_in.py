"""Files that somebody puts beside a step: read and checked all at once, then kept by their content."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inspection.errors import InvalidInput
from inspection.place import Place
from storage.model import Attachment

MOST_BYTES = 50 * 1024 * 1024
MOST_FILES = 20


def read_files(paths: Iterable[Path]) -> tuple[tuple[str, bytes], ...]:
    """Return the name and the content of each file; raises InvalidInput naming all that cannot be handed in."""
    listed = list(dict.fromkeys(paths))
    if len(listed) > MOST_FILES:
        raise InvalidInput(f"一次最多附 {MOST_FILES} 个文件，给出了 {len(listed)} 个；请打包成一个文件再附。")
    problems = [problem for path in listed if (problem := _problem(path))]
    if problems:
        raise InvalidInput("；".join(problems) + "。什么也没有改动。")
    return tuple((path.name, path.read_bytes()) for path in listed)


def _problem(path: Path) -> str:
    try:
        if not path.is_file():
            return f"附件 {path} 不存在，或者不是文件"
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        return f"附件 {path} 读不了（{error.strerror}）"
    if not size:
        return f"附件 {path} 是空的"
    return f"附件 {path} 超过 {MOST_BYTES // 1024**2} MB，请压缩或拆开" if size > MOST_BYTES else ""


def keep(place: Place, files: Iterable[tuple[str, bytes]]) -> tuple[Attachment, ...]:
    """Keep the files in the data folder; the same content is kept once. Raises OSError."""
    return tuple(place.attachments.keep(name, content) for name, content in files)
