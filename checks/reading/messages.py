"""留言: what visitors asked and whether they were answered, read from tables, list lines and labelled blocks.

Only what a page says outright counts: a message without a date is none, and one of which the page says neither that it
was answered nor that it was not has `answered` None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from checks.facts.dates import find_dates_in
from checks.facts.labels import compact
from checks.facts.model import PageFacts, Table
from config.rules import ConsultationChannelRule

HEAD_ROWS = 3
MAX_LINES = 3_000
LONGEST_LINE = 200  # characters of a line that is an entry of a list
PASSAGE = 80

ASKED = "留言|来信|信件|提问|咨询|提交|写信|投诉|建议|发表|受理"
ANSWERED = "回复|答复|回信|办理|办结|处理|反馈"
ASKED_ON = re.compile(rf"(?:{ASKED}|发布)?(?:时间|日期)")
ANSWERED_ON = re.compile(rf"(?:{ANSWERED})(?:时间|日期)")
STATE = re.compile(rf"(?:{ANSWERED}|当前|信件|留言)?(?:状态|进度)|是否(?:已)?(?:回复|答复)|(?:回复|答复|办理)情况")
ANSWER = re.compile(rf"(?:{ANSWERED})(?:内容|意见|结果|正文)?")
TITLE = re.compile(rf"(?:{ASKED})?(?:标题|主题)")
_LABEL = re.compile(
    rf"(?P<asked_on>(?:{ASKED})(?:时间|日期))|(?P<answered_on>(?:{ANSWERED})(?:时间|日期))"
    rf"|(?P<state>(?:{ANSWERED}|当前|信件|留言)状态|状态)|(?P<title>(?:{ASKED})(?:标题|主题)|标题|主题)"
    rf"|(?P<other>(?:{ASKED})(?:内容|人|者|编号|类型)|(?:{ANSWERED})(?:单位|部门|人))"
    rf"|(?P<answer>(?:{ANSWERED})(?:内容|意见|结果|正文)?)"
)
_LABELLED = re.compile(rf"(?:^|(?<=[\s|｜；;]))(?:{_LABEL.pattern})\s?[:：]")
_SENTENCE = re.compile("[。；！？]")
_BLANK = re.compile(r"[-—－/\\\s暂无]*")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the day it was sent, whether it was answered (None: the page does not tell), and the words seen."""

    asked_on: date
    answered: bool | None
    passage: str
    where: str
    title: str = ""


def messages_in(facts: PageFacts, rule: ConsultationChannelRule, as_of: date) -> tuple[Message, ...]:
    """Return the messages that the page shows, each way of reading in the page's order."""
    lines = facts.body_text.splitlines()[:MAX_LINES]
    return (
        *(message for table in facts.tables for message in _in_table(table, rule, as_of)),
        *_in_list(lines, rule, as_of),
        *_in_blocks(lines, rule, as_of),
    )


def answered_by(state: str, rule: ConsultationChannelRule) -> bool | None:
    """Return what the words of a state say (未回复 before 回复); None when they say nothing."""
    if any(word in state for word in rule.unanswered_words):
        return False
    return True if any(word in state for word in rule.answered_words) else None


# ---------------------------------------------------------------- tables


@dataclass(frozen=True, slots=True)
class _Heads:
    """The columns of a table of messages, by place."""

    asked_on: int
    title: int | None
    answered_on: int | None
    state: int | None
    answer: int | None


def _in_table(table: Table, rule: ConsultationChannelRule, as_of: date) -> Iterator[Message]:
    for number, row in enumerate(table.rows[:HEAD_ROWS]):
        heads = _heads(row)
        if heads is not None:
            below = table.rows[number + 1 :]
            yield from (m for place, cells in enumerate(below, 1) if (m := _row(cells, heads, place, rule, as_of)))
            return


def _heads(row: Sequence[str]) -> _Heads | None:
    """The heads, if the row has one for the day of asking and one that tells of an answer."""
    words = [compact(cell) for cell in row]

    def place(pattern: re.Pattern[str]) -> int | None:
        return next((n for n, word in enumerate(words) if pattern.fullmatch(word)), None)

    asked_on, answered_on, state, answer = place(ASKED_ON), place(ANSWERED_ON), place(STATE), place(ANSWER)
    if asked_on is None or (answered_on is None and state is None and answer is None):
        return None
    return _Heads(asked_on, place(TITLE), answered_on, state, answer)


def _row(cells: Sequence[str], heads: _Heads, place: int, rule: ConsultationChannelRule, as_of: date) -> Message | None:
    asked_on = _day(cells[heads.asked_on], as_of)
    if asked_on is None:
        return None
    told = [cells[n] for n in (heads.answered_on, heads.answer) if n is not None]
    answered: bool | None = any(not _BLANK.fullmatch(cell) for cell in told) or None
    if answered and any(answered_by(cell, rule) is False for cell in told):
        answered = None
    if answered is None and heads.state is not None:
        answered = answered_by(cells[heads.state], rule)
    if answered is None and told and all(_BLANK.fullmatch(cell) for cell in told) and heads.state is None:
        answered = False
    passage = " ".join(cell for cell in dict.fromkeys(cells) if cell)[:PASSAGE]
    title = cells[heads.title] if heads.title is not None else ""
    return Message(asked_on, answered, passage, f"表格第 {place} 条", title)


# ---------------------------------------------------------------- lists


def _in_list(lines: Iterable[str], rule: ConsultationChannelRule, as_of: date) -> Iterator[Message]:
    """An entry of a list with its day and state in one line: 关于供水的咨询 2026-08-01 [未回复]. A sentence is none."""
    for line in lines:
        text = line.strip()
        if not 0 < len(text) <= LONGEST_LINE or _SENTENCE.search(text) or _LABELLED.search(text):
            continue
        state = _state_at_the_edge(text, rule)
        days = find_dates_in(text, as_of) if state is not None else ()
        if state is not None and days:
            answered = None if len(days) > 1 and not state else state
            yield Message(min(found.date for found in days), answered, text[:PASSAGE], "列表", text)


def _state_at_the_edge(text: str, rule: ConsultationChannelRule) -> bool | None:
    """The state that begins or ends the line, in brackets or beside a gap; None where several are named (a filter)."""
    words = (*rule.unanswered_words, *rule.answered_words)
    bare = text.strip(" 　[]【】()（）")
    edge = next((word for word in words if bare.endswith(word) or bare.startswith(word)), None)
    if edge is None or bare == edge:
        return None
    rest = bare.removesuffix(edge) if bare.endswith(edge) else bare.removeprefix(edge)
    return None if any(word in rest for word in words) else answered_by(edge, rule)


# ---------------------------------------------------------------- labelled blocks


def _in_blocks(lines: Sequence[str], rule: ConsultationChannelRule, as_of: date) -> Iterator[Message]:
    """留言时间：… 留言内容：… 回复时间：… 回复内容：…, in one line or several; the day of asking begins a message."""
    current: Message | None = None
    title = ""
    for kind, value in _labels(lines):
        if kind == "asked_on":
            if current is not None:
                yield current
            day = _day(value, as_of)
            current = Message(day, None, f"{title} 留言时间：{value}".strip()[:PASSAGE], "正文", title) if day else None
            title = ""
        elif kind == "title":
            title = value
        elif current is not None:
            current = _told(current, kind, value, rule, as_of)
    if current is not None:
        yield current


def _told(message: Message, kind: str, value: str, rule: ConsultationChannelRule, as_of: date) -> Message:
    """The message with what a label below it says of its answer; an answer that stands there outweighs any state."""
    if kind == "state":
        answered = answered_by(value, rule)
    elif kind == "answered_on":
        answered = True if _day(value, as_of) else None
    elif kind == "answer":
        answered = answered_by(value, rule) if len(value) <= 10 else True
        answered = (not _BLANK.fullmatch(value)) if answered is None else answered
    else:
        return message
    if answered is None or message.answered:
        return message
    return replace(message, answered=answered)


def _labels(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (kind, value) of each label; a value may stand in the line below its label."""
    for number, line in enumerate(lines):
        matches = list(_LABELLED.finditer(line))
        ends = [match.start() for match in matches[1:]] + [len(line)]
        for match, end in zip(matches, ends, strict=bool(matches)):
            value = line[match.end() : end].strip()
            if not value and match is matches[-1]:
                below = lines[number + 1].strip() if number + 1 < len(lines) else ""
                value = "" if _LABELLED.search(below) else below
            yield str(match.lastgroup), value


def _day(text: str, as_of: date) -> date | None:
    found = find_dates_in(text, as_of, compact=True)
    return found[0].date if found else None
