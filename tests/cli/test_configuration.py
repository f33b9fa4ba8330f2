"""Commands about the configuration, the machine and the database."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from checks.registry import CHECKS
from tests.cli.conftest import Inspect

TABLE_OF_2027 = Path(__file__).parents[2] / "fixtures" / "year" / "indicators-2027.toml"


def test_units_lists_everybody_with_aliases(inspect: Inspect) -> None:
    assert "区教育局" in inspect("units").out
    units = inspect("units", "--json").document["units"]
    assert len(units) == 34
    assert {unit["kind"] for unit in units} == {"department", "township"}
    assert all(unit.keys() >= {"id", "unit", "kind", "aliases", "columns"} for unit in units)


def test_checks_lists_every_check_with_its_clause(inspect: Inspect) -> None:
    shown = inspect("checks").out
    listed = inspect("checks", "--json").document["checks"]
    assert [check["id"] for check in listed] == [check.META.id for check in CHECKS]
    for check in listed:
        assert check["title"] in shown
        assert check.keys() >= {"id", "title", "basis", "scope", "indicators", "weight"}
        assert check["basis"]
        assert check["indicators"]


def test_checks_says_which_rows_are_left_to_people(inspect: Inspect) -> None:
    left = inspect("checks", "--json").document["left_to_people"]
    assert left == [{"id": "8", "title": "组织领导", "why": left[0]["why"]}]
    assert "考核组" in left[0]["why"]
    assert left[0]["why"] in inspect("checks").out


def test_right_configuration_is_told_so(inspect: Inspect) -> None:
    answer = inspect("config", "check")
    assert answer.code == 0
    assert "配置正确：34 个单位" in answer.out
    document = inspect("config", "check", "--json").document
    assert document["valid"] is True
    assert document["problems"] == []


def test_tables_of_the_years_are_told_with_what_they_add_up_to(inspect: Inspect, config: Path) -> None:
    shutil.copy(TABLE_OF_2027, config)
    shown = inspect("config", "check").out
    assert "indicators-2027.toml" in shown
    assert f"{date.today().year} 年的巡查和汇总用 indicators" in shown
    tables = inspect("config", "check", "--json").document["tables"]
    assert [(table["file"], table["year"], table["rows"]) for table in tables] == [
        ("indicators.toml", 2020, 23),
        ("indicators-2027.toml", 2027, 13),
    ]
    assert all(table["points"] == {"township": 100, "department": 100} for table in tables)


def test_checks_are_told_by_the_table_of_the_year(inspect: Inspect, config: Path) -> None:
    shutil.copy(TABLE_OF_2027, config)

    def rows(year: str) -> dict[str, list[str]]:
        listed = inspect("checks", "--year", year, "--json").document["checks"]
        return {check["id"]: check["indicators"] for check in listed}

    assert rows("2026")["tls"] == ["5.2"]
    assert rows("2027")["tls"] == ["E1"]
    assert rows("2027")["faq"] == []
    answer = inspect("checks", "--year", "2027")
    assert answer.code == 0
    assert "人员和计划只能由人核查材料评分" in answer.out


def test_every_error_of_the_configuration_is_told_at_once(inspect: Inspect, config: Path) -> None:
    sites, rules = config / "sites.toml", config / "rules.toml"
    sites.write_text(sites.read_text("utf-8").replace('kind = "township"', 'kind = "village"', 2), "utf-8")
    rules.write_text("not toml at all", "utf-8")
    answer = inspect("config", "check")
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.count("kind") == 2
    assert "rules.toml" in answer.err
    assert "配置有 3 处错误" in answer.err
    assert "Traceback" not in answer.err
    document = inspect("config", "check", "--json")
    assert document.code == 2
    assert document.document["valid"] is False
    assert len(document.document["problems"]) == 3
    assert all(problem["fix"] for problem in document.document["problems"])


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        ("[{from = 08:00:00, to = 08:00:00, requests_per_second = 1}]", "没有长短"),
        (
            "[{from = 22:00:00, to = 06:00:00, requests_per_second = 5},"
            " {from = 05:00:00, to = 08:00:00, requests_per_second = 1}]",
            "重叠",
        ),
        ("[{from = 08:00:00, to = 18:00:00, requests_per_second = 0}]", "requests_per_second"),
        ("[{from = 08:00:00, requests_per_second = 1}]", "to"),
        ('[{from = "eight", to = 18:00:00, requests_per_second = 1}]', "from"),
    ],
)
def test_wrong_hours_of_a_pace_are_one_sentence_with_the_fix(
    inspect: Inspect, config: Path, pace: str, said: str
) -> None:
    sites = config / "sites.toml"
    sites.write_text(sites.read_text("utf-8").replace("[crawl]", f"[crawl]\npace = {pace}", 1), "utf-8")
    document = inspect("config", "check", "--json")
    assert document.code == 2
    (problem,) = document.document["problems"]
    assert said in json.dumps(problem, ensure_ascii=False)
    assert problem["fix"]
    assert re.search("[\u4e00-\u9fff]", problem["message"])


@pytest.mark.parametrize("command", [("units",), ("checks",), ("run",), ("scores",), ("--unit", "区教育局")])
def test_missing_configuration_is_2_for_every_command(inspect: Inspect, config: Path, command: tuple[str, ...]) -> None:
    shutil.rmtree(config)
    answer = inspect(*command)
    assert answer.code == 2
    assert answer.out == ""
    assert str(config) in answer.err
    assert "Traceback" not in answer.err


def test_option_wins_over_the_environment(inspect: Inspect, tmp_path: Path) -> None:
    answer = inspect("units", "--config", str(tmp_path / "elsewhere"))
    assert answer.code == 2
    assert "elsewhere" in answer.err


# ---------------------------------------------------------------- the machine


def test_doctor_tells_settings_with_their_origin(inspect: Inspect, data: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    document = inspect("doctor", "--json", "--database-url", url).document
    settings = {setting["name"]: setting for setting in document["settings"]}
    assert settings["data"]["value"] == str(data)
    assert "INSPECT_DATA" in settings["data"]["origin"]
    assert settings["database_url"] == {"name": "database_url", "value": url, "origin": "命令行选项"}


def test_doctor_tells_what_is_lacking_with_the_fix(
    inspect: Inspect, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECT_BROWSER", str(config / "missing"))
    (config / "rules.toml").unlink()
    answer = inspect("doctor", "--json")
    lacking = {row["name"]: row for row in answer.document["checks"] if not row["good"]}
    assert answer.code == 3
    assert lacking.keys() >= {"浏览器", "配置"}
    assert all(row["fix"] for row in lacking.values())
    assert "INSPECT_BROWSER" in inspect("doctor").out


def test_doctor_keeps_the_password(inspect: Inspect) -> None:
    answer = inspect("doctor", "--database-url", "postgresql+psycopg://inspector:geheim@127.0.0.1:1/x")
    assert "inspector" in answer.out
    assert "geheim" not in answer.out + answer.err


# ---------------------------------------------------------------- the database


def test_upgrade_makes_tables_and_may_be_repeated(inspect: Inspect, data: Path) -> None:
    for _ in range(2):
        answer = inspect("db", "upgrade")
        assert answer.code == 0
        assert answer.err == ""
    assert list(data.glob("*.sqlite3"))
    assert inspect("scores", "--json").document["units"] == []


def _database(data: Path) -> sqlite3.Connection:
    (file,) = data.glob("*.sqlite3")
    return sqlite3.connect(file)


def test_tables_older_than_the_program_are_refused_with_the_command(inspect: Inspect, data: Path) -> None:
    inspect("db", "upgrade")
    with _database(data) as database:
        database.execute("DROP TABLE unit_score")
    database.close()
    answer = inspect("scores")
    assert answer.code == 5
    assert "inspect db upgrade" in answer.err


def test_tables_newer_than_the_program_are_left_alone(inspect: Inspect, data: Path) -> None:
    inspect("db", "upgrade")
    with _database(data) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for command in (("scores",), ("db", "upgrade"), ("run",)):
        answer = inspect(*command)
        assert answer.code == 5
        assert "比程序新" in answer.err
        assert answer.err.count("\n") == 1


def test_nothing_inspected_is_never_no_faults(inspect: Inspect) -> None:
    for command in (("findings",), ("findings", "--unit", "区教育局"), ("findings", "--json")):
        answer = inspect(*command)
        assert answer.code == 2
        assert answer.out == ""
        assert "inspect run" in answer.err
    assert inspect("findings", "--run", "77").code == 5
    assert "inspect run" in inspect("scores", "--date", "2026-11-23").out
