"""核验结果: what an auditor is told of a package, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

EXIT_DIFFERENT = 6
MOST_TOLD = 10_000  # differences of a step: a file that is another one altogether has no end of them


class Result(StrEnum):
    """What a step came to."""

    HOLDS = "相符"
    BROKEN = "不符"
    UNTOLD = "无法核对"


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that does not hold: where, as exactly as can be told, and what is wrong; both Chinese."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}：{self.what}"


@dataclass(slots=True)
class Step:
    """One thing that is checked: `told` says what was checked, `untold` why it could not be, `nothing` that the package
    has nothing of the kind, and so nothing could differ."""

    key: str
    title: str
    told: str = ""
    untold: str = ""
    nothing: str = ""
    broken: list[Broken] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    count: int = 0  # of differences, told or not

    @property
    def result(self) -> Result:
        """Whether it holds."""
        if self.count:
            return Result.BROKEN
        return Result.UNTOLD if self.untold else Result.HOLDS

    @property
    def heading(self) -> str:
        """Return what it came to, in the words for people."""
        return self.nothing if self.nothing and self.result is Result.HOLDS else self.result

    def differs(self, where: str, what: str) -> None:
        """Take note of what does not hold."""
        self.count += 1
        if len(self.broken) < MOST_TOLD:
            self.broken.append(Broken(where, what))

    def note(self, sentence: str) -> None:
        """Take note of what the auditor should know; the same is said once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


@dataclass(frozen=True, slots=True)
class Verification:
    """All steps, in the order in which they were taken."""

    steps: tuple[Step, ...]

    @property
    def first(self) -> Broken | None:
        """The first place that does not hold."""
        return next((broken for step in self.steps for broken in step.broken), None)

    @property
    def count(self) -> int:
        """How many things do not hold."""
        return sum(step.count for step in self.steps)

    @property
    def exit_code(self) -> int:
        """0 when everything holds, else 6; what could not be told does not hold."""
        return 0 if all(step.result is Result.HOLDS for step in self.steps) else EXIT_DIFFERENT

    def document(self) -> dict[str, Any]:
        """Return `inspect evidence verify --json`'s document."""
        return {
            "holds": self.exit_code == 0,
            "differences": self.count,
            "first": str(self.first) if self.first else None,
            "steps": [
                {
                    "step": step.key,
                    "title": step.title,
                    "result": step.result,
                    "checked": step.told,
                    "untold": step.untold or None,
                    "differences": step.count,
                    "broken": [{"where": broken.where, "what": broken.what} for broken in step.broken],
                    "notes": step.notes,
                }
                for step in self.steps
            ],
        }
