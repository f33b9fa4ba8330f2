"""Commands that inspect: the spot check, the nightly run, the schedule."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConfigOption, DatabaseOption, DataOption, DateOption, JsonOption, UnitOption

if TYPE_CHECKING:
    from crawler.probes.availability import Look
    from inspection.crawling import Crawling
    from inspection.place import Place
    from inspection.run import RunReport

SHOWN_FINDINGS = 30
EXIT_NOTHING = 4
WORKER_EXAMPLE = "示例：inspect worker ｜ inspect worker --concurrency 4"
PROBE_EXAMPLE = "示例：inspect probe ｜ inspect probe --json"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    example = "示例：inspect run ｜ inspect run --resume ｜ inspect run --unit 区教育局"
    app.command("run", help=f"做一次每日巡查（供 cron 每夜调用）。{example}")(run)
    app.command(
        "schedule",
        help="常驻运行，每夜按 sites.toml 里定的时刻自动巡查，漏掉的一夜会补做；白天黑夜定时看各站点首页能不能打开。",
    )(schedule)
    app.command(
        "worker",
        help="在本机等候并承担 inspect run --distributed 分派的采集（多台机器共用一个 PostgreSQL 和证据文件夹）。"
        f"{WORKER_EXAMPLE}",
    )(worker)
    app.command("probe", help=f"看一次各站点首页能不能打开并记下（供 cron 每小时调用）。{PROBE_EXAMPLE}")(probe)


def run(
    unit: UnitOption = None,
    day: DateOption = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="继续最近一次未完成的巡查（给出 --date 则为那一天的），已采集的页面不再重采。"),
    ] = False,
    distributed: Annotated[
        bool,
        typer.Option("--distributed", help="采集交给各台机器上的 inspect worker，本机判定和评分；需要 PostgreSQL。"),
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Run the nightly inspection once and publish the day's scores."""
    from cli.parsing import parse_day, unit_ids
    from cli.progress import shown
    from cli.stopping import interruptible
    from inspection.logs import keep_logs
    from inspection.place import opened
    from inspection.run import Request, inspect_units
    from inspection.settings import resolve
    from storage.model import RunKind

    settings = resolve(config, data, database_url)
    keep_logs(settings.data / "logs")
    with opened(settings) as place, shown(quiet=json) as progress, interruptible():
        request = Request(RunKind.NIGHTLY, parse_day(day), unit_ids(place, unit), resume)
        report = inspect_units(place, request, progress, _by_workers(place) if distributed else None)
        from inspection.reporting import leave_daily_reports  # with what writes workbooks: a night is large without it

        files = leave_daily_reports(place, report.run, progress.say)
        _print_json(place, report, files) if json else _print_run(place, report, files)
    raise typer.Exit(report.exit_code)


def spot_check(units: list[str], config: Path | None, data: Path | None, database_url: str | None, json: bool) -> int:
    """Inspect some units at once and print their findings and scores; returns the exit code."""
    from cli.parsing import unit_ids
    from cli.progress import shown
    from cli.stopping import interruptible
    from inspection.logs import keep_logs
    from inspection.place import opened
    from inspection.run import Request, inspect_units
    from inspection.settings import resolve
    from storage.model import RunKind

    settings = resolve(config, data, database_url)
    keep_logs(settings.data / "logs")
    with opened(settings) as place:
        request = Request(RunKind.SPOT, unit_ids=unit_ids(place, units))
        with shown(quiet=json) as progress, interruptible():
            report = inspect_units(place, request, progress)
        _print_json(place, report) if json else _print_spot_check(place, report)
    return report.exit_code


def schedule(
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port",
            help="在本机（127.0.0.1）的这个端口提供 Prometheus 指标。",
            metavar="端口",
            min=1,
            max=65535,
        ),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Stay and inspect every night."""
    import scheduler
    from cli.output import console
    from cli.stopping import EXIT_INTERRUPTED, interruptible
    from inspection.logs import keep_logs
    from inspection.metrics import serve_metrics
    from inspection.settings import resolve

    settings = resolve(config, data, database_url)
    keep_logs(settings.data / "logs")
    with interruptible():
        try:
            if metrics_port is not None:
                serve_metrics(settings.data, metrics_port)
            scheduler.serve(settings, say=lambda sentence: console.print(sentence, markup=False))
        except KeyboardInterrupt:
            console.print("已停止；进行中的巡查下次启动时继续。")
            sys.stdout.flush()
            # An orderly exit would wait for the night in the scheduler's thread; its children end with this process.
            os._exit(EXIT_INTERRUPTED)


def worker(
    concurrency: Annotated[
        int, typer.Option("--concurrency", help="同时采集几个网站（主机）。", metavar="个数", min=1, max=64)
    ] = 1,
    data: DataOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Take crawling jobs until stopped."""
    from cli.output import errors, printable
    from distribution.worker import work
    from inspection.logs import keep_logs
    from inspection.settings import resolve

    settings = resolve(None, data, database_url)
    keep_logs(settings.data / "logs")
    work(settings, concurrency, lambda sentence: errors.print(printable(sentence)))


def probe(
    config: ConfigOption = None, data: DataOption = None, database_url: DatabaseOption = None, json: JsonOption = False
) -> None:
    """Look once at every site's home page."""
    from cli.output import print_json, print_table
    from crawler.probes.availability import Opening
    from inspection.availability import probe_homes
    from inspection.place import opened
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        looks = probe_homes(place)
        names = {site.id: site.name for site in place.configuration.inventory.sites}
    if json:
        print_json({"sites": [_look_document(look) for look in looks]})
    else:
        rows = ((names[look.site_id], look.opening.value, look.failure.title if look.failure else "") for look in looks)
        print_table("各站点首页", ("站点", "结果", "原因"), rows, empty="各站点的 robots.txt 都不允许访问，没有探测。")
    raise typer.Exit(EXIT_NOTHING if looks and all(look.opening is Opening.OURS for look in looks) else 0)


def _look_document(look: Look) -> dict[str, Any]:
    return {
        "site": look.site_id,
        "result": look.opening.name.lower(),
        "failure": look.failure.code if look.failure else None,
    }


def _by_workers(place: Place) -> type[Crawling]:
    """Return who crawls on several machines; raises NeedsPostgresql before a run is begun."""
    from distribution.crawling import DistributedCrawling
    from distribution.queue import Queue

    Queue(place.settings.database_url).prepare()
    return DistributedCrawling


# ---------------------------------------------------------------- what is shown


def _print_spot_check(place: Place, report: RunReport) -> None:
    from checks.model import Outcome
    from cli.tables import print_findings, print_scores

    stored = place.repository.findings(run_id=report.run.id, outcome=Outcome.FAIL)
    print_findings(
        place, stored[:SHOWN_FINDINGS], title=f"抽查发现的问题（第 {report.run.id} 次巡查，{report.run.day}）"
    )
    if len(stored) > SHOWN_FINDINGS:
        _say(f"另有 {len(stored) - SHOWN_FINDINGS} 条，用 inspect findings --run {report.run.id} 查看全部。")
    print_scores(place, report.scores, title="抽查得分（不计入当日正式得分）")
    _print_ending(report)


def _print_run(place: Place, report: RunReport, files: Sequence[Path]) -> None:
    from cli.tables import print_scores

    print_scores(place, report.scores, title=f"{report.run.day} 每日巡查得分（第 {report.run.id} 次巡查）")
    _print_politeness(place, report)
    _print_ending(report)
    for path in files:
        _say(f"报告：{path}")


def _print_politeness(place: Place, report: RunReport) -> None:
    """Say what was kept from us, and what was slow."""
    from inspection.politeness import politeness_of

    told = politeness_of(place, report.run)
    for unread in told.unread:
        _say(f"没有读到　{unread.sentence}。")
    for sentence in told.warnings:
        _say(sentence)
    for slow in told.slow_sites:
        _say(f"最慢的站点　{slow.site}：平均 {slow.seconds:.1f} 秒。")
    for slow in told.slow_pages:
        _say(f"最慢的页面　{slow.seconds:.1f} 秒　{slow.url}")


def _print_ending(report: RunReport) -> None:
    captured = report.captures.get("ok", 0)
    failed = sum(report.captures.values()) - captured
    _say(f"采集 {captured} 个页面，未采到 {failed} 个；问题 {report.findings.get('FAIL', 0)} 条。")
    for site, reason in report.failed_sites.items():
        _say(f"站点 {site} 未采集：{reason}。")
    if report.unsealed:
        _say(f"巡查已完成，但证据还没有封存：{report.unsealed}")
    elif report.exit_code:
        _say("有单位未能评分，原因见上表；不是单位的过错，不计为失分。")
    _say(f"查看问题：inspect findings --run {report.run.id}　查看单条：inspect findings show 编号")


def _say(sentence: str) -> None:
    from cli.output import console

    console.print(sentence, markup=False)


def _print_json(place: Place, report: RunReport, files: Sequence[Path] = ()) -> None:
    from cli.output import print_json

    print_json(run_document(place, report) | {"reports": [str(path) for path in files]})


def run_document(place: Place, report: RunReport) -> dict[str, Any]:
    """Return `inspect run --json`'s document."""
    from dataclasses import asdict

    from inspection.politeness import politeness_of

    names = {unit.id: unit.name for unit in place.configuration.inventory.units}
    return {
        "run": report.run.id,
        "kind": report.run.kind,
        "day": _plain(report.run.day),
        "units": [
            {
                "unit": names[score.unit_id],
                "state": score.state,
                "score": score.score,
                "coverage": round(score.coverage, 4),
                "reasons": list(score.reasons),
            }
            for score in report.scores
        ],
        "captures": dict(report.captures),
        "findings": dict(report.findings),
        "failed_sites": dict(report.failed_sites),
        "unsealed": report.unsealed or None,
        "politeness": asdict(politeness_of(place, report.run)),
    }


def _plain(day: date) -> str:
    return day.isoformat()
