"""Personal numbers: recognised by their check digits, and hidden in whatever is shown or stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.model import PageFacts, PageKind
from checks.judging.verdict import Subject
from checks.model import Bundle, CheckMeta, Finding, Outcome, Scope
from checks.reading.masking import (
    KEPT_FIRST,
    KEPT_LAST,
    NumberKind,
    check_character,
    is_bank_card,
    is_resident_id,
    masked,
    numbers_in,
    passes_luhn,
)
from checks.registry import judge, judge_page
from config.loader import load
from config.rules import Rules
from config.schema import Unit, UnitKind

RULES = load(Path(__file__).parents[3] / "config").rules
DAY = date(2026, 11, 23)
SAMPLE = "11010519491231002X"  # the example of GB 11643
FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")

divisions = st.sampled_from(["130111", "130182", "110105", "429004", "650101"])
births = st.dates(date(1900, 1, 1), DAY)


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    first = f"{draw(divisions)}{draw(births):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first + check_character(first)


@st.composite
def bank_cards(draw: st.DrawFn) -> str:
    first = f"62{draw(st.integers(0, 10**13 - 1)):013d}" + "".join(
        draw(st.lists(st.sampled_from("0123456789"), max_size=3))
    )
    return next(card for digit in "0123456789" if passes_luhn(card := first + digit))


mobiles = st.builds(lambda second, rest: f"1{second}{rest:09d}", st.sampled_from("3456789"), st.integers(0, 10**9 - 1))
gaps = st.sampled_from(["", " ", "-", "\u3000", "－"])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """A number and one of the ways in which pages write it."""
    number, places = draw(
        st.one_of(
            st.tuples(resident_ids(), st.just((6, 14))),
            st.tuples(bank_cards(), st.just((4, 8, 12))),
            st.tuples(mobiles, st.just((3, 7))),
        )
    )
    gap = draw(gaps)
    parts = [number[start:end] for start, end in zip((0, *places), (*places, None), strict=True)]
    text = gap.join(parts)
    return number, text.translate(FULL_WIDTH) if draw(st.booleans()) else draw(st.sampled_from([text, text.lower()]))


# ---------------------------------------------------------------- what is real


@given(resident_ids())
def test_every_number_with_its_check_character_is_real(number: str) -> None:
    assert is_resident_id(number, DAY)


@given(resident_ids(), st.integers(0, 17), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_noticed(number: str, place: int, digit: str) -> None:
    wrong = number[:place] + digit + number[place + 1 :]
    assert wrong == number or not is_resident_id(wrong, DAY)


@given(bank_cards(), st.integers(2, 15), st.sampled_from("0123456789"))
def test_one_wrong_digit_of_a_card_is_always_noticed(number: str, place: int, digit: str) -> None:
    wrong = number[:place] + digit + number[place + 1 :]
    assert is_bank_card(wrong) is (wrong == number)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("990105194912310023", "no such province"),
        ("130011190102030010", "prefecture 00"),
        ("130100190102030010", "county 00"),
        ("13011119010230001X", "30 February"),
        ("13011120990101001X", "not yet born"),
        ("130111900307123", "fifteen digits have no check character"),
    ],
)
def test_what_cannot_be_a_person_is_not_one(number: str, why: str) -> None:
    right = number[:17] + check_character(number[:17]) if len(number) == 18 else number
    assert not is_resident_id(right, DAY), why


def test_the_examples_of_the_standards_are_real() -> None:
    assert is_resident_id(SAMPLE, DAY)
    assert passes_luhn("79927398713")
    assert not passes_luhn("79927398710")


# ---------------------------------------------------------------- what is hidden


@given(st.text(alphabet="甲乙，：（a/ \n", max_size=8), written(), st.text(alphabet="丙丁。）b/ \n", max_size=8))
def test_masks_leak_nothing(before: str, number: tuple[str, str], after: str) -> None:
    digits, text = number
    (found,) = numbers_in(before + text + after)
    assert found.digits == digits
    shown = masked(before + text + after)
    plain = "".join(c for c in shown if c.isdecimal() or c in "XxＸ")
    assert len(plain) <= KEPT_FIRST + KEPT_LAST
    assert shown.startswith(before) and shown.endswith(after)
    assert masked(shown) == shown
    assert not list(numbers_in(shown))


@given(resident_ids(), st.integers(10, 17))
def test_a_number_that_a_quotation_breaks_is_hidden_too(number: str, length: int) -> None:
    for ending in ("", "…"):
        assert number[:length][3:-2] not in masked(f"身份证号{number[:length]}{ending}")


@pytest.mark.parametrize(
    "text",
    [
        "网站标识码：1301110001",
        "冀公网安备 13011102000131号",
        "冀ICP备2026000001号-1",
        "0311-80001216",
        "2026-11-13 08:00",
        "1301110012/2026-12345",
        "91130111MA0ABCDE1X",
        "统一社会信用代码 11130111000012345X",
        "t20261118_1234567.html",
    ],
)
def test_what_belongs_to_nobody_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("1 13900001234", [NumberKind.MOBILE]),
        ("张某13900001234李某13900001235", [NumberKind.MOBILE] * 2),
        ("130111 850307 123", [NumberKind.RESIDENT_ID]),
        ("130111850307123", [NumberKind.RESIDENT_ID]),
        ("9558 8000 0000 0000 123", [NumberKind.BANK_CARD]),
        ("213900001234", []),
    ],
)
def test_numbers_are_found_where_they_stand(text: str, kinds: list[NumberKind]) -> None:
    assert [number.kind for number in numbers_in(text)] == kinds


# ---------------------------------------------------------------- every finding


def test_no_finding_of_any_check_carries_a_number() -> None:
    def telling(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
        yield Finding("any", "t", Outcome.FAIL, "r", SAMPLE, SAMPLE, SAMPLE, SAMPLE, item=SAMPLE)

    def breaking(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
        raise ValueError(SAMPLE)

    meta = CheckMeta("any", "题", "不", "据", "法", Scope.PAGE, {"r": "因"})
    unit = Unit(id="jyj", name="县教育局", kind=UnitKind.DEPARTMENT)
    for evaluate, outcome in ((telling, Outcome.FAIL), (breaking, Outcome.ERROR)):
        check = SimpleNamespace(__name__="checks.any", META=meta, evaluate=evaluate)
        (finding,) = judge(Bundle(DAY, unit=unit), RULES, [check])  # type: ignore[list-item]
        assert finding.outcome is outcome
        assert SAMPLE[3:-2] not in repr(finding)


def test_a_passage_is_masked_before_it_is_cut() -> None:
    finding = Subject("any", "t").passed("r", "见下。", passage="一" * 290 + SAMPLE)
    assert len(finding.passage) == 300
    assert "19491" not in finding.passage


@given(st.lists(resident_ids(), min_size=1, max_size=6), st.sampled_from(["、", " ", "　李某", "\n", "，电话", ""]))
def test_a_page_full_of_numbers_gives_none_of_them_away(numbers: list[str], between: str) -> None:
    text = f"名单：{between.join(number + '。' for number in numbers)}身份证号见上"
    facts = PageFacts(url=None, charset="utf-8", kind=PageKind.ARTICLE, title="名单", text=text, body_text=text)
    for finding in judge_page(facts, RULES, day=DAY):
        told = "\n".join((finding.observed, finding.passage, finding.where, finding.item))
        assert not any(number[3:9] in told or number[10:16] in told for number in numbers), told
