"""Evidence that is sealed: the key to sign with, and whether everything is still as it was sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.evidence import evidence_app
from cli.options import ConfigOption, DatabaseOption, DataOption, JsonOption

if TYPE_CHECKING:
    from inspection.evidence_check import Checked

SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add this module's commands to those about evidence."""
    evidence_app.command(
        "keygen",
        help="生成签名用的 Ed25519 私钥，只写进一个文件（权限 0600），不覆盖已有的。"
        "示例：inspect evidence keygen --out /etc/xuncha/signing-key.pem",
    )(keygen)
    evidence_app.command(
        "check",
        help="核对封存的证据：每个文件、数据库里的结果、签名和各夜之间的链；不符时退出码 6。"
        "示例：inspect evidence check ｜ inspect evidence check --run 7 ｜ inspect evidence check --all",
    )(check)
    evidence_app.command(
        "stamp",
        help="为还没有时间戳的封存清单补盖 RFC 3161 时间戳；时间戳服务写在 sites.toml 的 [evidence]。"
        "示例：inspect evidence stamp",
    )(stamp)


def keygen(
    out: Annotated[
        Path | None,
        typer.Option("--out", help="写到哪个文件；默认数据文件夹里的 signing-key.pem。", metavar="文件"),
    ] = None,
    data: DataOption = None,
) -> None:
    """Make a signing key and tell its public half."""
    from cli.output import console
    from inspection.settings import SIGNING_KEY_VARIABLE, resolve
    from storage.signing import create_key, fingerprint, public_key_of

    path = (out or resolve(None, data).data / "signing-key.pem").absolute()
    public_key = public_key_of(create_key(path))
    for sentence in (
        f"私钥：{path}（只有本账号能读；另行备份，不要和证据放在一起）",
        f"公钥：{public_key}",
        f"指纹：{fingerprint(public_key)}",
        f'启用：设环境变量 {SIGNING_KEY_VARIABLE}={path}，或在 sites.toml 的 [evidence] 写 signing_key = "{path}"。',
        "把公钥和指纹抄给审计方保存：以后核对签名靠它，不靠本机。",
    ):
        console.print(sentence, markup=False)


def check(
    run: Annotated[
        int | None, typer.Option("--run", help="只核对这一次巡查；默认最近一次。", metavar="编号", min=1)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="核对每一次巡查，从第一夜到最近一夜。")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    database_url: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Check sealed evidence on the machine that made it."""
    from cli.output import print_json
    from inspection.errors import InvalidInput
    from inspection.evidence_check import check_evidence
    from inspection.place import opened
    from inspection.settings import resolve

    if run is not None and every:
        raise InvalidInput("--run 和 --all 只能给一个：前者核对一次，后者核对全部。")
    with opened(resolve(config, data, database_url)) as place:
        checked = check_evidence(place, run, every=every)
    print_json(_document(checked)) if json else _print(checked)
    raise typer.Exit(checked.exit_code)


def stamp(config: ConfigOption = None, data: DataOption = None, database_url: DatabaseOption = None) -> None:
    """Have every sealed manifest without a time stamp stamped."""
    from cli.output import console
    from inspection.place import opened
    from inspection.settings import resolve
    from inspection.stamping import stamp_waiting

    with opened(resolve(config, data, database_url)) as place:
        count = len(stamp_waiting(place, most=None))
    console.print(f"盖了 {count} 个时间戳。" if count else "没有待盖时间戳的封存清单。")


def _document(checked: Checked) -> dict[str, object]:
    return {
        "runs": checked.runs,
        "files": checked.files,
        "bytes": checked.bytes,
        "links": checked.links,
        "signatures": checked.signatures,
        "unknown_signers": checked.unknown_signers,
        "stamps": checked.stamps,
        "unknown_authorities": checked.unknown_authorities,
        "cleared": {"files": checked.cleared_files, "bytes": checked.cleared_bytes},
        "waiting": checked.waiting,
        "cuts": checked.cuts,
        "broken": [{"run": one.run, "where": one.where, "what": one.what} for one in checked.broken],
    }


def _print(checked: Checked) -> None:
    from cli.output import console, printable

    for broken in checked.broken[:SHOWN]:
        console.print(printable(broken))
    if len(checked.broken) > SHOWN:
        console.print(f"另有 {len(checked.broken) - SHOWN} 处不符，用 --json 查看全部。")
    console.print(
        f"核对了 {checked.runs} 次巡查：{checked.files} 个文件，共 {checked.bytes} 字节；"
        f"链 {checked.links} 处，签名 {checked.signatures} 个，时间戳 {checked.stamps} 个。"
    )
    if checked.cleared_files:
        console.print(f"其中已清理 {checked.cleared_files} 个文件，共 {checked.cleared_bytes} 字节。")
    if checked.waiting:
        numbers = "、".join(map(str, checked.waiting))
        console.print(f"待封存 {len(checked.waiting)} 次巡查（第 {numbers} 次），下次巡查会自动补上。")
    if checked.cuts:
        console.print(f"曾截断 {len(checked.cuts)} 处未写完的记录，最先的是：{printable(checked.cuts[0])}。")
    if checked.unknown_authorities:
        console.print(f"其中 {checked.unknown_authorities} 个时间戳只核对了摘要：没有设置 timestamp_certificates。")
    if checked.unknown_signers:
        console.print(f"其中 {checked.unknown_signers} 个签名本身有效，但本机没有设置密钥，认不出是谁签的。")
    console.print(
        f"不符 {len(checked.broken)} 处，最先的是：{printable(checked.broken[0])}" if checked.broken else "全部相符。"
    )
