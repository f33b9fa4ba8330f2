"""What people type: every command explains itself, and what is wrong is said in one sentence that tells the remedy."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from cli.main import app, main
from cli.stopping import interruptible
from tests.cli.conftest import Answer, Inspect


def _commands() -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = [()]
    for path in paths:
        command = get_command(app)
        for name in path:
            command = command.commands[name]
        paths += [(*path, name) for name in getattr(command, "commands", {})]
    return paths


COMMANDS = _commands()
CONTRACT = "run schedule units checks config page ipv6 findings scores evidence demo doctor db"


def test_commands_of_the_contract_exist() -> None:
    assert {path[0] for path in COMMANDS if path} >= set(CONTRACT.split())


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "inspect")
def test_help_is_there_and_chinese(inspect: Inspect, path: tuple[str, ...]) -> None:
    answer = inspect(*path, "--help")
    assert answer.code == 0
    assert answer.err == ""
    explained = [line for line in answer.out.splitlines() if re.search(r"--\w", line) and "--help" not in line]
    assert all(re.search("[\u4e00-\u9fff]", line) for line in explained), explained
    assert re.search("[\u4e00-\u9fff]{4}", answer.out)


ASKED_FOR_HELP = """
import sys
from cli.main import main
for path in sys.argv[1:]:
    main([*path.split(), "--help"])
print(*sys.modules, file=sys.stderr)
"""


def test_help_waits_for_nothing_that_loads_slowly() -> None:
    paths = [" ".join(path) for path in COMMANDS]
    answer = subprocess.run([sys.executable, "-c", ASKED_FOR_HELP, *paths], capture_output=True, text=True, check=True)
    assert not {"alembic", "sqlalchemy", "checks.registry", "lxml", "docx", "openpyxl"} & set(answer.stderr.split())


ASKED_FOR_THE_YEAR = """
import sys
from cli.main import main
main(["rollup"])
print(*sys.modules, file=sys.stderr)
"""


def test_a_known_database_is_opened_without_its_migrations(inspect: Inspect) -> None:
    assert inspect("rollup").code == 0  # makes the tables
    answer = subprocess.run([sys.executable, "-c", ASKED_FOR_THE_YEAR], capture_output=True, text=True, check=True)
    assert "年度汇总" in answer.stdout
    assert not {"alembic", "checks.registry", "docx", "openpyxl"} & set(answer.stderr.split())


def test_no_command_shows_the_help(inspect: Inspect) -> None:
    answer = inspect()
    assert answer.code == 0
    assert "inspect --unit" in answer.out


WRONG = [
    (("nonsense",), "nonsense"),
    (("run", "--nonsense"), "--nonsense"),
    (("--data", "elsewhere", "findings"), "inspect findings --data …"),
    (("--unit", "区教育局", "run"), "inspect run --unit …"),
    (("page",), "文件或网址"),
    (("findings", "show", "first"), "编号"),
    (("findings", "--limit", "0"), "--limit"),
    (("run", "--date", "2026-13-01"), "2026-13-01"),
    (("run", "--date", "昨天"), "2026-11-23"),
    (("scores", "--date", "11/23"), "11/23"),
    (("--unit", "教育"), "区教育局"),
    (("run", "--unit", "区教育局", "--unit", "教育"), "区教育局"),
    (("findings", "--unit", "不存在的单位"), "inspect units"),
    (("findings", "--check", "nonsense"), "open_attribute"),
    (("findings", "--outcome", "BAD"), "INCONCLUSIVE"),
    (("run", "--resume"), "--resume"),
    (("page", "missing.html"), "missing.html"),
    (("page", ".", "--as-of", "2026-11-23"), "."),
    (("evidence", "export", "--unit", "区教育局", "--out", "x.wacz"), "inspect run"),
    (("evidence", "export", "--unit", "教育", "--out", "x.wacz"), "区教育局"),
]


@pytest.mark.parametrize(("arguments", "told"), WRONG, ids=lambda value: " ".join(value))
def test_wrong_input_is_one_sentence_and_2(inspect: Inspect, arguments: tuple[str, ...], told: str) -> None:
    _one_sentence(inspect(*arguments), 2, told)


@pytest.mark.parametrize(("option", "value"), [("--as-of", "tomorrow"), ("--kind", "poem")])
def test_wrong_options_of_a_page_are_one_sentence(inspect: Inspect, tmp_path: Path, option: str, value: str) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>一</p>", encoding="utf-8")
    _one_sentence(inspect("page", str(page), option, value), 2, value)


def _one_sentence(answer: Answer, code: int, told: str) -> None:
    assert answer.code == code
    assert answer.out == ""
    assert told in answer.err
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err


def test_numbers_that_do_not_exist_are_said(inspect: Inspect) -> None:
    _one_sentence(inspect("findings", "show", "99"), 5, "inspect findings")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "sqlite:///"),
        ("mysql://localhost/x", "postgresql+psycopg"),
        ("postgresql+psycopg://127.0.0.1:1/x", "数据库"),
    ],
)
def test_unusable_database_is_5(inspect: Inspect, url: str, told: str) -> None:
    answer = inspect("scores", "--database-url", url)
    assert answer.code == 5
    assert told in answer.err
    assert "Traceback" not in answer.err


def test_interruption_is_130_and_says_how_to_go_on(inspect: Inspect, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("inspection.run.inspect_units", stopped)
    answer = inspect("run")
    assert answer.code == 130
    assert "--resume" in answer.err


def test_unforeseen_error_is_told_without_traceback_unless_asked(
    inspect: Inspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("inspection.run.inspect_units", broken)
    answer = inspect("run")
    assert answer.code == 1
    assert "--debug" in answer.err
    assert "Traceback" not in answer.err
    with pytest.raises(ZeroDivisionError):
        main(["run", "--debug"])


def test_sigterm_stops_as_politely_as_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
