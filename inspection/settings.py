"""The settings in force, and where each came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CONFIG_VARIABLE = "INSPECT_CONFIG"
DATA_VARIABLE = "INSPECT_DATA"
DATABASE_VARIABLE = "INSPECT_DATABASE_URL"
SIGNING_KEY_VARIABLE = "INSPECT_SIGNING_KEY"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in force. `origin` is Chinese: 命令行选项, 环境变量 …, 默认值."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the configuration, the data and the database are; `signing_key` is None unless the environment has it."""

    config: Path
    data: Path
    database_url: str
    origins: tuple[Setting, ...]
    signing_key: Path | None = None

    @property
    def evidence(self) -> Path:
        """The folder that holds the evidence (WARC files) of all runs."""
        return self.data / "evidence"

    @property
    def attachments(self) -> Path:
        """The folder that holds the files people handed in, by their digests."""
        return self.data / "attachments"

    def environment(self) -> dict[str, str]:
        """Return what a child process needs to find the same database; an address may hold a password, so no option."""
        return {DATABASE_VARIABLE: self.database_url}

    @property
    def reports(self) -> Path:
        """The folder that reports are written to."""
        return self.data / "reports"


def resolve(
    config: Path | None = None,
    data: Path | None = None,
    database_url: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Settle each setting: an option wins over the environment, the environment over the default."""
    config_setting = _settle("config", config, environment, CONFIG_VARIABLE, "config")
    data_setting = _settle("data", data, environment, DATA_VARIABLE, "data")
    default_database = f"sqlite:///{Path(data_setting.value).absolute() / 'xuncha.sqlite3'}"
    database = _settle("database_url", database_url, environment, DATABASE_VARIABLE, default_database)
    key = environment.get(SIGNING_KEY_VARIABLE)
    return Settings(
        config=Path(config_setting.value),
        data=Path(data_setting.value),
        database_url=database.value,
        origins=(config_setting, data_setting, database),
        signing_key=Path(key) if key else None,
    )


def _settle(
    name: str, option: Path | str | None, environment: Mapping[str, str], variable: str, default: str
) -> Setting:
    if option is not None:
        return Setting(name, str(option), "命令行选项")
    if environment.get(variable):
        return Setting(name, environment[variable], f"环境变量 {variable}")
    return Setting(name, default, "默认值")
