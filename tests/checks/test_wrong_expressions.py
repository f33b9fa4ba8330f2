"""The word list at work: contexts, overlaps, sentences, and whatever words and texts there may be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import wrong_expressions
from checks.facts.model import PageFacts, PageKind
from checks.model import Finding, Outcome
from checks.registry import judge_page
from config.loader import load
from config.rules import Rules
from config.words import Expression, Words

RULES = load(Path(__file__).parents[2] / "config").rules
DAY = date(2026, 11, 23)


def found(text: str, words: Words | Rules = RULES) -> list[Finding]:
    rules = words if isinstance(words, Rules) else RULES.model_copy(update={"words": words})
    facts = PageFacts(url=None, charset="utf-8", kind=PageKind.ARTICLE, title="通报", text=text, body_text=text)
    return [f for f in judge_page(facts, rules, day=DAY) if f.check == wrong_expressions.META.id]


def entry(*wrong: str, severity: str = "medium", **more: tuple[str, ...]) -> Expression:
    return Expression.model_validate(
        {"wrong": wrong, "right": "正确写法", "category": "文字差错", "severity": severity, **more}
    )


def words(*expressions: Expression, unless: tuple[str, ...] = ()) -> Words:
    return Words(unless=unless, expressions=expressions)


def test_what_makes_it_right_may_stand_on_another_line() -> None:
    given = words(entry("甲乙", unless=("乙丙丁",)), entry("戊己", unless=("戊己庚",)))
    assert not failed("来自甲\n乙、甲乙\n丙丁的客商", given)
    assert not failed("来自戊己\n庚的客商", given)
    assert failed("来自戊己\n的客商", given)


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("原文“甲乙”现更正为“正确写法”。", False),
        ("请在“甲乙”一栏填写“丙丁”。", True),  # quoted, but nothing puts it right
        ("甲乙在此，不是“正确写法”。", True),  # not quoted
    ],
)
def test_a_spelling_that_is_quoted_to_be_put_right_is_none(text: str, fails: bool) -> None:
    assert failed(text, words(entry("甲乙"))) is fails


def test_an_article_about_wording_quotes_what_is_wrong() -> None:
    given = Words(topics=("通报",), expressions=(entry("甲乙"),))
    assert not failed("甲乙", given), "its title is 通报"
    assert failed("甲乙", given.model_copy(update={"topics": ("易错",)}))


def failed(text: str, given: Words) -> bool:
    return any(finding.outcome is Outcome.FAIL for finding in found(text, given))


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("甲乙在此。", False),  # the word that must stand near is missing
        ("丙和甲乙在此。", True),
        ("丙在此。甲乙在此。", False),  # it stands in another sentence
        ("丙和甲乙、丁在此。", False),  # a word that must not stand near
        ("丙说：甲乙应为正确写法。", False),  # explains the wording
    ],
)
def test_the_context_decides(text: str, fails: bool) -> None:
    given = words(entry("甲乙", near=("丙",), unless=("丁",)), unless=("应为",))
    assert failed(text, given) is fails


def test_a_longer_word_excuses_only_what_it_fills() -> None:
    given = words(entry("甲乙", unless=("甲乙丙",)))
    assert not failed("甲乙丙来了。", given)
    assert failed("甲乙丙和甲乙来了。", given)


def test_of_spellings_that_overlap_the_longest_is_told() -> None:
    (finding,) = found("请看甲乙丙丁。", words(entry("甲乙"), entry("甲乙丙丁", severity="high")))
    assert finding.reason == "serious"
    assert "“甲乙丙丁”" in finding.observed


def test_the_worst_decides_and_slips_cost_nothing() -> None:
    given = words(entry("甲乙", severity="low"), entry("丙丁", severity="high"), entry("戊己"))
    assert [(f.outcome, f.reason) for f in found("甲乙。丙丁。戊己。", given)] == [
        (Outcome.NOTICE, "misspelling"),
        (Outcome.FAIL, "serious"),
    ]


def test_a_repeated_fault_is_told_up_to_five_times_with_their_number() -> None:
    (finding,) = found("".join(f"第{n}处有甲乙。" for n in range(8)), words(entry("甲乙")))
    assert finding.observed.count("应为") == 5
    assert "共 8 处" in finding.observed


def test_no_words_find_nothing() -> None:
    assert [finding.outcome for finding in found("甲乙", Words())] == [Outcome.PASS]


def test_the_right_wordings_of_the_list_are_right() -> None:
    for expression in RULES.words.expressions:
        assert not [f for f in found(f"要坚持{expression.right}。") if f.outcome is not Outcome.PASS], expression.right


def test_every_wrong_spelling_of_the_list_is_found() -> None:
    for expression in RULES.words.expressions:
        for wrong in expression.wrong:
            if not expression.near:
                assert [f for f in found(f"一、{wrong}") if f.outcome is not Outcome.PASS], wrong


@settings(max_examples=60, deadline=None)
@given(st.text("甲乙丙丁。\n，“”", max_size=60), st.lists(st.text("甲乙丙丁", min_size=2, max_size=4), max_size=4))
def test_any_text_and_words_are_told_in_whole_sentences(text: str, spellings: list[str]) -> None:
    given = words(*(entry(spelling) for spelling in dict.fromkeys(spellings)))
    (finding,) = found(text, given)
    assert finding.observed.endswith("。")
    assert (finding.outcome is Outcome.FAIL) == any(spelling in text for spelling in spellings)
