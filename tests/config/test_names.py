"""Finding a unit by what a person types."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loader import load
from config.names import UnknownUnit, find_unit

INVENTORY = load(Path(__file__).parents[2] / "config").inventory


@pytest.mark.parametrize(
    "text",
    [
        "区教育局",
        "教育局",
        "栾城区教育局",
        "石家庄市栾城区教育局",
        "jiaoyuju",
        " 区 教育局\u3000",
        "ＪＩＡＯＹＵＪＵ",
        "JiaoYuJu",
    ],
)
def test_name_alias_full_name_and_id_find_the_unit_whatever_spaces_and_width(text):
    assert find_unit(INVENTORY, text).id == "jiaoyuju"


@pytest.mark.parametrize("unit", INVENTORY.units, ids=lambda unit: unit.id)
def test_every_way_of_writing_every_unit_finds_it(unit):
    assert all(find_unit(INVENTORY, name) is unit for name in (unit.id, *unit.names))


def test_a_part_of_a_name_only_suggests():
    answer = find_unit(INVENTORY, "教育")
    assert isinstance(answer, UnknownUnit)
    assert [unit.name for unit in answer.suggestions] == ["区教育局"]
    assert "区教育局" in str(answer)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("区教育居", "区教育局"),
        ("交通", "区交通局"),
        ("文旅局", "区文广体旅局"),
        ("生态环境", "市生态环境局栾城区分局"),
        ("jiaoyu", "区教育局"),
    ],
)
def test_slips_and_short_forms_suggest_the_likeliest_first(text, first):
    assert find_unit(INVENTORY, text).suggestions[0].name == first


@pytest.mark.parametrize("text", ["", "   ", "zzzz"])
def test_nothing_alike_suggests_nothing_and_points_to_the_list(text):
    answer = find_unit(INVENTORY, text)
    assert answer.suggestions == ()
    assert "inspect units" in str(answer)


def test_an_alias_of_several_units_suggests_them_all():
    twin = INVENTORY.unit("sifaju").model_copy(update={"aliases": ("教育局",)})
    others = [twin if unit.id == "sifaju" else unit for unit in INVENTORY.units]
    answer = find_unit(INVENTORY.model_copy(update={"units": tuple(others)}), "教育局")
    assert [unit.name for unit in answer.suggestions] == ["区教育局", "区司法局"]


@given(st.text(max_size=30))
def test_whatever_is_typed_gives_a_unit_or_at_most_a_handful_of_suggestions(text):
    answer = find_unit(INVENTORY, text)
    assert not isinstance(answer, UnknownUnit) or len(answer.suggestions) <= 5
