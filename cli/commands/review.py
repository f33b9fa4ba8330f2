"""Commands of 复核: what people do about faults, one by one or many at once, and where each fault stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import CheckOption, ConfigOption, DatabaseOption, DataOption, JsonOption, UnitOption

if TYPE_CHECKING:
    from inspection.place import Place
    from inspection.reviewing import Taken
    from scoring.review import Step
    from storage.model import Fault, ReviewEvent

SHOWN = 50  # rows of a preview; --json tells all of them
LONGEST_NUMBER = 18  # digits
EXAMPLES = "示例：inspect review list --unit 区教育局 ｜ inspect review rectify 12 15 --until 2026-12-10 --by 张三"
BULK = "不写编号而用 --unit、--check、--state、--target 筛选时，先只列出会改动什么，加 --yes 才执行。"

review_app = typer.Typer(
    help=f"问题的复核：确认、责令整改、豁免、申诉、裁定，逐条或成批，每一步都记下谁、何时、为何。{EXAMPLES}",
    no_args_is_help=True,
)

FindingsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="问题的编号，可写多个；见 inspect findings 或 inspect review list。有一个办不了，就一个也不办。",
        metavar="[编号]...",
        show_default=False,
    ),
]
StateOption = Annotated[str | None, typer.Option("--state", help="只看某种状态，如 待确认、整改中。", metavar="状态")]
TargetOption = Annotated[
    str | None, typer.Option("--target", help="只看位置以此开头的，如 http://www.example.gov.cn/jyj/。", metavar="网址")
]
OverdueOption = Annotated[bool, typer.Option("--overdue", help="只看逾期未改的：过了期限，之后的巡查又看到。")]
YesOption = Annotated[bool, typer.Option("--yes", help="执行；不加只预览，什么也不改。")]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by",
        help="经办人姓名，必须写明；默认取环境变量 INSPECT_REVIEWER。",
        envvar="INSPECT_REVIEWER",
        show_envvar=False,
        metavar="姓名",
    ),
]
WhyOption = Annotated[
    str, typer.Option("--why", help="理由；申诉、裁定、豁免必须写明。", metavar="理由", show_default=False)
]
AttachOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--attach", help="附上一个文件（至多 50 MB），可写多次；存一份，并记下 SHA-256。", metavar="文件", dir_okay=True
    ),
]
DeadlineOption = Annotated[
    str | None, typer.Option("--until", help="整改期限（含当日），形如 2026-12-10。", metavar="日期")
]
WaiverOption = Annotated[
    str | None, typer.Option("--until", help="豁免到哪一天（含当日），形如 2026-12-31。", metavar="日期")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(review_app, name="review")


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which faults are meant: by number, or by what they have in common."""

    numbers: tuple[str, ...]
    units: tuple[str, ...]
    check: str | None
    state: str | None
    target: str | None

    @property
    def filtered(self) -> bool:
        """Whether they are chosen by what they have in common."""
        return bool(self.units or self.check or self.state or self.target)


@dataclass(frozen=True, slots=True)
class _Step:
    """What was typed of one step."""

    by: str | None
    why: str = ""
    files: tuple[Path, ...] = ()
    until: str | None = None
    yes: bool = False


@dataclass(frozen=True, slots=True)
class _Where:
    """Where the data is, and how to answer."""

    config: Path | None
    data: Path | None
    database_url: str | None
    json: bool


# ---------------------------------------------------------------- the list


@review_app.command(
    "list",
    help="列出台账里的问题，待办的在前，期限近的在前。"
    "示例：inspect review list --unit 区教育局 --state 整改中 ｜ inspect review list --overdue",
)
def list_faults(
    unit: UnitOption = None,
    check: CheckOption = None,
    state: StateOption = None,
    target: TargetOption = None,
    overdue: OverdueOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """List the faults of the ledger."""
    from cli.output import print_json
    from inspection.place import opened
    from inspection.review_documents import list_document, open_first
    from inspection.run import today
    from inspection.settings import resolve

    choice = _Choice((), tuple(unit or ()), check, state, target)
    with opened(resolve(config, data, database_url)) as place:
        day = today(place)
        faults = open_first(place, _chosen(place, choice, overdue_on=day if overdue else None))
        if json:
            print_json(list_document(place, faults, day))
        else:
            _print_faults(place, faults, day)


# ---------------------------------------------------------------- the steps


@review_app.command(
    "confirm",
    short_help="确认待确认的问题属实，从今天起计入得分。",
    help=f"确认：待确认的问题由人核实属实，从今天起计入得分。{BULK}"
    "示例：inspect review confirm 12 --by 张三 ｜ inspect review confirm --unit 区教育局 --check dead_links --yes",
)
def confirm(
    findings: FindingsArgument = None,
    unit: UnitOption = None,
    check: CheckOption = None,
    state: StateOption = None,
    target: TargetOption = None,
    yes: YesOption = False,
    by: ByOption = None,
    why: WhyOption = "",
    attach: AttachOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Confirm faults."""
    from scoring.review import Step

    step = _Step(by, why, tuple(attach or ()), yes=yes)
    choice = _Choice(tuple(findings or ()), tuple(unit or ()), check, state, target)
    _take(Step.CONFIRM, choice, step, _Where(config, data, database_url, json))


@review_app.command(
    "rectify",
    short_help="责令整改，写明期限。",
    help=f"责令整改，写明期限；之后每次巡查都复查这一页，查见已改自动记为“已整改”。{BULK}"
    "示例：inspect review rectify 12 15 --until 2026-12-10 --by 张三 ｜ "
    "inspect review rectify --unit 区教育局 --state 已确认 --until 2026-12-10 --yes",
)
def rectify(
    findings: FindingsArgument = None,
    unit: UnitOption = None,
    check: CheckOption = None,
    state: StateOption = None,
    target: TargetOption = None,
    until: DeadlineOption = None,
    yes: YesOption = False,
    by: ByOption = None,
    why: WhyOption = "",
    attach: AttachOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Order the rectification of faults."""
    from scoring.review import Step

    step = _Step(by, why, tuple(attach or ()), until, yes)
    choice = _Choice(tuple(findings or ()), tuple(unit or ()), check, state, target)
    _take(Step.RECTIFY, choice, step, _Where(config, data, database_url, json))


@review_app.command(
    "waive",
    short_help="豁免到某日，不计入得分。",
    help=f"豁免到某日（含当日），不计入得分；到期，或者看到的情况变了，自动恢复。要写理由。{BULK}"
    "示例：inspect review waive 12 --until 2026-12-31 --why 网站集约化迁移 --attach 批件.pdf --by 张三",
)
def waive(
    findings: FindingsArgument = None,
    unit: UnitOption = None,
    check: CheckOption = None,
    state: StateOption = None,
    target: TargetOption = None,
    until: WaiverOption = None,
    yes: YesOption = False,
    by: ByOption = None,
    why: WhyOption = "",
    attach: AttachOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Waive faults until a day."""
    from scoring.review import Step

    step = _Step(by, why, tuple(attach or ()), until, yes)
    choice = _Choice(tuple(findings or ()), tuple(unit or ()), check, state, target)
    _take(Step.WAIVE, choice, step, _Where(config, data, database_url, json))


@review_app.command(
    "appeal",
    short_help="登记单位的申诉。",
    help=f"登记单位的申诉，写明理由；之后由另一人裁定。{BULK}"
    "示例：inspect review appeal 12 --why 附件里已标注公开属性 --attach 申诉函.pdf --by 张三",
)
def appeal(
    findings: FindingsArgument = None,
    unit: UnitOption = None,
    check: CheckOption = None,
    state: StateOption = None,
    target: TargetOption = None,
    yes: YesOption = False,
    by: ByOption = None,
    why: WhyOption = "",
    attach: AttachOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Enter a unit's appeal."""
    from scoring.review import Step

    step = _Step(by, why, tuple(attach or ()), yes=yes)
    choice = _Choice(tuple(findings or ()), tuple(unit or ()), check, state, target)
    _take(Step.APPEAL, choice, step, _Where(config, data, database_url, json))


@review_app.command(
    "decide",
    short_help="裁定申诉：维持或撤销。",
    help="裁定申诉：--uphold 维持，或 --revoke 撤销（不是问题，计入过它的日子重新算分）。"
    f"确认、责令整改或登记申诉的人不能裁定。{BULK}"
    "示例：inspect review decide 12 --revoke --why 经核实附件第1页已标注 --by 李四",
)
def decide(
    findings: FindingsArgument = None,
    uphold: Annotated[bool, typer.Option("--uphold", help="维持：问题成立，整改期限照旧。")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="撤销：不是问题，已发布的得分重新算过。")] = False,
    unit: UnitOption = None,
    check: CheckOption = None,
    state: StateOption = None,
    target: TargetOption = None,
    yes: YesOption = False,
    by: ByOption = None,
    why: WhyOption = "",
    attach: AttachOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Decide appeals."""
    from inspection.errors import InvalidInput
    from scoring.review import Step

    if uphold is revoke:
        raise InvalidInput("裁定要在 --uphold（维持）和 --revoke（撤销）里写明一个。")
    step = _Step(by, why, tuple(attach or ()), yes=yes)
    choice = _Choice(tuple(findings or ()), tuple(unit or ()), check, state, target)
    _take(Step.UPHOLD if uphold else Step.REVOKE, choice, step, _Where(config, data, database_url, json))


def _take(step: Step, choice: _Choice, typed: _Step, where: _Where) -> None:
    """Take a step on the faults chosen; those chosen by what they have in common are only shown first."""
    from cli.parsing import parse_day
    from cli.progress import shown
    from inspection.handing_in import keep, read_files
    from inspection.place import opened
    from inspection.reviewing import take
    from inspection.settings import resolve

    files, until = read_files(typed.files), parse_day(typed.until)
    with opened(resolve(where.config, where.data, where.database_url)) as place:
        references, by = _references(place, choice), _reviewer(typed.by)
        together = bool(choice.numbers)
        taking = partial(take, place, references, step, by=by, why=typed.why, until=until, together=together)
        outlook = taking(preview=True)
        if together:
            _require_all(step, outlook)
        elif not typed.yes:
            _tell(place, step, outlook, where, preview=True)
            return
        with shown(quiet=where.json) as progress:
            taken = taking(attachments=keep(place, files), progress=progress)
        if together:  # somebody else may have been quicker
            _require_all(step, taken)
        _tell(place, step, taken, where, preview=False)


def _reviewer(by: str | None) -> str:
    from inspection.errors import InvalidInput

    if not (by or "").strip():
        raise InvalidInput("没有写明经办人；请加 --by 姓名，或先设好环境变量 INSPECT_REVIEWER。")
    return str(by)


def _references(place: Place, choice: _Choice) -> list[str | int]:
    from inspection.errors import InvalidInput

    if choice.numbers and choice.filtered:
        raise InvalidInput("编号和 --unit、--check、--state、--target 只能用一样：要么写编号，要么筛选。")
    if not choice.numbers and not choice.filtered:
        raise InvalidInput("没有写明是哪些问题；请写编号，或用 --unit、--check、--state、--target 筛选。")
    if choice.numbers:
        return _numbers(choice.numbers)
    return [fault.fingerprint for fault in _chosen(place, choice)]


def _numbers(typed: Sequence[str]) -> list[str | int]:
    """Return the numbers typed; raises InvalidInput naming everything that is none."""
    from inspection.errors import InvalidInput

    wrong = [text for text in typed if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER)]
    if wrong:
        told = "、".join(f"“{text}”" for text in wrong)
        raise InvalidInput(f"{told}不是问题的编号；编号是数字，见 inspect review list。")
    return [int(text) for text in typed]


def _chosen(place: Place, choice: _Choice, overdue_on: date | None = None) -> list[Fault]:
    from cli.parsing import known_check, known_state, unit_ids

    state = known_state(choice.state)
    faults = place.faults.faults(
        unit_ids(place, choice.units),
        known_check(choice.check),
        states=None if state is None else [state],
        overdue_on=overdue_on,
    )
    return [fault for fault in faults if fault.target.startswith(choice.target or "")]


def _require_all(step: Step, outlook: Sequence[Taken]) -> None:
    """Raise InvalidInput naming each fault that cannot take the step."""
    from inspection.errors import InvalidInput

    refused = [one for one in outlook if one.refused]
    if refused:
        told = "\n".join(f"第 {one.reference} 号：{one.refused}" for one in refused)
        raise InvalidInput(f"有 {len(refused)} 个问题不能办理“{step}”，所以一个也没有办：\n{told}")


# ---------------------------------------------------------------- for people


def _tell(place: Place, step: Step, taken: Sequence[Taken], where: _Where, *, preview: bool) -> None:
    from cli.output import print_json
    from inspection.review_documents import step_document
    from inspection.run import today

    if where.json:
        print_json(step_document(place, step, taken, today(place), preview=preview))
    elif preview:
        _print_preview(place, step, taken)
    else:
        _print_outcome(place, step, taken)


def _print_preview(place: Place, step: Step, taken: Sequence[Taken]) -> None:
    from cli.output import console

    changing = [one for one in taken if not one.refused]
    skipped = [one for one in taken if one.refused]
    if not taken:
        console.print("没有符合条件的问题。")
        return
    _print_taken(place, f"预览：将办理“{step}”的 {len(changing)} 个问题", changing)
    if skipped:
        _print_taken(place, f"跳过的 {len(skipped)} 个问题", skipped)
    console.print(
        "以上只是预览，什么也没有改动；确认无误后，在同一条命令后面加 --yes 执行。"
        if changing
        else "没有一个可以办理，什么也没有改动。"
    )


def _print_taken(place: Place, title: str, taken: Sequence[Taken]) -> None:
    from cli.output import console, print_table

    rows = [
        (*_named(place, one.before), one.before.state, one.refused or _result(one), _position(place, one.before))
        for one in taken[:SHOWN]
        if one.before is not None
    ]
    heads = ("编号", "单位", "问题", "现状", "跳过的原因" if taken and taken[0].refused else "改为", "位置")
    print_table(title, heads, rows, empty="没有可以办理的问题。")
    if len(taken) > SHOWN:
        console.print(f"……另有 {len(taken) - SHOWN} 个；加 --json 可看全部。")


def _named(place: Place, fault: Fault) -> tuple[int, str, str]:
    """Return a fault's number, its unit's name, and in Chinese what it is."""
    from inspection.documents import meta_of, unit_names

    meta = meta_of(fault.check)
    what = f"{meta.title}：{meta.reason_title(fault.reason)}" if meta else f"{fault.check}：{fault.reason}"
    return fault.finding_id, unit_names(place).get(fault.unit_id, fault.unit_id), what


def _position(place: Place, fault: Fault) -> str:
    from inspection.documents import position

    return position(place, fault.target, fault.item)


def _result(one: Taken) -> str:
    assert one.fault is not None
    until = one.fault.waived_until or one.fault.deadline
    return f"{one.fault.state}（至 {until}）" if until else str(one.fault.state)


def _print_outcome(place: Place, step: Step, taken: Sequence[Taken]) -> None:
    from cli.output import console, printable
    from inspection.documents import unit_names
    from inspection.review_documents import rescored_days

    skipped = Counter(one.refused for one in taken if one.refused)
    console.print(f"已办理“{step}”：{len(taken) - skipped.total()} 个问题；跳过 {skipped.total()} 个。")
    for why, count in skipped.most_common():
        console.print(printable(f"跳过 {count} 个：{why}"))
    names = unit_names(place)
    for unit_id, days in rescored_days(taken).items():
        told = "、".join(str(day) for day in days)
        console.print(f"{names.get(unit_id, unit_id)}已发布的得分重新算过：{told}。", markup=False)


def _print_faults(place: Place, faults: Sequence[Fault], day: date) -> None:
    from cli.output import print_table
    from inspection.review_documents import last_steps

    last = last_steps(place, faults)
    rows = [
        (
            *_named(place, fault),
            fault.state,
            term(fault, day),
            _last(last.get(fault.fingerprint)),
            _position(place, fault),
        )
        for fault in faults
    ]
    heads = ("编号", "单位", "问题", "状态", "期限", "最后办理", "位置")
    print_table(f"问题台账（{day}，共 {len(faults)} 个）", heads, rows, empty="没有符合条件的问题。")


def term(fault: Fault, day: date) -> str:
    """Return in Chinese until when a fault is to be mended or is waived, and how long that is."""
    if fault.waived_until is not None:
        return f"豁免至 {fault.waived_until}"
    if fault.deadline is None:
        return "—"
    left = (fault.deadline - day).days
    if left >= 0:
        return f"{fault.deadline}（{f'还有 {left} 天' if left else '今天到期'}）"
    return f"{fault.deadline}（{f'逾期 {-left} 天' if fault.overdue_since else f'过期 {-left} 天，待复查'}）"


def _last(event: ReviewEvent | None) -> str:
    from storage.model import PROGRAM

    return f"{event.actor} {event.step} {event.day}" if event else PROGRAM


def print_review(fault: Fault, events: Sequence[ReviewEvent], day: date) -> None:
    """Print where a fault stands, and every step that led there."""
    from cli.output import print_table

    print_table("复核", ("项目", "内容"), [("现在的状态", fault.state), ("期限", term(fault, day))])
    rows: list[tuple[Any, ...]] = [
        (
            event.day,
            event.actor,
            event.step,
            event.state,
            event.until or "",
            event.why,
            "\n".join(f"{a.name}（{a.size} 字节，{a.digest}）" for a in event.attachments),
        )
        for event in events
    ]
    print_table("办理经过", ("日期", "经办", "步骤", "此后", "至", "理由", "附件"), rows)
