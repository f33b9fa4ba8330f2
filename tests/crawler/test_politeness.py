"""Who we say we are."""

from __future__ import annotations

from crawler.politeness import user_agent


def test_the_agent_says_how_to_reach_us_in_ascii() -> None:
    assert user_agent("mailto:xx@example.test").endswith("(+mailto:xx@example.test)")
    assert user_agent("栾城区政务公开办").isascii()
    assert user_agent("").startswith("xuncha/")
