"""A terminal or a log that does not speak UTF-8 costs a question mark, never a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TITLE = "关于\U0001f600的通知"


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_what_the_terminal_lacks_ends_no_command(tmp_path: Path, encoding: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1></body></html>", "utf-8")
    for more in ((), ("--json",)):
        command = [sys.executable, "-m", "cli.main", "page", str(page), *more]
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
        assert answer.returncode == 0, answer.stderr.decode(encoding, "replace")
    assert json.loads(answer.stdout.decode(encoding))["title"] == TITLE
