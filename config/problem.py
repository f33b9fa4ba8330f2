"""What is wrong with the configuration, in words that the person who edits it can act on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: the file, its place there, what is wrong, and the fix.

    `path` reads "unit[3].column[0].type", or "第 3 行第 5 列" for syntax; empty: the whole file. Indexes count from 0,
    as TOML tools do; the message names the unit or row where there is one.
    """

    file: str
    path: str
    message: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file} {self.path}".rstrip()
        return f"{place}：{self.message}。{self.fix}。"


class ConfigurationError(Exception):
    """The configuration cannot be used: mend every entry of `problems`, then run `inspect config check`."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join((f"配置有 {len(problems)} 处错误：", *map(str, problems))))
