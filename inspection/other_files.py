"""Other files in the place of the configuration's own: what is tried, or what a run once went by."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from config.loader import Configuration, load
from config.problem import ConfigurationError
from inspection.errors import InvalidInput

LARGEST_FILE = 5_000_000  # bytes of a table or of rules that a person wrote


def tried_configuration(chosen: Mapping[str, Path]) -> Configuration:
    """Return the configuration made of these files, by the name that each takes, checked as a whole.

    Raises ConfigurationError, which tells the files by their own names.
    """
    with tempfile.TemporaryDirectory(prefix="xuncha-") as temporary:
        for name, file in chosen.items():
            shutil.copyfile(file, Path(temporary, name))
        try:
            return load(Path(temporary))
        except ConfigurationError as error:
            named = {name: file.name for name, file in chosen.items()}
            problems = tuple(replace(problem, file=named[problem.file]) for problem in error.problems)
            raise ConfigurationError(problems) from None


def require_readable(file: Path) -> None:
    """Raise InvalidInput for a file that is not there, or is no table or rules that a person wrote."""
    try:
        size = file.stat().st_size if file.is_file() else None
    except OSError:
        size = None
    if size is None:
        raise InvalidInput(f"读不到文件 {file}；请检查路径和权限。")
    if size > LARGEST_FILE:
        raise InvalidInput(f"文件 {file} 有 {size} 字节，不像是指标表或规则；请检查是否选错了文件。")
