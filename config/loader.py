"""Reading config/*.toml: everything is in order, or every mistake is told at once with its place and its remedy."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from config.consistency import indicator_problems, inventory_problems, rules_problems, words_problems
from config.problem import ConfigurationError, Problem
from config.rules import Rules
from config.schema import Indicators, Inventory, Settings
from config.wording import describe
from config.words import Words

SITES, RULES, WORDS, INDICATORS = "sites.toml", "rules.toml", "words.toml", "indicators.toml"
FILES = (SITES, RULES, WORDS, INDICATORS)

Model = TypeVar("Model", bound=Settings)
Table = dict[str, Any]


class Configuration(Settings):
    """Everything in force for a run."""

    inventory: Inventory
    rules: Rules
    indicators: Indicators


class _Read(NamedTuple):
    """The files as far as each could be read, and what is wrong with them so far."""

    inventory: Inventory | None
    rules: Rules | None
    indicators: Indicators | None
    problems: tuple[Problem, ...]


def load(folder: Path) -> Configuration:
    """Read sites.toml, rules.toml, words.toml and indicators.toml of a folder into one configuration.

    The columns of the templates stand in every unit of the result. Raises ConfigurationError with every problem found:
    unreadable files, TOML syntax, unknown or misspelt keys, values of the wrong kind, and what does not fit together.
    """
    read = _read(folder)
    problems = (
        *read.problems,
        *(inventory_problems(read.inventory, read.rules, SITES) if read.inventory else ()),
        *(rules_problems(read.rules, RULES) if read.rules else ()),
        *(words_problems(read.rules.words, WORDS) if read.rules else ()),
        *(indicator_problems(read.indicators, read.inventory, INDICATORS) if read.indicators else ()),
    )
    if problems or read.inventory is None or read.rules is None or read.indicators is None:
        raise ConfigurationError(problems)
    return Configuration(inventory=read.inventory, rules=read.rules, indicators=read.indicators)


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 (hex) of each configuration file by name, for the run record; raises OSError."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def rules_digest(folder: Path) -> str:
    """Return the SHA-256 (hex) of rules.toml with words.toml behind it (cat rules.toml words.toml): together they are
    the rules of a run. Raises OSError."""
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in (RULES, WORDS))).hexdigest()


def _read(folder: Path) -> _Read:
    problems: list[Problem] = []
    inventory = _validated(Inventory, SITES, _table(folder, SITES, problems), problems)
    rules = _rules(folder, problems)
    indicators = _validated(Indicators, INDICATORS, _table(folder, INDICATORS, problems), problems)
    return _Read(inventory, rules, indicators, tuple(problems))


def _rules(folder: Path, problems: list[Problem]) -> Rules | None:
    """Read the rules with the words in them; the words have a file of their own and may not stand in rules.toml."""
    table = _table(folder, RULES, problems)
    if table is not None and "words" in table:
        problems.append(Problem(RULES, "words", "没有“words”这个键", f"词表写在 {WORDS} 里"))
    rules = _validated(Rules, RULES, table, problems)
    words = _validated(Words, WORDS, _table(folder, WORDS, problems), problems)
    return rules.model_copy(update={"words": words}) if rules and words else None


def _table(folder: Path, name: str, problems: list[Problem]) -> Table | None:
    try:
        return tomllib.loads((folder / name).read_text(encoding="utf-8-sig"))
    except OSError:
        problems.append(Problem(name, "", "读不到这个文件", f"确认配置文件夹 {folder} 里有 {name}，且有权读取"))
    except UnicodeDecodeError:
        problems.append(Problem(name, "", "文件不是 UTF-8 编码", "用编辑器另存为 UTF-8"))
    except tomllib.TOMLDecodeError as error:
        problems.append(
            Problem(name, _line_of(str(error)), "不合 TOML 语法", f"检查该处的引号、方括号和等号（{error}）")
        )
    return None


def _line_of(message: str) -> str:
    """Return the place that tomllib names at the end of its message ("at line 3, column 5"), in Chinese."""
    place = message.rpartition("(at ")[2].rstrip(")")
    if not place.startswith("line "):
        return "文件末尾" if "end of document" in place else ""
    return place.replace("line ", "第 ").replace(", column ", " 行第 ") + " 列"


def _validated(model: type[Model], name: str, table: Table | None, problems: list[Problem]) -> Model | None:
    if table is None:
        return None
    source = with_template_columns(table) if model is Inventory else table
    try:
        return model.model_validate(source)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            problem = describe(name, detail, table)
            if problem is not None and problem not in problems:
                problems.append(problem)
    return None


def with_template_columns(table: Mapping[str, Any]) -> Table:
    """Return sites.toml's table with every unit's columns completed from the column templates.

    A unit's own columns keep their places (so error paths stay true) and take from the template of the same id what
    they do not say themselves; the other templates of its kind follow. The schema refuses what is malformed.
    """
    templates = _tables(table.get("column_template"))
    units = table.get("unit")
    if not isinstance(units, list):
        return dict(table)
    return {**table, "unit": [_completed(unit, templates) if isinstance(unit, dict) else unit for unit in units]}


def _tables(value: object) -> list[Table]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _completed(unit: Table, templates: list[Table]) -> Table:
    own = unit.get("column", [])
    if not isinstance(own, list):
        return unit
    columns = {_id(template): _column(template) for template in templates if _holds_for(template, unit)}
    merged = [{**columns.get(_id(column), {}), **column} if isinstance(column, dict) else column for column in own]
    named = [_id(column) for column in _tables(own)]
    return {**unit, "column": merged + [column for key, column in columns.items() if key not in named]}


def _id(table: Table) -> str:
    return str(table.get("id"))


def _column(template: Table) -> Table:
    return {key: value for key, value in template.items() if key not in ("kinds", "duties")}


def _holds_for(template: Table, unit: Table) -> bool:
    kinds, duties, without = template.get("kinds"), template.get("duties"), unit.get("without_columns")
    of_its_kind = not isinstance(kinds, list) or unit.get("kind") in kinds
    bears = not isinstance(duties, list) or any(duty in (unit.get("duties") or ()) for duty in duties)
    return of_its_kind and bears and not (isinstance(without, list) and template.get("id") in without)
