"""Word lists as patterns."""

from __future__ import annotations

from checks.reading.words import any_of


def test_the_longest_word_at_a_place_is_found() -> None:
    found = any_of(("疫情", "疫情防控")).search("本区疫情防控公告")
    assert found is not None
    assert found[0] == "疫情防控"


def test_words_are_no_patterns() -> None:
    assert any_of(("a.b",)).search("acb") is None


def test_no_words_find_nothing() -> None:
    assert any_of(()).search("什么也不找") is None


def test_case_matters_unless_told_otherwise() -> None:
    assert any_of(("PK10",)).search("pk10") is None
    assert any_of(("PK10",), whatever_case=True).search("pk10") is not None
