"""Commands that look at one thing: a page, or a host's IPv6."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from checks.facts.model import PageFacts
    from checks.model import Finding

PageArgument = Annotated[str, typer.Argument(metavar="文件或网址")]
UrlOption = Annotated[
    str | None, typer.Option("--url", help="文件原来的网址，用来补全相对链接、旁证日期。", metavar="网址")
]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="以哪天为准判断；默认今天。", metavar="日期")]
KindOption = Annotated[
    str | None,
    typer.Option(
        "--kind",
        help="页面类型，省略时自动判断：article、column、home、guide、application、annual_report、service_guide、catalog、other。",
        metavar="类型",
    ),
]
ResolverOption = Annotated[
    str | None,
    typer.Option("--resolver", help="向哪个 DNS 服务器查询，形如 127.0.0.1:5353；默认用本机的。", metavar="地址:端口"),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(
        "page", help="判读一个页面，说明依据。示例：inspect page 通知.html --as-of 2026-11-23 ｜ inspect page http://…"
    )(page)
    app.command("ipv6", help="逐个地址检测一个域名的 IPv6 支持情况。示例：inspect ipv6 www.luancheng.gov.cn")(ipv6)


def page(
    source: PageArgument,
    url: UrlOption = None,
    as_of: AsOfOption = None,
    kind: KindOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Judge one page."""
    from checks.facts.page import read_page
    from checks.registry import judge_page
    from cli.output import print_json
    from cli.parsing import known_kind, parse_day
    from config.loader import load
    from inspection.day import day_in
    from inspection.settings import resolve
    from inspection.single import fetch_or_open
    from reports.page_json import page_json

    configuration = load(resolve(config).config)
    document = fetch_or_open(source, url, configuration.inventory)
    day = parse_day(as_of) or day_in(configuration.inventory.district)
    facts = read_page(
        document.body, url=document.url, content_type=document.content_type, as_of=day, kind=known_kind(kind)
    )
    division = configuration.inventory.district.division_code
    findings = judge_page(
        facts,
        configuration.rules,
        day=day,
        division_code=division,
        failure=document.failure,
        kind_known=kind is not None,
    )
    print_json(page_json(facts, findings)) if json else _print_page(facts, findings)


def _print_page(facts: PageFacts, findings: tuple[Finding, ...]) -> None:
    from cli.output import print_table
    from cli.tables import check_title

    published = facts.published
    rows = [
        ("类型", facts.kind.value),
        ("标题", facts.title),
        ("发布日期", f"{published.date or '没有'}　{published.source or ''} {published.label}".strip()),
        *(("　日期线索", f"{c.date}　{c.meaning}　{c.source}　{c.text}") for c in published.candidates),
        *(("　与之矛盾", f"{c.date}　{c.source}　{c.text}") for c in published.conflicts),
        *(("公开属性", f"{s.value.value}　{s.where}　{s.text}") for s in facts.attributes),
        ("公文", "是：" + "、".join(facts.form.signs) if facts.form.is_official else "否"),
        *(("　" + label, value) for label, value in facts.document.labels),
        ("网站标识码", f"页面 {facts.identity.site_code or '没有'}　meta {facts.identity.site_code_meta or '没有'}"),
        ("备案", f"{facts.identity.icp or '没有 ICP'}　{facts.identity.police or '没有公安备案'}"),
        ("党政机关标识", "有" if facts.identity.conac_badge else "没有"),
        (
            "列表",
            f"{len(facts.list.entries)} 条，最新 {facts.list.newest or '没有日期'}，下一页 {facts.list.next or '没有'}",
        ),
        *((("需要渲染", "、".join(sorted(facts.rendering_needs))),) if facts.rendering_needs else ()),
    ]
    print_table("页面事实", ("项目", "内容"), rows)
    judged = ((check_title(f.check), f.outcome, f.reason, f.observed, f.expected) for f in findings)
    print_table("检查结果", ("检查", "结果", "原因", "所见", "应有"), judged, empty="没有适用于这个页面的检查。")


def ipv6(
    host: Annotated[str, typer.Argument(metavar="域名")],
    resolver: ResolverOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Test one host's IPv6, address by address."""
    from cli.output import print_json, print_table
    from config.loader import load
    from inspection.settings import resolve
    from inspection.single import probe_host

    configuration = load(resolve(config).config)
    probes, findings = probe_host(host, resolver, configuration)
    if json:
        print_json(
            {
                "host": host,
                "items": [_item(finding) for finding in findings],
                "probes": [
                    {"kind": p.kind, "target": p.target, "family": p.family, "failure": p.failure and p.failure.code}
                    | p.observed
                    for p in probes
                ],
            }
        )
        return
    print_table(f"{host} 的 IPv6", ("项目", "结果", "所见"), ((f.item, f.outcome, f.observed) for f in findings))
    print_table(
        "逐次探测", ("探测", "对象", "地址族", "结果"), ((p.kind, p.target, p.family, _answer(p)) for p in probes)
    )


def _item(finding: Finding) -> dict[str, Any]:
    return {
        "item": finding.item,
        "outcome": finding.outcome,
        "reason": finding.reason,
        "observed": finding.observed,
        "expected": finding.expected,
    }


def _answer(probe: Any) -> str:
    if probe.failure:
        return f"未能探测：{probe.failure.title}"
    return "　".join(f"{key} {value}" for key, value in probe.observed.items() if not isinstance(value, list) or value)[
        :200
    ]
