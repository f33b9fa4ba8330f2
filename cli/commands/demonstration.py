"""The demonstration: the made-up district served on loopback and inspected as on any night."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import DatabaseOption, DataOption, DateOption

if TYPE_CHECKING:
    from fixtures.district.agreement import Agreement
    from inspection.place import Place
    from inspection.run import RunReport

HTTP_PORT, DNS_PORT = 18080, 18053
WORST = 10
ServeOption = Annotated[bool, typer.Option("--serve", help="只架起演示网站并一直开着，供另一个终端抽查。")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("demo", help="演示：在本机架起虚构的区政府网站（34 个单位），做一次完整的每日巡查。")(demo)


def demo(
    serve: ServeOption = False, day: DateOption = None, data: DataOption = None, database_url: DatabaseOption = None
) -> None:
    """Inspect the made-up district, print the league table and the worst findings, and say what to type next."""
    from cli.output import console
    from cli.parsing import parse_day
    from cli.progress import shown
    from cli.stopping import interruptible
    from fixtures.district import past
    from inspection.place import opened
    from inspection.run import Request, inspect_units
    from inspection.settings import resolve
    from storage.model import RunKind

    folder = resolve(None, data).data / "demo"
    with _served(parse_day(day)) as served, interruptible():
        served.write_config(folder / "config")
        settings = resolve(folder / "config", folder, database_url)
        with opened(settings) as place, shown() as progress:
            past.plant(place.repository, served.world)
            if serve:
                _stay(folder, served)
            report = inspect_units(place, Request(RunKind.NIGHTLY, served.day), progress)
            console.print(f"演示区共 {len(report.scores)} 个单位，网址都在本机，内容全是虚构。", markup=False)
            agreement = _agreement(place, report, served)
            _print(place, report, agreement)
            files = _write_reports(place, report)
        _print_next(folder, files)
    raise typer.Exit(report.exit_code if agreement.perfect else max(report.exit_code, 3))


@contextmanager
def _served(day: Any) -> Iterator[Any]:
    """Serve the district, on the usual ports if they are free, so that its addresses stay the same from run to run."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from fixtures.district.server import serve

    day = day or datetime.now(ZoneInfo("Asia/Shanghai")).date()
    try:
        context = serve(day, http_port=HTTP_PORT, dns_port=DNS_PORT)
        served = context.__enter__()
    except OSError:
        context = serve(day)
        served = context.__enter__()
    try:
        yield served
    finally:
        context.__exit__(None, None, None)


def _stay(folder: Path, served: Any) -> None:
    from cli.output import console

    console.print(
        f"演示网站已架起（HTTP 端口 {served.http_port}，DNS 端口 {served.dns_port}）。在另一个终端里：", markup=False
    )
    console.print(f"  export INSPECT_CONFIG={folder / 'config'} INSPECT_DATA={folder}", markup=False)
    console.print("  inspect --unit 区教育局", markup=False)
    console.print("按 Ctrl+C 停止。")
    threading.Event().wait()


def _agreement(place: Place, report: RunReport, served: Any) -> Agreement:
    from fixtures.district.agreement import compare
    from fixtures.district.faults import answer_key

    stored = place.repository.findings(run_id=report.run.id)
    return compare(answer_key(served.world), (row.finding for row in stored))


def _print(place: Place, report: RunReport, agreement: Agreement) -> None:
    from checks.model import Outcome
    from cli.tables import print_findings, print_scores

    print_scores(place, report.scores, title=f"{report.run.day} 每日巡查得分")
    failing = place.repository.findings(run_id=report.run.id, outcome=Outcome.FAIL)
    print_findings(place, _worst(place, failing), title=f"最要紧的问题（共 {len(failing)} 条，此处 {WORST} 条）")
    _print_agreement(agreement)


def _worst(place: Place, failing: list[Any]) -> list[Any]:
    """Return the gravest findings, one a check before a second of any."""
    gravity = {"high": 0, "medium": 1, "low": 2}
    rules = place.configuration.rules.checks
    seen: dict[str, int] = {}

    def order(row: Any) -> tuple[int, int]:
        check = row.finding.check
        seen[check] = seen.get(check, 0) + 1
        return seen[check], gravity[rules.row(check).severity]

    return [row for _, row in sorted(((order(row), row) for row in failing), key=lambda pair: pair[0])][:WORST]


def _print_agreement(agreement: Agreement) -> None:
    from checks.registry import CHECKS
    from cli.output import console, print_table

    parts = [(check.META.title, agreement.of_check(check.META.id)) for check in CHECKS]
    rows = [
        (
            title,
            len(p.found) + len(p.missed),
            len(p.found),
            len(p.missed),
            len(p.invented),
            _or_dash(p.precision),
            _or_dash(p.recall),
        )
        for title, p in [*parts, ("合计", agreement)]
    ]
    print_table("与答案核对（演示网站里埋的毛病）", ("检查", "埋下", "找到", "漏掉", "误报", "查准", "查全"), rows)
    for word, rows_ in (("漏掉", agreement.missed), ("误报", agreement.invented)):
        for row in sorted(rows_)[:WORST]:
            console.print(f"{word}：{row.unit_id} {row.check} {row.target} {row.item} {row.reason}", markup=False)


def _or_dash(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def _write_reports(place: Place, report: RunReport) -> list[Path]:
    """Write the day's workbook and page, and one unit's evidence as an auditor would get it."""
    from inspection.exporting import export_evidence
    from inspection.progress import Progress
    from inspection.reporting import write_daily_reports
    from inspection.selection import Asked

    files = write_daily_reports(place, report.run, place.settings.reports)
    worst = min(report.scores, key=lambda score: (score.score is None, score.score))
    evidence = place.settings.reports / f"{worst.unit_id}-{report.run.day}.wacz"
    export_evidence(place, Asked((worst.unit_id,), report.run.day), evidence, Progress())
    return [*files, evidence]


def _activation() -> Iterator[str]:
    """Yield the line that puts the command `inspect` on the shell's path, unless it is there."""
    if shutil.which("inspect") is None:
        folder = Path(sys.prefix)
        shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
        yield f"source {shown}/bin/activate"


def _print_next(folder: Path, files: list[Path]) -> None:
    from cli.output import console, print_files

    print_files(files)
    console.print("接下来可以：", markup=False)
    for line in (
        *_activation(),
        f"export INSPECT_CONFIG={folder / 'config'} INSPECT_DATA={folder}",
        "inspect findings --unit 区教育局        # 看一个单位的问题",
        "inspect findings show 1                 # 看一条结果的依据和证据",
        "inspect demo --serve                    # 架起演示网站，另开终端再 inspect --unit 区教育局",
    ):
        console.print(f"  {line}", markup=False)
