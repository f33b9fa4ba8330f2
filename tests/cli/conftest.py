"""The command line in this process, with a configuration and a data folder of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from fixtures.district.world import CONFIG_FOLDER


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Inspect = Callable[..., Answer]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A copy of the project's own configuration, to be spoilt."""
    return Path(shutil.copytree(CONFIG_FOLDER, tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__*")))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def inspect(config: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Inspect:
    monkeypatch.setenv("INSPECT_CONFIG", str(config))
    monkeypatch.setenv("INSPECT_DATA", str(data))
    monkeypatch.delenv("INSPECT_DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run
