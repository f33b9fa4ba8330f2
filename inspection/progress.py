"""What an inspection tells while it works; the base class keeps silent."""

from __future__ import annotations


class Progress:
    """A receiver of progress. Stages are Chinese words such as 采集 and 判定."""

    def advance(self, stage: str, done: int, total: int) -> None:
        """Take note that `done` of `total` (so far known) steps of a stage are done."""

    def say(self, sentence: str) -> None:
        """Take note of one sentence worth showing at once."""
