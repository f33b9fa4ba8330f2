"""What a made-up year of all units costs on SQLite and on PostgreSQL: the commands of the year, in this process.

Each command is measured whole, from opening the configuration and the database to the last line printed, three times;
the fastest counts, because another program on the machine can only make it slower. Starting Python and loading the
libraries, once a command, is not in it.
"""

from __future__ import annotations

import io
import tempfile
import time
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path

from sqlalchemy import text

from cli.main import main
from fixtures.year.fill import MadeUpYear, fill
from inspection.place import opened
from inspection.settings import Settings, resolve
from storage.database import Database
from tests.postgresql import postgresql_server

CONFIG = Path("config")
YEAR, DAYS = 2025, 365
UNIT = "区教育局"
TIMES = 3
LIMITS = {"rollup": 5.0, "explain": 1.0}  # seconds
COMMANDS = {
    "rollup": ("年度汇总，全部单位", ("rollup", "--year", str(YEAR))),
    "explain": ("逐行说明一个单位", ("rollup", "--year", str(YEAR), "--explain", UNIT)),
    "review": ("列出台账里的问题", ("review", "list")),
    "report": ("写出全部年度报告", ("report", "annual", "--year", str(YEAR), "--draft")),
}


def measure() -> bool:
    """Measure a year on both databases; returns whether LIMITS are kept."""
    kept = _on("SQLite", None)
    with postgresql_server() as url:
        return _on("PostgreSQL", url) and kept


def _on(name: str, url: str | None) -> bool:
    """Fill a database, measure every command on it, and return whether its limits are kept."""
    with tempfile.TemporaryDirectory() as folder:
        settings = resolve(CONFIG, Path(folder), url, environment={})
        started = time.perf_counter()
        with opened(settings) as place:
            fill(place, MadeUpYear(date(YEAR, 1, 1), DAYS))
            findings, size = _size(place.database)
        spent = time.perf_counter() - started
        print(f"{name}：{DAYS} 天，{findings} 条结果，{size / 1e6:.0f} MB，写入用 {spent:.0f} s")
        kept = [_command(key, settings) for key in COMMANDS]
        return all(kept)


def _size(database: Database) -> tuple[int, int]:
    """Return how many findings a database holds, and how many bytes it takes."""
    of_sqlite = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    of_postgresql = "SELECT pg_database_size(current_database())"
    with database.reading() as session:
        sqlite = session.connection().dialect.name == "sqlite"
        findings = session.scalar(text("SELECT count(*) FROM finding"))
        return findings or 0, session.scalar(text(of_sqlite if sqlite else of_postgresql)) or 0


def _command(key: str, settings: Settings) -> bool:
    """Run a command TIMES times, print the fastest and the slowest, and return whether its limit is kept."""
    title, arguments = COMMANDS[key]
    common = ("--config", str(settings.config), "--data", str(settings.data), "--database-url", settings.database_url)
    times = [_seconds((*arguments, *common)) for _ in range(TIMES)]
    fastest, limit = min(times), LIMITS.get(key)
    told = f"上限 {limit} s" if limit else "没有上限"
    print(f"  {title:<12} 最快 {fastest:5.2f} s　最慢 {max(times):5.2f} s　{told}")
    return limit is None or fastest <= limit


def _seconds(arguments: tuple[str, ...]) -> float:
    said = io.StringIO()
    started = time.perf_counter()
    with redirect_stdout(said):
        code = main(arguments)
    spent = time.perf_counter() - started
    if code:
        raise SystemExit(f"inspect {' '.join(arguments)} 返回 {code}")
    return spent
