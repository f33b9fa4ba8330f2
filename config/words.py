"""What people may write in config/words.toml: wrong expressions with their right wording, and words of hidden links."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from config.schema import Settings, Text

Wrong = Annotated[str, Field(min_length=2)]  # one character is never wrong by itself


class Expression(Settings):
    """错误表述: the wrong spellings of one expression and the right one.

    A spelling counts only where its sentence holds one of `near` (empty: anywhere) and none of `unless`. A word of
    `unless` that contains the spelling excuses it only where the spelling is part of it.
    """

    wrong: Annotated[tuple[Wrong, ...], Field(min_length=1)]
    right: Text
    category: Literal["政治表述", "主权领土", "机构名称", "文字差错"]
    severity: Literal["high", "medium", "low"]  # high: 严重表述错误, may veto; low: told, costs nothing
    near: tuple[Text, ...] = ()
    unless: tuple[Text, ...] = ()


class HiddenLinkWords(Settings):
    """暗链: words of the trades that hide links on other people's pages."""

    words: tuple[Text, ...] = ()


class Words(Settings):
    """The whole of words.toml; `unless` holds for every expression, and `topics` for articles with one in the title."""

    unless: tuple[Text, ...] = ()
    topics: tuple[Text, ...] = ()
    expressions: tuple[Expression, ...] = Field(default=(), alias="expression")
    hidden_links: HiddenLinkWords = HiddenLinkWords()

    model_config = ConfigDict(populate_by_name=True)
