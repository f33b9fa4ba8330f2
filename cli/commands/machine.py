"""Commands about this machine: what it lacks, and bringing the database's tables up to date."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, JsonOption

if TYPE_CHECKING:
    from inspection.settings import Settings

database_app = typer.Typer(help="数据库：把表结构升级到当前版本。", no_args_is_help=True)
FREE_BYTES_WANTED = 5_000_000_000


class Finding(NamedTuple):
    """One thing the machine has or lacks, and the fix."""

    name: str
    good: bool
    seen: str
    fix: str = ""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("doctor", help="检查本机：缺什么、怎么补，以及正在生效的设置各自来自哪里。")(doctor)
    app.add_typer(database_app, name="db")


@database_app.command("upgrade", help="把数据库表结构升级到当前版本；可重复运行。升级前请先备份。")
def upgrade(data: DataOption = None, database_url: DatabaseOption = None) -> None:
    """Run the migrations."""
    from cli.output import console
    from inspection.settings import resolve
    from storage.database import open_database
    from storage.database import upgrade as upgrade_database

    database = open_database(resolve(None, data, database_url).database_url)
    try:
        upgrade_database(database)
    finally:
        database.close()
    console.print("数据库表结构已是当前版本。")


def doctor(
    config: ConfigOption = None, data: DataOption = None, database_url: DatabaseOption = None, json: JsonOption = False
) -> None:
    """Tell what this machine lacks."""
    from cli.output import print_json, print_table
    from inspection.settings import resolve
    from storage.database import shown

    settings = resolve(config, data, database_url)
    found = [
        _python(),
        _browser(),
        _ipv6(),
        _configuration(settings.config),
        _database(settings.database_url),
        _disk(settings.data),
        *_signing_key(settings),
    ]
    origins = [(s.name, shown(s.value) if "://" in s.value else s.value, s.origin) for s in settings.origins]
    if json:
        print_json(
            {
                "checks": [row._asdict() for row in found],
                "settings": [{"name": n, "value": v, "origin": o} for n, v, o in origins],
            }
        )
    else:
        print_table("本机检查", ("项目", "结果", "情况", "改法"), _rows(found))
        print_table("生效的设置", ("设置", "值", "来源"), origins)
    raise typer.Exit(0 if all(row.good for row in found) else 3)


def _rows(found: list[Finding]) -> Iterator[tuple[str, str, str, str]]:
    return ((row.name, "正常" if row.good else "缺少", row.seen, "" if row.good else row.fix) for row in found)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), version, "安装 Python 3.11 或更高版本")


def _browser() -> Finding:
    from crawler.rendering import find_browser

    browser = find_browser()
    fix = "Debian/Ubuntu：apt-get install chromium；或用 INSPECT_BROWSER 指明浏览器路径"
    return Finding("浏览器", browser is not None, str(browser or "没有找到 Chromium，只能做静态巡查"), fix)


def _ipv6() -> Finding:
    from crawler.probes.ipv6 import has_ipv6_route

    routed = has_ipv6_route()
    fix = "请网络管理员为本机开通 IPv6；在此之前 IPv6 可达性各项记为「无法判定」"
    return Finding("IPv6 出口", routed, "有" if routed else "没有通往公网的 IPv6 路由", fix)


def _configuration(folder: Path) -> Finding:
    from config.loader import load
    from config.problem import ConfigurationError

    try:
        configuration = load(folder)
    except ConfigurationError as error:
        return Finding("配置", False, f"{len(error.problems)} 处错误", "运行 inspect config check 逐条查看")
    return Finding("配置", True, f"{len(configuration.inventory.units)} 个单位，规则版本 {configuration.rules.version}")


def _database(url: str) -> Finding:
    from storage.database import is_current, is_empty, open_database
    from storage.errors import StorageError

    try:
        database = open_database(url)
        empty, current = is_empty(database), is_current(database)
        database.close()
    except StorageError as error:
        return Finding("数据库", False, str(error), "按上述说明处理")
    return Finding("数据库", empty or current, "新库，首次巡查时建表" if empty else "可用", "运行 inspect db upgrade")


def _signing_key(settings: Settings) -> Iterator[Finding]:
    """Yield how the signing key is, where one is set: only its fingerprint is shown."""
    from config.loader import load
    from config.problem import ConfigurationError
    from storage.errors import SigningKeyRefused
    from storage.signing import fingerprint, load_key, public_key_of

    try:
        path = settings.signing_key or load(settings.config).inventory.evidence.signing_key
        if path:
            yield Finding("签名密钥", True, f"指纹 {fingerprint(public_key_of(load_key(Path(path))))}")
    except ConfigurationError:
        return  # told above
    except SigningKeyRefused as error:
        yield Finding("签名密钥", False, str(error), "按上述说明处理")


def _disk(folder: Path) -> Finding:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    return Finding("磁盘", free >= FREE_BYTES_WANTED, f"剩余 {free / 1e9:.1f} GB", "清理磁盘，或用 INSPECT_DATA 换一处")
