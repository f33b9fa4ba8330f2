"""A small world to score: four rows, three checks, and one unit."""

from datetime import date
from decimal import Decimal

import pytest

from checks.model import Finding, Outcome
from config.rules import CheckRules, Confirmation, Rules, Veto
from config.schema import Binding, Column, Indicator, Indicators, Unit, UnitKind
from scoring.daily import daily_score
from scoring.review import NO_RULINGS

DAY = date(2026, 11, 23)

UNIT = Unit(
    id="jiaoyuju",
    name="区教育局",
    kind=UnitKind.DEPARTMENT,
    columns=tuple(
        Column(id=f"{kind}{number}", type=kind, name="栏目", site="portal")
        for kind in ("news", "notice")
        for number in range(6)
    ),
)

RULES = Rules(
    version="t1",
    confirmation=Confirmation(seen=2, nights=3),
    checks=CheckRules(
        **{**{name: {} for name in CheckRules.model_fields}, "ipv6": {"confirm_reasons": ("unreachable_v6",)}}
    ),
    vetoes=(
        Veto(id="home", title="首页不更新", check="home_freshness", at_least=1),
        Veto(id="news", title="动态栏目不更新", check="column_freshness", column_types=("news",), at_least=2),
        Veto(id="columns", title="栏目不更新", check="column_freshness", at_least=4),
    ),
)


def row(identifier, points, checks, **extra):
    bindings = tuple(Binding(check=check, weight=weight) for check, weight in checks.items())
    words = {
        "group": "公开",
        "title": "标题",
        "content": "内容",
        "method": "采样",
        "evaluated": "各单位",
        "site_share": 1,
    }
    return Indicator(id=identifier, points=points, checks=bindings, **{**words, **extra})


INDICATORS = Indicators(
    year=2026,
    title="评分表",
    document_number="〔2026〕1号",
    issued=date(2026, 1, 5),
    total=Decimal(100),
    indicators=(
        row("documents", 3, {"open_attribute": 2, "document_metadata": 1}),
        row("site", 8, {"ipv6": 1, "column_freshness": 3}),
        row("catalog", 20, {"standard_catalog": 1}, kinds=("township",)),
        row("people", 7, {}, pending="由人评分"),
    ),
)


def finding(check, target, outcome=Outcome.PASS, reason="seen", **extra):
    return Finding(check=check, target=target, outcome=Outcome(outcome), reason=reason, unit_id=UNIT.id, **extra)


@pytest.fixture
def score():
    def daily(*findings, unit=UNIT, indicators=INDICATORS, rules=RULES, seen=None, rulings=NO_RULINGS):
        return daily_score(unit, findings, indicators, rules, seen or {}, DAY, rulings)

    return daily
