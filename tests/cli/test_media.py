"""`inspect media`: the register of new-media accounts comes in whole or not at all."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Inspect

HEAD = "单位,平台,账号名称,最近发布日期,互动功能\n"


@pytest.fixture
def register(tmp_path: Path) -> Path:
    path = tmp_path / "台账.csv"
    path.write_text(HEAD + "教育局,微信,栾城教育,2026-01-08,是\n区财政局,微博,栾城财政,无,\n", encoding="gbk")
    return path


def test_register_is_imported_and_listed(inspect: Inspect, register: Path) -> None:
    answer = inspect("media", "import", str(register), "--recorded-on", "2026-01-10")
    assert answer.code == 0, answer.err
    assert "2 个账号" in answer.out
    listed = inspect("media", "list")
    assert all(words in listed.out for words in ("2026-01-10 登记", "台账.csv", "区教育局", "栾城财政", "从未发布"))
    document = inspect("media", "list", "--unit", "区财政局", "--json").document
    assert document["recorded_on"] == "2026-01-10"
    (account,) = document["accounts"]
    assert (account["unit"], account["last_post"], account["interaction"]) == ("区财政局", None, None)


def test_the_day_of_a_register_is_today_unless_told(inspect: Inspect, register: Path) -> None:
    document = inspect("media", "import", str(register), "--json").document
    assert document["imported"] == 2
    assert abs(date.fromisoformat(document["recorded_on"]) - date.today()) <= timedelta(days=1)


def test_with_one_row_wrong_nothing_is_imported_and_the_former_register_stays(inspect: Inspect, register: Path) -> None:
    inspect("media", "import", str(register), "--recorded-on", "2026-01-10")
    register.write_text(HEAD + "区教育局,微信,新名称,2026-01-11,是\n教育,微信,甲,去年,是\n", encoding="utf-8")
    answer = inspect("media", "import", str(register), "--recorded-on", "2026-01-12")
    assert answer.code == 2
    assert answer.out == ""
    lines = answer.err.splitlines()
    assert [line.partition("：")[0] for line in lines[:2]] == ["第3行第1列", "第3行第4列"]
    assert "2 处错误" in lines[2]
    assert "栾城教育" in inspect("media", "list").out


def test_no_register_is_said(inspect: Inspect) -> None:
    assert "还没有导入" in inspect("media", "list").out
    assert inspect("media", "list", "--json").document == {"recorded_on": None, "accounts": []}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--recorded-on", "十一月"), "不是日期"),
        (("--recorded-on", "2199-01-01"), "还没有到"),
    ],
)
def test_a_day_that_cannot_be_is_refused(
    inspect: Inspect, register: Path, arguments: tuple[str, str], words: str
) -> None:
    answer = inspect("media", "import", str(register), *arguments)
    assert answer.code == 2
    assert words in answer.err


def test_a_missing_file_is_said(inspect: Inspect, tmp_path: Path) -> None:
    answer = inspect("media", "import", str(tmp_path / "没有.xlsx"))
    assert answer.code != 0
    assert "没有.xlsx" in answer.err
    assert "Traceback" not in answer.err
