"""个人信息的识别与遮盖: numbers that belong to a person, and how they are written so that nobody is given away.

`numbers_in` finds what has the form of a resident identity number, a bank-card number or a mobile number; whether one
is real (`is_resident_id`, `is_bank_card`) is asked apart. `masked` hides by form alone: a mistyped number betrays its
owner as well. Every finding passes through it, whichever check made it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from checks.facts.credentials import without_credentials


class NumberKind(StrEnum):
    """What a number is by its form."""

    RESIDENT_ID = "公民身份号码"
    BANK_CARD = "银行卡号"
    MOBILE = "手机号码"


@dataclass(frozen=True, slots=True)
class PersonalNumber:
    """A number found in a text: its kind, its digits in ASCII without separators, and where it stands."""

    kind: NumberKind
    digits: str
    start: int
    end: int

    @property
    def shown(self) -> str:
        """The number as it may be shown."""
        return hidden(self.digits)


KEPT_FIRST, KEPT_LAST = 3, 2  # digits that stay readable: enough to find the place, too few to tell the person
STAR = "*"
SHORTEST = 10  # digits of the shortest number that may be told, the beginning of an identity number

# Digits in half or full width (\d knows both) with at most one separator where people put them.
_GAP = "[ \u00a0\u2002-\u200a\u3000‐-—－-]?"
_MONTH = "(?:[0０][1-9１-９]|[1１][0-2０-２])"
_DAY = "(?:[0０][1-9１-９]|[12１２]\\d|[3３][01０１])"
_YEAR = "(?:[1１][89８９]|[2２][0０])\\d{2}"
_RESIDENT_ID = rf"[1-9１-９]\d{{2}}{_GAP}\d{{3}}{_GAP}{_YEAR}{_GAP}{_MONTH}{_GAP}{_DAY}{_GAP}\d{{3}}{_GAP}[\dXxＸｘ×]"
_OLD_ID = rf"[1-9１-９]\d{{5}}{_GAP}\d{{2}}{_MONTH}{_DAY}{_GAP}\d{{3}}"  # 15 digits, before 1999
_CARD = rf"(?:[6６][2２]|[9９][5５])\d{{2}}(?:{_GAP}\d{{4}}){{3}}(?:{_GAP}\d{{1,3}})?"
_MOBILE = rf"[1１][3-9３-９]\d{_GAP}\d{{4}}{_GAP}\d{{4}}"
_NUMBER = re.compile(rf"(?<!\d)(?:(?P<id>{_RESIDENT_ID}|{_OLD_ID})|(?P<card>{_CARD})|(?P<mobile>{_MOBILE}))(?!\d)")
_RUN = re.compile(rf"\d(?:{_GAP}+\d){{{SHORTEST - 1},}}+")
_CUT_OFF = re.compile(rf"(?<!\d)[1-9１-９]\d{{5}}{_YEAR}\d{{0,7}}(?=…?$)")  # an identity number that a quotation breaks
_KINDS = {"id": NumberKind.RESIDENT_ID, "card": NumberKind.BANK_CARD, "mobile": NumberKind.MOBILE}


def numbers_in(text: str) -> Iterator[PersonalNumber]:
    """Yield what has the form of a personal number, in order; nothing inside a longer run of digits is one."""
    for match in _matches(text):
        yield PersonalNumber(_KINDS[str(match.lastgroup)], _digits(match[0]), match.start(), match.end())


def masked(text: str) -> str:
    """Return the text with every personal number hidden but for its first three and last two digits.

    User names and passwords in addresses are hidden altogether.
    """
    text = without_credentials(text)
    if not _RUN.search(text):
        return text
    parts: list[str] = []
    end = 0
    for match in _matches(text):
        parts += (text[end : match.start()], hidden(match[0]))
        end = match.end()
    return _CUT_OFF.sub(_masked, "".join((*parts, text[end:])))


def hidden(number: str) -> str:
    """Return the number with stars in place of all but its first three and last two digits."""
    return number[:KEPT_FIRST] + STAR * (len(number) - KEPT_FIRST - KEPT_LAST) + number[-KEPT_LAST:]


def _matches(text: str) -> Iterator[re.Match[str]]:
    """Look for numbers only where digits run on: most of a page has none."""
    for run in _RUN.finditer(text):
        yield from _NUMBER.finditer(text, run.start(), run.end() + 2)  # a gap and an X may follow


def _masked(match: re.Match[str]) -> str:
    return hidden(match[0])


def _digits(text: str) -> str:
    """The number in ASCII: full-width digits and the several ways to write its X brought into one form."""
    found = (str(int(c)) if c.isdecimal() else "X" if c in "XxＸｘ×" else "" for c in text)
    return "".join(found)


# ---------------------------------------------------------------- what is real

PROVINCES = frozenset(  # GB/T 2260; 81 to 83 stand on residence permits too
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for code in range(first, last + 1)
)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
CHECK_CHARACTERS = "10X98765432"
EARLIEST_BIRTH = 1900


def is_resident_id(digits: str, day: date) -> bool:
    """Whether it is an identity number after GB 11643: division code, day of birth before `day`, check character."""
    if len(digits) != 18 or digits[:2] not in PROVINCES or not _is_division(digits[2:4], digits[4:6]):
        return False
    born = born_on(digits)
    return born is not None and born.year >= EARLIEST_BIRTH and born <= day and check_character(digits) == digits[17]


def check_character(digits: str) -> str:
    """Return the check character (ISO 7064, MOD 11-2) of the first seventeen digits."""
    return CHECK_CHARACTERS[sum(int(d) * w for d, w in zip(digits[:17], WEIGHTS, strict=True)) % 11]


def born_on(digits: str) -> date | None:
    """Return the day of birth in an identity number of eighteen digits; None when there is no such day."""
    try:
        return date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return None


def _is_division(city: str, county: str) -> bool:
    """GB/T 2260 numbers prefectures 01–70 (90: directly under the province) and counties from 01."""
    return ("01" <= city <= "70" or city == "90") and county != "00"


def is_bank_card(digits: str) -> bool:
    """Whether it is a personal card number: 62 (银联) or 9558 in front, sixteen to nineteen digits, Luhn's check."""
    return 16 <= len(digits) <= 19 and digits.startswith(("62", "9558")) and digits.isdecimal() and passes_luhn(digits)


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the one that Luhn's algorithm gives."""
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0
