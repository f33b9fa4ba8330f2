"""Reading a folder: templates filled in, and every mistake told at once with its place and its remedy."""

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.loader import digests, load, rules_digest, with_template_columns
from config.problem import ConfigurationError
from config.schema import Inventory

CONFIG = Path(__file__).parents[2] / "config"
RULES = (CONFIG / "rules.toml").read_text(encoding="utf-8")

SITES = """
[district]
name = "青川区"
division_code = "990101"

[[site]]
id = "portal"
name = "青川区政府门户"
home = "http://portal.example/"

[[column_template]]
id = "news"
type = "news"
name = "工作动态"
site = "portal"

[[column_template]]
id = "catalog"
type = "standard_catalog"
name = "标准目录"
site = "portal"
kinds = ["township"]

[[duty]]
id = "market"
name = "市场监管"

[[unit]]
id = "xiaohe"
name = "小河镇"
kind = "township"
duties = ["market"]
catalog_fields = ["养老服务"]

[[unit]]
id = "jiaoyuju"
name = "区教育局"
kind = "department"
aliases = ["教育局"]
duties = ["market"]
"""

INDICATORS = """
year = 2026
title = "评分表"
document_number = "青政办函〔2026〕1号"
issued = 2026-01-05
total = 10

[[indicator]]
id = "1"
group = "公开"
title = "网站"
points = 8
content = "网站更新"
method = "采样"
evaluated = "各单位"
site_share = 1
check = [{ check = "column_freshness" }]

[[indicator]]
id = "2"
group = "公开"
title = "组织"
points = 2
content = "组织领导"
method = "材料"
evaluated = "教育局等部门"
units = ["jiaoyuju"]
duty = "market"
site_share = 0
pending = "由人评分"
"""


WORDS = """
unless = ["应为"]

[[expression]]
wrong = ["截止目前", "截止到目前"]
right = "截至目前"
category = "文字差错"
severity = "low"

[[expression]]
wrong = ["按步就班"]
right = "按部就班"
category = "文字差错"
severity = "low"
"""


@pytest.fixture
def folder(tmp_path):
    def write(sites=SITES, rules=RULES, indicators=INDICATORS, words=WORDS):
        for name, text in (("sites", sites), ("rules", rules), ("words", words), ("indicators", indicators)):
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def problems(folder):
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    return caught.value.problems


def only(folder):
    (problem,) = problems(folder)
    return problem


def test_templates_give_each_unit_of_their_kind_its_columns(folder):
    inventory = load(folder()).inventory
    assert [column.id for column in inventory.unit("xiaohe").columns] == ["news", "catalog"]
    assert [column.id for column in inventory.unit("jiaoyuju").columns] == ["news"]


def test_a_unit_confirms_an_address_in_three_lines_and_keeps_the_rest_of_the_template(folder):
    confirmed = '[[unit.column]]\nid = "news"\nurl = "http://portal.example/jyj/dt/"\nconfirmed = true\n'
    (column,) = load(folder(SITES + confirmed)).inventory.unit("jiaoyuju").columns
    assert (column.name, column.site, column.url, column.confirmed) == (
        "工作动态",
        "portal",
        "http://portal.example/jyj/dt/",
        True,
    )


def test_a_person_may_confirm_that_a_column_does_not_exist(folder):
    (column,) = load(folder(SITES + '[[unit.column]]\nid = "news"\nabsent = true\n')).inventory.unit("jiaoyuju").columns
    assert (column.url, column.absent) == (None, True)


@pytest.mark.parametrize(
    "said",
    ["confirmed = true", 'url = "http://portal.example/jyj/dt/"\nabsent = true', "confirmed = true\nabsent = true"],
)
def test_a_forgotten_address_is_a_mistake_and_never_an_absent_column(folder, said):
    with pytest.raises(ConfigurationError) as raised:
        load(folder(SITES + f'[[unit.column]]\nid = "news"\n{said}\n'))
    assert any("absent" in str(problem) for problem in raised.value.problems)


def test_a_unit_may_lack_a_template_column_and_have_others(folder):
    own = 'without_columns = ["news"]\n[[unit.column]]\nid = "faq"\ntype = "faq"\nname = "百事通"\nsite = "portal"\n'
    assert [column.id for column in load(folder(SITES + own)).inventory.unit("jiaoyuju").columns] == ["faq"]


def test_a_configuration_with_byte_order_mark_is_read(folder):
    assert load(folder(sites="\ufeff" + SITES)).inventory.district.name == "青川区"


def test_every_mistake_in_all_three_files_is_told_at_once(folder):
    sites = SITES.replace('aliases = ["教育局"]', 'alias = ["教育局"]').replace(
        '"http://portal.example/"', '"portal.example"'
    )
    rules = RULES.replace("nights = 3", "nights = 0")
    found = problems(folder(sites, rules, INDICATORS.replace("points = 8", 'points = "八"')))
    assert [(p.file, p.path) for p in found] == [
        ("sites.toml", "site[0].home"),
        ("sites.toml", "unit[1].alias"),
        ("rules.toml", "confirmation.nights"),
        ("indicators.toml", "indicator[0].points"),
    ]


def test_a_misspelt_key_gets_the_right_spelling(folder):
    problem = only(folder(SITES.replace("aliases", "aliasses")))
    assert problem.path == "unit[1].aliasses"
    assert "区教育局" in problem.message
    assert "aliases" in problem.fix


SCHEMA_MISTAKES = [
    ("sites", "aliases", '[unit.column]\nid = "news"\n[unit.x]\naliases', "unit[1].column", "[[unit.column]]"),
    ("sites", 'kind = "department"', 'kind = "departement"', "unit[1].kind", "department"),
    ("sites", 'name = "区教育局"\n', "", "unit[1].name", "补上 name"),
    ("sites", 'name = "区教育局"', 'name = " "', "unit[1].name", "至少写一个"),
    ("sites", 'id = "jiaoyuju"', 'id = "教育局"', "unit[1].id", "小写字母"),
    ("sites", '"990101"', '"9901"', "district.division_code", "六位数字"),
    ("sites", 'aliases = ["教育局"]', 'aliases = "教育局"', "unit[1].aliases", "方括号"),
    ("sites", 'type = "news"', 'type = "newz"', "column_template[0].type", "news"),
    ("sites", 'home = "http://portal.example/"', 'home = "http://"', "site[0].home", "http://"),
    ("sites", 'home = "http://portal.example/"', 'home = "http://a b.example/"', "site[0].home", "空格"),
    ("sites", 'home = "http://portal.example/"', 'home = "http://a.example:x/"', "site[0].home", "http://"),
    ("sites", 'home = "http://portal.example/"', 'home = "http://[::1/"', "site[0].home", "http://"),
    ("sites", 'home = "http://portal.example/"', 'home = "ftp://a.example/"', "site[0].home", "http://"),
    ("rules", "coverage_floor = 0.8", "coverage_floor = 80", "coverage_floor", "不大于 1"),
    ("rules", "news = 14 ", "newz = 14 ", "checks.column_freshness.days.newz", "news"),
    ("rules", "[checks.open_attribute]", "[checks.open_atribute]", "checks.open_atribute", "open_attribute"),
    ("rules", "days = 14\n", "days = 14.5\n", "checks.home_freshness.days", "整数"),
    ("indicators", "points = 8", "points = 0", "indicator[0].points", "大于 0"),
    ("indicators", "site_share = 1", "site_share = 1.5", "indicator[0].site_share", "不大于 1"),
    ("indicators", "points = 8", "points = 8\ncircular_deduction = 0", "indicator[0].circular_deduction", "大于 0"),
    ("indicators", "issued = 2026-01-05", 'issued = "一月"', "issued", "日期"),
]


@pytest.mark.parametrize(
    ("file", "right", "wrong", "path", "fix"), SCHEMA_MISTAKES, ids=[m[3] + m[2] for m in SCHEMA_MISTAKES]
)
def test_a_wrong_value_is_told_with_its_place_and_its_remedy(folder, file, right, wrong, path, fix):
    text = {"sites": SITES, "rules": RULES, "indicators": INDICATORS}[file]
    assert right in text
    told = {p.path: p for p in problems(folder(**{file: text.replace(right, wrong)})) if p.file == f"{file}.toml"}
    assert fix in told[path].fix


CONFLICTS = [
    ("sites", 'id = "jiaoyuju"', 'id = "xiaohe"', "unit[1].id", "重复"),
    ("sites", 'aliases = ["教育局"]', 'aliases = ["小 河镇"]', "unit[1].aliases", "小河镇"),
    ("sites", "[[duty]]", '[[duty]]\nid = "market"\nname = "又一"\n[[duty]]', "duty[1].id", "重复"),
    ("sites", 'catalog_fields = ["养老服务"]', 'catalog_fields = ["养老"]', "unit[0].catalog_fields", "养老"),
    ("sites", 'duties = ["market"]\ncat', 'duties = ["markt"]\ncat', "unit[0].duties", "markt"),
    ("sites", 'site = "portal"\n\n[[column', 'site = "gateway"\n\n[[column', "column_template[0].site", "gateway"),
    ("sites", "aliases", 'without_columns = ["nws"]\naliases', "unit[1].without_columns", "nws"),
    ("sites", "division_code", 'timezone = "Asia/Luancheng"\ndivision_code', "district.timezone", "Asia/Luancheng"),
    ("rules", "seen = 2", "seen = 4", "confirmation.seen", "不可能"),
    ("rules", "reach = 1 ", "reachable = 1 ", "checks.ipv6.item_weights.reachable", "reachable"),
    ("rules", 'check = "home_freshness"', 'check = "homepage"', "veto[0].check", "homepage"),
    ("rules", 'id = "columns_empty"', 'id = "columns_stale"', "veto[3].id", "重复"),
    ("indicators", '"column_freshness"', '"column_freshnes"', "indicator[0].check[0].check", "column_freshnes"),
    ("indicators", "[{ check", '[{ check = "column_freshness" }, { check', "indicator[0].check[1].check", "两遍"),
    (
        "indicators",
        "[{ check",
        '[{ check = "column_freshness", items = ["a:", "b"] }, { check',
        "indicator[0].check[1].check",
        "两遍",
    ),
    ("indicators", 'pending = "由人评分"', "", "indicator[1]", "没有检查"),
    ("indicators", 'units = ["jiaoyuju"]', 'units = ["jiaoyu"]', "indicator[1].units", "jiaoyu"),
    ("indicators", 'duty = "market"', 'duty = "market"\nkinds = ["township"]', "indicator[1].units", "部门"),
    ("indicators", 'duty = "market"', 'duty = "trade"', "indicator[1].duty", "trade"),
    ("indicators", 'id = "2"', 'id = "1"', "indicator[1].id", "重复"),
    ("indicators", "points = 8", "points = 8\ncircular_deduction = 9", "indicator[0].circular_deduction", "满分 8"),
    ("indicators", "points = 8", "points = 7", "indicator", "之和是 9"),
]


@pytest.mark.parametrize(("file", "right", "wrong", "path", "message"), CONFLICTS, ids=[c[3] + c[2] for c in CONFLICTS])
def test_what_does_not_fit_together_is_told(folder, file, right, wrong, path, message):
    text = {"sites": SITES, "rules": RULES, "indicators": INDICATORS}[file]
    assert right in text
    told = {p.path: p for p in problems(folder(**{file: text.replace(right, wrong, 1)})) if p.file == f"{file}.toml"}
    assert message in told[path].message
    assert told[path].fix


def test_two_bindings_may_share_a_check_when_they_take_different_parts(folder):
    parts = '[{ check = "ipv6", items = ["aaaa", "reach"] }, { check = "ipv6", items = ["success_rate"] }, { check'
    assert load(folder(indicators=INDICATORS.replace("[{ check", parts, 1)))


def test_a_named_unit_must_bear_the_duty_of_its_row(folder):
    problem = only(folder(SITES.replace('aliases = ["教育局"]\nduties = ["market"]', 'aliases = ["教育局"]')))
    assert (problem.file, problem.path) == ("indicators.toml", "indicator[1].units")
    assert "sites.toml" in problem.fix


def test_a_column_of_a_unit_must_stand_on_a_known_site_with_a_real_address(folder):
    column = '[[unit.column]]\nid = "{}"\ntype = "faq"\nname = "百事通"\nsite = "{}"\n{}\n'
    found = problems(folder(SITES + column.format("faq", "elsewhere", "") + column.format("faq", "portal", "")))
    assert [p.path for p in found] == ["unit[1].column[1].id", "unit[1].column[0].site"]
    assert only(folder(SITES + column.format("faq", "portal", 'url = "dt/index.html"'))).path == "unit[1].column[0].url"


def test_a_mistake_in_a_template_is_told_once_and_not_once_a_unit(folder):
    assert only(folder(SITES.replace('type = "news"', 'type = "newz"'))).path == "column_template[0].type"
    assert only(folder(SITES.replace('name = "工作动态"\n', ""))).path == "column_template[0].name"


def test_a_syntax_error_is_told_with_its_line(folder):
    problem = only(folder(sites=SITES.replace('name = "青川区"', "name = 青川区")))
    assert (problem.file, problem.path) == ("sites.toml", "第 3 行第 8 列")


def test_a_file_that_breaks_off_is_told(folder):
    assert only(folder(indicators=INDICATORS + "[[indicator")).file == "indicators.toml"


def test_missing_and_misencoded_files_are_told(folder):
    where = folder()
    (where / "rules.toml").unlink()
    (where / "sites.toml").write_bytes(SITES.encode("gb18030"))
    assert [(p.file, p.message) for p in problems(where)] == [
        ("sites.toml", "文件不是 UTF-8 编码"),
        ("rules.toml", "读不到这个文件"),
    ]


def test_a_problem_prints_as_one_chinese_line_with_place_and_fix(folder):
    problem = only(folder(SITES.replace("aliases", "aliasses")))
    assert (
        str(problem)
        == "sites.toml unit[1].aliasses：“区教育局”：没有“aliasses”这个键。是不是“aliases”？若不是，删掉它。"
    )


def test_the_error_prints_all_its_problems(folder):
    with pytest.raises(ConfigurationError, match=re.escape("配置有 2 处错误")) as caught:
        load(folder(SITES.replace("aliases", "aliasses").replace('name = "市场监管"\n', "")))
    assert str(caught.value).count("\n") == 2


@pytest.mark.parametrize(
    ("right", "wrong", "path", "message"),
    [
        ('wrong = ["按步就班"]', 'wrong = ["截止目前"]', "expression[1].wrong", "expression[0]"),
        ('wrong = ["按步就班"]', 'wrong = ["部就"]', "expression[1].wrong", "改对了还会被认作错"),
        ('wrong = ["按步就班"]', "wrong = []", "expression[1].wrong", "“按部就班”：不能是空的"),
        ('wrong = ["按步就班"]', 'wrong = ["按"]', "expression[1].wrong[0]", "不能是空的"),
        ('severity = "low"', 'severity = "lowest"', "expression[0].severity", "lowest"),
        ('right = "按部就班"', 'rihgt = "按部就班"', "expression[1].rihgt", "rihgt"),
    ],
)
def test_a_mistake_in_the_words_is_told(folder, right, wrong, path, message):
    assert right in WORDS
    told = {p.path: p for p in problems(folder(words=WORDS.replace(right, wrong, 1)))}
    assert told[path].file == "words.toml"
    assert message in told[path].message


def test_a_spelling_inside_the_right_wording_needs_an_excuse(folder):
    excused = WORDS.replace('wrong = ["按步就班"]', 'wrong = ["部就"]\nunless = ["按部就班"]')
    assert load(folder(words=excused)).rules.words.expressions[1].wrong == ("部就",)


def test_words_stand_in_their_own_file(folder):
    problem = only(folder(rules=RULES + '\n[words]\nunless = ["应为"]\n'))
    assert (problem.file, problem.path) == ("rules.toml", "words")
    assert "words.toml" in problem.fix


def test_another_word_is_another_rule(folder):
    where = folder()
    before = rules_digest(where)
    (where / "words.toml").write_text(WORDS.replace("按步就班", "按步就搬"), encoding="utf-8")
    assert rules_digest(where) != before


def test_digests_are_those_of_the_bytes(folder):
    where = folder()
    before = digests(where)
    assert before["sites.toml"] == hashlib.sha256((where / "sites.toml").read_bytes()).hexdigest()
    (where / "rules.toml").write_text(RULES + "\n", encoding="utf-8")
    after = digests(where)
    assert {name for name in before if before[name] != after[name]} == {"rules.toml"}


# ---------------------------------------------------------------- tables of other years


def another_year(where, name, year):
    (where / name).write_text(INDICATORS.replace("year = 2026", f"year = {year}"), encoding="utf-8")
    return where


@pytest.mark.parametrize(
    ("year", "table"),
    [(2025, 2026), (2026, 2026), (2027, 2026), (2028, 2028), (2029, 2028), (2030, 2030), (2050, 2030)],
)
def test_a_year_goes_by_the_newest_table_that_is_not_of_a_later_one_else_by_the_earliest(folder, year, table):
    where = another_year(another_year(folder(), "indicators-2030.toml", 2030), "indicators-2028.toml", 2028)
    configuration = load(where)
    assert configuration.indicators_for(year).year == table
    assert list(configuration.tables) == ["indicators.toml", "indicators-2028.toml", "indicators-2030.toml"]
    assert set(digests(where)) == {"sites.toml", "rules.toml", "words.toml", *configuration.tables}


def test_a_table_of_an_earlier_year_may_stand_beside_the_first(folder):
    configuration = load(another_year(folder(), "indicators-2024.toml", 2024))
    assert [configuration.table_for(year) for year in (2023, 2025, 2026)] == [
        "indicators-2024.toml",
        "indicators-2024.toml",
        "indicators.toml",
    ]


def test_a_table_must_be_of_the_year_in_its_name_and_the_only_one_of_it(folder):
    where = another_year(another_year(folder(), "indicators-2027.toml", 2028), "indicators-2026.toml", 2026)
    told = {problem.file: problem for problem in problems(where)}
    assert told.keys() == {"indicators-2026.toml", "indicators-2027.toml"}
    assert {problem.path for problem in told.values()} == {"year"}
    assert "indicators.toml" in told["indicators-2026.toml"].message
    assert "2028" in told["indicators-2027.toml"].message


@pytest.mark.parametrize(
    "name", ["indicators-abc.toml", "indicators2027.toml", "Indicators-2027.toml", "indicators-27.TOML"]
)
def test_a_file_that_only_looks_like_a_table_is_never_passed_over(folder, name):
    problem = only(another_year(folder(), name, 2027))
    assert problem.file == name
    assert "indicators-2027.toml" in problem.fix


def test_every_mistake_of_every_table_is_told_at_once(folder):
    where = another_year(folder(), "indicators-2028.toml", 2028)
    spoilt = INDICATORS.replace("year = 2026", "year = 2027").replace("points = 8", "points = 7")
    (where / "indicators-2027.toml").write_text(spoilt.replace('duty = "market"', 'duty = "trade"'), encoding="utf-8")
    (where / "indicators-2028.toml").write_text(INDICATORS.replace("title =", "titel =", 1), encoding="utf-8")
    (where / "indicators-x.toml").write_text("", encoding="utf-8")
    assert {(problem.file, problem.path) for problem in problems(where)} == {
        ("indicators-x.toml", ""),
        ("indicators-2027.toml", "indicator"),
        ("indicators-2027.toml", "indicator[1].duty"),
        ("indicators-2028.toml", "titel"),
        ("indicators-2028.toml", "title"),
    }


def test_a_year_out_of_the_calendar_is_told(folder):
    assert only(folder(indicators=INDICATORS.replace("year = 2026", "year = 20260"))).path == "year"


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damaged_file_ever_gives_anything_but_a_told_problem(folder, data):
    lines = SITES.splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    value = data.draw(
        st.sampled_from(["", "id = 3", 'id = ["a"]', "kinds = 5", "column = 1", "[unit]", "[[unit.column]]", "x"])
    )
    lines[place] = value
    try:
        load(folder("\n".join(lines)))
    except ConfigurationError as error:
        assert error.problems
        assert all(problem.message and problem.fix for problem in error.problems)


def test_templates_leave_what_is_malformed_to_the_schema():
    assert with_template_columns({"unit": 3}) == {"unit": 3}
    assert with_template_columns({"unit": [3, {"column": "x"}]})["unit"] == [3, {"column": "x"}]


def test_the_inventory_keeps_its_templates_for_those_who_list_them(folder):
    inventory: Inventory = load(folder()).inventory
    assert [template.id for template in inventory.column_templates] == ["news", "catalog"]
