"""The committed tables: the 34 units, the 100 points, the rule book."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from checks import ipv6
from checks.registry import CHECKS
from config.loader import Configuration, load
from config.rules import IPV6_ITEMS, CheckRules
from config.schema import ColumnType, UnitKind

CONFIG = Path(__file__).parents[2] / "config"

TOWNSHIPS = ["栾城镇", "冶河镇", "窦妪镇", "楼底镇", "柳林屯乡", "西营乡", "南高乡"]
DEPARTMENTS = [
    "区发改局",
    "区教育局",
    "区科工局",
    "区公安局",
    "区市场监管局",
    "区财政局",
    "区人社局",
    "区文广体旅局",
    "区卫健局",
    "区民政局",
    "区住建局",
    "区水利局",
    "市生态环境局栾城区分局",
    "区城管大队",
    "区交通局",
    "区农业农村局",
    "区应急局",
    "区统计局",
    "市自然规划局栾城分局",
    "区退役军人事务局",
    "区审计局",
    "区医保局",
    "区行政审批局",
    "区司法局",
    "区气象局",
    "社区居民中心",
    "装管办",
]


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load(CONFIG)


def names(configuration, kind):
    return [unit.name for unit in configuration.inventory.units if unit.kind is kind]


def test_the_units_are_those_of_the_circular_in_its_order(configuration):
    assert names(configuration, UnitKind.TOWNSHIP) == TOWNSHIPS
    assert names(configuration, UnitKind.DEPARTMENT) == DEPARTMENTS
    assert (len(TOWNSHIPS), len(DEPARTMENTS)) == (7, 27)


def test_every_unit_has_its_columns_on_the_portal_and_no_address_is_made_up(configuration):
    inventory = configuration.inventory
    assert inventory.district.division_code == "130111"
    assert inventory.site("luancheng").home == "http://www.luancheng.gov.cn/"
    assert inventory.units_of("luancheng") == inventory.units
    columns = [column for unit in inventory.units for column in unit.columns]
    assert all(column.url is None and not column.confirmed for column in columns)
    for unit in inventory.units:
        types = Counter(column.type for column in unit.columns)
        assert set(types.values()) == {1}
        assert {ColumnType.NEWS, ColumnType.NOTICE, ColumnType.POLICY, ColumnType.ANNUAL_REPORT} <= set(types)
        assert (ColumnType.STANDARD_CATALOG in types) is bool(unit.catalog_fields), unit.name


@pytest.mark.parametrize("kind", UnitKind)
def test_each_unit_can_reach_a_hundred_points(configuration, kind):
    rows = [row for row in configuration.indicators_for(2020).indicators if kind in row.kinds]
    assert sum(row.points for row in rows) == configuration.indicators_for(2020).total == 100
    groups = Counter()
    for row in rows:
        groups[row.group] += row.points
    assert list(groups.values()) == [70, 20, 10]


def test_the_sections_sum_as_the_circular_says(configuration):
    sums = Counter()
    for row in configuration.indicators_for(2020).indicators:
        if row.group.startswith("政务公开工作要点"):
            sums[row.section or row.title] += row.points
    assert list(sums.values()) == [9, 9, 3, 10, 24, 5, 3, 7]


def test_the_rows_are_numbered_as_the_checks_refer_to_them(configuration):
    ids = [row.id for row in configuration.indicators_for(2020).indicators]
    assert ids == [
        "1.1",
        "1.2",
        "1.3",
        "2.1",
        "2.2",
        "2.3",
        "3.1",
        "3.2",
        "3.3",
        "4.1",
        "4.2",
        "4.3",
        "4.4",
        "4.5",
        "5.1",
        "5.2",
        "5.3",
        "6",
        "7",
        "8",
        "9.1",
        "9.2",
        "10",
    ]


def test_every_check_serves_a_row_and_every_row_has_a_check_or_says_why_not(configuration):
    rows = configuration.indicators_for(2020).indicators
    served = {binding.check for row in rows for binding in row.checks}
    assert served == set(CheckRules.model_fields)
    assert all(bool(row.checks) != bool(row.pending) for row in rows)


def test_a_row_that_names_units_means_them_the_bearers_of_its_duty_and_all_townships(configuration):
    units = {unit.name: unit for unit in configuration.inventory.units}
    market = next(row for row in configuration.indicators_for(2020).indicators if row.id == "2.1")
    assert [name for name, unit in units.items() if market.applies_to(unit)] == [
        *TOWNSHIPS,
        "区市场监管局",
        "区行政审批局",
    ]
    willing = units["区农业农村局"].model_copy(update={"duties": ("market_rules",)})
    assert market.applies_to(willing)
    assert not market.model_copy(update={"kinds": (UnitKind.TOWNSHIP,)}).applies_to(willing)


def test_site_shares_follow_the_method_of_each_row(configuration):
    shares = {row.id: row.site_share for row in configuration.indicators_for(2020).indicators}
    assert {row: shares[row] for row in ("7", "8", "9.2", "10")} == {"7": 0, "8": 0, "9.2": 0, "10": 1}
    assert {share for row, share in shares.items() if row not in ("7", "8", "9.2", "10")} == {Decimal("0.5")}


def test_a_circular_costs_what_the_row_itself_says(configuration):
    rows = configuration.indicators_for(2020).indicators
    assert {row.id: row.circular_deduction for row in rows if "通报一次扣1分" in row.method} == {"5.3": Decimal(1)}
    assert all(row.circular_deduction is None for row in rows if row.id != "5.3")


def test_the_limits_are_those_of_the_national_indicators(configuration):
    rules = configuration.rules
    days = rules.checks.column_freshness.days
    assert (days[ColumnType.NEWS], rules.checks.home_freshness.days) == (14, 14)
    assert days[ColumnType.NOTICE] == days[ColumnType.POLICY] == 184
    assert ColumnType.ANNUAL_REPORT not in days
    assert {veto.id: veto.at_least for veto in rules.vetoes} == {
        "home_not_updated": 1,
        "news_columns_stale": 5,
        "columns_stale": 10,
        "site_unavailable": 1,
        "columns_empty": 5,
        "service_guides_incomplete": 5,
        "wrong_expressions": 1,
        "consultation_poor": 1,
        "consultation_channel_missing": 1,
    }
    assert rules.coverage_floor == Decimal("0.8")


def test_vetoes_speak_of_reasons_that_their_checks_know(configuration):
    reasons = {check.META.id: set(check.META.reasons) for check in CHECKS}
    for veto in configuration.rules.vetoes:
        assert {*veto.reasons, *veto.averted_by} <= reasons[veto.check]


def test_the_rules_speak_of_the_items_and_reasons_that_the_checks_know(configuration):
    rules = configuration.rules.checks
    assert list(rules.ipv6.item_weights) == list(IPV6_ITEMS) == list(ipv6.ITEMS)
    for check in CHECKS:
        assert set(rules.row(check.META.id).confirm_reasons) <= set(check.META.reasons)


def test_the_catalogue_has_ten_columns_and_twenty_six_fields_each_told_apart(configuration):
    rule = configuration.rules.checks.standard_catalog
    assert (len(rule.head), len(rule.fields)) == (10, 26)
    for table in (rule.head, rule.fields):
        spellings = [spelling for row in table.values() for spelling in row]
        assert len(spellings) == len(set(spellings))
        assert all(row[0] == name for name, row in table.items())


def test_every_field_has_a_unit_but_the_two_whose_authorities_are_not_assessed(configuration):
    shared = {field for unit in configuration.inventory.units for field in unit.catalog_fields}
    assert set(configuration.rules.checks.standard_catalog.fields) - shared == {"税收管理", "新闻出版版权"}


def test_every_unit_that_a_row_of_key_topics_names_answers_for_a_topic_of_it(configuration):
    rule = configuration.rules.checks.key_topics
    rows = {row.id: row for row in configuration.indicators_for(2020).indicators if row.id.startswith("4.")}
    assert rule.duties == {identifier: row.duty for identifier, row in rows.items()}
    for identifier, row in rows.items():
        assert [binding.items for binding in row.checks] == [(identifier,)]
        topics = [topic for topic in rule.topics if topic.row == identifier]
        assert {unit for topic in topics for unit in topic.units} == set(row.units)
        assert any(topic.townships for topic in topics)
    names = [(topic.row, topic.id) for topic in rule.topics]
    assert len(names) == len(set(names))
    assert {topic.row for topic in rule.topics} == set(rows)
