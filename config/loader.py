"""Reading config/*.toml: everything is in order, or every mistake is told at once with its place and its remedy."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
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
OF_A_YEAR = re.compile(r"indicators-(\d{4})\.toml")

Model = TypeVar("Model", bound=Settings)
Table = dict[str, Any]


class Configuration(Settings):
    """Everything that a run goes by. `tables` holds the scoring tables by file name, the earliest year first."""

    inventory: Inventory
    rules: Rules
    tables: dict[str, Indicators]

    def table_for(self, year: int) -> str:
        """Return the file name of a year's scoring table: the newest that is not of a later year, else the earliest."""
        return next(
            (name for name, table in reversed(self.tables.items()) if table.year <= year), next(iter(self.tables))
        )

    def indicators_for(self, year: int) -> Indicators:
        """Return a year's scoring table, as `table_for` chooses it."""
        return self.tables[self.table_for(year)]


class _Read(NamedTuple):
    """The files as far as each could be read, and what is wrong with them so far."""

    inventory: Inventory | None
    rules: Rules | None
    tables: dict[str, Indicators]
    problems: tuple[Problem, ...]


def load(folder: Path) -> Configuration:
    """Read sites.toml, rules.toml, words.toml and the scoring tables of a folder into one configuration.

    The scoring tables are indicators.toml and, beside it, any indicators-YYYY.toml for the year YYYY.
    The columns of the templates stand in every unit of the result. Raises ConfigurationError with every problem found:
    unreadable files, TOML syntax, unknown or misspelt keys, values of the wrong kind, and what does not fit together.
    """
    read = _read(folder)
    problems = (
        *read.problems,
        *(inventory_problems(read.inventory, read.rules, SITES) if read.inventory else ()),
        *(rules_problems(read.rules, RULES) if read.rules else ()),
        *(words_problems(read.rules.words, WORDS) if read.rules else ()),
        *_year_problems(read.tables),
        *(
            problem
            for file, table in read.tables.items()
            for problem in indicator_problems(table, read.inventory, file)
        ),
    )
    if problems or read.inventory is None or read.rules is None:
        raise ConfigurationError(problems)
    tables = dict(sorted(read.tables.items(), key=lambda item: item[1].year))
    return Configuration(inventory=read.inventory, rules=read.rules, tables=tables)


def files(folder: Path) -> tuple[str, ...]:
    """Return the names of the folder's configuration files, whether they are there or not."""
    return (SITES, RULES, WORDS, *table_files(folder))


def table_files(folder: Path) -> tuple[str, ...]:
    """Return the names of the folder's scoring tables; indicators.toml is one of them, whether it is there or not."""
    return (INDICATORS, *(name for name in _named_like_tables(folder) if OF_A_YEAR.fullmatch(name)))


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 (hex) of each configuration file by name, for the run record; raises OSError."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files(folder)}


def rules_digest(folder: Path) -> str:
    """Return the SHA-256 (hex) of rules.toml with words.toml behind it (cat rules.toml words.toml): together they are
    the rules of a run. Raises OSError."""
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in (RULES, WORDS))).hexdigest()


def _read(folder: Path) -> _Read:
    problems: list[Problem] = []
    inventory = _validated(Inventory, SITES, _table(folder, SITES, problems), problems)
    rules = _rules(folder, problems)
    tables = _tables_of(folder, problems)
    return _Read(inventory, rules, tables, tuple(problems))


def _tables_of(folder: Path, problems: list[Problem]) -> dict[str, Indicators]:
    """Read every scoring table that can be; a file that only looks like one would be a table that nobody reads."""
    names = table_files(folder)
    read = {name: _validated(Indicators, name, _table(folder, name, problems), problems) for name in names}
    for name in _named_like_tables(folder):
        if name not in names:
            fix = "某一年的指标表命名为 indicators-年份.toml，如 indicators-2027.toml；不用的移出配置文件夹"
            problems.append(Problem(name, "", "不是指标表的文件名", fix))
    return {name: table for name, table in read.items() if table}


def _named_like_tables(folder: Path) -> list[str]:
    """Return the names, in order, of the files beside indicators.toml that mean to be scoring tables."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:  # the files themselves will be told as unreadable
        return []
    alike = (name for name in names if name.lower().startswith("indicators") and name.lower().endswith(".toml"))
    return [name for name in alike if name != INDICATORS]


def _year_problems(tables: Mapping[str, Indicators]) -> Iterator[Problem]:
    """Yield what is wrong with the tables' years: a name that says another year, a second table of one year."""
    for name, table in tables.items():
        named = OF_A_YEAR.fullmatch(name)
        if named and int(named[1]) != table.year:
            yield Problem(name, "year", f"文件名是 {named[1]} 年的，year 写的是 {table.year}", "改正 year 或文件名")
        elif named and INDICATORS in tables and tables[INDICATORS].year == table.year:
            fix = "一年只能有一张指标表：删去其中一张，或改正 year"
            yield Problem(name, "year", f"{INDICATORS} 也是 {table.year} 年的", fix)


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
            problem = describe(model, name, detail, table)
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
