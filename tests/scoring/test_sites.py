"""站点结论: vetoes counted over all units of a site, by reason and by type of column."""

from dataclasses import replace
from datetime import timedelta

import pytest

from checks.model import Outcome
from config.rules import Veto
from config.schema import Column, Unit, UnitKind
from scoring.daily import daily_score
from scoring.model import Verdict
from scoring.sites import about_site, site_verdict
from tests.scoring.conftest import DAY, INDICATORS, RULES, finding

FAIL, PASS = Outcome.FAIL, Outcome.PASS
UNREAD = [Outcome.INCONCLUSIVE, Outcome.NOT_TESTED, Outcome.ERROR]


def unit(name, *columns):
    listed = (Column(id=i, type=i.rstrip("0123456789"), name="栏目", site=site) for i, site in columns)
    return Unit(id=name, name=f"单位{name}", kind=UnitKind.DEPARTMENT, columns=tuple(listed))


HERE, THERE = "portal", "elsewhere"
UNITS = [unit("a", ("news", HERE), ("notice", HERE), ("news2", THERE)), unit("b", ("news", HERE))]


def of(unit_id, column_id, outcome=FAIL, check="column_freshness", **extra):
    target = f"http://portal/{unit_id}/{column_id}" if column_id else "http://portal/"
    return replace(finding(check, target, outcome, column_id=column_id, **extra), unit_id=unit_id)


def judged(*findings, rules=RULES, seen=None, complete=True):
    return site_verdict(HERE, UNITS, findings, rules, seen or {}, DAY, complete=complete)


def test_columns_of_all_units_on_a_site_are_counted_together():
    two = judged(of("a", "news"), of("b", "news"))
    assert two.verdict is Verdict.UNQUALIFIED
    assert [(veto.id, veto.targets) for veto in two.vetoes] == [
        ("news", ("http://portal/a/news", "http://portal/b/news"))
    ]
    assert judged(of("a", "news"), of("b", "news", PASS)).verdict is Verdict.QUALIFIED
    assert judged(of("a", "news"), of("a", "notice")).verdict is Verdict.QUALIFIED  # another type of column


def test_a_fault_of_the_site_counts_once_however_many_units_bear_it():
    rules = RULES.model_copy(update={"vetoes": (Veto(id="home", title="首页", check="home_freshness", at_least=2),)})
    copies = [of(name, None, check="home_freshness") for name in ("a", "b")]
    assert judged(*copies, rules=rules).verdict is Verdict.QUALIFIED
    assert judged(*copies).verdict is Verdict.UNQUALIFIED


def test_only_the_reasons_that_a_veto_names_count():
    rules = RULES.model_copy(
        update={"vetoes": (Veto(id="v", title="否决", check="ipv6", reasons=("gone",), at_least=1),)}
    )
    assert judged(of("a", None, check="ipv6", reason="slow"), rules=rules).verdict is Verdict.QUALIFIED
    assert judged(of("a", None, check="ipv6", reason="gone"), rules=rules).vetoes[0].id == "v"


def test_a_fault_that_waits_vetoes_nothing_though_another_of_its_target_counts():
    rules = RULES.model_copy(
        update={"vetoes": (Veto(id="v", title="否决", check="ipv6", reasons=("unreachable_v6",), at_least=1),)}
    )
    waiting = of("a", None, check="ipv6", reason="unreachable_v6")
    counting = of("a", None, check="ipv6", reason="no_aaaa")
    assert judged(waiting, counting, rules=rules).vetoes == ()
    yesterday = {waiting.fingerprint: {DAY - timedelta(days=1)}}
    assert judged(waiting, counting, rules=rules, seen=yesterday).verdict is Verdict.UNQUALIFIED


@pytest.mark.parametrize("outcome", UNREAD)
def test_too_little_seen_is_no_pass_but_a_veto_stands(outcome):
    unread = [of("a", "notice", outcome), of("b", "news", outcome)]
    assert judged(of("a", "news", PASS), *unread).verdict is None
    assert judged(of("a", None, check="home_freshness"), *unread).verdict is Verdict.UNQUALIFIED
    assert judged().verdict is None


def test_a_site_seen_in_part_is_never_called_qualified():
    assert judged(of("a", "news", PASS), complete=False).verdict is None
    assert judged(of("a", None, check="home_freshness"), complete=False).verdict is Verdict.UNQUALIFIED


def test_a_column_on_another_site_counts_there_only():
    by_unit = {"a": [of("a", "news"), of("a", "news2"), of("a", None, check="ipv6")], "b": [of("b", "news")]}
    home = of("a", None, check="home_freshness")
    counted = list(about_site(HERE, [home], UNITS, by_unit))
    assert counted == [home, by_unit["a"][0], by_unit["b"][0]]
    assert list(about_site(THERE, [], UNITS, by_unit)) == [by_unit["a"][1]]


def test_what_one_column_offers_the_whole_site_has():
    veto = Veto(id="v", title="否决", check="ipv6", reasons=("none",), averted_by=("open",), site_only=True, at_least=1)
    rules = RULES.model_copy(update={"vetoes": (veto,)})
    without = of("a", "notice", check="ipv6", reason="none")
    assert judged(without, rules=rules).vetoes[0].id == "v"
    assert judged(without, of("b", "news", PASS, check="ipv6", reason="open"), rules=rules).vetoes == ()
    assert daily_score(UNITS[0], [without], INDICATORS, rules, {}, DAY).vetoes == ()
