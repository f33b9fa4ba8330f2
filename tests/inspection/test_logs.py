"""What is logged: one object a line from several processes, nothing secret, no longer than wanted."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from inspection import logs
from inspection.logs import DAYS_VARIABLE, FORMAT_VARIABLE, DailyFile, JsonLines, keep_logs

ROOT = Path(__file__).parents[2]
RESIDENT_ID = "13012419900307123X"


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logs.note_run(None)


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_line_says_when_who_where_and_what(tmp_path: Path) -> None:
    keep_logs(tmp_path / "logs", run=7)
    about = {"site": "jyj", "url": "http://jyj.example/a.html"}
    logging.getLogger("crawler.x").info("dns_failure %s", "没有答复", extra=about)
    (line,) = lines(tmp_path / "logs")
    assert line.pop("time").endswith("+00:00")  # type: ignore[attr-defined]
    assert line == {
        "level": "INFO",
        "logger": "crawler.x",
        "process": os.getpid(),
        "message": "dns_failure 没有答复",
        "run": 7,
        **about,
    }


def test_secrets_and_personal_numbers_are_in_no_line(tmp_path: Path) -> None:
    keep_logs(tmp_path / "logs")
    address = "postgresql+psycopg://xuncha:geheim@db/xuncha?password=geheim"
    try:
        raise ValueError(f"cannot connect to {address}")
    except ValueError:
        url = f"http://user:geheim@a.example/?id={RESIDENT_ID}&token=geheim"
        logging.getLogger("x").exception("身份证 %s %s", RESIDENT_ID, address, extra={"url": url})
    (line,) = lines(tmp_path / "logs")
    assert "ValueError" in str(line["exception"])
    assert "geheim" not in str(line)
    assert RESIDENT_ID not in str(line)


def test_processes_share_a_file(tmp_path: Path) -> None:
    program = (
        "import logging, pathlib, sys; from inspection.logs import keep_logs;"
        "keep_logs(pathlib.Path(sys.argv[1]), child=True);"
        "[logging.getLogger('x').info('%s', 'a' * 3000) for _ in range(200)]"
    )
    children = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    assert len(lines(tmp_path)) == 400


def test_old_days_are_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DAYS_VARIABLE, "3")
    today = date.today()
    for age in (1, 3, 4, 400):
        (tmp_path / f"xuncha-{today - timedelta(days=age)}.jsonl").touch()
    (tmp_path / "notes.txt").touch()
    keep_logs(tmp_path)
    logging.getLogger("x").info("a line")
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"notes.txt", *(f"xuncha-{today - timedelta(days=age)}.jsonl" for age in (0, 1, 3))}


def test_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    keep_logs(tmp_path / "logs")
    logging.getLogger("x").info("lost")
    (tmp_path / "logs").unlink()
    logging.getLogger("x").info("kept")
    assert [line["message"] for line in lines(tmp_path / "logs")] == ["kept"]


@pytest.mark.parametrize("wanted", ["text", "json"])
def test_standard_error_is_for_people_or_for_programs(
    wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(FORMAT_VARIABLE, wanted)
    keep_logs(tmp_path)
    logging.getLogger("x").info("不显示")
    logging.getLogger("x").warning("等待数据库")
    shown = capsys.readouterr().err
    assert (json.loads(shown)["message"] if wanted == "json" else shown.strip()) == "等待数据库"


def test_handlers_are_exchanged_not_added(tmp_path: Path) -> None:
    keep_logs(tmp_path / "a")
    keep_logs(tmp_path / "b")
    found = [handler for handler in logging.getLogger().handlers if isinstance(handler, DailyFile)]
    assert len(found) == 1
    assert isinstance(found[0].formatter, JsonLines)
