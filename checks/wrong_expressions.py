"""严重错误表述: pages and files word things as they are to be worded; a hit shows its sentence and the right form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ahocorasick import Automaton

from checks.judging.publications import UNREAD_REASONS, Publication, obstacle_of, publications, unread_columns
from checks.judging.readability import is_undecided, script_obstacle
from checks.judging.verdict import Subject, evidence_of
from checks.model import Bundle, CheckMeta, Finding, Outcome, Scope
from checks.reading.addresses import comparable
from config.rules import Rules
from config.words import Expression, Words

META = CheckMeta(
    id="wrong_expressions",
    title="严重错误表述",
    failure_title="出现错误表述",
    basis="《政府网站与政务新媒体检查指标》（国办秘函〔2019〕19号）单项否决“安全、泄密事故等严重问题”中的“出现严重表述错误”；"
    "《政府网站发展指引》（国办发〔2017〕47号）：加强内容审核，确保信息准确",
    method="在抽到的文章、栏目页和附件的正文与标题里找 words.toml 列出的错误写法，逐处给出原句和正确写法；"
    "讲怎样写才对的句子、词表里注明不算的上下文，不算。政治表述、国名和主权领土方面的严重错误可触发单项否决；一般文字差错只提示，不扣分。",
    scope=Scope.PAGE,
    reasons={
        "none_found": "没有发现词表里的错误表述",
        "serious": "出现严重表述错误",
        "improper": "表述不规范",
        "misspelling": "一般文字差错",
        **UNREAD_REASONS,
    },
)
CLAUSE = "依据：国办秘函〔2019〕19号“出现严重表述错误”，国办发〔2017〕47号。"
RANKS = ("high", "medium", "low")
REASONS = {"high": "serious", "medium": "improper", "low": "misspelling"}
SHOWN = 5  # hits of one page that are told one by one
SENTENCE = 60  # characters of a sentence that are quoted
ENDS = re.compile(r"[。！？；!?\n]")
STOPS = re.compile(r"[。！？；!?]")
REACH = 200  # characters around a spelling that are its context at most
OPENING, CLOSING = '“‘「『"', '”’」』"'


@dataclass(frozen=True, slots=True)
class Hit:
    """One wrong spelling: the entry it belongs to, the spelling, its sentence, and where that stands."""

    expression: Expression
    wrong: str
    sentence: str
    where: str

    @property
    def told(self) -> str:
        """The hit in words."""
        return f"{self.where}“{self.sentence}”中的“{self.wrong}”应为“{self.expression.right}”"


def evaluate(bundle: Bundle, rules: Rules) -> Iterator[Finding]:
    """Yield one verdict a page, article and attachment, and one for each column that was not read."""
    for visit, obstacle in unread_columns(bundle):
        yield Subject(META.id, visit.target, evidence_of(*visit.pages), visit.column.id).cannot_tell(obstacle)
    read = frozenset(comparable(page.url) for visit in bundle.columns for page in visit.articles if page.facts)
    spellings = _automaton(rules.words) if rules.words.expressions else None
    for publication in publications(bundle):
        yield from _judge(publication, rules.words, spellings, read)


def _judge(
    publication: Publication, words: Words, spellings: Automaton | None, read: frozenset[str]
) -> Iterator[Finding]:
    subject = publication.subject(META.id)
    if (obstacle := obstacle_of(publication)) is not None:
        yield subject.cannot_tell(obstacle)
        return
    hits = sorted(_hits(publication, words, spellings, read), key=lambda hit: RANKS.index(hit.expression.severity))
    faults = [hit for hit in hits if hit.expression.severity != "low"]
    slips = [hit for hit in hits if hit.expression.severity == "low"]
    if slips:
        yield _finding(subject, Outcome.NOTICE, publication, slips)
    if faults:
        yield _finding(subject, Outcome.FAIL, publication, faults)
    elif is_undecided(publication.page):
        yield subject.cannot_tell(script_obstacle())
    else:
        yield subject.passed("none_found", f"{publication.name}里没有词表列出的错误表述。")


def _finding(subject: Subject, outcome: Outcome, publication: Publication, hits: list[Hit]) -> Finding:
    worst = hits[0]
    told = "；".join(hit.told for hit in hits[:SHOWN])
    more = f"；等共 {len(hits)} 处" if len(hits) > SHOWN else ""
    return subject.finding(
        outcome,
        REASONS[worst.expression.severity],
        f"{publication.name}的{told}{more}。",
        f"请核对原件后改正为“{worst.expression.right}”，附件改正后重新上传。{CLAUSE}",
        passage=worst.sentence,
        where=f"{publication.name}的{worst.where}",
    )


# ---------------------------------------------------------------- finding


def _hits(publication: Publication, words: Words, spellings: Automaton | None, read: frozenset[str]) -> Iterator[Hit]:
    """Yield the hits in title and text, a sentence's once; what a list only repeats of an article that was read itself
    is told there."""
    told: set[tuple[str, str]] = set()
    if any(topic in publication.title for topic in words.topics):
        return
    told_elsewhere = _titles_read(publication, read)
    for where, text in (("标题", publication.title), ("正文", publication.main_text)):
        for start, wrong, expression in _matches(text, spellings):
            line = _line_at(text, start)
            sentence = _sentence_at(text, start)
            lacks_context = expression.near and not any(word in sentence for word in expression.near)
            if lacks_context or any(t in line or line in t for t in told_elsewhere):
                continue
            if _excused(*_context(text, start), wrong, expression, words):
                continue
            quoted = _quoted(sentence, wrong)
            if (wrong, quoted) not in told:
                told.add((wrong, quoted))
                yield Hit(expression, wrong, quoted, where)


def _matches(text: str, spellings: Automaton | None) -> Iterator[tuple[int, str, Expression]]:
    """Yield the start of every wrong spelling in the text; of spellings that overlap, the longest."""
    if spellings is not None:
        for end, (wrong, expression) in spellings.iter_long(text):
            yield end - len(wrong) + 1, wrong, expression


@lru_cache(maxsize=8)
def _automaton(words: Words) -> Automaton:
    automaton = Automaton()
    for expression in words.expressions:
        for wrong in expression.wrong:
            automaton.add_word(wrong, (wrong, expression))
    automaton.make_automaton()
    return automaton


def _context(text: str, at: int) -> tuple[str, int]:
    """The sentence around a place, without spaces and line breaks, and where the place is in it.

    Files break their lines anywhere: what makes a spelling right may stand on the line before or after.
    """
    first = max((match.end() for match in STOPS.finditer(text, max(0, at - REACH), at)), default=max(0, at - REACH))
    stop = STOPS.search(text, at, at + REACH)
    before, after = text[first:at], text[at : stop.start() if stop else at + REACH]
    before = "".join(before.split())
    return before + "".join(after.split()), len(before)


def _excused(context: str, at: int, wrong: str, expression: Expression, words: Words) -> bool:
    """Whether the words around the spelling make it right: they explain the wording, or the entry's `unless` says so.

    A longer word that contains the spelling excuses only the place that it fills.
    """
    if any(word in context for word in words.unless) or _is_put_right(context, at, wrong, expression.right):
        return True
    longer = [word for word in expression.unless if wrong in word]
    if any(word in context for word in expression.unless if word not in longer):
        return True
    return any(context.startswith(word, at - word.find(wrong)) for word in longer if at >= word.find(wrong))


def _is_put_right(context: str, at: int, wrong: str, right: str) -> bool:
    """Whether the spelling is only quoted, in a sentence that has the right one as well: 原文“甲”，现改为“乙”."""
    behind = at + len(wrong)
    quoted = at > 0 and context[at - 1] in OPENING and context[behind : behind + 1] in tuple(CLOSING)
    return quoted and right in context


def _titles_read(publication: Publication, read: frozenset[str]) -> tuple[str, ...]:
    facts = publication.page.facts if publication.is_list else None
    entries = facts.list.entries if facts else ()
    return tuple(entry.title for entry in entries if entry.title and comparable(entry.url) in read)


# ---------------------------------------------------------------- quoting


def _sentence_at(text: str, at: int) -> str:
    begins = max((match.end() for match in ENDS.finditer(text, max(0, at - 200), at)), default=max(0, at - 200))
    end = ENDS.search(text, at, at + 200)
    return text[begins : end.start() if end else at + 200].strip()


def _line_at(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : end if end >= 0 else len(text)].strip()


def _quoted(sentence: str, wrong: str) -> str:
    """The sentence, cut around the spelling when it is long."""
    at = sentence.find(wrong)
    start = max(0, at - (SENTENCE - len(wrong)) // 2)
    cut = sentence[start : start + SENTENCE]
    return ("…" if start else "") + cut + ("…" if start + SENTENCE < len(sentence) else "")
