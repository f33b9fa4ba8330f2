"""Commands that show what was found: findings and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import CheckOption, ConfigOption, DatabaseOption, DataOption, DateOption, JsonOption, UnitOption

if TYPE_CHECKING:
    from inspection.place import Place
    from storage.model import ReviewEvent, StoredFinding

StateOption = Annotated[
    str | None, typer.Option("--state", help="只看今天处于某种状态的，如 待确认、整改中。", metavar="状态")
]
RunOption = Annotated[
    int | None, typer.Option("--run", help="只看某次巡查；默认最近一次已完成的巡查。", metavar="编号")
]
OutcomeOption = Annotated[
    str,
    typer.Option(
        "--outcome", help="结果：FAIL、PASS、NOTICE、INCONCLUSIVE、NOT_TESTED、ERROR，或 all。", metavar="结果"
    ),
]
LimitOption = Annotated[int | None, typer.Option("--limit", help="每个单位最多列出多少条；默认全部。", min=1)]

findings_app = typer.Typer(
    help="列出问题；inspect findings show 编号 查看单条的全部情况。", invoke_without_command=True
)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(findings_app, name="findings")
    app.command("scores", help="查看某日的正式得分和名次。示例：inspect scores --date 2026-11-23")(scores)


@findings_app.callback()
def findings(
    context: typer.Context,
    unit: UnitOption = None,
    check: CheckOption = None,
    state: StateOption = None,
    run: RunOption = None,
    outcome: OutcomeOption = "FAIL",
    limit: LimitOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """列出问题。示例：inspect findings --unit 区教育局 --check open_attribute"""
    if context.invoked_subcommand is not None:
        return
    from cli.output import print_json
    from cli.parsing import known_check, known_outcome, known_state, unit_ids
    from cli.tables import print_findings
    from inspection.place import opened
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        wanted = known_check(check), known_outcome(outcome), known_state(state)
        stored = [
            row
            for unit_id in unit_ids(place, unit) or (None,)
            for row in place.repository.findings(_run_that_saw(place, unit_id, run), unit_id, *wanted, limit)
        ]
        if json:
            print_json({"findings": _documents(place, stored)})
        else:
            print_findings(place, stored, title="问题清单", empty="没有符合条件的结果。")


def _documents(place: Place, findings: Sequence[StoredFinding]) -> list[dict[str, Any]]:
    """Return the findings with where their faults stand today; what is in no ledger keeps the state of its night."""
    from inspection.documents import finding_document
    from inspection.review_documents import standing_document
    from inspection.run import today

    day, faults = today(place), place.faults.known(row.finding.fingerprint for row in findings)
    return [
        finding_document(place, row) | (standing_document(fault, day) if fault else {})
        for row in findings
        for fault in [faults.get(row.finding.fingerprint)]
    ]


def _run_that_saw(place: Place, unit_id: str | None, number: int | None) -> int:
    """Return the run asked for, else the newest finished one that saw the unit; no list may pass for "no faults"."""
    from inspection.errors import NotInspected

    runs = place.repository.runs() if number is None else [place.repository.run(number)]
    for run in runs:
        if (number or (run.finished and run.looked)) and (unit_id is None or not run.units or unit_id in run.units):
            return run.id
    raise NotInspected("还没有检查过该单位的巡查；先运行 inspect run，或用 --run 换一次。")


@findings_app.command(
    "show", help="查看一条结果的全部情况：所见、应有、依据、证据、历史和复核经过。示例：inspect findings show 12"
)
def show(
    number: Annotated[int, typer.Argument(metavar="编号")],
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Show all that is known of one finding."""
    from cli.output import print_json
    from inspection.documents import sighting_document
    from inspection.place import opened
    from inspection.review_documents import event_document
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        stored, sightings = place.repository.finding(number)
        steps = place.faults.events(stored.finding.fingerprint)
        if json:
            (document,) = _documents(place, [stored])
            history = [sighting_document(sighting) for sighting in sightings]
            print_json(document | {"history": history, "review": [event_document(step) for step in steps]})
        else:
            _print_finding(place, stored, sightings, steps)


def scores(
    day: DateOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Show a day's published scores."""
    from cli.output import print_json
    from cli.parsing import parse_day
    from cli.tables import print_first_published, print_scores, print_site_verdicts
    from inspection.documents import scores_document
    from inspection.place import opened
    from inspection.run import today
    from inspection.settings import resolve

    with opened(resolve(config, data, database_url)) as place:
        stored = place.repository.scores(day=parse_day(day))
        wanted = stored[0].day if stored else parse_day(day) or today(place)
        listed = [row.score for row in stored]
        sites = place.repository.site_verdicts(max(row.run_id for row in stored)) if stored else []
        first = place.rescores.first_published(wanted)
        if json:
            print_json(scores_document(place, wanted, listed, sites, first))
        elif listed:
            print_scores(place, listed, title=f"{wanted} 每日巡查得分")
            print_first_published(place, listed, first, title=f"{wanted} 重新判定前后")
            print_site_verdicts(place, sites, title=f"{wanted} 站点单项否决")
        else:
            from cli.output import console

            console.print(f"{wanted} 没有巡查得分；先运行 inspect run。")


# ---------------------------------------------------------------- for people


def _print_finding(place: Place, stored: StoredFinding, sightings: Any, steps: Sequence[ReviewEvent]) -> None:
    from cli.commands.review import print_review
    from cli.output import print_table
    from cli.tables import check_title
    from inspection.documents import meta_of, position, unit_names
    from inspection.run import today

    finding, meta = stored.finding, meta_of(stored.finding.check)
    rows = [
        ("单位", unit_names(place).get(finding.unit_id, finding.unit_id)),
        ("检查", f"{check_title(finding.check)}（{finding.check}）"),
        ("结果", f"{finding.outcome}　{meta.reason_title(finding.reason) if meta else finding.reason}"),
        ("当时状态", stored.state),
        *([] if finding.weight else [("说明", "这一条来自复查，不计入得分")]),
        ("位置", position(place, finding.target, finding.item)),
        ("所见", finding.observed),
        ("应有", finding.expected),
        ("原文", finding.passage),
        ("所在处", finding.where),
        ("依据", meta.basis if meta else ""),
        ("首次发现", stored.first_seen),
        ("最近发现", stored.last_seen),
        ("规则版本", finding.rules_version),
        *(
            ("证据", f"{ref.warc_file} 偏移 {ref.offset} 记录 {ref.record_id} {ref.payload_digest}")
            for ref in finding.evidence
        ),
        ("截图", finding.screenshot.record_id if finding.screenshot else "无"),
    ]
    print_table(f"第 {stored.id} 条", ("项目", "内容"), rows)
    history = [(s.day, s.run_id, s.outcome, s.state) for s in sightings]
    print_table("历史", ("日期", "巡查", "结果", "状态"), history)
    fault = place.faults.fault(finding.fingerprint)
    if fault is not None:
        print_review(fault, steps, today(place))
