"""Which value is in force: an option wins over the environment, the environment over the default."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from inspection.settings import resolve

ENVIRONMENT = {
    "INSPECT_CONFIG": "/e/config",
    "INSPECT_DATA": "/e/data",
    "INSPECT_DATABASE_URL": "postgresql+psycopg://inspector:secret@db.test/x",
}
VALUES = ("o/config", "o/data", "sqlite:///o.db")


def test_defaults() -> None:
    settings = resolve(environment={})
    assert (settings.config, settings.data) == (Path("config"), Path("data"))
    assert settings.database_url == f"sqlite:///{Path.cwd() / 'data' / 'xuncha.sqlite3'}"
    assert {origin.origin for origin in settings.origins} == {"默认值"}


def test_environment_wins_over_the_default() -> None:
    settings = resolve(environment=ENVIRONMENT)
    assert (settings.config, settings.data) == (Path("/e/config"), Path("/e/data"))
    assert settings.database_url == ENVIRONMENT["INSPECT_DATABASE_URL"]
    assert [origin.origin for origin in settings.origins] == [f"环境变量 {name}" for name in ENVIRONMENT]


def test_option_wins_over_the_environment() -> None:
    settings = resolve(Path("/o/config"), Path("/o/data"), "sqlite:////o/db", ENVIRONMENT)
    assert (settings.config, settings.data) == (Path("/o/config"), Path("/o/data"))
    assert settings.database_url == "sqlite:////o/db"
    assert {origin.origin for origin in settings.origins} == {"命令行选项"}


def test_data_folder_moves_the_default_database() -> None:
    settings = resolve(data=Path("/o/data"), environment={})
    assert settings.database_url == "sqlite:////o/data/xuncha.sqlite3"
    assert settings.evidence == Path("/o/data/evidence")


def test_empty_variable_is_none() -> None:
    assert resolve(environment=dict.fromkeys(ENVIRONMENT, "")) == resolve(environment={})


@given(
    options=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    variables=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_each_setting_is_settled_by_itself(
    options: tuple[bool, bool, bool], variables: tuple[bool, bool, bool]
) -> None:
    given_options = [value if wanted else None for value, wanted in zip(VALUES, options, strict=True)]
    environment = {name: f"e-{name}" for name, wanted in zip(ENVIRONMENT, variables, strict=True) if wanted}
    config, data, url = given_options
    settings = resolve(Path(config) if config else None, Path(data) if data else None, url, environment)
    for setting, option, name in zip(settings.origins, given_options, ENVIRONMENT, strict=True):
        if option is not None:
            assert (setting.value, setting.origin) == (option, "命令行选项")
        elif name in environment:
            assert (setting.value, setting.origin) == (environment[name], f"环境变量 {name}")
        else:
            assert setting.origin == "默认值"


def test_children_find_the_database_without_an_option_that_others_could_read() -> None:
    settings = resolve(environment=ENVIRONMENT)
    assert settings.environment() == {"INSPECT_DATABASE_URL": ENVIRONMENT["INSPECT_DATABASE_URL"]}
