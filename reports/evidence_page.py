"""审计包的网页: what a package holds, told to people: how to verify it, each score with its arithmetic, each finding
with the page, the passage and the picture that it rests on.

Text of inspected pages is hostile: everything is escaped, and of a page only its bytes as plain text lie beside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from reports.entry_names import entry_of
from reports.pages import page


@dataclass(frozen=True, slots=True)
class CheckPart:
    """One check as it serves a row: its weight there, and the weights of its targets that pass and that were judged."""

    check: str
    weight: Decimal
    passed: Decimal
    judged: Decimal
    targets: int

    @property
    def value(self) -> Fraction | None:
        """The share that passes, None where nothing was judged."""
        return Fraction(self.passed) / Fraction(self.judged) if self.judged else None

    @property
    def counts(self) -> bool:
        """Whether it has a part in the row's mean."""
        return bool(self.judged and self.weight)


@dataclass(frozen=True, slots=True)
class FormulaRow:
    """评分表的一行: what it is worth, and the checks whose weighted mean is its value."""

    id: str
    title: str
    points: Decimal
    parts: tuple[CheckPart, ...]

    @property
    def value(self) -> Fraction | None:
        """The weighted mean of its checks, None where none has a value."""
        known = [(Fraction(part.weight), part.value) for part in self.parts if part.counts and part.value is not None]
        whole = sum((weight for weight, _ in known), Fraction(0))
        return sum((weight * value for weight, value in known), Fraction(0)) / whole if whole else None

    @property
    def arithmetic(self) -> str:
        """How the value comes about, as one writes it down."""
        counted = [part for part in self.parts if part.counts]
        if not counted:
            return "没有能判定的内容，不计入"
        if len(counted) == 1:
            return f"{_plain(counted[0].passed)} ÷ {_plain(counted[0].judged)}"
        above = " ＋ ".join(f"{_plain(part.weight)} × {_plain(part.passed)}/{_plain(part.judged)}" for part in counted)
        return f"（{above}）÷ {_plain(sum((part.weight for part in counted), Decimal(0)))}"


def total(rows: Iterable[FormulaRow]) -> Decimal | None:
    """Return the score that the rows come to, 0 to 100 with two places, half up; None where no row has a value."""
    known = [(Fraction(row.points), row.value) for row in rows if row.value is not None]
    points = sum((point for point, _ in known), Fraction(0))
    if not points:
        return None
    share = sum((point * value for point, value in known), Fraction(0)) / points
    return Decimal(int(share * 10_000 + Fraction(1, 2))).scaleb(-2)


def total_arithmetic(rows: Sequence[FormulaRow]) -> str:
    """Return how the score comes about, as one writes it down."""
    known = [row for row in rows if row.value is not None]
    above = " ＋ ".join(f"{_plain(row.points)} × {share_text(row.value)}" for row in known)
    return f"100 ×（{above}）÷ {_plain(sum((row.points for row in known), Decimal(0)))}" if known else ""


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A record that a finding rests on: where it lies in the evidence, what it shows, and the copies in the package.

    `offset` and `length` are bytes in `file`; `timestamp` is what replayers look the page up by; `source` and
    `screenshot` are links, "" where there is none. `withheld`: left out, for it holds personal data.
    """

    kind: str
    url: str
    captured_at: datetime | None
    timestamp: str
    record_id: str
    file: str
    offset: int
    length: int
    digest: str
    source: str = ""
    screenshot: str = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding in words, with the records that it rests on; `around` is the page's text before and after `passage`."""

    number: int
    check: str
    outcome: str
    state: str
    reason: str
    observed: str
    expected: str
    passage: str
    around: tuple[str, str]
    where: str
    place: str
    basis: str
    failing: bool
    records: tuple[ShownRecord, ...]


@dataclass(frozen=True, slots=True)
class UnitDay:
    """What one run said of one unit; `file` is the page about it, relative to the index page."""

    unit: str
    day: date
    run: int
    kind: str
    file: str
    score: Decimal | None
    state: str
    rows: tuple[FormulaRow, ...]
    reasons: tuple[str, ...]
    findings: tuple[ShownFinding, ...]
    others: tuple[tuple[str, int], ...]  # of findings not shown one by one: outcome, how many
    stands_on: int | None = None

    @property
    def score_text(self) -> str:
        """The score with two places, or that there is none."""
        return "未发布" if self.score is None else f"{self.score:.2f}"

    @property
    def again(self) -> Decimal | None:
        """The score that the rows come to."""
        return total(self.rows)

    @property
    def agrees(self) -> bool:
        """Whether the arithmetic comes to the stored score."""
        return self.score is None or self.again == self.score

    @property
    def arithmetic(self) -> str:
        """How the score comes about."""
        return total_arithmetic(self.rows)

    @property
    def failing(self) -> tuple[ShownFinding, ...]:
        """The findings that fail."""
        return tuple(finding for finding in self.findings if finding.failing)


@dataclass(frozen=True, slots=True)
class DayLine:
    """A unit's day as the index lists it, with those findings that it names: number, check, what was seen."""

    unit: str
    day: date
    run: int
    kind: str
    file: str
    score: str
    failing: int
    findings: tuple[tuple[int, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Seal:
    """A run's manifest: its SHA-256 and SM3, and who signed it (the key's fingerprint), None for nobody."""

    run: int
    day: date
    sha256: str
    sm3: str
    signer: str | None
    stamped: bool

    @property
    def file(self) -> str:
        """The manifest, relative to our folder in the package."""
        return f"runs/{self.run}/manifest.json"


def index_page(
    title: str,
    made_at: datetime,
    lines: Sequence[DayLine],
    seals: Sequence[Seal],
    workbooks: Sequence[str],
    withheld: int,
) -> bytes:
    """Return the first page of a package as an HTML document in UTF-8."""
    values = {
        "title": title,
        "made_at": made_at,
        "lines": lines,
        "seals": seals,
        "workbooks": workbooks,
        "withheld": withheld,
    }
    return page("evidence.html", values, {"entry": _entry})


def unit_day_page(title: str, shown: UnitDay) -> bytes:
    """Return the page about one unit on one day as an HTML document in UTF-8."""
    return page(
        "evidence_day.html", {"title": title, "shown": shown}, {"share": share_text, "plain": _plain, "entry": _entry}
    )


def _entry(name: str) -> str:
    return entry_of(f"inspection/{name}")


def share_text(value: Fraction | None) -> str:
    """Return a share of one with six places, half up, or a dash."""
    if value is None:
        return "—"
    number = Decimal(value.numerator) / Decimal(value.denominator)
    return _plain(number.quantize(Decimal("0.000001"), ROUND_HALF_UP))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
