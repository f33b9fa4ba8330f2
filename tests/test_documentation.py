"""The documents and the program say the same: commands, settings, limits, checks, make targets, links."""

import re
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import typer.main

from checks.registry import CHECKS
from cli.main import app
from config.loader import load
from config.schema import Crawl
from fixtures.district.faults import answer_key
from fixtures.district.world import build
from scoring.review import PERSONAL, FaultState, allowed

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")])
DEPLOYED = sorted((ROOT / "deploy").iterdir())
GUIDES = (ROOT / "README.zh-CN.md", ROOT / "docs" / "operating.md")
NAME = r"[a-z][a-z0-9-]*"


def read(path):
    return path.read_text(encoding="utf-8")


def commands(group=None, path=()):
    """Yield every command of the command line as the words that call it."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        words = (*path, name)
        below = getattr(command, "commands", {})
        if not below or command.invoke_without_command:
            yield words
        if below:
            yield from commands(command, words)


COMMANDS = set(commands())
GROUPS = {words[0] for words in COMMANDS if len(words) > 1}


def mentioned(text):
    """Yield the commands that a text calls, as code, after a prompt, or by the path of `inspect`."""
    for first, second in re.findall(rf"(?:`|\$ |/|“)inspect ({NAME})(?: ({NAME}))?", text):
        yield (first, second) if first in GROUPS and second else (first,)


def options(words):
    """Return the options of a command."""
    command = typer.main.get_command(app)
    for word in words:
        command = command.commands[word]
    return {option for parameter in command.params for option in parameter.opts}


# ---------------------------------------------------------------- checks


def test_every_check_is_listed_for_those_who_are_judged():
    listed = read(ROOT / "README.zh-CN.md").partition("检查的项目：")[2].partition("每项检查看什么")[0]
    titles = Counter(
        title for row in re.findall(r"\| ([^|]+) \|$", listed, flags=re.MULTILINE) for title in row.split("、")
    )
    named = Counter(title.partition("（")[0] for title in titles.elements() if not title.startswith(("检查", "---")))
    assert named == Counter(check.META.title for check in CHECKS)


# ---------------------------------------------------------------- rows left to people


def test_the_rows_left_to_people_and_why_stand_in_the_explanation_of_the_score():
    rows = [row for row in load(ROOT / "config").indicators_for(2020).indicators if not row.checks]
    told = read(ROOT / "docs" / "scoring.md").partition("## 四、留给人评的")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (\d\S* .+?) \| (.+?) \|$", told, flags=re.MULTILINE) == [
        (f"{row.id} {row.title}", row.pending) for row in rows
    ]


# ---------------------------------------------------------------- commands


@pytest.mark.parametrize("words", sorted(COMMANDS), ids=" ".join)
def test_every_command_is_explained(words):
    told = {command for page in GUIDES for command in mentioned(read(page))}
    assert words in told


@pytest.mark.parametrize("page", [*PAGES, *DEPLOYED], ids=lambda page: page.name)
def test_every_command_mentioned_exists(page):
    assert not set(mentioned(read(page))) - COMMANDS


@pytest.mark.parametrize("page", [*PAGES, *DEPLOYED], ids=lambda page: page.name)
def test_every_option_mentioned_belongs_to_its_command(page):
    for line in re.findall(r"(?:\$ |bin/|`)inspect (.+?)(?:`|#|$)", read(page), flags=re.MULTILINE):
        given = set(re.findall(r"(?<!\S)--[a-z0-9-]+", line))
        words = next(mentioned(f"`inspect {line}"), ())
        assert given <= options(words) | {"--debug", "--help"}, line


@pytest.mark.parametrize("page", DEPLOYED, ids=lambda page: page.name)
def test_an_example_of_deployment_calls_the_command(page):
    text = read(page)
    if page.suffix == ".timer":
        assert page.with_suffix(".service") in DEPLOYED
    else:
        assert list(mentioned(text))


# ---------------------------------------------------------------- numbers


def test_the_sample_output_shows_the_faults_that_are_planted():
    planted = Counter(row.check for row in answer_key(build(date(2026, 11, 23), 18080, 18081)))
    told = dict(re.findall(r"^│ (\S+) +│ (\d+) +│ \d+ +│ 0 ", read(ROOT / "README.md"), flags=re.MULTILINE))
    assert told == {check.META.title: str(planted[check.META.id]) for check in CHECKS} | {"合计": str(planted.total())}


# ---------------------------------------------------------------- settings


def variables(text):
    return set(re.findall(r"\bINSPECT_[A-Z_]+\b", text))


def test_the_settings_told_are_those_the_program_reads():
    code = [path for folder in ("inspection", "crawler", "cli", "config") for path in (ROOT / folder).rglob("*.py")]
    told = variables(read(ROOT / "docs" / "operating.md"))
    assert told == {name for path in code for name in variables(read(path))}
    for page in [*PAGES, *DEPLOYED]:
        assert variables(read(page)) <= told, page.name


def test_the_limits_of_the_crawl_are_told_as_they_are():
    rows = re.findall(r"^\| `([a-z_]+)` \| (\S+) \|", read(ROOT / "docs" / "operating.md"), flags=re.MULTILINE)
    assert rows
    assert {name: str(getattr(Crawl(), name)) for name, _ in rows} == dict(rows)


def test_the_district_is_told_as_it_is_configured():
    inventory = load(ROOT / "config").inventory
    kinds = [unit.kind for unit in inventory.units]
    told = re.findall(r"的 (\d+) 个乡镇、(\d+) 个部门", read(ROOT / "README.zh-CN.md"))
    assert told == [(str(kinds.count("township")), str(kinds.count("department")))]


def test_the_minimal_python_is_told_as_it_is_required():
    required = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]["requires-python"].removeprefix(">=")
    for page in (ROOT / "README.md", ROOT / "docs" / "operating.md"):
        assert f"Python {required}" in read(page)


# ---------------------------------------------------------------- review


def test_the_states_of_a_fault_and_what_people_may_do_are_told_as_they_are():
    section = read(ROOT / "docs" / "operating.md").partition("## 问题的复核")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\S+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$", section, flags=re.MULTILINE)
    told = {state: {step for step in PERSONAL if step in steps} for state, steps in rows if state != "状态"}
    assert told == {state: allowed(state) for state in FaultState}


# ---------------------------------------------------------------- checks, make, links


def test_every_check_is_explained_and_nothing_else():
    told = re.findall(r"^## ([a-z0-9_]+)$", read(ROOT / "docs" / "checks.md"), flags=re.MULTILINE)
    assert told == [check.META.id for check in CHECKS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    assert set(re.findall(r"(?:`|\$ )make ([a-z]+)", read(page))) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", read(page))
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_exist(page):
    named = re.findall(rf"`((?:{NAME}|[a-z_]+)(?:/[\w.-]+)*/[\w-]+\.(?:py|toml|md|service|timer|cron))`", read(page))
    assert not [name for name in named if not (ROOT / name).exists()]
